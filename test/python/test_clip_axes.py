"""Tiles of the longest segment for all of them: the three proofs, where axes end early and where not."""

from itertools import pairwise

import pytest
import torch

import tilec
import tilec.language as hl
from tilec.testing import check, prove

X, Y = (torch.randn(60, 64, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1))
OFFSETS = torch.tensor([0, 0, 13, 14, 60])


@tilec.kernel
def causal(q: torch.Tensor, k: torch.Tensor, offsets: torch.Tensor, longest: int) -> torch.Tensor:
    """Sums of keys up to each row, times their products with it. The inner axis is idle past the segment."""
    out = torch.zeros_like(q)
    for s, rows in hl.tile([offsets.size(0) - 1, longest], block_size=[1, None]):
        begin = offsets[s.begin]
        length = offsets[s.begin + 1] - begin
        inside = (rows.index < length)[:, None]
        query = hl.load(q, [rows.index + begin, slice(None)], extra_mask=inside)
        acc = hl.zeros([rows, q.size(1)], dtype=torch.float32)
        for cols in hl.tile(0, rows.end, max_extent=longest):
            there = (cols.index < length)[:, None]
            key = hl.load(k, [cols.index + begin, slice(None)], extra_mask=there)
            scores = torch.where(rows.index[:, None] >= cols.index[None, :], hl.dot(query, key.T), 0.0)
            acc = hl.dot(scores, key, acc=acc)
        hl.store(out, [rows.index + begin, slice(None)], acc, extra_mask=inside)
    return out


@tilec.kernel
def largest(q: torch.Tensor, k: torch.Tensor, offsets: torch.Tensor, longest: int) -> torch.Tensor:
    """The largest product of a row and a key up to it. Of what is masked it is 0, and no literal."""
    out = torch.zeros_like(q)
    for s, rows in hl.tile([offsets.size(0) - 1, longest], block_size=[1, None]):
        begin = offsets[s.begin]
        length = offsets[s.begin + 1] - begin
        inside = (rows.index < length)[:, None]
        query = hl.load(q, [rows.index + begin, slice(None)], extra_mask=inside)
        top = hl.full([rows], float("-inf"), dtype=torch.float32)
        for cols in hl.tile(0, longest):
            key = hl.load(k, [cols.index + begin, slice(None)], extra_mask=(cols.index < length)[:, None])
            top = torch.maximum(top, hl.dot(query, key.T).amax(1))
        hl.store(out, [rows.index + begin, slice(None)], query + top[:, None], extra_mask=inside)
    return out


def segments(offsets: torch.Tensor, longest: int) -> list[tuple[int, int]]:
    """First and last row of each segment, of those that are too long for the axis the last it reaches."""
    ends = [int(each) for each in offsets]
    return [(begin, min(end, begin + longest)) for begin, end in pairwise(ends)]


def causal_sums(q: torch.Tensor, k: torch.Tensor, offsets: torch.Tensor, longest: int) -> torch.Tensor:
    out = torch.zeros_like(q)
    for begin, end in segments(offsets, longest):
        out[begin:end] = (q[begin:end] @ k[begin:end].T).tril() @ k[begin:end]
    return out


def largest_of_all(q: torch.Tensor, k: torch.Tensor, offsets: torch.Tensor, longest: int) -> torch.Tensor:
    """Where the axis is longer than a segment, what is masked takes part as 0."""
    out = torch.zeros_like(q)
    for begin, end in segments(offsets, longest):
        scores = q[begin:end] @ k[begin:end].T
        padded = torch.nn.functional.pad(scores, (0, longest - (end - begin)))
        out[begin:end] = q[begin:end] + padded.amax(1, keepdim=True)
    return out


@pytest.mark.parametrize("longest", [50, 20], ids=["longer", "shorter"])
def test_causal(longest: int) -> None:
    """With tiles for more than the longest segment, and for less: rows past that are left out."""
    args = X, Y, OFFSETS, longest
    check(causal, causal_sums, lambda: args)
    prove(causal, args, chips=("v5e",), seeds=(0, 1))
    text = causal.bind(*args).mlir(after="raise-gathers")
    assert "tile.segment" in text
    assert not any(word in text for word in ("tile.gather", "tile.scatter", "mask"))


def test_neighbours_stay_out() -> None:
    """What is not finite in one segment stays there."""
    q, k = X.clone(), Y.clone()
    q[14:], k[14:] = float("nan"), float("inf")
    check(causal, causal_sums, lambda: (q, k, OFFSETS, 50))


def test_the_outer_axis_alone() -> None:
    """The inner axis has to go past the segment, where its zeros count."""
    args = -X.abs(), Y.abs(), OFFSETS, 50
    check(largest, largest_of_all, lambda: args)
    prove(largest, args, chips=("v5e",), seeds=(0,))
    text = largest.bind(*args).mlir(after="raise-gathers")
    assert "tile.store" in text
    assert "= 0 to 50 by cols" in text
