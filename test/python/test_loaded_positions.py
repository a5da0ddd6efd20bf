"""Stores of grids at positions that are loaded, as writes to the slots of a cache: the three proofs."""

import numpy as np
import pytest
import torch
from torch_cases import Case, verify

import tilec
import tilec.language as hl
from tilec.diagnostics import TileError
from tilec.dialects.interpreter import InterpreterError, run
from tilec.testing import check

RANDOM = torch.Generator().manual_seed(0)


def drawn(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=RANDOM)


SLOTS = torch.tensor([3, 17, 5, 31, 0])
OFFSETS = torch.tensor([0, 3, 3, 10, 20, 31])


@tilec.kernel
def written(cache: torch.Tensor, slots: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    for i in hl.grid(slots.size(0)):
        cache[slots[i], :, :] = x[i, :, :]
    return cache


def to_slots(cache: torch.Tensor, slots: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    cache[slots] = x
    return cache


@tilec.kernel
def written_rows(cache: torch.Tensor, slots: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Rows of a matrix share tiles of memory."""
    for i in hl.grid(slots.size(0)):
        cache[slots[i], :] = x[i, :]
    return cache


@tilec.kernel
def written_pages(
    cache: torch.Tensor, table: torch.Tensor, lengths: torch.Tensor, x: torch.Tensor
) -> torch.Tensor:
    """Neither pages nor rows alone differ."""
    for b in hl.grid(lengths.size(0)):
        last = lengths[b] - 1
        cache[table[b, last // 16], last % 16, :, :] = x[b, :, :]
    return cache


def to_pages(
    cache: torch.Tensor, table: torch.Tensor, lengths: torch.Tensor, x: torch.Tensor
) -> torch.Tensor:
    for b, length in enumerate(map(int, lengths)):
        cache[table[b, (length - 1) // 16], (length - 1) % 16] = x[b]
    return cache


@tilec.kernel
def faded(cache: torch.Tensor, slots: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """What is read is what the same iteration writes."""
    for i in hl.grid(slots.size(0)):
        cache[slots[i], :, :] = cache[slots[i], :, :] * 0.5 + x[i, :, :]
    return cache


def to_faded(cache: torch.Tensor, slots: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    cache[slots] = cache[slots] * 0.5 + x
    return cache


@tilec.kernel
def summed(cache: torch.Tensor, slots: torch.Tensor, offsets: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """A store after a loop over a segment, which may be empty."""
    for g in hl.grid(slots.size(0)):
        acc = hl.zeros([x.size(1), x.size(2)])
        for r in hl.tile(offsets[g], offsets[g + 1]):
            acc = acc + x[r, :, :].sum(0)
        cache[slots[g], :, :] = acc
    return cache


def to_sums(cache: torch.Tensor, slots: torch.Tensor, offsets: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    for g, slot in enumerate(map(int, slots)):
        cache[slot] = x[offsets[g] : offsets[g + 1]].sum(0)
    return cache


@tilec.kernel
def some(cache: torch.Tensor, slots: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Iterations without a slot of their own store nothing."""
    for i in hl.grid(slots.size(0)):
        if slots[i] >= 0:
            cache[slots[i], :, :] = x[i, :, :]
    return cache


def to_some(cache: torch.Tensor, slots: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    cache[slots[slots >= 0]] = x[slots >= 0]
    return cache


@tilec.kernel
def appended(cache: torch.Tensor, lengths: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """The batch tells iterations apart; without a length the position is outside of the cache."""
    for b in hl.grid(lengths.size(0)):
        if lengths[b] > 0:
            cache[b, lengths[b] - 1, :] = x[b, :]
    return cache


def to_appended(cache: torch.Tensor, lengths: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    for b, length in enumerate(map(int, lengths)):
        if length > 0:
            cache[b, length - 1] = x[b]
    return cache


@tilec.kernel
def added(
    cache: torch.Tensor, slots: torch.Tensor, offsets: torch.Tensor, x: torch.Tensor, table: torch.Tensor
) -> torch.Tensor:
    """A condition around a loop, and around what is read at positions that only it keeps inside."""
    for g in hl.grid(slots.size(0)):
        slot = slots[g]
        if slot >= 0:
            acc = hl.zeros([x.size(1)])
            for r in hl.tile(offsets[g], offsets[g + 1]):
                acc = acc + x[r, :].sum(0)
            cache[slot, :] = cache[slot, :] + acc * table[slot, :]
    return cache


def to_added(
    cache: torch.Tensor, slots: torch.Tensor, offsets: torch.Tensor, x: torch.Tensor, table: torch.Tensor
) -> torch.Tensor:
    for g, slot in enumerate(map(int, slots)):
        if slot >= 0:
            cache[slot] += x[offsets[g] : offsets[g + 1]].sum(0) * table[slot]
    return cache


KERNELS: dict[str, Case] = {
    "written": (written, to_slots, (drawn(32, 4, 128), SLOTS, drawn(5, 4, 128))),
    "written_rows": (written_rows, to_slots, (drawn(32, 128), SLOTS, drawn(5, 128))),
    "written_pages": (
        written_pages,
        to_pages,
        (
            drawn(24, 16, 4, 128),
            torch.tensor([[3, 1], [5, 0], [7, 8]]),
            torch.tensor([4, 20, 32]),
            drawn(3, 4, 128),
        ),
    ),
    "faded": (faded, to_faded, (drawn(32, 4, 128), SLOTS, drawn(5, 4, 128))),
    "summed": (summed, to_sums, (drawn(32, 8, 128), SLOTS, OFFSETS, drawn(31, 8, 128))),
    "some": (some, to_some, (drawn(32, 4, 128), torch.tensor([3, -1, 31, 0, -1000]), drawn(5, 4, 128))),
    "added": (
        added,
        to_added,
        (drawn(32, 128), torch.tensor([3, -1000, 31, 0, -7]), OFFSETS, drawn(31, 128), drawn(32, 128)),
    ),
    "appended": (appended, to_appended, (drawn(5, 40, 128), torch.tensor([3, 0, 40, 1, 9]), drawn(5, 128))),
}


@pytest.mark.parametrize("name", KERNELS)
def test_agrees_with_torch_and_is_proven(name: str) -> None:
    verify(KERNELS[name], chips=("v5e", "tpu7x"))


@pytest.mark.parametrize("grouping", ["worklist", "overlaunch", "stream"])
def test_segments_end_in_slots_however_they_are_gone_through(grouping: str) -> None:
    _, reference, args = KERNELS["summed"]
    loop = "fori_loop" if grouping == "stream" else "grid"
    configured = tilec.kernel(config=tilec.Config(grouping=grouping, loop=loop))(summed.fn)
    check(configured, reference, lambda: args)


def test_only_what_is_written_is_copied() -> None:
    """A slot of its own, or the tile of memory around a row of bf16."""
    cache, lengths, x = KERNELS["appended"][2]
    halves = appended.bind(cache.bfloat16(), lengths, x.bfloat16())
    for bound, block in ((written.bind(*KERNELS["written"][2]), "[_, 4, 128]"), (halves, "[_, 16, 128]")):
        text = str(bound.mlir(after="convert-tile-to-pallas"))
        outs = [line for line in text.splitlines() if "pallas.out " in line or "pallas.pipe_out" in line]
        assert outs
        assert all(f"block {block}" in line for line in outs), text


def test_slots_that_are_the_same_are_a_race() -> None:
    kernel, _, (cache, _, x) = KERNELS["written"]
    again = torch.tensor([3, 17, 5, 3, 0])
    module = kernel.bind(cache, again, x).traced.module
    with pytest.raises(InterpreterError, match="race: "):
        run(module, "written", [cache.numpy(), again.numpy().astype(np.int32), x.numpy()])


def test_what_another_iteration_may_write_is_not_read() -> None:
    @tilec.kernel
    def moved(cache: torch.Tensor, slots: torch.Tensor, origins: torch.Tensor) -> torch.Tensor:
        for i in hl.grid(slots.size(0)):
            cache[slots[i], :, :] = cache[origins[i], :, :]
        return cache

    with pytest.raises(TileError, match=r"race: the store at .* and the load at .* may touch one element"):
        moved(drawn(32, 4, 128), SLOTS, SLOTS)
