"""Whether the steps of a pipeline come back to a block that they left.

A block that is written leaves on-chip memory when the next step's block is another, and does not come back:
its visits must follow each other. So the axes that a block does not depend on have to be inside the others,
and positions keep apart, or come in order where steps may share a block.
"""

from collections.abc import Iterable, Sequence

from xdsl.ir import SSAValue

from tilec.analysis.courses import course_of
from tilec.analysis.visits import axes_behind, block_values, one_step, shared_dims, stays
from tilec.diagnostics import fail, where
from tilec.dialects.tile.access import Effect
from tilec.dialects.tile.schedule import AxisOp, PipelineOp, WindowOp


def returns(axes: Sequence[AxisOp], window: WindowOp) -> AxisOp | None:
    """An axis whose steps bring a window back to a block that it left, if there may be one.

    `axes` are the pipeline's, outermost first.
    """
    values = block_values(window)
    left = left_by(axes, values)
    if left is not None:
        return left
    behind = axes_behind(values, ends=False)
    moving = [axis for axis in axes if not one_step(axis)]
    shared = shared_dims(window)
    for position, dim in enumerate(window.window):
        own = axes_behind(dim.values)
        still = own.isdisjoint(moving) or stays(window, position)
        course = None if still else course_of(dim, moving)
        if position not in shared and (course is None or course.apart):
            continue
        first = next((axis for axis in axes if axis in own), None)
        if course is not None and not course.later:
            return first
        inside = [axis for axis in moving if first is not None and axes.index(axis) > axes.index(first)]
        if any(axis in behind and axis not in own for axis in inside):
            return first
    return None


def left_by(axes: Sequence[AxisOp], values: Iterable[SSAValue]) -> AxisOp | None:
    """An axis that does not move a block at `values` and is outside of one that does, if there is one."""
    behind = axes_behind(values, ends=False)
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
                f"make {axis.axis.name} an inner axis, or run --split-unaligned-loops before",
            )
