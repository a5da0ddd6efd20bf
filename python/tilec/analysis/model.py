"""How long a kernel takes, roughly, from block sizes alone: no passes, no compiler, well under a millisecond.

It ranks choices before any is compiled. A step takes as long as its busiest unit, or as the copies for the
next one, whichever is longer, and something for being a step at all. Where each number comes from:

- Products, clocks, bandwidth and latencies: `tilec.chips`.
- Slots of a bundle: the capacity row of libtpu 0.0.51's utilisation report.
- What a step takes besides: bundles of steps with an empty body, three inputs and one output, on v5e 110 of a
  grid and 108 of an emit_pipeline, on tpu7x 40 and 99; a loop with copies of its own is taken to be alike.
- Copies: with two buffers, the one for the next step begins with this step, so that a step takes no less than
  its latency and its transfer; with more buffers several are under way.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, prod

from tilec.analysis.vmem import SUBLANES, padded_bytes, registers
from tilec.analysis.workload import Extent, Level, Product, Traffic, Unit, Workload
from tilec.chips import Chip
from tilec.dialects.tile.access import Effect

VECTOR_SLOTS = {"v4": 4, "v5e": 4, "v5p": 4, "v6e": 4, "tpu7x": 4}
STEP = {"v4": 110, "v5e": 110, "v5p": 110, "v6e": 110, "tpu7x": 60}
"""Bundles of a step besides its body."""


@dataclass(frozen=True)
class Modelled:
    """What the model says of one choice.

    `seconds` is the whole kernel's time, `copy_seconds` that of its copies alone, `bytes_moved` what crosses
    HBM's channel, `steps` how many steps the pipeline makes, `vmem` the bytes of the windows in all buffers;
    `bound` names what a step waits for.
    """

    seconds: float
    copy_seconds: float
    bytes_moved: float
    steps: float
    vmem: int
    bound: str


def modelled(
    work: Workload, blocks: Mapping[str, int], chip: Chip, loop: str = "grid", depth: int = 2
) -> Modelled:
    """The time of a kernel with these block sizes, by axis, a loop and `depth` buffers of a window."""
    return _Model(work, blocks, chip, loop, depth).result()


class _Model:
    def __init__(self, work: Workload, blocks: Mapping[str, int], chip: Chip, loop: str, depth: int):
        self.work, self.blocks, self.chip, self.loop, self.depth = work, blocks, chip, loop, depth
        self.trips = [self._trips(level) for level in work.levels]
        self.runs = [prod(self.trips[i] for i in work.path(n)) for n in range(len(work.levels))]

    def _trips(self, level: Level) -> float:
        if level.axis is None:
            return level.extent
        block = self.blocks[level.axis]
        if level.ragged:  # whole tiles of the array: one more where it does not begin on one
            return level.extent / block + 1 if level.extent else 1.0
        return ceil(level.extent / block)

    def _size(self, extent: Extent) -> int:
        return extent if isinstance(extent, int) else self.blocks[extent]

    def _shape(self, shape: tuple[Extent, ...]) -> list[int]:
        return [self._size(extent) for extent in shape]

    def result(self) -> Modelled:
        units = self._units()
        moved, copies, vmem = self._copies()
        leaves = [n for n in range(len(self.runs)) if all(level.parent != n for level in self.work.levels)]
        steps = sum(self.runs[n] for n in leaves)
        busy = max(units, key=lambda unit: units[unit])
        compute = units[busy] + steps * STEP[self.chip.name]
        transfer = moved / (self.chip.hbm_gb_per_s / self.chip.clock_ghz)
        waiting = (copies * self.chip.read_latency + transfer) / max(self.depth - 1, 1)
        cycles = max(compute, transfer, waiting)
        bound = busy if cycles == compute else "transfer" if cycles == transfer else "latency"
        second = self.chip.clock_ghz * 1e9
        return Modelled(cycles / second, max(transfer, waiting) / second, moved, steps, vmem, bound)

    def _units(self) -> dict[str, float]:
        """Cycles that each unit is busy."""
        slots = VECTOR_SLOTS[self.chip.name]
        rate = {Unit.VECTOR: slots, Unit.TRANSCENDENTAL: 1, Unit.ACROSS: 2}
        cycles: dict[str, float] = {"matrix": sum(map(self._product, self.work.products))}
        for unit in Unit:
            cycles[unit] = 0.0
        for lanes in self.work.lanes:
            count = registers(self._shape(lanes.shape), lanes.width)
            cycles[lanes.unit] += self.runs[lanes.level] * lanes.factor * count / rate[lanes.unit]
        for traffic in self.work.traffic:
            count = registers(self._shape(traffic.shape), traffic.width)
            unit = "stores" if traffic.effect is not Effect.READ else "loads"
            cycles[unit] = cycles.get(unit, 0.0) + self.runs[traffic.level] * count / (
                1 if unit == "stores" else 2
            )
        return cycles

    def _product(self, product: Product) -> float:
        side, chip = self.chip.mxu_side, self.chip
        batch, m, n, k = map(self._size, (product.batch, product.m, product.n, product.k))
        rows = max(-(-m // SUBLANES) * SUBLANES, side // 2)  # while one matrix is used, the next is brought
        tiles = ceil(k / side) * ceil(n / side)
        per_cycle = chip.mxus * 16 / chip.mxu_cycles
        return self.runs[product.level] * batch * product.passes * rows * tiles / per_cycle

    def _copies(self) -> tuple[float, float, int]:
        """Bytes that are copied, the most often that one window is, and the bytes of all windows."""
        moved, most, vmem = 0.0, 0.0, 0
        for traffic in self.work.traffic:
            shape = self._shape(traffic.shape)
            if not shape:
                continue  # a scalar, read from scalar memory
            times = self._fetches(traffic)
            size = padded_bytes(shape, traffic.width)
            moved += times * size
            most = max(most, times)
            vmem += size * self.depth
        return moved, most, vmem

    def _fetches(self, traffic: Traffic) -> float:
        """How often a block changes: with the innermost loop that moves it and makes several steps."""
        times = 1.0
        path = self.work.path(traffic.level)
        for place, level in enumerate(path):
            if level in traffic.moving and self.trips[level] > 1:
                times = prod(self.trips[i] for i in path[: place + 1])
        return times
