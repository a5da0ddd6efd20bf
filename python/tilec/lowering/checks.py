"""What an emitted module checks before it starts a kernel, because the kernel relies on it."""

from collections.abc import Iterator

from xdsl.ir import SSAValue

from tilec.analysis.affine import extent, is_inside, linear, whole_bounds
from tilec.dialects.tile.arrays import SegmentOp
from tilec.dialects.tile.schedule import PipelineOp, WindowOp
from tilec.dialects.tile.types import span_of
from tilec.lowering.host import Host
from tilec.rewriting.index import Index
from tilec.rewriting.jagged import ends_with

NO_LIMIT = 2**31 - 1


def segment_limits(pipeline: PipelineOp, host: Host) -> dict[SegmentOp, Index]:
    """For each segment in a pipeline the place that it must not pass: the least end of the arrays that spans
    over it index.
    """
    limits: dict[SegmentOp, Index] = {}
    for op in pipeline.body.block.ops:
        if isinstance(op, SegmentOp):
            extents = {
                key: host.build.add(host.extent_of(array, dim), further)
                for key, array, dim, further in _indexed_by(pipeline, op)
            }
            limit: Index = NO_LIMIT
            for found in extents.values():
                limit = found if limit == NO_LIMIT else host.build.minimum(limit, found)
            limits[op] = limit
    return limits


def _indexed_by(pipeline: PipelineOp, segment: SegmentOp) -> Iterator[tuple[object, SSAValue, int, int]]:
    """The arrays that spans over a segment index, with the dimension, what tells their extents apart, and how
    far behind the array the segment may end, as positions before its own are read."""
    for window in pipeline.windows:
        for position, dim in enumerate(window.window):
            bounds = whole_bounds(dim.base) if dim.base is not None else None
            if bounds is not None and ends_with(bounds.end, segment) and isinstance(dim.shift, int):
                form, further = extent(window.array, position), max(-dim.shift, 0)
                yield (form.constant + further, tuple(form.factors)), window.array, position, further


def length_limits(pipeline: PipelineOp, host: Host) -> Iterator[tuple[SegmentOp, Index]]:
    """Segments whose positions, counted from their begin, index an array, and how many it has for them."""
    seen: set[tuple[SegmentOp, SSAValue, int]] = set()
    for window in pipeline.windows:
        for position, dim in enumerate(window.window):
            bounds = whole_bounds(dim.base) if dim.base is not None and window.clipped is None else None
            segment = None if bounds is None or isinstance(bounds.begin, int) else bounds.begin.owner
            if not isinstance(segment, SegmentOp) or segment.last is not None or bounds is None:
                continue
            if bounds.end is not segment.end:
                continue
            before = (linear(dim.shift) + linear(segment.begin)).literal
            if before is not None and (segment, window.array, position) not in seen:
                seen.add((segment, window.array, position))
                yield segment, host.build.sub(host.extent_of(window.array, position), before)


def reaches(pipeline: PipelineOp) -> Iterator[tuple[WindowOp, int, Index]]:
    """Windows, dimensions, and how far an axis reaches there, where it is not known to stay inside the
    array.
    """
    seen: set[tuple[SSAValue, int, SSAValue | int]] = set()
    for window in pipeline.windows:
        if window.clipped is not None:
            continue
        for position, dim in enumerate(window.window):
            bounds = whole_bounds(dim.base) if dim.base is not None and span_of(dim.base) else None
            if (
                bounds is None
                or dim.shift != 0
                or (isinstance(bounds.end, SSAValue) and is_inside(bounds.end, pipeline))
            ):
                continue
            slack = (extent(window.array, position) - linear(bounds.end)).literal
            key = (window.array, position, bounds.end)
            if (slack is None or slack < 0) and key not in seen:
                seen.add(key)
                yield window, position, bounds.end
