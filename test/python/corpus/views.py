"""The programs of `views.mlir`, which store, load and return arrays through views, and what they compute."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Views:
    """What a program takes and computes; `blocks` make several steps, with tails."""

    shapes: tuple[tuple[int, ...], ...]
    reference: Callable[..., list[Array]]
    blocks: Mapping[str, int]

    def arguments(self, dtype: np.dtype[Any], seed: int) -> list[Array]:
        """Small whole numbers, which every element type adds without rounding."""
        rng = np.random.default_rng(seed)
        return [rng.integers(-30, 30, shape).astype(dtype) for shape in self.shapes]


def _doubled_and_flat(x: Array) -> list[Array]:
    return [(2 * x).reshape(-1)]


def _stored_by_lanes(x: Array) -> list[Array]:
    return [x.reshape(-1), 2 * x.reshape(64, 16, 128)]


def _doubled(x: Array) -> list[Array]:
    return [2 * x]


def _turned(x: Array) -> list[Array]:
    return [x.T]


def _returned_both_ways(x: Array) -> list[Array]:
    return [x, x.T]


def _loaded_flat(x: Array, y: Array) -> list[Array]:
    return [x.reshape(24, 1024) + y]


def _loaded_transposed(x: Array, y: Array) -> list[Array]:
    return [x.T + y]


def _inner_permuted(x: Array) -> list[Array]:
    return [x.transpose(0, 2, 1)]


def _outer_permuted(x: Array) -> list[Array]:
    return [x.transpose(1, 0, 2)]


def _in_place(x: Array) -> list[Array]:
    return [np.concatenate([2 * x[:20], x[20:]])]


def _in_place_transposed(x: Array) -> list[Array]:
    return [2 * x.T]


def _two_shapes_read(x: Array) -> list[Array]:
    return [
        np.concatenate([x[:, :1] + x[0, 3], x[:, 1:]], 1).reshape(24, 1024),
        x.reshape(192, 128),
    ]


def _between_kernels(x: Array) -> list[Array]:
    return [2 * x.reshape(24, 1024)]


def _flat(x: Array) -> list[Array]:
    return [x.reshape(-1)]


VIEWS: Mapping[str, Views] = {
    "stored_2d": Views(((40, 256),), _doubled_and_flat, {"m": 16}),
    "stored_by_lanes": Views(((1024, 128),), _stored_by_lanes, {"m": 400}),
    "stored_flat": Views(((40, 256),), _doubled, {"m": 4096}),
    "stored_transposed": Views(((200, 300),), _turned, {"m": 128, "n": 128}),
    "returned_transposed": Views(((200, 300),), _turned, {"m": 128, "n": 128}),
    "returned_both_ways": Views(((200, 300),), _returned_both_ways, {"m": 128}),
    "loaded_flat": Views(((24, 8, 128), (24, 1024)), _loaded_flat, {"m": 16}),
    "loaded_transposed": Views(((200, 300), (300, 200)), _loaded_transposed, {"m": 128}),
    "inner_permuted": Views(((4, 72, 160),), _inner_permuted, {"m": 128}),
    "outer_permuted": Views(((4, 40, 160),), _outer_permuted, {"m": 16}),
    "heads": Views(((40, 4, 128),), _doubled, {"m": 16}),
    "in_place": Views(((24, 8, 128),), _in_place, {"m": 16}),
    "in_place_transposed": Views(((200, 300),), _in_place_transposed, {"m": 128}),
    "two_shapes_read": Views(((24, 8, 128),), _two_shapes_read, {"m": 16, "n": 64}),
    "rows": Views(((50, 4, 64),), _doubled, {"m": 16}),
    "between_kernels": Views(((24, 8, 128),), _between_kernels, {"m": 16}),
    "turned_twice": Views(((16, 256),), _flat, {"m": 8}),
}
"""Each must agree with its reference, whatever the loop."""

_FUNCTIONS = re.split(r"^// -----\n", Path(__file__).with_suffix(".mlir").read_text(), flags=re.MULTILINE)


def program(name: str, dtype: str) -> str:
    """The function `name` for an element type."""
    (text,) = (text for text in _FUNCTIONS if f"@{name}(" in text)
    text = text.replace("f32", dtype)
    return text.replace("arith.addf", "arith.addi") if dtype.startswith("i") else text
