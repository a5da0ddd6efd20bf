"""What is known of a choice once the TPU compiler has seen it, and who finds out."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from tilec.tuning.choice import Choice


@dataclass(frozen=True)
class Estimate:
    """What came of one choice.

    `seconds` is how long all kernels take, None where nothing is known; `vmem` the on-chip bytes of the
    greatest. `trusted` says that nothing of the control flow was guessed. `refused` is one line, of a pass,
    the compiler or the pool, where there is no kernel; `compiled` says whether the compiler was asked.
    """

    seconds: float | None = None
    trusted: bool = False
    vmem: int = 0
    bound: str = ""
    refused: str | None = None
    compiled: bool = False

    @property
    def ranked(self) -> bool:
        """Whether the estimate may be compared with others."""
        return self.seconds is not None and self.trusted and self.refused is None


class Estimator(Protocol):
    """Finds out about choices, several at once."""

    width: int
    """How many choices are looked at at the same time."""

    def estimate(self, choices: Sequence[Choice], until: Callable[[], float]) -> Iterator[Estimate]:
        """An estimate for each choice, in order. Never raises for a choice: what goes wrong is `refused`.

        It ends before the first that is not there by the `until` of that time, of `time.monotonic`.
        """
        ...
