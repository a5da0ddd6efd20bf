"""Programs whose windows begin or end between the tiles of memory, with references, and the ways to try them.

`UNALIGNED_CASES` has one case for each program. `VARIANTS` are what must run: each with an element type, a
width in place of 200 and block sizes that make its windows awkward.

    program = variant.program()
    args = program.arguments(seed=0)
    results = run(parse(program), variant.case.name, args, blocks=variant.blocks)
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from .corpus import CASES, Case, Program
from .segments import MIXED, Segments, of_offsets

Array = np.ndarray[Any, np.dtype[Any]]

_KERNELS = Path(__file__).resolve().parent / "kernels"

ODD = of_offsets("odd", [1, 4, 4, 13, 14, 31, 37, 60, 65], rows=67)
"""Eight groups, one of them empty, of which almost all begin and end at odd rows."""


@dataclass(frozen=True)
class Variant:
    """One way to try a case: with an element type in place of bf16, blocks, a width in place of 200."""

    case: Case
    element: str
    blocks: Mapping[str, int]
    width: int = 200
    segments: Segments | None = None

    def __str__(self) -> str:
        blocks = "-".join(f"{axis}{size}" for axis, size in self.blocks.items())
        width = f"-{self.width}" if "200" in self.case.source else ""
        return f"{self.case.name}-{self.element}{width}-{blocks}"

    def program(self) -> Program:
        """The program, for the segments or for the rows that the variant or, without any, the case names."""
        sizes = MIXED if self.case.jagged else self.case.sizes()[-1]
        program = self.case.program(self.segments or sizes, "bf16", width=self.width)
        return replace(program, text=program.text.replace("bf16", self.element))


def _matmul(x: Array, w: Array) -> list[Array]:
    return [x @ w]


def _bmm_from(begin: int, x: Array, w: Array) -> list[Array]:
    return [x[:, :, begin:] @ w[:, begin:]]


def _vector_map(x: Array, y: Array) -> list[Array]:
    return [x * y + x]


def _vector_mean(x: Array, y: Array) -> list[Array]:
    return [(x.astype(np.int64) + y) // 2]


def _vector_total(x: Array) -> list[Array]:
    return [x.sum(keepdims=True)]


def _vector_cumsum(x: Array) -> list[Array]:
    return [x.cumsum()]


def _vector_cumsum_low(x: Array) -> list[Array]:
    return [x.cumsum(dtype=np.int64) % 128]


def _slabs(x: Array) -> list[Array]:
    return [x / np.sqrt((x * x).mean((1, 2), keepdims=True) + 1)]


def _slabs_jagged(x: Array, offsets: Array) -> list[Array]:
    out = np.full(x.shape, np.nan)
    rows = slice(offsets[0], offsets[-1])
    (out[rows],) = _slabs(x[rows])
    return [out]


def _layer_norm_backward(x: Array, dy: Array, gamma: Array) -> list[Array]:
    d = x - x.mean(1, keepdims=True)
    deviation = np.sqrt((d * d).mean(1, keepdims=True) + 1e-5)
    normal, dnormal = d / deviation, dy * gamma
    along = normal * (dnormal * normal).mean(1, keepdims=True)
    dx = (dnormal - dnormal.mean(1, keepdims=True) - along) / deviation
    return [dx, (dy * normal).sum(0), dy.sum(0)]


def _copy(x: Array) -> list[Array]:
    return [x]


def _sum_of_rows(x: Array) -> list[Array]:
    return [x.sum(0, keepdims=True)]


def _sum_of_lanes(x: Array) -> list[Array]:
    return [x.sum(1)]


def _written(x: Array, shape: tuple[int, int], dim: int, part: float) -> list[Array]:
    """`x` plus the index in `dim`, times `part`; of integers it is rounded towards zero, as a cast does."""
    y = (x + np.indices(shape)[dim]) * part
    return [np.trunc(y) if x.dtype.kind == "i" else y]


def _rows_written(x: Array) -> list[Array]:
    return _written(x, (100, len(x)), 0, 0.5)


def _lanes_written(x: Array) -> list[Array]:
    return _written(x.max(1, keepdims=True), x.shape, 1, 0.0625)


def _row_below(x: Array) -> list[Array]:
    return [x[1:] - x[:-1]]


def _rows_from(x: Array, shift: Array) -> list[Array]:
    begin = int(shift[0]) % 8
    return [x[begin : begin + 50] + x[:50]]


def _rows_around(x: Array) -> list[Array]:
    return [x[:-2] - 2 * x[1:-1] + x[2:]]


def _window_sum(x: Array, w: Array) -> list[Array]:
    return [np.stack([x[t : t + 50] * w[t] for t in range(4)]).sum(0)]


def _lane_right(x: Array) -> list[Array]:
    return [x[:, 1:] - x[:, :-1]]


def _row_statistics(x: Array) -> list[Array]:
    return [x.sum(1), x.max(1)]


def _column_statistics(x: Array) -> list[Array]:
    return [x.sum(0), x.max(0)]


def _case(
    name: str,
    reference: Callable[..., list[Array]],
    blocks: Mapping[str, int],
    small: Mapping[str, int],
    **scales: float,
) -> Case:
    return Case(_KERNELS / f"{name}.mlir", reference, blocks, small, scales)


_SLABS = {"": _slabs, "_any": _slabs, "_jagged": _slabs_jagged}

UNALIGNED_CASES = (
    _case("matmul_narrow", _matmul, {"m": 13, "k": 32}, {"m": 8, "k": 32}, w=0.1),
    _case("split_k", _matmul, {"m": 40, "k": 128}, {"m": 16, "k": 32}, w=0.05),
    *(
        _case(f"bmm_from_{k}", partial(_bmm_from, k), {"m": 40, "k": 128}, {"m": 16, "k": 32}, w=0.1)
        for k in (32, 36, 128)
    ),
    _case("vector_map", _vector_map, {"i": 256}, {"i": 25}),
    _case("vector_map_i8", _vector_mean, {"i": 256}, {"i": 25}),
    _case("vector_total", _vector_total, {"i": 256}, {"i": 25}),
    _case("vector_total_i8", _vector_total, {"i": 256}, {"i": 25}),
    _case("vector_cumsum", _vector_cumsum, {"i": 256}, {"i": 25}),
    _case("vector_cumsum_i8", _vector_cumsum_low, {"i": 256}, {"i": 25}),
    *(
        _case(f"slabs_{shape}{kind}", reference, {"m": 64}, {"m": 7})
        for shape, (kind, reference) in product(("4x64", "5x100"), _SLABS.items())
    ),
    _case("layer_norm_backward", _layer_norm_backward, {"m": 256}, {"m": 20}, x=0.003, dy=0.01),
    _case("narrow_rows", _copy, {"m": 20}, {"m": 12}),
    _case("narrow_rows_read", _sum_of_rows, {"m": 20}, {"m": 12}),
    _case("narrow_rows_written", _rows_written, {"m": 20}, {"m": 12}),
    _case("narrow_lanes", _copy, {"n": 100}, {"n": 20}),
    _case("narrow_lanes_read", _sum_of_lanes, {"n": 100}, {"n": 20}),
    _case("narrow_lanes_written", _lanes_written, {"n": 100}, {"n": 20}),
    _case("narrow_both", _copy, {"m": 20, "n": 100}, {"m": 20, "n": 100}),
    _case("row_below", _row_below, {"m": 32}, {"m": 8}),
    _case("rows_from", _rows_from, {"m": 32}, {"m": 8}),
    _case("rows_around", _rows_around, {"m": 32}, {"m": 8}),
    _case("window_sum_rows", _window_sum, {"m": 32}, {"m": 8}),
    _case("lane_right", _lane_right, {"n": 128}, {"n": 64}),
    _case("row_statistics", _row_statistics, {"m": 100, "n": 128}, {"m": 20, "n": 32}),
    _case("column_statistics", _column_statistics, {"m": 20, "n": 128}, {"m": 20, "n": 32}),
)
"""The programs; `blocks` are those meant for a chip, and narrow where a chip may need no others."""

ALL_CASES: Mapping[str, Case] = {**CASES, **{case.name: case for case in UNALIGNED_CASES}}
"""These and all other cases of the corpus, by name."""

_FLOATS = ("f32", "bf16")
_ALL = (*_FLOATS, "i8")


def _variants(
    name: str, elements: Sequence[str], widths: Sequence[int], *blocks: Mapping[str, int]
) -> Iterator[Variant]:
    segments = ODD if ALL_CASES[name].jagged else None
    for width, element, sizes in product(widths, elements, blocks):
        yield Variant(ALL_CASES[name], element, sizes, width, segments)


def _each(axis: str, *sizes: int) -> list[Mapping[str, int]]:
    return [{axis: size} for size in sizes]


def _all_variants() -> Iterator[Variant]:
    whole, vector = (200,), (100, 1000)
    yield from _variants("matmul_narrow", _FLOATS, whole, *({"m": 8, "k": k} for k in (20, 32, 128)))
    yield from _variants("split_k", _FLOATS, whole, *({"m": 16, "k": k} for k in (32, 100, 128)))
    for begin, k in product((32, 36, 128), (32, 128)):
        yield from _variants(f"bmm_from_{begin}", _FLOATS, whole, {"m": 16, "k": k})
    for kind in ("map", "total", "cumsum"):
        sizes = _each("i", 25, 32, 100, 128, 256)
        yield from _variants(f"vector_{kind}", _FLOATS, vector, *sizes)
        yield from _variants(f"vector_{kind}_i8", ("i8",), vector, *sizes)
    for shape, kind in product(("4x64", "5x100"), _SLABS):
        yield from _variants(f"slabs_{shape}{kind}", _FLOATS, whole, *_each("m", 7, 8))
    for m in (8, 16):
        yield from _variants("grouped_matmul", _FLOATS, whole, {"m": m, "k": 256})
        yield from _variants("jagged_row_sum", _FLOATS, (100, 200), {"m": m})
    yield from _variants("layer_norm_backward", _FLOATS, (60,), *_each("m", 16, 20))
    for kind in ("", "_read", "_written"):
        yield from _variants(f"narrow_rows{kind}", _ALL, (64, 256), *_each("m", 4, 12, 20))
        yield from _variants(f"narrow_lanes{kind}", _ALL, (1000,), *_each("n", 20, 32, 64, 100))
    yield from _variants(
        "narrow_both", _ALL, whole, {"m": 4, "n": 64}, {"m": 12, "n": 32}, {"m": 20, "n": 100}
    )
    for name in ("row_below", "rows_from", "rows_around"):
        yield from _variants(name, _FLOATS, (64, 200), *_each("m", 8, 20))
    yield from _variants("window_sum_rows", _FLOATS, whole, *_each("m", 8, 20))
    yield from _variants("lane_right", _FLOATS, whole, *_each("n", 100, 128))
    for name in ("row_statistics", "column_statistics"):
        yield from _variants(name, _FLOATS, (100, 200), {"m": 20, "n": 32}, {"m": 100, "n": 128})


VARIANTS = tuple(_all_variants())
"""What must run, under every choice of loop."""

LARGE = tuple(_variants("layer_norm_backward", _FLOATS, (4096,), {"m": 128}, {"m": 256}))
"""For the compiler of the chip only: their arrays do not fit on a chip at once, so they must be streamed."""
