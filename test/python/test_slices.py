"""Slices of host tensors that begin where only the device knows."""

import pytest
import torch

import tilec
import tilec.language as hl
from tilec.dialects.tile import GatherOp, ScatterOp
from tilec.testing import agree, prove


@tilec.kernel
def halves(x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    """Products with the two halves of a matrix, side by side the other way round."""
    n = w.size(1) // 2
    out = torch.empty([x.size(0), 2 * n])
    for rows, cols in hl.tile([x.size(0), n]):
        begin = cols.begin + n
        end = begin + cols.block_size
        first, second = hl.zeros([rows, cols]), hl.zeros([rows, cols])
        for k in hl.tile(x.size(1)):
            first = hl.dot(x[rows, k], w[k, cols], acc=first)
            second = hl.dot(x[rows, k], w[k, begin:end], acc=second)
        out[rows, cols] = second
        out[rows, begin:end] = first
    return out


def test_slices_as_long_as_a_tile() -> None:
    x, w = torch.randn(24, 32), torch.randn(32, 2 * 256)
    agree(halves(x, w), torch.roll(x @ w, 256, 1), "halves")
    bound = prove(halves, (x, w), chips=("v6e",), seeds=(0,))
    after = bound.mlir(after="raise-gathers")
    assert "tile.gather" not in after
    assert "tile.scatter" not in after
    assert any(isinstance(op, GatherOp | ScatterOp) for op in bound.module().walk())


def test_slices_of_known_length() -> None:
    @tilec.kernel
    def kernel(x: torch.Tensor) -> torch.Tensor:
        out = torch.empty([x.size(0) // 8, 8])
        for i in hl.grid(x.size(0) // 8):
            out[i, :] = x[8 * i : 8 * i + 8] * 2
        return out

    x = torch.randn(40)
    agree(kernel(x), 2 * x.view(5, 8), "kernel")


@pytest.mark.parametrize(("double", "words"), [(True, r"2\*rows"), (False, "rows_begin")])
def test_slices_of_other_lengths(double: bool, words: str) -> None:
    @tilec.kernel
    def kernel(x: torch.Tensor) -> torch.Tensor:
        out = torch.empty_like(x)
        for rows in hl.tile(x.size(0)):
            length = 2 * rows.block_size if double else rows.begin
            out[rows] = x[rows.begin : rows.begin + length].sum()
        return out

    with pytest.raises(tilec.TraceError, match=f"a slice of x with {words} elements from where only the"):
        kernel.bind(torch.randn(40))
