"""What masks hold in parts of a step, by how far their rows lie after their columns, and what that decides.

A mask that compares positions of rows and columns, as a causal one, holds in all of some parts and in nothing
of others. Where it does not hold, scores may be the lowest of all: their exponentials are zero, and a part of
those alone adds nothing to a row.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite

from xdsl.dialects import arith, math
from xdsl.dialects.builtin import bf16, f16, f32
from xdsl.ir import Operation, SSAValue

from tilec.analysis.ranges import Range, Ranges
from tilec.dialects.tile.elementwise import CastOp, CompareOp, Relation, SelectOp
from tilec.dialects.tile.mixing import FillOp, ReduceOp, identity
from tilec.dialects.tile.places import GetOp, ScratchOp, SetOp
from tilec.dialects.tile.products import DotOp
from tilec.dialects.tile.syntax import ints_of, scalar_of
from tilec.dialects.tile.types import element_type, span_of
from tilec.dialects.tile.values import BroadcastOp, IndicesOp, SplatOp

_TURNED = {
    Relation.LT: Relation.GT,
    Relation.LE: Relation.GE,
    Relation.GT: Relation.LT,
    Relation.GE: Relation.LE,
}
FAR = 2**28
"""Numbers from which on a position plus them might not fit 32 bits, as an extent, or twice one, does."""


@dataclass(frozen=True)
class Mask:
    """A comparison that holds where a row lies `relation` to `number` after a column."""

    op: CompareOp
    relation: Relation
    number: int

    def holds(self, low: int | None, high: int | None) -> bool | None:
        """Whether it holds of all rows from `low` to `high` after their columns, or of none."""
        above = low is not None and low > self.number
        below = high is not None and high < self.number
        least = above or low == self.number
        most = below or high == self.number
        yes, no = {
            Relation.GE: (least, below),
            Relation.GT: (above, most),
            Relation.LE: (most, above),
            Relation.LT: (below, least),
            Relation.EQ: (least and most, above or below),
            Relation.NE: (above or below, least and most),
        }[self.relation]
        return True if yes else False if no else None


def masks_of(ops: Iterable[Operation], rows: SSAValue, cols: SSAValue) -> list[Mask]:
    """The comparisons of positions of rows with those of columns."""
    found: list[Mask] = []
    for op in ops:
        sides = [_position(side) for side in op.operands] if isinstance(op, CompareOp) else []
        (left, more), (right, less) = sides or ((None, 0), (None, 0))
        if not isinstance(op, CompareOp) or {left, right} != {rows, cols}:
            continue
        relation = op.relation.data
        if left is rows:
            found.append(Mask(op, relation, less - more))
        else:
            found.append(Mask(op, _TURNED.get(relation, relation), more - less))
    return found


def _position(value: SSAValue) -> tuple[SSAValue | None, int]:
    """The span whose positions a value has, and what is added to them."""
    match value.owner:
        case IndicesOp() as op:
            return op.span, 0
        case BroadcastOp() as op:
            return _position(op.value)
        case arith.AddiOp() | arith.SubiOp() as op if isinstance(op.rhs.owner, SplatOp):
            span, more = _position(op.lhs)
            number = int(scalar_of(op.rhs.owner.value))
            more += number if isinstance(op, arith.AddiOp) else -number
            return (span, more) if abs(more) < FAR else (None, 0)
        case _:
            return None, 0


def offsets_of(masks: Sequence[Mask], rows: SSAValue, cols: SSAValue, few: int) -> list[Range]:
    """How far the first row of a tile may lie after its first column, in cases: those of which all masks hold
    everywhere in the tile or nowhere, and others, each by itself if they are few.
    """
    ranges = Ranges()
    every, sizes = ranges.of(rows) - ranges.of(cols), (size_of(rows), size_of(cols))
    if not masks or every.multiple == 0:
        return [every]
    numbers = [mask.number for mask in masks]
    near = [
        offset
        for offset in range(min(numbers) - sizes[0], max(numbers) + sizes[1] + 1)
        if offset in every
        and any(mask.holds(offset - sizes[1] + 1, offset + sizes[0] - 1) is None for mask in masks)
    ]
    if not near:
        return [every]
    # Between those that two masks go through there may be others, of which all masks hold.
    middle = [offset for offset in range(near[0], near[-1] + 1) if offset in every]
    single = [Range(0, each) for each in middle]
    between = single if len(middle) <= few else [Range(low=near[0], high=near[-1])]
    above = Range(every.multiple, every.remainder, low=near[-1] + 1)
    below = Range(every.multiple, every.remainder, high=near[0] - 1)
    return [each for each in (*between, above, below) if not _apart(each, every)]


def _apart(one: Range, other: Range) -> bool:
    """Whether two ranges have nothing in common by their bounds."""
    pairs = ((one.high, other.low), (other.high, one.low))
    return any(high is not None and low is not None and high < low for high, low in pairs)


def size_of(span: SSAValue) -> int:
    """The lanes of a span."""
    kind = span_of(span)
    assert kind is not None
    return kind.size


class Alike:
    """What lanes hold of which it is known, where some values are `given`."""

    def __init__(self, given: Mapping[SSAValue, float]):
        self.given = given

    def of(self, value: SSAValue) -> float | None:
        """What all of these lanes hold: 0 or 1 of a mask."""
        if value in self.given:
            return self.given[value]
        match value.owner:
            case SplatOp() as op:
                return scalar_of(op.value)
            case SelectOp() as op:
                mask = self.of(op.condition)
                return None if mask is None else self.of(op.true if mask else op.false)
            case FillOp() as op:
                other = op.other.owner
                held = self.of(op.value)
                same = isinstance(other, arith.ConstantOp) and scalar_of(other.value) == held
                return held if same else None
            case arith.AndIOp() as op:
                return 0 if 0 in (self.of(op.lhs), self.of(op.rhs)) else None
            case CastOp() as op:
                held = self.of(op.value)
                infinite = held == -inf and element_type(op.result.type) in (f32, bf16, f16)
                return held if held == 0 or infinite else None
            case arith.SubfOp() as op:
                return -inf if self.of(op.lhs) == -inf and _rows_above_lowest(op.rhs) else None
            case arith.MulfOp() | arith.DivfOp() as op:
                factor = self.of(op.rhs)
                known = factor is not None and isfinite(factor) and factor > 0
                return -inf if known and self.of(op.lhs) == -inf else None
            case math.ExpOp() | math.Exp2Op() as op:
                return 0 if self.of(op.operand) == -inf else None
            case _:
                return None

    def adds_nothing(self, ops: Sequence[Operation]) -> bool:
        """Whether nothing that mixes these lanes gets anything of them."""
        for op in ops:
            if isinstance(op, ReduceOp):
                neutral = identity(op.kind.data, element_type(op.value.type))
                if self.of(op.value) != neutral:
                    return False
            if isinstance(op, DotOp) and op.contracted == (1, 0) and self.of(op.lhs) != 0:
                return False
        return True


def _rows_above_lowest(value: SSAValue) -> bool:
    """Whether what each row has in all columns is more than the lowest of all, or a NaN. Of what differs
    between columns, lanes that are not live may be NaN where those that are live are not.
    """
    match value.owner:
        case SplatOp():
            return is_above_lowest(value)
        case BroadcastOp() as op:
            return ints_of(op.dims) == (0,) and is_above_lowest(op.value)
        case _:
            return False


def is_above_lowest(value: SSAValue, asked: frozenset[SSAValue] = frozenset()) -> bool:
    """Whether a value is more than the lowest of all in every lane, or a NaN: as a maximum with a number is,
    and scratch that only holds such."""
    match value.owner:
        case SplatOp() as op:
            return scalar_of(op.value) > -inf
        case BroadcastOp() as op:
            return is_above_lowest(op.value, asked)
        case arith.MaximumfOp() as op:
            return is_above_lowest(op.lhs, asked) or is_above_lowest(op.rhs, asked)
        case GetOp() as op if isinstance(op.ref.owner, ScratchOp):
            sets = [use.operation for use in op.ref.uses if not isinstance(use.operation, GetOp)]
            inner = asked | {op.ref}
            return op.ref in asked or all(
                isinstance(each, SetOp) and is_above_lowest(each.value, inner) for each in sets
            )
        case _:
            return False
