"""One strip of a step's rows, in parts of its columns: rows lie along lanes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xdsl.dialects import arith
from xdsl.dialects.builtin import TensorType, i32
from xdsl.ir import Attribute, Operation, SSAValue

from tilec.analysis.ranges import Range
from tilec.analysis.strip_masks import Mask, size_of
from tilec.analysis.strips import AHEAD, Strips, is_scratch, name_of
from tilec.dialects import pallas
from tilec.dialects.tile.elementwise import CastOp, CompareOp, Relation, SelectOp
from tilec.dialects.tile.mixing import FillOp, ReduceOp
from tilec.dialects.tile.places import GetOp, SetOp
from tilec.dialects.tile.products import DotOp
from tilec.dialects.tile.syntax import scalar_of
from tilec.dialects.tile.types import element_type, shape_of, value_type
from tilec.dialects.tile.values import BroadcastOp, IndicesOp, ReshapeOp, SplatOp, TransposeOp
from tilec.lowering.columns import Columns
from tilec.lowering.scalars import Scalars
from tilec.rewriting.combining import COMBINERS
from tilec.rewriting.index import Index, IndexBuilder

Carried = dict[SSAValue, SSAValue]
"""Values of the step as they are for a strip, or for a part of its columns."""


Filled = dict[tuple[SSAValue, int], SSAValue]
"""Columns of windows of which those that are not live are filled, by their values and where they begin."""


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

    @property
    def is_written_out(self) -> bool:
        """Whether there is no loop over strips."""
        return self.strips.is_written_out(*self.sizes)


class Strip:
    """One strip, from row `row` of those that are done on: `values` that it has so far, without those of one
    part of its columns.

    Sums over columns are in `values` as they are after the latest part. What a strip `before` it has filled
    of a window, which differs by columns alone, is not filled again.
    """

    def __init__(
        self,
        plan: StripPlan,
        columns: Columns,
        row: Index,
        ops: list[Operation],
        before: "Strip | None" = None,
    ):
        self.plan = plan
        self.columns = columns
        self.names = (name_of(plan.strips.rows), name_of(plan.strips.cols))
        self.sizes = plan.sizes
        self.row = row
        self.ops = ops
        self.top = self._build.add(columns.top, row)
        """The strip's first row in the tile."""
        self._lefts: dict[int, Index] = {}
        self.filled: Filled = {} if before is None else before.filled
        self.column = 0
        self.parts = self._parts()
        """Where the parts of columns begin in which the strip has anything to do, one at least."""
        self.values: Carried = {}
        self.scores: Carried = {}
        self.anew: Carried = {}

    @property
    def _build(self) -> IndexBuilder:
        return IndexBuilder(self.ops, self.plan.scalars.pipeline.location)

    def _left(self, column: int) -> Index:
        """The first column of a part in the tile."""
        if column not in self._lefts:
            self._lefts[column] = self._build.add(self.columns.left, column)
        return self._lefts[column]

    def _parts(self) -> list[int]:
        vanishing = [each for each in self.plan.strips.masks if each.op in self.plan.strips.vanishing]
        parts = list(range(0, self.columns.count, self.sizes[1]))
        wanted = [part for part in parts if not self._is_nothing(part, vanishing)]
        return wanted or parts[:1]

    def _is_nothing(self, column: int, vanishing: list[Mask]) -> bool:
        """Whether the columns of a part all come after the strip, and a mask leaves nothing of them."""
        last = self._after(column).high
        return last is not None and last < 0 and any(self._holds(each, column) is False for each in vanishing)

    def _after(self, column: int) -> Range:
        """How far rows of this strip, in a loop of any, lie after columns of a part."""
        offset, (rows, cols) = self.columns.offset, self.sizes
        if self.plan.is_written_out and isinstance(self.row, int):
            found = offset + Range(low=self.row, high=self.row + rows - 1)
        else:
            found = offset + Range(low=0, high=size_of(self.plan.strips.rows) - 1)
        return found - Range(low=column, high=column + cols - 1)

    def _holds(self, mask: Mask, column: int) -> bool | None:
        """Whether a mask holds in all of a part, or in nothing of it."""
        after = self._after(column)
        return mask.holds(after.low, after.high)

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
        known = value in self.values or value.owner in self.plan.strips.anew
        return known or not isinstance(value.type, TensorType)

    def read(self, column: int) -> None:
        """Begin the second part for some columns, with the scores that the first has left."""
        for value, ref in self.plan.kept.items():
            self.scores[value] = self._emit(pallas.LoadOp(ref, self._scores(column)), value)

    def part(self, ops: Sequence[Operation], column: int) -> None:
        """Do those of `ops` that have columns, for those from `column` on."""
        self.column = column
        self.anew.clear()
        stored = {self.plan.strips.kept[value]: ref for value, ref in self.plan.kept.items()}
        for op in ops:
            if self.is_part(op):
                self.lower(op)
            for value in op.results:
                if value in stored:
                    self._put(pallas.StoreOp(self.scores[value], stored[value], self._scores(column)), op)

    def lower(self, op: Operation) -> None:
        """Lower one operation, for the columns of this part if it has any."""
        match op:
            case SetOp():
                self._set(op)
                return
            case GetOp():
                made = self._held(op)
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
                fill = self._blended if op.span is self.plan.strips.rows else self._filled
                made = fill(op, self._get(op.value))
            case _:
                made = self._computed(op)
        (self.scores if self.is_part(op) else self.values)[op.results[0]] = made

    def _computed(self, op: Operation) -> SSAValue:
        """What an operation makes of each lane."""
        result = op.results[0]
        match op:
            case SelectOp() if (holds := self._mask(op.condition)) is not None:
                return self._get(op.true if holds else op.false)
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

    def _mask(self, value: SSAValue) -> bool | None:
        """Whether all lanes of a mask hold in this part, or none."""
        mask = next((each for each in self.plan.strips.masks if each.op.result is value), None)
        return None if mask is None else self._holds(mask, self.column)

    def _indices(self, op: IndicesOp) -> SSAValue:
        """The positions of rows, 1 x rows, or of columns, the same for all rows."""
        of_rows = op.span is self.plan.strips.rows
        shape = list(shape_of(self._type(op.result)))
        lanes = self._emit(pallas.IotaOp(shape, 1 if of_rows else 0), op.result)
        build = IndexBuilder(self.ops, op.location)
        first = build.add(
            self.plan.scalars.span(op.span).start, self.top if of_rows else self._left(self.column)
        )
        return self._emit(arith.AddiOp(lanes, self._wide(build.value(first), shape, op)), op.result)

    def _filled(self, op: FillOp, value: SSAValue) -> SSAValue:
        """A value of which columns that are not live are filled: none where all of the part surely are."""
        if op in self.plan.strips.filled:
            return value
        whole = self.column + self.sizes[1] <= self.columns.least
        span, shape = self.plan.scalars.span(op.span), list(shape_of(value.type))
        build = IndexBuilder(self.ops, op.location)
        after = build.add(span.start, self._left(self.column))
        begin = None if self.column >= self.columns.begun else build.sub(span.begin, after)
        live = self._between(begin, None if whole else build.sub(span.end, after), shape, 0, op)
        if live is None:
            return value
        kind = value_type(element_type(value.type), shape, [None] * 2)
        other = self._emit(BroadcastOp(self.plan.scalars.value(op.other), [], kind), op.result)
        return self._emit(SelectOp(live, value, other), op.result)

    def _blended(self, op: FillOp, value: SSAValue) -> SSAValue:
        """A value of which rows that are not live are others."""
        span, shape = self.plan.scalars.span(op.span), list(shape_of(value.type))
        build = IndexBuilder(self.ops, op.location)
        after = build.add(span.start, self.top)
        live = self._between(build.sub(span.begin, after), build.sub(span.end, after), shape, 1, op)
        assert live is not None
        return self._emit(SelectOp(live, value, self._get(op.other)), op.result)

    def _between(
        self, begin: Index | None, end: Index | None, shape: list[int], dim: int, op: FillOp
    ) -> SSAValue | None:
        """Which lanes lie from `begin` on and before `end`, of a dimension."""
        sides = [(Relation.GE, begin), (Relation.LT, end)]
        if begin is None and end is None:
            return None
        lanes = self._emit(pallas.IotaOp(shape, dim), op.result)
        build, live = IndexBuilder(self.ops, op.location), None
        for relation, side in sides:
            if side is None:
                continue
            wide = self._wide(build.value(side), shape, op)
            one = self._emit(CompareOp(relation, lanes, wide), op.result)
            live = one if live is None else self._emit(arith.AndIOp(live, one), op.result)
        return live

    def _wide(self, index: SSAValue, shape: Sequence[int], like: Operation) -> SSAValue:
        """An index in all lanes."""
        narrow = arith.IndexCastOp(index, i32)
        wide = BroadcastOp(narrow.result, [], value_type(i32, shape, [None] * len(shape)))
        self._put(narrow, like)
        self._put(wide, like)
        return wide.result

    def _add_product(self, op: DotOp) -> None:
        values, weights = self._loaded(op.rhs), self._get(op.lhs)
        before = self.values.get(op.result)
        if before is None and op.acc is not None:
            before = self._get(op.acc)
        product = DotOp(values, weights, before, (0, 0), op.precision.data)
        self.values[op.result] = self._emit(product, op.result)

    def _add(self, op: ReduceOp) -> None:
        """Add what a reduction makes of some columns to what it made of those before."""
        value = self._get(op.value)
        flat = self._emit(ReduceOp(op.kind.data, value, [0]), op.result)
        made = self._emit(ReshapeOp(flat, self._type(op.result)), op.result)
        if op.result in self.values:
            both = COMBINERS[op.kind.data, True](self.values[op.result], made)
            made = self._emit(both, op.result)
        self.values[op.result] = made

    def _held(self, op: GetOp) -> SSAValue:
        """What scratch, or a window that is written, holds of the strip's rows."""
        ref = self.plan.places[op.ref]
        if is_scratch(op.ref):
            return self._emit(pallas.LoadOp(ref, [None, pallas.Ds(self.top, self.sizes[0])]), op.result)
        held = self._emit(pallas.LoadOp(ref, [pallas.Ds(self.top, self.sizes[0]), None]), op.result)
        return self._emit(TransposeOp(held, [1, 0]), op.result)

    def _set(self, op: SetOp) -> None:
        value = self._get(op.value)
        element = element_type(self.plan.places[op.ref].type)
        if element_type(value.type) != element:
            value = self._emit(CastOp(value, element), op.value)
        if is_scratch(op.ref):
            place = [None, pallas.Ds(self.top, self.sizes[0])]
            self._put(pallas.StoreOp(value, self.plan.places[op.ref], place), op)
            return
        turned = self._emit(TransposeOp(value, [1, 0]), op.value)
        place = [pallas.Ds(self.top, self.sizes[0]), None]
        self._put(pallas.StoreOp(turned, self.plan.places[op.ref], place), op)

    def _loaded(self, value: SSAValue) -> SSAValue:
        """Rows or columns of a window, as they lie there."""
        owner = value.owner
        if isinstance(owner, FillOp):
            part = (value, self.column)
            if part not in self.filled:
                self.filled[part] = self._filled(owner, self._loaded(owner.value))
            return self.filled[part]
        assert isinstance(owner, GetOp)
        of_rows = self.names[0] in self.plan.strips.kinds[value]
        place = (
            [pallas.Ds(self.top, self.sizes[0]), None] if of_rows else self._columns(self._left(self.column))
        )
        return self._emit(pallas.LoadOp(self.plan.places[owner.ref], place), value)

    def _columns(self, column: Index) -> list[pallas.Ds | None]:
        return [pallas.Ds(column, self.sizes[1]), None]

    def _scores(self, column: int) -> list[pallas.Ds | None]:
        """Where the scores of some columns are kept."""
        if not self.plan.is_written_out or not isinstance(self.row, int):
            return self._columns(column)
        return self._columns(column + self.row // self.sizes[0] % AHEAD * size_of(self.plan.strips.cols))

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
