"""What the windows of a kernel copy, and how often, for `tilec.analysis.model`."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from math import ceil

from tilec.analysis.blocks import MOST_BUFFERS
from tilec.analysis.buffers import FEW, SOME
from tilec.analysis.kept import most_kept
from tilec.analysis.nest import Nest
from tilec.analysis.vmem import padded_bytes
from tilec.analysis.workload import Traffic
from tilec.chips import Chip
from tilec.dialects.tile.access import Effect


@dataclass(frozen=True)
class Copies:
    """What the windows of a kernel copy: bytes in all, at both ends, and those that are read where a loop in
    the kernel begins and written where it ends; the most fetches of one window, and the bytes of all windows
    in their buffers. `changes` has for each window that is copied ahead how often its block changes, the
    bytes that are read then, and those that pass either way.
    """

    read: float
    written: float
    ends: float
    anew: tuple[float, float]
    fetches: float
    vmem: int
    changes: tuple[tuple[float, float, float], ...]

    def meeting(self, steps: float) -> list[tuple[float, float, float]]:
        """How many steps bring how many bytes: where a block changes that seldom does, the others do too."""
        found: list[tuple[float, float, float]] = []
        before = 0.0
        for times in sorted({min(each[0], steps) for each in self.changes}):
            own = [each for each in self.changes if each[0] >= times]
            found.append((times - before, sum(each[1] for each in own), sum(each[2] for each in own)))
            before = times
        return found


class Copying:
    """The copies of a nest of loops: `owners` are the windows that are copied, `most` the buffers of one."""

    def __init__(self, nest: Nest, chip: Chip) -> None:
        self.nest, self.work, self.schedule, self.chip = nest, nest.work, nest.schedule, chip
        # A grid has two buffers of a window at most, and an emit_pipeline that may have few steps.
        few = nest.jagged and nest.grouping != "overlaunch" and nest.schedule.loop == "emit_pipeline"
        self.owners = nest.owners()
        self.most = FEW if few or nest.schedule.loop in ("grid", "unroll") else MOST_BUFFERS

    def of(self, levels: AbstractSet[int]) -> Copies:
        """What the windows of some levels copy."""
        read = written = ends = fetches = 0.0
        anew = [0.0, 0.0]
        changes: list[tuple[float, float, float]] = []
        vmem, steps = 0, sum(self.nest.runs[n] for n in self.nest.leaves()) or 1.0
        for traffic in self.owners:
            if traffic.level not in levels or not traffic.shape:
                continue  # a scalar, read from scalar memory
            shape, moving, times = self.nest.copied(traffic)
            size = padded_bytes(shape, traffic.width)
            own = max(times / steps, 1.0)
            vmem += ceil(size * own * (min(self.schedule.depth or FEW, self.most) if times > 1 else 1))
            ends += size
            ways = (traffic.effect is not Effect.WRITE, traffic.effect is not Effect.READ)
            ahead = self._steps_ahead(times, steps)
            copied = self._copied(traffic)
            copied *= self.nest.idle_copies(traffic)
            times, part = times * copied, size * own * copied / ahead
            if not self.nest.is_waited(traffic):
                changes.append((max(times, 1.0) * ahead, part * ways[0], part * sum(ways)))
            if not moving.isdisjoint(self.nest.looped):
                anew[traffic.effect is not Effect.READ] += size
            if traffic.effect is not Effect.WRITE:
                read, fetches = read + times * size, max(fetches, times)
            if traffic.effect is not Effect.READ:
                written += times * size
        return Copies(read, written, ends, (anew[0], anew[1]), fetches, vmem, tuple(changes))

    def _steps_ahead(self, times: float, steps: float) -> float:
        """Over how many steps a copy of a window that changes so often has time. Where axes are loops inside
        each other, that for the next turn of one has the whole turn before."""
        nested = self.nest.grouping == "stream" and times > self.nest.starts()
        return max(steps / times, 1.0) if nested else 1.0

    def _copied(self, traffic: Traffic) -> float:
        """The share of a window's tiles that are copied. A stream keeps those of ranges that are short enough
        for loops that come back to them; see `--double-buffer`."""
        before = self.work.traffic[: self.work.traffic.index(traffic)]
        if self.nest.grouping != "stream" or not any(self._comes_back(traffic, each) for each in before):
            return 1.0
        tile = self.tile(traffic)
        most = most_kept(self.chip, tile, sum(map(self._held, self.owners)) - self._held(traffic))
        level = self.work.levels[traffic.level]
        block = self.nest.block(level)
        tiles = [-(-end // block) - begin // block for begin, end in level.ranges] or [
            ceil(self.nest.trips[traffic.level])
        ]
        return sum(each for each in tiles if each > most) / max(sum(tiles), 1)

    def tile(self, traffic: Traffic) -> int:
        """The bytes that are copied at once of a window's array."""
        return padded_bytes(self.nest.copied(traffic)[0], traffic.width)

    def _held(self, traffic: Traffic) -> int:
        """The bytes of a window's buffers in a stream."""
        moves = bool(traffic.shape) and self.nest.copied(traffic)[2] > 1
        buffers = min(self.schedule.depth or SOME, self.most) if moves else 1
        return self.tile(traffic) * buffers if traffic.shape else 0

    def _comes_back(self, traffic: Traffic, first: Traffic) -> bool:
        """Whether a window has the tiles of another one, in a loop after that one's."""
        one, other = (self.work.levels[each.level] for each in (first, traffic))
        apart = first.level != traffic.level and first.level in first.moving
        same = (one.parent, one.ranges, one.extent) == (other.parent, other.ranges, other.extent)
        same = same and first.moving - {first.level} == traffic.moving - {traffic.level}
        both = first.array == traffic.array and first.effect is traffic.effect is Effect.READ
        return both and apart and same and self.nest.copied(first)[0] == self.nest.copied(traffic)[0]
