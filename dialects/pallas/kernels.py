"""The two operations that run a body once for each step of a grid, and the windows of the second."""

from collections.abc import Sequence

from xdsl.dialects.builtin import (
    ArrayAttr,
    DenseArrayBase,
    IndexType,
    IntegerAttr,
    MemRefType,
    StringAttr,
    UnitAttr,
    i64,
)
from xdsl.ir import Attribute, Operation, Region, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    region_def,
    result_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import NoTerminator, RecursiveMemoryEffect
from xdsl.utils.exceptions import VerifyException

from tilec.dialects.tile.syntax import (
    ints_of,
    parse_known_operand,
    parse_operand_or_int,
    print_operand_or_int,
)
from tilec.dialects.tile.types import span_names

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
from .specs import (
    InOp,
    InSpaceOp,
    OutOp,
    OutSpaceOp,
    PrefetchOp,
    ScratchOp,
    verify_parent,
    verify_result,
)
from .syntax import pack_ints, unpack_ints, verify_in_kernel, verify_on_host
from .types import Semantics, SemanticsAttr, Space, space_of

SPECS = (PrefetchOp, InOp, InSpaceOp, OutOp, OutSpaceOp, ScratchOp)


def verify_grid(op: Operation, grid: Sequence[SSAValue | int]) -> None:
    for size in grid:
        if isinstance(size, int) and size < 0:
            raise VerifyException(f"{op.name} has a grid dimension of {size} steps; 0 or more are needed")


def verify_specs_first(op: Operation, body: Region, specs: tuple[type[Operation], ...]) -> None:
    """Check that what describes operands stands before the rest of the body."""
    rest: Operation | None = None
    for inner in body.block.ops:
        if not isinstance(inner, specs):
            rest = rest or inner
        elif rest is not None:
            raise VerifyException(
                f"{op.name} has {inner.name} after {rest.name}; operands and scratch come first"
            )


@irdl_op_definition
class CallOp(IRDLOperation):
    """A kernel: runs its body once for each step of a grid, the last dimension fastest.

    The region first describes the operands, in any order, then what each step does. The results are the
    arrays of its `out` and `out_space` operations, in their order. A dimension of the grid is a literal or
    an index, which may be known only when the kernel starts; without a grid there is one step. `parallel`
    dimensions may run in any order and on several cores. `vmem` is the limit, in bytes, that the compiler
    gets; of an `unchecked` kernel the TPU does not check that copies stay within their arrays.

    Example:
        %y = pallas.call "scale" grid [parallel 4, arbitrary %steps] vmem 33554432 {
          %x_ref = pallas.in %x block [128, 256] map (%m, %k) -> (%m, %k)
          %y_ref = pallas.out block [128, 256] map (%m, %k) -> (%m, %k) : memref<512x512xf32>
          %v = pallas.load %x_ref
          pallas.store %v, %y_ref
        } : memref<512x512xf32>
    """

    name = "pallas.call"
    grid_operands = var_operand_def(IndexType)
    kernel_name = prop_def(StringAttr)
    static_grid = prop_def(DenseArrayBase)
    semantics = prop_def(ArrayAttr[SemanticsAttr])
    vmem_limit = opt_prop_def(IntegerAttr)
    unchecked = opt_prop_def(UnitAttr)
    body = region_def("single_block")
    arrays = var_result_def(MemRefType)
    traits = traits_def(NoTerminator(), RecursiveMemoryEffect())

    def __init__(
        self,
        name: str,
        grid: Sequence[SSAValue | int],
        semantics: Sequence[Semantics],
        body: Region,
        result_types: Sequence[Attribute],
        vmem_limit: int | None = None,
        unchecked: bool = False,
    ):
        operands, static = pack_ints(grid)
        super().__init__(
            operands=[operands],
            properties={
                "kernel_name": StringAttr(name),
                "static_grid": static,
                "semantics": ArrayAttr([SemanticsAttr(order) for order in semantics]),
                "vmem_limit": None if vmem_limit is None else IntegerAttr(vmem_limit, i64),
                "unchecked": UnitAttr() if unchecked else None,
            },
            regions=[body],
            result_types=[result_types],
        )

    @property
    def grid(self) -> tuple[SSAValue | int, ...]:
        """Steps in each dimension, outermost first."""
        return unpack_ints(self, self.grid_operands, self.static_grid)

    @property
    def outputs(self) -> list[OutOp | OutSpaceOp]:
        """What describes the results, in their order."""
        return [op for op in self.body.block.ops if isinstance(op, OutOp | OutSpaceOp)]

    @classmethod
    def parse(cls, parser: Parser) -> "CallOp":
        name = parser.parse_str_literal()
        grid: list[tuple[Semantics, SSAValue | int]] = []
        if parser.parse_optional_keyword("grid"):
            grid = parser.parse_comma_separated_list(
                parser.Delimiter.SQUARE,
                lambda: (parser.parse_str_enum(Semantics), parse_operand_or_int(parser)),
            )
        vmem = parser.parse_integer(allow_boolean=False) if parser.parse_optional_keyword("vmem") else None
        unchecked = parser.parse_optional_keyword("unchecked") is not None
        body = parser.parse_region()
        kinds: list[Attribute] = []
        if parser.parse_optional_punctuation(":"):
            kinds = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
        return cls(
            name, [size for _, size in grid], [order for order, _ in grid], body, kinds, vmem, unchecked
        )

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_string_literal(self.kernel_name.data)
        if self.semantics.data:
            printer.print_string(" grid ")
            with printer.in_square_brackets():
                pairs = zip(self.semantics, self.grid, strict=True)
                printer.print_list(pairs, lambda pair: _print_dimension(printer, *pair))
        if self.vmem_limit is not None:
            printer.print_string(f" vmem {self.vmem_limit.value.data}")
        if self.unchecked is not None:
            printer.print_string(" unchecked")
        printer.print_string(" ")
        printer.print_region(self.body)
        if self.arrays:
            printer.print_string(" : ")
            printer.print_list(self.arrays, lambda array: printer.print_attribute(array.type))

    def verify_(self) -> None:
        verify_on_host(self)
        verify_grid(self, self.grid)
        if len(self.semantics) != len(self.grid):
            raise VerifyException(
                f"pallas.call has a grid of {len(self.grid)} dimensions and {len(self.semantics)} semantics; "
                "give one for each"
            )
        verify_specs_first(self, self.body, SPECS)
        made = [out.kind for out in self.outputs]
        results = [array.type for array in self.arrays]
        if made != results or not made:
            raise VerifyException(
                f"pallas.call results in ({', '.join(map(str, results))}) where its outputs are "
                f"({', '.join(map(str, made))}); one result for each output, and one at least, is needed"
            )
        for op in self.body.walk():
            for value in op.results:
                if any(span_names(value.type)):
                    raise VerifyException(
                        f"pallas.call holds a {value.type}, made by {op.name}; in a kernel every lane is "
                        "defined, so a value has no spans"
                    )


def _print_dimension(printer: Printer, order: SemanticsAttr, size: SSAValue | int) -> None:
    printer.print_string(f"{order.data} ")
    print_operand_or_int(printer, size)


@irdl_op_definition
class EmitPipelineOp(IRDLOperation):
    """Inside a kernel, runs its body once for each step of a grid over arrays that stay where they are.

    The region first describes the windows, then what each step does. Dimensions of the grid are literals or
    indices that the kernel computed.

    Example:
        pallas.emit_pipeline grid [4, %count] {
          %x_ref = pallas.pipe_in %x_hbm block [128, 256] map (%m, %k) -> (%m, %k)
          %y_ref = pallas.pipe_out %y_hbm block [128, 256] map (%m, %k) -> (%m, %k)
          %v = pallas.load %x_ref
          pallas.store %v, %y_ref
        }
    """

    name = "pallas.emit_pipeline"
    grid_operands = var_operand_def(IndexType)
    static_grid = prop_def(DenseArrayBase)
    body = region_def("single_block")
    traits = traits_def(NoTerminator())

    def __init__(self, grid: Sequence[SSAValue | int], body: Region):
        operands, static = pack_ints(grid)
        super().__init__(operands=[operands], properties={"static_grid": static}, regions=[body])

    @property
    def grid(self) -> tuple[SSAValue | int, ...]:
        """Steps in each dimension, outermost first."""
        return unpack_ints(self, self.grid_operands, self.static_grid)

    @classmethod
    def parse(cls, parser: Parser) -> "EmitPipelineOp":
        parser.parse_keyword("grid")
        grid = parser.parse_comma_separated_list(
            parser.Delimiter.SQUARE, lambda: parse_operand_or_int(parser)
        )
        return cls(grid, parser.parse_region())

    def print(self, printer: Printer) -> None:
        printer.print_string(" grid ")
        with printer.in_square_brackets():
            printer.print_list(self.grid, lambda size: print_operand_or_int(printer, size))
        printer.print_string(" ")
        printer.print_region(self.body)

    def verify_(self) -> None:
        verify_in_kernel(self)
        verify_grid(self, self.grid)
        if not ints_of(self.static_grid):
            raise VerifyException("pallas.emit_pipeline has no grid; give it one dimension at least")
        verify_specs_first(self, self.body, (PipeInOp, PipeOutOp))


class _PipeOp(BlockOp):
    """What the windows of an emit_pipeline share."""

    source = operand_def(MemRefType)
    ref = result_def(MemRefType)

    def __init__(self, source: SSAValue, block: Extents, index_map: Region, buffers: int | None = None):
        super().__init__(
            operands=[source],
            properties=block_properties(block, buffers),
            regions=[index_map],
            result_types=[block_ref_type(source.type, block)],
        )

    @classmethod
    def parse(cls, parser: Parser) -> "_PipeOp":
        source = parse_known_operand(parser)
        block, buffers = parse_block(parser)
        return cls(source, block, parse_map(parser), buffers)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.source)
        print_block(printer, self)
        print_map(printer, self.index_map)

    def verify_(self) -> None:
        verify_parent(self, "pallas.emit_pipeline")
        if space_of(self.source.type) != Space.ANY:
            raise VerifyException(
                f"{self.name} moves blocks of a {self.source.type}; a reference in `any` is needed"
            )
        self.verify_block(self.source.type, grid_rank(self))
        verify_result(self, self.ref, block_ref_type(self.source.type, self.extents))


@irdl_op_definition
class PipeInOp(_PipeOp):
    """A window of an array that an emit_pipeline reads.

    Example:
        %x_ref = pallas.pipe_in %x_hbm block [128, 256] buffers 3 map (%m, %k) -> (%m, %k)
    """

    name = "pallas.pipe_in"


@irdl_op_definition
class PipeOutOp(_PipeOp):
    """A window of an array that an emit_pipeline writes.

    Example:
        %y_ref = pallas.pipe_out %y_hbm block [bounded 128, 8, 128] map (%w) {
          %begin, %size, %zero = "test.op"() : () -> (index, index, index)
          pallas.yield %begin, %size, %zero, %zero
        }
    """

    name = "pallas.pipe_out"

    def verify_(self) -> None:
        super().verify_()
        if self.buffers is not None and self.buffers.value.data > 2:
            raise VerifyException(
                f"pallas.pipe_out has {self.buffers.value.data} buffers; an output has 1 or 2, an input "
                "can have more"
            )
