"""Operators that mix the lanes of a value: reductions and scans."""

from collections.abc import Sequence
from functools import reduce
from operator import mul
from typing import Any

import torch
from xdsl.dialects import arith
from xdsl.dialects.builtin import IntegerType
from xdsl.ir import SSAValue

from tilec.dialects.tile import CompareOp, ReduceOp, SelectOp
from tilec.dialects.tile.elementwise import Relation
from tilec.dialects.tile.mixing import Combine
from tilec.dialects.tile.types import element_type, shape_of, span_of
from tilec.frontend.aten.table import Call, handles
from tilec.frontend.known import PLACES, Range, Value
from tilec.frontend.lanes import (
    LIMITS,
    broadcast,
    computed_in,
    convert,
    splat,
)
from tilec.frontend.positions import lane_numbers
from tilec.frontend.scalars import bound
from tilec.frontend.tiles import new_index, refuse_wrapped
from tilec.frontend.torch_private import expression
from tilec.frontend.trace import Trace


def dims_of(call: Call, rank: int) -> list[int]:
    """The dimensions that are reduced, all of them where none is named."""
    given = call.get("dim")
    if given is None or given == []:
        return list(range(rank))
    given = list(given) if isinstance(given, list | tuple) else [given]
    return sorted(dim % rank if rank else 0 for dim in given)


def _reduced(call: Call, kind: Combine, dtype: torch.dtype) -> torch.Tensor:
    """The operand combined along the dimensions that the call names, in `dtype`."""
    trace, given = call.trace, call["self"]
    value = convert(trace, trace.value(given), given.dtype, dtype)
    dims = dims_of(call, given.dim()) if given.dim() else []
    made = trace.put(ReduceOp(kind, value.ssa, dims)) if dims else value.ssa
    return call.result(_kept(call, made, dims), _reduced_range(call, kind, value, dtype))


def _reduced_range(call: Call, kind: Combine, value: Value, dtype: torch.dtype) -> Range | None:
    """The range of 64-bit integers. Sums are of fewer than 2**31 lanes, of which each is 0 or 1."""
    if call.out.dtype is not torch.int64:
        return None
    known = value.range if dtype is torch.int64 else LIMITS.get(dtype)
    if kind is Combine.ADD and known != LIMITS[torch.bool]:
        return None
    return Range(0, 2**31 - 1) if kind is Combine.ADD else known


def _kept(call: Call, made: SSAValue, dims: Sequence[int]) -> SSAValue:
    """What a reduction leaves, with dimensions of extent 1 where the call keeps them."""
    if not dims or len(shape_of(made.type)) == call.out.dim():
        return made
    kind = call.trace.kind(call.out.shape, element_type(made.type))
    kept = [dim for dim in range(call.out.dim()) if dim not in dims]
    return broadcast(call.trace, made, kind, kept)


@handles("sum")
def _sum(call: Call) -> torch.Tensor:
    return _reduced(call, Combine.ADD, computed_in(call.out.dtype))


@handles("prod")
def _prod(call: Call) -> torch.Tensor:
    return _reduced(call, Combine.MUL, computed_in(call.out.dtype))


_EXTREMES = {
    "amax": Combine.MAX,
    "amin": Combine.MIN,
    "argmax": Combine.MAX,
    "argmin": Combine.MIN,
}
"""How the operators combine that look for an extreme."""


@handles("amax", "amin")
def _extreme(call: Call) -> torch.Tensor:
    given, kind = call["self"], _EXTREMES[call.name]
    if given.dtype is torch.int64 and call.trace.value(given).range is None:
        refuse_wrapped(call.trace, "what is compared")
    if given.dtype is torch.bool:  # one bit is a sign: its largest number is 0
        kind = Combine.OR if kind is Combine.MAX else Combine.AND
    return _reduced(call, kind, computed_in(call.out.dtype))


@handles("any")
def _any(call: Call) -> torch.Tensor:
    return _reduced(call, Combine.OR, torch.bool)


@handles("all")
def _all(call: Call) -> torch.Tensor:
    return _reduced(call, Combine.AND, torch.bool)


@handles("mean")
def _mean(call: Call) -> torch.Tensor:
    """The sum over the number of lanes that count: of a tile, those inside its range."""
    given = call["self"]
    wide = given.to(computed_in(call.out.dtype))
    dims = dims_of(call, given.dim())
    total = wide.sum(dims, keepdim=bool(call.get("keepdim")))
    return (total / _live_count(call.trace, given, dims)).to(call.out.dtype)


def _live_count(trace: Trace, value: torch.Tensor, dims: Sequence[int]) -> Any:
    """How many lanes along some dimensions count."""
    return reduce(mul, [live_lanes(trace, value.shape[dim]) for dim in dims], 1)


def live_lanes(trace: Trace, size: Any) -> Any:
    """How many lanes of a dimension count: fewer than its size in the last tile of an axis."""
    if isinstance(size, int):
        return size
    axis = trace.axes.get(expression(size))
    if axis is None or span_of(axis.span) is None:
        trace.fail(f"the mean over a dimension of size {trace.words(size)}, which is no tile here")
    begin = new_index(trace, f"{axis.name}_begin", lambda: bound(trace, "begin", axis.span))
    end = new_index(trace, f"{axis.name}_end", lambda: bound(trace, "end", axis.span))
    return end - begin


@handles("var", "std")
def _var(call: Call) -> torch.Tensor:
    variance, _ = _variance(call)
    return (torch.sqrt(variance) if call.name == "std" else variance).to(call.out.dtype)


@handles("var_mean", "std_mean")
def _var_mean(call: Call) -> tuple[torch.Tensor, torch.Tensor]:
    variance, mean = _variance(call)
    first = torch.sqrt(variance) if call.name == "std_mean" else variance
    return first.to(call.out[0].dtype), mean.to(call.out[1].dtype)


def _variance(call: Call) -> tuple[torch.Tensor, torch.Tensor]:
    """The variance and the mean in f32: the mean first, then the squares of what is left."""
    given = call["self"].to(computed_in(call["self"].dtype))
    dims, keep = dims_of(call, given.dim()), bool(call.get("keepdim"))
    mean = given.mean(dims, keepdim=True)
    left = given - mean
    count = _live_count(call.trace, given, dims)
    correction = call.get("correction")
    if correction is None:
        correction = 1 if call.get("unbiased") in (None, True) else 0
    variance = (left * left).sum(dims, keepdim=keep) / (count - int(correction))
    return variance, mean if keep else mean.squeeze(dims)


@handles("argmax", "argmin")
def _position(call: Call) -> torch.Tensor:
    """The first lane that holds the extreme, as torch numbers it: from 0 in the tile.

    A NaN counts as the extreme.
    """
    trace, given, dim = call.trace, call["self"], call["dim"]
    if dim is None:
        trace.fail(f"{call.name} without dim; give the dimension")
    dim %= given.dim()
    return call.result(_first_lane(call, given, dim), PLACES)


def _first_lane(call: Call, given: torch.Tensor, dim: int) -> SSAValue:
    trace = call.trace
    # Truth values as numbers: one bit is a sign, and its largest number is 0.
    value = trace.value(given.to(torch.int32 if given.dtype is torch.bool else computed_in(given.dtype)))
    if given.dtype is torch.int64 and value.range is None:
        refuse_wrapped(trace, "what is compared")
    top = trace.put(ReduceOp(_EXTREMES[call.name], value.ssa, [dim]))
    others = [each for each in range(given.dim()) if each != dim]
    wide = broadcast(trace, top, value.ssa.type, others)
    hit = trace.put(CompareOp(Relation.EQ, value.ssa, wide))
    if given.is_floating_point():
        hit = trace.put(arith.OrIOp(hit, trace.put(CompareOp(Relation.NE, value.ssa, value.ssa))))
    numbers = lane_numbers(trace, given.shape[dim])
    wide_numbers = broadcast(trace, numbers, trace.kind(given.shape, IntegerType(32)), [dim])
    none = splat(trace, 2**31 - 1, wide_numbers.type)
    first = trace.put(ReduceOp(Combine.MIN, trace.put(SelectOp(hit, wide_numbers, none)), [dim]))
    return _kept(call, first, [dim])


@handles("max", "min")
def _max(call: Call) -> Any:
    """`x.max()`, and `x.max(dim)`, which also tells where."""
    of_largest = call.name == "max"
    extreme = torch.amax if of_largest else torch.amin
    if call.get("dim") is None:
        return extreme(call["self"])
    where = torch.argmax if of_largest else torch.argmin
    dim, keep = call["dim"], bool(call["keepdim"])
    return extreme(call["self"], dim, keep), where(call["self"], dim, keep)
