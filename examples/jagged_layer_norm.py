"""Layer norm of each group as a whole: all its elements less their mean, over their deviation."""

import torch

import tilec
import tilec.language as hl
from tilec.testing import check


@tilec.kernel
def jagged_layer_norm(x: torch.Tensor, offsets: torch.Tensor, eps: float = 1e-6) -> torch.Tensor:
    """Of f32 or bf16[rows, columns] and int64[groups + 1], one group at a time, in three passes."""
    out = torch.empty_like(x)
    for g in hl.grid(offsets.size(0) - 1):
        begin, end = offsets[g], offsets[g + 1]
        # An empty group has no row to write; it divides by 1.
        count = torch.clamp((end - begin) * x.size(1), min=1).to(torch.float32)
        total = hl.zeros([x.size(1)], dtype=torch.float32)
        for rows in hl.tile(begin, end):
            total = total + x[rows, :].to(torch.float32).sum(dim=0)
        mean = total.sum() / count
        squares = hl.zeros([x.size(1)], dtype=torch.float32)
        for rows in hl.tile(begin, end):
            centred = x[rows, :].to(torch.float32) - mean
            squares = squares + (centred * centred).sum(dim=0)
        scale = torch.rsqrt(squares.sum() / count + eps)
        for rows in hl.tile(begin, end):
            out[rows, :] = ((x[rows, :].to(torch.float32) - mean) * scale).to(x.dtype)
    return out


@tilec.kernel
def jagged_layer_norm_parents(x: torch.Tensor, offsets: torch.Tensor, eps: float = 1e-6) -> torch.Tensor:
    """The same, with tiles of groups and tiles of columns in them."""
    columns = x.size(1)
    out = torch.empty_like(x)
    flat, flat_out = x.view(-1), out.view(-1)
    for g in hl.tile(offsets.size(0) - 1):
        begins = offsets[g]
        lengths = offsets[g.index + 1] - begins
        count = torch.clamp(lengths * columns, min=1).to(torch.float32)
        total = hl.zeros([g], dtype=torch.float32)
        squares = hl.zeros([g], dtype=torch.float32)
        for k in hl.jagged_tile(lengths):
            rows = begins[:, None] + k.index[None, :]
            for cols in hl.tile(columns):
                places = rows[:, :, None] * columns + cols.index[None, None, :]
                total = total + hl.load(flat, [places]).to(torch.float32).sum(dim=2).sum(dim=1)
        mean = total / count
        for k in hl.jagged_tile(lengths):
            rows = begins[:, None] + k.index[None, :]
            for cols in hl.tile(columns):
                places = rows[:, :, None] * columns + cols.index[None, None, :]
                centred = hl.load(flat, [places]).to(torch.float32) - mean[:, None, None]
                squares = squares + (centred * centred).sum(dim=2).sum(dim=1)
        scale = torch.rsqrt(squares / count + eps)
        for k in hl.jagged_tile(lengths):
            rows = begins[:, None] + k.index[None, :]
            for cols in hl.tile(columns):
                places = rows[:, :, None] * columns + cols.index[None, None, :]
                centred = hl.load(flat, [places]).to(torch.float32) - mean[:, None, None]
                hl.store(flat_out, [places], (centred * scale[:, None, None]).to(x.dtype))
    return out


def reference(x: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    groups = [group for group in torch.tensor_split(x.float(), offsets[1:-1]) if len(group)]
    return torch.cat([torch.nn.functional.layer_norm(g, g.size(), eps=1e-6) for g in groups]).to(x.dtype)


def arguments(seed: int = 0, dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor, torch.Tensor]:
    """An empty group, one of a single row, and one whose mean is far greater than its deviation."""
    torch.manual_seed(seed)
    x = torch.randn(45, 200)
    x[14:20] += 64
    return x.to(dtype), torch.tensor([0, 13, 14, 14, 20, 45])


if __name__ == "__main__":
    check(jagged_layer_norm, reference, arguments)
    check(jagged_layer_norm_parents, reference, arguments)
