"""The loops of a kernel with sizes: how often each runs, in which order, and what of them copies.

`tilec.analysis.model` asks; it adds what each step takes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, prod

from tilec.analysis.flat import row_width
from tilec.analysis.row_stages import STRIP_REGISTERS
from tilec.analysis.vmem import SUBLANES, WORD, registers
from tilec.analysis.workload import INNER, Extent, Level, Traffic, Workload
from tilec.dialects.tile.access import Effect

LONG = 2
"""Segments are streamed with `grouping=auto` if on average they have so many tiles; see
`--stream-jagged-items`."""


@dataclass(frozen=True)
class Schedule:
    """What is chosen besides block sizes: the loop, `depth` buffers of a window, by default enough, and more.

    What a loop moves along `resident` arrays stays on the chip. `grouping` says how the steps of jagged axes
    are found, `fetch` how many tiles of the innermost axis are copied at once, `clean` whether whole tiles
    have a body without masks.
    """

    loop: str = "grid"
    depth: int | None = None
    resident: bool = False
    grouping: str = "auto"
    fetch: int = 1
    clean: str = "auto"


class Nest:
    """A workload with a schedule and block sizes by axis. `trips` are the steps of each level in one run of
    the level around it, `runs` those in all; `looped` are the levels that run in a kernel's loop, and
    `written_out` those that are no steps; `strips` are the rows that are done at once, if not a tile's."""

    def __init__(self, work: Workload, blocks: Mapping[str, int], schedule: Schedule) -> None:
        self.work, self.blocks, self.schedule = work, blocks, schedule
        self.jagged = any(self._is_jagged(level) for level in work.levels)
        self.grouping = self._grouping() if self.jagged else "none"
        self.trips = [self._trips(number) for number in range(len(work.levels))]
        self.runs = [prod(self.trips[i] for i in work.path(n)) for n in range(len(work.levels))]
        inner = [n for n, level in enumerate(work.levels) if not level.outer]
        self.written_out = frozenset(inner if schedule.loop == "unroll" else ())
        self.outward = self._outward()
        self.looped = self._looped()
        self.innermost = max((n for n, trips in enumerate(self.trips) if trips > 1), default=-1)
        self.strips = [self._strip(number) for number in range(len(work.levels))]

    def _grouping(self) -> str:
        """What becomes of `auto`: a loop in the kernel streams long segments."""
        given, levels = self.schedule.grouping, self.work.levels
        if given != "auto" or self.schedule.loop != "fori_loop":
            return given
        long = any(level.mean is not None and level.mean >= LONG * self.block(level) for level in levels)
        return "stream" if long else given

    def block(self, level: Level) -> int:
        """The indices of a step."""
        return 1 if level.axis is None else level.size or self.blocks[level.axis]

    def _trips(self, number: int) -> float:
        level = self.work.levels[number]
        if level.axis is None:
            return level.extent
        block = self.block(level)
        if level.ragged:
            behind = self.blocks.get(level.follows or "", 0)
            return self.work.tiles(number, block, self._exact(level), behind, self._sharers(level))
        if level.follows is not None:
            return max((level.extent + self.blocks.get(level.follows, 0) / 2) / block, 1.0)
        return ceil(level.extent / block)

    def _sharers(self, level: Level) -> float:
        """How many runs of a level share its extent."""
        return 1.0 if level.shared is None else max(self._trips(level.shared), 1.0)

    def _is_jagged(self, level: Level) -> bool:
        """Whether a loop has other steps from run to run: up to the end of a tile it may always have one."""
        return level.ragged or (level.follows is not None and level.most > self.block(level))

    def _exact(self, level: Level) -> bool:
        """Whether the tiles of a ragged level begin where it does, not where those of the array do."""
        return level.leading and self.schedule.loop in ("emit_pipeline", "fori_loop")

    def _outward(self) -> frozenset[int]:
        """Parallel levels inside of segments that share written tiles, or between these and the loop over
        them: `--fold-outer-pipeline` moves them out, and the visits to a shared tile follow each other."""
        busy = {each.level for each in self.work.traffic} | {each.level for each in self.work.lanes}
        busy |= {each.level for each in self.work.products}
        found = frozenset[int]()
        for traffic in self.work.traffic:
            if traffic.effect is Effect.READ:
                continue
            inner = {each for each in traffic.shape[-INNER:] if isinstance(each, str)}
            path = self.work.path(traffic.level)
            shared = [n for n in path if self.work.levels[n].ragged and self.work.levels[n].axis in inner]
            within = path[path.index(shared[0]) + 1 :] if shared else []
            for n in (*self._inside_segments(traffic, path, shared), *within):
                level, around = self.work.levels[n], self.work.path(n)[:-1]
                free = not level.ordered and not level.jagged and busy.isdisjoint(around)
                if n in traffic.moving and free:
                    found |= {n}
        return found

    def _inside_segments(self, traffic: Traffic, path: list[int], shared: list[int]) -> list[int]:
        """The levels that index a window between the loop over segments and that through one."""
        if not shared:
            return []
        place = traffic.shape.index(self.work.levels[shared[0]].axis or "")
        whole = traffic.wholes[place]
        before = path[: path.index(shared[0])]
        over = [n for n in before if whole is not None and n in whole[1]]
        return [n for n in before[before.index(over[0]) + 1 :] if n in traffic.index] if over else []

    def _looped(self) -> frozenset[int]:
        """The levels from the first on that is not parallel, or the last that moves, none written out."""
        levels = [n for n in range(len(self.work.levels)) if n not in self.outward | self.written_out]
        if any(level.ragged for level in self.work.levels):
            return frozenset(levels)  # tiles that segments share are written in order
        if self.jagged:
            return frozenset(levels[min(map(self._begins, levels)) :])
        moving = [n for n in levels if self.trips[n] > 1]
        first = min([*(n for n in levels if self.work.levels[n].ordered), *moving[-1:], len(levels) - 1])
        return frozenset(range(first, len(levels)))

    def _begins(self, number: int) -> int:
        """The first level whose steps are found together with those of a level that follows another."""
        follows = self.work.levels[number].follows
        if follows is None:
            return len(self.work.levels)
        names = [level.axis for level in self.work.levels]
        return number if self.grouping == "overlaunch" else names.index(follows)

    def _strip(self, number: int) -> int | None:
        """The rows that `--strip-mine` does at once of a step's tile, if it does; without it all are."""
        level = self.work.levels[number]
        if not level.ragged or level.leading or any(each.level == number for each in self.work.products):
            return None
        shapes = [
            each.shape for each in self.work.lanes if each.level == number and level.axis in each.shape[:-1]
        ]
        block = rows = self.block(level)
        while any(self._registers(shape, level.axis, rows) > STRIP_REGISTERS for shape in shapes):
            rows //= 2
        return max(rows, SUBLANES) if max(rows, SUBLANES) < block else None

    def _registers(self, shape: tuple[Extent, ...], axis: str | None, rows: int) -> int:
        return registers([rows if each == axis else self._size(each) for each in shape], WORD)

    def live(self, number: int) -> float:
        """The share of a step's rows that is computed: of strips only those with live rows."""
        level, strip = self.work.levels[number], self.strips[number]
        if strip is None:
            return 1.0
        behind = self.blocks.get(level.follows or "", 0)
        strips = self.work.tiles(number, strip, self._exact(level), behind, self._sharers(level))
        return min(strips * strip / (self.trips[number] * self.block(level)), 1.0)

    def _size(self, extent: Extent) -> int:
        return extent if isinstance(extent, int) else self.blocks[extent]

    def shape(self, shape: tuple[Extent, ...]) -> list[int]:
        """Extents as numbers, of tiles that `--fold-lanes` makes rows of those of the rows."""
        sizes = [self._size(extent) for extent in shape]
        width = row_width(self.work.flat.get(shape[0], ()), sizes[0]) if len(shape) == 1 else None
        return sizes if width is None else [sizes[0] // width, width]

    def leaves(self) -> list[int]:
        """The levels whose runs are steps: the innermost, but for those that are written out."""
        levels = [n for n in range(len(self.work.levels)) if n not in self.written_out]
        return [n for n in levels if all(self.work.levels[other].parent != n for other in levels)]

    def starts(self) -> float:
        """How often a pipeline begins anew: a loop in a kernel does for each step of the grid around it."""
        if self.schedule.loop != "fori_loop":
            return 1.0
        return prod(trips for n, trips in enumerate(self.trips) if n not in self.looped)

    def copied(self, traffic: Traffic) -> tuple[list[int], frozenset[int], float]:
        """What is copied at once of a window's array, the levels that move it, and how often it is."""
        shape, moving = self._kept(traffic)
        times = self._fetches(traffic, moving)
        place = self._several(traffic, shape)
        if place is None or times <= 1:
            return shape, moving, times
        shape[place] *= self.schedule.fetch
        if shape[place] >= self.work.levels[self.innermost].most:  # all of the loop's tiles
            moving -= {self.innermost}
        return shape, moving, max(times / self.schedule.fetch, 1.0)

    def is_waited(self, traffic: Traffic) -> bool:
        """Whether a step copies what it works on, and waits for it."""
        return traffic.runs and (self.schedule.loop != "fori_loop" or self.grouping == "stream")

    def idle_copies(self, traffic: Traffic) -> float:
        """How many copies of runs there are for one that a step needs: idle steps make them too."""
        level = self.work.levels[traffic.level]
        if not traffic.runs or self.grouping != "overlaunch" or not level.jagged or level.axis is None:
            return 1.0
        return max(ceil(level.most / self.block(level)) / max(self.trips[traffic.level], 1.0), 1.0)

    def _kept(self, traffic: Traffic) -> tuple[list[int], frozenset[int]]:
        """A tile of a window, no more than its array has, or what of that stays on the chip, and the levels
        that move it."""
        shape = self.shape(traffic.shape)
        lanes = shape[-1] if len(shape) > len(traffic.shape) else 1  # of rows that `--fold-lanes` makes
        resident, moving = self.schedule.resident, traffic.index
        for place, whole in enumerate(traffic.wholes):
            if whole is None:
                continue
            extent, levels = -(-whole[0] // lanes), whole[1]
            if not resident or levels.isdisjoint(self.looped | self.written_out):
                shape[place], moving = min(shape[place], extent), moving | levels
            else:
                shape[place] = extent
        return shape, moving if resident else traffic.moving

    def owners(self) -> list[Traffic]:
        """The windows that are copied: tiles of a resident array share what is copied of it."""
        found: list[Traffic] = []
        seen: set[tuple[object, ...]] = set()
        for traffic in self.work.traffic:
            shape, moving = self._kept(traffic)
            key = traffic.array, traffic.effect, *shape, moving
            if shape == self.shape(traffic.shape) or key not in seen:
                found.append(traffic)
            seen.add(key)
        return found

    def _several(self, traffic: Traffic, shape: list[int]) -> int | None:
        """The dimension of which several tiles are copied at once, if there is one."""
        if self.schedule.fetch == 1 or traffic.effect is not Effect.READ or self.innermost < 0:
            return None
        level = self.work.levels[self.innermost]
        if level.axis is None or level.ragged or self.innermost not in traffic.moving:
            return None
        at = traffic.shape.index(level.axis) if level.axis in traffic.shape else None
        return at if at is not None and shape[at] * self.schedule.fetch <= level.most else None

    def _fetches(self, traffic: Traffic, moving: frozenset[int]) -> float:
        """How often a block changes: with the innermost loop that moves it and makes several steps."""
        times = 1.0
        path = sorted(self.work.path(traffic.level), key=lambda n: n not in self.outward)
        for place, around in enumerate(path):
            level = self.work.levels[around]
            if around not in moving or (self.trips[around] <= 1 and not level.ragged):
                continue
            before = prod(self.trips[i] for i in path[:place])
            begins = path[place - 1] if place else around
            # One segment goes on with the tile that the last one ended in, if nothing else moves the window.
            anew = level.whole or level.follows is not None or self._exact(level) or begins in traffic.index
            goes_on = level.ragged and not anew
            if goes_on:
                tiles = self.work.changes(around, self.block(level), self._sharers(level))
            else:
                tiles = self._tiles(traffic, around)
            times = max(before * tiles, 1.0)
        return times

    def _tiles(self, traffic: Traffic, number: int) -> float:
        """The steps of a loop in which a window has a block of its own: no more than its array has tiles."""
        level, trips = self.work.levels[number], self.trips[number]
        if level.axis is None or level.ragged:
            return trips
        along = [whole[0] for whole in traffic.wholes if whole is not None and number in whole[1]]
        return min([trips, *(ceil(extent / self.block(level)) for extent in along)])
