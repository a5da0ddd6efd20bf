"""Programs with outputs of every kind: made here or passed in, filled, updated in place, partly written."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .corpus import Case

Array = np.ndarray[Any, np.dtype[Any]]

_KERNELS = Path(__file__).resolve().parent / "kernels"


def _update_in_place(x: Array) -> list[Array]:
    return [x + np.maximum(x, 0) / 2]


def _residual_in_place(x: Array, w: Array, residual: Array) -> list[Array]:
    return [residual + x @ w]


def _outputs_and_in_place(x: Array, state: Array) -> list[Array]:
    return [x.sum(1), x + state, x - state]


def _fill_overwritten(x: Array) -> list[Array]:
    return [-x]


def _fill_in_halves(x: Array) -> list[Array]:
    return [np.concatenate([-x[:50], 2 * x[50:]])]


def _fill_between(x: Array) -> list[Array]:
    out = np.full(x.shape, 5.0)
    out[3:97, :190] = -x[3:97, :190]
    return [out]


def _fill_blocks(x: Array) -> list[Array]:
    out = np.full(x.shape, 5.0)
    out[32:64] = -x[32:64]
    return [out]


def _fill_accumulated(x: Array, w: Array) -> list[Array]:
    return [x @ w + 1.5]


def _some_blocks(x: Array, y: Array) -> list[Array]:
    return [np.concatenate([y[:32], x[32:64], y[64:]])]


def _through_arrays(x: Array) -> list[Array]:
    return [(x * x).sum(1) + 1, x * x]


def _case(
    name: str, reference: Callable[..., list[Array]], small: Mapping[str, int], **scales: float
) -> Case:
    # A chip takes 32 rows of every element type, and so do the tests of blocks that no step visits.
    blocks = {axis: max(size, 32 if axis == "m" else 128) for axis, size in small.items()}
    return Case(_KERNELS / f"{name}.mlir", reference, blocks, small, scales)


OUTPUTS = (
    _case("update_in_place", _update_in_place, {"m": 16}),
    _case("residual_in_place", _residual_in_place, {"m": 32, "n": 128, "k": 128}, w=0.07),
    _case("outputs_and_in_place", _outputs_and_in_place, {"m": 128}),
    _case("fill_overwritten", _fill_overwritten, {"m": 16, "n": 128}),
    _case("fill_in_halves", _fill_in_halves, {"m": 16, "r": 32}),
    _case("fill_between", _fill_between, {"m": 16, "n": 128}),
    _case("fill_blocks", _fill_blocks, {"m": 16}),
    _case("fill_accumulated", _fill_accumulated, {"m": 32, "n": 128, "k": 128}, w=0.07),
    _case("some_blocks", _some_blocks, {"m": 16}),
    _case("through_arrays", _through_arrays, {"m": 16, "r": 128}),
)
"""Each must agree with its reference, whatever the loop."""
