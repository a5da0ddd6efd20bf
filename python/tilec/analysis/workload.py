"""What a program does, as numbers that block sizes can be put into: loops, lanes computed, bytes moved.

A cost model asks for many sizes of the same program. So a program is read once, before `--choose-blocks`, and
its dimensions stay names of axes until `Workload` users give them sizes.

How long an axis runs is not always known. Where the program says nothing, an axis whose ends are loaded runs
through its share of the rows it indexes, that of one of the iterations around it; one that ends where a tile
around it does, as in causal attention, through half of what it could.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import prod

from xdsl.dialects import memref, scf
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, SSAValue

from tilec.analysis.affine import Linear, extent, linear, static_extent
from tilec.analysis.vmem import LANES, MOST_RESIDENT, padded_bytes
from tilec.dialects.tile.access import AccessOp, Dim, Effect
from tilec.dialects.tile.axes import Axis
from tilec.dialects.tile.loops import ForOp, GridOp, LoopOp
from tilec.dialects.tile.mixing import ReduceOp, ScanOp
from tilec.dialects.tile.products import DotOp, Precision
from tilec.dialects.tile.syntax import ints_of
from tilec.dialects.tile.types import UNBOUND, byte_width, element_type, shape_of, span_names, span_of
from tilec.dialects.tile.values import BroadcastOp, IndicesOp, SplatOp, TransposeOp

Extent = int | str
"""The extent of a dimension: a number, or the name of the axis whose block it is."""

ROWS = 8192
"""How many rows an array of any number of them is taken to have, where nobody says."""


class Unit(StrEnum):
    """What of a TensorCore computes something."""

    VECTOR = "vector"
    TRANSCENDENTAL = "transcendental"
    ACROSS = "across lanes"
    LOADS = "loads"
    STORES = "stores"


@dataclass(frozen=True)
class Level:
    """A loop: `parent` is the number of the one around it, -1 for none.

    `axis` names the axis if its steps are tiles. `extent` is how many indices it has in one run, on average,
    and `most` how many it may have. `ragged` says that it may begin anywhere, so that its first and last
    tiles are partial. One that is not ends where a tile of the axis `follows` does, if any. `outer` says that
    it is of the grid.
    """

    parent: int
    axis: str | None
    extent: float
    most: float
    ragged: bool
    follows: str | None = None
    outer: bool = False

    @property
    def jagged(self) -> bool:
        """Whether it has other steps from run to run, so that they are listed or some are idle."""
        return self.ragged or self.follows is not None


@dataclass(frozen=True)
class Lanes:
    """Something computed for all lanes of a value of `shape`; `factor` operations of `unit` a register.

    With `kept` it is only done to values that do not fit the registers.
    """

    level: int
    unit: Unit
    shape: tuple[Extent, ...]
    width: int
    factor: float
    kept: bool = False


@dataclass(frozen=True)
class Product:
    """A matrix product of `m` x `k` and `k` x `n`, `batch` times. `passes` are products of 16-bit floats."""

    level: int
    batch: Extent
    m: Extent
    n: Extent
    k: Extent
    passes: int


@dataclass(frozen=True)
class Traffic:
    """A window that is copied when one of the loops `moving` goes on; `width` bytes an element.

    `whole` is the array's shape if an inner loop reads it and it may as well stay on the chip.
    """

    level: int
    moving: frozenset[int]
    shape: tuple[Extent, ...]
    width: int
    effect: Effect
    whole: tuple[int, ...] | None = None


@dataclass
class Workload:
    """What one kernel does; levels are in the order in which a pipeline nests them."""

    levels: list[Level] = field(default_factory=list[Level])
    lanes: list[Lanes] = field(default_factory=list[Lanes])
    products: list[Product] = field(default_factory=list[Product])
    traffic: list[Traffic] = field(default_factory=list[Traffic])

    def path(self, level: int) -> list[int]:
        """A level and those around it, outermost first."""
        found: list[int] = []
        while level >= 0:
            found.insert(0, level)
            level = self.levels[level].parent
        return found


def workloads(module: ModuleOp, rows: Mapping[str, int] | None = None) -> list[Workload]:
    """What each kernel of a program does. `rows` says how many arrays have, by the arguments' names."""
    found: list[Workload] = []
    for op in module.walk():
        if isinstance(op, GridOp):
            found.append(_Reader(rows or {}).read(op))
    return found


class _Reader:
    """Reads one grid."""

    def __init__(self, rows: Mapping[str, int]):
        self.rows = rows
        self.work = Workload()
        self.at: dict[SSAValue, int] = {}  # the level of each axis

    def read(self, grid: GridOp) -> Workload:
        self._loop(grid, -1)
        return self.work

    def _loop(self, loop: LoopOp, around: int) -> None:
        for axis in loop.axes:
            span = span_of(axis.value)
            follows = self._follows(axis)
            ragged = span is not None and self._length(axis) is None and follows is None
            most, share = axis.bounds.limit or self._most(loop, axis), self._extent(loop, axis, around)
            name, outer = span and span.axis, isinstance(loop, GridOp)
            level = Level(around, name, share, most, ragged, follows, outer)
            around = self.at[axis.value] = len(self.work.levels)
            self.work.levels.append(level)
        self._block(loop.body.block, around)

    def _block(self, block: Block, level: int) -> None:
        for op in block.ops:
            match op:
                case ForOp():
                    self._loop(op, level)
                case scf.IfOp():
                    for region in op.regions:
                        for inner in region.blocks:
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
        if self._follows(axis) is not None or self._restarts(loop, axis):
            return (limit or self._most(loop, axis)) / 2
        runs = prod(
            self.work.levels[level].extent for level in self.work.path(around) if self._is_index(level)
        )
        share = self._most(loop, axis) / max(runs, 1)
        return share if limit is None else min(share, limit)

    def _restarts(self, loop: LoopOp, axis: Axis) -> bool:
        """Whether each run begins at the same place of what it indexes: runs share no dimension then."""
        shifts = [dim.shift for _, dim in self._indexed(loop, axis)]
        return linear(axis.bounds.begin).literal is not None and all(isinstance(each, int) for each in shifts)

    def _indexed(self, loop: LoopOp, axis: Axis) -> list[tuple[int, Dim]]:
        """The extents of the dimensions that an axis indexes, and how."""
        return [
            (self._rows(access.array, place), dim)
            for access in loop.walk()
            if isinstance(access, AccessOp)
            for place, dim in enumerate(access.window)
            if dim.base is axis.value
        ]

    def _follows(self, axis: Axis) -> str | None:
        """The axis with whose tiles one ends that begins at a literal, as in causal attention."""
        if linear(axis.bounds.begin).literal is None:
            return None
        end = axis.bounds.end
        leaves = self._axes(end) if isinstance(end, SSAValue) else ()
        names = [self.work.levels[self.at[each]].axis for each in leaves]
        return next((name for name in names if name is not None), None)

    def _length(self, axis: Axis) -> int | None:
        """How many indices an axis has, where its ends are literals or extents of arrays."""
        known = static_extent(axis.bounds)
        if known is not None:
            return known
        begin, end = self._value(linear(axis.bounds.begin)), self._value(linear(axis.bounds.end))
        return None if begin is None or end is None else end - begin

    def _value(self, form: Linear) -> int | None:
        """A sum of literals and of extents of arguments, None for another."""
        total = form.constant
        for leaf, factor in form.factors.items():
            if not isinstance(leaf, tuple):
                return None
            total += factor * self.rows.get(leaf[0].name_hint or "", ROWS)
        return total

    def _is_index(self, level: int) -> bool:
        return self.work.levels[level].axis is None

    def _most(self, loop: LoopOp, axis: Axis) -> float:
        """The longest dimension that an axis indexes."""
        return max((extent for extent, _ in self._indexed(loop, axis)), default=ROWS)

    def _rows(self, array: SSAValue, place: int) -> int:
        """The extent of a dimension of an array."""
        known = self._value(extent(array, place))
        return ROWS if known is None else known

    def _traffic(self, op: AccessOp, level: int) -> None:
        moving = {self.at[leaf] for dim in op.window for value in dim.values for leaf in self._axes(value)}
        if op.window and any(dim.indexed for dim in op.window):
            moving.add(level)
        shape = _extents(op.window_type)
        width = byte_width(element_type(op.array.type))
        whole = shape_of(op.array.type)
        small = len(whole) > 1 and UNBOUND not in whole and padded_bytes(whole, width) <= MOST_RESIDENT
        inner = op.effect is Effect.READ and isinstance(op.parent_op(), ForOp)
        kept = tuple(whole) if small and inner else None
        self.work.traffic.append(Traffic(level, frozenset(moving), shape, width, op.effect, kept))

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
        left, right = _extents(op.lhs.type), _extents(op.rhs.type)
        batch = left[0] if op.is_batch else 1
        m, n = left[op.kept[0]], right[op.kept[1]]
        whole = op.precision.data is Precision.HIGHEST and byte_width(element_type(op.lhs.type)) == 4
        self.work.products.append(Product(level, batch, m, n, left[op.contracted[0]], 6 if whole else 1))

    def _lanes(self, op: Operation, level: int) -> None:
        unit, factor = cost_of(op)
        if not factor or not op.results:
            return
        kind = op.operands[0].type if isinstance(op, ReduceOp) else op.results[0].type
        if not shape_of(kind):
            return
        width, shape = max(byte_width(element_type(kind)), 1), _extents(kind)
        if isinstance(op, ReduceOp):
            self._reduction(op, level, shape, width)
        else:
            self.work.lanes.append(Lanes(level, unit, shape, width, factor))

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


_HARD = {
    "math.exp": 1.0,
    "math.exp2": 1.0,
    "math.log": 1.0,
    "math.tanh": 1.0,
    "math.rsqrt": 1.0,
    "math.sqrt": 2.0,
    "math.erf": 4.0,
    "arith.divf": 1.0,
    "math.sin": 8.0,
    "math.cos": 8.0,
}
"""What the transcendental unit does, operations a register."""


def cost_of(op: Operation) -> tuple[Unit, float]:
    """The unit that an operation keeps busy most, and its operations for one register of the result."""
    if op.name in _HARD:
        return Unit.TRANSCENDENTAL, _HARD[op.name]
    match op:
        case ScanOp() | TransposeOp():
            return Unit.ACROSS, 2.0
        case SplatOp() | BroadcastOp() | IndicesOp() | memref.DimOp():
            return Unit.VECTOR, 0.0
        case _:
            return Unit.VECTOR, 1.0


def _extents(kind: object) -> tuple[Extent, ...]:
    """The extents of a type, those that came from axes by name."""
    shape: Sequence[int] = shape_of(kind)  # pyright: ignore[reportArgumentType]
    names = span_names(kind)  # pyright: ignore[reportArgumentType]
    return tuple(
        size if name is None else name for name, size in zip(names or [None] * len(shape), shape, strict=True)
    )
