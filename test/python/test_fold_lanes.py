"""Tiles of rank 1 as rows of lanes: the three proofs, and that kernels get as fast as memory."""

import pytest
from programs import parse

from tilec.analysis.flat import flat_axes, row_width
from tilec.dialects.interpreter import functions, random_args, run
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.proof import emit, prove_compiles, prove_kernel, prove_passes

VIEWS = """
func.func @f(%x: memref<24x256xbf16>, %y: memref<6144xf32>) -> (memref<24x256xbf16>, memref<24x256xi32>) {
  %flat = tile.view %x : memref<24x256xbf16> to memref<6144xbf16>
  %out = tile.empty : memref<24x256xbf16>
  %flat_out = tile.view %out : memref<24x256xbf16> to memref<6144xbf16>
  %all = tile.empty : memref<24x256xi32>
  %numbers = tile.view %all : memref<24x256xi32> to memref<6144xi32>
  tile.grid %m = 0 to 6144 by m {
    %v = tile.load %flat[%m]
    %y_1 = tile.load %y[%m]
    %w = tile.cast %y_1 to bf16
    %i = tile.indices %m
    %b = tile.bound begin %m
    %bi = arith.index_cast %b : index to i32
    %bt = tile.broadcast %bi dims [] : tensor<?xi32, #tile.spans<m>>
    %d = arith.subi %i, %bt : tensor<?xi32, #tile.spans<m>>
    %zero = tile.splat 0.0 : tensor<?xbf16, #tile.spans<m>>
    %positive = tile.compare gt %v, %zero
    %s = arith.addf %v, %w : tensor<?xbf16, #tile.spans<m>>
    tile.store %s, %flat_out[%m] mask %positive
    %same = arith.addi %d, %bt : tensor<?xi32, #tile.spans<m>>
    tile.store %same, %numbers[%m]
  }
  return %out, %all : memref<24x256xbf16>, memref<24x256xi32>
}"""
"""Rows of 256 suit the views, a store has a mask, and lanes are numbered by way of their tile's begin."""

SUMS = """
func.func @f(%x: memref<6144xf32>, %y: memref<2048xi32>) -> (memref<2048xi32>, memref<2048xf32>) {
  %total = tile.empty : memref<2048xi32>
  %least = tile.empty : memref<2048xf32>
  tile.grid %l = 0 to 2048 by l {
    %begin = tile.load %y[%l]
    %z = arith.constant 0.0 : f32
    %high = arith.constant 1.0e+30 : f32
    %r, %u, %m = tile.for %k = 0 to 6144 by k iter_args(%a = %z, %t = %begin, %low = %high) {
      %v = tile.load %x[%k]
      %p = tile.reduce max %v dims [0]
      %n = arith.maximumf %a, %p : f32
      %h = tile.reduce min %v dims [0]
      %lower = arith.minimumf %low, %h : f32
      %i = tile.indices %l
      %o = arith.maxsi %t, %i : tensor<?xi32, #tile.spans<l>>
      tile.yield %n, %o, %lower
    }
    tile.store %u, %total[%l]
    %both = arith.addf %r, %m : f32
    %w = tile.broadcast %both dims [] : tensor<?xf32, #tile.spans<l>>
    tile.store %w, %least[%l]
  }
  return %total, %least : memref<2048xi32>, memref<2048xf32>
}"""
"""Two axes, one inside of the other; lanes meet in reductions, and are carried."""


@pytest.mark.parametrize("loop", ["grid", "emit_pipeline"])
@pytest.mark.parametrize("blocks", [{"m": 4096}, {"m": 8192}, {"m": 1024}])
def test_views(loop: str, blocks: dict[str, int]) -> None:
    _prove(VIEWS, TileToPallas(loop=loop, blocks=blocks))


@pytest.mark.parametrize("loop", ["grid", "fori_loop", "unroll"])
@pytest.mark.parametrize("blocks", [{"l": 1024, "k": 2048}, {"l": 512, "k": 8192}])
def test_sums(loop: str, blocks: dict[str, int]) -> None:
    _prove(SUMS, TileToPallas(loop=loop, blocks=blocks))


def _prove(program: str, choice: TileToPallas) -> None:
    module = parse(program)
    args = random_args(functions(module)[0], 1)
    prove_passes(module, "f", args, choice.passes(), seeds=(2,))
    prove_kernel(emit(module, [choice]), "f", args, run(module, "f", args), seeds=(2,))


@pytest.mark.parametrize("program", [VIEWS, SUMS])
def test_compiles(program: str) -> None:
    choice = TileToPallas(blocks={"m": 2048} if program == VIEWS else {"l": 1024, "k": 2048})
    args = random_args(functions(parse(program))[0], 1)
    prove_compiles(emit(parse(program), [choice]), "f", args, ("v5e",))


def test_tiles_are_rows() -> None:
    """The proofs above would hold without the pass."""
    for program, blocks, rows in (
        (VIEWS, {"m": 2048}, "(8, 256)"),
        (VIEWS, {"m": 1024}, "(8, 128)"),
        (VIEWS, {"m": 512}, "(1, 512)"),
        (SUMS, {"l": 1024, "k": 2048}, "(16, 128)"),
    ):
        assert f"pl.BlockSpec({rows}" in emit(parse(program), [TileToPallas(blocks=blocks)])


def test_widths() -> None:
    assert {name: each.widths for name, each in flat_axes(parse(VIEWS)).items()} == {"m": (256, 128)}
    assert {name: each.widths for name, each in flat_axes(parse(SUMS)).items()} == {"l": (128,), "k": (128,)}
    assert row_width((256, 128), 4096) == 256
    assert row_width((256, 128), 3072) == 128
    assert row_width((256, 128), 512) is None
