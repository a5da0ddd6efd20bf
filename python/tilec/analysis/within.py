"""Whether an access is surely made, and surely inside its array."""

from xdsl.dialects import scf
from xdsl.ir import Operation

from tilec.analysis.affine import extent, linear, whole_bounds
from tilec.analysis.ranges import Ranges
from tilec.dialects.tile.access import AccessOp, Dim
from tilec.dialects.tile.schedule import WindowOp


def is_conditional(op: Operation | None, outer: Operation) -> bool:
    """Whether a condition stands between `op`, or is that, and `outer` around it."""
    while op is not None and op is not outer:
        if isinstance(op, scf.IfOp):
            return True
        op = op.parent_op()
    return False


def is_within(op: AccessOp, position: int) -> bool:
    """Whether the positions that an access names in one dimension are surely in the array."""
    dim, whole = op.window[position], extent(op.array, position)
    if dim.full or dim.base is None:
        return True
    ranges = Ranges()
    first = ranges.of(dim.base) + ranges.of(dim.shift)
    if first.low is None or first.low < 0:
        return False
    bounds = whole_bounds(dim.base)
    if bounds is not None:  # an axis, whose last position may be known where its range is not
        beyond = (linear(bounds.end) + linear(dim.shift) - whole).literal
        if beyond is not None and beyond <= 0:
            return True
    if dim.span is not None:
        return False
    return first.high is not None and whole.literal is not None and first.high < whole.literal


def is_cut(window: WindowOp, position: int) -> bool:
    """Whether only those elements of a window are in the array along a dimension that a mask chooses."""
    return window.clipped is not None and not is_within(window, position)


def begins_inside(dim: Dim) -> bool:
    """Whether no position of a dimension is surely or possibly below 0; an axis alone is taken not to be."""
    ranges = Ranges()
    low = None if dim.base is None else (ranges.of(dim.base) + ranges.of(dim.shift)).low
    return dim.shift == 0 if low is None else low >= 0


def may_leave(op: AccessOp, position: int) -> bool:
    """Whether an access that a condition leaves out may name a position outside of the array there.

    An axis whose bounds are known only at run time is taken to be in the arrays that it indexes.
    """
    if is_within(op, position):
        return False
    dim, whole = op.window[position], extent(op.array, position)
    bounds = None if dim.base is None else whole_bounds(dim.base)
    if bounds is None or dim.shift != 0:
        return True
    begin, beyond = linear(bounds.begin).literal, (linear(bounds.end) - whole).literal
    return (begin is not None and begin < 0) or (beyond is not None and beyond > 0)
