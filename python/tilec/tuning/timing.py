"""Real time on a device, for choices that estimates cannot tell apart.

Estimates that are within `TIE` of the best say nothing about which is faster. Where the chip is there, these
are run: each once to warm up, then all in turn, so that what changes with time meets all of them alike. The
median of a choice's rounds counts.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from statistics import median
from typing import Protocol

from tilec.tuning.choice import Choice
from tilec.tuning.estimates import Estimate

TIE = 0.15
"""Estimates that differ by less count as equal."""
MOST_TIMED = 6
"""Choices that are run at most."""
ROUNDS = 9
"""How often each is timed."""
LEAST_SECONDS = 5e-3
"""What is timed at once takes so long, by its estimate: launching a kernel takes up to 0.1 ms."""
MOST_CALLS = 1000
"""Calls that are timed at once."""


class NotTimed(Exception):
    """A choice that cannot be run; the message is one line."""


class Device(Protocol):
    """Runs kernels on the chip that is tuned for."""

    def prepared(self, choice: Choice) -> Callable[[int], float]:
        """A function that makes so many calls one after the other, and returns how many seconds it took until
        the last result was there. It has been called. Raises NotTimed for what the device does not take.
        """
        ...


@dataclass
class Times:
    """What running some choices gave: seconds of a call of each, and why others were not run."""

    seconds: dict[Choice, float] = field(default_factory=dict[Choice, float])
    refused: dict[Choice, str] = field(default_factory=dict[Choice, str])

    @property
    def best(self) -> Choice | None:
        """The fastest, if any was run."""
        return min(self.seconds, key=lambda each: self.seconds[each], default=None)


def contenders(ranking: Sequence[tuple[Choice, Estimate]]) -> dict[Choice, float]:
    """The choices whose estimates are as good as equal to the best one, with their seconds."""
    known = {choice: each.seconds for choice, each in ranking if each.seconds is not None}
    limit = min(known.values(), default=0.0) * (1 + TIE)
    near = [choice for choice, seconds in known.items() if seconds <= limit]
    return {choice: known[choice] for choice in near[:MOST_TIMED]}


def timed(device: Device, estimates: Mapping[Choice, float]) -> Times:
    """Runs choices in turn, those in `estimates`, which say how many calls are needed to see anything."""
    found = Times()
    calls: dict[Choice, Callable[[int], float]] = {}
    for choice in estimates:
        try:
            calls[choice] = device.prepared(choice)
        except NotTimed as error:
            found.refused[choice] = str(error)
    rounds: dict[Choice, list[float]] = {choice: [] for choice in calls}
    for number in range(ROUNDS):
        order = list(calls.items())
        for choice, call in order if number % 2 == 0 else reversed(order):
            count = min(ceil(LEAST_SECONDS / estimates[choice]), MOST_CALLS)
            rounds[choice].append(call(count) / count)
    found.seconds = {choice: median(each) for choice, each in rounds.items()}
    return found
