"""The search: the model says where to look, compiled estimates say what is best.

First a few choices that differ much: the model's best, others far from it, and the best of other loops and
groupings. Then, with the model corrected by what is known, neighbours of the best one and what else is
expected to be better, until nothing is.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import inf

from tilec.tuning.choice import Choice
from tilec.tuning.correction import corrected
from tilec.tuning.estimates import Estimate, Estimator
from tilec.tuning.scoring import Scorer
from tilec.tuning.space import Space

TIE = 0.03
"""Estimates that are nearer than this are as good as equal: the simpler choice wins, then less memory.
Differences under 15 % are not known to be real, but so much would be given away where they are."""
FIRST = 4
"""Choices of sizes to begin with, besides those that show what another structure does."""
APART = 2
"""Steps between the first choices of sizes."""
NEAR = 1.6
"""How much slower than the best a choice next to it may be expected to be and is still looked at: as wrong as
expectations are."""
MOST_LIKED = 100
"""Choices of each structure of which anything is expected, those that the model likes best."""
SEVERAL = 2
"""Choices of a structure that are refused until no other of it is looked at."""
MOST_REFUSED = 60
"""Choices that are refused in a row until the search gives up."""


@dataclass(frozen=True)
class Budget:
    """When a search ends: after so many seconds, or when the compiler was asked about so many choices."""

    seconds: float = 60.0
    compiles: int = 40


@dataclass
class Outcome:
    """What a search found: each choice that was looked at with what came of it, and why it ended. Nothing is
    taken that is slower than the `usual` choice."""

    usual: Choice | None = None
    found: dict[Choice, Estimate] = field(default_factory=dict[Choice, Estimate])
    seconds: float = 0.0
    ended: str = ""
    late: bool = False
    """Whether it ended as there was no time left, and more time may find something better."""

    @property
    def ranking(self) -> list[tuple[Choice, Estimate]]:
        """The choices that may be compared, the best first."""
        ranked = [pair for pair in self.found.items() if pair[1].ranked]
        ranked.sort(key=lambda pair: (_seconds(pair[1]), pair[0].plainness, pair[0].blocks))
        if not ranked:
            return []
        known = [_seconds(each) for choice, each in ranked if choice == self.usual]
        limit = min([_seconds(ranked[0][1]) * (1 + TIE), *known])
        ties = [pair for pair in ranked if _seconds(pair[1]) <= limit]
        best = min(
            ties, key=lambda pair: (pair[0].plainness, pair[1].vmem, _seconds(pair[1]), pair[0].blocks)
        )
        return [best, *(pair for pair in ranked if pair is not best)]

    @property
    def best(self) -> Choice | None:
        """The choice to take, if any may be compared."""
        ranking = self.ranking
        return ranking[0][0] if ranking else None

    @property
    def compiles(self) -> int:
        """How many choices the compiler was asked about."""
        return sum(each.compiled for each in self.found.values())

    @property
    def refused(self) -> list[tuple[Choice, str]]:
        """The choices that came to nothing, and why."""
        return [
            (choice, each.refused or "its control flow is not known, so it is not ranked")
            for choice, each in self.found.items()
            if not each.ranked
        ]


def _seconds(estimate: Estimate) -> float:
    return float("inf") if estimate.seconds is None else estimate.seconds


Report = Callable[[Outcome], None]


def search(
    space: Space,
    scorer: Scorer,
    estimator: Estimator,
    budget: Budget,
    report: Report,
    usual: Choice | None = None,
    started: float | None = None,
) -> Outcome:
    """The best choice of a space that can be found within a budget; an interrupt keeps what was found.

    `report` is called after each estimate. `usual`, what is chosen without tuning, is looked at first, and
    nothing slower is taken. The budget's seconds count from `started`, of `time.monotonic`, or else from now;
    only for a first choice that may be taken a search waits longer. The same answers of the estimator lead
    to the same choice, but for where time runs out.
    """
    return _Search(space, scorer, estimator, budget, report, usual, started).run()


class _Search:
    def __init__(
        self,
        space: Space,
        scorer: Scorer,
        estimator: Estimator,
        budget: Budget,
        report: Report,
        usual: Choice | None,
        started: float | None,
    ):
        self.space, self.scorer, self.estimator = space, scorer, estimator
        self.budget, self.report, self.usual = budget, report, usual
        self.outcome = Outcome(usual)
        self.started = time.monotonic() if started is None else started

    def run(self) -> Outcome:
        try:
            self._ask(self._first())
            while not self.outcome.ended:
                self._climb()
        except KeyboardInterrupt:
            self.outcome.ended = "interrupted"
        self.outcome.seconds = time.monotonic() - self.started
        return self.outcome

    def _first(self) -> list[Choice]:
        """The usual choice, several of the plainest structure, the best of other loops and groupings."""
        plain, *others = self.space.structures
        ordered = self.scorer.ordered(self.space, plain)
        chosen: list[Choice] = []
        for choice in ordered:
            if len(chosen) < FIRST and all(self.space.distance(choice, each) >= APART for each in chosen):
                chosen.append(choice)
        for structure in others:
            if structure == replace(plain, grouping=structure.grouping, loop=structure.loop):
                chosen += self.scorer.ordered(self.space, structure)[:1]
        if self.usual is not None:
            chosen.insert(0, self.usual)
        return list(dict.fromkeys(chosen))

    def _climb(self) -> None:
        """Look at what is likely to be better than the best: near it, and wherever else the model says so.

        The search ends where nothing is.
        """
        ranking = self.outcome.ranking
        if not ranking:
            return self._look_elsewhere()
        best, estimate = ranking[0]
        has = self.space.has
        # The usual choice may be of no space, but of blocks that the passes choose.
        known = {choice: _seconds(each) for choice, each in ranking if has(choice)}
        expected = corrected(self.scorer.score, known, best)
        around = self.space.neighbours(best) if has(best) else []
        near = self._likely(around, expected, NEAR * _seconds(estimate))
        far = self._likely(self._liked, expected, _seconds(estimate))
        asked = list(dict.fromkeys([*near[: self.estimator.width], *far[: self.estimator.width]]))
        if not asked:
            self.outcome.ended = "nothing better is expected"
        self._ask(asked)

    def _likely(
        self, choices: Iterable[Choice], expected: Callable[[Choice], float], limit: float
    ) -> list[Choice]:
        """The choices that were not looked at and may take less than `limit`, the most likely first.

        Of those with another order of axes, where that copies less with these sizes.
        """
        hopeless, score = self._hopeless(), self.scorer.score
        new = [
            (expected(each), each)
            for each in choices
            if each not in self.outcome.found
            and each.with_sizes({}) not in hopeless
            and not (each.order and score(each) >= score(replace(each, order=())))
        ]
        return [each for seconds, each in sorted(new, key=lambda pair: pair[0]) if seconds < limit]

    def _hopeless(self) -> set[Choice]:
        """The structures of which several choices came to nothing, and none to anything."""
        came = {choice.with_sizes({}) for choice, each in self.outcome.found.items() if each.ranked}
        refused = Counter(choice.with_sizes({}) for choice, _ in self.outcome.refused)
        return {each for each, count in refused.items() if count >= SEVERAL and each not in came}

    @cached_property
    def _liked(self) -> list[Choice]:
        """The choices of which the model thinks most, with all structures."""
        ordered = (self.scorer.ordered(self.space, each)[:MOST_LIKED] for each in self.space.structures)
        return [choice for some in ordered for choice in some]

    def _look_elsewhere(self) -> None:
        """Where all was refused so far, look at what the model likes next."""
        left = [each for each in self._liked if each not in self.outcome.found]
        if not left or len(self.outcome.found) >= MOST_REFUSED:
            self.outcome.ended = "all is refused"
        self._ask(left[:: max(len(left) // self.estimator.width, 1)][: self.estimator.width])

    def _ask(self, choices: Sequence[Choice]) -> None:
        """Have choices estimated, as far as the budget goes."""
        asked = choices[: max(self.budget.compiles - self.outcome.compiles, 0)]
        end = self.started + self.budget.seconds
        estimates = self.estimator.estimate(asked, lambda: end if self.outcome.ranking else inf)
        for choice, estimate in zip(asked, estimates, strict=False):
            self.outcome.found[choice] = estimate
            self.report(self.outcome)
            if time.monotonic() > end:
                break
        if time.monotonic() > end:
            self.outcome.ended, self.outcome.late = f"{self.budget.seconds:g} s are over", True
        elif self.outcome.compiles >= self.budget.compiles:
            self.outcome.ended = f"{self.budget.compiles} choices were compiled"
