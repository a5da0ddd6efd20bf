"""Operands and memory of a kernel: what a `pallas.call` passes in, gets out, and keeps from step to step."""

from typing import cast

from xdsl.dialects.builtin import IndexType, MemRefType
from xdsl.ir import Attribute, Region, SSAValue
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    opt_result_def,
    prop_def,
    result_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from tilec.dialects.tile.syntax import parse_known_operand
from tilec.dialects.tile.types import UNBOUND, Array, element_type, shape_of

from .blocks import (
    BlockOp,
    Extents,
    block_properties,
    block_ref_type,
    grid_rank,
    parse_block,
    parse_map,
    print_block,
    print_map,
)
from .syntax import parse_optional_operand, print_optional_operand
from .types import DmaSemaphoreType, Element, Space, SpaceAttr, in_space, is_array, space_of


def verify_array(op: IRDLOperation, array: SSAValue) -> None:
    """Check that an operand is an array of the host level."""
    if not is_array(array.type):
        raise VerifyException(f"{op.name} takes an array without a memory space, not a {array.type}")


def verify_extent(op: IRDLOperation, kind: Attribute, extent: SSAValue | None) -> None:
    """Check that an array has at most one extent `?`, and that it is given exactly then."""
    if space_of(kind) is not None:
        raise VerifyException(f"{op.name} makes an array, and {kind} has a memory space")
    shape = shape_of(kind)
    if shape.count(UNBOUND) > 1:
        raise VerifyException(f"{op.name} makes a {kind}; one extent at most can be `?`")
    if (extent is not None) != (UNBOUND in shape):
        raise VerifyException(f"{op.name} makes a {kind}; `extent` must be given for a `?`, and only then")


def verify_parent(op: IRDLOperation, name: str) -> None:
    """Check that `op` stands directly in an operation called `name`."""
    outer = op.parent_op()
    if outer is None or outer.name != name:
        raise VerifyException(
            f"{op.name} stands in {'nothing' if outer is None else outer.name}; it belongs directly in a "
            f"{name}"
        )


def verify_result(op: IRDLOperation, ref: SSAValue, expected: Attribute) -> None:
    if ref.type != expected:
        raise VerifyException(f"{op.name} results in {expected}, not {ref.type}")


def verify_no_semaphores(op: IRDLOperation, space: Space) -> None:
    if space == Space.SEMAPHORE:
        raise VerifyException(f"{op.name} puts an array where semaphores are; vmem, smem or any is needed")


@irdl_op_definition
class PrefetchOp(IRDLOperation):
    """Puts a whole array of integers or f32 into scalar memory before the first step.

    Index maps and bodies read it there.

    Example:
        %tiles_ref = pallas.prefetch %tiles
    """

    name = "pallas.prefetch"
    array = operand_def(MemRefType)
    ref = result_def(MemRefType)

    def __init__(self, array: SSAValue):
        super().__init__(operands=[array], result_types=[in_space(array.type, Space.SMEM)])

    @classmethod
    def parse(cls, parser: Parser) -> "PrefetchOp":
        return cls(parse_known_operand(parser))

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.array)

    def verify_(self) -> None:
        verify_parent(self, "pallas.call")
        verify_array(self, self.array)
        verify_result(self, self.ref, in_space(self.array.type, Space.SMEM))


@irdl_op_definition
class InOp(BlockOp):
    """A window of an input array in vector memory, fetched before each step that needs another block.

    `buffers` is 1 or 2; the default of Pallas is 2.

    Example:
        %x_ref = pallas.in %x block [128, _] map (%m, %k) -> (%m, %k)
    """

    name = "pallas.in"
    array = operand_def(MemRefType)
    ref = result_def(MemRefType)

    def __init__(self, array: SSAValue, block: Extents, index_map: Region, buffers: int | None = None):
        super().__init__(
            operands=[array],
            properties=block_properties(block, buffers),
            regions=[index_map],
            result_types=[block_ref_type(array.type, block)],
        )

    @classmethod
    def parse(cls, parser: Parser) -> "InOp":
        array = parse_known_operand(parser)
        block, buffers = parse_block(parser)
        return cls(array, block, parse_map(parser), buffers)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.array)
        print_block(printer, self)
        print_map(printer, self.index_map)

    def verify_(self) -> None:
        verify_parent(self, "pallas.call")
        verify_array(self, self.array)
        verify_grid_block(self, self.array.type)
        verify_result(self, self.ref, block_ref_type(self.array.type, self.extents))


def verify_grid_block(op: BlockOp, array: Attribute) -> None:
    """Check a block of a grid. Raises `VerifyException` for what only an emit_pipeline can have."""
    op.verify_block(array, grid_rank(op))
    if op.bounded is not None:
        raise VerifyException(
            f"{op.name} has a bounded dimension; only a pallas.emit_pipeline can move such a block"
        )
    extents = [extent for extent in op.extents if extent is not None]
    if op.elements is not None and not all(isinstance(extent, Element) for extent in extents):
        raise VerifyException(
            f"{op.name} has its position in elements in some dimensions; a grid takes it in all, or in none"
        )
    if op.buffers is not None and op.buffers.value.data > 2:
        raise VerifyException(
            f"{op.name} has {op.buffers.value.data} buffers; a grid has 1 or 2, the inputs of a "
            "pallas.emit_pipeline can have more"
        )


@irdl_op_definition
class InSpaceOp(IRDLOperation):
    """The whole of an input array, copied to scalar memory, or left where it is (`any`).

    Example:
        %x_hbm = pallas.in_space %x any
    """

    name = "pallas.in_space"
    array = operand_def(MemRefType)
    space = prop_def(SpaceAttr)
    ref = result_def(MemRefType)

    def __init__(self, array: SSAValue, space: Space):
        super().__init__(
            operands=[array],
            properties={"space": SpaceAttr(space)},
            result_types=[in_space(array.type, space)],
        )

    @classmethod
    def parse(cls, parser: Parser) -> "InSpaceOp":
        return cls(parse_known_operand(parser), parser.parse_str_enum(Space))

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.array)
        printer.print_string(f" {self.space.data}")

    def verify_(self) -> None:
        verify_parent(self, "pallas.call")
        verify_array(self, self.array)
        verify_no_semaphores(self, self.space.data)
        verify_result(self, self.ref, in_space(self.array.type, self.space.data))


@irdl_op_definition
class OutOp(BlockOp):
    """A window of an output array in vector memory, written back when the next step needs another block.

    `kind` is the type of the array, `extent` its leading extent where that is `?`. With `alias` the array
    begins as a copy of another one, which may be that one itself, and `init` refers to the block's first
    contents. A block that no step visits keeps them; in one that is visited, the kernel has to copy what it
    wants to keep from `init`.

    Example:
        %y_ref, %old_ref = pallas.out block [8, 128] extent %n alias %y map (%m) -> (%m, %m) : memref<?x8xf32>
    """

    name = "pallas.out"
    extent = opt_operand_def(IndexType)
    alias = opt_operand_def(MemRefType)
    kind = prop_def(MemRefType)
    ref = result_def(MemRefType)
    init = opt_result_def(MemRefType)

    irdl_options = (AttrSizedOperandSegments(as_property=True),)

    def __init__(
        self,
        kind: Array,
        extent: SSAValue | None,
        block: Extents,
        index_map: Region,
        buffers: int | None = None,
        alias: SSAValue | None = None,
    ):
        window = block_ref_type(kind, block)
        super().__init__(
            operands=[extent, alias],
            properties={"kind": kind, **block_properties(block, buffers)},
            regions=[index_map],
            result_types=[window, None if alias is None else window],
        )

    @classmethod
    def parse(cls, parser: Parser) -> "OutOp":
        block, buffers = parse_block(parser)
        extent = parse_optional_operand(parser, "extent")
        alias = parse_optional_operand(parser, "alias")
        index_map = parse_map(parser)
        return cls(parse_array_type(parser), extent, block, index_map, buffers, alias)

    def print(self, printer: Printer) -> None:
        print_block(printer, self)
        print_optional_operand(printer, "extent", self.extent)
        print_optional_operand(printer, "alias", self.alias)
        print_map(printer, self.index_map)
        printer.print_string(" : ")
        printer.print_attribute(self.kind)

    def verify_(self) -> None:
        verify_parent(self, "pallas.call")
        verify_extent(self, self.kind, self.extent)
        verify_grid_block(self, self.kind)
        verify_alias(self, self.alias, self.kind)
        if (self.init is None) != (self.alias is None):
            raise VerifyException("pallas.out has `init` exactly where it has an alias")
        for ref in self.results:
            verify_result(self, ref, block_ref_type(self.kind, self.extents))


def parse_array_type(parser: Parser) -> Array:
    """Parse `: memref<…>`."""
    parser.parse_punctuation(":")
    pos = parser.pos
    kind = parser.parse_type()
    if not isinstance(kind, MemRefType):
        parser.raise_error(f"a memref is needed, and this is {kind}", pos)
    return cast(Array, kind)


def verify_alias(op: IRDLOperation, alias: SSAValue | None, kind: Attribute) -> None:
    if alias is not None and alias.type != kind:
        raise VerifyException(
            f"{op.name} makes a {kind} from a {alias.type}; an alias must be of the same type"
        )


@irdl_op_definition
class OutSpaceOp(IRDLOperation):
    """The whole of an output array, on the chip, or where the array will be (`any`), for an emit_pipeline.

    `kind`, `extent` and `alias` are those of `pallas.out`; an alias is for `any`, and its contents are in
    the array when the kernel begins.

    Example:
        %count_ref = pallas.out_space smem : memref<1xi32>
    """

    name = "pallas.out_space"
    extent = opt_operand_def(IndexType)
    alias = opt_operand_def(MemRefType)
    kind = prop_def(MemRefType)
    space = prop_def(SpaceAttr)
    ref = result_def(MemRefType)

    irdl_options = (AttrSizedOperandSegments(as_property=True),)

    def __init__(self, kind: Array, extent: SSAValue | None, space: Space, alias: SSAValue | None = None):
        super().__init__(
            operands=[extent, alias],
            properties={"kind": kind, "space": SpaceAttr(space)},
            result_types=[in_space(kind, space)],
        )

    @classmethod
    def parse(cls, parser: Parser) -> "OutSpaceOp":
        space = parser.parse_str_enum(Space)
        extent = parse_optional_operand(parser, "extent")
        alias = parse_optional_operand(parser, "alias")
        return cls(parse_array_type(parser), extent, space, alias)

    def print(self, printer: Printer) -> None:
        printer.print_string(f" {self.space.data}")
        print_optional_operand(printer, "extent", self.extent)
        print_optional_operand(printer, "alias", self.alias)
        printer.print_string(" : ")
        printer.print_attribute(self.kind)

    def verify_(self) -> None:
        verify_parent(self, "pallas.call")
        verify_extent(self, self.kind, self.extent)
        verify_alias(self, self.alias, self.kind)
        verify_no_semaphores(self, self.space.data)
        if self.alias is not None and self.space.data != Space.ANY:
            raise VerifyException(
                f"pallas.out_space has an alias in {self.space.data}; only one in `any` can have it"
            )
        verify_result(self, self.ref, in_space(self.kind, self.space.data))


@irdl_op_definition
class ScratchOp(IRDLOperation):
    """On-chip memory that keeps its contents from step to step, or semaphores for copies.

    Example:
        %acc = pallas.scratch : memref<128x256xf32, #pallas.space<vmem>>
        %sems = pallas.scratch : memref<2x4x!pallas.dma_semaphore, #pallas.space<semaphore>>
    """

    name = "pallas.scratch"
    ref = result_def(MemRefType)

    def __init__(self, kind: Array):
        super().__init__(result_types=[kind])

    @classmethod
    def parse(cls, parser: Parser) -> "ScratchOp":
        return cls(parse_array_type(parser))

    def print(self, printer: Printer) -> None:
        printer.print_string(" : ")
        printer.print_attribute(self.ref.type)

    def verify_(self) -> None:
        verify_parent(self, "pallas.call")
        kind = self.ref.type
        space, where = (Space.VMEM, Space.SMEM), "a static shape in #pallas.space<vmem> or <smem>"
        if isinstance(element_type(kind), DmaSemaphoreType):
            space, where = (Space.SEMAPHORE,), "a static shape in #pallas.space<semaphore>"
        if space_of(kind) not in space or UNBOUND in shape_of(kind):
            raise VerifyException(f"pallas.scratch makes a {kind}; {where} is needed")
