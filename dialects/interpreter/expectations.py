"""How the operations that state what a caller must keep run: they look, and are errors where it is not so."""

import numpy as np

from tilec.dialects.tile.expect import ExpectOp, ExpectSumOp

from .errors import fault
from .machine import Machine, Step, rule
from .memory import Array


@rule(ExpectOp)
def expect(op: ExpectOp) -> Step:
    limit = op.limit.value.data

    def step(machine: Machine) -> None:
        array: Array = machine.values[op.array]
        numbers, what = array.data(), "element"
        if op.elements is None:
            what = "length of segment"
            ends: Array = array if op.ends is None else machine.values[op.ends]
            numbers = np.diff(numbers) if op.ends is None else ends.data() - numbers
        over = np.argwhere(numbers > limit)
        if over.size:
            place = tuple(int(i) for i in over[0])
            fault(op, f"{what} {place[0]} of {array.name} is {numbers[place]}; max {limit} is promised")

    return step


@rule(ExpectSumOp)
def expect_sum(op: ExpectSumOp) -> Step:
    def step(machine: Machine) -> None:
        found: list[tuple[int, int]] = []
        for elements, limit in op.sums:
            arrays: list[tuple[Array, int]] = [(machine.values[array], place) for array, place in elements]
            total = sum(int(array.data()[place]) for array, place in arrays)
            found.append((total, machine.integer(op, limit)))
        if all(total > limit for total, limit in found):
            (elements, _), (total, limit) = op.sums[0], found[0]
            names = " and ".join(f"%{array.name_hint or 'array'}" for array, _ in elements)
            fault(op, f"a sum of elements of {names} is {total}; at most {limit} has room")

    return step
