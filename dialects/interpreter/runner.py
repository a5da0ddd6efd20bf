"""Running a function of a module on numpy arrays."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from xdsl.dialects import func
from xdsl.dialects.builtin import MemRefType, ModuleOp
from xdsl.ir import Attribute, Operation, SSAValue

from tilec.dialects.tile.types import UNBOUND, element_type, shape_of

from .errors import Race, fault
from .machine import Machine, name_of, prepare
from .memory import Array
from .segments import blame
from .values import Bits, Data, Value, dtype_of


@dataclass(frozen=True)
class Result:
    """What a function returns: elements, and which of them are defined. The others hold anything."""

    data: Data
    defined: Bits


def functions(module: ModuleOp) -> list[func.FuncOp]:
    """The functions that can be run."""
    return [op for op in module.walk() if isinstance(op, func.FuncOp) and not op.is_declaration]


def function_of(module: ModuleOp, entry: str) -> func.FuncOp:
    """The function `entry`. Raises InterpreterError if the module has none of that name with a body."""
    found = functions(module)
    for function in found:
        if function.sym_name.data == entry:
            return function
    names = ", ".join(f"@{function.sym_name.data}" for function in found) or "none"
    fault(module, f"there is no function @{entry} to run; the module has {names}")


def run(
    module: ModuleOp,
    entry: str,
    args: Sequence[Data],
    *,
    seed: int = 0,
    blocks: Mapping[str, int] | None = None,
    steps: "Counter[Operation] | None" = None,
) -> list[Result]:
    """Run the function `entry` of a verified `module` and return its results.

    `args` are arrays of the shapes and dtypes of the signature (`index` is int64, `i1` bool, bf16 that of
    ml_dtypes); scalars have rank 0. They are copied: what the program stores to one shows only where it is
    returned. `seed` decides the order of independent iterations, the garbage in undefined lanes, and the
    block of each tile axis that neither the program nor `blocks` (lanes by name) gives one. `steps` counts
    iterations by grid and by pipeline.

    Raises InterpreterError, at the operation, where the program does what the dialect forbids, and at the
    function where an argument does not fit.
    """
    function = function_of(module, entry)
    body = function.body.block
    if len(args) != len(body.args):
        fault(function, f"@{entry} takes {len(body.args)} arguments, and was given {len(args)}")
    machine = Machine(seed, blocks or {}, Counter() if steps is None else steps)
    for parameter, argument in zip(body.args, args, strict=True):
        check(function, parameter, argument)
        data = np.array(argument, order="C")
        is_array = isinstance(parameter.type, MemRefType)
        machine.values[parameter] = (
            Array(data, np.ones(data.shape, np.bool_), name_of(parameter)) if is_array else Value(data)
        )
    try:
        with np.errstate(all="ignore"):
            prepare(list(body.ops))(machine)
    except Race as race:
        blame(function, args, race)
    last = body.last_op
    return [result_of(machine.values[value]) for value in (last.operands if last else ())]


def check(function: func.FuncOp, parameter: SSAValue, argument: Data) -> None:
    """Raise InterpreterError if an argument is not of its parameter's type."""
    kind: Attribute = parameter.type
    shape, dtype = shape_of(kind), dtype_of(function, element_type(kind))
    given = np.asarray(argument)
    fits = len(shape) == given.ndim and all(
        extent in (UNBOUND, size) for extent, size in zip(shape, given.shape, strict=True)
    )
    if not fits or given.dtype != dtype:
        shown = f"{given.dtype} of shape {list(given.shape)}"
        fault(function, f"argument {name_of(parameter)} is of type {kind}, and was given {shown}")


def result_of(value: Array | Value) -> Result:
    if isinstance(value, Array):
        return Result(value.data(), value.defined())
    data = np.asarray(value.data)
    poison = (
        np.zeros(data.shape, np.bool_) if value.poison is None else np.broadcast_to(value.poison, data.shape)
    )
    return Result(data, ~poison)
