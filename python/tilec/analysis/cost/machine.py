"""Runs the scalar unit of a TensorCore on a compiled kernel, and counts what the other units do meanwhile.

A bundle takes a cycle. Scalar instructions are computed, with real operands: loops, predicates, addresses,
and the DMAs that hang on them are then those of the hardware. Vector instructions are counted only. Waits for
DMAs take until the model of `copies` has them done.

A kernel that all cores of a chip share runs on each, one after the other, as they do not wait for each other:
its time is that of the slowest, and each has its part of HBM's bandwidth.

Not modelled: fetching of instructions, conflicts in memory banks that the compiler does not schedule around,
and throttling.
"""

from collections.abc import MutableSequence, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from math import prod

from tilec.analysis.cost.bundles import Input, Schedule
from tilec.analysis.cost.copies import Copies
from tilec.analysis.cost.recorder import Ran, Recorder
from tilec.analysis.cost.scalars import UNKNOWN, Value
from tilec.analysis.cost.state import Array, State, Stuck
from tilec.analysis.cost.translate import Registers, Run, translate
from tilec.analysis.vmem import WORD, tile_rows
from tilec.chips import Chip

_MOST_BUNDLES = 40_000_000  # with a scalar part, that one run may take: some twenty seconds
_LANES = 128


@dataclass(frozen=True)
class Trace:
    """How one kernel ran. Times are in cycles, sizes in bytes.

    `executed` counts how often each bundle ran, `loops` how often the first of each loop did, on all `cores`.
    `stalled` is the part of `cycles` in waits for DMAs, `busy` how long the channel to HBM was occupied.
    `doubts` says why control flow was guessed; it is exact if there are none. `assumed` says that it hung on
    what the vector unit was assumed to say. `steps` is how often the innermost loops ran that copy.
    """

    cycles: float
    stalled: float
    busy: float
    bytes_read: int
    bytes_written: int
    executed: tuple[int, ...]
    loops: tuple[int, ...]
    doubts: tuple[str, ...]
    assumed: bool
    cores: int
    steps: int


def run(
    schedule: Schedule,
    chip: Chip,
    operands: Sequence[MutableSequence[Value] | None],
    moved: Value = UNKNOWN,
    recorder: Recorder | None = None,
) -> Trace:
    """Runs a kernel on `operands`: the words of each integer array, which may change, or None if unknown.

    A scalar operand has one word. `moved` is what the vector unit moves to the scalar unit. A recorder takes
    note of what happens on the first core. Raises `UnknownText` for instructions that are not modelled, and
    `Stuck` for a run that cannot be.
    """
    cores = chip.cores if schedule.shared else 1
    recorders = [recorder, *[None] * (cores - 1)]
    traces = [_run(schedule, chip, operands, moved, core, each) for core, each in enumerate(recorders)]
    slowest = max(traces, key=lambda each: each.cycles)
    return replace(
        slowest,
        busy=sum(each.busy for each in traces) / cores,
        bytes_read=sum(each.bytes_read for each in traces),
        bytes_written=sum(each.bytes_written for each in traces),
        executed=tuple(map(sum, zip(*(each.executed for each in traces), strict=True))),
        loops=tuple(map(sum, zip(*(each.loops for each in traces), strict=True))),
        doubts=tuple(dict.fromkeys(doubt for each in traces for doubt in each.doubts)),
        assumed=any(each.assumed for each in traces),
        cores=cores,
        steps=sum(each.steps for each in traces),
    )


def _run(
    schedule: Schedule,
    chip: Chip,
    operands: Sequence[MutableSequence[Value] | None],
    moved: Value,
    core: int,
    recorder: Recorder | None,
) -> Trace:
    """Runs a kernel on one core."""
    registers = Registers()
    runs = translate(schedule, registers)
    arrays: list[Array] = []
    for each, words in zip(schedule.inputs, operands, strict=True):
        index = registers.index(each.register)
        if each.dtype not in ("s32", "u32"):
            words = None  # narrow elements have another order
        elif len(each.shape) > 1:
            words = _in_tiles(words, each.shape)
        if each.space == "scalar":
            registers.values[index] = words[0] if words else registers.values[index]
        else:
            array = _placed(each, words, arrays, chip)
            arrays.append(array)
            registers.values[index] = array.address * chip.dma_granule_bytes // chip.hbm_address_bytes
    state = State(list(registers.values), Copies(chip), tuple(arrays), recorder, core=core, moved=moved)
    try:
        executed = _execute(runs, chip, state)
    except Stuck as stuck:
        for doubt in state.doubts:  # what had to be guessed before, if anything, is why
            raise Stuck(f"{doubt} is not known") from stuck
        raise
    return Trace(
        state.now,
        state.stalled,
        state.copies.busy,
        state.copies.bytes_read,
        state.copies.bytes_written,
        executed,
        tuple(executed[index] for index in heads(schedule)),
        tuple(state.doubts),
        state.assumed,
        1,
        _steps(schedule, executed),
    )


def _steps(schedule: Schedule, executed: Sequence[int]) -> int:
    """How often the innermost loops ran that wait for copies; 0 if none does. A loop that only begins some is
    a part of a step.

    The loop of a grid begins its first copies and awaits its last in two turns more, which are no steps. Any
    other begins some before it.
    """
    waits: list[int] = []
    fetches: list[int] = []
    for index, bundle in enumerate(schedule.bundles):
        for each in bundle:
            if each.opcode == "dma.done.wait":
                waits.append(index)
            elif each.opcode.startswith("dma."):
                way = (each.named or {}).get("way", each.opcode.removeprefix("dma.").replace("_to_", "-to-"))
                fetches += [index] if way == "hbm-to-vmem" else []
    loops = [
        (first, last) for first, last in _loops(schedule).items() if any(first <= i <= last for i in waits)
    ]
    inner = [
        (first, last)
        for first, last in loops
        if not any(first <= other <= end <= last and (other, end) != (first, last) for other, end in loops)
    ]
    ahead = all(any(first <= i <= last for first, last in inner) for i in fetches)
    return sum(max(executed[first] - (2 if ahead else 0), 0) for first, _ in inner)


def heads(schedule: Schedule) -> list[int]:
    """The bundles that a later one branches to."""
    return sorted(_loops(schedule))


def _loops(schedule: Schedule) -> dict[int, int]:
    """For the first bundle of each loop the last one that branches to it."""
    return {
        int(each.operands[0]): index
        for index, bundle in enumerate(schedule.bundles)
        for each in bundle
        if each.opcode == "sbr.rel" and int(each.operands[0]) <= index
    }


def _in_tiles(words: Sequence[Value] | None, shape: Sequence[int]) -> list[Value] | None:
    """The words of matrices in the order of memory, whose tiles have 128 lanes; a copy, so what is written to
    it is not known of the array. Each begins with a tile, as libtpu's schedules have it. None for matrices of
    more lanes."""
    *outer, rows, lanes = shape
    if words is None or lanes > _LANES:
        return None
    dead: list[Value] = [UNKNOWN] * (_LANES - lanes)
    below: list[Value] = [UNKNOWN] * (_LANES * (-rows % tile_rows(rows, WORD)))
    found: list[Value] = []
    for row in range(prod(outer) * rows):
        found += [*words[row * lanes : (row + 1) * lanes], *dead]
        if (row + 1) % rows == 0:
            found += below
    return found


def _placed(each: Input, words: MutableSequence[Value] | None, before: Sequence[Array], chip: Chip) -> Array:
    """An operand behind those before it, with room for what tiles of memory add to its extents."""
    *outer, rows, lanes = (1, 1, *each.shape)
    size = prod(outer) * (-(-rows // 32) * 32) * (-(-lanes // _LANES) * _LANES) * 4
    unit = chip.hbm_address_bytes // chip.dma_granule_bytes
    granules = -(-size // chip.hbm_address_bytes) * unit
    address = before[-1].address + before[-1].granules if before else unit
    return Array(address, granules, words)


def _execute(runs: Sequence[Run | None], chip: Chip, state: State) -> tuple[int, ...]:
    """Runs bundles from the first on; gives how often each ran."""
    end = len(runs)
    following = _following(runs)
    begun = [0] * (end + 1)  # runs of bundles that begin here, less those that ended before
    counter, stop, steps = 0, end, 0
    target: int | None = None
    begun[0] += 1
    entry, entered = 0, state.now
    while counter < end:
        skipped = min(following[counter], stop) - counter
        counter += skipped
        state.now += skipped
        if counter < stop:
            function = runs[counter]
            assert function is not None
            function(state)
            state.now += 1
            counter += 1
            if state.branch is not None:
                if target is not None:
                    raise Stuck("it branches where a branch is about to be taken")
                target, state.branch = state.branch, None
                stop = min(counter + chip.branch_delay, end)
        if counter == stop:
            begun[stop] -= 1
            if state.recorder is not None:
                state.recorder.add(Ran(entry, stop, entered, state.now))
            counter, stop, target = end if target is None else target, end, None
            begun[counter] += 1
            entry, entered = counter, state.now
        steps += 1
        if steps > _MOST_BUNDLES:
            raise Stuck(f"it takes more than {_MOST_BUNDLES} bundles of the scalar unit")
    return tuple(accumulate(begun[:end]))


def _following(runs: Sequence[Run | None]) -> list[int]:
    """For each bundle the next one, from it on, that has a part for the scalar unit."""
    found = [len(runs)] * (len(runs) + 1)
    for index in range(len(runs) - 1, -1, -1):
        found[index] = found[index + 1] if runs[index] is None else index
    return found
