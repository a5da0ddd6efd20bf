"""Pieces of syntax that several `tile` operations share."""

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from xdsl.dialects.builtin import (
    AnyFloat,
    BFloat16Type,
    DenseArrayBase,
    Float16Type,
    Float32Type,
    Float64Type,
    FloatAttr,
    IndexType,
    IntegerAttr,
    IntegerType,
    UnitAttr,
    i64,
)
from xdsl.ir import Attribute, SSAValue
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

DYNAMIC = -(2**63)
"""Marks, in a list of static integers, a position whose value is an operand."""

T = TypeVar("T")


@dataclass(frozen=True)
class Bounds(Generic[T]):
    """One axis: `begin to end`, each a literal or a value.

    `limit` is the most that `end - begin` can be. `mean` is what it is on average, for choices only. Tiles of
    an axis that is `exact` are cut where its block size says, and no pass may cut them elsewhere.
    """

    begin: int | T
    end: int | T
    limit: int | None = None
    mean: int | None = None
    exact: bool = False


def parse_known_operand(parser: Parser) -> SSAValue:
    """Parse `%name` or `%name#1`, which must be defined above: its type is then known."""
    name = parser.parse_unresolved_operand()
    values = parser.ssa_values.get(name.operand_name)
    if values is None or name.index >= len(values):
        parser.raise_error(f"value %{name.operand_name} is used before its definition", name.span)
    return values[name.index]


def parse_operand_or_int(parser: Parser) -> SSAValue | int:
    """Parse `%name` or an integer literal."""
    literal = parser.parse_optional_integer(allow_boolean=False)
    return parse_known_operand(parser) if literal is None else literal


def print_operand_or_int(printer: Printer, value: SSAValue | int) -> None:
    if isinstance(value, int):
        printer.print_string(str(value))
    else:
        printer.print_ssa_value(value)


def parse_carried(parser: Parser) -> tuple[Parser.UnresolvedArgument, SSAValue]:
    """Parse `%argument = %init`, one of what a loop carries."""
    argument = parser.parse_argument(expect_type=False)
    parser.parse_punctuation("=")
    return argument, parse_known_operand(parser)


def print_carried(printer: Printer, argument: SSAValue, init: SSAValue) -> None:
    """Print what `parse_carried` reads."""
    printer.print_ssa_value(argument)
    printer.print_string(" = ")
    printer.print_ssa_value(init)


def parse_bounds(parser: Parser) -> tuple[SSAValue | int, SSAValue | int]:
    """Parse `begin to end`."""
    begin = parse_operand_or_int(parser)
    parser.parse_keyword("to")
    return begin, parse_operand_or_int(parser)


def parse_optional_count(parser: Parser, word: str) -> int | None:
    """Parse an optional `max N` or `mean N`."""
    if parser.parse_optional_keyword(word) is None:
        return None
    return parser.parse_integer(allow_boolean=False, allow_negative=False)


def pack_bounds(bounds: Sequence[Bounds[SSAValue]]) -> tuple[list[SSAValue], dict[str, Attribute | None]]:
    """Split bounds into the operands and the properties: static begins and ends, limits, means, exactness.

    A limit or a mean of -1 is none; where no axis has a mean, or none is exact, the property is not there.
    """
    flat = [side for axis in bounds for side in (axis.begin, axis.end)]
    operands = [side for side in flat if not isinstance(side, int)]
    static = [side if isinstance(side, int) else DYNAMIC for side in flat]
    limits = [-1 if axis.limit is None else axis.limit for axis in bounds]
    means = [-1 if axis.mean is None else axis.mean for axis in bounds]
    exact = [int(axis.exact) for axis in bounds]
    return operands, {
        "static_bounds": dense_i64(static),
        "limits": dense_i64(limits),
        "means": dense_i64(means) if max(means, default=-1) >= 0 else None,
        "exact": dense_i64(exact) if any(exact) else None,
    }


def unpack_bounds(
    op: str,
    operands: Sequence[SSAValue],
    static: DenseArrayBase,
    limits: DenseArrayBase,
    means: DenseArrayBase | None = None,
    exact: DenseArrayBase | None = None,
) -> tuple[Bounds[SSAValue], ...]:
    """The inverse of `pack_bounds`. Raises `VerifyException`, which names `op`, where the lists disagree."""
    sides, maxima = ints_of(static), ints_of(limits)
    averages = [-1] * len(maxima) if means is None else ints_of(means)
    if len(averages) != len(maxima):
        raise VerifyException(f"{op} has {len(averages)} means for {len(maxima)} axes; give one for each")
    kept = [0] * len(maxima) if exact is None else ints_of(exact)
    if len(kept) != len(maxima):
        raise VerifyException(f"{op} says of {len(kept)} axes whether they are exact, and has {len(maxima)}")
    if len(sides) != 2 * len(maxima) or sides.count(DYNAMIC) != len(operands):
        raise VerifyException(
            f"{op} has {len(sides)} static bounds, {sides.count(DYNAMIC)} of them dynamic, "
            f"for {len(maxima)} axes and {len(operands)} bound operands; an axis takes two bounds, "
            "a dynamic one an operand"
        )
    remaining = iter(operands)
    flat = [next(remaining) if side == DYNAMIC else side for side in sides]
    counts = [[None if count < 0 else count for count in pair] for pair in zip(maxima, averages, strict=True)]
    return tuple(
        Bounds(flat[2 * i], flat[2 * i + 1], *pair, exact=bool(kept[i])) for i, pair in enumerate(counts)
    )


def dense_i64(values: Sequence[int]) -> DenseArrayBase:
    return DenseArrayBase.from_list(i64, values)


def ints_of(array: DenseArrayBase) -> tuple[int, ...]:
    return tuple(int(value) for value in cast("DenseArrayBase[IntegerType]", array).get_values())


def parse_int_list(parser: Parser) -> DenseArrayBase:
    """Parse `[0, 1]`."""
    values = parser.parse_comma_separated_list(
        parser.Delimiter.SQUARE, lambda: parser.parse_integer(allow_boolean=False)
    )
    return dense_i64(values)


def print_int_list(printer: Printer, values: DenseArrayBase) -> None:
    printer.print_string(str(list(ints_of(values))))


def parse_scalar(parser: Parser) -> float | int:
    """Parse a number, `inf`, `-inf` or `nan`."""
    if parser.parse_optional_keyword("nan"):
        return math.nan
    negative = parser.parse_optional_punctuation("-") is not None
    if parser.parse_optional_keyword("inf"):
        return -math.inf if negative else math.inf
    value = parser.parse_number(allow_boolean=False)
    return -value if negative else value


def scalar_attr(value: float, element: Attribute) -> "FloatAttr[AnyFloat] | IntegerAttr":
    """`value` as an attribute of type `element`. Raises `VerifyException` where the type cannot hold it."""
    if isinstance(element, BFloat16Type | Float16Type | Float32Type | Float64Type):
        try:
            return FloatAttr(float(value), element)
        except OverflowError as error:
            raise VerifyException(f"the constant {value} is too large for {element}") from error
    if not isinstance(element, IntegerType | IndexType) or value != int(value):
        raise VerifyException(
            f"the constant {value} is not of type {element}; use a float type or an integer"
        )
    return IntegerAttr(int(value), cast("IntegerType | IndexType", element))


def print_scalar(printer: Printer, value: Attribute) -> None:
    """Print what `parse_scalar` reads."""
    text = repr(_shortest(value))
    if "e" in text and "." not in text:  # MLIR wants a point in a float's mantissa
        text = text.replace("e", ".0e")
    printer.print_string(text)


def _shortest(value: Attribute) -> float | int:
    """The number of fewest decimal digits that is the same attribute."""
    number = scalar_of(value)
    if isinstance(number, int):
        return number
    for digits in range(17):
        short = float(f"{number:.{digits}e}")
        with suppress(VerifyException):  # rounded up from the largest number of the type
            if scalar_attr(short, cast("FloatAttr[AnyFloat]", value).type) == value:
                return short
    return number


def scalar_of(value: Attribute) -> float | int:
    """The Python number in a float or integer attribute."""
    if isinstance(value, IntegerAttr):
        return cast("IntegerAttr[IntegerType]", value).value.data
    return cast("FloatAttr[AnyFloat]", value).value.data


def unit_if(flag: object) -> UnitAttr | None:
    return UnitAttr() if flag else None


def parse_elements(parser: Parser) -> list[tuple[SSAValue, int]]:
    """Parse `%a[-1], %b[0]`."""

    def element() -> tuple[SSAValue, int]:
        array = parse_known_operand(parser)
        with parser.in_square_brackets():
            return array, parser.parse_integer(allow_boolean=False)

    found = [element()]
    while parser.parse_optional_punctuation(","):
        found.append(element())
    return found


def print_elements(printer: Printer, elements: Sequence[tuple[SSAValue, int]]) -> None:
    """Print what `parse_elements` reads."""
    for position, (array, place) in enumerate(elements):
        printer.print_string(", " if position else " ")
        printer.print_ssa_value(array)
        printer.print_string(f"[{place}]")
