"""`--bound-axes`: an axis of unknown length is no longer than a dimension that all of it indexes.

A list of the tiles that exist needs room for the most that there may be. Where the end of an axis is computed
from loaded integers nothing bounds it but what is accessed: every live lane of an access is inside its array,
so that an axis of which each index is accessed has at most as many as the array has there.

Before:
    tile.for %k = 0 to %count by k {              // %count is loaded
      %v = tile.load %x[%m, %k]                   // %x: memref<40x64xf32>
After:
    tile.for %k = 0 to %count by k max 64 {

So does one of which quotients are, `%table[%b, %k // 16]`, as many times as long. Accesses with a mask or
`drop`, those under a condition, and those in inner loops that may have no iteration say nothing. An axis that
says `max` itself, has no larger bound that the program computes, or runs between the ends of a segment and
indexes an array by that, other than to read single elements, is left alone. Positions in a segment, as in
`%x[%m + %shift, :]` or of an axis from 0 to a length, do bound it.
"""

from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, SSAValue
from xdsl.passes import ModulePass

from tilec.analysis.affine import linear
from tilec.analysis.ranges import Ranges
from tilec.analysis.reach import every_time, indexing, most_accessed
from tilec.analysis.within import may_be_skipped
from tilec.dialects.tile.arrays import SegmentOp
from tilec.dialects.tile.bound import BoundOp
from tilec.dialects.tile.loops import ForOp
from tilec.dialects.tile.syntax import dense_i64
from tilec.dialects.tile.types import shape_of
from tilec.rewriting.steps import is_scalar


class BoundAxes(ModulePass):
    """Give axes of unknown length the extent of what they index as their `max`."""

    name = "bound-axes"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for loop in [inner for inner in op.walk() if isinstance(inner, ForOp)]:
            most = most_accessed(loop)
            if most is not None and _is_unbounded(loop, most):
                loop.limits = dense_i64([most])


def _is_unbounded(loop: ForOp, most: int) -> bool:
    """Whether nothing that the program computes bounds the length of a loop's axis to `most` indices."""
    bounds = loop.axis.bounds
    if bounds.limit is not None or isinstance(bounds.end, int) or shape_of(bounds.end.type):
        return False
    ranges, length = Ranges(), linear(bounds.end) - linear(bounds.begin)
    computed = [leaf for leaf in length.factors if isinstance(leaf, SSAValue)]
    highs = [ranges.of(leaf).high for leaf in computed if not _is_known(leaf, loop)]
    return any(high is None or high > most for high in highs)


def _is_known(leaf: SSAValue, loop: ForOp) -> bool:
    """Whether a value is an end of a segment or of a tile, a span, or from before the grid."""
    owner = leaf.owner
    if isinstance(owner, SegmentOp):  # where it ends is known from arrays that are indexed up to there
        found = list(indexing(loop.axis.value, every_time(loop)))
        # Single elements are read one by one: they have no window, which is what tells.
        shifts = [op.window[place].shift for op, place in found if not is_scalar(op)]
        there = (linear(loop.axis.bounds.end) - linear(owner.end)).literal is not None
        reached = not found or (there and any(isinstance(shift, int) for shift in shifts))
        return reached or may_be_skipped(loop)  # a promise is one for all segments
    return isinstance(owner, Block | BoundOp) or isinstance(owner.parent_op(), func.FuncOp)
