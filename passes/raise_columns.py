"""`--raise-columns`: what is written to one place of the last dimension becomes a masked write to all of it.

Elements of the last dimension lie side by side in a register, so a column of a tile is no window. It is the
lanes of whole rows that have the column's number, and the others keep what they hold. Of rows at computed
positions, one column is read so too: it is the sum of the lanes of which all others are 0.

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
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter

from tilec.analysis.affine import arguments_behind
from tilec.analysis.within import grid_around
from tilec.dialects.tile.access import AccessOp, Dim
from tilec.dialects.tile.arrays import StoreOp
from tilec.dialects.tile.atomics import AtomicRmwOp
from tilec.dialects.tile.elementwise import CompareOp, Relation, SelectOp
from tilec.dialects.tile.gathers import GatherOp
from tilec.dialects.tile.mixing import Combine, ReduceOp
from tilec.dialects.tile.types import element_type, shape_of, with_element
from tilec.dialects.tile.values import BroadcastOp
from tilec.rewriting.accumulators import as_element, constant, wide_element
from tilec.rewriting.index import IndexBuilder
from tilec.rewriting.one_hot import in_each_lane, lane_numbers


class RaiseColumns(ModulePass):
    """Write columns of tiles, and read those of rows at computed positions, as lanes of whole rows."""

    name = "raise-columns"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for access in [inner for inner in op.walk() if isinstance(inner, StoreOp | AtomicRmwOp)]:
            if _is_column(access):
                Rewriter.replace_op(access, _widened(access), [])
        for gather in [inner for inner in op.walk() if isinstance(inner, GatherOp)]:
            if _is_single(gather):
                made = _picked(gather)
                Rewriter.replace_op(gather, made, [made[-1].results[0]])


def _is_single(access: AccessOp) -> bool:
    """Whether an access has one place of the last dimension, and others of others."""
    last, whole = access.window[-1], shape_of(access.array.type)[-1]
    single = not last.full and last.span is None and not last.indexed
    return single and whole > 0 and len(access.window) > 1


def _is_column(access: StoreOp | AtomicRmwOp) -> bool:
    if isinstance(access, AtomicRmwOp) and (access.old is not None or access.expected is not None):
        return False
    if not _is_single(access) or not shape_of(access.value.type):
        return False
    grid = grid_around(access)
    return grid is None or arguments_behind(access.window[-1].values).isdisjoint(grid.body.block.args)


def _lanes_of(build: IndexBuilder, last: Dim, rows: Attribute) -> SSAValue:
    """Which lanes of whole rows have a column's number."""
    kind, whole = with_element(rows, i32), shape_of(rows)[-1]
    numbers = build.insert(BroadcastOp(lane_numbers(build, whole), [len(shape_of(kind)) - 1], kind))
    number = build.add(0 if last.base is None else last.base, last.shift)
    if isinstance(number, int):
        column = build.insert(constant(number, kind))
    else:
        column = build.insert(BroadcastOp(build.insert(arith.IndexCastOp(number, i32)), [], kind))
    return build.insert(CompareOp(Relation.EQ, numbers, column))


def _picked(gather: GatherOp) -> list[Operation]:
    """The operations that read whole rows in place of a column."""
    build = IndexBuilder([], gather.location)
    *others, last = gather.window
    whole = shape_of(gather.array.type)[-1]
    mask, other = gather.mask, gather.other
    if mask is not None and other is not None:
        mask = in_each_lane(build, mask, whole)
        other = in_each_lane(build, other, whole) if shape_of(other.type) else other
    rows = GatherOp(gather.array, [*others, Dim(full=True)], mask, other)
    rows.placement = gather.placement
    value = build.insert(rows)
    element = wide_element(element_type(value.type))
    value = as_element(build, value, element)
    zeros = build.insert(constant(0, value.type))
    chosen = build.insert(SelectOp(_lanes_of(build, last, value.type), value, zeros))
    found = build.insert(ReduceOp(Combine.ADD, chosen, [len(shape_of(value.type)) - 1]))
    as_element(build, found, element_type(gather.array.type))
    return build.ops


def _widened(access: StoreOp | AtomicRmwOp) -> list[Operation]:
    """The operations that write lanes of whole rows in place of a column."""
    made: list[Operation] = []
    build = IndexBuilder(made, access.location)
    *others, last = access.window
    whole = shape_of(access.array.type)[-1]
    value = in_each_lane(build, access.value, whole)
    mask = _lanes_of(build, last, value.type)
    if access.mask is not None:
        mask = build.insert(arith.AndIOp(mask, in_each_lane(build, access.mask, whole)))
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
