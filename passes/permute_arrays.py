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

from collections.abc import Sequence

from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import MemRefType, ModuleOp
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from tilec.analysis.views import Whole, inverse
from tilec.diagnostics import explain
from tilec.dialects.tile.access import AccessOp, Dim
from tilec.dialects.tile.arrays import EmptyOp, FullOp
from tilec.dialects.tile.types import UNBOUND, element_type, shape_of
from tilec.dialects.tile.views import ConvertOp, ViewOp
from tilec.rewriting.arrays import made_as

LEAST_ROWS = 4
"""Rows of a dimension from which on moving it pays. A kernel that goes through them one after the other
copies the array as many times; a transposition reads and writes it once, and the kernel copies it once."""


class PermuteArrays(ModulePass):
    """Move dimensions that are indexed one by one out of the tiles of memory."""

    name = "permute-arrays"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in [inner for inner in op.walk() if isinstance(inner, func.FuncOp)]:
            kinds = EmptyOp | FullOp | ConvertOp
            made = [inner for inner in function.body.block.ops if isinstance(inner, kinds)]
            arguments = [each for each in function.args if isinstance(each.type, MemRefType)]
            for array in [*arguments, *(each.results[0] for each in made)]:
                perm = _order(array)
                if perm is not None:
                    _permute(array, perm, function)


def _order(array: SSAValue) -> tuple[int, ...] | None:
    """For each dimension in which kernels should see an array that which it is now; None to let it be."""
    shape, accesses = shape_of(array.type), _accesses(array)
    moved = len(shape) - 2
    if moved < 1 or UNBOUND in shape or shape[moved] < LEAST_ROWS or not accesses:
        return None
    if not all(_is_chosen(op.window[moved]) for op in accesses):
        return None
    tiled = [dim for op in accesses for dim in range(moved) if op.window[dim].span is not None]
    made_here = isinstance(array.owner, EmptyOp | FullOp)
    if not tiled or (not made_here and any(op.writes for op in accesses)):
        return None
    others = [use.operation for use in array.uses if use.operation not in accesses]
    if not all(isinstance(op, ViewOp | Whole) for op in others):
        return None
    order = [dim for dim in range(len(shape)) if dim != moved]
    order.insert(min(tiled), moved)
    return tuple(order)


def _accesses(array: SSAValue) -> list[AccessOp]:
    return [use.operation for use in array.uses if isinstance(use.operation, AccessOp)]


def _is_chosen(dim: Dim) -> bool:
    """Whether a value says which row is accessed: one, and not always the same."""
    return not dim.kept and (dim.base is not None or isinstance(dim.shift, SSAValue))


def _permute(array: SSAValue, perm: tuple[int, ...], function: func.FuncOp) -> None:
    """Let kernels access an array with its dimensions in the order `perm`."""
    made, accesses = array.owner, _accesses(array)
    if isinstance(made, EmptyOp | FullOp):
        new = made_as(made, _permuted(array.type, perm))
        Rewriter.insert_op(new, InsertPoint.before(made))
        _move(accesses, new.results[0], perm)
        for use in list(array.uses):
            before = InsertPoint.before(use.operation)
            use.operation.operands[use.index] = _view(new.results[0], inverse(perm), use.operation, before)
        Rewriter.erase_op(made)
    else:
        start = InsertPoint.at_start(function.body.block)
        point = InsertPoint.after(made) if isinstance(made, ConvertOp) else start
        seen = _view(array, perm, accesses[0], point)
        _move(accesses, seen, perm)


def _permuted(kind: Attribute, perm: Sequence[int]) -> MemRefType[Attribute]:
    return MemRefType(element_type(kind), [shape_of(kind)[dim] for dim in perm])


def _view(array: SSAValue, perm: Sequence[int], user: Operation, point: InsertPoint) -> SSAValue:
    """The array with its dimensions in the order `perm`, for `user`."""
    view = ViewOp(array, _permuted(array.type, perm), perm)
    explain(user, f"permute-arrays: the host transposes a {array.type} to {view.result.type}")
    view.location, view.result.name_hint = user.location, array.name_hint
    Rewriter.insert_op(view, point)
    return view.result


def _move(accesses: Sequence[AccessOp], array: SSAValue, perm: Sequence[int]) -> None:
    for op in accesses:
        window = op.window
        op.operands[list(op.operands).index(op.array)] = array
        op.set_window([window[dim] for dim in perm])
