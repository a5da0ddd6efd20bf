"""A few consecutive steps of a kernel, from about the middle of its run: copies, and which units work."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

from tilec.analysis.cost.bundles import SLOTS, Schedule
from tilec.analysis.cost.estimate import GROUPS, Operation
from tilec.analysis.cost.machine import Trace
from tilec.analysis.cost.recorder import Copied, Ran, Recorder, Waited

BINS = 240
"""In how many parts of equal length the use of units is counted."""

_LEAST_STEPS, _MOST_STEPS = 4, 12
_ENOUGH = 4000  # cycles, some latencies of DMAs


@dataclass(frozen=True)
class Transfer:
    """A DMA of `bytes`: what it copies, `name`, and in the direction `way`, such as `hbm-to-vmem`.

    It is issued at `issued` and done at `done`, and has the channel to HBM from `begin` to `end`, in cycles.
    """

    name: str
    way: str
    bytes: int
    issued: float
    begin: float
    end: float
    done: float


@dataclass(frozen=True)
class Timeline:
    """What `kernel` does from cycle `begin` to `end`, of `cycles` in all, on the first of its `cores`.

    `arrays` are those in HBM, called as the kernel's parameters. `steps` are when steps begin, and when the
    last one ends; there are none where the kernel has no loop. `transfers` and `waits` overlap that time, in
    the order of issue. `use` is by unit, for `BINS` parts of the time, in what part of the cycles it is at
    work.
    """

    kernel: str
    cores: int
    arrays: tuple[str, ...]
    cycles: float
    begin: float
    end: float
    steps: tuple[float, ...]
    transfers: tuple[Transfer, ...]
    waits: tuple[tuple[float, float], ...]
    use: Mapping[str, tuple[float, ...]]


def timeline(
    operation: Operation,
    recorder: Recorder,
    trace: Trace,
    heads: Sequence[int],
    slots: tuple[Mapping[str, int], Sequence[Sequence[int]]],
    names: Sequence[str],
) -> Timeline:
    """What a recorder has of an operation that ran.

    `heads` are the bundles at which loops begin, `slots` is what `parse_utilization` gives, and `names` has
    one for each array in HBM, as copies of it are called.
    """
    events = recorder.middle()
    runs = [each for each in events if isinstance(each, Ran)]
    waits = [each for each in events if isinstance(each, Waited)]
    pieces = _pieces(runs, waits)
    steps = _steps(runs, _head(heads, trace, operation.steps))
    begin, end = (steps[0], steps[-1]) if steps else _around(runs)
    copies = [each for each in events if isinstance(each, Copied) and each.issued < end and each.done > begin]
    return Timeline(
        operation.name,
        trace.cores,
        tuple(names),
        trace.cycles,
        begin,
        end,
        tuple(steps),
        tuple(_transfer(each, names, pieces) for each in copies),
        tuple((each.begin, each.end) for each in waits if each.begin < end and each.end > begin),
        _use(pieces, slots, begin, end),
    )


def named_arrays(schedule: Schedule, names: Sequence[str]) -> list[str]:
    """What the arrays of a kernel in HBM are called; `names` are those of its parameters in Pallas.

    In front of what these stand for, a kernel has the extents of its grid that are traced.
    """
    extents = [each for each in schedule.inputs if each.space == "scalar" and not each.shape]
    named = zip(schedule.inputs[len(extents) :], names, strict=False)
    return [name for each, name in named if each.space != "scalar"]


def plain(found: Timeline) -> Mapping[str, Any]:
    """A timeline as data that JSON has."""
    return {**vars(found), "transfers": [vars(each) for each in found.transfers]}


def from_plain(data: Mapping[str, Any]) -> Timeline:
    """What `plain` was given. Raises TypeError for other data."""
    read = Timeline(**data)
    return replace(
        read,
        arrays=tuple(read.arrays),
        steps=tuple(read.steps),
        transfers=tuple(Transfer(**each) for each in data["transfers"]),
        waits=tuple((begin, end) for begin, end in read.waits),
        use={unit: tuple(parts) for unit, parts in read.use.items()},
    )


def _head(heads: Sequence[int], trace: Trace, steps: int) -> int | None:
    """The bundle at which a step begins: of the loop that runs about as often as there are steps."""
    often = {index: trace.executed[index] for index in heads if trace.executed[index] > 1}
    return min(often, key=lambda index: abs(often[index] - steps), default=None)


def _steps(runs: Sequence[Ran], head: int | None) -> Sequence[float]:
    """When the steps in the middle begin, and when the last of them ends."""
    begins = [each.begin for each in runs if each.first == head]
    if len(begins) < 3:
        return ()
    length = (begins[-1] - begins[0]) / (len(begins) - 1)
    count = min(max(_LEAST_STEPS, round(_ENOUGH / length)), _MOST_STEPS, len(begins) - 1)
    first = (len(begins) - 1 - count) // 2
    return begins[first : first + count + 1]


def _around(runs: Sequence[Ran]) -> tuple[float, float]:
    """A time in the middle of what was recorded."""
    begin, end = runs[0].begin, runs[-1].end
    spare = max(end - begin - _ENOUGH, 0) / 2
    return begin + spare, end - spare


@dataclass(frozen=True)
class _Piece:
    """Bundles from `first` up to `stop` that run without a wait, the first of them at `begin`."""

    first: int
    stop: int
    begin: float


def _pieces(runs: Sequence[Ran], waits: Sequence[Waited]) -> list[_Piece]:
    """Runs, divided where they wait: a bundle that waits is the first of its piece."""
    found: list[_Piece] = []
    coming = list(reversed(waits))
    for each in runs:
        first, begin = each.first, each.begin
        while coming and coming[-1].begin < each.end:
            wait = coming.pop()
            if wait.begin < begin:
                continue  # of what ran before the first run
            stop = min(first + round(wait.begin - begin), each.stop)
            found.append(_Piece(first, stop, begin))
            first, begin = stop, wait.end
        found.append(_Piece(first, each.stop, begin))
    return [each for each in found if each.stop > each.first]


def _transfer(copied: Copied, names: Sequence[str], pieces: Sequence[_Piece]) -> Transfer:
    if copied.array is not None:
        name = names[copied.array]
    else:
        of = max((each for each in pieces if each.begin <= copied.issued), key=lambda each: each.begin)
        name = f"bundle {of.first + round(copied.issued - of.begin):#x}"
    times = (copied.issued, copied.begin, copied.end, copied.done)
    return Transfer(name, copied.way, copied.bytes, *times)


def _use(
    pieces: Sequence[_Piece],
    slots: tuple[Mapping[str, int], Sequence[Sequence[int]]],
    begin: float,
    end: float,
) -> dict[str, tuple[float, ...]]:
    """In what part of the cycles of each part of a time each unit is at work."""
    capacity, rows = slots
    width = (end - begin) / BINS
    found: dict[str, tuple[float, ...]] = {}
    for unit, members in GROUPS.items():
        of_slots = [
            _counted([row[SLOTS.index(slot)] for row in rows], pieces, begin, width) for slot in members
        ]
        shares = [
            [count / (max(capacity[slot], 1) * width) for count in counts]
            for slot, counts in zip(members, of_slots, strict=True)
        ]
        found[unit] = tuple(round(min(max(each), 1.0), 4) for each in zip(*shares, strict=True))
    return found


def _counted(counts: Sequence[int], pieces: Sequence[_Piece], begin: float, width: float) -> list[float]:
    """How many instructions of a slot, of which each bundle has `counts`, run in each part of a time."""
    before = list(accumulate(counts, initial=0))
    found = [0.0] * BINS
    for piece in pieces:
        at, bundle = piece.begin, piece.first
        while bundle < piece.stop:
            part = int((at - begin) // width)
            rest = (begin + (part + 1) * width) - at  # cycles, of which there may be less than one
            stop = min(piece.stop, bundle + max(int(rest), 1))
            if 0 <= part < BINS:
                found[part] += before[stop] - before[bundle]
            at, bundle = at + stop - bundle, stop
    return found
