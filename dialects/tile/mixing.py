"""Where lanes mix: reduce and scan, beside `tile.dot`; and `tile.fill`, which defines dead lanes.

A dead lane (one outside its span) counts as the identity here: 0 in a dot or a sum, minus infinity in a
maximum. Everywhere else lanes stay apart, so a dead lane can only make a dead lane.
"""

import math
from collections.abc import Sequence

from xdsl.dialects.builtin import (
    AnyFloat,
    DenseArrayBase,
    IntegerAttr,
    IntegerType,
    TensorType,
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
from .syntax import dense_i64, ints_of, parse_int_list, parse_known_operand, print_int_list
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

    Dead lanes count as the identity.
    The result has the operand's type; a type that is written may name the span of the dimension anew, after a
    `tile.fill`.

    Example:
        %c = tile.scan add %v dim 1
    """

    name = "tile.scan"
    kind = prop_def(CombineAttr)
    value = operand_def(TensorType)
    dim = prop_def(IntegerAttr)
    result = result_def(TensorType)
    traits = traits_def(Pure())

    def __init__(self, kind: Combine, value: SSAValue, dim: int, result: Attribute | None = None):
        super().__init__(
            operands=[value],
            properties={"kind": CombineAttr(kind), "dim": IntegerAttr(dim, i64)},
            result_types=[result or value.type],
        )

    @classmethod
    def parse(cls, parser: Parser) -> "ScanOp":
        kind = parser.parse_str_enum(Combine)
        value = parse_known_operand(parser)
        parser.parse_keyword("dim")
        dim = parser.parse_integer(allow_boolean=False)
        return cls(kind, value, dim, parser.parse_type() if parser.parse_optional_punctuation(":") else None)

    def print(self, printer: Printer) -> None:
        printer.print_string(f" {self.kind.data} ")
        printer.print_ssa_value(self.value)
        printer.print_string(f" dim {self.dim.value.data}")
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


def _parse_bare(parser: Parser, preposition: str) -> tuple[SSAValue, SSAValue, int | None]:
    """Parse `%v outside %k dim 1`."""
    value = parse_known_operand(parser)
    parser.parse_keyword(preposition)
    span = parse_known_operand(parser)
    dim = parser.parse_integer(allow_boolean=False) if parser.parse_optional_keyword("dim") else None
    return value, span, dim


def _print_bare(printer: Printer, op: "FillOp | WholeOp", preposition: str) -> None:
    """Print what `_parse_bare` reads."""
    for word, value in (("", op.value), (f" {preposition}", op.span)):
        printer.print_string(f"{word} ")
        printer.print_ssa_value(value)
    if op.which is not None:
        printer.print_string(f" dim {op.dim}")


def _verify_bare(op: "FillOp | WholeOp") -> None:
    expected = _bare(op.value.type, op.dim)
    if op.result.type != expected:
        raise VerifyException(f"{op.name} results in {expected}, not {op.result.type}")


def _properties(value: SSAValue, span: SSAValue, dim: int) -> dict[str, Attribute | None]:
    return {"which": IntegerAttr(dim, i64) if len(_dims_of(value.type, span)) > 1 else None}


@irdl_op_definition
class FillOp(IRDLOperation):
    """Gives the lanes outside a span a value, after which the dimension no longer belongs to the span.

    `other` is a scalar, or a value of the result's shape, with its spans or with none. Of several dimensions
    that came from the span, `dim` says which. `--materialize-masks` writes this operation; it becomes a
    select, so that an undefined lane, even a NaN, cannot leak.

    Example:
        %whole = tile.fill %v outside %k with %zero
    """

    name = "tile.fill"
    value = operand_def(TensorType)
    span = operand_def(SpanType)
    other = operand_def()
    which = opt_prop_def(IntegerAttr)
    result = result_def(TensorType)
    traits = traits_def(Pure())

    def __init__(self, value: SSAValue, span: SSAValue, other: SSAValue, dim: int | None = None):
        """`dim` is the value's dimension; not needed where only one came from the span."""
        filled = _bare_dim(self.name, value.type, span, dim)
        super().__init__(
            operands=[value, span, other],
            properties=_properties(value, span, filled),
            result_types=[_bare(value.type, filled)],
        )

    @property
    def dim(self) -> int:
        """The value's dimension. Raises `VerifyException` if it is not one that came from the span."""
        which = None if self.which is None else self.which.value.data
        return _bare_dim(self.name, self.value.type, self.span, which)

    @classmethod
    def parse(cls, parser: Parser) -> "FillOp":
        pos = parser.pos
        value, span, dim = _parse_bare(parser, "outside")
        parser.parse_keyword("with")
        other = parse_known_operand(parser)
        try:
            return cls(value, span, other, dim)
        except VerifyException as problem:
            parser.raise_error(str(problem), pos)

    def print(self, printer: Printer) -> None:
        _print_bare(printer, self, "outside")
        printer.print_string(" with ")
        printer.print_ssa_value(self.other)

    def verify_(self) -> None:
        _verify_bare(self)
        kind = self.result.type
        bare = value_type(element_type(kind), shape_of(kind), [None] * len(shape_of(kind)))
        if self.other.type not in (kind, bare, element_type(kind)):
            raise VerifyException(f"tile.fill fills {kind} with a value of type {self.other.type}")


@irdl_op_definition
class WholeOp(IRDLOperation):
    """States that every lane of a span is live in this step, so that nothing needs a fill.

    `--materialize-masks` writes this operation where steps with whole tiles have a body of their own, and
    guards it; the interpreter stops where a lane is dead. The dimension no longer belongs to the span.

    Example:
        %v_1 = tile.whole %v along %m
    """

    name = "tile.whole"
    value = operand_def(TensorType)
    span = operand_def(SpanType)
    which = opt_prop_def(IntegerAttr)
    result = result_def(TensorType)
    traits = traits_def(Pure())

    def __init__(self, value: SSAValue, span: SSAValue, dim: int | None = None):
        """`dim` is the value's dimension; not needed where only one came from the span."""
        whole = _bare_dim(self.name, value.type, span, dim)
        super().__init__(
            operands=[value, span],
            properties=_properties(value, span, whole),
            result_types=[_bare(value.type, whole)],
        )

    @property
    def dim(self) -> int:
        """The value's dimension. Raises `VerifyException` if it is not one that came from the span."""
        which = None if self.which is None else self.which.value.data
        return _bare_dim(self.name, self.value.type, self.span, which)

    @classmethod
    def parse(cls, parser: Parser) -> "WholeOp":
        pos = parser.pos
        try:
            return cls(*_parse_bare(parser, "along"))
        except VerifyException as problem:
            parser.raise_error(str(problem), pos)

    def print(self, printer: Printer) -> None:
        _print_bare(printer, self, "along")

    def verify_(self) -> None:
        _verify_bare(self)


def _dims_of(kind: Attribute, span: SSAValue) -> list[int]:
    axis = span_of(span)
    return [dim for dim, name in enumerate(span_names(kind)) if axis is not None and name == axis.axis]


def _bare_dim(op: str, kind: Attribute, span: SSAValue, dim: int | None) -> int:
    axis, dims = span_of(span), _dims_of(kind, span)
    what = "tile.fill outside" if op == FillOp.name else f"{op} along"
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


def _bare(kind: Attribute, dim: int) -> Attribute:
    names = [None if i == dim else name for i, name in enumerate(span_names(kind))]
    return value_type(element_type(kind), shape_of(kind), names)
