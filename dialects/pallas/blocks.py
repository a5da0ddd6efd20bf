"""Windows of arrays that a grid moves through on-chip memory: block shapes and index maps.

A block is written `block [128, _, 256]`: its extent in each dimension of the array, `_` where the window
holds one index and drops the dimension. The index map gives the block's position, in blocks, for each step
of the grid; in elements where a block may begin between others, `block [element 136, 256]`.
"""

from abc import ABC
from collections.abc import Mapping, Sequence
from typing import cast

from xdsl.dialects.builtin import DenseArrayBase, IndexType, IntegerAttr, i64
from xdsl.ir import Attribute, Block, Region, SSAValue
from xdsl.irdl import IRDLOperation, opt_prop_def, prop_def, region_def
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from tilec.dialects.tile.syntax import dense_i64, ints_of
from tilec.dialects.tile.types import Array, shape_of

from .control import YieldOp, yielded
from .syntax import kernel_of, verify_in_kernel, verify_index
from .types import Bounded, Element, Space, ref_type

Extent = int | Bounded | Element | None
Extents = Sequence[Extent]

_IN_MAPS = ("pallas.load", "pallas.yield", "tile.cast", "tile.compare", "tile.select")
"""What may be in an index map beside arithmetic."""
_SQUEEZED = -1


class BlockOp(IRDLOperation, ABC):
    """Base of the operations that describe a window: block, index map, number of buffers."""

    block = prop_def(DenseArrayBase)
    bounded = opt_prop_def(IntegerAttr)
    elements = opt_prop_def(DenseArrayBase)
    buffers = opt_prop_def(IntegerAttr)
    index_map = region_def("single_block")

    @property
    def extents(self) -> tuple[Extent, ...]:
        """The block's extent in each dimension of the array, `None` where the window drops it."""
        bounded = None if self.bounded is None else self.bounded.value.data
        elements = () if self.elements is None else ints_of(self.elements)
        kinds = {dim: Element for dim in elements} | ({} if bounded is None else {bounded: Bounded})
        return tuple(
            None if size == _SQUEEZED else kinds.get(dim, int)(size)
            for dim, size in enumerate(ints_of(self.block))
        )

    @property
    def map_results(self) -> Sequence[SSAValue]:
        """What the index map yields: an index for each dimension, a start and a size for a bounded one."""
        return yielded(self, self.index_map)

    def verify_block(self, array: Attribute, grid: int) -> None:
        """Check the block against an array type, and the map against a grid's rank."""
        shape = shape_of(array)
        sizes = ints_of(self.block)
        if len(sizes) != len(shape):
            raise VerifyException(
                f"{self.name} has a block of {len(sizes)} extents for an array of rank {len(shape)}, "
                f"{array}; give one for each dimension, `_` for one that the window drops"
            )
        if any(size < 1 and size != _SQUEEZED for size in sizes):
            raise VerifyException(f"{self.name} has a block {list(sizes)}; extents are 1 or more")
        if self.buffers is not None and self.buffers.value.data < 1:
            raise VerifyException(f"{self.name} has {self.buffers.value.data} buffers; 1 or more are needed")
        self._verify_map(grid)

    def _verify_map(self, grid: int) -> None:
        arguments, results = self.index_map.block.args, self.map_results
        verify_index(self, "an index map with an argument", arguments)
        verify_index(self, "an index map with a result", results)
        if len(arguments) != grid:
            raise VerifyException(
                f"{self.name} has an index map of {len(arguments)} arguments under a grid of {grid} "
                "dimensions; give one for each"
            )
        wanted = len(ints_of(self.block)) + (self.bounded is not None)
        if len(results) != wanted:
            raise VerifyException(
                f"{self.name} has an index map of {len(results)} results where its block needs {wanted}; "
                "give one for each dimension of the array, start and size for a bounded one"
            )
        for op in self.index_map.block.ops:
            if not (op.name.startswith("arith.") or op.name in _IN_MAPS):
                raise VerifyException(
                    f"{self.name} has {op.name} in its index map; only arith and pallas.load can be, "
                    "and what compares, chooses and converts scalars"
                )


def block_properties(block: Extents, buffers: int | None) -> dict[str, Attribute | None]:
    """The properties that hold a block."""
    bounded = [dim for dim, size in enumerate(block) if isinstance(size, Bounded)]
    if len(bounded) > 1:
        raise VerifyException(f"a block has bounded dimensions {bounded}; one at most can be")
    sizes = [_SQUEEZED if size is None else elements_of(size) for size in block]
    elements = [dim for dim, size in enumerate(block) if isinstance(size, Element)]
    return {
        "block": dense_i64(sizes),
        "elements": dense_i64(elements) if elements else None,
        "bounded": IntegerAttr(bounded[0], i64) if bounded else None,
        "buffers": None if buffers is None else IntegerAttr(buffers, i64),
    }


def block_ref_type(array: Attribute, block: Extents) -> Array:
    """The type of the reference to a window: the block without the dimensions it drops, in VMEM."""
    kept = [elements_of(size) for size in block if size is not None]
    return ref_type(array, kept, Space.VMEM)


def elements_of(extent: int | Bounded | Element) -> int:
    """How many elements a block has at most in a dimension."""
    return extent if isinstance(extent, int) else extent.size


def parse_block(parser: Parser) -> tuple[list[Extent], int | None]:
    """Parse `block [_, bounded 128, 256] buffers 2`, or `block [element 136, 256]`."""
    parser.parse_keyword("block")
    extents = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, lambda: _parse_extent(parser))
    buffers = parser.parse_integer(allow_boolean=False) if parser.parse_optional_keyword("buffers") else None
    return extents, buffers


def _parse_extent(parser: Parser) -> Extent:
    if parser.parse_optional_keyword("_"):
        return None
    kinds = {"bounded": Bounded, "element": Element}
    kind = next((kind for word, kind in kinds.items() if parser.parse_optional_keyword(word)), int)
    return kind(parser.parse_integer(allow_boolean=False))


def print_block(printer: Printer, op: BlockOp) -> None:
    """Print what `parse_block` reads."""
    printer.print_string(" block ")
    with printer.in_square_brackets():
        printer.print_list(op.extents, lambda extent: printer.print_string(_extent_text(extent)))
    if op.buffers is not None:
        printer.print_string(f" buffers {op.buffers.value.data}")


def _extent_text(extent: Extent) -> str:
    if extent is None:
        return "_"
    word = "bounded " if isinstance(extent, Bounded) else "element " if isinstance(extent, Element) else ""
    return f"{word}{elements_of(extent)}"


def parse_map(parser: Parser) -> Region:
    """Parse `map (%m, %n) -> (%n, %m)`, or with a region in place of the arrow and what follows."""
    parser.parse_keyword("map")
    names = parser.parse_comma_separated_list(
        parser.Delimiter.PAREN, lambda: parser.parse_argument(expect_type=False)
    )
    if not parser.parse_optional_punctuation("->"):
        return parser.parse_region([name.resolve(IndexType()) for name in names])
    block = Block(arg_types=[IndexType()] * len(names))
    arguments = dict(zip((name.name.text[1:] for name in names), block.args, strict=True))
    for name, argument in arguments.items():
        argument.name_hint = name if SSAValue.is_valid_name(name) else None
    results = parser.parse_comma_separated_list(
        parser.Delimiter.PAREN, lambda: _parse_result(parser, arguments)
    )
    block.add_op(YieldOp(results))
    return Region(block)


def _parse_result(parser: Parser, arguments: Mapping[str, SSAValue]) -> SSAValue:
    name = parser.parse_unresolved_operand()
    if name.operand_name not in arguments:
        parser.raise_error(f"%{name.operand_name} is no argument of this index map", name.span)
    return arguments[name.operand_name]


def print_map(printer: Printer, index_map: Region) -> None:
    """Print what `parse_map` reads."""
    # A scope of its own lets the maps of a kernel use the same argument names.
    printer.enter_scope()
    block = index_map.block
    printer.print_string(" map ")
    with printer.in_parens():
        printer.print_list(block.args, printer.print_ssa_value)
    last = block.last_op
    if isinstance(last, YieldOp) and block.first_op is last and set(last.values) <= set(block.args):
        printer.print_string(" -> ")
        with printer.in_parens():
            printer.print_list(last.values, printer.print_ssa_value)
    else:
        printer.print_string(" ")
        printer.print_region(index_map, print_entry_block_args=False)
    printer.exit_scope()


def grid_rank(op: IRDLOperation) -> int:
    """The number of grid dimensions of the kernel around `op`."""
    verify_in_kernel(op)
    kernel = kernel_of(op)
    return 0 if kernel is None else len(ints_of(cast(DenseArrayBase, kernel.properties["static_grid"])))
