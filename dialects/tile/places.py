"""On-chip places at the schedule level of the `tile` dialect: scratch, and reading and writing references."""

from collections.abc import Sequence
from typing import TypeAlias, cast

from xdsl.dialects.builtin import UnitAttr
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    opt_prop_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import MemoryAllocEffect, MemoryReadEffect, MemoryWriteEffect
from xdsl.utils.exceptions import VerifyException

from .access import Effect, verify_convertible, verify_mask
from .axes import verify_names
from .schedule import PipelineOp, WindowOp
from .syntax import parse_known_operand, unit_if
from .types import RefType, SpanType, element_type, shape_of, span_names, value_type

Part: TypeAlias = tuple[SSAValue, SSAValue]
"""A span and the one whose tile it is a part of."""


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

    `at %part of %span` is a part of a window: of the dimension that `%span` indexes the lanes of `%part`,
    which is one of the equal parts of the span's tile.

    With `raw` the value has every lane that the window holds, live or not, and no spans; a lane outside the
    array, or not yet written, is undefined.

    Example:
        %v = tile.get %window
        %all = tile.get %window raw
    """

    name = "tile.get"
    ref = operand_def(RefType)
    part = var_operand_def(SpanType)
    raw = opt_prop_def(UnitAttr)
    result = result_def()
    traits = traits_def(MemoryReadEffect())

    def __init__(self, ref: SSAValue, *, part: Part | None = None, raw: bool = False):
        super().__init__(
            operands=[ref, part or ()],
            properties={"raw": unit_if(raw)},
            result_types=[_got_type(ref, part, raw)],
        )

    @property
    def at(self) -> Part | None:
        """The part of the window that is meant, if not all of it."""
        return _part_of(self.part)

    @classmethod
    def parse(cls, parser: Parser) -> "GetOp":
        ref, pos = _parse_ref(parser), parser.pos
        part = _parse_part(parser)
        if part is not None and _place_of(ref, part) is None:
            parser.raise_error(_no_part(ref, part), pos)
        return cls(ref, part=part, raw=parser.parse_optional_keyword("raw") is not None)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.ref)
        _print_part(printer, self.at)
        if self.raw is not None:
            printer.print_string(" raw")

    def verify_(self) -> None:
        _verify_part(self, self.ref, self.part)
        expected = _got_type(self.ref, self.at, self.raw is not None)
        if self.result.type != expected:
            raise VerifyException(f"tile.get results in {expected}, not {self.result.type}")


def _got_type(ref: SSAValue, part: Part | None, raw: bool) -> Attribute:
    held = held_part(ref, part)
    return _nameless(held) if raw else held


def held_part(ref: SSAValue, part: Part | None) -> Attribute:
    """The type of a part of what a reference holds."""
    held = held_type(ref)
    place = None if part is None else _place_of(ref, part)
    if part is None or place is None:
        return held
    kind, shape, names = cast(SpanType, part[0].type), list(shape_of(held)), list(span_names(held))
    shape[place], names[place] = kind.size, kind.axis
    return value_type(element_type(held), shape, names)


def place_of_part(op: "GetOp | SetOp") -> int:
    """The dimension of the window's array that `at` takes a part of. There must be one."""
    place = None if op.at is None else _dim_of(op.ref, op.at[1])
    if place is None:
        raise ValueError(f"{op.name} takes no part of a window")
    return place


def _dim_of(ref: SSAValue, span: SSAValue) -> int | None:
    """The only dimension of a window's array that a span indexes."""
    window = ref.owner
    if not isinstance(window, WindowOp):
        return None
    dims = [number for number, dim in enumerate(window.window) if dim.base is span]
    return dims[0] if len(dims) == 1 else None


def _place_of(ref: SSAValue, part: Part) -> int | None:
    """The dimension of a window's value that a part is of."""
    window, dim = ref.owner, _dim_of(ref, part[1])
    if dim is None or not isinstance(window, WindowOp):
        return None
    return sum(each.kept for each in window.window[:dim])


def _part_of(operands: Sequence[SSAValue]) -> Part | None:
    return (operands[0], operands[1]) if operands else None


def _parse_part(parser: Parser) -> Part | None:
    if parser.parse_optional_keyword("at") is None:
        return None
    part = parse_known_operand(parser)
    parser.parse_keyword("of")
    return part, parse_known_operand(parser)


def _print_part(printer: Printer, part: Part | None) -> None:
    if part is not None:
        printer.print_string(" at ")
        printer.print_ssa_value(part[0])
        printer.print_string(" of ")
        printer.print_ssa_value(part[1])


def _verify_part(op: IRDLOperation, ref: SSAValue, operands: Sequence[SSAValue]) -> None:
    if not operands:
        return
    if len(operands) != 2:
        raise VerifyException(f"{op.name} takes a part `at %part of %span`")
    part, span = operands
    small, large = cast(SpanType, part.type).size, cast(SpanType, span.type).size
    if _place_of(ref, (part, span)) is None:
        raise VerifyException(_no_part(ref, (part, span)))
    if small <= 0 or large % small:
        raise VerifyException(f"{op.name} takes {small} of {large} lanes; a part that divides them is needed")


def _no_part(ref: SSAValue, part: Part) -> str:
    name, span = ref.name_hint or "ref", part[1].name_hint or "span"
    return f"%{name} is no window of which %{span} indexes one dimension; a part can be taken of such a one"


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
    span though the place does, every lane that is inside the array is written. `at` is as in `tile.get`.

    Example:
        tile.set %v, %window
    """

    name = "tile.set"
    value = operand_def()
    ref = operand_def(RefType)
    mask = opt_operand_def()
    part = var_operand_def(SpanType)
    traits = traits_def(MemoryWriteEffect())

    irdl_options = (AttrSizedOperandSegments(as_property=True),)

    def __init__(
        self, value: SSAValue, ref: SSAValue, mask: SSAValue | None = None, *, part: Part | None = None
    ):
        super().__init__(operands=[value, ref, mask, part or ()])

    @property
    def at(self) -> Part | None:
        """The part of the window that is meant, if not all of it."""
        return _part_of(self.part)

    @classmethod
    def parse(cls, parser: Parser) -> "SetOp":
        value = parse_known_operand(parser)
        parser.parse_punctuation(",")
        ref = _parse_ref(parser)
        part = _parse_part(parser)
        mask = parse_known_operand(parser) if parser.parse_optional_keyword("mask") else None
        return cls(value, ref, mask, part=part)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.value)
        printer.print_string(", ")
        printer.print_ssa_value(self.ref)
        _print_part(printer, self.at)
        if self.mask is not None:
            printer.print_string(" mask ")
            printer.print_ssa_value(self.mask)

    def verify_(self) -> None:
        _verify_part(self, self.ref, self.part)
        held = held_part(self.ref, self.at)
        names = [
            None if given is None else name
            for given, name in zip(span_names(self.value.type), span_names(held), strict=False)
        ]
        place = value_type(element_type(held), shape_of(held), names)
        verify_convertible(self, self.value.type, place)
        verify_mask(self, self.mask, self.value.type)
        if isinstance(self.ref.owner, WindowOp) and self.ref.owner.effect != Effect.WRITE:
            raise VerifyException("tile.set writes into a `read` window; make it a `write` window")
