"""`--rebase-axes`: an axis whose indices are all used from one place on begins there.

A program that goes from 0 to the length of a segment adds the segment's begin in each access. What it
accesses is the segment: so the axis runs from begin to end, and what asks for its indices subtracts. Tiles of
such an axis are those of the array, which can be copied, where a tile from 0 on could begin anywhere, and
`tile.segment` says of its range that it is inside the array and apart from others.

Before:
    %b, %e = tile.segment %offsets[%g]
    %n = arith.subi %e, %b : index
    tile.for %m = 0 to %n by m {
      %v = tile.load %x[%m + %b, :]
      %i = tile.indices %m
After:
    %b, %e = tile.segment %offsets[%g]
    tile.for %m = %b to %e by m {
      %v = tile.load %x[%m, :]
      %rows = tile.indices %m
      %i = arith.subi %rows, …                   // %b in all lanes

It is done to a `tile.for` whose length is known only at run time, if each of its accesses adds the same to
the axis' index, in windows and in computed positions of linear form. Or each that writes adds the begin of a
segment, or what lets the ranges of a grid's iterations come one after the other, as the begins of two arrays
of segments do together: others, as of a table of positions, get windows that begin before the axis then.
Literals that are added besides stay, but for one that all of those that write add.
`--explain` says where accesses add different things.
"""

from dataclasses import replace
from functools import reduce

from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import ModuleOp, i32
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from tilec.analysis.affine import Linear, ends_in, is_inside, linear, static_extent
from tilec.analysis.bases import bases_of
from tilec.analysis.ordering import Iterations
from tilec.analysis.within import grid_around
from tilec.diagnostics import explain
from tilec.dialects.tile.access import AccessOp, Dim, Effect
from tilec.dialects.tile.arrays import SegmentOp
from tilec.dialects.tile.bound import BoundOp, Side
from tilec.dialects.tile.loops import ForOp
from tilec.dialects.tile.types import shape_of, span_of
from tilec.dialects.tile.values import BroadcastOp, IndicesOp
from tilec.rewriting.index import IndexBuilder
from tilec.rewriting.linear import built


class RebaseAxes(ModulePass):
    """Let axes begin where all that is accessed through them does."""

    name = "rebase-axes"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for loop in [inner for inner in op.walk() if isinstance(inner, ForOp)]:
            known = static_extent(loop.axis.bounds) is not None
            lanes = any(shape_of(bound.type) for bound in loop.bound_operands)  # each of its own length
            if span_of(loop.axis.value) is not None and not known and not lanes:
                _rebase(loop)


def _rebase(loop: ForOp) -> None:
    axis, found = loop.axis, list(bases_of(loop.axis.value, loop))
    if not any(base.factors for _, base in found):
        return
    stored = [base for op, base in found if op.effect is Effect.WRITE]
    bases = [Linear(0, base.factors) for base in stored or [each for _, each in found]]
    base = bases[0]
    in_order = bool(stored) and not _begins_a_segment(base) and _comes_in_order(loop, base)
    leads = in_order or (bool(stored) and _begins_a_segment(base))
    alike = bases if leads else [Linear(0, each.factors) for _, each in found]
    if any(each != base for each in alike):
        explain(loop, f"rebase-axes: what is accessed through {axis.name} does not all begin at one place")
        return
    if any(isinstance(leaf, tuple) or is_inside(leaf, loop) for leaf in base.factors):
        explain(loop, f"rebase-axes: where what is accessed through {axis.name} begins changes in the loop")
        return
    if in_order and len({each.constant for each in stored}) == 1:
        base = stored[0]  # the tiles that are written are those of the array
    _move(loop, base)


def _begins_a_segment(base: Linear) -> bool:
    return any(
        isinstance(leaf, SSAValue) and isinstance(leaf.owner, SegmentOp) and base == linear(leaf.owner.begin)
        for leaf in base.factors
    )


def _comes_in_order(loop: ForOp, base: Linear) -> bool:
    """Whether the loop's ranges, moved by `base`, come one after the other in an axis of a grid around."""
    begin, end = (linear(bound) + base for bound in (loop.axis.bounds.begin, loop.axis.bounds.end))
    grid = grid_around(loop)
    axes = [] if grid is None else [axis.value for axis in grid.axes]
    return any(
        Iterations(axis, lambda leaf: isinstance(leaf, tuple) or leaf is not axis).in_order(end, begin)
        for axis in axes
    )


def _move(loop: ForOp, base: Linear) -> None:
    """Let the axis begin at `base`, and what uses its indices subtract that."""
    span, bounds, before = loop.axis.value, loop.axis.bounds, list[Operation]()
    build = IndexBuilder(before, loop.location)
    begin = built(linear(bounds.begin) + base, build)
    end = build.value(reduce(build.minimum, [built(linear(part) + base, build) for part in ends_in(bounds)]))
    uses = [use.operation for use in span.uses]
    asked = [op for op in uses if isinstance(op, IndicesOp | BoundOp) and not _asks_for_size(op)]
    for op in uses:
        if isinstance(op, AccessOp):
            _subtract_from_window(op, span, base)
    if asked:
        shared = built(base, build)
        for op in asked:
            _subtract(op, shared)
    Rewriter.insert_op(before, InsertPoint.before(loop))
    Rewriter.replace_op(loop, loop.rebuilt(replace(bounds, begin=begin, end=end), loop.inits))


def _asks_for_size(op: Operation) -> bool:
    return isinstance(op, BoundOp) and op.side.data is Side.SIZE


def _subtract(op: Operation, shared: SSAValue) -> None:
    """Let what asks for the axis' indices, or a bound of a tile, result in it less what all of them share."""
    value, made = op.results[0], list[Operation]()
    build = IndexBuilder(made, op.location)
    if isinstance(op, IndicesOp):
        shared = build.insert(BroadcastOp(build.insert(arith.IndexCastOp(shared, i32)), [], value.type))
    less = build.insert(arith.SubiOp(value, shared))
    Rewriter.insert_op(made, InsertPoint.after(op))
    value.replace_uses_with_if(less, lambda use: use.operation is not less.owner)


def _subtract_from_window(op: AccessOp, span: SSAValue, base: Linear) -> None:
    """Subtract from what a window adds to the axis' index where the axis begins now."""
    made, window = list[Operation](), list(op.window)
    build = IndexBuilder(made, op.location)
    for position, dim in enumerate(window):
        if dim.base is span:
            rest = linear(dim.shift) - base
            shift = built(rest, build) if rest.literal is None else rest.literal
            window[position] = Dim(dim.base, shift, dim.full)
    Rewriter.insert_op(made, InsertPoint.before(op))
    op.set_window(window)
