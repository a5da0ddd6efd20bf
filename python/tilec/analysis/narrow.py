"""Numbers that are known to fit in fewer bits than their type has."""

from math import isfinite
from struct import pack

from xdsl.dialects import arith
from xdsl.dialects.builtin import IntegerType, bf16, f32, i1
from xdsl.ir import SSAValue

from tilec.dialects.tile.elementwise import CastOp, SelectOp
from tilec.dialects.tile.syntax import scalar_of
from tilec.dialects.tile.types import element_type
from tilec.dialects.tile.values import BroadcastOp, SplatOp


def known_largest(value: SSAValue) -> int | None:
    """The largest number that a value of integers may hold, if it is known and none is negative."""
    kind, op = element_type(value.type), value.owner
    if not isinstance(kind, IntegerType):
        return None
    match op:
        case SplatOp() | arith.ConstantOp():
            number = int(scalar_of(op.value))
            return number if number >= 0 else None
        case BroadcastOp():
            return known_largest(op.value)
        case SelectOp():
            both = known_largest(op.true), known_largest(op.false)
            return None if None in both else max(each for each in both if each is not None)
        case CastOp() if element_type(op.value.type) == i1:
            return 1
        case CastOp():
            largest = known_largest(op.value)
            return largest if largest is not None and largest < 2 ** (kind.bitwidth - 1) else None
        case _:
            return None


def is_in_bf16(value: SSAValue) -> bool:
    """Whether all numbers of a value of f32 are numbers of bf16."""
    if element_type(value.type) != f32:
        return False
    match value.owner:
        case SplatOp() | arith.ConstantOp() as op:
            return pack("<f", float(scalar_of(op.value)))[:2] == b"\0\0"
        case BroadcastOp() as op:
            return is_in_bf16(op.value)
        case SelectOp() as op:
            return is_in_bf16(op.true) and is_in_bf16(op.false)
        case CastOp() as op:
            return element_type(op.value.type) in (bf16, i1)
        case _:
            return False


def is_finite(value: SSAValue) -> bool:
    """Whether no number of a value of floats can be infinite or NaN: it is made of constants that are not."""
    match value.owner:
        case SplatOp() | arith.ConstantOp() as op:
            return isfinite(scalar_of(op.value))
        case BroadcastOp() as op:
            return is_finite(op.value)
        case SelectOp() as op:
            return is_finite(op.true) and is_finite(op.false)
        case _:
            return False
