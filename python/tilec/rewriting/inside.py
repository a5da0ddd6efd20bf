"""What is read in every step, also where the loop around it has no iteration, or a condition does not hold.

The first index of such a loop may lie behind the array: in a list of lists whose last one is empty it does. A
condition around a loop is taken from what stands beside the loop.
"""

from xdsl.dialects import scf
from xdsl.dialects.builtin import UnitAttr
from xdsl.ir import Operation, SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from tilec.analysis.affine import extent
from tilec.analysis.reach import every_time, indexing
from tilec.analysis.within import (
    around,
    begins_inside,
    is_conditional,
    is_within,
    may_be_skipped,
    stays_within,
)
from tilec.dialects.tile.access import Dim
from tilec.dialects.tile.arrays import LoadOp, SegmentOp
from tilec.dialects.tile.expect import ExpectOp, ExpectSumOp
from tilec.dialects.tile.loops import ForOp, GridOp
from tilec.rewriting.index import Index, IndexBuilder
from tilec.rewriting.jagged import array_extent
from tilec.rewriting.steps import is_scalar


def keep_reads_inside(grid: GridOp) -> None:
    """Let what is read where nothing asks for it be the nearest element inside of the array."""
    before: list[Operation] = []
    host = IndexBuilder(before, grid.location)
    for op in [each for each in grid.walk() if isinstance(each, SegmentOp | LoadOp)]:
        early = _is_chosen_with_a_loop(op, grid) and (is_scalar(op) or isinstance(op.parent_op(), scf.IfOp))
        if not early and not (is_scalar(op) and may_be_skipped(op, grid)):
            continue
        if isinstance(op, LoadOp):
            _keep_load_inside(op, host)
        elif not _is_within(op):
            op.clipped = UnitAttr()
    Rewriter.insert_op(before, InsertPoint.before(grid))


def expect_ends_inside(grid: GridOp) -> None:
    """State that segments end inside of the arrays of which single elements are read at all of their indices:
    these are in scalar memory, and have no window that could tell."""
    made: dict[tuple[SSAValue, SSAValue, int], Operation] = {}
    before: list[Operation] = []
    host = IndexBuilder(before, grid.location)
    for loop in [each for each in grid.walk() if isinstance(each, ForOp)]:
        end = loop.axis.bounds.end
        segment = None if isinstance(end, int) else end.owner
        if not isinstance(segment, SegmentOp) or segment.end is not end:
            continue
        if may_be_skipped(loop, grid) or is_conditional(loop, grid):
            continue
        for op, place in indexing(loop.axis.value, every_time(loop)):
            shift, (array, _, _) = op.window[place].shift, segment.end_place
            if not isinstance(op, LoadOp) or not is_scalar(op) or not isinstance(shift, int):
                continue
            limit = host.sub(array_extent(op.array, place, host), shift)
            stated = _no_more_than(array, limit, ascending=segment.ends is None)
            if stated is not None and (array, op.array, shift) not in made:
                stated.location = loop.location
                made[array, op.array, shift] = stated
    Rewriter.insert_op([*before, *made.values()], InsertPoint.before(grid))


def _no_more_than(array: SSAValue, limit: Index, *, ascending: bool) -> Operation | None:
    """That no element of an array is larger. Of one that is known at run time the last element has to be the
    largest."""
    if isinstance(limit, int):
        return ExpectOp("elements", array, limit)
    return ExpectSumOp([([(array, -1)], limit)]) if ascending else None


def _is_chosen_with_a_loop(op: Operation, grid: GridOp) -> bool:
    """Whether a condition stands around an operation and a loop, from both of which it is taken away."""
    conditions = (each for each in around(op, grid) if isinstance(each, scf.IfOp))
    return any(isinstance(inner, ForOp) for condition in conditions for inner in condition.walk())


def _is_within(op: SegmentOp) -> bool:
    places = [(op.begins, op.index, 0), op.end_place]
    return all(stays_within(Dim(index, shift), extent(array, 0)) for array, index, shift in places)


def _keep_load_inside(op: LoadOp, host: IndexBuilder) -> None:
    ops: list[Operation] = []
    build, window = IndexBuilder(ops, op.location), list(op.window)
    for position, dim in enumerate(window):
        if dim.base is None or dim.kept or is_within(op, position):
            continue
        place = build.add(dim.base, dim.shift)
        place = place if begins_inside(dim) else build.maximum(place, 0)
        last = host.sub(array_extent(op.array, position, host), 1)
        window[position] = Dim(build.value(build.minimum(place, last)))
    if ops:
        made = LoadOp(op.array, window, op.mask, op.other)
        made.placement = op.placement
        made.location, made.result.name_hint = op.location, op.result.name_hint
        Rewriter.replace_op(op, [*ops, made], [made.result])
