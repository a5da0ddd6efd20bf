"""`--compact-worklist`: jagged axes become a list of the tiles that exist.

A jagged axis has a number of steps that only the kernel's integer arguments tell, and that differs from one
segment to the next. The axes from the outermost that its bounds depend on down to the innermost jagged one
become one axis over a list, which scalar code makes before the pipeline starts: the same nest, appending the
numbers of its tiles. No step is idle. The list has room for as many as there can be: the tiles of an array
and one for each of its segments, where steps surely have different ones.

Before:
    tile.pipeline grid {
      %g = tile.axis 0 to 8 ordered
      %b, %e = tile.segment %offsets[%g]
      %m = tile.axis %b to %e by m:128 ordered aligned
After:
    %count, %gs, %ms = tile.worklist capacity %most columns 2 {
      scf.for %g = … { scf.for %t = … { tile.append %g, %t } }
    }
    tile.pipeline grid {
      %w = tile.axis 0 to %count ordered
      %g = …%gs[%w]…
      %b, %e = tile.segment %offsets[%g]
      %m = tile.span %t of %b to %e by m:128 aligned

Refused: steps that come back to a written block; a jagged axis of which no upper bound is known, where `max`
gives one.
"""

from xdsl.builder import Builder
from xdsl.context import Context
from xdsl.dialects import arith, scf
from xdsl.dialects.builtin import IndexType, ModuleOp
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter
from xdsl.transforms.dead_code_elimination import region_dce

from tilec.analysis.affine import axis_bounds
from tilec.analysis.revisits import check_visits
from tilec.analysis.visits import axes_behind
from tilec.diagnostics import explain, fail
from tilec.dialects.tile.access import Dim
from tilec.dialects.tile.arrays import LoadOp
from tilec.dialects.tile.bound import BoundOp
from tilec.dialects.tile.loops import Order
from tilec.dialects.tile.numbered import SpanOp
from tilec.dialects.tile.schedule import AxisOp, PipelineOp
from tilec.dialects.tile.steps import AppendOp, WorklistOp
from tilec.dialects.tile.syntax import Bounds
from tilec.rewriting.index import Index, IndexBuilder
from tilec.rewriting.jagged import (
    Answers,
    StepBounds,
    Tiles,
    answer_queries,
    axis_value,
    is_jagged,
    segments_behind,
    side_of_tile,
    tiles,
)


class CompactWorklist(ModulePass):
    """Turn jagged axes into a list of the tiles that exist."""

    name = "compact-worklist"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for pipeline in [inner for inner in op.walk() if isinstance(inner, PipelineOp)]:
            group = _group(pipeline)
            if pipeline.nested is not None:
                explain(pipeline, "compact-worklist: nested loops need no list")
            elif group:
                _compact(pipeline, group)
            else:
                explain(pipeline, "compact-worklist: no axis is jagged")


def _group(pipeline: PipelineOp) -> list[AxisOp]:
    """The axes from the first that a jagged one depends on to the last jagged one."""
    axes = pipeline.axes
    jagged = [axis for axis in axes if is_jagged(pipeline, axis)]
    if not jagged:
        return []
    wanted = axes_behind([axis.result for axis in jagged])
    return axes[min(axes.index(axis) for axis in wanted) : axes.index(jagged[-1]) + 1]


def _compact(pipeline: PipelineOp, group: list[AxisOp]) -> None:
    check_visits(pipeline, CompactWorklist.name)
    before: list[Operation] = []
    build = IndexBuilder(before, pipeline.location)
    bounds = StepBounds(pipeline, build)
    capacity = build.value(_capacity(group, bounds))
    capacity.name_hint = "capacity"
    scalars = _scalars(pipeline, group)
    limits = _limits(group, bounds)
    worklist = WorklistOp(capacity, len(group), Region(_nest(group, scalars, pipeline, limits)))
    worklist.location = pipeline.location
    worklist.count.name_hint = "count"
    for axis, table in zip(group, worklist.tables, strict=True):
        table.name_hint = f"{axis.result.name_hint or 'axis'}_tiles"
    Builder(InsertPoint.before(pipeline)).insert([*before, worklist])
    _walk_the_list(group, worklist, limits)
    region_dce(pipeline.body)


def _scalars(pipeline: PipelineOp, group: list[AxisOp]) -> list[Operation]:
    """The operations that compute bounds of the group's axes from the group's earlier axes."""
    wanted: set[Operation] = set()
    pending = [value for axis in group for value in axis.operands]
    while pending:
        owner = pending.pop().owner
        if isinstance(owner, Operation) and owner.parent_op() is pipeline and owner not in wanted:
            wanted.add(owner)
            pending += owner.operands
    return [op for op in pipeline.body.block.ops if op in wanted and op not in group]


def _capacity(group: list[AxisOp], bounds: StepBounds) -> Index:
    """The most entries that the list can have."""
    build = bounds.build
    counts: dict[AxisOp, Index] = {}
    total: Index = 1
    for axis in group:
        most = bounds.most_tiles(axis)
        if most is None:
            fail(
                axis,
                f"compact-worklist: no bound on the steps of axis {axis.axis.name} is known; "
                "give it `max N` (max_extent=N in torch)",
            )
        all_tiles = _all_tiles(axis, counts, bounds)
        total = build.mul(total, most)
        if all_tiles is not None:
            total = build.minimum(total, all_tiles)
        counts[axis] = most
    return total


def _all_tiles(axis: AxisOp, counts: dict[AxisOp, Index], bounds: StepBounds) -> Index | None:
    """The most tiles that an axis has in all steps of those around it, from those of all of an array."""
    behind, build = segments_behind(axis), bounds.build
    if behind is None:
        return None
    segments = _product(build, [count for other, count in counts.items() if other in behind])
    repeats = _product(build, [count for other, count in counts.items() if other not in behind])
    tiles = bounds.all_tiles(axis, segments)
    return None if tiles is None else build.mul(tiles, repeats)


def _limits(group: list[AxisOp], bounds: StepBounds) -> dict[AxisOp, Index | None]:
    """What each axis stays below, where that is known."""
    return {axis: bounds.upper(axis.axis.bounds.end) if axis.keep is not None else None for axis in group}


def _product(build: IndexBuilder, factors: list[Index]) -> Index:
    product: Index = 1
    for factor in factors:
        product = build.mul(product, factor)
    return product


def _nest(
    group: list[AxisOp], scalars: list[Operation], pipeline: PipelineOp, limits: dict[AxisOp, Index | None]
) -> Block:
    """Scalar loops over the tiles of the group's axes, which append one entry in the innermost."""
    env: dict[SSAValue, SSAValue] = {}
    numbers: list[SSAValue] = []
    outermost = block = Block()
    order = list(pipeline.body.block.ops)
    for op in sorted([*group, *scalars], key=order.index):
        if isinstance(op, AxisOp):
            block = _loop_over(op, block, env, numbers, limits[op])
        elif isinstance(op, BoundOp):
            _add_side(op, block, env)
        elif not isinstance(op, SpanOp):  # a span is asked for its sides only
            block.add_op(op.clone(env))
    block.add_op(_at(AppendOp(numbers), group[-1]))
    _close(block, outermost)
    return outermost


def _add_side(op: BoundOp, block: Block, env: dict[SSAValue, SSAValue]) -> None:
    """Compute a side of a tile from its number, which stands for its span in scalar code."""
    ops: list[Operation] = []
    build = IndexBuilder(ops, op.location)
    maker, bounds = op.span.owner, axis_bounds(op.span)
    if not isinstance(maker, AxisOp | SpanOp) or bounds is None:
        raise ValueError("a span of a pipeline is made by an axis or by tile.span")
    begin, end = (
        side if isinstance(side, int) else env.get(side, side) for side in (bounds.begin, bounds.end)
    )
    number = maker.index if isinstance(maker, SpanOp) else op.span
    origin = begin if maker.aligned is None else 0
    start = build.add(origin, build.mul(env.get(number, number), op.lanes))
    env[op.result] = build.value(side_of_tile(op, start, begin, end, build))
    env[op.result].name_hint = op.result.name_hint
    block.add_ops(ops)


def _loop_over(
    axis: AxisOp, block: Block, env: dict[SSAValue, SSAValue], numbers: list[SSAValue], limit: Index | None
) -> Block:
    ops: list[Operation] = []
    build = IndexBuilder(ops, axis.location)
    run = tiles(axis, build, env, limit)
    first, stop, one = build.value(run.first), build.value(run.stop), build.value(1)
    block.add_ops(ops)
    body = Block(arg_types=[IndexType()])
    body.args[0].name_hint = axis.result.name_hint
    block.add_op(_at(scf.ForOp(first, stop, one, [], body), axis))
    numbers.append(body.args[0])
    env[axis.result] = body.args[0]
    return body


def _close(block: Block, outermost: Block) -> None:
    while block is not outermost:
        block.add_op(scf.YieldOp())
        loop = block.parent_op()
        if loop is None or loop.parent is None:
            return
        block = loop.parent


def _at(op: Operation, origin: Operation) -> Operation:
    op.location = origin.location
    return op


def _walk_the_list(group: list[AxisOp], worklist: WorklistOp, limits: dict[AxisOp, Index | None]) -> None:
    """Replace the group's axes by one over the list."""
    order = Order.ORDERED if any(axis.order.data is Order.ORDERED for axis in group) else Order.PARALLEL
    item = AxisOp(Bounds(0, worklist.count), IndexType(), order)
    item.result.name_hint = "item"
    Builder(InsertPoint.before(group[0])).insert(_at(item, group[0]))
    for axis, table in zip(group, worklist.tables, strict=True):
        ops: list[Operation] = []
        build = IndexBuilder(ops, axis.location)
        entry = build.insert(LoadOp(table, [Dim(item.result)]))
        number = build.insert(arith.IndexCastOp(entry, IndexType()))
        entry.name_hint = number.name_hint = f"{axis.result.name_hint or 'axis'}_tile"
        numbers = tiles(axis, build, {}, limits[axis])
        value = axis_value(axis, number, numbers, build, keep=axis.keep is not None)
        answer_queries(axis, _answers(number, numbers, build))
        Builder(InsertPoint.before(axis)).insert(ops)
        axis.result.replace_all_uses_with(value)
        Rewriter.erase_op(axis)


def _answers(number: SSAValue, numbers: Tiles, build: IndexBuilder) -> Answers:
    return Answers(
        first=build.compare("eq", number, numbers.first),
        last=build.compare("eq", number, build.sub(numbers.stop, 1)),
        live=build.compare("slt", numbers.begin, numbers.end),
    )
