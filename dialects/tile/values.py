"""Operations of the `tile` dialect that make values and change their shapes."""

from collections.abc import Sequence
from math import prod
from typing import TypeAlias

from xdsl.dialects.builtin import AnyFloat, DenseArrayBase, FloatAttr, IntegerAttr, TensorType, i32, i64
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from .axes import verify_names
from .syntax import (
    dense_i64,
    ints_of,
    parse_int_list,
    parse_known_operand,
    parse_scalar,
    print_int_list,
    print_scalar,
    scalar_attr,
)
from .types import JaggedSpanType, SpanType, element_type, shape_of, span_names, span_of, value_type


@irdl_op_definition
class SplatOp(IRDLOperation):
    """One constant in every lane. A dimension may be named after a tile axis around it.

    Example:
        %zero = tile.splat 0.0 : tensor<?x256xf32, #tile.spans<m, _>>
    """

    name = "tile.splat"
    value = prop_def(FloatAttr[AnyFloat] | IntegerAttr)
    result = result_def()
    traits = traits_def(Pure())

    def __init__(self, value: float, kind: Attribute):
        super().__init__(properties={"value": scalar_attr(value, element_type(kind))}, result_types=[kind])

    @classmethod
    def parse(cls, parser: Parser) -> "SplatOp":
        value = parse_scalar(parser)
        parser.parse_punctuation(":")
        return cls(value, parser.parse_type())

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        print_scalar(printer, self.value)
        printer.print_string(" : ")
        printer.print_attribute(self.result.type)

    def verify_(self) -> None:
        if self.value.type != element_type(self.result.type):
            raise VerifyException(
                f"tile.splat fills {self.result.type} with a constant of type {self.value.type}"
            )
        verify_names(self, self.result.type)


@irdl_op_definition
class IndicesOp(IRDLOperation):
    """The indices of a span's lanes, as 32-bit integers: `begin, begin + 1, …`.

    Example:
        %rows = tile.indices %m
    """

    name = "tile.indices"
    span = operand_def(SpanType | JaggedSpanType)
    result = result_def(TensorType)
    traits = traits_def(Pure())

    def __init__(self, span: SSAValue):
        super().__init__(operands=[span], result_types=[_indices_type(span)])

    @classmethod
    def parse(cls, parser: Parser) -> "IndicesOp":
        pos = parser.pos
        span = parse_known_operand(parser)
        try:
            return cls(span)
        except VerifyException as problem:
            parser.raise_error(str(problem), pos)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.span)

    def verify_(self) -> None:
        if self.result.type != _indices_type(self.span):
            raise VerifyException(f"tile.indices of a {self.span.type} results in {_indices_type(self.span)}")


def _indices_type(span: SSAValue) -> Attribute:
    kind = span_of(span)
    if kind is None:
        raise VerifyException(f"tile.indices takes a span, and this is of type {span.type}")
    return value_type(i32, [kind.size], [kind.axis])


@irdl_op_definition
class BroadcastOp(IRDLOperation):
    """Repeats a value along new dimensions.

    `dims[i]` is where dimension i of the operand goes; a scalar has none. A dimension of extent 1 is repeated
    as often as the result needs.

    Example:
        %wide = tile.broadcast %row dims [0] : tensor<?x256xf32, #tile.spans<m, _>>
    """

    name = "tile.broadcast"
    value = operand_def()
    dims = prop_def(DenseArrayBase.constr(i64))
    result = result_def(TensorType)
    traits = traits_def(Pure())

    def __init__(self, value: SSAValue, dims: Sequence[int], kind: Attribute):
        super().__init__(operands=[value], properties={"dims": dense_i64(dims)}, result_types=[kind])

    @classmethod
    def parse(cls, parser: Parser) -> "BroadcastOp":
        value = parse_known_operand(parser)
        parser.parse_keyword("dims")
        dims = ints_of(parse_int_list(parser))
        parser.parse_punctuation(":")
        return cls(value, dims, parser.parse_type())

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.value)
        printer.print_string(" dims ")
        print_int_list(printer, self.dims)
        printer.print_string(" : ")
        printer.print_attribute(self.result.type)

    def verify_(self) -> None:
        dims, source, target = ints_of(self.dims), self.value.type, self.result.type
        rank = len(shape_of(target))
        if (
            len(dims) != len(shape_of(source))
            or list(dims) != sorted(set(dims))
            or any(d >= rank for d in dims)
        ):
            raise VerifyException(
                f"tile.broadcast of {source} to {target} has dims {list(dims)}; "
                "one ascending target dimension for each dimension of the operand is needed"
            )
        shape, names = [shape_of(target)[d] for d in dims], [span_names(target)[d] for d in dims]
        for i, (size, name) in enumerate(zip(shape_of(source), span_names(source), strict=True)):
            if size == 1 and name is None:
                shape[i], names[i] = 1, None
        picked = value_type(element_type(target), shape, names)
        if picked != source:
            raise VerifyException(
                f"tile.broadcast puts {source} into dimensions {list(dims)} of {target}: {picked}"
            )
        verify_names(self, target)


@irdl_op_definition
class TransposeOp(IRDLOperation):
    """Reorders dimensions: dimension i of the result is dimension `perm[i]` of the operand.

    Example:
        %t = tile.transpose %v [1, 0]
    """

    name = "tile.transpose"
    value = operand_def(TensorType)
    perm = prop_def(DenseArrayBase.constr(i64))
    result = result_def(TensorType)
    traits = traits_def(Pure())

    def __init__(self, value: SSAValue, perm: Sequence[int]):
        super().__init__(
            operands=[value],
            properties={"perm": dense_i64(perm)},
            result_types=[_transposed(value.type, perm)],
        )

    @classmethod
    def parse(cls, parser: Parser) -> "TransposeOp":
        value = parse_known_operand(parser)
        pos = parser.pos
        perm = ints_of(parse_int_list(parser))
        if sorted(perm) != list(range(len(shape_of(value.type)))):
            parser.raise_error(f"{list(perm)} does not permute the dimensions of {value.type}", pos)
        return cls(value, perm)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.value)
        printer.print_string(" ")
        print_int_list(printer, self.perm)

    def verify_(self) -> None:
        perm = ints_of(self.perm)
        if sorted(perm) != list(range(len(shape_of(self.value.type)))):
            raise VerifyException(f"tile.transpose {list(perm)} does not permute {self.value.type}")
        if self.result.type != _transposed(self.value.type, perm):
            raise VerifyException(f"tile.transpose results in {_transposed(self.value.type, perm)}")


def _transposed(kind: Attribute, perm: Sequence[int]) -> Attribute:
    shape, names = shape_of(kind), span_names(kind)
    return value_type(element_type(kind), [shape[p] for p in perm], [names[p] for p in perm])


@irdl_op_definition
class ReshapeOp(IRDLOperation):
    """The same lanes, in row-major order, under another shape.

    Dimensions that came from a span lead or are the last ones, and stay as they are.

    Example:
        %r = tile.reshape %v : tensor<?x8x32xf32, #tile.spans<m, _, _>>
    """

    name = "tile.reshape"
    value = operand_def(TensorType)
    result = result_def(TensorType)
    traits = traits_def(Pure())

    def __init__(self, value: SSAValue, kind: Attribute):
        super().__init__(operands=[value], result_types=[kind])

    @classmethod
    def parse(cls, parser: Parser) -> "ReshapeOp":
        value = parse_known_operand(parser)
        parser.parse_punctuation(":")
        return cls(value, parser.parse_type())

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.value)
        printer.print_string(" : ")
        printer.print_attribute(self.result.type)

    def verify_(self) -> None:
        sides = [_split_named(kind) for kind in (self.value.type, self.result.type)]
        if (
            element_type(self.value.type) != element_type(self.result.type)
            or sides[0] is None
            or sides[0] != sides[1]
        ):
            raise VerifyException(
                f"tile.reshape of {self.value.type} to {self.result.type}: spans must lead or be last "
                "and stay, and the other extents must have the same product"
            )


_Named: TypeAlias = tuple[tuple[str, int], ...]


def _split_named(kind: Attribute) -> tuple[_Named, int, _Named] | None:
    """Leading named dimensions, the product of those behind them, and the last ones, which are named again;
    `None` where a named one stands between others.
    """
    pairs = list(zip(span_names(kind), shape_of(kind), strict=True))
    unnamed = [place for place, (name, _) in enumerate(pairs) if name is None]
    begin, end = (unnamed[0], unnamed[-1] + 1) if unnamed else (len(pairs), len(pairs))
    lead, last = ([(name, size) for name, size in part if name] for part in (pairs[:begin], pairs[end:]))
    inner = pairs[begin:end]
    if any(name is not None for name, _ in inner):
        return None
    return tuple(lead), prod(size for _, size in inner), tuple(last)


@irdl_op_definition
class ConcatenateOp(IRDLOperation):
    """Joins values along one dimension, which must not have come from a span.

    Example:
        %c = tile.concatenate %a, %b dim 1
    """

    name = "tile.concatenate"
    values = var_operand_def(TensorType)
    dim = prop_def(IntegerAttr)
    result = result_def(TensorType)
    traits = traits_def(Pure())

    def __init__(self, values: Sequence[SSAValue], dim: int):
        super().__init__(
            operands=[values],
            properties={"dim": IntegerAttr(dim, i64)},
            result_types=[_joined([value.type for value in values], dim)],
        )

    @classmethod
    def parse(cls, parser: Parser) -> "ConcatenateOp":
        pos = parser.pos
        values = [parse_known_operand(parser)]
        while parser.parse_optional_punctuation(","):
            values.append(parse_known_operand(parser))
        parser.parse_keyword("dim")
        dim = parser.parse_integer(allow_boolean=False)
        try:
            return cls(values, dim)
        except VerifyException as problem:
            parser.raise_error(str(problem), pos)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_list(self.values, printer.print_ssa_value)
        printer.print_string(f" dim {self.dim.value.data}")

    def verify_(self) -> None:
        if self.result.type != _joined([value.type for value in self.values], self.dim.value.data):
            raise VerifyException(f"tile.concatenate cannot result in {self.result.type}")


def _joined(kinds: Sequence[Attribute], dim: int) -> Attribute:
    first, names = shape_of(kinds[0]), span_names(kinds[0])
    if not 0 <= dim < len(first) or names[dim] is not None:
        raise VerifyException(
            f"tile.concatenate along dimension {dim} of {kinds[0]}; a dimension without a span is needed"
        )
    for kind in kinds:
        rest = [shape_of(kind)[:dim] + shape_of(kind)[dim + 1 :], span_names(kind), element_type(kind)]
        if rest != [first[:dim] + first[dim + 1 :], names, element_type(kinds[0])]:
            raise VerifyException(
                f"tile.concatenate of {kinds[0]} and {kind}: all but dimension {dim} must agree"
            )
    total = sum(shape_of(kind)[dim] for kind in kinds)
    return value_type(element_type(kinds[0]), [*first[:dim], total, *first[dim + 1 :]], names)


@irdl_op_definition
class SliceOp(IRDLOperation):
    """A run of lanes along one dimension, which must not have come from a span.

    Example:
        %left = tile.slice %v dim 1 from 0 size 64
    """

    name = "tile.slice"
    value = operand_def(TensorType)
    dim = prop_def(IntegerAttr)
    begin = prop_def(IntegerAttr)
    size = prop_def(IntegerAttr)
    result = result_def(TensorType)
    traits = traits_def(Pure())

    def __init__(self, value: SSAValue, dim: int, begin: int, size: int):
        numbers = {"dim": dim, "begin": begin, "size": size}
        super().__init__(
            operands=[value],
            properties={key: IntegerAttr(number, i64) for key, number in numbers.items()},
            result_types=[_sliced(value.type, dim, begin, size)],
        )

    @classmethod
    def parse(cls, parser: Parser) -> "SliceOp":
        pos = parser.pos
        value = parse_known_operand(parser)
        numbers: list[int] = []
        for keyword in ("dim", "from", "size"):
            parser.parse_keyword(keyword)
            numbers.append(parser.parse_integer(allow_boolean=False))
        try:
            return cls(value, *numbers)
        except VerifyException as problem:
            parser.raise_error(str(problem), pos)

    @property
    def numbers(self) -> tuple[int, int, int]:
        """Dimension, begin and size."""
        return self.dim.value.data, self.begin.value.data, self.size.value.data

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.value)
        dim, begin, size = self.numbers
        printer.print_string(f" dim {dim} from {begin} size {size}")

    def verify_(self) -> None:
        if self.result.type != _sliced(self.value.type, *self.numbers):
            raise VerifyException(f"tile.slice cannot result in {self.result.type}")


def _sliced(kind: Attribute, dim: int, begin: int, size: int) -> Attribute:
    shape, names = shape_of(kind), span_names(kind)
    if not 0 <= dim < len(shape) or names[dim] is not None:
        raise VerifyException(
            f"tile.slice along dimension {dim} of {kind}; a dimension without a span is needed"
        )
    if begin < 0 or size < 1 or begin + size > shape[dim]:
        raise VerifyException(
            f"tile.slice takes {begin} to {begin + size} of dimension {dim}, whose extent is {shape[dim]}"
        )
    return value_type(element_type(kind), [*shape[:dim], size, *shape[dim + 1 :]], names)
