"""Lane by lane, what `arith` lacks on tiles: comparison, choice and conversion."""

from collections.abc import Sequence

from xdsl.dialects.builtin import AnyFloat, IntegerType, i1
from xdsl.dialects.utils import EnumAttribute
from xdsl.ir import Attribute, Operation, SpacedOpaqueSyntaxAttribute, SSAValue
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
from .types import element_type, with_element


class Relation(StrEnum):
    """How two lanes compare. Integers are signed; with a NaN only `ne` holds."""

    EQ = "eq"
    NE = "ne"
    LT = "lt"
    LE = "le"
    GT = "gt"
    GE = "ge"


@irdl_attr_definition
class RelationAttr(EnumAttribute[Relation], SpacedOpaqueSyntaxAttribute):
    """How a comparison compares."""

    name = "tile.relation"


@irdl_op_definition
class CompareOp(IRDLOperation):
    """Lane by lane, whether the relation holds between the first and the second operand.

    `relation` is eq, ne, lt, le, gt or ge. Integers are signed; with a NaN only `ne` holds.

    Example:
        %p = tile.compare lt %a, %b
    """

    name = "tile.compare"
    relation = prop_def(RelationAttr)
    lhs = operand_def()
    rhs = operand_def()
    result = result_def()
    traits = traits_def(Pure())

    def __init__(self, relation: Relation, lhs: SSAValue, rhs: SSAValue):
        super().__init__(
            operands=[lhs, rhs],
            properties={"relation": RelationAttr(relation)},
            result_types=[with_element(lhs.type, i1)],
        )

    @classmethod
    def parse(cls, parser: Parser) -> "CompareOp":
        relation = parser.parse_str_enum(Relation)
        return cls(relation, *_parse_operands(parser, 2))

    def print(self, printer: Printer) -> None:
        printer.print_string(f" {self.relation.data}")
        _print_operands(printer, self.operands)

    def verify_(self) -> None:
        if self.lhs.type != self.rhs.type or self.result.type != with_element(self.lhs.type, i1):
            raise VerifyException(
                f"tile.compare compares {self.lhs.type} with {self.rhs.type} into {self.result.type}; "
                f"equal types and {with_element(self.lhs.type, i1)} are needed"
            )


@irdl_op_definition
class SelectOp(IRDLOperation):
    """Lane by lane, the second operand where the first is true, the third where it is false.

    An undefined lane of the operand that is not chosen does not matter.

    Example:
        %c = tile.select %p, %a, %b
    """

    name = "tile.select"
    condition = operand_def()
    true = operand_def()
    false = operand_def()
    result = result_def()
    traits = traits_def(Pure())

    def __init__(self, condition: SSAValue, true: SSAValue, false: SSAValue):
        super().__init__(operands=[condition, true, false], result_types=[true.type])

    @classmethod
    def parse(cls, parser: Parser) -> "SelectOp":
        return cls(*_parse_operands(parser, 3))

    def print(self, printer: Printer) -> None:
        _print_operands(printer, self.operands)

    def verify_(self) -> None:
        kinds = {self.true.type, self.false.type, self.result.type}
        if len(kinds) != 1 or self.condition.type != with_element(self.true.type, i1):
            raise VerifyException(
                f"tile.select chooses by {self.condition.type} between {self.true.type} and "
                f"{self.false.type}; {with_element(self.true.type, i1)} and two equal types are needed"
            )


@irdl_op_definition
class CastOp(IRDLOperation):
    """Converts every lane to another element type.

    To a float it rounds once, to nearest even; from a float to an integer towards zero. To `i1` it asks for
    not zero; from `i1` it makes 0 and 1.

    Example:
        %h = tile.cast %v to bf16
    """

    name = "tile.cast"
    value = operand_def()
    result = result_def()
    traits = traits_def(Pure())

    def __init__(self, value: SSAValue, element: Attribute):
        super().__init__(operands=[value], result_types=[with_element(value.type, element)])

    @classmethod
    def parse(cls, parser: Parser) -> "CastOp":
        value = parse_known_operand(parser)
        parser.parse_keyword("to")
        return cls(value, parser.parse_type())

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.value)
        printer.print_string(" to ")
        printer.print_attribute(element_type(self.result.type))

    def verify_(self) -> None:
        for kind in (element_type(self.value.type), element_type(self.result.type)):
            if not isinstance(kind, AnyFloat | IntegerType):
                raise VerifyException(f"tile.cast converts floats and integers, not {kind}")
        if self.result.type != with_element(self.value.type, element_type(self.result.type)):
            raise VerifyException(f"tile.cast of {self.value.type} cannot result in {self.result.type}")


def is_lanewise(op: Operation) -> bool:
    """Whether each lane of what `op` makes depends on the same lane of its operands alone."""
    return isinstance(op, CompareOp | SelectOp | CastOp) or op.name.startswith(("arith.", "math."))


def _parse_operands(parser: Parser, count: int) -> list[SSAValue]:
    values = [parse_known_operand(parser)]
    for _ in range(count - 1):
        parser.parse_punctuation(",")
        values.append(parse_known_operand(parser))
    return values


def _print_operands(printer: Printer, values: Sequence[SSAValue]) -> None:
    printer.print_string(" ")
    printer.print_list(values, printer.print_ssa_value)
