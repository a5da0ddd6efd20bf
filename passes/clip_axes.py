"""`--clip-axes`: an axis that does nothing from some index on ends there.

A program with tiles of the longest for every segment masks what is past the end of each: from there on its
iterations are idle. Where all that it writes is masked by `index < length`, and what it reads begins at a
place known only at run time, the axis may as well end at the length: then it goes through the segment, and
what comes to segments comes to it.

Before:
    tile.grid %g = 0 to 8, %m = 0 to 512 by m {
      %n = …                                        // the length of segment g, an index
      %live = …                                     // whether an index of %m is below %n
      %v = tile.gather %x[%places, :] mask %live other %zero
      tile.scatter %v, %out[%places, :] mask %live
    }
After:
    tile.grid %g = 0 to 8 {
      %n = …
      %end = arith.minsi %c512, %n : index
      tile.for %m = 0 to %end by m max 512 {
        …
      }
    }

Lanes below the length must not depend on those that are not: nothing mixes lanes along the axis. An inner
axis may end where tiles of it do, if it is idle beyond the length, too: what it reads there is masked, and
what it adds to what it carries is nothing, by literals and comparisons of indices alone. An axis of a grid of
which the length is not known before becomes a loop in it.

Left alone, and explained, are axes through which all is accessed from one place that is known at run time,
and of which that cannot be told.
"""

from dataclasses import replace

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter
from xdsl.traits import is_side_effect_free

from tilec.analysis.affine import Linear, is_inside, most_extent, static_extent
from tilec.analysis.bases import bases_of
from tilec.analysis.idle import idle_from
from tilec.analysis.segments import writes_of
from tilec.diagnostics import explain
from tilec.dialects.tile.arrays import LoadOp
from tilec.dialects.tile.loops import Axis, ForOp, GridOp, LoopOp
from tilec.dialects.tile.types import JaggedSpanType, shape_of, span_of
from tilec.dialects.tile.views import viewed_array
from tilec.rewriting.index import IndexBuilder
from tilec.rewriting.linear import built
from tilec.rewriting.nests import sink_axes


class ClipAxes(ModulePass):
    """Let axes end where their iterations begin to be idle."""

    name = "clip-axes"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for loop in [inner for inner in op.walk() if isinstance(inner, LoopOp)]:
            axis = next((each for each in loop.axes if _begins_anywhere(loop, each)), None)
            if axis is not None and writes_of(loop):
                _clip(loop, axis)


def _begins_anywhere(loop: LoopOp, axis: Axis) -> bool:
    """Whether all that is accessed through a tile axis begins at one place that is known at run time."""
    if span_of(axis.value) is None or isinstance(axis.value.type, JaggedSpanType):
        return False
    bases = [base.factors for _, base in bases_of(axis.value, loop)]
    return any(bases) and all(base == bases[0] for base in bases)


def _clip(loop: LoopOp, axis: Axis) -> None:
    found = idle_from(loop, axis.value)
    reason = found if isinstance(found, str) else _obstacle(loop, axis, found)
    if reason is not None or isinstance(found, str):
        explain(loop, f"clip-axes: axis {axis.name} keeps its end: {reason}")
        return
    explain(loop, f"clip-axes: axis {axis.name} ends where all that it writes is masked")
    if isinstance(loop, GridOp):
        body = sink_axes(loop, [axis])[-1]
        made = body.parent_op()
        again = None if not isinstance(made, ForOp) else idle_from(made, made.axis.value)
        if not isinstance(made, ForOp) or not isinstance(again, Linear):
            raise ValueError("a loop in a grid does what the axis did")
        loop, found = made, again
    if isinstance(loop, ForOp):
        _end_at(loop, found)


def _obstacle(loop: LoopOp, axis: Axis, limit: Linear) -> str | None:
    """Why the limit of an axis is not known before its first step."""
    if isinstance(loop, ForOp) and loop.inits:
        return "it carries values"
    for leaf in limit.factors:
        value = leaf[0] if isinstance(leaf, tuple) else leaf
        reason = _late(value, loop, axis)
        if reason is not None:
            return reason
    return None


def _late(value: SSAValue, loop: LoopOp, axis: Axis) -> str | None:
    """Why a value is not known before an axis."""
    if value is axis.value:
        return "what masks its writes depends on it"
    if not is_inside(value, loop):
        return None
    op = value.owner
    if isinstance(op, Block):
        inside = isinstance(loop, ForOp) or op is not loop.body.block
        return "what masks its writes depends on an axis in it" if inside else None
    alone = op.parent is loop.body.block and not op.regions and not shape_of(value.type)
    if not alone or not (is_side_effect_free(op) or _is_sure(op, loop, axis)):
        return f"what masks its writes is made by {op.name} in it"
    return next((text for each in op.operands if (text := _late(each, loop, axis))), None)


def _is_sure(op: Operation, loop: LoopOp, axis: Axis) -> bool:
    """Whether an element is loaded in any case, and always the same."""
    if not isinstance(op, LoadOp) or op.mask is not None:
        return False
    length = static_extent(axis.bounds)
    written = {viewed_array(write.array) for write in writes_of(loop)}
    return length is not None and length > 0 and viewed_array(op.array) not in written


def _end_at(loop: ForOp, limit: Linear) -> None:
    """Let an axis end at its limit, which is computed before it."""
    for leaf in limit.factors:
        _move_before(leaf[0] if isinstance(leaf, tuple) else leaf, loop)
    before: list[Operation] = []
    build, bounds = IndexBuilder(before, loop.location), loop.axis.bounds
    end = build.value(build.minimum(bounds.end, built(limit, build)))
    Rewriter.insert_op(before, InsertPoint.before(loop))
    made = loop.rebuilt(replace(bounds, end=end, limit=most_extent(bounds)), [])
    Rewriter.replace_op(loop, made)


def _move_before(value: SSAValue, loop: ForOp) -> None:
    op = value.owner
    if not isinstance(op, Operation) or not is_inside(value, loop):
        return
    for operand in op.operands:
        _move_before(operand, loop)
    op.detach()
    Rewriter.insert_op(op, InsertPoint.before(loop))
