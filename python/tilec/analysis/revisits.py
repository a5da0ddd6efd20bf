"""Whether the steps of a pipeline come back to a block that they left.

A block that is written leaves on-chip memory when the next step's block is another, and does not come back:
its visits must follow each other. So the axes that a block does not depend on have to be inside the others,
and positions keep apart, or come in order where steps may share a block.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from tilec.analysis.courses import course_of
from tilec.analysis.distinct import told_apart
from tilec.analysis.visits import axes_behind, block_values, one_step, shared_dims, stays
from tilec.diagnostics import fail, where
from tilec.dialects.tile.access import Effect
from tilec.dialects.tile.schedule import AxisOp, PipelineOp, WindowOp


def returns(axes: Sequence[AxisOp], window: WindowOp) -> AxisOp | None:
    """An axis whose steps bring a window back to a block that it left, if there may be one.

    `axes` are the pipeline's, outermost first.
    """
    behind = axes_behind(block_values(window), ends=False)
    left = left_by(axes, behind)
    if left is not None:
        return left
    moving = [axis for axis in axes if not one_step(axis)]
    shared, promised = shared_dims(window), _promised(window)
    courses = {
        i: course_of(dim, moving) for i, dim in enumerate(window.window) if not _still(window, i, moving)
    }
    told = [i for i, course in courses.items() if i not in shared and (course.apart or i in promised)]
    for position, dim in enumerate(window.window):
        own, course = axes_behind(dim.values), courses.get(position)
        if _hangs(window, position, told, moving) or (position not in shared and course is None):
            continue
        first = next((axis for axis in axes if axis in own), None)
        if course is not None and not course.later:
            return first
        inside = [axis for axis in moving if first is not None and axes.index(axis) > axes.index(first)]
        if any(axis in behind and axis not in own for axis in inside):
            return first
    return None


def _still(window: WindowOp, position: int, moving: Sequence[AxisOp]) -> bool:
    """Whether no step has a block in another place of a dimension."""
    return axes_behind(window.window[position].values).isdisjoint(moving) or stays(window, position)


def _hangs(window: WindowOp, position: int, told: Sequence[int], moving: Sequence[AxisOp]) -> bool:
    """Whether a dimension is one of those that tell steps apart, or follows from the axes of one."""
    if position in told:
        return True
    own = axes_behind(window.window[position].values).intersection(moving)
    return any(own <= axes_behind(window.window[i].values, ends=False) for i in told)


def _promised(window: WindowOp) -> set[int]:
    """The dimensions in which blocks differ wherever steps do, since the program says so of the positions:
    those of blocks that are one position each."""
    shared = shared_dims(window)
    found = (places for _, places in told_apart(window.window, window.window))
    return set[int]().union(*(places for places in found if places.isdisjoint(shared)))


def left_by(axes: Sequence[AxisOp], behind: AbstractSet[AxisOp]) -> AxisOp | None:
    """An axis that does not move a block, as those `behind` it do, and is outside of one that does."""
    moving = [axis for axis in axes if not one_step(axis)]
    last = max((i for i, axis in enumerate(moving) if axis in behind), default=0)
    return next((axis for axis in moving[:last] if axis not in behind), None)


def check_visits(pipeline: PipelineOp, flag: str) -> None:
    """Refuse, on behalf of a pass, a pipeline whose steps come back to a written block that others have left.

    It has to be asked while every axis of the program is an axis: the steps of a worklist do not tell.
    """
    for window in pipeline.windows:
        axis = returns(pipeline.axes, window) if window.effect is Effect.WRITE else None
        if axis is not None:
            fail(
                window,
                f"{flag}: the steps of axis {axis.axis.name} ({where(axis)}) come back to a block of "
                f"%{window.array.name_hint or 'array'} that others have left; "
                f"make {axis.axis.name} an inner axis, take another grouping, or run "
                "--split-unaligned-loops before",
            )
