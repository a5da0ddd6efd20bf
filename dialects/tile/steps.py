"""What the body of a pipeline asks about its step, and lists of steps that were computed beforehand."""

from abc import ABC
from collections.abc import Sequence

from xdsl.dialects.builtin import IndexType, MemRefType, i1, i32
from xdsl.ir import Region, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    region_def,
    result_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import MemoryWriteEffect, NoTerminator, Pure, RecursiveMemoryEffect
from xdsl.utils.exceptions import VerifyException

from .schedule import AxisOp
from .syntax import parse_known_operand
from .types import UNBOUND


class _AxisQuery(IRDLOperation, ABC):
    """A boolean about the current step of one axis."""

    axis = operand_def()
    result = result_def(i1)
    traits = traits_def(Pure())

    def __init__(self, axis: SSAValue):
        super().__init__(operands=[axis], result_types=[i1])

    @classmethod
    def parse(cls, parser: Parser) -> "_AxisQuery":
        return cls(parse_known_operand(parser))

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.axis)

    def verify_(self) -> None:
        if not isinstance(self.axis.owner, AxisOp):
            raise VerifyException(
                f"{self.name} asks about a value of type {self.axis.type} that no tile.axis made"
            )


@irdl_op_definition
class FirstOp(_AxisQuery):
    """Whether this is the axis' first step for the current steps of the axes before it.

    Example:
        tile.pipeline grid {
          %k = tile.axis 0 to 512 by k:128 ordered
          %p = tile.first %k
        }
    """

    name = "tile.first"


@irdl_op_definition
class LastOp(_AxisQuery):
    """Whether this is the axis' last step for the current steps of the axes before it.

    Example:
        tile.pipeline grid {
          %k = tile.axis 0 to 512 by k:128 ordered
          %p = tile.last %k
        }
    """

    name = "tile.last"


@irdl_op_definition
class LiveOp(_AxisQuery):
    """Whether the axis' range is not empty: false in the one step that `keep` makes of an empty range.

    Example:
        tile.pipeline grid {
          %g = tile.axis 0 to 8 ordered
          %b, %e = tile.segment %offsets[%g]
          %m = tile.axis %b to %e by m:128 ordered aligned keep
          %p = tile.live %m
        }
    """

    name = "tile.live"


@irdl_op_definition
class AppendOp(IRDLOperation):
    """Adds an entry to the worklist around it.

    Example:
        %n, %gs = tile.worklist capacity %most columns 1 {
          tile.append %g
        }
    """

    name = "tile.append"
    values = var_operand_def(IndexType)
    traits = traits_def(MemoryWriteEffect())

    def __init__(self, values: Sequence[SSAValue]):
        super().__init__(operands=[values])

    @classmethod
    def parse(cls, parser: Parser) -> "AppendOp":
        values = [parse_known_operand(parser)]
        while parser.parse_optional_punctuation(","):
            values.append(parse_known_operand(parser))
        return cls(values)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_list(self.values, printer.print_ssa_value)

    def verify_(self) -> None:
        outer = self.parent_op()
        while outer is not None and not isinstance(outer, WorklistOp):
            outer = outer.parent_op()
        if outer is None:
            raise VerifyException("tile.append is outside a tile.worklist")
        if len(outer.tables) != len(self.values):
            raise VerifyException(
                f"tile.append gives {len(self.values)} values to a worklist of {len(outer.tables)} columns"
            )


@irdl_op_definition
class WorklistOp(IRDLOperation):
    """Runs scalar code that appends entries; results in their number and in one table for each column.

    There are at most `capacity` entries; more is an error. Table elements from the count on are undefined.

    Example:
        %n, %gs, %ts = tile.worklist capacity %most columns 2 {
          tile.append %g, %t
        }
    """

    name = "tile.worklist"
    capacity = operand_def(IndexType)
    count = result_def(IndexType)
    tables = var_result_def(MemRefType)
    body = region_def("single_block")
    traits = traits_def(NoTerminator(), RecursiveMemoryEffect())

    def __init__(self, capacity: SSAValue, columns: int, body: Region):
        super().__init__(
            operands=[capacity],
            result_types=[IndexType(), [MemRefType(i32, [UNBOUND])] * columns],
            regions=[body],
        )

    @classmethod
    def parse(cls, parser: Parser) -> "WorklistOp":
        parser.parse_keyword("capacity")
        capacity = parse_known_operand(parser)
        parser.parse_keyword("columns")
        columns = parser.parse_integer(allow_boolean=False, allow_negative=False)
        return cls(capacity, columns, parser.parse_region())

    def print(self, printer: Printer) -> None:
        printer.print_string(" capacity ")
        printer.print_ssa_value(self.capacity)
        printer.print_string(f" columns {len(self.tables)} ")
        printer.print_region(self.body, print_block_terminators=False)
