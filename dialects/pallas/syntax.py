"""Pieces of syntax and of verification that several `pallas` operations share."""

from collections.abc import Sequence

from xdsl.dialects.builtin import DenseArrayBase, IndexType
from xdsl.ir import Operation, SSAValue
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from tilec.dialects.tile.syntax import DYNAMIC, dense_i64, ints_of, parse_known_operand

KERNELS = ("pallas.call", "pallas.emit_pipeline")
"""Names of the operations whose body runs once for each step of a grid."""


def pack_ints(values: Sequence[SSAValue | int]) -> tuple[list[SSAValue], DenseArrayBase]:
    """Split numbers, some of them values, into the operands and the static ones."""
    operands = [value for value in values if isinstance(value, SSAValue)]
    return operands, dense_i64([value if isinstance(value, int) else DYNAMIC for value in values])


def unpack_ints(
    op: Operation, operands: Sequence[SSAValue], static: DenseArrayBase
) -> tuple[SSAValue | int, ...]:
    """The inverse of `pack_ints`. Raises `VerifyException` where the lists disagree."""
    numbers = ints_of(static)
    if numbers.count(DYNAMIC) != len(operands):
        raise VerifyException(
            f"{op.name} has {len(operands)} operands for the {numbers.count(DYNAMIC)} of its numbers that "
            "are values"
        )
    remaining = iter(operands)
    return tuple(next(remaining) if number == DYNAMIC else number for number in numbers)


def parse_values(parser: Parser) -> list[SSAValue]:
    """Parse known values with commas between, maybe none."""
    values: list[SSAValue] = []
    name = parser.parse_optional_unresolved_operand()
    while name is not None:
        known = parser.ssa_values.get(name.operand_name)
        if known is None or name.index >= len(known):
            parser.raise_error(f"value %{name.operand_name} is used before its definition", name.span)
        values.append(known[name.index])
        more = parser.parse_optional_punctuation(",")
        name = parser.parse_unresolved_operand() if more else None
    return values


def parse_optional_operand(parser: Parser, keyword: str) -> SSAValue | None:
    """Parse `keyword %value`, or nothing."""
    return parse_known_operand(parser) if parser.parse_optional_keyword(keyword) else None


def print_optional_operand(printer: Printer, keyword: str, value: SSAValue | None) -> None:
    if value is not None:
        printer.print_string(f" {keyword} ")
        printer.print_ssa_value(value)


def kernel_of(op: Operation) -> Operation | None:
    """The nearest operation around `op` whose body runs once for each step of a grid."""
    outer = op.parent_op()
    while outer is not None and outer.name not in KERNELS:
        outer = outer.parent_op()
    return outer


def verify_in_kernel(op: Operation) -> None:
    if kernel_of(op) is None:
        raise VerifyException(f"{op.name} stands outside a kernel; move it into a pallas.call")


def verify_on_host(op: Operation) -> None:
    if kernel_of(op) is not None:
        raise VerifyException(
            f"{op.name} stands in a kernel; it is about whole arrays, move it before the pallas.call"
        )


def verify_index(op: Operation, what: str, values: Sequence[SSAValue | int]) -> None:
    """Check that the values among `values` are of type index."""
    for value in values:
        if isinstance(value, SSAValue) and not isinstance(value.type, IndexType):
            raise VerifyException(f"{op.name} has {what} of type {value.type}; an index is needed")
