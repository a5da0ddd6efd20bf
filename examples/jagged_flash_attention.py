"""Flash attention in which each sequence has its own length: both queries and keys are jagged."""

import math

import torch
from torch.nn import functional

import tilec
import tilec.language as hl
from tilec.testing import check


@tilec.kernel
def jagged_flash_attention(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, offsets: torch.Tensor, longest: int
) -> torch.Tensor:
    """Causal, of f32 or bf16[rows, heads, dim], int64[sequences + 1]; none longer than `longest`."""
    _, heads, dim = q.size()
    out = torch.empty_like(q)
    for s, h in hl.grid([offsets.size(0) - 1, heads]):
        begin, end = offsets[s], offsets[s + 1]
        for rows in hl.tile(begin, end, max_extent=longest):
            query = q[rows, h, :]
            # Finite, not -inf: a tile of keys may have none that a query sees.
            top = hl.full([rows], -1e30, dtype=torch.float32)
            total = hl.zeros([rows], dtype=torch.float32)
            acc = hl.zeros([rows, dim], dtype=torch.float32)
            # Keys after the last of these queries would all be masked.
            for cols in hl.tile(begin, rows.end, max_extent=longest):
                scores = hl.dot(query, k[cols, h, :].T) / math.sqrt(dim)
                scores = torch.where(rows.index[:, None] >= cols.index[None, :], scores, float("-inf"))
                higher = torch.maximum(top, scores.amax(dim=1))
                weights = torch.exp(scores - higher[:, None])
                kept = torch.exp(top - higher)
                total = total * kept + weights.sum(dim=1)
                acc = hl.dot(weights.to(v.dtype), v[cols, h, :], acc=acc * kept[:, None])
                top = higher
            out[rows, h, :] = (acc / total[:, None]).to(q.dtype)
    return out


def reference(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, offsets: torch.Tensor, longest: int
) -> torch.Tensor:
    sequences = zip(*(torch.tensor_split(each.float(), offsets[1:-1]) for each in (q, k, v)), strict=True)
    outs: list[torch.Tensor] = []
    for sequence in sequences:
        heads_first = (each.transpose(0, 1) for each in sequence)
        outs.append(functional.scaled_dot_product_attention(*heads_first, is_causal=True).transpose(0, 1))
    return torch.cat(outs).to(q.dtype)


def arguments(
    seed: int = 0, dtype: torch.dtype = torch.float32
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, int]:
    """An empty sequence, one of a single row, and borders between tiles of memory."""
    torch.manual_seed(seed)
    q, k, v = (torch.randn(60, 2, 64).to(dtype) for _ in range(3))
    return q, k, v, torch.tensor([0, 0, 13, 14, 60]), 46


if __name__ == "__main__":
    check(jagged_flash_attention, reference, arguments)
