"""What the analytic model says of choices: which to look at first, and which not at all."""

from collections.abc import Mapping

from tilec.analysis.model import Modelled
from tilec.analysis.nest import Schedule
from tilec.analysis.vmem import MEBIBYTE
from tilec.analysis.workload import Workload
from tilec.chips import Chip
from tilec.tuning.choice import Choice
from tilec.tuning.program import Program
from tilec.tuning.space import Space
from tilec.tuning.strips import modelled_in_strips

MOST_SCORED = 6000
"""Choices of sizes that are all scored, in about a second. Where there are more, the best are climbed to."""

LONGEST_BODY = 24_000
"""Cycles of a step on all units together. Longer code mostly takes the compiler more than half a minute."""


class Scorer:
    """Scores the choices of one program for one chip; remembers what it said."""

    def __init__(self, program: Program, chip: Chip):
        self.program = program
        self.chip = chip
        self._known: dict[Choice, tuple[float, float, float]] = {}
        self._kernels: dict[tuple[int, Choice, tuple[int, ...]], Modelled] = {}

    def score(self, choice: Choice) -> float:
        """Seconds that all kernels take, infinite for a choice whose windows do not fit the chip."""
        return self._look(choice)[0]

    def body(self, choice: Choice) -> float:
        """Cycles of a step on all units together, of the kernel that has most: so long is its code."""
        return self._look(choice)[1]

    def steps(self, choice: Choice) -> float:
        """How many steps all kernels make."""
        return self._look(choice)[2]

    def _look(self, choice: Choice) -> tuple[float, float, float]:
        if choice not in self._known:
            found = self._modelled(choice)
            fits = max((each.vmem for each in found), default=0) <= self.chip.vmem_mib * MEBIBYTE
            seconds = sum(each.seconds for each in found) if fits else float("inf")
            body = max((each.body for each in found), default=0.0)
            self._known[choice] = seconds, body, sum(each.steps for each in found)
        return self._known[choice]

    def _modelled(self, choice: Choice) -> list[Modelled]:
        schedule = Schedule(
            choice.loop,
            choice.depth,
            choice.operands == "resident",
            choice.grouping,
            choice.fetch,
            choice.clean,
        )
        structure, sizes = choice.with_sizes({}), choice.sizes
        return [
            self._kernel(number, work, structure, schedule, sizes)
            for number, work in enumerate(self.program.workloads_for(choice, self.chip.name))
        ]

    def _kernel(
        self, number: int, work: Workload, structure: Choice, schedule: Schedule, sizes: Mapping[str, int]
    ) -> Modelled:
        """One of several kernels, which have few axes in common: each is looked at with its own sizes."""
        key = number, structure, tuple(sizes[axis] for axis in work.axes)
        if key not in self._kernels:
            self._kernels[key] = modelled_in_strips(work, sizes, self.chip, schedule)
        return self._kernels[key]

    def ordered(self, space: Space, structure: Choice, most: int = MOST_SCORED) -> list[Choice]:
        """Choices with one structure, the best first: all of `most`, of more those met on the way up.

        Those whose code takes the compiler too long are left out, if there are others.
        """
        few = space.combinations(structure) <= most
        found = space.all_of(structure) if few else self._met(space, structure)
        legal = [each for each in found if space.legal(each) and self.score(each) < float("inf")]
        legal = [each for each in legal if self.body(each) <= LONGEST_BODY] or legal
        return sorted(legal, key=lambda each: (self.score(each), each.blocks))

    def _met(self, space: Space, structure: Choice) -> list[Choice]:
        """Those met by going uphill from the smallest, middle and largest sizes: axis by axis, or with
        one size for all axes that have the same, since loops in equal tiles may share what they read.
        """
        met: dict[Choice, None] = {}
        axes = space.axes_of(structure)
        alike = {each.sizes: [other for other in axes if other.sizes == each.sizes] for each in axes}
        together = [*([each] for each in axes), *(each for each in alike.values() if len(each) > 1)]
        for place in (0, 1, 2):
            sizes = {each.axis: each.sizes[place * (len(each.sizes) - 1) // 2] for each in axes}
            best = structure.with_sizes(sizes)
            moved = True
            while moved:
                moved = False
                for some in together:
                    lines = [dict.fromkeys((each.axis for each in some), size) for size in some[0].sizes]
                    line = [structure.with_sizes({**best.sizes, **sizes}) for sizes in lines]
                    met |= dict.fromkeys(line)
                    better = min(line, key=self.score)
                    if self.score(better) < self.score(best):
                        best, moved = better, True
        return list(met)
