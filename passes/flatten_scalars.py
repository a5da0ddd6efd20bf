"""`--flatten-scalars`: large arrays that kernels read as scalars become one row of elements.

Scalar memory holds an array in rows of 128 elements, as on-chip memory does, however many of these the last
dimension has: block numbers of `1024 x 2 x 16` take 1 MiB there, which is all of it, and 128 KiB as one row.

Before:
    %b = tile.load %blocks[%t, %h, %s]
After:
    %blocks_1 = tile.view %blocks : memref<1024x2x16xi32> to memref<32768xi32>
    …
    %at = …                                            // (%t * 2 + %h) * 16 + %s
    %b = tile.load %blocks_1[%at]

Arrays of less than 128 KiB in scalar memory stay as they are, and so do those that are written, of extents
that are known only at run time, of which tiles are read too, or whose rows are full.
"""

from math import prod

from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import MemRefType, ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from tilec.analysis.views import Whole
from tilec.analysis.vmem import smem_bytes
from tilec.diagnostics import explain
from tilec.dialects.tile.access import Dim
from tilec.dialects.tile.arrays import LoadOp
from tilec.dialects.tile.types import UNBOUND, element_type, shape_of
from tilec.dialects.tile.views import ViewOp
from tilec.rewriting.index import Index, IndexBuilder
from tilec.rewriting.moved_dims import accesses_of, arrays_of, others_of

LARGE = 2**17
"""Bytes of scalar memory, an eighth of what there is, from which on an array is flattened."""


class FlattenScalars(ModulePass):
    """Make large arrays that are read as scalars one row."""

    name = "flatten-scalars"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in [inner for inner in op.walk() if isinstance(inner, func.FuncOp)]:
            for array in arrays_of(function):
                if _is_large(array):
                    _flatten(array, function)


def _is_large(array: SSAValue) -> bool:
    """Whether an array is read as scalars only, is large so, and takes less memory as one row."""
    shape, accesses = shape_of(array.type), accesses_of(array)
    if UNBOUND in shape or not accesses or smem_bytes(shape) < LARGE:
        return False
    if smem_bytes([prod(shape)]) >= smem_bytes(shape):
        return False
    single = all(isinstance(op, LoadOp) and not any(dim.kept for dim in op.window) for op in accesses)
    return single and all(isinstance(op, ViewOp | Whole) for op in others_of(array))


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
