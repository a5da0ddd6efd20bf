"""What a kernel relies on and its caller must keep: bounds on run-time extents."""

from abc import ABC
from collections.abc import Sequence
from itertools import islice
from typing import Literal, Self

from xdsl.dialects.builtin import (
    DenseArrayBase,
    IndexType,
    IntegerAttr,
    MemRefType,
    UnitAttr,
    i64,
)
from xdsl.ir import SSAValue
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    opt_prop_def,
    prop_def,
    traits_def,
    var_operand_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import MemoryReadEffect, MemoryWriteEffect
from xdsl.utils.exceptions import VerifyException

from .syntax import dense_i64, ints_of, parse_elements, parse_known_operand, print_elements, unit_if
from .types import UNBOUND, shape_of, verify_integers


@irdl_op_definition
class ExpectOp(IRDLOperation):
    """States that no segment is longer than a number, or no element larger; it is an error if one is.

    `--fold-outer-pipeline` writes it for an axis that promises `max N`, before the kernel that relies on the
    promise.

    Example:
        tile.expect segments %offsets max 1024
        tile.expect segments %begins to %ends max 1024
        tile.expect elements %counts max 64
    """

    name = "tile.expect"
    array = operand_def(MemRefType)
    ends = opt_operand_def(MemRefType)
    limit = prop_def(IntegerAttr)
    elements = opt_prop_def(UnitAttr)

    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    # An error is an effect: the operation must stay though nothing uses it.
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())

    def __init__(
        self,
        what: Literal["segments", "elements"],
        array: SSAValue,
        limit: int,
        ends: SSAValue | None = None,
    ):
        super().__init__(
            operands=[array, ends],
            properties={"limit": IntegerAttr(limit, i64), "elements": unit_if(what == "elements")},
        )

    @classmethod
    def parse(cls, parser: Parser) -> "ExpectOp":
        what: Literal["segments", "elements"] = "elements"
        if parser.parse_keyword_in(["segments", "elements"]) == "segments":
            what = "segments"
        array = parse_known_operand(parser)
        ends = parse_known_operand(parser) if parser.parse_optional_keyword("to") else None
        parser.parse_keyword("max")
        return cls(what, array, parser.parse_integer(allow_boolean=False, allow_negative=False), ends)

    def print(self, printer: Printer) -> None:
        printer.print_string(" segments " if self.elements is None else " elements ")
        printer.print_ssa_value(self.array)
        if self.ends is not None:
            printer.print_string(" to ")
            printer.print_ssa_value(self.ends)
        printer.print_string(f" max {self.limit.value.data}")


class SumOp(IRDLOperation, ABC):
    """A limit of elements of integer arrays together, or of one of several such sums."""

    arrays = var_operand_def(MemRefType)
    limits = var_operand_def(IndexType)
    places = prop_def(DenseArrayBase)
    counts = prop_def(DenseArrayBase)

    irdl_options = (AttrSizedOperandSegments(as_property=True),)

    def __init__(self, sums: Sequence[tuple[Sequence[tuple[SSAValue, int]], SSAValue]]):
        elements = [element for found, _ in sums for element in found]
        super().__init__(
            operands=[[array for array, _ in elements], [limit for _, limit in sums]],
            properties={
                "places": dense_i64([place for _, place in elements]),
                "counts": dense_i64([len(found) for found, _ in sums]),
            },
        )

    @property
    def sums(self) -> list[tuple[list[tuple[SSAValue, int]], SSAValue]]:
        """The elements of each sum, arrays with places, and its limit."""
        elements = iter(zip(self.arrays, ints_of(self.places), strict=True))
        counts = zip(ints_of(self.counts), self.limits, strict=True)
        return [(list(islice(elements, count)), limit) for count, limit in counts]

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        sums: list[tuple[list[tuple[SSAValue, int]], SSAValue]] = []
        while not sums or parser.parse_optional_keyword("or"):
            elements = parse_elements(parser)
            parser.parse_keyword("max")
            sums.append((elements, parse_known_operand(parser)))
        return cls(sums)

    def print(self, printer: Printer) -> None:
        for position, (elements, limit) in enumerate(self.sums):
            printer.print_string(" or" if position else "")
            print_elements(printer, elements)
            printer.print_string(" max ")
            printer.print_ssa_value(limit)

    def verify_(self) -> None:
        for array, place in zip(self.arrays, ints_of(self.places), strict=True):
            verify_integers(self, array)
            shape = shape_of(array.type)
            if shape[0] != UNBOUND and not -shape[0] <= place < shape[0]:
                raise VerifyException(
                    f"{self.name} reads element {place} of {array.type}; "
                    f"{-shape[0]} to {shape[0] - 1} are accepted"
                )


@irdl_op_definition
class ExpectSumOp(SumOp):
    """States that elements of integer arrays together are at most a number; it is an error if they are more.

    Elements are counted from the first, from 0, or from behind the last, from -1. Of several sums, one has to
    be. `--fold-outer-pipeline` writes it where a range that is accessed ends at such a sum, or at the least
    of several.

    Example:
        tile.expect_sum %begins[-1], %ends[-2] max %rows
        tile.expect_sum %begins[-1] max %rows or %begins[-2] max %rows
    """

    name = "tile.expect_sum"
    # An error is an effect: the operation must stay though nothing uses it.
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())
