"""What is copied for a window: the view of the array that is cut into blocks, and whether a TPU can do it.

A block's last two dimensions lie in tiles of memory. A dimension that is indexed by a scalar is dropped from
the block, which only leading dimensions can be; so where one of the last two is indexed the array is viewed
with dimensions of extent 1 behind it, unless several rows are copied at once. An array of rank 1 is viewed as
one row.

Kernels are to run on every chip, so what one of them refuses is refused.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import prod

from xdsl.dialects.builtin import MemRefType, i1
from xdsl.ir import Attribute, Operation, SSAValue

from tilec.analysis.affine import static_extent
from tilec.analysis.alignment import Access, Kind, Multiple, Refusal, refusal
from tilec.analysis.alignment.access import DTYPES, UNKNOWN
from tilec.analysis.alignment.layout import tile_rows
from tilec.analysis.lanes import begins_between
from tilec.analysis.visits import axes_behind, block_values, covers, follows, one_step
from tilec.analysis.vmem import LANES, MEBIBYTE, packed_rows, round_up
from tilec.diagnostics import fail
from tilec.dialects.tile.access import AccessOp, Effect
from tilec.dialects.tile.arrays import LoadOp, SegmentOp
from tilec.dialects.tile.axes import Order
from tilec.dialects.tile.rows import UpdateRowsOp
from tilec.dialects.tile.schedule import AxisOp, Loop, PipelineOp, WindowOp
from tilec.dialects.tile.types import UNBOUND, byte_width, element_type, shape_of, span_of

CHIPS = ("v4", "v5e", "v5p", "v6e", "tpu7x")
MOST_BUFFERS = 8
"""Buffers of a window. Four hide a latency behind three copies; where some bring a few rows, several such
may follow each other."""
MOST_WINDOW = 8 * MEBIBYTE
"""What may stay on the chip of an array whose tiles begin anywhere, where blocks could follow them: half of
what a v4 has. 2048 rows of 1024 numbers, added to 32,768 rows by their positions in segments, take 176 us so
on v5e."""
_OF_WIDTH = {1: "i8", 2: "bf16", 4: "f32"}
"""The element type that stands for others of its width, as an i8 does for an i1."""


def view_order(window: WindowOp) -> tuple[int | None, ...]:
    """The window's dimension behind each dimension of the view, `None` for one of extent 1 that is added."""
    dims = window.window
    positions = list(range(len(dims)))
    if len(dims) == 1:
        return (None, 0) if dims[0].kept else (0, None, None)
    if dims[-1].kept:
        one_row = not dims[-2].kept and window.extents[-2] == 1
        return (*positions[:-1], None, positions[-1]) if one_row else tuple(positions)
    if any(dim.kept for dim in dims):
        fail(
            window,
            f"convert-tile-to-pallas: %{window.array.name_hint or 'array'} is indexed by a scalar in its "
            "last dimension, whose elements lie side by side in a register; index it by `:` or a tile axis",
        )
    return (*positions, None, None)


def in_view(window: WindowOp, extents: Sequence[int]) -> tuple[int, ...]:
    """Extents of the window's dimensions as those of the view."""
    return tuple(1 if position is None else extents[position] for position in view_order(window))


def is_exact(window: WindowOp, position: int, loop: Loop) -> bool:
    """Whether only the live elements of a dimension are copied, from wherever they begin."""
    return begins_between(window, position, loop) and not covers(window, position)


def loop_axes(pipeline: PipelineOp) -> list[AxisOp]:
    """The axes that run in the loop of a `fori_loop`: those from the first on that is not parallel, or the
    last.
    """
    axes = pipeline.axes
    ordered = [i for i, axis in enumerate(axes) if axis.order.data is not Order.PARALLEL]
    moving = [i for i, axis in enumerate(axes) if not one_step(axis)]
    return axes[min([*ordered, *moving[-1:], len(axes) - 1]) :]


def scalar_arrays(pipeline: PipelineOp) -> dict[SSAValue, Operation]:
    """The arrays whose elements are read one by one, in scalar memory, and the first operation that does."""
    found: dict[SSAValue, Operation] = {}
    for op in pipeline.body.walk():
        scalar = isinstance(op, SegmentOp | LoadOp) and op.parent_op() is pipeline  # else they are refused
        if scalar or isinstance(op, UpdateRowsOp):
            for array in op.operands:
                if isinstance(array.type, MemRefType):
                    found.setdefault(array, op)
    return found


def kind_of(pipeline: PipelineOp, window: WindowOp) -> Kind:
    """How the window's block is copied."""
    match pipeline.loop.data:
        case Loop.GRID:
            return Kind.GRID_BLOCK
        case Loop.EMIT_PIPELINE:
            return Kind.PIPELINE_BLOCK
        case Loop.FORI_LOOP:
            exact = any(is_exact(window, i, Loop.FORI_LOOP) for i in range(len(window.window)))
            if not exact and not axes_behind(block_values(window)) & set(loop_axes(pipeline)):
                return Kind.GRID_BLOCK
            return Kind.DMA_IN if window.effect is Effect.READ else Kind.DMA_OUT


def most_buffers(pipeline: PipelineOp, window: WindowOp) -> int:
    """The most buffers that a window can have.

    A grid gives its windows two at most, and an emit_pipeline its outputs. Its inputs can have more, but it
    begins a copy for each buffer but one before the first step and waits for one in each step, so that there
    must be as many steps. Source: jax 0.10.2, whose interpreter sees the copies that nothing waits for.
    """
    kind = kind_of(pipeline, window)
    if kind in (Kind.DMA_IN, Kind.DMA_OUT):
        return MOST_BUFFERS
    if kind is Kind.GRID_BLOCK or window.effect is Effect.WRITE:
        return 2
    steps = prod(_steps(axis) for axis in pipeline.axes)
    return min(MOST_BUFFERS, max(2, steps + 1))


def _steps(axis: AxisOp) -> int:
    """The least number of steps of an axis."""
    bounds, span = axis.axis.bounds, span_of(axis.result)
    extent = static_extent(bounds)
    return 1 if extent is None else -(-extent // (span.size if span else 1))


def block_refusal(window: WindowOp, kind: Kind, extents: Sequence[int]) -> Refusal | None:
    """Why no chip, or not every one, copies blocks of these extents, one for each dimension of the array."""
    pipeline = window.parent_op()
    own = isinstance(pipeline, PipelineOp) and pipeline.loop.data is not Loop.GRID
    if window.array_type.element_type == i1 and own and (window.writes or kind is not Kind.GRID_BLOCK):
        told = "loop=grid, or an array of i8, as --widen-elements makes"
        return Refusal(0, "loops of the kernel's own copy no i1, and store to none", "an array of i1", told)
    array, block = in_view(window, shape_of(window.array.type)), in_view(window, extents)
    start: tuple[int | Multiple, ...] = ()
    if kind in (Kind.DMA_IN, Kind.DMA_OUT):
        pairs = list(zip(block, array, strict=True))
        units = [first_multiple(window, position) for position in view_order(window)]
        start = tuple(
            0 if extent == whole else Multiple(unit or extent)
            for (extent, whole), unit in zip(pairs, units, strict=True)
        )
        # A block that is larger than the array is a whole number of tiles of memory.
        array = tuple(UNBOUND if extent > whole else whole for extent, whole in pairs)
    return _in_array(window, _first_refusal(window, kind, array, start, block))


def flat_refusal(window: WindowOp, extent: int) -> Refusal | None:
    """Why no chip, or not every one, copies blocks of this extent of an array of rank 1 as it is."""
    return _first_refusal(window, Kind.GRID_BLOCK, shape_of(window.array.type), (), (extent,))


def following_extent(window: AccessOp, position: int, tile: int) -> int | None:
    """The extent of the block that holds a tile of a dimension wherever it begins, and begins itself at a
    tile of memory. `None` where there is no such block of the array: it would be all of the dimension, or
    nobody could say where the last one begins."""
    shape = shape_of(window.array.type)
    if position < len(shape) - 2 or len(shape) == 1 or shape[position] == UNBOUND:
        return None
    unit = memory_tile(window, position)
    extent = round_up(tile + unit - 1, unit)
    return extent if extent <= shape[position] else None


def memory_tile(access: AccessOp, position: int) -> int:
    """The extent of a tile of memory in a dimension: what a step reads may be such a tile, or several."""
    rows = packed_rows(byte_width(element_type(access.array.type)))
    return {1: LANES, 2: rows}.get(len(access.window) - position, 1)


def first_multiple(window: WindowOp, position: int | None) -> int | None:
    """Of which elements a block that follows its tiles begins at a multiple in a dimension: of those of a
    tile of memory. `None` for any other block."""
    if position is None or not follows(window, position):
        return None
    if position == len(window.window) - 1:
        return LANES
    return tile_rows_of(window, shape_of(window.array.type)[position])


def tile_rows_of(window: WindowOp, rows: int) -> int:
    """The rows of a tile of memory of a window's array in HBM with so many rows."""
    return rows_of_tile(window.array_type.element_type, rows)


def rows_of_tile(element: Attribute, rows: int) -> int:
    """The rows of a tile of memory of an array in HBM with so many rows: it takes whole tiles."""
    known = UNKNOWN if rows == UNBOUND else rows
    access = Access(CHIPS[0], Kind.DMA_IN, _dtype(element), (known, LANES), (0, 0), (1, LANES))
    return tile_rows(known, access)


def _dtype(element: Attribute) -> str:
    name = str(element).lower()
    return name if name in DTYPES else _OF_WIDTH.get(byte_width(element), "f32")


def tile_refusal(
    window: WindowOp, buffer: Sequence[int], start: Sequence[int | Multiple], size: Sequence[int]
) -> Refusal | None:
    """Why not every chip reads, or writes, a tile of these extents in an on-chip buffer at `start`."""
    kind = Kind.VMEM_LOAD if window.effect is Effect.READ else Kind.VMEM_STORE
    return _first_refusal(window, kind, tuple(buffer), tuple(start), tuple(size))


def _first_refusal(
    window: WindowOp,
    kind: Kind,
    array: tuple[int, ...],
    start: tuple[int | Multiple, ...],
    size: tuple[int, ...],
) -> Refusal | None:
    array = tuple(UNKNOWN if extent == UNBOUND else extent for extent in array)
    dtype = _dtype(window.array_type.element_type)
    # The buffers of an emit_pipeline and of a fori_loop are laid out like scratch.
    scratch = kind in (Kind.VMEM_LOAD, Kind.VMEM_STORE)
    accesses = (Access(chip, kind, dtype, array, start, size, scratch=scratch) for chip in CHIPS)
    return next((found for access in accesses if (found := refusal(access)) is not None), None)


def _in_array(window: WindowOp, refused: Refusal | None) -> Refusal | None:
    """A refusal in terms of the array in place of its view."""
    if refused is None:
        return None
    order = view_order(window)
    dim, got = order[refused.dim], refused.got.replace(f"of {UNKNOWN}", "of ?")
    return replace(refused, dim=len(window.window) - 1 if dim is None else dim, got=got)
