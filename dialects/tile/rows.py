"""Rows at computed positions at the schedule level of the `tile` dialect: one lane of a tile at a time."""

from xdsl.dialects.builtin import IndexType, IntegerType, MemRefType, i64
from xdsl.ir import SSAValue
from xdsl.irdl import IRDLOperation, irdl_op_definition, operand_def, prop_def, traits_def
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import MemoryReadEffect, MemoryWriteEffect
from xdsl.utils.exceptions import VerifyException

from .access import Effect, verify_convertible
from .atomics import Rmw, RmwAttr
from .locals import is_local
from .places import held_type
from .schedule import WindowOp
from .syntax import parse_known_operand
from .types import RefType, SpanType, element_type, shape_of, span_names, value_type


@irdl_op_definition
class UpdateRowsOp(IRDLOperation):
    """Combines each live row of a tile with the row of on-chip memory that an element of an array names.

    Rows of the tile are taken in order: that of lane i of the span meets row `ids[i]` of the window, which is
    of on-chip memory and has all of its rows. A row outside of it is an error.

    Example:
        tile.pipeline grid {
          %m = tile.axis 0 to 512 by m:128 ordered
          %sums = tile.local : memref<40x256xf32>
          %x_window = tile.window read %x[%m, :]
          %sums_window = tile.window write %sums[:, :]
          tile.update_rows add %x_window, %sums_window at %ids[%m]
        }
    """

    name = "tile.update_rows"
    kind = prop_def(RmwAttr)
    source = operand_def(RefType)
    place = operand_def(RefType)
    ids = operand_def(MemRefType)
    span = operand_def(SpanType)
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())

    def __init__(self, kind: Rmw, source: SSAValue, place: SSAValue, ids: SSAValue, span: SSAValue):
        super().__init__(operands=[source, place, ids, span], properties={"kind": RmwAttr(kind)})

    @classmethod
    def parse(cls, parser: Parser) -> "UpdateRowsOp":
        kind = parser.parse_str_enum(Rmw)
        source = parse_known_operand(parser)
        parser.parse_punctuation(",")
        place = parse_known_operand(parser)
        parser.parse_keyword("at")
        ids = parse_known_operand(parser)
        with parser.in_square_brackets():
            span = parse_known_operand(parser)
        return cls(kind, source, place, ids, span)

    def print(self, printer: Printer) -> None:
        printer.print_string(f" {self.kind.data} ")
        printer.print_ssa_value(self.source)
        printer.print_string(", ")
        printer.print_ssa_value(self.place)
        printer.print_string(" at ")
        printer.print_ssa_value(self.ids)
        with printer.in_square_brackets():
            printer.print_ssa_value(self.span)

    def verify_(self) -> None:
        if not self.kind.data.commutes:
            raise VerifyException(
                f"tile.update_rows {self.kind.data}; add, max, min, and, or, xor are accepted"
            )
        window = self.place.owner
        whole = isinstance(window, WindowOp) and window.window[0].full and window.effect is Effect.WRITE
        if not isinstance(window, WindowOp) or not whole or not is_local(window.array):
            raise VerifyException(
                "tile.update_rows needs a `write` window of a tile.local with all of its rows, `%a[:, …]`"
            )
        span, ids = self.span.type, self.ids.type
        element = element_type(ids)
        integers = isinstance(element, IndexType | IntegerType) and element != i64
        if len(shape_of(ids)) != 1 or not integers:
            raise VerifyException(f"tile.update_rows takes rows from {ids}; a list of i32 is needed")
        source, place = held_type(self.source), held_type(self.place)
        if not isinstance(span, SpanType) or span_names(source)[:1] != (span.axis,):
            raise VerifyException(f"tile.update_rows goes along {span}, and the rows of {source} do not")
        shape, names = [shape_of(source)[0], *shape_of(place)[1:]], [span.axis, *span_names(place)[1:]]
        verify_convertible(self, source, value_type(element_type(place), shape, names))
