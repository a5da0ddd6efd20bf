"""Whether positions in a dimension keep apart from step to step, and whether they only grow.

Steps go through the axes of a pipeline like a counter, the last axis fastest. A linear form of them grows
where each axis adds at least what all inside it may take back. Its values keep apart where each axis, in the
order of what one step of it adds, adds more than all before it together. Segments go with their numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from xdsl.dialects import arith
from xdsl.ir import Operation, SSAValue

from tilec.analysis.affine import (
    IndexBounds,
    Leaf,
    Linear,
    axis_bounds,
    begins_in,
    divided_span,
    ends_in,
    is_disjoint,
    linear,
    most_extent,
    numbered_span,
    operations_behind,
)
from tilec.analysis.ordering import Iterations
from tilec.analysis.visits import axes_behind, counter_of, innermost_behind
from tilec.dialects.tile.access import Dim
from tilec.dialects.tile.arrays import LoadOp, SegmentOp
from tilec.dialects.tile.numbered import SpanOp
from tilec.dialects.tile.schedule import AxisOp
from tilec.dialects.tile.steps import WorklistOp
from tilec.dialects.tile.types import span_of


@dataclass(frozen=True)
class Course:
    """What is known of a dimension's positions: those of different steps are `apart`, later ones no smaller.

    Steps are different here if an axis is that the position depends on.
    """

    apart: bool
    later: bool


_LESS = 2
"""The predicate `slt` of `arith.cmpi`."""
_UNKNOWN = Course(apart=False, later=False)
_TOLD = Course(apart=True, later=True)
"""Of the steps of a list, which was made of axes that had been asked."""


@dataclass(frozen=True)
class _Term:
    """What one axis adds to a position: `step` for each of its steps or a multiple, up to `reach` if known.

    `level` is the axis' number, from outside.
    """

    level: int
    step: int
    reach: int | None


def course_of(dim: Dim, axes: Sequence[AxisOp]) -> Course:
    """The course of a window in a dimension over `axes`, those of several steps, outermost first."""
    shift = _linear(dim.shift, axes)
    if dim.base is None or dim.span is not None:
        return _course(shift, axes, 0, 1) if dim.base is None else _of_tiles(dim.base, shift, axes)
    form = _linear(dim.base, axes) + shift
    if any(leaf not in form.factors for part in (shift, form - shift) for leaf in part.factors):
        return _UNKNOWN  # they cancel each other
    match [leaf for leaf in form.factors if _moves(_leaf(leaf), axes)]:
        case [SSAValue() as leaf] if form.factors[leaf] == 1 and axis_bounds(leaf) is not None:
            return _of_tiles(leaf, form - _leaf(leaf), axes)
        case _:
            return _course(form, axes, 0, 1)


def _of_tiles(span: SSAValue, shift: Linear, axes: Sequence[AxisOp]) -> Course:
    """The course of the tiles of an axis, or of its indices, each `shift` away from where it is."""
    bounds, kind = axis_bounds(span), span_of(span)
    if bounds is None:
        return _UNKNOWN
    if _is_listed(span):
        return _TOLD
    bounds = _at_work(bounds)
    around = divided_span(bounds)
    if around is not None:
        return _of_tiles(around, shift, axes)
    if not _moves(_linear(bounds.begin, axes), axes):
        lanes = 1 if kind is None else kind.size
        return _course(shift + _leaf(span), axes, 0, lanes)
    segment = None if _moves(shift, axes) else _segment(bounds)
    if segment is not None:
        return _course(_linear(segment.index, axes), axes, 1, 1)
    number = _in_order(span, bounds, shift, axes)
    if number is not None:
        return _course(_leaf(number), axes, 1, 1)
    length = most_extent(bounds)
    return _UNKNOWN if length is None else _course(_linear(bounds.begin, axes) + shift, axes, length, length)


def _at_work(bounds: IndexBounds) -> IndexBounds:
    """The bounds of an axis where it has any steps: under no condition, and not where others have theirs.

    Where it rests its bounds are both at its begin, or both at its end.
    """
    begin, end = bounds.begin, _but(bounds.end, bounds.begin)
    here, there = _choice(begin), _choice(end)
    if here is not None and there is not None and (here.cond, here.lhs) == (there.cond, there.lhs):
        begin, end = here.rhs, there.rhs
    elif here is not None and linear(here.lhs) == linear(end):
        begin = here.rhs
    return replace(bounds, begin=begin, end=_but(end, begin))


def _but(end: SSAValue | int, begin: SSAValue | int) -> SSAValue | int:
    """An end where it is not the begin: a range from there to there is empty."""
    made = _choice(end)
    while made is not None and linear(begin) in (linear(made.lhs), linear(made.rhs)):
        end = made.rhs if linear(made.lhs) == linear(begin) else made.lhs
        made = _choice(end)
    return end


def _choice(value: SSAValue | int) -> arith.SelectOp | None:
    return value.owner if isinstance(value, SSAValue) and isinstance(value.owner, arith.SelectOp) else None


def _segment(bounds: IndexBounds) -> SegmentOp | None:
    """The segment in which an axis surely is, if its number says which others it is apart from."""
    if isinstance(bounds.begin, int) or isinstance(bounds.end, int):
        return None
    ends = ends_in(bounds)
    for begin in begins_in(bounds):
        segment = None if isinstance(begin, int) else begin.owner
        if isinstance(segment, SegmentOp) and begin is segment.begin and is_disjoint(segment):
            return segment if segment.end in ends else None
    return None


def _in_order(span: SSAValue, bounds: IndexBounds, shift: Linear, axes: Sequence[AxisOp]) -> SSAValue | None:
    """The one axis that moves where tiles begin, if the ranges of its steps come one after the other."""
    counter = counter_of(span.owner) if isinstance(span.owner, SpanOp) else None
    turns = [bounds] if counter is None else _turns(bounds, counter)
    behind = _behind(turns, axes) | {axis for axis in axes if _moves(shift, [axis])}
    if len(behind) != 1 or not come_in_turn(turns, axes, shift):
        return None
    (axis,) = behind
    return axis.result


def come_in_turn(ranges: Sequence[IndexBounds], axes: Sequence[AxisOp], shift: Linear | None = None) -> bool:
    """Whether ranges come one after the other, in an iteration of the axis behind them and from one to the
    next, all of them moved by `shift`. An empty one is where it begins, which may be behind its end."""
    behind = _behind(ranges, axes)
    axis = next(iter(behind), axes[0])
    more = Linear() if shift is None else shift
    begins = [linear(each.begin) + more for each in ranges]
    ends = [[linear(end) + more for end in (each.end, *ends_in(each))] for each in ranges]

    def fixed(leaf: Leaf) -> bool:
        return not _moves(_leaf(leaf), [axis])

    now, later = Iterations(axis.result, fixed, apart=False), Iterations(axis.result, fixed)
    pairs = [*((now, i, i + 1) for i in range(len(ranges) - 1)), (later, len(ranges) - 1, 0)]
    return len(behind) <= 1 and all(
        both.in_order(begins[i], begins[j]) and any(both.in_order(end, begins[j]) for end in ends[i])
        for both, i, j in pairs
    )


def _behind(ranges: Sequence[IndexBounds], axes: Sequence[AxisOp]) -> set[AxisOp]:
    """The axes that move where ranges begin."""
    return {axis for each in ranges for axis in axes if _moves(_linear(each.begin, axes), [axis])}


def _turns(bounds: IndexBounds, counter: AxisOp) -> list[IndexBounds]:
    """The ranges of stretches of the axis that counts tiles, of which steps have that whose turn it is, the
    first ones first."""
    here, there = _choice(bounds.begin), _choice(bounds.end)
    turn = None if here is None else here.cond.owner
    if here is None or there is None or not isinstance(turn, arith.CmpiOp) or here.cond is not there.cond:
        return [bounds]
    if turn.predicate.value.data != _LESS or innermost_behind(turn.lhs) is not counter:
        return [bounds]
    first = replace(bounds, begin=here.lhs, end=there.lhs)
    return [first, *_turns(replace(bounds, begin=here.rhs, end=there.rhs), counter)]


def _course(form: Linear, axes: Sequence[AxisOp], between: int, room: int) -> Course:
    """The course of a form: later values are to be `between` larger, apart are those with `room` between."""
    moving = [leaf for leaf in form.factors if _moves(_leaf(leaf), axes)]
    if any(_is_listed(leaf) for leaf in moving):
        return _TOLD
    found = [_term(leaf, form.factors[leaf], axes) for leaf in moving]
    terms = [term for term in found if term is not None]
    if len({term.level for term in terms}) < len(found):
        grows = len(moving) == 1 and form.factors[moving[0]] > 0 and between == 0
        return Course(apart=False, later=grows and _only_grows(moving[0], axes))
    inner_first = sorted(terms, key=lambda term: -term.level)
    rising = all(term.step > 0 for term in terms) and _exceed(inner_first, between)
    return Course(_exceed(sorted(terms, key=lambda term: abs(term.step)), room), rising)


def _exceed(terms: Sequence[_Term], more: int) -> bool:
    """Whether one step of each exceeds all that those before it add together."""
    before = more
    for position, term in enumerate(terms):
        if abs(term.step) < before:
            return False
        if position + 1 < len(terms):
            if term.reach is None:
                return False
            before += term.reach
    return True


def _term(leaf: Leaf, factor: int, axes: Sequence[AxisOp]) -> _Term | None:
    """What a leaf adds, if it is an axis' position that begins where no other axis moves it, or a number."""
    if isinstance(leaf, tuple):
        return None
    numbered = numbered_span(leaf)
    position = leaf if numbered is None else numbered
    made, bounds, span = position.owner, axis_bounds(position), span_of(position)
    axis = counter_of(made) if isinstance(made, SpanOp) else made
    if not isinstance(made, AxisOp | SpanOp) or axis not in axes or bounds is None:
        return None
    if _moves(_linear(bounds.begin, axes), axes):
        return None
    extent = most_extent(bounds)
    size = 1 if span is None else span.size
    unit = 1 if numbered is not None else size
    if extent is None:
        return _Term(axes.index(axis), factor * unit, None)
    last = -(-extent // size) - (made.aligned is None)  # aligned tiles may be one more
    return _Term(axes.index(axis), factor * unit, abs(factor) * max(last, 0) * unit)


def _only_grows(leaf: Leaf, axes: Sequence[AxisOp]) -> bool:
    """Whether a leaf never gets smaller: a quotient of what does not, or that and a bound."""
    owner = None if isinstance(leaf, tuple) else leaf.owner
    match owner:
        case arith.FloorDivSIOp() | arith.CeilDivSIOp():
            divisor = linear(owner.rhs).literal
            parts = [owner.lhs] if divisor is not None and divisor > 0 else []
        case arith.MinSIOp() | arith.MaxSIOp():
            parts = [each for each in owner.operands if _moves(_leaf(each), axes)]
        case _:
            parts = []
    return len(parts) == 1 and _course(_linear(parts[0], axes), axes, 0, 1).later


def _is_listed(leaf: Leaf) -> bool:
    """Whether a leaf is read from a list of tiles, or is one of the tiles, or its number."""
    if isinstance(leaf, tuple):
        return False
    owner = (numbered_span(leaf) or leaf).owner
    if isinstance(owner, SpanOp):
        return any(map(_reads_a_list, operations_behind(owner.index)))
    return isinstance(owner, Operation) and _reads_a_list(owner)


def _reads_a_list(op: Operation) -> bool:
    return isinstance(op, LoadOp) and isinstance(op.array.owner, WorklistOp)


def _linear(value: SSAValue | int, axes: Sequence[AxisOp]) -> Linear:
    """The form of a value; one of which no axis has gone, as with a factor of 0, or else a leaf."""
    form = linear(value)
    if isinstance(value, int):
        return form
    kept, whole = axes_behind(_leaves(form)), axes_behind([value])
    return form if all(axis in kept for axis in axes if axis in whole) else _leaf(value)


def _leaves(form: Linear) -> list[SSAValue]:
    return [leaf for leaf in form.factors if not isinstance(leaf, tuple)]


def _leaf(leaf: Leaf) -> Linear:
    return Linear(0, {leaf: 1})


def _moves(form: Linear, axes: Sequence[AxisOp]) -> bool:
    """Whether a position depends on `axes`."""
    return not axes_behind(_leaves(form), ends=False).isdisjoint(axes)
