"""Operations of the `tile` dialect on arrays: allocation, segments, loads and stores."""

from collections.abc import Sequence
from typing import ClassVar, Self, cast

from xdsl.dialects.builtin import (
    AnyFloat,
    FloatAttr,
    IndexType,
    IntegerAttr,
    MemRefType,
    UnitAttr,
)
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import MemoryAllocEffect, MemoryReadEffect, MemoryWriteEffect
from xdsl.utils.exceptions import VerifyException

from .access import (
    AccessOp,
    Dim,
    Effect,
    pack_window,
    parse_access,
    parse_placement,
    print_placement,
    print_window,
    verify_convertible,
    verify_mask,
    window_value_type,
)
from .syntax import parse_known_operand, parse_scalar, print_scalar, scalar_attr, unit_if
from .types import UNBOUND, Array, element_type, shape_of, verify_integers


def _parse_extent(parser: Parser) -> tuple[SSAValue | None, SSAValue | None]:
    """Parse `like(%x)`, `(%n)` or nothing: the array to take the extent from, and the extent."""
    if parser.parse_optional_keyword("like"):
        with parser.in_parens():
            return parse_known_operand(parser), None
    if parser.parse_optional_punctuation("("):
        extent = parse_known_operand(parser)
        parser.parse_punctuation(")")
        return None, extent
    return None, None


class _AllocOp(IRDLOperation):
    """What `tile.empty` and `tile.full` share: the leading extent, which may be `?`."""

    like = opt_operand_def(MemRefType)
    extent = opt_operand_def(IndexType)
    array = result_def(MemRefType)

    traits = traits_def(MemoryAllocEffect())

    @property
    def array_type(self) -> Array:
        return self.array.type

    def print_extent(self, printer: Printer) -> None:
        if self.like is not None:
            printer.print_string(" like(")
            printer.print_ssa_value(self.like)
            printer.print_string(")")
        elif self.extent is not None:
            printer.print_string(" (")
            printer.print_ssa_value(self.extent)
            printer.print_string(")")
        printer.print_string(" : ")
        printer.print_attribute(self.array_type)

    def verify_extent(self) -> None:
        shape = self.array_type.get_shape()
        if UNBOUND in shape[1:]:
            raise VerifyException(
                f"{self.name} of {self.array_type}: only the leading extent of an array may be `?`"
            )
        given = (self.like is not None) + (self.extent is not None)
        if shape[:1] != (UNBOUND,) and given:
            raise VerifyException(
                f"{self.name} of {self.array_type}, whose leading extent is not `?`, "
                "takes no `like(%array)` or `(%extent)`"
            )
        if shape[:1] == (UNBOUND,) and given != 1:
            raise VerifyException(
                f"{self.name} of {self.array_type} takes its `?` from `like(%array)` or from `(%extent)`, "
                f"and has {'both' if given else 'neither'}"
            )
        if self.like is not None and shape_of(self.like.type)[:1] != (UNBOUND,):
            raise VerifyException(
                f"{self.name} takes its `?` from {self.like.type}, whose leading extent is not `?`"
            )


@irdl_op_definition
class EmptyOp(_AllocOp):
    """An array whose elements are undefined until they are stored.

    Elements that no store reaches have no meaning in the result, and reading one is an error.

    Example:
        %out = tile.empty like(%x) : memref<?x256xf32>
    """

    name = "tile.empty"
    irdl_options = (AttrSizedOperandSegments(as_property=True),)

    def __init__(self, array: Attribute, *, like: SSAValue | None = None, extent: SSAValue | None = None):
        super().__init__(operands=[like, extent], result_types=[array])

    @classmethod
    def parse(cls, parser: Parser) -> "EmptyOp":
        like, extent = _parse_extent(parser)
        parser.parse_punctuation(":")
        kind = parser.parse_type()
        return cls(kind, like=like, extent=extent)

    def print(self, printer: Printer) -> None:
        self.print_extent(printer)

    def verify_(self) -> None:
        self.verify_extent()


@irdl_op_definition
class FullOp(_AllocOp):
    """An array with one value in every element.

    Elements that no store reaches keep that value.

    Example:
        %out = tile.full 0.0 like(%x) : memref<?x256xf32>
    """

    name = "tile.full"
    value = prop_def(FloatAttr[AnyFloat] | IntegerAttr)
    irdl_options = (AttrSizedOperandSegments(as_property=True),)

    def __init__(
        self,
        value: float,
        array: Array,
        *,
        like: SSAValue | None = None,
        extent: SSAValue | None = None,
    ):
        super().__init__(
            operands=[like, extent],
            result_types=[array],
            properties={"value": scalar_attr(value, array.element_type)},
        )

    @classmethod
    def parse(cls, parser: Parser) -> "FullOp":
        value = parse_scalar(parser)
        like, extent = _parse_extent(parser)
        parser.parse_punctuation(":")
        kind = parser.parse_type()
        if not isinstance(kind, MemRefType):
            parser.raise_error(f"tile.full makes a memref, not a value of type {kind}")
        return cls(value, cast(Array, kind), like=like, extent=extent)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        print_scalar(printer, self.value)
        self.print_extent(printer)

    def verify_(self) -> None:
        self.verify_extent()
        if self.value.type != self.array_type.element_type:
            raise VerifyException(
                f"tile.full fills {self.array_type} with a constant of type {self.value.type}; "
                "the element type is needed"
            )


@irdl_op_definition
class SegmentOp(IRDLOperation):
    """Begin and end of segment `g`: `offsets[g]` and `offsets[g + 1]`, or `begins[g]` and `ends[g]`.

    States that segments are ordered and disjoint (`begin(g) <= end(g) <= begin(g + 1)`); there may be gaps
    between them and they may be empty. `g` is a value, not a literal. The interpreter and the emitted module
    check the order where the integers are known.

    `[%i to %j]` asks for the range of several: from the begin of segment `i` to the end of segment `j - 1`,
    of at least one. Between them may be gaps. The ranges of the tiles of an axis, from its `tile.bound begin`
    to its `tile.bound end`, are ordered and disjoint, too.

    A `clipped` one is read also where nothing asks for it, at an index that may lie outside of the arrays; it
    takes the nearest elements inside, and does not end before it begins.

    Example:
        %begin, %end = tile.segment %offsets[%g]
        %b, %e = tile.segment %begins[%g] to %ends[%g]
        %i = tile.bound begin %m
        %j = tile.bound end %m
        %first, %last = tile.segment %offsets[%i to %j]
        %rb, %re = tile.segment %offsets[%i] clipped
    """

    name = "tile.segment"
    begins = operand_def(MemRefType)
    ends = opt_operand_def(MemRefType)
    index = operand_def(IndexType)
    last = opt_operand_def(IndexType)
    clipped = opt_prop_def(UnitAttr)
    begin = result_def(IndexType)
    end = result_def(IndexType)

    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    traits = traits_def(MemoryReadEffect())

    def __init__(
        self,
        begins: SSAValue,
        index: SSAValue,
        ends: SSAValue | None = None,
        last: SSAValue | None = None,
    ):
        super().__init__(operands=[begins, ends, index, last], result_types=[IndexType(), IndexType()])

    @property
    def end_place(self) -> tuple[SSAValue, SSAValue, int]:
        """Where the end is: its array, and the index there with what is added to it."""
        if self.ends is None:
            return (self.begins, self.index, 1) if self.last is None else (self.begins, self.last, 0)
        return (self.ends, self.index, 0) if self.last is None else (self.ends, self.last, -1)

    @classmethod
    def parse(cls, parser: Parser) -> "SegmentOp":
        begins, ends = parse_known_operand(parser), None
        index, last = numbers = _parse_numbers(parser)
        if parser.parse_optional_keyword("to"):
            ends = parse_known_operand(parser)
            if _parse_numbers(parser) != numbers:
                parser.raise_error("tile.segment takes begin and end at the same index")
        op = cls(begins, index, ends, last)
        op.clipped = unit_if(parser.parse_optional_keyword("clipped"))
        return op

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        arrays = [self.begins] if self.ends is None else [self.begins, self.ends]
        for position, array in enumerate(arrays):
            printer.print_string(" to " if position else "")
            printer.print_ssa_value(array)
            with printer.in_square_brackets():
                printer.print_ssa_value(self.index)
                if self.last is not None:
                    printer.print_string(" to ")
                    printer.print_ssa_value(self.last)
        if self.clipped is not None:
            printer.print_string(" clipped")

    def verify_(self) -> None:
        for array in (self.begins, self.ends):
            if array is not None:
                verify_integers(self, array)


def _parse_numbers(parser: Parser) -> tuple[SSAValue, SSAValue | None]:
    """Parse `[%g]` or `[%g to %h]`."""
    with parser.in_square_brackets():
        first = parse_known_operand(parser)
        return first, parse_known_operand(parser) if parser.parse_optional_keyword("to") else None


class ReadOp(AccessOp):
    """What `tile.load` and `tile.gather` share."""

    mask = opt_operand_def()
    other = opt_operand_def()
    result = result_def()

    EFFECT: ClassVar[Effect] = Effect.READ
    traits = traits_def(MemoryReadEffect())

    def __init__(
        self,
        array: SSAValue,
        window: Sequence[Dim],
        mask: SSAValue | None = None,
        other: SSAValue | None = None,
    ):
        operands, kinds, shifts = pack_window(window)
        super().__init__(
            operands=[mask, other, array, operands],
            properties={"kinds": kinds, "shifts": shifts},
            result_types=[window_value_type(array.type, window)],
        )

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        array, window = parse_access(parser)
        placement = parse_placement(parser)
        mask = other = None
        if parser.parse_optional_keyword("mask"):
            mask = parse_known_operand(parser)
            parser.parse_keyword("other", " after a mask: the value of a lane where it is false")
            other = parse_known_operand(parser)
        op = cls(array, window, mask, other)
        op.placement = placement
        return op

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.array)
        print_window(printer, self.window)
        print_placement(printer, self)
        for keyword, value in (("mask", self.mask), ("other", self.other)):
            if value is not None:
                printer.print_string(f" {keyword} ")
                printer.print_ssa_value(value)

    def verify_(self) -> None:
        self.verify_window()
        if self.result.type != self.window_type:
            raise VerifyException(f"{self.name} of a {self.window_type} window results in {self.result.type}")
        if (self.mask is None) != (self.other is None):
            raise VerifyException(f"{self.name} needs both `mask` and `other`, or neither")
        verify_mask(self, self.mask, self.result.type)
        if self.other is not None and self.other.type not in (
            self.result.type,
            element_type(self.result.type),
        ):
            raise VerifyException(
                f"{self.name} takes `other` of type {self.other.type}; "
                f"{self.result.type} or its element type is needed"
            )


@irdl_op_definition
class LoadOp(ReadOp):
    """The value in a window of an array.

    The window's dimensions become the value's. Lanes outside a span are undefined. Where `mask` is false
    nothing is read and the lane is `other`. Every live lane must be inside the array and must have been
    stored or passed in. With indices only, the result is a scalar. `resident` asks to keep what the loop
    reads on the chip, `stream` to fetch it tile by tile; without either, `--split-unaligned-loops` chooses.

    Example:
        %lhs = tile.load %x[%m, %k] resident
        %row = tile.load %w[%g, %m + 1, :] mask %p other %zero
    """

    name = "tile.load"
    irdl_options = (AttrSizedOperandSegments(as_property=True),)


@irdl_op_definition
class StoreOp(AccessOp):
    """Writes a value into a window of an array, converting it to the array's element type.

    Lanes outside a span, and lanes where `mask` is false, are not written. Every lane written must be inside
    the array and must not be undefined. Floats convert to floats and integers to integers. `resident` and
    `stream` are those of `tile.load`.

    Example:
        tile.store %acc, %out[%m, :] stream
        tile.store %row, %out[%g, %n] mask %p
    """

    name = "tile.store"
    value = operand_def()
    mask = opt_operand_def()

    EFFECT: ClassVar[Effect] = Effect.WRITE
    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    traits = traits_def(MemoryWriteEffect())

    def __init__(self, value: SSAValue, array: SSAValue, window: Sequence[Dim], mask: SSAValue | None = None):
        operands, kinds, shifts = pack_window(window)
        super().__init__(
            operands=[value, mask, array, operands], properties={"kinds": kinds, "shifts": shifts}
        )

    @classmethod
    def parse(cls, parser: Parser) -> "StoreOp":
        value = parse_known_operand(parser)
        parser.parse_punctuation(",")
        array, window = parse_access(parser)
        placement = parse_placement(parser)
        mask = parse_known_operand(parser) if parser.parse_optional_keyword("mask") else None
        op = cls(value, array, window, mask)
        op.placement = placement
        return op

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.value)
        printer.print_string(", ")
        printer.print_ssa_value(self.array)
        print_window(printer, self.window)
        print_placement(printer, self)
        if self.mask is not None:
            printer.print_string(" mask ")
            printer.print_ssa_value(self.mask)

    def verify_(self) -> None:
        self.verify_window()
        verify_convertible(self, self.value.type, self.window_type)
        verify_mask(self, self.mask, self.value.type)
