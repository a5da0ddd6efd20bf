"""A mixture of experts: each token times the matrix of the expert that it was sent to."""

import torch

import tilec
import tilec.language as hl
from tilec.testing import check


@tilec.kernel
def moe_matmul(x: torch.Tensor, w: torch.Tensor, tokens: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    """x[tokens, k] by w[experts, k, n], f32 or bf16. tokens int64[tokens] is a permutation that sorts them by
    expert, and those of expert e are offsets[e] to offsets[e + 1] of it, int64[experts + 1]."""
    experts, depth, n = w.size()
    out = torch.empty([x.size(0), n], dtype=x.dtype)
    for e in hl.grid(experts):
        for places, cols in hl.tile([offsets[e], 0], [offsets[e + 1], n]):
            rows = tokens[places]
            acc = hl.zeros([places, cols], dtype=torch.float32)
            for k in hl.tile(depth):
                acc = hl.dot(x[rows, k], w[e, k, cols], acc=acc)
            out[rows, cols] = acc.to(x.dtype)
    return out


@tilec.kernel
def moe_matmul_sorted(
    x: torch.Tensor, w: torch.Tensor, tokens: torch.Tensor, offsets: torch.Tensor
) -> torch.Tensor:
    """The same. Results are sorted by expert; a second grid brings them back to where the tokens were."""
    experts, depth, n = w.size()
    by_expert = torch.empty([x.size(0), n], dtype=x.dtype)
    for e in hl.grid(experts):
        for places, cols in hl.tile([offsets[e], 0], [offsets[e + 1], n]):
            rows = tokens[places]
            acc = hl.zeros([places, cols], dtype=torch.float32)
            for k in hl.tile(depth):
                acc = hl.dot(x[rows, k], w[e, k, cols], acc=acc)
            by_expert[places, cols] = acc.to(x.dtype)
    out = torch.zeros([x.size(0), n], dtype=torch.float32)
    for places, cols in hl.tile(by_expert.size()):
        hl.atomic_add(out, [tokens[places], cols], by_expert[places, cols].to(torch.float32))
    return out.to(x.dtype)


def reference(x: torch.Tensor, w: torch.Tensor, tokens: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    out = torch.empty(x.size(0), w.size(2))
    for e, rows in enumerate(torch.tensor_split(tokens, offsets[1:-1])):
        out[rows] = x[rows].float() @ w[e].float()
    return out.to(x.dtype)


def arguments(
    seed: int = 0, dtype: torch.dtype = torch.float32
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Experts that no token was sent to, and one that has a single token."""
    torch.manual_seed(seed)
    x, w = torch.randn(45, 72).to(dtype), torch.randn(5, 72, 150).to(dtype)
    return x, w, torch.randperm(45), torch.tensor([0, 0, 13, 14, 14, 45])


if __name__ == "__main__":
    check(moe_matmul, reference, arguments)
    check(moe_matmul_sorted, reference, arguments)
