"""Reads what a program does into `Workload`s, before `--choose-blocks`, or later with some sizes.

Read later, what passes make of computed positions and of updates that meet is seen: axes that are to be
chosen then stay names, those that passes made have their sizes.

How long an axis runs is not always known. Where the program says nothing, an axis whose ends are loaded runs
through its share of the rows it indexes, that of one of the iterations around it; one that ends where a tile
around it does, as in causal attention, through half of what it could. One whose ends are computed from
indices around it runs as long as it does on average.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise
from math import ceil, prod

from xdsl.dialects import scf
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Attribute, Block, Operation, SSAValue

from tilec.analysis.affine import ends_in, linear, static_extent
from tilec.analysis.flat import Flat
from tilec.analysis.known import ROWS, Known
from tilec.analysis.lane_costs import cost_of, spilled_by
from tilec.analysis.reach import indexing
from tilec.analysis.row_gathers import PER_COPY, PER_PICK, PER_RUN, PER_TILE, rows_copied, run_of
from tilec.analysis.row_updates import PER_REGISTER, PER_ROW
from tilec.analysis.vmem import LANES, SUBLANES, WORD
from tilec.analysis.workload import INNER, Extent, Lanes, Level, Product, Traffic, Unit, Workload
from tilec.dialects.tile.access import AccessOp, Dim, Effect
from tilec.dialects.tile.arrays import LoadOp, SegmentOp, StoreOp
from tilec.dialects.tile.atomics import AtomicRmwOp
from tilec.dialects.tile.axes import Axis
from tilec.dialects.tile.bound import BoundOp, Side
from tilec.dialects.tile.gathers import GatherOp
from tilec.dialects.tile.locals import is_local
from tilec.dialects.tile.loops import ForOp, GridOp, LoopOp, Order
from tilec.dialects.tile.mixing import ReduceOp, ScanOp
from tilec.dialects.tile.products import DotOp, Precision
from tilec.dialects.tile.scans import AssociativeScanOp
from tilec.dialects.tile.syntax import ints_of
from tilec.dialects.tile.types import UNBOUND, byte_width, element_type, shape_of, span_names, span_of
from tilec.dialects.tile.values import BroadcastOp, TransposeOp

TURNED, TURNED_OF_MANY = 4.0, 0.007
"""Registers that are stored and loaded for one of a tile whose rows begin between tiles of memory, and for
each row of the tile. Fitted to four taps of a convolution of bf16 by libtpu 0.0.51, which take 17 cycles a
register on v5e in tiles of 128 rows, 20 of 256 and 28 of 1024."""


def workloads(
    module: ModuleOp,
    known: Known | None = None,
    chosen: Collection[str] | None = None,
    flat: Mapping[str, Flat] | None = None,
) -> list[Workload]:
    """What each kernel of a program does. Sizes of axes that are not `chosen` stand; without, none does.

    `flat` are the axes whose tiles become rows with sizes that are large enough.
    """
    grids = [op for op in module.walk() if isinstance(op, GridOp)]
    found = [_Reader(known or Known(), chosen).read(grid) for grid in grids]
    for work in found:
        work.flat = {axis: each.widths for axis, each in (flat or {}).items()}
    return found


class _Reader:
    """Reads one grid."""

    def __init__(self, known: Known, chosen: Collection[str] | None):
        self.known = known
        self.chosen = chosen
        self.work = Workload()
        self.at: dict[SSAValue, int] = {}  # the level of each axis
        self.axes: dict[SSAValue, Axis] = {}
        self.arrays: dict[SSAValue, int] = {}
        self.windows: set[tuple[SSAValue, Effect, tuple[Dim, ...]]] = set()

    def read(self, grid: GridOp) -> Workload:
        self._loop(grid, -1)
        levels = [level.axis for level in self.work.levels if level.size is None]
        extents = [each.shape for each in (*self.work.lanes, *self.work.traffic)]
        extents += [(each.batch, each.m, each.n, each.k) for each in self.work.products]
        named = {each for shape in (levels, *extents) for each in shape if isinstance(each, str)}
        self.work.axes = tuple(sorted(named | {each.follows for each in self.work.levels if each.follows}))
        return self.work

    def _is_chosen(self, axis: str) -> bool:
        return self.chosen is None or axis in self.chosen

    def _extents(self, kind: Attribute) -> tuple[Extent, ...]:
        """The extents of a type, those that came from axes whose sizes are to be chosen by name."""
        shape, names = shape_of(kind), span_names(kind)
        return tuple(
            size if name is None or not self._is_chosen(name) else name
            for name, size in zip(names or [None] * len(shape), shape, strict=True)
        )

    def _loop(self, loop: LoopOp, around: int) -> None:
        for axis in loop.axes:
            span = span_of(axis.value)
            follows, within = self._follows(axis), self._within(axis)
            ragged = span is not None and self._length(axis) is None and follows is None
            most, share = axis.bounds.limit or self._most(loop, axis), self._extent(loop, axis, around)
            name, outer = span and span.axis, isinstance(loop, GridOp)
            size = None if span is None or self._is_chosen(span.axis) else span.size
            ranges = self._ranges(axis) if ragged else ()
            if within is not None:
                follows, ranges, share = within.axis, within.ranges, within.extent / 2
            ordered = axis.order is Order.ORDERED or (isinstance(loop, ForOp) and bool(loop.inits))
            mean, leading = axis.bounds.mean, self._is_leading(loop, axis)
            level = Level(
                *(around, name, share, most, ragged, follows, outer, size, mean, ranges, ordered, leading),
                whole=axis.bounds.begin == 0,
                shared=self._shared(axis),
            )
            around = self.at[axis.value] = len(self.work.levels)
            self.axes[axis.value] = axis
            self.work.levels.append(level)
        if isinstance(loop, ForOp):
            self._carried(loop, around)
        self._block(loop.body.block, around)

    def _carried(self, loop: ForOp, level: int) -> None:
        """What a loop carries is in scratch memory between its steps, put there before and read after."""
        around = self.work.levels[level].parent
        for value in loop.carried:
            if shape_of(value.type):
                width, shape = max(byte_width(element_type(value.type)), 1), self._extents(value.type)
                for unit in (Unit.LOADS, Unit.STORES):
                    self.work.lanes += [
                        Lanes(each, unit, shape, width, 1.0, carried=True) for each in (around, level)
                    ]

    def _block(self, block: Block, level: int) -> None:
        for op in block.ops:
            match op:
                case ForOp():
                    self._loop(op, level)
                case scf.IfOp():
                    # A branch on elements is for infinities and NaN.
                    regions = op.regions[1:] if _hangs_on_elements(op.cond) else op.regions
                    for inner in (inner for region in regions for inner in region.blocks):
                        self._block(inner, level)
                case AccessOp():
                    self._traffic(op, level)
                case DotOp():
                    self._product(op, level)
                case _:
                    self._lanes(op, level)

    def _extent(self, loop: LoopOp, axis: Axis, around: int) -> float:
        """How many indices an axis has in one run, on average."""
        known, limit = self._length(axis), axis.bounds.limit
        if known is not None:
            return max(known, 0)
        ranges = self._ranges(axis)
        if ranges:
            return sum(end - begin for begin, end in ranges) / len(ranges)
        computed = self._computed(axis)
        if computed is not None:
            return computed
        if axis.bounds.mean is not None:
            return axis.bounds.mean
        if self._follows(axis) is not None or self._restarts(loop, axis):
            return (limit or self._most(loop, axis)) / 2
        # Runs share a dimension; with axes that have no say in where they begin or end all begin anew.
        ends = [end for end in (axis.bounds.begin, axis.bounds.end) if isinstance(end, SSAValue)]
        behind = {self.at[each] for end in ends for each in self._movers(end)}
        levels = [level for level in self.work.path(around) if level in behind and self._is_index(level)]
        runs = prod(self.work.levels[level].extent for level in levels)
        share = self._most(loop, axis) / max(runs, 1)
        return share if limit is None else min(share, limit)

    def _shared(self, axis: Axis) -> int | None:
        """The level whose tiles share the rows of an axis: those of a tile of segments."""
        begin = axis.bounds.begin.owner if isinstance(axis.bounds.begin, SSAValue) else None
        first = begin.index.owner if isinstance(begin, SegmentOp) and begin.last is not None else None
        return self.at.get(first.span) if isinstance(first, BoundOp) else None

    def _restarts(self, loop: LoopOp, axis: Axis) -> bool:
        """Whether each run begins at the same place of what it indexes: runs share no dimension then."""
        shifts = [dim.shift for _, dim in self._indexed(loop, axis)]
        return linear(axis.bounds.begin).literal is not None and all(isinstance(each, int) for each in shifts)

    def _indexed(self, loop: LoopOp, axis: Axis) -> list[tuple[int, Dim]]:
        """The extents of the dimensions that an axis indexes, and how."""
        found = indexing(axis.value, loop.walk())
        return [(self.known.rows_of(op.array, place), op.window[place]) for op, place in found]

    def _is_leading(self, loop: LoopOp, axis: Axis) -> bool:
        """Whether an axis indexes no dimension of which memory has tiles."""
        return all(place < len(op.window) - INNER for op, place in indexing(axis.value, loop.walk()))

    def _ranges(self, axis: Axis) -> tuple[tuple[int, int], ...]:
        """From where to where an axis runs, if it goes through all segments of an argument that is known, or
        through tiles of another axis whose size is."""
        ends = [each.owner for each in (axis.bounds.begin, axis.bounds.end) if isinstance(each, SSAValue)]
        if all(isinstance(each, BoundOp) and each.span in self.axes for each in ends):
            return self._tiles([each for each in ends if isinstance(each, BoundOp)])
        segment = axis.bounds.begin.owner if isinstance(axis.bounds.begin, SSAValue) else None
        if (
            not isinstance(segment, SegmentOp)
            or segment.last is not None
            or segment.end not in ends_in(axis.bounds)
        ):
            return ()
        begins = self.known.values.get(segment.begins.name_hint or "", ())
        found = pairwise(begins)
        if segment.ends is not None:
            found = zip(begins, self.known.values.get(segment.ends.name_hint or "", ()), strict=False)
        most = axis.bounds.limit
        return tuple((begin, end if most is None else min(end, begin + most)) for begin, end in found)

    def _tiles(self, ends: Sequence[BoundOp]) -> tuple[tuple[int, int], ...]:
        """The tiles that lie between two bounds, if they are those of one axis from 0 and of one size."""
        spans = {each.span for each in ends}
        if len(spans) != 1 or [each.side.data for each in ends] != [Side.BEGIN, Side.END]:
            return ()
        around = self.axes[spans.pop()]
        span, length = span_of(around.value), static_extent(around.bounds)
        if span is None or span.size == UNBOUND or length is None or around.bounds.begin != 0:
            return ()
        return tuple((begin, min(begin + span.size, length)) for begin in range(0, length, span.size))

    def _follows(self, axis: Axis) -> str | None:
        """The axis with whose tiles one ends that begins at a literal, as in causal attention."""
        if linear(axis.bounds.begin).literal is None:
            return None
        end = axis.bounds.end
        leaves = self._axes(end) if isinstance(end, SSAValue) else ()
        names = [self.work.levels[self.at[each]].axis for each in leaves]
        return next((name for name in names if name is not None), None)

    def _within(self, axis: Axis) -> Level | None:
        """The ragged level that one begins with, to end where a tile of it does."""
        begin, end = linear(axis.bounds.begin), axis.bounds.end
        for around in self._axes(end) if isinstance(end, SSAValue) else ():
            level = self.work.levels[self.at[around]]
            if level.ragged and linear(self.axes[around].bounds.begin) == begin:
                return level
        return None

    def _length(self, axis: Axis) -> int | None:
        """How many indices an axis has, where its ends are literals or extents of arrays."""
        known = static_extent(axis.bounds)
        if known is not None:
            return known
        begin, end = self.known.value(linear(axis.bounds.begin)), self.known.value(linear(axis.bounds.end))
        return None if begin is None or end is None else end - begin

    def _computed(self, axis: Axis) -> float | None:
        """How many indices an axis has on average, where its ends are computed from indices around it."""
        behind, pending = set[SSAValue](), [axis]
        while pending:
            bounds = pending.pop().bounds
            ends = [end for end in (bounds.begin, bounds.end) if isinstance(end, SSAValue)]
            new = {each for end in ends for each in self._axes(end)} - behind
            behind |= new
            pending += [self.axes[each] for each in new]
        around = {each: self.axes[each].bounds for each in sorted(behind, key=lambda each: self.at[each])}
        return None if any(map(span_of, around)) else self.known.mean_extent(axis.bounds, around)

    def _is_index(self, level: int) -> bool:
        return self.work.levels[level].axis is None

    def _most(self, loop: LoopOp, axis: Axis) -> float:
        """The longest dimension that an axis indexes."""
        return max((extent for extent, _ in self._indexed(loop, axis)), default=ROWS)

    def _traffic(self, op: AccessOp, level: int) -> None:
        key = (op.array, op.effect, tuple(op.window))
        if is_local(op.array) or key in self.windows:  # accesses of one window share what is copied
            shape, width = self._extents(op.window_type), max(byte_width(element_type(op.array.type)), 1)
            unit = Unit.LOADS if op.effect is Effect.READ else Unit.STORES
            rows = isinstance(op, AtomicRmwOp) and op.rows is not None
            factor = _by_rows(shape_of(op.array.type)[-1]) if rows else 1.0
            self.work.lanes.append(Lanes(level, unit, shape, width, factor))
            return
        if isinstance(op, LoadOp | StoreOp):
            self.windows.add(key)
        behind = [
            frozenset(self.at[leaf] for value in dim.values for leaf in self._movers(value))
            for dim in op.window
        ]
        moving = frozenset[int]().union(*behind)
        if any(dim.indexed for dim in op.window):
            moving |= {level}
        wholes: list[tuple[int, frozenset[int]] | None] = []
        index = frozenset[int]()
        for dim, levels, size in zip(op.window, behind, shape_of(op.array.type), strict=True):
            if dim.kept:
                known = dim.span is not None and not dim.indexed and size != UNBOUND
                wholes.append((size, levels) if known and levels else None)
            else:
                index |= levels
        shape, width = self._extents(op.window_type), byte_width(element_type(op.array.type))
        array = self.arrays.setdefault(op.array, len(self.arrays))
        runs = isinstance(op, GatherOp) and run_of(op) > 1
        if isinstance(op, GatherOp) and op.rows is not None:
            shape = self._copied_rows(op, level, shape)
            wholes = [None] * len(shape)
        self.work.traffic.append(
            Traffic(level, moving, shape, width, op.effect, tuple(wholes), index, array, runs)
        )
        if op.window and isinstance(op.window[-1].shift, SSAValue):  # lanes that begin anywhere are moved
            self.work.lanes.append(Lanes(level, Unit.ACROSS, shape, max(width, 1), 2.0))
        if len(op.window) > 1 and op.effect is Effect.READ and _is_turned(op.window[-2]):
            self.work.lanes.append(Lanes(level, Unit.STORES, shape, WORD, TURNED))
            self.work.lanes.append(Lanes(level, Unit.STORES, (shape[-2], *shape), WORD, TURNED_OF_MANY))

    def _copied_rows(self, op: GatherOp, level: int, shape: tuple[Extent, ...]) -> tuple[Extent, ...]:
        """What is copied where rows are copied one by one, which takes the scalar unit cycles for each."""
        many, rows, unit, run = rows_copied(op) or 1, (shape[0], 1), Unit.STORES, run_of(op)
        copy, wait = (PER_COPY, PER_TILE) if run == 1 else (PER_RUN / run, 0.0)
        self.work.lanes.append(Lanes(level, unit, (1, 1), WORD, wait, looped=True))
        self.work.lanes.append(Lanes(level, unit, rows, WORD, SUBLANES * copy, looped=True))
        if many == 1:
            return shape
        self.work.lanes.append(Lanes(level, unit, rows, WORD, SUBLANES * PER_PICK, looped=True))
        self.work.lanes.append(Lanes(level, unit, shape, WORD, SUBLANES, looped=True))
        return shape[0], many, *shape[1:]

    def _movers(self, value: SSAValue) -> set[SSAValue]:
        """The axes that an index follows from, and those with which they begin elsewhere, as segments do."""
        found, pending = set[SSAValue](), [value]
        while pending:
            new = set(self._axes(pending.pop())) - found
            found |= new
            begins = (self.axes[each].bounds.begin for each in new)
            pending += [each for each in begins if isinstance(each, SSAValue)]
        return found

    def _axes(self, value: SSAValue) -> Iterable[SSAValue]:
        """The axes that an index follows from."""
        pending, seen = [value], set[SSAValue]()
        while pending:
            one = pending.pop()
            if one in seen:
                continue
            seen.add(one)
            if one in self.at:
                yield one
            elif isinstance(one.owner, Operation):
                pending += one.owner.operands

    def _product(self, op: DotOp, level: int) -> None:
        left, right = self._extents(op.lhs.type), self._extents(op.rhs.type)
        batch = left[0] if op.is_batch else 1
        m, n = left[op.kept[0]], right[op.kept[1]]
        whole = op.precision.data is Precision.HIGHEST and byte_width(element_type(op.lhs.type)) == 4
        self.work.products.append(Product(level, batch, m, n, left[op.contracted[0]], 6 if whole else 1))
        if op.contracted[0] < op.kept[0]:  # chips with small matrix units transpose it first, in 32 bits
            self.work.lanes.append(Lanes(level, Unit.ACROSS, left, 4, 2.0, refined=True))

    def _lanes(self, op: Operation, level: int) -> None:
        if not op.results:
            return
        kind = op.operands[0].type if isinstance(op, ReduceOp | BroadcastOp) else op.results[0].type
        if not shape_of(kind):
            return
        width, shape = max(byte_width(element_type(kind)), 1), self._extents(kind)
        if isinstance(op, ReduceOp):
            self._reduction(op, level, shape, width)
            self._masks(op, level, shape, width)
        else:
            for unit, factor, refined in cost_of(op):
                self.work.lanes.append(Lanes(level, unit, shape, width, factor, refined=refined))
        if isinstance(op, TransposeOp) and len(shape) > 2:
            spilled = [Lanes(level, unit, shape, width, 1.0, True) for unit in (Unit.LOADS, Unit.STORES)]
            self.work.lanes += spilled
        if isinstance(op, AssociativeScanOp | ScanOp):  # of many steps less stays in registers
            longer = (shape[op.dim.value.data], *shape)
            self.work.lanes.append(Lanes(level, Unit.STORES, longer, width, spilled_by(op)))

    def _reduction(self, op: ReduceOp, level: int, shape: tuple[Extent, ...], width: int) -> None:
        """Registers are reduced to one lane by lane, and its lanes then.

        What was computed and is used again when the result is there has to wait.
        """
        self.work.lanes.append(Lanes(level, Unit.VECTOR, shape, width, 1.0))
        if len(shape) - 1 in ints_of(op.dims):
            self.work.lanes.append(Lanes(level, Unit.ACROSS, (*shape[:-1], LANES), width, 1.0))
        if not op.value.has_one_use() and not isinstance(op.value.owner, AccessOp):
            self.work.lanes += [
                Lanes(level, unit, shape, width, 1.0, True) for unit in (Unit.LOADS, Unit.STORES)
            ]

    def _masks(self, op: ReduceOp, level: int, shape: tuple[Extent, ...], width: int) -> None:
        """Dead lanes of ragged axes are filled before a reduction. Where rows are reduced the filled ones of
        all columns come first, and do not fit the registers."""
        ragged = {each.axis for each in self.work.levels if each.ragged}
        names, dims = span_names(op.value.type) or [None] * len(shape), ints_of(op.dims)
        if ragged.isdisjoint(names[dim] for dim in dims if names[dim] is not None):
            return
        self.work.lanes.append(Lanes(level, Unit.VECTOR, shape, width, 1.0, masked=True))
        if len(shape) - 1 not in dims:
            self.work.lanes += [
                Lanes(level, unit, shape, width, 1.0, True, masked=True) for unit in (Unit.LOADS, Unit.STORES)
            ]


def _by_rows(lanes: int) -> float:
    """Cycles for a register where rows are updated one by one, of a chip that takes more for that: eight rows
    have a part in it."""
    return SUBLANES * (PER_ROW / ceil(lanes / LANES) + max(PER_REGISTER.values()))


def _hangs_on_elements(condition: SSAValue) -> bool:
    """Whether a scalar is computed from a tile's elements."""
    pending, seen = [condition], set[SSAValue]()
    while pending:
        one = pending.pop()
        if one in seen or not isinstance(one.owner, Operation):
            continue
        if isinstance(one.owner, ReduceOp):
            return True
        seen.add(one)
        pending += one.owner.operands
    return False


def _is_turned(dim: Dim) -> bool:
    """Whether rows of a tile begin between tiles of memory."""
    return dim.span is not None and isinstance(dim.shift, int) and dim.shift % SUBLANES != 0
