"""The programs of `gathers.mlir` and `scatters.mlir`, which access arrays at computed positions."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


class Draw:
    """Draws arguments, the same for the same seed."""

    def __init__(self, dtype: np.dtype[Any], seed: int):
        self.dtype = dtype
        self.rng = np.random.default_rng(seed)

    def bits(self, *shape: int) -> Array:
        """Numbers of which every bit matters; among floats are both infinities and NaN."""
        if self.dtype.kind != "i":
            numbers = self.rng.standard_normal(shape).astype(self.dtype)
            numbers.flat[self.rng.integers(0, numbers.size, 6)] = [np.inf, -np.inf, np.nan] * 2
            return numbers
        limits = np.iinfo(self.dtype)
        return self.rng.integers(limits.min, limits.max, shape, self.dtype, endpoint=True)

    def small(self, *shape: int) -> Array:
        """Floats whose sums are exact in f32, but not in bf16; integers of which every bit matters."""
        if self.dtype.kind == "i":
            return self.bits(*shape)
        return self.rng.integers(-30, 30, shape).astype(self.dtype)

    def ids(self, *shape: int, below: int, above: int = 0) -> Array:
        """i32 from `above` to `below`, 9 of 10 of them in the first tenth of these."""
        ids = self.rng.integers(above, below, shape, np.int32)
        few = self.rng.integers(above, above + -(-(below - above) // 10), shape, np.int32)
        return np.where(self.rng.random(shape) < 0.9, few, ids)

    def distinct(self, count: int, below: int) -> Array:
        """i32 from 0 to `below`, in any order, none twice."""
        return self.rng.permutation(below)[:count].astype(np.int32)


@dataclass(frozen=True)
class Indexed:
    """A program: what it takes and computes, and the block sizes that make several steps, with tails.

    `reference` takes floats as float64 and integers as int64, and gives such results, not yet rounded or
    wrapped. `elements` are the types that stand for f32.
    """

    arguments: Callable[[Draw], list[Array]]
    reference: Callable[..., list[Array]]
    blocks: Mapping[str, int]
    elements: tuple[str, ...] = ("f32", "bf16", "i32")

    def expected(self, args: list[Array]) -> list[Array]:
        with np.errstate(invalid="ignore"):
            return self.reference(*(a.astype(np.int64 if a.dtype.kind == "i" else np.float64) for a in args))


def _with_masked_nan(draw: Draw) -> list[Array]:
    x, y, ids = draw.small(300, 200), draw.small(300), draw.ids(300, above=-9, below=40)
    if draw.dtype.kind != "i":
        x[ids < 0], y[ids < 0] = np.nan, np.inf
    return [x, y, ids, draw.small(40, 200), draw.small(40)]


def _updated(kind: np.ufunc, into: Array, at: Any, values: Array) -> Array:
    result = into.copy()
    kind.at(result, at, values)
    return result


def _rows(x: Array, ids: Array) -> list[Array]:
    return [x[ids]]


def _elements(x: Array, large: Array, ids: Array) -> list[Array]:
    return [x[ids], large[ids]]


def _masked(x: Array, y: Array, ids: Array) -> list[Array]:
    live, at = ids >= 0, np.maximum(ids, 0)
    return [np.where(live[:, None], x[at], 7), np.where(live, y[at], 7)]


def _shifted(x: Array, y: Array, ids: Array) -> list[Array]:
    return [x[ids + 5], y[ids] + y[ids + 1] + y[ids + 2]]


def _lanes(x: Array, ids: Array) -> list[Array]:
    return [x[:, ids], np.concatenate([x[:, ids].T] * 2, 1)]


def _in_groups(x: Array, y: Array, ids: Array) -> list[Array]:
    return [x[:, ids], y[:, ids]]


def _carried(x: Array, ids: Array) -> list[Array]:
    return [x[ids].sum(0)]


def _any_rows(x: Array, table: Array, ids: Array) -> list[Array]:
    return [x + table[ids]]


def _turned(x: Array, ids: Array) -> list[Array]:
    return [x.T[ids]]


def _gathered_and_added(x: Array, ids: Array, to: Array) -> list[Array]:
    return [_updated(np.add, np.zeros((40, 200), x.dtype), to, x[ids])]


def _rows_added(x: Array, ids: Array, out: Array) -> list[Array]:
    return [_updated(np.add, out, ids, x)]


def _histogram(ids: Array) -> list[Array]:
    return [np.bincount(ids, minlength=256)]


def _computed_bins(x: Array) -> list[Array]:
    bins = np.trunc(50 * x).astype(np.int64) + 50
    return [3 + np.bincount(bins[(bins >= 0) & (bins < 100)], minlength=100)]


def _elements_updated(x: Array, ids: Array, sums: Array, most: Array, least: Array) -> list[Array]:
    pairs = ((np.add, sums), (np.maximum, most), (np.minimum, least))
    return [_updated(kind, into, ids, x) for kind, into in pairs]


def _bits_updated(x: Array, ids: Array, every: Array, some: Array, odd: Array) -> list[Array]:
    pairs = ((np.bitwise_and, every), (np.bitwise_or, some), (np.bitwise_xor, odd))
    return [_updated(kind, into, ids, x) for kind, into in pairs]


def _some_added(x: Array, y: Array, ids: Array, out: Array, one: Array) -> list[Array]:
    live = (ids >= 0) & (ids < len(out))
    return [_updated(np.add, out, ids[live], x[live]), _updated(np.add, one, ids[live], y[live])]


def _lanes_added(x: Array, ids: Array, out: Array) -> list[Array]:
    return [_updated(np.add, out, (slice(None), ids), x)]


def _in_groups_added(x: Array, y: Array, ids: Array, out: Array, one: Array) -> list[Array]:
    at = (slice(None), ids)
    return [_updated(np.add, out, at, x), _updated(np.add, one, at, y)]


def _scattered(x: Array, y: Array, ids: Array, out: Array, one: Array) -> list[Array]:
    rows, elements = out.copy(), one.copy()
    rows[ids], elements[ids] = x, y
    return [rows, elements]


def _some_scattered(x: Array, y: Array, ids: Array, out: Array, one: Array) -> list[Array]:
    live = (ids >= 100) & (ids < 200)
    return _scattered(x[live], y[live], ids[live], out, one)


def _two_of_one_array(x: Array, ids: Array, to: Array, out: Array) -> list[Array]:
    return [_updated(np.add, _updated(np.add, out, ids, x), to, 2 * x)]


def _any_rows_added(x: Array, ids: Array) -> list[Array]:
    return [_updated(np.add, np.zeros((40, 200), x.dtype), ids, x)]


def _turned_and_added(x: Array, ids: Array) -> list[Array]:
    return [_updated(np.add, np.ones((40, 200), x.dtype), ids, x).T]


def _added_where_gathered(x: Array, table: Array, ids: Array, out: Array) -> list[Array]:
    return [_updated(np.add, out, table[:, ids], x)]


INDEXED: Mapping[str, Indexed] = {
    "rows": Indexed(
        lambda d: [d.bits(70, 200), d.ids(300, below=70)],
        _rows,
        {"m": 128},
        ("f32", "bf16", "i32", "i8", "i16"),
    ),
    "rows_of_a_large_table": Indexed(
        lambda d: [d.bits(1200, 200), d.ids(300, below=1200)], _rows, {"m": 128, "n": 128}
    ),
    "elements": Indexed(
        lambda d: [d.bits(70), d.bits(1200), d.ids(300, below=70)],
        _elements,
        {"m": 128},
        ("f32", "bf16", "i32", "i8", "i16"),
    ),
    "masked": Indexed(
        lambda d: [d.bits(70, 200), d.bits(70), d.ids(300, above=-9, below=70)], _masked, {"m": 128}
    ),
    "shifted": Indexed(lambda d: [d.small(80, 200), d.small(80), d.ids(300, below=70)], _shifted, {"m": 128}),
    "lanes": Indexed(lambda d: [d.bits(100, 300), d.ids(200, below=300)], _lanes, {"m": 64, "n": 128}),
    "in_groups": Indexed(
        lambda d: [d.bits(4, 70, 200), d.bits(4, 70), d.ids(300, below=70)], _in_groups, {"m": 128}
    ),
    "carried": Indexed(lambda d: [d.small(70, 200), d.ids(8, 300, below=70)], _carried, {"m": 128}),
    "any_rows": Indexed(
        lambda d: [d.small(300, 200), d.small(70, 200), d.ids(300, below=70)], _any_rows, {"m": 128}
    ),
    "turned": Indexed(lambda d: [d.bits(200, 70), d.ids(300, below=70)], _turned, {"m": 128}),
    "gathered_and_added": Indexed(
        lambda d: [d.small(70, 200), d.ids(300, below=70), d.ids(300, below=40)],
        _gathered_and_added,
        {"m": 128},
    ),
    "rows_added": Indexed(
        lambda d: [d.small(1000, 200), d.ids(1000, below=40), d.small(40, 200)],
        _rows_added,
        {"m": 256},
        ("f32", "bf16", "i32", "i8", "i16"),
    ),
    "to_many_rows": Indexed(
        lambda d: [d.small(1000, 200), d.ids(1000, below=1200), d.small(1200, 200)], _rows_added, {"m": 256}
    ),
    "histogram": Indexed(lambda d: [d.ids(1000, below=256)], _histogram, {"m": 256}, ("i32",)),
    "computed_bins": Indexed(
        lambda d: [d.rng.standard_normal(1000).astype(d.dtype)], _computed_bins, {"m": 256}, ("f32",)
    ),
    "elements_updated": Indexed(
        lambda d: [d.small(300), d.ids(300, below=40), d.small(40), d.small(40), d.small(40)],
        _elements_updated,
        {"m": 128},
        ("f32", "bf16", "i32", "i8", "i16"),
    ),
    "bits_updated": Indexed(
        lambda d: [d.bits(300), d.ids(300, below=40), d.bits(40), d.bits(40), d.bits(40)],
        _bits_updated,
        {"m": 128},
        ("i32",),
    ),
    "masked_and_added": Indexed(_with_masked_nan, _some_added, {"m": 128}),
    "dropped": Indexed(
        lambda d: [d.small(300, 200), d.small(300), d.ids(300, below=50), d.small(40, 200), d.small(40)],
        _some_added,
        {"m": 128},
    ),
    "lanes_added": Indexed(
        lambda d: [d.small(100, 300), d.ids(300, below=40), d.small(100, 40)],
        _lanes_added,
        {"m": 64, "k": 128},
    ),
    "in_groups_added": Indexed(
        lambda d: [
            d.small(4, 300, 200),
            d.small(4, 300),
            d.ids(300, below=40),
            d.small(4, 40, 200),
            d.small(4, 40),
        ],
        _in_groups_added,
        {"m": 128},
    ),
    "rows_scattered": Indexed(
        lambda d: [
            d.bits(300, 200),
            d.bits(300),
            d.distinct(300, below=1200),
            d.bits(1200, 200),
            d.bits(1200),
        ],
        _scattered,
        {"m": 128},
        ("f32", "bf16", "i32", "i8"),
    ),
    "some_rows_scattered": Indexed(
        lambda d: [d.bits(300, 200), d.bits(300), d.distinct(300, below=400), d.bits(200, 200), d.bits(200)],
        _some_scattered,
        {"m": 128},
    ),
    "two_of_one_array": Indexed(
        lambda d: [d.small(300, 200), d.ids(300, below=40), d.ids(300, below=40), d.small(40, 200)],
        _two_of_one_array,
        {"m": 128},
    ),
    "any_rows_added": Indexed(
        lambda d: [d.small(300, 200), d.ids(300, below=40)], _any_rows_added, {"m": 128}
    ),
    "turned_and_added": Indexed(
        lambda d: [d.small(300, 200), d.ids(300, below=40)], _turned_and_added, {"m": 128}
    ),
    "added_where_gathered": Indexed(
        lambda d: [d.small(4, 300, 200), d.ids(4, 50, below=40), d.ids(300, below=50), d.small(40, 200)],
        _added_where_gathered,
        {"m": 128},
    ),
}
"""Each must agree with its reference exactly, whatever the loop and whichever of its element types."""

_FUNCTIONS = [
    text
    for name in ("gathers", "scatters")
    for text in re.split(
        r"^// -----\n", Path(__file__).with_name(f"{name}.mlir").read_text(), flags=re.MULTILINE
    )
]


def program(name: str, dtype: str) -> str:
    """The function `name` for an element type."""
    (text,) = (text for text in _FUNCTIONS if f"@{name}(" in text)
    text = text.replace("f32", dtype)
    return text.replace("arith.addf", "arith.addi") if dtype.startswith("i") else text
