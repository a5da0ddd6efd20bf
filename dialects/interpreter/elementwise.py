"""How `arith`, `math` and `tile.compare` run, lane by lane.

A lane of a result is undefined where one of an operand is.
"""

from typing import Any

import numpy as np
from xdsl.dialects import arith
from xdsl.ir import Operation

from tilec.dialects.tile import CompareOp
from tilec.dialects.tile.elementwise import Relation
from tilec.dialects.tile.types import element_type, shape_of

from .errors import fault
from .functions import (
    EXTENDED,
    FLOAT,
    FLOAT_COMPARISONS,
    INTEGER_COMPARISONS,
    SIGNED,
    UNDEFINED,
    UNSIGNED,
    Function,
)
from .machine import Machine, Step, rule
from .values import Data, Value, cast, convert, dtype_of, either, is_float


def signed(data: Data) -> Data:
    """Integers as signed ones; a true `i1` is -1."""
    if data.dtype == np.bool_:
        return -data.astype(np.int8)
    return data.view(f"int{data.dtype.itemsize * 8}")


def unsigned(data: Data) -> Data:
    """Integers as unsigned ones; a true `i1` is 1."""
    if data.dtype == np.bool_:
        return data.astype(np.uint8)
    return data.view(f"uint{data.dtype.itemsize * 8}")


def computable(data: Data) -> Data:
    """Floats in a type that numpy computes in; integers as signed ones."""
    if not is_float(data.dtype):
        return signed(data)
    return data.astype(np.float32) if data.dtype.itemsize == 2 else data


@rule(*FLOAT, *SIGNED, *UNSIGNED)
def lane_by_lane(op: Operation) -> Step:
    kind, (result,) = type(op), op.results
    function = (FLOAT | SIGNED | UNSIGNED)[kind]
    undefined = UNDEFINED.get(kind)
    lanes = unsigned if kind in UNSIGNED else computable
    dtype = dtype_of(op, element_type(result.type))

    def step(machine: Machine) -> None:
        operands: list[Value] = [machine.values[operand] for operand in op.operands]
        data = [lanes(operand.data) for operand in operands]
        poison = either(*[operand.poison for operand in operands])
        if undefined is not None and (marks := undefined(*data)).any():
            poison = either(poison, marks)
        machine.values[result] = Value(convert(function(*data), dtype), poison)

    return step


@rule(arith.CmpiOp, arith.CmpfOp)
def compare(op: arith.CmpiOp | arith.CmpfOp) -> Step:
    predicate = op.predicate.value.data
    if shape_of(op.lhs.type) != shape_of(op.result.type):
        fault(op, f"{op.name} compares {op.lhs.type} and results in one {op.result.type}; use tile.compare")
    function, lanes = np.equal, computable
    if isinstance(op, arith.CmpfOp):
        function = FLOAT_COMPARISONS[predicate]
    else:
        function, is_unsigned = INTEGER_COMPARISONS[predicate]
        lanes = unsigned if is_unsigned else signed

    def step(machine: Machine) -> None:
        lhs: Value = machine.values[op.lhs]
        rhs: Value = machine.values[op.rhs]
        machine.values[op.result] = Value(
            function(lanes(lhs.data), lanes(rhs.data)), either(lhs.poison, rhs.poison)
        )

    return step


RELATIONS: dict[Relation, np.ufunc] = {
    Relation.EQ: np.equal,
    Relation.NE: np.not_equal,
    Relation.LT: np.less,
    Relation.LE: np.less_equal,
    Relation.GT: np.greater,
    Relation.GE: np.greater_equal,
}


@rule(CompareOp)
def relate(op: CompareOp) -> Step:
    function = RELATIONS[op.relation.data]

    def step(machine: Machine) -> None:
        lhs: Value = machine.values[op.lhs]
        rhs: Value = machine.values[op.rhs]
        holds = function(computable(lhs.data), computable(rhs.data))
        machine.values[op.result] = Value(holds, either(lhs.poison, rhs.poison))

    return step


def same(data: Data) -> Data:
    return data


CONVERSIONS: dict[type[Operation], Function] = {
    arith.ExtFOp: same,
    arith.TruncFOp: same,
    arith.TruncIOp: same,
    arith.FPToSIOp: same,
    arith.FPToUIOp: same,
    arith.ExtSIOp: signed,
    arith.SIToFPOp: signed,
    arith.IndexCastOp: signed,
    arith.ExtUIOp: unsigned,
    arith.UIToFPOp: unsigned,
}
"""How conversions see the lanes they convert."""


@rule(*CONVERSIONS)
def convert_lanes(op: Operation) -> Step:
    (operand,), (result,) = op.operands, op.results
    lanes = CONVERSIONS[type(op)]
    dtype = dtype_of(op, element_type(result.type))
    target: np.dtype[Any] = (
        np.dtype(f"u{dtype}") if isinstance(op, arith.FPToUIOp) and dtype != np.bool_ else dtype
    )

    def step(machine: Machine) -> None:
        value: Value = machine.values[operand]
        source = lanes(value.data)
        if is_float(source.dtype):
            data, lost = cast(source, target)
        else:
            data, lost = convert(source, target), None
        machine.values[result] = Value(convert(data, dtype), either(value.poison, lost))

    return step


@rule(arith.BitcastOp)
def bitcast(op: arith.BitcastOp) -> Step:
    dtype = dtype_of(op, element_type(op.result.type))

    def step(machine: Machine) -> None:
        value: Value = machine.values[op.input]
        machine.values[op.result] = Value(value.data.view(dtype), value.poison)

    return step


@rule(*EXTENDED)
def extended(op: Operation) -> Step:
    (lhs, rhs), (low, high) = op.operands, op.results
    function, is_unsigned = EXTENDED[type(op)]
    dtype, high_dtype = (dtype_of(op, element_type(result.type)) for result in (low, high))
    lanes, width = unsigned if is_unsigned else signed, dtype.itemsize * 8

    def step(machine: Machine) -> None:
        sides: list[Value] = [machine.values[lhs], machine.values[rhs]]
        exact = function(*[lanes(np.asarray(side.data)).astype(object) for side in sides])
        poison = either(*[side.poison for side in sides])
        halves = np.asarray(exact & (2**width - 1)), np.asarray((exact >> width) & (2**width - 1))
        for result, half, kind in zip((low, high), halves, (dtype, high_dtype), strict=True):
            machine.values[result] = Value(convert(half.astype(np.uint64), kind), poison)

    return step
