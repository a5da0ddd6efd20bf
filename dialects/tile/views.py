"""Views: an array under another shape or with its dimensions in another order. Copies with another type."""

from collections.abc import Sequence
from math import prod

from xdsl.dialects import func
from xdsl.dialects.builtin import DenseArrayBase, MemRefType, i64
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    result_def,
    traits_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import MemoryAllocEffect, MemoryReadEffect, Pure
from xdsl.utils.exceptions import VerifyException

from .syntax import dense_i64, ints_of, parse_int_list, parse_known_operand, print_int_list
from .types import UNBOUND, element_type, shape_of


@irdl_op_definition
class ViewOp(IRDLOperation):
    """The elements of an array under another shape. A view is the array: what is stored to one is in both.

    Elements are taken in row-major order; only a leading extent may be `?`, and then is that of both. With
    `permute`, dimension i of the view is dimension `permute[i]` of the array. Views are made outside grids.
    After `--resolve-views`, a kernel takes each array that it writes as one value.

    Example:
        %flat = tile.view %a : memref<8x128xf32> to memref<1024xf32>
        %t = tile.view %a permute [1, 0] : memref<8x128xf32> to memref<128x8xf32>
    """

    name = "tile.view"
    array = operand_def(MemRefType)
    perm = opt_prop_def(DenseArrayBase.constr(i64))
    result = result_def(MemRefType)
    traits = traits_def(Pure())

    def __init__(self, array: SSAValue, kind: Attribute, perm: Sequence[int] | None = None):
        super().__init__(
            operands=[array],
            properties={"perm": None if perm is None else dense_i64(perm)},
            result_types=[kind],
        )

    @property
    def permutation(self) -> tuple[int, ...] | None:
        """For each dimension of the view that of the array; `None` of a view that keeps the order."""
        return None if self.perm is None else ints_of(self.perm)

    @classmethod
    def parse(cls, parser: Parser) -> "ViewOp":
        pos = parser.pos
        array = parse_known_operand(parser)
        perm = ints_of(parse_int_list(parser)) if parser.parse_optional_keyword("permute") else None
        return cls(array, _parse_types(parser, cls.name, array, pos), perm)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.array)
        if self.perm is not None:
            printer.print_string(" permute ")
            print_int_list(printer, self.perm)
        _print_types(printer, self.array.type, self.result.type)

    def verify_(self) -> None:
        if not isinstance(self.parent_op(), func.FuncOp):
            raise VerifyException("tile.view stands inside another operation; make it before the grid")
        source, target = self.array.type, self.result.type
        for kind in (source, target):
            if UNBOUND in shape_of(kind)[1:]:
                raise VerifyException(
                    f"tile.view of {source} to {target}: only the leading extent of an array may be `?`"
                )
        if element_type(source) != element_type(target):
            raise VerifyException(
                f"tile.view of {source} to {target}: a view has the element type of its array"
            )
        if self.permutation is None:
            _verify_reshaped(source, target)
        else:
            _verify_permuted(source, target, self.permutation)


@irdl_op_definition
class ConvertOp(IRDLOperation):
    """A copy of an array with another element type, as integers that are not zero where a truth value holds.

    Made outside grids. What is stored to one is not in the other.

    Example:
        %bytes = tile.convert %flags : memref<?x128xi1> to memref<?x128xi8>
    """

    name = "tile.convert"
    array = operand_def(MemRefType)
    result = result_def(MemRefType)
    traits = traits_def(MemoryAllocEffect(), MemoryReadEffect())

    def __init__(self, array: SSAValue, element: Attribute):
        super().__init__(operands=[array], result_types=[MemRefType(element, shape_of(array.type))])

    @classmethod
    def parse(cls, parser: Parser) -> "ConvertOp":
        pos = parser.pos
        array = parse_known_operand(parser)
        target = _parse_types(parser, cls.name, array, pos)
        made = cls(array, element_type(target))
        if target != made.result.type:
            parser.raise_error(f"tile.convert of {array.type} to {target}: shapes differ", pos)
        return made

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.array)
        _print_types(printer, self.array.type, self.result.type)

    def verify_(self) -> None:
        if not isinstance(self.parent_op(), func.FuncOp):
            raise VerifyException("tile.convert stands inside another operation; make it before the grid")
        if shape_of(self.array.type) != shape_of(self.result.type):
            raise VerifyException(f"tile.convert of {self.array.type} to {self.result.type}: shapes differ")


def _parse_types(parser: Parser, name: str, array: SSAValue, pos: int) -> Attribute:
    """The types of an array and of what is made of it; the latter."""
    parser.parse_punctuation(":")
    given = parser.parse_type()
    if given != array.type:
        parser.raise_error(f"{name} of a value of type {array.type}, which is called {given}", pos)
    parser.parse_keyword("to")
    return parser.parse_type()


def _print_types(printer: Printer, source: Attribute, target: Attribute) -> None:
    printer.print_string(" : ")
    printer.print_attribute(source)
    printer.print_string(" to ")
    printer.print_attribute(target)


def _verify_reshaped(source: Attribute, target: Attribute) -> None:
    if _count(shape_of(source)) != _count(shape_of(target)):
        raise VerifyException(
            f"tile.view of {source} to {target}: both need the same number of elements; "
            "if the leading extent is `?`, it stays, and the others have the same product"
        )


def _count(shape: Sequence[int]) -> tuple[bool, int]:
    """Whether the leading extent is `?`, and the product of the others."""
    free = tuple(shape[:1]) == (UNBOUND,)
    return free, prod(shape[free:])


def _verify_permuted(source: Attribute, target: Attribute, perm: Sequence[int]) -> None:
    shape = shape_of(source)
    if sorted(perm) != list(range(len(shape))):
        raise VerifyException(f"tile.view permute {list(perm)} does not permute the dimensions of {source}")
    if shape_of(target) != tuple(shape[dim] for dim in perm):
        raise VerifyException(f"tile.view permute {list(perm)} of {source} is no {target}")


def given_array(value: SSAValue) -> SSAValue:
    """The array that `value` is a view or a copy of, through any number of these; `value` itself if none."""
    while isinstance(value.owner, ViewOp | ConvertOp):
        value = value.owner.array
    return value


def viewed_array(value: SSAValue) -> SSAValue:
    """The array that `value` is a view of, through any number of views; `value` itself if it is none."""
    while isinstance(value.owner, ViewOp):
        value = value.owner.array
    return value
