"""`--classify-axes`: says of every axis whether its iterations may run in any order.

An axis is `parallel` if no two of its iterations touch one element of an array with a write among the two,
and nothing is carried from one to the next. This is decided from the window that each access states: a
dimension indexed by the axis, by a segment whose number is the axis, or by a linear form that steps over what
inner axes add, keeps iterations apart. A `tile.for` with a conflict, or that carries a value, is `ordered`.

Before:
    tile.grid %g = 0 to 8 {
      %b, %e = tile.segment %offsets[%g]
      tile.for %m = %b to %e by m { … tile.store %v, %out[%m, :]
After:
    tile.grid %g = 0 to 8 parallel {
      %b, %e = tile.segment %offsets[%g]
      tile.for %m = %b to %e by m parallel { …

Refused: a conflict over an axis of a `tile.grid`, or over an axis that the program calls `parallel`, with
both lines. A view beside the array that is written, which `--resolve-views` removes.
"""

from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass

from tilec.analysis.affine import is_inside
from tilec.analysis.jagged_spans import refuse_jagged_spans
from tilec.analysis.races import both, conflicts, refuse_race
from tilec.analysis.views import check_resolved
from tilec.diagnostics import explain, fail, where
from tilec.dialects.tile.arrays import StoreOp
from tilec.dialects.tile.atomics import AtomicRmwOp
from tilec.dialects.tile.locals import is_local
from tilec.dialects.tile.loops import Axis, ForOp, GridOp, LoopOp, Order
from tilec.dialects.tile.places import SetOp


class ClassifyAxes(ModulePass):
    """Say of every axis whether it is parallel or ordered; refuse races."""

    name = "classify-axes"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        refuse_jagged_spans(op, self.name)
        for loop in op.walk():
            if isinstance(loop, func.FuncOp):
                check_resolved(loop, self.name)
            if isinstance(loop, LoopOp):
                loop.set_orders([_order(loop, axis) for axis in loop.axes])


def _order(loop: LoopOp, axis: Axis) -> Order:
    if axis.order is Order.ORDERED:
        return Order.ORDERED
    must_be_parallel = axis.order is Order.PARALLEL or isinstance(loop, GridOp)
    conflict = next(conflicts(loop, axis.value), None)
    if conflict is not None:
        if must_be_parallel:
            refuse_race(axis, conflict)
        explain(loop, f"classify-axes: axis {axis.name} is ordered: {both(conflict)} may touch one element")
        return Order.ORDERED
    carrier = _carrier(loop)
    if carrier is None:
        return Order.PARALLEL
    if must_be_parallel:
        fail(
            loop,
            f"classify-axes: axis {axis.name} is called parallel, but {carrier.name} at {where(carrier)} "
            "carries a value from one iteration to the next; call it ordered",
        )
    explain(loop, f"classify-axes: axis {axis.name} is ordered: a value is carried from step to step")
    return Order.ORDERED


def _carrier(loop: LoopOp) -> Operation | None:
    """What carries a value between iterations: the loop itself, or a write to on-chip memory from outside."""
    if isinstance(loop, ForOp) and loop.inits:
        return loop
    for op in loop.walk():
        if isinstance(op, SetOp) and not is_inside(op.ref, loop):
            return op
        if isinstance(op, StoreOp | AtomicRmwOp) and is_local(op.array) and not is_inside(op.array, loop):
            return op
    return None
