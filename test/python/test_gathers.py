"""Gathers, scatters and updates at computed positions: the proofs, exactly, and what is not finite.

The programs are those of `corpus/gathers.py`.
"""

from collections.abc import Sequence

import numpy as np
import pytest
from programs import every, parse
from xdsl.dialects.builtin import ModuleOp

from corpus.corpus import DTYPES
from corpus.gathers import INDEXED, Array, Draw, program
from tilec.dialects.interpreter import run
from tilec.dialects.tile import ForOp, GridOp
from tilec.parsing import make_context
from tilec.passes.choose_blocks import ChooseBlocks
from tilec.passes.expand_gathers import ExpandGathers
from tilec.passes.tile_to_pallas import LOOPS, TileToPallas
from tilec.proof import CHIPS, emit, prove_compiles, prove_passes
from tilec.runtime.interpret import interpret
from tilec.runtime.load import load

NAMES = list(INDEXED)
TURNS = [
    # Loops, element types and orders take turns; an extent that is not known cannot be written out.
    (name, loop, elements[-1 - i % len(elements)], ("auto", "outer")[i // 2 % 2])
    for i, name in enumerate(NAMES)
    for loop in [LOOPS[i % (3 if "any" in name else 4)]]
    for elements in [INDEXED[name].elements]
]


def equal(results: Sequence[Array], expected: Sequence[Array]) -> None:
    """Check that all elements are those expected, rounded or wrapped once, NaN and infinities too."""
    for got, want in zip(results, expected, strict=True):
        with np.errstate(over="ignore"):
            one, two = (each.astype(got.dtype).astype(np.float64) for each in (got, want))
        np.testing.assert_array_equal(one, two)


def check(module: ModuleOp, name: str, args: list[Array], expected: list[Array], way: TileToPallas) -> None:
    """The program, each pass and the kernel give what is expected."""
    results = run(module, name, args)
    assert all(result.defined.all() for result in results)
    equal([result.data for result in results], expected)
    prove_passes(module, name, args, way.passes(), seeds=(1,))
    kernel = getattr(load(emit(module, [way]), name), name)
    equal([np.asarray(output) for output in interpret(kernel, args, seed=1)], expected)


@pytest.mark.parametrize(("name", "loop", "dtype", "order"), TURNS)
def test_proofs(name: str, loop: str, dtype: str, order: str) -> None:
    indexed = INDEXED[name]
    args = indexed.arguments(Draw(DTYPES[dtype], seed=0))
    way = TileToPallas(loop=loop, blocks=indexed.blocks, gathers=order)
    check(parse(program(name, dtype)), name, args, indexed.expected(args), way)


ONE_BY_ONE = [
    "rows_of_a_large_table",
    "elements",
    "turned",
    "gathered_and_added",
    "bits_updated",
    "rows_scattered",
]


@pytest.mark.aot
@pytest.mark.parametrize("name", ONE_BY_ONE)
def test_one_by_one(name: str) -> None:
    """Positions as steps of the grid, in loops and element types that take turns."""
    indexed, turn = INDEXED[name], ONE_BY_ONE.index(name)
    dtype = indexed.elements[turn % len(indexed.elements)]
    args = indexed.arguments(Draw(DTYPES[dtype], seed=turn))
    way = TileToPallas(loop=LOOPS[turn % 3], blocks=indexed.blocks, gathers="rows")
    module = parse(program(name, dtype))
    check(module, name, args, indexed.expected(args), way)
    prove_compiles(emit(module, [way]), name, args, (CHIPS[turn % 3],))


def test_most_of_rows() -> None:
    """Extremes of whole rows, of which there is no product."""
    text = program("rows_added", "f32").replace("atomic_rmw add", "atomic_rmw max")
    indexed = INDEXED["rows_added"]
    x, ids, out = indexed.arguments(Draw(DTYPES["f32"], seed=0))
    expected = out.copy()
    np.maximum.at(expected, ids, x)
    check(parse(text), "rows_added", [x, ids, out], [expected], TileToPallas(blocks=indexed.blocks))


@pytest.mark.aot
@pytest.mark.parametrize("name", NAMES)
def test_compiles(name: str) -> None:
    indexed, turn = INDEXED[name], NAMES.index(name)
    dtype, chip = indexed.elements[turn % len(indexed.elements)], CHIPS[turn % 3]
    way = TileToPallas(loop=LOOPS[turn // 2 % 3], chip=chip, blocks=indexed.blocks)
    args = indexed.arguments(Draw(DTYPES[dtype], seed=0))
    prove_compiles(emit(parse(program(name, dtype)), [way]), name, args, (chip,))


@pytest.mark.parametrize(("bins", "order"), [(1100, "outer"), (2100, "inner")])
def test_blocks_of_bins(bins: int, order: str) -> None:
    """More bins than are compared at once, the last of them not a whole block."""
    module = parse(program("histogram", "i32").replace("256", str(bins)))
    ids = Draw(DTYPES["i32"], seed=0).ids(1000, below=bins)
    way = TileToPallas(blocks={"m": 256}, gathers=order)
    check(module, "histogram", [ids], [np.bincount(ids, minlength=bins)], way)


@pytest.mark.parametrize(("order", "axes", "loops"), [("auto", 1, 1), ("inner", 1, 1), ("outer", 2, 0)])
def test_orders(order: str, axes: int, loops: int) -> None:
    """Blocks of rows are a loop in each cell, or an axis of the grid."""
    module = parse(program("to_many_rows", "f32"))
    for each in (ChooseBlocks({"m": 256}), ExpandGathers(order, chip="v6e")):
        each.apply(make_context(), module)
    (grid,) = every(module, GridOp)
    assert (len(grid.axes), len(every(module, ForOp))) == (axes, loops)


def test_many_rows() -> None:
    """Blocks of rows as an axis of the grid, for an array that the turns keep whole."""
    indexed = INDEXED["to_many_rows"]
    args = indexed.arguments(Draw(DTYPES["bf16"], seed=0))
    way = TileToPallas(blocks=indexed.blocks, gathers="outer")
    check(parse(program("to_many_rows", "bf16")), "to_many_rows", args, indexed.expected(args), way)


def test_all_dropped() -> None:
    indexed = INDEXED["dropped"]
    x, y, ids, out, one = indexed.arguments(Draw(DTYPES["f32"], seed=0))
    way = TileToPallas(blocks=indexed.blocks)
    check(parse(program("dropped", "f32")), "dropped", [x, y, ids + 40, out, one], [out, one], way)


INF, NAN = np.inf, np.nan


@pytest.mark.parametrize(("name", "dtype"), [("rows_added", "bf16"), ("lanes_added", "f32")])
def test_sums_not_finite(name: str, dtype: str) -> None:
    """Infinities and NaN reach the sums that they are in and no others; both infinities make NaN."""
    indexed = INDEXED[name]
    x, ids, out = indexed.arguments(Draw(DTYPES[dtype], seed=0))
    twins = np.flatnonzero(ids == ids[0])[[0, -1]]
    rows = [(17, INF), (18, NAN), (19, -INF), (twins[0], INF), (twins[1], -INF)]
    for column, (row, number) in enumerate(rows):
        x[(row, min(column, 3)) if name == "rows_added" else (min(column, 3), row)] = number
    out[0, 20], out[5, 21] = -INF, NAN
    expected = indexed.expected([x, ids, out])
    assert [int(f(expected[0]).sum()) for f in (np.isposinf, np.isneginf)] == [1, 2]
    assert int(np.isnan(expected[0]).sum()) == 3
    check(parse(program(name, dtype)), name, [x, ids, out], expected, TileToPallas(blocks=indexed.blocks))


def test_sums_nearly_infinite() -> None:
    """The largest f32, whose nearest bf16 is infinite, and finite sums of a column that together are not."""
    indexed = INDEXED["rows_added"]
    x, ids, out = indexed.arguments(Draw(DTYPES["f32"], seed=0))
    first, other = np.flatnonzero(ids == ids[0])[[0, -1]]
    third = np.flatnonzero(ids != ids[0])[0]
    x[first, 0], x[other, 0] = 2.0**127 * 1.9999, -(2.0**127) * 1.9999
    x[[first, third], 1] = 2.0**127 * 1.5
    expected = indexed.expected([x, ids, out])
    assert np.isfinite(expected[0]).all()
    way = TileToPallas(blocks=indexed.blocks)
    check(parse(program("rows_added", "f32")), "rows_added", [x, ids, out], expected, way)
