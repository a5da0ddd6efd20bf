"""What the scalar unit can read and change: registers, scalar memory, semaphores, DMAs, and the time."""

import heapq
from collections import deque
from collections.abc import Mapping, MutableSequence
from dataclasses import dataclass, field

from tilec.analysis.cost.copies import Copies
from tilec.analysis.cost.recorder import Copied, Recorder, Waited
from tilec.analysis.cost.scalars import UNKNOWN, Unknown, Value, signed

WORDS_OF_ARRAYS = 4  # bytes


class Stuck(Exception):
    """A kernel cannot have run so: a check of its own failed, or a wait that nothing ends."""


@dataclass
class Array:
    """An operand in HBM: its address and its size in granules of a DMA, and its words, if known.

    `words` has as many as the kernel can reach, row by row; None stands for a float array, of which nothing
    is known.
    """

    address: int
    granules: int
    words: MutableSequence[Value] | None


@dataclass
class State:
    """The state of one kernel as it runs. `now` is in cycles since it began.

    `doubts` says, once each, what was not known where it mattered, so that control flow is guessed;
    `stalled` counts cycles of waits for DMAs. `core` is the number of the core among those of its chip.
    `moved` is what the vector unit moves to the scalar unit, and `assumed` whether control flow hung on that.
    A `recorder` takes note of what happens.
    """

    registers: list[Value]
    copies: Copies
    arrays: tuple[Array, ...]
    recorder: Recorder | None = None
    now: float = 0.0
    stalled: float = 0.0
    core: int = 0
    moved: Value = UNKNOWN
    assumed: bool = False
    branch: int | None = None
    smem: dict[int, Value] = field(default_factory=dict[int, Value])
    doubts: dict[str, None] = field(default_factory=dict[str, None])
    semaphores_read: deque[Value] = field(default_factory=deque[Value])
    divisions: deque[Value] = field(default_factory=deque[Value])
    _semaphores: dict[int, int] = field(default_factory=dict[int, int])
    _coming: dict[int, list[tuple[float, int]]] = field(default_factory=dict[int, list[tuple[float, int]]])

    def known(self, value: Value, what: str) -> int:
        """A value where it must be known; else a doubt, and 0."""
        if isinstance(value, Unknown):
            self.doubts[what] = None
            return 0
        return value

    def copy(self, operands: Mapping[str, Value], way: str, steps: Value | None) -> None:
        """Issues a DMA: `operands` as the text names them. `steps` counts the 512 bytes that lie together."""
        granule = self.copies.chip.dma_granule_bytes
        granules = self.known(operands["size_in_granules"], "the size of a DMA")
        piece = granules * granule
        if steps is not None and not isinstance(steps, Unknown):
            piece = min(piece, steps * 512)
        busy = self.copies.busy
        done = self.copies.issue(self.now, way, granules * granule, piece)
        if self.recorder is not None:
            self._record(self.recorder, operands, way, done, self.copies.busy - busy)
        semaphore = self.known(operands["dst_syncflagno"], "the semaphore of a DMA")
        heapq.heappush(self._coming.setdefault(semaphore, []), (done, granules))
        if way == "hbm-to-smem":
            self._to_smem(operands, granules * granule // WORDS_OF_ARRAYS)
        elif way == "smem-to-hbm":
            self._to_hbm(operands, granules * granule // WORDS_OF_ARRAYS)

    def wait(self, semaphore: int, granules: int) -> None:
        """Waits until DMAs have raised a semaphore to `granules`. Raises `Stuck`."""
        begin = self.now
        coming = self._coming.get(semaphore, [])
        value = self._semaphores.get(semaphore, 0)
        while value < granules:
            if not coming:
                raise Stuck(f"it waits for {granules - value} more granules of DMAs that nothing sends")
            done, sent = heapq.heappop(coming)
            value += sent
            self.now = max(self.now, done)
        self._semaphores[semaphore] = value
        self.stalled += self.now - begin
        if self.recorder is not None and self.now > begin:
            self.recorder.add(Waited(begin, self.now))

    def add(self, semaphore: int, amount: int) -> None:
        """Adds a word, seen as a number with a sign, to a semaphore."""
        self._semaphores[semaphore] = self._semaphores.get(semaphore, 0) + signed(amount)

    def clear(self, semaphore: int) -> None:
        """Sets a semaphore to 0."""
        self._semaphores[semaphore] = 0

    def read(self, semaphore: int) -> None:
        """Queues the value of a semaphore for the scalar unit, with all DMAs that are done."""
        coming = self._coming.get(semaphore, [])
        while coming and coming[0][0] <= self.now:
            self.add(semaphore, heapq.heappop(coming)[1])
        self.semaphores_read.append(self._semaphores.get(semaphore, 0))

    def _record(
        self, recorder: Recorder, operands: Mapping[str, Value], way: str, done: float, passing: float
    ) -> None:
        """Takes note of a DMA that was issued now, and is for `passing` cycles in the channel to HBM."""
        granules, place = operands["size_in_granules"], operands.get("hbm", UNKNOWN)
        if isinstance(granules, Unknown):
            return  # a doubt
        array = None if isinstance(place, Unknown) else self._array(place)
        end = self.copies.free if passing else self.now
        size = granules * self.copies.chip.dma_granule_bytes
        recorder.add(Copied(array, way, size, self.now, end - passing, end, done))

    def _to_smem(self, operands: Mapping[str, Value], count: int) -> None:
        target = self.known(operands["smem"], "an address in scalar memory")
        words, offset = self._place(operands["hbm"])
        for index in range(count):
            known = words is not None and offset + index < len(words)
            self.smem[target + index] = words[offset + index] if words is not None and known else UNKNOWN

    def _to_hbm(self, operands: Mapping[str, Value], count: int) -> None:
        source = self.known(operands["smem"], "an address in scalar memory")
        words, offset = self._place(operands["hbm"])
        if words is None:
            return
        for index in range(min(count, len(words) - offset)):
            words[offset + index] = self.smem.get(source + index, UNKNOWN)

    def _place(self, address: Value) -> tuple[MutableSequence[Value] | None, int]:
        """The words of the array at an address, in granules, and the index of the one there."""
        place = self.known(address, "the address of a DMA")
        index = self._array(place)
        if index is None:
            return None, 0
        granule = self.copies.chip.dma_granule_bytes
        array = self.arrays[index]
        return array.words, (place - array.address) * granule // WORDS_OF_ARRAYS

    def _array(self, place: int) -> int | None:
        """Which array is at an address in granules."""
        for index, array in enumerate(self.arrays):
            if array.address <= place < array.address + array.granules:
                return index
        return None
