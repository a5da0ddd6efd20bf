"""Types of the `tile` dialect: spans, the names of a value's dimensions, and references.

A *span* is what a tile axis yields: `size` consecutive indices of which an interval is live. Its name
travels in the types of the values loaded through it, so that two values meet only where their spans agree.
A *jagged* span `k of p` has an extent for each lane of the span p: where a value has dimensions of both, a
lane is live only if its index along k is below the extent of its lane of p.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TypeAlias, cast

from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    ArrayAttr,
    FixedBitwidthType,
    IntAttr,
    MemRefType,
    NoneAttr,
    StringAttr,
    TensorType,
    i32,
    i64,
)
from xdsl.ir import Attribute, Operation, ParametrizedAttribute, SSAValue, TypeAttribute
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

Value: TypeAlias = "TensorType[Attribute]"
Array: TypeAlias = "MemRefType[Attribute]"

UNBOUND = DYNAMIC_INDEX
"""Size of a span, or of a dimension that came from one, before `--choose-blocks` has bound its name."""


@irdl_attr_definition
class SpanType(ParametrizedAttribute, TypeAttribute):
    """`!tile.span<m>`, or `!tile.span<m:128>` once the block size of `m` is chosen."""

    name = "tile.span"
    span_name: StringAttr
    span_size: IntAttr

    def __init__(self, name: str, size: int = UNBOUND):
        super().__init__(StringAttr(name), IntAttr(size))

    @property
    def axis(self) -> str:
        return self.span_name.data

    @property
    def size(self) -> int:
        """Number of lanes, or `UNBOUND`."""
        return self.span_size.data

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        with parser.in_angle_brackets():
            return _parse_name_and_size(parser)

    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string(_name_and_size(self))


@irdl_attr_definition
class JaggedSpanType(ParametrizedAttribute, TypeAttribute):
    """`!tile.jagged_span<k of p>`, or `!tile.jagged_span<k:64 of p>` once the block size of `k` is chosen."""

    name = "tile.jagged_span"
    span_name: StringAttr
    span_size: IntAttr
    span_parent: StringAttr

    def __init__(self, name: str, size: int, parent: str):
        super().__init__(StringAttr(name), IntAttr(size), StringAttr(parent))

    @property
    def axis(self) -> str:
        return self.span_name.data

    @property
    def size(self) -> int:
        """Number of lanes, or `UNBOUND`."""
        return self.span_size.data

    @property
    def parent(self) -> str:
        """The span whose lanes have extents of their own."""
        return self.span_parent.data

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        with parser.in_angle_brackets():
            name, size = _parse_name_and_size(parser)
            parser.parse_keyword("of")
            return name, size, StringAttr(parser.parse_identifier("the parent's name"))

    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string(f"{_name_and_size(self)} of {self.parent}")


AnySpan: TypeAlias = SpanType | JaggedSpanType


def _parse_name_and_size(parser: AttrParser) -> tuple[StringAttr, IntAttr]:
    name = parser.parse_identifier("an axis name")
    size = UNBOUND
    if parser.parse_optional_punctuation(":"):
        size = parser.parse_integer(allow_boolean=False, allow_negative=False)
    return StringAttr(name), IntAttr(size)


def _name_and_size(span: AnySpan) -> str:
    return span.axis if span.size == UNBOUND else f"{span.axis}:{span.size}"


@irdl_attr_definition
class SpansAttr(ParametrizedAttribute):
    """`#tile.spans<m, _>`: the span that each dimension of a tensor came from, `_` where there is none."""

    name = "tile.spans"
    names: ArrayAttr[StringAttr]

    def __init__(self, names: Sequence[str | None]):
        super().__init__(ArrayAttr([StringAttr(name or "_") for name in names]))

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        names = parser.parse_comma_separated_list(
            parser.Delimiter.ANGLE, lambda: StringAttr(parser.parse_identifier("an axis name or _"))
        )
        return (ArrayAttr(names),)

    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string(", ".join(name.data for name in self.names))


@irdl_attr_definition
class RefType(ParametrizedAttribute, TypeAttribute):
    """`!tile.ref<tensor<…>>`: a place in on-chip memory that holds one value, a window or a scratch."""

    name = "tile.ref"
    value: Value

    def __init__(self, value: Attribute):
        """A scalar is held as a tensor of rank 0."""
        super().__init__(value if isinstance(value, TensorType) else TensorType(value, []))

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        with parser.in_angle_brackets():
            return (parser.parse_attribute(),)

    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_attribute(self.value)


def span_names(value: Attribute) -> tuple[str | None, ...]:
    """The span name of each dimension of a tensor type, `None` where there is none; `()` for a scalar."""
    if not isinstance(value, TensorType):
        return ()
    tensor = cast(Value, value)
    if not isinstance(tensor.encoding, SpansAttr):
        return (None,) * tensor.get_num_dims()
    return tuple(None if name.data == "_" else name.data for name in tensor.encoding.names)


def value_type(element: Attribute, shape: Sequence[int], names: Sequence[str | None]) -> Attribute:
    """The type of a value: `element` for rank 0, else a tensor, encoded if a dimension is named."""
    return _value_type(element, tuple(shape), tuple(names))


@lru_cache(maxsize=1024)  # making a type is slow and a program has few
def _value_type(element: Attribute, shape: tuple[int, ...], names: tuple[str | None, ...]) -> Attribute:
    if not shape:
        return element
    encoding = SpansAttr(names) if any(names) else NoneAttr()
    return TensorType(element, shape, encoding)


def element_type(value: Attribute) -> Attribute:
    """Element type of a tensor or memref; the type itself for a scalar."""
    if isinstance(value, TensorType | MemRefType):
        return cast(Value, value).element_type
    return value


def shape_of(value: Attribute) -> tuple[int, ...]:
    """Shape of a tensor or memref type; `()` for a scalar."""
    if isinstance(value, TensorType | MemRefType):
        return cast(Value, value).get_shape()
    return ()


def with_element(value: Attribute, element: Attribute) -> Attribute:
    """`value` with another element type."""
    return value_type(element, shape_of(value), span_names(value))


def map_spans(kind: Attribute, change: Callable[[str, int], tuple[str, int]]) -> Attribute:
    """`kind` with the name and size of every span in it changed; any other type as it is."""
    if isinstance(kind, SpanType):
        return SpanType(*change(kind.axis, kind.size))
    if isinstance(kind, JaggedSpanType):
        return JaggedSpanType(*change(kind.axis, kind.size), change(kind.parent, UNBOUND)[0])
    if isinstance(kind, RefType):
        return RefType(map_spans(kind.value, change))
    if not any(span_names(kind)):
        return kind
    dims = [
        (name, size) if name is None else change(name, size)
        for name, size in zip(span_names(kind), shape_of(kind), strict=True)
    ]
    return value_type(element_type(kind), [size for _, size in dims], [name for name, _ in dims])


def span_of(value: SSAValue) -> AnySpan | None:
    """The span type of an SSA value, `None` if it is not a span."""
    return value.type if isinstance(value.type, AnySpan) else None


def byte_width(element: Attribute) -> int:
    """Bytes that one element takes in memory; an `i1` takes one."""
    if isinstance(element, FixedBitwidthType):
        return max(1, element.bitwidth // 8)
    return 4  # `index` is a 32-bit integer on a TPU


def verify_integers(op: Operation, array: SSAValue) -> None:
    """Raises VerifyException unless an operation reads an array of rank 1 of integers."""
    if len(shape_of(array.type)) != 1 or element_type(array.type) not in (i32, i64):
        raise VerifyException(f"{op.name} reads {array.type}; a memref of rank 1 of i32 or i64 is needed")
