"""Values lane by lane: constants, conversions and shapes, as operations of the program."""

from collections.abc import Sequence

import torch
from xdsl.dialects import arith
from xdsl.dialects.builtin import IntegerType
from xdsl.ir import Attribute, SSAValue

from tilec.dialects.tile import BroadcastOp, CastOp, ReduceOp, SplatOp
from tilec.dialects.tile.mixing import Combine
from tilec.dialects.tile.syntax import ints_of, scalar_of
from tilec.dialects.tile.types import element_type, shape_of
from tilec.frontend.elements import HALVES
from tilec.frontend.known import Range, Value
from tilec.frontend.scalars import as_value, i32_of, index_of, truth_of
from tilec.frontend.tiles import refuse_wrapped
from tilec.frontend.trace import Size, Trace

Operand = torch.Tensor | torch.SymInt | torch.SymBool | bool | int | float


def computed_in(dtype: torch.dtype) -> torch.dtype:
    """The dtype that torch computes in, lane by lane: f32 for 16-bit floats, which it rounds afterwards."""
    return torch.float32 if dtype in HALVES else dtype


def cast(trace: Trace, ssa: SSAValue, element: Attribute) -> SSAValue:
    """A value with another element type."""
    return ssa if element_type(ssa.type) == element else trace.put(CastOp(ssa, element))


def convert(trace: Trace, value: Value, old: torch.dtype, new: torch.dtype) -> Value:
    """A value of dtype `old` as one of `new`."""
    if old is new:
        return value
    if old is torch.int64 and value.range is None and new is not torch.int32:
        refuse_wrapped(trace, "what is converted")
    if new is torch.uint8:
        return as_byte(trace, Value(cast(trace, value.ssa, trace.element(new))), old)
    known = value.range if old is torch.int64 else value.range or LIMITS.get(old)
    # Of 32 bits only what was a truth value is known: how many are true is then known to fit.
    kept = new is torch.int64 or (new is torch.int32 and old is torch.bool)
    return Value(cast(trace, value.ssa, trace.element(new)), known if kept else None)


def as_byte(trace: Trace, value: Value, old: torch.dtype = torch.int32) -> Value:
    """A value of 32-bit integers as torch's uint8 has it, modulo 256; `old` is what the integers were."""
    if old is torch.bool:
        return value
    return Value(trace.put(arith.AndIOp(value.ssa, splat(trace, 255, value.ssa.type))))


LIMITS: dict[torch.dtype, Range] = {
    torch.bool: Range(0, 1),
    torch.uint8: Range(0, 2**8 - 1),
    torch.int8: Range(-(2**7), 2**7 - 1),
    torch.int16: Range(-(2**15), 2**15 - 1),
    torch.int32: Range(-(2**31), 2**31 - 1),
}
"""What integers can be of which nothing else is known."""


def splat(trace: Trace, number: float, kind: Attribute) -> SSAValue:
    """One number in every lane."""
    element = element_type(kind)
    if isinstance(element, IntegerType):
        number = signed(int(number), element.bitwidth)
    return trace.put(SplatOp(number, kind))


def signed(number: int, width: int) -> int:
    """An integer of so many bits as the signed one that has them; a truth value as it is."""
    return number - 2**width if width > 1 and number >= 2 ** (width - 1) else number


def operand(trace: Trace, given: Operand, shape: Sequence[Size], dtype: torch.dtype) -> Value:
    """What torch calls an argument of a lane-by-lane function, in the shape and dtype of its result."""
    element = trace.element(dtype)
    if isinstance(given, torch.Tensor):
        value = convert(trace, trace.value(given), given.dtype, dtype)
        return Value(broadcast(trace, value.ssa, trace.kind(shape, element)), value.range)
    if isinstance(given, torch.SymInt | torch.SymBool):
        scalar, known = symbol_value(trace, given)
        return Value(broadcast(trace, cast(trace, scalar, element), trace.kind(shape, element)), known)
    number = bool(given) if dtype is torch.bool else int(given) % 256 if dtype is torch.uint8 else given
    if dtype is torch.int64 and not Range(int(given), int(given)).fits:
        trace.fail(f"the constant {given} does not fit 32 bits, and a TPU has no 64-bit integers")
    known = Range(int(given), int(given)) if dtype is torch.int64 else None
    return Value(splat(trace, number, trace.kind(shape, element)), known)


def symbol_value(trace: Trace, given: torch.SymInt | torch.SymBool) -> tuple[SSAValue, Range]:
    """A symbolic number as a scalar."""
    if isinstance(given, torch.SymBool):
        return truth_of(trace, given), Range(0, 1)
    return i32_of(trace, as_value(trace, index_of(trace, given))), Range(-(2**31), 2**31 - 1)


def broadcast(trace: Trace, ssa: SSAValue, kind: Attribute, dims: Sequence[int] | None = None) -> SSAValue:
    """A value repeated to the shape of `kind`; `dims` says where its dimensions go, at the end without."""
    if ssa.type == kind:
        return ssa
    rank, wanted = len(shape_of(ssa.type)), len(shape_of(kind))
    places = list(range(wanted - rank, wanted)) if dims is None else list(dims)
    owner = ssa.owner
    if isinstance(owner, SplatOp):
        return splat(trace, scalar_of(owner.value), kind)
    if isinstance(owner, BroadcastOp) and _adds_only_ones(owner):
        inner = owner.value
        return broadcast(trace, inner, kind, [places[dim] for dim in ints_of(owner.dims)])
    return trace.put(BroadcastOp(ssa, places, kind))


def _adds_only_ones(op: BroadcastOp) -> bool:
    """Whether a broadcast repeats nothing, but only adds dimensions of extent 1."""
    dims, shape = ints_of(op.dims), shape_of(op.result.type)
    inner = shape_of(op.value.type)
    added = [size for dim, size in enumerate(shape) if dim not in dims]
    return all(size == 1 for size in added) and all(inner[i] == shape[dim] for i, dim in enumerate(dims))


def squeezed(trace: Trace, ssa: SSAValue, dims: Sequence[int]) -> SSAValue:
    """A value without dimensions of extent 1."""
    if not dims:
        return ssa
    owner = ssa.owner
    if isinstance(owner, BroadcastOp) and _adds_only_ones(owner):
        kept = [dim for dim in range(len(shape_of(ssa.type))) if dim not in dims]
        if kept == list(ints_of(owner.dims)):
            return owner.value
    # One lane is the maximum of itself, and of a truth value the only one that holds.
    kind = Combine.OR if element_type(ssa.type) == IntegerType(1) else Combine.MAX
    return trace.put(ReduceOp(kind, ssa, sorted(dims)))


def truth(trace: Trace, ssa: SSAValue) -> SSAValue:
    """Whether a lane is not zero."""
    return cast(trace, ssa, IntegerType(1))


def inverted(trace: Trace, ssa: SSAValue) -> SSAValue:
    """The opposite of truth values."""
    return trace.put(arith.XOrIOp(ssa, splat(trace, 1, ssa.type)))
