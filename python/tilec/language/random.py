"""Random numbers that follow from a seed and the indices of lanes: the same however tiles are chosen."""

from collections.abc import Sequence
from typing import Any

import torch

from tilec.dialects.tile import IndicesOp
from tilec.frontend.known import Range, Value
from tilec.frontend.tiles import running
from tilec.frontend.torch_private import expression
from tilec.frontend.trace import Trace

Sizes = Sequence[int | torch.SymInt]
Seed = int | torch.Tensor


def rand(shape: Sizes, seed: Seed, device: Any = None) -> torch.Tensor:
    """f32 numbers from 0 to below 1, in a tile of this shape. They are not those of Helion or of torch.

    `seed` is an integer, or a tensor of one. A lane's number depends on it and on its indices alone.
    """
    trace = running("rand")
    return _bits(trace, shape, seed).to(torch.float32) * 2.0**-24


def randint(shape: Sizes, low: int, high: int, seed: Seed, device: Any = None) -> torch.Tensor:
    """int32 numbers from `low` to below `high`. Otherwise as `rand`.

    Raises TraceError where there are none of them, or more than 2**24.
    """
    trace = running("randint")
    if not 0 < high - low <= 2**24:
        trace.fail(f"randint from {low} to {high}; 1 to 2**24 numbers are accepted")
    return (rand(shape, seed) * (high - low)).to(torch.int32) + low


def _bits(trace: Trace, shape: Sizes, seed: Seed) -> torch.Tensor:
    """24 bits for each lane: a hash of the seed and the lane's indices, one after the other."""
    given = seed if isinstance(seed, torch.Tensor) else torch.full((), _wrapped(seed), dtype=torch.int32)
    state = _scrambled(given.to(torch.int32))
    for dim, size in enumerate(shape):
        numbers = _scrambled(_indices(trace, size) ^ 0x5BD1E995)
        # A sum of two hashes: rows of a tile are then no rows of another in a different order.
        state = _scrambled(state[..., None] + numbers if dim else state + numbers)
    return (state >> 8) & 0xFFFFFF


def _wrapped(number: int) -> int:
    """The last 32 bits of an integer, with a sign."""
    return (number + 2**31) % 2**32 - 2**31


def _indices(trace: Trace, size: int | torch.SymInt) -> torch.Tensor:
    """The indices of lanes along a dimension: those of the tile that it comes from."""
    if isinstance(size, int):
        return torch.arange(size, dtype=torch.int32)
    trace.dimension(size)  # refuses what is no tile
    made = Value(trace.put(IndicesOp(trace.axes[expression(size)].span)), Range(0, 2**31 - 1))
    return trace.tensor([size], torch.int32, made)


def _scrambled(bits: torch.Tensor) -> torch.Tensor:
    """An int32 that depends on all bits of another: the finaliser of MurmurHash3."""
    # Shifts of negative numbers bring ones in; the masks are those of shifts of numbers without a sign.
    bits = bits ^ ((bits >> 16) & 0xFFFF)
    bits = bits * _wrapped(0x85EBCA6B)
    bits = bits ^ ((bits >> 13) & 0x7FFFF)
    bits = bits * _wrapped(0xC2B2AE35)
    return bits ^ ((bits >> 16) & 0xFFFF)
