"""Rows of a tile that are combined one by one with rows of on-chip memory, whose positions are scalars.

Rows are read in groups of whole tiles of memory, and of each group some at a time: what they meet is read
before any of it is written, since a read after a write waits for it. A row that meets what an earlier one of
the same few has met takes that one's sum in place of what was read, and writes follow in order, so that the
last one counts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from xdsl.dialects import arith
from xdsl.dialects.builtin import IndexType
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from tilec.analysis.affine import begins_on_a_tile
from tilec.analysis.lanes import may_have_dead_lanes
from tilec.analysis.vmem import packed_rows
from tilec.dialects import pallas
from tilec.dialects.tile.rows import UpdateRowsOp
from tilec.dialects.tile.types import byte_width, element_type, shape_of
from tilec.dialects.tile.values import SliceOp
from tilec.lowering.scalars import Scalars
from tilec.rewriting.accumulators import as_element, combiner
from tilec.rewriting.index import Index, IndexBuilder

Place = Sequence[SSAValue | int | pallas.Ds | None]

AT_ONCE = 4
"""Rows that are read before any is written. Estimated, of 8192 rows of 512 lanes: with 1, 2, 4 and 8 it takes
75, 76, 74 and 75 us on v5e; with 1 and 4 it takes 59 and 39 us on v6e, 45 and 29 us on tpu7x."""
GROUP = 16
"""Rows of a group, where tiles have a multiple of it."""


@dataclass(frozen=True)
class Rows:
    """All rows that a reference has, as it is indexed for them: they are those at `position` of `place`."""

    ref: SSAValue
    place: Place
    position: int

    @property
    def dim(self) -> int:
        """The dimension of a value that is read which the rows are."""
        return sum(not isinstance(each, int | SSAValue) for each in self.place[: self.position])

    def at(self, row: Index, count: int) -> Place:
        """Some rows, from number `row` on."""
        place = list(self.place)
        place[self.position] = pallas.Ds(row, count)
        return place


def update_rows(op: UpdateRowsOp, source: Rows, target: Rows, scalars: Scalars) -> list[Operation]:
    """The loops through the live rows of a tile, the first of which is row 0 of `source`."""
    ops: list[Operation] = []
    build = IndexBuilder(ops, op.location)
    tile, size = scalars.span(op.span), shape_of(source.ref.type)[source.position]
    low: Index = 0
    high: Index = size
    if may_have_dead_lanes(op.span):
        if not begins_on_a_tile(op.span):
            low = build.maximum(build.sub(tile.begin, tile.start), 0)
        high = build.minimum(build.sub(tile.end, tile.start), size)
    unit = packed_rows(byte_width(element_type(source.ref.type)))
    group = GROUP if size % GROUP == 0 and unit < GROUP else unit
    few = _Few(op, source, target, scalars.ref(op.ids), tile.start)
    first, stop = build.ceildiv(low, group), build.floordiv(high, group)
    for_rows(first, stop, lambda step, ops: few.group(step, group, ops), build)
    if low != 0:
        for_rows(
            low, build.minimum(build.mul(first, group), high), lambda row, ops: few.one(row, unit, ops), build
        )
    if high != size:
        rest = build.mul(build.maximum(first, stop), group)
        for_rows(rest, high, lambda row, ops: few.one(row, unit, ops), build)
    return ops


def for_rows(
    begin: Index,
    end: Index,
    body: Callable[[SSAValue, IndexBuilder], None],
    build: IndexBuilder,
    unroll: int | None = None,
) -> None:
    """Do `body` for each row, `unroll` of them written out at a time if that is said."""
    block = Block(arg_types=[IndexType()])
    block.args[0].name_hint = "row"
    ops: list[Operation] = []
    inner = IndexBuilder(ops, build.location)
    body(block.args[0], inner)
    inner.insert_all(pallas.YieldOp([]), build.location)
    block.add_ops(ops)
    build.insert_all(pallas.ForiOp(begin, end, [], Region(block), unroll), build.location)


@dataclass
class _Few:
    """Combines a few rows of the tile, whose positions are read from `ids`, from number `start` on."""

    op: UpdateRowsOp
    source: Rows
    target: Rows
    ids: SSAValue
    start: Index

    def group(self, number: SSAValue, size: int, build: IndexBuilder) -> None:
        """Combine the rows of a group of `size`."""
        begin = build.mul(number, size)
        values = self._loaded(begin, size, build)
        for first in range(0, size, AT_ONCE):
            numbers = range(first, min(first + AT_ONCE, size))
            rows = [build.insert(SliceOp(values, self.source.dim, i, 1)) for i in numbers]
            self._combine([build.add(begin, i) for i in numbers], rows, build)

    def one(self, row: SSAValue, unit: int, build: IndexBuilder) -> None:
        """Combine one row, wherever it lies in its tile of memory of `unit` rows."""
        begin = build.mul(build.floordiv(row, unit), unit)
        values = self._loaded(begin, unit, build)
        back = build.remainder(build.sub(unit, build.sub(row, begin)), unit)
        turned = build.insert(pallas.RollOp(values, back, self.source.dim))
        self._combine([row], [build.insert(SliceOp(turned, self.source.dim, 0, 1))], build)

    def _loaded(self, begin: Index, count: int, build: IndexBuilder) -> SSAValue:
        value = build.insert(pallas.LoadOp(self.source.ref, self.source.at(begin, count)))
        return as_element(build, value, self._element)

    @property
    def _element(self) -> Attribute:
        return element_type(self.target.ref.type)

    def _combine(self, numbers: Sequence[Index], rows: Sequence[SSAValue], build: IndexBuilder) -> None:
        places = [self._position(number, build) for number in numbers]
        met = [build.insert(pallas.LoadOp(self.target.ref, self.target.at(at, 1))) for at in places]
        combine = combiner(self.op.kind.data, self._element)
        for i, (place, row) in enumerate(zip(places, rows, strict=True)):
            for earlier in range(i):
                same = build.compare("eq", places[earlier], place)
                met[i] = build.insert(arith.SelectOp(same, met[earlier], met[i]))
            met[i] = build.insert(combine(met[i], row))
        for place, value in zip(places, met, strict=True):
            build.insert_all(pallas.StoreOp(value, self.target.ref, self.target.at(place, 1)), build.location)

    def _position(self, number: Index, build: IndexBuilder) -> SSAValue:
        element = build.insert(pallas.LoadOp(self.ids, [build.add(self.start, number)]))
        element.name_hint = self.op.ids.name_hint
        return build.insert(arith.IndexCastOp(element, IndexType()))
