"""`Iterations.in_order` against all pairs of iterations, with random arrays of segments."""

from collections.abc import Mapping
from itertools import combinations
from typing import Any, TypeAlias

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import every, named, parse
from xdsl.dialects import arith
from xdsl.ir import SSAValue

from tilec.analysis.affine import Leaf, Linear, linear
from tilec.analysis.ordering import Iterations
from tilec.dialects.tile.arrays import SegmentOp
from tilec.dialects.tile.loops import GridOp

GROUPS = 4
PROGRAM = f"""
func.func @f(%a: memref<{2 * GROUPS + 3}xi32>, %c: memref<{GROUPS + 2}xi32>, %p: memref<{GROUPS + 2}xi32>, %q: memref<{GROUPS + 2}xi32>, %k: index) {{
  %two = arith.constant 2 : index
  tile.grid %g = 0 to {GROUPS} {{
    %b, %e = tile.segment %a[%g]
    %s, %t = tile.segment %c[%g]
    %u, %v = tile.segment %p[%g] to %q[%g]
    %h = arith.muli %g, %two : index
    %d, %f = tile.segment %a[%h]
    %far = arith.addi %b, %two : index
    %least = arith.minsi %far, %e : index
    %most = arith.maxsi %far, %e : index
  }}
  return
}}"""  # noqa: E501
LEAVES: tuple[str, ...] = ("b", "e", "s", "t", "u", "v", "d", "f", "least", "most", "g", "k")
Form: TypeAlias = tuple[int, Mapping[str, int]]
FORMS = st.tuples(
    st.integers(-3, 3), st.dictionaries(st.sampled_from(LEAVES), st.integers(-1, 2), max_size=3)
)
Arrays: TypeAlias = Mapping[SSAValue, "np.ndarray[Any, np.dtype[Any]]"]
MODULE = parse(PROGRAM)


def form(text: Form) -> Linear:
    constant, factors = text
    found = Linear(constant)
    for name, factor in factors.items():
        found += linear(named(MODULE, name)).times(factor)
    return found


def value(form: Linear, g: int, arrays: Arrays) -> int:
    """A form in iteration `g`, with 5 for what it does not depend on."""
    return form.constant + sum(factor * leaf_value(leaf, g, arrays) for leaf, factor in form.factors.items())


def leaf_value(leaf: Leaf, g: int, arrays: Arrays) -> int:
    assert isinstance(leaf, SSAValue)
    match leaf.owner:
        case SegmentOp() as op:
            number = value(linear(op.index), g, arrays)
            if leaf is op.begin:
                return int(arrays[op.begins][number])
            return int(arrays[op.begins][number + 1] if op.ends is None else arrays[op.ends][number])
        case arith.MinSIOp() as op:
            return min(value(linear(op.lhs), g, arrays), value(linear(op.rhs), g, arrays))
        case arith.MaxSIOp() as op:
            return max(value(linear(op.lhs), g, arrays), value(linear(op.rhs), g, arrays))
        case _:
            return g if leaf is axis() else 5


def axis() -> SSAValue:
    return every(MODULE, GridOp)[0].axes[0].value


def is_in_order(end: Linear, begin: Linear) -> bool:
    return Iterations(axis(), lambda leaf: leaf is named(MODULE, "k")).in_order(end, begin)


@settings(max_examples=600, deadline=None)
@given(end=FORMS, begin=FORMS, seed=st.integers(0, 99))
def test_what_is_in_order_is(end: Form, begin: Form, seed: int) -> None:
    last, first = form(end), form(begin)
    if not is_in_order(last, first):
        return
    rng = np.random.default_rng(seed)
    cuts = np.sort(rng.integers(0, 9, 2 * GROUPS + 4))
    arrays = {
        named(MODULE, "a"): np.sort(rng.integers(0, 9, 2 * GROUPS + 3)),
        named(MODULE, "c"): np.sort(rng.integers(0, 9, GROUPS + 2)),
        named(MODULE, "p"): cuts[0::2],
        named(MODULE, "q"): cuts[1::2],
    }
    for g, later in combinations(range(GROUPS), 2):
        assert value(last, g, arrays) <= value(first, later, arrays)


@pytest.mark.parametrize(
    ("end", "begin", "known"),
    [
        ((0, {"e": 1}), (0, {"b": 1}), True),
        ((1, {"e": 1}), (0, {"b": 1}), False),
        ((0, {"e": 1, "s": 1}), (0, {"e": 1, "s": 1}), True),  # rows of two, the first ones
        ((0, {"e": 1, "t": 1}), (0, {"e": 1, "s": 1}), True),  # and those behind them
        ((0, {"e": 1, "t": 1}), (0, {"b": 1}), False),
        ((1, {"e": 1, "g": 1}), (0, {"b": 1, "g": 1}), True),  # a row more for each
        ((2, {"e": 1, "g": 1}), (0, {"b": 1, "g": 1}), False),
        ((0, {"v": 1}), (0, {"u": 1}), True),
        ((0, {"least": 1}), (0, {"b": 1}), True),
        ((0, {"most": 1}), (0, {"b": 1}), False),
        ((0, {"e": 1}), (0, {"least": 1}), True),
        ((0, {"f": 1}), (0, {"d": 1}), True),  # every second segment
        ((0, {"e": 1, "k": 1}), (0, {"b": 1, "k": 1}), True),
        ((0, {"e": 1, "k": 1}), (0, {"b": 1}), False),
        ((0, {"e": -1}), (0, {"b": -1}), False),
    ],
)
def test_what_is_known(end: Form, begin: Form, *, known: bool) -> None:
    assert is_in_order(form(end), form(begin)) == known
