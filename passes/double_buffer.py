"""`--double-buffer="depth=4 fetch=1 chip=v5e"`: how many buffers a window has, and what each holds.

While a step works on one buffer of a window, the copies of later steps run into the others: `depth` of them
let copies begin `depth - 1` steps ahead. One is no overlap at all, two are a ping-pong, more keep HBM busy
where a step's bytes pass in less time than a copy takes to arrive. Where no depth is said, each window has
two if they are enough on the `chip`, else four or eight, as long as there is memory. `fetch` tiles of the
innermost axis are copied at once where it indexes the window; a few long copies cost less than many short
ones.

Before:
    tile.pipeline fori_loop {
      %k = tile.axis 0 to 512 by k:128 ordered
      %x_window = tile.window read %x[%m, %k]
After, with "depth=3 fetch=2":
    tile.pipeline fori_loop {
      %k = tile.axis 0 to 512 by k:128 ordered
      %x_window = tile.window read %x[%m, %k] fetch [128, 256] buffers 3

Where loops that follow each other go through one range in equal tiles, as two passes over a segment do, the
tiles of a short range are `kept` in the buffers of the first for the others, which copy none of them again:
in a `nested` pipeline, as far as VMEM has room. Softmax of 64 segments of 512 rows of 1024 f32 is estimated
at 329 us on v5e and 92 us on tpu7x in tiles of 256 rows; where every tile was copied twice, at 493 and 157.

Runs of rows (`tile.runs`) have `depth` buffers, else two, in a loop of the kernel's own, and the gather says
`rows buffers 2`. In other loops the copies of all runs of a step begin together.

A grid has two buffers at most, and so has an output of an emit_pipeline, and an input of one that may have
few steps; a block that no step changes has one. What a window says of itself stands.

Refused: a depth that is not 1 to 8; a fetch below 1 or of more than 16 bits; an unknown chip.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, i64
from xdsl.ir import Operation
from xdsl.passes import ModulePass

from tilec.analysis.affine import static_extent
from tilec.analysis.blocks import MOST_BUFFERS, block_refusal, in_view, kind_of, most_buffers
from tilec.analysis.buffers import FEW, SOME, wanted_buffers
from tilec.analysis.kept import most_kept, returns_of
from tilec.analysis.lanes import moves_freely
from tilec.analysis.visits import moves, one_step
from tilec.analysis.vmem import MEBIBYTE, Space, padded_bytes
from tilec.chips import CHIPS
from tilec.chips.option import chip_option
from tilec.diagnostics import explain, fail
from tilec.dialects.tile.access import Effect
from tilec.dialects.tile.gathers import GatherOp
from tilec.dialects.tile.schedule import AxisOp, Loop, PipelineOp, WindowOp
from tilec.dialects.tile.syntax import dense_i64
from tilec.dialects.tile.types import byte_width, span_of
from tilec.passes.plan_memory import ledger_of

MOST_FETCHED = 2**16
"""No copy brings more tiles: with blocks of up to 31 bits, extents have less than 64."""


@dataclass(frozen=True)
class DoubleBuffer(ModulePass):
    """Give windows their buffers, and say how many tiles one copy brings: "depth=1..8 fetch=1
    chip=v5e"."""

    name = "double-buffer"

    depth: int | None = None
    fetch: int = 1
    chip: str = "v5e"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if self.depth is not None and not 1 <= self.depth <= MOST_BUFFERS:
            fail(op, f"double-buffer: depth={self.depth}; 1 to {MOST_BUFFERS} is accepted")
        chip_option(op, self.name, self.chip)
        if not 1 <= self.fetch <= MOST_FETCHED:
            fail(op, f"double-buffer: fetch={self.fetch}; 1 to {MOST_FETCHED} is accepted")
        for pipeline in [inner for inner in op.walk() if isinstance(inner, PipelineOp)]:
            for window in pipeline.windows:
                self._fetch(pipeline, window)
            unset = [window for window in pipeline.windows if window.buffers is None]
            for window in unset:
                window.buffers = IntegerAttr(self._buffers(pipeline, window), i64)
            if self.depth is None:
                self._shrink(pipeline, unset)
            for gather in [inner for inner in pipeline.body.walk() if isinstance(inner, GatherOp)]:
                self._copy_ahead(pipeline, gather)
            for window in dict.fromkeys(each.first for each in returns_of(pipeline).values()):
                if window.kept is None:
                    self._keep(pipeline, window)

    def _buffers(self, pipeline: PipelineOp, window: WindowOp) -> int:
        if self.depth is None:
            return wanted_buffers(pipeline, window, CHIPS[self.chip])
        if not moves(window):
            return 1
        most = most_buffers(pipeline, window)
        if self.depth > most:
            explain(
                window, f"double-buffer: {most} buffers in place of {self.depth}; this window takes no more"
            )
        return min(self.depth, most)

    def _copy_ahead(self, pipeline: PipelineOp, gather: GatherOp) -> None:
        """Let a loop of the kernel's own copy runs of rows for later steps, where scalars of each step say
        where they are.
        """
        runs, looped = gather.runs, pipeline.loop.data is Loop.FORI_LOOP
        if runs is None or not looped or pipeline.nested is not None or gather.buffers:
            return
        made = [first.owner for first in runs.firsts]
        early = all(each.parent is pipeline.body.block for each in made if isinstance(each, Operation))
        if self.depth != 1 and early:
            gather.buffers = IntegerAttr(self.depth or FEW, i64)

    def _shrink(self, pipeline: PipelineOp, windows: Iterable[WindowOp]) -> None:
        """Leave windows four buffers, or two, where memory has no room for more."""
        chip = CHIPS[self.chip]
        for most in (SOME, FEW):
            many = [each for each in windows if each.buffers is not None and each.buffers.value.data > most]
            if not many or ledger_of(pipeline, chip).total(Space.VMEM) <= int(chip.vmem_mib * MEBIBYTE):
                continue
            for window in many:
                window.buffers = IntegerAttr(most, i64)
                explain(window, f"double-buffer: {most} buffers; {chip.name} has no room for more")

    def _keep(self, pipeline: PipelineOp, window: WindowOp) -> None:
        """Keep the tiles of ranges to which another window comes back, as many as there is room for."""
        assert window.buffers is not None
        chip, least = CHIPS[self.chip], window.buffers.value.data
        shape, width = in_view(window, window.extents), byte_width(window.array_type.element_type)
        tile = padded_bytes(shape, width)
        others = ledger_of(pipeline, chip).total(Space.VMEM) - least * tile
        count = most_kept(chip, tile, others)
        if count >= least:
            window.kept = IntegerAttr(count, i64)
            explain(window, f"double-buffer: ranges of up to {count} tiles are copied once")

    def _fetch(self, pipeline: PipelineOp, window: WindowOp) -> None:
        """Let a block hold several tiles of the innermost axis."""
        if self.fetch == 1 or window.effect is Effect.WRITE or window.fetch is not None:
            return
        moving = [axis for axis in pipeline.axes if not one_step(axis)]
        inner = moving[-1].result if moving and span_of(moving[-1].result) else None
        positions = [i for i, dim in enumerate(window.window) if inner is not None and dim.base is inner]
        if len(positions) != 1 or moves_freely(window.window[positions[0]]):
            explain(window, "double-buffer: one tile at a time; the innermost axis does not index the window")
            return
        (position,) = positions
        extents = list(window.extents)
        extents[position] *= self.fetch
        if self._is_short(moving[-1], extents[position]):
            explain(window, f"double-buffer: one tile at a time; the axis has fewer than {self.fetch}")
        elif refused := block_refusal(window, kind_of(pipeline, window), extents):
            explain(window, f"double-buffer: one tile at a time; {refused}")
        else:
            window.fetch = dense_i64(extents)

    def _is_short(self, axis: AxisOp, extent: int) -> bool:
        length = static_extent(axis.axis.bounds)
        return length is not None and length < extent
