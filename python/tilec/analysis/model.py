"""How long a kernel takes, roughly, from block sizes alone: no passes, no compiler, well under a millisecond.

It ranks choices before any is compiled. A step takes as long as its busiest unit, and as what must be waited
for besides; or as the copies for the next one. Before the first step its windows are fetched, after the last
one its results go. Where each number comes from:

- Products, clocks, bandwidth and latencies: `tilec.chips`.
- Slots of a bundle: the capacity row of libtpu 0.0.51's utilisation report.
- The others are fitted to bundles that steps of matmul, softmax and jagged sums take on v5e, by libtpu 0.0.51
  and `tilec.analysis.cost`; on tpu7x steps are shorter by half.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from math import ceil, prod

from tilec.analysis.blocks import MOST_BUFFERS
from tilec.analysis.buffers import SOME
from tilec.analysis.vmem import SUBLANES, padded_bytes, registers
from tilec.analysis.workload import Extent, Level, Product, Traffic, Unit, Workload
from tilec.chips import Chip
from tilec.dialects.tile.access import Effect

SLOTS: Mapping[str, float] = {
    Unit.VECTOR: 4,
    Unit.TRANSCENDENTAL: 1,
    Unit.ACROSS: 2,
    Unit.LOADS: 2,
    Unit.STORES: 1,
}
"""Operations on registers that a bundle starts."""
LATENCY: Mapping[str, float] = {Unit.TRANSCENDENTAL: 25, Unit.ACROSS: 90}
"""Bundles from the first operand to the first result that nothing else fills: once a step for each operation,
since larger tiles follow in turn. What computes lane by lane waits for nothing."""
PRODUCT = 110
"""The same of a matrix product."""
STEP = {"v4": 100, "v5e": 100, "v5p": 100, "v6e": 100, "tpu7x": 60}
"""Bundles of a step besides its body."""
WINDOW = 12
"""Bundles of a step for each of its windows: whether it moves, and where to."""
EARLY = 190
"""Bundles between the copy for the next step and the wait for this step's, by which a latency is shorter."""
KEPT = 48
"""Registers of a value that stay in registers between operations; larger ones are stored and loaded."""
LISTED = 40
"""Bundles for each entry of a worklist, made by scalar code in a kernel of its own before."""
STREAM_STEP = 40
"""Bundles of a step of a loop inside another one besides its body, where jagged axes are streamed."""
STREAM_ITEM = 60
"""The same of one of the loop around it: what is computed once for each segment."""
LONG = 2
"""Segments are streamed with `grouping=auto` if on average they have so many tiles; see
`--stream-jagged-items`."""
TWO = 2
"""Buffers of a window where a grid runs the steps, or two are enough."""
IDLE = 150
"""Bundles of a step of a ragged axis that is behind its end."""
SHARED = 250
"""The same for each window that it writes."""
CALL = 1000
"""Cycles of such a kernel besides: its offsets come, its lists go."""


@dataclass(frozen=True)
class Modelled:
    """What the model says of one choice.

    `seconds` is the whole kernel's time, `bytes_moved` what crosses HBM's channel, `steps` how many steps the
    pipeline makes, `vmem` the bytes of the windows in all their buffers; `bound` names what takes longest.
    `body` are the cycles of a step on all units together, by which the compiler's time goes.
    """

    seconds: float
    bytes_moved: float
    steps: float
    vmem: int
    bound: str
    body: float


@dataclass(frozen=True)
class Schedule:
    """What is chosen besides block sizes: the loop, `depth` buffers of a window, by default enough, and more.

    What a loop moves along `resident` arrays stays on the chip. `grouping` says how the steps of jagged axes
    are found.
    """

    loop: str = "grid"
    depth: int | None = None
    resident: bool = False
    grouping: str = "auto"


def modelled(
    work: Workload, blocks: Mapping[str, int], chip: Chip, schedule: Schedule | None = None
) -> Modelled:
    """The time of a kernel with these block sizes, by axis."""
    return _Model(work, blocks, chip, schedule or Schedule()).result()


@dataclass(frozen=True)
class _Copies:
    """What the windows of a kernel copy: bytes in all, at both ends, and where a loop in the kernel begins
    and ends; the most fetches of one window, and the bytes of all windows in their buffers.
    """

    read: float
    written: float
    ends: float
    anew: float
    fetches: float
    vmem: int


@dataclass(frozen=True)
class _Stretch:
    """Steps of one loop: the cycles of one that waits for nothing, of all as they come, those in which their
    bytes pass, and those of one step on all units together.
    """

    copies: _Copies
    steps: float
    step: float
    stepping: float
    moving: float
    bound: str
    body: float


class _Model:
    def __init__(self, work: Workload, blocks: Mapping[str, int], chip: Chip, schedule: Schedule) -> None:
        self.work, self.blocks, self.chip, self.schedule = work, blocks, chip, schedule
        self.jagged = any(level.jagged for level in work.levels)
        self.grouping = self._grouping() if self.jagged else "none"
        # A grid has two buffers of a window at most, and an emit_pipeline that may have few steps.
        few = self.jagged and self.grouping != "overlaunch" and schedule.loop == "emit_pipeline"
        self.most = TWO if few or schedule.loop in ("grid", "unroll") else MOST_BUFFERS
        self.trips = [self._trips(number) for number in range(len(work.levels))]
        self.runs = [prod(self.trips[i] for i in work.path(n)) for n in range(len(work.levels))]
        self.looped = self._looped()

    def _grouping(self) -> str:
        """What becomes of `auto`: a loop in the kernel streams long segments."""
        given, levels = self.schedule.grouping, self.work.levels
        if given != "auto" or self.schedule.loop != "fori_loop":
            return given
        long = any(level.mean is not None and level.mean >= LONG * self._block(level) for level in levels)
        return "stream" if long else given

    def _block(self, level: Level) -> int:
        return 1 if level.axis is None else level.size or self.blocks[level.axis]

    def _trips(self, number: int) -> float:
        level = self.work.levels[number]
        if level.axis is None:
            return level.extent
        block = self._block(level)
        if level.ragged:
            return self.work.tiles(number, block, self.schedule.loop in ("emit_pipeline", "fori_loop"))
        if level.follows is not None:
            return max((level.extent + self.blocks.get(level.follows, 0) / 2) / block, 1.0)
        return ceil(level.extent / block)

    def _looped(self) -> frozenset[int]:
        """The levels that run in a kernel's loop: those of inner loops if they move, else the last."""
        levels = range(len(self.work.levels))
        inner = [n for n in levels if not self.work.levels[n].outer]
        if any(level.ragged for level in self.work.levels):
            return frozenset(levels)  # tiles that segments share are written in order
        if self.jagged:
            return frozenset(levels[min(map(self._begins, levels)) :])
        if any(self.trips[n] > 1 for n in inner):
            return frozenset(inner)
        return frozenset([n for n in levels if self.trips[n] > 1][-1:])

    def _begins(self, number: int) -> int:
        """The first level whose steps are found together with those of a level that follows another."""
        follows = self.work.levels[number].follows
        if follows is None:
            return len(self.work.levels)
        names = [level.axis for level in self.work.levels]
        return number if self.grouping == "overlaunch" else names.index(follows)

    def _size(self, extent: Extent) -> int:
        return extent if isinstance(extent, int) else self.blocks[extent]

    def _shape(self, shape: tuple[Extent, ...]) -> list[int]:
        return [self._size(extent) for extent in shape]

    def result(self) -> Modelled:
        """Loops that follow each other are stretches: one may wait for copies and another compute."""
        stretches = [self._stretch(levels) for levels in self._stretches()]
        leaves, chip = self._leaves(), self.chip
        ends, anew = (
            sum(each.copies.ends for each in stretches),
            sum(each.copies.anew for each in stretches),
        )
        latency, rate = chip.read_latency + chip.write_latency, chip.hbm_gb_per_s / chip.clock_ghz
        again = (self._starts() - 1) * (latency + anew / rate)
        cycles = latency + again + self._before(leaves)
        if len(stretches) == 1:
            (only,) = stretches
            cycles += max(only.stepping + ends / rate, only.moving + only.step)
        else:
            cycles += ends / rate + sum(max(each.stepping, each.moving) for each in stretches)
        longest = max(stretches, key=lambda each: max(each.stepping, each.moving))
        moved = sum(each.copies.read + each.copies.written for each in stretches)
        steps, vmem = sum(each.steps for each in stretches), sum(each.copies.vmem for each in stretches)
        body = max(each.body for each in stretches)
        return Modelled(cycles / chip.clock_ghz / 1e9, moved, steps, vmem, longest.bound, body)

    def _stretches(self) -> list[set[int]]:
        """The levels of each innermost loop; those around loops count with the last one."""
        levels = range(len(self.work.levels))
        leaves = self._leaves()
        stretches = [{leaf} for leaf in leaves]
        stretches[-1] |= set(levels) - set(leaves)
        return stretches

    def _stretch(self, levels: AbstractSet[int]) -> _Stretch:
        copies, units = self._copies(levels), self._units(levels)
        (leaf,) = levels & set(self._leaves())
        steps = max(self.runs[leaf], 1.0)
        busy = max(units, key=lambda unit: units[unit])
        step = (units[busy] + self._waits(levels) + self._control(leaf, steps)) / steps
        rate = self.chip.hbm_gb_per_s / self.chip.clock_ghz
        fetches = min(max(copies.fetches, 1.0), steps)
        passing = copies.read / fetches / rate
        wait = (self.chip.read_latency - EARLY + passing) / max(self._depth(passing) - 1, 1)
        stepping = steps * step + max(fetches - self._starts(), 0.0) * max(wait - step, 0.0)
        moving = (copies.read + copies.written) / rate
        bound = "transfer" if moving > stepping else "latency" if wait > step else busy
        return _Stretch(copies, steps, step, stepping, moving, bound, sum(units.values()) / steps)

    def _depth(self, passing: float) -> int:
        """The buffers of a window. Where nothing is said they are enough, if copies take `passing` cycles."""
        late = passing < self.chip.read_latency + STEP[self.chip.name]
        # Streams that begin anew for each segment gain less by more buffers than other loops do.
        enough = SOME if late and self.grouping != "stream" else TWO
        return min(self.schedule.depth or enough, self.most)

    def _leaves(self) -> list[int]:
        """The levels whose runs are steps: the innermost, but for those that are written out."""
        written_out = self.schedule.loop == "unroll"
        levels = [n for n, level in enumerate(self.work.levels) if level.outer or not written_out]
        return [n for n in levels if all(self.work.levels[other].parent != n for other in levels)]

    def _control(self, leaf: int, steps: float) -> float:
        """Cycles of all steps of a loop besides their bodies."""
        windows = sum(bool(each.shape) for each in self.work.traffic)
        scale = STEP[self.chip.name] / STEP["v5e"]
        if self.grouping != "stream":
            return steps * (STEP[self.chip.name] + WINDOW * windows)
        inner = sum(bool(each.shape) for each in self.work.traffic if each.level == leaf)
        parent = self.work.levels[leaf].parent
        items = self.runs[parent] if parent >= 0 else 1.0
        return scale * (steps * (STREAM_STEP + WINDOW * inner) + items * STREAM_ITEM)

    def _starts(self) -> float:
        """How often a pipeline begins anew: a loop in a kernel does for each step of the grid around it."""
        if self.schedule.loop != "fori_loop":
            return 1.0
        return prod(trips for n, trips in enumerate(self.trips) if n not in self.looped)

    def _before(self, leaves: Sequence[int]) -> float:
        """Cycles of the scalar code that lists the tiles of jagged axes, or else of idle steps."""
        ragged = [n for n, level in enumerate(self.work.levels) if level.jagged]
        if not ragged or self.grouping == "stream":
            return 0.0
        if self.grouping != "overlaunch":
            return CALL + LISTED * max(self.runs[n] for n in ragged)
        made = sum(prod(self._most(self.work.levels[n], n) for n in self.work.path(leaf)) for leaf in leaves)
        return self._idle(ragged) * max(made - sum(self.runs[n] for n in leaves), 0.0)

    def _idle(self, ragged: Sequence[int]) -> float:
        """Cycles of an idle step; what loops inside of the jagged one move is copied all the same."""
        shared = sum(each.effect is not Effect.READ and each.level in ragged for each in self.work.traffic)
        inside = {
            n for n, trips in enumerate(self.trips) if trips > 1 and self.work.levels[n].parent in ragged
        } - set(ragged)
        copied = [each for each in map(self._copied, self.work.traffic) if not inside.isdisjoint(each[1])]
        wait = (self.chip.read_latency - EARLY) / max(self._depth(0.0) - 1, 1) if copied else 0.0
        return max(IDLE + SHARED * shared, wait)

    def _most(self, level: Level, number: int) -> float:
        """The trips of a loop with as many steps as it may have."""
        if not level.jagged or level.axis is None:
            return self.trips[number]
        return level.most / self._block(level) + level.ragged

    def _units(self, levels: AbstractSet[int]) -> dict[str, float]:
        """Cycles that each unit is busy."""
        cycles: dict[str, float] = {
            "matrix": sum(map(self._product, (each for each in self.work.products if each.level in levels)))
        }
        cycles |= dict.fromkeys(Unit, 0.0)
        for lanes in self.work.lanes:
            if lanes.level not in levels or (lanes.carried and self.schedule.loop == "unroll"):
                continue
            count = registers(self._shape(lanes.shape), lanes.width)
            if count > KEPT or not lanes.kept:
                cycles[lanes.unit] += self.runs[lanes.level] * lanes.factor * count / SLOTS[lanes.unit]
        for traffic in (each for each in self.work.traffic if each.level in levels):
            count = registers(self._shape(traffic.shape), traffic.width)
            unit = Unit.LOADS if traffic.effect is Effect.READ else Unit.STORES
            cycles[unit] += self.runs[traffic.level] * count / SLOTS[unit]
        return cycles

    def _waits(self, levels: AbstractSet[int]) -> float:
        """Cycles in which steps wait for a first result."""
        lanes = [each for each in self.work.lanes if each.level in levels]
        products = [each for each in self.work.products if each.level in levels]
        found = sum(self.runs[each.level] * LATENCY.get(each.unit, 0.0) for each in lanes)
        found += sum(self.runs[each.level] * PRODUCT for each in products)
        # What is written out fills some of the waits of one tile with the work of another.
        return found * (1 + 1 / self._written_out()) / 2

    def _written_out(self) -> float:
        """How many steps of inner loops are one step."""
        inner = [trips for trips, level in zip(self.trips, self.work.levels, strict=True) if not level.outer]
        return prod(inner) if self.schedule.loop == "unroll" else 1.0

    def _product(self, product: Product) -> float:
        side, chip = self.chip.mxu_side, self.chip
        batch, m, n, k = map(self._size, (product.batch, product.m, product.n, product.k))
        rows = max(-(-m // SUBLANES) * SUBLANES, side // 2)  # while one matrix is used, the next is brought
        tiles = ceil(k / side) * ceil(n / side)
        per_cycle = chip.mxus * 16 / chip.mxu_cycles
        return self.runs[product.level] * batch * product.passes * rows * tiles / per_cycle

    def _copies(self, levels: AbstractSet[int]) -> _Copies:
        read = written = ends = anew = fetches = 0.0
        vmem, steps = 0, sum(self.runs[n] for n in self._leaves())
        for traffic in self.work.traffic:
            if traffic.level not in levels or not traffic.shape:
                continue  # a scalar, read from scalar memory
            shape, moving = self._copied(traffic)
            times, size = self._fetches(traffic.level, moving), padded_bytes(shape, traffic.width)
            own = max(times / steps, 1.0)
            vmem += ceil(size * own * (min(self.schedule.depth or TWO, self.most) if times > 1 else 1))
            ends += size
            anew += 0 if moving.isdisjoint(self.looped) else size
            if traffic.effect is not Effect.WRITE:
                read, fetches = read + times * size, max(fetches, times)
            if traffic.effect is not Effect.READ:
                written += times * size
        return _Copies(read, written, ends, anew, fetches, vmem)

    def _copied(self, traffic: Traffic) -> tuple[list[int], frozenset[int]]:
        """What is copied at once of a window's array, and the levels that move it."""
        shape = self._shape(traffic.shape)
        if not self.schedule.resident:
            return shape, traffic.moving
        moving = traffic.index
        for place, whole in enumerate(traffic.wholes):
            if whole is None:
                continue
            if whole[1].isdisjoint(self.looped):
                moving |= whole[1]
            else:
                shape[place] = max(shape[place], whole[0])
        return shape, moving

    def _fetches(self, level: int, moving: frozenset[int]) -> float:
        """How often a block changes: with the innermost loop that moves it and makes several steps."""
        times = 1.0
        path = self.work.path(level)
        for place, around in enumerate(path):
            if around in moving and self.trips[around] > 1:
                times = prod(self.trips[i] for i in path[: place + 1])
        return times
