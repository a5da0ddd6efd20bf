"""How the operations that mix lanes run: dot, reduce, scans.

Floats are summed and multiplied in f64, and the result is rounded once.
"""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from tilec.dialects.tile import AssociativeScanOp, DotOp, ReduceOp, ScanOp
from tilec.dialects.tile.mixing import Combine, identity
from tilec.dialects.tile.syntax import ints_of
from tilec.dialects.tile.types import element_type, span_names

from .machine import Machine, Step, prepare_body, rule
from .values import Bits, Data, Value, convert, dtype_of, either, either_of, is_float

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


@rule(AssociativeScanOp)
def associative_scan(op: AssociativeScanOp) -> Step:
    dim, names = op.dim.value.data, span_names(op.values[0].type)
    body, combined = prepare_body(op.body.block)
    count = len(op.values)

    def step(machine: Machine) -> None:
        values: list[Value] = [machine.values[value] for value in op.values]
        shape = values[0].data.shape
        dead = machine.dead(names, [dim])
        live = np.ones(shape, np.bool_) if dead is None else ~np.broadcast_to(dead, shape)
        places = range(shape[dim]) if op.reverse is None else reversed(range(shape[dim]))
        sums, begun = [_lane(value, dim, 0) for value in values], np.zeros(live.take(0, dim).shape, np.bool_)
        found: dict[int, list[Value]] = {}
        for place in places:
            later, here = [_lane(value, dim, place) for value in values], np.asarray(live.take(place, dim))
            machine.values.update(zip(op.body.block.args, [*sums, *later], strict=True))
            body(machine)
            both: list[Value] = [machine.values[value] for value in combined]
            for i in range(count):
                first = either_of(Value(here), later[i], sums[i])
                sums[i] = either_of(Value(here & begun), both[i], first)
            begun = begun | here
            found[place] = list(sums)
        for i, result in enumerate(op.results):
            machine.define(result, _stacked([found[place][i] for place in range(shape[dim])], dim))

    return step


def _lane(value: Value, dim: int, place: int) -> Value:
    """One lane of a value along a dimension."""
    poison = None if value.poison is None else np.asarray(value.poison.take(place, dim))
    return Value(np.asarray(value.data.take(place, dim)), poison)


def _stacked(lanes: Sequence[Value], dim: int) -> Value:
    """The value that has these lanes along a dimension."""
    marks = [np.zeros(lane.data.shape, np.bool_) if lane.poison is None else lane.poison for lane in lanes]
    return Value(np.stack([lane.data for lane in lanes], dim), np.stack(marks, dim))
