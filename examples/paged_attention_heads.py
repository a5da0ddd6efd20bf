"""Decoding with keys and values in pages of rows of all heads: a step has all heads of some rows."""

import math

import torch

import tilec
import tilec.language as hl
from tilec.testing import check


@tilec.kernel
def paged_attention_heads(
    q: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, table: torch.Tensor, lengths: torch.Tensor
) -> torch.Tensor:
    """Of f32 or bf16[sequences, heads, queries of a head, dim], caches [pages, page, heads, dim], table
    int32[sequences, most pages], int32[sequences]. No sequence is empty.
    """
    sequences, heads, queries, dim = q.size()
    page = keys.size(1)
    out = torch.empty_like(q)
    for s in hl.grid(sequences):
        query = q[s, :, :, :]
        top = hl.full([heads, queries], -1e30, dtype=torch.float32)
        total = hl.zeros([heads, queries], dtype=torch.float32)
        acc = hl.zeros([heads, queries, dim], dtype=torch.float32)
        for t in hl.tile(lengths[s], max_extent=table.size(1) * page):
            pages, rows = table[s, t.index // page], t.index % page
            k, v = (each[pages, rows, :, :].transpose(0, 1) for each in (keys, values))
            scores = hl.dot(query, k.transpose(1, 2)) / math.sqrt(dim)
            higher = torch.maximum(top, scores.amax(dim=2))
            weights = torch.exp(scores - higher[:, :, None])
            kept = torch.exp(top - higher)
            total = total * kept + weights.sum(dim=2)
            acc = hl.dot(weights.to(v.dtype), v, acc=acc * kept[:, :, None])
            top = higher
        out[s, :, :, :] = (acc / total[:, :, None]).to(q.dtype)
    return out


def reference(
    q: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, table: torch.Tensor, lengths: torch.Tensor
) -> torch.Tensor:
    outs: list[torch.Tensor] = []
    for s in range(q.size(0)):
        query, pages, length = q[s].float(), table[s].long(), int(lengths[s])
        k, v = (each[pages].flatten(0, 1)[:length].transpose(0, 1).float() for each in (keys, values))
        scores = query @ k.transpose(1, 2) / math.sqrt(q.size(3))
        outs.append(torch.softmax(scores, dim=2) @ v)
    return torch.stack(outs).to(q.dtype)


def arguments(
    seed: int = 0, dtype: torch.dtype = torch.float32
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """A sequence of one row, and one of pages that are full; pages of others lie between."""
    torch.manual_seed(seed)
    q = torch.randn(3, 8, 2, 128).to(dtype)
    keys, values = (torch.randn(14, 16, 8, 128).to(dtype) for _ in range(2))
    return q, keys, values, torch.randperm(14)[:12].view(3, 4).int(), torch.tensor([1, 64, 37]).int()


if __name__ == "__main__":
    check(paged_attention_heads, reference, arguments)
