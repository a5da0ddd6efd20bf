"""Where lanes mix: reduce and scan, beside `tile.dot`; and `tile.fill`, which defines dead lanes.

A dead lane (one outside its span) counts as the identity here: 0 in a dot or a sum, minus infinity in a
maximum. Everywhere else lanes stay apart, so a dead lane can only make a dead lane.
"""

import math
from abc import ABC
from collections.abc import Sequence
from typing import ClassVar, Self

from xdsl.dialects.builtin import (
    AnyFloat,
    DenseArrayBase,
    IntegerAttr,
    IntegerType,
    TensorType,
    UnitAttr,
    i1,
    i64,
)
from xdsl.dialects.utils import EnumAttribute
from xdsl.ir import Attribute, SpacedOpaqueSyntaxAttribute, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_attr_definition,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.str_enum import StrEnum

from .axes import verify_names
from .syntax import dense_i64, ints_of, parse_int_list, parse_known_operand, print_int_list, unit_if
from .types import JaggedSpanType, SpanType, element_type, shape_of, span_names, span_of, value_type


class Combine(StrEnum):
    """An associative and commutative way to combine two lanes. `and`, `or`, `xor` are for integers."""

    ADD = "add"
    MUL = "mul"
    MAX = "max"
    MIN = "min"
    AND = "and"
    OR = "or"
    XOR = "xor"


@irdl_attr_definition
class CombineAttr(EnumAttribute[Combine], SpacedOpaqueSyntaxAttribute):
    """How a reduction or a scan combines lanes."""

    name = "tile.combine"


def identity(kind: Combine, element: Attribute) -> float | int:
    """The element that `kind` leaves any other unchanged with, as a number of type `element`.

    Raises `VerifyException` where `kind` is not for that type.
    """
    if isinstance(element, AnyFloat):
        table = {Combine.ADD: 0.0, Combine.MUL: 1.0, Combine.MAX: -math.inf, Combine.MIN: math.inf}
        if kind not in table:
            raise VerifyException(f"`{kind}` combines integers, not {element}")
        return table[kind]
    if not isinstance(element, IntegerType):
        raise VerifyException(f"`{kind}` combines floats or integers, not {element}")
    ones = -1 if element != i1 else 1
    half = 2 ** (element.bitwidth - 1)
    return {
        Combine.ADD: 0,
        Combine.MUL: 1,
        Combine.MAX: -half,
        Combine.MIN: half - 1,
        Combine.AND: ones,
        Combine.OR: 0,
        Combine.XOR: 0,
    }[kind]


@irdl_op_definition
class ReduceOp(IRDLOperation):
    """Combines the lanes along some dimensions, which disappear.

    Dead lanes count as the identity; so does no lane at all.
    `kind` is add, mul, max, min, and for integers and, or, xor. The order of combination is not fixed.

    Example:
        %s = tile.reduce add %v dims [1]
    """

    name = "tile.reduce"
    kind = prop_def(CombineAttr)
    value = operand_def(TensorType)
    dims = prop_def(DenseArrayBase.constr(i64))
    result = result_def()
    traits = traits_def(Pure())

    def __init__(self, kind: Combine, value: SSAValue, dims: Sequence[int]):
        super().__init__(
            operands=[value],
            properties={"kind": CombineAttr(kind), "dims": dense_i64(dims)},
            result_types=[_reduced(value.type, dims)],
        )

    @classmethod
    def parse(cls, parser: Parser) -> "ReduceOp":
        kind = parser.parse_str_enum(Combine)
        value = parse_known_operand(parser)
        parser.parse_keyword("dims")
        return cls(kind, value, ints_of(parse_int_list(parser)))

    def print(self, printer: Printer) -> None:
        printer.print_string(f" {self.kind.data} ")
        printer.print_ssa_value(self.value)
        printer.print_string(" dims ")
        print_int_list(printer, self.dims)

    def verify_(self) -> None:
        dims, rank = ints_of(self.dims), len(shape_of(self.value.type))
        if not dims or list(dims) != sorted(set(dims)) or not all(0 <= dim < rank for dim in dims):
            raise VerifyException(
                f"tile.reduce over dims {list(dims)} of {self.value.type}; give ascending dimensions"
            )
        identity(self.kind.data, element_type(self.value.type))
        if self.result.type != _reduced(self.value.type, dims):
            raise VerifyException(
                f"tile.reduce results in {_reduced(self.value.type, dims)}, not {self.result.type}"
            )


def _reduced(kind: Attribute, dims: Sequence[int]) -> Attribute:
    kept = [i for i in range(len(shape_of(kind))) if i not in dims]
    return value_type(
        element_type(kind), [shape_of(kind)[i] for i in kept], [span_names(kind)[i] for i in kept]
    )


@irdl_op_definition
class ScanOp(IRDLOperation):
    """Running combination along one dimension: lane i becomes the combination of lanes 0 to i.

    With `reverse`, of lanes i to the last. Dead lanes count as the identity.
    The result has the operand's type; a type that is written may name the span of the dimension anew, after a
    `tile.fill`.

    Example:
        %c = tile.scan add %v dim 1
        %to_go = tile.scan add %v dim 1 reverse
    """

    name = "tile.scan"
    kind = prop_def(CombineAttr)
    value = operand_def(TensorType)
    dim = prop_def(IntegerAttr)
    reverse = opt_prop_def(UnitAttr)
    result = result_def(TensorType)
    traits = traits_def(Pure())

    def __init__(
        self,
        kind: Combine,
        value: SSAValue,
        dim: int,
        result: Attribute | None = None,
        *,
        reverse: bool = False,
    ):
        super().__init__(
            operands=[value],
            properties={
                "kind": CombineAttr(kind),
                "dim": IntegerAttr(dim, i64),
                "reverse": unit_if(reverse),
            },
            result_types=[result or value.type],
        )

    @property
    def axis_name(self) -> str | None:
        """The span that the scanned dimension came from."""
        return span_names(self.value.type)[self.dim.value.data]

    @classmethod
    def parse(cls, parser: Parser) -> "ScanOp":
        kind = parser.parse_str_enum(Combine)
        value = parse_known_operand(parser)
        parser.parse_keyword("dim")
        dim = parser.parse_integer(allow_boolean=False)
        reverse = parser.parse_optional_keyword("reverse") is not None
        result = parser.parse_type() if parser.parse_optional_punctuation(":") else None
        return cls(kind, value, dim, result, reverse=reverse)

    def print(self, printer: Printer) -> None:
        printer.print_string(f" {self.kind.data} ")
        printer.print_ssa_value(self.value)
        printer.print_string(f" dim {self.dim.value.data}")
        if self.reverse is not None:
            printer.print_string(" reverse")
        if self.result.type != self.value.type:
            printer.print_string(" : ")
            printer.print_attribute(self.result.type)

    def verify_(self) -> None:
        dim, names = self.dim.value.data, list(span_names(self.result.type))
        if not 0 <= dim < len(shape_of(self.value.type)):
            raise VerifyException(f"tile.scan along dimension {dim} of {self.value.type}")
        if len(names) > dim and span_names(self.value.type)[dim] is None:
            names[dim] = None
        bare = value_type(element_type(self.result.type), shape_of(self.result.type), names)
        if bare != self.value.type:
            raise VerifyException(f"tile.scan of {self.value.type} cannot result in {self.result.type}")
        verify_names(self, self.result.type)
        identity(self.kind.data, element_type(self.value.type))


class _BareOp(IRDLOperation, ABC):
    """An operation whose result is its value, with a dimension that no longer belongs to a span.

    `PREPOSITION` stands before the span in the text. Of several dimensions that came from the span, `which`
    says which it is.
    """

    PREPOSITION: ClassVar[str]
    value = operand_def(TensorType)
    span = operand_def(SpanType)
    which = opt_prop_def(IntegerAttr)
    result = result_def(TensorType)

    def __init__(self, value: SSAValue, span: SSAValue, *others: SSAValue, dim: int | None = None):
        """`dim` is the value's dimension; not needed where only one came from the span."""
        bare = self._dim_of(value.type, span, dim)
        several = len(_dims_of(value.type, span)) > 1
        super().__init__(
            operands=[value, span, *others],
            properties={"which": IntegerAttr(bare, i64) if several else None},
            result_types=[_bare(value.type, bare)],
        )

    @property
    def dim(self) -> int:
        """The value's dimension. Raises `VerifyException` if it is not one that came from the span."""
        return self._dim_of(self.value.type, self.span, None if self.which is None else self.which.value.data)

    @classmethod
    def _dim_of(cls, kind: Attribute, span: SSAValue, dim: int | None) -> int:
        axis, dims = span_of(span), _dims_of(kind, span)
        what = f"{cls.name} {cls.PREPOSITION}"
        if isinstance(axis, JaggedSpanType):
            raise VerifyException(
                f"{what} a {axis}, whose live lanes differ from lane to lane of {axis.parent}; "
                "a plain span is needed"
            )
        if dim is None and len(dims) == 1:
            return dims[0]
        if dim is None or dim not in dims:
            raise VerifyException(
                f"{what} a {span.type} of a value of type {kind}, "
                "which must have one dimension of that span, or several and `dim` for one of them"
            )
        return dim

    @classmethod
    def _parse_others(cls, parser: Parser) -> list[SSAValue]:
        """What follows in the text."""
        return []

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        pos = parser.pos
        value = parse_known_operand(parser)
        parser.parse_keyword(cls.PREPOSITION)
        span = parse_known_operand(parser)
        dim = parser.parse_integer(allow_boolean=False) if parser.parse_optional_keyword("dim") else None
        others = cls._parse_others(parser)
        try:
            return cls(value, span, *others, dim=dim)
        except VerifyException as problem:
            parser.raise_error(str(problem), pos)

    def print(self, printer: Printer) -> None:
        for word, value in (("", self.value), (f" {self.PREPOSITION}", self.span)):
            printer.print_string(f"{word} ")
            printer.print_ssa_value(value)
        if self.which is not None:
            printer.print_string(f" dim {self.dim}")

    def verify_(self) -> None:
        expected = _bare(self.value.type, self.dim)
        if self.result.type != expected:
            raise VerifyException(f"{self.name} results in {expected}, not {self.result.type}")


@irdl_op_definition
class FillOp(_BareOp):
    """Gives the lanes outside a span a value, after which the dimension no longer belongs to the span.

    `other` is a scalar, or a value of the result's shape, with its spans or with none. Of several dimensions
    that came from the span, `dim` says which. `--materialize-masks` writes this operation; it becomes a
    select, so that an undefined lane, even a NaN, cannot leak.

    Example:
        %whole = tile.fill %v outside %k with %zero
    """

    name = "tile.fill"
    PREPOSITION: ClassVar[str] = "outside"
    value = operand_def(TensorType)  # again, or xDSL puts it behind `other`
    span = operand_def(SpanType)
    other = operand_def()
    traits = traits_def(Pure())

    @classmethod
    def _parse_others(cls, parser: Parser) -> list[SSAValue]:
        parser.parse_keyword("with")
        return [parse_known_operand(parser)]

    def print(self, printer: Printer) -> None:
        super().print(printer)
        printer.print_string(" with ")
        printer.print_ssa_value(self.other)

    def verify_(self) -> None:
        super().verify_()
        kind = self.result.type
        bare = value_type(element_type(kind), shape_of(kind), [None] * len(shape_of(kind)))
        if self.other.type not in (kind, bare, element_type(kind)):
            raise VerifyException(f"tile.fill fills {kind} with a value of type {self.other.type}")


@irdl_op_definition
class WholeOp(_BareOp):
    """States that every lane of a span is live in this step, so that nothing needs a fill.

    `--materialize-masks` writes this operation where steps with whole tiles have a body of their own, and
    guards it; the interpreter stops where a lane is dead. The dimension no longer belongs to the span.

    Example:
        %v_1 = tile.whole %v along %m
    """

    name = "tile.whole"
    PREPOSITION: ClassVar[str] = "along"
    traits = traits_def(Pure())


def _dims_of(kind: Attribute, span: SSAValue) -> list[int]:
    axis = span_of(span)
    return [dim for dim, name in enumerate(span_names(kind)) if axis is not None and name == axis.axis]


def _bare(kind: Attribute, dim: int) -> Attribute:
    names = [None if i == dim else name for i, name in enumerate(span_names(kind))]
    return value_type(element_type(kind), shape_of(kind), names)
