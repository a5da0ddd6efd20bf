"""Which axes of a pipeline the block of a window depends on, and which steps may share one."""

from collections.abc import Iterable, Sequence

from xdsl.ir import Operation, SSAValue

from tilec.analysis.affine import axis_bounds, linear, static_extent
from tilec.analysis.lanes import moves_freely
from tilec.dialects.tile.access import Dim
from tilec.dialects.tile.locals import is_local
from tilec.dialects.tile.numbered import SpanOp
from tilec.dialects.tile.schedule import AxisOp, PipelineOp, WindowOp
from tilec.dialects.tile.types import UNBOUND, shape_of, span_of


def axes_behind(values: Iterable[SSAValue], *, ends: bool = True) -> set[AxisOp]:
    """The axes that `values` depend on, through scalars and through the bounds of other axes.

    Without `ends`, only those that positions depend on: an axis moves with its begin, not with its end, and a
    `tile.span` with its begin and with the axis that counts its tiles.
    """
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
        elif isinstance(owner, SpanOp):
            found |= {axis for axis in (counter_of(owner),) if axis is not None}
        if ends or not isinstance(owner, AxisOp | SpanOp):
            pending += owner.operands
        elif (bounds := axis_bounds(owner.result)) is not None and isinstance(bounds.begin, SSAValue):
            pending.append(bounds.begin)
    return found


def counter_of(span: SpanOp) -> AxisOp | None:
    """The axis whose steps count the tiles of a `tile.span`: the innermost that the tile's number follows
    from. What else it follows from are how many tiles others have before it, and how many it has."""
    return innermost_behind(span.index)


def innermost_behind(value: SSAValue) -> AxisOp | None:
    """The innermost of the axes that a value depends on."""
    axes = axes_behind([value])
    return max(axes, key=lambda axis: sum(each.is_before_in_block(axis) for each in axes), default=None)


def window_values(window: Sequence[Dim]) -> list[SSAValue]:
    """The values that the window's position depends on."""
    return [value for dim in window for value in dim.values]


def one_step(axis: AxisOp) -> bool:
    """Whether the axis surely has at most one step."""
    bounds, span = axis.axis.bounds, span_of(axis.result)
    size = span.size if span else 1
    if axis.aligned is None:
        extent = static_extent(bounds)
        return extent is not None and extent <= size
    begin, end = linear(bounds.begin).literal, linear(bounds.end).literal
    return begin is not None and end is not None and -(-end // size) - begin // size <= 1


def covers(window: WindowOp, position: int) -> bool:
    """Whether the block that is copied holds a whole dimension that the steps' tiles are parts of."""
    whole, extent = shape_of(window.array.type)[position], window.extents[position]
    part = not window.window[position].full and extent != window.tile_extents[position]
    return part and whole != UNBOUND and extent >= whole


def follows(window: WindowOp, position: int) -> bool:
    """Whether the block that is copied begins where the tile of a step does, or just before: tiles that may
    begin anywhere, in a block of more than one but not of all of the dimension."""
    inner = position >= len(window.window) - 2 and not is_local(window.array)
    part = window.extents[position] != window.tile_extents[position] and not covers(window, position)
    return inner and part and moves_freely(window.window[position])


def moves(window: WindowOp) -> bool:
    """Whether some step may have another block than an earlier one."""
    return any(not one_step(axis) for axis in axes_behind(block_values(window)))


def stays(window: WindowOp, position: int) -> bool:
    """Whether the block that is copied holds all of a dimension, in every step; so does on-chip memory."""
    if is_local(window.array):
        return True
    dim, whole = window.window[position], shape_of(window.array.type)[position]
    if dim.full or covers(window, position):
        return True
    return dim.span is not None and not moves_freely(dim) and 0 <= whole <= window.extents[position]


def block_values(window: WindowOp) -> list[SSAValue]:
    """The values that the position of the copied block depends on."""
    dims = [dim for position, dim in enumerate(window.window) if not stays(window, position)]
    return window_values(dims)


def level_of(window: WindowOp, axes: Sequence[AxisOp]) -> int:
    """How many of the loops over `axes`, outermost first, there are down to the last that moves a window."""
    behind = axes_behind(block_values(window))
    return max((number + 1 for number, axis in enumerate(axes) if axis in behind), default=0)


def shares_block(one: WindowOp, two: WindowOp) -> bool:
    """Whether two windows of one array are copied as the same block in every step.

    So are those that hold all of a dimension each wherever they differ, or that begin `from` one shift there.
    """
    return is_local(one.array) or (
        one.extents == two.extents
        and one.origin == two.origin
        and all(
            same_tiles(first, second)
            or (stays(one, position) and stays(two, position))
            or _follow_one(one, two, position)
            for position, (first, second) in enumerate(zip(one.window, two.window, strict=True))
        )
    )


def same_tiles(one: Dim, two: Dim) -> bool:
    """Whether two dimensions have the same place in every step: `tile.span`s of one number and one range are
    the same tiles under two names."""
    if one == two:
        return True
    if one.base is None or two.base is None or (one.shift, one.full) != (two.shift, two.full):
        return False
    first, second = one.base.owner, two.base.owner
    if not isinstance(first, SpanOp) or not isinstance(second, SpanOp):
        return False
    (size, tiles), (other, others) = (_tiles_of(span) for span in (first, second))
    return size == other and tiles == others


def _tiles_of(span: SpanOp) -> tuple[int, tuple[object, ...]]:
    kind = span_of(span.result)
    bounds = span.bounds
    return 0 if kind is None else kind.size, (span.index, bounds.begin, bounds.end, span.aligned)


def _follow_one(one: WindowOp, two: WindowOp, position: int) -> bool:
    """Whether one block holds tiles of two windows, which are shifted by numbers of the same span."""
    first, second = one.window[position], two.window[position]
    same = first.base is second.base and first.span == second.span
    literal = isinstance(first.shift, int) and isinstance(second.shift, int)
    return same and literal and one.origin is not None and follows(one, position) and follows(two, position)


def block_owner(pipeline: PipelineOp, window: WindowOp) -> WindowOp:
    """The first window of a pipeline that is the same block as `window` in every step: tiles of a resident
    array share one.
    """
    for other in pipeline.windows:
        same = other.array is window.array and other.effect is window.effect
        kept = is_local(window.array) or window.fetch is not None
        if other is window or (same and kept and shares_block(other, window)):
            return other
    return window


def shared_axes(window: WindowOp) -> set[AxisOp]:
    """The axes two of whose steps may share a block of the window."""
    return {axis for position in shared_dims(window) for axis in axes_behind(window.window[position].values)}


def shared_dims(window: WindowOp) -> list[int]:
    """The dimensions in which steps may share a block.

    Those are the dimensions of aligned spans, even of one that has no second tile, of spans of which a block
    holds several tiles, and of axes that keep a step where they have no index: it is at one of others.
    """
    extents, tiles = window.extents, window.tile_extents
    found: list[int] = []
    for position, dim in enumerate(window.window):
        several = not dim.full and extents[position] != tiles[position]
        aligned = any(_aligned(value) for value in dim.values)
        kept = any(axis.keep is not None for axis in axes_behind(dim.values, ends=False))
        if (several or aligned or kept) and not is_local(window.array) and not covers(window, position):
            found.append(position)
    return found


def _aligned(value: SSAValue) -> bool:
    owner = value.owner
    return isinstance(owner, Operation) and owner.properties.get("aligned") is not None
