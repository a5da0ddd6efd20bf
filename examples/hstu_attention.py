"""HSTU attention of sequences of different lengths: silu, unlike softmax, needs no correction."""

import torch
from torch.nn import functional

import tilec
import tilec.language as hl
from tilec.testing import check


@tilec.kernel
def hstu_attention(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, offsets: torch.Tensor, alpha: float, longest: int
) -> torch.Tensor:
    """silu(q @ k^T * alpha) / longest @ v, causal; f32 or bf16[rows, heads, dim] and int64[sequences + 1]."""
    _, heads, dim = q.size()
    out = torch.empty_like(v)
    for s, h in hl.grid([offsets.size(0) - 1, heads]):
        begin, end = offsets[s], offsets[s + 1]
        for rows in hl.tile(begin, end, max_extent=longest):
            query = q[rows, h, :]
            acc = hl.zeros([rows, dim], dtype=torch.float32)
            # Keys after the last of these queries would all be masked.
            for cols in hl.tile(begin, rows.end, max_extent=longest):
                scores = functional.silu(hl.dot(query, k[cols, h, :].T) * alpha) / longest
                scores = torch.where(rows.index[:, None] >= cols.index[None, :], scores, 0.0)
                acc = hl.dot(scores.to(v.dtype), v[cols, h, :], acc=acc)
            out[rows, h, :] = acc.to(v.dtype)
    return out


@tilec.kernel
def hstu_attention_padded(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, offsets: torch.Tensor, alpha: float, longest: int
) -> torch.Tensor:
    """The same, with the tiles of the longest for every sequence; those past its end do nothing."""
    _, heads, dim = q.size()
    out = torch.empty_like(v)
    for s, h, rows in hl.tile([offsets.size(0) - 1, heads, longest], block_size=[1, 1, None]):
        begin = offsets[s.begin]
        length = offsets[s.begin + 1] - begin
        if rows.begin < length:
            inside = (rows.index < length)[:, None]
            query = hl.load(q, [rows.index + begin, h.begin, slice(None)], extra_mask=inside)
            acc = hl.zeros([rows, dim], dtype=torch.float32)
            for cols in hl.tile(0, rows.end, max_extent=longest):
                there = (cols.index < length)[:, None]
                key = hl.load(k, [cols.index + begin, h.begin, slice(None)], extra_mask=there)
                value = hl.load(v, [cols.index + begin, h.begin, slice(None)], extra_mask=there)
                scores = functional.silu(hl.dot(query, key.T) * alpha) / longest
                scores = torch.where(rows.index[:, None] >= cols.index[None, :], scores, 0.0)
                acc = hl.dot(scores.to(v.dtype), value, acc=acc)
            hl.store(out, [rows.index + begin, h.begin, slice(None)], acc.to(v.dtype), extra_mask=inside)
    return out


def reference(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, offsets: torch.Tensor, alpha: float, longest: int
) -> torch.Tensor:
    outs: list[torch.Tensor] = []
    splits = (torch.tensor_split(each.float(), offsets[1:-1]) for each in (q, k, v))
    for query, key, value in zip(*splits, strict=True):
        scores = functional.silu(torch.einsum("mhd,nhd->hmn", query, key) * alpha) / longest
        outs.append(torch.einsum("hmn,nhd->mhd", scores.tril(), value))
    return torch.cat(outs).to(v.dtype)


def arguments(
    seed: int = 0, dtype: torch.dtype = torch.float32
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, float, int]:
    """An empty sequence, one of a single row, and borders between tiles of memory."""
    torch.manual_seed(seed)
    q, k, v = (torch.randn(60, 2, 64).to(dtype) for _ in range(3))
    return q, k, v, torch.tensor([0, 0, 13, 14, 60]), 0.125, 50


if __name__ == "__main__":
    check(hstu_attention, reference, arguments)
    check(hstu_attention_padded, reference, arguments)
