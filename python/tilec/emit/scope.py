"""What is known about values while a function is printed: their Python text, and which are constants."""

import math
import re
import struct
from dataclasses import dataclass, field
from typing import cast

from xdsl.dialects import arith
from xdsl.dialects.builtin import (
    AnyFloat,
    DenseIntOrFPElementsAttr,
    Float32Type,
    FloatAttr,
    IntegerAttr,
    TensorType,
    i1,
)
from xdsl.ir import Attribute, Operation, SSAValue

from tilec.diagnostics import fail
from tilec.dialects.tile import BroadcastOp, SplatOp
from tilec.dialects.tile.syntax import scalar_of
from tilec.dialects.tile.types import element_type, shape_of

from .names import Names, dtype_text, shape_text


@dataclass(frozen=True)
class Constant:
    """One number in every lane of a value: a literal, or a scalar that is broadcast. `op` made the value."""

    literal: str
    kind: Attribute
    op: Operation

    @property
    def typed(self) -> str:
        """An expression that has the value's own shape and dtype."""
        dtype, shape = dtype_text(self.op, element_type(self.kind)), shape_text(shape_of(self.kind))
        if not isinstance(self.kind, TensorType):
            return f"{dtype}({self.literal})"
        if self.literal in ("0", "0.0", "False"):
            return f"jnp.zeros({shape}, {dtype})"
        return f"jnp.full({shape}, {self.literal}, {dtype})"


@dataclass
class Scope:
    """The values that one Python scope can use. What `host` scopes compute with are Python integers."""

    names: Names
    host: bool
    texts: dict[SSAValue, str] = field(default_factory=dict[SSAValue, str])
    constants: dict[SSAValue, Constant] = field(default_factory=dict[SSAValue, Constant])
    traced: set[SSAValue] = field(default_factory=set[SSAValue])

    def inner(self) -> "Scope":
        """A scope inside this one, which sees all that this one holds now."""
        return Scope(self.names.inner(), self.host, dict(self.texts), dict(self.constants), set(self.traced))

    def name(self, value: SSAValue, default: str) -> str:
        """Give a value a variable of its own, called after its name in the program."""
        self.texts[value] = self.names.fresh(value.name_hint or default)
        return self.texts[value]

    def alias(self, value: SSAValue, other: SSAValue) -> None:
        """Let `value` be the same text, or the same constant, as `other`."""
        if other in self.constants:
            known = self.constants[other]
            self.constants[value] = Constant(known.literal, value.type, known.op)
        else:
            self.texts[value] = self.text(other)
        if other in self.traced:
            self.traced.add(value)

    def text(self, value: SSAValue) -> str:
        """The whole expression for a value, to stand between commas. A constant array is written out."""
        if value in self.constants:
            known = self.constants[value]
            return known.typed if isinstance(value.type, TensorType) else known.literal
        if value not in self.texts:
            fail(
                _owner(value),
                f"the kernel uses %{value.name_hint or '?'}, a {value.type}, which it cannot see there",
            )
        return self.texts[value]

    def atom(self, value: SSAValue) -> str:
        """The expression for a value, to stand beside an operator."""
        text = self.text(value)
        return text if is_atom(text) else f"({text})"

    def number(self, value: SSAValue | int) -> str:
        """The expression for a number that a program gives as a literal or as a value."""
        return str(value) if isinstance(value, int) else self.text(value)

    def typed(self, value: SSAValue) -> str:
        """The expression for a value that must be an array of its own dtype: what loops carry."""
        return self.constants[value].typed if value in self.constants else self.text(value)


def _owner(value: SSAValue) -> Operation:
    owner = value.owner
    if isinstance(owner, Operation):
        return owner
    parent = owner.parent_op()
    assert parent is not None
    return parent


def is_atom(text: str) -> bool:
    """Whether an expression keeps its meaning beside an operator without brackets around it."""
    if text.startswith(("-", "~")):
        return re.fullmatch(r"-[\d.e+]+", text) is not None
    depth = 0
    for character in text:
        depth += (character in "([") - (character in ")]")
        if character == " " and depth == 0:
            return False
    return True


def constant_of(op: Operation, scope: Scope) -> Constant | None:
    """What `op` makes, if that is one number in every lane."""
    if isinstance(op, SplatOp):
        return Constant(literal(op.value), op.result.type, op)
    if isinstance(op, BroadcastOp) and not isinstance(op.value.type, TensorType):
        return Constant(scope.text(op.value), op.result.type, op)
    if not isinstance(op, arith.ConstantOp):
        return None
    value = op.value
    if isinstance(value, DenseIntOrFPElementsAttr):
        elements = list(value.get_attrs())
        if any(element != elements[0] for element in elements):
            fail(
                op, "arith.constant holds different elements, which a kernel cannot; load them from an array"
            )
        return Constant(literal(elements[0]), op.result.type, op)
    return Constant(literal(value), op.result.type, op)


def literal(value: Attribute) -> str:
    """A Python literal for a float or integer attribute: the shortest that rounds to it."""
    number = scalar_of(value)
    if isinstance(number, int):
        return str(bool(number)) if cast("IntegerAttr", value).type == i1 else str(number)
    if math.isnan(number):
        return "jnp.nan"
    if math.isinf(number):
        return "jnp.inf" if number > 0 else "-jnp.inf"
    if isinstance(cast("FloatAttr[AnyFloat]", value).type, Float32Type):
        exact = struct.pack("f", number)
        short = (float(f"{number:.{digits}g}") for digits in range(1, 10))
        return repr(next((text for text in short if _packs_to(text, exact)), number))
    return repr(number)


def _packs_to(number: float, exact: bytes) -> bool:
    try:
        return struct.pack("f", number) == exact
    except OverflowError:
        return False
