"""Runs the scalar unit of a TensorCore on a compiled kernel, and counts what the other units do meanwhile.

A bundle takes a cycle. Scalar instructions are computed, with real operands: loops, predicates, addresses,
and the DMAs that hang on them are then those of the hardware. Vector instructions are counted only. Waits for
DMAs take until the model of `copies` has them done.

Not modelled: fetching of instructions, conflicts in memory banks that the compiler does not schedule around,
throttling, and a second core.
"""

from collections.abc import MutableSequence, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import prod

from tilec.analysis.cost.bundles import Input, Schedule
from tilec.analysis.cost.copies import Copies
from tilec.analysis.cost.recorder import Ran, Recorder
from tilec.analysis.cost.scalars import Value
from tilec.analysis.cost.state import Array, State, Stuck
from tilec.analysis.cost.translate import Registers, Run, translate
from tilec.chips import Chip

_MOST_BUNDLES = 40_000_000  # with a scalar part, that one run may take: some twenty seconds


@dataclass(frozen=True)
class Trace:
    """How one kernel ran. Times are in cycles, sizes in bytes.

    `executed` counts how often each bundle ran, `loops` how often the first of each loop did. `stalled` is
    the part of `cycles` in waits for DMAs, `busy` how long the channel to HBM was occupied. `doubts` says why
    control flow was guessed; it is exact if there are none.
    """

    cycles: float
    stalled: float
    busy: float
    bytes_read: int
    bytes_written: int
    executed: tuple[int, ...]
    loops: tuple[int, ...]
    doubts: tuple[str, ...]


def run(
    schedule: Schedule,
    chip: Chip,
    operands: Sequence[MutableSequence[Value] | None],
    recorder: Recorder | None = None,
) -> Trace:
    """Runs a kernel on `operands`: the words of each integer array, which may change, or None if unknown.

    A scalar operand has one word. A recorder takes note of what happens. Raises `UnknownText` for
    instructions that are not modelled, and `Stuck` for a run that cannot be.
    """
    registers = Registers()
    runs = translate(schedule, registers)
    arrays: list[Array] = []
    for each, words in zip(schedule.inputs, operands, strict=True):
        index = registers.index(each.register)
        if len(each.shape) > 1 or each.dtype not in ("s32", "u32"):
            words = None  # tiles of memory, or narrow elements, have another order than rows of words
        if each.space == "scalar":
            registers.values[index] = words[0] if words else registers.values[index]
        else:
            array = _placed(each, words, arrays, chip)
            arrays.append(array)
            registers.values[index] = array.address * chip.dma_granule_bytes // chip.hbm_address_bytes
    state = State(list(registers.values), Copies(chip), tuple(arrays), recorder)
    executed = _execute(runs, chip, state)
    return Trace(
        state.now,
        state.stalled,
        state.copies.busy,
        state.copies.bytes_read,
        state.copies.bytes_written,
        executed,
        tuple(executed[index] for index in heads(schedule)),
        tuple(state.doubts),
    )


def heads(schedule: Schedule) -> list[int]:
    """The bundles that a later one branches to."""
    targets = {
        int(instruction.operands[0])
        for index, bundle in enumerate(schedule.bundles)
        for instruction in bundle
        if instruction.opcode == "sbr.rel" and int(instruction.operands[0]) <= index
    }
    return sorted(targets)


def _placed(each: Input, words: MutableSequence[Value] | None, before: Sequence[Array], chip: Chip) -> Array:
    """An operand behind those before it, with room for what tiles of memory add to its extents."""
    *outer, rows, lanes = (1, 1, *each.shape)
    size = prod(outer) * (-(-rows // 32) * 32) * (-(-lanes // 128) * 128) * 4
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
