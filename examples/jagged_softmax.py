"""Softmax along the rows of each group, for each column by itself."""

import torch

import tilec
import tilec.language as hl
from tilec.testing import check


@tilec.kernel
def jagged_softmax(x: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    """Of f32 or bf16[rows, columns] and int64[groups + 1], one group at a time."""
    out = torch.empty_like(x)
    for g in hl.grid(offsets.size(0) - 1):
        begin, end = offsets[g], offsets[g + 1]
        for cols in hl.tile(x.size(1)):
            top = hl.full([cols], float("-inf"), dtype=torch.float32)
            total = hl.zeros([cols], dtype=torch.float32)
            for rows in hl.tile(begin, end):
                values = x[rows, cols].to(torch.float32)
                higher = torch.maximum(top, values.amax(dim=0))
                total = total * torch.exp(top - higher) + torch.exp(values - higher[None, :]).sum(dim=0)
                top = higher
            for rows in hl.tile(begin, end):
                values = x[rows, cols].to(torch.float32)
                out[rows, cols] = (torch.exp(values - top[None, :]) / total[None, :]).to(x.dtype)
    return out


@tilec.kernel
def jagged_softmax_parents(x: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    """The same, with tiles of groups. A lane whose group has no rows left adds nothing to what it knows."""
    groups, columns = offsets.size(0) - 1, x.size(1)
    flat = x.view(-1)
    out = torch.empty_like(x)
    flat_out = out.view(-1)
    for g, cols in hl.tile([groups, columns]):
        begins = offsets[g]
        lengths = offsets[g.index + 1] - begins
        # Finite, not -inf: a group without rows keeps it, and a difference of two of these is 0 and not NaN.
        top = hl.full([g, cols], -1e30, dtype=torch.float32)
        total = hl.zeros([g, cols], dtype=torch.float32)
        for k in hl.jagged_tile(lengths):
            rows = begins[:, None] + k.index[None, :]
            places = rows[:, :, None] * columns + cols.index[None, None, :]
            values = hl.load(flat, [places]).to(torch.float32)
            higher = torch.maximum(top, values.amax(dim=1))
            total = total * torch.exp(top - higher) + torch.exp(values - higher[:, None, :]).sum(dim=1)
            top = higher
        for k in hl.jagged_tile(lengths):
            rows = begins[:, None] + k.index[None, :]
            places = rows[:, :, None] * columns + cols.index[None, None, :]
            values = hl.load(flat, [places]).to(torch.float32)
            share = torch.exp(values - top[:, None, :]) / total[:, None, :]
            hl.store(flat_out, [places], share.to(x.dtype))
    return out


def reference(x: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    groups = torch.tensor_split(x.float(), offsets[1:-1])
    return torch.cat([group.softmax(dim=0) for group in groups]).to(x.dtype)


def arguments(seed: int = 0, dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor, torch.Tensor]:
    """An empty group, one of a single row, and one whose exponentials overflow."""
    torch.manual_seed(seed)
    x = torch.randn(45, 200)
    x[14:20] += 1000
    return x.to(dtype), torch.tensor([0, 13, 14, 14, 20, 45])


if __name__ == "__main__":
    check(jagged_softmax, reference, arguments)
    check(jagged_softmax_parents, reference, arguments)
