"""Where the tile at hand lies: what `tile.bound` asks of a span."""

from typing import cast

from xdsl.dialects.builtin import IndexType
from xdsl.dialects.utils import EnumAttribute
from xdsl.ir import SpacedOpaqueSyntaxAttribute, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_attr_definition,
    irdl_op_definition,
    operand_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.str_enum import StrEnum

from .syntax import parse_known_operand
from .types import AnySpan, JaggedSpanType, SpanType


class Side(StrEnum):
    """What can be asked of a tile: its first live index, the one after its last, the lanes of its block."""

    BEGIN = "begin"
    END = "end"
    SIZE = "size"


@irdl_attr_definition
class SideAttr(EnumAttribute[Side], SpacedOpaqueSyntaxAttribute):
    """What is asked of a tile."""

    name = "tile.side"


@irdl_op_definition
class BoundOp(IRDLOperation):
    """Where the tile at hand begins or ends, or how many lanes its block has.

    `begin` is the index of the first live lane, `end` the one after the last: `begin to end` are the tile's
    own indices, and a `tile.for` over them goes through the tile in smaller ones. `size` counts the lanes of
    the block, live or not, and is a constant once `--choose-blocks` has bound it.

    They speak of the tile at hand and of nothing else. Tiles of an axis that begins at no multiple of the
    block may be cut at other places later, the first one shorter, so that what a program computes must not
    depend on where the cuts are, unless the axis is `exact`; that the first tile begins where its axis does,
    and the last one ends there, always holds.

    Example:
        %b = tile.bound begin %m
        %e = tile.bound end %m
        tile.for %j = %b to %e by j {
          %v = tile.load %x[%j, :]
        }
    """

    name = "tile.bound"
    side = prop_def(SideAttr)
    span = operand_def(SpanType | JaggedSpanType)
    result = result_def(IndexType)
    traits = traits_def(Pure())

    def __init__(self, side: Side, span: SSAValue):
        super().__init__(operands=[span], properties={"side": SideAttr(side)}, result_types=[IndexType()])

    @property
    def lanes(self) -> int:
        """Lanes of the tile's block, or `UNBOUND`."""
        return cast(AnySpan, self.span.type).size

    @classmethod
    def parse(cls, parser: Parser) -> "BoundOp":
        side = parser.parse_str_enum(Side)
        pos = parser.pos
        span = parse_known_operand(parser)
        if not isinstance(span.type, AnySpan):
            parser.raise_error(f"tile.bound asks about a span, and this is of type {span.type}", pos)
        return cls(side, span)

    def print(self, printer: Printer) -> None:
        printer.print_string(f" {self.side.data} ")
        printer.print_ssa_value(self.span)

    def verify_(self) -> None:
        if self.side.data is Side.END and isinstance(self.span.type, JaggedSpanType):
            raise VerifyException(
                f"tile.bound asks for the end of a {self.span.type}, whose lanes of {self.span.type.parent} "
                "have ends of their own; compare tile.indices with these"
            )
