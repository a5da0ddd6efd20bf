"""Blocks that steps come back to in no order stay on the chip, and keep what was written."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

import tilec
import tilec.language as hl
from tilec.testing import prove


def segments_in_turn(x: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    """Two workers take every second segment each: neighbours, which share tiles of memory, are not next."""
    out = torch.empty_like(x)
    for worker in hl.grid(2):
        for turn in hl.grid(hl.cdiv(offsets.size(0) - 1 - worker, 2)):
            g = turn * 2 + worker
            for rows in hl.tile(offsets[g], offsets[g + 1]):
                out[rows, :] = x[rows, :] + g
    return out


def loaded_begins(x: torch.Tensor, begins: torch.Tensor) -> torch.Tensor:
    """Ranges that begin anywhere, one after the other; they may overlap."""
    out = torch.zeros([x.size(0), x.size(1)], dtype=x.dtype)
    for _ in hl.grid(1):
        for g in hl.grid(begins.size(0)):
            for rows in hl.tile(begins[g], begins[g] + 5):
                out[rows, :] = x[rows, :] + g
    return out


def backwards(x: torch.Tensor) -> torch.Tensor:
    """Eleven rows for each iteration, from the last ones on."""
    out = torch.zeros([x.size(0), x.size(1)], dtype=x.dtype)
    for g in hl.grid(4):
        for rows in hl.tile((3 - g) * 11, (3 - g) * 11 + 11):
            out[rows, :] = x[rows, :] + g
    return out


def loaded_rows(x: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    """Rows that are named by integers, some twice: the last one stays."""
    out = torch.zeros([x.size(0), x.size(1)], dtype=x.dtype)
    for _ in hl.grid(1):
        for g in hl.grid(ids.size(0)):
            out[ids[g], :] = x[g, :] * 2
    return out


def numbered_tiles(x: torch.Tensor) -> torch.Tensor:
    """Rows of the number of a tile, of which a list tells; eight share a tile of memory, in turn."""
    out = torch.empty([hl.cdiv(x.size(0), 4), x.size(1)])
    for outer in hl.tile(x.size(0), block_size=4):
        total = hl.zeros([x.size(1)], dtype=torch.float32)
        for rows in hl.tile(outer.begin, outer.end):
            total = total + x[rows, :].sum(dim=0)
        out[outer.id, :] = total
    return out


def ranges_in_turn(x: torch.Tensor, begins: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Ranges that begin anywhere, in two loops, which are stretches of one axis."""
    out, other = torch.zeros([x.size(0), x.size(1)]), torch.zeros([x.size(0), x.size(1)])
    for _ in hl.grid(1):
        for g in hl.grid(begins.size(0)):
            for rows in hl.tile(begins[g], begins[g] + 5):
                out[rows, :] = x[rows, :] + g
            for more in hl.tile(begins[g], begins[g] + 5):
                other[more, :] = x[more, :] - g
    return out, other


def lengths_in_turn(x: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The first rows, so many of them again and again, in two loops."""
    out, other = torch.zeros([40, x.size(1)]), torch.zeros([40, x.size(1)])
    for _ in hl.grid(1):
        for g in hl.grid(lengths.size(0)):
            for rows in hl.tile(0, lengths[g], max_extent=40):
                out[rows, :] = x[rows, :] + g
            for more in hl.tile(0, lengths[g], max_extent=40):
                other[more, :] = x[more, :] - g
    return out, other


TWO = ["rows", "more"]
"""The tiles of two loops."""
CASES = {
    numbered_tiles: [],
    segments_in_turn: [torch.tensor([0, 13, 20, 30, 40, 45])],
    loaded_begins: [torch.tensor([20, 3, 33, 0])],
    backwards: [],
    ranges_in_turn: [torch.tensor([20, 3, 33, 0, 21])],
    lengths_in_turn: [torch.tensor([40, 13, 3, 30, 17])],
    loaded_rows: [torch.tensor([3, 7, 3, 20, 5, 4, 3, 8])],
}


@pytest.mark.parametrize("fn", CASES, ids=lambda fn: fn.__name__)
@pytest.mark.parametrize("ways", ["auto grid", "auto emit_pipeline", "auto fori_loop", "stream fori_loop"])
def test_what_steps_come_back_to_is_there(fn: Callable[..., Any], ways: str) -> None:
    grouping, loop = ways.split()
    blocks = dict.fromkeys({loaded_rows: [], ranges_in_turn: TWO, lengths_in_turn: TWO}.get(fn, ["rows"]), 8)
    kernel: Any = tilec.kernel(config=tilec.Config(blocks=blocks, grouping=grouping, loop=loop))(fn)
    x = torch.arange(45 * 200.0).reshape(45, 200)
    prove(kernel, (x, *CASES[fn]), chips=(), seeds=(0,))


def tiles_in_tiles(x: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    """The rows of each group in tiles, which are gone through in smaller ones."""
    out = torch.zeros([x.size(0), x.size(1)], dtype=x.dtype)
    for g in hl.grid(offsets.size(0) - 1):
        for outer in hl.tile(offsets[g], offsets[g + 1]):
            for rows in hl.tile(outer.begin, outer.end):
                out[rows, :] = x[rows, :] + g
    return out


@pytest.mark.parametrize("loop", ["grid", "emit_pipeline"])
def test_idle_steps_go_through_no_tile_again(loop: str) -> None:
    """While a range rests, those inside of its tiles do: a block was read before it was written."""
    config = tilec.Config(blocks={"outer": 64, "rows": 16}, grouping="overlaunch", loop=loop)
    kernel: Any = tilec.kernel(config=config)(tiles_in_tiles)
    x = torch.arange(100 * 128.0).reshape(100, 128)
    prove(kernel, (x, torch.tensor([0, 0, 5, 6, 47, 64, 64, 100])), chips=())
