"""Accesses whose positions are computed: a tile of integers says which rows are read or written."""

from collections.abc import Sequence
from typing import ClassVar, Self

from xdsl.dialects.builtin import IndexType, IntegerAttr, UnitAttr, i32, i64
from xdsl.ir import SSAValue
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import MemoryWriteEffect, Pure
from xdsl.utils.exceptions import VerifyException

from .access import (
    AccessOp,
    Dim,
    Effect,
    pack_window,
    parse_access,
    print_window,
    verify_convertible,
    verify_mask,
)
from .arrays import ReadOp
from .syntax import parse_known_operand, parse_optional_count, unit_if
from .types import SpanType, shape_of, value_type


def verify_indexed(op: AccessOp, instead: str) -> None:
    """Check that a tile of integers indexes a dimension. Raises `VerifyException`."""
    if op.indexed is None:
        raise VerifyException(f"{op.name} indexes no dimension by a tile of integers; use {instead}")


@irdl_op_definition
class GatherOp(ReadOp):
    """The elements of an array at computed positions.

    One dimension is indexed by a tile of integers, whose dimensions stand in its place in the result; the
    others are indexed as in `tile.load`. Where `mask` is false nothing is read and the lane is `other`. A
    position outside the array is an error. `rows`, of whole rows or planes without a mask, says that they are
    copied one by one, or run by run: the array stays where it is, and needs no window. Of `buffers` there is
    one, or several into which later steps copy runs.

    Example:
        %rows = tile.gather %x[%ids, :]
        %some = tile.gather %x[%ids, %n] mask %p other %zero
        %each = tile.gather %x[%ids, :] rows
        %planes = tile.gather %cache[%ids, :, :] rows
    """

    name = "tile.gather"
    rows = opt_prop_def(UnitAttr)
    buffers = opt_prop_def(IntegerAttr)
    TAKES_TILES: ClassVar[bool] = True
    irdl_options = (AttrSizedOperandSegments(as_property=True),)

    @property
    def runs(self) -> "RunsOp | None":
        """What says that its positions follow each other in runs, if they do."""
        made = None if self.positions is None else self.positions.owner
        return made if isinstance(made, RunsOp) else None

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        op = super().parse(parser)
        op.rows = unit_if(parser.parse_optional_keyword("rows") is not None)
        buffers = parse_optional_count(parser, "buffers")
        op.buffers = None if buffers is None else IntegerAttr(buffers, i64)
        return op

    def print(self, printer: Printer) -> None:
        super().print(printer)
        if self.rows is not None:
            printer.print_string(" rows")
        if self.buffers is not None:
            printer.print_string(f" buffers {self.buffers.value.data}")

    def verify_(self) -> None:
        super().verify_()
        verify_indexed(self, "tile.load")
        if self.rows is not None and (not self._takes_rows() or self.mask is not None):
            raise VerifyException(
                "tile.gather with `rows` takes no rows of an array, `%x[%ids, :]`, nor whole planes, "
                "`%x[%ids, :, :]`, or has a mask; leave `rows` out"
            )
        if self.buffers is not None and (self.rows is None or self.runs is None):
            raise VerifyException(
                "tile.gather with `buffers` has no `rows`, or other positions than those of a tile.runs; "
                "leave `buffers` out"
            )

    def _takes_rows(self) -> bool:
        first, *others = self.window
        whole = len(others) == 1 or all(dim.full for dim in others)
        return first.indexed and first.shift == 0 and whole and not any(dim.indexed for dim in others)


@irdl_op_definition
class ScatterOp(AccessOp):
    """Writes the lanes of a value to computed positions, converting them to the array's element type.

    One dimension is indexed by a tile of integers; the others are indexed as in `tile.store`. Lanes where
    `mask` is false are not written. Two lanes of one position are an error, and so is a position outside the
    array, whose lane `drop` leaves out instead.

    Example:
        tile.scatter %rows, %out[%ids, :]
        tile.scatter %rows, %out[%ids, :] mask %p drop
    """

    name = "tile.scatter"
    value = operand_def()
    mask = opt_operand_def()
    drop = opt_prop_def(UnitAttr)

    EFFECT: ClassVar[Effect] = Effect.WRITE
    TAKES_TILES: ClassVar[bool] = True
    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    traits = traits_def(MemoryWriteEffect())

    def __init__(
        self,
        value: SSAValue,
        array: SSAValue,
        window: Sequence[Dim],
        mask: SSAValue | None = None,
        *,
        drop: bool = False,
    ):
        operands, kinds, shifts = pack_window(window)
        super().__init__(
            operands=[value, mask, array, operands],
            properties={"kinds": kinds, "shifts": shifts, "drop": unit_if(drop)},
        )

    @classmethod
    def parse(cls, parser: Parser) -> "ScatterOp":
        value = parse_known_operand(parser)
        parser.parse_punctuation(",")
        array, window = parse_access(parser)
        mask = parse_known_operand(parser) if parser.parse_optional_keyword("mask") else None
        return cls(value, array, window, mask, drop=parser.parse_optional_keyword("drop") is not None)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.value)
        printer.print_string(", ")
        printer.print_ssa_value(self.array)
        print_window(printer, self.window)
        if self.mask is not None:
            printer.print_string(" mask ")
            printer.print_ssa_value(self.mask)
        if self.drop is not None:
            printer.print_string(" drop")

    def verify_(self) -> None:
        self.verify_window()
        verify_indexed(self, "tile.store")
        verify_convertible(self, self.value.type, self.window_type)
        verify_mask(self, self.mask, self.value.type)


@irdl_op_definition
class DistinctOp(IRDLOperation):
    """Positions that differ from iteration to iteration.

    A promise of the program: in two iterations that get here, and that differ in an axis which the operands
    depend on, at least one of the results differs too. So what all of them index is another part of an array
    each time.

    Example:
        %page = tile.distinct %p
        %slot, %row = tile.distinct %p, %r
    """

    name = "tile.distinct"
    positions = var_operand_def(IndexType)
    results_ = var_result_def(IndexType)
    traits = traits_def(Pure())

    def __init__(self, positions: Sequence[SSAValue]):
        super().__init__(operands=[positions], result_types=[[each.type for each in positions]])

    @classmethod
    def parse(cls, parser: Parser) -> "DistinctOp":
        return cls(
            parser.parse_comma_separated_list(Parser.Delimiter.NONE, lambda: parse_known_operand(parser))
        )

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_list(self.positions, printer.print_ssa_value)

    def verify_(self) -> None:
        if not self.positions or len(self.positions) != len(self.results_):
            raise VerifyException(
                f"tile.distinct takes {len(self.positions)} positions for {len(self.results_)} results; one "
                "result for each of one position or several is accepted"
            )


@irdl_op_definition
class RunsOp(IRDLOperation):
    """Integers of the lanes of a span that follow each other in runs.

    The first lane of run i is scalar i, and each other one is 1 more than the lane before it. All runs have
    as many lanes, and make up the block of the span.

    Example:
        tile.grid %t = 0 to 512 by t:32 {
          %ids = tile.runs %p, %q by 16 of %t
          %rows = tile.gather %x[%ids, :] rows buffers 2
        }
    """

    name = "tile.runs"
    firsts = var_operand_def(IndexType)
    span = operand_def(SpanType)
    length = prop_def(IntegerAttr)
    result = result_def()
    traits = traits_def(Pure())

    def __init__(self, firsts: Sequence[SSAValue], length: int, span: SSAValue):
        name, size = (span.type.axis, span.type.size) if isinstance(span.type, SpanType) else ("", 0)
        super().__init__(
            operands=[firsts, span],
            properties={"length": IntegerAttr(length, i64)},
            result_types=[value_type(i32, [size], [name])],
        )

    @classmethod
    def parse(cls, parser: Parser) -> "RunsOp":
        firsts = parser.parse_comma_separated_list(Parser.Delimiter.NONE, lambda: parse_known_operand(parser))
        parser.parse_keyword("by")
        length = parser.parse_integer(allow_negative=False)
        parser.parse_keyword("of")
        return cls(firsts, length, parse_known_operand(parser))

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_list(self.firsts, printer.print_ssa_value)
        printer.print_string(f" by {self.length.value.data} of ")
        printer.print_ssa_value(self.span)

    def verify_(self) -> None:
        length, (size,) = self.length.value.data, shape_of(self.result.type)
        if len(self.firsts) * length != size:
            raise VerifyException(
                f"tile.runs has {len(self.firsts)} runs of {length} lanes for a span of {size}; as many as "
                "the span has are accepted, once --choose-blocks has bound its size"
            )
