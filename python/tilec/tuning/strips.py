"""What the model says of steps that `--overlap-strips` will do in strips of rows.

Such a step has all columns, and tiles of rows with at least some strips. Where only a step knows how many
columns are live, it takes about those.
"""

from collections.abc import Mapping
from dataclasses import replace

from tilec.analysis.model import Modelled, modelled
from tilec.analysis.nest import Schedule
from tilec.analysis.workload import Level, Workload
from tilec.chips import Chip
from tilec.passes.overlap_strips import SIZE, fit_strips

CODE = 0.5
"""What code in strips counts for, of that of one strip: it is long, but in parts, and takes the compiler five
seconds, ten with bodies for several numbers of columns, where other steps of that length may take minutes."""


def modelled_in_strips(work: Workload, sizes: Mapping[str, int], chip: Chip, schedule: Schedule) -> Modelled:
    """What `modelled` says, and of steps in strips that they take no more columns than are live."""
    found = modelled(work, sizes, chip, schedule)
    axes = _axes(work) if schedule.loop == "grid" else None
    if axes is None:
        return found
    rows, cols = (level.size or sizes[level.axis or ""] for level in axes)
    first, second = axes
    whole = first.extent % rows == 0 and cols >= second.most
    if not whole or not fit_strips(rows, cols):
        return found
    live = [min(end, cols) for end in range(rows, int(first.extent) + 1, rows)]
    share = sum(live) / len(live) / cols if second.follows is not None else 1.0
    return replace(found, seconds=found.seconds * share, body=found.body * CODE * SIZE / rows)


def _axes(work: Workload) -> tuple[Level, Level] | None:
    """The rows and columns of a product, where another product goes over those columns for those rows."""
    named = {level.axis: level for level in work.levels if level.axis is not None and not level.ragged}
    for one in work.products:
        for other in work.products:
            same = one.level == other.level and one.m == other.m and one.n == other.k
            rows, cols = named.get(str(one.m)), named.get(str(one.n))
            if same and rows is not None and cols is not None and cols.follows in (None, rows.axis):
                return rows, cols
    return None
