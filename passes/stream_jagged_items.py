"""`--stream-jagged-items="items=all|auto"`: one program walks jagged items with a loop for each axis.

The third way to run a jagged axis, for items that are long: no list is made and no step is idle. The axes of
a `fori_loop` become loops inside each other, and how many steps the inner ones have is computed once for
each item. What stands under the first or the last step of an inner axis runs outside its loop, and a window
that only the outer axes move is copied outside it, so that a step pays for its own tile only. The copy for
the next step begins before this one waits for its own, also from one item to the next.

Before:
    tile.pipeline fori_loop {
      %g = tile.axis 0 to 8 parallel
      %b, %e = tile.segment %offsets[%g]
      %m = tile.axis %b to %e by m:128 parallel aligned
      …
      scf.if %first { … }
After:
    tile.pipeline fori_loop nested {
      %g = tile.axis 0 to 8 ordered
      %b, %e = tile.segment %offsets[%g]
      %m = tile.axis %b to %e by m:128 ordered aligned keep
      %some_m = tile.live %m
      …
      %both = arith.andi %first, %some_m
      scf.if %both { … }

An empty item makes one step, in which nothing is done, so that every step knows the one after it.

`items=auto` does so where an axis says that its extent is on average (`mean N`) that of two tiles or more;
`items=all` wherever one is jagged.

Refused: steps that run as a grid or in an emit_pipeline; steps that come back to a written block.
"""

from dataclasses import dataclass

from xdsl.builder import Builder
from xdsl.context import Context
from xdsl.dialects import scf
from xdsl.dialects.builtin import IndexType, ModuleOp, UnitAttr
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter
from xdsl.transforms.dead_code_elimination import region_dce

from tilec.analysis.ranges import Ranges
from tilec.analysis.revisits import check_visits
from tilec.analysis.visits import axes_behind
from tilec.diagnostics import explain, fail
from tilec.dialects.tile.loops import Order, OrderAttr
from tilec.dialects.tile.places import ScratchOp
from tilec.dialects.tile.schedule import AxisOp, Loop, PipelineOp, WindowOp
from tilec.dialects.tile.steps import FirstOp, LastOp, LiveOp
from tilec.dialects.tile.syntax import Bounds
from tilec.dialects.tile.types import span_of
from tilec.rewriting.index import IndexBuilder
from tilec.rewriting.jagged import Answers, StepBounds, answer_queries, is_jagged
from tilec.rewriting.steps import is_scalar

ITEMS = ("all", "auto")
LONG = 2
"""Items are long if on average they have so many tiles."""


@dataclass(frozen=True)
class StreamJaggedItems(ModulePass):
    """Let one program walk the items of jagged axes, with a loop for each axis: "items=all|auto"."""

    name = "stream-jagged-items"

    items: str = "all"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if self.items not in ITEMS:
            fail(op, f"stream-jagged-items: items={self.items}; {', '.join(ITEMS)} are accepted")
        for pipeline in [inner for inner in op.walk() if isinstance(inner, PipelineOp)]:
            jagged = [axis for axis in pipeline.axes if is_jagged(pipeline, axis)]
            if not jagged:
                explain(pipeline, "stream-jagged-items: no axis is jagged")
            elif self.items == "all" or any(_is_long(axis) for axis in jagged):
                _stream(pipeline, jagged)
            else:
                explain(pipeline, f"stream-jagged-items: no axis has a `mean` of {LONG} tiles")


def _is_long(axis: AxisOp) -> bool:
    """Whether an axis is known to have several steps, on average."""
    mean, span = axis.axis.bounds.mean, span_of(axis.result)
    return mean is not None and mean >= LONG * (span.size if span else 1)


def _stream(pipeline: PipelineOp, jagged: list[AxisOp]) -> None:
    if pipeline.loop.data is not Loop.FORI_LOOP:
        fail(
            pipeline,
            f"stream-jagged-items: the steps run as {pipeline.loop.data}, whose axes have known extents; "
            "run --fold-outer-pipeline with loop=fori_loop",
        )
    check_visits(pipeline, StreamJaggedItems.name)
    before: list[Operation] = []
    bounds = StepBounds(pipeline, IndexBuilder(before, pipeline.location))
    for axis in axes_behind([axis.result for axis in jagged]):
        axis.order = OrderAttr(Order.ORDERED)
    guards = [guard for axis in jagged if (guard := _kept(axis, bounds)) is not None]
    Builder(InsertPoint.before(pipeline)).insert(before)
    _guard_body(pipeline, guards)
    pipeline.nested = UnitAttr()
    region_dce(pipeline.body)


def _kept(axis: AxisOp, bounds: StepBounds) -> SSAValue | None:
    """Let the axis have a step in any case; returns whether its range is not empty, if that is news."""
    ranges, sides = Ranges(), axis.axis.bounds
    least = (ranges.of(sides.end) - ranges.of(sides.begin)).low
    if least is not None and least >= 1:
        return None
    known = axis.keep is not None
    if span_of(axis.result) is None:
        return _kept_index(axis, bounds, guarded=known)
    if known:
        return None
    axis.keep = UnitAttr()
    live = LiveOp(axis.result)
    live.location = axis.location
    live.result.name_hint = f"some_{axis.axis.name}"
    Builder(InsertPoint.after(axis)).insert(live)
    return live.result


def _kept_index(axis: AxisOp, bounds: StepBounds, *, guarded: bool) -> SSAValue | None:
    """Replace an axis of indices by one of steps, whose index is inside the array where there is none."""
    sides, ops = axis.axis.bounds, list[Operation]()
    build = IndexBuilder(ops, axis.location)
    count = build.maximum(build.sub(sides.end, sides.begin), 1)
    step = AxisOp(Bounds(0, count), IndexType(), Order.ORDERED)
    step.result.name_hint = f"{axis.result.name_hint or 'axis'}_step"
    build.insert(step)
    index, limit = build.add(sides.begin, step.result), bounds.upper(sides.end)
    if limit is not None:
        index = build.maximum(build.minimum(index, build.sub(limit, 1)), 0)
    live = build.compare("slt", sides.begin, sides.end)
    first, last = build.insert(FirstOp(step.result)), build.insert(LastOp(step.result))
    answer_queries(axis, Answers(first, last, live))
    Builder(InsertPoint.before(axis)).insert(ops)
    axis.result.replace_all_uses_with(build.value(index))
    Rewriter.erase_op(axis)
    return None if guarded else live


def _guard_body(pipeline: PipelineOp, guards: list[SSAValue]) -> None:
    """Let what the body does be done in steps that all axes have.

    Each condition is guarded by itself, so that what stands under a first or last step still does.
    """
    block = pipeline.body.block
    order = list(block.ops)
    places = [i for i, op in enumerate(order) if isinstance(op, WindowOp | ScratchOp | AxisOp)]
    rest = [
        op
        for op in order[max(places) + 1 :]
        if not is_scalar(op) and not isinstance(op, FirstOp | LastOp | LiveOp)
    ]
    if not guards or not rest:
        return
    if not all(isinstance(op, scf.IfOp) and not op.results and not op.false_region.blocks for op in rest):
        _guard_at_once(block, order[order.index(rest[0]) :], guards)
        return
    for op in rest:
        ops: list[Operation] = []
        condition = IndexBuilder(ops, op.location).every([op.operands[0], *guards])
        Builder(InsertPoint.before(op)).insert(ops)
        op.operands[0] = condition or op.operands[0]


def _guard_at_once(block: Block, rest: list[Operation], guards: list[SSAValue]) -> None:
    ops: list[Operation] = []
    condition = IndexBuilder(ops, rest[0].location).every(guards)
    for op in rest:
        op.detach()
    guard = scf.IfOp(condition or guards[0], [], Region(Block([*rest, scf.YieldOp()])))
    guard.location = rest[0].location
    block.add_ops([*ops, guard])
