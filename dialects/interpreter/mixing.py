"""How the operations that mix lanes run: dot, reduce, scan.

Floats are summed and multiplied in f64, and the result is rounded once.
"""

from collections.abc import Collection
from typing import Any

import numpy as np

from tilec.dialects.tile import DotOp, ReduceOp, ScanOp
from tilec.dialects.tile.mixing import Combine, identity
from tilec.dialects.tile.syntax import ints_of
from tilec.dialects.tile.types import element_type, span_names

from .machine import Machine, Step, rule
from .values import Bits, Data, Value, convert, dtype_of, either, is_float

UFUNCS: dict[Combine, "np.ufunc"] = {
    Combine.ADD: np.add,
    Combine.MUL: np.multiply,
    Combine.MAX: np.maximum,
    Combine.MIN: np.minimum,
    Combine.AND: np.bitwise_and,
    Combine.OR: np.bitwise_or,
    Combine.XOR: np.bitwise_xor,
}


def wide(data: Data) -> Data:
    """Lanes in the type that holds their sum: f64, or i64, whose low bits are those of the sum."""
    if is_float(data.dtype):
        return data.astype(np.float64)
    return -data.astype(np.int64) if data.dtype == np.bool_ else data.astype(np.int64)


def mixed(
    machine: Machine, value: Value, names: tuple[str | None, ...], dims: Collection[int], neutral: Any
) -> tuple[Data, Bits | None]:
    """The lanes of an operand, widened, and which are undefined. Those dead along `dims` are `neutral`."""
    data, dead = wide(value.data), machine.dead(names, dims)
    if dead is None:
        return data, value.poison
    dead = np.broadcast_to(dead, data.shape)
    return np.where(dead, neutral, data), None if value.poison is None else value.poison & ~dead


@rule(DotOp)
def dot(op: DotOp) -> Step:
    sides = [
        (value, dim, span_names(value.type))
        for value, dim in zip((op.lhs, op.rhs), op.contracted, strict=True)
    ]
    dtype = dtype_of(op, element_type(op.result.type))

    def step(machine: Machine) -> None:
        data: list[Data] = []
        marks: list[Bits | None] = []
        for position, (operand, dim, names) in enumerate(sides):
            lanes, poison = mixed(machine, machine.values[operand], names, [dim], 0)
            summed = -1 - position  # where numpy has the contracted dimension of this operand
            data.append(np.moveaxis(lanes, dim, summed))
            reached = None if poison is None else poison.any(dim)
            marks.append(None if reached is None else np.expand_dims(reached, summed))
        product = data[0] @ data[1]
        if op.acc is not None:
            acc: Value = machine.values[op.acc]
            product += acc.data
            marks.append(acc.poison)
        poison = either(*marks)
        if poison is not None:
            poison = np.broadcast_to(poison, product.shape)
        machine.define(op.result, Value(convert(product, dtype), poison))

    return step


@rule(ReduceOp)
def reduce(op: ReduceOp) -> Step:
    dims, kind = ints_of(op.dims), op.kind.data
    element = element_type(op.value.type)
    dtype, neutral = dtype_of(op, element), identity(kind, element)
    names = span_names(op.value.type)

    def step(machine: Machine) -> None:
        data, poison = mixed(machine, machine.values[op.value], names, dims, neutral)
        combined = UFUNCS[kind].reduce(data, axis=dims)
        reached = None if poison is None else np.asarray(poison.any(dims))
        machine.define(op.result, Value(convert(combined, dtype), reached))

    return step


@rule(ScanOp)
def scan(op: ScanOp) -> Step:
    dim, kind = op.dim.value.data, op.kind.data
    element = element_type(op.value.type)
    dtype, neutral = dtype_of(op, element), identity(kind, element)
    names = span_names(op.value.type)

    def running(combine: np.ufunc, data: Data) -> Data:
        if op.reverse is None:
            return combine.accumulate(data, axis=dim)
        return np.flip(combine.accumulate(np.flip(data, dim), axis=dim), dim)

    def step(machine: Machine) -> None:
        data, poison = mixed(machine, machine.values[op.value], names, [dim], neutral)
        combined = running(UFUNCS[kind], data)
        reached = None if poison is None else running(np.logical_or, poison)
        machine.define(op.result, Value(convert(combined, dtype), reached))

    return step
