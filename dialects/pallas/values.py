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

from tilec.dialects.tile.syntax import parse_known_operand, parse_operand_or_int, print_operand_or_int
from tilec.dialects.tile.types import UNBOUND, element_type, shape_of, value_type

from .blocks import grid_rank
from .syntax import pack_ints, unpack_ints, verify_in_kernel
from .types import Space, space_of
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


class _RefOp(IRDLOperation):
    """What loads and stores share: the part of a reference that they access."""

    ref = operand_def(MemRefType)
    numbers = var_operand_def(IndexType)
    static_numbers = prop_def(DenseArrayBase)

    @property
    def dims(self) -> tuple[Dim, ...]:
        """How each dimension is indexed: an index, `None` for `:`, or a `Ds`. Empty for all of them."""
        return unpack_dims(self, self.numbers, self.static_numbers)

    def verify_part(self) -> None:
        """Check rank, space, positions and sizes. Raises `VerifyException` with the numbers."""
        verify_in_kernel(self)
        if space_of(self.ref.type) not in (Space.VMEM, Space.SMEM):
            raise VerifyException(
                f"{self.name} accesses a {self.ref.type}; only on-chip memory can be, #pallas.space<vmem> "
                "or <smem>"
            )
        verify_dims(self, self.ref, self.dims)
        if not all(isinstance(size, int) for size in kept_sizes(self.ref, self.dims)):
            raise VerifyException(f"{self.name} has a `ds` whose size is a value; only copies can have one")


def _part_type(ref: SSAValue, dims: Sequence[Dim]) -> Attribute:
    """The type of the value in a part of a reference; dimensions that are indexed are dropped."""
    sizes = [size if isinstance(size, int) else UNBOUND for size in kept_sizes(ref, dims)]
    return value_type(element_type(ref.type), sizes, [None] * len(sizes))


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

    def __init__(self, ref: SSAValue, dims: Sequence[Dim] = ()):
        operands, static = pack_dims(dims)
        super().__init__(
            operands=[ref, operands],
            properties={"static_numbers": static},
            result_types=[_part_type(ref, dims)],
        )

    @classmethod
    def parse(cls, parser: Parser) -> "LoadOp":
        return cls(*parse_window(parser))

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        print_window(printer, self.ref, self.dims)

    def verify_(self) -> None:
        self.verify_part()
        expected = _part_type(self.ref, self.dims)
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

    def __init__(self, value: SSAValue, ref: SSAValue, dims: Sequence[Dim] = ()):
        operands, static = pack_dims(dims)
        super().__init__(operands=[value, ref, operands], properties={"static_numbers": static})

    @classmethod
    def parse(cls, parser: Parser) -> "StoreOp":
        value = parse_known_operand(parser)
        parser.parse_punctuation(",")
        return cls(value, *parse_window(parser))

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.value)
        printer.print_string(", ")
        print_window(printer, self.ref, self.dims)

    def verify_(self) -> None:
        self.verify_part()
        expected = _part_type(self.ref, self.dims)
        if self.value.type != expected:
            raise VerifyException(f"pallas.store puts a {self.value.type} where a {expected} is needed")
        verify_writable(self, self.ref)


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

    The shift is a literal or an index, 0 or more; only that of a literal is checked.

    Example:
        %r = pallas.roll %v by 1 dim 0
        %s = pallas.roll %r by %amount dim 1
    """

    name = "pallas.roll"
    value = operand_def(TensorType)
    shift_operand = var_operand_def(IndexType)
    static_shift = prop_def(DenseArrayBase)
    dim = prop_def(IntegerAttr)
    result = result_def(TensorType)
    traits = traits_def(Pure())

    def __init__(self, value: SSAValue, shift: SSAValue | int, dim: int):
        operands, static = pack_ints([shift])
        super().__init__(
            operands=[value, operands],
            properties={"static_shift": static, "dim": IntegerAttr(dim, i64)},
            result_types=[value.type],
        )

    @property
    def shift(self) -> SSAValue | int:
        """How far lanes move. Raises `VerifyException` where that is not one number."""
        numbers = unpack_ints(self, self.shift_operand, self.static_shift)
        if len(numbers) != 1:
            raise VerifyException(f"pallas.roll has {len(numbers)} shifts; it takes one")
        return numbers[0]

    @classmethod
    def parse(cls, parser: Parser) -> "RollOp":
        value = parse_known_operand(parser)
        parser.parse_keyword("by")
        shift = parse_operand_or_int(parser)
        parser.parse_keyword("dim")
        return cls(value, shift, parser.parse_integer(allow_boolean=False))

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.value)
        printer.print_string(" by ")
        print_operand_or_int(printer, self.shift)
        printer.print_string(f" dim {self.dim.value.data}")

    def verify_(self) -> None:
        verify_in_kernel(self)
        verify_dim(self, self.value, self.dim)
        shift = self.shift
        if self.result.type != self.value.type or (isinstance(shift, int) and shift < 0):
            amount = shift if isinstance(shift, int) else "an index"
            raise VerifyException(
                f"pallas.roll by {amount} of a {self.value.type} to a {self.result.type}; "
                "a shift of 0 or more and equal types are needed"
            )


@irdl_op_definition
class TakeOp(IRDLOperation):
    """Moves lanes along one dimension: lane i of the result is lane `ids[i]` of the value.

    Positions differ from row to row as well, and lie inside the dimension, which nothing checks. Elements
    are words: the lanes of registers are moved, so that a dimension has no more lanes than one has.

    Example:
        %t = pallas.take %v at %ids dim 1
    """

    name = "pallas.take"
    value = operand_def(TensorType)
    ids = operand_def(TensorType)
    dim = prop_def(IntegerAttr)
    result = result_def(TensorType)
    traits = traits_def(Pure())

    def __init__(self, value: SSAValue, ids: SSAValue, dim: int):
        super().__init__(
            operands=[value, ids], properties={"dim": IntegerAttr(dim, i64)}, result_types=[value.type]
        )

    @classmethod
    def parse(cls, parser: Parser) -> "TakeOp":
        value = parse_known_operand(parser)
        parser.parse_keyword("at")
        ids = parse_known_operand(parser)
        parser.parse_keyword("dim")
        return cls(value, ids, parser.parse_integer(allow_boolean=False))

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.value)
        printer.print_string(" at ")
        printer.print_ssa_value(self.ids)
        printer.print_string(f" dim {self.dim.value.data}")

    def verify_(self) -> None:
        verify_in_kernel(self)
        verify_dim(self, self.value, self.dim)
        kind = self.value.type
        if self.result.type != kind or self.ids.type != TensorType(i32, shape_of(kind)):
            raise VerifyException(
                f"pallas.take of a {kind} at a {self.ids.type} to a {self.result.type}; a position of type "
                "i32 for each element, and equal types are needed"
            )


@irdl_op_definition
class MultipleOfOp(IRDLOperation):
    """The same index, with the promise to the TPU compiler that it is a multiple of a number.

    Nothing checks the promise: where it is false, the compiled kernel accesses other elements. Copies and
    loads need it where they start at an index that the compiler cannot see to be aligned.

    Example:
        %row = pallas.multiple_of %begin by 8
    """

    name = "pallas.multiple_of"
    value = operand_def(IndexType)
    divisor = prop_def(IntegerAttr)
    result = result_def(IndexType)
    traits = traits_def(Pure())

    def __init__(self, value: SSAValue, divisor: int):
        super().__init__(
            operands=[value],
            properties={"divisor": IntegerAttr(divisor, i64)},
            result_types=[IndexType()],
        )

    @classmethod
    def parse(cls, parser: Parser) -> "MultipleOfOp":
        value = parse_known_operand(parser)
        parser.parse_keyword("by")
        return cls(value, parser.parse_integer(allow_boolean=False))

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.value)
        printer.print_string(f" by {self.divisor.value.data}")

    def verify_(self) -> None:
        verify_in_kernel(self)
        if self.divisor.value.data < 1:
            raise VerifyException(
                f"pallas.multiple_of has the divisor {self.divisor.value.data}; 1 or more is needed"
            )
