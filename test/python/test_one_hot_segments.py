"""Sums of short segments by products: hostile segments, and rows whose neighbours are not finite."""

from collections.abc import Callable, Sequence
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from tilec.dialects.interpreter import run
from tilec.dialects.tile import GridOp
from tilec.dialects.tile.types import span_of
from tilec.parsing import make_context
from tilec.passes.one_hot_segments import OneHotSegments
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.proof import emit, prove_compiles, prove_kernel, prove_passes, read_program

Array = np.ndarray[Any, np.dtype[Any]]

ROWS, COLUMNS = 40, 24

OFFSETS = """
func.func @mean(%x: memref<40x24x{T}>, %offsets: memref<{S}xi32>) -> memref<{G}x24x{T}> {
  %out = tile.empty : memref<{G}x24x{T}>
  tile.grid %g = 0 to {G} {
    %b, %e = tile.segment %offsets[%g]
"""

GAPS = """
func.func @mean(%x: memref<40x24x{T}>, %begins: memref<{G}xi32>,
                %ends: memref<{G}xi32>) -> memref<{G}x24x{T}> {
  %out = tile.empty : memref<{G}x24x{T}>
  tile.grid %g = 0 to {G} {
    %b, %e = tile.segment %begins[%g] to %ends[%g]
"""

BODY = """
    %start = tile.splat 1.0 : tensor<24xf32>
    %sum, %all = tile.for %m = %b to %e by m iter_args(%a = %start, %c = %start) {
      %v = tile.load %x[%m, :]
      %w = tile.cast %v to f32
      %s = tile.reduce add %w dims [0]
      %next = arith.addf %a, %s : tensor<24xf32>
      %t = tile.reduce add %w dims [0, 1]
      %u = tile.broadcast %t dims [] : tensor<24xf32>
      %both = arith.addf %c, %u : tensor<24xf32>
      tile.yield %next, %both
    }
    %rows = arith.subi %e, %b : index
    %n = arith.index_cast %rows : index to i32
    %one = arith.constant 1 : i32
    %k = arith.maxsi %n, %one : i32
    %f = tile.cast %k to f32
    %fs = tile.broadcast %f dims [] : tensor<24xf32>
    %mean = arith.divf %sum, %fs : tensor<24xf32>
    %result = arith.addf %mean, %all : tensor<24xf32>
    tile.store %result, %out[%g, :]
  }
  return %out : memref<{G}x24x{T}>
}
"""

LENGTHS = {
    "empty at both ends": [0, 0, 13, 1, 0, 20, 6, 0, 0],
    "no rows": [0] * 9,
    "one row each": [1] * 11,
    "one huge": [1, 0, 1, 30, 1, 1, 0, 0, 1, 1, 1, 1, 1, 0, 0, 1, 0],
    "one item": [40],
}
BLOCKS = {"g": 8, "m": 16}
DTYPES: dict[str, Any] = {"f32": np.float32, "bf16": ml_dtypes.bfloat16}

STRANGE = (
    (0, 3, np.inf),
    (12, 3, -np.inf),
    (13, 5, np.nan),
    (14, 7, 3.4e38),
    (30, 7, -3.3e38),
    (33, 3, np.inf),
)
"""Rows, columns and what is there: each in an item of its own, or in a gap."""


def offsets(lengths: Sequence[int]) -> list[Array]:
    return [np.cumsum([0, *lengths]).astype(np.int32)]


def gaps(lengths: Sequence[int]) -> list[Array]:
    """Begins and ends, with the first row of each segment in the gap before it."""
    ends = np.cumsum(lengths)
    return [(ends - lengths + np.minimum(lengths, 1)).astype(np.int32), ends.astype(np.int32)]


HEADS: dict[str, tuple[str, Callable[[Sequence[int]], list[Array]]]] = {
    "offsets": (OFFSETS, offsets),
    "gaps": (GAPS, gaps),
}


def program(head: str, element: str, groups: int) -> str:
    text = HEADS[head][0] + BODY
    return text.replace("{T}", element).replace("{S}", str(groups + 1)).replace("{G}", str(groups))


def rows(element: str, strange: Sequence[tuple[int, int, float]] = ()) -> Array:
    """Random numbers, with some elements among them."""
    x = np.random.default_rng(0).standard_normal((ROWS, COLUMNS))
    for row, column, value in strange:
        x[row, column] = value
    return x.astype(DTYPES[element])


def expected(x: Array, begins: Array, ends: Array) -> Array:
    """What the program computes."""
    out = np.ones((len(begins), COLUMNS), np.float64)
    for g, (b, e) in enumerate(zip(begins, ends, strict=True)):
        part = x[b:e].astype(np.float64)
        out[g] = (1 + part.sum(0)) / max(e - b, 1) + 1 + part.sum()
    return out


@pytest.mark.parametrize("element", DTYPES)
@pytest.mark.parametrize("head", HEADS)
def test_every_pass_keeps_sums_of_hostile_segments(head: str, element: str) -> None:
    passes = TileToPallas("one_hot", "grid", blocks=BLOCKS).passes()
    for lengths in LENGTHS.values():
        module, function = read_program(program(head, element, len(lengths)))
        args = [rows(element), *HEADS[head][1](lengths)]
        prove_passes(module, "mean", args, passes)
        begins, ends = args[1:] if head == "gaps" else (args[1][:-1], args[1][1:])
        (result,) = run(module, function.sym_name.data, args)
        wanted = expected(args[0], begins, ends)
        assert np.allclose(np.asarray(result.data, np.float64), wanted, atol=0.1, rtol=2e-2)


@pytest.mark.parametrize("loop", ["grid", "emit_pipeline", "fori_loop"])
@pytest.mark.parametrize(("head", "element"), [("offsets", "f32"), ("gaps", "bf16")])
def test_infinities_reach_their_own_items_only(head: str, element: str, loop: str) -> None:
    lengths = LENGTHS["empty at both ends"]
    module, _ = read_program(program(head, element, len(lengths)))
    args = [rows(element, STRANGE), *HEADS[head][1](lengths)]
    choice = TileToPallas("one_hot", loop, blocks=BLOCKS)
    with np.errstate(all="ignore"):
        results = run(module, "mean", args)
        prove_passes(module, "mean", args, choice.passes())
        text = emit(module, [choice])
        prove_kernel(text, "mean", args, results)
    finite = np.isfinite(np.asarray(results[0].data, np.float32)).all(1)
    assert finite.any()
    assert not finite.all()
    prove_compiles(text, "mean", args)


def test_mean_lengths_choose() -> None:
    def converts(words: str) -> bool:
        text = program("offsets", "f32", 8).replace("by m iter_args", f"by m{words} iter_args")
        module, _ = read_program(text)
        OneHotSegments().apply(make_context(), module)
        grid = next(op for op in module.walk() if isinstance(op, GridOp))
        return span_of(grid.axes[0].value) is not None

    assert not converts("")
    assert converts(" mean 31")
    assert not converts(" mean 32")
    assert not converts(" max 8")
    assert converts(" max 8 mean 8")
