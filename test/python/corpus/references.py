"""What each program of the corpus means, in float64 numpy. Nothing is claimed of an element that is NaN.

Arguments are those of the program, floats widened to float64; a function returns one array for each result.
"""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def ranges(begins: Array, ends: Array | None = None) -> list[tuple[int, int]]:
    """Begin and end of each group, from offsets or from begins and ends."""
    pairs = pairwise(begins) if ends is None else zip(begins, ends, strict=True)
    return [(int(begin), int(end)) for begin, end in pairs]


def _unwritten(rows: int, *rest: int) -> Array:
    return np.full((rows, *rest), np.nan)


def _each_group(
    groups: list[tuple[int, int]], into: Array, rows_of: Callable[[int, slice], Array]
) -> list[Array]:
    for g, (begin, end) in enumerate(groups):
        if begin < end:
            into[begin:end] = rows_of(g, slice(begin, end))
    return [into]


def _softmax(x: Array) -> Array:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def matmul(x: Array, w: Array) -> list[Array]:
    return [x @ w]


def softmax(x: Array) -> list[Array]:
    return [_softmax(x)]


def layer_norm(x: Array, gamma: Array, beta: Array) -> list[Array]:
    d = x - x.mean(-1, keepdims=True)
    return [d / np.sqrt((d * d).mean(-1, keepdims=True) + 1e-5) * gamma + beta]


def residual_rms_norm(x: Array, residual: Array, weight: Array) -> list[Array]:
    s = x + residual
    return [s, s / np.sqrt((s * s).mean(-1, keepdims=True) + 1e-6) * weight]


def grouped_matmul(x: Array, w: Array, offsets: Array) -> list[Array]:
    return _each_group(ranges(offsets), _unwritten(len(x), w.shape[2]), lambda g, rows: x[rows] @ w[g])


def grouped_matmul_gaps(x: Array, w: Array, begins: Array, ends: Array) -> list[Array]:
    out = np.full((len(x), w.shape[2]), -2.0)
    return _each_group(ranges(begins, ends), out, lambda g, rows: x[rows] @ w[g])


def grouped_matmul_transposed(x: Array, dy: Array, offsets: Array) -> list[Array]:
    return [np.stack([x[b:e].T @ dy[b:e] for b, e in ranges(offsets)])]


def jagged_row_sum(x: Array, begins: Array, ends: Array | None = None) -> list[Array]:
    return [np.stack([x[b:e].sum(0) for b, e in ranges(begins, ends)])]


def gdpa(q: Array, k: Array, v: Array, offsets: Array) -> list[Array]:
    def rows_of(g: int, rows: slice) -> Array:
        return np.maximum(q[rows] @ k[g].T, 0.0) @ v[g]

    return _each_group(ranges(offsets), _unwritten(*q.shape), rows_of)


def jagged_flash_attention(q: Array, k: Array, v: Array, q_offsets: Array, kv_offsets: Array) -> list[Array]:
    keys = ranges(kv_offsets)

    def rows_of(g: int, rows: slice) -> Array:
        begin, end = keys[g]
        if begin == end:
            return np.zeros_like(q[rows])
        return _softmax(q[rows] @ k[begin:end].T / math.sqrt(q.shape[1])) @ v[begin:end]

    return _each_group(ranges(q_offsets), _unwritten(*q.shape), rows_of)


def jagged_bias_lhd(x: Array, bias: Array, offsets: Array) -> list[Array]:
    return _each_group(ranges(offsets), _unwritten(*x.shape), lambda g, rows: x[rows] + bias[g])


def transpose(x: Array) -> list[Array]:
    return [x.T]


def reshape(x: Array) -> list[Array]:
    heads = x.reshape(len(x), 4, 128)
    return [(heads / (1.0 + (heads * heads).sum(-1, keepdims=True))).reshape(x.shape)]


def rotate_half(x: Array) -> list[Array]:
    half = x.shape[1] // 2
    return [np.concatenate([-x[:, half:], x[:, :half]], 1)]


def row_cumsum(x: Array) -> list[Array]:
    return [x.cumsum(1)]


def jagged_cummax(x: Array, offsets: Array) -> list[Array]:
    running = np.maximum.accumulate
    return _each_group(ranges(offsets), _unwritten(*x.shape), lambda _, rows: running(x[rows]))


def _lower(x: Array) -> Array:
    return np.tri(*x.shape, dtype=bool)


def masked_load(x: Array) -> list[Array]:
    return [np.where(_lower(x), x, -1.0)]


def masked_store(x: Array) -> list[Array]:
    return [np.where(_lower(x), 2.0 * x, 7.0)]


def causal_softmax(x: Array) -> list[Array]:
    return [_softmax(np.where(_lower(x), x, -np.inf))]


def shifted_rows(x: Array) -> list[Array]:
    return [x[1:] - x[:-1]]


def shifted_sum(x: Array) -> list[Array]:
    return [x[:-1] + x[1:]]


def window_sum(x: Array, w: Array) -> list[Array]:
    return [np.asarray(sum(x[t : t + 50] * w[t] for t in range(4)))]


def two_grids(x: Array) -> list[Array]:
    return [(x * x).sum(1)]


def if_store(x: Array, flags: Array, offsets: Array) -> list[Array]:
    out = np.full(x.shape, -1.0)
    return _each_group(ranges(offsets), out, lambda g, rows: x[rows] if flags[g] else out[rows])


def if_value(x: Array, flags: Array, offsets: Array) -> list[Array]:
    return _each_group(
        ranges(offsets), _unwritten(*x.shape), lambda g, rows: x[rows] * (2 if flags[g] else -1)
    )


def in_place(x: Array, bias: Array, begins: Array, ends: Array) -> list[Array]:
    return _each_group(ranges(begins, ends), x.copy(), lambda g, rows: x[rows] + bias[g])


def extremes(x: Array) -> list[Array]:
    return [x.max(1), x.min(1)]


def integers(x: Array) -> list[Array]:
    return [x.sum(1, dtype=np.int32), x.max(1), np.bitwise_xor.reduce(x, 1)]


def rows_of_one_result(x: Array) -> list[Array]:
    return [np.stack(integers(x))]


def row_and_column_sums(x: Array) -> list[Array]:
    return [x.sum(1), x.sum(0)]


def embedding_gradient(dy: Array, ids: Array) -> list[Array]:
    out = np.zeros((40, dy.shape[1]))
    np.add.at(out, ids, dy)
    return [out]


def histogram(x: Array) -> list[Array]:
    bins = (x.astype(np.float32) * np.float32(50) + np.float32(128)).astype(np.int32)
    return [np.bincount(bins[(bins >= 0) & (bins < 256)], minlength=256)]
