"""`--scalarize-jagged`: tiles whose lanes have extents of their own are gone through lane by lane.

A tile of parents, each with as many children as it happens to have, is not what a TPU computes with: its
lanes would wait for the longest, and their children lie in different places. So the axis of the parents
becomes an axis of indices, values lose the dimension that came from it, and the axis of the children runs to
the one extent that is left. What each lane loads as begin and end of its children is then one integer, of
which `--raise-segments` and `--rebase-axes` make segments.

Before:
    tile.grid %g = 0 to 8 by g {
      %l = tile.load %lens[%g]                                  // tensor<?xi32, #tile.spans<g>>
      %s = tile.for %k = 0 to %l by k of g iter_args(%a = %zero) {
        %v = tile.load %x[%g, %k]                               // tensor<?x?xf32, #tile.spans<g, k>>
        %r = tile.reduce add %v dims [1]
After:
    tile.grid %g = 0 to 8 {
      %l = tile.load %lens[%g]                                  // i32
      %n = arith.index_cast %l : i32 to index
      %s = tile.for %k = 0 to %n by k iter_args(%a = %zero) {
        %v = tile.load %x[%g, %k]                               // tensor<?xf32, #tile.spans<k>>
        %r = tile.reduce add %v dims [0]

A lane makes the steps of its own extent, as a jagged loop means it: in a step that only longer lanes make it
is dead, and keeps what is carried for it. (Helion's `jagged_tile` lets lanes that have ended go on, with
zeros; there `acc * 0.5 + sum` is something else.) What all lanes combine with an array, by a reduction and
an atomic of its kind, each combines by itself.

A batch of products along the parents becomes one product, a gather at one position a load. `tile.bound`
knows that each tile of parents has one lane now. An extent below 0 is an empty range, as it was.

An axis is left as it is, and passes that need a kernel refuse it, where lanes alone would do something else:
  - lanes of parents mix, in a reduction, a scan or a product that sums along them;
  - the children of all lanes are combined in a value that has no dimension for the parents;
  - a loop carries a value that has none, other than one that never changes or that nothing asks for;
  - an array is written once for each tile, at a place that does not depend on the lane;
  - two lanes may meet in an element, one writing it. Of computed positions, which may become windows, this is
    not known yet: a loop over parents is called `parallel`, and `--classify-axes` refuses what meets.
So is one with elements of a type that is not read alone. `--explain` says which operation it is.
"""

from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass

from tilec.diagnostics import explain
from tilec.dialects.tile.axes import Axis, span_in_scope
from tilec.dialects.tile.loops import ForOp, LoopOp
from tilec.dialects.tile.types import JaggedSpanType, span_of
from tilec.rewriting.one_lane import one_lane


class ScalarizeJagged(ModulePass):
    """Go through the parents of jagged axes one by one."""

    name = "scalarize-jagged"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in op.walk():
            if isinstance(function, func.FuncOp):
                scalarize_jagged(function)


def scalarize_jagged(function: func.FuncOp) -> None:
    """Do to one function what the pass does."""
    refused: set[SSAValue] = set()
    while (found := _jagged(function, refused)) is not None:
        loop, axis = found
        reason = one_lane(loop, axis.value)
        if reason is not None:
            refused.add(axis.value)
            explain(loop, f"scalarize-jagged: the lanes of {axis.name} stay a tile: {reason}")


def _jagged(function: func.FuncOp, refused: set[SSAValue]) -> tuple[LoopOp, Axis] | None:
    """A loop, and an axis of it along which another is jagged, but for those in `refused`."""
    for inner in function.walk():
        span = span_of(inner.axis.value) if isinstance(inner, ForOp) else None
        if not isinstance(span, JaggedSpanType):
            continue
        parent = span_in_scope(inner, span.parent)
        loop = None if parent is None or parent in refused else parent.owner.parent_op()
        if isinstance(loop, LoopOp):
            return loop, next(axis for axis in loop.axes if axis.value is parent)
    return None
