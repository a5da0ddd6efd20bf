"""Blocks that begin where the tile of a step does, or just before, of arrays that stay in HBM."""

import numpy as np
import pytest
from programs import parse

from tilec.dialects.interpreter import run
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.proof import Array, emit, prove_compiles, prove_kernel, prove_passes

# Each row and those 1 and 3 before it, in its segment.
TAPS = """
func.func @f(%x: memref<NxCxDTYPE>, %offsets: memref<6xi32>) -> memref<NxCxDTYPE> {
  %out = tile.empty : memref<NxCxDTYPE>
  tile.grid %g = 0 to 5 {
    %b, %e = tile.segment %offsets[%g]
    %least = arith.index_cast %b : index to i32
    tile.for %r = %b to %e by r {
      %now = tile.load %x[%r, :]
      %rows = tile.indices %r
      %first = tile.broadcast %least dims [] : tensor<?xi32, #tile.spans<r>>
      %zero = tile.splat ZERO : tensor<?xCxDTYPE, #tile.spans<r, _>>
      %1 = tile.splat 1 : tensor<?xi32, #tile.spans<r>>
      %3 = tile.splat 3 : tensor<?xi32, #tile.spans<r>>
      %before_1 = arith.subi %rows, %1 : tensor<?xi32, #tile.spans<r>>
      %before_3 = arith.subi %rows, %3 : tensor<?xi32, #tile.spans<r>>
      %has_1 = tile.compare ge %before_1, %first
      %has_3 = tile.compare ge %before_3, %first
      %mask_1 = tile.broadcast %has_1 dims [0] : tensor<?xCxi1, #tile.spans<r, _>>
      %mask_3 = tile.broadcast %has_3 dims [0] : tensor<?xCxi1, #tile.spans<r, _>>
      %one = tile.gather %x[%before_1, :] mask %mask_1 other %zero
      %three = tile.gather %x[%before_3, :] mask %mask_3 other %zero
      %sum = ADD %now, %one : tensor<?xCxDTYPE, #tile.spans<r, _>>
      %all = ADD %sum, %three : tensor<?xCxDTYPE, #tile.spans<r, _>>
      tile.store %all, %out[%r, :]
    }
  }
  return %out : memref<NxCxDTYPE>
}"""

# Rows of segments added to rows that begin elsewhere.
ELSEWHERE = """
func.func @f(%x: memref<NxCxDTYPE>, %y: memref<NxCxDTYPE>, %offsets: memref<6xi32>, %from: memref<5xi32>)
    -> memref<NxCxDTYPE> {
  %out = tile.empty : memref<NxCxDTYPE>
  tile.grid %g = 0 to 5 {
    %b, %e = tile.segment %offsets[%g]
    %other = tile.load %from[%g]
    %begin = arith.index_cast %other : i32 to index
    %by = arith.subi %begin, %b : index
    tile.for %r = %b to %e by r {
      %now = tile.load %x[%r, :]
      %there = tile.load %y[%r + %by, :]
      %all = ADD %now, %there : tensor<?xCxDTYPE, #tile.spans<r, _>>
      tile.store %all, %out[%r, :]
    }
  }
  return %out : memref<NxCxDTYPE>
}"""

# Lanes of a signal and those before them.
LANES = """
func.func @f(%x: memref<CxNxDTYPE>) -> memref<CxNxDTYPE> {
  %out = tile.empty : memref<CxNxDTYPE>
  tile.grid %r = 0 to N by r {
    %now = tile.load %x[:, %r]
    %lanes = tile.indices %r
    %5 = tile.splat 5 : tensor<?xi32, #tile.spans<r>>
    %zero = tile.splat ZERO : tensor<Cx?xDTYPE, #tile.spans<_, r>>
    %has = tile.compare ge %lanes, %5
    %mask = tile.broadcast %has dims [1] : tensor<Cx?xi1, #tile.spans<_, r>>
    %before = tile.load %x[:, %r - 5] mask %mask other %zero
    %all = ADD %now, %before : tensor<Cx?xDTYPE, #tile.spans<_, r>>
    tile.store %all, %out[:, %r]
  }
  return %out : memref<CxNxDTYPE>
}"""

LOOPS = ("grid", "emit_pipeline", "fori_loop")
OFFSETS = ([0, 3, 3, 100, 230, 290], [5, 6, 40, 40, 261, 284], [0, 0, 0, 0, 0, 290], [0, 17, 34, 51, 68, 85])
NUMPY = {"f32": np.float32, "bf16": "bfloat16", "i32": np.int32}


def _text(program: str, dtype: str, rows: int, columns: int = 256) -> str:
    zero, add = ("0", "arith.addi") if dtype.startswith("i") else ("0.0", "arith.addf")
    named = {"DTYPE": dtype, "ZERO": zero, "ADD": add, "xC": f"x{columns}", "<C": f"<{columns}"}
    named |= {"xN": f"x{rows}", "<N": f"<{rows}", "to N": f"to {rows}"}
    for name, value in named.items():
        program = program.replace(name, value)
    return program


def _arrays(shapes: list[tuple[int, int]], dtype: str) -> list[Array]:
    rng = np.random.default_rng(0)
    return [(rng.standard_normal(shape) * 8).astype(NUMPY[dtype]) for shape in shapes]


def _prove(text: str, choice: TileToPallas, *lists: list[Array]) -> str:
    """Two proofs of a program for each list of arguments, with a seed of its own; returns the module."""
    module = parse(text)
    made = emit(module, [choice])
    assert "pl.Element" in made or choice.loop == "fori_loop" or choice.operands == "resident"
    for seed, args in enumerate(lists):
        prove_passes(module, "f", args, choice.passes(), seeds=(seed,))
        prove_kernel(made, "f", args, run(module, "f", args), seeds=(seed,))
    return made


def _choice(loop: str, block: int, grouping: str = "worklist") -> TileToPallas:
    return TileToPallas(grouping, loop, operands="stream", blocks={"r": block})


@pytest.mark.parametrize("grouping", ["worklist", "overlaunch", "stream"])
@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize(("dtype", "block"), [("f32", 16), ("bf16", 16), ("bf16", 32), ("i32", 8)])
def test_taps(dtype: str, block: int, loop: str, grouping: str) -> None:
    if grouping == "stream" and loop != "fori_loop":
        pytest.skip("streams are loops of a kernel's own")
    lists = [[*_arrays([(290, 256)], dtype), np.array(offsets, np.int32)] for offsets in OFFSETS]
    _prove(_text(TAPS, dtype, 290), _choice(loop, block, grouping), *lists)


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize(("dtype", "rows"), [("f32", 290), ("bf16", 296), ("bf16", 301)])
def test_rows_elsewhere(dtype: str, rows: int, loop: str) -> None:
    lists = [
        [*_arrays([(rows, 256)] * 2, dtype), np.array(offsets, np.int32), np.array(begins, np.int32)]
        for offsets, begins in (
            ([0, 3, 3, 100, 230, 290], [287, 0, 11, 160, 1]),
            ([5, 6, 40, 40, 261, 284], [0, 250, 9, 13, 200]),
        )
    ]
    _prove(_text(ELSEWHERE, dtype, rows), _choice(loop, 32), *lists)


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize(("dtype", "extent"), [("f32", 1000), ("bf16", 1024)])
def test_lanes(dtype: str, extent: int, loop: str) -> None:
    _prove(_text(LANES, dtype, extent, 24), _choice(loop, 128), _arrays([(24, extent)], dtype))


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize(("dtype", "block"), [("bf16", 32), ("f32", 8), ("i32", 16)])
def test_taps_compile(dtype: str, block: int, loop: str) -> None:
    args = [*_arrays([(3000, 256)], dtype), np.array([0, 3, 3, 900, 2000, 2900], np.int32)]
    prove_compiles(emit(parse(_text(TAPS, dtype, 3000)), [_choice(loop, block)]), "f", args)


@pytest.mark.parametrize("loop", LOOPS)
def test_lanes_compile(loop: str) -> None:
    text = _text(LANES, "bf16", 3000, 24)
    prove_compiles(emit(parse(text), [_choice(loop, 128)]), "f", _arrays([(24, 3000)], "bf16"))


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize(("dtype", "operands"), [("bf16", "stream"), ("f32", "stream"), ("f32", "resident")])
def test_taps_in_strips(dtype: str, operands: str, loop: str) -> None:
    """Strips of rows of a tile lie in its block where they are turned from."""
    text = _text(TAPS, dtype, 290, 1100)
    args = [*_arrays([(290, 1100)], dtype), np.array(OFFSETS[1], np.int32)]
    choice = TileToPallas("worklist", loop, operands=operands, blocks={"r": 128})
    assert "strip" in _prove(text, choice, args)
