"""Asynchronous copies between references, and waiting for them."""

from abc import ABC
from collections.abc import Sequence

from xdsl.dialects.builtin import DenseArrayBase, IndexType, MemRefType
from xdsl.ir import SSAValue
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    prop_def,
    traits_def,
    var_operand_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import MemoryReadEffect, MemoryWriteEffect
from xdsl.utils.exceptions import VerifyException

from tilec.dialects.tile.types import element_type, shape_of

from .syntax import verify_in_kernel
from .types import DmaSemaphoreType, Space, space_of
from .windows import (
    Dim,
    kept_sizes,
    pack_dims,
    parse_window,
    print_window,
    unpack_dims,
    verify_dims,
    verify_writable,
)


class CopyOp(IRDLOperation, ABC):
    """Base of the two halves of a copy: part of a source, part of a destination, one semaphore."""

    source = operand_def(MemRefType)
    source_numbers = var_operand_def(IndexType)
    destination = operand_def(MemRefType)
    destination_numbers = var_operand_def(IndexType)
    semaphore = operand_def(MemRefType)
    semaphore_numbers = var_operand_def(IndexType)
    static_source = prop_def(DenseArrayBase)
    static_destination = prop_def(DenseArrayBase)
    static_semaphore = prop_def(DenseArrayBase)

    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    # Between start and wait, a copy can read and write at any time.
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())

    def __init__(
        self,
        source: SSAValue,
        source_dims: Sequence[Dim],
        destination: SSAValue,
        destination_dims: Sequence[Dim],
        semaphore: SSAValue,
        semaphore_dims: Sequence[Dim] = (),
    ):
        packed = [pack_dims(dims) for dims in (source_dims, destination_dims, semaphore_dims)]
        (sources, source_static), (destinations, destination_static), (semaphores, semaphore_static) = packed
        super().__init__(
            operands=[source, sources, destination, destinations, semaphore, semaphores],
            properties={
                "static_source": source_static,
                "static_destination": destination_static,
                "static_semaphore": semaphore_static,
            },
        )

    @property
    def source_dims(self) -> tuple[Dim, ...]:
        """How each dimension of the source is indexed, as in a load; empty for all of them."""
        return unpack_dims(self, self.source_numbers, self.static_source)

    @property
    def destination_dims(self) -> tuple[Dim, ...]:
        """How each dimension of the destination is indexed, as in a load; empty for all of them."""
        return unpack_dims(self, self.destination_numbers, self.static_destination)

    @property
    def semaphore_dims(self) -> tuple[Dim, ...]:
        """The position of the semaphore, an index for each dimension."""
        return unpack_dims(self, self.semaphore_numbers, self.static_semaphore)

    @property
    def parts(self) -> tuple[tuple[SSAValue, tuple[Dim, ...]], ...]:
        """Source, destination and semaphore, each a reference and how it is indexed."""
        return (
            (self.source, self.source_dims),
            (self.destination, self.destination_dims),
            (self.semaphore, self.semaphore_dims),
        )

    @classmethod
    def parse(cls, parser: Parser) -> "CopyOp":
        source = parse_window(parser)
        parser.parse_punctuation(",")
        destination = parse_window(parser)
        parser.parse_punctuation(",")
        return cls(*source, *destination, *parse_window(parser))

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_list(self.parts, lambda part: print_window(printer, *part))

    def verify_(self) -> None:
        verify_in_kernel(self)
        for ref, dims in self.parts:
            verify_dims(self, ref, dims)
        for ref in (self.source, self.destination):
            if space_of(ref.type) not in (Space.ANY, Space.VMEM, Space.SMEM):
                raise VerifyException(
                    f"{self.name} copies from or to a {ref.type}; a reference in #pallas.space<any>, <vmem> "
                    "or <smem> is needed"
                )
        verify_writable(self, self.destination)
        self._verify_semaphore()
        self._verify_sides()

    def _verify_semaphore(self) -> None:
        kind = self.semaphore.type
        if space_of(kind) != Space.SEMAPHORE or not isinstance(element_type(kind), DmaSemaphoreType):
            raise VerifyException(
                f"{self.name} signals a {kind}; !pallas.dma_semaphore in #pallas.space<semaphore> is needed"
            )
        if kept_sizes(self.semaphore, self.semaphore_dims):
            raise VerifyException(
                f"{self.name} signals one semaphore of a {kind}; give an index for each of its dimensions, "
                f"{len(shape_of(kind))}"
            )

    def _verify_sides(self) -> None:
        sides = (self.source, self.source_dims), (self.destination, self.destination_dims)
        source, destination = (kept_sizes(ref, dims) for ref, dims in sides)
        elements = [element_type(ref.type) for ref, _ in sides]
        # Sizes that are values are known to agree only when the kernel runs.
        known = [[size if isinstance(size, int) else "?" for size in side] for side in (source, destination)]
        if known[0] != known[1] or elements[0] != elements[1]:
            texts = [
                "x".join(map(str, [*side, element])) for side, element in zip(known, elements, strict=True)
            ]
            raise VerifyException(
                f"{self.name} copies {texts[0]} to {texts[1]}; the sizes and the element types must agree"
            )


@irdl_op_definition
class CopyStartOp(CopyOp):
    """Begins to copy a part of one reference to a part of another, and does not wait for the end.

    Parts are written as for `pallas.load`, but the size in a `ds` can be a value too; both sides must then
    have the same size. Until a `pallas.copy_wait` with the same operands, the destination is undefined and
    the source must not change. Every copy that begins must be waited for once, in the same step.

    Example:
        pallas.copy_start %x_hbm[ds(%row, 8), :], %x_buffer[%slot, :, :], %sems[0, %slot]
    """

    name = "pallas.copy_start"


@irdl_op_definition
class CopyWaitOp(CopyOp):
    """Waits for the end of the copy that a `pallas.copy_start` with the same operands began.

    The TPU waits until the semaphore has counted as many bytes as the destination holds: of the parts, only
    their sizes matter to it. So one may wait for several copies, of as many bytes together; what fills up the
    last tile of memory of a part counts too, so that twelve rows count as sixteen where one counts as one.

    Example:
        pallas.copy_wait %x_hbm[ds(%row, 8), :], %x_buffer[%slot, :, :], %sems[0, %slot]
    """

    name = "pallas.copy_wait"
