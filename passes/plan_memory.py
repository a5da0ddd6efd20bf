"""`--plan-memory="chip=v5e"`: gives every window its buffers and counts on-chip memory against the chip.

A window is fetched or written back while the step before or after it computes, which takes two buffers; one
whose position never changes is moved once and takes one. Sizes include the padding of the tiled layout, and
what a step holds that does not fit the vector registers. `--explain` prints the ledger.

Before:
    tile.pipeline grid {
      %x_window = tile.window read %x[%m, %k]
      %w_window = tile.window read %w[:, :]
After:
    tile.pipeline grid vmem 458752 on v5e {
      %x_window = tile.window read %x[%m, %k] buffers 2
      %w_window = tile.window read %w[:, :] buffers 1

Refused: a total over the chip's memory, with the largest owners, their sizes, and a block that would fit; an
unknown chip.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import cast

from xdsl.context import Context
from xdsl.dialects.builtin import IntegerAttr, IntegerType, ModuleOp, StringAttr, i64
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.passes import ModulePass

from tilec.analysis.blocks import in_view, scalar_arrays
from tilec.analysis.kept import kept_buffers
from tilec.analysis.registers import Pressure, sized
from tilec.analysis.row_gathers import buffers_of, buffers_shared, rows_at, rows_behind, rows_copied, run_of
from tilec.analysis.strips import Strips, name_of, strips_of
from tilec.analysis.visits import block_owner, moves
from tilec.analysis.vmem import (
    LANES,
    MEBIBYTE,
    REGISTER,
    RELAYOUT,
    SUBLANES,
    WORD,
    Entry,
    Ledger,
    Space,
    amount,
    padded_bytes,
    round_up,
    smem_bytes,
)
from tilec.chips import Chip
from tilec.chips.option import chip_option
from tilec.diagnostics import explain, fail, where
from tilec.dialects.tile.gathers import GatherOp
from tilec.dialects.tile.locals import is_local
from tilec.dialects.tile.mixing import ReduceOp
from tilec.dialects.tile.places import ScratchOp, SetOp, held_type, scratch_of
from tilec.dialects.tile.rows import UpdateRowsOp
from tilec.dialects.tile.schedule import Loop, PipelineOp, WindowOp
from tilec.dialects.tile.syntax import ints_of
from tilec.dialects.tile.types import byte_width, element_type, shape_of, span_names, span_of
from tilec.dialects.tile.values import BroadcastOp, ReshapeOp
from tilec.lowering.orientation import Orientation


@dataclass(frozen=True)
class PlanMemory(ModulePass):
    """Give windows their buffers and count on-chip memory against a chip: "chip=v6e"."""

    name = "plan-memory"

    chip: str = "v5e"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        chip = chip_option(op, self.name, self.chip)
        for pipeline in op.walk():
            if isinstance(pipeline, PipelineOp):
                _plan(pipeline, chip)


def _plan(pipeline: PipelineOp, chip: Chip) -> None:
    for window in pipeline.windows:
        if window.buffers is None:
            window.buffers = IntegerAttr(2 if moves(window) else 1, i64)
    ledger, limit = ledger_of(pipeline, chip), int(chip.vmem_mib * MEBIBYTE)
    total = ledger.total(Space.VMEM)
    if total > limit:
        largest = ", ".join(map(str, ledger.largest(Space.VMEM)[:3]))
        fail(
            pipeline,
            f"plan-memory: {total / MEBIBYTE:.2f} MiB do not fit the {chip.vmem_mib:g} MiB of {chip.name}; "
            f"the largest are {largest}; {advice(pipeline, chip, ledger, limit)}",
        )
    explain(pipeline, f"plan-memory: {_summary(ledger, chip)}")
    pipeline.vmem, pipeline.chip = IntegerAttr(total, i64), StringAttr(chip.name)


def _summary(ledger: Ledger, chip: Chip) -> str:
    """The ledger in one line: totals, and everything in VMEM by size."""
    totals = [f"{amount(ledger.total(space))} of {space}" for space in Space if space is not Space.VMEM]
    owners = ", ".join(map(str, ledger.largest(Space.VMEM)))
    total = amount(ledger.total(Space.VMEM))
    return f"{total} of the {chip.vmem_mib:g} MiB of {chip.name}: {owners}; {', '.join(totals)}"


def advice(pipeline: PipelineOp, chip: Chip, ledger: Ledger, limit: int) -> str:
    """The largest halving of one axis with which the kernel takes `limit` bytes of VMEM at most.

    Axes are tried from the largest owner of `ledger` on, that of the kernel as it is.
    """
    sizes = {span.axis: span.size for axis in _spans(pipeline) if (span := span_of(axis)) is not None}
    names = [name for entry in ledger.largest(Space.VMEM) for name in entry.axes if name in sizes]
    for name in dict.fromkeys(names):
        size = sizes[name] // 2
        while size >= _least(pipeline, name):
            size = round_up(size, SUBLANES)
            if ledger_of(pipeline, chip, {name: size}).total(Space.VMEM) <= limit:
                return f"{name}:{size} in place of {name}:{sizes[name]} would fit"
            size //= 2
    if not names:
        return "none of them depends on a block size; index a dimension by a tile axis in place of `:`"
    some = " or ".join(list(dict.fromkeys(names))[:3])
    return f"no smaller block of {some} alone would fit; choose smaller blocks"


def _spans(pipeline: PipelineOp) -> Iterator[SSAValue]:
    """The spans that index the windows of a pipeline."""
    for window in pipeline.windows:
        yield from (dim.base for dim in window.window if dim.base is not None)


def _least(pipeline: PipelineOp, name: str) -> int:
    """The smallest block of an axis that is worth naming: a tile of rows, or of lanes for the last one."""
    last = [window.window[-1].base for window in pipeline.windows]
    spans = [span_of(base) for base in last if base is not None]
    return LANES if any(span is not None and span.axis == name for span in spans) else SUBLANES


def ledger_of(pipeline: PipelineOp, chip: Chip, sizes: Mapping[str, int] | None = None) -> Ledger:
    """What a kernel takes of each memory of `chip`, with `sizes` in place of the block sizes of some axes.

    Every window must have its `buffers`. Arrays whose extent is known only in the call are left out.
    """
    given = sizes or {}
    entries = [
        *_arrays(pipeline),
        *(_window(pipeline, window, given) for window in _blocks(pipeline)),
        *_scratch(pipeline, given),
        *_copied_rows(pipeline, given),
        *_temporaries(pipeline, chip, given),
        *_semaphores(pipeline),
    ]
    return Ledger(tuple(entries))


def _entry(op: Operation, space: Space, size: int, used: int, axes: tuple[str, ...] = ()) -> Entry:
    name = op.results[0].name_hint or op.name
    return Entry(f"%{name}", where(op), space, size, size - used, axes)


def _arrays(pipeline: PipelineOp) -> Iterator[Entry]:
    """The arrays behind windows, in HBM, and those that scalars read, in scalar memory."""
    arrays = {window.array: Space.HBM for window in pipeline.windows if not is_local(window.array)}
    arrays |= {rows_at(op)[0]: Space.HBM for op in _gathers(pipeline)}
    arrays |= dict.fromkeys(scalar_arrays(pipeline), Space.SMEM)
    for array, space in arrays.items():
        shape, width = shape_of(array.type), byte_width(element_type(array.type))
        if any(extent < 0 for extent in shape):
            continue
        used = prod(shape) * width
        size = padded_bytes(shape, width) if space is Space.HBM else smem_bytes(shape)
        owner = array.owner
        op = owner if isinstance(owner, Operation) else _parent(owner)
        yield Entry(f"%{array.name_hint or 'array'}", where(op), space, size, size - used)


def _parent(block: Block) -> Operation:
    parent = block.parent_op()
    if parent is None:
        raise ValueError("an array is the argument of a block that is in no function")
    return parent


def _blocks(pipeline: PipelineOp) -> list[WindowOp]:
    """The windows that have a block of their own."""
    return [window for window in pipeline.windows if block_owner(pipeline, window) is window]


def _window(pipeline: PipelineOp, window: WindowOp, sizes: Mapping[str, int]) -> Entry:
    """A window in all its buffers. One that is preloaded has the contents that it starts from beside it: in a
    grid once, else in a window of its own.
    """
    loop = pipeline.loop.data
    preload = any(each.preload is not None for each in pipeline.windows if each.array is window.array)
    extents = [
        sizes.get(dim.span.axis, extent) if dim.span is not None and window.fetch is None else extent
        for dim, extent in zip(window.window, window.extents, strict=True)
    ]
    shape, width = in_view(window, extents), byte_width(window.array_type.element_type)
    count = kept_buffers(window) + (1 if window.buffers is None else window.buffers.value.data)
    before = 0 if not preload else 1 if loop is Loop.GRID else count
    copies = count + before
    compact = loop is Loop.EMIT_PIPELINE and not is_local(window.array)
    size = padded_bytes(shape, width, compact=compact) * copies
    named = {dim.span.axis: extent for dim, extent in zip(window.window, extents, strict=True) if dim.span}
    return _entry(window, Space.VMEM, size, prod(shape) * width * copies, _by_size(named))


def _by_size(named: Mapping[str, int]) -> tuple[str, ...]:
    return tuple(sorted(named, key=lambda name: named[name], reverse=True))


def _scratch(pipeline: PipelineOp, sizes: Mapping[str, int]) -> Iterator[Entry]:
    """Scratch that is kept from step to step; a scalar is in scalar memory."""
    orientation = Orientation(pipeline)
    for scratch in scratch_of(pipeline):
        held = held_type(scratch.result)
        shape, extents = list(sized(held, sizes)), _extents(held, sizes)
        if not shape:
            yield _entry(scratch, Space.SMEM, WORD, WORD)
            continue
        if _is_forwarded(scratch):
            continue
        if len(shape) == 1:
            wide = LANES if orientation.is_wide(scratch.result) else 1
            shape = [shape[0], wide] if orientation.is_column(scratch.result) else [1, shape[0]]
        width = byte_width(element_type(held))
        yield _entry(scratch, Space.VMEM, padded_bytes(shape, width), prod(shape) * width, _by_size(extents))


def _copied_rows(pipeline: PipelineOp, sizes: Mapping[str, int]) -> Iterator[Entry]:
    """What gathers have that copy rows one by one: the rows, their tiles of memory, and positions."""
    for op in {buffers_shared(op): op for op in _gathers(pipeline)}.values():
        count, *row = sized(op.result.type, sizes)
        many, width, runs = rows_copied(op) or 1, byte_width(element_type(op.result.type)), run_of(op) > 1
        held: list[tuple[list[int], int]] = [([buffers_of(op), count, *row], width if runs else WORD)]
        if not runs:
            held.append(([1, count], WORD))
        if many > 1:
            behind = rows_behind(op, many)
            held.append(([count + (behind > 0), many, *row], width))
            if behind:
                held.append(([behind, *row], width))
        size = sum(padded_bytes(shape, width) for shape, width in held)
        used = sum(prod(shape) * width for shape, width in held)
        yield _entry(op, Space.VMEM, size, used, _by_size(_extents(op.result.type, sizes)))
        if not runs:
            yield _entry(op, Space.SMEM, smem_bytes((count,)), count * WORD)


def _gathers(pipeline: PipelineOp) -> list[GatherOp]:
    return [op for op in pipeline.body.walk() if isinstance(op, GatherOp) and op.rows is not None]


def _extents(kind: Attribute, sizes: Mapping[str, int]) -> dict[str, int]:
    """The block sizes of the axes that a value's dimensions came from."""
    pairs = zip(span_names(kind), sized(kind, sizes), strict=True)
    return {name: extent for name, extent in pairs if name is not None}


def _is_forwarded(scratch: ScratchOp) -> bool:
    """Whether each step sets all of a scratch before it gets it, and the compiler makes it a value."""
    users = {use.operation for use in scratch.result.uses}
    blocks = {user.parent for user in users}
    block = blocks.pop() if len(blocks) == 1 else None
    if block is None or any(isinstance(user, UpdateRowsOp) for user in users):
        return False
    first = next(op for op in block.ops if op in users)
    return isinstance(first, SetOp) and first.mask is None


def _temporaries(pipeline: PipelineOp, chip: Chip, sizes: Mapping[str, int]) -> Iterator[Entry]:
    """Values that a step holds and that do not fit the registers, and what some operations lay out anew.

    In strips those are the scores of one strip.
    """
    strips = strips_of(pipeline)
    if pipeline.strips is not None and isinstance(strips, Strips):
        for value in strips.kept:
            rows, part = (pipeline.strip_sizes[name_of(span)] for span in (strips.rows, strips.cols))
            size = padded_bytes([strips.columns_kept(rows, part), rows], byte_width(element_type(value.type)))
            yield _entry(cast("Operation", value.owner), Space.VMEM, size, size, (name_of(strips.cols),))
        return
    for op, count in Pressure(pipeline, chip, sizes).spilled():
        extents: dict[str, int] = {}
        for value in (*op.operands, *op.results):
            extents |= _extents(value.type, sizes)
        yield _entry(op, Space.VMEM, count * REGISTER, count * REGISTER, _by_size(extents))
    for op in pipeline.body.walk():
        if _is_laid_out_anew(op):
            yield _entry(op, Space.VMEM, RELAYOUT, RELAYOUT)
            return


def _is_laid_out_anew(op: Operation) -> bool:
    """Whether the compiler takes its own scratch for an operation.

    Measured: for reshapes, reductions of integers, and a row of 16-bit elements that all rows get.
    """
    match op:
        case ReduceOp():
            return isinstance(element_type(op.value.type), IntegerType)
        case BroadcastOp():
            (source, target) = (len(shape_of(each.type)) for each in (op.value, op.result))
            row = source == 1 and ints_of(op.dims) == (target - 1,)
            return row and byte_width(element_type(op.value.type)) < WORD
        case _:
            return isinstance(op, ReshapeOp)


def _semaphores(pipeline: PipelineOp) -> Iterator[Entry]:
    """A semaphore for each buffer of a window, and for rows that are copied one by one."""
    for window in _blocks(pipeline):
        if window.buffers is not None and not is_local(window.array):
            size = (window.buffers.value.data + kept_buffers(window)) * WORD
            yield _entry(window, Space.SEMAPHORES, size, size)
    for op in _gathers(pipeline):
        yield _entry(op, Space.SEMAPHORES, WORD, WORD)
