"""Steps in strips that keep sums from step to step, of ragged rows and columns: the three proofs."""

import operator
from itertools import product
from typing import Any

import numpy as np
import pytest
from xdsl.dialects.func import FuncOp

from tilec.analysis.ranges import Range
from tilec.analysis.strip_masks import Mask, offsets_of
from tilec.analysis.strips import Strips, strips_of
from tilec.dialects.interpreter import random_args, run
from tilec.dialects.tile.elementwise import Relation
from tilec.dialects.tile.schedule import PipelineOp
from tilec.parsing import make_context
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.proof import emit, prove_compiles, prove_kernel, prove_passes, read_program

PROGRAM = """
func.func @attention(%q: memref<1900x64x{T}>, %k: memref<1900x64x{T}>, %v: memref<1900x64x{T}>,
                     %offsets: memref<7xi32>) -> memref<1900x64x{T}> {
  %out = tile.empty : memref<1900x64x{T}>
  tile.grid %s = 0 to 6 {
    %begin, %end = tile.segment %offsets[%s]
    tile.for %m = %begin to %end by m {
      %rows_end = tile.bound end %m
      %query = tile.load %q[%m, :]
      %top = tile.splat -1.0e+30 : tensor<?xf32, #tile.spans<m>>
      %none = tile.splat 0.0 : tensor<?xf32, #tile.spans<m>>
      %zero = tile.splat 0.0 : tensor<?x64xf32, #tile.spans<m, _>>
      %total, %acc, %last = tile.for %n = %begin to {END} by n iter_args(%t = %none, %a = %zero, %o = %top) {
        %y = tile.load %k[%n, :]
        %raw = tile.dot %query, %y contract [1] x [1]
        %rows = tile.indices %m
        %cols = tile.indices %n
        %r = tile.broadcast %rows dims [0] : tensor<?x?xi32, #tile.spans<m, n>>
        %c = tile.broadcast %cols dims [1] : tensor<?x?xi32, #tile.spans<m, n>>
        %seen = tile.compare {SEEN}
        %never = tile.splat -inf : tensor<?x?xf32, #tile.spans<m, n>>
        %scores = tile.select %seen, %raw, %never
        %here = tile.reduce max %scores dims [1]
        %next = arith.maximumf %o, %here : tensor<?xf32, #tile.spans<m>>
        %nextw = tile.broadcast %next dims [0] : tensor<?x?xf32, #tile.spans<m, n>>
        %d = arith.subf %scores, %nextw : tensor<?x?xf32, #tile.spans<m, n>>
        %p = math.exp %d : tensor<?x?xf32, #tile.spans<m, n>>
        %drop = arith.subf %o, %next : tensor<?xf32, #tile.spans<m>>
        %kept = math.exp %drop : tensor<?xf32, #tile.spans<m>>
        %less = arith.mulf %t, %kept : tensor<?xf32, #tile.spans<m>>
        %more = tile.reduce add %p dims [1]
        %sum = arith.addf %less, %more : tensor<?xf32, #tile.spans<m>>
        %weights = tile.cast %p to {T}
        %values = tile.load %v[%n, :]
        %wide = tile.broadcast %kept dims [0] : tensor<?x64xf32, #tile.spans<m, _>>
        %scaled = arith.mulf %a, %wide : tensor<?x64xf32, #tile.spans<m, _>>
        %both = tile.dot %weights, %values, %scaled
        tile.yield %sum, %both, %next
      }
      %wide = tile.broadcast %total dims [0] : tensor<?x64xf32, #tile.spans<m, _>>
      %result = arith.divf %acc, %wide : tensor<?x64xf32, #tile.spans<m, _>>
      tile.store %result, %out[%m, :]
    }
  }
  return %out : memref<1900x64x{T}>
}
"""
CAUSAL = {"{SEEN}": "ge %r, %c", "{END}": "%rows_end"}
STRICT = {"{SEEN}": "gt %c, %r", "{END}": "%end"}
NEAR = {"{SEEN}": "ne %c, %r", "{END}": "%end"}
OFFSETS = [0, 0, 512, 513, 1024, 1700, 1890]


def program(element: str, masks: dict[str, str]) -> str:
    text = PROGRAM.replace("{T}", element)
    for old, new in masks.items():
        text = text.replace(old, new)
    if element == "f32":
        text = text.replace("%weights = tile.cast %p to f32", "").replace("%weights", "%p")
    return text


CASES = [
    ("f32", CAUSAL, {"m": 512, "n": 1024}),
    pytest.param("f32", STRICT, {"m": 512, "n": 1024}, marks=[pytest.mark.matrix]),
    ("bf16", NEAR, {"m": 1024, "n": 512}),
    pytest.param("f32", NEAR, {"m": 1280, "n": 1024}, marks=[pytest.mark.matrix]),
]


def arguments(function: FuncOp, offsets: list[int] = OFFSETS) -> list[Any]:
    """Values that no step may use, beyond the last sequence, are NaN."""
    args = random_args(function)
    args[3] = np.array(offsets, dtype=np.int32)
    for array in args[:3]:
        array[offsets[-1] :] = np.nan
    return args


@pytest.mark.parametrize(("element", "masks", "sizes"), CASES)
def test_jagged(element: str, masks: dict[str, str], sizes: dict[str, int]) -> None:
    """Of the parts of a tile some are whole, some partial, and some have nothing that a row sees."""
    module, function = read_program(program(element, masks))
    args, passes = arguments(function), TileToPallas(grouping="worklist", blocks=sizes)
    text = emit(module, [passes])
    assert ("scores_ref" in text, "lax.fori_loop(0, 4" in text) == (True, sizes["m"] == 1280)
    prove_kernel(text, "attention", args, run(module, "attention", args), seeds=(0,))


@pytest.mark.parametrize(
    ("masks", "offsets"),
    [
        (CAUSAL, [0, 100, 700, 1300, 1310, 1800, 1890]),  # corners; half the rows and half the columns
        pytest.param(
            CAUSAL, [0, 100, 300, 1400, 1410, 1800, 1890], marks=[pytest.mark.matrix]
        ),  # half the rows
        pytest.param(
            CAUSAL, [0, 0, 900, 1850, 1850, 1860, 1890], marks=[pytest.mark.matrix]
        ),  # half the columns
        pytest.param(STRICT, [0, 100, 700, 1300, 1310, 1800, 1890], marks=[pytest.mark.matrix]),
    ],
)
def test_parts_of_tiles(masks: dict[str, str], offsets: list[int]) -> None:
    """Of tiles with few live rows or columns only a part is done."""
    module, function = read_program(program("f32", masks))
    args, passes = (
        arguments(function, offsets),
        TileToPallas(grouping="worklist", blocks={"m": 1024, "n": 1024}),
    )
    text = emit(module, [passes])
    assert text.count("def _():") > 8
    prove_kernel(text, "attention", args, run(module, "attention", args), seeds=(0,))


def test_rows_of_no_sequence_stay() -> None:
    """An array that is written has what it had where there is no sequence."""
    text = program("f32", CAUSAL)
    text = text.replace("%offsets: memref<7xi32>)", "%offsets: memref<7xi32>, %out: memref<1900x64xf32>)")
    module, function = read_program(text.replace("%out = tile.empty : memref<1900x64xf32>", ""))
    args, passes = arguments(function), TileToPallas(grouping="worklist", blocks={"m": 512, "n": 1024})
    prove_passes(module, "attention", args, passes.passes())
    text = emit(module, [passes])
    assert "scores_ref" in text
    prove_kernel(text, "attention", args, run(module, "attention", args), seeds=(0,))


@pytest.mark.aot
def test_jagged_compiles() -> None:
    module, function = read_program(program("bf16", CAUSAL))
    passes = TileToPallas(grouping="worklist", blocks={"m": 1024, "n": 1024})
    prove_compiles(emit(module, [passes]), "attention", arguments(function))


def strips(masks: dict[str, str], sizes: dict[str, int], **changed: str) -> Strips:
    text = program("f32", masks)
    for old, new in changed.items():
        text = text.replace(old, new)
    module, _ = read_program(text)
    for each in TileToPallas(grouping="worklist", blocks=sizes).schedule():
        each.apply(make_context(), module)
    (pipeline,) = [op for op in module.walk() if isinstance(op, PipelineOp)]
    found = strips_of(pipeline)
    assert isinstance(found, Strips)
    return found


@pytest.mark.parametrize("masks", [CAUSAL, STRICT, NEAR])
def test_masks(masks: dict[str, str]) -> None:
    """Of each distance between rows and columns it is told right whether they see each other."""
    (mask,) = strips(masks, {"m": 512, "n": 1024}).masks
    sees = {"ge": operator.ge, "gt": operator.lt, "ne": operator.ne}[masks["{SEEN}"][:2]]
    for low, high in product(range(-6, 7), repeat=2):
        some = {bool(sees(after, 0)) for after in range(low, high + 1)}
        if some:
            assert mask.holds(low, high) == (some.pop() if len(some) == 1 else None)
    assert mask.holds(None, None) is None


def test_what_vanishes() -> None:
    """Parts are left out, and fills, where all that sums and products get of them is nothing."""
    sizes = {"m": 512, "n": 1024}
    found = strips(CAUSAL, sizes)
    assert len(found.vanishing) == len(found.masks) == 1
    assert len(found.filled) == 1
    assert not strips(STRICT, sizes).vanishing  # columns go on after the rows, and all are used
    for changed in (
        {"-1.0e+30": "-inf"},  # the exponential of the lowest less the lowest is no number
        {"tile.reduce max": "tile.reduce min"},
        {"tile.splat -inf": "tile.splat 0.0"},
        {"math.exp %d": "math.cos %d"},
    ):
        assert not strips(CAUSAL, sizes, **changed).vanishing


def test_offsets() -> None:
    """Tiles through which a causal mask goes are 512 rows after the columns, or none."""
    found = strips(CAUSAL, {"m": 512, "n": 1024})
    few, none = (offsets_of(found.masks, found.rows, found.cols, few) for few in (2, 0))
    assert few == [Range(0, 0), Range(0, 512), Range(512, 0, low=1024), Range(512, 0, high=-512)]
    assert none == [Range(low=0, high=512), Range(512, 0, low=1024), Range(512, 0, high=-512)]


def test_offsets_between_two_masks() -> None:
    """Each distance is in one case, also those between two masks that go through few tiles."""
    found = strips(CAUSAL, {"m": 768, "n": 768})
    window = [*found.masks, Mask(found.masks[0].op, Relation.LT, 1536)]
    for few in (0, 2, 3):
        cases = offsets_of(window, found.rows, found.cols, few)
        assert all(sum(offset in case for case in cases) == 1 for offset in range(-3072, 4608, 768))


def test_maxima_that_differ_between_columns() -> None:
    """Dead columns of what is subtracted may be NaN: fills after it stay."""
    tile = "tensor<?x?xf32, #tile.spans<m, n>>"
    other = f"""%u = tile.load %v[%n, :]
        %bias = tile.dot %query, %u contract [1] x [1]
        %low = tile.splat -1.0e+30 : {tile}
        %most = arith.maximumf %bias, %low : {tile}
        %less_top = arith.subf %scores, %nextw : {tile}
        %d = arith.subf %less_top, %most : {tile}"""
    changed = {f"%d = arith.subf %scores, %nextw : {tile}": other}
    found = strips(CAUSAL, {"m": 512, "n": 1024}, **changed)
    assert not found.filled
    assert not found.vanishing


def test_positions_that_wrap() -> None:
    """A position plus a number that may not fit 32 bits tells nothing of a tile."""
    tile = "tensor<?x?xi32, #tile.spans<m, n>>"
    for number, count in ((300, 1), (2**31 - 1, 0), (-(2**31), 0)):
        later = f"%few = tile.splat {number} : {tile}\n%later = arith.addi %r, %few : {tile}\n"
        changed = {"%seen = tile.compare ge %r": f"{later}%seen = tile.compare ge %later"}
        assert len(strips(CAUSAL, {"m": 512, "n": 1024}, **changed).masks) == count


def test_scores_kept_twice() -> None:
    """The second part may need scores both as they are and filled: none has the room of the other."""
    text = program("f32", {"{SEEN}": "ge %r, %c", "{END}": "%end", "tile.splat -inf": "tile.splat -1.0"})
    text = text.replace("%both = tile.dot %p,", "%both = tile.dot %scores,")
    module, function = read_program(sized(text, 512, 1024))
    args, passes = arguments(function), TileToPallas(grouping="worklist")
    args[3] = np.array([0, 0, 0, 1024, 1024, 1700, 1890], dtype=np.int32)
    prove_kernel(emit(module, [passes]), "attention", args, run(module, "attention", args), seeds=(0,))


def test_window_over_several_tiles() -> None:
    """Between the edges of a sliding window there are tiles of which all is seen."""
    tile = "tensor<?x?xi32, #tile.spans<m, n>>"
    window = f"""%before = tile.compare ge %r, %c
        %length = tile.splat 1536 : {tile}
        %later = arith.addi %c, %length : {tile}
        %near = tile.compare lt %r, %later
        %seen = arith.andi %before, %near : {tile.replace("i32", "i1")}"""
    text = program("f32", {"%seen = tile.compare {SEEN}": window, "{END}": "%end"})
    module, function = read_program(sized(text, 768, 768))
    args, passes = arguments(function), TileToPallas(grouping="worklist")
    args[3] = np.array([0, 0, 0, 0, 1, 1890, 1890], dtype=np.int32)
    text = emit(module, [passes])
    assert "scores_ref" in text
    prove_kernel(text, "attention", args, run(module, "attention", args), seeds=(0,))


def sized(text: str, rows: int, cols: int) -> str:
    """A program whose tiles have a size: the interpreter takes few steps."""
    text = text.replace("by m {", f"by m:{rows} {{").replace("by n iter", f"by n:{cols} iter")
    text = text.replace("tensor<?x?x", f"tensor<{rows}x{cols}x").replace("tensor<?x64x", f"tensor<{rows}x64x")
    return text.replace("tensor<?xf32", f"tensor<{rows}xf32")
