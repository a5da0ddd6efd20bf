"""Operators that divide, and powers."""

from collections.abc import Callable
from functools import reduce
from typing import Any, NoReturn

import torch
from xdsl.dialects import arith
from xdsl.dialects import math as mlir_math
from xdsl.ir import Operation, SSAValue

from tilec.frontend.aten.table import Call, handles
from tilec.frontend.known import Range
from tilec.frontend.lanes import computed_in, operand
from tilec.frontend.tiles import refuse_wrapped


def _tensor(value: Any, dtype: torch.dtype) -> torch.Tensor:
    """An argument in a dtype, a number of Python's too."""
    return value.to(dtype) if isinstance(value, torch.Tensor) else torch.full((), value, dtype=dtype)


@handles("div", "true_divide", "divide")
def _div(call: Call) -> torch.Tensor:
    mode = call.get("rounding_mode")
    if not call.out.is_floating_point():
        return _whole_quotient(call, arith.FloorDivSIOp if mode == "floor" else arith.DivSIOp)
    if mode == "floor":
        _refuse_floats(call)
    trace, dtype = call.trace, computed_in(call.out.dtype)
    a, b = (call.lanes(call[name], dtype) for name in ("self", "other"))
    quotient = trace.put(arith.DivfOp(a, b))
    return call.result(trace.put(mlir_math.TruncOp(quotient)) if mode == "trunc" else quotient)


@handles("floor_divide")
def _floor_divide(call: Call) -> torch.Tensor:
    if call.out.is_floating_point():
        _refuse_floats(call)
    return _whole_quotient(call, arith.FloorDivSIOp)


def _whole_quotient(call: Call, make: Callable[[SSAValue, SSAValue], Operation]) -> torch.Tensor:
    """The quotient of two integers. It is no larger than the first, but may have the other sign."""
    trace, dtype = call.trace, call.out.dtype
    a, b = (operand(trace, call[name], call.out.shape, dtype) for name in ("self", "other"))
    known = None
    if dtype is torch.int64:
        if a.range is None or b.range is None:
            refuse_wrapped(trace, f"an operand of {call.name}")
        most = max(a.range.high, -a.range.low)
        known = Range(-most, most)
    return call.result(trace.put(make(a.ssa, b.ssa)), known)


def _refuse_floats(call: Call) -> NoReturn:
    """Refuse what needs the exact quotient of floats, which a division that rounds does not tell."""
    call.trace.fail(
        f"{call.name} of floats is off by a whole divisor where a / b rounds up to a "
        "whole number; torch.floor(a / b) and a - torch.floor(a / b) * b say what is computed"
    )


@handles("fmod", "remainder")
def _rest(call: Call) -> torch.Tensor:
    """What a division leaves over: with the sign of the divisor, of fmod with that of what is divided."""
    if call.out.is_floating_point():
        _refuse_floats(call)
    return _whole_rest(call, floored=call.name == "remainder")


def _whole_rest(call: Call, *, floored: bool) -> torch.Tensor:
    """What a division of integers leaves over; it is smaller than the divisor."""
    trace, dtype = call.trace, call.out.dtype
    if dtype is torch.bool:
        trace.fail(f"{call.name} of bool is not supported; convert it to int32")
    a, b = (_tensor(call[name], dtype) for name in ("self", "other"))
    quotient = torch.div(a, b, rounding_mode="floor" if floored else "trunc")
    left, limit = trace.value(a - quotient * b), trace.value(b).range
    if dtype is not torch.int64 or limit is None:
        return call.result(left.ssa)
    most = max(limit.high, -limit.low)
    return call.result(left.ssa, Range(-most, most))


@handles("pow")
def _pow(call: Call) -> torch.Tensor:
    trace, base, exponent = call.trace, call["self"], call["exponent"]
    dtype = computed_in(call.out.dtype)
    if isinstance(exponent, int | float):
        value = _tensor(base, dtype)
        if exponent in range(9):
            made = reduce(torch.mul, [value] * int(exponent)) if exponent else torch.ones_like(value)
            return made.to(call.out.dtype)
        if dtype.is_floating_point and exponent in _ROOTS:
            return _ROOTS[exponent](value).to(call.out.dtype)
    if not dtype.is_floating_point:
        what = trace.describe(exponent) if isinstance(exponent, torch.Tensor) else exponent
        trace.fail(f"an integer to the power of {what}; 0 to 8 is accepted, or floats")
    a, b = (call.lanes(each, dtype) for each in (base, exponent))
    return call.result(trace.put(mlir_math.PowFOp(a, b)))


_ROOTS: dict[float, Callable[[torch.Tensor], torch.Tensor]] = {
    0.5: torch.sqrt,
    -0.5: torch.rsqrt,
    -1: torch.reciprocal,
}
"""Powers that are functions of their own."""
