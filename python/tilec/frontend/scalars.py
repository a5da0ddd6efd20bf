"""Scalar arithmetic on indices: torch's symbolic integers as operations on `index`."""

from collections.abc import Callable
from functools import reduce
from typing import Any

import sympy
import torch
from xdsl.dialects import arith
from xdsl.dialects.builtin import IndexType, IntegerAttr, IntegerType
from xdsl.ir import Operation, SSAValue

from tilec.dialects.tile.access import Dim
from tilec.dialects.tile.bound import BoundOp, Side
from tilec.frontend.torch_private import expression
from tilec.frontend.trace import Trace

Index = int | SSAValue
Make = Callable[[SSAValue, SSAValue], Operation]

_FUNCTIONS: dict[str, Make] = {
    "FloorDiv": arith.FloorDivSIOp,
    "CleanDiv": arith.FloorDivSIOp,
    "Max": arith.MaxSIOp,
    "Min": arith.MinSIOp,
}
"""By the name of a sympy function."""

_RELATIONS: dict[type, str] = {
    sympy.Eq: "eq",
    sympy.Ne: "ne",
    sympy.StrictLessThan: "slt",
    sympy.LessThan: "sle",
    sympy.StrictGreaterThan: "sgt",
    sympy.GreaterThan: "sge",
}
"""Those of `arith.cmpi`, by sympy relation."""


def constant(trace: Trace, number: int) -> SSAValue:
    """An index that is known."""
    return trace.put(arith.ConstantOp(IntegerAttr(number, IndexType())))


def index_of(trace: Trace, size: Any) -> Index:
    """A Python or symbolic integer as an index: a number where it is known."""
    if isinstance(size, int):
        return size
    return _index(trace, expression(size))


def _index(trace: Trace, expr: Any) -> Index:
    if expr.is_Integer:
        return int(expr)
    if expr.is_Symbol:
        return _symbol(trace, expr)
    parts = [_index(trace, each) for each in expr.args]
    if expr.is_Add:
        return reduce(lambda a, b: _binary(trace, arith.AddiOp, a, b), sorted(parts, key=_is_number))
    if expr.is_Mul:
        return reduce(lambda a, b: _binary(trace, arith.MuliOp, a, b), sorted(parts, key=_is_number))
    name = type(expr).__name__
    if name in _FUNCTIONS:
        return reduce(lambda a, b: _binary(trace, _FUNCTIONS[name], a, b), parts)
    if name in ("Mod", "PythonMod"):
        quotient = _binary(trace, arith.FloorDivSIOp, parts[0], parts[1])
        return _binary(trace, arith.SubiOp, parts[0], _binary(trace, arith.MuliOp, quotient, parts[1]))
    if expr.is_Pow and expr.exp.is_Integer and int(expr.exp) > 0:
        return reduce(lambda a, b: _binary(trace, arith.MuliOp, a, b), [parts[0]] * int(expr.exp))
    trace.fail(f"the index {expr} cannot be computed; +, -, *, //, %, min and max of integers are accepted")


def _is_number(index: Index) -> bool:
    return isinstance(index, int)


def _binary(trace: Trace, make: Make, a: Index, b: Index) -> SSAValue:
    return trace.put(make(as_value(trace, a), as_value(trace, b)))


def as_value(trace: Trace, index: Index) -> SSAValue:
    """An index as a value."""
    return constant(trace, index) if isinstance(index, int) else index


def _symbol(trace: Trace, symbol: sympy.Symbol) -> SSAValue:
    if symbol in trace.indices:
        return trace.indices[symbol]
    axis = trace.axes.get(symbol)
    if axis is None:
        trace.fail(
            f"the number {trace.words_of(symbol)} is only known inside the loop that makes it; use it there"
        )
    return bound(trace, "size", axis.span)


def bound(trace: Trace, which: str, span: SSAValue) -> SSAValue:
    """The begin, end or size of a tile."""
    return trace.put(BoundOp(Side(which), span))


def dim_at(trace: Trace, size: Any, shift: int = 0) -> Dim:
    """A symbolic index as a dimension of a window: a value, shifted by what is a number in it."""
    if isinstance(size, int):
        return Dim(shift=size + shift)
    expr = expression(size) + shift
    rest, number = expr.as_independent(*expr.free_symbols, as_Add=True)[::-1]
    base = _index(trace, rest)
    return Dim(shift=base + int(number)) if isinstance(base, int) else Dim(base, int(number))


def i32_of(trace: Trace, index: SSAValue) -> SSAValue:
    """An index as a 32-bit integer."""
    return trace.put(arith.IndexCastOp(index, IntegerType(32)))


def truth_of(trace: Trace, condition: Any) -> SSAValue:
    """A symbolic condition as an `i1`."""
    return _truth(trace, expression(condition))


def _truth(trace: Trace, expr: Any) -> SSAValue:
    if expr in (sympy.true, sympy.false):
        return trace.put(arith.ConstantOp.from_int_and_width(int(bool(expr)), 1))
    if isinstance(expr, sympy.And | sympy.Or):
        make = arith.AndIOp if isinstance(expr, sympy.And) else arith.OrIOp
        return reduce(lambda a, b: trace.put(make(a, b)), [_truth(trace, each) for each in expr.args])
    if isinstance(expr, sympy.Not):
        one = trace.put(arith.ConstantOp.from_int_and_width(1, 1))
        return trace.put(arith.XOrIOp(_truth(trace, expr.args[0]), one))
    for relation, name in _RELATIONS.items():
        if isinstance(expr, relation):
            a, b = (as_value(trace, _index(trace, each)) for each in expr.args)
            return trace.put(arith.CmpiOp(a, b, name))
    trace.fail(f"the condition {expr} cannot be computed")


def is_symbolic(value: object) -> bool:
    """Whether a number or a condition is one that torch only knows by name."""
    return isinstance(value, torch.SymInt | torch.SymBool | torch.SymFloat)
