"""The programs of `corpus/hostile/`, nests and shapes that nobody would write first, as cases."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .corpus import Case
from .references import ranges

Array = np.ndarray[Any, np.dtype[Any]]

_HOSTILE = Path(__file__).resolve().parent / "hostile"


def _by_group(
    x: Array, offsets: Array, of_rows: Callable[[int, Array], Array], fill: float = np.nan
) -> Array:
    """f64 of the shape of `x`: what `of_rows` makes of the rows of each group, and `fill` in other rows."""
    out = np.full(x.shape, fill)
    for g, (begin, end) in enumerate(ranges(offsets)):
        if begin < end:
            out[begin:end] = of_rows(g, x[begin:end])
    return out


def _sums(x: Array, offsets: Array) -> Array:
    return np.stack([x[begin:end].sum(0) for begin, end in ranges(offsets)])


def _three_levels(x: Array, w: Array, offsets: Array) -> list[Array]:
    return [_by_group(x, offsets, lambda _, rows: rows + rows @ w.T @ w), _sums(x, offsets) - 1]


def _jagged_after_jagged(x: Array, offsets: Array) -> list[Array]:
    tops = np.stack([x[b:e].max(0, initial=-100.0) for b, e in ranges(offsets)])
    return [_by_group(x, offsets, lambda g, rows: rows - tops[g]), tops]


def _normal(x: Array) -> Array:
    d = x - x.mean(-1, keepdims=True)
    return d / np.sqrt((d * d).mean(-1, keepdims=True) + 1)


def _jagged_three_in_a_row(x: Array, w: Array, offsets: Array) -> list[Array]:
    out = np.full((len(x), w.shape[1]), np.nan)
    out[offsets[0] : offsets[-1]] = (_normal(x) @ w)[offsets[0] : offsets[-1]]
    return [out]


def _jagged_dense_jagged(q: Array, k: Array, s: Array, q_offsets: Array, kv_offsets: Array) -> list[Array]:
    keys = [k[begin:end] for begin, end in ranges(kv_offsets)]

    def of_rows(g: int, rows: Array) -> Array:
        return sum((np.maximum(rows @ (keys[g] * c).T, 0) @ keys[g] for c in s), np.zeros_like(rows))

    return [_by_group(q, q_offsets, of_rows)]


def _jagged_two_grids(x: Array, bias: Array, offsets: Array) -> list[Array]:
    middle = _by_group(x, offsets, lambda g, rows: rows + bias[g], 0.5)
    return [_sums(middle, offsets), middle]


def _many_windows(x: Array) -> list[Array]:
    return [x + (x[:5] * x[7:12]).sum(0) + x[0] + x.sum(1, keepdims=True)]


def _many_results(x: Array, offsets: Array) -> list[Array]:
    doubled, sums = _by_group(x, offsets, lambda _, rows: 2 * rows, -3.0), _sums(x, offsets)
    totals = _by_group(x, offsets, lambda _, rows: rows.sum(1, keepdims=True).repeat(x.shape[1], 1), 3.0)
    counts = x.shape[1] * np.diff(offsets)
    return [totals[:, 0], doubled, sums, sums.sum(1, keepdims=True), counts[:, None]]


def _bounded(x: Array, offsets: Array) -> list[Array]:
    firsts = np.stack([x[begin : min(begin + 5, end)].sum(0) for begin, end in ranges(offsets)])
    return [firsts, _by_group(x, offsets, lambda _, rows: rows, 1.0)]


def _between(x: Array) -> list[Array]:
    out = np.full(x.shape, 7.0)
    out[5:100, 7:190] = -x[5:100, 7:190]
    return [out]


def _between_in_place(x: Array, y: Array) -> list[Array]:
    out = x.copy()
    out[5:70] += y[5:70, 3:77].sum(1, keepdims=True)
    return [out]


def _masks(x: Array, y: Array) -> list[Array]:
    rows = np.arange(len(x))[:, None]
    anything = ((x > 0) & (y < -40)) | (rows <= 10)
    odd = anything ^ (x > 0)
    out = np.where(odd, np.where(x > 0, np.sqrt(np.abs(x)), 0.0), x)
    return [out, (odd.astype(np.int64) + anything) * rows]


def _columns_and_rows(x: Array, u: Array, v: Array) -> list[Array]:
    return [x + u[:, None] * v, x.T * (u - v[:, None])]


def _tiles(x: Array, of_tile: Callable[[Array], Array]) -> Array:
    """`of_tile` of each tile of 16 rows and 128 columns."""
    out = np.empty_like(x)
    for r in range(0, x.shape[0], 16):
        for c in range(0, x.shape[1], 128):
            out[r : r + 16, c : c + 128] = of_tile(x[r : r + 16, c : c + 128])
    return out


def _reductions(x: Array) -> list[Array]:
    def of_tile(tile: Array) -> Array:
        e = np.exp(tile)
        return e.max(1, keepdims=True) * e.min(0) / e.max() + tile

    return [_tiles(x, of_tile)]


def _scans(x: Array) -> list[Array]:
    return [
        _tiles(x, lambda tile: np.maximum.accumulate(tile, 0)),
        _tiles(x, lambda tile: np.minimum.accumulate(tile, 1)),
    ]


def _dots(a: Array, at: Array, b: Array, bt: Array) -> list[Array]:
    return [(a[:, :150] + at[:150].T) @ (b[:150] + bt[:, :150].T)]


def _conditions(x: Array, flags: Array, offsets: Array) -> list[Array]:
    def of_rows(g: int, rows: Array) -> Array:
        if flags[g] == 0:
            return np.full_like(rows, 9.0)
        return -rows if g >= 3 else 2 * rows

    sums = np.full((len(flags), x.shape[1]), 4.0)
    for g, total in enumerate(_sums(x, offsets)):
        if g >= 3 and flags[g]:
            sums[g] = total
    return [_by_group(x, offsets, of_rows, 9.0), sums]


def _same_name(x: Array) -> list[Array]:
    return [np.tile(np.maximum(x[:40].sum(0), x[33:99].max(0)), (4, 1))]


def _carried_scalars(x: Array, scale: Array, offsets: Array) -> list[Array]:
    tops = [scale[g] * x[b:e].max(initial=-50.0) for g, (b, e) in enumerate(ranges(offsets))]
    return [_by_group(x, offsets, lambda g, rows: scale[g] * rows), np.array(tops)[:, None]]


def _jagged_rank_three(x: Array, offsets: Array) -> list[Array]:
    sums = _sums(x, offsets)
    return [_by_group(x, offsets, lambda g, rows: rows - sums[g], 1.0), sums]


def _sequences_in_sequence(w: Array) -> list[Array]:
    value = np.ones(w.shape[1])
    for _ in range(3):
        value = (value + w[0] + w[1]) / 4
    first = value
    for _ in range(3):
        value = (value + first) / -2
    return [np.tile(value, (4, 1))]


def _triangle(w: Array) -> list[Array]:
    return [np.stack([w[g : 2 * g + 1].sum(0) for g in range(12)])]


def _triangle_tiles(w: Array) -> list[Array]:
    return [np.stack([w[g : 2 * g].sum(0) for g in range(12)])]


def _three_in_a_row(x: Array) -> list[Array]:
    return [_normal(x)]


def _same(x: Array) -> list[Array]:
    return [x]


def _fill(x: Array) -> list[Array]:
    return [np.full(x.shape, 2.0)]


def _vector(x: Array, y: Array) -> list[Array]:
    return [x + y]


def _jagged_vector(x: Array, offsets: Array) -> list[Array]:
    return [_by_group(x, offsets, lambda _, rows: 2 * rows, -1.0)]


def _four_ranks(x: Array, w: Array) -> list[Array]:
    return [x + w[:, None]]


def _case(name: str, reference: Callable[..., list[Array]], m: int = 16, **scales: float) -> Case:
    source = (_HOSTILE / f"{name}.mlir").read_text()
    axes = {"m": m, "n": 128, "k": 128, "r": 32}
    small = {axis: size for axis, size in axes.items() if f" by {axis} " in source}
    blocks = {axis: max(size, 128) for axis, size in small.items()}
    return Case(_HOSTILE / f"{name}.mlir", reference, blocks, small, scales)


HOSTILE = (
    _case("three_levels", _three_levels, w=0.05),
    _case("jagged_after_jagged", _jagged_after_jagged),
    _case("three_in_a_row", _three_in_a_row),
    _case("jagged_three_in_a_row", _jagged_three_in_a_row, w=0.07),
    _case("jagged_dense_jagged", _jagged_dense_jagged, q=0.1, k=0.3),
    _case("jagged_two_grids", _jagged_two_grids),
    _case("many_windows", _many_windows),
    _case("many_results", _many_results, 128),
    _case("bounded", _bounded),
    _case("between", _between),
    _case("between_in_place", _between_in_place),
    _case("masks", _masks),
    _case("columns_and_rows", _columns_and_rows, 128),
    _case("reductions", _reductions),
    _case("scans", _scans),
    _case("dots", _dots, 128, b=0.1, bt=0.1),
    _case("conditions", _conditions),
    _case("same_name", _same_name),
    _case("no_iterations", _same),
    _case("empty_grid", _fill),
    _case("vector", _vector, 128),
    _case("jagged_vector", _jagged_vector, 128),
    _case("four_ranks", _four_ranks),
    _case("carried_scalars", _carried_scalars),
    _case("jagged_rank_three", _jagged_rank_three),
    _case("triangle", _triangle),
    _case("triangle_tiles", _triangle_tiles),
    _case("sequences_in_sequence", _sequences_in_sequence),
)
"""Each must agree with its reference, whatever the grouping and the loop."""
