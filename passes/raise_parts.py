"""`--raise-parts`: accesses of a part of a dimension, between numbers, become accesses of all of it.

Computed positions that are numbers one after the other name a part of a dimension, as the second half of each
row; so does a number in the last dimension, of a tile. A TPU copies whole tiles of memory, so a part is read
as a slice of the whole. Parts that are stored in a row become one value, which is stored where the last of
them was. Other lanes of it are those that the array held before, and what was stored is not read again.

Before:
    %x_1 = tile.gather %x[%m, %zero_to_63]
    %a = arith.mulf %x_1, %scale
    tile.scatter %a, %x[%m, %zero_to_63]
After:
    %x_1 = tile.load %x[%m, :]
    %x_2 = tile.slice %x_1 dim 1 from 0 size 64
    %a = arith.mulf %x_2, %scale
    %x_3 = tile.slice %x_1 dim 1 from 64 size 64
    %both = tile.concatenate %a, %x_3 dim 1
    tile.store %both, %x[%m, :]

Left alone, the last two explained: accesses with a mask, or that leave out what is outside; positions beyond
the array; parts of a dimension that is more than eight times as long, when they are only read; parts that are
stored without the rest of the dimension where the array is accessed elsewhere in the loops, in which a store
of the rest might undo what another iteration wrote. Columns that are written alone are for `--raise-columns`.
"""

import operator
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from tilec.analysis.affine import linear
from tilec.analysis.positions import Positions, positions
from tilec.analysis.within import grid_around, mask_of
from tilec.diagnostics import explain
from tilec.dialects.tile.access import AccessOp, Dim
from tilec.dialects.tile.arrays import LoadOp, StoreOp
from tilec.dialects.tile.gathers import GatherOp, ScatterOp
from tilec.dialects.tile.types import element_type, shape_of, span_names
from tilec.dialects.tile.values import ConcatenateOp, ReshapeOp, SliceOp
from tilec.dialects.tile.views import viewed_array
from tilec.rewriting.accumulators import as_element
from tilec.rewriting.index import IndexBuilder
from tilec.rewriting.one_hot import in_each_lane

Read: TypeAlias = GatherOp | LoadOp
Stored: TypeAlias = ScatterOp | StoreOp

MOST = 8
"""How many times as long as a part that is read its dimension may be."""


class RaiseParts(ModulePass):
    """Read parts of a dimension as slices of it, and store all of it."""

    name = "raise-parts"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for store in [inner for inner in op.walk() if isinstance(inner, Stored)]:
            if store.parent is not None:  # not yet stored with others
                _store(store)
        for gather in [inner for inner in op.walk() if isinstance(inner, GatherOp)]:
            _load(gather)


def _part(access: Read | Stored) -> tuple[int, int, int] | None:
    """The dimension of which an access has a part, and where that begins and ends."""
    if mask_of(access) is not None or (isinstance(access, ScatterOp) and access.drop is not None):
        return None
    if isinstance(access, LoadOp | StoreOp):
        return _column(access)
    place = next(i for i, dim in enumerate(access.window) if dim.indexed)
    dim, whole = access.window[place], shape_of(access.array.type)[place]
    form = None if dim.base is None else positions(dim.base)
    if dim.base is None or not isinstance(form, Positions) or form.spans:
        return None
    begin = (form.scalar + linear(dim.shift)).literal
    shape = shape_of(dim.base.type)
    if form.lanes != ({} if shape == (1,) else {0: 1}):
        return None
    if begin is None or begin < 0 or len(shape) != 1 or begin + shape[0] > whole:
        return None
    return place, begin, begin + shape[0]


def _column(access: LoadOp | StoreOp) -> tuple[int, int, int] | None:
    """The same of a tile at one place of the last dimension."""
    place = len(access.window) - 1
    dim, whole = access.window[place], shape_of(access.array.type)[place]
    number = dim.shift if dim.base is None and not dim.full else None
    if not isinstance(number, int) or not 0 <= number < whole:
        return None
    names = span_names((access.value if isinstance(access, StoreOp) else access.result).type)
    apart = None in names and any(names[names.index(None) :])  # a dimension of 1 cannot be taken away then
    return None if not names or apart else (place, number, number + 1)


def _whole(window: Sequence[Dim], place: int) -> list[Dim]:
    """A window with all of a dimension."""
    return [Dim(full=True) if i == place else dim for i, dim in enumerate(window)]


def _load(gather: GatherOp) -> None:
    """Read a part that nothing stores as a slice."""
    part = _part(gather)
    if part is None:
        return
    place, begin, end = part
    whole = shape_of(gather.array.type)[place]
    if whole > MOST * (end - begin):
        explain(gather, f"raise-parts: {end - begin} of {whole} places are read at their positions")
        return
    load = LoadOp(gather.array, _whole(gather.window, place))
    load.placement = gather.placement
    made: list[Operation] = [load]
    if end - begin < whole:
        kept = sum(dim.kept for dim in gather.window[:place])
        made.append(SliceOp(load.result, kept, begin, end - begin))
    for op in made:
        op.location = gather.location
    Rewriter.replace_op(gather, made, [made[-1].results[0]])


def _store(first: Stored) -> None:
    """Store a part together with those that follow it, and with what the array holds beside them."""
    part = _part(first)
    if part is None:
        return
    run = _Run(first, part[0])
    if run.is_complete or run.is_alone:
        run.replace()
    else:
        explain(first, "raise-parts: no stores beside it make up the rest of the dimension")


class _Run:
    """Accesses of one block, in a row, of parts of one dimension of one window of an array."""

    def __init__(self, first: Stored, place: int):
        self.array, self.place = first.array, place
        self.window = _whole(first.window, place)
        self.dim = sum(dim.kept for dim in first.window[:place])
        self.size = shape_of(first.array.type)[place]
        behind, before = self._accesses(first, forward=True), self._accesses(first, forward=False)
        self.accesses = [*reversed(list(before)), *behind]
        stored = sorted(bounds for access, bounds in self.accesses if isinstance(access, Stored))
        reached = 0
        for begin, end in stored:
            reached = max(reached, end) if begin <= reached else reached
        self.is_complete = reached == self.size
        self.pieces: list[tuple[int, int, SSAValue]] = []

    def _accesses(self, first: Stored, forward: bool) -> Iterator[tuple[Read | Stored, tuple[int, int]]]:
        """Those from `first` on, or those that stand before it, up to another access of the array."""
        op = first if forward else first.prev_op
        while op is not None:
            bounds = self._bounds(op)
            if bounds is not None and isinstance(op, Read | Stored):
                yield op, bounds
            elif any(self._is_touched(each) for each in op.walk()):
                return
            op = op.next_op if forward else op.prev_op

    def _is_touched(self, op: Operation) -> bool:
        return isinstance(op, AccessOp) and viewed_array(op.array) is viewed_array(self.array)

    def _bounds(self, op: Operation) -> tuple[int, int] | None:
        """The part of the dimension that `op` reads or stores."""
        if not isinstance(op, Read | Stored) or op.array is not self.array:
            return None
        if _whole(op.window, self.place) != self.window or mask_of(op) is not None:
            return None
        if op.window[self.place].full:
            return (0, self.size) if isinstance(op, LoadOp | StoreOp) else None
        part = _part(op)
        return part[1:] if part is not None and part[0] == self.place else None

    @property
    def is_alone(self) -> bool:
        """Whether nothing else in the grid accesses the array, and something needs more than columns."""
        grid = grid_around(self.accesses[0][0])
        if grid is None:
            return False
        here = {access for access, _ in self.accesses}
        columns = all(isinstance(access, StoreOp) for access in here)
        return not columns and all(op in here for op in grid.walk() if self._is_touched(op))

    def replace(self) -> None:
        """Keep what is stored as pieces, which later accesses read, and store them where the last one was."""
        last = next(access for access, _ in reversed(self.accesses) if isinstance(access, Stored))
        held = LoadOp(self.array, self.window)
        held.location, held.result.name_hint = self.accesses[0][0].location, "held"
        Rewriter.insert_op(held, InsertPoint.before(self.accesses[0][0]))
        for access, (begin, end) in self.accesses:
            build = IndexBuilder([], access.location)
            if isinstance(access, Stored):
                self._overlay(build, begin, end, self._stored(build, access))
                if access is last:
                    store = StoreOp(self._assembled(build, held, 0, self.size), self.array, self.window)
                    store.placement = access.placement
                    build.insert_all(store, access.location)
            elif not self.is_complete or any(b < end and begin < e for b, e, _ in self.pieces):
                value = self._assembled(build, held, begin, end)
                if value.type != access.result.type:
                    value = build.insert(ReshapeOp(value, access.result.type))
                access.result.replace_all_uses_with(value)
            else:
                continue
            Rewriter.insert_op(build.ops, InsertPoint.before(access))
            Rewriter.erase_op(access)
        if not held.result.uses:
            Rewriter.erase_op(held)

    def _stored(self, build: IndexBuilder, store: Stored) -> SSAValue:
        """What is stored in the array's element type, with a dimension of 1 for a number."""
        value = as_element(build, store.value, element_type(self.array.type))
        return value if store.window[self.place].kept else in_each_lane(build, value, 1)

    def _overlay(self, build: IndexBuilder, begin: int, end: int, value: SSAValue) -> None:
        """Put a piece over those that are there."""
        pieces = [(begin, end, value)]
        for b, e, old in self.pieces:
            for low, high in ((b, min(e, begin)), (max(b, end), e)):
                if low < high:
                    pieces.append((low, high, self._cut(build, old, low - b, high - b)))
        self.pieces = sorted(pieces, key=operator.itemgetter(0))

    def _assembled(self, build: IndexBuilder, held: LoadOp, begin: int, end: int) -> SSAValue:
        """What the array holds in a part of the dimension by now: pieces, and what it held between them."""
        parts, reached = list[SSAValue](), begin
        for b, e, value in [*self.pieces, (self.size, self.size, held.result)]:
            low, high = max(b, begin), min(e, end)
            if reached < min(b, end):
                parts.append(self._cut(build, held.result, reached, min(b, end)))
            if low < high:
                parts.append(self._cut(build, value, low - b, high - b))
            reached = max(reached, min(e, end))
        return parts[0] if len(parts) == 1 else build.insert(ConcatenateOp(parts, self.dim))

    def _cut(self, build: IndexBuilder, value: SSAValue, begin: int, end: int) -> SSAValue:
        """A part of a piece."""
        if (begin, end) == (0, shape_of(value.type)[self.dim]):
            return value
        return build.insert(SliceOp(value, self.dim, begin, end - begin))
