"""Random points of what a tuner may choose: each is taken, and computes what the program does.

Extents are small and offsets hostile: segments are empty, of one row, of all, or end between tiles of memory.
"""

from random import Random

import numpy as np
import numpy.typing as npt
import pytest
from programs import parse
from tuning_programs import example

from tilec.dialects.interpreter import functions, random_args, run
from tilec.proof import emit, prove_kernel
from tilec.tuning.choice import Choice
from tilec.tuning.program import Operand
from tilec.tuning.space import Space
from tilec.tuning.structures import space_of

ROWS, COUNT, SEGMENTS = 45, 40, 8
FLOATS = {
    "jagged_row_sum": {"x": (ROWS, 200)},
    "grouped_matmul": {"x": (ROWS, 128), "w": (SEGMENTS, 128, 256)},
    "gdpa": {"q": (ROWS, 128), "k": (SEGMENTS, 256, 128), "v": (SEGMENTS, 256, 128)},
    "embedding_gradient": {"dy": (ROWS, 200)},
}
"""The float arrays of examples, all of bf16; grouped_matmul has depth 128."""


def hostile(random: Random) -> list[int]:
    """Where segments begin and end: at few places, so that some are empty."""
    few = [0, 0, 1, 8, 9, 16, 31, 32, ROWS - 1, ROWS, ROWS]
    return [0, *sorted(random.choice(few) for _ in range(SEGMENTS - 1)), ROWS]


def integers(name: str, random: Random) -> tuple[str, list[int]]:
    """The name of an example's integer array, and its elements."""
    if name != "embedding_gradient":
        return "offsets", hostile(random)
    rows = random.choice([[0], [COUNT - 1], [0, COUNT - 1], range(COUNT)])
    return "ids", [random.choice(rows) for _ in range(ROWS)]


def point(space: Space, random: Random) -> Choice:
    while True:
        structure = random.choice(space.structures)
        sizes = {each.axis: random.choice(each.sizes) for each in space.axes_of(structure)}
        choice = structure.with_sizes(sizes)
        if space.legal(choice):
            return choice


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", FLOATS)
def test_points(name: str, seed: int) -> None:
    random = Random(f"{name} {seed}")
    extents = {512: 128} if name == "grouped_matmul" else {}
    which, values = integers(name, random)
    operands = [Operand(each, shape, "bfloat16") for each, shape in FLOATS[name].items()]
    last = Operand(which, (len(values),), "int32", tuple(values))
    program = example(name, extents, [*operands, last])
    choice = point(space_of(program), random)
    module = parse(program.text)
    args: list[npt.NDArray[np.generic]] = list(random_args(functions(module)[0], seed, ROWS))
    args[-1] = np.array(values, np.int32)
    text = emit(module, [choice.pipeline("v5e")])
    prove_kernel(text, name, args, run(module, name, args), seeds=(seed,))
