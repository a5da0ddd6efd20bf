"""Records what a kernel does as the scalar unit is run: code, copies, and waits for them.

Runs may have millions of steps, so a recorder keeps stretches of them only, of which one is about the middle
of the run, however long that is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

_KEPT = 4096  # events of a stretch
_FARTHER = 1.5  # how much later the next stretch begins, at least


@dataclass(frozen=True)
class Ran:
    """Bundles from `first` up to `stop`, one after the other. Times are in cycles since the kernel began."""

    first: int
    stop: int
    begin: float
    end: float


@dataclass(frozen=True)
class Copied:
    """A DMA of `bytes` in the direction `way`, such as `hbm-to-vmem`.

    It is issued at `issued` and done at `done`; from `begin` to `end` it has the channel to HBM. `array` is
    the position of the array in HBM among those of the kernel, None where the address is in none.
    """

    array: int | None
    way: str
    bytes: int
    issued: float
    begin: float
    end: float
    done: float


@dataclass(frozen=True)
class Waited:
    """A time for which the core waited for DMAs."""

    begin: float
    end: float


Event = Ran | Copied | Waited


@dataclass
class Recorder:
    """Stretches of consecutive events, each with the number of the first."""

    _stretches: list[tuple[int, list[Event]]] = field(default_factory=list[tuple[int, list[Event]]])
    _count: int = 0
    _next: int = 0

    def add(self, event: Event) -> None:
        """Takes note of the next event."""
        if self._count == self._next:
            self._stretches.append((self._count, []))
            self._next = max(self._count + _KEPT, int(self._count * _FARTHER))
        first, events = self._stretches[-1]
        if self._count < first + _KEPT:
            events.append(event)
        self._count += 1

    def middle(self) -> Sequence[Event]:
        """The last stretch that begins in the first half of the run."""
        begun = [events for first, events in self._stretches if 2 * first <= self._count]
        return begun[-1] if begun else ()
