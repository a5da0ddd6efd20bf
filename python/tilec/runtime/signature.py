"""What a caller passes to a traced program and gets from it, beside the types that the program itself has."""

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp, i64
from xdsl.ir import BlockArgument, SSAValue

from tilec.diagnostics import fail
from tilec.dialects.tile.access import AccessOp
from tilec.dialects.tile.types import UNBOUND, element_type, shape_of
from tilec.dialects.tile.views import viewed_array
from tilec.emit.names import dtype_name

NARROWED = {"int64": "int32", "uint64": "uint32"}
"""The types that a TPU has not, and what a kernel takes in their place if the values fit."""


def held_as(dtype: str) -> str:
    """The type that a kernel has for one of a caller's, both numpy's names: of bytes from 0 the bits."""
    return "int8" if dtype == "uint8" else NARROWED.get(dtype, dtype)


@dataclass(frozen=True)
class Parameter:
    """An array that a caller passes: an extent `None` is any, `dtype` is numpy's name of what is passed.

    Where the program has 32-bit integers, 64-bit ones may be passed, here "int64". An array of one element in
    the program may be one without dimensions here. With `most`, integers must be below it and above its
    negative, for what is computed of them in 32 bits.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str
    most: int | None = None


@dataclass(frozen=True)
class Result:
    """What a caller gets: `dtype` as of a parameter. With `argument`, the new content of that parameter."""

    dtype: str
    argument: int | None = None


@dataclass(frozen=True)
class Signature:
    """The parameters and results of a program, in the order of those of its one function."""

    name: str
    parameters: tuple[Parameter, ...]
    results: tuple[Result, ...]

    @property
    def mutated(self) -> frozenset[int]:
        """The positions of the parameters that a call changes."""
        return frozenset(each.argument for each in self.results if each.argument is not None)


def signature_of(module: ModuleOp) -> Signature:
    """The signature that a program's own types give; an argument that is returned is one that it changes.

    Raises TileError for a program without exactly one function and for a type that no kernel holds.
    """
    function = only_function(module)
    parameters = [
        Parameter(
            argument.name_hint or f"argument {position}",
            tuple(None if size == UNBOUND else size for size in shape_of(argument.type)),
            _dtype(function, argument),
        )
        for position, argument in enumerate(function.body.block.args)
    ]
    results = [Result(_dtype(function, value), _argument(value)) for value in returned(function)]
    return Signature(function.sym_name.data, tuple(parameters), tuple(results))


def check_signature(module: ModuleOp, signature: Signature) -> None:
    """Raises TileError where a signature does not describe the one function of a program."""
    function = only_function(module)
    own = signature_of(module)
    if len(own.parameters) != len(signature.parameters) or len(own.results) != len(signature.results):
        fail(
            function,
            f"@{own.name} has {len(own.parameters)} arguments and {len(own.results)} results; its signature "
            f"has {len(signature.parameters)} and {len(signature.results)}",
        )
    for given, wanted in zip(signature.parameters, own.parameters, strict=True):
        scalar = given.shape == () and wanted.shape == (1,)
        if not (scalar or given.shape == wanted.shape) or not _holds(wanted.dtype, given.dtype):
            fail(function, f"parameter {given} of a signature is an argument {wanted} of @{own.name}")
    fresh = {given.argument for given in signature.results} | _only_read(function)
    for given, wanted in zip(signature.results, own.results, strict=True):
        # A view of an argument may be a result of its own, beside the argument if that is changed.
        known = given.argument == wanted.argument or (given.argument is None and wanted.argument in fresh)
        if not known or not _holds(wanted.dtype, given.dtype):
            fail(function, f"{given} of a signature is {wanted} of @{own.name}")


def only_function(module: ModuleOp) -> func.FuncOp:
    """The function of a module that has one. Raises TileError for one that has not."""
    found = [op for op in module.body.block.ops if isinstance(op, func.FuncOp) and not op.is_declaration]
    if len(found) != 1:
        fail(module, f"a program with one function can be called; this one has {len(found)}")
    return found[0]


def returned(function: func.FuncOp) -> Sequence[SSAValue]:
    """The values that a function returns."""
    last = function.body.block.last_op
    return () if last is None else last.operands


def _only_read(function: func.FuncOp) -> set[int | None]:
    """The positions of the arguments that a function does not write."""
    writes = (op for op in function.walk() if isinstance(op, AccessOp) and op.writes)
    written = {viewed_array(op.array) for op in writes}
    return {each.index for each in function.body.block.args if each not in written}


def _argument(value: SSAValue) -> int | None:
    array = viewed_array(value)
    return array.index if isinstance(array, BlockArgument) else None


def _dtype(function: func.FuncOp, value: SSAValue) -> str:
    element = element_type(value.type)
    return "int64" if element == i64 else dtype_name(function, element)


def _holds(dtype: str, given: str) -> bool:
    """Whether what a caller calls `given` can be `dtype` in a program."""
    return given == dtype or held_as(given) == dtype
