"""Operators that make tensors: arrays of the program on the host, constants in a tile."""

import math
from typing import Any

import torch
from xdsl.dialects.builtin import MemRefType
from xdsl.ir import SSAValue

from tilec.dialects.tile import EmptyOp, FullOp
from tilec.dialects.tile.types import UNBOUND
from tilec.frontend.aten.table import Call, handles
from tilec.frontend.elements import IN_ARRAYS
from tilec.frontend.known import UNNAMED, Array, Range, Value
from tilec.frontend.lanes import operand, signed
from tilec.frontend.positions import lane_numbers
from tilec.frontend.scalars import as_value, index_of, is_symbolic
from tilec.frontend.torch_private import expression
from tilec.frontend.trace import Trace


@handles("empty", "empty_like", "new_empty", "empty_strided", "new_empty_strided", "empty_permuted")
def _empty(call: Call) -> torch.Tensor:
    if call.trace.in_tile:
        return filled(call.trace, call.out, 0)
    return _array(call.trace, call.out, None)


@handles("full", "full_like", "new_full", "fill")
def _full(call: Call) -> torch.Tensor:
    value = call.get("fill_value")
    return filled(call.trace, call.out, call["value"] if value is None else value)


@handles("zeros", "zeros_like", "new_zeros", "zero")
def _zeros(call: Call) -> torch.Tensor:
    return filled(call.trace, call.out, 0)


@handles("ones", "ones_like", "new_ones")
def _ones(call: Call) -> torch.Tensor:
    return filled(call.trace, call.out, 1)


LIKE = (
    "empty_like",
    "new_empty",
    "new_empty_strided",
    "full_like",
    "new_full",
    "zeros_like",
    "new_zeros",
    "ones_like",
    "new_ones",
)
"""Operators that take a tensor only to make one like it."""


@handles("scalar_tensor")
def _scalar(call: Call) -> torch.Tensor:
    return filled(call.trace, call.out, call["s"], array=False)


def filled(trace: Trace, out: torch.Tensor, value: Any, *, array: bool = True) -> torch.Tensor:
    """A tensor with one number in every element. Without dimensions it is a value wherever it is made."""
    if array and not trace.in_tile and out.dim() and not isinstance(value, torch.Tensor):
        return _array(trace, out, value)
    return trace.bind(out, operand(trace, value, out.shape, out.dtype))


def _array(trace: Trace, out: torch.Tensor, value: Any) -> torch.Tensor:
    """A new array of the program."""
    trace.element(out.dtype)
    if any(not is_symbolic(size) and size == 0 for size in out.shape):
        trace.fail(f"an array of shape {trace.describe(out)}, which has no elements; one or more are needed")
    shape, rows = list(out.shape) or [1], _rows(trace, out)
    if rows:
        shape[0] = UNBOUND
    kind = MemRefType(IN_ARRAYS[out.dtype], shape)
    if value is None:
        made = trace.put(EmptyOp(kind, **rows))
    else:
        if isinstance(value, torch.Tensor):
            trace.fail("an array filled with a tensor; fill it with a number, or store in a loop over tiles")
        if isinstance(value, float) and math.isnan(value):
            trace.fail("an array filled with NaN; store it in a loop over tiles")
        made = trace.put(FullOp(_content(value, out.dtype), kind, **rows))
    return trace.bind(out, Array.whole(made, UNNAMED, out.dim()))


def _content(value: float, dtype: torch.dtype) -> float:
    """A number as an array of a dtype holds it."""
    if dtype is torch.uint8:
        return signed(int(value), 8)
    return bool(value) if dtype is torch.bool else value


def _rows(trace: Trace, out: torch.Tensor) -> dict[str, SSAValue]:
    """Where the leading extent of a new array comes from, if that is not a number."""
    if any(is_symbolic(size) for size in out.shape[1:]) or (trace.in_tile and is_symbolic(out.shape[0])):
        trace.fail(f"an array of shape {trace.describe(out)}; only its leading extent may be unknown")
    if not out.dim() or not is_symbolic(out.shape[0]):
        return {}
    like = trace.extents.get(expression(out.shape[0]))
    return {"extent": as_value(trace, index_of(trace, out.shape[0]))} if like is None else {"like": like}


@handles("arange")
def _arange(call: Call) -> torch.Tensor:
    trace, start, step = call.trace, call.get("start") or 0, call.get("step") or 1
    numbers = trace.tensor(call.out.shape, torch.int64, Value(lane_numbers(trace, call.out.shape[0]), LANES))
    if step != 1:
        numbers = numbers * step
    if not isinstance(start, int) or start != 0:
        numbers = numbers + start
    return numbers.to(call.out.dtype)


LANES = Range(0, 2**31 - 1)
