"""Accesses that say more than an index: masks, and updates of what others update too."""

from collections.abc import Sequence
from typing import Any

import torch

from tilec.dialects.tile import AtomicRmwOp
from tilec.dialects.tile.atomics import Rmw
from tilec.frontend import indexing
from tilec.frontend.known import Value
from tilec.frontend.tiles import running

Indices = Sequence[Any]


def load(
    tensor: torch.Tensor,
    index: Indices,
    extra_mask: torch.Tensor | None = None,
    eviction_policy: str | None = None,
) -> torch.Tensor:
    """`tensor[index]`; where `extra_mask` is false nothing is read and the lane is 0. There is no cache for
    which `eviction_policy` could matter.
    """
    return indexing.load(running("load"), tensor, tuple(index), extra_mask)


def store(tensor: torch.Tensor, index: Indices, value: Any, extra_mask: torch.Tensor | None = None) -> None:
    """`tensor[index] = value`; where `extra_mask` is false nothing is written."""
    indexing.store(running("store"), tensor, tuple(index), value, extra_mask)


def _atomic(
    word: str, kind: Rmw, tensor: torch.Tensor, index: Indices, value: Any, expected: Any = None
) -> Any:
    trace = running(word)
    if tensor.dtype is torch.uint8 and kind in (Rmw.MAX, Rmw.MIN):
        trace.fail(f"{word} to {trace.describe(tensor)}, in which memory has signed bytes; make it int32")
    window = indexing.target(trace, tensor, tuple(index), word)
    ssa = indexing.value_for(trace, window, tensor, value)
    wanted = None if expected is None else indexing.value_for(trace, window, tensor, expected)
    if window.gathers:
        trace.emit(AtomicRmwOp(kind, ssa, window.ssa, window.dims, expected=wanted))
        return None
    # Only where it is used do its iterations need an order; else it is dropped when the trace is finished.
    old = trace.put(AtomicRmwOp(kind, ssa, window.ssa, window.dims, expected=wanted, old=True))
    found = indexing.of_array(trace, indexing.in_order(trace, window, old), tensor.dtype)
    return trace.tensor(window.shape, tensor.dtype, Value(found))


def atomic_add(tensor: torch.Tensor, index: Indices, value: Any, sem: str = "relaxed") -> Any:
    """Add `value` to `tensor[index]`, whoever else does. Sums of 16-bit floats are kept in f32."""
    return _atomic("atomic_add", Rmw.ADD, tensor, index, value)


def atomic_max(tensor: torch.Tensor, index: Indices, value: Any, sem: str = "relaxed") -> Any:
    """Let `tensor[index]` be `value` where that is larger."""
    return _atomic("atomic_max", Rmw.MAX, tensor, index, value)


def atomic_min(tensor: torch.Tensor, index: Indices, value: Any, sem: str = "relaxed") -> Any:
    """Let `tensor[index]` be `value` where that is smaller."""
    return _atomic("atomic_min", Rmw.MIN, tensor, index, value)


def atomic_and(tensor: torch.Tensor, index: Indices, value: Any, sem: str = "relaxed") -> Any:
    """Combine `tensor[index]` with `value` by bitwise and."""
    return _atomic("atomic_and", Rmw.AND, tensor, index, value)


def atomic_or(tensor: torch.Tensor, index: Indices, value: Any, sem: str = "relaxed") -> Any:
    """Combine `tensor[index]` with `value` by bitwise or."""
    return _atomic("atomic_or", Rmw.OR, tensor, index, value)


def atomic_xor(tensor: torch.Tensor, index: Indices, value: Any, sem: str = "relaxed") -> Any:
    """Combine `tensor[index]` with `value` by bitwise exclusive or."""
    return _atomic("atomic_xor", Rmw.XOR, tensor, index, value)


def atomic_xchg(tensor: torch.Tensor, index: Indices, value: Any, sem: str = "relaxed") -> Any:
    """Put `value` into `tensor[index]`. Iterations that meet need an order."""
    return _atomic("atomic_xchg", Rmw.EXCHANGE, tensor, index, value)


def atomic_cas(tensor: torch.Tensor, index: Indices, expected: Any, value: Any, sem: str = "relaxed") -> Any:
    """Put `value` into `tensor[index]` where that equals `expected`. Iterations that meet need an order."""
    return _atomic("atomic_cas", Rmw.COMPARE_EXCHANGE, tensor, index, value, expected)
