"""Steps in strips of rows: the three proofs, of 16-bit and of 32-bit arrays, and of more than one result."""

import pytest

from tilec.dialects.interpreter import random_args, run
from tilec.dialects.tile.schedule import PipelineOp
from tilec.parsing import make_context
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.proof import emit, prove_compiles, prove_kernel, prove_passes, read_program

PROGRAM = """
func.func @attention(%q: memref<1x1024x128x{T}>, %k: memref<1x512x128x{T}>, %v: memref<1x512x64x{T}>,
                     %u: memref<1x512x128x{T}>) -> (memref<1x1024x64x{T}>, memref<1x1024x128xf32>) {
  %out = tile.empty : memref<1x1024x64x{T}>
  %more = tile.empty : memref<1x1024x128xf32>
  tile.grid %h = 0 to 1, %m = 0 to 1024 by m:1024 {
    %x = tile.load %q[%h, %m, :]
    %none = tile.splat 0.0 : tensor<1024xf32, #tile.spans<m>>
    %zero = tile.splat 1.0 : tensor<1024x64xf32, #tile.spans<m, _>>
    %total, %acc = tile.for %n = 0 to 512 by n:512 iter_args(%s = %none, %a = %zero) {
      %y = tile.load %k[%h, %n, :]
      %raw = tile.dot %x, %y contract [1] x [1]
      %here = tile.reduce max %raw dims [1]
      %low = tile.reduce min %raw dims [1]
      %room = arith.subf %here, %low : tensor<1024xf32, #tile.spans<m>>
      %nextw = tile.broadcast %room dims [0] : tensor<1024x512xf32, #tile.spans<m, n>>
      %d = arith.divf %raw, %nextw : tensor<1024x512xf32, #tile.spans<m, n>>
      %p = math.exp %d : tensor<1024x512xf32, #tile.spans<m, n>>
      %new = tile.reduce add %p dims [1]
      %sum = arith.addf %s, %new : tensor<1024xf32, #tile.spans<m>>
      %weights = tile.cast %p to {T}
      %values = tile.load %v[%h, %n, :]
      %both = tile.dot %weights, %values, %a
      tile.yield %sum, %both
    }
    %totalw = tile.broadcast %total dims [0] : tensor<1024x64xf32, #tile.spans<m, _>>
    %result = arith.divf %acc, %totalw : tensor<1024x64xf32, #tile.spans<m, _>>
    tile.store %result, %out[%h, %m, :]
    %wide = tile.broadcast %total dims [0] : tensor<1024x128xf32, #tile.spans<m, _>>
    tile.store %wide, %more[%h, %m, :]
  }
  return %out, %more : memref<1x1024x64x{T}>, memref<1x1024x128xf32>
}
"""


@pytest.mark.parametrize("element", ["bf16", "f32"])
def test_strips(element: str) -> None:
    module, function = read_program(PROGRAM.replace("{T}", element))
    args = random_args(function)
    passes = TileToPallas(grouping="none")
    prove_passes(module, "attention", args, passes.passes())
    prove_kernel(emit(module, [passes]), "attention", args, run(module, "attention", args), seeds=(0,))


def test_they_are_strips() -> None:
    module, _ = read_program(PROGRAM.replace("{T}", "bf16"))
    for each in TileToPallas(grouping="none").passes()[:-1]:
        each.apply(make_context(), module)
    (pipeline,) = [op for op in module.walk() if isinstance(op, PipelineOp)]
    assert pipeline.strip_sizes == {"m": 256, "n": 256}


@pytest.mark.aot
def test_strips_compile() -> None:
    module, function = read_program(PROGRAM.replace("{T}", "bf16"))
    prove_compiles(emit(module, [TileToPallas(grouping="none")]), "attention", random_args(function))
