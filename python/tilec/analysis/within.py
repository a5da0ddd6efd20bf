"""Whether an access is surely made, and surely inside its array."""

from collections.abc import Iterator
from typing import cast

from xdsl.dialects import arith, scf
from xdsl.ir import Block, Operation, SSAValue

from tilec.analysis.affine import Linear, axis_bounds, extent, linear, static_extent, whole_bounds
from tilec.analysis.ranges import Ranges
from tilec.analysis.reach import every_time
from tilec.dialects.tile.access import AccessOp, Dim
from tilec.dialects.tile.arrays import SegmentOp
from tilec.dialects.tile.elementwise import is_lanewise
from tilec.dialects.tile.locals import is_local
from tilec.dialects.tile.loops import ForOp, GridOp
from tilec.dialects.tile.numbered import SpanOp
from tilec.dialects.tile.schedule import AxisOp, PipelineOp, WindowOp
from tilec.dialects.tile.syntax import ints_of
from tilec.dialects.tile.types import shape_of
from tilec.dialects.tile.values import BroadcastOp, SplatOp


def around(op: Operation, outer: Operation | None = None) -> Iterator[Operation]:
    """The operations around `op`, from the innermost on, up to `outer`, excluded."""
    inner = op.parent_op()
    while inner is not None and inner is not outer:
        yield inner
        inner = inner.parent_op()


def grid_around(op: Operation) -> GridOp | None:
    """The grid that an operation is in."""
    return next((each for each in around(op) if isinstance(each, GridOp)), None)


def is_conditional(op: Operation | None, outer: Operation) -> bool:
    """Whether a condition stands between `op`, or is that, and `outer` around it."""
    while op is not None and op is not outer:
        if isinstance(op, scf.IfOp):
            return True
        op = op.parent_op()
    return False


def mask_of(op: AccessOp) -> SSAValue | None:
    """The mask of an access, if it has one."""
    return cast("SSAValue | None", getattr(op, "mask", None))


def is_partial(op: AccessOp, outer: Operation) -> bool:
    """Whether a mask or a condition inside `outer` may leave an access out, all of it or in some lanes."""
    return not is_local(op.array) and (mask_of(op) is not None or is_conditional(op, outer))


def is_chosen(op: AccessOp, position: int, outer: Operation) -> bool:
    """Whether a mask or a condition inside `outer` may leave some places of a dimension out."""
    mask, before = mask_of(op), [dim for dim in op.window[:position] if dim.kept]
    chosen = mask is not None and _chooses_along(mask, len(before))
    return not is_local(op.array) and (chosen or is_conditional(op, outer))


def _chooses_along(mask: SSAValue, dim: int) -> bool:
    """Whether which lanes a mask leaves out may differ along a dimension of it."""
    op = mask.owner
    match op:
        case SplatOp():
            return False
        case BroadcastOp():
            dims = list(ints_of(op.dims))
            return dim in dims and _chooses_along(op.value, dims.index(dim))
        case Operation() if is_lanewise(op):
            return any(_chooses_along(each, dim) for each in op.operands if shape_of(each.type))
        case _:
            return True


def conjuncts(condition: SSAValue) -> list[SSAValue]:
    """The conditions all of which make up one."""
    if isinstance(condition.owner, arith.AndIOp):
        return [each for operand in condition.owner.operands for each in conjuncts(operand)]
    return [condition]


def may_be_skipped(op: Operation, outer: Operation | None = None) -> bool:
    """Whether a loop around `op`, inside `outer`, may have no iteration."""
    loops = (each for each in around(op, outer) if isinstance(each, ForOp))
    return any((static_extent(loop.axis.bounds) or 0) <= 0 for loop in loops)


def is_within(op: AccessOp, position: int) -> bool:
    """Whether the positions that an access names in one dimension are surely in the array."""
    return stays_within(op.window[position], extent(op.array, position))


def stays_within(dim: Dim, whole: Linear) -> bool:
    """Whether positions are surely from 0 up to `whole`."""
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


def surely_outside(op: AccessOp, position: int) -> str | None:
    """Which axis of indices takes an access outside of a dimension of its array, and how far, if one does."""
    dim = op.window[position]
    bounds = None if dim.base is None or dim.span is not None else axis_bounds(dim.base)
    if dim.base is None or bounds is None:
        return None
    axis = f"axis {dim.base.name_hint or 'of an index'}"
    first = (linear(bounds.begin) + linear(dim.shift)).literal
    beyond = (linear(bounds.end) + linear(dim.shift) - extent(op.array, position)).literal
    if beyond is not None and beyond > 0:
        return f"{axis} runs {beyond} beyond"
    return f"{axis} begins {-first} before" if first is not None and first < 0 else None


def dim_kept_by_mask(op: AccessOp) -> int | None:
    """The first dimension, of those that no tile of integers indexes, which only a mask may keep inside the
    array; `None` where there is no such dimension."""
    if mask_of(op) is None:
        return None
    dims = enumerate(op.window)
    return next((i for i, dim in dims if not dim.indexed and not is_within(op, i)), None)


def is_cut(window: WindowOp, position: int) -> bool:
    """Whether of a window's elements some may be outside of the array along a dimension: those that a mask
    leaves out, or that lie in an aligned tile before its range."""
    may_leave = window.clipped is not None or _begins_before_its_range(window.window[position])
    return may_leave and not is_within(window, position)


def _begins_before_its_range(dim: Dim) -> bool:
    """Whether an aligned tile, which may begin before its range, is shifted by what may be less than 0."""
    maker = None if dim.span is None or dim.base is None else dim.base.owner
    if not isinstance(maker, AxisOp | SpanOp) or maker.aligned is None:
        return False
    least = Ranges().of(dim.shift).low
    return least is None or least < 0


def begins_inside(dim: Dim) -> bool:
    """Whether no position of a dimension is surely or possibly below 0; an axis alone is taken not to be."""
    ranges = Ranges()
    low = None if dim.base is None else (ranges.of(dim.base) + ranges.of(dim.shift)).low
    return dim.shift == 0 if low is None else low >= 0


def may_begin_before(dim: Dim) -> bool:
    """Whether a dimension begins a literal before what may be 0, as two rows before a segment do."""
    bounds = None if dim.base is None or dim.indexed else whole_bounds(dim.base)
    if bounds is None:
        return False
    form = linear(bounds.begin) + linear(dim.shift)
    return form.constant < 0 and bool(form.factors) and min(form.factors.values()) > 0


def may_leave(op: AccessOp, position: int) -> bool:
    """Whether an access that a condition or a mask leaves out may name a position outside of the array there.

    Ends of segments, and what is known before the kernel starts, are checked against the arrays that their
    axes index, so these count as inside.
    """
    if is_within(op, position):
        return False
    dim, whole = op.window[position], extent(op.array, position)
    bounds = None if dim.base is None else whole_bounds(dim.base)
    if bounds is None or dim.base is None or dim.shift != 0:
        return True
    begin = linear(bounds.begin).literal
    if begin is not None and begin < 0:
        return True
    if begin is not None and bounds.limit is not None and _is_at_most(begin + bounds.limit, whole):
        return False
    return not (_ends_inside(bounds.end, whole) or _is_reached(dim.base, whole))


def _is_at_most(index: SSAValue | int, whole: Linear) -> bool:
    beyond, high = (linear(index) - whole).literal, Ranges().of(index).high
    if beyond is not None:
        return beyond <= 0
    return high is not None and whole.literal is not None and high <= whole.literal


def _ends_inside(end: SSAValue | int, whole: Linear) -> bool:
    """Whether the end of an axis is in an array, or is checked to be."""
    if _is_at_most(end, whole):
        return True
    if isinstance(end, int) or (linear(end) - whole).literal is not None:
        return False
    match end.owner:
        case SegmentOp():
            return True
        case arith.MinSIOp(lhs=lhs, rhs=rhs):
            return _ends_inside(lhs, whole) or _ends_inside(rhs, whole)
        case arith.SelectOp(lhs=lhs, rhs=rhs) | arith.MaxSIOp(lhs=lhs, rhs=rhs):
            return _ends_inside(lhs, whole) and _ends_inside(rhs, whole)
        case owner:
            return not _is_in_grid(owner)


def _is_in_grid(owner: Operation | Block) -> bool:
    around = owner.parent_op()
    while around is not None and not isinstance(around, GridOp | PipelineOp):
        around = around.parent_op()
    return around is not None


def _is_reached(axis: SSAValue, whole: Linear) -> bool:
    """Whether all of an axis surely indexes an array that is no longer."""
    owner = axis.owner
    loop = owner.parent_op() if isinstance(owner, Block) else None
    longer = [
        (extent(op.array, at) - whole).literal
        for op in (every_time(loop) if isinstance(loop, ForOp) else ())
        for at, dim in enumerate(op.window)
        if dim.base is axis and dim.shift == 0
    ]
    return any(each is not None and each <= 0 for each in longer)
