"""Running combinations by a function of lanes, beside `tile.scan`, which knows its own."""

from collections.abc import Sequence

from xdsl.dialects import arith
from xdsl.dialects.builtin import IntegerAttr, TensorType, UnitAttr, f32, i32, i64
from xdsl.ir import Attribute, Operation, Region, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    opt_prop_def,
    prop_def,
    region_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import IsolatedFromAbove, Pure
from xdsl.utils.exceptions import VerifyException

from .elementwise import is_lanewise
from .loops import YieldOp
from .syntax import parse_known_operand, unit_if
from .types import element_type, shape_of, span_names
from .values import SplatOp


@irdl_op_definition
class AssociativeScanOp(IRDLOperation):
    """Running combination of one or several values along one dimension, by a function of two lanes of each.

    The body takes a lane of every value, then a later lane of every value, and yields both combined. It is
    associative, and sees nothing from outside. Lane i becomes lanes 0 to i combined; with `reverse` the
    values are gone through from their last lane. Dead lanes count as if they were not there. Values are of
    one shape, of f32 or i32.

    Example:
        %p, %h = tile.associative_scan %v, %w dim 0 {
        ^bb0(%p0: f32, %h0: f32, %p1: f32, %h1: f32):
          %p2 = arith.mulf %p1, %p0 : f32
          %decayed = arith.mulf %p1, %h0 : f32
          %h2 = arith.addf %decayed, %h1 : f32
          tile.yield %p2, %h2
        }
    """

    name = "tile.associative_scan"
    values = var_operand_def(TensorType)
    dim = prop_def(IntegerAttr)
    reverse = opt_prop_def(UnitAttr)
    results_ = var_result_def(TensorType)
    body = region_def("single_block")
    traits = traits_def(Pure(), IsolatedFromAbove())

    def __init__(self, values: Sequence[SSAValue], dim: int, body: Region, *, reverse: bool = False):
        super().__init__(
            operands=[values],
            properties={"dim": IntegerAttr(dim, i64), "reverse": unit_if(reverse)},
            regions=[body],
            result_types=[[value.type for value in values]],
        )

    @property
    def combined(self) -> Sequence[SSAValue]:
        """What the body makes of two lanes."""
        last = self.body.block.last_op
        return last.operands if last is not None else ()

    @property
    def axis_name(self) -> str | None:
        """The span that the scanned dimension came from."""
        return span_names(self.values[0].type)[self.dim.value.data]

    @classmethod
    def parse(cls, parser: Parser) -> "AssociativeScanOp":
        values = [parse_known_operand(parser)]
        while parser.parse_optional_punctuation(","):
            values.append(parse_known_operand(parser))
        parser.parse_keyword("dim")
        dim = parser.parse_integer(allow_boolean=False)
        reverse = parser.parse_optional_keyword("reverse") is not None
        return cls(values, dim, parser.parse_region(), reverse=reverse)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_list(self.values, printer.print_ssa_value)
        printer.print_string(f" dim {self.dim.value.data}")
        if self.reverse is not None:
            printer.print_string(" reverse")
        printer.print_string(" ")
        printer.print_region(self.body)

    def verify_(self) -> None:
        kinds = [value.type for value in self.values]
        if not kinds:
            raise VerifyException("tile.associative_scan of no value; one or more are needed")
        if [value.type for value in self.results_] != kinds:
            raise VerifyException("tile.associative_scan results in values of other types than it takes")
        dim, shape, names = self.dim.value.data, shape_of(kinds[0]), span_names(kinds[0])
        if not 0 <= dim < len(shape):
            raise VerifyException(f"tile.associative_scan along dimension {dim} of {kinds[0]}")
        for kind in kinds:
            if (shape_of(kind), span_names(kind)) != (shape, names):
                raise VerifyException(f"tile.associative_scan of {kinds[0]} and {kind}; give them one shape")
            if element_type(kind) not in (f32, i32):
                raise VerifyException(f"tile.associative_scan of {kind}; f32 and i32 are accepted")
        self._verify_body([element_type(kind) for kind in kinds])

    def _verify_body(self, elements: Sequence[Attribute]) -> None:
        block, wanted = self.body.block, ", ".join(map(str, elements))
        if [arg.type for arg in block.args] != [*elements, *elements]:
            raise VerifyException(f"the body of tile.associative_scan takes ({wanted}) twice")
        if not isinstance(block.last_op, YieldOp) or [value.type for value in self.combined] != list(
            elements
        ):
            raise VerifyException(f"the body of tile.associative_scan yields ({wanted})")
        for op in block.ops:
            if not (_is_of_lanes(op) or op is block.last_op):
                raise VerifyException(
                    f"{op.name} in the body of tile.associative_scan, which combines single lanes"
                )


def _is_of_lanes(op: Operation) -> bool:
    """Whether an operation computes one scalar from others."""
    scalar = not any(shape_of(value.type) for value in (*op.operands, *op.results))
    return scalar and (is_lanewise(op) or isinstance(op, SplatOp | arith.ConstantOp))
