"""Lists of segments that jagged kernels meet: hostile ones for tests, large ones for counting steps."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Segments:
    """Segment g is the rows `begins[g]` to `ends[g]` of arrays with `rows` rows."""

    name: str
    begins: tuple[int, ...]
    ends: tuple[int, ...]
    rows: int

    @property
    def groups(self) -> int:
        return len(self.begins)

    @property
    def packed(self) -> bool:
        """Whether each segment begins where the last one ends, so that one list of offsets describes all."""
        return self.begins[1:] == self.ends[:-1]

    @property
    def offsets(self) -> tuple[int, ...]:
        """Where each segment begins, then where the last ends. Raises ValueError if there are gaps."""
        if not self.packed:
            raise ValueError(f"the segments {self.name} have gaps; pass their begins and ends")
        return (*self.begins, self.ends[-1])

    @property
    def lengths(self) -> tuple[int, ...]:
        return tuple(end - begin for begin, end in zip(self.begins, self.ends, strict=True))

    @property
    def covered(self) -> np.ndarray:
        """bool[rows]: whether the row is in a segment."""
        mask = np.zeros(self.rows, bool)
        for begin, end in zip(self.begins, self.ends, strict=True):
            mask[begin:end] = True
        return mask

    def reversed(self) -> "Segments":
        """The same lengths in the opposite order and without gaps, so that empty segments meet others."""
        return of_lengths(f"{self.name}_reversed", self.lengths[::-1])


def of_offsets(name: str, offsets: Sequence[int], rows: int | None = None) -> Segments:
    """Segments between consecutive offsets, of arrays that end with the last unless `rows` says otherwise."""
    return Segments(name, tuple(offsets[:-1]), tuple(offsets[1:]), offsets[-1] if rows is None else rows)


def of_lengths(name: str, lengths: Sequence[int]) -> Segments:
    """Segments of these lengths without gaps. An array has a row even if all are empty."""
    offsets = [0, *(int(end) for end in np.cumsum(lengths))]
    return of_offsets(name, offsets, max(offsets[-1], 1))


MIXED = of_offsets("mixed", [0, 0, 17, 17, 18, 50, 50, 83, 90])
"""Eight groups: empty ones at the start, in the middle, twice in a row, and one row."""

HOSTILE_OFFSETS = (
    MIXED,
    of_offsets("unaligned", [0, 13, 32]),
    of_offsets("unaligned_end", [0, 13, 25]),
    of_offsets("aligned", [0, 16, 48, 64]),
    of_offsets("one_group", [0, 33]),
    of_offsets("empty_first", [0, 0, 0, 7, 20]),
    of_offsets("empty_middle", [0, 9, 9, 9, 30]),
    of_offsets("empty_last", [0, 11, 24, 24, 24]),
    of_offsets("all_empty", [0, 0, 0, 0], rows=20),
    of_offsets("all_empty_at_end", [20, 20, 20, 20], rows=20),
    of_offsets("one_row_each", range(9)),
    of_lengths("one_huge_many_tiny", [60, 1, 1, 2, 1, 0, 1, 1, 1, 3]),
    of_lengths("many_tiny_one_huge", [1, 1, 2, 1, 0, 1, 1, 1, 3, 60]),
    of_offsets("smaller_than_a_block", [0, 2, 5]),
    of_offsets("rows_after_last", [0, 13, 25], rows=41),
    of_offsets("rows_before_first", [6, 13, 29]),
)
"""Segments without gaps between them."""

HOSTILE_RANGES = (
    *HOSTILE_OFFSETS,
    Segments("gaps", (0, 20, 40), (13, 33, 55), 61),
    Segments("gap_inside_a_tile", (0, 5, 9), (3, 7, 14), 14),
    Segments("gap_of_tiles", (2, 70), (9, 90), 100),
    Segments("gap_of_one_row", (0, 14), (13, 30), 30),
    Segments("empty_in_a_gap", (0, 17, 17, 30), (10, 17, 17, 41), 45),
    Segments("empty_around", (4, 4, 28, 60), (4, 20, 28, 60), 60),
)
"""Segments with or without gaps."""

ROWS = tuple(Segments(f"rows_{rows}", (), (), rows) for rows in (1, 13, 64, 100))
"""Extents for kernels that are not jagged."""


def distributions() -> list[Segments]:
    """Large lists of the kinds met in practice, for counting steps: 64 to 256 groups, thousands of rows."""
    rng = np.random.default_rng(0)
    ranks = np.arange(1, 257)
    lengths = {
        "uniform_256": [256] * 64,
        "uniform_300": [300] * 64,
        "ramp": [16 * (i + 1) for i in range(64)],
        "half_empty": [1024] * 32 + [8] * 32,
        "lognormal": [int(n) for n in rng.lognormal(5.0, 1.0, 128)],
        "zipf": [int(n) for n in rng.permutation(4096 / ranks**0.6)],
        "one_huge_255_tiny": [8192] + [8] * 255,
    }
    return [of_lengths(name, values) for name, values in lengths.items()]
