"""Windows as Pallas blocks: the view of the array that can be cut that way, the block's shape, and its
position.

A block's last two dimensions must be whole or in multiples of the tiling. A dimension that is indexed by a
scalar is dropped from the block, which only leading dimensions can be; so where one of the last two is
indexed the array is viewed with dimensions of extent 1 behind it. An array of rank 1 is viewed as one row.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from xdsl.dialects.builtin import IndexType, MemRefType
from xdsl.ir import Block, Operation, Region, SSAValue

from tilec.analysis.lanes import begins_on_a_tile
from tilec.diagnostics import fail
from tilec.dialects import pallas
from tilec.dialects.tile.access import Dim, Effect
from tilec.dialects.tile.schedule import Loop, WindowOp
from tilec.dialects.tile.types import UNBOUND, Array, byte_width, shape_of, span_of
from tilec.lowering.scalars import Scalars
from tilec.rewriting.index import Index

LANES = 128
SUBLANES = 8


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

    @property
    def reshaped(self) -> bool:
        """Whether the view is another shape than the array's."""
        return len(self.view) != len(self.window.window)

    @property
    def drops(self) -> list[int | None]:
        """How to index the reference for a value of rank 2 or more: 0 for an added dimension, `None` for all
        of another.

        Empty where the reference already has the value's shape.
        """
        kept = [dim for dim, extent in zip(self.dims, self.extents, strict=True) if extent is not None]
        if None not in kept or sum(dim is not None for dim in kept) < 2:
            return []
        return [0 if dim is None else None for dim in kept]

    def view_type(self, array: Array) -> Array:
        return MemRefType(array.element_type, self.view)


def plan_block(window: WindowOp, loop: Loop) -> BlockPlan:
    """Choose view and block of a window. Refuses what no block can express."""
    shape = shape_of(window.array.type)
    dims = window.window
    order = _with_units(window, dims)
    view = tuple(1 if position is None else shape[position] for position in order)
    extents = tuple(_extent(window, loop, position, dims, shape) for position in order)
    plan = BlockPlan(window, view, order, extents)
    for distance, unit in ((1, LANES), (2, SUBLANES)):
        if distance <= len(view):
            _check_tiling(plan, distance, unit, loop)
    return plan


def _with_units(window: WindowOp, dims: Sequence[Dim]) -> tuple[int | None, ...]:
    """The positions of the window's dimensions in the view, with `None` for added ones."""
    positions = list(range(len(dims)))
    if len(dims) == 1:
        return (None, 0) if dims[0].kept else (0, None, None)
    if not dims[-1].kept:
        if dims[-2].kept:
            fail(
                window,
                f"convert-tile-to-pallas: {_name(window)} is indexed by a scalar in its last dimension, "
                "whose elements lie side by side "
                "in a register; index it by `:` or a tile axis",
            )
        return (*positions, None, None)
    return (*positions[:-1], None, positions[-1]) if not dims[-2].kept else tuple(positions)


def _extent(
    window: WindowOp, loop: Loop, position: int | None, dims: Sequence[Dim], shape: Sequence[int]
) -> "int | pallas.Bounded | None":
    if position is None:
        return 1
    dim = dims[position]
    if dim.full:
        return shape[position]
    span = span_of(dim.base) if dim.base is not None else None
    if span is None:
        return None
    if not _moves_freely(dim):
        return span.size
    if loop is not Loop.EMIT_PIPELINE or position >= len(dims) - 2:
        fail(
            window,
            f"convert-tile-to-pallas: dimension {position} of {_name(window)} is cut at places that are "
            f"no multiples of {span.size}; "
            "that is possible only in a leading dimension with loop=emit_pipeline",
        )
    return pallas.Bounded(span.size)


def _moves_freely(dim: Dim) -> bool:
    """Whether blocks of the dimension may begin between multiples of their size."""
    if dim.base is None:
        return False
    span, owner = span_of(dim.base), dim.base.owner
    if span is None or not isinstance(owner, Operation):
        return False
    shifted = not isinstance(dim.shift, int) or dim.shift % span.size != 0
    return shifted or not (owner.properties.get("aligned") or begins_on_a_tile(dim.base))


def _check_tiling(plan: BlockPlan, distance: int, unit: int, loop: Loop) -> None:
    """Refuse a block that cuts one of the last two dimensions between tiles.

    Source: `BlockSpec` rows of the table of accepted blocks: whole, or a multiple of 8 rows or 128 lanes. An
    emit_pipeline also takes powers of two below 8 rows, of which there is no use.
    """
    extent, whole = plan.extents[-distance], plan.view[-distance]
    if not isinstance(extent, int) or extent == whole or extent % unit == 0:
        return
    width = byte_width(plan.window.array_type.element_type)
    position = plan.dims[-distance]
    fail(
        plan.window,
        f"convert-tile-to-pallas: a block of {extent} in dimension {position} of {_name(plan.window)} "
        f"({width * 8}-bit elements); "
        f"{'all of it' if whole == UNBOUND else f'all {whole}'} or a multiple of {unit} is accepted",
    )


def index_map(plan: BlockPlan, rank: int, scalars_for: Callable[[Block, list[Operation]], Scalars]) -> Region:
    """The map from a step's position on the grid to the block's, for a grid of `rank` axes."""
    block = Block(arg_types=[IndexType()] * rank)
    ops: list[Operation] = []
    scalars = scalars_for(block, ops)
    values = [scalars.build.value(index) for index in block_position(plan, scalars)]
    block.add_ops([*ops, pallas.YieldOp(values)])
    return Region(block)


def block_position(plan: BlockPlan, scalars: Scalars) -> list[Index]:
    """The block's number in each dimension of the view; start and size for a bounded one."""
    found: list[Index] = []
    for position, extent in zip(plan.dims, plan.extents, strict=True):
        dim = None if position is None else plan.window.window[position]
        if dim is None or dim.full:
            found.append(0)
        elif dim.base is None or span_of(dim.base) is None:
            base = 0 if dim.base is None else scalars.index(dim.base)
            found.append(scalars.build.add(base, scalars.index(dim.shift)))
        elif isinstance(extent, pallas.Bounded):
            found += _bounded(plan, position or 0, dim, scalars)
        else:
            found.append(_blocked(plan, position, dim.base, dim.shift, scalars))
    return found


def _blocked(plan: BlockPlan, position: int | None, base: SSAValue, shift: Index, scalars: Scalars) -> Index:
    parts = scalars.span(base)
    build = scalars.build
    if parts.block is None or not isinstance(shift, int):
        fail(plan.window, f"convert-tile-to-pallas: {_name(plan.window)} has no block at a step's position")
    number = build.add(parts.block, shift // parts.size)
    whole = shape_of(plan.window.array.type)[position or 0]
    owner = base.owner
    if isinstance(owner, Operation) and owner.properties.get("keep"):
        # A tile that does not exist may lie past the end.
        last = (
            scalars.last_block(plan.window.array, position or 0, parts.size)
            if whole == UNBOUND
            else -(-whole // parts.size) - 1
        )
        number = build.minimum(number, last)
    return number


def _bounded(plan: BlockPlan, position: int, dim: Dim, scalars: Scalars) -> list[Index]:
    build = scalars.build
    if dim.base is None:
        return [0, 1]
    owner = dim.base.owner
    keep = isinstance(owner, Operation) and owner.properties.get("keep")
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
    if keep:  # a copy has at least one row, of the array
        size = build.maximum(size, 1)
        start = build.minimum(start, scalars.last_block(plan.window.array, position, 1))
    return [start, size]


def _name(window: WindowOp) -> str:
    return f"%{window.array.name_hint or 'array'}"
