"""Windows: how an operation says which elements of an array it touches, and what it does to them.

An access indexes each dimension of an array by `:` (all of it), a literal, an index, or a span, the last two
optionally shifted by a literal or by an index: `%x[%g, %m + 1, 0, :]`. A span keeps its dimension, everything
else but `:` drops it. Gathers, scatters and atomics may index one dimension by a tile of integers, whose
dimensions then stand in its place: `%x[%ids, :]`.
"""

from abc import ABC
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, cast

from xdsl.dialects.builtin import (
    AnyFloat,
    DenseArrayBase,
    IndexType,
    IntegerType,
    MemRefType,
    StringAttr,
    TensorType,
    i1,
    i32,
)
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import IRDLOperation, operand_def, opt_prop_def, prop_def, var_operand_def
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.str_enum import StrEnum

from .syntax import dense_i64, ints_of, parse_known_operand, parse_operand_or_int
from .types import (
    UNBOUND,
    AnySpan,
    Array,
    element_type,
    shape_of,
    span_names,
    span_of,
    value_type,
    with_element,
)


class Effect(StrEnum):
    """What an access does to the elements of its window."""

    READ = "read"
    WRITE = "write"
    ACCUMULATE = "accumulate"


class Placement(StrEnum):
    """Where the window of an access is while a loop runs through it.

    `resident`: all that the loop will want is on the chip. `stream`: only what the present steps want is,
    fetched or written back while others compute.
    """

    RESIDENT = "resident"
    STREAM = "stream"


class _Kind(IntEnum):
    FULL = 0
    LITERAL = 1
    VALUE = 2
    SHIFTED = 3


@dataclass(frozen=True)
class Dim:
    """How one dimension is indexed: from `base + shift`, or all of it where `full`.

    `base` is an index, a span or a tile of integers, `None` for a literal index, which then is `shift`.
    """

    base: SSAValue | None = None
    shift: SSAValue | int = 0
    full: bool = False

    @property
    def span(self) -> AnySpan | None:
        """The type of the span that indexes the dimension, if one does."""
        return None if self.base is None else span_of(self.base)

    @property
    def indexed(self) -> bool:
        """Whether a tile of integers says which positions are accessed."""
        return self.base is not None and isinstance(self.base.type, TensorType)

    @property
    def kept(self) -> bool:
        """Whether the dimension is one of the accessed value's dimensions, or several of them."""
        return self.full or self.span is not None or self.indexed

    @property
    def values(self) -> Iterator[SSAValue]:
        """The values that the position depends on."""
        if self.base is not None:
            yield self.base
        if isinstance(self.shift, SSAValue):
            yield self.shift

    def replaced(self, values: Mapping[SSAValue, SSAValue]) -> "Dim":
        """The dimension with other values in place of those that `values` has."""
        base = None if self.base is None else values.get(self.base, self.base)
        shift = self.shift if isinstance(self.shift, int) else values.get(self.shift, self.shift)
        return Dim(base, shift, self.full)


def parse_window(parser: Parser) -> list[Dim]:
    """Parse `[%g, %m + 1, 0, :]`."""
    return parser.parse_comma_separated_list(parser.Delimiter.SQUARE, lambda: _parse_dim(parser))


def parse_access(parser: Parser) -> tuple[SSAValue, list[Dim]]:
    """Parse `%x[%m, :]`: an array and a window of it."""
    pos = parser.pos
    array = parse_known_operand(parser)
    window = parse_window(parser)
    rank = len(shape_of(array.type))
    if not isinstance(array.type, MemRefType):
        parser.raise_error(f"only a memref can be accessed, and this is of type {array.type}", pos)
    if rank != len(window):
        parser.raise_error(
            f"{len(window)} indices for an array of rank {rank}; give one for each dimension", pos
        )
    return array, window


def parse_placement(parser: Parser) -> StringAttr | None:
    """Parse `resident` or `stream`, where one of them follows."""
    for placement in Placement:
        if parser.parse_optional_keyword(placement):
            return StringAttr(placement)
    return None


def print_placement(printer: Printer, op: "AccessOp") -> None:
    """Print what `parse_placement` reads."""
    if op.placement is not None:
        printer.print_string(f" {op.placement.data}")


def _parse_dim(parser: Parser) -> Dim:
    if parser.parse_optional_punctuation(":"):
        return Dim(full=True)
    literal = parser.parse_optional_integer(allow_boolean=False)
    if literal is not None:
        return Dim(shift=literal)
    base = parse_known_operand(parser)
    if parser.parse_optional_characters("+"):
        return Dim(base, parse_operand_or_int(parser))
    if parser.parse_optional_punctuation("-"):
        return Dim(base, -parser.parse_integer(allow_boolean=False, allow_negative=False))
    return Dim(base)


def print_window(printer: Printer, dims: Sequence[Dim]) -> None:
    """Print what `parse_window` reads."""
    with printer.in_square_brackets():
        printer.print_list(dims, lambda dim: _print_dim(printer, dim))


def _print_dim(printer: Printer, dim: Dim) -> None:
    if dim.full:
        printer.print_string(":")
        return
    if dim.base is None:
        printer.print_string(str(dim.shift))
        return
    printer.print_ssa_value(dim.base)
    if isinstance(dim.shift, SSAValue):
        printer.print_string(" + ")
        printer.print_ssa_value(dim.shift)
    elif dim.shift:
        printer.print_string(f" {'-' if dim.shift < 0 else '+'} {abs(dim.shift)}")


def pack_window(dims: Sequence[Dim]) -> tuple[list[SSAValue], DenseArrayBase, DenseArrayBase]:
    """Split dimensions into operands, kinds and literal shifts, as access operations store them."""
    operands = [value for dim in dims for value in dim.values]
    kinds = [_kind(dim) for dim in dims]
    shifts = [dim.shift if isinstance(dim.shift, int) else 0 for dim in dims]
    return operands, dense_i64(kinds), dense_i64(shifts)


def _kind(dim: Dim) -> _Kind:
    if dim.full:
        return _Kind.FULL
    if dim.base is None:
        return _Kind.LITERAL
    return _Kind.SHIFTED if isinstance(dim.shift, SSAValue) else _Kind.VALUE


class AccessOp(IRDLOperation, ABC):
    """Base of the operations that touch a window of an array. Each states its `effect`."""

    array = operand_def(MemRefType)
    indices = var_operand_def()
    kinds = prop_def(DenseArrayBase)
    shifts = prop_def(DenseArrayBase)
    placement = opt_prop_def(StringAttr)

    EFFECT: ClassVar[Effect]
    TAKES_TILES: ClassVar[bool] = False
    """Whether a dimension may be indexed by a tile of integers."""

    @property
    def effect(self) -> Effect:
        return self.EFFECT

    @property
    def writes(self) -> bool:
        """Whether it may change elements."""
        return self.effect is not Effect.READ

    @property
    def array_type(self) -> Array:
        return cast(Array, self.array.type)

    @property
    def window(self) -> tuple[Dim, ...]:
        """How each dimension of the array is indexed. Raises `VerifyException` on operand counts."""
        remaining = list(self.indices)
        kinds, shifts = ints_of(self.kinds), ints_of(self.shifts)
        wanted = sum({_Kind.VALUE: 1, _Kind.SHIFTED: 2}.get(_Kind(kind), 0) for kind in kinds)
        if wanted != len(remaining) or len(kinds) != len(shifts):
            raise VerifyException(f"{self.name} has {len(remaining)} indices where its window needs {wanted}")
        dims: list[Dim] = []
        for kind, shift in zip(kinds, shifts, strict=True):
            if kind == _Kind.FULL:
                dims.append(Dim(full=True))
            elif kind == _Kind.LITERAL:
                dims.append(Dim(shift=shift))
            else:
                base = remaining.pop(0)
                dims.append(Dim(base, remaining.pop(0) if kind == _Kind.SHIFTED else shift))
        return tuple(dims)

    @property
    def indexed(self) -> int | None:
        """The dimension that a tile of integers indexes, if one does."""
        return next((place for place, dim in enumerate(self.window) if dim.indexed), None)

    @property
    def positions(self) -> SSAValue | None:
        """The tile of integers that indexes a dimension, if one does."""
        return None if self.indexed is None else self.window[self.indexed].base

    def set_window(self, dims: Sequence[Dim]) -> None:
        """Index the dimensions of the array in another way."""
        others = list(self.operands)[: len(self.operands) - len(self.indices)]
        operands, self.kinds, self.shifts = pack_window(dims)
        sizes = self.properties.get("operandSegmentSizes")
        if isinstance(sizes, DenseArrayBase):
            counts = [*cast("Sequence[int]", sizes.get_values())[:-1], len(operands)]
            self.properties["operandSegmentSizes"] = DenseArrayBase.from_list(i32, counts)
        self.operands = [*others, *operands]

    @property
    def window_type(self) -> Attribute:
        """The type of the value that the window holds."""
        return window_value_type(self.array_type, self.window)

    def verify_window(self) -> None:
        """Check rank, kinds of index, static bounds. Raises `VerifyException` with the numbers."""
        if self.placement is not None and self.placement.data not in list(Placement):
            raise VerifyException(
                f"{self.name} is `{self.placement.data}`; it is `resident`, `stream` or neither"
            )
        shape = self.array_type.get_shape()
        window = self.window
        if len(window) != len(shape):
            raise VerifyException(
                f"{self.name} gives {len(window)} indices to an array of rank {len(shape)}; "
                "give one for each dimension"
            )
        if UNBOUND in shape[1:]:
            raise VerifyException(
                f"{self.name} of {self.array_type}: only the leading extent of an array may be `?`"
            )
        if sum(dim.indexed for dim in window) > 1:
            raise VerifyException(f"{self.name} indexes two dimensions by tiles of integers; one is accepted")
        for position, (dim, extent) in enumerate(zip(window, shape, strict=True)):
            self._verify_dim(position, dim, extent)

    def _verify_dim(self, position: int, dim: Dim, extent: int) -> None:
        if dim.full:
            if extent == UNBOUND:
                raise VerifyException(
                    f"{self.name} takes all of dimension {position}, whose extent is `?`; "
                    "index it by a tile axis"
                )
            return
        if dim.base is None:
            literal = dim.shift
            if isinstance(literal, int) and (literal < 0 or (extent != UNBOUND and literal >= extent)):
                raise VerifyException(
                    f"{self.name} index {literal} is outside dimension {position} of extent "
                    f"{'?' if extent == UNBOUND else extent}"
                )
            return
        kinds = IndexType | IntegerType
        tile = self.TAKES_TILES and dim.indexed and isinstance(element_type(dim.base.type), kinds)
        if span_of(dim.base) is None and not isinstance(dim.base.type, kinds) and not tile:
            accepted = (
                "an index, a !tile.span or a tile of integers"
                if self.TAKES_TILES
                else ("an index or a !tile.span")
            )
            raise VerifyException(
                f"{self.name} indexes dimension {position} by a value of type {dim.base.type}; "
                f"{accepted} is needed"
            )
        if isinstance(dim.shift, SSAValue) and not isinstance(dim.shift.type, IndexType):
            raise VerifyException(
                f"{self.name} shifts dimension {position} by a value of type {dim.shift.type}; "
                "an index is needed"
            )


def window_value_type(array: Attribute, window: Sequence[Dim]) -> Attribute:
    """The type of the value in a window of `array`: spans, tiles of integers and `:` keep their dimension."""
    shape: list[int] = []
    names: list[str | None] = []
    for dim, extent in zip(window, shape_of(array), strict=True):
        if dim.base is not None and dim.indexed:
            shape += shape_of(dim.base.type)
            names += span_names(dim.base.type)
            continue
        span = span_of(dim.base) if dim.base is not None else None
        if span is not None:
            shape.append(span.size)
            names.append(span.axis)
        elif dim.full:
            shape.append(extent)
            names.append(None)
    return value_type(element_type(array), shape, names)


def verify_convertible(op: IRDLOperation, value: Attribute, place: Attribute) -> None:
    """Check that a value of type `value` may be stored where `place` is. Raises `VerifyException`."""
    wanted = with_element(place, element_type(value))
    if value != wanted:
        raise VerifyException(
            f"{op.name} puts a value of type {value} into a window of {place}; it needs {wanted}"
        )
    floats = [isinstance(element_type(kind), AnyFloat) for kind in (value, place)]
    if floats[0] != floats[1]:
        raise VerifyException(
            f"{op.name} does not convert {element_type(value)} to {element_type(place)}; use tile.cast first"
        )


def verify_mask(op: IRDLOperation, mask: SSAValue | None, value: Attribute) -> None:
    """Check that a mask has one `i1` for each lane of `value`. Raises `VerifyException`."""
    if mask is not None and mask.type != with_element(value, i1):
        raise VerifyException(
            f"{op.name} has a mask of type {mask.type}; {with_element(value, i1)} is needed"
        )
