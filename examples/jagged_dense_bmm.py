"""The rows of each group times the matrix of the group, plus its bias."""

import torch

import tilec
import tilec.language as hl
from tilec.testing import check


@tilec.kernel
def jagged_dense_bmm(
    x: torch.Tensor, offsets: torch.Tensor, w: torch.Tensor, bias: torch.Tensor
) -> torch.Tensor:
    """x[rows, k] by w[groups, k, n], plus bias[groups, n]; int64[groups + 1]; one group at a time."""
    groups, depth, n = w.size()
    out = torch.empty([x.size(0), n], dtype=x.dtype)
    for g in hl.grid(groups):
        for rows, cols in hl.tile([offsets[g], 0], [offsets[g + 1], n]):
            acc = hl.zeros([rows, cols], dtype=torch.float32)
            for k in hl.tile(depth):
                acc = hl.dot(x[rows, k], w[g, k, cols], acc=acc)
            out[rows, cols] = (acc + bias[g, cols][None, :].to(torch.float32)).to(x.dtype)
    return out


@tilec.kernel
def jagged_dense_bmm_parents(
    x: torch.Tensor, offsets: torch.Tensor, w: torch.Tensor, bias: torch.Tensor
) -> torch.Tensor:
    """The same, with tiles of groups and a batched product."""
    groups, depth, n = w.size()
    out = torch.empty([x.size(0), n], dtype=x.dtype)
    flat, flat_out = x.view(-1), out.view(-1)
    for g in hl.tile(groups):
        begins = offsets[g]
        lengths = offsets[g.index + 1] - begins
        for r in hl.jagged_tile(lengths):
            rows = begins[:, None] + r.index[None, :]
            for cols in hl.tile(n):
                acc = hl.zeros([g, r, cols], dtype=torch.float32)
                for k in hl.tile(depth):
                    lhs = hl.load(flat, [rows[:, :, None] * depth + k.index[None, None, :]])
                    acc = torch.baddbmm(acc, lhs, w[g, k, cols])
                acc = acc + bias[g, cols][:, None, :].to(torch.float32)
                hl.store(flat_out, [rows[:, :, None] * n + cols.index[None, None, :]], acc.to(x.dtype))
    return out


def reference(x: torch.Tensor, offsets: torch.Tensor, w: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    groups = torch.tensor_split(x.float(), offsets[1:-1])
    outs = [group @ w[g].float() + bias[g].float() for g, group in enumerate(groups)]
    return torch.cat(outs).to(x.dtype)


def arguments(seed: int = 0, dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor, ...]:
    """Empty groups, the first too, one of a single row, and borders between tiles of memory."""
    torch.manual_seed(seed)
    offsets = torch.tensor([0, 0, 13, 14, 14, 45])
    x, w, bias = (torch.randn(*shape).to(dtype) for shape in ((45, 72), (5, 72, 150), (5, 150)))
    return x, offsets, w, bias


if __name__ == "__main__":
    check(jagged_dense_bmm, reference, arguments)
    check(jagged_dense_bmm_parents, reference, arguments)
