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
from tilec.analysis.buffers import FEW, SOME
from tilec.analysis.copying import Copies, Copying
from tilec.analysis.nest import Nest, Schedule
from tilec.analysis.vmem import SUBLANES, registers
from tilec.analysis.workload import Extent, Lanes, Level, Product, Unit, Workload
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
REFINING = ("v4", "v5e", "v5p")
"""Chips that compute quotients and square roots from what the transcendental unit gives, step by step."""
STEP = {"v4": 100, "v5e": 100, "v5p": 100, "v6e": 100, "tpu7x": 60}
"""Bundles of a step besides its body."""
WINDOW = 12
"""Bundles of a step for each of its windows: whether it moves, and where to."""
KEPT = 48
"""Registers of a value that stay in registers between operations; larger ones are stored and loaded."""
LISTED = 40
"""Bundles for each entry of a worklist, made by scalar code in a kernel of its own before."""
STREAM_STEP = 20
"""Bundles of a step of a loop inside another one besides its body, where jagged axes are streamed. Loops that
follow each other are one, each step of which passes by what the others do."""
STREAM_WINDOW = 20
"""The same for each window that such a loop moves."""
STREAM_ITEM = 70
"""The same of one of the loop around it, for each loop inside: what is computed once for each segment."""
PEELED = 50
"""Bundles of a step that chooses between a body with masks and one without, where `--materialize-masks` would
not: it does where masks cost more."""
STRIP = 40
"""Bundles of the loops through a strip of rows, besides what is computed of it."""
IDLE = 150
"""Bundles of a step of a ragged axis that is behind its end."""
SHARED = 250
"""The same for each window that it writes."""
RESTING = 60
"""Bundles of such a step where no block moves, since all that segments share stays on the chip."""
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


def modelled(
    work: Workload, blocks: Mapping[str, int], chip: Chip, schedule: Schedule | None = None
) -> Modelled:
    """The time of a kernel with these block sizes, by axis."""
    return _Model(Nest(work, blocks, schedule or Schedule()), chip).result()


@dataclass(frozen=True)
class _Stretch:
    """Steps of one loop: the cycles of one that waits for nothing, of all as they come, those in which their
    bytes pass, and those of one step on all units together.
    """

    copies: Copies
    steps: float
    step: float
    stepping: float
    moving: float
    bound: str
    body: float


class _Model:
    def __init__(self, nest: Nest, chip: Chip) -> None:
        self.nest, self.work, self.schedule, self.chip = nest, nest.work, nest.schedule, chip
        self.copying = Copying(nest, chip)
        self.owners, self.most = self.copying.owners, self.copying.most

    def result(self) -> Modelled:
        """Loops that follow each other are stretches: one may wait for copies and another compute."""
        stretches = [self._stretch(levels) for levels in self._stretches()]
        leaves, chip = self.nest.leaves(), self.chip
        read, written = (sum(each.copies.anew[way] for each in stretches) for way in (0, 1))
        rate = chip.hbm_gb_per_s / chip.clock_ghz
        latency = (chip.read_latency if read else 0) + (chip.write_latency if written else 0)
        again = self.nest.starts() - 1
        cycles = chip.read_latency + chip.write_latency + again * latency + self._before(leaves)
        if len(stretches) == 1:
            (only,) = stretches
            anew = again * (read + written) / rate  # nothing is computed meanwhile, but these bytes pass
            # What came last is computed when all is there: of ragged axes that is less than on average.
            last = 1.0 if self.nest.jagged else max(only.steps / max(only.copies.fetches, 1.0), 1.0)
            cycles += max(only.stepping + only.copies.ends / rate + anew, only.moving + only.step * last)
        else:
            cycles += again * (read + written) / rate
            cycles += sum(max(each.stepping + each.copies.ends / rate, each.moving) for each in stretches)
        longest = max(stretches, key=lambda each: max(each.stepping, each.moving))
        moved = sum(each.copies.read + each.copies.written for each in stretches)
        steps, vmem = sum(each.steps for each in stretches), sum(each.copies.vmem for each in stretches)
        body = max(each.body for each in stretches)
        return Modelled(cycles / chip.clock_ghz / 1e9, moved, steps, vmem, longest.bound, body)

    def _stretches(self) -> list[set[int]]:
        """The levels of each innermost loop; those around loops count with the last one."""
        levels = range(len(self.work.levels))
        leaves = self.nest.leaves()
        stretches = [{leaf} for leaf in leaves]
        stretches[-1] |= set(levels) - set(leaves)
        return stretches

    def _stretch(self, levels: AbstractSet[int]) -> _Stretch:
        copies, units = self.copying.of(levels), self._units(levels)
        (leaf,) = levels & set(self.nest.leaves())
        steps = max(self.nest.runs[leaf], 1.0)
        busy = max(units, key=lambda unit: units[unit])
        bodies = sum(max(self._units(each).values()) for each in self._bodies(levels))
        waits = self._waits(levels) + self._waits_for_runs(levels)
        step = (bodies + waits + self._control(leaf, steps)) / steps
        rate = self.chip.hbm_gb_per_s / self.chip.clock_ghz
        fetches = min(max(copies.fetches, 1.0), steps)
        passing = copies.read / fetches / rate
        buffers = self._depth(passing)
        wait = (step + self.chip.read_latency + passing) / buffers
        stepping, first, meeting = steps * step, self.nest.starts(), copies.meeting(steps)
        after_none = self._after_none(sum(times for times, _, _ in meeting), steps)
        for times, read, passed in meeting:
            arrives = (step + self.chip.read_latency + read / rate) / buffers if read else 0.0
            if self.schedule.fetch > 1:  # what is written passes while nothing is read, and then beside it
                arrives += (passed - read) / rate
            if self.schedule.loop == "emit_pipeline" and passed > read:  # which has two buffers for outputs
                gone = (step + self.chip.write_latency + (passed - read) / rate) / FEW
                arrives = max(arrives, gone)
            alone = self.chip.read_latency + read / rate - (buffers - 2) * step if read else 0.0
            usual = max(arrives, passed / rate, step)
            takes = usual + after_none * max(alone - usual, 0.0)
            stepping += max(times - first, 0.0) * (takes - step)
            first = max(first - times, 0.0)
        moving = (copies.read + copies.written) / rate + self._unasked(leaf, steps, step, buffers - 1)
        bound = "transfer" if moving > stepping else "latency" if wait > step else busy
        code = sum(units.values()) - sum(
            self._cycles(each) for each in self.work.lanes if each.looped and each.level in levels
        )
        return _Stretch(copies, steps, step, stepping, moving, bound, code / steps)

    def _after_none(self, copying: float, steps: float) -> float:
        """The share of the `copying` steps that follow one without a copy: the one that is waited for began a
        step before, when nothing was on its way. Loops in each other begin copies earlier; ragged axes have
        such steps here and there."""
        if self.nest.grouping == "stream" or copying >= steps:
            return 0.0
        others = steps - copying
        return others / steps if self.nest.jagged else min(others / max(copying, 1.0), 1.0)

    def _unasked(self, leaf: int, steps: float, step: float, ahead: int) -> float:
        """The cycles of a stream in which nothing is on its way: it looks so many steps `ahead`, all of
        which, where segments are short, may be in the tile that is there already. The next copy has its
        latency then."""
        moved = [each for each in self.owners if leaf in each.moving and each.effect is Effect.READ]
        if self.nest.grouping != "stream" or not moved:
            return 0.0
        copies = max(self.nest.copied(each)[2] for each in moved)
        others = max(steps - copies, 0.0)
        return (others * step + min(copies, steps) * self.chip.read_latency) * (others / steps) ** ahead

    def _bodies(self, levels: AbstractSet[int]) -> list[set[int]]:
        """Levels whose work is in one body, where it fills each other's gaps: those of which each makes one
        step in that around it. What is done once for several steps has a condition, and a body of its own."""
        found: dict[int, set[int]] = {}
        for number in sorted(levels):
            level = self.work.levels[number]
            inside = self.nest.trips[number] <= 1 or (self.schedule.loop == "unroll" and not level.outer)
            body = found.get(level.parent) if inside else None
            found[number] = set[int]() if body is None else body
            found[number].add(number)
        return [body for number, body in found.items() if min(body) == number]

    def _depth(self, passing: float) -> int:
        """The buffers of a window. Where nothing is said they are enough, if copies take `passing` cycles:
        `tilec.analysis.buffers` has the reasons. Of ragged copies some bring little."""
        late = self.chip.read_latency + STEP[self.chip.name]
        ragged = self.nest.schedule.loop == "fori_loop" and any(level.ragged for level in self.work.levels)
        if passing >= late and not ragged:
            return min(self.schedule.depth or FEW, self.most)
        ahead = 1 if ragged else SOME - 1
        return min(self.schedule.depth or (SOME if ahead * passing >= late else MOST_BUFFERS), self.most)

    def _control(self, leaf: int, steps: float) -> float:
        """Cycles of all steps of a loop besides their bodies."""
        windows = sum(bool(each.shape) for each in self.work.traffic)
        scale = STEP[self.chip.name] / STEP["v5e"]
        peeled = PEELED * scale * steps if self.schedule.clean == "peel" else 0.0
        if self.nest.grouping != "stream":
            return steps * (STEP[self.chip.name] + WINDOW * windows) + peeled
        parent, loops = self.work.levels[leaf].parent, len(self.nest.leaves())
        items = self.nest.runs[parent] if parent >= 0 else 1.0
        jagged = {n for n, level in enumerate(self.work.levels) if level.jagged}
        copied = [each for each in map(self.nest.copied, self.owners) if each[2] > self.nest.starts()]
        often = sum(not jagged.isdisjoint(moving) for _, moving, _ in copied)
        step = loops * (STREAM_STEP + STREAM_WINDOW * often)
        item = STREAM_ITEM + 2 * STREAM_WINDOW * len(copied) / loops
        return scale * (steps * step + items * item) + peeled

    def _before(self, leaves: Sequence[int]) -> float:
        """Cycles of the scalar code that lists the tiles of jagged axes, or else of idle steps."""
        ragged = [n for n, level in enumerate(self.work.levels) if level.jagged]
        if not ragged or self.nest.grouping == "stream":
            return 0.0
        if self.nest.grouping != "overlaunch":
            return CALL + LISTED * max(self.nest.runs[n] for n in ragged)
        made = self._made(-1)
        return self._idle(ragged) * max(made - sum(self.nest.runs[n] for n in leaves), 0.0)

    def _made(self, around: int) -> float:
        """The steps of loops inside of one, each with as many as it may have: loops that follow each other
        are one axis, and what is inside of one of them is so of all."""
        inside = [n for n, level in enumerate(self.work.levels) if level.parent == around]
        steps = sum(self._most(self.work.levels[n], n) for n in inside if n not in self.nest.written_out)
        return max(steps, 1.0) * max(map(self._made, inside), default=1.0)

    def _idle(self, ragged: Sequence[int]) -> float:
        """Cycles of an idle step; what loops inside of the jagged one move is copied all the same."""
        within = [
            each for each in self.work.traffic if not set(ragged).isdisjoint(self.work.path(each.level))
        ]
        shared = sum(each.effect is not Effect.READ for each in within)
        inside = {
            n for n, trips in enumerate(self.nest.trips) if trips > 1 and self.work.levels[n].parent in ragged
        } - set(ragged)
        copied = [each for each in map(self.nest.copied, self.work.traffic) if not inside.isdisjoint(each[1])]
        wait = (self.chip.read_latency + IDLE) / self._depth(0.0) if copied else 0.0
        return RESTING if self.schedule.resident else max(IDLE + SHARED * shared, wait)

    def _most(self, level: Level, number: int) -> float:
        """The trips of a loop with as many steps as it may have."""
        if not level.jagged or level.axis is None:
            return self.nest.trips[number]
        return ceil(level.most / self.nest.block(level)) + (level.ragged and not level.whole)

    def _units(self, levels: AbstractSet[int]) -> dict[str, float]:
        """Cycles that each unit is busy."""
        cycles: dict[str, float] = {
            "matrix": sum(map(self._product, (each for each in self.work.products if each.level in levels)))
        }
        cycles |= dict.fromkeys(Unit, 0.0)
        for lanes in (each for each in self.work.lanes if each.level in levels):
            cycles[lanes.unit] += self._cycles(lanes)
        for traffic in (each for each in self.work.traffic if each.level in levels):
            count = registers(self.nest.shape(traffic.shape), traffic.width)
            unit = Unit.LOADS if traffic.effect is Effect.READ else Unit.STORES
            live = self.nest.live(traffic.level) if self._in_strips(traffic.level, traffic.shape) else 1.0
            cycles[unit] += self.nest.runs[traffic.level] * live * count / SLOTS[unit]
        return cycles

    def _cycles(self, lanes: Lanes) -> float:
        """Cycles that the unit of something computed is busy with it."""
        left_out = lanes.carried and self.schedule.loop == "unroll"
        if left_out or (lanes.refined and self.chip.name not in REFINING):
            return 0.0
        count = registers(self.nest.shape(lanes.shape), lanes.width)
        in_strips = self._in_strips(lanes.level, lanes.shape)
        if lanes.kept and (count <= KEPT or in_strips):
            return 0.0
        runs = self.nest.runs[lanes.level] * (self._partial(lanes.level) if lanes.masked else 1.0)
        runs *= self.nest.live(lanes.level) if in_strips else 1.0
        return runs * lanes.factor * count / SLOTS[lanes.unit]

    def _in_strips(self, level: int, shape: Sequence[Extent]) -> bool:
        """Whether a value has rows of which strips are done."""
        return self.work.levels[level].axis in shape and self.nest.strips[level] is not None

    def _partial(self, level: int) -> float:
        """The share of a ragged loop's tiles that have masks: with a body for whole ones, both ends."""
        return min(2 / max(self.nest.trips[level], 1.0), 1.0) if self.schedule.clean == "peel" else 1.0

    def _waits(self, levels: AbstractSet[int]) -> float:
        """Cycles in which steps wait for a first result."""
        lanes = [each for each in self.work.lanes if each.level in levels]
        products = [each for each in self.work.products if each.level in levels]
        found = sum(self.nest.runs[each.level] * LATENCY.get(each.unit, 0.0) for each in lanes)
        found += sum(self.nest.runs[each.level] * PRODUCT for each in products)
        # What is written out fills some of the waits of one tile with the work of another.
        strips = sum(STRIP * self._strips(number) for number in levels)
        return found * (1 + 1 / self._written_out()) / 2 + strips

    def _waits_for_runs(self, levels: AbstractSet[int]) -> float:
        """Cycles in which steps wait for rows that they copy themselves, all of which begin together."""
        rate = self.chip.hbm_gb_per_s / self.chip.clock_ghz
        waited = [each for each in self.owners if each.level in levels and self.nest.is_waited(each)]
        passing = sum(self.nest.runs[each.level] * self.copying.tile(each) for each in waited) / rate
        return passing + self.chip.read_latency * max(
            (self.nest.runs[each.level] for each in waited), default=0
        )

    def _strips(self, number: int) -> float:
        """How many strips of rows are done in all, if any."""
        strip, level = self.nest.strips[number], self.work.levels[number]
        if strip is None:
            return 0.0
        return self.nest.runs[number] * self.nest.live(number) * self.nest.block(level) / strip

    def _written_out(self) -> float:
        """How many steps of inner loops are one step."""
        inner = [
            trips for trips, level in zip(self.nest.trips, self.work.levels, strict=True) if not level.outer
        ]
        return prod(inner) if self.schedule.loop == "unroll" else 1.0

    def _product(self, product: Product) -> float:
        side, chip = self.chip.mxu_side, self.chip
        batch, m, n, k = self.nest.shape((product.batch, product.m, product.n, product.k))
        rows = max(-(-m // SUBLANES) * SUBLANES, side // 2)  # while one matrix is used, the next is brought
        tiles = ceil(k / side) * ceil(n / side)
        per_cycle = chip.mxus * 16 / chip.mxu_cycles
        return self.nest.runs[product.level] * batch * product.passes * rows * tiles / per_cycle
