"""Axes whose bounds are known only in the kernel, and how many steps they may make.

`--compact-worklist` and `--overlaunch-jagged` replace such axes, each in its way, by an axis of known extent.
Both compute an axis' tiles the same way: the number of its first tile and of the one after its last.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce

from xdsl.dialects import arith, memref
from xdsl.ir import Operation, OpResult, SSAValue
from xdsl.rewriter import Rewriter

from tilec.analysis.affine import (
    begins_on_a_tile,
    divided_span,
    is_inside,
    linear,
    static_extent,
    whole_bounds,
)
from tilec.analysis.ranges import Ranges
from tilec.analysis.segments import room_before
from tilec.analysis.stretches import stretch, stretches_of
from tilec.dialects.tile.arrays import EmptyOp, FullOp, SegmentOp
from tilec.dialects.tile.bound import BoundOp, Side
from tilec.dialects.tile.numbered import SpanOp
from tilec.dialects.tile.schedule import AxisOp, PipelineOp
from tilec.dialects.tile.steps import FirstOp, LastOp, LiveOp
from tilec.dialects.tile.syntax import Bounds
from tilec.dialects.tile.types import UNBOUND, SpanType, shape_of, span_of
from tilec.dialects.tile.views import ConvertOp, ViewOp
from tilec.rewriting.index import Index, IndexBuilder, named

_LARGEST = 2**24
"""Ranges that end beyond tell of the width of a type, not of how many steps there may be."""


def is_jagged(pipeline: PipelineOp, axis: AxisOp) -> bool:
    """Whether how many steps an axis has is computed inside the pipeline."""
    return steps_of(axis) is None and any(is_inside(value, pipeline) for value in axis.operands)


def steps_of(axis: AxisOp) -> int | None:
    """The number of steps of an axis, if it is the same wherever the axis begins."""
    extent = static_extent(axis.axis.bounds)
    if extent is None or extent <= 0 or not begins_on_a_tile(axis.result):
        return None
    return -(-extent // block_size(axis))


def block_size(axis: AxisOp) -> int:
    """Indices that a step of the axis takes: the lanes of a span, 1 of an index."""
    span = span_of(axis.result)
    return span.size if span else 1


def segments_behind(axis: AxisOp) -> set[AxisOp] | None:
    """The axes that number the segments whose tiles an axis goes through: each combination of their steps has
    others, and all are disjoint. None where that is not known, as of `%o[%g / 2]`.
    """
    stretches = stretches_of(axis, block_size(axis))
    found = [_numbers(each.segment) for each in stretches or []]
    return found[0] if found and all(each == found[0] for each in found) else None


def _numbers(segment: SegmentOp) -> set[AxisOp] | None:
    """The axes that number a segment, each combination another one, if that is known."""
    if segment.last is not None:
        span = divided_span(Bounds(segment.index, segment.last))
        if span is None or not isinstance(span.owner, AxisOp):
            return None
        return None if linear(span.owner.axis.bounds.begin).literal is None else {span.owner}
    leaves = list(linear(segment.index).factors)
    owners = [leaf.owner for leaf in leaves if isinstance(leaf, SSAValue)]
    match owners:
        case [AxisOp() as axis] if len(leaves) == 1 and span_of(axis.result) is None:
            begin = axis.axis.bounds.begin
            # An empty range that is kept has a step that may be another one's too.
            apart = isinstance(begin, SSAValue) and isinstance(begin.owner, SegmentOp) and axis.keep is None
            return {axis} | ((segments_behind(axis) if apart else None) or set[AxisOp]())
        case _:
            return None


@dataclass(frozen=True)
class Tiles:
    """The tile numbers of an axis, from `first` up to `stop`, excluded; `begin` and `end` are its bounds."""

    first: Index
    stop: Index
    begin: Index
    end: Index


def tiles(
    axis: AxisOp, build: IndexBuilder, env: Mapping[SSAValue, SSAValue], limit: Index | None = None
) -> Tiles:
    """Compute the tile numbers of `axis` from bounds mapped through `env`.

    Tiles of an aligned axis are numbered from the array's begin, others from the axis' begin, indices are
    their own numbers. A `keep` axis has at least one; of an index, below `limit`, so that it is inside the
    array.
    """
    bounds, size = axis.axis.bounds, block_size(axis)
    begin = bounds.begin if isinstance(bounds.begin, int) else env.get(bounds.begin, bounds.begin)
    end = bounds.end if isinstance(bounds.end, int) else env.get(bounds.end, bounds.end)
    if span_of(axis.result) is None:
        first, stop = begin, end
        if axis.keep is not None and limit is not None:
            first = build.minimum(first, build.sub(limit, 1))
    elif axis.aligned is None:
        first, stop = 0, build.ceildiv(build.sub(end, begin), size)
    else:
        first = build.floordiv(begin, size)
        some = build.compare("slt", begin, end)
        if axis.keep is not None:
            last = build.select(some, build.floordiv(build.sub(end, 1), size), first)
            stop = build.add(named(last, f"last_{axis.result.name_hint or 'axis'}_tile"), 1)
        else:  # an empty range that begins inside a tile would seem to have that tile
            stop = build.select(some, build.ceildiv(end, size), first)
    if axis.keep is not None and axis.aligned is None:
        stop = build.maximum(stop, build.add(first, 1))
    for bound, name in ((first, "first"), (stop, "end")):
        if isinstance(bound, SSAValue) and bound.name_hint is None:
            bound.name_hint = f"{name}_{axis.result.name_hint or 'axis'}_tile"
    return Tiles(first, stop, begin, end)


def axis_value(
    axis: AxisOp, number: SSAValue, numbers: Tiles, build: IndexBuilder, *, keep: bool
) -> SSAValue:
    """The index or span that `axis` would yield for the tile `number`, which with `keep` may not exist."""
    value = number
    if isinstance(axis.result.type, SpanType):
        bounds = Bounds(numbers.begin, numbers.end, mean=axis.axis.bounds.mean)
        aligned = axis.aligned is not None
        value = build.insert(SpanOp(number, bounds, axis.result.type, aligned=aligned, keep=keep))
    value.name_hint = axis.result.name_hint
    return value


def side_of_tile(op: BoundOp, start: Index, begin: Index, end: Index, build: IndexBuilder) -> Index:
    """What `tile.bound` results in for the tile that begins at `start`, of a range from `begin` to `end`."""
    maker = op.span.owner
    if op.side.data is Side.SIZE:
        return op.lanes
    made = isinstance(maker, AxisOp | SpanOp)
    first = build.maximum(start, begin) if made and maker.aligned is not None else start
    if op.side.data is Side.BEGIN:
        return first
    stop = build.add(start, op.lanes)
    if op.span not in linear(op.result).factors:  # the last tile may be shorter
        stop = build.minimum(stop, end)
    return build.maximum(first, stop) if made and maker.keep is not None else stop


@dataclass(frozen=True)
class Answers:
    """What replaces `tile.first`, `tile.last` and `tile.live` of an axis."""

    first: SSAValue
    last: SSAValue
    live: SSAValue


def answer_queries(axis: AxisOp, answers: Answers) -> None:
    """Replace the queries about `axis`, and erase them."""
    replacements: dict[type[Operation], SSAValue] = {
        FirstOp: answers.first,
        LastOp: answers.last,
        LiveOp: answers.live,
    }
    for query in [use.operation for use in axis.result.uses]:
        answer = replacements.get(type(query))
        if answer is not None:
            query.results[0].replace_all_uses_with(answer)
            Rewriter.erase_op(query)


class StepBounds:
    """Upper bounds, known before the kernel starts, of indices that the kernel computes.

    `build` inserts before the pipeline. A segment lies inside the arrays that spans over it index.
    """

    def __init__(self, pipeline: PipelineOp, build: IndexBuilder):
        self.pipeline = pipeline
        self.build = build
        self._extents: dict[tuple[SSAValue, int], Index] = {}
        self._ranges = Ranges()

    def most_tiles(self, axis: AxisOp) -> Index | None:
        """The most tiles the axis has for one step of the axes before it; `None` if no bound is known."""
        bounds, size = axis.axis.bounds, block_size(axis)
        found: list[Index] = []
        if bounds.limit is not None:
            found.append(-(-bounds.limit // size) + (axis.aligned is not None))
        extent, divided = static_extent(bounds), divided_span(bounds)
        if extent is not None:
            found.append(-(-max(extent, 0) // size) + (axis.aligned is not None))
        if divided is not None and (around := span_of(divided)) is not None:
            found.append(-(-around.size // size) + (axis.aligned is not None))
        length = None if isinstance(bounds.end, int) else stretch(bounds.begin, bounds.end, size)
        if length is not None and length.moved and (most := self.upper(length.segment.end)) is not None:
            found.append(self.build.add(self.build.ceildiv(most, size), int(axis.aligned is not None)))
        end, begin = self.upper(bounds.end), self.lower(bounds.begin)
        if axis.aligned is not None:
            begin -= begin % size  # where its first tile begins
        if end is not None:
            found.append(self.build.ceildiv(self.build.sub(end, begin), size))
        return self._least(found, axis.keep is not None)

    def all_tiles(self, axis: AxisOp, segments: Index) -> Index | None:
        """The most tiles over `segments` disjoint segments, as `segments_behind` an axis are.

        Neighbours may share one, an empty one may have one to itself; one that is moved has one more where it
        begins inside of one.
        """
        total: Index = 0
        for each in stretches_of(axis, block_size(axis)) or []:
            end = self.upper(each.segment.begin)
            if end is None:
                return None
            more = self.build.mul(segments, 1 + each.moved)
            total = self.build.add(total, self.build.add(self.build.ceildiv(end, each.size), more))
        return total

    def _least(self, found: list[Index], keep: bool) -> Index | None:
        if not found:
            return None
        least = found[0]
        for other in found[1:]:
            least = self.build.minimum(least, other)
        return self.build.maximum(least, 1) if keep else least

    def lower(self, value: Index) -> int:
        """A lower bound; an index of which nothing is known is at least 0."""
        if isinstance(value, int):
            return value
        low = self._ranges.of(value).low
        return 0 if low is None or low < -_LARGEST else min(low, 0)

    def upper(self, value: Index) -> Index | None:
        """An upper bound, as a literal or a value from before the pipeline; `None` if none is known."""
        if isinstance(value, int) or not is_inside(value, self.pipeline):
            known = linear(value).literal
            return value if known is None else known
        found = self._computed(value)
        high = self._ranges.of(value).high
        return high if found is None and high is not None and high < _LARGEST else found

    def _computed(self, value: SSAValue) -> Index | None:
        """An upper bound, from those of what `value` is computed from."""
        build = self.build
        match value.owner:
            case arith.ConstantOp() as op:
                return int(str(op.value).split(":")[0])
            case arith.IndexCastOp() as op:
                return self.upper(op.input)
            case arith.AddiOp() as op:
                return self._both(op, build.add)
            case arith.MuliOp() as op if self._is_count(op.lhs) and self._is_count(op.rhs):
                return self._both(op, build.mul)
            case arith.SubiOp() as op if self._is_count(op.rhs):
                return self.upper(op.lhs)
            case arith.MaxSIOp() | arith.SelectOp() as op:
                return self._both(op, build.maximum)
            case arith.MinSIOp() as op:
                return self._least([each for each in map(self.upper, op.operands) if each is not None], False)
            case arith.CeilDivSIOp() | arith.FloorDivSIOp() as op:
                top, by = self.upper(op.lhs), linear(op.rhs).literal
                return build.ceildiv(top, by) if top is not None and by is not None and by > 0 else None
            case AxisOp() as op:
                return self.upper(op.axis.bounds.end)
            case SegmentOp() as op:
                return self._extent(op)
            case BoundOp() as op:
                bounds = whole_bounds(op.span)
                return None if bounds is None else self.upper(bounds.end)
            case _:
                return None

    def _both(self, op: Operation, join: Callable[[Index, Index], Index]) -> Index | None:
        """What `join` makes of the upper bounds of the last two operands."""
        first, second = (self.upper(operand) for operand in op.operands[-2:])
        return None if first is None or second is None else join(first, second)

    def _is_count(self, value: SSAValue) -> bool:
        """Whether a value is surely not negative. The positions of axes and tiles are not, unless it is known
        that they are."""
        low = self._ranges.of(value).low
        if low is None or low < -_LARGEST:
            return isinstance(value.owner, AxisOp | SegmentOp | BoundOp)
        return low >= 0

    def _extent(self, segment: SegmentOp) -> Index | None:
        """The largest extent of arrays that a span over the segment indexes, over all of it if there is one.

        Of an array only parts of segments may be read. Of `?` it is the first one. Positions beside the
        segment's count from there; those from its begin say nothing of it, nor do those that a mask chooses.
        """
        places: list[tuple[SSAValue, int, int]] = []
        wholes: list[tuple[SSAValue, int, int]] = []
        for window in [each for each in self.pipeline.windows if each.clipped is None]:
            for position, dim in enumerate(window.window):
                bounds = whole_bounds(dim.base) if dim.base is not None else None
                if bounds is not None and ends_with(bounds.end, segment) and isinstance(dim.shift, int):
                    whole = (bounds.begin, bounds.end) == (segment.begin, segment.end)
                    (wholes if whole else places).append((window.array, position, -dim.shift))
                elif bounds is not None:
                    further = room_before(segment, bounds.end, dim.shift)
                    places += [] if further is None else [(window.array, position, further)]
        found: dict[tuple[int, int], Index] = {}
        for array, position, further in wholes or places:
            kind, key = (shape_of(array.type)[position], further), (array, position)
            if kind in found:
                continue
            if key not in self._extents:
                self._extents[key] = array_extent(*key, self.build)
            found[kind] = self.build.add(self._extents[key], further)
        return reduce(self.build.maximum, found.values()) if found else None


def ends_with(value: Index, segment: SegmentOp) -> bool:
    """Whether a bound is the segment's, or a choice between its ends."""
    if isinstance(value, int):
        return False
    if isinstance(value, OpResult) and isinstance(value.op, arith.SelectOp):
        return ends_with(value.op.lhs, segment) or ends_with(value.op.rhs, segment)
    return value.owner is segment


def array_extent(array: SSAValue, dim: int, build: IndexBuilder) -> Index:
    """The extent of an array's dimension: a literal, or a value known before the kernel."""
    static = shape_of(array.type)[dim]
    if static != UNBOUND:
        return static
    match array.owner:
        case EmptyOp() | FullOp() as op if op.like is not None:
            return array_extent(op.like, 0, build)
        case EmptyOp() | FullOp() as op if op.extent is not None:
            return op.extent
        case ViewOp() | ConvertOp() as op:
            return array_extent(op.array, 0, build)
        case _:
            extent = build.insert(memref.DimOp(array, build.value(dim)))
            extent.name_hint = f"{array.name_hint or 'array'}_extent"
            return extent
