"""Steps in strips of rows, as `--overlap-strips` has them: two strips at once, each in another part.

    first part of strip 0
    for each strip:
        for each part of the columns:
            read the strip's scores
            first part of the next strip, whose scores take the place of those
            second part of the strip
        write the strip

Values that have rows lie with those along lanes: scores as columns by rows, values of rank 1 as 1 x rows.
After the last strip comes the first part of that one again, which nobody uses.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from xdsl.dialects import arith
from xdsl.dialects.builtin import IndexType, MemRefType
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from tilec.analysis.strips import Strips, strips_of
from tilec.diagnostics import fail
from tilec.dialects import pallas
from tilec.dialects.tile.elementwise import CastOp
from tilec.dialects.tile.mixing import Combine, ReduceOp
from tilec.dialects.tile.places import GetOp, SetOp
from tilec.dialects.tile.products import DotOp
from tilec.dialects.tile.schedule import AxisOp, PipelineOp, WindowOp
from tilec.dialects.tile.syntax import scalar_of
from tilec.dialects.tile.types import element_type, shape_of, span_names, span_of, value_type
from tilec.dialects.tile.values import BroadcastOp, ReshapeOp, SplatOp, TransposeOp
from tilec.rewriting.index import Index, IndexBuilder

_COMBINED: Mapping[Combine, Callable[[SSAValue, SSAValue], Operation]] = {
    Combine.ADD: arith.AddfOp,
    Combine.MAX: arith.MaximumfOp,
    Combine.MIN: arith.MinimumfOp,
}

Carried = dict[SSAValue, SSAValue]
"""Values of the step as they are for a strip, or for a part of its columns."""


def strip_body(
    pipeline: PipelineOp, places: Mapping[SSAValue, SSAValue], spec: Callable[[Operation, SSAValue], SSAValue]
) -> list[Operation]:
    """The operations of a step.

    `places` are the references behind windows; `spec` adds a scratch, for a value, to the kernel's.
    """
    strips = strips_of(pipeline)
    if isinstance(strips, str):
        fail(pipeline, f"convert-tile-to-pallas: a step cannot be done in strips: {strips}")
    rows, cols = (pipeline.strip_sizes[axis.axis.name] for axis in (strips.rows, strips.cols))
    kept = {value: spec(_scores(value, _extent(strips.cols), rows), value) for value in strips.kept}
    ops: list[Operation] = []
    count, columns = _extent(strips.rows) // rows, range(0, _extent(strips.cols), cols)
    begin = _Strip(strips, places, kept, (rows, cols), 0, ops)
    for column in columns:
        begin.part(strips.first, column)
    inits = [begin.values[value] for value in strips.known]
    block = Block(arg_types=[IndexType(), *(value.type for value in inits)])
    block.args[0].name_hint = "strip"
    inner: list[Operation] = []
    build = IndexBuilder(inner, pipeline.location)
    following = build.mul(build.minimum(build.add(block.args[0], 1), count - 1), rows)
    after = _Strip(strips, places, kept, (rows, cols), following, inner)
    here = _Strip(strips, places, kept, (rows, cols), build.mul(block.args[0], rows), inner)
    here.values |= dict(zip(strips.known, block.args[1:], strict=True))
    _steady(strips, here, after, columns)
    build.insert_all(pallas.YieldOp([after.values[value] for value in strips.known]), pipeline.location)
    block.add_ops(inner)
    ops.append(pallas.ForiOp(0, count, inits, Region(block)))
    ops[-1].location = pipeline.location
    return ops


def _steady(strips: Strips, here: "_Strip", after: "_Strip", columns: Iterable[int]) -> None:
    """The second part of one strip with the first part of the strip after it."""
    waiting = here.rows_only(strips.second)
    for column in columns:
        here.read(column)
        after.part(strips.first, column)
        here.part(strips.second, column)
    here.rows_only(waiting)


def _scores(value: SSAValue, cols: int, rows: int) -> pallas.ScratchOp:
    """Room for the scores of a strip."""
    kind = MemRefType(element_type(value.type), [cols, rows])
    return pallas.ScratchOp(pallas.in_space(kind, pallas.Space.VMEM))


def _extent(axis: AxisOp) -> int:
    span = span_of(axis.axis.value)
    assert span is not None
    return span.size


class _Strip:
    """One strip, from row `row` on: `values` that it has so far, without those of one part of its columns.

    Sums over columns are in `values` as they are after the latest part.
    """

    def __init__(
        self,
        strips: Strips,
        places: Mapping[SSAValue, SSAValue],
        kept: Mapping[SSAValue, SSAValue],
        sizes: tuple[int, int],
        row: Index,
        ops: list[Operation],
    ):
        self.places = places
        self.kept = kept
        self.names = (strips.rows.axis.name, strips.cols.axis.name)
        self.sizes = sizes
        self.row = row
        self.ops = ops
        self.values: Carried = {}
        self.scores: Carried = {}

    def is_part(self, op: Operation) -> bool:
        """Whether an operation has columns, and is done for each part of them."""
        return any(self.names[1] in span_names(value.type) for value in (*op.operands, *op.results))

    def rows_only(self, ops: Sequence[Operation]) -> list[Operation]:
        """Do those of `ops` that have no columns and all that they need; returns those that have to wait."""
        waiting: list[Operation] = []
        for op in [each for each in ops if not self.is_part(each)]:
            places = (SplatOp, WindowOp)
            if all(value in self.values or isinstance(value.owner, places) for value in op.operands):
                self.lower(op, 0)
            else:
                waiting.append(op)
        return waiting

    def read(self, column: int) -> None:
        """Begin the second part for some columns, with the scores that the first has left."""
        for value, ref in self.kept.items():
            self.scores[value] = self._emit(pallas.LoadOp(ref, self._columns(column)), value)

    def part(self, ops: Sequence[Operation], column: int) -> None:
        """Do those of `ops` that have columns, for those from `column` on."""
        for op in ops:
            if self.is_part(op):
                self.lower(op, column)
            for value in op.results:
                if value in self.kept:
                    place = self._columns(column)
                    self._put(pallas.StoreOp(self.scores[value], self.kept[value], place), op)

    def lower(self, op: Operation, column: int) -> None:
        """Lower one operation, for the columns from `column` on if it has any."""
        match op:
            case SetOp():
                self._set(op)
                return
            case DotOp() if self.names[1] in span_names(op.result.type):
                lhs, rhs = self._loaded(op.lhs, column), self._loaded(op.rhs, column)
                left, right = op.contracted
                made: Operation = DotOp(rhs, lhs, None, (right, left), op.precision.data)
            case DotOp():
                self._add_product(op, column)
                return
            case ReduceOp():
                self._add(op, column)
                return
            case BroadcastOp():
                made = BroadcastOp(self._get(op.value), [0, 1], self._type(op.result))
            case _:
                made = type(op).create(
                    operands=[self._get(value) for value in op.operands],
                    result_types=[self._type(value) for value in op.results],
                    properties=op.properties,
                )
        result = op.results[0]
        (self.scores if self.is_part(op) else self.values)[result] = self._emit(made, result)

    def _add_product(self, op: DotOp, column: int) -> None:
        values, weights = self._loaded(op.rhs, column), self._get(op.lhs)
        before = self.values.get(op.result) if column else None if op.acc is None else self._get(op.acc)
        product = DotOp(values, weights, before, (0, 0), op.precision.data)
        self.values[op.result] = self._emit(product, op.result)

    def _add(self, op: ReduceOp, column: int) -> None:
        """Add what a reduction makes of some columns to what it made of those before."""
        value = self._get(op.value)
        flat = self._emit(ReduceOp(op.kind.data, value, [0]), op.result)
        made = self._emit(ReshapeOp(flat, self._type(op.result)), op.result)
        if column:
            both = _COMBINED[op.kind.data](self.values[op.result], made)
            made = self._emit(both, op.result)
        self.values[op.result] = made

    def _set(self, op: SetOp) -> None:
        value = self._get(op.value)
        element = element_type(self.places[op.ref].type)
        if element_type(value.type) != element:
            value = self._emit(CastOp(value, element), op.value)
        turned = self._emit(TransposeOp(value, [1, 0]), op.value)
        self._put(pallas.StoreOp(turned, self.places[op.ref], [pallas.Ds(self.row, self.sizes[0]), None]), op)

    def _loaded(self, value: SSAValue, column: int) -> SSAValue:
        """Rows or columns of a window, as they lie there."""
        get = value.owner
        assert isinstance(get, GetOp)
        of_rows = self.names[0] in span_names(value.type)
        place = [pallas.Ds(self.row, self.sizes[0]), None] if of_rows else self._columns(column)
        return self._emit(pallas.LoadOp(self.places[get.ref], place), value)

    def _columns(self, column: int) -> list[pallas.Ds | None]:
        return [pallas.Ds(column, self.sizes[1]), None]

    def _get(self, value: SSAValue) -> SSAValue:
        if isinstance(value.owner, SplatOp):
            return self._emit(SplatOp(scalar_of(value.owner.value), self._type(value)), value)
        return self.scores[value] if value in self.scores else self.values[value]

    def _type(self, value: SSAValue) -> Attribute:
        """The type of a value's part: what has columns has them first, rows come last."""
        names, shape = span_names(value.type), shape_of(value.type)
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
