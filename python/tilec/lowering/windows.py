"""Windows as Pallas blocks: the view of the array that can be cut that way, the block's shape and position,
and where in the block the tile of a step lies.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

from xdsl.dialects import arith
from xdsl.dialects.builtin import IndexType, MemRefType, bf16, f32, i32
from xdsl.ir import Block, Operation, Region, SSAValue

from tilec.analysis.affine import place_of_one
from tilec.analysis.alignment import Kind
from tilec.analysis.blocks import (
    block_refusal,
    first_multiple,
    flat_refusal,
    following_extent,
    in_view,
    is_exact,
    view_order,
)
from tilec.analysis.lanes import moves_freely
from tilec.analysis.visits import covers, follows, stays
from tilec.analysis.vmem import LANES, SUBLANES
from tilec.analysis.within import begins_inside, is_cut
from tilec.diagnostics import fail
from tilec.dialects import pallas
from tilec.dialects.tile.access import Dim, Effect
from tilec.dialects.tile.locals import is_local
from tilec.dialects.tile.places import GetOp, SetOp
from tilec.dialects.tile.schedule import Loop, PipelineOp, WindowOp
from tilec.dialects.tile.types import UNBOUND, Array, element_type, shape_of
from tilec.lowering.scalars import Scalars
from tilec.rewriting.index import Index


@dataclass(frozen=True)
class BlockPlan:
    """How a window becomes a block.

    `view` is the shape of the viewed array and `dims` the window's dimension behind each of its dimensions,
    `None` for one of extent 1 that the view adds. `extents` is the block's shape.
    """

    window: WindowOp
    view: tuple[int, ...]
    dims: tuple[int | None, ...]
    extents: tuple["int | pallas.Bounded | None", ...]
    loop: Loop

    @cached_property
    def multiples(self) -> tuple[int | None, ...]:
        """Those of which a block that follows its tiles begins at one, `None` where it does not."""
        return tuple(first_multiple(self.window, position) for position in self.dims)

    @property
    def blocks(self) -> "list[int | pallas.Bounded | pallas.Element | None]":
        """The block's shape for a pipeline of Pallas: the position of one that follows its tiles is in
        elements, for a grid in all dimensions."""
        every = any(self.multiples) and self.loop is not Loop.EMIT_PIPELINE
        return [
            pallas.Element(each) if isinstance(each, int) and (every or multiple) else each
            for each, multiple in zip(self.extents, self.multiples, strict=True)
        ]

    @property
    def reshaped(self) -> bool:
        """Whether the view is another shape than the array's."""
        return len(self.view) != len(self.window.window)

    @cached_property
    def kept(self) -> tuple[int | None, ...]:
        """The window's dimension behind each dimension of the reference, `None` for one of the view's own."""
        pairs = zip(self.dims, self.extents, strict=True)
        return tuple(dim for dim, extent in pairs if extent is not None)

    @property
    def drops(self) -> list[int | None]:
        """How to index the reference for a value of rank 2 or more: 0 for an added dimension, `None` for all
        of another.

        Empty where the reference already has the value's shape.
        """
        if None not in self.kept or sum(dim is not None for dim in self.kept) < 2:
            return []
        return [0 if dim is None else None for dim in self.kept]

    @property
    def parts(self) -> list[int]:
        """The dimensions of the reference that hold more than the tile of a step."""
        extents, tile = self.window.extents, self.window.tile_extents
        return [i for i, dim in enumerate(self.kept) if dim is not None and extents[dim] != tile[dim]]

    @cached_property
    def moving(self) -> list[int]:
        """Which of the numbers of `block_position` depend on the step."""
        found: list[int] = []
        count = 0
        for position, extent in zip(self.dims, self.extents, strict=True):
            numbers = 2 if isinstance(extent, pallas.Bounded) else 1
            if (
                position is not None
                and not stays(self.window, position)
                and self.window.window[position].values
            ):
                found += range(count, count + numbers)
            count += numbers
        return found

    def view_type(self, array: Array) -> Array:
        return MemRefType(array.element_type, self.view)


def plan_block(window: WindowOp, loop: Loop, kind: Kind) -> BlockPlan:
    """Choose view and block of a window. Refuses what no block can express."""
    view = in_view(window, shape_of(window.array.type))
    order = view_order(window)
    extents = tuple(_extent(window, loop, position) for position in order)
    refused = None if is_local(window.array) else block_refusal(window, kind, window.extents)
    if refused is not None:
        fail(
            window,
            f"convert-tile-to-pallas: a block of {_name(window)} is refused on a TPU: {refused}; "
            "run --split-unaligned-loops",
        )
    plan = BlockPlan(window, view, order, extents, loop)
    if window.origin is not None and not any(plan.multiples):
        fail(
            window,
            f"convert-tile-to-pallas: a block of {_name(window)} begins `from` a shift and follows no tiles; "
            "only those of tiles that begin anywhere do",
        )
    if kind is Kind.GRID_BLOCK and _is_flat(window, plan):
        return replace(plan, view=shape_of(window.array.type), dims=(0,), extents=extents[-1:])
    return plan


def _is_flat(window: WindowOp, plan: BlockPlan) -> bool:
    """Whether blocks are of an array of rank 1 as it is, and not of a matrix of one row.

    XLA has the one in tiles of 1,024 and the other in tiles of 128 elements: where both do not end alike, it
    lays an array out anew. A block of rank 1 is only read and written as a whole.
    """
    shape, size, around = shape_of(window.array.type), plan.extents[-1], window.parent_op()
    if len(shape) != 1 or element_type(window.array.type) not in (f32, i32, bf16):
        return False
    tiles, unit = -(-shape[0] // LANES), SUBLANES * LANES
    if tiles <= SUBLANES or tiles % SUBLANES == 0 or not isinstance(size, int) or size % unit:
        return False
    windows = around.windows if isinstance(around, PipelineOp) else []
    alone = [each.array for each in windows].count(window.array) == 1
    used = (use.operation for use in window.result.uses)
    whole = not plan.parts and all(isinstance(op, GetOp | SetOp) and op.at is None for op in used)
    return alone and whole and not any(plan.multiples) and flat_refusal(window, size) is None


def _extent(window: WindowOp, loop: Loop, position: int | None) -> "int | pallas.Bounded | None":
    if position is None:
        return 1
    dim, extent = window.window[position], window.extents[position]
    if not dim.kept:
        return None if extent == 1 and not is_local(window.array) else extent
    leading = position < len(window.window) - 2
    if leading and is_cut(window, position) and moves_freely(dim) and not begins_inside(dim):
        fail(
            window,
            f"convert-tile-to-pallas: tiles of {_name(window)} may begin before its dimension {position}, "
            "which is copied whole: lanes that a mask leaves out, or that come before a range; one of the "
            "last two dimensions can be shifted so, any can by 0 or more, and tiles of loop=fori_loop begin "
            "with their range there",
        )
    tile = window.tile_extents[position]
    if not stays(window, position) and not moves_freely(dim) and extent % tile:
        fail(
            window,
            f"convert-tile-to-pallas: {_name(window)} fetches {extent} in dimension {position}, whose tiles "
            f"are those of the array; a multiple of {tile} is accepted",
        )
    if stays(window, position) or not moves_freely(dim):
        return extent
    if window.effect is Effect.READ and follows(window, position):
        _check_following(window, position)
        return extent
    if not is_exact(window, position, loop):
        fail(
            window,
            f"convert-tile-to-pallas: dimension {position} of {_name(window)} is cut at places that are "
            f"no multiples of {extent}; that is possible in a leading dimension where the steps are no grid, "
            "and --split-unaligned-loops copies all of a dimension whose extent is known",
        )
    return pallas.Bounded(extent)


def _check_following(window: WindowOp, position: int) -> None:
    """Refuse a block that follows its tiles and does not hold them wherever they begin."""
    origin, shift = window.origin, window.window[position].shift
    before = 0
    if origin is not None:
        if not isinstance(shift, int) or shift < origin.value.data:
            fail(
                window,
                f"convert-tile-to-pallas: a block of {_name(window)} begins as if shifted by "
                f"{origin.value.data}, behind its tile; a number that is no more than its shift is accepted",
            )
        before = shift - origin.value.data
    least = following_extent(window, position, window.tile_extents[position] + before)
    if least is None or window.extents[position] < least:
        fail(
            window,
            f"convert-tile-to-pallas: {_name(window)} fetches {window.extents[position]} in dimension "
            f"{position} for tiles that may begin anywhere; {least or 'all of it'} or more is accepted",
        )


def index_map(plan: BlockPlan, rank: int, scalars_for: Callable[[Block, list[Operation]], Scalars]) -> Region:
    """The map from a step's position on the grid to the block's, for a grid of `rank` axes."""
    block = Block(arg_types=[IndexType()] * rank)
    ops: list[Operation] = []
    scalars = scalars_for(block, ops)
    places, build = iter(block_position(plan, scalars)), scalars.build
    found: list[Index] = []
    for extent, multiple in zip(plan.blocks, plan.multiples, strict=True):
        place = next(places)
        found.append(
            build.mul(place, multiple or extent.size) if isinstance(extent, pallas.Element) else place
        )
        if isinstance(extent, pallas.Bounded):
            found.append(next(places))
    values = [build.value(index) for index in found]
    block.add_ops([*ops, pallas.YieldOp(values)])
    return Region(block)


def block_position(plan: BlockPlan, scalars: Scalars) -> list[Index]:
    """The block's number in each dimension of the view; start and size for a bounded one. One that follows
    its tiles has the number of the tile of memory that it begins with."""
    found: list[Index] = []
    for position, extent, multiple in zip(plan.dims, plan.extents, plan.multiples, strict=True):
        dim = None if position is None else plan.window.window[position]
        if position is None or dim is None or stays(plan.window, position):
            found.append(0)
        elif multiple is not None:
            found.append(_first_memory_tile(plan, position, multiple, scalars))
        elif dim.span is None:
            number = tile_number(plan, position, scalars)
            found.append(scalars.build.floordiv(number, plan.window.extents[position]))
        elif isinstance(extent, pallas.Bounded):
            found += _bounded(plan, position, dim, scalars)
        else:
            tiles = plan.window.extents[position] // dim.span.size
            found.append(scalars.build.floordiv(tile_number(plan, position, scalars), tiles))
    return found


def tile_start(plan: BlockPlan, position: int, scalars: Scalars) -> Index:
    """Where in its block the tile of a step begins, in one dimension of the window."""
    window, dim, build = plan.window, plan.window.window[position], scalars.build
    tile, extent = window.tile_extents[position], window.extents[position]
    if dim.base is not None and covers(window, position) and moves_freely(dim):
        start = _first_of_tile(dim, scalars, dim.shift)
        if is_cut(window, position) and position >= len(window.window) - 2:
            return _in_reach(window, position, start, scalars)
        if is_cut(window, position):
            return build.minimum(start, extent - tile)
        return build.maximum(build.minimum(start, extent - tile), 0) if _may_be_none(dim) else start
    multiple = first_multiple(window, position)
    if multiple is not None:
        start = _in_reach(window, position, _first_of_tile(dim, scalars, dim.shift), scalars)
        return build.sub(start, build.mul(_first_memory_tile(plan, position, multiple, scalars), multiple))
    number = tile_number(plan, position, scalars)
    if not covers(window, position):
        number = build.remainder(number, extent // tile)
    return build.mul(number, tile)


def _in_reach(window: WindowOp, position: int, start: Index, scalars: Scalars) -> Index:
    """Where a tile begins whose lanes outside of the array are anything: where all are, it does not matter
    which."""
    whole, tile = shape_of(window.array.type)[position], window.tile_extents[position]
    return scalars.build.maximum(scalars.build.minimum(start, whole), -tile)


def _first_of_tile(dim: Dim, scalars: Scalars, shift: SSAValue | int) -> Index:
    """The place in an array at which the tile of a step begins, shifted by so much."""
    base = 0 if dim.base is None else scalars.span(dim.base).start
    return scalars.build.add(base, scalars.index(shift))


def _first_memory_tile(plan: BlockPlan, position: int, multiple: int, scalars: Scalars) -> Index:
    """The number of the tile of memory, of `multiple` elements, with which a block that follows its tiles
    begins: the one in which that of a step does, if the array has enough from there on to its last."""
    window, build = plan.window, scalars.build
    dim = window.window[position]
    first = _first_of_tile(dim, scalars, dim.shift if window.origin is None else window.origin.value.data)
    whole = -(-shape_of(window.array.type)[position] // multiple)
    last = whole - window.extents[position] // multiple
    number = build.floordiv(first, multiple)
    return build.maximum(build.minimum(number, last), 0)


def tile_number(plan: BlockPlan, position: int, scalars: Scalars) -> Index:
    """The number of a step's tile among those of the array, in one dimension of the window."""
    window, dim, build = plan.window, plan.window.window[position], scalars.build
    if dim.span is None:
        base = 0 if dim.base is None else scalars.index(dim.base)
        if isinstance(base, SSAValue) and base.type != IndexType():
            base = build.insert(arith.IndexCastOp(base, IndexType()))
        place, owner = build.add(base, scalars.index(dim.shift)), place_of_one(dim.base) if dim.base else None
        return build.minimum(place, scalars.last_block(window.array, position, 1)) if owner else place
    if dim.base is None or not isinstance(dim.shift, int):
        fail(window, f"convert-tile-to-pallas: {_name(window)} has no block at a step's position")
    parts = scalars.span(dim.base)
    if parts.block is None:
        fail(window, f"convert-tile-to-pallas: {_name(window)} has no block at a step's position")
    shift, whole = dim.shift // parts.size, shape_of(window.array.type)[position]
    cut = is_cut(window, position)
    if not _may_be_none(dim) and not cut:
        return build.add(parts.block, shift)
    # A tile that does not exist may lie past the end.
    last = -(-whole // parts.size) - 1
    if whole == UNBOUND:
        last = scalars.last_block(window.array, position, parts.size)
    number = build.add(parts.block, shift)
    return build.minimum(build.maximum(number, 0) if cut else number, last)


def _may_be_none(dim: Dim) -> bool:
    """Whether there may be no such tile in a step."""
    owner = None if dim.base is None else dim.base.owner
    return isinstance(owner, Operation) and owner.properties.get("keep") is not None


def _bounded(plan: BlockPlan, position: int, dim: Dim, scalars: Scalars) -> list[Index]:
    build = scalars.build
    if dim.base is None:
        return [0, 1]
    keep = _may_be_none(dim) and scalars.pipeline.nested is None  # there nothing is copied in such a step
    if keep and plan.window.effect is Effect.WRITE:
        fail(
            plan.window,
            f"convert-tile-to-pallas: {_name(plan.window)} is written through a window that may have no "
            "rows in a step, "
            "and a copy of no rows cannot be made; "
            "use grouping=worklist, and a grid of its own for what stands around the loop",
        )
    parts = scalars.span(dim.base)
    size = build.minimum(build.sub(parts.end, parts.start), parts.size)
    start = build.add(parts.start, scalars.index(dim.shift))
    cut = is_cut(plan.window, position)
    if keep or cut:  # a copy has at least one row, of the array
        last = scalars.last_block(plan.window.array, position, 1)
        if cut:
            size = build.minimum(size, build.add(build.sub(last, start), 1))
        size = build.maximum(size, 1)
        start = build.minimum(start, last)
    return [start, size]


def has_rows(plan: BlockPlan, scalars: Scalars) -> SSAValue | None:
    """Whether there is anything to copy where only live elements are copied; `None` if there surely is."""
    found: list[SSAValue] = []
    for position, extent in zip(plan.dims, plan.extents, strict=True):
        dim = None if position is None else plan.window.window[position]
        if (
            isinstance(extent, pallas.Bounded)
            and dim is not None
            and dim.base is not None
            and _may_be_none(dim)
        ):
            parts = scalars.span(dim.base)
            found.append(scalars.build.compare("slt", parts.begin, parts.end))
    return scalars.build.every(found)


def _name(window: WindowOp) -> str:
    return f"%{window.array.name_hint or 'array'}"
