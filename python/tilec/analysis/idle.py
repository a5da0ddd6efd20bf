"""From which index on an axis does nothing: all that its iterations would write is masked.

An axis `0 to longest` whose writes have a mask `index < length` may as well end at `length`. It would not
change a lane below, if lanes do not mix along the axis, and if an inner axis that ends with a tile of it adds
nothing from `length` on either: what it carries comes out of such lanes as it went in.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import TypeAlias

from xdsl.dialects import arith
from xdsl.dialects.builtin import FloatAttr, IntegerAttr, i1
from xdsl.ir import Block, Operation, SSAValue

from tilec.analysis.affine import Linear
from tilec.analysis.order import Sides, holds
from tilec.analysis.positions import Positions, positions
from tilec.analysis.within import conjuncts, mask_of
from tilec.dialects.tile.access import AccessOp
from tilec.dialects.tile.arrays import ReadOp
from tilec.dialects.tile.bound import BoundOp, Side
from tilec.dialects.tile.elementwise import CastOp, CompareOp, Relation, SelectOp
from tilec.dialects.tile.loops import ForOp, LoopOp
from tilec.dialects.tile.mixing import Combine, ReduceOp, ScanOp, identity
from tilec.dialects.tile.products import DotOp
from tilec.dialects.tile.scans import AssociativeScanOp
from tilec.dialects.tile.syntax import scalar_of
from tilec.dialects.tile.types import JaggedSpanType, element_type, span_names, span_of
from tilec.dialects.tile.values import (
    BroadcastOp,
    IndicesOp,
    ReshapeOp,
    SplatOp,
    TransposeOp,
)

Constant: TypeAlias = float | int


def idle_from(loop: LoopOp, span: SSAValue) -> Linear | str:
    """The index from which on a tile axis of a loop that writes does nothing; else why there is none."""
    writes = [op for op in loop.body.walk() if isinstance(op, AccessOp) and op.writes]
    limits = [list(_limits(op, span)) for op in writes]
    common = next((each for each in limits[0] if all(each in others for others in limits)), None)
    if common is None:
        return "not all that it writes is masked from one index on"
    return _entangled(loop, span, common) or common


def _limits(op: AccessOp, span: SSAValue) -> Iterator[Linear]:
    """The indices of a span from which on a mask leaves all lanes out."""
    mask = mask_of(op)
    for part in _conjuncts(mask) if mask is not None else ():
        compare = part.owner
        if not isinstance(compare, CompareOp):
            continue
        lhs, rhs = positions(compare.lhs), positions(compare.rhs)
        if not isinstance(lhs, Positions) or not isinstance(rhs, Positions):
            continue
        gap = lhs + rhs.times(-1)
        sign = -1 if compare.relation.data in (Relation.GT, Relation.GE) else 1
        if [*gap.spans.values()] != [(span, sign)] or gap.lanes:
            continue
        strict = {Relation.LT: 0, Relation.GT: 0, Relation.LE: 1, Relation.GE: 1}.get(compare.relation.data)
        if strict is not None:
            yield gap.scalar.times(-sign) + Linear(strict)


def _conjuncts(mask: SSAValue) -> Iterator[SSAValue]:
    """The comparisons that all hold where a mask does."""
    for part in conjuncts(mask):
        source = part.owner
        if isinstance(source, BroadcastOp | TransposeOp | ReshapeOp):
            yield from _conjuncts(source.operands[0])
        else:
            yield part


def _entangled(loop: LoopOp, span: SSAValue, limit: Linear) -> str | None:
    """Why lanes of an axis below a limit may depend on those that are not."""
    axis = span_of(span)
    name = "" if axis is None else axis.axis
    for op in loop.body.walk():
        if _mixes(op, name):
            return f"{op.name} mixes its lanes"
        inner = span_of(op.axis.value) if isinstance(op, ForOp) else None
        if isinstance(inner, JaggedSpanType) and inner.parent == name:
            return "another axis is jagged of it"
    for use in span.uses:
        if isinstance(use.operation, BoundOp) and use.operation.side.data is Side.END:
            reason = _depends(use.operation, span, limit)
            if reason is not None:
                return reason
        elif not isinstance(use.operation, BoundOp | IndicesOp | AccessOp):
            return f"{use.operation.name} depends on its tiles"
    return None


def _mixes(op: Operation, name: str) -> bool:
    """Whether lanes of a result may depend on other lanes along an axis, as where a value has it twice."""
    if any(span_names(value.type).count(name) > 1 for value in (*op.operands, *op.results)):
        return True
    if isinstance(op, ScanOp | AssociativeScanOp):
        return op.axis_name == name
    if isinstance(op, AccessOp | LoopOp) or not op.results:
        return False
    taken = [value for value in op.operands if name in span_names(value.type)]
    return bool(taken) and any(name not in span_names(value.type) for value in op.results)


def _depends(end: BoundOp, span: SSAValue, limit: Linear) -> str | None:
    """Why it may matter that tiles end earlier: where they end, only loops may do that then idle."""
    for use in end.result.uses:
        inner = use.operation
        if not isinstance(inner, ForOp) or inner.axis.bounds.end is not end.result:
            return f"{inner.name} depends on where its tiles end"
        inner_span = inner.axis.value
        if span_of(inner_span) is None or inner.axis.bounds.begin is end.result:
            return f"axis {inner.axis.name} ends where its tiles do"
        below = Linear(limit.constant - 1, limit.factors)
        if not _Idle(inner, Sides({span: [below]}, {inner_span: [limit]})).proven():
            return f"axis {inner.axis.name} ends where its tiles do, and may do something beyond"
    return None


@dataclass(frozen=True)
class _Same:
    """What a loop carries, as it went in."""

    number: int


_Meaning: TypeAlias = "Constant | _Same | None"


class _Idle:
    """What an inner loop computes where its indices are beyond what is known of them."""

    def __init__(self, loop: ForOp, sides: Sides):
        self.loop, self.sides = loop, sides
        span = span_of(loop.axis.value)
        self.name = "" if span is None else span.axis
        self._known: dict[SSAValue, _Meaning] = {}
        self._late: set[SSAValue] = set()  # what depends on all lanes of a tile, also on those before
        for op in loop.body.block.ops:
            if _mixes(op, self.name) or any(value in self._late for value in op.operands):
                self._late.update(op.results)

    def proven(self) -> bool:
        """Whether it writes nothing, and carries on what it did, lane by lane and as a whole."""
        if any(isinstance(op, AccessOp) and op.writes for op in self.loop.body.walk()):
            return False
        if any(op.regions for op in self.loop.body.block.ops):
            return False
        if any(
            isinstance(use.operation, BoundOp) and use.operation.side.data is Side.END
            for use in self.loop.axis.value.uses
        ):
            return False
        mixing = [op for op in self.loop.body.block.ops if _mixes(op, self.name)]
        neutral = all(self._adds_nothing(op) for op in mixing)
        return neutral and all(
            self._of(value) == _Same(number) for number, value in enumerate(self.loop.yielded)
        )

    def _adds_nothing(self, op: Operation) -> bool:
        """Whether lanes beyond add nothing to what an operation makes of all lanes."""
        match op:
            case ReduceOp():
                lanes = self._in_lanes(op.value)
                return lanes is not None and lanes == identity(op.kind.data, element_type(op.value.type))
            case DotOp():
                sides = [self._in_lanes(side) for side in (op.lhs, op.rhs)]
                return all(side is not None and isfinite(side) for side in sides) and 0 in sides
            case _:
                return False

    def _in_lanes(self, value: SSAValue) -> Constant | None:
        """What all lanes beyond are: of a value of the axis, of which no lane depends on others."""
        if self.name not in span_names(value.type) or value in self._late:
            return None
        found = self._of(value)
        return None if isinstance(found, _Same) else found

    def _of(self, value: SSAValue) -> _Meaning:
        """What a value is beyond, where that is known."""
        if value not in self._known:
            self._known[value] = None
            self._known[value] = self._found(value)
        return self._known[value]

    def _found(self, value: SSAValue) -> _Meaning:
        op = value.owner
        if isinstance(op, Block):
            carried = list(self.loop.carried)
            return _Same(carried.index(value)) if value in carried else None
        match op:
            case SplatOp(value=IntegerAttr() | FloatAttr() as literal):
                return scalar_of(literal)
            case arith.ConstantOp(value=IntegerAttr() | FloatAttr() as literal):
                return scalar_of(literal)
            case CompareOp():
                truth = holds(op, self.sides)
                return None if truth is None else int(truth)
            case arith.AndIOp() if element_type(value.type) == i1:
                sides = [self._of(side) for side in op.operands]
                return 0 if 0 in sides else 1 if sides == [1, 1] else None
            case SelectOp():
                return self._chosen(op)
            case BroadcastOp() | TransposeOp() | ReshapeOp():
                found = self._of(op.operands[0])
                return None if isinstance(found, _Same) else found
            case CastOp() | arith.IndexCastOp() if self._of(op.operands[0]) in (0, 1):
                return self._of(op.operands[0])
            case ReadOp():
                return self._read(op)
            case _:
                return self._combined(op)

    def _chosen(self, op: SelectOp) -> _Meaning:
        chosen = self._of(op.condition)
        return None if chosen not in (0, 1) else self._of(op.true if chosen else op.false)

    def _read(self, op: ReadOp) -> _Meaning:
        """What an access reads whose mask leaves all lanes out."""
        if op.mask is None or op.other is None or self._of(op.mask) != 0:
            return None
        return self._of(op.other)

    def _combined(self, op: Operation) -> _Meaning:
        """What comes of something that is carried and what adds nothing to it."""
        if isinstance(op, DotOp) and op.acc is not None and _mixes(op, self.name):
            return self._of(op.acc) if self._adds_nothing(op) else None
        if isinstance(op, ReduceOp) and _mixes(op, self.name) and self._adds_nothing(op):
            return self._of(op.value)
        kind = _COMBINES.get(type(op))
        if kind is None:
            return None
        sides = [self._of(side) for side in op.operands]
        neutral = identity(kind, element_type(op.results[0].type))
        kept = [side for side in sides if side != neutral]
        return kept[0] if len(kept) == 1 and isinstance(kept[0], _Same) else None


_COMBINES: Mapping[type[Operation], Combine] = {
    arith.AddfOp: Combine.ADD,
    arith.AddiOp: Combine.ADD,
    arith.MulfOp: Combine.MUL,
    arith.MuliOp: Combine.MUL,
    arith.MaximumfOp: Combine.MAX,
    arith.MaxSIOp: Combine.MAX,
    arith.MinimumfOp: Combine.MIN,
    arith.MinSIOp: Combine.MIN,
}
