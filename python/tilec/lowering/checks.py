"""What an emitted module checks before it starts a kernel, because the kernel relies on it."""

from collections.abc import Iterator, Sequence

from xdsl.dialects import arith, scf
from xdsl.ir import Block, SSAValue

from tilec.analysis.affine import extent, is_inside, linear, whole_bounds
from tilec.analysis.segments import room_before
from tilec.dialects.tile.access import Dim
from tilec.dialects.tile.arrays import LoadOp, SegmentOp
from tilec.dialects.tile.schedule import PipelineOp, WindowOp
from tilec.dialects.tile.steps import AppendOp, WorklistOp
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
    far behind the array the segment may end, as other positions than its own are read."""
    for window in [each for each in pipeline.windows if each.clipped is None]:
        for position, dim in enumerate(window.window):
            further = _further(dim, segment)
            if further is not None:
                form = extent(window.array, position)
                yield (form.constant + further, tuple(form.factors)), window.array, position, further


def _further(dim: Dim, segment: SegmentOp) -> int | None:
    """How far before the end of a segment what a dimension names ends; `None` if it ends elsewhere."""
    bounds = whole_bounds(dim.base) if dim.base is not None else None
    if isinstance(dim.shift, int) and dim.base is not None:
        found = _is_listed(dim.base, segment) if bounds is None else ends_with(bounds.end, segment)
        if found:
            return -dim.shift
    return None if bounds is None else room_before(segment, bounds.end, dim.shift)


def _is_listed(index: SSAValue, segment: SegmentOp) -> bool:
    """Whether an index comes from a list of those in segments of the same array."""
    load = index.owner.input.owner if isinstance(index.owner, arith.IndexCastOp) else None
    made = load.array.owner if isinstance(load, LoadOp) else None
    if not isinstance(load, LoadOp) or not isinstance(made, WorklistOp):
        return False
    place = [each is load.array for each in made.tables].index(True)
    loops = [op.values[place].owner for op in made.walk() if isinstance(op, AppendOp)]
    ends = [block.parent_op() for block in loops if isinstance(block, Block)]
    bounds = [loop.ub for loop in ends if isinstance(loop, scf.ForOp)]
    limits = [each for bound in bounds for each in (bound, *_larger_of(bound))]
    return any(
        isinstance(each.owner, SegmentOp)
        and each is each.owner.end
        and (each.owner.begins, each.owner.ends) == (segment.begins, segment.ends)
        for each in limits
    )


def _larger_of(value: SSAValue) -> Sequence[SSAValue]:
    return value.owner.operands if isinstance(value.owner, arith.MaxSIOp) else ()


def reaches(pipeline: PipelineOp) -> Iterator[tuple[WindowOp, int, Index]]:
    """Windows, dimensions, and how far an axis or a literal index reaches there, where it is not known to
    stay inside the array.
    """
    seen: set[tuple[SSAValue, int, SSAValue | int]] = set()
    for window in [each for each in pipeline.windows if each.clipped is None]:
        for position, dim in enumerate(window.window):
            end = _end_of(dim)
            if end is None or (isinstance(end, SSAValue) and is_inside(end, pipeline)):
                continue
            slack = (extent(window.array, position) - linear(end)).literal
            key = (window.array, position, end)
            if (slack is None or slack < 0) and key not in seen:
                seen.add(key)
                yield window, position, end


def _end_of(dim: Dim) -> Index | None:
    """The place behind the last one that a dimension of a window names, if it is that of an axis, or one."""
    if dim.base is None:
        return dim.shift + 1 if isinstance(dim.shift, int) and not dim.full else None
    bounds = whole_bounds(dim.base) if dim.shift == 0 else None
    return None if bounds is None else bounds.end
