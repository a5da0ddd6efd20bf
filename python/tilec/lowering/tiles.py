"""The tile of a step in a block that holds more.

Where it begins at a multiple of a tile of memory it is read and written in place, as `ref[ds(start, size)]`.
A vector register cannot begin anywhere else: there the least part of the block that holds the tile and begins
at such a multiple is read and turned until the tile lies at its begin; to write, the tile is turned to its
place and laid over what is there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from xdsl.dialects import arith
from xdsl.dialects.builtin import AnyFloat, IntegerType, f32, i32
from xdsl.ir import Attribute, Operation, SSAValue

from tilec.analysis.alignment import Multiple, Refusal
from tilec.analysis.blocks import tile_refusal
from tilec.analysis.ranges import Ranges
from tilec.analysis.visits import covers, follows
from tilec.analysis.vmem import LANES, SUBLANES, WORD
from tilec.analysis.within import is_cut
from tilec.dialects import pallas
from tilec.dialects.tile.elementwise import CastOp, CompareOp, Relation, SelectOp
from tilec.dialects.tile.types import byte_width, element_type, shape_of, value_type
from tilec.dialects.tile.values import BroadcastOp, ConcatenateOp, ReshapeOp, SliceOp, SplatOp
from tilec.lowering.scalars import Scalars
from tilec.lowering.windows import BlockPlan, tile_start
from tilec.rewriting.index import Index, named


@dataclass(frozen=True)
class Turn:
    """A dimension of which `held` elements from an aligned place on are read, the tile at `offset` in them.

    `width` is the number of elements that are turned: as many as whole tiles of memory have.
    """

    dim: int
    held: int
    width: int
    offset: Index
    size: int


@dataclass(frozen=True)
class TilePart:
    """Of a tile's dimension, which is one of the window's, `size` lanes from `start` on."""

    dim: int
    start: Index
    size: int


class Tiles:
    """Reads and writes the tile of a step through the reference to its window's block.

    With a `slot` the reference is to several blocks, and this one is meant; with a `part`, those lanes of the
    tile along a dimension of the window. `emit` puts an operation where the current one stands.
    """

    def __init__(
        self,
        plan: BlockPlan,
        ref: SSAValue,
        slot: Index | None,
        scalars: Scalars,
        emit: Callable[[Operation], SSAValue],
        part: TilePart | None = None,
    ):
        self.plan = plan
        self.part = part
        self.ref = ref
        self.scalars = scalars
        self.emit = emit
        self.first: list[Index] = [] if slot is None else [slot]
        self.shape = shape_of(ref.type)[len(self.first) :]
        self.element = element_type(ref.type)
        self.dims: list[SSAValue | int | pallas.Ds | None] = list(plan.drops) or [None] * len(plan.kept)
        self.turns: list[Turn] = []
        self.within = [each for each, dim in enumerate(plan.kept) if each in plan.parts or self._is_part(dim)]
        starts = {position: self._start(position) for position in self.within}
        for position in [each for each in starts if self._is_dropped(each)]:
            self.dims[position] = starts.pop(position)
        turned = self._to_turn(starts)
        for position, start in starts.items():
            if position in turned:
                self._turn(position, start)
            else:
                self.dims[position] = pallas.Ds(self._proven(position, start), self._size(position))

    def load(self) -> SSAValue:
        """The tile."""
        value = self.emit(pallas.LoadOp(self.ref, self._place))
        if not self.turns:
            return self._reshaped(value, self._kept_shape)
        value = self._widened(value)
        for turn in self.turns:
            back = self.scalars.build.sub(turn.width, turn.offset)
            value = self._rolled(self._extended(value, turn), back, turn)
        for turn in self.turns:
            value = self.emit(SliceOp(value, turn.dim, 0, turn.size))
        return self._reshaped(self._narrowed(value), self._kept_shape)

    def store(self, value: SSAValue) -> None:
        """Put `value` where the tile is."""
        value = self._reshaped(value, self._tile_shape)
        if self.turns:
            value = self._laid_over(value)
        self.emit(pallas.StoreOp(value, self.ref, self._place))

    @property
    def _place(self) -> "list[SSAValue | int | pallas.Ds | None]":
        """How the reference is indexed; nothing where it holds the tile and nothing else."""
        dims = [*self.first, *self.dims]
        return [] if all(dim is None for dim in dims) else dims

    # Where the tile lies

    def _start(self, position: int) -> Index:
        """Where the tile begins in one dimension of the reference, which is one of the window's."""
        dim, part = self.plan.kept[position] or 0, self.part
        start = tile_start(self.plan, dim, self.scalars) if position in self.plan.parts else 0
        if part is not None and self._is_part(dim):
            start = self.scalars.build.add(start, part.start)
        return named(start, "tile_start")

    def _is_part(self, dim: int | None) -> bool:
        return self.part is not None and self.part.dim == dim

    @property
    def _tile_shape(self) -> tuple[int, ...]:
        """The tile's extents as the reference is indexed."""
        places = enumerate(zip(self.dims, self.shape, strict=True))
        return tuple(
            self._size(position) if position in self.within else whole
            for position, (dim, whole) in places
            if dim is None or isinstance(dim, pallas.Ds)
        )

    @property
    def _kept_shape(self) -> tuple[int, ...]:
        """The tile's extents without the row of a matrix that the block holds among others.

        A value of rank 1 is the row of a matrix.
        """
        window = self.plan.window
        sizes = enumerate(window.tile_extents)
        kept = tuple(self._extent(dim, size) for dim, size in sizes if window.window[dim].kept)
        if len(self.shape) == 1:
            return 1, *self._tile_shape
        return kept if len(kept) > 1 else self._tile_shape

    def _reshaped(self, value: SSAValue, shape: tuple[int, ...]) -> SSAValue:
        if shape_of(value.type) == shape:
            return value
        return self.emit(ReshapeOp(value, value_type(element_type(value.type), shape, [None] * len(shape))))

    def _is_dropped(self, position: int) -> bool:
        """Whether a leading dimension is one index of many that the block holds."""
        dim = self.plan.window.window[self.plan.kept[position] or 0]
        return not dim.kept and position < len(self.plan.kept) - 2

    def _size(self, position: int) -> int:
        dim = self.plan.kept[position] or 0
        return self._extent(dim, self.plan.window.tile_extents[dim])

    def _extent(self, dim: int, whole: int) -> int:
        return self.part.size if self.part is not None and self.part.dim == dim else whole

    def _to_turn(self, starts: Mapping[int, Index]) -> set[int]:
        """The dimensions in which the tile cannot be accessed where it begins."""
        # Of a window that is cut, some of the tile may lie beyond the block: turned, that is anything.
        last = len(self.shape) - 2
        turned = {i for i in starts if i >= last and self._is_cut(i) and not self._is_inside(i, starts[i])}
        while (refused := self._refusal(starts, turned)) is not None:
            rest = [i for i, start in starts.items() if i not in turned and not isinstance(start, int)]
            if not rest:
                break
            turned.add(refused.dim if refused.dim in rest else rest[0])
        return turned

    def _is_cut(self, position: int) -> bool:
        dim, window = self.plan.kept[position], self.plan.window
        if dim is None:
            return False
        return follows(window, dim) or (is_cut(window, dim) and covers(window, dim))

    def _is_inside(self, position: int, start: Index) -> bool:
        """Whether all of the tile lies in the block, wherever it begins."""
        place = Ranges().of(start)
        if place.low is None or place.high is None:
            return False
        return place.low >= 0 and place.high + self._size(position) <= self.shape[position]

    def _refusal(self, starts: Mapping[int, Index], turned: set[int]) -> Refusal | None:
        places: list[int | Multiple] = [0] * len(self.shape)
        sizes = list(self.shape)
        for position, start in starts.items():
            sizes[position] = self._size(position)
            if isinstance(start, int) and position not in turned:
                places[position] = start
            elif not isinstance(start, int) and position not in turned:
                places[position] = Multiple(max(1, self._multiple(start)))
            else:
                unit, width = self._room(position)
                sizes[position] = min(width, self.shape[position])
                places[position] = 0 if sizes[position] == self.shape[position] else Multiple(unit)
        return tile_refusal(self.plan.window, self.shape, places, sizes)

    def _room(self, position: int) -> tuple[int, int]:
        """The extent of a tile of memory in a dimension, and of the tiles of memory that a tile may touch."""
        size, distance = self._size(position), len(self.shape) - position
        unit = LANES if distance == 1 else SUBLANES * self._packing
        whole = -(-self.shape[position] // unit) * unit
        if distance == 2 and self.shape[position] % unit:
            return unit, whole  # no more rows are sure to be there
        return unit, min(-(-(size + unit - 1) // unit) * unit, whole)

    def _turn(self, position: int, start: Index) -> None:
        """Access the aligned part of a dimension that holds the tile."""
        unit, width = self._room(position)
        whole = -(-self.shape[position] // unit) * unit
        base = named(self._base(start, unit, whole - width, cut=self._is_cut(position)), "base")
        held = min(width, self.shape[position])
        self.dims[position] = None if held == self.shape[position] else pallas.Ds(base, width)
        axis = sum(not isinstance(entry, int | SSAValue) for entry in self.dims[:position])
        offset = named(self.scalars.build.sub(start, base), "offset")
        self.turns.append(Turn(axis, held, width, offset, self._size(position)))

    @property
    def _packing(self) -> int:
        return max(1, WORD // byte_width(self.element))

    def _multiple(self, start: SSAValue) -> int:
        return Ranges().multiple_of(start)

    def _proven(self, position: int, start: Index) -> Index:
        """`start`, with what the compiler has to know about it where that is not plain to see."""
        distance = len(self.shape) - position
        if isinstance(start, int) or distance > 2:
            return start
        unit = LANES if distance == 1 else SUBLANES * self._packing
        multiple = self._multiple(start)
        known = next((unit // n for n in (1, 2, 4) if multiple % (unit // n) == 0), 1)
        plain = isinstance(start.owner, arith.MuliOp)
        return start if plain or known == 1 else self.emit(pallas.MultipleOfOp(start, known))

    def _base(self, start: Index, unit: int, last: int, *, cut: bool) -> Index:
        """The multiple of `unit` at or below `start`, no further than `last`; if `cut`, 0 at least."""
        build = self.scalars.build
        if last == 0:
            return 0
        number = build.minimum(build.floordiv(start, unit), last // unit)
        return build.mul(build.maximum(number, 0) if cut else number, unit)

    # Turning

    def _rolled(self, value: SSAValue, by: Index, turn: Turn) -> SSAValue:
        amount = named(self.scalars.build.remainder(by, turn.width), "turn")
        return self.emit(pallas.RollOp(value, amount, turn.dim))

    def _extended(self, value: SSAValue, turn: Turn) -> SSAValue:
        """`value` with zeros behind it, up to what is turned."""
        shape = list(shape_of(value.type))
        shape[turn.dim] = turn.width - shape[turn.dim]
        if not shape[turn.dim]:
            return value
        rest = value_type(element_type(value.type), shape, [None] * len(shape))
        zero = self.emit(SplatOp(0.0 if element_type(value.type) == f32 else 0, rest))
        return self.emit(ConcatenateOp([value, zero], turn.dim))

    def _widened(self, value: SSAValue) -> SSAValue:
        """The value in 32 bits, which can be turned by any number of elements."""
        if byte_width(element_type(value.type)) == WORD:
            return value
        return self.emit(CastOp(value, f32 if isinstance(self.element, AnyFloat) else i32))

    def _narrowed(self, value: SSAValue) -> SSAValue:
        return value if element_type(value.type) == self.element else self.emit(CastOp(value, self.element))

    def _laid_over(self, value: SSAValue) -> SSAValue:
        """What the aligned part of the block holds, with `value` in the tile's place."""
        before = self._widened(self.emit(pallas.LoadOp(self.ref, self._place)))
        value = self._widened(value)
        inside: SSAValue | None = None
        for turn in self.turns:
            value = self._rolled(self._extended(value, turn), turn.offset, turn)
            if turn.held != turn.width:
                value = self.emit(SliceOp(value, turn.dim, 0, turn.held))
        for turn in self.turns:
            within = self._within(turn, before.type)
            inside = within if inside is None else self.emit(arith.AndIOp(inside, within))
        return value if inside is None else self._narrowed(self.emit(SelectOp(inside, value, before)))

    def _within(self, turn: Turn, kind: Attribute) -> SSAValue:
        """Which elements of the aligned part are the tile's."""
        shape = shape_of(kind)
        place = self.emit(pallas.IotaOp(shape, turn.dim))
        wide = value_type(i32, shape, [None] * len(shape))
        build = self.scalars.build

        def bound(index: Index) -> SSAValue:
            scalar = self.emit(arith.IndexCastOp(build.value(index), IntegerType(32)))
            return self.emit(BroadcastOp(scalar, [], wide))

        first = self.emit(CompareOp(Relation.GE, place, bound(turn.offset)))
        end = bound(build.add(turn.offset, turn.size))
        return self.emit(arith.AndIOp(first, self.emit(CompareOp(Relation.LT, place, end))))
