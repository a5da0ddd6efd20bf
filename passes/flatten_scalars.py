"""`--flatten-scalars`: large arrays, and tables, that kernels read as scalars become one row of elements.

Scalar memory holds an array in rows of 128 elements, as on-chip memory does, however many of these the last
dimension has: block numbers of `1024 x 2 x 16` take 1 MiB there, which is all of it, and 128 KiB as one row.

Before:
    %b = tile.load %blocks[%t, %h, %s]
After:
    %blocks_1 = tile.view %blocks : memref<1024x2x16xi32> to memref<32768xi32>
    …
    %at = …                                            // (%t * 2 + %h) * 16 + %s
    %b = tile.load %blocks_1[%at]

So does a table of full rows that is read in many places: where an element is in several rows takes more
scalar code than its number. Other arrays of less than 128 KiB in scalar memory stay as they are, and so do
those that are written, of extents that are known only at run time, of which tiles are read too, or which
take as much as one row.
"""

from math import prod

from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import MemRefType, ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from tilec.analysis.views import Whole
from tilec.analysis.vmem import LANES, smem_bytes
from tilec.diagnostics import explain
from tilec.dialects.tile.access import Dim
from tilec.dialects.tile.arrays import LoadOp
from tilec.dialects.tile.types import UNBOUND, element_type, shape_of
from tilec.dialects.tile.views import ViewOp
from tilec.rewriting.index import Index, IndexBuilder
from tilec.rewriting.moved_dims import accesses_of, arrays_of, others_of

LARGE = 2**17
"""Bytes of scalar memory, an eighth of what there is, from which on an array is flattened."""
OFTEN = 8
"""Reads in a program from which on a table is. Attention over pages, which has 64, is estimated at 574 us on
v5e, and at 624 without."""


class FlattenScalars(ModulePass):
    """Make large arrays that are read as scalars one row."""

    name = "flatten-scalars"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in [inner for inner in op.walk() if isinstance(inner, func.FuncOp)]:
            for array in arrays_of(function):
                if _is_single(array) and (_is_large(array) or _is_read_often(array)):
                    _flatten(array, function)


def _is_single(array: SSAValue) -> bool:
    """Whether an array of known extents is read, and as scalars only."""
    accesses = accesses_of(array)
    if UNBOUND in shape_of(array.type) or not accesses:
        return False
    single = all(isinstance(op, LoadOp) and not any(dim.kept for dim in op.window) for op in accesses)
    return single and all(isinstance(op, ViewOp | Whole) for op in others_of(array))


def _is_large(array: SSAValue) -> bool:
    """Whether an array is large in scalar memory, and takes less as one row."""
    shape = shape_of(array.type)
    return smem_bytes(shape) >= LARGE and smem_bytes([prod(shape)]) < smem_bytes(shape)


def _is_read_often(array: SSAValue) -> bool:
    """Whether an array has full rows, which are one row as they are, and many reads."""
    shape = shape_of(array.type)
    return len(shape) > 1 and shape[-1] % LANES == 0 and len(accesses_of(array)) >= OFTEN


def _flatten(array: SSAValue, function: func.FuncOp) -> None:
    """Let kernels read the elements of an array at their numbers."""
    shape, accesses = shape_of(array.type), accesses_of(array)
    made, kind = array.owner, MemRefType(element_type(array.type), [prod(shape)])
    view = ViewOp(array, kind)
    view.location, view.result.name_hint = function.location, array.name_hint
    at = InsertPoint.after(made) if isinstance(made, Operation) else InsertPoint.at_start(function.body.block)
    Rewriter.insert_op(view, at)
    explain(accesses[0], f"flatten-scalars: the host reshapes a {array.type} to {view.result.type}")
    for op in accesses:
        before: list[Operation] = []
        build = IndexBuilder(before, op.location)
        number: Index = 0
        for dim, extent in zip(op.window, shape, strict=True):
            number = build.add(build.mul(number, extent), build.add(dim.base or 0, dim.shift))
        place = Dim(shift=number) if isinstance(number, int) else Dim(number)
        Rewriter.insert_op(before, InsertPoint.before(op))
        op.operands[list(op.operands).index(op.array)] = view.result
        op.set_window([place])
