"""How long lists of tiles may be: a list that is too short would leave tiles out."""

from pathlib import Path

import numpy as np
import pytest
from programs import parse

from tilec.dialects.interpreter import functions, random_args, run
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.proof import emit, prove_kernel, prove_passes

HEADS = """
func.func @f(%x: memref<64x128xf32>, %o: memref<3xi32>, %out: memref<8x128xf32>) -> memref<8x128xf32> {
  tile.grid %h = 0 to 8 {
    %c4 = arith.constant 4 : index
    %g = arith.floordivsi %h, %c4 : index
    %b, %e = tile.segment %o[%g]
    %zero = tile.splat 0.0 : tensor<128xf32>
    %s = tile.for %m = %b to %e by m iter_args(%a = %zero) {
      %v = tile.load %x[%m, :]
      %r = tile.reduce add %v dims [0]
      %next = arith.addf %a, %r : tensor<128xf32>
      tile.yield %next
    }
    tile.store %s, %out[%h, :]
  }
  return %out : memref<8x128xf32>
}
"""
"""Four of its steps have one segment."""
SOME = """
func.func @f(
  %x: memref<64x128xf32>, %o: memref<3xi32>, %out: memref<2x16x64x128xf32>
) -> memref<2x16x64x128xf32> {
  tile.grid %g = 0 to 2, %h = 0 to 16 {
    %b, %e = tile.segment %o[%g]
    %c14 = arith.constant 14 : index
    %some = arith.cmpi slt, %h, %c14 : index
    %end = arith.select %some, %e, %b : index
    tile.for %m = %b to %end by m {
      %v = tile.load %x[%m, :]
      tile.store %v, %out[%g, %h, %m, :]
    }
  }
  return %out : memref<2x16x64x128xf32>
}
"""
"""Most steps of the second axis have all of a segment, the others nothing."""
BEYOND = """
func.func @f(%x: memref<64x128xf32>, %o: memref<3xi32>, %out: memref<2x64x128xf32>) -> memref<2x64x128xf32> {
  tile.grid %g = 0 to 2 {
    %b, %e = tile.segment %o[%g]
    %c1 = arith.constant 1 : index
    %c64 = arith.constant 64 : index
    %some = arith.cmpi slt, %g, %c1 : index
    %end = arith.select %some, %c64, %e : index
    tile.for %m = %b to %end by m {
      %v = tile.load %x[%m, :]
      tile.store %v, %out[%g, %m, :]
    }
  }
  return %out : memref<2x64x128xf32>
}
"""
"""The first step goes beyond its segment."""
TWO_LOOPS = """
func.func @f(%x: memref<64x128xf32>, %o: memref<3xi32>, %out: memref<64x128xf32>) -> memref<64x128xf32> {
  tile.grid %g = 0 to 2 {
    %b, %e = tile.segment %o[%g]
    %zero = tile.splat 0.0 : tensor<128xf32>
    %s = tile.for %m = %b to %e by m iter_args(%a = %zero) {
      %v = tile.load %x[%m, :]
      %r = tile.reduce add %v dims [0]
      %next = arith.addf %a, %r : tensor<128xf32>
      tile.yield %next
    }
    tile.for %n = %b to %e by n {
      %v = tile.load %x[%n, :]
      %w = tile.broadcast %s dims [1] : tensor<?x128xf32, #tile.spans<n, _>>
      %d = arith.subf %v, %w : tensor<?x128xf32, #tile.spans<n, _>>
      tile.store %d, %out[%n, :]
    }
  }
  return %out : memref<64x128xf32>
}
"""


HOSTILE: dict[str, list[tuple[int, ...]]] = {
    "negative_begin": [(0, 1, 3, 8)],
    "negative_axis": [],
    "second_array": [(0, 16, 64)],
    "never": [(0, 30, 64)],
    "skipped": [(0, 60, 128)],
    "masked": [(0, 60, 128)],
    "wide_tiles": [(60, 61, 62, 63, 64)],
    "other_multiples": [(60, 61, 62, 63, 64)],
    "nested": [(0, 0, 0, 0, 0, 0, 0, 0, 1), (0, 64, 64)],
}
"""Programs whose steps are easily taken to be fewer: loops that begin before 0, that read less than a segment
of an array, or never; counts of tiles that begin elsewhere; segments of segments, of which some are empty."""
SHAPES = {HEADS: (8, 128), SOME: (2, 16, 64, 128), BEYOND: (2, 64, 128), TWO_LOOPS: (64, 128)}
TEXTS = pytest.mark.parametrize("text", list(SHAPES), ids=["heads", "some", "beyond", "two_loops"])


def way_for(text: str) -> TileToPallas:
    return TileToPallas(blocks={"m": 8, **({"n": 16} if text is TWO_LOOPS else {})}, grouping="worklist")


def arguments(text: str, offsets: tuple[int, ...]) -> list[np.ndarray]:
    x = np.random.default_rng(0).standard_normal((64, 128)).astype("float32")
    return [x, np.array(offsets, np.int32), np.zeros(SHAPES[text], np.float32)]


@pytest.mark.quick
@TEXTS
def test_all_tiles_have_room(text: str) -> None:
    for offsets in ((0, 29, 64), (3, 3, 61), (0, 2, 64)):
        prove_passes(parse(text), "f", arguments(text, offsets), way_for(text).passes(), seeds=(0,))


@TEXTS
def test_kernels_leave_no_tile_out(text: str) -> None:
    module, args, way = parse(text), arguments(text, (0, 29, 64)), way_for(text)
    prove_kernel(emit(module, [way]), "f", args, run(module, "f", args, blocks=way.blocks))


@pytest.mark.quick
@pytest.mark.parametrize("name", list(HOSTILE))
def test_hostile_programs_have_room(name: str) -> None:
    module = parse((Path(__file__).parent / "data" / "worklists" / f"{name}.mlir").read_text())
    (function,) = functions(module)
    offsets, args = iter(HOSTILE[name]), random_args(function)
    args = [np.array(next(offsets), np.int32) if each.dtype == np.int32 else each for each in args]
    prove_passes(module, "f", args, TileToPallas(grouping="worklist").passes(), seeds=(0,))
