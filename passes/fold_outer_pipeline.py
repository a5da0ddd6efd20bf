"""`--fold-outer-pipeline="loop=grid"`: a grid and the loops in it become the axes of one pipeline.

A kernel that runs an inner pipeline for each cell of a grid drains and refills it each time. Here every
`tile.grid` becomes a `tile.pipeline` whose axes are the grid's and, below them, those of all loops; every
load and store gets a window, so that the memory traffic of one cell overlaps the work of another. Statements
outside a loop run at its first or last step.

Before:
    tile.grid %g = 0 to 8 parallel {
      %b, %e = tile.segment %offsets[%g]
      tile.for %m = %b to %e by m:128 parallel {
        …                                        // set %acc to 0
        tile.for %k = 0 to 512 by k:128 ordered { … tile.load %x[%m, %k] … }
        tile.store %sum, %out[%m, :]
After:
    tile.pipeline grid {
      %g = tile.axis 0 to 8 ordered
      %b, %e = tile.segment %offsets[%g]
      %m = tile.axis %b to %e by m:128 ordered aligned
      %k = tile.axis 0 to 512 by k:128 ordered
      %first = tile.first %k
      …
      %x_window = tile.window read %x[%m, %k]
      scf.if %first { … }

Two things are decided on the way. A tile axis that may begin anywhere is `aligned` where it indexes one of
the last two dimensions of an array, which DMA reads in whole tiles only: its tiles are those of the array,
and two segments may share one, so that the axis is then ordered. On leading dimensions, where the steps are
not a grid, its tiles are exact. So are those of an axis `by m:8 exact`: what the program computes may depend
on where they are cut, and the arrays that they index are kept on the chip. And a parallel axis inside a
shared one moves outside it, so that the visits to a shared tile follow each other.

An axis over a tile of another, from its `tile.bound begin` to its `end`, has a number of steps that is known
where the outer tiles all are whole or only one; else it is jagged, as the last of them may be shorter. A tile
axis from a literal that surely has one tile, wherever it ends, is no axis, but that tile.

No loop stays under a condition. Where its branch is not taken it has no iteration; what else the branches
compute is computed in any case, what they write is written under the condition or its opposite, and of two
results one is chosen:

    %sum = scf.if %c {                           %last = arith.select %c, %e, %b
      tile.for %m = %b to %e by m:128 { … }      tile.for %m = %b to %last by m:128 { … }
      %s = tile.get %total                       %s = tile.get %total
      scf.yield %s                               %sum = tile.select %c, %s, %zero
    } else {
      scf.yield %zero
    }

A scratch that begins as the other branch ends needs no choice. Under a condition that tiles decide a loop has
all of its iterations, and the condition is inside: how many steps there are is known before any is done.

A window is fetched also where a condition, a mask or a loop without iterations leaves its access out, and
there it may reach beyond the array. One that is read is `clipped` then, and an index is replaced by the
nearest one inside; so it is where scalars and segments are read.

Refused: an index computed from tiles; a `max` that nothing can check; a written window that may reach beyond
its array.
"""

from dataclasses import dataclass, replace

from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Region, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter
from xdsl.transforms.dead_code_elimination import is_trivially_dead, region_dce

from tilec.analysis.affine import (
    axis_bounds,
    divided_span,
    ends_in,
    extent,
    linear,
    static_extent,
    whole_bounds,
)
from tilec.analysis.jagged_spans import refuse_jagged_spans
from tilec.analysis.ranges import INDEX_BITS, Range, Ranges
from tilec.analysis.reach import most_accessed, most_positions
from tilec.analysis.visits import axes_behind, block_values, one_step, shared_axes
from tilec.analysis.within import is_conditional, may_be_skipped
from tilec.diagnostics import fail
from tilec.dialects.tile.access import AccessOp, Effect
from tilec.dialects.tile.arrays import LoadOp, SegmentOp, StoreOp
from tilec.dialects.tile.bound import BoundOp, Side
from tilec.dialects.tile.expect import ExpectOp
from tilec.dialects.tile.gathers import DistinctOp
from tilec.dialects.tile.loops import ForOp, GridOp, Order, OrderAttr
from tilec.dialects.tile.schedule import AxisOp, Loop, PipelineOp, WindowOp
from tilec.dialects.tile.syntax import Bounds
from tilec.dialects.tile.types import map_spans, span_of
from tilec.rewriting.bodies import BodyBuilder
from tilec.rewriting.conditions import open_conditions
from tilec.rewriting.inside import expect_ends_inside, keep_reads_inside
from tilec.rewriting.steps import StepSpace, is_constant, statements_around
from tilec.rewriting.sums import expected_sums

_LONGEST = 2 ** (INDEX_BITS - 1) - 1
"""The extent that any axis may have, if nothing is known of it."""


@dataclass(frozen=True)
class FoldOuterPipeline(ModulePass):
    """Fold a grid and the loops in it into the axes of one pipeline: "loop=grid|emit_pipeline|fori_loop"."""

    name = "fold-outer-pipeline"

    loop: str = "grid"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        refuse_jagged_spans(op, self.name)
        if self.loop not in list(Loop):
            fail(op, f"fold-outer-pipeline: loop={self.loop}; {', '.join(Loop)} are accepted")
        for function in op.walk():
            if isinstance(function, func.FuncOp):
                written: set[SSAValue] = set()
                for grid in [inner for inner in function.body.walk() if isinstance(inner, GridOp)]:
                    stores = {store.array for store in grid.walk() if isinstance(store, StoreOp)}
                    _fold(grid, Loop(self.loop), written)
                    written |= stores
                for inner in reversed(list(function.body.block.ops)):
                    if is_constant(inner) and is_trivially_dead(inner):  # each kernel has made its own
                        Rewriter.erase_op(inner)


def _fold(grid: GridOp, loop: Loop, written: set[SSAValue]) -> None:
    for inner in grid.walk():
        if isinstance(inner, ForOp) and inner.inits:
            fail(inner, "fold-outer-pipeline: the loop carries values; run --carry-to-scratch first")
        if isinstance(inner, GridOp) and inner is not grid:
            fail(inner, "fold-outer-pipeline: a tile.grid inside a tile.grid; use tile.for")
    if any(axis.order is None for op in grid.walk() if isinstance(op, GridOp | ForOp) for axis in op.axes):
        fail(grid, "fold-outer-pipeline: an axis is neither parallel nor ordered; run --classify-axes first")
    _leave_out_partial_promises(grid)
    _keep_promises(grid)  # conditions would make of ends that are known others
    expect_ends_inside(grid)
    keep_reads_inside(grid)
    left_out = open_conditions(grid)
    _name_axes_apart(grid)
    space = StepSpace(grid, set() if loop is Loop.GRID else _leading_axes(grid))
    body = BodyBuilder(space, written, left_out)
    windows = [op for op in body.windows.values() if op.effect is Effect.WRITE]
    for window in windows:
        _move_parallel_axes_out(space, window)
    pipeline = PipelineOp(loop, Region(Block(body.finish())))
    pipeline.location = grid.location
    _order_axes_that_may_rest(pipeline)
    _order_single_steps(pipeline)
    region_dce(pipeline.body)
    Rewriter.insert_op(body.host.ops, InsertPoint.before(grid))
    Rewriter.replace_op(grid, pipeline, [])


def _leave_out_partial_promises(grid: GridOp) -> None:
    """Take away what is said of positions in some iterations only: a window of the pipeline has a position in
    every step."""
    for op in [op for op in grid.walk() if isinstance(op, DistinctOp)]:
        if is_conditional(op, grid) or may_be_skipped(op, grid):
            Rewriter.replace_op(op, [], list(op.positions))


def _name_axes_apart(grid: GridOp) -> None:
    """Give loops that follow each other under one name a name each."""
    seen = {axis.name for axis in grid.axes}
    for loop in [op for op in grid.walk() if isinstance(op, ForOp)]:
        span = span_of(loop.axis.value)
        if span is None:
            continue
        name, count = span.axis, 1
        while name in seen:
            count += 1
            name = f"{span.axis}{count}"
        seen.add(name)
        if name != span.axis:
            loop.axis.value.name_hint = name
            _rename(loop, span.axis, name)


def _rename(loop: ForOp, old: str, new: str) -> None:
    values = [value for op in loop.body.walk() for value in op.results]
    blocks = [block for op in (loop, *loop.body.walk()) for region in op.regions for block in region.blocks]
    for value in [*values, *(argument for block in blocks for argument in block.args)]:
        kind = map_spans(value.type, lambda name, size: (new if name == old else name, size))
        if kind != value.type:
            Rewriter.replace_value_with_new_type(value, kind).name_hint = value.name_hint


def _leading_axes(grid: GridOp) -> set[SSAValue]:
    """The spans that index leading dimensions only, where a window may begin and end anywhere."""
    leading: set[SSAValue] = set()
    tiled: set[SSAValue] = set()
    for op in grid.walk():
        if isinstance(op, AccessOp):
            for position, dim in enumerate(op.window):
                if dim.base is not None and span_of(dim.base):
                    (tiled if position >= len(op.window) - 2 else leading).add(dim.base)
    return leading - tiled


def _move_parallel_axes_out(space: StepSpace, window: WindowOp) -> None:
    """Move parallel axes of `window` that stand inside one it shares blocks along to the front."""
    shared = shared_axes(window)
    behind = axes_behind(block_values(window))
    begun = False
    for axis in list(space.order):
        begun = begun or axis.op in shared
        inside = begun and axis.op in behind and axis.op not in shared
        if (
            inside
            and axis.op.order.data is Order.PARALLEL
            and not axis.op.operands
            and _free_to_move(space, axis.op)
        ):
            space.head.remove(axis.op)
            space.head.insert(0, axis.op)
    for axis in shared:
        axis.order = OrderAttr(Order.ORDERED)


def _keep_promises(grid: GridOp) -> None:
    """State before the kernel what the `max` of its axes promise, what positions in segments need, and where
    ranges that end at sums have to end."""
    for stated in expected_sums(grid):
        Rewriter.insert_op(stated, InsertPoint.before(grid))
    for loop in [inner for inner in grid.walk() if isinstance(inner, ForOp)]:
        skipped = may_be_skipped(loop, grid) or is_conditional(loop, grid)
        if loop.axis.bounds.limit is None:
            positions = None if skipped else most_positions(loop)
            if positions is not None:
                _state(_expected(loop.axis.bounds, positions), loop, grid)
            continue
        most, accessed = _most(loop.axis.bounds), most_accessed(loop)
        if most is not None and most <= loop.axis.bounds.limit:
            continue
        expected = _expected(loop.axis.bounds, loop.axis.bounds.limit)
        inside = accessed is not None and accessed <= loop.axis.bounds.limit
        if inside and (expected is None or skipped or not _uses_all(loop.axis.bounds)):
            continue  # arguments for which it were not so would have no meaning
        if expected is None:
            known = "" if most is None or most >= _LONGEST else f"; a limit of {most} holds in any case"
            fail(
                loop,
                f"fold-outer-pipeline: axis {loop.axis.name} promises max {loop.axis.bounds.limit}, "
                "which cannot be checked before the kernel runs; "
                f"it can for a segment, or from 0 to an element of an array, or a number more{known}",
            )
        _state(expected, loop, grid)


def _state(expected: ExpectOp | None, loop: ForOp, grid: GridOp) -> None:
    if expected is not None:
        expected.location = loop.location
        Rewriter.insert_op(expected, InsertPoint.before(grid))


def _most(bounds: Bounds[SSAValue]) -> int | None:
    """The largest extent that an axis can have, where anything is known of it."""
    divided, around = divided_span(bounds), _around(bounds)
    lanes = None if divided is None else span_of(divided)
    known = [
        static_extent(bounds),
        None if lanes is None else lanes.size,
        *(_length(replace(bounds, end=end)).high for end in ends_in(bounds)),
        None if around is None else around.limit,
        None if around is None else _most(around),
    ]
    return min((each for each in known if each is not None), default=None)


def _length(bounds: Bounds[SSAValue]) -> Range:
    """The range of `end - begin`, in which what both have is no matter."""
    ranges, length = Ranges(), linear(bounds.end) - linear(bounds.begin)
    total = Range(0, length.constant)
    for leaf, factor in length.factors.items():
        total += (Range(low=0) if isinstance(leaf, tuple) else ranges.of(leaf)) * Range(0, factor)
    return total


def _around(bounds: Bounds[SSAValue]) -> Bounds[SSAValue] | None:
    """The bounds of an axis that these are a part of: up to a tile of it, or from one on."""
    for bound, side in ((bounds.begin, Side.BEGIN), (bounds.end, Side.END)):
        owner = None if isinstance(bound, int) else bound.owner
        whole = axis_bounds(owner.span) if isinstance(owner, BoundOp) and owner.side.data is side else None
        if whole is None:
            continue
        here, there = (bounds.end, whole.end) if side is Side.BEGIN else (bounds.begin, whole.begin)
        if linear(here) == linear(there):
            return whole
    return None


def _expected(bounds: Bounds[SSAValue], limit: int) -> ExpectOp | None:
    around = _around(bounds)
    if around is not None:
        return _expected(around, limit)
    begin, end = bounds.begin, bounds.end
    if isinstance(end, int):
        return None
    length = linear(end) - linear(begin)
    for segment in {leaf.owner for leaf in length.factors if isinstance(leaf, SSAValue)}:
        if not isinstance(segment, SegmentOp) or segment.last is not None:
            continue
        if length == linear(segment.end) - linear(segment.begin):
            return ExpectOp("segments", segment.begins, limit, segment.ends)
    load, more = _loaded(bounds), length.constant  # such as a row that is added to a cache before it is read
    if load is not None and begin == 0 and 0 <= more <= limit:
        return ExpectOp("elements", load.array, limit - more)
    return None


def _loaded(bounds: Bounds[SSAValue]) -> LoadOp | None:
    """The load of the integer where an axis ends, or a number behind that."""
    found = linear(bounds.end)
    (leaf, factor) = next(iter(found.factors.items()), (None, 0))
    made = leaf.owner if isinstance(leaf, SSAValue) else None
    return made if isinstance(made, LoadOp) and factor == len(found.factors) == 1 else None


def _uses_all(bounds: Bounds[SSAValue]) -> bool:
    """Whether an axis between loaded integers is made for each element of their array."""
    load = _loaded(bounds)
    if load is None:
        return True
    ranges = [None if dim.base is None else whole_bounds(dim.base) for dim in load.window]
    return all(
        each is not None and each.begin == 0 and linear(each.end) == extent(load.array, position)
        for position, each in enumerate(ranges)
    )


def _order_axes_that_may_rest(pipeline: PipelineOp) -> None:
    """A step that only keeps an empty range may rest on a block of the next: such axes run in order."""
    resting = [op for op in pipeline.body.block.ops if op.properties.get("keep") is not None]
    for axis in axes_behind([op.results[0] for op in resting]):
        axis.order = OrderAttr(Order.ORDERED)


def _order_single_steps(pipeline: PipelineOp) -> None:
    """The one step of an axis inside an ordered one finds what earlier steps left: it is not parallel."""
    inside = False
    for axis in pipeline.axes:
        if inside and one_step(axis):
            axis.order = OrderAttr(Order.ORDERED)
        inside = inside or axis.order.data is Order.ORDERED


def _free_to_move(space: StepSpace, axis: AxisOp) -> bool:
    """Whether moving the axis outward would repeat no statement."""
    loop = next((loop for loop, step in space.axis_of.items() if step.op is axis), None)
    return loop is None or not statements_around(space, loop)
