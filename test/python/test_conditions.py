"""Conditions around loops: with an else, with results, in each other, and decided by tiles."""

from itertools import pairwise

import pytest
import torch
from torch_cases import Case, verify

import tilec
import tilec.language as hl

DRAW = torch.Generator().manual_seed(0)
ROWS = torch.randn(40, 128, generator=DRAW)
OFFSETS = torch.tensor([0, 0, 3, 3, 30, 40, 40]).int()
FLAGS = torch.tensor([1, 0, 1, 2, 0, 2]).int()


def items(x: torch.Tensor, offsets: torch.Tensor) -> list[torch.Tensor]:
    return [x[begin:end] for begin, end in pairwise(map(int, offsets))]


@tilec.kernel
def going_on(x: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    """A sum that goes on with what was there before, if there are rows."""
    out = torch.empty([offsets.size(0) - 1, x.size(1)])
    for g in hl.grid(out.size(0)):
        acc = hl.full([x.size(1)], 1.0)
        if offsets[g + 1] > offsets[g]:
            for rows in hl.tile(offsets[g], offsets[g + 1]):
                acc = acc + x[rows, :].sum(0)
        out[g, :] = acc
    return out


def to_going_on(x: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    return torch.stack([1 + rows.sum(0) for rows in items(x, offsets)])


@tilec.kernel
def shares(x: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    """Two loops, and a division by what is zero where the branch is not taken: that NaN must not come out."""
    out = torch.empty([offsets.size(0) - 1, x.size(1)])
    for g in hl.grid(out.size(0)):
        count = offsets[g + 1] - offsets[g]
        if count > 0:
            top = hl.full([x.size(1)], float("-inf"))
            for rows in hl.tile(offsets[g], offsets[g + 1]):
                top = torch.maximum(top, x[rows, :].amax(0))
            acc = hl.zeros([x.size(1)])
            for rows in hl.tile(offsets[g], offsets[g + 1]):
                acc = acc + (x[rows, :] - top[None, :]).exp().sum(0)
            share = acc / count
        else:
            share = hl.full([x.size(1)], 7.0)
        out[g, :] = share
    return out


def to_shares(x: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    none = torch.full(x.shape[1:], 7.0)
    return torch.stack(
        [(rows - rows.amax(0)).exp().mean(0) if len(rows) else none for rows in items(x, offsets)]
    )


@tilec.kernel
def one_of_three(x: torch.Tensor, offsets: torch.Tensor, flags: torch.Tensor) -> torch.Tensor:
    """Loops in all branches, one of them in a condition in another; results and what is added to an array."""
    out = torch.empty([offsets.size(0) - 1, x.size(1)])
    total = torch.zeros([x.size(1)])
    for g in hl.grid(out.size(0)):
        acc = hl.zeros([x.size(1)])
        if flags[g] > 0:
            acc = acc + 1
            if flags[g] > 1:
                for rows in hl.tile(offsets[g], offsets[g + 1]):
                    acc = acc + x[rows, :].sum(0)
            else:
                for rows in hl.tile(offsets[g], offsets[g + 1]):
                    acc = acc - x[rows, :].sum(0)
                hl.atomic_add(total, [slice(None)], acc)
            acc = acc * flags[g]
        else:
            for rows in hl.tile(offsets[g], offsets[g + 1]):
                acc = torch.maximum(acc, x[rows, :].amax(0))
        out[g, :] = acc
    return out + total


def to_one_of_three(x: torch.Tensor, offsets: torch.Tensor, flags: torch.Tensor) -> torch.Tensor:
    total, zero = torch.zeros(x.size(1)), torch.zeros(1, x.size(1))
    found: list[torch.Tensor] = []
    for rows, flag in zip(items(x, offsets), map(int, flags), strict=True):
        if flag == 0:
            found.append(torch.cat([zero, rows]).amax(0))
        else:
            acc = 1 + rows.sum(0) if flag > 1 else 1 - rows.sum(0)
            total += acc if flag == 1 else 0
            found.append(acc * flag)
    return torch.stack(found) + total


@tilec.kernel
def written(x: torch.Tensor, offsets: torch.Tensor, flags: torch.Tensor) -> torch.Tensor:
    """Rows that loops of both branches write, or neither."""
    out = torch.full_like(x, 9.0)
    for g in hl.grid(offsets.size(0) - 1):
        if flags[g] > 1:
            for rows in hl.tile(offsets[g], offsets[g + 1]):
                out[rows, :] = x[rows, :] * 2
        else:
            if flags[g] > 0:
                for rows in hl.tile(offsets[g], offsets[g + 1]):
                    out[rows, :] = -x[rows, :]
    return out


def to_written(x: torch.Tensor, offsets: torch.Tensor, flags: torch.Tensor) -> torch.Tensor:
    pairs = zip(items(x, offsets), map(int, flags), strict=True)
    made = [rows * 2 if flag > 1 else -rows if flag else torch.full_like(rows, 9.0) for rows, flag in pairs]
    return torch.cat(made)


@tilec.kernel
def numbers(
    x: torch.Tensor, offsets: torch.Tensor, flags: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Results that are numbers, truth values and tiles of these; a quotient of integers by what may be 0."""
    groups = offsets.size(0) - 1
    means = torch.empty([groups], dtype=torch.int32)
    some = torch.empty([groups], dtype=torch.bool)
    large = torch.empty([groups, x.size(1)], dtype=torch.bool)
    for g in hl.grid(groups):
        total = hl.zeros([], dtype=torch.int32)
        found = hl.full([], True, dtype=torch.bool)
        lanes = hl.zeros([x.size(1)], dtype=torch.bool)
        if (flags[g] > 0) & (offsets[g + 1] > offsets[g]):
            found = hl.zeros([], dtype=torch.bool)
            for rows in hl.tile(offsets[g], offsets[g + 1]):
                total = total + x[rows, :].sum().to(torch.int32)
                found = found | (x[rows, :] > 97).any()
                lanes = lanes | (x[rows, :] > 90).any(0)
            total = (total // (offsets[g + 1] - offsets[g])).to(torch.int32)
        else:
            lanes = ~lanes
        means[g] = total
        some[g] = found
        large[g, :] = lanes
    return means, some, large


def to_numbers(
    x: torch.Tensor, offsets: torch.Tensor, flags: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    means: list[int] = []
    some: list[bool] = []
    large: list[torch.Tensor] = []
    for rows, flag in zip(items(x, offsets), map(int, flags), strict=True):
        taken = flag > 0 and len(rows) > 0
        means.append(int(rows.sum()) // len(rows) if taken else 0)
        some.append(bool((rows > 97).any()) or not taken)
        large.append((rows > 90).any(0) if taken else torch.ones(x.size(1), dtype=torch.bool))
    return torch.tensor(means).int(), torch.tensor(some), torch.stack(large)


@tilec.kernel
def at_slots(
    x: torch.Tensor, table: torch.Tensor, slots: torch.Tensor, offsets: torch.Tensor
) -> torch.Tensor:
    """Positions, of a row and of a range, that only the condition keeps inside of their arrays."""
    out = torch.empty([slots.size(0), x.size(1)])
    for g in hl.grid(slots.size(0)):
        slot = slots[g]
        acc = hl.zeros([x.size(1)])
        if slot >= 0:
            for rows in hl.tile(offsets[slot], offsets[slot + 1]):
                acc = acc + x[rows, :].sum(0)
            acc = acc * table[slot, :]
        else:
            acc = acc - 1
        out[g, :] = acc
    return out


def to_at_slots(
    x: torch.Tensor, table: torch.Tensor, slots: torch.Tensor, offsets: torch.Tensor
) -> torch.Tensor:
    sums = torch.stack([rows.sum(0) for rows in items(x, offsets)]) * table
    return torch.where(slots[:, None] >= 0, sums[slots.clamp(0)], -1.0)


@tilec.kernel
def upper(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Ragged tiles, of which those beyond a shorter array take another branch."""
    out = torch.empty_like(x)
    for m in hl.tile(x.size(0), block_size=16):
        value = x[m, :]
        if m.begin < y.size(0):
            for k in hl.tile(y.size(1), block_size=128):
                value = value + y[m, k].sum(1)[:, None]
        else:
            value = value * 3
        out[m, :] = value
    return out


def to_upper(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    rows = y.size(0)
    return torch.cat([x[:rows] + y.sum(1)[:, None], x[rows:] * 3])


@tilec.kernel
def decided(x: torch.Tensor, weights: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    """A condition that tiles decide, around a loop around a condition around a loop."""
    out = torch.empty([offsets.size(0) - 1, x.size(1)])
    for g in hl.grid(out.size(0)):
        acc = hl.zeros([x.size(1)])
        for rows in hl.tile(offsets[g], offsets[g + 1]):
            acc = acc + x[rows, :].sum(0)
        if acc.sum() > 0:
            for k in hl.grid(weights.size(0)):
                if weights[k] > 0:
                    for rows in hl.tile(offsets[g], offsets[g + 1], max_extent=40):
                        acc = acc + x[rows, :].sum(0) * weights[k]
                else:
                    acc = acc * 0.5
        else:
            acc = -acc
        out[g, :] = acc
    return out


def to_decided(x: torch.Tensor, weights: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    found: list[torch.Tensor] = []
    for rows in items(x, offsets):
        acc = rows.sum(0)
        if acc.sum() > 0:
            for weight in map(float, weights):
                acc = acc + rows.sum(0) * weight if weight > 0 else acc * 0.5
        else:
            acc = -acc
        found.append(acc)
    return torch.stack(found)


@tilec.kernel
def scaled(x: torch.Tensor, scales: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """By single elements that are read under a condition only, which keeps them inside of their array."""
    out = torch.zeros_like(x)
    for g in hl.grid(places.size(0)):
        place = places[g]
        if place >= 0:
            out[g, :] = x[g, :] * scales[place]
        else:
            out[g, :] = x[g, :] - scales[g + 1]
    return out


def to_scaled(x: torch.Tensor, scales: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    rows = [
        row * scales[place] if place >= 0 else row - scales[g + 1]
        for g, (row, place) in enumerate(zip(x, map(int, places), strict=True))
    ]
    return torch.stack(rows)


WHOLE = torch.randint(-99, 99, (40, 128), generator=DRAW).int()
WEIGHTS = torch.tensor([2.0, -1.0, 0.5])
CASES: dict[str, Case] = {
    "going_on": (going_on, to_going_on, (ROWS, OFFSETS)),
    "shares": (shares, to_shares, (ROWS, OFFSETS)),
    "one_of_three": (one_of_three, to_one_of_three, (ROWS, OFFSETS, FLAGS)),
    "written": (written, to_written, (ROWS, OFFSETS, FLAGS)),
    "numbers": (numbers, to_numbers, (WHOLE, OFFSETS.long(), FLAGS.long())),
    "at_slots": (
        at_slots,
        to_at_slots,
        (ROWS, torch.randn(6, 128, generator=DRAW), torch.tensor([5, -1, 0, -99, 3]).int(), OFFSETS),
    ),
    "upper": (
        upper,
        to_upper,
        (torch.randn(61, 128, generator=DRAW), torch.randn(32, 256, generator=DRAW)),
    ),
    "decided": (decided, to_decided, (ROWS, WEIGHTS, OFFSETS)),
}
WAYS = [
    ("worklist", "grid"),
    ("overlaunch", "grid"),
    ("worklist", "emit_pipeline"),
    ("worklist", "fori_loop"),
    ("stream", "fori_loop"),
]


def verify_in(way: tuple[str, str], name: str) -> None:
    grouping, loop = way
    kernel, reference, args = CASES[name]
    config = tilec.Config(grouping=grouping, loop=loop)
    verify((tilec.kernel(config=config)(kernel.fn), reference, args), seeds=(0,))


@pytest.mark.parametrize("way", WAYS, ids="-".join)
@pytest.mark.parametrize("name", CASES)
def test_kernels_agree_with_torch_and_are_proven(name: str, way: tuple[str, str]) -> None:
    verify_in(way, name)


def test_loops_in_all_branches_are_right_in_each_loop() -> None:
    for way in (WAYS[0], WAYS[-1]):
        verify_in(way, "one_of_three")


def test_values_of_branches_that_are_not_taken_do_not_come_out() -> None:
    verify_in(WAYS[3], "shares")


def test_tiles_may_decide() -> None:
    verify_in(WAYS[1], "decided")


@pytest.mark.parametrize("loop", ["grid", "fori_loop"])
def test_single_elements_are_read_under_conditions(loop: str) -> None:
    args = torch.randn(5, 40, generator=DRAW), torch.randn(6), torch.tensor([0, -1, 5, -99, 3]).int()
    verify((tilec.kernel(config=tilec.Config(loop=loop))(scaled.fn), to_scaled, args), seeds=(0,))


def test_a_sum_that_goes_on_takes_one_scratch_and_no_choice() -> None:
    text = str(going_on.bind(ROWS, OFFSETS).mlir(after="fold-outer-pipeline"))
    assert text.count("tile.scratch") == 1
    assert "tile.select" not in text
