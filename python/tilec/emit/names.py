"""Names of Python variables for values: valid, unique, and never one that the emitted module already uses."""

import builtins
import json
import keyword
import re

from xdsl.dialects.builtin import (
    BFloat16Type,
    Float16Type,
    Float32Type,
    IndexType,
    IntegerType,
    Signedness,
)
from xdsl.ir import Attribute, Operation

from tilec.diagnostics import fail

RESERVED = frozenset(
    {*keyword.kwlist, *dir(builtins), "functools", "interpret", "jax", "jnp", "lax", "np", "pl", "pltpu"}
    | {"TILE_LINES", "_", "array_argument", "check_segments", "device", "mesh", "rng", "whole_blocks"}
)
"""What no variable may be called: Python's own names, and those that every emitted module has."""

_INTEGERS = {8: "int8", 16: "int16", 32: "int32"}


class Names:
    """The names taken in one scope of the emitted module, with those of the scopes around it."""

    def __init__(self, taken: frozenset[str] | set[str] = RESERVED) -> None:
        self._taken = set(taken)

    def inner(self) -> "Names":
        """A scope inside this one. What is named there can be named so again beside it."""
        return Names(self._taken)

    def fresh(self, wish: str) -> str:
        """Take `wish`, made a valid name, or what comes next if it is taken: `x`, `x_1`, `x_2`."""
        base = re.sub(r"\W", "_", wish, flags=re.ASCII)
        base = base if re.match(r"[A-Za-z_]", base) else f"v{base}"
        name, count = base, 0
        while name in self._taken:
            count += 1
            name = f"{base}_{count}"
        self._taken.add(name)
        return name


def dtype_name(op: Operation, element: Attribute) -> str:
    """The numpy name of an element type. Raises TileError at `op` for one that a TPU kernel cannot hold."""
    match element:
        case Float32Type():
            return "float32"
        case BFloat16Type():
            return "bfloat16"
        case Float16Type():
            return "float16"
        case IndexType():
            return "int32"
        case IntegerType(width=width, signedness=sign) if width.data in _INTEGERS:
            unsigned = "u" if sign.data == Signedness.UNSIGNED else ""
            return unsigned + _INTEGERS[width.data]
        case IntegerType(width=width) if width.data == 1:
            return "bool"
        case _:
            fail(
                op,
                f"{op.name}: a TPU kernel cannot hold {element}; f32, bf16, f16, i1, i8, i16, i32 are fine",
            )


def dtype_text(op: Operation, element: Attribute) -> str:
    """The Python expression for an element type: `jnp.float32`."""
    name = dtype_name(op, element)
    return "jnp.bool_" if name == "bool" else f"jnp.{name}"


def shape_text(shape: tuple[int, ...] | list[int] | list[str]) -> str:
    """A Python tuple: `(128, 256)`, `(128,)`, `()`."""
    items = ", ".join(str(item) for item in shape)
    return f"({items},)" if len(shape) == 1 else f"({items})"


def string_text(text: str) -> str:
    """A Python string literal in double quotes."""
    return json.dumps(text)
