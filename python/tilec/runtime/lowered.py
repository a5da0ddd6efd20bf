"""Compiles a program for calls: its Pallas text, and what is checked of arguments before a kernel runs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from xdsl.dialects import arith, func
from xdsl.dialects.builtin import FunctionType, ModuleOp
from xdsl.ir import Operation, SSAValue

from tilec.diagnostics import verify
from tilec.dialects.pallas import (
    CallOp,
    CheckElementsOp,
    CheckLengthsOp,
    CheckSegmentsOp,
    CheckSumOp,
    RequireOp,
)
from tilec.emit.module import print_module
from tilec.parsing import make_context
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.runtime.load import entry, load
from tilec.runtime.signature import only_function


@dataclass(frozen=True)
class Lowered:
    """The emitted module as `text`; `function` of it, and `check`, its wrapper without the kernels.

    Both take the arrays of the program in order. `check` raises ValueError where values break what the
    kernels rely on, such as offsets that are out of order; values under a transformation of jax are not seen.
    """

    text: str
    function: Callable[..., Any]
    check: Callable[..., None]


def lower(module: ModuleOp, choices: TileToPallas) -> Lowered:
    """Compiles a program with one function. Raises TileError for what a pass or the emitter refuses."""
    changed = module.clone()
    choices.apply(make_context(), changed)
    verify(changed)
    text = print_module(changed)
    name = only_function(changed).sym_name.data
    _keep_checks(only_function(changed))
    checks = load(print_module(changed), f"{name}_checks")
    vars(checks)["array_argument"] = _as_it_is
    return Lowered(text, entry(load(text, name), name), entry(checks, name))


def _as_it_is(name: str, value: Any, shape: tuple[int | None, ...], dtype: str) -> Any:
    """In place of the check of one argument: the arrays are known to fit."""
    return value


def _keep_checks(function: func.FuncOp) -> None:
    """Leaves of a lowered function what it checks on the host before kernels, and returns nothing.

    That arrays have rows is left to the function, which may get one that stands for none.
    """
    block = function.body.block
    computed: set[SSAValue] = set()  # by kernels, so not known on the host
    for op in block.ops:
        if isinstance(op, CallOp) or any(operand in computed for operand in op.operands):
            computed.update(op.results)
    for op in reversed(list(block.ops)):
        if isinstance(op, func.ReturnOp):
            op.operands = []
        elif not _is_check(op) or any(operand in computed for operand in op.operands):
            if not any(result.uses for result in op.results):
                op.detach()
                op.erase()
    inputs = [argument.type for argument in block.args]
    function.function_type = FunctionType.from_lists(inputs, [])


def _is_check(op: Operation) -> bool:
    if isinstance(op, RequireOp):
        return not isinstance(op.value.owner, arith.ConstantOp)
    return isinstance(op, CheckElementsOp | CheckLengthsOp | CheckSegmentsOp | CheckSumOp)
