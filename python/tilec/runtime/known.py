"""What a function does with the integers among its arguments, before and between its kernels.

Control flow in kernels hangs on scalars: offsets of segments, worklists, extents. XLA makes some of them from
others. Here a traced function is evaluated as far as its integers go, on the CPU, without computing floats.
"""

import re
from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import jax
import numpy as np

from tilec.analysis.cost.scalars import UNKNOWN, Value
from tilec.chips import Chip
from tilec.runtime.finite import only_asks_whether_finite
from tilec.runtime.simulated import simulated

Words = list[Value]
"""The elements of an integer array, in order; booleans are 0 and 1. Each is without its sign, of 32 bits."""

Made = tuple[tuple[int, ...], str]
"""The shape and the dtype of a result."""

Call = Callable[[str | None, list[Words | None], Sequence[Made], bool], list[Words | None]]
"""Runs a kernel: from its name, if it has one, the operands, what its results are, and whether it only asks
of elements if they are finite, it makes these results."""

MOST = 1 << 20
"""Arrays of more are not looked at; scalar memory has room for fewer."""
INTEGERS = ("int32", "uint32", "bool")
"""The dtypes of arrays whose elements are looked at."""

_CALLS = {"pjit": "jaxpr", "jit": "jaxpr", "closed_call": "call_jaxpr", "custom_vjp_call": "call_jaxpr"}
"""Primitives that call a traced function, and the parameter that has it."""


def run_known(function: Callable[..., Any], arguments: Sequence[Any], chip: Chip, call: Call) -> None:
    """Evaluates `function`, traced for a chip, with `call` in place of its kernels.

    `arguments` are arrays, of which only integers are looked at, or `jax.ShapeDtypeStruct`s.
    """
    structs = [jax.ShapeDtypeStruct(each.shape, each.dtype) for each in arguments]
    with jax.enable_x64(False):
        with simulated(chip):
            traced = jax.make_jaxpr(function)(*structs)
        _evaluate(traced, [words_of(each) for each in arguments], call)


def words_of(array: Any) -> Words | None:
    """The elements of an integer array that is not too large; None for another, and for a struct."""
    if isinstance(array, jax.ShapeDtypeStruct) or str(array.dtype) not in INTEGERS or array.size > MOST:
        return None
    return list[Value]((np.asarray(array).astype(np.int64) & 0xFFFFFFFF).reshape(-1).tolist())


def _evaluate(traced: Any, arguments: Sequence[Words | None], call: Call) -> list[Words | None]:
    jaxpr = traced.jaxpr
    values: dict[Any, Words | None] = dict(zip(jaxpr.invars, arguments, strict=True))
    values.update(zip(jaxpr.constvars, map(words_of, traced.consts), strict=True))

    def value(atom: Any) -> Words | None:
        if hasattr(atom, "val"):  # a literal
            return words_of(np.asarray(atom.val, atom.aval.dtype))
        return values[atom]

    for equation in jaxpr.eqns:
        results = _results(equation, [value(atom) for atom in equation.invars], call)
        values.update(zip(equation.outvars, results, strict=True))
    return [value(atom) for atom in jaxpr.outvars]


def _results(equation: Any, operands: list[Words | None], call: Call) -> list[Words | None]:
    made: list[Made] = [(tuple(each.aval.shape), str(each.aval.dtype)) for each in equation.outvars]
    if equation.primitive.name == "pallas_call":
        finite = only_asks_whether_finite(equation.params["jaxpr"])
        return call(equation.params["name"], operands, made, finite)
    if equation.primitive.name in _CALLS:
        return _evaluate(equation.params[_CALLS[equation.primitive.name]], operands, call)
    if any(words is None or UNKNOWN in words for words in operands):
        return [None] * len(made)
    if any(prod(shape) > MOST or dtype not in INTEGERS for shape, dtype in made):
        return [None] * len(made)
    arrays = [
        np.array(words, np.uint32).astype(atom.aval.dtype).reshape(atom.aval.shape)
        for words, atom in zip(operands, equation.invars, strict=True)
    ]
    parameters = equation.primitive.get_bind_params(equation.params)
    results = equation.primitive.bind(*arrays, **parameters)
    return [words_of(each) for each in (results if equation.primitive.multiple_results else [results])]


def base_name(operation: str) -> str:
    """The name that a kernel was given, from that of its operation in HLO, which may end in a number."""
    return re.sub(r"\.\d+$", "", operation)
