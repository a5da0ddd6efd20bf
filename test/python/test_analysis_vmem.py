"""Bytes of on-chip memory, with the padding of the tiled layout."""

from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilec.analysis.vmem import padded_bytes


@pytest.mark.parametrize(
    ("shape", "width", "size"),
    [
        ((), 4, 4096),
        ((8, 128), 4, 4096),
        ((1, 1), 4, 4096),
        ((9, 129), 4, 4 * 4096),
        ((16, 128), 2, 4096),
        ((8, 128), 2, 4096),
        ((32, 128), 1, 4096),
        ((3, 8, 128), 4, 3 * 4096),
        ((128, 1), 4, 16 * 4096),
        ((128,), 4, 512),
        ((129,), 4, 1024),
        ((100,), 2, 512),
        ((8, 128), 8, 8192),
    ],
)
def test_sizes(shape: tuple[int, ...], width: int, size: int) -> None:
    assert padded_bytes(shape, width) == size


SHAPES = st.lists(st.integers(1, 300), min_size=1, max_size=4)


@given(shape=SHAPES, width=st.sampled_from((1, 2, 4, 8)))
def test_padding_only_adds(shape: list[int], width: int) -> None:
    size = padded_bytes(shape, width)
    assert size >= prod(shape) * width
    assert size % 512 == 0
    # It never takes more than one tile of memory for each row of lanes.
    assert size <= prod(shape) * 4096 * max(1, width // 4)


@given(shape=SHAPES, width=st.sampled_from((1, 2, 4)), dim=st.integers(0, 3))
def test_a_larger_array_takes_no_less(shape: list[int], width: int, dim: int) -> None:
    larger = [extent + (i == dim % len(shape)) for i, extent in enumerate(shape)]
    assert padded_bytes(larger, width) >= padded_bytes(shape, width)
