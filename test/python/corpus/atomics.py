"""Programs whose iterations update elements that they share, with references, and the ways to try them.

`ATOMIC_CASES` has one case for each program. `ATOMIC_VARIANTS` are what must run: each with an element type
and, for the products, another order of their axes or another number of splits.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations, product
from pathlib import Path
from typing import Any

import numpy as np

from .corpus import Case, Program
from .segments import HOSTILE_OFFSETS, HOSTILE_RANGES, MIXED, Segments
from .unaligned import Variant

Array = np.ndarray[Any, np.dtype[Any]]

_KERNELS = Path(__file__).resolve().parent / "kernels"

GAPS = next(segments for segments in HOSTILE_RANGES if segments.name == "gaps")
EMPTY = next(segments for segments in HOSTILE_OFFSETS if segments.name == "all_empty")


@dataclass(frozen=True)
class AtomicVariant(Variant):
    """A variant with other text too: `changes` are pairs of what stands in the file and what replaces it.

    Where the element type is an integer, sums are i32. `label` tells the variant from others.
    """

    changes: tuple[tuple[str, str], ...] = ()
    label: str = ""

    def __str__(self) -> str:
        return "-".join([super().__str__(), *([self.label] if self.label else [])])

    def program(self) -> Program:
        program = super().program()
        text = program.text
        if self.element.startswith("i"):
            text = text.replace("f32", "i32").replace("0.0", "0").replace("addf", "addi")
        for before, after in self.changes:
            if before not in text:
                raise ValueError(f"{self.case.name} does not say `{before}`")
            text = text.replace(before, after)
        return replace(program, text=text)


def _columns(x: Array) -> list[Array]:
    return [x.sum(0)]


def _columns_onto(x: Array, out: Array) -> list[Array]:
    return [(out + x.sum(0)).astype(out.dtype)]


def _rows_columns(x: Array, columns: Array) -> list[Array]:
    return [x.sum(1), columns + x.sum(0)]


def _three(x: Array, least: Array, top: Array) -> list[Array]:
    return [np.minimum(least, x.min(1)), x.sum(0), np.maximum(top, x.max())]


def _split_k(x: Array, w: Array, bias: Array) -> list[Array]:
    return [x @ w + bias]


def _product_onto(x: Array, w: Array, out: Array) -> list[Array]:
    return [out + x @ w]


def _extremes(x: Array, high: Array, low: Array) -> list[Array]:
    return [np.maximum(high, x.max(0)), np.minimum(low, x.min(0))]


def _bits(x: Array, every: Array, some: Array, odd: Array) -> list[Array]:
    return [
        every & np.bitwise_and.reduce(x),
        some | np.bitwise_or.reduce(x),
        odd ^ np.bitwise_xor.reduce(x),
    ]


def _jagged_shared(x: Array, offsets: Array, shared: Array) -> list[Array]:
    return [shared + x[offsets[0] : offsets[-1]].sum(0)]


def _jagged_rows(x: Array, begins: Array, ends: Array) -> list[Array]:
    return [np.stack([x[begin:end].sum(0) for begin, end in zip(begins, ends, strict=True)])]


def _jagged_both(x: Array, begins: Array, ends: Array, out: Array, shared: Array) -> list[Array]:
    (rows,) = _jagged_rows(x, begins, ends)
    return [out + rows, shared + rows.sum(0)]


def _exchange(x: Array, last: Array) -> list[Array]:
    return [np.concatenate([last[None], x[:-1]]), x[-1]]


def _compare_exchange(flags: Array) -> list[Array]:
    found = np.zeros_like(flags)
    for r in range(len(flags) - 1):
        found[r + 1] = np.where(found[r] == flags[r + 1], flags[r], found[r])
    return [found[:-1], found[-1]]


def _old(x: Array, top: Array) -> list[Array]:
    sums = np.concatenate([np.zeros_like(x[:1]), x.cumsum(0)])
    tops = np.maximum.accumulate(np.concatenate([top[None], x]))
    return [sums[:-1], tops[:-1], sums[-1], tops[-1]]


def _masked(x: Array, flags: Array, rows: Array) -> list[Array]:
    return [x.sum(0) * (np.arange(x.shape[1]) < 150), rows + x.sum(1) * (flags != 0)]


def _condition(x: Array, flags: Array, chosen: Array) -> list[Array]:
    on, late = flags != 0, np.arange(len(x)) >= 3
    return [chosen + x[on | late].sum(0), x[~on].sum(0)]


def _windows(x: Array, out: Array) -> list[Array]:
    out = out.copy()
    for shift in (0, 2, 5):
        out[shift : shift + len(x)] += x
    return [out]


def _nested(x: Array, every: Array) -> list[Array]:
    return [x.sum(1), every + x.sum((0, 1))]


def _heads(x: Array, rows: Array) -> list[Array]:
    return [x.sum(0), rows + x.sum(1)]


def _two_grids(x: Array, out: Array) -> list[Array]:
    return [np.maximum(out + x.sum(0), (x + x.sum(1, keepdims=True)).max(0))]


def _scalars(x: Array, sums: Array, tops: Array) -> list[Array]:
    tops = tops.copy()
    tops[:, 1] = np.maximum(tops[:, 1], x.max((1, 2)))
    return [sums + x.sum((1, 2)), tops]


def _case(
    name: str, reference: Callable[..., list[Array]], small: Mapping[str, int], **scales: float
) -> Case:
    return Case(_KERNELS / f"atomic_{name}.mlir", reference, small, small, scales)


ATOMIC_CASES: Mapping[str, Case] = {
    case.name.removeprefix("atomic_"): case
    for case in (
        _case("columns", _columns, {"m": 32, "n": 128}),
        _case("columns_onto", _columns_onto, {"m": 32, "n": 128}),
        _case("rows_columns", _rows_columns, {"m": 32, "n": 128}),
        _case("three", _three, {"m": 32, "n": 128}),
        _case("split_k", _split_k, {"m": 40, "n": 128, "k": 128}, w=0.06),
        _case("matmul", _product_onto, {"m": 40, "n": 128, "k": 128}, w=0.06),
        _case("extremes", _extremes, {"m": 16, "n": 128}),
        _case("bits", _bits, {"n": 128}),
        _case("jagged_shared", _jagged_shared, {"m": 16}),
        _case("jagged_rows", _jagged_rows, {"m": 16}),
        _case("jagged_both", _jagged_both, {"m": 16}),
        _case("jagged_dense", _jagged_shared, {"m": 16}),
        _case("exchange", _exchange, {"n": 128}),
        _case("compare_exchange", _compare_exchange, {"n": 128}),
        _case("old", _old, {"n": 128}),
        _case("masked", _masked, {"m": 32, "n": 128}),
        _case("condition", _condition, {"n": 128}),
        _case("windows", _windows, {"m": 16, "n": 128}),
        _case("nested", _nested, {"m": 16, "n": 128}),
        _case("heads", _heads, {"m": 16}),
        _case("two_grids", _two_grids, {"m": 32, "n": 128, "p": 32, "q": 128}, x=0.3),
        _case("scalars", _scalars, {"m": 16}),
    )
}
"""The programs, by name without `atomic_`."""

_GRIDS: Mapping[str, Mapping[str, str]] = {
    "split_k": {"s": "%s = 0 to 2", "m": "%m = 0 to 40 by m", "n": "%n = 0 to 200 by n"},
    "matmul": {"k": "%k = 0 to 300 by k", "m": "%m = 0 to 40 by m", "n": "%n = 0 to 200 by n"},
}
"""The axes of the grids of the products, in the order of their files."""

SPLITS = (1, 2, 4, 8, 16)
_DTYPES = ("f32", "bf16", "i32")


def reordered(name: str, order: Sequence[str]) -> tuple[str, str]:
    """What puts the axes of a product's grid into another order."""
    axes = _GRIDS[name]
    return ", ".join(axes.values()), ", ".join(axes[axis] for axis in order)


def split(count: int, order: Sequence[str] = "smn") -> tuple[tuple[str, str], ...]:
    """What makes of the two splits of `atomic_split_k` another number of them, in grids of another order."""
    return (
        reordered("split_k", order),
        ("%s = 0 to 2", f"%s = 0 to {count}"),
        ("constant 150", f"constant {-(-300 // count)}"),
    )


def _products() -> Iterator[AtomicVariant]:
    split_k, matmul = ATOMIC_CASES["split_k"], ATOMIC_CASES["matmul"]
    orders = ["".join(order) for order in permutations("smn")]
    splits = [*((count, "smn") for count in SPLITS), *((4, order) for order in orders[1:])]
    for element in ("f32", "bf16"):
        for count, order in splits:
            change, label = split(count, order), f"{count}{order}"
            yield AtomicVariant(split_k, element, split_k.small_blocks, changes=change, label=label)
        for order in permutations("kmn"):
            change, label = (reordered("matmul", order),), "".join(order)
            yield AtomicVariant(matmul, element, matmul.small_blocks, changes=change, label=label)


def _variants() -> Iterator[AtomicVariant]:
    for name, case in ATOMIC_CASES.items():
        if name in _GRIDS:
            continue
        elements = ("i32",) if name == "bits" else _DTYPES
        if name in ("columns_onto", "exchange", "extremes"):
            elements = (*elements, "i8", "i16")
        sizes: Sequence[Segments | None] = (None,)
        if case.jagged:
            sizes = (MIXED, EMPTY) if "offsets" in case.source else (MIXED, GAPS, EMPTY)
        for element, segments in product(elements, sizes):
            label = "" if segments is None else segments.name
            yield AtomicVariant(case, element, case.small_blocks, segments=segments, label=label)


ATOMIC_VARIANTS = (*_variants(), *_products())
"""What must run, under every choice of loop."""
