"""`--fold-lanes`: tiles of arrays of rank 1 become rows of lanes, which fill registers.

A register holds 8 rows of 128 lanes, of which a tile of rank 1 fills one. Where an array of rank 1, such as
a flat view of another one, is only computed with lane by lane, kernels see it as rows, and its axis goes
through these. Rows are as long as those of most of the arrays that are viewed, so that the host need not move
them in memory, or have 128 lanes, as elements of an array of rank 1 lie.

Before:
    %flat = tile.view %x : memref<512x1024xf32> to memref<524288xf32>
    tile.grid %m = 0 to 524288 by m:65536 {
      %v = tile.load %flat[%m]
      %i = tile.indices %m
After:
    %flat = tile.view %x : memref<512x1024xf32> to memref<524288xf32>
    %flat_1 = tile.view %flat : memref<524288xf32> to memref<512x1024xf32>
    tile.grid %m = 0 to 512 by m:64 {
      %v = tile.load %flat_1[%m, :]
      %i = arith.addi …                          // 1024 * row + lane

A tile must have a multiple of 8 such rows, and arrays whole rows. Left alone, and explained: an axis that
does not go from 0 to a number in the program, or indexes an array with a shift; lanes that meet in anything
but a reduction of all of them, or that are positions; arrays that are accessed otherwise too.
"""

from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import MemRefType, ModuleOp, i32
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from tilec.analysis.flat import Flat, flat, row_width
from tilec.diagnostics import explain
from tilec.dialects.tile.access import AccessOp, Dim
from tilec.dialects.tile.axes import Axis
from tilec.dialects.tile.bound import BoundOp
from tilec.dialects.tile.loops import LoopOp
from tilec.dialects.tile.mixing import ReduceOp
from tilec.dialects.tile.syntax import Bounds, dense_i64, pack_bounds
from tilec.dialects.tile.types import (
    UNBOUND,
    SpanType,
    element_type,
    shape_of,
    span_names,
    span_of,
    value_type,
)
from tilec.dialects.tile.values import BroadcastOp, IndicesOp, SplatOp
from tilec.dialects.tile.views import ViewOp
from tilec.rewriting.index import IndexBuilder
from tilec.rewriting.one_hot import lane_numbers


class FoldLanes(ModulePass):
    """See arrays of rank 1 as rows of lanes where tiles of them are computed with lane by lane."""

    name = "fold-lanes"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for loop in [inner for inner in op.walk() if isinstance(inner, LoopOp)]:
            for place, axis in enumerate(loop.axes):
                if not _is_of_rank_1(axis):
                    continue
                reason = _fold(loop, place, axis)
                if reason is not None:
                    explain(loop, f"fold-lanes: tiles of axis {axis.name} stay of rank 1: {reason}")


def _is_of_rank_1(axis: Axis) -> bool:
    """Whether tiles of an axis are of arrays of rank 1, and no others."""
    accesses = [use.operation for use in axis.value.uses if isinstance(use.operation, AccessOp)]
    return span_of(axis.value) is not None and bool(accesses) and all(len(op.window) == 1 for op in accesses)


def _fold(loop: LoopOp, place: int, axis: Axis) -> str | None:
    """Make rows of an axis' tiles; returns why not."""
    known, span = flat(loop, axis), span_of(axis.value)
    if isinstance(known, str):
        return known
    if span is None or span.size == UNBOUND:
        return "its blocks have no size yet; --choose-blocks gives them one"
    width = row_width(known.widths, span.size)
    if width is None:
        return f"a block of {span.size} has no 8 rows of {' or '.join(map(str, known.widths))}"
    _set_types(loop, SpanType(span.axis, span.size // width), width)
    _set_bounds(loop, place, known.extent // width)
    for op in known.uses:
        match op:
            case BoundOp():
                _scale(op, width)
            case IndicesOp():
                _number(op, width)
            case _:
                pass
    _see_as_rows(known, width)
    return None


def _set_types(loop: LoopOp, rows: SpanType, width: int) -> None:
    """Give the span its rows, and all values with its lanes their rows of lanes."""

    def folded(kind: Attribute) -> Attribute:
        if isinstance(kind, SpanType) and kind.axis == rows.axis:
            return rows
        if span_names(kind) != (rows.axis,):
            return kind
        return value_type(element_type(kind), [rows.size, width], [rows.axis, None])

    for op in [op for op in loop.walk() if isinstance(op, ReduceOp)]:
        if rows.axis in span_names(op.value.type):
            op.properties["dims"] = dense_i64([0, 1])
    for op in loop.walk():
        blocks = [block for region in op.regions for block in region.blocks]
        for value in (*op.results, *(arg for block in blocks for arg in block.args)):
            if isinstance(op, IndicesOp) and span_of(op.span) == rows:
                Rewriter.replace_value_with_new_type(value, value_type(i32, [rows.size], [rows.axis]))
            elif folded(value.type) != value.type:
                Rewriter.replace_value_with_new_type(value, folded(value.type)).name_hint = value.name_hint


def _set_bounds(loop: LoopOp, place: int, rows: int) -> None:
    bounds = [axis.bounds for axis in loop.axes]
    bounds[place] = Bounds(0, rows)
    _, properties = pack_bounds(bounds)
    loop.properties |= {name: each for name, each in properties.items() if each is not None}


def _scale(bound: BoundOp, width: int) -> None:
    """A tile begins and ends at rows; what asked for lanes gets those."""
    ops: list[Operation] = []
    build, uses = IndexBuilder(ops, bound.location), list(bound.result.uses)
    lanes = build.value(build.mul(bound.result, width))
    lanes.name_hint = bound.result.name_hint
    Rewriter.insert_op(ops, InsertPoint.after(bound))
    for use in uses:
        use.operation.operands[use.index] = lanes


def _number(indices: IndicesOp, width: int) -> None:
    """Number the lanes of rows as they are in the array: `width * row + lane`."""
    ops: list[Operation] = []
    build, uses = IndexBuilder(ops, indices.location), list(indices.result.uses)
    insert = build.insert
    (rows,), (name,) = shape_of(indices.result.type), span_names(indices.result.type)
    kind, lane = value_type(i32, [rows, width], [name, None]), lane_numbers(build, width)
    row = insert(BroadcastOp(indices.result, [0], kind))
    begin = insert(arith.MuliOp(row, insert(SplatOp(width, kind))))
    number = insert(arith.AddiOp(begin, insert(BroadcastOp(lane, [1], kind))))
    number.name_hint = indices.result.name_hint
    Rewriter.insert_op(ops, InsertPoint.after(indices))
    for use in uses:
        use.operation.operands[use.index] = number


def _see_as_rows(known: Flat, width: int) -> None:
    """Let accesses take arrays as rows."""
    seen: dict[SSAValue, SSAValue] = {}
    for op in known.accesses:
        array = op.array
        if array not in seen:
            (lanes,) = shape_of(array.type)
            view = ViewOp(array, MemRefType(element_type(array.type), [lanes // width, width]))
            view.location, view.result.name_hint = op.location, array.name_hint
            owner = array.owner
            where = InsertPoint.after(owner) if isinstance(owner, Operation) else InsertPoint.at_start(owner)
            Rewriter.insert_op(view, where)
            seen[array] = view.result
        op.operands[list(op.operands).index(array)] = seen[array]
        op.set_window([*op.window, Dim(full=True)])
