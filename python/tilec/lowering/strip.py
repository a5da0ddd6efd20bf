"""One strip of a step's rows, in parts of its columns: rows lie along lanes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xdsl.dialects import arith
from xdsl.dialects.builtin import TensorType, i32
from xdsl.ir import Attribute, Operation, SSAValue

from tilec.analysis.strips import Strips, name_of
from tilec.dialects import pallas
from tilec.dialects.tile.elementwise import CastOp, CompareOp, Relation, SelectOp
from tilec.dialects.tile.mixing import FillOp, ReduceOp
from tilec.dialects.tile.places import GetOp, SetOp
from tilec.dialects.tile.products import DotOp
from tilec.dialects.tile.schedule import WindowOp
from tilec.dialects.tile.syntax import scalar_of
from tilec.dialects.tile.types import element_type, shape_of, value_type
from tilec.dialects.tile.values import BroadcastOp, IndicesOp, ReshapeOp, SplatOp, TransposeOp
from tilec.lowering.scalars import Scalars
from tilec.rewriting.combining import COMBINERS
from tilec.rewriting.index import Index, IndexBuilder

Carried = dict[SSAValue, SSAValue]
"""Values of the step as they are for a strip, or for a part of its columns."""


@dataclass(frozen=True)
class Columns:
    """The first `count` columns, of which at least `least` are live, which is more than `above`."""

    above: int
    count: int
    least: int

    def parts(self, size: int) -> range:
        """Where the parts of these columns begin."""
        return range(0, self.count, size)


@dataclass(frozen=True)
class StripPlan:
    """What all strips of a step have in common.

    `places` are the references behind windows, `kept` those to scores; `sizes` are the rows of a strip and
    the columns of a part; `scalars` are those of the step, which come before all strips.
    """

    strips: Strips
    places: Mapping[SSAValue, SSAValue]
    kept: Mapping[SSAValue, SSAValue]
    sizes: tuple[int, int]
    scalars: Scalars


class Strip:
    """One strip, from row `row` on: `values` that it has so far, without those of one part of its columns.

    Sums over columns are in `values` as they are after the latest part.
    """

    def __init__(self, plan: StripPlan, columns: Columns, row: Index, ops: list[Operation]):
        self.plan = plan
        self.columns = columns
        self.names = (name_of(plan.strips.rows), name_of(plan.strips.cols))
        self.sizes = plan.sizes
        self.row = row
        self.ops = ops
        self.column = 0
        self.values: Carried = {}
        self.scores: Carried = {}
        self.anew: Carried = {}

    def is_part(self, op: Operation) -> bool:
        """Whether an operation has columns, and is done for each part of them."""
        kinds = self.plan.strips.kinds
        return any(self.names[1] in kinds.get(value, ()) for value in (*op.operands, *op.results))

    def rows_only(self, ops: Sequence[Operation]) -> list[Operation]:
        """Do those of `ops` that have no columns and all that they need; returns those that have to wait."""
        waiting: list[Operation] = []
        self.anew.clear()
        for op in [each for each in ops if not self.is_part(each)]:
            if all(self._has(value) for value in op.operands):
                self.lower(op)
            else:
                waiting.append(op)
        return waiting

    def _has(self, value: SSAValue) -> bool:
        owner = value.owner
        return value in self.values or owner in self.plan.strips.anew or isinstance(owner, WindowOp)

    def read(self, column: int) -> None:
        """Begin the second part for some columns, with the scores that the first has left."""
        for value, ref in self.plan.kept.items():
            self.scores[value] = self._emit(pallas.LoadOp(ref, self._columns(column)), value)

    def part(self, ops: Sequence[Operation], column: int) -> None:
        """Do those of `ops` that have columns, for those from `column` on."""
        self.column = column
        self.anew.clear()
        for op in ops:
            if self.is_part(op):
                self.lower(op)
            for value in op.results:
                if value in self.plan.kept:
                    place = self._columns(column)
                    self._put(pallas.StoreOp(self.scores[value], self.plan.kept[value], place), op)

    def lower(self, op: Operation) -> None:
        """Lower one operation, for the columns of this part if it has any."""
        match op:
            case SetOp():
                self._set(op)
                return
            case DotOp() if self.names[1] in self.plan.strips.kinds[op.result]:
                lhs, rhs = self._loaded(op.lhs), self._loaded(op.rhs)
                left, right = op.contracted
                made = self._emit(DotOp(rhs, lhs, None, (right, left), op.precision.data), op.result)
            case DotOp():
                self._add_product(op)
                return
            case ReduceOp():
                self._add(op)
                return
            case FillOp():
                made = self._filled(op, self._get(op.value))
            case _:
                made = self._computed(op)
        (self.scores if self.is_part(op) else self.values)[op.results[0]] = made

    def _computed(self, op: Operation) -> SSAValue:
        """What an operation makes of each lane."""
        result = op.results[0]
        match op:
            case SplatOp():
                made: Operation = SplatOp(scalar_of(op.value), self._type(result))
            case IndicesOp():
                return self._indices(op)
            case BroadcastOp() if not isinstance(op.value.type, TensorType):
                made = BroadcastOp(self.plan.scalars.value(op.value), [], self._type(result))
            case BroadcastOp():
                value = self._get(op.value)
                if value.type == self._type(result):
                    return value
                made = BroadcastOp(value, [0, 1], self._type(result))
            case _:
                made = type(op).create(
                    operands=[self._get(value) for value in op.operands],
                    result_types=[self._type(value) for value in op.results],
                    properties=op.properties,
                )
        return self._emit(made, result)

    def _indices(self, op: IndicesOp) -> SSAValue:
        """The positions of rows, 1 x rows, or of columns, the same for all rows."""
        of_rows = op.span is self.plan.strips.rows
        shape = list(shape_of(self._type(op.result)))
        lanes = self._emit(pallas.IotaOp(shape, 1 if of_rows else 0), op.result)
        build = IndexBuilder(self.ops, op.location)
        first = build.add(self.plan.scalars.span(op.span).start, self.row if of_rows else self.column)
        return self._emit(arith.AddiOp(lanes, self._wide(build.value(first), shape, op)), op.result)

    def _filled(self, op: FillOp, value: SSAValue) -> SSAValue:
        """A value of which columns that are not live are filled: none where all of the part surely are."""
        if self.column + self.sizes[1] <= self.columns.least:
            return value
        span = self.plan.scalars.span(op.span)
        shape = list(shape_of(value.type))
        lanes = self._emit(pallas.IotaOp(shape, 0), op.result)
        build = IndexBuilder(self.ops, op.location)
        stop = build.value(build.sub(build.sub(span.end, span.start), self.column))
        live = self._emit(CompareOp(Relation.LT, lanes, self._wide(stop, shape, op)), op.result)
        kind = value_type(element_type(value.type), shape, [None] * 2)
        other = self._emit(BroadcastOp(self.plan.scalars.value(op.other), [], kind), op.result)
        return self._emit(SelectOp(live, value, other), op.result)

    def _wide(self, index: SSAValue, shape: Sequence[int], like: Operation) -> SSAValue:
        """An index in all lanes."""
        narrow = arith.IndexCastOp(index, i32)
        wide = BroadcastOp(narrow.result, [], value_type(i32, shape, [None] * len(shape)))
        self._put(narrow, like)
        self._put(wide, like)
        return wide.result

    def _add_product(self, op: DotOp) -> None:
        values, weights = self._loaded(op.rhs), self._get(op.lhs)
        before = self.values.get(op.result) if self.column else None if op.acc is None else self._get(op.acc)
        product = DotOp(values, weights, before, (0, 0), op.precision.data)
        self.values[op.result] = self._emit(product, op.result)

    def _add(self, op: ReduceOp) -> None:
        """Add what a reduction makes of some columns to what it made of those before."""
        value = self._get(op.value)
        flat = self._emit(ReduceOp(op.kind.data, value, [0]), op.result)
        made = self._emit(ReshapeOp(flat, self._type(op.result)), op.result)
        if self.column:
            both = COMBINERS[op.kind.data, True](self.values[op.result], made)
            made = self._emit(both, op.result)
        self.values[op.result] = made

    def _set(self, op: SetOp) -> None:
        value = self._get(op.value)
        element = element_type(self.plan.places[op.ref].type)
        if element_type(value.type) != element:
            value = self._emit(CastOp(value, element), op.value)
        turned = self._emit(TransposeOp(value, [1, 0]), op.value)
        place = [pallas.Ds(self.row, self.sizes[0]), None]
        self._put(pallas.StoreOp(turned, self.plan.places[op.ref], place), op)

    def _loaded(self, value: SSAValue) -> SSAValue:
        """Rows or columns of a window, as they lie there."""
        owner = value.owner
        if isinstance(owner, FillOp):
            return self._filled(owner, self._loaded(owner.value))
        assert isinstance(owner, GetOp)
        of_rows = self.names[0] in self.plan.strips.kinds[value]
        place = [pallas.Ds(self.row, self.sizes[0]), None] if of_rows else self._columns(self.column)
        return self._emit(pallas.LoadOp(self.plan.places[owner.ref], place), value)

    def _columns(self, column: int) -> list[pallas.Ds | None]:
        return [pallas.Ds(column, self.sizes[1]), None]

    def _get(self, value: SSAValue) -> SSAValue:
        if value in self.scores or value in self.values:
            return self.scores[value] if value in self.scores else self.values[value]
        if value not in self.anew:
            assert isinstance(value.owner, Operation)
            self.anew[value] = self._computed(value.owner)
        return self.anew[value]

    def _type(self, value: SSAValue) -> Attribute:
        """The type of a value's part: what has columns has them first, rows come last."""
        names, shape = self.plan.strips.kinds[value], shape_of(value.type)
        other = next((extent for name, extent in zip(names, shape, strict=True) if name is None), 1)
        first = self.sizes[1] if self.names[1] in names else other
        return value_type(element_type(value.type), [first, self.sizes[0]], [None, None])

    def _emit(self, op: Operation, like: SSAValue) -> SSAValue:
        assert isinstance(like.owner, Operation)
        op.location, op.results[0].name_hint = like.owner.location, like.name_hint
        self.ops.append(op)
        return op.results[0]

    def _put(self, op: Operation, like: Operation) -> None:
        op.location = like.location
        self.ops.append(op)
