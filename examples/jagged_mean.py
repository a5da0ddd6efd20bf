"""The mean of the rows of each group, of as many leading columns as the group has; the others are zero."""

import torch

import tilec
import tilec.language as hl
from tilec.testing import check


@tilec.kernel
def jagged_mean(x: torch.Tensor, offsets: torch.Tensor, widths: torch.Tensor) -> torch.Tensor:
    """[groups, columns] of f32 or bf16[rows, columns], int64[groups + 1] and int64[groups]; 0 for no rows."""
    groups, columns = offsets.size(0) - 1, x.size(1)
    out = torch.zeros([groups, columns], dtype=x.dtype)
    for g in hl.grid(groups):
        begin, end = offsets[g], offsets[g + 1]
        for cols in hl.tile(0, widths[g], max_extent=columns):
            acc = hl.zeros([cols], dtype=torch.float32)
            for rows in hl.tile(begin, end):
                acc = acc + x[rows, cols].to(torch.float32).sum(dim=0)
            if end > begin:
                acc = acc / (end - begin)
            out[g, cols] = acc.to(x.dtype)
    return out


@tilec.kernel
def jagged_mean_parents(x: torch.Tensor, offsets: torch.Tensor, widths: torch.Tensor) -> torch.Tensor:
    """The same, with tiles of groups, in which both rows and columns are jagged."""
    groups, columns = offsets.size(0) - 1, x.size(1)
    flat = x.view(-1)
    out = torch.zeros([groups, columns], dtype=x.dtype)
    for g in hl.tile(groups):
        begins = offsets[g]
        lengths = offsets[g.index + 1] - begins
        for cols in hl.jagged_tile(widths[g], max_extent=columns):
            acc = hl.zeros([g, cols], dtype=torch.float32)
            for k in hl.jagged_tile(lengths):
                rows = begins[:, None] + k.index[None, :]
                values = hl.load(flat, [rows[:, :, None] * columns + cols.index[None, None, :]])
                acc = acc + values.to(torch.float32).sum(dim=1)
            mean = acc / torch.clamp(lengths, min=1).to(torch.float32)[:, None]
            out[g, cols] = mean.to(x.dtype)
    return out


def reference(x: torch.Tensor, offsets: torch.Tensor, widths: torch.Tensor) -> torch.Tensor:
    out = torch.zeros(len(widths), x.size(1))
    for g, group in enumerate(torch.tensor_split(x.float(), offsets[1:-1])):
        out[g, : widths[g]] = group[:, : widths[g]].sum(dim=0) / max(len(group), 1)
    return out.to(x.dtype)


def arguments(
    seed: int = 0, dtype: torch.dtype = torch.float32
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Groups without rows, groups without columns, and one of a single row with all columns."""
    torch.manual_seed(seed)
    offsets = torch.tensor([0, 0, 13, 14, 14, 40, 45])
    return torch.randn(45, 200).to(dtype), offsets, torch.tensor([3, 130, 200, 0, 1, 0])


if __name__ == "__main__":
    check(jagged_mean, reference, arguments)
    check(jagged_mean_parents, reference, arguments)
