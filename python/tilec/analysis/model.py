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
from dataclasses import dataclass
from math import ceil, prod

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
IDLE = 320
"""Bundles of a step of a ragged axis that is behind its end."""
CALL = 1000
"""Cycles of such a kernel besides: its offsets come, its lists go."""


@dataclass(frozen=True)
class Modelled:
    """What the model says of one choice.

    `seconds` is the whole kernel's time, `bytes_moved` what crosses HBM's channel, `steps` how many steps the
    pipeline makes, `vmem` the bytes of the windows in all their buffers; `bound` names what takes longest.
    """

    seconds: float
    bytes_moved: float
    steps: float
    vmem: int
    bound: str


@dataclass(frozen=True)
class Schedule:
    """What is chosen besides block sizes: the loop, `depth` buffers of a window, and two more.

    `resident` arrays that may stay on the chip do. With `idle`, ragged axes have no worklist, but as many
    steps as they may have at most.
    """

    loop: str = "grid"
    depth: int = 2
    resident: bool = False
    idle: bool = False


def modelled(
    work: Workload, blocks: Mapping[str, int], chip: Chip, schedule: Schedule | None = None
) -> Modelled:
    """The time of a kernel with these block sizes, by axis."""
    return _Model(work, blocks, chip, schedule or Schedule()).result()


@dataclass(frozen=True)
class _Copies:
    """What the windows of a kernel copy: bytes in all and of the first and the last step, the most fetches of
    one window, and the bytes of all windows in their buffers.
    """

    read: float
    written: float
    first: float
    last: float
    fetches: float
    vmem: int


class _Model:
    def __init__(self, work: Workload, blocks: Mapping[str, int], chip: Chip, schedule: Schedule) -> None:
        self.work, self.blocks, self.chip, self.schedule = work, blocks, chip, schedule
        self.listed = not schedule.idle and any(level.jagged for level in work.levels)
        # An emit_pipeline that may have few steps has two buffers at most.
        self.depth = 2 if self.listed and schedule.loop == "emit_pipeline" else schedule.depth
        self.trips = [self._trips(level) for level in work.levels]
        self.runs = [prod(self.trips[i] for i in work.path(n)) for n in range(len(work.levels))]

    def _trips(self, level: Level) -> float:
        if level.axis is None:
            return level.extent
        block = self.blocks[level.axis]
        if level.ragged:  # whole tiles of the array: one more where it does not begin on one
            return level.extent / block + 1 if level.extent else 1.0
        if level.follows is not None:
            return max((level.extent + self.blocks[level.follows] / 2) / block, 1.0)
        return ceil(level.extent / block)

    def _size(self, extent: Extent) -> int:
        return extent if isinstance(extent, int) else self.blocks[extent]

    def _shape(self, shape: tuple[Extent, ...]) -> list[int]:
        return [self._size(extent) for extent in shape]

    def result(self) -> Modelled:
        chip, copies, units = self.chip, self._copies(), self._units()
        leaves = [n for n in range(len(self.runs)) if all(level.parent != n for level in self.work.levels)]
        steps = max(sum(self.runs[n] for n in leaves), 1.0)
        busy = max(units, key=lambda unit: units[unit])
        windows = sum(bool(each.shape) for each in self.work.traffic)
        step = (units[busy] + self._waits()) / steps + STEP[chip.name] + WINDOW * windows
        rate = chip.hbm_gb_per_s / chip.clock_ghz
        fetches = min(max(copies.fetches, 1.0), steps)
        wait = (chip.read_latency - EARLY + copies.read / fetches / rate) / max(self.depth - 1, 1)
        ends = chip.read_latency + chip.write_latency + (copies.first + copies.last) / rate
        stepping = self._starts() * ends + step + (fetches - 1) * max(step, wait) + (steps - fetches) * step
        moving = chip.read_latency + chip.write_latency + step + (copies.read + copies.written) / rate
        cycles = max(stepping, moving + (self._starts() - 1) * ends) + self._ragged(leaves)
        bound = "transfer" if moving > stepping else "latency" if wait > step else busy
        moved = copies.read + copies.written
        return Modelled(cycles / chip.clock_ghz / 1e9, moved, steps, copies.vmem, bound)

    def _starts(self) -> float:
        """How often a pipeline begins anew: a loop in a kernel does for each step of the grid around it."""
        if self.schedule.loop != "fori_loop" or self.listed or self.schedule.resident:
            return 1.0
        outer = [self.trips[n] for n, level in enumerate(self.work.levels) if level.outer]
        inner = [self.trips[n] for n, level in enumerate(self.work.levels) if not level.outer]
        if max(inner, default=1.0) > 1:
            return prod(outer)
        several = [trips for trips in outer if trips > 1]
        return prod(several[:-1])  # the last of these axes is the loop

    def _ragged(self, leaves: Sequence[int]) -> float:
        """Cycles of the scalar code that lists the tiles of jagged axes, or else of idle steps."""
        ragged = [n for n, level in enumerate(self.work.levels) if level.jagged]
        if not ragged:
            return 0.0
        if self.listed:
            return CALL + LISTED * max(self.runs[n] for n in ragged)
        made = sum(prod(self._most(self.work.levels[n], n) for n in self.work.path(leaf)) for leaf in leaves)
        return IDLE * max(made - sum(self.runs[n] for n in leaves), 0.0)

    def _most(self, level: Level, number: int) -> float:
        """The trips of a loop with as many steps as it may have."""
        if not level.jagged or level.axis is None:
            return self.trips[number]
        return level.most / self.blocks[level.axis] + level.ragged

    def _units(self) -> dict[str, float]:
        """Cycles that each unit is busy."""
        cycles: dict[str, float] = {"matrix": sum(map(self._product, self.work.products))}
        cycles |= dict.fromkeys(Unit, 0.0)
        for lanes in self.work.lanes:
            count = registers(self._shape(lanes.shape), lanes.width)
            if count > KEPT or not lanes.kept:
                cycles[lanes.unit] += self.runs[lanes.level] * lanes.factor * count / SLOTS[lanes.unit]
        for traffic in self.work.traffic:
            count = registers(self._shape(traffic.shape), traffic.width)
            unit = Unit.LOADS if traffic.effect is Effect.READ else Unit.STORES
            cycles[unit] += self.runs[traffic.level] * count / SLOTS[unit]
        return cycles

    def _waits(self) -> float:
        """Cycles in which steps wait for a first result."""
        lanes = sum(self.runs[each.level] * LATENCY.get(each.unit, 0.0) for each in self.work.lanes)
        return lanes + sum(self.runs[each.level] * PRODUCT for each in self.work.products)

    def _product(self, product: Product) -> float:
        side, chip = self.chip.mxu_side, self.chip
        batch, m, n, k = map(self._size, (product.batch, product.m, product.n, product.k))
        rows = max(-(-m // SUBLANES) * SUBLANES, side // 2)  # while one matrix is used, the next is brought
        tiles = ceil(k / side) * ceil(n / side)
        per_cycle = chip.mxus * 16 / chip.mxu_cycles
        return self.runs[product.level] * batch * product.passes * rows * tiles / per_cycle

    def _copies(self) -> _Copies:
        read = written = first = last = fetches = 0.0
        vmem = 0
        for traffic in self.work.traffic:
            shape, times = self._shape(traffic.shape), self._fetches(traffic)
            if not shape:
                continue  # a scalar, read from scalar memory
            if self.schedule.resident and traffic.whole is not None:
                shape, times = list(traffic.whole), 1.0
            size = padded_bytes(shape, traffic.width)
            vmem += size * (self.depth if times > 1 else 1)
            if traffic.effect is not Effect.WRITE:
                read, first, fetches = read + times * size, first + size, max(fetches, times)
            if traffic.effect is not Effect.READ:
                written, last = written + times * size, last + size
        return _Copies(read, written, first, last, fetches, vmem)

    def _fetches(self, traffic: Traffic) -> float:
        """How often a block changes: with the innermost loop that moves it and makes several steps."""
        times = 1.0
        path = self.work.path(traffic.level)
        for place, level in enumerate(path):
            if level in traffic.moving and self.trips[level] > 1:
                times = prod(self.trips[i] for i in path[: place + 1])
        return times
