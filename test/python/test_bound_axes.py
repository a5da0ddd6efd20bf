"""An axis whose length is loaded and of which only the arrays say how long it can be: the three proofs."""

import numpy as np
import pytest
from programs import parse

from tilec.dialects.interpreter import run
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.proof import emit, prove_compiles, prove_kernel, prove_passes

COUNTED = """
func.func @f(%x: memref<40x96xf32>, %w: memref<64xf32>, %counts: memref<9xi32>) -> memref<4x96xf32> {
  %out = tile.full 0.0 : memref<4x96xf32>
  tile.grid %g = 0 to 4 {
    %n = tile.load %counts[%g]
    %end = arith.index_cast %n : i32 to index
    tile.for %k = 0 to %end by k {
      %v = tile.load %x[%g, %k]
      %f = tile.load %w[%k]
      %p = arith.mulf %v, %f : tensor<?xf32, #tile.spans<k>>
      tile.store %p, %out[%g, %k]
    }
  }
  return %out : memref<4x96xf32>
}"""


AFTER = """%c1 = arith.constant 1 : index
    %after = arith.addi %end, %c1 : index
    tile.for %k = 0 to %after """
ONE_MORE = COUNTED.replace("tile.for %k = 0 to %end ", AFTER)


@pytest.mark.parametrize(
    ("text", "more", "grouping", "loop"),
    [
        (COUNTED, 0, "worklist", "grid"),
        (COUNTED, 0, "overlaunch", "fori_loop"),
        (ONE_MORE, 1, "worklist", "grid"),
    ],
    ids=["worklist", "overlaunch", "one_more"],
)
def test_counted(text: str, more: int, grouping: str, loop: str) -> None:
    """Elements of %counts that no iteration uses may be as large as they like."""
    module, rng = parse(text), np.random.default_rng(0)
    x, w = rng.standard_normal((40, 96), np.float32), rng.standard_normal(64, np.float32)
    counts = np.array([3, 0, 64 - more, 7, 999, 999, 999, 999, 999], np.int32)
    expected = np.zeros((4, 96), np.float32)
    for row, count in enumerate(counts[:4] + more):
        expected[row, :count] = x[row, :count] * w[:count]
    args = [x, w, counts]
    results = run(module, "f", args)
    assert np.array_equal(results[0].data, expected)
    choice = TileToPallas(grouping, loop, blocks={"k": 128})
    prove_passes(module, "f", args, choice.passes(), seeds=(1,))
    kernel = emit(module, [choice])
    prove_kernel(kernel, "f", args, results, seeds=(1,))
    prove_compiles(kernel, "f", args, ("v6e",))
