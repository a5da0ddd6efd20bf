"""Causal flash attention that makes no step for keys that none of its queries may see."""

import math

import torch
from torch.nn import functional

import tilec
import tilec.language as hl
from tilec.testing import check


@tilec.kernel
def attention_causal(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """softmax(q @ k^T / sqrt(dim)) @ v of f32 or bf16[heads, length, dim], where query i sees keys 0 to i."""
    heads, length, dim = q.size()
    out = torch.empty_like(q)
    for h in hl.grid(heads):
        for rows in hl.tile(length):
            query = q[h, rows, :]
            top = hl.full([rows], float("-inf"), dtype=torch.float32)
            total = hl.zeros([rows], dtype=torch.float32)
            acc = hl.zeros([rows, dim], dtype=torch.float32)
            # Every query sees key 0, which the first of these tiles has: no maximum stays infinite.
            for cols in hl.tile(0, rows.end, max_extent=length):
                scores = hl.dot(query, k[h, cols, :].T) / math.sqrt(dim)
                seen = rows.index[:, None] >= cols.index[None, :]
                scores = torch.where(seen, scores, float("-inf"))
                higher = torch.maximum(top, scores.amax(dim=1))
                weights = torch.exp(scores - higher[:, None])
                kept = torch.exp(top - higher)
                total = total * kept + weights.sum(dim=1)
                acc = hl.dot(weights.to(v.dtype), v[h, cols, :], acc=acc * kept[:, None])
                top = higher
            out[h, rows, :] = (acc / total[:, None]).to(q.dtype)
    return out


def reference(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    out = functional.scaled_dot_product_attention(q.float(), k.float(), v.float(), is_causal=True)
    return out.to(q.dtype)


def arguments(
    seed: int = 0, dtype: torch.dtype = torch.float32, dim: int = 64
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A length that no block divides."""
    torch.manual_seed(seed)
    q, k, v = (torch.randn(2, 150, dim).to(dtype) for _ in range(3))
    return q, k, v


if __name__ == "__main__":
    check(attention_causal, reference, arguments)
