"""Translates bundles, where the scalar unit has a part in them, into functions that change a `State`."""

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tilec.analysis.cost.bundles import Instruction, Schedule, UnknownText
from tilec.analysis.cost.scalars import UNKNOWN, Assumed, Unknown, Value, operation
from tilec.analysis.cost.state import State, Stuck

Run = Callable[[State], None]

_IGNORED = ("sfence", "cfence", "vtrace", "compiler-scheduling-barrier", "sphi", "vsettm", "inlined_call")
_VALUES = ("reloc", "scalar_parameter_address")
"""What brings values that the scalar unit does not compute."""

_ADDRESSES = ("int_to_ptr", "scalar_lea")
"""What makes an address of the memory that is behind the point."""

_ALLOCATION = 1 << 18
"""How far apart allocations are: scalar memory has fewer words, and VMEM fewer rows of 512 bytes."""


@dataclass
class Registers:
    """Where registers, constants and the addresses of allocations are in the list that a `State` has.

    `checks` is that of a `Schedule`. As far as the text was gone through, `spaces` has the memory that the
    address in a register is of, and `semaphores` the names of values that `vsyncmov` made.
    """

    indices: dict[str, int] = field(default_factory=dict[str, int])
    values: list[Value] = field(default_factory=list[Value])
    allocations: dict[str, int] = field(default_factory=dict[str, int])
    checks: dict[str, int] = field(default_factory=dict[str, int])
    spaces: dict[str, str] = field(default_factory=dict[str, str])
    semaphores: set[str] = field(default_factory=set[str])

    def index(self, operand: str) -> int:
        """The index of a register such as `s3`, or of a constant or `[#allocation3 + $0x1]`.

        Raises `UnknownText` for what is neither.
        """
        if operand not in self.indices:
            self.indices[operand] = len(self.values)
            named = re.fullmatch(r"%?[a-z]+\d+", operand)
            self.values.append(UNKNOWN if named else self._constant(operand))
        return self.indices[operand]

    def _constant(self, operand: str) -> Value:
        if re.fullmatch(r"-?(\d+\.\d*(e[-+]?\d+)?|\d+e[-+]?\d+|inf|nan)", operand):
            return 0 if operand == "0.0" else UNKNOWN  # other floats are not followed
        match = re.fullmatch(r"\[?(#\w+)?(?: ?\+ ?)?(?:\$?(0x[0-9a-f]+|\d+))?\]?", operand)
        if match is None or not (match[1] or match[2]):
            raise UnknownText(f"an operand of the scalar unit that is none: {operand}")
        base = 0
        if match[1]:
            base = self.allocations.setdefault(match[1], (1 + len(self.allocations)) * _ALLOCATION)
        return base + int(match[2] or "0", 0)


def translate(schedule: Schedule, registers: Registers) -> tuple[Run | None, ...]:
    """A function for each bundle, or None for one in which the scalar unit has no part.

    Raises `UnknownText` for an instruction that the scalar unit has and this has not.
    """
    registers.checks.update(schedule.checks)
    registers.spaces.update({f"%{each.register}": each.space for each in schedule.inputs})
    return tuple(_bundle(bundle, registers) for bundle in schedule.bundles)


def _bundle(bundle: Sequence[Instruction], registers: Registers) -> Run | None:
    runs: list[Run] = []
    written: list[int] = []
    conflict = False
    for instruction in bundle:
        for each in instruction.results:
            registers.spaces[f"%{each}"] = _space_made(instruction)
        if not _scalar(instruction):
            continue
        runs.append(_guarded(instruction, registers))
        read = [registers.index(each[1:]) for each in re.findall(r"%[sp]\d+", " ".join(instruction.operands))]
        read += [registers.index(instruction.predicate[0])] if instruction.predicate else []
        conflict |= any(index in written for index in read)
        written += [registers.index(each) for each in instruction.results if each[0] in "sp"]
    if not runs:
        return None
    if len(runs) == 1:
        return runs[0]
    return functools.partial(_at_once if conflict else _in_turn, runs, written)


def _scalar(instruction: Instruction) -> bool:
    """Whether the scalar unit has a part in an instruction."""
    if instruction.opcode in _IGNORED:
        return False
    if instruction.opcode.startswith("int_to_ptr"):  # else it is a move
        return instruction.results[0] != instruction.operands[0][1:]
    if instruction.opcode[0] != "v":
        return True
    return instruction.opcode.startswith("vsync") or any(each[0] in "sp" for each in instruction.results)


def _in_turn(runs: Sequence[Run], written: Sequence[int], state: State) -> None:
    for run in runs:
        run(state)


def _at_once(runs: Sequence[Run], written: Sequence[int], state: State) -> None:
    """Runs instructions that all read registers as they were before the bundle."""
    registers = state.registers
    before = list(registers)
    changed: dict[int, Value] = {}
    for run in runs:
        run(state)
        for index in written:
            if registers[index] is not before[index]:
                changed[index] = registers[index]
                registers[index] = before[index]
    for index, value in changed.items():
        registers[index] = value


def _guarded(instruction: Instruction, registers: Registers) -> Run:
    """An instruction with its predicate."""
    run = _plain(instruction, registers)
    if instruction.predicate is None:
        return run
    index = registers.index(instruction.predicate[0])
    negated = instruction.predicate[1]
    results = [registers.index(each) for each in instruction.results if each[0] in "sp"]
    name = instruction.opcode

    def guarded(state: State) -> None:
        value = state.registers[index]
        if isinstance(value, Unknown):
            for result in results:
                state.registers[result] = UNKNOWN
            if not results and name != "shalt.err":  # what runs does not halt
                state.doubts[f"whether {name} runs"] = None
        elif bool(value) != negated:
            run(state)

    return guarded


def _plain(instruction: Instruction, registers: Registers) -> Run:
    opcode = instruction.opcode
    if opcode.startswith("int_to_ptr."):
        return _move(instruction, registers)
    if opcode.startswith("dma.") and opcode != "dma.done.wait":
        return _copy(instruction, registers)
    if opcode in _SPECIAL:
        return _SPECIAL[opcode](instruction, registers)
    if instruction.results and len(instruction.operands) == 2 and (compute := operation(opcode)):
        return _binary(instruction, compute, registers)
    if opcode[0] == "v" or opcode in _VALUES or ".f32" in opcode:
        return _unknown(instruction, registers)
    raise UnknownText(f"the scalar unit has an instruction that is not modelled: {opcode}")


def _index(operand: str, registers: Registers) -> int:
    return registers.index(operand.removeprefix("%"))


def _binary(instruction: Instruction, compute: Callable[[int, int], int], registers: Registers) -> Run:
    target = registers.index(instruction.results[0])
    left, right = (_index(operand, registers) for operand in instruction.operands)
    decided = {"pand": 0, "pnand": 1, "por": 1}.get(instruction.opcode)
    decides = 1 if instruction.opcode == "por" else 0
    tests = instruction.opcode.startswith("scmp.")
    unknown = registers.checks.get(instruction.value, UNKNOWN)  # what runs does not halt

    def run(state: State) -> None:
        values = state.registers
        a, b = values[left], values[right]
        if isinstance(a, int) and isinstance(b, int):
            values[target] = compute(a, b)
        elif tests and b == 0 and isinstance(a, Assumed):
            values[target] = compute(a.word, 0)
            state.assumed = True
        else:
            values[target] = unknown if decided is None or decides not in (a, b) else decided

    return run


def _move(instruction: Instruction, registers: Registers) -> Run:
    target = registers.index(instruction.results[0])
    source = _index(instruction.operands[0], registers)

    def run(state: State) -> None:
        state.registers[target] = state.registers[source]

    return run


def _scalar_select(instruction: Instruction, registers: Registers) -> Run:
    predicate, true, false = (_index(operand, registers) for operand in instruction.operands)
    target = registers.index(instruction.results[0])

    def run(state: State) -> None:
        values = state.registers
        value = values[predicate]
        values[target] = UNKNOWN if isinstance(value, Unknown) else values[true if value else false]

    return run


def _address(operand: str, registers: Registers) -> tuple[int, int]:
    """The indices of the two parts of an address, `[smem:[#allocation6 + %s13]]`, whose sum it is."""
    inner = operand.removeprefix("[smem:[").removesuffix("]]")
    base, _, offset = inner.partition(" + ")
    return _index(base, registers), _index(offset or "0", registers)


def _load(instruction: Instruction, registers: Registers) -> Run:
    target = registers.index(instruction.results[0])
    if (instruction.named or {}).get("way") == "core":
        return functools.partial(_load_core, target)
    base, offset = _address(instruction.operands[0], registers)

    def run(state: State) -> None:
        values = state.registers
        a, b = values[base], values[offset]
        if isinstance(a, int) and isinstance(b, int):
            values[target] = state.smem.get((a + b) & 0xFFFFFFFF, UNKNOWN)
        else:
            values[target] = UNKNOWN

    return run


def _load_core(target: int, state: State) -> None:
    state.registers[target] = state.core


def _store(instruction: Instruction, registers: Registers) -> Run:
    base, offset = _address(instruction.operands[0], registers)
    source = _index(instruction.operands[1], registers)

    def run(state: State) -> None:
        values = state.registers
        a, b = values[base], values[offset]
        if isinstance(a, int) and isinstance(b, int):
            state.smem[(a + b) & 0xFFFFFFFF] = values[source]
        else:
            state.doubts["where a scalar is stored"] = None

    return run


def _negate(instruction: Instruction, registers: Registers) -> Run:
    target = registers.index(instruction.results[0])
    source = _index(instruction.operands[0], registers)

    def run(state: State) -> None:
        value = state.registers[source]
        state.registers[target] = value if isinstance(value, Unknown) else 1 - value

    return run


def _unknown(instruction: Instruction, registers: Registers) -> Run:
    targets = [registers.index(each) for each in instruction.results if each[0] in "sp"]

    def run(state: State) -> None:
        for target in targets:
            state.registers[target] = UNKNOWN

    return run


def _moved(instruction: Instruction, registers: Registers) -> Run:
    if instruction.operands[0].removeprefix("%") in registers.semaphores:  # on v4; others have `spop.sfrf`
        return _pop(instruction, registers)
    target = registers.index(instruction.results[0])

    def run(state: State) -> None:
        state.registers[target] = state.moved

    return run


def _pop(instruction: Instruction, registers: Registers) -> Run:
    target = registers.index(instruction.results[0])
    divided = instruction.opcode == "spop.drf"

    def run(state: State) -> None:
        queue = state.divisions if divided else state.semaphores_read
        state.registers[target] = queue.popleft() if queue else UNKNOWN

    return run


def _divide(instruction: Instruction, registers: Registers) -> Run:
    """A division, whose quotient or remainder, or one after the other, is queued for the scalar unit."""
    left, right = (_index(operand, registers) for operand in instruction.operands[:2])
    kind = (instruction.named or {}).get("way")
    if kind is None:
        raise UnknownText("a division gives neither quotient nor remainder")

    def run(state: State) -> None:
        a, b = state.registers[left], state.registers[right]
        both: list[Value] = [UNKNOWN, UNKNOWN]
        if isinstance(a, int) and isinstance(b, int) and b:
            both = [a // b, a % b]
        state.divisions.extend({"kDiv": both[:1], "kRem": both[1:]}.get(kind, both))

    return run


def _branch(instruction: Instruction, registers: Registers) -> Run:
    if not instruction.operands or not instruction.operands[0].isdigit():
        raise UnknownText(f"a branch goes to no bundle: {instruction.operands}")
    target = int(instruction.operands[0])

    def run(state: State) -> None:
        state.branch = target

    return run


def _halt(instruction: Instruction, registers: Registers) -> Run:
    def run(state: State) -> None:
        raise Stuck("a check of its own for DMAs out of bounds, or for semaphores, failed")

    return run


def _semaphore(instruction: Instruction, registers: Registers) -> Run:
    place, *rest = (_index(operand, registers) for operand in instruction.operands)
    does = instruction.opcode
    if does == "vsyncmov":
        registers.semaphores.add(instruction.value)

    def run(state: State) -> None:
        semaphore = state.known(state.registers[place], "which semaphore is meant")
        amount = state.known(state.registers[rest[0]], "the amount of a semaphore") if rest else 0
        if does == "dma.done.wait":
            state.wait(semaphore, amount)
        elif does == "vsyncadd":
            state.add(semaphore, amount)
        elif does == "vsyncmov":
            state.read(semaphore)
        else:
            state.clear(semaphore)

    return run


def _copy(instruction: Instruction, registers: Registers) -> Run:
    """A DMA. Those with a table of strides have pieces of 512 bytes or more."""
    named = dict(instruction.named or {})
    way = named.pop("way", instruction.opcode.removeprefix("dma.").replace("_to_", "-to-"))
    if way == "general":
        way = f"{_space('src', named, registers)}-to-{_space('dst', named, registers)}"
    if way.count("-to-") != 1:
        raise UnknownText(f"a DMA of a kind that is not modelled: {instruction.opcode}")
    indices = {name: _index(operand, registers) for name, operand in named.items()}
    steps = indices.get("steps_per_stride")

    def run(state: State) -> None:
        values = state.registers
        operands = {name: values[index] for name, index in indices.items()}
        state.copy(operands, way, None if steps is None else values[steps])

    return run


def _space_made(instruction: Instruction) -> str:
    """The memory that an instruction makes an address of, if it does."""
    kind, _, space = instruction.opcode.partition(".")
    if kind in _ADDRESSES:
        return space
    # On v4 the address of an allocation is moved as it is; strided copies have no other memory of the chip.
    return "vmem" if kind == "smov" and instruction.operands[0].startswith("[#allocation") else ""


def _space(end: str, named: Mapping[str, str], registers: Registers) -> str:
    """The memory at an end of a DMA whose text does not say it: that which the address was made for."""
    space = registers.spaces.get(named[end])
    if space not in ("hbm", "vmem"):
        raise UnknownText(f"a DMA to or from a memory that is not known: {named[end]}")
    return space


_SPECIAL: dict[str, Callable[[Instruction, Registers], Run]] = {
    "smov.u32": _move,
    "pmov": _move,
    "pneg": _negate,
    "scalar_select": _scalar_select,
    "sld": _load,
    "sst": _store,
    "sbr.rel": _branch,
    "shalt.err": _halt,
    "spop": _moved,
    "spop.sfrf": _pop,
    "spop.drf": _pop,
    "sdivrem.u32": _divide,
    "dma.done.wait": _semaphore,
    "vsyncadd": _semaphore,
    "vsyncmov": _semaphore,
    "vsyncpa": _semaphore,
}
