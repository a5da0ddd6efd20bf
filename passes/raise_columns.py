"""`--raise-columns`: what is written to one place of the last dimension becomes a masked write to all of it.

Elements of the last dimension lie side by side in a register, so a column of a tile is no window. It is the
lanes of whole rows that have the column's number, and the others keep what they hold.

Before:
    tile.store %sums, %out[%m, 3]
After:
    %lanes = …                                        // 0, 1, 2, …
    %here = tile.compare eq %lanes, %three
    %wide = tile.broadcast %sums dims [0] : tensor<?x8xf32, #tile.spans<m, _>>
    tile.store %wide, %out[%m, :] mask %here

Left alone: single elements, which are scalars; columns whose number follows from the grid, as its iterations
would meet in a row; atomics that return what was there.
"""

from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import ModuleOp, i32
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter

from tilec.analysis.affine import arguments_behind
from tilec.analysis.within import grid_around
from tilec.dialects.tile.access import Dim
from tilec.dialects.tile.arrays import StoreOp
from tilec.dialects.tile.atomics import AtomicRmwOp
from tilec.dialects.tile.elementwise import CompareOp, Relation
from tilec.dialects.tile.types import element_type, shape_of, span_names, value_type, with_element
from tilec.dialects.tile.values import BroadcastOp
from tilec.rewriting.accumulators import constant
from tilec.rewriting.index import IndexBuilder
from tilec.rewriting.one_hot import lane_numbers


class RaiseColumns(ModulePass):
    """Write columns of tiles as lanes of whole rows."""

    name = "raise-columns"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for access in [inner for inner in op.walk() if isinstance(inner, StoreOp | AtomicRmwOp)]:
            if _is_column(access):
                Rewriter.replace_op(access, _widened(access), [])


def _is_column(access: StoreOp | AtomicRmwOp) -> bool:
    last, whole = access.window[-1], shape_of(access.array.type)[-1]
    if isinstance(access, AtomicRmwOp) and (access.old is not None or access.expected is not None):
        return False
    single = not last.full and last.span is None and not last.indexed
    if not single or whole <= 0 or not shape_of(access.value.type) or len(access.window) < 2:
        return False
    grid = grid_around(access)
    return grid is None or arguments_behind(last.values).isdisjoint(grid.body.block.args)


def _widened(access: StoreOp | AtomicRmwOp) -> list[Operation]:
    """The operations that write lanes of whole rows in place of a column."""
    made: list[Operation] = []
    build = IndexBuilder(made, access.location)
    *others, last = access.window
    whole = shape_of(access.array.type)[-1]

    def wide(value: SSAValue) -> SSAValue:
        names, shape = span_names(value.type), shape_of(value.type)
        kind = value_type(element_type(value.type), (*shape, whole), (*names, None))
        return build.insert(BroadcastOp(value, range(len(shape)), kind))

    value = wide(access.value)
    kind = with_element(value.type, i32)
    dim = len(shape_of(kind)) - 1
    numbers = build.insert(BroadcastOp(lane_numbers(build, whole), [dim], kind))
    number = build.add(0 if last.base is None else last.base, last.shift)
    if isinstance(number, int):
        column = build.insert(constant(number, kind))
    else:
        column = build.insert(BroadcastOp(build.insert(arith.IndexCastOp(number, i32)), [], kind))
    mask = build.insert(CompareOp(Relation.EQ, numbers, column))
    if access.mask is not None:
        mask = build.insert(arith.AndIOp(mask, wide(access.mask)))
    window = [*others, Dim(full=True)]
    if isinstance(access, StoreOp):
        done: StoreOp | AtomicRmwOp = StoreOp(value, access.array, window, mask)
    else:
        done = AtomicRmwOp(
            access.kind.data,
            value,
            access.array,
            window,
            mask=mask,
            drop=access.drop is not None,
            unique=access.unique is not None,
        )
    done.placement = access.placement
    build.insert_all(done, access.location)
    return made
