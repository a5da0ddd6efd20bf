"""Steps in strips of rows: the three proofs, of 16-bit and of 32-bit arrays, of more than one result, and of
columns of which only the kernel knows how many are live.
"""

from dataclasses import replace
from itertools import pairwise
from random import Random

import numpy as np
import pytest
import torch

import tilec
from tilec.analysis.ranges import Range
from tilec.analysis.strips import Strips, strips_of
from tilec.dialects.interpreter import random_args, run
from tilec.dialects.tile.schedule import PipelineOp
from tilec.lowering.columns import numbers_of_columns
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
    for each in TileToPallas(grouping="none").schedule():
        each.apply(make_context(), module)
    (pipeline,) = [op for op in module.walk() if isinstance(op, PipelineOp)]
    assert pipeline.strip_sizes == {"m": 256, "n": 256}


@pytest.mark.aot
def test_strips_compile() -> None:
    module, function = read_program(PROGRAM.replace("{T}", "bf16"))
    prove_compiles(emit(module, [TileToPallas(grouping="none")]), "attention", random_args(function))


# 100, 400 or 700 columns, of which a row sees those before itself and a few after.
MASKED = """
func.func @masked(%q: memref<3x1536x64xf32>, %k: memref<3x768x64xf32>, %v: memref<3x768x64xf32>)
    -> memref<3x1536x64xf32> {
  %out = tile.empty : memref<3x1536x64xf32>
  tile.grid %h = 0 to 3, %m = 0 to 1536 by m:1536 {
    %c300 = arith.constant 300 : index
    %c100 = arith.constant 100 : index
    %more = arith.muli %h, %c300 : index
    %end = arith.addi %more, %c100 : index
    %x = tile.load %q[%h, %m, :]
    %none = tile.splat 0.0 : tensor<1536xf32, #tile.spans<m>>
    %zero = tile.splat 0.0 : tensor<1536x64xf32, #tile.spans<m, _>>
    %total, %acc = tile.for %n = 0 to %end by n:768 max 768 iter_args(%s = %none, %a = %zero) {
      %y = tile.load %k[%h, %n, :]
      %raw = tile.dot %x, %y contract [1] x [1]
      %rows = tile.indices %m
      %few = tile.splat 5 : tensor<1536xi32, #tile.spans<m>>
      %later = arith.addi %rows, %few : tensor<1536xi32, #tile.spans<m>>
      %cols = tile.indices %n
      %r = tile.broadcast %later dims [0] : tensor<1536x768xi32, #tile.spans<m, n>>
      %c = tile.broadcast %cols dims [1] : tensor<1536x768xi32, #tile.spans<m, n>>
      %seen = tile.compare ge %r, %c
      %lowest = tile.splat -1.0e30 : tensor<1536x768xf32, #tile.spans<m, n>>
      %scores = tile.select %seen, %raw, %lowest
      %here = tile.reduce max %scores dims [1]
      %top = tile.broadcast %here dims [0] : tensor<1536x768xf32, #tile.spans<m, n>>
      %d = arith.subf %scores, %top : tensor<1536x768xf32, #tile.spans<m, n>>
      %p = math.exp %d : tensor<1536x768xf32, #tile.spans<m, n>>
      %never = tile.splat 0.0 : tensor<1536x768xf32, #tile.spans<m, n>>
      %w = tile.select %seen, %p, %never
      %new = tile.reduce add %w dims [1]
      %sum = arith.addf %s, %new : tensor<1536xf32, #tile.spans<m>>
      %values = tile.load %v[%h, %n, :]
      %both = tile.dot %w, %values, %a
      tile.yield %sum, %both
    }
    %wide = tile.broadcast %total dims [0] : tensor<1536x64xf32, #tile.spans<m, _>>
    %result = arith.divf %acc, %wide : tensor<1536x64xf32, #tile.spans<m, _>>
    tile.store %result, %out[%h, %m, :]
  }
  return %out : memref<3x1536x64xf32>
}
"""


def test_live_columns() -> None:
    """Columns that are not live hold NaN, and 100, 400 and 700 of 768 are not whole parts."""
    module, function = read_program(MASKED)
    args = random_args(function)
    for head, live in enumerate((100, 400, 700)):
        for array in (1, 2):
            args[array][head, live:] = np.nan
    passes = TileToPallas()
    prove_passes(module, "masked", args, passes.passes())
    text = emit(module, [passes])
    assert text.count("@pl.when") == 3
    wanted = run(module, "masked", args)
    assert np.isfinite(wanted[0].data).all()
    prove_kernel(text, "masked", args, wanted, seeds=(0,))


def test_columns_of_the_only_step() -> None:
    """Where it is known how many are live when the kernel is made, it has the body for those alone."""
    text = MASKED.replace("memref<3x", "memref<1x").replace("0 to 3", "0 to 1")
    least = "%rows_end = tile.bound end %m\n    %end = arith.minsi %rows_end, %c300 : index"
    module, function = read_program(text.replace("%end = arith.addi %more, %c100 : index", least))
    kernel, args = emit(module, [TileToPallas()]), random_args(function)
    assert "@pl.when" not in kernel
    assert "lax.fori_loop" in kernel
    prove_kernel(kernel, "masked", args, run(module, "masked", args), seeds=(0,))


def masked_strips() -> Strips:
    module, _ = read_program(MASKED)
    for each in TileToPallas().schedule():
        each.apply(make_context(), module)
    (pipeline,) = [op for op in module.walk() if isinstance(op, PipelineOp)]
    found = strips_of(pipeline)
    assert isinstance(found, Strips)
    assert found.live == Range(300, 100, 100, 700)
    return found


def test_numbers_of_columns() -> None:
    """Every number of columns that may be live has one body, with all of them and few others."""
    strips, generator = masked_strips(), Random(0)
    for _ in range(400):
        low = generator.choice([-3, 0, 256, generator.randrange(768)])
        high = generator.randrange(max(low, 1), 769)
        remainder = generator.choice([0, generator.randrange(259)])
        live = Range(generator.choice([1, 3, 128, 256, 259]), remainder, low, high)
        bodies = numbers_of_columns(replace(strips, live=live), 256)
        members = [number for number in range(-3, 769) if number in live]
        for number in members:
            takers = [
                each
                for each in bodies
                if (each.above < number or each is bodies[0]) and (number <= each.count or each is bodies[-1])
            ]
            assert len(takers) == 1
            assert takers[0].least <= max(number, 0)
            assert number <= takers[0].count < max(number, 1) + 256
        assert all(one.count == other.above for one, other in pairwise(bodies))
        assert all(any(each.above < number <= each.count for number in members) for each in bodies[1:])


def test_a_step_that_stores_one_number_has_no_strips() -> None:
    x, w = torch.randn(50, 256), torch.randn(256, 512)

    def total(x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
        return (x @ w).sum()

    torch.testing.assert_close(tilec.compile(total)(x, w), total(x, w))
