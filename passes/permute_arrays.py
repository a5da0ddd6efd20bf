"""`--permute-arrays`: kernels see arrays with the dimensions that they index one by one outside of tiles.

Memory is copied in tiles of the last two dimensions. Of an array `[rows, heads, lanes]`, a window of some
rows of one head copies these rows of all heads, and then picks one row of each tile of memory. Where kernels
index the last dimension but one by a value, inside of a tiled one, and never otherwise, they see the array
with that dimension moved outwards. The host transposes it, before the kernels if it is an argument, after
them if it is made here; XLA needs no time for that where it chooses the layout of the array itself.

Before:
    %out = tile.empty : memref<512x8x128xf32>
    tile.grid %h = 0 to 8, %m = 0 to 512 by m:128 {
      %v = tile.load %x[%m, %h, :]
      tile.store %v, %out[%m, %h, :]
    }
    return %out
After:
    %x_1 = tile.view %x permute [1, 0, 2] : memref<512x8x128xf32> to memref<8x512x128xf32>
    %out = tile.empty : memref<8x512x128xf32>
    tile.grid %h = 0 to 8, %m = 0 to 512 by m:128 {
      %v = tile.load %x_1[%h, %m, :]
      tile.store %v, %out[%h, %m, :]
    }
    %out_1 = tile.view %out permute [1, 0, 2] : memref<8x512x128xf32> to memref<512x8x128xf32>
    return %out_1

Arguments that kernels write, extents that are known only at run time, and less than four rows in the
dimension stay as they are. `--explain` names what the host transposes.
"""

from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass

from tilec.analysis.views import Whole
from tilec.dialects.tile.access import Dim
from tilec.dialects.tile.arrays import EmptyOp, FullOp
from tilec.dialects.tile.types import UNBOUND, shape_of
from tilec.dialects.tile.views import ViewOp
from tilec.rewriting.moved_dims import accesses_of, arrays_of, others_of, permute

LEAST_ROWS = 4
"""Rows of a dimension from which on moving it pays. A kernel that goes through them one after the other
copies the array as many times; a transposition reads and writes it once, and the kernel copies it once."""


class PermuteArrays(ModulePass):
    """Move dimensions that are indexed one by one out of the tiles of memory."""

    name = "permute-arrays"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in [inner for inner in op.walk() if isinstance(inner, func.FuncOp)]:
            for array in arrays_of(function):
                perm = _order(array)
                if perm is not None:
                    permute(array, perm, function, self.name)


def _order(array: SSAValue) -> tuple[int, ...] | None:
    """For each dimension in which kernels should see an array that which it is now; None to let it be."""
    shape, accesses = shape_of(array.type), accesses_of(array)
    moved = len(shape) - 2
    if moved < 1 or UNBOUND in shape or shape[moved] < LEAST_ROWS or not accesses:
        return None
    if not all(_is_chosen(op.window[moved]) for op in accesses):
        return None
    tiled = [dim for op in accesses for dim in range(moved) if op.window[dim].span is not None]
    made_here = isinstance(array.owner, EmptyOp | FullOp)
    if not tiled or (not made_here and any(op.writes for op in accesses)):
        return None
    if not all(isinstance(op, ViewOp | Whole) for op in others_of(array)):
        return None
    order = [dim for dim in range(len(shape)) if dim != moved]
    order.insert(min(tiled), moved)
    return tuple(order)


def _is_chosen(dim: Dim) -> bool:
    """Whether a value says which row is accessed: one, and not always the same."""
    return not dim.kept and (dim.base is not None or isinstance(dim.shift, SSAValue))
