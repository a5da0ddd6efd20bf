"""How the `tile` operations that mix no lanes run: constants, indices, choices, casts and shapes."""

import numpy as np
from xdsl.dialects import arith
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr
from xdsl.ir import SSAValue

from tilec.dialects.tile import (
    BoundOp,
    BroadcastOp,
    CastOp,
    ConcatenateOp,
    DistinctOp,
    FillOp,
    IndicesOp,
    InterleaveOp,
    ReshapeOp,
    RunsOp,
    SelectOp,
    SliceOp,
    SplatOp,
    StridedSliceOp,
    TransposeOp,
    WholeOp,
)
from tilec.dialects.tile.bound import Side
from tilec.dialects.tile.syntax import ints_of, scalar_of
from tilec.dialects.tile.types import element_type, shape_of

from .errors import fault
from .machine import Machine, Step, rule
from .spans import Span
from .values import Data, Value, cast, convert, dtype_of, either, either_of


@rule(SplatOp)
def splat(op: SplatOp) -> Step:
    number = convert(np.asarray(scalar_of(op.value)), dtype_of(op, element_type(op.result.type)))
    return spread(op.result, number)


@rule(DistinctOp)
def distinct(op: DistinctOp) -> Step:
    """What it promises is seen where it is used: two iterations that write one element are a race."""

    def step(machine: Machine) -> None:
        for position, result in zip(op.positions, op.results_, strict=True):
            machine.define(result, machine.values[position])

    return step


@rule(arith.ConstantOp)
def constant(op: arith.ConstantOp) -> Step:
    dtype = dtype_of(op, element_type(op.result.type))
    if not isinstance(op.value, DenseIntOrFPElementsAttr):
        return spread(op.result, convert(np.asarray(scalar_of(op.value)), dtype))
    lanes = convert(np.array(op.value.get_values()), dtype)
    return spread(op.result, lanes[0] if op.value.is_splat() else lanes.reshape(op.value.get_shape()))


def spread(result: SSAValue, lanes: Data) -> Step:
    """Define `result` by constant lanes, or by one for all."""

    def step(machine: Machine) -> None:
        machine.define(result, Value(np.broadcast_to(lanes, machine.shape(result.type))))

    return step


@rule(IndicesOp)
def indices(op: IndicesOp) -> Step:
    def step(machine: Machine) -> None:
        span: Span = machine.values[op.span]
        machine.define(op.result, Value(np.arange(span.start, span.start + span.size, dtype=np.int32)))

    return step


@rule(RunsOp)
def runs(op: RunsOp) -> Step:
    def step(machine: Machine) -> None:
        firsts = [machine.values[each] for each in op.firsts]
        data = np.concatenate([np.arange(op.length.value.data) + int(each.data) for each in firsts])
        lost = [
            np.full(op.length.value.data, each.poison is not None and bool(each.poison)) for each in firsts
        ]
        machine.define(op.result, Value(data.astype(np.int32), np.concatenate(lost)))

    return step


@rule(BoundOp)
def bound(op: BoundOp) -> Step:
    side = op.side.data

    def step(machine: Machine) -> None:
        span: Span = machine.values[op.span]
        sides = {Side.BEGIN: span.lo, Side.END: span.hi, Side.SIZE: span.size}
        machine.values[op.result] = Value(np.asarray(sides[side], np.int64))

    return step


@rule(SelectOp, arith.SelectOp)
def select(op: SelectOp | arith.SelectOp) -> Step:
    def step(machine: Machine) -> None:
        machine.values[op.results[0]] = either_of(*(machine.values[each] for each in op.operands))

    return step


@rule(CastOp)
def cast_(op: CastOp) -> Step:
    dtype = dtype_of(op, element_type(op.result.type))

    def step(machine: Machine) -> None:
        value: Value = machine.values[op.value]
        data, lost = cast(value.data, dtype)
        machine.values[op.result] = Value(data, either(value.poison, lost))

    return step


@rule(BroadcastOp)
def broadcast(op: BroadcastOp) -> Step:
    dims = ints_of(op.dims)

    def step(machine: Machine) -> None:
        value: Value = machine.values[op.value]
        shape = list(machine.shape(op.result.type))
        aligned = [1] * len(shape)
        for dim, size in zip(dims, value.data.shape, strict=True):
            aligned[dim], shape[dim] = size, max(shape[dim], size)  # one element is repeated along a span
        if min(shape) < 0:
            fault(op, f"{op.name} to {op.result.type} cannot know the extent of a `?` that has no span")
        data, poison = reshaped(value, aligned)
        poison = None if poison is None else np.broadcast_to(poison, shape)
        machine.define(op.result, Value(np.broadcast_to(data, shape), poison))

    return step


def reshaped(value: Value, shape: list[int]) -> Value:
    """A value under another shape."""
    poison = None if value.poison is None else np.asarray(value.poison).reshape(shape)
    return Value(np.asarray(value.data).reshape(shape), poison)


@rule(TransposeOp)
def transpose(op: TransposeOp) -> Step:
    perm = ints_of(op.perm)

    def step(machine: Machine) -> None:
        value: Value = machine.values[op.value]
        poison = None if value.poison is None else value.poison.transpose(perm)
        machine.values[op.result] = Value(value.data.transpose(perm), poison)

    return step


@rule(ReshapeOp)
def reshape(op: ReshapeOp) -> Step:
    def step(machine: Machine) -> None:
        shape = list(machine.shape(op.result.type))
        machine.values[op.result] = reshaped(machine.values[op.value], shape)

    return step


@rule(ConcatenateOp)
def concatenate(op: ConcatenateOp) -> Step:
    dim = op.dim.value.data

    def step(machine: Machine) -> None:
        values: list[Value] = [machine.values[value] for value in op.values]
        data = np.concatenate([value.data for value in values], dim)
        poison = None
        if any(value.poison is not None for value in values):
            marks = [np.zeros(v.data.shape, np.bool_) if v.poison is None else v.poison for v in values]
            poison = np.concatenate(marks, dim)
        machine.values[op.result] = Value(data, poison)

    return step


@rule(SliceOp)
def slice_(op: SliceOp) -> Step:
    dim, begin, size = op.numbers
    lanes = (*[slice(None)] * dim, slice(begin, begin + size))

    def step(machine: Machine) -> None:
        value: Value = machine.values[op.value]
        poison = None if value.poison is None else value.poison[lanes]
        machine.values[op.result] = Value(value.data[lanes], poison)

    return step


@rule(StridedSliceOp)
def strided_slice(op: StridedSliceOp) -> Step:
    begin, step = op.numbers

    def run(machine: Machine) -> None:
        value: Value = machine.values[op.value]
        poison = None if value.poison is None else value.poison[..., begin::step]
        machine.values[op.result] = Value(value.data[..., begin::step], poison)

    return run


@rule(InterleaveOp)
def interleave(op: InterleaveOp) -> Step:
    def step(machine: Machine) -> None:
        values: list[Value] = [machine.values[value] for value in op.values]
        shape = machine.shape(op.result.type)
        data = np.stack([value.data for value in values], -1).reshape(shape)
        poison = None
        if any(value.poison is not None for value in values):
            marks = [np.zeros(v.data.shape, np.bool_) if v.poison is None else v.poison for v in values]
            poison = np.stack(marks, -1).reshape(shape)
        machine.values[op.result] = Value(data, poison)

    return step


@rule(FillOp)
def fill(op: FillOp) -> Step:
    trailing = len(shape_of(op.value.type)) - op.dim - 1

    def step(machine: Machine) -> None:
        value: Value = machine.values[op.value]
        span: Span = machine.values[op.span]
        if span.whole:
            machine.values[op.result] = value
            return
        other: Value = machine.values[op.other]
        dead = span.dead.reshape([-1] + [1] * trailing)
        data = np.where(dead, other.data, value.data)
        marks = [False if side.poison is None else side.poison for side in (other, value)]
        poison = np.broadcast_to(np.where(dead, *marks), data.shape)
        machine.values[op.result] = Value(data, poison if poison.any() else None)

    return step


@rule(WholeOp)
def whole(op: WholeOp) -> Step:
    def step(machine: Machine) -> None:
        span: Span = machine.values[op.span]
        if not span.whole:
            fault(op, f"tile.whole of a tile with {int(span.dead.sum())} dead lanes of {span.size}")
        machine.values[op.result] = machine.values[op.value]

    return step
