"""In which order the steps of a pipeline visit the blocks of a window.

A block that is written leaves on-chip memory when the next step's block is another, and does not come back:
its visits must follow each other. Whether they do follows from the axes that the window's position depends
on.
"""

from collections.abc import Iterable, Sequence

from xdsl.ir import Operation, SSAValue

from tilec.analysis.affine import static_extent
from tilec.dialects.tile.access import Dim
from tilec.dialects.tile.schedule import AxisOp
from tilec.dialects.tile.types import span_of


def axes_behind(values: Iterable[SSAValue]) -> set[AxisOp]:
    """The axes that `values` depend on, through scalars and through the bounds of other axes."""
    found: set[AxisOp] = set()
    seen: set[Operation] = set()
    pending = list(values)
    while pending:
        owner = pending.pop().owner
        if not isinstance(owner, Operation) or owner in seen:
            continue
        seen.add(owner)
        if isinstance(owner, AxisOp):
            found.add(owner)
        pending += owner.operands
    return found


def window_values(window: Sequence[Dim]) -> list[SSAValue]:
    """The values that the window's position depends on."""
    return [value for dim in window for value in dim.values]


def one_step(axis: AxisOp) -> bool:
    """Whether the axis surely has at most one step."""
    extent, span = static_extent(axis.axis.bounds), span_of(axis.result)
    return axis.aligned is None and extent is not None and extent <= (span.size if span else 1)


def shared_axes(window: Sequence[Dim]) -> set[AxisOp]:
    """The axes behind the window's aligned spans: two of their steps may share a block."""
    aligned = [value for value in window_values(window) if _aligned(value)]
    return axes_behind(aligned)


def _aligned(value: SSAValue) -> bool:
    owner = value.owner
    return isinstance(owner, Operation) and owner.properties.get("aligned") is not None


def returns(axes: Sequence[AxisOp], window: Sequence[Dim]) -> AxisOp | None:
    """An axis whose steps bring a window back to a block that it left, if there is one.

    `axes` are the pipeline's, outermost first.
    """
    behind = axes_behind(window_values(window))
    shared = shared_axes(window)
    positions = [i for i, axis in enumerate(axes) if axis in behind and not one_step(axis)]
    for axis in axes[: max(positions, default=0)]:
        if axis not in behind and not one_step(axis):
            return axis
    begun = False
    for axis in axes:
        begun = begun or axis in shared
        if begun and axis in behind and axis not in shared and not one_step(axis):
            return next(other for other in axes if other in shared)
    return None
