"""Reading and writing references in a kernel, and the values that a kernel starts from."""

from collections.abc import Sequence

from xdsl.dialects.builtin import (
    DenseArrayBase,
    IndexType,
    IntegerAttr,
    MemRefType,
    TensorType,
    i32,
    i64,
)
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import MemoryReadEffect, MemoryWriteEffect, Pure
from xdsl.utils.exceptions import VerifyException

from tilec.dialects.tile.syntax import (
    dense_i64,
    ints_of,
    parse_known_operand,
    parse_operand_or_int,
    print_operand_or_int,
)
from tilec.dialects.tile.types import UNBOUND, element_type, shape_of, value_type

from .blocks import grid_rank
from .kernels import PipeInOp
from .specs import InOp, InSpaceOp, OutOp, PrefetchOp
from .syntax import pack_ints, unpack_ints, verify_in_kernel
from .types import Ds, Space, space_of

Dims = Sequence["SSAValue | int | Ds | None"]

_INDEX = 0
_FULL = -1


class _RefOp(IRDLOperation):
    """What loads and stores share: how each dimension of a reference is indexed."""

    ref = operand_def(MemRefType)
    starts = var_operand_def(IndexType)
    static_starts = prop_def(DenseArrayBase)
    # For each dimension its size in a `ds`, 0 for an index, -1 for `:`.
    sizes = prop_def(DenseArrayBase)

    @property
    def dims(self) -> tuple["SSAValue | int | Ds | None", ...]:
        """How each dimension is indexed: an index, `None` for `:`, or a `Ds`. Empty for all of them."""
        starts = unpack_ints(self, self.starts, self.static_starts)
        return tuple(
            None if size == _FULL else start if size == _INDEX else Ds(start, size)
            for start, size in zip(starts, ints_of(self.sizes), strict=True)
        )

    def verify_dims(self) -> None:
        """Check rank, space and static positions. Raises `VerifyException` with the numbers."""
        verify_in_kernel(self)
        if space_of(self.ref.type) not in (Space.VMEM, Space.SMEM):
            raise VerifyException(
                f"{self.name} accesses a {self.ref.type}; only on-chip memory can be, #pallas.space<vmem> "
                "or <smem>"
            )
        shape, dims = shape_of(self.ref.type), self.dims
        if dims and len(dims) != len(shape):
            raise VerifyException(
                f"{self.name} gives {len(dims)} indices to a {self.ref.type}; give one for each of its "
                f"{len(shape)} dimensions, or none for all of it"
            )
        for position, (dim, extent) in enumerate(zip(dims or [None] * len(shape), shape, strict=True)):
            self._verify_dim(position, dim, extent)

    def _verify_dim(self, position: int, dim: "SSAValue | int | Ds | None", extent: int) -> None:
        if dim is None:
            if extent == UNBOUND:
                raise VerifyException(f"{self.name} takes all of dimension {position}, whose extent is `?`")
            return
        start, size = (dim.start, dim.size) if isinstance(dim, Ds) else (dim, 1)
        if isinstance(start, int) and (start < 0 or (extent != UNBOUND and start + size > extent)):
            raise VerifyException(
                f"{self.name} takes {start} to {start + size} of dimension {position}, whose extent is "
                f"{extent}"
            )


def _pack_dims(dims: Dims) -> tuple[list[SSAValue], dict[str, Attribute]]:
    starts = [0 if dim is None else dim.start if isinstance(dim, Ds) else dim for dim in dims]
    sizes = [_FULL if dim is None else dim.size if isinstance(dim, Ds) else _INDEX for dim in dims]
    operands, static = pack_ints(starts)
    return operands, {"static_starts": static, "sizes": dense_i64(sizes)}


def _window_type(ref: Attribute, dims: Dims) -> Attribute:
    """The type of the value in a window of a reference; dimensions that are indexed are dropped."""
    shape = shape_of(ref)
    sizes = [
        extent if dim is None else dim.size
        for dim, extent in zip(dims or [None] * len(shape), shape, strict=False)
        if dim is None or isinstance(dim, Ds)
    ]
    return value_type(element_type(ref), sizes, [None] * len(sizes))


def _parse_window(parser: Parser) -> tuple[SSAValue, Dims]:
    ref = parse_known_operand(parser)
    dims = parser.parse_optional_comma_separated_list(parser.Delimiter.SQUARE, lambda: _parse_dim(parser))
    return ref, dims or ()


def _parse_dim(parser: Parser) -> "SSAValue | int | Ds | None":
    if parser.parse_optional_punctuation(":"):
        return None
    if not parser.parse_optional_keyword("ds"):
        return parse_operand_or_int(parser)
    with parser.in_parens():
        start = parse_operand_or_int(parser)
        parser.parse_punctuation(",")
        return Ds(start, parser.parse_integer(allow_boolean=False, allow_negative=False))


def _print_window(printer: Printer, op: _RefOp) -> None:
    printer.print_ssa_value(op.ref)
    if op.dims:
        with printer.in_square_brackets():
            printer.print_list(op.dims, lambda dim: _print_dim(printer, dim))


def _print_dim(printer: Printer, dim: "SSAValue | int | Ds | None") -> None:
    if dim is None:
        printer.print_string(":")
    elif isinstance(dim, Ds):
        printer.print_string("ds(")
        print_operand_or_int(printer, dim.start)
        printer.print_string(f", {dim.size})")
    else:
        print_operand_or_int(printer, dim)


@irdl_op_definition
class LoadOp(_RefOp):
    """The value in a part of a reference: all of it, or what an index, `:` or `ds(start, size)` picks.

    A dimension that is indexed is dropped; with none left the value is a scalar.

    Example:
        %v = pallas.load %x_ref
        %w = pallas.load %x_ref[%slot, ds(%begin, 8), :]
        %t = pallas.load %tiles_ref[%i]
    """

    name = "pallas.load"
    value = result_def()
    traits = traits_def(MemoryReadEffect())

    def __init__(self, ref: SSAValue, dims: Dims = ()):
        operands, properties = _pack_dims(dims)
        super().__init__(
            operands=[ref, operands], properties=properties, result_types=[_window_type(ref.type, dims)]
        )

    @classmethod
    def parse(cls, parser: Parser) -> "LoadOp":
        return cls(*_parse_window(parser))

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        _print_window(printer, self)

    def verify_(self) -> None:
        self.verify_dims()
        expected = _window_type(self.ref.type, self.dims)
        if self.value.type != expected:
            raise VerifyException(f"pallas.load results in {expected}, not {self.value.type}")


@irdl_op_definition
class StoreOp(_RefOp):
    """Puts a value into a part of a reference, which is written as for `pallas.load`. Types must agree.

    Example:
        pallas.store %v, %y_ref
        pallas.store %t, %tiles_ref[%i]
    """

    name = "pallas.store"
    value = operand_def()
    traits = traits_def(MemoryWriteEffect())

    def __init__(self, value: SSAValue, ref: SSAValue, dims: Dims = ()):
        operands, properties = _pack_dims(dims)
        super().__init__(operands=[value, ref, operands], properties=properties)

    @classmethod
    def parse(cls, parser: Parser) -> "StoreOp":
        value = parse_known_operand(parser)
        parser.parse_punctuation(",")
        return cls(value, *_parse_window(parser))

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.value)
        printer.print_string(", ")
        _print_window(printer, self)

    def verify_(self) -> None:
        self.verify_dims()
        expected = _window_type(self.ref.type, self.dims)
        if self.value.type != expected:
            raise VerifyException(f"pallas.store puts a {self.value.type} where a {expected} is needed")
        owner = self.ref.owner
        initial = isinstance(owner, OutOp) and self.ref is owner.init
        if initial or isinstance(owner, InOp | InSpaceOp | PrefetchOp | PipeInOp):
            raise VerifyException(
                "pallas.store writes into an input; only outputs and scratch can be written"
            )


class _GridQuery(IRDLOperation):
    """A number about one dimension of the nearest grid."""

    dim = prop_def(IntegerAttr)
    result = result_def(IndexType)

    def __init__(self, dim: int):
        super().__init__(properties={"dim": IntegerAttr(dim, i64)}, result_types=[IndexType()])

    @classmethod
    def parse(cls, parser: Parser) -> "_GridQuery":
        return cls(parser.parse_integer(allow_boolean=False))

    def print(self, printer: Printer) -> None:
        printer.print_string(f" {self.dim.value.data}")

    def verify_(self) -> None:
        rank, dim = grid_rank(self), self.dim.value.data
        if not 0 <= dim < rank:
            raise VerifyException(
                f"{self.name} asks about dimension {dim} of a grid of {rank}; dimensions are counted from 0"
            )


@irdl_op_definition
class ProgramIdOp(_GridQuery):
    """The current step along one dimension of the nearest `call` or `emit_pipeline`, from 0.

    Example:
        %m = pallas.program_id 0
    """

    name = "pallas.program_id"


@irdl_op_definition
class NumProgramsOp(_GridQuery):
    """The number of steps along one dimension of the nearest `call` or `emit_pipeline`.

    Example:
        %steps = pallas.num_programs 0
    """

    name = "pallas.num_programs"


@irdl_op_definition
class IotaOp(IRDLOperation):
    """0, 1, 2, … along one dimension, the same along all others, as 32-bit integers.

    Example:
        %rows = pallas.iota dim 0 : tensor<128x1xi32>
    """

    name = "pallas.iota"
    dim = prop_def(IntegerAttr)
    result = result_def(TensorType)
    traits = traits_def(Pure())

    def __init__(self, shape: Sequence[int], dim: int):
        super().__init__(properties={"dim": IntegerAttr(dim, i64)}, result_types=[TensorType(i32, shape)])

    @classmethod
    def parse(cls, parser: Parser) -> "IotaOp":
        parser.parse_keyword("dim")
        dim = parser.parse_integer(allow_boolean=False)
        parser.parse_punctuation(":")
        pos = parser.pos
        kind = parser.parse_type()
        shape = shape_of(kind)
        if element_type(kind) != i32 or not isinstance(kind, TensorType):
            parser.raise_error(f"pallas.iota makes a tensor of i32, not {kind}", pos)
        return cls(shape, dim)

    def print(self, printer: Printer) -> None:
        printer.print_string(f" dim {self.dim.value.data} : ")
        printer.print_attribute(self.result.type)

    def verify_(self) -> None:
        verify_in_kernel(self)
        verify_dim(self, self.result, self.dim)


def verify_dim(op: IRDLOperation, value: SSAValue, dim: IntegerAttr) -> None:
    if not 0 <= dim.value.data < len(shape_of(value.type)):
        raise VerifyException(f"{op.name} works along dimension {dim.value.data} of a {value.type}")


@irdl_op_definition
class RollOp(IRDLOperation):
    """Moves lanes along one dimension: lane i goes to lane `(i + shift) mod extent`.

    Example:
        %r = pallas.roll %v by 1 dim 0
    """

    name = "pallas.roll"
    value = operand_def(TensorType)
    shift = prop_def(IntegerAttr)
    dim = prop_def(IntegerAttr)
    result = result_def(TensorType)
    traits = traits_def(Pure())

    def __init__(self, value: SSAValue, shift: int, dim: int):
        super().__init__(
            operands=[value],
            properties={"shift": IntegerAttr(shift, i64), "dim": IntegerAttr(dim, i64)},
            result_types=[value.type],
        )

    @classmethod
    def parse(cls, parser: Parser) -> "RollOp":
        value = parse_known_operand(parser)
        parser.parse_keyword("by")
        shift = parser.parse_integer(allow_boolean=False)
        parser.parse_keyword("dim")
        return cls(value, shift, parser.parse_integer(allow_boolean=False))

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.value)
        printer.print_string(f" by {self.shift.value.data} dim {self.dim.value.data}")

    def verify_(self) -> None:
        verify_in_kernel(self)
        verify_dim(self, self.value, self.dim)
        if self.result.type != self.value.type or self.shift.value.data < 0:
            raise VerifyException(
                f"pallas.roll by {self.shift.value.data} of a {self.value.type} to a {self.result.type}; "
                "a shift of 0 or more and equal types are needed"
            )
