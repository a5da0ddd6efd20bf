"""Loops within the steps of a schedule: what they carry, and the parts of tiles that they read and write."""

import numpy as np
import pytest
from programs import parse

from tilec.dialects.interpreter import run
from tilec.passes.convert_tile_to_pallas import ConvertTileToPallas
from tilec.passes.materialize_masks import MaterializeMasks
from tilec.passes.plan_memory import PlanMemory
from tilec.proof import emit, prove_compiles, prove_kernel, prove_passes

TEXT = """
func.func @f(%x: memref<96x128xf32>) -> (memref<96x128xf32>, memref<3x128xf32>) {{
  %out = tile.full 0.0 : memref<96x128xf32>
  %sums = tile.full 0.0 : memref<3x128xf32>
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c8 = arith.constant 8 : index
  %zero = arith.constant 0.0 : f32
  tile.pipeline grid {{
    %g = tile.axis 0 to 3 ordered
    %m = tile.span %g of 3 to 90 by m:32 aligned keep
    %xw = tile.window read %x[%m, :]
    %ow = tile.window write %out[%m, :] preload
    %sw = tile.window write %sums[%g, :]
    %row = tile.splat 0.0 : tensor<128xf32>
    %v = tile.get %xw
    {body}
  }}
  func.return %out, %sums : memref<96x128xf32>, memref<3x128xf32>
}}"""

COLUMN_AND_ROW = """
    %column = tile.splat 0.0 : tensor<32xf32, #tile.spans<m>>
    %f = tile.fill %v outside %m with %zero
    %a, %b = scf.for %i = %c0 to %c3 step %c1 iter_args(%p = %column, %q = %row)
        -> (tensor<32xf32, #tile.spans<m>>, tensor<128xf32>) {
      %s = tile.reduce add %v dims [1]
      %p_1 = arith.addf %p, %s : tensor<32xf32, #tile.spans<m>>
      %t = tile.reduce add %f dims [0]
      %q_1 = arith.addf %q, %t : tensor<128xf32>
      scf.yield %p_1, %q_1 : tensor<32xf32, #tile.spans<m>>, tensor<128xf32>
    }
    tile.set %b, %sw
    %wide = tile.broadcast %a dims [0] : tensor<32x128xf32, #tile.spans<m, _>>
    %all = arith.addf %v, %wide : tensor<32x128xf32, #tile.spans<m, _>>
    tile.set %all, %ow"""

OF_NOTHING_BEFORE = """
    %column = tile.splat 0.0 : tensor<32xf32, #tile.spans<m>>
    %a = scf.for %i = %c0 to %c3 step %c1 iter_args(%p = %column) -> (tensor<32xf32, #tile.spans<m>>) {
      %s = tile.reduce max %v dims [1]
      scf.yield %s : tensor<32xf32, #tile.spans<m>>
    }
    tile.set %row, %sw
    %wide = tile.broadcast %a dims [0] : tensor<32x128xf32, #tile.spans<m, _>>
    tile.set %wide, %ow"""

NUMBER = """
    %a = scf.for %i = %c3 to %c8 step %c1 iter_args(%p = %row) -> (tensor<128xf32>) {
      %n = arith.index_cast %i : index to i32
      %f = tile.cast %n to f32
      %w = tile.broadcast %f dims [] : tensor<128xf32>
      %p_1 = arith.addf %p, %w : tensor<128xf32>
      scf.yield %p_1 : tensor<128xf32>
    }
    tile.set %a, %sw
    tile.set %v, %ow"""

PARTS = """
    %begin = tile.bound begin %m
    %end = tile.bound end %m
    %first = arith.floordivsi %begin, %c8 : index
    %stop = arith.ceildivsi %end, %c8 : index
    %a = scf.for %i = %first to %stop step %c1 iter_args(%p = %row) -> (tensor<128xf32>) {
      %part = tile.span %i of 3 to 90 by part:8 aligned keep
      %here = tile.get %xw at %part of %m
      %s = tile.reduce add %here dims [0]
      %d = arith.addf %here, %here : tensor<8x128xf32, #tile.spans<part, _>>
      %none = tile.splat 0.0 : tensor<8x128xf32, #tile.spans<part, _>>
      %some = tile.compare gt %here, %none
      tile.set %d, %ow at %part of %m mask %some
      %p_1 = arith.addf %p, %s : tensor<128xf32>
      scf.yield %p_1 : tensor<128xf32>
    }
    tile.set %a, %sw"""

BODIES = {
    "column and row": COLUMN_AND_ROW,
    "nothing before": OF_NOTHING_BEFORE,
    "number": NUMBER,
    "parts": PARTS,
}
PASSES = [MaterializeMasks(), PlanMemory(), ConvertTileToPallas()]
X = np.random.default_rng(0).standard_normal((96, 128), np.float32)


@pytest.mark.parametrize("name", BODIES)
def test_proofs(name: str) -> None:
    module = parse(TEXT.format(body=BODIES[name]))
    prove_passes(module, "f", [X], PASSES)
    prove_kernel(emit(module, PASSES), "f", [X], run(module, "f", [X]))


@pytest.mark.aot
@pytest.mark.parametrize("name", BODIES)
def test_compiles(name: str) -> None:
    prove_compiles(emit(parse(TEXT.format(body=BODIES[name])), PASSES), "f", [X])
