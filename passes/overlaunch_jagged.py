"""`--overlaunch-jagged`: jagged axes make as many steps as the longest range could need.

The other way to give a jagged axis a known extent, without tables: every range gets the steps of the longest
that is possible. Steps past the end of a range rest on its last tile, so that no window moves, and do
nothing; so does a range inside of it meanwhile.

Before:
    %m = tile.axis %b to %e by m:128 ordered aligned
    …
After:
    %step = tile.axis 0 to %most ordered
    %m = tile.span %t of %b to %e by m:128 aligned       // %t = min(%b / 128 + %step, last tile)
    …
    scf.if %valid { … }

Refused: steps that come back to a written block; a jagged axis of which no upper bound is known, where `max`
gives one.
"""

from xdsl.builder import Builder
from xdsl.context import Context
from xdsl.dialects import scf
from xdsl.dialects.builtin import IndexType, ModuleOp
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter
from xdsl.transforms.dead_code_elimination import region_dce

from tilec.analysis.revisits import check_visits
from tilec.analysis.visits import axes_behind
from tilec.diagnostics import explain, fail
from tilec.dialects.tile.loops import Order, OrderAttr
from tilec.dialects.tile.places import ScratchOp
from tilec.dialects.tile.schedule import AxisOp, PipelineOp, WindowOp
from tilec.dialects.tile.syntax import Bounds
from tilec.dialects.tile.types import span_of
from tilec.rewriting.index import IndexBuilder
from tilec.rewriting.jagged import Answers, StepBounds, answer_queries, axis_value, is_jagged, tiles


class OverlaunchJagged(ModulePass):
    """Give jagged axes as many steps as the longest range could need; the rest are idle."""

    name = "overlaunch-jagged"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for pipeline in [inner for inner in op.walk() if isinstance(inner, PipelineOp)]:
            jagged = [axis for axis in pipeline.axes if is_jagged(pipeline, axis)]
            if jagged:
                _overlaunch(pipeline, jagged)
            else:
                explain(pipeline, "overlaunch-jagged: no axis is jagged")


def _overlaunch(pipeline: PipelineOp, jagged: list[AxisOp]) -> None:
    check_visits(pipeline, OverlaunchJagged.name)
    before: list[Operation] = []
    bounds = StepBounds(pipeline, IndexBuilder(before, pipeline.location))
    valid: dict[AxisOp, SSAValue] = {}
    for axis in jagged:
        _replace(axis, bounds, valid)
    Builder(InsertPoint.before(pipeline)).insert(before)
    _guard_body(pipeline, list(valid.values()))
    region_dce(pipeline.body)


def _replace(axis: AxisOp, bounds: StepBounds, valid: dict[AxisOp, SSAValue]) -> None:
    """Replace a jagged axis, and add to `valid`, by axis, whether a step is one that the range has."""
    most = bounds.most_tiles(axis)
    if most is None:
        fail(
            axis,
            f"overlaunch-jagged: no bound on the steps of axis {axis.axis.name} is known; "
            "give it `max N` (max_extent=N in torch)",
        )
    # Idle steps of one range may rest on a block of the next.
    for outer in axes_behind(axis.operands):
        outer.order = OrderAttr(Order.ORDERED)
    step = AxisOp(Bounds(0, most), IndexType(), Order.ORDERED)
    step.result.name_hint = f"{axis.result.name_hint or 'axis'}_step"
    step.location = axis.location
    ops: list[Operation] = [step]
    build = IndexBuilder(ops, axis.location)
    numbers = tiles(axis, build, {})
    last = build.sub(numbers.stop, 1)
    wanted = build.add(numbers.first, step.result)
    resting = build.maximum(last, numbers.first)
    number = build.minimum(wanted, resting)
    around = build.every(valid.get(outer) for outer in axes_behind(axis.operands))
    if around is not None:  # going through the range again would come back to blocks that were written
        number = build.select(around, number, resting)
    limit = bounds.upper(axis.axis.bounds.end)
    if span_of(axis.result) is None and limit is not None:
        number = build.maximum(build.minimum(number, build.sub(limit, 1)), 0)
    valid[step] = build.compare("slt", wanted, numbers.stop)
    answers = Answers(
        first=build.compare("eq", step.result, 0),
        last=build.compare("eq", wanted, last),
        live=build.compare("slt", numbers.begin, numbers.end),
    )
    value = axis_value(axis, build.value(number), numbers, build, keep=True)
    answer_queries(axis, answers)
    Builder(InsertPoint.before(axis)).insert(ops)
    axis.result.replace_all_uses_with(value)
    Rewriter.erase_op(axis)


def _guard_body(pipeline: PipelineOp, valid: list[SSAValue]) -> None:
    """Let the operations after the last window or scratch run in valid steps only."""
    block = pipeline.body.block
    order = list(block.ops)
    places = [i for i, op in enumerate(order) if isinstance(op, WindowOp | ScratchOp | AxisOp)]
    rest = order[max(places) + 1 :]
    ops: list[Operation] = []
    condition = IndexBuilder(ops, pipeline.location).every(valid)
    if condition is None or not rest:
        return
    for op in rest:
        op.detach()
    guard = scf.IfOp(condition, [], Region(Block([*rest, scf.YieldOp()])))
    guard.location = rest[0].location
    block.add_ops([*ops, guard])
