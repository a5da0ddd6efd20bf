"""The columns of a step in strips: which a kernel has a body for, and when a step takes which."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

from xdsl.dialects import arith
from xdsl.ir import Operation, SSAValue

from tilec.analysis.lanes import may_have_dead_lanes
from tilec.analysis.ranges import Range
from tilec.analysis.strip_masks import offsets_of, size_of
from tilec.analysis.strips import Strips
from tilec.lowering.scalars import Scalars, SpanParts
from tilec.rewriting.index import Index, IndexBuilder

MOST_PARTS = 40
"""Parts that loops have for all columns together: compiling takes twelve seconds with 40."""
FEW = 2
"""Distances between rows and columns at which a mask goes through a tile, each of which gets a body where
strips are written out one by one."""


@dataclass(frozen=True)
class Columns:
    """`count` columns of a tile from `left` on, of which at least `least` are live, which is more than
    `above`, but for those before `begun`, which may be dead. Of the tile's rows there are as many as `rows`
    says, all without, from `top` on. The first row lies `offset` after the first column.
    """

    above: int
    count: int
    least: int
    begun: int = 0
    offset: Range = Range()  # noqa: RUF009
    left: Index = 0
    top: Index = 0
    rows: int | None = None


Body = tuple[Columns, SSAValue | None]
"""Columns, and the condition that a step has those; one without comes alone."""


@dataclass(frozen=True)
class Group:
    """Bodies for steps under a condition, if there is one, after scalars that their own conditions need."""

    condition: SSAValue | None
    ops: list[Operation]
    bodies: list[Body]


class LiveParts:
    """Which strips and parts of a tile have a live lane: few of a segment's first and last tile have, or of a
    short one.

    There are bodies for as many strips as parts, where both begin at the same place, of which a mask leaves
    some out. Where masks hold everywhere there are others for half the strips, half the parts, and both.
    """

    def __init__(self, strips: Strips, scalars: Scalars, sizes: tuple[int, int], build: IndexBuilder):
        self.strips, self.sizes, self.build = strips, sizes, build
        spans = (strips.rows, strips.cols)
        self.starts = [scalars.span(span).start for span in spans]
        self.most = [size_of(span) // size for span, size in zip(spans, sizes, strict=True)]
        self.live = [
            self._live(scalars.span(span), size_of(span), size) if may_have_dead_lanes(span) else None
            for span, size in zip(spans, sizes, strict=True)
        ]

    def _live(self, span: SpanParts, lanes: int, size: int) -> tuple[Index, Index]:
        """The first strip or part that has a live lane, and how many there are from that to the last one."""
        build = self.build
        first = build.floordiv(build.nearest(build.sub(span.begin, span.start), lanes - 1), size)
        stop = build.ceildiv(build.minimum(build.sub(span.end, span.start), lanes), size)
        return first, build.sub(stop, first)

    def corners(self) -> Iterator[Body]:
        """Those for as many strips as parts; all of a tile has bodies of its own."""
        if not self.strips.vanishing or None in self.live:
            return
        firsts = [each[0] for each in self.live if each is not None]
        top, left = (self.build.mul(first, size) for first, size in zip(firsts, self.sizes, strict=True))
        places = [self.build.add(start, at) for start, at in zip(self.starts, (top, left), strict=True)]
        together = self.build.compare("eq", *places)
        for count in range(1, max(self.most)):
            if count <= min(self.most):
                exact = [self.build.compare("eq", each[1], count) for each in self.live if each is not None]
                rows, cols = (count * size for size in self.sizes)
                least = cols - self.sizes[1] + 1
                columns = Columns(0, cols, least, self.sizes[1], Range(0, 0), left, top, rows)
                yield columns, self.build.every([together, *exact])

    def halves(self, offset: Range, here: SSAValue | None) -> Iterator[Body]:
        """Those for a tile in which masks hold everywhere, and for all of it."""
        rows, cols = (most * size for most, size in zip(self.most, self.sizes, strict=True))
        few = [self._few(live, most) for live, most in zip(self.live, self.most, strict=True)]
        for fewer_rows, fewer_cols in product(*([True, False] if each else [False] for each in few)):
            top, height = self._half(0) if fewer_rows else (0, rows)
            left, count = self._half(1) if fewer_cols else (0, cols)
            # Of more than half the parts the first is in the first half, and the last in the second.
            begun, least = (count, 0) if fewer_cols or not few[1] else (cols // 2, cols // 2 + 1)
            apart = Range(low=0, high=rows - height) - Range(low=0, high=cols - count)
            wanted = zip(few, (fewer_rows, fewer_cols), strict=True)
            fits = [each if fewer else _not(each, self.build) for each, fewer in wanted]
            columns = Columns(0, count, least, begun, offset + apart, left, top, height)
            yield columns, self.build.every([here, *fits])

    def _few(self, live: tuple[Index, Index] | None, most: int) -> SSAValue | None:
        """Whether no more than half of all are live; None where that is never so, or there is no half."""
        return None if live is None or most == 1 else self.build.compare("slt", live[1], most // 2 + 1)

    def _half(self, axis: int) -> tuple[Index, int]:
        """Where the half begins in which all that is live is, and how many lanes it has."""
        live, most, size = self.live[axis], self.most[axis], self.sizes[axis]
        assert live is not None
        return self.build.mul(self.build.minimum(live[0], most - most // 2), size), most // 2 * size


def bodies_of(strips: Strips, scalars: Scalars, sizes: tuple[int, int], build: IndexBuilder) -> list[Group]:
    """The columns that steps may have, in parts as `sizes` says, and when they have which."""
    cols = scalars.span(strips.cols)
    if strips.live is None:
        return _tiles(strips, scalars, sizes, build)
    numbers = numbers_of_columns(strips, sizes[1])
    live = build.sub(cols.end, cols.start)
    if isinstance(live, int):  # the only step of a grid, say
        return [Group(None, [], [(next(each for each in numbers if live <= each.count), None)])]
    found: list[Body] = []
    for columns in numbers:
        above = build.compare("slt", columns.above, live) if columns.above else None
        below = build.compare("sle", live, columns.count) if columns is not numbers[-1] else None
        found.append((columns, build.every([above, below])))
    return [Group(None, [], found)]


def _tiles(strips: Strips, scalars: Scalars, sizes: tuple[int, int], build: IndexBuilder) -> list[Group]:
    """One of several tiles of columns: all of it live, or not, and before, behind and among the rows."""
    cols, dead = scalars.span(strips.cols), may_have_dead_lanes(strips.cols)
    offsets = _offsets(strips, sizes, 2 if dead else 1)
    cases = [Columns(0, cols.size, cols.size, 0, offset) for offset in offsets]
    after = build.sub(scalars.span(strips.rows).start, cols.start)
    whole = _is_whole(cols, build) if dead else None
    written_out = strips.is_written_out(*sizes)
    if dead and written_out and may_have_dead_lanes(strips.rows):
        whole = build.every([whole, _is_whole(scalars.span(strips.rows), build)])
    ops: list[Operation] = []
    inner = IndexBuilder(ops, build.location)
    found = [Group(whole, ops, list(zip(cases, _conditions(offsets, after, inner), strict=True)))]
    if not dead:
        return found
    ops = []
    inner = IndexBuilder(ops, build.location)
    partial = list(zip(cases, _conditions(offsets, after, inner), strict=True))
    parts = LiveParts(strips, scalars, sizes, inner) if written_out else None
    bodies = list(_partial(partial, parts, inner))
    return [*found, Group(_not(whole, build), ops, bodies)]


def _partial(cases: list[Body], parts: LiveParts | None, build: IndexBuilder) -> Iterator[Body]:
    """Bodies for tiles that are not all live, of which `cases` are whole: for a part where that is enough."""
    taken = None
    if parts is not None:
        for columns, fits in parts.corners():
            yield columns, fits
            taken = build.either(taken, fits)
    others = _not(taken, build)
    for columns, condition in cases:
        here = build.every([condition, others])
        if parts is not None and parts.strips.holds_everywhere(columns.offset):
            yield from parts.halves(columns.offset, here)
        else:
            yield replace(columns, least=0, begun=columns.count), here


def _conditions(offsets: list[Range], after: Index, build: IndexBuilder) -> list[SSAValue | None]:
    """Whether a tile lies as each of several cases says, of which there may be one."""
    return [_lies_in(offset, after, build) if len(offsets) > 1 else None for offset in offsets]


def _is_whole(span: SpanParts, build: IndexBuilder) -> SSAValue | None:
    """Whether all lanes of a tile are live."""
    begun = build.compare("sle", span.begin, span.start)
    return build.every([begun, build.compare("sle", build.add(span.start, span.size), span.end)])


def _not(condition: SSAValue | None, build: IndexBuilder) -> SSAValue | None:
    """The opposite of a condition that may hold; None of None."""
    if condition is None:
        return None
    true = build.insert(arith.ConstantOp.from_int_and_width(1, 1))
    return build.insert(arith.XOrIOp(condition, true))


def _offsets(strips: Strips, sizes: tuple[int, int], bodies: int) -> list[Range]:
    """How far rows may lie after columns: as many cases, of so many bodies, as are not too long together."""
    one_by_one = strips.is_written_out(*sizes)
    cases = offsets_of(strips.masks, strips.rows, strips.cols, FEW if one_by_one else 0)
    parts = len(cases) * bodies * size_of(strips.cols) // sizes[1]
    fits = one_by_one or parts <= MOST_PARTS
    return cases if fits else [Range()]


def _lies_in(offset: Range, index: Index, build: IndexBuilder) -> SSAValue | None:
    """Whether an index lies within the bounds of a range."""
    low = None if offset.low is None else build.compare("sge", index, offset.low)
    return build.every([low, None if offset.high is None else build.compare("sle", index, offset.high)])


def numbers_of_columns(strips: Strips, size: int) -> list[Columns]:
    """The numbers of columns, multiples of `size`, of which a step takes the least that has all live ones."""
    whole, live = size_of(strips.cols), strips.live
    assert live is not None
    parts = whole // size
    count = max(1, min(parts, 2 * MOST_PARTS // parts - 1))
    step = -(-parts // count) * size
    found: list[Columns] = []
    for most in range(step, whole + step, step):
        above = found[-1].count if found else 0
        least = _least(live, above + 1) if found else _least(live, 0)
        if least is not None and least <= most:
            found.append(Columns(above, min(most, whole), least))
    return found


def _least(live: Range, low: int) -> int | None:
    """The least member of a range from `low` on; 0 for what may be below, of an empty range."""
    if low == 0 and (live.low is None or live.low < 0):
        return 0
    least = max(low, live.low or 0)
    if live.multiple:
        least += (live.remainder - least) % live.multiple
    return least if least in live else None
