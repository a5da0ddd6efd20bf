"""On-chip places at the schedule level of the `tile` dialect: scratch, and reading and writing references."""

from typing import cast

from xdsl.dialects.builtin import UnitAttr
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    opt_prop_def,
    result_def,
    traits_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import MemoryAllocEffect, MemoryReadEffect, MemoryWriteEffect
from xdsl.utils.exceptions import VerifyException

from .access import Effect, verify_convertible, verify_mask
from .axes import verify_names
from .schedule import PipelineOp, WindowOp
from .syntax import parse_known_operand, unit_if
from .types import RefType, element_type, shape_of, span_names, value_type


@irdl_op_definition
class ScratchOp(IRDLOperation):
    """On-chip memory that keeps its value from step to step. Undefined until it is set.

    Example:
        %s = tile.scratch : tensor<128x256xf32>
    """

    name = "tile.scratch"
    result = result_def(RefType)
    traits = traits_def(MemoryAllocEffect())

    def __init__(self, value: Attribute):
        super().__init__(result_types=[RefType(value)])

    @classmethod
    def parse(cls, parser: Parser) -> "ScratchOp":
        parser.parse_punctuation(":")
        return cls(parser.parse_type())

    def print(self, printer: Printer) -> None:
        printer.print_string(" : ")
        printer.print_attribute(self.result.type.value)

    def verify_(self) -> None:
        verify_names(self, self.result.type.value)


def scratch_of(pipeline: PipelineOp) -> list[ScratchOp]:
    """The scratch of a pipeline, in order."""
    return [op for op in pipeline.body.block.ops if isinstance(op, ScratchOp)]


def held_type(ref: SSAValue) -> Attribute:
    """The type of the value that a reference, of type `!tile.ref`, holds; rank 0 is a scalar."""
    tensor = cast(RefType, ref.type).value
    return tensor if tensor.get_num_dims() else tensor.element_type


@irdl_op_definition
class GetOp(IRDLOperation):
    """The value in a window or a scratch. Dead lanes are undefined.

    With `raw` the value has every lane that the window holds, live or not, and no spans; a lane outside the
    array, or not yet written, is undefined.

    Example:
        %v = tile.get %window
        %all = tile.get %window raw
    """

    name = "tile.get"
    ref = operand_def(RefType)
    raw = opt_prop_def(UnitAttr)
    result = result_def()
    traits = traits_def(MemoryReadEffect())

    def __init__(self, ref: SSAValue, *, raw: bool = False):
        super().__init__(operands=[ref], properties={"raw": unit_if(raw)}, result_types=[_got_type(ref, raw)])

    @classmethod
    def parse(cls, parser: Parser) -> "GetOp":
        ref = _parse_ref(parser)
        return cls(ref, raw=parser.parse_optional_keyword("raw") is not None)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.ref)
        if self.raw is not None:
            printer.print_string(" raw")

    def verify_(self) -> None:
        expected = _got_type(self.ref, self.raw is not None)
        if self.result.type != expected:
            raise VerifyException(f"tile.get results in {expected}, not {self.result.type}")


def _got_type(ref: SSAValue, raw: bool) -> Attribute:
    held = held_type(ref)
    return _nameless(held) if raw else held


def _nameless(kind: Attribute) -> Attribute:
    return value_type(element_type(kind), shape_of(kind), [None] * len(shape_of(kind)))


def _parse_ref(parser: Parser) -> SSAValue:
    pos = parser.pos
    ref = parse_known_operand(parser)
    if not isinstance(ref.type, RefType):
        parser.raise_error(f"a !tile.ref is needed, and this is of type {ref.type}", pos)
    return ref


@irdl_op_definition
class SetOp(IRDLOperation):
    """Puts a value into a window or a scratch, converting it to the element type.

    Dead lanes, and lanes where `mask` is false, are not written. Along a dimension where the value names no
    span though the place does, every lane that is inside the array is written.

    Example:
        tile.set %v, %window
    """

    name = "tile.set"
    value = operand_def()
    ref = operand_def(RefType)
    mask = opt_operand_def()
    traits = traits_def(MemoryWriteEffect())

    def __init__(self, value: SSAValue, ref: SSAValue, mask: SSAValue | None = None):
        super().__init__(operands=[value, ref, mask])

    @classmethod
    def parse(cls, parser: Parser) -> "SetOp":
        value = parse_known_operand(parser)
        parser.parse_punctuation(",")
        ref = _parse_ref(parser)
        return cls(value, ref, parse_known_operand(parser) if parser.parse_optional_keyword("mask") else None)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.value)
        printer.print_string(", ")
        printer.print_ssa_value(self.ref)
        if self.mask is not None:
            printer.print_string(" mask ")
            printer.print_ssa_value(self.mask)

    def verify_(self) -> None:
        held = held_type(self.ref)
        names = [
            None if given is None else name
            for given, name in zip(span_names(self.value.type), span_names(held), strict=False)
        ]
        place = value_type(element_type(held), shape_of(held), names)
        verify_convertible(self, self.value.type, place)
        verify_mask(self, self.mask, self.value.type)
        if isinstance(self.ref.owner, WindowOp) and self.ref.owner.effect != Effect.WRITE:
            raise VerifyException("tile.set writes into a `read` window; make it a `write` window")
