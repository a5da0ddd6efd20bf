"""Which windows of a pipeline are one block on the chip."""

from tilec.analysis.blocks import most_buffers
from tilec.analysis.visits import block_owner
from tilec.diagnostics import fail, where
from tilec.dialects.tile.access import Effect
from tilec.dialects.tile.schedule import PipelineOp, WindowOp


def checked_owner(pipeline: PipelineOp, window: WindowOp) -> WindowOp:
    """The window whose block `window` is.

    Refuses blocks of a written array that are not the same.
    """
    owner = block_owner(pipeline, window)
    if window.effect is Effect.READ:
        return owner
    written = (each for each in pipeline.windows if each.effect is Effect.WRITE)
    first = next(each for each in written if each.array is window.array)
    if owner is not first:
        fail(
            window,
            f"convert-tile-to-pallas: {_name(window)}, which is written, is accessed through another "
            f"window than at {where(first)}; a kernel writes an array through one block, "
            "run --split-unaligned-loops",
        )
    return owner


def begins_as_array(pipeline: PipelineOp, window: WindowOp) -> bool:
    """Whether the block behind a window begins as what the array held."""
    return any(each.preload is not None for each in pipeline.windows if each.array is window.array)


def check_buffers(pipeline: PipelineOp, window: WindowOp) -> None:
    """Refuse more buffers than a window can have, or none."""
    most, buffers = most_buffers(pipeline, window), window.buffers
    if buffers is not None and not 1 <= buffers.value.data <= most:
        accepted = f"1 to {most} are" if most > 1 else "1 is"
        fail(
            window,
            f"convert-tile-to-pallas: {_name(window)} has {buffers.value.data} buffers; {accepted} "
            "accepted here",
        )
    if window.kept is not None and pipeline.nested is None:
        fail(
            window,
            f"convert-tile-to-pallas: {_name(window)} is kept for windows that come back to its tiles, which "
            "only a `nested` pipeline can; run --stream-jagged-items",
        )


def _name(window: WindowOp) -> str:
    return f"%{window.array.name_hint or 'array'}"
