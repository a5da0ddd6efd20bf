"""From a program to the choice to take: the cache, the space, the search, with compiling processes."""

import importlib.util
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from rich.console import Console

from tilec.chips import chip_named
from tilec.tuning.cache import keep, key_of, known
from tilec.tuning.choice import Choice
from tilec.tuning.estimates import Estimator
from tilec.tuning.pool import Pool
from tilec.tuning.program import Program
from tilec.tuning.progress import shown
from tilec.tuning.scoring import Scorer
from tilec.tuning.search import Budget, Outcome, search
from tilec.tuning.structures import space_of


class NothingFits(Exception):
    """No choice can be compared with others; the message says what became of one of them."""


@dataclass(frozen=True)
class Tuned:
    """What tuning a program gave. `seconds` is the estimate of all its kernels.

    `outcome` has the ranking and what was refused, and is None where the cache knew.
    """

    choice: Choice
    seconds: float
    outcome: Outcome | None


Estimators = Callable[[Program, str], AbstractContextManager[Estimator]]


def tune(
    program: Program,
    chip: str,
    budget: Budget,
    *,
    estimators: Estimators = Pool,
) -> Tuned:
    """The best choice for a program that a budget finds, or what is known from before.

    Results are kept in the user's folder for caches. An interrupt ends the search and keeps the best. Raises
    ValueError for an unknown chip, TileError for what a pass refuses of the program whatever is chosen,
    NothingFits where every choice is refused, or there is no compiler.
    """
    target = chip_named(chip)
    key = key_of(program, chip, budget.compiles)
    before = known(key)
    if before is not None:
        return Tuned(*before, None)
    if estimators is Pool and importlib.util.find_spec("libtpu") is None:
        raise NothingFits(f"{program.name}: there is no TPU compiler to ask; install libtpu")
    space, scorer = space_of(program), Scorer(program, target)
    console = Console(stderr=True)
    with estimators(program, chip) as estimator, shown(program.name, budget, console) as report:
        outcome = search(space, scorer, estimator, budget, report)
    ranking = outcome.ranking
    if not ranking:
        refused = outcome.refused
        why = f"{refused[0][0]}: {refused[0][1]}" if refused else outcome.ended
        raise NothingFits(f"{program.name}: none of {len(refused)} choices can be taken; {why}")
    choice, estimate = ranking[0]
    seconds = estimate.seconds or 0.0
    if outcome.ended != "interrupted":
        keep(key, choice, seconds)
    return Tuned(choice, seconds, outcome)
