"""Operations of the `tile` dialect on every n-th lane of the last dimension."""

from collections.abc import Sequence

from xdsl.dialects.builtin import IntegerAttr, TensorType, i64
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from .syntax import parse_known_operand
from .types import element_type, shape_of, span_names, value_type


@irdl_op_definition
class StridedSliceOp(IRDLOperation):
    """Each `step`-th lane of the last dimension, which must not have come from a span, from one on.

    Example:
        %odd = tile.strided_slice %v from 1 step 2
    """

    name = "tile.strided_slice"
    value = operand_def(TensorType)
    begin = prop_def(IntegerAttr)
    step = prop_def(IntegerAttr)
    result = result_def(TensorType)
    traits = traits_def(Pure())

    def __init__(self, value: SSAValue, begin: int, step: int):
        super().__init__(
            operands=[value],
            properties={"begin": IntegerAttr(begin, i64), "step": IntegerAttr(step, i64)},
            result_types=[_strided(value.type, begin, step)],
        )

    @classmethod
    def parse(cls, parser: Parser) -> "StridedSliceOp":
        pos = parser.pos
        value = parse_known_operand(parser)
        parser.parse_keyword("from")
        begin = parser.parse_integer(allow_boolean=False)
        parser.parse_keyword("step")
        step = parser.parse_integer(allow_boolean=False)
        try:
            return cls(value, begin, step)
        except VerifyException as problem:
            parser.raise_error(str(problem), pos)

    @property
    def numbers(self) -> tuple[int, int]:
        """Begin and step."""
        return self.begin.value.data, self.step.value.data

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.value)
        begin, step = self.numbers
        printer.print_string(f" from {begin} step {step}")

    def verify_(self) -> None:
        if self.result.type != _strided(self.value.type, *self.numbers):
            raise VerifyException(f"tile.strided_slice cannot result in {self.result.type}")


@irdl_op_definition
class InterleaveOp(IRDLOperation):
    """The lanes of several values in turn along the last dimension, which must not have come from a span.

    Of f values of one type, lane i of the p-th becomes lane `f * i + p`.

    Example:
        %pairs = tile.interleave %a, %b
    """

    name = "tile.interleave"
    values = var_operand_def(TensorType)
    result = result_def(TensorType)
    traits = traits_def(Pure())

    def __init__(self, values: Sequence[SSAValue]):
        super().__init__(operands=[values], result_types=[_interleaved([each.type for each in values])])

    @classmethod
    def parse(cls, parser: Parser) -> "InterleaveOp":
        pos = parser.pos
        values = [parse_known_operand(parser)]
        while parser.parse_optional_punctuation(","):
            values.append(parse_known_operand(parser))
        try:
            return cls(values)
        except VerifyException as problem:
            parser.raise_error(str(problem), pos)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_list(self.values, printer.print_ssa_value)

    def verify_(self) -> None:
        if self.result.type != _interleaved([value.type for value in self.values]):
            raise VerifyException(f"tile.interleave cannot result in {self.result.type}")


def _strided(kind: Attribute, begin: int, step: int) -> Attribute:
    extent = _lanes("tile.strided_slice", kind)
    if step < 1 or not 0 <= begin < extent:
        raise VerifyException(
            f"tile.strided_slice takes lanes from {begin} on in steps of {step} of {kind}; a lane of its "
            "last dimension and a step of 1 or more are needed"
        )
    return _with_lanes(kind, len(range(begin, extent, step)))


def _interleaved(kinds: Sequence[Attribute]) -> Attribute:
    for kind in kinds[1:]:
        if kind != kinds[0]:
            raise VerifyException(f"tile.interleave of {kinds[0]} and {kind}: their types must be one")
    return _with_lanes(kinds[0], _lanes("tile.interleave", kinds[0]) * len(kinds))


def _lanes(name: str, kind: Attribute) -> int:
    """The extent of the last dimension."""
    if not shape_of(kind) or span_names(kind)[-1] is not None:
        raise VerifyException(f"{name} of {kind}; a last dimension without a span is needed")
    return shape_of(kind)[-1]


def _with_lanes(kind: Attribute, extent: int) -> Attribute:
    return value_type(element_type(kind), [*shape_of(kind)[:-1], extent], span_names(kind))
