"""What a kernel relies on and its caller must keep: bounds on run-time extents."""

from typing import Literal

from xdsl.dialects.builtin import IntegerAttr, MemRefType, UnitAttr, i64
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
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import MemoryReadEffect, MemoryWriteEffect

from .syntax import parse_known_operand, unit_if


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
