"""What is checked of arguments when a kernel is called: what is outside is refused, what is not is right."""

from typing import Any

import pytest
import torch
from segment_sums import segment_sums

import tilec
import tilec.language as hl

CONFIGS = {
    "default": None,
    "worklist": tilec.Config(grouping="worklist", loop="grid"),
    "overlaunch": tilec.Config(grouping="overlaunch", loop="grid"),
    "stream": tilec.Config(grouping="stream", loop="fori_loop"),
}


def two_loops(x: torch.Tensor, y: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    out = torch.empty([offsets.size(0) - 1, x.size(1)], dtype=x.dtype)
    for g in hl.grid(out.size(0)):
        acc = hl.zeros([x.size(1)], dtype=torch.float32)
        for rows in hl.tile(offsets[g], offsets[g + 1]):
            acc = acc + x[rows, :].sum(0)
        for rows in hl.tile(offsets[g], offsets[g + 1]):
            acc = acc + y[rows, :].sum(0)
        out[g, :] = acc
    return out


def two_grids(x: torch.Tensor, y: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    out, more = torch.empty_like(x), torch.empty_like(y)
    for g in hl.grid(offsets.size(0) - 1):
        for rows in hl.tile(offsets[g], offsets[g + 1]):
            out[rows, :] = x[rows, :] * 2
    for g in hl.grid(offsets.size(0) - 1):
        for rows in hl.tile(offsets[g], offsets[g + 1]):
            more[rows, :] = y[rows, :] * 3
    return more


def by_place(x: torch.Tensor, y: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    out = torch.zeros([offsets.size(0) - 1, 40, x.size(1)], dtype=x.dtype)
    for g in hl.grid(out.size(0)):
        begin = offsets[g]
        for rows in hl.tile(0, offsets[g + 1] - begin):
            out[g, rows, :] = x[begin + rows.index, :] + y[begin + rows.index, :]
    return out


def one_by_one(x: torch.Tensor, y: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    out = torch.empty([offsets.size(0) - 1, x.size(1)], dtype=x.dtype)
    for g in hl.grid(out.size(0)):
        acc = hl.zeros([x.size(1)], dtype=torch.float32)
        for row in hl.grid(offsets[g], offsets[g + 1]):
            acc = acc * 0.5 + x[row, :] + y[row, :]
        out[g, :] = acc
    return out


@pytest.mark.parametrize("static", [True, False])
@pytest.mark.parametrize("config", list(CONFIGS))
@pytest.mark.parametrize("function", [two_loops, two_grids, by_place, one_by_one])
def test_segments_end_in_every_array(function: Any, config: str, static: bool) -> None:
    if function is one_by_one and config in ("overlaunch", "stream"):
        pytest.skip("rows one by one are listed")
    if function is by_place and not static:
        pytest.skip("of arrays of any number of rows the second is read at positions, which nothing checks")
    kernel = tilec.kernel(config=CONFIGS[config], static_shapes=static)(function)
    offsets = torch.tensor([0, 3, 3, 40])
    for long, short in ((40, 30), (30, 40)):
        with pytest.raises(ValueError, match=r"segment 2 is 3 to 40; .* end at 30 or earlier"):
            kernel(torch.ones(long, 24), torch.ones(short, 24), offsets)
    kernel(torch.ones(40, 24), torch.ones(40, 24), offsets)
    kernel(torch.ones(30, 24), torch.ones(40, 24), torch.tensor([0, 3, 3, 30]))


@tilec.kernel(config=CONFIGS["worklist"])
def by_matrix(x: torch.Tensor, w: torch.Tensor, which: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    out = torch.zeros_like(x)
    for g in hl.grid(offsets.size(0) - 1):
        for rows in hl.tile(offsets[g], offsets[g + 1]):
            out[rows, :] = x[rows, :] * w[which[g], :]
    return out


@pytest.mark.parametrize("place", [0, 39, 40])
def test_an_empty_list_names_a_tile(place: int) -> None:
    """Index maps read the first entry of a list where it is empty, too."""
    found = by_matrix(
        torch.ones(40, 24), torch.ones(6, 24), torch.tensor([5, 0, 2]), torch.tensor([place] * 4)
    )
    assert not found.any()


def test_fewer_rows_than_the_chosen_loop_copies() -> None:
    """The model chooses a loop that copies 8 rows for any number of them; calls with fewer have another."""
    kernel = tilec.kernel(static_shapes=False)(segment_sums)
    many = kernel.bind(torch.ones(40, 24), torch.tensor([0, 3, 40]))
    assert many.config.loop == "fori_loop"
    for rows in (40, 7, 2, 1, 9):
        x = torch.randn(rows, 24)
        torch.testing.assert_close(
            kernel(x, torch.tensor([0, 0, rows])), torch.stack([x[:0].sum(0), x.sum(0)])
        )
    assert kernel.bind(torch.ones(9, 24), torch.tensor([0, 3, 9])) is many
    given = tilec.kernel(config=CONFIGS["stream"], static_shapes=False)(segment_sums)
    with pytest.raises(ValueError, match="loop=fori_loop: 8 is more than 7"):
        given(torch.ones(7, 24), torch.tensor([0, 3, 7]))


@pytest.mark.parametrize("static", [True, False])
def test_no_groups(static: bool) -> None:
    def doubled(x: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
        out = torch.zeros_like(x)
        for g in hl.grid(offsets.size(0) - 1):
            for rows in hl.tile(offsets[g], offsets[g + 1]):
                out[rows, :] = x[rows, :] * 2
        return out

    assert not tilec.kernel(static_shapes=static)(doubled)(torch.ones(40, 24), torch.tensor([0])).any()


@pytest.mark.parametrize("static", [True, False])
@pytest.mark.parametrize("config", list(CONFIGS))
def test_the_first_rows_of_each_group(config: str, static: bool) -> None:
    """An end that is the least of two integers of torch is the end of a segment all the same."""
    if not static and config in ("worklist", "overlaunch"):
        pytest.skip("for any number of rows a list, and idle steps, need a `max_extent`")

    @tilec.kernel(config=CONFIGS[config], static_shapes=static)
    def first(x: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
        out = torch.empty([offsets.size(0) - 1, x.size(1)], dtype=x.dtype)
        for g in hl.grid(out.size(0)):
            begin = offsets[g]
            acc = hl.zeros([x.size(1)], dtype=torch.float32)
            for rows in hl.tile(begin, torch.minimum(offsets[g + 1], begin + 8)):
                acc = acc + x[rows, :].sum(0)
            out[g, :] = acc
        return out

    x = torch.randn(40, 24)
    found = first(x, torch.tensor([0, 3, 3, 30, 40]))
    wanted = torch.stack([x[0:3].sum(0), x[3:3].sum(0), x[3:11].sum(0), x[30:38].sum(0)])
    torch.testing.assert_close(found, wanted)
    with pytest.raises(ValueError, match="segment 1 is 30 to 3; it must begin"):
        first(x, torch.tensor([0, 30, 3, 40]))


def one_more(x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Sums of the rows that are there, and of the one that was added."""
    out = torch.empty([lengths.size(0), x.size(1)], dtype=x.dtype)
    for g in hl.grid(out.size(0)):
        acc = hl.zeros([x.size(1)], dtype=torch.float32)
        for rows in hl.tile(lengths[g] + 1, max_extent=64):
            acc = acc + x[rows.index * 7 % x.size(0), :].sum(0)
        out[g, :] = acc
    return out


def test_a_length_is_a_number_more_than_what_is_loaded() -> None:
    kernel, x = tilec.kernel(one_more), torch.randn(40, 128)
    lengths = torch.tensor([0, 63, 12]).int()
    wanted = [x[torch.arange(int(length) + 1) * 7 % 40].sum(0) for length in lengths]
    torch.testing.assert_close(kernel(x, lengths), torch.stack(wanted), atol=1e-4, rtol=1e-4)
    with pytest.raises(ValueError, match=r"element \[1\] is 64; 63 is promised at most"):
        kernel(x, lengths + (lengths == 63))
