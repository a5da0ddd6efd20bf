"""Attributes of the `pallas` dialect, and the types of its references."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from xdsl.dialects.builtin import MemRefType, NoneAttr
from xdsl.dialects.utils import EnumAttribute
from xdsl.ir import (
    Attribute,
    ParametrizedAttribute,
    SpacedOpaqueSyntaxAttribute,
    SSAValue,
    TypeAttribute,
)
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.str_enum import StrEnum

from tilec.dialects.tile.types import Array, element_type, shape_of


class Space(StrEnum):
    """Where a reference points: vector or scalar memory or semaphores on the chip, or an array in HBM."""

    VMEM = "vmem"
    SMEM = "smem"
    ANY = "any"
    SEMAPHORE = "semaphore"


@irdl_attr_definition
class SpaceAttr(EnumAttribute[Space]):
    """`#pallas.space<vmem>`: the memory space of a reference. An array of the host level has none."""

    name = "pallas.space"

    # A plain enum would be read without its angle brackets.
    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> Space:
        with parser.in_angle_brackets():
            return parser.parse_str_enum(Space)

    def print_parameter(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string(self.data)


@irdl_attr_definition
class DmaSemaphoreType(ParametrizedAttribute, TypeAttribute):
    """`!pallas.dma_semaphore`: what an asynchronous copy signals when it is done. Scratch holds them."""

    name = "pallas.dma_semaphore"


class Semantics(StrEnum):
    """Whether the steps of a grid dimension may run in any order, on any core, or run in order on one."""

    PARALLEL = "parallel"
    ARBITRARY = "arbitrary"


@irdl_attr_definition
class SemanticsAttr(EnumAttribute[Semantics], SpacedOpaqueSyntaxAttribute):
    """Semantics of one grid dimension."""

    name = "pallas.semantics"


@dataclass(frozen=True)
class Ds:
    """`ds(start, size)`: `size` consecutive elements of a dimension. Only in a copy the size can be a value.

    Raises `VerifyException` for a literal size below 1.
    """

    start: SSAValue | int
    size: SSAValue | int

    def __post_init__(self) -> None:
        if isinstance(self.size, int) and self.size < 1:
            raise VerifyException(f"a `ds` has {self.size} elements; 1 or more are needed")


@dataclass(frozen=True)
class Element:
    """A block extent of `size` elements; the index map gives the first one in place of a block's number."""

    size: int


@dataclass(frozen=True)
class Bounded:
    """A block extent of `size` elements at most; the index map gives their start and their number."""

    size: int


def ref_type(array: Attribute, shape: Sequence[int], space: Space) -> Array:
    """The type of a reference to elements of an array type. Raises `VerifyException` for any other type."""
    element = element_type(array)
    if not isinstance(array, MemRefType):
        raise VerifyException(f"a reference points into an array, a memref, and this is {array}")
    return MemRefType(element, shape, NoneAttr(), SpaceAttr(space))


def space_of(ref: Attribute) -> Space | None:
    """The memory space of a reference's type, `None` for an array of the host level and for other types."""
    if not isinstance(ref, MemRefType):
        return None
    space = cast(Array, ref).memory_space
    return space.data if isinstance(space, SpaceAttr) else None


def is_array(kind: Attribute) -> bool:
    """Whether a type is that of an array of the host level."""
    return isinstance(kind, MemRefType) and space_of(cast(Array, kind)) is None


def in_space(array: Attribute, space: Space) -> Array:
    """The type of a reference to the whole of `array`."""
    return ref_type(array, shape_of(array), space)
