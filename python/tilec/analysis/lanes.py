"""Which lanes of a span may be dead, and whether a dead lane may lie inside an array."""

from xdsl.dialects import arith
from xdsl.ir import Operation, SSAValue

from tilec.analysis.affine import (
    axis_bounds,
    begins_on_a_tile,
    extent,
    linear,
    static_extent,
    whole_bounds,
)
from tilec.dialects.tile.access import AccessOp, Dim
from tilec.dialects.tile.elementwise import CastOp
from tilec.dialects.tile.mixing import FillOp, WholeOp
from tilec.dialects.tile.schedule import Loop, PipelineOp, WindowOp
from tilec.dialects.tile.syntax import scalar_of
from tilec.dialects.tile.types import span_of

KEEPS_ZERO = (CastOp, arith.AddfOp, arith.SubfOp)
"""Operations whose result is zero where all operands are."""


def may_have_dead_lanes(span: SSAValue) -> bool:
    """Whether a tile of the axis behind `span` may have a lane outside the axis' range."""
    bounds, kind = axis_bounds(span), span_of(span)
    if bounds is None or kind is None:
        return True
    length = static_extent(bounds)
    return length is None or length % kind.size != 0 or _is_aligned(span)


def is_filled(value: SSAValue, span: SSAValue, number: float) -> bool:
    """Whether the dead lanes of a span, if any, hold a number in a value that names the span no longer."""
    match value.owner:
        case WholeOp() as op:
            return op.span is span or is_filled(op.value, span, number)
        case FillOp() as op:
            other = op.other.owner
            same = isinstance(other, arith.ConstantOp) and scalar_of(other.value) == number
            return same and (op.span is span or is_filled(op.value, span, number))
        case Operation() as op if isinstance(op, KEEPS_ZERO) and number == 0:
            return all(is_filled(side, span, number) for side in op.operands)
        case _:
            return False


def moves_freely(dim: Dim) -> bool:
    """Whether tiles of the dimension may begin between multiples of their size."""
    span, owner = dim.span, None if dim.base is None else dim.base.owner
    if span is None or dim.base is None or not isinstance(owner, Operation):
        return False
    shifted = not isinstance(dim.shift, int) or dim.shift % span.size != 0
    return shifted or not (owner.properties.get("aligned") or begins_on_a_tile(dim.base))


def spans_to_blend(access: AccessOp) -> list[SSAValue]:
    """The spans of a window along which an element of the array may lie in a dead lane.

    Along the others every dead lane is outside the array: the axis begins on a tile and runs to the array's
    end.
    """
    found: list[SSAValue] = []
    pipeline = access.parent_op()
    loop = pipeline.loop.data if isinstance(pipeline, PipelineOp) else None
    for position, dim in enumerate(access.window):
        if dim.base is None or span_of(dim.base) is None or not may_have_dead_lanes(dim.base):
            continue
        bounds = whole_bounds(dim.base)
        between = loop is not None and begins_between(access, position, loop)
        if not _is_aligned(dim.base) and (between or not begins_on_a_tile(dim.base)):
            if isinstance(access, WindowOp) and access.extents[position] != access.tile_extents[position]:
                found.append(dim.base)  # a part of a block, all of which goes back to the array
            continue  # else an exact window: only its live rows are copied
        to_the_end = bounds is not None and linear(bounds.end) == extent(access.array, position)
        if _is_aligned(dim.base) or not to_the_end or dim.shift != 0:
            found.append(dim.base)
    return found


def begins_between(access: AccessOp, position: int, loop: Loop) -> bool:
    """Whether tiles of a leading dimension, in a kernel's own loop, begin between those of the array."""
    leading = position < len(access.window) - 2
    return leading and loop is not Loop.GRID and moves_freely(access.window[position])


def _is_aligned(span: SSAValue) -> bool:
    owner = span.owner
    return getattr(owner, "aligned", None) is not None
