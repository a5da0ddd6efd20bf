"""Kernels with a body for whole tiles: proofs with hostile offsets, and NaN next to segments."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from tilec.dialects.interpreter import InterpreterError, random_args, run
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.proof import emit, prove_compiles, prove_kernel, prove_passes, read_program

EXAMPLES = Path(__file__).parents[2] / "examples"
WAYS = [*product(("worklist", "overlaunch"), ("grid", "emit_pipeline", "fori_loop"))]
OFFSETS = ([0, 8, 8, 9, 24, 37, 40, 48, 48], [3, 3, 3, 47, 47, 47, 48, 48, 50])
"""Tiles of 8: whole ones, some that a group shares with the next, groups of one row and of none."""

# The sum of the rows of each group, and twice each row.
PROGRAM = """
func.func @groups(%x: memref<?x128xf32>, %offsets: memref<9xi32>) -> (memref<8x128xf32>, memref<?x128xf32>) {
  %sums = tile.empty : memref<8x128xf32>
  %twice = tile.empty like(%x) : memref<?x128xf32>
  tile.grid %g = 0 to 8 {
    %begin, %end = tile.segment %offsets[%g]
    %zero = tile.splat 0.0 : tensor<128xf32>
    %sum = tile.for %m = %begin to %end by m iter_args(%a = %zero) {
      %v = tile.load %x[%m, :]
      %s = tile.reduce add %v dims [0]
      %next = arith.addf %a, %s : tensor<128xf32>
      %w = arith.addf %v, %v : tensor<?x128xf32, #tile.spans<m, _>>
      tile.store %w, %twice[%m, :]
      tile.yield %next
    }
    tile.store %sum, %sums[%g, :]
  }
  return %sums, %twice : memref<8x128xf32>, memref<?x128xf32>
}
"""


@pytest.mark.parametrize(("grouping", "loop"), WAYS)
def test_neighbours_do_not_leak(grouping: str, loop: str) -> None:
    """One group in three is NaN, and so are the rows of none: sums of the others are right."""
    module, _ = read_program(PROGRAM)
    choice = TileToPallas(grouping, loop, blocks={"m": 8}, clean="peel")
    text = emit(module, [choice])
    for seed, offsets in enumerate(OFFSETS):
        x = np.random.default_rng(seed).standard_normal((56, 128)).astype(np.float32)
        x[: offsets[0]] = x[offsets[-1] :] = np.nan
        for group in (1, 4, 7):
            x[offsets[group] : offsets[group + 1]] = np.nan
        args = [x, np.array(offsets, np.int32)]
        prove_passes(module, "groups", args, choice.passes(), seeds=(seed,))
        prove_kernel(text, "groups", args, run(module, "groups", args), seeds=(seed,))


@pytest.mark.parametrize(
    ("name", "blocks"),
    [
        ("grouped_matmul", {"m": 8, "k": 256}),
        ("jagged_flash_attention", {"m": 8, "n": 8}),
        ("gdpa", {"m": 8}),
    ],
)
def test_examples(name: str, blocks: dict[str, int]) -> None:
    module, function = read_program(EXAMPLES / f"{name}.mlir")
    args = random_args(function, 0, 40)
    choice = TileToPallas(blocks=blocks, clean="peel")
    prove_passes(module, name, args, choice.passes(), seeds=(0,))
    text = emit(module, [choice])
    assert "clean" in text
    prove_kernel(text, name, args, run(module, name, args), seeds=(0,))


@pytest.mark.aot
@pytest.mark.parametrize("loop", ["grid", "emit_pipeline", "fori_loop"])
def test_tpu_compiler_takes_it(loop: str) -> None:
    module, function = read_program(PROGRAM)
    text = emit(module, [TileToPallas(loop=loop, blocks={"m": 256}, clean="peel")])
    assert "clean" in text
    prove_compiles(text, "groups", random_args(function, 0, 600))


def test_a_tile_that_is_not_whole_stops_the_interpreter() -> None:
    module, _ = read_program("""
func.func @half(%x: memref<12x128xf32>, %y: memref<128xf32>) -> memref<128xf32> {
  tile.pipeline grid {
    %m = tile.axis 0 to 12 by m:8 ordered
    %xw = tile.window read %x[%m, :]
    %yw = tile.window write %y[:]
    %v = tile.get %xw
    %w = tile.whole %v along %m
    %s = tile.reduce add %w dims [0]
    tile.set %s, %yw
  }
  return %y : memref<128xf32>
}
""")
    with pytest.raises(InterpreterError, match=r"tile\.whole of a tile with 4 dead lanes of 8"):
        run(module, "half", [np.zeros((12, 128), np.float32), np.zeros(128, np.float32)])
