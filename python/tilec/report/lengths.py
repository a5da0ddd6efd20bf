"""Lengths of segments, drawn by a word and a mean."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Numbers = np.ndarray[Any, np.dtype[Any]]

WORDS: Mapping[str, Callable[[int, np.random.Generator], Numbers]] = {
    "equal": lambda count, rng: np.ones(count),
    "ramp": lambda count, rng: np.arange(1, count + 1, dtype=np.float64),
    "lognormal": lambda count, rng: rng.lognormal(0, 1, count),
    "zipf": lambda count, rng: 1 / np.arange(1, count + 1),
    "one": lambda count, rng: np.eye(1, count)[0],
}
"""How long segments are beside each other, by word: all the same; more and more; e to a normal number; the
second half as long as the first, the third a third; all rows in the first."""


@dataclass(frozen=True)
class Lengths:
    """Lengths by a word of `WORDS`, `mean` rows on average."""

    word: str
    mean: int

    def draw(self, count: int, most: int) -> Numbers:
        """`count` lengths, always the same ones, none above `most`; without that, their mean is exact."""
        parts = WORDS[self.word](count, np.random.default_rng(0))
        ends: Numbers = np.round(np.cumsum(parts) / max(float(parts.sum()), 1e-9) * count * self.mean)
        return np.minimum(np.diff(ends, prepend=0), most).astype(np.int64)
