"""Decoding with keys and values in pages: row t of a sequence is row t % page of page table[t // page]."""

import math

import torch

import tilec
import tilec.language as hl
from tilec.testing import check


@tilec.kernel
def paged_attention(
    q: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, table: torch.Tensor, lengths: torch.Tensor
) -> torch.Tensor:
    """Of f32 or bf16[sequences, heads, queries of a head, dim], caches [pages, heads, page, dim], table
    int32[sequences, most pages], int32[sequences]. No sequence is empty.
    """
    sequences, heads, queries, dim = q.size()
    page = keys.size(2)
    out = torch.empty_like(q)
    for s, h in hl.grid([sequences, heads]):
        query = q[s, h, :, :]
        top = hl.full([queries], -1e30, dtype=torch.float32)
        total = hl.zeros([queries], dtype=torch.float32)
        acc = hl.zeros([queries, dim], dtype=torch.float32)
        for t in hl.tile(lengths[s], max_extent=table.size(1) * page):
            pages, rows = table[s, t.index // page], t.index % page
            scores = hl.dot(query, keys[pages, h, rows, :].T) / math.sqrt(dim)
            higher = torch.maximum(top, scores.amax(dim=1))
            weights = torch.exp(scores - higher[:, None])
            kept = torch.exp(top - higher)
            total = total * kept + weights.sum(dim=1)
            acc = hl.dot(weights.to(values.dtype), values[pages, h, rows, :], acc=acc * kept[:, None])
            top = higher
        out[s, h, :, :] = (acc / total[:, None]).to(q.dtype)
    return out


def reference(
    q: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, table: torch.Tensor, lengths: torch.Tensor
) -> torch.Tensor:
    outs: list[torch.Tensor] = []
    for s in range(q.size(0)):
        query, pages, length = q[s].float(), table[s].long(), int(lengths[s])
        k, v = (each[pages].transpose(0, 1).flatten(1, 2)[:, :length].float() for each in (keys, values))
        scores = query @ k.transpose(1, 2) / math.sqrt(q.size(3))
        outs.append(torch.softmax(scores, dim=2) @ v)
    return torch.stack(outs).to(q.dtype)


def arguments(
    seed: int = 0, dtype: torch.dtype = torch.float32
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """A sequence of one row, and one of pages that are full; pages of others lie between."""
    torch.manual_seed(seed)
    q = torch.randn(3, 2, 4, 128).to(dtype)
    keys, values = (torch.randn(14, 2, 16, 128).to(dtype) for _ in range(2))
    return q, keys, values, torch.randperm(14)[:12].view(3, 4).int(), torch.tensor([1, 64, 37]).int()


if __name__ == "__main__":
    check(paged_attention, reference, arguments)
