"""Arrays whose heads kernels see outside of their rows: the three proofs."""

import numpy as np
import pytest
from programs import parse

from tilec.dialects.interpreter import functions, random_args, run
from tilec.passes.permute_arrays import PermuteArrays
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.proof import Array, emit, prove_compiles, prove_kernel, prove_passes

JAGGED = """
func.func @f(%x: memref<60x4x128xf32>, %w: memref<60x5x128xf32>, %offsets: memref<5xi32>)
    -> (memref<60x4x128xf32>, memref<60x4x128xf32>) {
  %out = tile.full 3.0 : memref<60x4x128xf32>
  %sums = tile.empty : memref<60x4x128xf32>
  tile.grid %g = 0 to 4, %h = 0 to 4 {
    %begin, %end = tile.segment %offsets[%g]
    tile.for %m = %begin to %end by m {
      %v = tile.load %x[%m, %h, :]
      tile.store %v, %out[%m, %h, :]
    }
  }
  tile.grid %h = 0 to 4, %m = 0 to 60 by m {
    %v = tile.load %out[%m, %h, :]
    %w_1 = tile.load %w[%m, %h + 1, :]
    %s = arith.addf %v, %w_1 : tensor<?x128xf32, #tile.spans<m, _>>
    tile.store %s, %sums[%m, %h, :]
  }
  return %out, %sums : memref<60x4x128xf32>, memref<60x4x128xf32>
}"""
"""One array is written by a kernel, in segments that leave rows out, read by the next, and returned."""


def _args() -> list[Array]:
    x, w, _ = random_args(functions(parse(JAGGED))[0], 1)
    return [x, w, np.array([3, 3, 20, 21, 50], np.int32)]


@pytest.mark.parametrize("loop", ["grid", "fori_loop", "emit_pipeline"])
def test_segments_of_heads(loop: str) -> None:
    module, args = parse(JAGGED), _args()
    choice = TileToPallas("worklist", loop, blocks={"m": 16})
    prove_passes(module, "f", args, choice.passes(), seeds=(2,))
    prove_kernel(emit(module, [choice]), "f", args, run(module, "f", args), seeds=(2,))


def test_compiles() -> None:
    choice = TileToPallas(blocks={"m": 16})
    assert any(isinstance(each, PermuteArrays) for each in choice.passes())
    prove_compiles(emit(parse(JAGGED), [choice]), "f", _args(), ("v5e",))
