"""What is read in every step, also where the loop around it has no iteration, or a condition does not hold.

The first index of such a loop may lie behind the array: in a list of lists whose last one is empty it does. A
condition around a loop is taken from what stands beside the loop.
"""

from xdsl.dialects import scf
from xdsl.dialects.builtin import UnitAttr
from xdsl.ir import Operation
from xdsl.rewriter import InsertPoint, Rewriter

from tilec.analysis.affine import extent
from tilec.analysis.within import around, begins_inside, is_within, may_be_skipped, stays_within
from tilec.dialects.tile.access import Dim
from tilec.dialects.tile.arrays import LoadOp, SegmentOp
from tilec.dialects.tile.loops import ForOp, GridOp
from tilec.rewriting.index import IndexBuilder
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
