"""The sum of the rows of each group. Rows are sorted by group, and offsets say where each group begins."""

import torch

import tilec
import tilec.language as hl
from tilec.testing import check


@tilec.kernel
def jagged_sum(x: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    """[groups, columns] of f32 or bf16[rows, columns] and int64[groups + 1], one group at a time."""
    groups = offsets.size(0) - 1
    out = torch.empty([groups, x.size(1)], dtype=x.dtype)
    for g in hl.grid(groups):
        for cols in hl.tile(x.size(1)):
            acc = hl.zeros([cols], dtype=torch.float32)
            for rows in hl.tile(offsets[g], offsets[g + 1]):
                acc = acc + x[rows, cols].to(torch.float32).sum(dim=0)
            out[g, cols] = acc.to(x.dtype)
    return out


@tilec.kernel
def jagged_sum_parents(x: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    """The same, with tiles of groups: each lane of such a tile has as many rows as its group."""
    groups, columns = offsets.size(0) - 1, x.size(1)
    flat = x.view(-1)
    out = torch.empty([groups, columns], dtype=x.dtype)
    for g, cols in hl.tile([groups, columns]):
        begins = offsets[g]
        lengths = offsets[g.index + 1] - begins
        acc = hl.zeros([g, cols], dtype=torch.float32)
        for k in hl.jagged_tile(lengths):
            rows = begins[:, None] + k.index[None, :]
            values = hl.load(flat, [rows[:, :, None] * columns + cols.index[None, None, :]])
            acc = acc + values.to(torch.float32).sum(dim=1)
        out[g, cols] = acc.to(x.dtype)
    return out


def reference(x: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    groups = torch.tensor_split(x.float(), offsets[1:-1])
    return torch.stack([group.sum(dim=0) for group in groups]).to(x.dtype)


def arguments(seed: int = 0, dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor, torch.Tensor]:
    """Groups that are empty, at both ends too, one of a single row, and borders between tiles of memory."""
    torch.manual_seed(seed)
    return torch.randn(45, 200).to(dtype), torch.tensor([0, 0, 13, 14, 14, 45, 45])


if __name__ == "__main__":
    check(jagged_sum, reference, arguments)
    check(jagged_sum_parents, reference, arguments)
