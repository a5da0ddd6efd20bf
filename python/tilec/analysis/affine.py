"""Index values as linear forms, and the ranges of axes: `4 * %g + %j + 1`.

A form is exact. What is no sum of products with literals is a leaf of its own. Extents of arrays are leaves
too, one for each array that fixes the extent, so that `tile.empty like(%x)` has the same leading extent as
`%x`. A span as a leaf is where its tile begins.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, cast

from xdsl.dialects import arith, memref
from xdsl.dialects.builtin import IntegerAttr, IntegerType
from xdsl.ir import BlockArgument, Operation, SSAValue

from tilec.dialects.tile.arrays import EmptyOp, FullOp, SegmentOp
from tilec.dialects.tile.bound import BoundOp, Side
from tilec.dialects.tile.loops import LoopOp
from tilec.dialects.tile.numbered import SpanOp
from tilec.dialects.tile.schedule import AxisOp
from tilec.dialects.tile.syntax import Bounds, scalar_of
from tilec.dialects.tile.types import UNBOUND, shape_of, span_of
from tilec.dialects.tile.values import SplatOp
from tilec.dialects.tile.views import ConvertOp, ViewOp

IndexBounds: TypeAlias = Bounds[SSAValue]
Leaf: TypeAlias = SSAValue | tuple[SSAValue, int]
"""An index value, a span for where its tile begins, or the extent of a dimension of an array."""

INTEGERS: Mapping[type[Operation], Callable[[int, int], int]] = {
    arith.AddiOp: lambda a, b: a + b,
    arith.SubiOp: lambda a, b: a - b,
    arith.MuliOp: lambda a, b: a * b,
    arith.MinSIOp: min,
    arith.MaxSIOp: max,
    arith.FloorDivSIOp: lambda a, b: a // b,
    arith.CeilDivSIOp: lambda a, b: -(-a // b),
}
"""What operations on indices compute, of numbers of any type with the arithmetic of `int`."""


@dataclass(frozen=True)
class Linear:
    """`constant + sum(factor * leaf)`; no factor is 0."""

    constant: int = 0
    factors: Mapping[Leaf, int] = field(default_factory=dict[Leaf, int])

    def __add__(self, other: "Linear") -> "Linear":
        factors = dict(self.factors)
        for leaf, factor in other.factors.items():
            factors[leaf] = factors.get(leaf, 0) + factor
        return Linear(self.constant + other.constant, {leaf: f for leaf, f in factors.items() if f})

    def times(self, factor: int) -> "Linear":
        if factor == 0:
            return Linear()
        return Linear(self.constant * factor, {leaf: f * factor for leaf, f in self.factors.items()})

    def __sub__(self, other: "Linear") -> "Linear":
        return self + other.times(-1)

    @property
    def literal(self) -> int | None:
        """The value, if it depends on nothing."""
        return None if self.factors else self.constant


def linear(value: SSAValue | int) -> Linear:
    """The linear form of an index value."""
    if isinstance(value, int):
        return Linear(value)
    match value.owner:
        case arith.ConstantOp(value=IntegerAttr() as literal) | SplatOp(value=IntegerAttr() as literal):
            return Linear(cast("IntegerAttr[IntegerType]", literal).value.data)
        case arith.AddiOp() as op:
            return linear(op.lhs) + linear(op.rhs)
        case arith.SubiOp() as op:
            return linear(op.lhs) - linear(op.rhs)
        case arith.IndexCastOp() as op:
            return linear(op.input)
        case arith.MuliOp() as op:
            return _product(op)
        case memref.DimOp() as op:
            dim = linear(op.index).literal
            return Linear(0, {value: 1}) if dim is None else extent(op.source, dim)
        case BoundOp() as op:
            return _bound(op)
        case _:
            return Linear(0, {value: 1})


def _product(op: arith.MuliOp) -> Linear:
    lhs, rhs = linear(op.lhs), linear(op.rhs)
    if lhs.literal is not None:
        return rhs.times(lhs.literal)
    if rhs.literal is not None:
        return lhs.times(rhs.literal)
    return Linear(0, {op.result: 1})


def _bound(op: BoundOp) -> Linear:
    side, size, bounds = op.side.data, op.lanes, axis_bounds(op.span)
    if size == UNBOUND:
        return Linear(0, {op.span if side is Side.BEGIN else op.result: 1})
    if side is Side.SIZE:
        return Linear(size)
    length = None if bounds is None or not begins_on_a_tile(op.span) else static_extent(bounds)
    if bounds is not None and length is not None and 0 < length <= size:  # the one tile is the whole range
        return linear(bounds.begin if side is Side.BEGIN else bounds.end)
    if side is Side.BEGIN:
        return Linear(0, {op.span: 1})
    whole = length is not None and length % size == 0
    return Linear(size, {op.span: 1}) if whole else Linear(0, {op.result: 1})


def begins_on_a_tile(value: SSAValue) -> bool:
    """Whether every tile of the axis behind `value` begins at a multiple of its block; true of an index."""
    bounds, span = axis_bounds(value), span_of(value)
    if bounds is None or span is None:
        return True
    begin = linear(bounds.begin)
    parts = [begin.constant, *(factor * _divisor(leaf) for leaf, factor in begin.factors.items())]
    return all(part % span.size == 0 for part in parts)


def _divisor(leaf: Leaf) -> int:
    """What is known to divide a leaf."""
    span = None if isinstance(leaf, tuple) else span_of(leaf)
    whole = span is not None and not isinstance(leaf, tuple) and begins_on_a_tile(leaf)
    return span.size if span is not None and whole else 1


def divided_span(bounds: IndexBounds) -> SSAValue | None:
    """The span whose tile an axis of these bounds goes through, from begin to end, if there is one."""
    begin, end = bounds.begin, bounds.end
    if isinstance(begin, int) or isinstance(end, int):
        return None
    first, last = begin.owner, end.owner
    if not isinstance(first, BoundOp) or not isinstance(last, BoundOp) or first.span is not last.span:
        return None
    return first.span if (first.side.data, last.side.data) == (Side.BEGIN, Side.END) else None


def parts_of(value: SSAValue, kind: type[Operation]) -> list[SSAValue]:
    """What a value is the largest or the smallest of."""
    if not isinstance(value.owner, kind):
        return [value]
    return [part for operand in value.owner.operands for part in parts_of(operand, kind)]


def ends_in(bounds: IndexBounds) -> list[SSAValue | int]:
    """Where an axis ends: at the least of these."""
    return [bounds.end] if isinstance(bounds.end, int) else [*parts_of(bounds.end, arith.MinSIOp)]


def begins_in(bounds: IndexBounds) -> list[SSAValue | int]:
    """Where an axis begins: at the largest of these."""
    return [bounds.begin] if isinstance(bounds.begin, int) else [*parts_of(bounds.begin, arith.MaxSIOp)]


def operations_behind(value: SSAValue) -> Iterator[Operation]:
    """The operations that a value is computed from, each once."""
    pending, seen = [value], set[Operation]()
    while pending:
        op = pending.pop().owner
        if isinstance(op, Operation) and op not in seen:
            seen.add(op)
            yield op
            pending += op.operands


def arguments_behind(values: Iterable[SSAValue]) -> set[BlockArgument]:
    """The arguments of blocks, axes among them, that values are computed from."""
    given = list(values)
    ends = [*given, *(each for value in given for op in operations_behind(value) for each in op.operands)]
    return {value for value in ends if isinstance(value, BlockArgument)}


def is_carried(value: BlockArgument) -> bool:
    """Whether a loop carries an argument of its body, which is no axis then."""
    loop = value.owner.parent_op()
    return isinstance(loop, LoopOp) and all(axis.value is not value for axis in loop.axes)


def is_disjoint(segment: SegmentOp) -> bool:
    """Whether different segments are surely disjoint: single ones, or those of the tiles of one axis."""
    return segment.last is None or divided_span(Bounds(segment.index, segment.last)) is not None


def numbered_span(value: SSAValue) -> SSAValue | None:
    """The span whose tiles an index numbers, if it does: `begin / size`, of an axis that begins on a tile."""
    op = value.owner
    if not isinstance(op, arith.FloorDivSIOp) or not isinstance(op.lhs.owner, BoundOp):
        return None
    begin, divisor = op.lhs.owner, op.rhs.owner
    bounds = axis_bounds(begin.span)
    known = isinstance(divisor, arith.ConstantOp) and scalar_of(divisor.value) == begin.lanes
    if not known or begin.side.data is not Side.BEGIN or bounds is None:
        return None
    return begin.span if isinstance(bounds.begin, int) and bounds.begin % begin.lanes == 0 else None


def whole_bounds(value: SSAValue) -> IndexBounds | None:
    """The bounds of the axis behind an index or span; of one that goes through tiles, those of their axis."""
    bounds = axis_bounds(place_of_one(value) or value)
    while bounds is not None and (divided := divided_span(bounds)) is not None:
        bounds = axis_bounds(divided)
    return bounds


def place_of_one(value: SSAValue) -> SSAValue | None:
    """The span of one index behind that index, as where loops follow each other and may have no iteration."""
    match value.owner:
        case BoundOp() as op if op.side.data is Side.BEGIN and op.lanes == 1:
            return op.span
        case _:
            return None


def extent(array: SSAValue, dim: int) -> Linear:
    """The extent of one dimension of an array; of a `?`, the extent that it was made with."""
    static = shape_of(array.type)[dim]
    if static != UNBOUND:
        return Linear(static)
    match array.owner:
        case EmptyOp() | FullOp() as op if op.like is not None:
            return extent(op.like, 0)
        case EmptyOp() | FullOp() as op if op.extent is not None:
            return linear(op.extent)
        case ViewOp() | ConvertOp() as op:
            return extent(op.array, 0)
        case _:
            return Linear(0, {(array, dim): 1})


def axis_bounds(value: SSAValue) -> IndexBounds | None:
    """The bounds of the axis, or `tile.span`, that made an index or a span; `None` for any other value."""
    owner = value.owner
    if isinstance(owner, AxisOp):
        return owner.axis.bounds
    if isinstance(owner, SpanOp):
        return owner.bounds
    loop = owner.parent_op() if isinstance(value, BlockArgument) else None
    if isinstance(loop, LoopOp):
        return next((axis.bounds for axis in loop.axes if axis.value is value), None)
    return None


def static_extent(bounds: IndexBounds) -> int | None:
    """`end - begin` where it is a literal."""
    return (linear(bounds.end) - linear(bounds.begin)).literal


def usual_extent(bounds: IndexBounds) -> float | None:
    """What `end - begin` is where it is a literal, or else on average, as an axis says it."""
    extent = static_extent(bounds)
    return bounds.mean if extent is None else extent


def most_extent(bounds: IndexBounds) -> int | None:
    """The most that `end - begin` can be, as an axis says it, or else what it is where it is a literal."""
    return static_extent(bounds) if bounds.limit is None else bounds.limit


def is_inside(value: SSAValue, op: Operation) -> bool:
    """Whether `value` is defined in a region of `op`."""
    around = value.owner.parent_op()
    while around is not None:
        if around is op:
            return True
        around = around.parent_op()
    return False
