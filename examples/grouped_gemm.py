"""The rows of each group times the group's own matrix: group by group, or by workers that share all tiles."""

import torch

import tilec
import tilec.language as hl
from tilec.testing import check


@tilec.kernel
def grouped_gemm(x: torch.Tensor, w: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    """x[rows, k] by w[groups, k, n], f32 or bf16, rows sorted by group, int64[groups + 1]; sums are f32."""
    groups, depth, n = w.size()
    out = torch.empty([x.size(0), n], dtype=x.dtype)
    for g in hl.grid(groups):
        for rows, cols in hl.tile([offsets[g], 0], [offsets[g + 1], n]):
            acc = hl.zeros([rows, cols], dtype=torch.float32)
            for k in hl.tile(depth):
                acc = torch.addmm(acc, x[rows, k], w[g, k, cols])
            out[rows, cols] = acc.to(x.dtype)
    return out


WORKERS = 4
"""Iterations that `grouped_gemm_persistent` shares the groups among."""


@tilec.kernel
def grouped_gemm_persistent(x: torch.Tensor, w: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    """The same, by a fixed number of workers: each takes every fourth group."""
    groups, depth, n = w.size()
    out = torch.empty([x.size(0), n], dtype=x.dtype)
    for worker in hl.grid(WORKERS):
        for turn in hl.grid(hl.cdiv(groups - worker, WORKERS)):
            g = turn * WORKERS + worker
            for rows, cols in hl.tile([offsets[g], 0], [offsets[g + 1], n]):
                acc = hl.zeros([rows, cols], dtype=torch.float32)
                for k in hl.tile(depth):
                    acc = torch.addmm(acc, x[rows, k], w[g, k, cols])
                out[rows, cols] = acc.to(x.dtype)
    return out


def reference(x: torch.Tensor, w: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    groups = torch.tensor_split(x.float(), offsets[1:-1])
    return torch.cat([group @ w[g].float() for g, group in enumerate(groups)]).to(x.dtype)


def arguments(
    seed: int = 0, dtype: torch.dtype = torch.float32
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Empty groups, the last too, one of a single row, and borders between tiles of memory."""
    torch.manual_seed(seed)
    x, w = torch.randn(45, 72).to(dtype), torch.randn(5, 72, 150).to(dtype)
    return x, w, torch.tensor([0, 13, 14, 14, 45, 45])


if __name__ == "__main__":
    check(grouped_gemm, reference, arguments)
    check(grouped_gemm_persistent, reference, arguments)
