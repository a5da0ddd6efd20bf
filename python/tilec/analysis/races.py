"""Which accesses can meet: whether two iterations of an axis may touch one element of an array."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product, takewhile
from math import gcd
from typing import NoReturn

from xdsl.ir import Block, OpResult, SSAValue

from tilec.analysis.affine import (
    IndexBounds,
    Leaf,
    Linear,
    axis_bounds,
    begins_on_a_tile,
    divided_span,
    ends_in,
    is_disjoint,
    is_inside,
    linear,
    numbered_span,
    static_extent,
    whole_bounds,
)
from tilec.analysis.distinct import told_apart
from tilec.analysis.ordering import Iterations
from tilec.diagnostics import fail, where
from tilec.dialects.tile.access import AccessOp, Dim, Effect
from tilec.dialects.tile.arrays import SegmentOp
from tilec.dialects.tile.atomics import AtomicRmwOp
from tilec.dialects.tile.loops import Axis, LoopOp
from tilec.dialects.tile.types import UNBOUND, span_of


@dataclass(frozen=True)
class Conflict:
    """A write and another access (or the same) that may touch one element in two iterations of an axis."""

    write: AccessOp
    other: AccessOp


def conflicts(loop: LoopOp, axis: SSAValue) -> Iterator[Conflict]:
    """The conflicts between iterations of `axis`, an induction value of `loop`, in program order.

    Atomics of one kind do not conflict, whatever they touch. What each iteration allocates is its own.
    """
    if runs_once(axis):
        return
    accesses = [op for op in loop.walk() if isinstance(op, AccessOp) and not is_inside(op.array, loop)]
    for write in accesses:
        if not write.writes:
            continue
        for other in accesses:
            if other.array is write.array and not _commute(write, other) and meet(loop, axis, write, other):
                yield Conflict(write, other)


def meet(loop: LoopOp, axis: SSAValue, one: AccessOp, two: AccessOp) -> bool:
    """Whether two accesses of one array may touch one element in two iterations of `axis`."""
    if runs_once(axis):
        return False
    promised = [value for op, _ in told_apart(one.window, two.window) for value in op.results_]
    if any(is_inside(value, loop) and _varies(value, loop, axis) for value in promised):
        return False
    return not any(
        separates(loop, axis, first, second) for first, second in zip(one.window, two.window, strict=True)
    )


def runs_once(axis: SSAValue) -> bool:
    """Whether an axis surely has no two iterations."""
    bounds, span = axis_bounds(axis), span_of(axis)
    extent = None if bounds is None else static_extent(bounds)
    return extent is not None and extent <= (span.size if span else 1)


def _commute(one: AccessOp, two: AccessOp) -> bool:
    """Whether two accesses may change places though they touch one element."""
    if not isinstance(one, AtomicRmwOp) or not isinstance(two, AtomicRmwOp):
        return False
    return one.commutes and two.commutes and one.kind == two.kind


def separates(loop: LoopOp, axis: SSAValue, one: Dim, two: Dim) -> bool:
    """Whether the positions in one dimension differ for every two values of `axis`."""
    if one.full or two.full:
        return False
    if one.shift == two.shift and not _varies(one.shift, loop, axis):
        if is_part(one, axis) and is_part(two, axis):
            return True
    if _segment(one, axis) is not None and _segment(one, axis) == _segment(two, axis):
        return one.shift == two.shift == 0
    if _in_order(loop, axis, one, two):
        return True
    ranges = [[found for b in (axis_bounds, whole_bounds) if (found := _range(d, b))] for d in (one, two)]
    return any(
        _elsewhere(loop, first, second) or _apart(loop, axis, first, second)
        for first, second in product(*ranges)
    )


def _in_order(loop: LoopOp, axis: SSAValue, one: Dim, two: Dim) -> bool:
    """Whether the ranges of two dimensions come one after the other from iteration to iteration of `axis`."""
    known = [*takewhile(lambda argument: argument is not axis, loop.body.block.args), axis]
    first, second = _reach(one, known, loop), _reach(two, known, loop)
    if first is None or second is None:
        return False

    def fixed(leaf: Leaf) -> bool:
        return isinstance(leaf, tuple) or not _varies(leaf, loop, axis)

    def reach(leaf: Leaf) -> int | None:
        bounds = None if isinstance(leaf, tuple) or leaf is axis else axis_bounds(leaf)
        size = None if bounds is None or bounds.begin != 0 else static_extent(bounds)
        return None if size is None or size < 1 else size - 1

    both = Iterations(axis, fixed, reach)
    return both.in_order(first[1], second[0]) and both.in_order(second[1], first[0])


def _reach(dim: Dim, known: Sequence[SSAValue], loop: LoopOp) -> tuple[Linear, Linear] | None:
    """Where a dimension's indices begin, of all iterations of axes inside of those `known`, and the place
    behind the last one."""
    shift, base = linear(dim.shift), dim.base
    if dim.indexed:
        return None
    inner = base is not None and base not in known and is_inside(base, loop)
    bounds = whole_bounds(base) if base is not None and inner else None
    if bounds is not None:
        return linear(bounds.begin) + shift, linear(bounds.end) + shift
    form = shift if base is None else linear(base) + shift
    return None if dim.span is not None else (form, form + Linear(1))


def _elsewhere(loop: LoopOp, one: tuple[Linear, int], two: tuple[Linear, int]) -> bool:
    """Whether two ranges that are the same in every iteration of a loop are disjoint."""
    (first, size), (second, other) = one, two
    gap = (second - first).literal
    fixed = all(_outer(loop, form).factors == form.factors for form in (first, second))
    return fixed and gap is not None and (gap >= size or -gap >= other)


def is_part(dim: Dim, axis: SSAValue) -> bool:
    """Whether a dimension is indexed by `axis`, an axis that goes through its tile, or its tile's number."""
    base = dim.base if dim.base is None else numbered_span(dim.base) or dim.base
    while base is not None and base is not axis:
        bounds = axis_bounds(base)
        base = None if bounds is None else divided_span(bounds)
    return base is not None


def _varies(value: SSAValue | int, loop: LoopOp, axis: SSAValue) -> bool:
    """Whether `value` may differ between iterations of `axis` that agree in the axes of `loop` before it."""
    fixed = list(takewhile(lambda argument: argument is not axis, loop.body.block.args))
    pending, seen = [] if isinstance(value, int) else [value], set[SSAValue]()
    while pending:
        each = pending.pop()
        if each in seen or each in fixed or not is_inside(each, loop):
            continue
        seen.add(each)
        if isinstance(each.owner, Block) or each.owner.regions:
            return True
        pending += each.owner.operands
    return False


def _segment(dim: Dim, axis: SSAValue) -> tuple[SSAValue, SSAValue | None, Linear] | None:
    """The arrays and the number of the segment that a span is, if that tells iterations of `axis` apart."""
    bounds = whole_bounds(dim.base) if dim.base is not None else None
    if bounds is None or not isinstance(bounds.begin, OpResult) or not isinstance(bounds.begin.op, SegmentOp):
        return None
    op = bounds.begin.op
    if bounds.begin is not op.begin or op.end not in ends_in(bounds) or not is_disjoint(op):
        return None
    number = linear(op.index)
    return (op.begins, op.ends, number) if _tells_apart(number, axis) else None


def _tells_apart(number: Linear, axis: SSAValue) -> bool:
    """Whether a number differs wherever `axis` does, whatever else it depends on.

    So it is if all else comes in multiples that the axis does not reach: `4 * i + axis`, of an axis of 4.
    """
    factors = dict(number.factors)
    own, bounds = factors.pop(axis, 0), axis_bounds(axis)
    extent = None if bounds is None else static_extent(bounds)
    if own == 0 or not factors:
        return own != 0
    return extent is not None and abs(own) * (extent - 1) < gcd(*factors.values())


def _range(dim: Dim, bounds_of: Callable[[SSAValue], IndexBounds | None]) -> tuple[Linear, int] | None:
    """First position and number of positions, where the number is a literal; of a span, of all its axis."""
    shift = linear(dim.shift)
    if dim.base is None:
        return shift, 1
    if span_of(dim.base) is None:
        return linear(dim.base) + shift, 1
    bounds = bounds_of(dim.base)
    size = None if bounds is None else static_extent(bounds)
    return None if bounds is None or size is None else (linear(bounds.begin) + shift, size)


def _apart(loop: LoopOp, axis: SSAValue, one: tuple[Linear, int], two: tuple[Linear, int]) -> bool:
    """Whether two ranges are disjoint for different values of `axis`, whatever inner axes do."""
    (first, size), (second, other) = one, two
    step = abs(first.factors.get(axis, 0)) * _distance(axis)
    if step == 0 or first.factors.get(axis) != second.factors.get(axis):
        return False
    slack = [_slack(loop, axis, form) for form in (first, second)]
    if slack[0] is None or slack[1] is None:
        return False
    outer = [_outer(loop, form) for form in (first, second)]
    if outer[0].factors != outer[1].factors:
        return False
    low = min(first.constant, second.constant)
    reach = max(first.constant - low + slack[0] + size, second.constant - low + slack[1] + other)
    return reach <= step


def _distance(axis: SSAValue) -> int:
    """How far values of an axis are from each other at least; of a span, where its tiles begin."""
    span = span_of(axis)
    return span.size if span is not None and span.size != UNBOUND and begins_on_a_tile(axis) else 1


def _slack(loop: LoopOp, axis: SSAValue, form: Linear) -> int | None:
    """How far leaves inside the loop, but for `axis`, can move a position up; `None` if unknown or down."""
    total = 0
    for leaf, factor in form.factors.items():
        if leaf is axis or isinstance(leaf, tuple) or not is_inside(leaf, loop):
            continue
        bounds = axis_bounds(leaf)
        size = static_extent(bounds) if bounds is not None else None
        if bounds is None or size is None or factor < 0 or linear(bounds.begin).literal != 0:
            return None
        total += factor * max(size - 1, 0)
    return total


def _outer(loop: LoopOp, form: Linear) -> Linear:
    kept = {
        leaf: factor
        for leaf, factor in form.factors.items()
        if isinstance(leaf, tuple) or not is_inside(leaf, loop)
    }
    return Linear(0, kept)


def refuse_race(axis: Axis, conflict: Conflict) -> NoReturn:
    """Refuse two accesses that may meet over a parallel axis. Raises TileError at the first."""
    atomics = [op for op in (conflict.write, conflict.other) if isinstance(op, AtomicRmwOp)]
    order = next((op for op in atomics if not op.commutes), None)
    accepted = f"index a dimension by {axis.name}, or loop over it with tile.for"
    if len(atomics) == 1 and not atomics[0].is_scatter:
        accepted += "; only atomics may meet atomics"
    elif order is not None:
        why = "returns the old value" if order.kind.data.commutes else "exchanges"
        accepted += f"; the atomic {why}, for which iterations have to be ordered"
    elif len(atomics) == 2:
        accepted += "; only atomics of one kind may meet in any order"
    fail(
        conflict.write,
        f"race: {both(conflict)} may touch one element of %{conflict.write.array.name_hint or 'array'} "
        f"in two iterations of the parallel axis {axis.name}; {accepted}",
    )


_WHAT = {Effect.READ: "load", Effect.WRITE: "store", Effect.ACCUMULATE: "atomic"}


def both(conflict: Conflict) -> str:
    """The two accesses, with their lines."""
    what = _what(conflict.write)
    if conflict.other is conflict.write:
        return f"the {what} at {where(conflict.write)}, with itself,"
    other = _what(conflict.other)
    return f"the {what} at {where(conflict.write)} and the {other} at {where(conflict.other)}"


def _what(op: AccessOp) -> str:
    scatters = isinstance(op, AtomicRmwOp) and op.is_scatter
    return _WHAT[Effect.WRITE if scatters else op.effect]
