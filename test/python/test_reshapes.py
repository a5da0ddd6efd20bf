"""Reshapes of values with tiles that do not lead, and of values themselves in place."""

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


@tilec.kernel
def products(x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    """What torch makes of a vector times a matrix has a dimension of 1 that it takes away in place."""
    out = torch.empty([x.size(0), w.size(1)])
    for row in hl.grid(x.size(0)):
        weights = torch.softmax(x[row, :] @ w[:, :], 0)
        out[row, :] = weights / weights.sum(0)
    return out


@tilec.kernel
def squeezed(x: torch.Tensor) -> torch.Tensor:
    """A loop that gives what it carries another shape for a while."""
    out = torch.empty([x.size(0)])
    for rows in hl.tile(x.size(0)):
        acc = hl.zeros([rows, 1])
        for columns in hl.tile(x.size(1)):
            acc.squeeze_(1)
            acc += x[rows, columns].sum(1)
            acc.unsqueeze_(1)
        out[rows] = acc[:, 0]
    return out


def test_a_value_gets_another_shape_in_place() -> None:
    x, w = torch.randn(20, 16), torch.randn(16, 40)
    agree(products(x, w), torch.softmax(x @ w, 1), "products")
    agree(squeezed(x), x.sum(1), "squeezed")
    prove(products, (x, w), chips=("v6e",), seeds=(0,))


def test_an_array_keeps_its_shape() -> None:
    @tilec.kernel
    def first(x: torch.Tensor) -> torch.Tensor:
        x.squeeze_(0)
        return x

    with pytest.raises(tilec.TraceError, match=r"squeeze_ changes the shape of float32\[1, 6\]"):
        first.bind(torch.randn(1, 6))


def test_a_view_of_an_argument_that_changes_is_returned() -> None:
    """Beside the argument, or alone."""

    @tilec.kernel
    def doubled(x: torch.Tensor) -> torch.Tensor:
        flat = x.view(-1)
        for lanes in hl.tile(flat.size(0)):
            flat[lanes] = flat[lanes] * 2
        return flat

    x = torch.arange(16.0).reshape(2, 8)
    assert torch.equal(doubled(x), torch.arange(0.0, 32.0, 2.0))
    assert torch.equal(x, torch.arange(0.0, 32.0, 2.0).reshape(2, 8))
