"""Jagged tiles: axes with an extent of their own for each lane of another axis."""

from xdsl.ir import Operation

from tilec.diagnostics import fail
from tilec.dialects.tile.loops import ForOp
from tilec.dialects.tile.types import JaggedSpanType, span_of


def refuse_jagged_spans(module: Operation, flag: str) -> None:
    """Refuse, on behalf of a pass that does not know them, jagged tiles. Raises TileError at the first."""
    for loop in module.walk():
        span = span_of(loop.axis.value) if isinstance(loop, ForOp) else None
        if isinstance(span, JaggedSpanType):
            parent = span.parent
            fail(
                loop,
                f"{flag}: axis {span.axis} of {parent} is a jagged tile: lanes of {parent} have extents of "
                "their own; run --scalarize-jagged and --mask-jagged, which make loops of that; if "
                f"{parent} is an axis of indices, with an extent for each, none of this is needed",
            )
