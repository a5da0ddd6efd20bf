"""Updates of elements that several iterations may touch."""

from collections.abc import Sequence
from typing import ClassVar

from xdsl.dialects.builtin import AnyFloat, UnitAttr, i1
from xdsl.dialects.utils import EnumAttribute
from xdsl.ir import SpacedOpaqueSyntaxAttribute, SSAValue
from xdsl.irdl import (
    AttrSizedOperandSegments,
    irdl_attr_definition,
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    opt_prop_def,
    opt_result_def,
    prop_def,
    traits_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import MemoryReadEffect, MemoryWriteEffect
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.str_enum import StrEnum

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
from .syntax import parse_known_operand, unit_if
from .types import element_type


class Rmw(StrEnum):
    """What an atomic does with an element and the lane of its value that meets it."""

    ADD = "add"
    MAX = "max"
    MIN = "min"
    AND = "and"
    OR = "or"
    XOR = "xor"
    EXCHANGE = "exchange"
    COMPARE_EXCHANGE = "compare_exchange"

    @property
    def commutes(self) -> bool:
        """Whether the order of two such updates does not matter."""
        return self not in (Rmw.EXCHANGE, Rmw.COMPARE_EXCHANGE)


@irdl_attr_definition
class RmwAttr(EnumAttribute[Rmw], SpacedOpaqueSyntaxAttribute):
    """How an atomic combines an element with a lane."""

    name = "tile.rmw"


@irdl_op_definition
class AtomicRmwOp(AccessOp):
    """Combines each element of a window with a lane of a value, whoever else does so.

    Iterations of parallel axes may update one element, all by the same `add`, `max`, `min`, `and`, `or` or
    `xor`; the result is that of some order. Sums and extremes of 16-bit floats are kept in f32 and rounded
    once. `exchange` writes the lane, `compare_exchange` does where the element equals `expected`; for these,
    and with `old`, which results in the elements as they were, iterations that meet must be ordered, unless
    `unique` promises that no two of the grid's iterations update one element. Lanes
    outside a span, and those where `mask` is false, update nothing and are undefined in `old`. A dimension
    may be indexed by a tile of integers, of which several lanes may name one position; a position outside
    the array is an error, and `drop` leaves its lane out instead. `rows`, of such an access without a mask,
    says that its lanes are gone through one by one, each with a row of an array that stays on the chip.

    Example:
        tile.atomic_rmw add %v, %out[%g, %n]
        %before = tile.atomic_rmw max %v, %out[%g, %n] mask %p old
        %found = tile.atomic_rmw compare_exchange %v, %out[%g, %n] expected %e old
        tile.atomic_rmw add %rows, %out[%ids, :] drop
        tile.atomic_rmw add %rows, %out[%ids, :] rows
    """

    name = "tile.atomic_rmw"
    kind = prop_def(RmwAttr)
    value = operand_def()
    expected = opt_operand_def()
    mask = opt_operand_def()
    drop = opt_prop_def(UnitAttr)
    unique = opt_prop_def(UnitAttr)
    rows = opt_prop_def(UnitAttr)
    old = opt_result_def()

    EFFECT: ClassVar[Effect] = Effect.ACCUMULATE
    TAKES_TILES: ClassVar[bool] = True
    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())

    def __init__(
        self,
        kind: Rmw,
        value: SSAValue,
        array: SSAValue,
        window: Sequence[Dim],
        *,
        expected: SSAValue | None = None,
        mask: SSAValue | None = None,
        drop: bool = False,
        unique: bool = False,
        old: bool = False,
    ):
        operands, kinds, shifts = pack_window(window)
        super().__init__(
            operands=[value, expected, mask, array, operands],
            properties={
                "kind": RmwAttr(kind),
                "kinds": kinds,
                "shifts": shifts,
                "drop": unit_if(drop),
                "unique": unit_if(unique),
            },
            result_types=[value.type if old else None],
        )

    @property
    def commutes(self) -> bool:
        """Whether it may change places with another update of its kind."""
        return self.unique is not None or (self.kind.data.commutes and self.old is None)

    @property
    def is_scatter(self) -> bool:
        """Whether it only writes, and meets nothing, as what was a `tile.scatter` does."""
        return self.kind.data is Rmw.EXCHANGE and self.unique is not None and self.old is None

    @classmethod
    def parse(cls, parser: Parser) -> "AtomicRmwOp":
        kind = parser.parse_str_enum(Rmw)
        value = parse_known_operand(parser)
        parser.parse_punctuation(",")
        array, window = parse_access(parser)
        expected = parse_known_operand(parser) if parser.parse_optional_keyword("expected") else None
        mask = parse_known_operand(parser) if parser.parse_optional_keyword("mask") else None
        drop = parser.parse_optional_keyword("drop") is not None
        unique = parser.parse_optional_keyword("unique") is not None
        old = parser.parse_optional_keyword("old") is not None
        op = cls(kind, value, array, window, expected=expected, mask=mask, drop=drop, unique=unique, old=old)
        op.rows = unit_if(parser.parse_optional_keyword("rows") is not None)
        return op

    def print(self, printer: Printer) -> None:
        printer.print_string(f" {self.kind.data} ")
        printer.print_ssa_value(self.value)
        printer.print_string(", ")
        printer.print_ssa_value(self.array)
        print_window(printer, self.window)
        for keyword, value in (("expected", self.expected), ("mask", self.mask)):
            if value is not None:
                printer.print_string(f" {keyword} ")
                printer.print_ssa_value(value)
        if self.drop is not None:
            printer.print_string(" drop")
        if self.unique is not None:
            printer.print_string(" unique")
        if self.old is not None:
            printer.print_string(" old")
        if self.rows is not None:
            printer.print_string(" rows")

    def verify_(self) -> None:
        self.verify_window()
        kind, value = self.kind.data, self.value.type
        verify_convertible(self, value, self.window_type)
        verify_mask(self, self.mask, value)
        if (self.expected is not None) != (kind is Rmw.COMPARE_EXCHANGE):
            raise VerifyException(
                f"tile.atomic_rmw {kind} has {'an' if self.expected else 'no'} `expected`; "
                "compare_exchange takes one and nothing else does"
            )
        if self.expected is not None and self.expected.type != value:
            raise VerifyException(
                f"tile.atomic_rmw puts {value} where it expects {self.expected.type}; the types must agree"
            )
        if self.old is not None and self.old.type != value:
            raise VerifyException(f"tile.atomic_rmw of {value} results in {self.old.type}")
        self._verify_kind()

    def _verify_kind(self) -> None:
        kind, element = self.kind.data, element_type(self.value.type)
        if kind in (Rmw.AND, Rmw.OR, Rmw.XOR) and isinstance(element, AnyFloat):
            raise VerifyException(f"tile.atomic_rmw {kind} combines integers, not {element}")
        if kind in (Rmw.ADD, Rmw.MAX, Rmw.MIN) and element == i1:
            raise VerifyException(f"tile.atomic_rmw {kind} combines numbers, not i1; use and, or or xor")
        indexed = any(dim.indexed for dim in self.window)
        if indexed and (self.old is not None or not kind.commutes):
            raise VerifyException(
                f"tile.atomic_rmw {kind}{' with `old`' if self.old else ''} at positions from a tile of "
                "integers: lanes of one position have no order; index by spans, or use add, max, min, and, "
                "or, xor without `old`"
            )
        if self.drop is not None and not indexed:
            raise VerifyException(
                "tile.atomic_rmw with `drop` indexes no dimension by a tile of integers; leave `drop` out"
            )
        if self.rows is not None and (not indexed or self.mask is not None or self.drop is not None):
            raise VerifyException(
                "tile.atomic_rmw with `rows` indexes no dimension by a tile of integers, or has a mask or "
                "`drop`; every lane has a row of its own, so leave `rows` out"
            )
