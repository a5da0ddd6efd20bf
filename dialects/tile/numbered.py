"""Tiles by their number, where nothing goes through all of an axis."""

from xdsl.dialects.builtin import DenseArrayBase, IndexType, UnitAttr
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from .syntax import (
    Bounds,
    dense_i64,
    pack_bounds,
    parse_bounds,
    parse_known_operand,
    parse_optional_count,
    print_operand_or_int,
    unit_if,
    unpack_bounds,
)
from .types import SpanType


@irdl_op_definition
class SpanOp(IRDLOperation):
    """Tile number `index` of the range `begin to end`, as the span of a tile axis.

    `aligned` counts tiles of the whole array, from 0, as an aligned axis does; otherwise they count from
    `begin`. `keep` says that there may be no such tile: then no lane is live. `mean` is that of the axis, for
    choices only.

    Example:
        %m = tile.span %t of %b to %e by m:128 aligned
    """

    name = "tile.span"
    index = operand_def(IndexType)
    bound_operands = var_operand_def(IndexType)
    static_bounds = prop_def(DenseArrayBase)
    means = opt_prop_def(DenseArrayBase)
    aligned = opt_prop_def(UnitAttr)
    keep = opt_prop_def(UnitAttr)
    result = result_def(SpanType)
    traits = traits_def(Pure())

    def __init__(
        self,
        index: SSAValue,
        bounds: Bounds[SSAValue],
        kind: Attribute,
        *,
        aligned: bool = False,
        keep: bool = False,
    ):
        operands, packed = pack_bounds([bounds])
        super().__init__(
            operands=[index, operands],
            properties={
                "static_bounds": packed["static_bounds"],
                "means": packed["means"],
                "aligned": unit_if(aligned),
                "keep": unit_if(keep),
            },
            result_types=[kind],
        )

    @property
    def bounds(self) -> Bounds[SSAValue]:
        no_max = dense_i64([-1])
        (bounds,) = unpack_bounds(self.name, self.bound_operands, self.static_bounds, no_max, self.means)
        return bounds

    @classmethod
    def parse(cls, parser: Parser) -> "SpanOp":
        index = parse_known_operand(parser)
        parser.parse_keyword("of")
        begin, end = parse_bounds(parser)
        parser.parse_keyword("by")
        name = parser.parse_identifier("an axis name")
        parser.parse_punctuation(":")
        kind = SpanType(name, parser.parse_integer(allow_negative=False))
        mean = parse_optional_count(parser, "mean")
        aligned = parser.parse_optional_keyword("aligned") is not None
        keep = parser.parse_optional_keyword("keep") is not None
        return cls(index, Bounds(begin, end, mean=mean), kind, aligned=aligned, keep=keep)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.index)
        printer.print_string(" of ")
        print_operand_or_int(printer, self.bounds.begin)
        printer.print_string(" to ")
        print_operand_or_int(printer, self.bounds.end)
        span = self.result.type
        printer.print_string(f" by {span.axis}:{span.size}")
        if self.bounds.mean is not None:
            printer.print_string(f" mean {self.bounds.mean}")
        if self.aligned is not None:
            printer.print_string(" aligned")
        if self.keep is not None:
            printer.print_string(" keep")

    def verify_(self) -> None:
        if self.result.type.size <= 0:
            raise VerifyException(f"tile.span makes a {self.result.type}; a span with a block size is needed")
        _ = self.bounds
