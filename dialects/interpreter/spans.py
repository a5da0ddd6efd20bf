"""Which tiles an axis makes, and where each lies."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .values import Bits


class Span(NamedTuple):
    """`size` consecutive indices from `start`, of which `lo` up to `hi` are live."""

    start: int
    lo: int
    hi: int
    size: int

    @property
    def whole(self) -> bool:
        return self.lo == self.start and self.hi == self.start + self.size

    @property
    def lanes(self) -> slice:
        """The live lanes, counted from the first."""
        return slice(self.lo - self.start, self.hi - self.start)

    @property
    def dead(self) -> Bits:
        """Whether each lane is dead."""
        marks = np.ones(self.size, np.bool_)
        marks[self.lanes] = False
        return marks


class Extents(NamedTuple):
    """How many indices of a jagged span each lane of its parent has: int64, 0 for a dead lane."""

    parent: str
    lanes: npt.NDArray[np.int64]


class Turn(NamedTuple):
    """What a step of a pipeline's axis knows about itself."""

    first: bool
    last: bool
    live: bool


def tile(begin: int, end: int, size: int, index: int, origin: int) -> Span:
    """Tile number `index` of those that lie side by side from `origin`, live between `begin` and `end`."""
    start = origin + index * size
    lo = min(max(start, begin), start + size)
    return Span(start, lo, max(lo, min(start + size, end)), size)


def tiles(begin: int, end: int, size: int, *, aligned: bool) -> Sequence[Span]:
    """The tiles of an axis, none where the range is empty."""
    if end <= begin:
        return []
    origin = begin // size * size if aligned else begin
    count = -((origin - end) // size)
    return [tile(begin, end, size, index, origin) for index in range(count)]
