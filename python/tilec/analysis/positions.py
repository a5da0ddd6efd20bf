"""Tiles of integers as linear forms: what position each lane names.

Along each dimension that came from a span a lane's integer may be a multiple of the span's index, along
another one of the lane's number, and what is left is the same for all lanes: `128 * %m + %n + 4 * %g + 1`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from xdsl.dialects import arith
from xdsl.dialects.builtin import FloatAttr, IndexType, IntegerAttr, i32, i64
from xdsl.ir import Attribute, Operation, SSAValue

from tilec.analysis.affine import Linear, linear
from tilec.dialects.tile.elementwise import CastOp
from tilec.dialects.tile.mixing import Combine, ScanOp
from tilec.dialects.tile.syntax import ints_of, scalar_of
from tilec.dialects.tile.types import element_type, shape_of, span_names
from tilec.dialects.tile.values import BroadcastOp, IndicesOp, ReshapeOp, SplatOp, TransposeOp


@dataclass(frozen=True)
class Positions:
    """`scalar + sum(factor * index)`: for some dimensions of a tile the span and a factor other than 0.

    `lanes` has the factors of dimensions of no span, where the index is the number of the lane, from 0.
    """

    scalar: Linear = field(default_factory=Linear)
    spans: Mapping[int, tuple[SSAValue, int]] = field(default_factory=dict[int, tuple[SSAValue, int]])
    lanes: Mapping[int, int] = field(default_factory=dict[int, int])

    def __add__(self, other: "Positions") -> "Positions":
        """The sum, of two tiles of one type: those of their dimensions that came from spans agree."""
        spans = dict(self.spans)
        for dim, (span, factor) in other.spans.items():
            spans[dim] = (span, factor + spans.get(dim, (span, 0))[1])
        lanes = dict(self.lanes)
        for dim, factor in other.lanes.items():
            lanes[dim] = factor + lanes.get(dim, 0)
        return Positions(
            self.scalar + other.scalar,
            {dim: each for dim, each in spans.items() if each[1]},
            {dim: factor for dim, factor in lanes.items() if factor},
        )

    def times(self, factor: int) -> "Positions":
        if factor == 0:
            return Positions()
        spans = {dim: (span, each * factor) for dim, (span, each) in self.spans.items()}
        lanes = {dim: each * factor for dim, each in self.lanes.items()}
        return Positions(self.scalar.times(factor), spans, lanes)

    def moved(self, places: Mapping[int, int]) -> "Positions":
        """The form of a tile whose dimension `dim` is dimension `places[dim]` of another."""
        spans = {places[dim]: each for dim, each in self.spans.items()}
        return Positions(self.scalar, spans, {places[dim]: each for dim, each in self.lanes.items()})

    @property
    def literal(self) -> int | None:
        """What every lane is, if it depends on nothing."""
        return None if self.spans or self.lanes else self.scalar.literal


def positions(value: SSAValue) -> Positions | Operation | None:
    """The linear form of a tile of integers, or of a scalar.

    Else the operation that keeps it from having one, `None` where that is no operation.
    """
    if not shape_of(value.type):
        return Positions(linear(value)) if is_wide(value.type) else _origin(value)
    op = value.owner
    match op:
        case _ if not is_wide(element_type(value.type)):
            return _origin(value)
        case IndicesOp():
            return Positions(spans={0: (op.operands[0], 1)})
        case SplatOp() if not isinstance(op.value, FloatAttr):
            return Positions(Linear(int(scalar_of(op.value))))
        case arith.AddiOp() | arith.SubiOp() | arith.MuliOp():
            return _binary(op)
        case arith.IndexCastOp() | arith.ExtSIOp() | arith.TruncIOp() | CastOp():
            return positions(op.operands[0])
        case BroadcastOp() | TransposeOp() | ReshapeOp():
            return _reshaped(op)
        case ScanOp() if op.kind.data is Combine.ADD:
            return _counted(op)
        case _:
            return _origin(value)


def literal_of(value: SSAValue) -> int | None:
    """The number that a value is, in all lanes, where the program says it."""
    match value.owner:
        case arith.ConstantOp(value=IntegerAttr() as literal) | SplatOp(value=IntegerAttr() as literal):
            return literal.value.data
        case BroadcastOp() as op:
            return literal_of(op.value)
        case _:
            return None


def is_wide(kind: Attribute) -> bool:
    """Whether an integer type is wide enough that positions do not wrap around in it."""
    return kind in (IndexType(), i32, i64)


def _origin(value: SSAValue) -> Operation | None:
    return value.owner if isinstance(value.owner, Operation) else None


def _binary(op: arith.AddiOp | arith.SubiOp | arith.MuliOp) -> Positions | Operation | None:
    lhs, rhs = positions(op.lhs), positions(op.rhs)
    if not isinstance(lhs, Positions):
        return lhs
    if not isinstance(rhs, Positions):
        return rhs
    if isinstance(op, arith.AddiOp):
        return lhs + rhs
    if isinstance(op, arith.SubiOp):
        return lhs + rhs.times(-1)
    for one, other in ((lhs, rhs), (rhs, lhs)):
        if one.literal is not None:
            return other.times(one.literal)
    return op


def _counted(op: ScanOp) -> Positions | Operation:
    """A running sum of one literal: its multiples, from the first on."""
    form, dim = positions(op.value), op.dim.value.data
    step = form.literal if isinstance(form, Positions) else None
    if step is None or op.reverse is not None or span_names(op.result.type)[dim] is not None:
        return op
    lanes = {dim: step} if step and shape_of(op.result.type)[dim] > 1 else {}
    return Positions(Linear(step), lanes=lanes)


def _reshaped(op: BroadcastOp | TransposeOp | ReshapeOp) -> Positions | Operation | None:
    form, source, target = positions(op.operands[0]), op.operands[0].type, op.results[0].type
    if not isinstance(form, Positions):
        return form
    if isinstance(op, BroadcastOp):
        return form.moved(dict(enumerate(ints_of(op.dims))))
    if isinstance(op, TransposeOp):
        return form.moved({dim: place for place, dim in enumerate(ints_of(op.perm))})
    before, after = _kept(source), _kept(target)
    if [pair for _, pair in before] != [pair for _, pair in after]:
        return op if form.spans or form.lanes else form
    return form.moved({dim: place for (dim, _), (place, _) in zip(before, after, strict=True)})


def _kept(kind: Attribute) -> list[tuple[int, tuple[int, str | None]]]:
    """The dimensions of a tile that are more than one lane of no span, with extent and span."""
    pairs = zip(shape_of(kind), span_names(kind), strict=True)
    return [(dim, pair) for dim, pair in enumerate(pairs) if pair != (1, None)]
