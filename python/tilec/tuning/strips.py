"""What the model says of steps that `--overlap-strips` will do in strips of rows.

Such a step has tiles of rows and columns with at least some strips and parts. Where it has all columns, and
only it knows how many are live, it takes about those. Where it has one of several tiles, and strips are
written out, it takes a share of their parts: the mean of those that live rows and live columns have of all.
"""

from collections.abc import Mapping
from dataclasses import replace

from tilec.analysis.model import Modelled, modelled
from tilec.analysis.nest import Schedule
from tilec.analysis.strips import FEW_PARTS
from tilec.analysis.workload import Level, Unit, Workload
from tilec.chips import Chip
from tilec.passes.overlap_strips import SIZE, fit_strips

CODE = 0.5
"""What code in strips counts for, of that of one strip: it is long, but in parts, and takes the compiler five
seconds, ten with bodies for several numbers of columns, where other steps of that length may take minutes."""


LATENCY = 260
"""Cycles of a step that nothing overlaps with, at the begin of the first strip and the end of the last: of
jagged attention in tiles of 512 to 1024 rows and columns, on a v6e."""
APART = 1.2
"""How much longer steps take that keep sums for others and are done at once, since matrix and vector units
wait for each other: of jagged attention in tiles of 512 x 512, 1.05 on a v5e, 1.23 on a v6e and 1.31 on a
tpu7x."""


def modelled_in_strips(work: Workload, sizes: Mapping[str, int], chip: Chip, schedule: Schedule) -> Modelled:
    """What `modelled` says, and of steps in strips that they take no more columns than are live."""
    found, axes = modelled(work, sizes, chip, schedule), _axes(work)
    if axes is None:
        return found
    first, second = axes
    rows, cols = (level.size or sizes[level.axis or ""] for level in axes)
    several = second.ragged or cols < second.most
    plain = schedule.loop == "grid" and not schedule.resident and schedule.fetch == 1
    if not plain or not fit_strips(rows, cols):
        return replace(found, seconds=found.seconds * (APART if several else 1))
    body = found.body * CODE * SIZE / rows
    if several:
        latency = found.steps * LATENCY / (chip.clock_ghz * 1e9)
        few = rows // SIZE * (cols // SIZE) <= FEW_PARTS
        done = sum(_live(work, level, sizes) for level in axes) / len(axes) if few else 1.0
        return replace(found, seconds=found.seconds * done + latency, body=body)
    live = [min(end, cols) for end in range(rows, int(first.extent) + rows, rows)]
    share = sum(live) / len(live) / cols if second.follows is not None else 1.0
    return replace(found, seconds=found.seconds * share, body=body)


def _live(work: Workload, level: Level, sizes: Mapping[str, int]) -> float:
    """The share of the parts of a range's tiles that have live lanes."""
    if not level.ragged:
        return 1.0
    number, block = work.levels.index(level), level.size or sizes[level.axis or ""]
    behind = sizes.get(level.follows or "", 0)
    parts, tiles = (work.tiles(number, size, False, behind) for size in (SIZE, block))
    return min(parts * SIZE / (tiles * block), 1.0)


def _axes(work: Workload) -> tuple[Level, Level] | None:
    """The rows and columns of a product, where another product goes over those columns for those rows, and
    something is known of each row."""
    named = {level.axis: level for level in work.levels if level.axis is not None}
    waits = {(each.level, each.shape[0]) for each in work.lanes if each.unit is Unit.ACROSS and each.shape}
    for one in work.products:
        for other in work.products:
            same = one.level == other.level and one.m == other.m and one.n == other.k
            rows, cols = named.get(str(one.m)), named.get(str(one.n))
            same = same and (one.level, one.m) in waits
            if same and rows is not None and cols is not None and cols.follows in (None, rows.axis):
                return rows, cols
    return None
