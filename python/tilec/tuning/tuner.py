"""From a program to the choice to take: the cache, the space, the search, compiling processes, a TPU."""

import importlib.util
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from rich.console import Console

from tilec.chips import chip_named
from tilec.tuning.cache import Entry, keep, key_of, known
from tilec.tuning.choice import Choice
from tilec.tuning.defaults import default_choice
from tilec.tuning.estimates import Estimator
from tilec.tuning.pool import Pool
from tilec.tuning.program import Program
from tilec.tuning.progress import shown
from tilec.tuning.scoring import Scorer
from tilec.tuning.search import Budget, Outcome, search
from tilec.tuning.structures import space_of
from tilec.tuning.timing import Device, Times, contenders, timed


class NothingFits(Exception):
    """No choice can be compared with others; the message says what became of one of them."""


@dataclass(frozen=True)
class Tuned:
    """What tuning a program gave. `seconds` is the estimate of all its kernels.

    `measured` are the seconds of a call on a TPU, None where there is none of that chip. `outcome` has the
    ranking and what was refused, `times` what running the best gave; they are None where the cache knew.
    """

    choice: Choice
    seconds: float
    outcome: Outcome | None = None
    measured: float | None = None
    times: Times | None = None


Estimators = Callable[[Program, str], AbstractContextManager[Estimator]]
Devices = Callable[[Program, str], Device | None]


def _device_for(program: Program, chip: str) -> Device | None:
    from tilec.tuning.device import device_for  # which needs numpy

    return device_for(program, chip)


def tune(
    program: Program,
    chip: str,
    budget: Budget,
    *,
    estimators: Estimators = Pool,
    devices: Devices = _device_for,
) -> Tuned:
    """The best choice for a program that a budget finds, or what is known from before.

    Where there is a TPU of that chip, the choices whose estimates are as good as equal are run, and the
    fastest is taken; what is known from estimates alone is then looked for again. So is, beginning with the
    best, what was found in less time than there is now. Results are kept in the user's folder for caches. An
    interrupt ends the search and keeps the best. Raises ValueError for an unknown chip, TileError for what a
    pass refuses of the program whatever is chosen, NothingFits where every choice is refused, or there is no
    compiler.
    """
    started, target = time.monotonic(), chip_named(chip)
    key = key_of(program, chip, budget.compiles)
    before, device = known(key), devices(program, chip)
    late = before is not None and before.within is not None and budget.seconds > before.within
    if before is not None and not late and (before.measured is not None or device is None):
        return Tuned(before.choice, before.seconds, measured=before.measured)
    if estimators is Pool and importlib.util.find_spec("libtpu") is None:
        raise NothingFits(f"{program.name}: there is no TPU compiler to ask; install libtpu")
    console = Console(stderr=True)
    with estimators(program, chip) as estimator, shown(program.name, budget, console) as report:
        space, scorer = space_of(program, chip), Scorer(program, target)
        usual = default_choice(program, chip) if before is None else before.choice
        outcome = search(space, scorer, estimator, budget, report, usual, started)
    ranking = outcome.ranking
    if not ranking:
        refused = outcome.refused
        why = f"{refused[0][0]}: {refused[0][1]}" if refused else outcome.ended
        raise NothingFits(f"{program.name}: none of {len(refused)} choices can be taken; {why}")
    tuned = _chosen(outcome, device)
    if outcome.ended != "interrupted":
        within = budget.seconds if outcome.late else None
        keep(key, Entry(tuned.choice, tuned.seconds, tuned.measured, within))
    return tuned


def _chosen(outcome: Outcome, device: Device | None) -> Tuned:
    """The best of a ranking that is not empty, by a device if there is one."""
    choice, estimate = outcome.ranking[0]
    seconds = estimate.seconds or 0.0
    if device is None or outcome.ended == "interrupted":
        return Tuned(choice, seconds, outcome)
    near = contenders(outcome.ranking)
    try:
        times = timed(device, near)
    except KeyboardInterrupt:
        outcome.ended = "interrupted"
        return Tuned(choice, seconds, outcome)
    fastest = times.best
    if fastest is None:
        return Tuned(choice, seconds, outcome, None, times)
    return Tuned(fastest, near[fastest], outcome, times.seconds[fastest], times)
