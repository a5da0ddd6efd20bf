"""`--turn-columns`: kernels see arrays of which they take columns with these as rows.

Elements of the last dimension lie side by side in a register, and rows of fewer than 128 fill one that long
all the same. Where kernels index the last dimension by single numbers only, a column is all of these
registers, one lane of each. So they see the array with that dimension outermost, and a column is a row, whose
elements are side by side. The host transposes the array, before the kernels if it is an argument, after them
if it is made here; XLA needs no time for that where it chooses the layout of the array itself.

Before:
    %out = tile.empty : memref<65536x4xf32>
    tile.grid %r = 0 to 65536 by r:2048 {
      %width = tile.load %boxes[%r, 2]
      tile.store %width, %out[%r, 0]
    }
    return %out
After:
    %boxes_1 = tile.view %boxes permute [1, 0] : memref<65536x4xf32> to memref<4x65536xf32>
    %out = tile.empty : memref<4x65536xf32>
    tile.grid %r = 0 to 65536 by r:2048 {
      %width = tile.load %boxes_1[2, %r]
      tile.store %width, %out[0, %r]
    }
    %out_1 = tile.view %out permute [1, 0] : memref<4x65536xf32> to memref<65536x4xf32>
    return %out_1

Arguments that kernels write, extents that are known only at run time, rows of segments and at computed
positions, and dimensions of 128 or more stay as they are. `--explain` names what the host transposes.
"""

from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass

from tilec.analysis.affine import axis_bounds
from tilec.analysis.views import Whole
from tilec.dialects.tile.access import AccessOp, Dim
from tilec.dialects.tile.arrays import EmptyOp, FullOp, LoadOp, StoreOp
from tilec.dialects.tile.types import shape_of
from tilec.dialects.tile.views import ViewOp
from tilec.rewriting.moved_dims import accesses_of, arrays_of, has_few_columns, others_of, permute


class TurnColumns(ModulePass):
    """Move dimensions of which kernels take columns out of registers."""

    name = "turn-columns"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in [inner for inner in op.walk() if isinstance(inner, func.FuncOp)]:
            for array in arrays_of(function):
                if _has_columns(array):
                    last = len(shape_of(array.type)) - 1
                    permute(array, (last, *range(last)), function, self.name)


def _has_columns(array: SSAValue) -> bool:
    """Whether kernels take columns of an array, and nothing else."""
    shape, accesses = shape_of(array.type), accesses_of(array)
    if len(shape) < 2 or not has_few_columns(shape) or not accesses:
        return False
    made_here = isinstance(array.owner, EmptyOp | FullOp)
    if not made_here and any(op.writes for op in accesses):
        return False
    return all(map(_is_column, accesses)) and all(
        isinstance(op, Whole) or (isinstance(op, ViewOp) and not made_here) for op in others_of(array)
    )


def _is_column(op: AccessOp) -> bool:
    """Whether an access is of one column of rows that are known where the kernel begins."""
    *rows, last = op.window
    tiled = [dim for dim in rows if dim.kept]
    return isinstance(op, LoadOp | StoreOp) and not last.kept and bool(tiled) and all(map(_is_static, tiled))


def _is_static(dim: Dim) -> bool:
    if dim.span is None or dim.base is None:
        return dim.full
    bounds = axis_bounds(dim.base)
    return bounds is not None and isinstance(bounds.begin, int) and isinstance(bounds.end, int)
