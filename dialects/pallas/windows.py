"""Parts of references: what loads, stores and copies access, and how it is written.

A part is a reference and, in square brackets, how each of its dimensions is indexed: an index, which drops
the dimension, `:` for all of it, or `ds(start, size)`. Without brackets it is all of the reference.
"""

from collections.abc import Sequence
from typing import TypeAlias

from xdsl.dialects.builtin import DenseArrayBase
from xdsl.ir import Operation, SSAValue
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from tilec.dialects.tile.syntax import parse_known_operand, parse_operand_or_int, print_operand_or_int
from tilec.dialects.tile.types import UNBOUND, shape_of

from .kernels import PipeInOp
from .specs import InOp, InSpaceOp, OutOp, PrefetchOp
from .syntax import pack_ints, unpack_ints
from .types import Ds

Dim: TypeAlias = "SSAValue | int | Ds | None"
"""How one dimension is indexed; `None` is `:`."""

# What stands for the size of a dimension that has none of its own.
_INDEX = 0
_FULL = -1


def pack_dims(dims: Sequence[Dim]) -> tuple[list[SSAValue], DenseArrayBase]:
    """Split indices into operands and static numbers, of which each dimension has two, start and size."""
    numbers: list[SSAValue | int] = []
    for dim in dims:
        if isinstance(dim, Ds):
            numbers += [dim.start, dim.size]
        else:
            numbers += [0, _FULL] if dim is None else [dim, _INDEX]
    return pack_ints(numbers)


def unpack_dims(op: Operation, operands: Sequence[SSAValue], static: DenseArrayBase) -> tuple[Dim, ...]:
    """The inverse of `pack_dims`. Raises `VerifyException` where the lists disagree."""
    numbers = unpack_ints(op, operands, static)
    if len(numbers) % 2:
        raise VerifyException(f"{op.name} has {len(numbers)} numbers; a dimension has two, start and size")
    return tuple(
        None if size == _FULL else start if size == _INDEX else Ds(start, size)
        for start, size in zip(numbers[::2], numbers[1::2], strict=True)
    )


def kept_sizes(ref: SSAValue, dims: Sequence[Dim]) -> list[SSAValue | int]:
    """The sizes of a part, without the dimensions that are dropped."""
    shape = shape_of(ref.type)
    return [
        dim.size if isinstance(dim, Ds) else extent
        for dim, extent in zip(dims or [None] * len(shape), shape, strict=False)
        if dim is None or isinstance(dim, Ds)
    ]


def verify_dims(op: Operation, ref: SSAValue, dims: Sequence[Dim]) -> None:
    """Check that a part lies in its reference. Raises `VerifyException` with the numbers."""
    shape = shape_of(ref.type)
    if dims and len(dims) != len(shape):
        raise VerifyException(
            f"{op.name} gives {len(dims)} indices to a {ref.type}; give one for each of its "
            f"{len(shape)} dimensions, or none for all of it"
        )
    for position, (dim, extent) in enumerate(zip(dims or [None] * len(shape), shape, strict=True)):
        _verify_dim(op, position, dim, extent)


def _verify_dim(op: Operation, position: int, dim: Dim, extent: int) -> None:
    if dim is None:
        if extent == UNBOUND:
            raise VerifyException(f"{op.name} takes all of dimension {position}, whose extent is `?`")
        return
    start, given = (dim.start, dim.size) if isinstance(dim, Ds) else (dim, 1)
    size = given if isinstance(given, int) else 1
    if isinstance(start, int) and (start < 0 or (extent != UNBOUND and start + size > extent)):
        raise VerifyException(
            f"{op.name} takes {start} to {start + size} of dimension {position}, whose extent is {extent}"
        )
    if extent != UNBOUND and size > extent:
        raise VerifyException(
            f"{op.name} takes {size} elements of dimension {position}, whose extent is {extent}"
        )


def verify_writable(op: Operation, ref: SSAValue) -> None:
    """Check that a reference is not one to an input."""
    owner = ref.owner
    initial = isinstance(owner, OutOp) and ref is owner.init
    if initial or isinstance(owner, InOp | InSpaceOp | PrefetchOp | PipeInOp):
        raise VerifyException(f"{op.name} writes into an input; only outputs and scratch can be written")


def parse_window(parser: Parser) -> tuple[SSAValue, Sequence[Dim]]:
    """Parse `%ref[%i, :, ds(%start, 8)]`, or `%ref` alone."""
    ref = parse_known_operand(parser)
    dims = parser.parse_optional_comma_separated_list(parser.Delimiter.SQUARE, lambda: _parse_dim(parser))
    return ref, dims or ()


def _parse_dim(parser: Parser) -> Dim:
    if parser.parse_optional_punctuation(":"):
        return None
    if not parser.parse_optional_keyword("ds"):
        return parse_operand_or_int(parser)
    with parser.in_parens():
        start = parse_operand_or_int(parser)
        parser.parse_punctuation(",")
        return Ds(start, parse_operand_or_int(parser))


def print_window(printer: Printer, ref: SSAValue, dims: Sequence[Dim]) -> None:
    """Print what `parse_window` reads."""
    printer.print_ssa_value(ref)
    if dims:
        with printer.in_square_brackets():
            printer.print_list(dims, lambda dim: _print_dim(printer, dim))


def _print_dim(printer: Printer, dim: Dim) -> None:
    if dim is None:
        printer.print_string(":")
    elif isinstance(dim, Ds):
        printer.print_string("ds(")
        print_operand_or_int(printer, dim.start)
        printer.print_string(", ")
        print_operand_or_int(printer, dim.size)
        printer.print_string(")")
    else:
        print_operand_or_int(printer, dim)
