"""Windows that reach beyond their array, where a mask leaves lanes out: the three proofs."""

import numpy as np
import pytest
from programs import parse

from tilec.dialects.interpreter import functions, random_args, run
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.proof import Array, emit, prove_compiles, prove_kernel, prove_passes

LOOPS = ("grid", "fori_loop", "emit_pipeline")


def shifted(shape: tuple[int, ...], dim: int, by: int, dtype: str) -> str:
    """out[…, m, …] = x[…, m + by, …] along one dimension, and 7 where that is not in x."""
    extents = "x".join(str(extent) for extent in shape)
    tile = "x".join("?" if i == dim else str(extent) for i, extent in enumerate(shape))
    spans = ", ".join("m" if i == dim else "_" for i in range(len(shape)))
    window = ", ".join("%m" if i == dim else ":" for i in range(len(shape)))
    moved = window.replace("%m", f"%m {'+' if by > 0 else '-'} {abs(by)}")
    seven = "7" if dtype.startswith("i") else "7.0"
    return f"""
func.func @f(%x: memref<{extents}x{dtype}>) -> memref<{extents}x{dtype}> {{
  %out = tile.empty : memref<{extents}x{dtype}>
  tile.grid %m = 0 to {shape[dim]} by m {{
    %places = tile.indices %m
    %least = tile.splat {-by} : tensor<?xi32, #tile.spans<m>>
    %end = tile.splat {shape[dim] - by} : tensor<?xi32, #tile.spans<m>>
    %above = tile.compare ge %places, %least
    %below = tile.compare lt %places, %end
    %inside = arith.andi %above, %below : tensor<?xi1, #tile.spans<m>>
    %mask = tile.broadcast %inside dims [{dim}] : tensor<{tile}xi1, #tile.spans<{spans}>>
    %seven = tile.splat {seven} : tensor<{tile}x{dtype}, #tile.spans<{spans}>>
    %v = tile.load %x[{moved}] mask %mask other %seven
    tile.store %v, %out[{window}]
  }}
  return %out : memref<{extents}x{dtype}>
}}"""


ROWS = (37, 200)
CASES = [
    ("above", shifted(ROWS, 0, 3, "f32"), 16),
    ("below", shifted(ROWS, 0, -3, "f32"), 16),
    ("below_bf16", shifted(ROWS, 0, -3, "bf16"), 16),
    ("a_tile_above", shifted(ROWS, 0, 16, "f32"), 16),
    ("a_tile_below", shifted(ROWS, 0, -16, "i32"), 16),
    ("all_beyond", shifted(ROWS, 0, 40, "f32"), 16),
    ("all_before", shifted(ROWS, 0, -40, "f32"), 16),
    ("tiles_before", shifted((7, 128), 0, -128, "f32"), 64),
    ("tiles_before_in_the_middle", shifted((2, 9, 128), 1, -64, "bf16"), 64),
    ("one_step_below", shifted((8, 200), 0, -5, "i32"), 16),
    ("one_step_above", shifted((16, 200), 0, 5, "bf16"), 16),
    ("lanes_above", shifted((24, 300), 1, 3, "bf16"), 128),
    ("lanes_below", shifted((24, 300), 1, -3, "f32"), 128),
    ("vector_below", shifted((300,), 0, -3, "f32"), 128),
    ("leading_above", shifted((19, 24, 128), 0, 2, "f32"), 8),
    ("middle_below", shifted((3, 24, 128), 1, -2, "f32"), 8),
]

# Each row of %by says how far; %g - 2 is below 0 in two cells, all of whose lanes the mask leaves out.
MOVED = """
func.func @f(%x: memref<37x200xf32>, %by: memref<4xi32>) -> memref<4x37x200xf32> {
  %out = tile.empty : memref<4x37x200xf32>
  tile.grid %g = 0 to 4, %m = 0 to 37 by m {
    %b = tile.load %by[%g]
    %shift = arith.index_cast %b : i32 to index
    %rows = tile.indices %m
    %more = tile.broadcast %b dims [] : tensor<?xi32, #tile.spans<m>>
    %places = arith.addi %rows, %more : tensor<?xi32, #tile.spans<m>>
    %none = tile.splat 0 : tensor<?xi32, #tile.spans<m>>
    %end = tile.splat 37 : tensor<?xi32, #tile.spans<m>>
    %above = tile.compare ge %places, %none
    %below = tile.compare lt %places, %end
    %inside = arith.andi %above, %below : tensor<?xi1, #tile.spans<m>>
    %mask = tile.broadcast %inside dims [0] : tensor<?x200xi1, #tile.spans<m, _>>
    %seven = tile.splat 7.0 : tensor<?x200xf32, #tile.spans<m, _>>
    %v = tile.load %x[%m + %shift, :] mask %mask other %seven
    tile.store %v, %out[%g, %m, :]
  }
  return %out : memref<4x37x200xf32>
}"""
ROWS_ABOVE = """
func.func @f(%x: memref<19x200xf32>) -> memref<19x200xf32> {
  %out = tile.empty : memref<19x200xf32>
  tile.grid %g = 0 to 19, %m = 0 to 200 by m {
    %i = arith.index_cast %g : index to i32
    %row = tile.broadcast %i dims [] : tensor<?xi32, #tile.spans<m>>
    %two = tile.splat 2 : tensor<?xi32, #tile.spans<m>>
    %mask = tile.compare ge %row, %two
    %seven = tile.splat 7.0 : tensor<?xf32, #tile.spans<m>>
    %v = tile.load %x[%g - 2, %m] mask %mask other %seven
    tile.store %v, %out[%g, %m]
  }
  return %out : memref<19x200xf32>
}"""


def _prove(text: str, block: int, number: int, args: list[Array] | None = None) -> None:
    """Each loop in turn: a run takes a second or more."""
    module = parse(text)
    args = args or random_args(functions(module)[0], 1)
    choice = TileToPallas("worklist", LOOPS[number % 3], blocks={"m": block})
    prove_passes(module, "f", args, choice.passes(), seeds=(number,))
    prove_kernel(emit(module, [choice]), "f", args, run(module, "f", args), seeds=(number,))


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case[0] for case in CASES])
def test_shifted(number: int) -> None:
    _, text, block = CASES[number]
    _prove(text, block, number)


def test_moved_by_data() -> None:
    x = np.random.default_rng(0).standard_normal(ROWS, np.float32)
    _prove(MOVED, 16, 1, [x, np.array([-50, -3, 5, 36], np.int32)])


def test_rows_above() -> None:
    _prove(ROWS_ABOVE, 128, 0)


@pytest.mark.parametrize("name", ["below", "lanes_above"])
def test_compiles(name: str) -> None:
    text, block = next(case[1:] for case in CASES if case[0] == name)
    module = parse(text)
    kernel = emit(module, [TileToPallas(blocks={"m": block})])
    prove_compiles(kernel, "f", random_args(functions(module)[0]), ("v6e",))


@pytest.mark.parametrize(("by", "turned"), [(-512, False), (512, False), (-500, True)])
def test_whole_tiles_are_read_in_place(by: int, turned: bool) -> None:
    """A tile that lies in the block, wherever it is cut to, is not turned."""
    module = parse(shifted((16, 1024), 1, by, "f32"))
    choice = TileToPallas(blocks={"m": 256}, operands="resident")
    args, text = random_args(functions(module)[0], 1), emit(module, [choice])
    assert ("pltpu.roll" in text) == turned
    prove_kernel(text, "f", args, run(module, "f", args), seeds=(0,))
    prove_compiles(text, "f", args, ("v5e",))
