"""Sums of long rows: tile after tile, by sums of columns that meet at the end, and in parallel parts."""

import torch

import tilec
import tilec.language as hl
from tilec.testing import check


@tilec.kernel
def long_sum(x: torch.Tensor) -> torch.Tensor:
    """f32[rows] of f32 or bf16[rows, columns]. Every tile is summed along its lanes."""
    out = torch.empty([x.size(0)], dtype=torch.float32)
    for rows in hl.tile(x.size(0)):
        acc = hl.zeros([rows], dtype=torch.float32)
        for cols in hl.tile(x.size(1)):
            acc = acc + x[rows, cols].to(torch.float32).sum(dim=1)
        out[rows] = acc
    return out


WIDTH = 128
"""Columns that `long_sum_wide` keeps sums of: the lanes of a vector."""


@tilec.kernel
def long_sum_wide(x: torch.Tensor) -> torch.Tensor:
    """The same. Lanes are combined once, after the loop. There must be a multiple of `WIDTH` columns."""
    out = torch.empty([x.size(0)], dtype=torch.float32)
    for rows in hl.tile(x.size(0)):
        acc = hl.zeros([rows, WIDTH], dtype=torch.float32)
        for c in hl.grid(x.size(1) // WIDTH):
            acc = acc + x[rows, c * WIDTH + hl.arange(WIDTH)].to(torch.float32)
        out[rows] = acc.sum(dim=1)
    return out


@tilec.kernel
def long_sum_parts(x: torch.Tensor) -> torch.Tensor:
    """The same, where several iterations of the grid add to one sum."""
    out = torch.zeros([x.size(0)], dtype=torch.float32)
    for rows, cols in hl.tile(x.size()):
        hl.atomic_add(out, [rows], x[rows, cols].to(torch.float32).sum(dim=1))
    return out


def reference(x: torch.Tensor) -> torch.Tensor:
    return x.float().sum(dim=1)


def arguments(seed: int = 0, dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor]:
    """Few rows, and 5 vectors of columns."""
    torch.manual_seed(seed)
    return (torch.randn(5, 640).to(dtype),)


if __name__ == "__main__":
    check(long_sum, reference, arguments)
    check(long_sum_wide, reference, arguments)
    check(long_sum_parts, reference, arguments)
