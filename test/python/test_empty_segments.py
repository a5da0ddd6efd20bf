"""Rows of segments, stored one by one while their sum is carried: segments without rows write none."""

from itertools import pairwise

import pytest
import torch

import tilec
import tilec.language as hl
from tilec.diagnostics import TileError
from tilec.testing import prove


def running(x: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    """Sums up to each row of a segment, for some columns at a time."""
    out = torch.zeros_like(x)
    for g in hl.grid(offsets.size(0) - 1):
        for cols in hl.tile(x.size(1), block_size=128):
            total = hl.zeros([cols], dtype=torch.float32)
            for row in hl.grid(offsets[g], offsets[g + 1]):
                total = total + x[row, cols]
                out[row, cols] = total
    return out


def with_last(x: torch.Tensor, offsets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The same, with the last sum of each segment, also where it has no row."""
    out, last = torch.zeros_like(x), torch.empty([offsets.size(0) - 1, x.size(1)])
    for g in hl.grid(offsets.size(0) - 1):
        for cols in hl.tile(x.size(1), block_size=128):
            total = hl.zeros([cols], dtype=torch.float32)
            for row in hl.grid(offsets[g], offsets[g + 1]):
                total = total + x[row, cols]
                out[row, cols] = total
            last[g, cols] = total
    return out, last


def twice(x: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    """The rows of each segment gone through two times, one by one."""
    out = torch.empty([offsets.size(0) - 1, x.size(1)])
    for g in hl.grid(offsets.size(0) - 1):
        total = hl.zeros([x.size(1)])
        for row in hl.grid(offsets[g], offsets[g + 1], max_extent=x.size(0)):
            total = total + x[row, :]
        for row in hl.grid(offsets[g], offsets[g + 1], max_extent=x.size(0)):
            total = total + x[row, :]
        out[g, :] = total
    return out


def of_elements(x: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    out = torch.empty([offsets.size(0) - 1])
    for g in hl.grid(offsets.size(0) - 1):
        total = hl.zeros([])
        for i in hl.grid(offsets[g], offsets[g + 1]):
            total = total + x[i]
        out[g] = total
    return out


def summed(x: torch.Tensor, offsets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    out, last = torch.zeros_like(x), torch.zeros(len(offsets) - 1, x.size(1))
    for g in range(len(offsets) - 1):
        begin, end = int(offsets[g]), int(offsets[g + 1])
        out[begin:end], last[g] = x[begin:end].cumsum(0), x[begin:end].sum(0)
    return out, last


OFFSETS = ([0, 3, 3], [0, 1, 1, 3, 3], [0, 0, 0, 5, 5], [1, 2, 2, 4])


@pytest.mark.parametrize("loop", [None, "grid", "emit_pipeline", "fori_loop"])
def test_segments_without_rows_write_none(loop: str | None) -> None:
    config = None if loop is None else tilec.Config(loop=loop, grouping="worklist")
    kernel = tilec.kernel(config=config, static_shapes=False)(running)
    for given in OFFSETS:
        offsets = torch.tensor(given)
        x = torch.arange(256.0 * (given[-1] + given[0])).view(-1, 256)
        assert torch.equal(kernel(x, offsets), summed(x, offsets)[0])


def test_the_default_is_proven() -> None:
    x = torch.arange(256.0 * 40).view(-1, 256)
    prove(tilec.kernel(running), (x, torch.tensor([0, 0, 17, 17, 40, 40])))


def test_what_is_stored_besides_is_right_or_refused() -> None:
    """A step for what is stored of a segment without rows would be at the rows of others."""
    x, offsets = torch.arange(256.0 * 3).view(-1, 256), torch.tensor([0, 3, 3])
    for static in (True, False):
        made, wanted = tilec.kernel(static_shapes=static)(with_last)(x, offsets), summed(x, offsets)
        assert all(map(torch.equal, made, wanted))
    overlaunched = tilec.kernel(config=tilec.Config(grouping="overlaunch"), static_shapes=False)(with_last)
    with pytest.raises(
        TileError, match=r"the steps of axis g .* come back to a block of %out that others have left"
    ):
        overlaunched(x, offsets)


@pytest.mark.parametrize("loop", ["grid", "emit_pipeline", "fori_loop"])
def test_rows_behind_the_array_are_not_read_by_loops_that_follow_each_other(loop: str) -> None:
    kernel = tilec.kernel(config=tilec.Config(loop=loop, grouping="worklist"))(twice)
    x = torch.arange(128.0 * 3).view(3, 128)
    for given in ([0, 3, 3], [0, 0, 3], [3, 3, 3], [0, 2, 2]):
        offsets = torch.tensor(given)
        assert torch.equal(kernel(x, offsets), 2 * summed(x, offsets)[1]), given
    with pytest.raises(ValueError, match=r"segment 1 is 2 to 4; .* end at 3 or earlier"):
        kernel(x, torch.tensor([0, 2, 4]))


def test_segments_of_single_elements_end_inside_their_array() -> None:
    """They are read from scalar memory, where nothing else would notice."""
    x = torch.arange(1.0, 7.0)
    for given in ([0, 2, 6], [0, 2, 2], [6, 6, 6]):
        assert torch.equal(tilec.kernel(of_elements)(x, torch.tensor(given)), sums(x, given))
    for offsets, message in (
        ([0, 2, 9], "segment 1 has length 7; 6 is promised"),
        ([5, 6, 7], "element .* is 7; 6 is promised at most"),
    ):
        with pytest.raises(ValueError, match=message):
            tilec.kernel(of_elements)(x, torch.tensor(offsets))


def sums(x: torch.Tensor, offsets: list[int]) -> torch.Tensor:
    return torch.stack([x[begin:end].sum() for begin, end in pairwise(offsets)])
