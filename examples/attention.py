"""Flash attention: keys pass by in tiles, and what was summed is corrected whenever a larger score turns up.

Several heads of queries may share one head of keys and values, and a query may be forbidden what comes later.
"""

import math

import torch
from torch.nn import functional

import tilec
import tilec.language as hl
from tilec.testing import check


@tilec.kernel
def attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, causal: bool) -> torch.Tensor:
    """softmax(q @ k^T / sqrt(dim)) @ v, f32 or bf16: q[batch, heads, queries, dim], k and v[batch, fewer
    heads, keys, dim]. With `causal`, query i sees keys up to i + keys - queries: the last sees all."""
    batch, heads, queries, dim = q.size()
    keys, share = k.size(2), heads // k.size(1)
    out = torch.empty_like(q)
    for b, h in hl.grid([batch, heads]):
        for rows in hl.tile(queries):
            query = q[b, h, rows, :]
            # Finite, not -inf: a difference of two of these is 0 and never NaN.
            top = hl.full([rows], -1e30, dtype=torch.float32)
            total = hl.zeros([rows], dtype=torch.float32)
            acc = hl.zeros([rows, dim], dtype=torch.float32)
            for cols in hl.tile(keys):
                scores = hl.dot(query, k[b, h // share, cols, :].T) / math.sqrt(dim)
                if causal:
                    seen = rows.index[:, None] + (keys - queries) >= cols.index[None, :]
                    scores = torch.where(seen, scores, float("-inf"))
                higher = torch.maximum(top, scores.amax(dim=1))
                weights = torch.exp(scores - higher[:, None])
                kept = torch.exp(top - higher)
                total = total * kept + weights.sum(dim=1)
                acc = hl.dot(weights.to(v.dtype), v[b, h // share, cols, :], acc=acc * kept[:, None])
                top = higher
            out[b, h, rows, :] = (acc / total[:, None]).to(q.dtype)
    return out


def reference(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, causal: bool) -> torch.Tensor:
    seen = torch.ones(q.size(2), k.size(2), dtype=torch.bool)
    if causal:
        seen = seen.tril(k.size(2) - q.size(2))
    return functional.scaled_dot_product_attention(
        q.float(), k.float(), v.float(), attn_mask=seen, enable_gqa=True
    ).to(q.dtype)


def arguments(
    seed: int = 0, dtype: torch.dtype = torch.float32, dim: int = 64, causal: bool = False
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, bool]:
    """Two heads share one of keys, and there are more keys than queries; no block divides either number."""
    torch.manual_seed(seed)
    q, k, v = (torch.randn(*shape, dim).to(dtype) for shape in ((2, 2, 37), (2, 1, 150), (2, 1, 150)))
    return q, k, v, causal


if __name__ == "__main__":
    check(attention, reference, arguments)
