"""What a program does, as numbers that block sizes can be put into: loops, lanes computed, bytes moved.

A cost model asks for many sizes of the same program. So a program is read once, by `tilec.analysis.reading`,
and its dimensions stay names of axes until `Workload` users give them sizes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from tilec.dialects.tile.access import Effect

INNER = 2
"""The last dimensions of an array, in which tiles are those of memory, so that two segments may share one."""
Extent = int | str
"""The extent of a dimension: a number, or the name of the axis whose block it is."""


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

    `axis` names the axis if its steps are tiles, `size` is their size if that is not to be chosen. `extent`
    is how many indices it has in one run, on average, and `most` how many it may have; `mean` is that average
    if the program says it. `ragged` says that it may begin anywhere, so that its first and last tiles are
    partial. It ends where a tile of the axis `follows` does, if any. `outer` says that it is of the grid,
    `ordered` that its steps depend on each other. `ranges` are the begins and ends of all its runs, or those
    of the axis that it follows, where they are known. `leading` says that it indexes no dimension in tiles of
    memory, so that its own tiles need not be those of the array; `whole` that it begins at 0, and so with a
    whole tile. With `shared` the tiles of that level share `extent`: each has the ranges of its items.
    """

    parent: int
    axis: str | None
    extent: float
    most: float
    ragged: bool
    follows: str | None = None
    outer: bool = False
    size: int | None = None
    mean: float | None = None
    ranges: tuple[tuple[int, int], ...] = ()
    ordered: bool = False
    leading: bool = False
    whole: bool = False
    shared: int | None = None

    @property
    def jagged(self) -> bool:
        """Whether it has other steps from run to run, so that they are listed or some are idle."""
        return self.ragged or self.follows is not None


@dataclass(frozen=True)
class Lanes:
    """Something computed for all lanes of a value of `shape`; `factor` operations of `unit` a register.

    With `kept` it is only done to values that do not fit the registers; with `carried` only where the loop is
    not written out; with `refined` only on chips whose transcendental unit is less exact; with `masked` only
    to partial tiles, if whole ones have a body of their own. `looped` are waits, and what a loop in a step
    does row by row: they take time and no code.
    """

    level: int
    unit: Unit
    shape: tuple[Extent, ...]
    width: int
    factor: float
    kept: bool = False
    carried: bool = False
    refined: bool = False
    masked: bool = False
    looped: bool = False


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

    `wholes` has for each dimension of `shape` the extent of the array and the loops that move tiles along
    it, None where all of it is copied anyway or its extent is not known. `index` are the loops that
    move the window by single indices, `array` is the number of its array. `runs` are rows at computed
    positions, which a loop of the kernel's own copies ahead, and in others each step by itself.
    """

    level: int
    moving: frozenset[int]
    shape: tuple[Extent, ...]
    width: int
    effect: Effect
    wholes: tuple[tuple[int, frozenset[int]] | None, ...] = ()
    index: frozenset[int] = frozenset()
    array: int = -1
    runs: bool = False


@dataclass
class Workload:
    """What one kernel does; levels are in the order in which a pipeline nests them. `axes` are those whose
    sizes make a difference; `flat` has the widths of rows that `--fold-lanes` may make of their tiles.
    """

    levels: list[Level] = field(default_factory=list[Level])
    lanes: list[Lanes] = field(default_factory=list[Lanes])
    products: list[Product] = field(default_factory=list[Product])
    traffic: list[Traffic] = field(default_factory=list[Traffic])
    axes: tuple[str, ...] = ()
    flat: Mapping[Extent, Sequence[int]] = field(default_factory=dict[Extent, Sequence[int]])
    _tiles: dict[tuple[int, int, int, bool, float], float] = field(
        default_factory=dict[tuple[int, int, int, bool, float], float]
    )

    def tiles(self, level: int, block: int, exact: bool, behind: int = 0, runs: float = 1.0) -> float:
        """How many tiles of `block` a ragged level has in one run, on average, at least one.

        They are those of the array, unless they are `exact`, so that each run's first begins where it does. A
        level that follows another one runs once for each of its tiles of `behind`, and to the end of that;
        one whose extent is shared has that in so many runs.
        """
        key = level, block, behind, exact, runs
        if key not in self._tiles:
            ranges, extent = self.levels[level].ranges, self.levels[level].extent / runs
            parts = [part for each in ranges for part in _parts(*each, behind, exact)] if behind else ranges
            counts = [max(-(-end // block) - begin // block, 1) for begin, end in parts]
            if exact:
                counts = [max(-(-(end - begin) // block), 1) for begin, end in parts]
            apart = 0.5 if exact or self.levels[level].whole else 1.0
            likely = (extent + behind / 2) / block + apart if extent else 1.0
            self._tiles[key] = sum(counts) / len(counts) if counts else likely
        return self._tiles[key]

    def changes(self, level: int, block: int, runs: float = 1.0) -> float:
        """How many of the array's tiles of `block` a ragged level has in one run, on average, which the run
        before did not end in; `runs` as for `tiles`."""
        ranges, last, count = self.levels[level].ranges, -1, 0
        if not ranges:
            return self.levels[level].extent / runs / block
        for begin, end in ranges:
            first, before = begin // block, last
            last = max(-(-end // block) - 1, first)
            count += last - max(first, before + 1) + 1
        return count / len(ranges)

    def path(self, level: int) -> list[int]:
        """A level and those around it, outermost first."""
        found: list[int] = []
        while level >= 0:
            found.insert(0, level)
            level = self.levels[level].parent
        return found


def _parts(begin: int, end: int, block: int, exact: bool) -> list[tuple[int, int]]:
    """A range up to the end of each of its tiles."""
    first = begin if exact else begin // block * block
    return [(begin, min(stop, end)) for stop in range(first + block, end + block, block)] or [(begin, begin)]
