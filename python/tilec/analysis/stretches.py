"""Ranges that are segments, or as long: how many tiles all have together follows from the arrays' rows."""

from dataclasses import dataclass
from itertools import product

from xdsl.dialects import arith
from xdsl.ir import OpResult, SSAValue

from tilec.analysis.affine import begins_in, ends_in, linear
from tilec.dialects.tile.arrays import SegmentOp
from tilec.dialects.tile.schedule import AxisOp
from tilec.dialects.tile.syntax import Bounds
from tilec.dialects.tile.types import span_of


@dataclass(frozen=True)
class Stretch:
    """A range in tiles of `size` that is a segment, or a part of one, or no longer and `moved` elsewhere."""

    segment: SegmentOp
    size: int
    moved: bool


def stretches_of(axis: AxisOp, size: int) -> list[Stretch] | None:
    """The segments whose tiles of `size` an axis goes through, one after the other."""
    bounds = axis.axis.bounds
    if isinstance(bounds.end, int):
        return None
    found = stretch(bounds.begin, bounds.end, size)
    if found is not None:
        return [found]
    return _counted(bounds.end) if linear(bounds.begin).literal == 0 and not span_of(axis.result) else None


def _counted(count: SSAValue) -> list[Stretch] | None:
    """The segments whose tiles are counted, as for loops that follow each other."""
    match count.owner:
        case arith.AddiOp() as op:
            first, second = _counted(op.lhs), _counted(op.rhs)
            return None if first is None or second is None else first + second
        case arith.MaxSIOp() as op if linear(op.rhs).literal == 1:
            return _counted(op.lhs)
        case arith.CeilDivSIOp(lhs=OpResult(op=arith.SubiOp() as length)) as op:
            size = linear(op.rhs).literal
            if size is None or size < 1:
                return None
            found = stretch(_unaligned(length.rhs, size), length.lhs, size)
            return None if found is None else [found]
        case _:
            return None


def stretch(begin: SSAValue | int, end: SSAValue, size: int) -> Stretch | None:
    """The segment that a range is, or a segment that is no shorter."""
    if not isinstance(begin, int) and isinstance(begin.owner, SegmentOp):
        return Stretch(begin.owner, size, moved=False) if _is_within(end, begin.owner) else None
    if isinstance(end.owner, arith.SelectOp):  # a loop that a condition may leave without iterations
        sides = [side for side in (end.owner.lhs, end.owner.rhs) if linear(side) != linear(begin)]
        return stretch(begin, sides[0], size) if len(sides) == 1 else None
    bounds = Bounds[SSAValue](begin, end)
    for stop, start in product(ends_in(bounds), begins_in(bounds)):
        length = linear(stop) - linear(start)
        for op in [leaf.owner for leaf in length.factors if isinstance(leaf, SSAValue)]:
            if isinstance(op, SegmentOp) and op.last is None:
                room = (linear(op.end) - linear(op.begin) - length).literal
                if room is not None and room >= 0:
                    return Stretch(op, size, moved=True)
    return None


def _is_within(end: SSAValue, segment: SegmentOp) -> bool:
    """Whether an end is surely not behind the segment's."""
    match end.owner:
        case arith.MinSIOp() as op:
            return _is_within(op.lhs, segment) or _is_within(op.rhs, segment)
        case arith.SelectOp() as op:
            return _is_within(op.lhs, segment) and _is_within(op.rhs, segment)
        case owner:
            return owner is segment


def _unaligned(begin: SSAValue, size: int) -> SSAValue:
    """What `begin / size * size` is made of; else the value."""
    match begin.owner:
        case arith.MuliOp(lhs=OpResult(op=arith.FloorDivSIOp() as op), rhs=factor):
            whole = linear(op.rhs).literal == linear(factor).literal == size
            return op.lhs if whole else begin
        case _:
            return begin
