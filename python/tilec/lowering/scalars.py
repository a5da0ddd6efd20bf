"""Scalars of a schedule in the `pallas` dialect: positions of axes, bounds of spans, elements of integer
arrays.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from xdsl.dialects import arith, scf
from xdsl.dialects.builtin import IndexType, IntegerAttr, i1, i8, i16, i32
from xdsl.ir import Operation, SSAValue

from tilec.analysis.affine import begins_on_a_tile, is_inside
from tilec.diagnostics import fail
from tilec.dialects import pallas
from tilec.dialects.tile.arrays import LoadOp, SegmentOp
from tilec.dialects.tile.bound import BoundOp
from tilec.dialects.tile.elementwise import CastOp, is_lanewise
from tilec.dialects.tile.gathers import DistinctOp
from tilec.dialects.tile.numbered import SpanOp
from tilec.dialects.tile.schedule import AxisOp, PipelineOp
from tilec.dialects.tile.steps import FirstOp, LastOp, LiveOp
from tilec.dialects.tile.syntax import scalar_of
from tilec.dialects.tile.types import SpanType, span_of
from tilec.dialects.tile.values import SplatOp
from tilec.rewriting.index import Index, IndexBuilder
from tilec.rewriting.jagged import array_extent, side_of_tile


@dataclass(frozen=True)
class SpanParts:
    """A span in a step: the index of its first lane, its live range `begin` to `end`, and its lanes.

    `block` is its number among the tiles of the array, `None` if its tiles begin between those: number
    `number` from the `first` of its axis or range on.
    """

    start: Index
    begin: Index
    end: Index
    size: int
    block: Index | None
    first: Index = 0
    number: Index = 0


def known_condition(value: SSAValue) -> bool | None:
    """The truth of a condition that is a literal; `None` of others."""
    return bool(scalar_of(value.owner.value)) if isinstance(value.owner, arith.ConstantOp) else None


class Extents:
    """Indices known before a kernel starts, extents of arrays among them; `build` inserts there.

    `now` maps values of the program's host part to those that stand for them.
    """

    def __init__(self, build: IndexBuilder, now: Mapping[SSAValue, SSAValue]):
        self.build = build
        self.now = now
        self._last: dict[tuple[SSAValue, int, int], Index] = {}
        self._padded: dict[tuple[SSAValue, int, int], Index] = {}

    def current(self, value: SSAValue) -> SSAValue:
        return self.now.get(value, value)

    def extent(self, array: SSAValue, dim: int) -> Index:
        """The extent of a dimension of the array."""
        extent = array_extent(array, dim, self.build)
        return extent if isinstance(extent, int) else self.current(extent)

    def padded(self, array: SSAValue, dim: int, unit: int) -> Index:
        """The extent of a dimension, rounded up to a multiple of `unit`."""
        key = (array, dim, unit)
        if key not in self._padded:
            rounded = self.build.mul(self.build.ceildiv(self.extent(array, dim), unit), unit)
            if isinstance(rounded, SSAValue):
                rounded.name_hint = f"{array.name_hint or 'array'}_padded"
            self._padded[key] = rounded
        return self._padded[key]

    def last_block(self, array: SSAValue, dim: int, size: int) -> Index:
        """The number of the array's last block of `size` in a dimension."""
        key = (array, dim, size)
        if key not in self._last:
            extent = self.extent(array, dim)
            last = self.build.sub(self.build.ceildiv(extent, size), 1)
            if isinstance(last, SSAValue):
                last.name_hint = f"{array.name_hint or 'array'}_last"
            self._last[key] = last
        return self._last[key]


def read_segment(
    op: SegmentOp,
    build: IndexBuilder,
    index: Callable[[SSAValue], Index],
    ref: Callable[[SSAValue], SSAValue],
    last: Callable[[SSAValue], Index],
) -> dict[SSAValue, Index]:
    """Begin and end of a segment, read from integer arrays through `ref`; `last` is an array's last place."""
    made: dict[SSAValue, Index] = {}
    ends, number, shift = op.end_place
    places = ((op.begin, op.begins, index(op.index)), (op.end, ends, build.add(index(number), shift)))
    for result, array, place in places:
        if op.clipped is not None:
            place = build.nearest(place, last(array))
        element = build.insert(pallas.LoadOp(ref(array), [place]))
        read = build.insert(arith.IndexCastOp(element, IndexType()))
        element.name_hint = read.name_hint = result.name_hint
        made[result] = read
    if op.clipped is not None and op.ends is not None:
        made[op.end] = build.maximum(made[op.begin], made[op.end])
    return made


class Scalars:
    """Lowers scalars on demand, each once, into a list of operations.

    `positions` are the step's position on each axis of the grid, `refs` the integer arrays in scalar memory,
    `trips` the number of steps of each axis.
    """

    def __init__(
        self,
        pipeline: PipelineOp,
        positions: Sequence[Index],
        trips: Sequence[Index],
        refs: Mapping[SSAValue, SSAValue],
        extents: "Extents",
        ops: list[Operation],
    ):
        self.pipeline = pipeline
        self.positions = list(positions)
        self.trips = list(trips)
        self.axes = {
            axis: (position, trip)
            for axis, position, trip in zip(pipeline.axes, positions, trips, strict=True)
        }
        self.refs = refs
        self.extents = extents
        self.build = IndexBuilder(ops, pipeline.location)
        self._around: tuple[Scalars, scf.ForOp] | None = None
        self._made: dict[SSAValue, Index] = {}
        self._spans: dict[SSAValue, SpanParts] = {}

    def inside(self, loop: scf.ForOp, place: SSAValue, ops: list[Operation]) -> "Scalars":
        """What a loop in a step computes anew for each `place`, into `ops`."""
        inner = Scalars(self.pipeline, self.positions, self.trips, self.refs, self.extents, ops)
        inner._around = (self, loop)
        inner._made[loop.body.block.args[0]] = place
        return inner

    def into(self, ops: list[Operation]) -> "Scalars":
        """The same scalars, of which those that are computed from now on go into `ops`."""
        later = Scalars(self.pipeline, self.positions, self.trips, self.refs, self.extents, ops)
        later._around, later._made, later._spans = self._around, dict(self._made), dict(self._spans)
        return later

    def _stays(self, value: SSAValue) -> "Scalars | None":
        """The scalars around a loop, for a value that is computed outside."""
        if self._around is None:
            return None
        outer, loop = self._around
        return None if is_inside(value, loop) else outer

    def assume(self, condition: SSAValue) -> None:
        """Take a condition of the schedule for true."""
        self._made[condition] = self.build.insert(arith.ConstantOp.from_int_and_width(1, 1))

    def index(self, value: Index) -> Index:
        """A scalar of the schedule, lowered."""
        if isinstance(value, int) or not is_inside(value, self.pipeline):
            return value if isinstance(value, int) else self.extents.current(value)
        if (outer := self._stays(value)) is not None:
            return outer.index(value)
        if value not in self._made:
            owner = value.owner
            if not isinstance(owner, Operation):
                fail(
                    owner.parent_op() or self.pipeline,
                    f"convert-tile-to-pallas: %{value.name_hint or 'a value'}, which a loop carries, is no "
                    "scalar that a step can compute; the number of the iteration is one",
                )
            before, self.build.location = self.build.location, owner.location
            self._lower(owner)
            self.build.location = before
        made = self._made[value]
        if isinstance(made, SSAValue) and made.name_hint is None:
            made.name_hint = value.name_hint
        return made

    def value(self, value: SSAValue) -> SSAValue:
        return self.build.value(self.index(value))

    def value_of(self, index: Index) -> SSAValue:
        """A lowered index as a value."""
        return self.build.value(index)

    def _lower(self, op: Operation) -> None:
        build = self.build
        match op:
            case AxisOp():
                position, _ = self.axes[op]
                self._made[op.result] = build.add(self.index(op.axis.bounds.begin), position)
            case FirstOp() | LastOp() | LiveOp():
                self._made[op.result] = self._query(op)
            case SegmentOp():
                self._segment(op)
            case BoundOp():
                self._made[op.result] = self._side(op)
            case LoadOp():
                at = [build.add(self.index(dim.base or 0), self.index(dim.shift)) for dim in op.window]
                element = build.insert(pallas.LoadOp(self.ref(op.array), at))
                element.name_hint = op.result.name_hint
                self._made[op.result] = element
            case DistinctOp():
                for position, result in zip(op.positions, op.results_, strict=True):
                    self._made[result] = self.index(position)
            case SplatOp():
                self._made[op.result] = build.insert(arith.ConstantOp(op.value))
            case arith.ConstantOp(value=IntegerAttr(type=IndexType()) as literal):
                self._made[op.result] = literal.value.data
            case _:
                self._arithmetic(op)

    def _arithmetic(self, op: Operation) -> None:
        if not is_lanewise(op):  # of one lane here
            fail(op, f"convert-tile-to-pallas: {op.name} is no scalar that a step can compute")
        folded = self._fold(op)
        narrow = any(each.type in (i8, i16) for each in op.operands) and not isinstance(op, CastOp)
        if folded is None and narrow:
            folded = self._in_words(op)
        elif folded is None:
            operands = {value: self.value(value) for value in op.operands}
            folded = self.build.insert(op.clone(operands))
        self._made[op.results[0]] = folded

    def _in_words(self, op: Operation) -> SSAValue:
        """An operation on narrow integers, of which the scalar unit has none: of the result the low bits."""
        given, kind = [self.value(value) for value in op.operands], op.results[0].type
        words = [self.build.insert(CastOp(each, i32)) if each.type in (i8, i16) else each for each in given]
        narrow = kind in (i8, i16)
        made = op.create(
            operands=words, result_types=[i32 if narrow else kind], properties=dict(op.properties)
        )
        found = self.build.insert(made)
        return self.build.insert(CastOp(found, kind)) if narrow else found

    def _fold(self, op: Operation) -> Index | None:
        """The operations that the index builder folds: on indices, and conjunctions."""
        if isinstance(op, arith.AndIOp) and op.result.type == i1:
            sides = [self.value(operand) for operand in op.operands]
            unknown = [side for side in sides if known_condition(side) is not True]
            return self.build.every(unknown) or sides[0]
        if not isinstance(op.results[0].type, IndexType):
            return None
        build = self.build
        makers: dict[type[Operation], Callable[[Index, Index], Index]] = {
            arith.AddiOp: build.add,
            arith.SubiOp: build.sub,
            arith.MuliOp: build.mul,
            arith.MinSIOp: build.minimum,
            arith.MaxSIOp: build.maximum,
        }
        maker = makers.get(type(op))
        return None if maker is None else maker(self.index(op.operands[0]), self.index(op.operands[1]))

    def last_block(self, array: SSAValue, dim: int, size: int) -> Index:
        """The number of an array's last block of `size` in a dimension of unknown extent: known before the
        kernel starts.
        """
        return self.extents.last_block(array, dim, size)

    def ref(self, array: SSAValue) -> SSAValue:
        if array not in self.refs:
            fail(
                self.pipeline,
                f"convert-tile-to-pallas: %{array.name_hint or 'array'} is not in scalar memory",
            )
        return self.refs[array]

    def _segment(self, op: SegmentOp) -> None:
        last = partial(self.last_block, dim=0, size=1)
        self._made |= read_segment(op, self.build, self.index, self.ref, last)

    def _side(self, op: BoundOp) -> Index:
        tile = self.span(op.span)
        return side_of_tile(op, tile.start, tile.begin, tile.end, self.build)

    def _query(self, op: FirstOp | LastOp | LiveOp) -> SSAValue:
        axis = op.axis.owner
        if not isinstance(axis, AxisOp):
            fail(op, f"convert-tile-to-pallas: {op.name} asks about no axis")
        position, trip = self.axes[axis]
        build = self.build
        if isinstance(op, FirstOp):
            return build.compare("eq", position, 0)
        if isinstance(op, LastOp):
            return build.compare("eq", position, build.sub(trip, 1))
        bounds = axis.axis.bounds
        return build.compare("slt", self.index(bounds.begin), self.index(bounds.end))

    def span(self, value: SSAValue) -> SpanParts:
        """The parts of a span in this step."""
        if (outer := self._stays(value)) is not None:
            return outer.span(value)
        if value not in self._spans:
            self._spans[value] = self._parts(value)
        parts = self._spans[value]
        if isinstance(parts.start, SSAValue) and parts.start.name_hint is None:
            parts.start.name_hint = f"{value.name_hint or 'span'}_start"
        return parts

    def _parts(self, value: SSAValue) -> SpanParts:
        build, kind, owner = self.build, span_of(value), value.owner
        if not isinstance(kind, SpanType) or not isinstance(owner, AxisOp | SpanOp):
            fail(self.pipeline, f"convert-tile-to-pallas: {value.type} is not made by an axis")
        if isinstance(owner, AxisOp):
            number, bounds = self.axes[owner][0], owner.axis.bounds
        else:
            number, bounds = self.index(owner.index), owner.bounds
        begin, end = self.index(bounds.begin), self.index(bounds.end)
        if owner.aligned is not None:
            # An aligned axis counts from its first tile, an aligned tile.span from the array's.
            first = 0 if isinstance(owner, SpanOp) else build.floordiv(begin, kind.size)
            block = build.add(first, number)
            return SpanParts(build.mul(block, kind.size), begin, end, kind.size, block, first, number)
        return self._unaligned(owner, kind, number, begin, end)

    def _unaligned(
        self, owner: AxisOp | SpanOp, kind: SpanType, number: Index, begin: Index, end: Index
    ) -> SpanParts:
        build, size = self.build, kind.size
        start = build.add(begin, build.mul(number, size))
        if not begins_on_a_tile(owner.results[0]):
            return SpanParts(start, begin, end, size, None)
        first = build.floordiv(begin, size)
        return SpanParts(start, begin, end, size, build.add(first, number), first, number)
