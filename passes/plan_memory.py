"""`--plan-memory="chip=v5e"`: gives every window its buffers and counts on-chip memory against the chip.

A window is fetched or written back while the step before or after it computes, which takes two buffers; one
whose position never changes is moved once and takes one. Sizes include the padding of the tiled layout.

Before:
    tile.pipeline grid {
      %x_window = tile.window read %x[%m, %k]
      %w_window = tile.window read %w[:, :]
After:
    tile.pipeline grid vmem 458752 on v5e {
      %x_window = tile.window read %x[%m, %k] buffers 2
      %w_window = tile.window read %w[:, :] buffers 1

Refused: a total over the chip's memory, with the largest owners and their sizes; an unknown chip.
"""

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, StringAttr, i64
from xdsl.ir import Operation
from xdsl.passes import ModulePass

from tilec.analysis.visits import axes_behind, one_step, window_values
from tilec.analysis.vmem import LANES, padded_bytes
from tilec.chips import CHIPS, Chip
from tilec.diagnostics import fail, where
from tilec.dialects.tile.places import ScratchOp, held_type, scratch_of
from tilec.dialects.tile.schedule import PipelineOp, WindowOp
from tilec.dialects.tile.types import byte_width, element_type, shape_of

MEBIBYTE = 2**20


@dataclass(frozen=True)
class Owner:
    """What takes on-chip memory: an operation, and its bytes with all buffers."""

    op: Operation
    size: int

    def __str__(self) -> str:
        name = self.op.results[0].name_hint or self.op.name
        return f"%{name} {self.size / MEBIBYTE:.2f} MiB ({where(self.op)})"


@dataclass(frozen=True)
class PlanMemory(ModulePass):
    """Give windows their buffers and count on-chip memory against a chip: "chip=v6e"."""

    name = "plan-memory"

    chip: str = "v5e"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if self.chip not in CHIPS:
            fail(op, f"plan-memory: there is no chip {self.chip}; the chips are {', '.join(CHIPS)}")
        for pipeline in op.walk():
            if isinstance(pipeline, PipelineOp):
                _plan(pipeline, CHIPS[self.chip])


def _plan(pipeline: PipelineOp, chip: Chip) -> None:
    owners: list[Owner] = []
    for window in pipeline.windows:
        count = 2 if _moves(window) else 1
        window.buffers = IntegerAttr(count, i64)
        # A preloaded window has the contents that it starts from beside it.
        owners.append(Owner(window, _bytes(window) * (count + (window.preload is not None))))
    owners += [Owner(scratch, _bytes(scratch)) for scratch in scratch_of(pipeline)]
    total = sum(owner.size for owner in owners)
    if total > chip.vmem_mib * MEBIBYTE:
        largest = sorted(owners, key=lambda owner: owner.size, reverse=True)[:3]
        fail(
            pipeline,
            f"plan-memory: {total / MEBIBYTE:.2f} MiB of windows and scratch do not fit "
            f"the {chip.vmem_mib:g} MiB of {chip.name}; the largest are {', '.join(map(str, largest))}; "
            "choose smaller blocks",
        )
    pipeline.vmem, pipeline.chip = IntegerAttr(total, i64), StringAttr(chip.name)


def _moves(window: WindowOp) -> bool:
    return any(not one_step(axis) for axis in axes_behind(window_values(window.window)))


def _bytes(op: Operation) -> int:
    held = held_type(op.results[0])
    shape = shape_of(held)
    if isinstance(op, ScratchOp) and len(shape) == 1:
        shape = (*shape, LANES)  # kept as a column, in all lanes
    return padded_bytes(shape, byte_width(element_type(held)))
