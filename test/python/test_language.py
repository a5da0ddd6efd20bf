"""Words of the language that are Helion's: what they give, against torch, and what they refuse."""

import pytest
import torch

import tilec
import tilec.language as hl
from tilec.testing import agree, prove


def test_parts_of_tiles_by_functions() -> None:
    @tilec.kernel
    def parts(x: torch.Tensor) -> torch.Tensor:
        out = torch.empty_like(x)
        for rows in hl.tile(x.size(0), block_size=8):
            numbers = hl.tile_begin(rows) + 2 * hl.tile_end(rows) + 3 * hl.tile_id(rows)
            out[rows] = x[rows] + hl.tile_index(rows)[:, None] + numbers * hl.tile_block_size(rows)
        return out

    x, first = torch.randn(20, 3), torch.arange(20) // 8 * 8
    numbers = first + 2 * torch.clamp(first + 8, max=20) + 3 * (first // 8)
    agree(parts(x), x + (torch.arange(20) + numbers * 8)[:, None], "parts")


def test_scans_and_reductions() -> None:
    @tilec.kernel
    def several(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        products, largest = torch.empty_like(x), torch.empty([x.size(0), 1])
        for rows in hl.tile(x.size(0)):
            products[rows] = hl.cumprod(hl.load(x, [rows], eviction_policy="evict_last"), 1)
            for i in hl.static_range(0, 2, step=1):
                largest[rows, :] = hl.reduce(torch.maximum, x[rows], 1, float("-inf"), keep_dims=True) + i
        return products, largest

    x = torch.randn(20, 6)
    agree(several(x), (x.cumprod(1), x.amax(1, keepdim=True) + 1), "several")


def test_scans_from_the_end() -> None:
    """Nothing is taken away again: what is large or infinite is in no sum behind it. Rows of segments too."""

    @tilec.kernel
    def to_go(x: torch.Tensor, offsets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        along, down, most = torch.empty_like(x), torch.empty_like(x), torch.empty_like(x)
        for g in hl.grid(offsets.size(0) - 1):
            for rows in hl.tile(offsets[g], offsets[g + 1], block_size=64):
                along[rows, :] = hl.cumsum(x[rows, :], 1, reverse=True)
                down[rows, :] = hl.cumsum(x[rows, :], 0, reverse=True)
                most[rows, :] = hl.associative_scan(torch.maximum, x[rows, :], 1, reverse=True)
        return along, down, most

    x = torch.randint(-3, 4, (40, 20)).float()
    x[3:5, 0], x[7, 2], x[20, 5] = 1e30, -torch.inf, 1e9
    offsets = torch.tensor([0, 3, 3, 20, 40])
    down = [part.flip(0).cumsum(0).flip(0) for part in torch.tensor_split(x, offsets[1:-1])]
    wanted = x.flip(1).cumsum(1).flip(1), torch.cat(down), x.flip(1).cummax(1)[0].flip(1)
    agree(to_go(x, offsets), wanted, "to_go")
    prove(to_go, (x, offsets), chips=("v5e",), seeds=(0,))


def test_numbers_that_are_computed_outside_of_loops() -> None:
    """Each kernel computes them anew. `torch.lerp` compares its weight with a half, outside."""

    @tilec.kernel
    def mixed(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return torch.lerp(x, y, 0.3)

    x, y = torch.randn(20, 300), torch.randn(20, 300)
    agree(mixed(x, y), torch.lerp(x, y, 0.3), "mixed")
    prove(mixed, (x, y), chips=("v6e",))


def draw(x: torch.Tensor, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    numbers, dice = torch.empty_like(x), torch.empty_like(x, dtype=torch.int32)
    for rows, cols in hl.tile([x.size(0), x.size(1)]):
        numbers[rows, cols] = hl.rand([rows, cols], seed)
        dice[rows, cols] = hl.randint(x[rows, cols].shape, 1, 7, seed + 1)
    return numbers, dice


def test_random_numbers() -> None:
    """They look like what they are called, whatever the tiles, and another seed has others."""
    x = torch.zeros(70, 150)
    drawn = tilec.kernel(draw)
    numbers, dice = drawn(x, 2**40 + 5)
    assert 0 <= numbers.min() < 1e-3
    assert 0.999 < numbers.max() < 1
    assert abs(numbers.mean() - 0.5) < 0.02
    assert (numbers.view(-1).sort()[0].diff() == 0).float().mean() < 0.01
    correlations = torch.corrcoef(numbers) - torch.eye(70)
    assert correlations.abs().max() < 0.4
    assert torch.bincount(dice.view(-1), minlength=7)[1:].min() > 1500
    assert dice.min() == 1
    assert dice.max() == 6
    again = tilec.Kernel(draw, tilec.Config(blocks={"rows": 16, "cols": 128}))(x, 2**40 + 5)
    agree(again, (numbers, dice), "drawn")
    assert not torch.isclose(drawn(x, 6)[0], numbers).any(1).all()


@pytest.mark.parametrize("bounds", [(3, 3), (0, 2**24 + 1)])
def test_too_few_and_too_many_integers(bounds: tuple[int, int]) -> None:
    @tilec.kernel
    def kernel(x: torch.Tensor) -> torch.Tensor:
        out = torch.empty_like(x)
        for rows in hl.tile(x.size(0)):
            out[rows] = hl.randint([rows, 3], *bounds, seed=1)
        return out

    with pytest.raises(tilec.TraceError, match=rf"randint from {bounds[0]} to {bounds[1]}; 1 to 2\*\*24"):
        kernel.bind(torch.zeros(4, 3))


def test_continue_in_a_loop_over_tiles() -> None:
    @tilec.kernel
    def chosen(x: torch.Tensor, flags: torch.Tensor, scaled: bool) -> torch.Tensor:
        out = torch.empty([1, x.size(1)])
        for _ in hl.grid(1):
            total = hl.zeros([x.size(1)])
            for row in hl.grid(x.size(0)):
                flag = flags[row]
                if flag == 0:
                    continue
                if scaled and flag == 2:
                    total = total + x[row, :] * 10
                    continue
                total = total + x[row, :]
            out[0, :] = total
        return out

    x, flags = torch.randn(12, 5), torch.arange(12) % 3
    for scaled in (False, True):
        scales = torch.where(flags == 2, 10 if scaled else 1, flags)
        agree(chosen(x, flags, scaled), (x * scales[:, None]).sum(0, keepdim=True), "chosen")


class PowerOfTwoFragment:
    """What Helion's class of this name is to a kernel."""

    def __init__(self, low: int, high: int, default: int):
        self.default = lambda: default


PowerOfTwoFragment.__module__ = "helion.autotuner"


@pytest.mark.parametrize("package", [None, "helion.autotuner"])
def test_choices_of_helions_autotuner(package: str | None) -> None:
    """Helion's own words for them stand for their defaults: a class like its, and where its package is
    installed its class."""
    fragment = pytest.importorskip(package).PowerOfTwoFragment if package else PowerOfTwoFragment

    @tilec.kernel
    def split(x: torch.Tensor) -> torch.Tensor:
        out = torch.empty_like(x)
        parts = hl.register_tunable("parts", fragment(1, 64, 4))
        for rows in hl.tile(x.size(0), block_size=hl.next_power_of_2(hl.cdiv(x.size(0), parts))):
            out[rows] = x[rows] + rows.begin
        return out

    x = torch.randn(20, 3)
    agree(split(x), x + (torch.arange(20) // 8 * 8)[:, None], "split")
