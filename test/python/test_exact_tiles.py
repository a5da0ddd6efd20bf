"""Tiles whose size a program says are cut where it says, also where memory is cut elsewhere."""

from collections.abc import Callable
from itertools import pairwise

import pytest
import torch

import tilec
import tilec.language as hl
from tilec.diagnostics import TileError
from tilec.frontend.kernel import Kernel
from tilec.testing import prove

SIZE = 8


@tilec.kernel
def places(x: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    out = torch.zeros_like(x)
    for g in hl.grid(offsets.size(0) - 1):
        for tile in hl.tile(offsets[g], offsets[g + 1], block_size=8):
            out[tile, :] = x[tile, :] + (tile.index - tile.begin).to(torch.float32)[:, None]
    return out


@tilec.kernel
def numbers(x: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    out = torch.zeros_like(x)
    for g in hl.grid(offsets.size(0) - 1):
        for tile in hl.tile(offsets[g], offsets[g + 1], block_size=8):
            out[tile, :] = x[tile, :] + tile.id
    return out


@tilec.kernel
def sums(x: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    out = torch.zeros_like(x)
    for g in hl.grid(offsets.size(0) - 1):
        for tile in hl.tile(offsets[g], offsets[g + 1], block_size=8):
            out[tile, :] = x[tile, :] - x[tile, :].sum(0)[None, :]
    return out


@tilec.kernel
def sums_from_three(x: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    out = torch.zeros_like(x)
    for tile in hl.tile(3, x.size(0), block_size=8):
        out[tile, :] = x[tile, :] - x[tile, :].sum(0)[None, :]
    return out


@tilec.kernel
def free(x: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    out = torch.zeros_like(x)
    for g in hl.grid(offsets.size(0) - 1):
        for tile in hl.tile(offsets[g], offsets[g + 1]):
            for part in hl.tile(tile.begin, tile.end, block_size=8):
                out[part, :] = x[part, :] * 2
    return out


@tilec.kernel
def in_place(x: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    for g in hl.grid(offsets.size(0) - 1):
        for tile in hl.tile(offsets[g], offsets[g + 1], block_size=8):
            x[tile, :] = x[tile, :] - x[tile, :].sum(0)[None, :]
    return x


Rule = Callable[[torch.Tensor, int], torch.Tensor]
RULES: dict[str, tuple[Kernel[..., torch.Tensor], Rule]] = {
    "places": (places, lambda part, number: part + torch.arange(len(part))[:, None]),
    "numbers": (numbers, lambda part, number: part + number),
    "sums": (sums, lambda part, number: part - part.sum(0)),
    "sums_from_three": (sums_from_three, lambda part, number: part - part.sum(0)),
}
WAYS = [
    ("worklist", "grid"),
    ("overlaunch", "grid"),
    ("overlaunch", "emit_pipeline"),
    ("worklist", "fori_loop"),
    ("stream", "fori_loop"),
]


def cut(x: torch.Tensor, ranges: list[tuple[int, int]], rule: Rule) -> torch.Tensor:
    out = torch.zeros_like(x)
    for begin, end in ranges:
        for number, first in enumerate(range(begin, end, SIZE)):
            last = min(first + SIZE, end)
            out[first:last] = rule(x[first:last], number)
    return out


def arguments() -> tuple[torch.Tensor, torch.Tensor]:
    x = torch.randn(40, 96, generator=torch.Generator().manual_seed(0))
    return x, torch.tensor([0, 3, 3, 30, 40])


def ranges_of(name: str, offsets: torch.Tensor, rows: int) -> list[tuple[int, int]]:
    ends = [int(end) for end in offsets]
    return [(3, rows)] if name == "sums_from_three" else list(pairwise(ends))


@pytest.mark.parametrize(
    ("name", "grouping", "loop"),
    [
        *(("sums", *way) for way in WAYS),
        ("places", "stream", "fori_loop"),
        ("numbers", "overlaunch", "emit_pipeline"),
        ("sums_from_three", "worklist", "fori_loop"),
    ],
)
def test_exact_tiles(name: str, grouping: str, loop: str) -> None:
    kernel, rule = RULES[name]
    x, offsets = arguments()
    made = tilec.kernel(config=tilec.Config(grouping=grouping, loop=loop))(kernel.fn)
    torch.testing.assert_close(made(x, offsets), cut(x, ranges_of(name, offsets, x.size(0)), rule))


@pytest.mark.parametrize("name", RULES)
def test_exact_tiles_are_proven(name: str) -> None:
    prove(RULES[name][0], arguments())


@pytest.mark.parametrize(("grouping", "loop"), WAYS)
@pytest.mark.parametrize("kernel", [sums, in_place], ids=["sums", "in_place"])
def test_rows_behind_a_tile_stay(kernel: Kernel[..., torch.Tensor], grouping: str, loop: str) -> None:
    """A tile that ends early, in a block that is kept, leaves the rows of others and of no tile."""
    x, _ = arguments()
    offsets = torch.tensor([2, 5, 5, 29, 33])
    expected = cut(x, ranges_of("sums", offsets, x.size(0)), RULES["sums"][1])
    if kernel is in_place:
        expected[:2], expected[33:] = x[:2], x[33:]
    made = tilec.kernel(config=tilec.Config(grouping=grouping, loop=loop))(kernel.fn)
    torch.testing.assert_close(made(x, offsets), expected)


def test_tiles_of_tiles_of_any_size_are_cut_freely() -> None:
    assert "exact" not in free.bind(*arguments()).mlir()


def test_exact_tiles_that_do_not_fit() -> None:
    """Tiles that begin between those of memory are read from what is kept on the chip."""
    x, offsets = torch.empty(1 << 18, 512), torch.tensor([0, 5000, 1 << 18])
    with pytest.raises(TileError, match=r"plan-memory: .* MiB do not fit the 127.938 MiB of v6e"):
        sums.bind(x, offsets).aot("v6e")
