"""Stores to host tensors outside of loops, beside what the loops store."""

import pytest
import torch

import tilec
import tilec.language as hl
from tilec.testing import agree, prove


def changed(out: torch.Tensor, y: torch.Tensor) -> None:
    out[:, -1, :] = 0
    out[1, 1:3, 2:9] = y[:2, 1] * 2
    out[0, 0, 0] = 5
    out[2] = y[0, 0, :1]
    out[3].copy_(out[0])
    out += 1


@tilec.kernel
def kernel(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    out = torch.empty_like(x)
    for rows in hl.tile(x.size(0)):
        out[rows] = x[rows] * 2
    changed(out, y)
    return out


def test_parts_and_wholes() -> None:
    x, y = torch.randn(4, 5, 16), torch.randn(2, 5, 7)
    wanted = x * 2
    changed(wanted, y)
    agree(kernel(x, y), wanted, "kernel")
    prove(kernel, (x, y), chips=("v6e",), seeds=(0,))


def test_rows_too_wide_for_one_tile() -> None:
    @tilec.kernel
    def wide(x: torch.Tensor) -> torch.Tensor:
        out = torch.zeros_like(x)
        out[1:3] = x[:2]
        return out

    x = torch.randn(4, 9000)
    agree(wide(x), torch.cat([torch.zeros(1, 9000), x[:2], torch.zeros(1, 9000)]), "wide")


def test_an_argument() -> None:
    @tilec.kernel
    def cleared(x: torch.Tensor) -> torch.Tensor:
        x[3] = 0
        return x

    x = torch.randn(20, 4)
    wanted = x.clone()
    wanted[3] = 0
    agree(cleared(x), wanted, "cleared")


def test_inside_a_loop_a_whole_is_refused() -> None:
    @tilec.kernel
    def whole(x: torch.Tensor) -> torch.Tensor:
        out = torch.empty_like(x)
        for rows in hl.tile(x.size(0)):
            out.copy_(x[rows].sum())
        return out

    with pytest.raises(tilec.TraceError, match="the host tensor out is changed as a whole inside a loop"):
        whole.bind(torch.randn(8, 8))
