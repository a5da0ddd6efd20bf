"""`--order-axes="order=n,m"`: which axes are outermost, of those that may be gone through in any order.

What an axis does not move stays on the chip while the axis goes on, if it is an inner one: in a product with
`%n` inside of `%m` each tile of rows is copied once and the columns again for each of them, and the other way
round. The axes that are named become the outermost ones of their grid, in that order; the others follow as
they are. One of a loop inside the grid joins the grid, if nothing else happens around that loop.

Before, with `order=n`:
    tile.grid %g = 0 to 8 parallel {
      %begin, %end = tile.segment %offsets[%g]
      tile.for %m = %begin to %end by m:128 parallel {
        tile.for %n = 0 to 512 by n:128 parallel {
          …
After:
    tile.grid %n = 0 to 512 by n:128 parallel, %g = 0 to 8 parallel {
      %begin, %end = tile.segment %offsets[%g]
      tile.for %m = %begin to %end by m:128 parallel {
        …

Refused: a name that no axis has, or that is given twice; an axis that `--classify-axes` did not call
parallel, whose ends are computed in the grid, or around whose loop something else is done.
"""

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter
from xdsl.traits import is_side_effect_free

from tilec.analysis.affine import is_inside
from tilec.diagnostics import fail, where
from tilec.dialects.tile.access import AccessOp
from tilec.dialects.tile.arrays import LoadOp, SegmentOp
from tilec.dialects.tile.loops import Axis, ForOp, GridOp, LoopOp, Order, YieldOp
from tilec.rewriting.nests import grid_of


@dataclass(frozen=True)
class OrderAxes(ModulePass):
    """Let the named parallel axes be the outermost of their grids: "order=n,m"."""

    name = "order-axes"

    order: tuple[str, ...] = ()

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        loops = [inner for inner in op.walk() if isinstance(inner, LoopOp)]
        named = {axis.name for loop in loops for axis in loop.axes}
        for name in self.order:
            if name not in named:
                accepted = ", ".join(sorted(named)) or "none"
                fail(op, f"order-axes: no axis is named {name}; the axes are {accepted}")
            if (times := self.order.count(name)) > 1:
                fail(op, f"order-axes: axis {name} is named {times} times; once is accepted")
        for loop in loops:
            if isinstance(loop, GridOp):
                _order(loop, self.order)


def _order(grid: GridOp, order: tuple[str, ...]) -> None:
    loops = [op for op in grid.walk() if isinstance(op, LoopOp)]
    axes = {axis.name: (loop, axis) for loop in loops for axis in loop.axes}
    wanted = [axes[name] for name in order if name in axes]
    if not wanted:
        return
    for loop, axis in wanted:
        _check(grid, loop, axis)
    inside = [loop for loop, _ in wanted if isinstance(loop, ForOp)]
    first = [axis for _, axis in wanted]
    every = [*first, *(axis for axis in grid.axes if axis not in first)]
    bounds, hints = [axis.bounds for axis in every], [axis.value.name_hint for axis in every]
    body = grid.body.block
    outer = list(body.args)
    values = [body.insert_arg(axis.value.type, len(body.args)) for axis in every]
    for axis, value, hint in zip(every, values, hints, strict=True):
        axis.value.replace_all_uses_with(value)
        value.name_hint = hint
    for loop in inside:
        _open(loop)
    for argument in outer:
        body.erase_arg(argument)
    new = grid_of(bounds, grid.detach_region(grid.body), grid.location)
    new.set_orders([Order.PARALLEL] * len(every))
    Rewriter.replace_op(grid, new, [])


def _open(loop: ForOp) -> None:
    """Put what a loop does in its place."""
    end = loop.body.block.last_op
    if isinstance(end, YieldOp):
        Rewriter.erase_op(end)
    for op in list(loop.body.block.ops):
        op.detach()
        Rewriter.insert_op(op, InsertPoint.before(loop))
    Rewriter.erase_op(loop)


def _check(grid: GridOp, loop: LoopOp, axis: Axis) -> None:
    """Refuse an axis that cannot be outermost."""
    if axis.order is None:
        fail(loop, f"order-axes: axis {axis.name} is neither parallel nor ordered; run --classify-axes first")
    if axis.order is Order.ORDERED:
        fail(loop, f"order-axes: axis {axis.name} is ordered; only parallel ones can be moved")
    if loop is grid:
        return
    bounds = axis.bounds
    ends = [each for each in (bounds.begin, bounds.end) if not isinstance(each, int)]
    if any(is_inside(each, grid) for each in ends):
        fail(
            loop,
            f"order-axes: where axis {axis.name} begins or ends is computed in the grid; "
            "only axes whose ends are known before it can be outermost",
        )
    inner: Operation = loop
    while inner is not grid:
        around = inner.parent_op()
        other = _besides(inner, grid)
        if other is None and isinstance(around, ForOp) and around.axis.order is not Order.PARALLEL:
            other = around
        if other is not None or not isinstance(around, LoopOp):
            other = other or around or grid
            fail(
                loop,
                f"order-axes: axis {axis.name} cannot be outermost, since {other.name} at {where(other)} "
                "is not done anew for each of its tiles; only parallel loops, loads and what has no effect "
                "may stand around it",
            )
        inner = around


def _besides(inner: Operation, grid: GridOp) -> Operation | None:
    """What the block of `inner` does besides that cannot be done once more for each tile of it."""
    written = {op.array for op in grid.walk() if isinstance(op, AccessOp) and op.writes}
    for op in () if inner.parent is None else inner.parent.ops:
        if op is inner or isinstance(op, YieldOp | SegmentOp) or is_side_effect_free(op):
            continue
        if not isinstance(op, LoadOp) or op.array in written:
            return op
    return None
