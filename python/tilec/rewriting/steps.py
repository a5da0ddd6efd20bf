"""From a nest of grid and loops to the axes of one pipeline.

Each loop of the nest becomes an axis. Loops that follow each other inside one iteration become stretches of
one common axis: it runs through the tiles of the first, then of the second, and so on, and while one runs the
others rest on a tile of their own, the first before their turn and the last after it, so that no window is
visited twice with a gap in between.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from xdsl.dialects import memref
from xdsl.dialects.builtin import IndexType, TensorType
from xdsl.ir import Block, Operation, SSAValue
from xdsl.traits import is_side_effect_free

from tilec.analysis.affine import begins_on_a_tile, divided_span, is_inside, static_extent
from tilec.analysis.ranges import Ranges
from tilec.diagnostics import fail
from tilec.dialects.tile.arrays import LoadOp, SegmentOp
from tilec.dialects.tile.bound import BoundOp, Side
from tilec.dialects.tile.elementwise import CastOp, CompareOp, SelectOp
from tilec.dialects.tile.gathers import DistinctOp
from tilec.dialects.tile.loops import Axis, ForOp, GridOp, Order, OrderAttr, YieldOp
from tilec.dialects.tile.numbered import SpanOp
from tilec.dialects.tile.places import ScratchOp, SetOp
from tilec.dialects.tile.schedule import AxisOp
from tilec.dialects.tile.steps import FirstOp, LastOp, LiveOp
from tilec.dialects.tile.syntax import Bounds
from tilec.dialects.tile.types import SpanType, span_of
from tilec.dialects.tile.values import SplatOp
from tilec.rewriting.index import Index, IndexBuilder

IndexBounds: TypeAlias = Bounds[SSAValue]
Resting: TypeAlias = tuple[SSAValue | None, SSAValue | None]
"""When a loop's turn has not come yet, and when it is over; `None` is never."""


class StepAxis:
    """An axis of the pipeline: which steps are its first and last, and when it has anything to do.

    `active` is the condition under which it is this axis' turn, `live` that its range is not empty; `None` is
    always.
    """

    def __init__(
        self,
        builder: IndexBuilder,
        op: AxisOp,
        *,
        first: SSAValue | None = None,
        last: SSAValue | None = None,
        active: SSAValue | None = None,
        live: SSAValue | None = None,
    ):
        self.op = op
        self.active = active
        self._builder = builder
        self._first = first
        self._last = last
        self._live = live

    @property
    def single(self) -> bool:
        """Whether it has one step, whatever happens."""
        bounds, span = self.op.axis.bounds, span_of(self.op.result)
        extent = static_extent(bounds)
        if extent is None or self.op.aligned is not None:
            return False
        return extent <= (span.size if span else 1)

    @property
    def first(self) -> SSAValue | None:
        """Whether it is the first step; `None` where there is only one."""
        if self._first is None and not self.single:
            self._query_made()
            self._first = self._builder.insert(FirstOp(self.op.result))
            self._first.name_hint = f"first_{self.op.axis.name}"
        return self._first

    @property
    def last(self) -> SSAValue | None:
        """Whether it is the last step; `None` where there is only one."""
        if self._last is None and not self.single:
            self._query_made()
            self._last = self._builder.insert(LastOp(self.op.result))
            self._last.name_hint = f"last_{self.op.axis.name}"
        return self._last

    def _query_made(self) -> None:
        # What one step leaves for others keeps the axis in order, on one core.
        self.op.order = OrderAttr(Order.ORDERED)

    @property
    def live(self) -> SSAValue | None:
        if self._live is None and self.op.keep is not None:
            self._live = self._builder.insert(LiveOp(self.op.result))
            self._live.name_hint = f"some_{self.op.axis.name}"
        return self._live


@dataclass
class Level:
    """One block of the nest: its loops, the axes of all loops in it and below, what else it does."""

    loops: list[ForOp] = field(default_factory=list[ForOp])
    axes: list[StepAxis] = field(default_factory=list[StepAxis])
    statements: dict[Operation, None] = field(default_factory=dict[Operation, None])
    """In order; a dict for its fast membership."""


class StepSpace:
    """The axes and scalars of one pipeline, built from a `tile.grid`.

    `env` maps what every step can compute of the program's values (indices, spans, scalars) to the
    pipeline's.
    """

    def __init__(self, grid: GridOp, exact: set[SSAValue]):
        self.grid = grid
        self.exact = exact
        self.head: list[Operation] = []
        self.build = IndexBuilder(self.head, grid.location)
        self.env: dict[SSAValue, SSAValue] = {}
        self.levels: dict[Block, Level] = {}
        self.axis_of: dict[ForOp, StepAxis] = {}
        self.order: list[StepAxis] = []
        for axis in grid.axes:
            self._grid_axis(axis)
        self._level(grid.body.block, keep=False)

    def _grid_axis(self, axis: Axis) -> None:
        self.build.location = self.grid.location
        op = self._axis_op(axis, axis.bounds, keep=False)
        self.env[axis.value] = op.result
        self.order.append(StepAxis(self.build, op))

    def _axis_op(self, axis: Axis, bounds: IndexBounds, *, keep: bool) -> AxisOp:
        aligned = axis.value not in self.exact and _may_align(axis)
        op = AxisOp(
            replace(bounds, exact=False),
            axis.value.type,
            axis.order or Order.ORDERED,
            aligned=aligned,
            keep=keep,
        )
        op.result.name_hint = axis.value.name_hint
        self.build.insert(op)
        return op

    def _bounds(self, loop: ForOp) -> tuple[Index, Index]:
        """Begin and end of a loop's axis in the pipeline. Refuses what no step knows before the others."""
        bounds = (loop.axis.bounds.begin, loop.axis.bounds.end)
        if not all(isinstance(value, int) or self._known(value) for value in bounds):
            fail(
                loop,
                f"fold-outer-pipeline: axis {loop.axis.name} has a bound that is computed from tiles; "
                "bounds must follow from axes, segments and scalars",
            )
        begin, end = (value if isinstance(value, int) else self.env.get(value, value) for value in bounds)
        return begin, end

    def _level(self, block: Block, *, keep: bool, resting: Resting | None = None) -> Level:
        """Make the axes of the loops in `block`. `resting` tells the steps before and after its turn."""
        level = self.levels[block] = Level()
        for op in block.ops:
            if isinstance(op, ForOp):
                level.loops.append(op)
            elif not isinstance(op, YieldOp) and not self._hoist(op):
                level.statements[op] = None
        keep = keep or _acts(level)
        if len(level.loops) > 1:
            self._stretches(level, resting)
        elif level.loops:
            self._one_loop(level, keep=keep, resting=resting)
        return level

    def _hoist(self, op: Operation) -> bool:
        """Compute `op` in every step, if it is scalar and depends on scalars only."""
        if not is_scalar(op) or not all(self._known(value) for value in op.operands):
            return False
        clone = op.clone(self.env)
        self.head.append(clone)
        return True

    def _known(self, value: SSAValue) -> bool:
        return value in self.env or not is_inside(value, self.grid)

    def _one_loop(self, level: Level, *, keep: bool, resting: Resting | None) -> None:
        (loop,) = level.loops
        self.build.location = loop.location
        if resting is None and _has_one_tile(loop.axis):
            self.env[loop.axis.value] = self._only_tile(loop)
            inner = self._level(loop.body.block, keep=keep)
            level.axes = inner.axes
            return
        extent = static_extent(loop.axis.bounds)
        idles = resting is not None or (keep and not extent and not self._divides_a_tile(loop.axis))
        bounds = self._resting_bounds(loop, resting)
        op = self._axis_op(loop.axis, bounds, keep=idles)
        axis = StepAxis(self.build, op)
        self.env[loop.axis.value] = op.result
        self.axis_of[loop] = axis
        self.order.append(axis)
        inner = self._level(loop.body.block, keep=keep, resting=resting)
        level.axes = [axis, *inner.axes]

    def _only_tile(self, loop: ForOp) -> SSAValue:
        """The tile of a loop that has one, which is no axis; there is none where a loop around it rests."""
        begin, end = self._bounds(loop)
        least, most = Ranges().of(end).low, Ranges().of(begin).high
        sure = least is not None and most is not None and most < least
        bounds = Bounds(begin, end, mean=loop.axis.bounds.mean)
        span = self.build.insert(SpanOp(self.build.value(0), bounds, loop.axis.value.type, keep=not sure))
        span.name_hint = loop.axis.value.name_hint
        return span

    def _divides_a_tile(self, axis: Axis) -> bool:
        """Whether an axis goes through tiles that surely have a live lane."""
        divided = divided_span(axis.bounds)
        maker = None if divided is None else self.env[divided].owner
        return isinstance(maker, AxisOp | SpanOp) and maker.keep is None

    def _resting_bounds(self, loop: ForOp, resting: Resting | None) -> IndexBounds:
        """Bounds that are empty while the axis rests: at its begin, and then where its last step was."""
        build = self.build
        begin, end = self._bounds(loop)
        if resting is not None:
            before, after = resting
            if after is not None:
                last = end if span_of(loop.axis.value) else build.maximum(begin, build.sub(end, 1))
                begin, end = build.select(after, last, begin), build.select(after, last, end)
            if before is not None:
                end = build.select(before, begin, end)
        return replace(loop.axis.bounds, begin=begin, end=end)

    def _stretches(self, level: Level, resting: Resting | None) -> None:
        """One axis for loops that follow each other, each a stretch of its steps.

        While the loop around them rests, it makes one step: its first before that loop's turn, its last after
        it.
        """
        build = self.build
        tiles: list[Index] = [self._tiles(loop) for loop in level.loops]
        starts: list[Index] = [0]
        for count in tiles:
            starts.append(build.add(starts[-1], count))
        build.location = self.grid.location
        before, after = resting or (None, None)
        begin: Index = 0 if after is None else build.select(after, build.sub(starts[-1], 1), 0)
        end = starts[-1] if before is None else build.select(before, 1, starts[-1])
        limits = [_most_tiles(loop) for loop in level.loops]
        known = [each for each in limits if each is not None]
        promised = isinstance(starts[-1], SSAValue) and len(known) == len(limits)
        limit = sum(known) if promised else None
        mean = _mean_steps(level.loops) if isinstance(end, SSAValue) else None
        op = AxisOp(Bounds(begin, end, limit, mean), IndexType(), Order.ORDERED)
        op.result.name_hint = "step"
        common = StepAxis(build, op)
        build.insert(op)
        self.order.append(common)
        level.axes = [common]
        for position, count in enumerate(tiles):
            self._stretch(level, position, op, count, (starts[position], starts[position + 1]), resting)

    def _tiles(self, loop: ForOp) -> Index:
        """Steps of one loop: at least one, so that what stands around it has a step to run in."""
        self.build.location = loop.location
        span = span_of(loop.axis.value)
        begin, end = self._bounds(loop)
        size = span.size if span else 1
        if _may_align(loop.axis) and span:
            begin = self.build.mul(self.build.floordiv(begin, size), size)
        return self.build.maximum(self.build.ceildiv(self.build.sub(end, begin), size), 1)

    def _stretch(
        self,
        level: Level,
        position: int,
        common: AxisOp,
        tiles: Index,
        steps: tuple[Index, Index],
        resting: Resting | None,
    ) -> None:
        """The loop at `position` of `level` as the `steps`, from the first up to the second, of the common
        axis.
        """
        build, loop = self.build, level.loops[position]
        start, stop = steps
        long_before, long_after = resting or (None, None)
        build.location = loop.location
        step, bounds = common.result, loop.axis.bounds
        comes_later, goes_earlier = position > 0, position < len(level.loops) - 1
        before = build.compare("slt", step, start) if comes_later else None
        after = build.compare("sge", step, stop) if goes_earlier else None
        turn = [build.compare("sge", step, start)] if comes_later else []
        turn += [build.compare("slt", step, stop)] if goes_earlier else []
        tile = build.sub(step, start)
        tile = build.maximum(tile, 0) if comes_later else tile
        tile = build.minimum(tile, build.sub(tiles, 1)) if goes_earlier else tile
        value = self._resting_value(loop, tile)
        value.name_hint = loop.axis.value.name_hint
        self.env[loop.axis.value] = value
        begin, end = self._bounds(loop)
        axis = StepAxis(
            build,
            common,
            first=build.compare("eq", step, start),
            last=build.compare("eq", step, build.sub(stop, 1)),
            active=build.every(turn),
            live=None if static_extent(bounds) else build.compare("slt", begin, end),
        )
        self.axis_of[loop] = axis
        inner = (build.either(before, long_before), build.either(after, long_after))
        level.axes += self._level(loop.body.block, keep=True, resting=inner).axes

    def _resting_value(self, loop: ForOp, tile: Index) -> SSAValue:
        """The loop's index or span at its tile number `tile`, which is its first or last while it rests."""
        build, span, bounds = self.build, span_of(loop.axis.value), loop.axis.bounds
        begin, end = self._bounds(loop)
        keep = not static_extent(bounds)
        if span is None and not keep:
            return build.value(build.add(begin, tile))
        if span is None:  # there may be no such index, which a tile of one can say
            kind = SpanType(f"{loop.axis.name}_place", 1)
            place = SpanOp(build.value(tile), Bounds(begin, end), kind, keep=True)
            return build.insert(BoundOp(Side.BEGIN, build.insert(place)))
        aligned = _may_align(loop.axis)
        if aligned:
            tile = build.add(build.floordiv(begin, span.size), tile)
        made = Bounds(begin, end, mean=bounds.mean)
        return build.insert(SpanOp(build.value(tile), made, span, aligned=aligned, keep=keep))


def _acts(level: Level) -> bool:
    """Whether what a block does besides its loops is of use where these have no steps: more than what one of
    them begins with, kept in scratch that is made here."""
    if len(level.loops) != 1:
        return bool(level.statements)
    (loop,) = level.loops
    made = {op.result for op in level.statements if isinstance(op, ScratchOp)}

    def only_begins(op: Operation) -> bool:
        kept = isinstance(op, LoadOp | ScratchOp) or (isinstance(op, SetOp) and op.ref in made)
        return op.is_before_in_block(loop) and (kept or is_side_effect_free(op))

    return not all(map(only_begins, level.statements))


def _has_one_tile(axis: Axis) -> bool:
    """Whether an axis from a literal to an end that only the kernel knows surely has one tile, no less."""
    span, (begin, end) = span_of(axis.value), (axis.bounds.begin, axis.bounds.end)
    if span is None or not isinstance(begin, int) or isinstance(end, int) or begin % span.size:
        return False
    known = Ranges().of(end)
    return (
        known.low is not None
        and known.high is not None
        and begin < known.low
        and known.high <= begin + span.size
    )


def _may_align(axis: Axis) -> bool:
    """Whether tiles are cut where those of the array are, as they begin elsewhere and need not."""
    return not axis.bounds.exact and not begins_on_a_tile(axis.value)


def _most_tiles(loop: ForOp) -> int | None:
    """The most steps of one stretch, where a literal bounds the extent of its axis."""
    bounds, span = loop.axis.bounds, span_of(loop.axis.value)
    most = static_extent(bounds)
    most = bounds.limit if most is None else most
    if most is None:
        return None
    between = _may_align(loop.axis)  # a tile of memory more
    return max(-(-most // (span.size if span else 1)) + between, 1)


def _mean_steps(loops: Sequence[ForOp]) -> int | None:
    """The steps of stretches on average, where the axes of all loops say what their extents are."""
    steps = 0
    for loop in loops:
        bounds, span = loop.axis.bounds, span_of(loop.axis.value)
        mean = static_extent(bounds) if bounds.mean is None else bounds.mean
        if mean is None:
            return None
        steps += -(-mean // (span.size if span else 1))
    return steps


def is_constant(op: Operation) -> bool:
    """Whether `op` is a splat, or computes a scalar from splats alone."""
    owners = [value.owner for value in op.operands]
    made = all(isinstance(each, Operation) and is_constant(each) for each in owners)
    return isinstance(op, SplatOp) or (bool(owners) and made and is_scalar(op))


def is_scalar(op: Operation) -> bool:
    """Whether `op` computes scalars from scalars, reading at most single elements of arrays."""
    if isinstance(op, SegmentOp | memref.DimOp):
        return True
    if isinstance(op, LoadOp):
        return not isinstance(op.result.type, TensorType) and op.mask is None
    if isinstance(op, SpanOp | BoundOp | DistinctOp):
        return True
    on_lanes = isinstance(op, SplatOp | CompareOp | SelectOp | CastOp)
    if op.regions or (op.name.startswith("tile.") and not on_lanes):
        return False
    return bool(op.results) and not any(isinstance(v.type, TensorType) for v in (*op.results, *op.operands))


def statements_around(space: StepSpace, loop: ForOp) -> Sequence[Operation]:
    """What the blocks around `loop`, up to the grid, do besides loops and scalars."""
    found: list[Operation] = []
    block = loop.parent
    while block is not None and block in space.levels:
        found += space.levels[block].statements
        outer = block.parent_op()
        block = outer.parent if isinstance(outer, ForOp) else None
    return found
