"""Reshapes of values with tiles that do not lead."""

import pytest
import torch

import tilec
import tilec.language as hl
from tilec.testing import agree, prove


@tilec.kernel
def rotated(x: torch.Tensor) -> torch.Tensor:
    """The halves of each row change places, and the second its sign: tiles stand around the heads."""
    out = torch.empty_like(x)
    heads, half = x.size(1), x.size(3) // 2
    for batch, rows in hl.tile([x.size(0), x.size(2)]):
        pairs = x[batch, :, rows, :].reshape([batch, heads, rows, 2, half]).permute(0, 1, 2, 4, 3)
        first, second = hl.split(pairs)
        joined = hl.join(-second, first).permute(0, 1, 2, 4, 3)
        out[batch, :, rows, :] = joined.reshape([batch, heads, rows, 2 * half])
    return out


@pytest.mark.parametrize("shape", [(2, 3, 20, 16), (1, 4, 128, 256)])
def test_dimensions_behind_a_tile_are_split_and_joined(shape: tuple[int, ...]) -> None:
    x = torch.randn(shape)
    first, second = x.chunk(2, -1)
    agree(rotated(x), torch.cat([-second, first], -1), "rotated")
    prove(rotated, (x,), chips=("v6e",), seeds=(0,))


def test_a_tile_that_would_be_joined_is_refused() -> None:
    @tilec.kernel
    def joined(x: torch.Tensor) -> torch.Tensor:
        out = torch.empty_like(x)
        for rows in hl.tile(x.size(1)):
            out[:, rows, :] = (
                x[:, rows, :].reshape([x.size(0) * rows, x.size(2)]).reshape(x[:, rows, :].shape)
            )
        return out

    with pytest.raises(tilec.TraceError, match="keep each tile a dimension of its own"):
        joined.bind(torch.randn(2, 20, 16))
