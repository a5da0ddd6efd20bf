"""Lanes in pairs, or in a few: each part is a value of its own. All proofs, and what they keep."""

import numpy as np
import pytest
import torch
from programs import every, parse

import tilec
import tilec.language as hl
from corpus.corpus import DTYPES
from tilec.dialects.interpreter import run
from tilec.dialects.tile import ReduceOp, StridedSliceOp
from tilec.parsing import make_context
from tilec.passes.split_pairs import SplitPairs
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.proof import CHIPS, Array, emit, prove_compiles, prove_kernel, prove_passes
from tilec.testing import agree

REVERSED = """
func.func @f(%x: memref<{m}x{lanes}x{t}>) -> memref<{m}x{lanes}x{t}> {{
  %out = tile.empty : memref<{m}x{lanes}x{t}>
  tile.grid {grid} {{
    %v = tile.load %x[%m, :]
    %few = tile.reshape %v : tensor<{rows}{n}x{step}x{t}{outer}>
{parts}
    %joined = tile.concatenate {names} dim {dim}
    %flat = tile.reshape %joined : tensor<{rows}{lanes}x{t}{flat}>
    tile.store %flat, %out[%m, :]
  }}
  return %out : memref<{m}x{lanes}x{t}>
}}
"""
PART = """
    %s{p} = tile.slice %few dim {dim} from {p} size 1
    %r{p} = tile.reduce max %s{p} dims [{dim}]
    %b{p} = tile.broadcast %r{p} dims {dims} : tensor<{rows}{n}x1x{t}{outer}>
"""
SUMS = """
func.func @f(%x: memref<37x64xf32>, %y: memref<37x32xf32>) -> memref<37x32xf32> {
  %out = tile.empty : memref<37x32xf32>
  tile.grid %m = 0 to 37 by m {
    %v = tile.load %x[%m, :]
    %w = tile.load %y[%m, :]
    %pairs = tile.reshape %v : tensor<?x32x2xf32, #tile.spans<m, _, _>>
    %wide = tile.broadcast %w dims [0, 1] : tensor<?x32x2xf32, #tile.spans<m, _, _>>
    %ones = tile.splat 1.0 : tensor<?x32x2xf32, #tile.spans<m, _, _>>
    %a = arith.mulf %pairs, %wide : tensor<?x32x2xf32, #tile.spans<m, _, _>>
    %b = arith.addf %a, %ones : tensor<?x32x2xf32, #tile.spans<m, _, _>>
    %sum = tile.reduce add %b dims [2]
    tile.store %sum, %out[%m, :]
  }
  return %out : memref<37x32xf32>
}
"""


def reversed_text(lanes: int, step: int, dtype: str, *, one_row: bool) -> str:
    """A program that turns the order of each few lanes around, of tiles of rows or of one row at a time."""
    rows = {"rows": "" if one_row else "?x", "n": lanes // step, "t": dtype, "dim": 1 if one_row else 2}
    rows["outer"], rows["flat"] = ("", "") if one_row else (", #tile.spans<m, _, _>", ", #tile.spans<m, _>")
    dims = [0] if one_row else [0, 1]
    return REVERSED.format(
        m=21,
        lanes=lanes,
        step=step,
        grid="%m = 0 to 21" if one_row else "%m = 0 to 21 by m",
        parts="".join(PART.format(p=p, dims=dims, **rows) for p in range(step)),
        names=", ".join(f"%b{p}" for p in reversed(range(step))),
        **rows,
    )


@pytest.mark.aot
@pytest.mark.parametrize(
    ("lanes", "step", "dtype", "one_row"),
    [
        (128, 2, "f32", False),
        (64, 2, "bf16", False),
        (512, 4, "i32", False),
        (200, 2, "f32", False),
        (300, 3, "bf16", False),
        (768, 3, "i8", False),
        (256, 8, "f32", False),
        (128, 2, "f32", True),
        (300, 2, "bf16", True),
    ],
)
def test_turned_around(lanes: int, step: int, dtype: str, one_row: bool) -> None:
    """In one register and in several, whole and not, words and narrower; infinities and NaN stay alone."""
    module = parse(reversed_text(lanes, step, dtype, one_row=one_row))
    x = np.random.default_rng(0).integers(-99, 99, (21, lanes)).astype(DTYPES[dtype])
    if dtype in ("f32", "bf16"):
        x[3, 5], x[4, 6], x[5, 7] = np.inf, -np.inf, np.nan
    way = TileToPallas(blocks={} if one_row else {"m": 8})
    (result,) = run(module, "f", [x])
    turned = x.reshape(21, lanes // step, step)[:, :, ::-1].reshape(21, lanes)
    np.testing.assert_array_equal(result.data.astype(np.float64), turned.astype(np.float64))
    prove_passes(module, "f", [x], way.passes(), seeds=(1,))
    text = emit(module, [way])
    assert text.count("take_along_axis") >= 2 * step
    prove_kernel(text, "f", [x], run(module, "f", [x]), seeds=(1,))
    prove_compiles(text, "f", [x], CHIPS)


def test_sums_of_pairs() -> None:
    """What is done to pairs is done to both parts, and their sum is one of two values."""
    module = parse(SUMS)
    draw = np.random.default_rng(0)
    args: list[Array] = [draw.random((37, lanes), np.float32) for lanes in (64, 32)]
    way = TileToPallas(blocks={"m": 16})
    prove_passes(module, "f", args, way.passes(), seeds=(1,))
    prove_kernel(emit(module, [way]), "f", args, run(module, "f", args), seeds=(1,))
    SplitPairs().apply(make_context(), module)
    assert len(every(module, StridedSliceOp)) == 2
    assert not every(module, ReduceOp)


@pytest.mark.parametrize(
    "text",
    [
        SUMS.replace("xf32", "xbf16"),
        SUMS.replace("add %b dims [2]", "max %wide dims [0]").replace("%sum,", "%w,"),
    ],
)
def test_stays(text: str) -> None:
    """Sums that would be rounded more often, and reductions over other lanes."""
    module = parse(text)
    SplitPairs().apply(make_context(), module)
    assert not every(module, StridedSliceOp)


@tilec.kernel
def quarter_turned(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty_like(x)
    for rows in hl.tile(x.size(0)):
        v = x[rows, :]
        even, odd = v[:, :-1:2], v[:, 1::2]
        out[rows, :] = torch.stack([-odd, even], -1).reshape(rows, x.size(1))
    return out


def test_in_torch() -> None:
    """Slices with a step are those lanes, and what is stacked and reshaped has them in turn."""
    x = torch.randn(37, 128)
    bound = quarter_turned.bind(x)
    assert "tile.strided_slice %v from 1 step 2" in bound.mlir()
    assert "tile.interleave" in bound.mlir(after="split-pairs")
    wanted = torch.stack([-x[:, 1::2], x[:, ::2]], -1).reshape(x.shape)
    agree(quarter_turned(x), wanted, "quarter_turned")
