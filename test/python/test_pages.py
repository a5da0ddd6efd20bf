"""Rows in pages, of which a table says where each is: scalars find runs of rows, which are copied at once."""

import re
from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from test_examples_torch import EXAMPLES, examples_of
from torch_cases import Case, verify

import tilec
import tilec.language as hl

(PAGED,) = examples_of(EXAMPLES / "paged_attention.py")
(HEADS,) = examples_of(EXAMPLES / "paged_attention_heads.py")
DRAW = torch.Generator().manual_seed(0)


def summed(
    cache: torch.Tensor, lengths: torch.Tensor, most: int, row: Callable[[int, torch.Tensor], torch.Tensor]
) -> torch.Tensor:
    """Sums over the rows of each sequence that `row` finds."""
    dim = cache.size(-1)
    flat = cache.view(-1, dim)
    out = torch.empty([lengths.size(0), dim], dtype=torch.float32)
    for s in hl.grid(lengths.size(0)):
        acc = hl.zeros([dim], dtype=torch.float32)
        for t in hl.tile(lengths[s], max_extent=most):
            acc = acc + flat[row(s, t.index), :].to(torch.float32).sum(0)
        out[s, :] = acc
    return out


@tilec.kernel
def of_pages(cache: torch.Tensor, table: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    page = cache.size(1)
    return summed(cache, lengths, table.size(1) * page, lambda s, t: table[s, t // page] * page + t % page)


@tilec.kernel
def of_chosen(cache: torch.Tensor, table: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Pages by a second table, and after a choice between them."""
    page = cache.size(1)

    def row(s: int, t: torch.Tensor) -> torch.Tensor:
        number = table[s, t // page]
        return torch.where(number > 2, number - 1, number + 1) * page + (t & (page - 1))

    return summed(cache, lengths, table.size(1) * page, row)


@tilec.kernel
def from_inside(cache: torch.Tensor, table: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """From three rows into the first page on: no run of a tile is one of a page."""
    page = cache.size(1)

    def row(s: int, t: torch.Tensor) -> torch.Tensor:
        return table[s, (t + 3) // page] * page + (t + 3) % page

    return summed(cache, lengths, table.size(1) * page, row)


@tilec.kernel
def taken_out(
    cache: torch.Tensor, table: torch.Tensor, sequences: torch.Tensor, lengths: torch.Tensor
) -> torch.Tensor:
    """Rows of sequences, of which those that are empty have no table, a part of their columns at a time."""
    page, dim = cache.size(1), cache.size(2)
    flat, out = cache.view(-1, dim), torch.zeros([lengths.size(0), 64, dim], dtype=cache.dtype)
    for s in hl.grid(lengths.size(0)):
        if lengths[s] > 0:
            number = sequences[s]
            for t, d in hl.tile([lengths[s], dim], block_size=[16, 128], max_extent=[64, None]):
                rows = table[number, t.index // page] * page + t.index % page
                out[s, t, d] = flat[rows, d]
    return out


@tilec.kernel
def wanted(cache: torch.Tensor, table: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Rows of the tiles that are wanted: a condition inside of the loop over them."""
    page = cache.size(1)
    out = torch.zeros([lengths.size(0), 32, cache.size(2)], dtype=cache.dtype)
    for s in hl.grid(lengths.size(0)):
        for t in hl.tile(lengths[s], block_size=16, max_extent=32):
            if lengths[s] > 1:
                out[s, t, :] = cache[table[s, t.index // page], t.index % page, :]
    return out


@tilec.kernel
def of_one_head(cache: torch.Tensor, table: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Sums of keys times values, which stand beside each other in pages of rows of all heads."""
    page, heads, dim = cache.size(1), cache.size(3), cache.size(4)
    out = torch.empty([lengths.size(0), heads, dim], dtype=torch.float32)
    for s, h in hl.grid([lengths.size(0), heads]):
        acc = hl.zeros([dim], dtype=torch.float32)
        for t in hl.tile(lengths[s], max_extent=table.size(1) * page):
            pages, rows = table[s, t.index // page], t.index % page
            keys, values = (cache[pages, rows, part, h, :].to(torch.float32) for part in (0, 1))
            acc = acc + (keys * values).sum(0)
        out[s, h, :] = acc
    return out


@tilec.kernel
def of_all_heads(cache: torch.Tensor, table: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """The same, all heads at once."""
    page, heads, dim = cache.size(1), cache.size(3), cache.size(4)
    out = torch.empty([lengths.size(0), heads, dim], dtype=torch.float32)
    for s in hl.grid(lengths.size(0)):
        acc = hl.zeros([heads, dim], dtype=torch.float32)
        for t in hl.tile(lengths[s], max_extent=table.size(1) * page):
            pages, rows = table[s, t.index // page], t.index % page
            keys, values = (cache[pages, rows, part, :, :].to(torch.float32) for part in (0, 1))
            acc = acc + (keys * values).sum(0)
        out[s, :, :] = acc
    return out


@tilec.kernel
def of_planes(
    x: torch.Tensor, ids: torch.Tensor, offsets: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    """Weighted sums of the planes that each segment names, in any order."""
    out = torch.empty([offsets.size(0) - 1, x.size(1), x.size(2)], dtype=torch.float32)
    for g in hl.grid(out.size(0)):
        acc = hl.zeros([x.size(1), x.size(2)], dtype=torch.float32)
        for t in hl.tile(offsets[g], offsets[g + 1], block_size=12):
            planes = x[ids[t], :, :].to(torch.float32)
            acc = acc + (planes * weights[t][:, None, None]).sum(0)
        out[g, :, :] = acc
    return out


def rows_of(cache: torch.Tensor, pages: torch.Tensor, begin: int, length: int) -> torch.Tensor:
    """The rows of a sequence from `begin` on."""
    return cache[pages.long()].flatten(0, 1)[begin : begin + length].float()


def sums_of(cache: torch.Tensor, table: torch.Tensor, lengths: torch.Tensor, begin: int = 0) -> torch.Tensor:
    sequences = range(lengths.size(0))
    return torch.stack([rows_of(cache, table[s], begin, int(lengths[s])).sum(0) for s in sequences])


def sums_of_chosen(cache: torch.Tensor, table: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    return sums_of(cache, torch.where(table > 2, table - 1, table + 1), lengths)


def sums_from_inside(cache: torch.Tensor, table: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    return sums_of(cache, table, lengths, begin=3)


def rows_taken_out(
    cache: torch.Tensor, table: torch.Tensor, sequences: torch.Tensor, lengths: torch.Tensor
) -> torch.Tensor:
    out = torch.zeros(lengths.size(0), 64, cache.size(2), dtype=cache.dtype)
    for s in range(lengths.size(0)):
        length = int(lengths[s])
        if length > 0:
            out[s, :length] = rows_of(cache, table[sequences[s]], 0, length).to(cache.dtype)
    return out


def rows_wanted(cache: torch.Tensor, table: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    sequences = torch.arange(lengths.size(0))
    taken = rows_taken_out(cache, table, sequences, torch.where(lengths > 1, lengths, 0))
    return taken[:, :32]


def sums_of_one_head(cache: torch.Tensor, table: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    rows = [cache[pages.long()].flatten(0, 1) for pages in table]
    live = [each[: int(length)].float() for each, length in zip(rows, lengths, strict=True)]
    return torch.stack([(each[:, 0] * each[:, 1]).sum(0) for each in live])


def sums_of_planes(
    x: torch.Tensor, ids: torch.Tensor, offsets: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    found = x.float()[ids.long()] * weights[:, None, None]
    begins = [int(offset) for offset in offsets]
    return torch.stack([found[a:b].sum(0) for a, b in pairwise(begins)])


def pages(page: int, dim: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return (torch.randn(13, page, dim, generator=DRAW) * 8).to(dtype)


def table_of(sequences: int, most: int) -> torch.Tensor:
    return torch.randperm(13, generator=DRAW)[: sequences * most].view(sequences, most).int()


LENGTHS = torch.tensor([0, 24, 9, 1]).int()
TABLE = table_of(4, 3)
CASES: dict[str, Case] = {
    "pages of odd length": (of_pages, sums_of, (pages(24, 128), TABLE, LENGTHS * 3)),
    "long pages": (of_pages, sums_of, (pages(256, 128, torch.bfloat16), TABLE, LENGTHS * 20)),
    "pages of bytes": (of_pages, sums_of, (pages(32, 128, torch.int8), TABLE, LENGTHS * 4)),
    "chosen": (of_chosen, sums_of_chosen, (pages(16, 256, torch.bfloat16), TABLE, LENGTHS * 2)),
    "taken out": (
        taken_out,
        rows_taken_out,
        (pages(16, 256), table_of(3, 4), torch.tensor([-70, 1, 0, 2]).int(), LENGTHS * 2),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_runs_agree_with_torch_and_are_proven(name: str) -> None:
    kernel, _, args = CASES[name]
    text = str(kernel.bind(*args).mlir(after="expand-gathers"))
    assert text.count("tile.runs") == text.count("tile.gather") == 1
    verify(CASES[name], seeds=(0,))


@pytest.mark.parametrize(
    ("name", "loop"),
    [("pages of odd length", "fori_loop"), ("taken out", "fori_loop"), ("taken out", "emit_pipeline")],
)
def test_runs_are_copied_in_loops_of_other_kinds(name: str, loop: str) -> None:
    kernel, reference, args = CASES[name]
    verify((tilec.kernel(config=tilec.Config(loop=loop))(kernel.fn), reference, args), seeds=(0,))


def both(heads: int, dtype: torch.dtype, page: int) -> torch.Tensor:
    """Pages of keys and values of all heads."""
    return (torch.randn(13, page, 2, heads, 128, generator=DRAW) * 8).to(dtype)


TRANSPOSED: dict[str, tuple[Case, str]] = {
    "a head": (
        (of_one_head, sums_of_one_head, (both(4, torch.bfloat16, 32), TABLE, LENGTHS * 4)),
        "1, 2, 0, 3",
    ),
    "a head of bytes": (
        (of_one_head, sums_of_one_head, (both(4, torch.int8, 32), TABLE, LENGTHS * 4)),
        "1, 2, 0, 3",
    ),
    "all heads": (
        (of_all_heads, sums_of_one_head, (both(4, torch.bfloat16, 16), TABLE, LENGTHS * 2)),
        "1, 0, 2, 3",
    ),
    "all of an odd number": (
        (of_all_heads, sums_of_one_head, (both(3, torch.float32, 16), TABLE, LENGTHS * 2)),
        "1, 0, 2, 3",
    ),
}


@pytest.mark.parametrize("name", TRANSPOSED)
def test_what_is_one_of_each_plane_is_in_runs_of_an_array_that_the_host_transposes(name: str) -> None:
    case, order = TRANSPOSED[name]
    text = str(case[0].bind(*case[2]).mlir(after="raise-runs"))
    assert (text.count(f"permute [{order}]"), text.count("tile.runs")) == (2, 2)
    verify(case, seeds=(0,))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.int8, torch.int32])
def test_planes_are_copied_one_by_one(dtype: torch.dtype) -> None:
    x = (torch.randn(17, 3, 128, generator=DRAW) * 8).to(dtype)
    ids, offsets = torch.randint(0, 17, (41,), generator=DRAW).int(), torch.tensor([0, 0, 13, 14, 41]).int()
    case: Case = of_planes, sums_of_planes, (x, ids, offsets, torch.randn(41, generator=DRAW))
    assert str(of_planes.bind(*case[2]).mlir(after="expand-gathers")).count(", :, :] rows") == 1
    verify(case, seeds=(0,))


@pytest.mark.parametrize(("loop", "clean"), [("grid", "auto"), ("fori_loop", "peel")])
def test_planes_of_pages_are_copied_in_runs(loop: str, clean: str) -> None:
    """Of bf16, whose rows are no whole tiles of memory: planes are copied, however many rows they have, and
    once for both bodies of a step."""
    config = tilec.Config(loop=loop, clean=clean, block_sizes=[32])
    args = HEADS.arguments(dtype=torch.bfloat16)
    kernel = tilec.kernel(config=config)(HEADS.kernel.fn)
    bound = kernel.bind(*args)
    assert str(bound.mlir(after="double-buffer")).count(":, :] rows") == (4 if clean == "peel" else 2)
    assert len(re.findall(r"pltpu.VMEM\(\(\d, 32, 8, 128\)", bound.pallas())) == 2
    verify((kernel, HEADS.reference, args), seeds=(0,))


@pytest.mark.parametrize("grouping", ["overlaunch", "stream"])
def test_pages_are_read_however_sequences_are_gone_through(grouping: str) -> None:
    config = tilec.Config(grouping=grouping, loop="fori_loop", block_sizes=[16])
    case = tilec.kernel(config=config)(PAGED.kernel.fn), PAGED.reference, PAGED.arguments()
    verify(case, seeds=(0,))


def test_what_no_chip_copies_in_runs_is_gathered() -> None:
    case = of_pages, sums_of, (pages(2, 128, torch.int8), TABLE, LENGTHS // 4)
    assert "tile.runs" not in str(of_pages.bind(*case[2]).mlir(after="raise-runs"))
    verify(case, seeds=(0,))


@pytest.mark.parametrize(
    "case",
    [
        (from_inside, sums_from_inside, (pages(8, 128), TABLE, LENGTHS - (LENGTHS == 24) * 3)),
        (wanted, rows_wanted, (pages(8, 128), TABLE, LENGTHS)),
    ],
    ids=["from_inside", "wanted"],
)
def test_rows_that_are_no_runs_are_gathered(case: Case) -> None:
    assert "tile.runs" not in str(case[0].bind(*case[2]).mlir(after="raise-runs"))
    verify(case, seeds=(0,))


def test_copies_run_ahead_in_a_loop_of_the_kernels_own() -> None:
    config = tilec.Config(loop="fori_loop", block_sizes=[16])
    bound = tilec.kernel(config=config)(PAGED.kernel.fn).bind(*PAGED.arguments())
    text = str(bound.mlir(after="double-buffer"))
    assert text.count("rows buffers 2") == 2
    assert text.count("tile.runs") == 1  # keys and values begin alike
    assert "buffers" not in str(bound.mlir(after="fold-outer-pipeline"))
