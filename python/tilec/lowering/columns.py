"""The columns of a step in strips: which a kernel has a body for, and when a step takes which."""

from collections.abc import Iterator
from dataclasses import dataclass

from xdsl.dialects import arith
from xdsl.ir import SSAValue

from tilec.analysis.lanes import may_have_dead_lanes
from tilec.analysis.ranges import Range
from tilec.analysis.strip_masks import offsets_of, size_of
from tilec.analysis.strips import Strips
from tilec.lowering.scalars import Scalars
from tilec.rewriting.index import Index, IndexBuilder

MOST_PARTS = 40
"""Parts that loops have for all columns together: compiling takes twelve seconds with 40."""
FEW = 2
"""Distances between rows and columns at which a mask goes through a tile, each of which gets a body where
strips are written out one by one."""


@dataclass(frozen=True)
class Columns:
    """The first `count` columns, of which at least `least` are live, which is more than `above`, and none is
    dead before those where they have `begun`. The first row lies `offset` after the first column.
    """

    above: int
    count: int
    least: int
    begun: bool = True
    offset: Range = Range()  # noqa: RUF009


Body = tuple[Columns, SSAValue | None]
"""Columns, and the condition that a step has those; one without comes alone."""


def bodies_of(strips: Strips, scalars: Scalars, sizes: tuple[int, int], build: IndexBuilder) -> list[Body]:
    """The columns that steps may have, in parts as `sizes` says, and when they have which."""
    cols = scalars.span(strips.cols)
    if strips.live is None:
        return list(_tiles(strips, scalars, sizes, build))
    numbers = numbers_of_columns(strips, sizes[1])
    live = build.sub(cols.end, cols.start)
    if isinstance(live, int):  # the only step of a grid, say
        return [(next(each for each in numbers if live <= each.count), None)]
    found: list[Body] = []
    for columns in numbers:
        above = build.compare("slt", columns.above, live) if columns.above else None
        below = build.compare("sle", live, columns.count) if columns is not numbers[-1] else None
        found.append((columns, build.every([above, below])))
    return found


def _tiles(strips: Strips, scalars: Scalars, sizes: tuple[int, int], build: IndexBuilder) -> Iterator[Body]:
    """One of several tiles of columns: all of them live, or not, and before, behind and among the rows."""
    rows, cols = scalars.span(strips.rows), scalars.span(strips.cols)
    whole = partial = None
    if may_have_dead_lanes(strips.cols):
        begun = build.compare("sle", cols.begin, cols.start)
        whole = build.every([begun, build.compare("sle", build.add(cols.start, cols.size), cols.end)])
    offsets = _offsets(strips, sizes, 1 if whole is None else 2)
    if whole is not None:
        true = build.insert(arith.ConstantOp.from_int_and_width(1, 1))
        partial = build.insert(arith.XOrIOp(whole, true))
    after = build.sub(rows.start, cols.start)
    for offset in offsets:
        here = _lies_in(offset, after, build) if len(offsets) > 1 else None
        yield Columns(0, cols.size, cols.size, True, offset), build.every([here, whole])
        if partial is not None:
            yield Columns(0, cols.size, 0, False, offset), build.every([here, partial])


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
