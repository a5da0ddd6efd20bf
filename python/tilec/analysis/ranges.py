"""What is known of an index in every run: what it is a multiple of, and its bounds.

Arithmetic on `index` is exact: an index is a 32-bit integer on a TPU and a program never leaves that range.
Integers of a fixed width wrap around, so that of a product that may overflow only factors of two remain.
What values have to do with each other is not seen: `x - x rem 8` is a multiple of 1.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import gcd, inf, isinf
from typing import cast

from xdsl.dialects import arith, memref, scf
from xdsl.dialects.builtin import FixedBitwidthType, IndexType, IntegerAttr, IntegerType, i1
from xdsl.ir import Attribute, BlockArgument, Operation, SSAValue

from tilec.analysis.affine import IndexBounds, axis_bounds, linear
from tilec.dialects.pallas.blocks import BlockOp
from tilec.dialects.pallas.control import ForiOp, yielded
from tilec.dialects.pallas.kernels import CallOp, EmitPipelineOp
from tilec.dialects.pallas.syntax import kernel_of
from tilec.dialects.pallas.values import MultipleOfOp, ProgramIdOp
from tilec.dialects.tile.arrays import SegmentOp
from tilec.dialects.tile.bound import BoundOp, Side
from tilec.dialects.tile.elementwise import SelectOp
from tilec.dialects.tile.numbered import SpanOp
from tilec.dialects.tile.schedule import AxisOp
from tilec.dialects.tile.types import UNBOUND, shape_of, span_of
from tilec.dialects.tile.values import SplatOp

INDEX_BITS = 32
"""Width of an `index` on a TPU."""

LARGEST = 2**63
"""Numbers beyond are forgotten: repeated products would make them longer without end."""


@dataclass(frozen=True)
class Range:
    """The integers `low <= value <= high` with `value = remainder` modulo `multiple`.

    A bound of `None` is no bound; `multiple` 0 is the constant `remainder`. Equal sets are equal objects:
    the remainder is below the multiple and the bounds are members. Where no integer fits, which says that
    the value is never computed, the bounds are dropped.
    """

    multiple: int = 1
    remainder: int = 0
    low: int | None = None
    high: int | None = None

    def __post_init__(self) -> None:
        multiple, remainder, low, high = self.multiple, self.remainder, self.low, self.high
        remainder = remainder % multiple if multiple else remainder
        if max(multiple, abs(remainder)) > LARGEST:
            multiple, remainder = gcd(multiple, remainder, 2**INDEX_BITS), 0
        if multiple:
            low = None if low is None or abs(low) > LARGEST else low + (remainder - low) % multiple
            high = None if high is None or abs(high) > LARGEST else high - (high - remainder) % multiple
        else:
            low = high = remainder
        if low is not None and high is not None:
            if low == high:
                multiple, remainder = 0, low
            elif low > high:
                low = high = None
        for name, value in zip(
            ("multiple", "remainder", "low", "high"), (multiple, remainder, low, high), strict=True
        ):
            object.__setattr__(self, name, value)

    @property
    def divisor(self) -> int:
        """The largest literal that divides every member; 0 for the constant 0."""
        return gcd(self.multiple, self.remainder)

    @property
    def _ends(self) -> tuple[float, float]:
        """The bounds, integers unless infinite. Python compares the two kinds exactly."""
        return -inf if self.low is None else self.low, inf if self.high is None else self.high

    def __contains__(self, value: int | None) -> bool:
        if value is None:
            return False
        low, high = self._ends
        same = (value - self.remainder) % self.multiple == 0 if self.multiple else value == self.remainder
        return same and low <= value <= high

    def __add__(self, other: "Range") -> "Range":
        low, high = (a + b for a, b in zip(self._ends, other._ends, strict=True))
        return _made(gcd(self.multiple, other.multiple), self.remainder + other.remainder, low, high)

    def __neg__(self) -> "Range":
        low, high = self._ends
        return _made(self.multiple, -self.remainder, -high, -low)

    def __sub__(self, other: "Range") -> "Range":
        return self + -other

    def __mul__(self, other: "Range") -> "Range":
        (a, r), (b, s) = (self.multiple, self.remainder), (other.multiple, other.remainder)
        products = [0 if 0 in (x, y) else x * y for x in self._ends for y in other._ends]
        return _made(gcd(a * b, a * s, b * r), r * s, min(products), max(products))

    def __floordiv__(self, other: "Range") -> "Range":
        """The quotient, rounded down. A divisor of 0 is undefined and not considered."""
        if other.low is None or other.low < 0:
            return -self // -other if other.high is not None and other.high <= 0 else Range()
        least, most = max(other.low, 1), other.high
        multiple, remainder, divisor = 1, 0, other.remainder
        if other.multiple == 0 and divisor and self.multiple % divisor == 0:
            multiple, remainder = self.multiple // divisor, self.remainder // divisor
        low, high = self.low, self.high
        low = None if low is None else _quotient(low, most if low >= 0 else least)
        high = None if high is None else _quotient(high, least if high >= 0 else most)
        return Range(multiple, remainder, low, high)

    def ceildiv(self, other: "Range") -> "Range":
        """The quotient, rounded up."""
        return -(-self // other)

    def truncdiv(self, other: "Range") -> "Range":
        """The quotient, rounded towards 0."""
        if self._ends[0] >= 0 and other._ends[0] >= 0:
            return self // other
        return (self // other).join(self.ceildiv(other))

    def rem(self, other: "Range") -> "Range":
        """The remainder, with the sign of the dividend, as `arith.remsi` has it."""
        low, high = self._ends
        if low >= 0 and high < other._ends[0]:
            return self
        most = max(abs(end) for end in other._ends) - 1
        multiple = gcd(self.multiple, other.divisor)
        low, high = (0 if low >= 0 else max(low, -most)), (0 if high <= 0 else min(high, most))
        return _made(multiple, self.remainder, low, high)

    def shifted(self, other: "Range") -> "Range":
        """The quotient by a power of two, rounded down, as `arith.shrsi` has it."""
        places = other.remainder if other.multiple == 0 else -1
        return self // Range(0, 2**places) if 0 <= places < INDEX_BITS else Range()

    def masked(self, other: "Range") -> "Range":
        """The bits that both have, as `arith.andi` has it: no more than a mask that is not negative.

        What is known of the other side is left out, so that a counter that wraps around has all of its
        numbers from the first turn of a loop on.
        """
        if self.multiple == other.multiple == 0:
            return Range(0, self.remainder & other.remainder)
        masks = [side for side in (self, other) if side._ends[0] >= 0]
        return Range(low=0, high=min(masks, key=lambda side: side.multiple).high) if masks else Range()

    def join(self, other: "Range") -> "Range":
        """What holds of a value that is in one or the other."""
        multiple = gcd(self.multiple, other.multiple, self.remainder - other.remainder)
        (a, b), (c, d) = self._ends, other._ends
        return _made(multiple, self.remainder, min(a, c), max(b, d))

    def minimum(self, other: "Range") -> "Range":
        for one, rest in ((self, other), (other, self)):
            if one._ends[1] <= rest._ends[0]:
                return one
        return self.join(other).within(Range(high=self.high)).within(Range(high=other.high))

    def maximum(self, other: "Range") -> "Range":
        return -(-self).minimum(-other)

    def widened(self, after: "Range") -> "Range":
        """What holds of a value that grew to another range, and may grow further."""
        low = self.low if after.low == self.low else None
        return Range(after.multiple, after.remainder, low, self.high if after.high == self.high else None)

    def within(self, other: "Range") -> "Range":
        """The members between the bounds of `other`."""
        (a, b), (c, d) = self._ends, other._ends
        return _made(self.multiple, self.remainder, max(a, c), min(b, d))


def _made(multiple: int, remainder: int, low: float, high: float) -> Range:
    """A range from bounds that are integers or infinite."""
    low_, high_ = (None if isinf(end) else int(end) for end in (low, high))
    return Range(multiple, remainder, low_, high_)


def _quotient(number: int, divisor: int | None) -> int:
    """The quotient, rounded down; by a divisor that is as large as can be, if it is `None`."""
    return number // (divisor or abs(number) + 1)


def _limits(kind: Attribute) -> Range:
    """The bounds of an integer or index type."""
    half = 2 ** ((kind.bitwidth if isinstance(kind, FixedBitwidthType) else INDEX_BITS) - 1)
    return Range(low=-half, high=half - 1)


def _wrapped(value: Range, kind: Attribute) -> Range:
    """What is left of an exact result in the type it has."""
    limits = _limits(kind)
    if not isinstance(kind, FixedBitwidthType) or (value.low in limits and value.high in limits):
        return value
    return Range(gcd(value.multiple, 2**kind.bitwidth), value.remainder, limits.low, limits.high)


_BINARY: dict[type[Operation], Callable[[Range, Range], Range]] = {
    arith.AddiOp: Range.__add__,
    arith.SubiOp: Range.__sub__,
    arith.MuliOp: Range.__mul__,
    arith.FloorDivSIOp: Range.__floordiv__,
    arith.CeilDivSIOp: Range.ceildiv,
    arith.DivSIOp: Range.truncdiv,
    arith.RemSIOp: Range.rem,
    arith.MinSIOp: Range.minimum,
    arith.MaxSIOp: Range.maximum,
    arith.ShRSIOp: Range.shifted,
    arith.AndIOp: Range.masked,
}
_ROUNDS = 3
"""How often what a loop carries may grow before its bounds that still grow are forgotten."""


class Ranges:
    """The ranges of values of one program, each found once: right as long as the program does not change.

    Of some values a range may be given that they are taken to have.
    """

    def __init__(self, given: Mapping[SSAValue, Range] | None = None) -> None:
        self._known: dict[SSAValue, Range] = dict(given or {})

    def multiple_of(self, value: SSAValue | int) -> int:
        """The largest literal known to divide an index, or the first of a span; 0 for the constant 0."""
        return self.of(value).divisor

    def of(self, value: SSAValue | int) -> Range:
        """The range of an index or integer, for a span of its first index; `Range()` of anything else."""
        if isinstance(value, int):
            return Range(0, value)
        pending, entered = [value], set[SSAValue]()
        while pending:  # a stack of its own: chains of operations are longer than Python's recursion is deep
            last = pending[-1]
            if last in self._known:
                pending.pop()
            elif last in entered:
                self._known[last] = self._found(last)
            else:
                entered.add(last)
                origin = _origin(last)
                pending += () if origin is None else origin.operands
        return self._known[value]

    def _found(self, value: SSAValue) -> Range:
        """The range of a value; those of its origin's operands are known."""
        op, bounds, dim = _origin(value), axis_bounds(value), _grid_dim(value)
        match op:
            case SpanOp():
                return self._tile(op)
            case CallOp() | EmitPipelineOp() if dim is not None:
                return _steps(Range(0, 0), self.of(op.grid[dim]), Range(0, 1))
            case scf.ForOp() if value is op.body.block.args[0]:
                return _steps(self.of(op.lb), self.of(op.ub), self.of(op.step))
            case ForiOp() if value is op.body.block.args[0]:
                begin, end = op.bounds
                return _steps(self.of(begin), self.of(end), Range(0, 1))
            case ForiOp():
                return self._carried(op)[_place(value, op)]
            case Operation() if bounds is not None:
                return self._axis(value, op, bounds)
            case Operation() if value.owner is op:
                return self._result(value, op)
            case _:
                return Range()

    def _result(self, value: SSAValue, op: Operation) -> Range:
        if type(op) in _BINARY and value.type != i1:
            limits = _limits(value.type) if isinstance(value.type, FixedBitwidthType) else Range()
            sides = [self.of(side).within(limits) for side in op.operands]
            return _wrapped(_BINARY[type(op)](*sides), value.type)
        match op:
            case arith.ConstantOp(value=IntegerAttr() as literal) | SplatOp(value=IntegerAttr() as literal):
                number = cast("IntegerAttr[IntegerType]", literal).value.data
                return _wrapped(Range(0, number), value.type)
            case arith.IndexCastOp() | arith.ExtSIOp() | arith.TruncIOp():
                source = op.operands[0]
                return _wrapped(self.of(source).within(_limits(source.type)), value.type)
            case arith.SelectOp() | SelectOp():
                return self.of(op.operands[1]).join(self.of(op.operands[2]))
            case MultipleOfOp():
                return self.of(op.value)
            case memref.DimOp():
                dim, shape = self.of(op.index), shape_of(op.source.type)
                sizes = {size for position, size in enumerate(shape) if position in dim}
                return Range(0, sizes.pop()) if len(sizes) == 1 and UNBOUND not in sizes else Range(low=0)
            case SegmentOp():
                return Range(low=0)
            case BoundOp():
                return self._side(op)
            case _:
                return Range()

    def _carried(self, op: ForiOp) -> list[Range]:
        """The ranges of what a loop carries: of what it begins with, and of what each turn makes of that."""
        ranges = [self.of(init) if _is_integer(init) else Range() for init in op.inits]
        last = yielded(op, op.body)
        turn = 0
        while True:
            inside = Ranges(self._known | dict(zip(op.carried, ranges, strict=True)))
            after = [
                each if each == Range() else each.join(inside.of(value))
                for each, value in zip(ranges, last, strict=True)
            ]
            if after == ranges:
                self._known |= inside._known
                return ranges
            turn += 1
            if turn > _ROUNDS:
                after = [a.widened(b) for a, b in zip(ranges, after, strict=True)]
            ranges = after if turn < 2 * _ROUNDS else [Range() for _ in ranges]

    def _side(self, op: BoundOp) -> Range:
        """The range of a side of a tile. One without a live lane, which `keep` allows, may be anywhere."""
        bounds, maker = axis_bounds(op.span), op.span.owner
        if op.side.data is Side.SIZE:
            return Range(low=1) if op.lanes == UNBOUND else Range(0, op.lanes)
        if bounds is None or (isinstance(maker, AxisOp | SpanOp) and maker.keep is not None):
            return Range()
        first = self.of(op.span).maximum(self.of(bounds.begin))
        if op.side.data is Side.BEGIN:
            return first
        if op.span in linear(op.result).factors:  # every tile is whole
            return first + Range(0, op.lanes)
        return Range(low=(first + Range(0, 1)).low, high=self.of(bounds.end).high)

    def _axis(self, value: SSAValue, op: Operation, bounds: IndexBounds) -> Range:
        """The range of an index axis, or of where the tiles of a tile axis begin."""
        begin, end, span = self.of(bounds.begin), self.of(bounds.end), span_of(value)
        size = Range(0, span.size if span else 1)
        if span is not None and span.size == UNBOUND:
            size = Range(low=1)
        if bounds.limit is not None:
            end = end.within(Range(high=(begin + Range(0, bounds.limit)).high))
        first = begin
        if isinstance(op, AxisOp) and op.aligned is not None:
            first = begin // size * size
        steps = _steps(first, end, size)
        return steps.join(first) if isinstance(op, AxisOp) and op.keep is not None else steps

    def _tile(self, op: SpanOp) -> Range:
        """The range of where a numbered tile begins. Without `keep` it has a lane between the bounds."""
        begin, end, size = self.of(op.bounds.begin), self.of(op.bounds.end), Range(0, op.result.type.size)
        start = self.of(op.index) * size
        if op.aligned is None:
            start = begin + start
        if op.keep is not None:
            return start
        lowest = begin if op.aligned is None else begin - size + Range(0, 1)
        return start.within(Range(low=lowest.low, high=(end - Range(0, 1)).high))


def _steps(begin: Range, end: Range, step: Range) -> Range:
    """The range of `begin`, `begin + step`, … below `end`."""
    return (begin + step * Range(low=0)).within(Range(low=begin.low, high=(end - Range(0, 1)).high))


def _is_integer(value: SSAValue) -> bool:
    return isinstance(value.type, IndexType | IntegerType)


def _place(value: SSAValue, op: ForiOp) -> int:
    """Which of the values that a loop carries a result or an argument of it is."""
    places = op.results_ if value.owner is op else op.carried
    return next(place for place, each in enumerate(places) if each is value)


def _origin(value: SSAValue) -> Operation | None:
    """The operation that made `value` from its operands: a loop, a kernel for a position in its grid."""
    op = value.owner if isinstance(value.owner, Operation) else value.owner.parent_op()
    return op if op is None or _grid_dim(value) is None else kernel_of(op)


def _grid_dim(value: SSAValue) -> int | None:
    """The dimension of the grid that a `program_id`, or an argument of an index map, is a position in."""
    if isinstance(value.owner, ProgramIdOp):
        return value.owner.dim.value.data
    if isinstance(value, BlockArgument) and isinstance(value.owner.parent_op(), BlockOp):
        return value.index
    return None
