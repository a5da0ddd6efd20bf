"""What each line of an emitted module takes of a compiled kernel.

libtpu writes the line that an instruction comes from behind it, through all of its passes; see `lines` of
`Schedule`. Vector instructions that it adds go with those that read their results. How many instructions a
bundle has in a slot is libtpu's count; it is divided among those of the bundle that belong there. A matrix,
transposing or transcendental unit is at work for some bundles after it was given something: that counts for
what it was given last.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tilec.analysis.cost.bundles import SLOTS, Instruction, Schedule
from tilec.analysis.cost.machine import Trace

COPIES = "copies and loops"
"""What instructions without a line are for that are not the vector unit's: those of the pipeline itself, and
addresses."""

SPILLS = "registers spilled"
"""What stores vector registers to VMEM and loads them back, whatever they hold."""

OTHERS = "not attributed"
"""What instructions of the vector unit are for of which nothing is known."""

XLA = "XLA around kernels"
"""What all instructions are for of an operation that has no lines."""

Origin = int | str
"""A line of an emitted module, or one of `COPIES`, `SPILLS`, `OTHERS` and `XLA`."""

_UNIT = re.compile(r"(?:mxu|xlu)\d")
_OF_THE_CORE = (
    "vsync",
    "vtrace",
    "vset",
    "vrng",
    "vdelay",
    "vnop",
)  # for control, though they begin with a v


@dataclass(frozen=True)
class Share:
    """A part of an operation: of the cycles in which it issues bundles, `issued` is the part that it has. For
    each of `SLOTS`, `use` is in what part of all cycles it is at work for this.

    Cycles of a bundle are divided evenly among its instructions; those of an empty one are for what follows
    it, which waits.
    """

    issued: float
    use: tuple[float, ...]


def shares(
    schedule: Schedule, slots: tuple[Mapping[str, int], Sequence[Sequence[int]]], trace: Trace
) -> Mapping[Origin, Share]:
    """Divides an operation that ran by the lines of its module, and what is of none of them. `slots` is what
    `parse_utilization` gives. The sum is the whole: `issued` adds up to 1, `use` to that of the operation."""
    capacity, rows = slots
    owners = _owners(schedule)
    used: dict[Origin, list[float]] = {}
    for index, slot, origin, count in _counted(schedule, owners, rows):
        used.setdefault(origin, [0.0] * len(SLOTS))[slot] += count * trace.executed[index]
    issued: dict[Origin, float] = {}
    for count, origins in zip(trace.executed, _issued_for(owners, trace.executed), strict=True):
        for origin in origins:
            issued[origin] = issued.get(origin, 0.0) + count / len(origins)
    if not any(line is not None for lines in schedule.lines for line in lines):
        used, issued = (
            {XLA: [sum(each) for each in zip(*used.values(), strict=True)]},
            {XLA: sum(issued.values())},
        )
    sizes = [max(capacity[slot], 1) * trace.cycles * trace.cores for slot in SLOTS]
    nothing = [0.0] * len(SLOTS)
    whole = sum(issued.values())
    return {
        origin: Share(
            issued.get(origin, 0.0) / whole,
            tuple(count / size for count, size in zip(used.get(origin, nothing), sizes, strict=True)),
        )
        for origin in {**issued, **used}
    }


def _owners(schedule: Schedule) -> list[list[Origin]]:
    """For each instruction of each bundle what it is for."""
    found = _by_readers(schedule)
    _by_what_they_read(schedule, found)
    return found


def _by_readers(schedule: Schedule) -> list[list[Origin]]:
    """What instructions are for by their lines, or by those of what reads their results."""
    found: list[list[Origin]] = [[] for _ in schedule.bundles]
    readers: dict[str, Origin] = {}  # of the value that a register has, and of what is given to a matrix unit
    for index in reversed(range(len(schedule.bundles))):
        bundle = list(zip(schedule.bundles[index], schedule.lines[index], strict=True))
        found[index] = [_owner(each, line, readers) for each, line in bundle]
        for each, _ in bundle:
            for name in _names(each):
                readers.pop(name, None)
        for (each, _), origin in zip(bundle, found[index], strict=True):
            if origin != OTHERS:
                readers |= dict.fromkeys([*_read(each), *_matrix_unit(each)], origin)
    return found


def _owner(each: Instruction, line: int | None, readers: Mapping[str, Origin]) -> Origin:
    if _spilled(each):
        return SPILLS
    if line is not None:
        return line
    if not _of_vectors(each):
        return COPIES
    names = [*_names(each), *_matrix_unit(each)]
    return next((readers[name] for name in names if name in readers), OTHERS)


def _by_what_they_read(schedule: Schedule, found: Sequence[list[Origin]]) -> None:
    """Stores that have no line are for what made the value."""
    writers: dict[str, Origin] = {}
    for bundle, origins in zip(schedule.bundles, found, strict=True):
        for place, each in enumerate(bundle):
            if origins[place] == OTHERS:
                made = (writers[name] for name in _read(each) if name.startswith("v") and name in writers)
                origins[place] = next(made, OTHERS)
        for each, origin in zip(bundle, origins, strict=True):
            writers |= dict.fromkeys(_names(each), origin)


def _of_vectors(each: Instruction) -> bool:
    return each.opcode.startswith("v") and not each.opcode.startswith(_OF_THE_CORE)


def _names(each: Instruction) -> Sequence[str]:
    """What an instruction's result is called where it is read: registers, or a number where it is in none."""
    return each.results or ((each.value,) if each.value else ())


def _read(each: Instruction) -> list[str]:
    return [name for operand in each.operands for name in re.findall(r"%(\w+)", operand)]


def _matrix_unit(each: Instruction) -> Sequence[str]:
    unit = _unit(each)
    return (unit,) if unit.startswith("mxu") else ()


def _unit(each: Instruction) -> str:
    """Which of several matrix or transposing units an instruction is for; else its own text says none."""
    match = _UNIT.search(" ".join((each.opcode, *each.operands)))
    return match[0] if match else ""


def _counted(
    schedule: Schedule, owners: Sequence[Sequence[Origin]], rows: Sequence[Sequence[int]]
) -> Iterator[tuple[int, int, Origin, float]]:
    """How many of the instructions in a slot of a bundle, by their indices, are for what."""
    popped = {name for bundle in schedule.bundles for each in bundle for name in _popped(each)}
    given: dict[int, dict[str, Origin]] = {}  # by slot, to each unit, what was given last at the end
    for index, (bundle, origins, row) in enumerate(zip(schedule.bundles, owners, rows, strict=True)):
        pairs = list(zip(bundle, origins, strict=True))
        for slot, count in enumerate(row):
            if count and SLOTS[slot] in _LASTING:
                at_work = list(given.get(slot, {}).values())[-count:]
                at_work += [OTHERS] * (count - len(at_work))
            else:
                at_work = _in_slot(pairs, SLOTS[slot], count) if count else ()
            yield from ((index, slot, origin, count / len(at_work)) for origin in at_work)
        for each, origin in pairs:
            for slot in _lasting(each, popped):
                units = given.setdefault(SLOTS.index(slot), {})
                units.pop(_unit(each), None)  # so that the latest is at the end
                units[_unit(each)] = origin


def _in_slot(bundle: Sequence[tuple[Instruction, Origin]], slot: str, count: int) -> Sequence[Origin]:
    """What those of a bundle's instructions are for that are in a slot: of chips with a slot for it, control
    is elsewhere."""
    own = [origin for each, origin in bundle if slot in _slots(each)]
    guests = [origin for each, origin in bundle if slot == _slot_of_control(each)]
    return (own if len(own) == count else own + guests) or [OTHERS]


_LASTING = ("MATMUL", "MATPUSH", "XLU", "EUP")
"""Slots whose unit is at work from the next bundle on, for as long as libtpu's table says."""


def _lasting(each: Instruction, popped: set[str]) -> Iterator[str]:
    """Which of the slots that last an instruction is for."""
    opcode = each.opcode
    if opcode.startswith(("vmatmul", "vmatprep.mubr")):
        yield "MATMUL"
    if opcode.startswith(("vmatpush", "vmatprep.subr")) or "vlgmr" in opcode:
        yield "MATPUSH"
    if ".xlu" in opcode and not opcode.startswith("vpop"):
        yield "XLU"
    if each.value in popped:
        yield "EUP"


def _popped(each: Instruction) -> list[str]:
    """What an instruction takes from the transcendental unit."""
    return _read(each) if each.opcode.startswith(("vpop.erf", "vpop.eup")) else []


_SLOTS: tuple[tuple[str, str | None], ...] = (
    (r"vpop", "VPOP"),
    (r"vld", "VLOAD"),
    (r"vst(?!v)", "VSTORE"),
    (r"vmat|vdwg|v.*\.xlu", None),
    (r"vm(?!ul|ax|in|ov)|vsync|vtrace|vset|vrng|dma\.done", None),  # see `_slot_of_control`
    (r"vpush|[sv]phi|int_to_ptr|compiler-", None),
    (r"v", "VALU"),
    (r"", "SALU"),
)
"""By what opcodes begin with, the slot that they count for in their own bundle; the first that fits."""


def _slots(each: Instruction) -> Sequence[str]:
    slot = next(slot for pattern, slot in _SLOTS if re.match(pattern, each.opcode))
    if _spilled(each):
        return ("VLOAD", "VLOAD:FILL") if slot == "VLOAD" else ("VSTORE", "VSTORE:SPILL")
    return (slot,) if slot else ()


def _slot_of_control(each: Instruction) -> str | None:
    """The slot of what works on masks, semaphores and the like, which it shares with loads and stores."""
    if re.match(r"vset(?!tm)", each.opcode):
        return "VSTORE"
    return "VLOAD" if re.match(r"vm(?!ul|ax|in|ov|at)|vsync|vtrace|vrng|dma\.done", each.opcode) else None


def _spilled(each: Instruction) -> bool:
    return each.opcode.startswith(("vld", "vst")) and any("_spill]" in operand for operand in each.operands)


def _issued_for(owners: Sequence[Sequence[Origin]], executed: Sequence[int]) -> list[Sequence[Origin]]:
    """For each bundle what it is issued for: its instructions, or, if it has none, those of the next one that
    runs as often, or of the one before."""
    found: list[Sequence[Origin]] = list(owners)
    for index in reversed(range(len(found) - 1)):
        if not found[index] and executed[index] == executed[index + 1]:
            found[index] = found[index + 1]
    for index, waited in enumerate(found):
        if not waited:
            found[index] = found[index - 1] if index else [COPIES]
    return [waited or [COPIES] for waited in found]
