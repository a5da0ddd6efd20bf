"""How many buffers a window needs, so that copies keep HBM busy.

A copy arrives a latency after its bytes have passed. With `n` buffers it begins `n - 1` steps before the step
that waits for it, so that HBM is always busy only if the bytes of that many steps take as long to pass as a
latency and the code of a step. Source: the model of DMAs that `tilec.analysis.cost` runs, with the latencies
and bandwidths of `tilec.chips`; at 256 x 256 of f32 a step on v5e, sums of rows wait for a third of the time
with two buffers and for nothing with four. Sums of 64 segments of 108 to 6900 rows of 1024 f32, in tiles of
256, take 45 us on tpu7x with four and 38 with eight, of which 36 are bandwidth.
"""

from math import inf, prod

from tilec.analysis.affine import static_extent, whole_bounds
from tilec.analysis.blocks import MOST_BUFFERS, in_view, loop_axes, most_buffers
from tilec.analysis.visits import block_owner, level_of, moves, one_step, shared_axes
from tilec.analysis.vmem import padded_bytes
from tilec.chips import Chip
from tilec.dialects.tile.access import Effect
from tilec.dialects.tile.locals import is_local
from tilec.dialects.tile.schedule import AxisOp, Loop, PipelineOp, WindowOp
from tilec.dialects.tile.types import byte_width, span_of

STEP = 100
"""Bundles of a step besides its body, as in `tilec.analysis.model`."""
FEW = 2
"""Buffers of a window that moves, where those are enough. The other choices are `SOME` and
`MOST_BUFFERS`: which of three buffers is next takes a division."""
SOME = 4


def wanted_buffers(pipeline: PipelineOp, window: WindowOp, chip: Chip) -> int:
    """The buffers of a window with which its copies come in time on `chip`, if memory has room for them."""
    if not moves(window):
        return 1
    axes = [axis for axis in _axes(pipeline) if not one_step(axis)]
    own = level_of(window, axes) if pipeline.nested is not None else len(axes)
    windows = [each for each in pipeline.windows if block_owner(pipeline, each) is each]
    passing = sum(_bytes(each) for each in windows if level_of(each, axes) >= own)
    rate = chip.hbm_gb_per_s / chip.clock_ghz
    needed = (chip.read_latency + STEP) * rate
    if shared_axes(window):
        needed *= 2  # every other step may find its block there
    most, ragged = most_buffers(pipeline, window), _is_ragged(pipeline, window)
    if (passing >= needed and not ragged) or _steps(axes) <= FEW:
        return min(FEW, most)
    # Of ragged copies that run ahead, some bring little. A copy out is waited for when its buffer is needed.
    ahead = 1 if ragged else SOME - 1
    some = ahead * passing >= needed or window.effect is Effect.WRITE
    return min(SOME if some else MOST_BUFFERS, most)


def _is_ragged(pipeline: PipelineOp, window: WindowOp) -> bool:
    """Whether some copies bring a part of the window only, and so pass in less time: those at the ends of
    ranges that are known at run time, where the loop copies no more than there is.
    """
    bounds = [
        whole_bounds(dim.base) for dim in window.window if dim.span is not None and dim.base is not None
    ]
    return pipeline.loop.data is Loop.FORI_LOOP and any(
        each is not None and static_extent(each) is None for each in bounds
    )


def _axes(pipeline: PipelineOp) -> list[AxisOp]:
    """The axes whose steps windows are copied ahead of."""
    return loop_axes(pipeline) if pipeline.loop.data is Loop.FORI_LOOP else pipeline.axes


def _bytes(window: WindowOp) -> int:
    """What one copy of a window brings; on-chip memory is not copied."""
    if is_local(window.array):
        return 0
    return padded_bytes(in_view(window, window.extents), byte_width(window.array_type.element_type))


def _steps(axes: list[AxisOp]) -> float:
    """The steps of a loop over `axes`; infinitely many if that is known at run time only."""
    return prod(_steps_of(axis) for axis in axes)


def _steps_of(axis: AxisOp) -> float:
    extent, span = static_extent(axis.axis.bounds), span_of(axis.result)
    return inf if extent is None else -(-extent // (span.size if span else 1))
