"""What a function does with whole arrays around its kernels."""

from abc import ABC
from collections.abc import Sequence
from math import prod
from typing import Self

from xdsl.dialects.builtin import (
    AnyFloat,
    DenseArrayBase,
    FloatAttr,
    IndexType,
    IntegerAttr,
    MemRefType,
    StringAttr,
    i32,
    i64,
)
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import MemoryAllocEffect, MemoryReadEffect
from xdsl.utils.exceptions import VerifyException

from tilec.dialects.tile.expect import SumOp
from tilec.dialects.tile.syntax import (
    dense_i64,
    ints_of,
    parse_int_list,
    parse_known_operand,
    parse_scalar,
    print_int_list,
    print_scalar,
    scalar_attr,
)
from tilec.dialects.tile.types import UNBOUND, Array, element_type, shape_of

from .specs import parse_array_type, verify_array, verify_extent
from .syntax import parse_optional_operand, print_optional_operand, verify_on_host


@irdl_op_definition
class FullOp(IRDLOperation):
    """An array with one value in every element. `extent` is the leading extent where that is `?`.

    Example:
        %y = pallas.full 0.0 extent %n : memref<?x256xf32>
    """

    name = "pallas.full"
    value = prop_def(FloatAttr[AnyFloat] | IntegerAttr)
    extent = opt_operand_def(IndexType)
    array = result_def(MemRefType)
    traits = traits_def(MemoryAllocEffect())

    def __init__(self, value: float, kind: Array, extent: SSAValue | None):
        super().__init__(
            operands=[extent],
            properties={"value": scalar_attr(value, kind.element_type)},
            result_types=[kind],
        )

    @classmethod
    def parse(cls, parser: Parser) -> "FullOp":
        value = parse_scalar(parser)
        extent = parse_optional_operand(parser, "extent")
        return cls(value, parse_array_type(parser), extent)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        print_scalar(printer, self.value)
        print_optional_operand(printer, "extent", self.extent)
        printer.print_string(" : ")
        printer.print_attribute(self.array.type)

    def verify_(self) -> None:
        verify_on_host(self)
        verify_extent(self, self.array.type, self.extent)
        if self.value.type != element_type(self.array.type):
            raise VerifyException(f"pallas.full fills {self.array.type} with a {self.value.type}")


@irdl_op_definition
class ReshapeOp(IRDLOperation):
    """The same elements, in row-major order, under another shape.

    Example:
        %y = pallas.reshape %x extent %n : memref<?x1x256xf32>
    """

    name = "pallas.reshape"
    array = operand_def(MemRefType)
    extent = opt_operand_def(IndexType)
    result = result_def(MemRefType)

    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    traits = traits_def(MemoryAllocEffect(), MemoryReadEffect())

    def __init__(self, array: SSAValue, kind: Array, extent: SSAValue | None):
        super().__init__(operands=[array, extent], result_types=[kind])

    @classmethod
    def parse(cls, parser: Parser) -> "ReshapeOp":
        array = parse_known_operand(parser)
        extent = parse_optional_operand(parser, "extent")
        return cls(array, parse_array_type(parser), extent)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.array)
        print_optional_operand(printer, "extent", self.extent)
        printer.print_string(" : ")
        printer.print_attribute(self.result.type)

    def verify_(self) -> None:
        verify_on_host(self)
        verify_array(self, self.array)
        verify_extent(self, self.result.type, self.extent)
        source, target = self.array.type, self.result.type
        counts = [element_count(shape_of(kind)) for kind in (source, target)]
        if element_type(source) != element_type(target) or (None not in counts and counts[0] != counts[1]):
            raise VerifyException(
                f"pallas.reshape of {source} to {target}; the same element type and number of elements is "
                "needed"
            )


@irdl_op_definition
class ConvertOp(IRDLOperation):
    """The same elements with another type; of truth values, 0 and 1.

    Example:
        %y = pallas.convert %x to i8
    """

    name = "pallas.convert"
    array = operand_def(MemRefType)
    result = result_def(MemRefType)

    traits = traits_def(MemoryAllocEffect(), MemoryReadEffect())

    def __init__(self, array: SSAValue, element: Attribute):
        super().__init__(operands=[array], result_types=[MemRefType(element, shape_of(array.type))])

    @classmethod
    def parse(cls, parser: Parser) -> "ConvertOp":
        array = parse_known_operand(parser)
        parser.parse_keyword("to")
        return cls(array, parser.parse_type())

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.array)
        printer.print_string(" to ")
        printer.print_attribute(element_type(self.result.type))

    def verify_(self) -> None:
        verify_on_host(self)
        verify_array(self, self.array)
        if shape_of(self.array.type) != shape_of(self.result.type):
            raise VerifyException(f"pallas.convert of {self.array.type} to {self.result.type}: shapes differ")


@irdl_op_definition
class TransposeOp(IRDLOperation):
    """Reorders dimensions: dimension i of the result is dimension `perm[i]` of the array.

    Example:
        %y = pallas.transpose %x [1, 0]
    """

    name = "pallas.transpose"
    array = operand_def(MemRefType)
    perm = prop_def(DenseArrayBase.constr(i64))
    result = result_def(MemRefType)
    traits = traits_def(MemoryAllocEffect(), MemoryReadEffect())

    def __init__(self, array: SSAValue, perm: Sequence[int]):
        super().__init__(
            operands=[array],
            properties={"perm": dense_i64(perm)},
            result_types=[_transposed(array.type, perm)],
        )

    @classmethod
    def parse(cls, parser: Parser) -> "TransposeOp":
        array = parse_known_operand(parser)
        pos = parser.pos
        perm = ints_of(parse_int_list(parser))
        if sorted(perm) != list(range(len(shape_of(array.type)))):
            parser.raise_error(f"{list(perm)} does not permute the dimensions of {array.type}", pos)
        return cls(array, perm)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.array)
        printer.print_string(" ")
        print_int_list(printer, self.perm)

    def verify_(self) -> None:
        verify_on_host(self)
        verify_array(self, self.array)
        perm = ints_of(self.perm)
        if sorted(perm) != list(range(len(shape_of(self.array.type)))):
            raise VerifyException(f"pallas.transpose {list(perm)} does not permute {self.array.type}")
        if self.result.type != _transposed(self.array.type, perm):
            raise VerifyException(
                f"pallas.transpose results in {_transposed(self.array.type, perm)}, not {self.result.type}"
            )


def _transposed(array: Attribute, perm: Sequence[int]) -> Array:
    return MemRefType(element_type(array), [shape_of(array)[dim] for dim in perm])


def element_count(shape: tuple[int, ...]) -> int | None:
    """Number of elements, `None` where an extent is `?`."""
    return None if UNBOUND in shape else prod(shape)


class _SegmentsOp(IRDLOperation, ABC):
    """What the checks of segments share."""

    begins = operand_def(MemRefType)
    ends = opt_operand_def(MemRefType)
    limit = operand_def(IndexType)

    irdl_options = (AttrSizedOperandSegments(as_property=True),)

    def __init__(self, begins: SSAValue, ends: SSAValue | None, limit: SSAValue):
        super().__init__(operands=[begins, ends, limit])

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        begins = parse_known_operand(parser)
        ends = parse_optional_operand(parser, "to")
        parser.parse_keyword("limit")
        return cls(begins, ends, parse_known_operand(parser))

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.begins)
        print_optional_operand(printer, "to", self.ends)
        print_optional_operand(printer, "limit", self.limit)

    def verify_(self) -> None:
        verify_on_host(self)
        for array in (self.begins, self.ends):
            if array is None:
                continue
            verify_array(self, array)
            if len(shape_of(array.type)) != 1 or element_type(array.type) != i32:
                raise VerifyException(f"{self.name} reads a {array.type}; an i32 array of rank 1 is needed")


@irdl_op_definition
class CheckSegmentsOp(_SegmentsOp):
    """States that segments are ordered, disjoint and within `limit`; checked where their values are known.

    Segment g is `begins[g]` to `ends[g]`, or `begins[g]` to `begins[g + 1]` without `ends`. Under `jax.jit`
    the values are not known.

    Example:
        pallas.check_segments %offsets limit %n
        pallas.check_segments %begins to %ends limit %n
    """

    name = "pallas.check_segments"


@irdl_op_definition
class CheckLengthsOp(_SegmentsOp):
    """States that no segment is longer than `limit`; checked where the values are known.

    Segments are those of `pallas.check_segments`.

    Example:
        pallas.check_lengths %offsets limit %n
    """

    name = "pallas.check_lengths"


@irdl_op_definition
class CheckElementsOp(IRDLOperation):
    """States that no element of an array exceeds `limit`; checked where the values are known.

    Example:
        pallas.check_elements %counts limit %n
    """

    name = "pallas.check_elements"
    array = operand_def(MemRefType)
    limit = operand_def(IndexType)

    def __init__(self, array: SSAValue, limit: SSAValue):
        super().__init__(operands=[array, limit])

    @classmethod
    def parse(cls, parser: Parser) -> "CheckElementsOp":
        array = parse_known_operand(parser)
        parser.parse_keyword("limit")
        return cls(array, parse_known_operand(parser))

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.array)
        print_optional_operand(printer, "limit", self.limit)

    def verify_(self) -> None:
        verify_on_host(self)
        verify_array(self, self.array)


@irdl_op_definition
class CheckSumOp(SumOp):
    """States that elements of arrays together are at most `max`; checked where the values are known.

    Elements are those of `tile.expect_sum`, and so are several sums.

    Example:
        pallas.check_sum %a[-1], %b[-2] max %n
    """

    name = "pallas.check_sum"

    def verify_(self) -> None:
        super().verify_()
        verify_on_host(self)
        for array in self.arrays:
            verify_array(self, array)


@irdl_op_definition
class RequireOp(IRDLOperation):
    """States that one index is at most another; raises ValueError with `text` and both numbers if it is not.

    Both are known before the kernel starts, as extents of arrays are.

    Example:
        pallas.require %steps at_most %n "rows of x"
    """

    name = "pallas.require"
    value = operand_def(IndexType)
    limit = operand_def(IndexType)
    text = prop_def(StringAttr)

    def __init__(self, value: SSAValue, limit: SSAValue, text: str):
        super().__init__(operands=[value, limit], properties={"text": StringAttr(text)})

    @classmethod
    def parse(cls, parser: Parser) -> "RequireOp":
        value = parse_known_operand(parser)
        parser.parse_keyword("at_most")
        return cls(value, parse_known_operand(parser), parser.parse_str_literal())

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.value)
        printer.print_string(" at_most ")
        printer.print_ssa_value(self.limit)
        printer.print_string(" ")
        printer.print_string_literal(self.text.data)

    def verify_(self) -> None:
        verify_on_host(self)


@irdl_op_definition
class ScalarOp(IRDLOperation):
    """The one element of an array, as an index that may be known only when the kernel starts.

    It can be a dimension of a grid; the shape of an array cannot depend on it.

    Example:
        %steps = pallas.scalar %count
    """

    name = "pallas.scalar"
    array = operand_def(MemRefType)
    result = result_def(IndexType)
    traits = traits_def(MemoryReadEffect())

    def __init__(self, array: SSAValue):
        super().__init__(operands=[array], result_types=[IndexType()])

    @classmethod
    def parse(cls, parser: Parser) -> "ScalarOp":
        return cls(parse_known_operand(parser))

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.array)

    def verify_(self) -> None:
        verify_on_host(self)
        verify_array(self, self.array)
        if shape_of(self.array.type) not in ((), (1,)) or element_type(self.array.type) != i32:
            raise VerifyException(
                f"pallas.scalar reads a {self.array.type}; memref<i32> or memref<1xi32> is needed"
            )
