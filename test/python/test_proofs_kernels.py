"""Proof 2 of the corpus: emitted kernels do in Pallas interpret mode what the reference interpreter says.

A run costs about a second, so none repeats what another shows: element types and seeds take turns.
"""

from collections.abc import Sequence

import numpy as np
import pytest

from corpus.choices import MAIN, RUN, Choice, main_segments, parse
from corpus.corpus import DTYPES, EXAMPLES, Dtype, Program
from corpus.segments import HOSTILE_OFFSETS, MIXED, ROWS, Segments
from tilec.dialects.interpreter import run
from tilec.proof import emit, prove_kernel
from tilec.runtime.interpret import interpret
from tilec.runtime.load import load

MAIN_EXAMPLES = [choice for choice in MAIN if choice.case in EXAMPLES]
HOSTILE = [(choice, i) for choice in MAIN_EXAMPLES for i in range(len(choice.case.sizes()))]
ONE_ROW_EACH = next(segments for segments in HOSTILE_OFFSETS if segments.name == "one_row_each")
WIDTHS = [
    (choice, width) for choice in MAIN_EXAMPLES for width in (13, 64, 100) if "200" in choice.case.source
]


def check(choice: Choice, program: Program, args: list[np.ndarray], seed: int) -> None:
    """The kernel agrees with the interpreter, and the interpreter with numpy."""
    module, name = parse(program), choice.case.name
    expected = run(module, name, args, seed=seed)
    assert program.mismatch([result.data for result in expected], program.expected(args)) is None
    prove_kernel(emit(module, choice.passes()), name, args, expected, seeds=(seed,))


@pytest.mark.parametrize("dtype", ["f32", "bf16"])
@pytest.mark.parametrize("choice", MAIN, ids=str)
def test_every_program(choice: Choice, dtype: Dtype) -> None:
    program = choice.case.program(main_segments(choice.case), dtype)
    seed = 2 if dtype == "f32" else 1
    check(choice, program, program.arguments(seed), seed)


@pytest.mark.parametrize("choice", [choice for choice in RUN if choice not in MAIN], ids=str)
def test_every_choice(choice: Choice) -> None:
    seed = RUN.index(choice)
    program = choice.case.program(main_segments(choice.case), "f32" if seed % 2 else "bf16")
    check(choice, program, program.arguments(seed), seed)


@pytest.mark.parametrize(("choice", "number"), HOSTILE, ids=str)
def test_hostile_segments(choice: Choice, number: int) -> None:
    segments = choice.case.sizes()[number]
    program = choice.case.program(segments, "bf16" if number % 2 else "f32")
    check(choice, program, program.arguments(number), seed=number // 2)


@pytest.mark.parametrize("choice", [choice for choice in MAIN if choice.case.jagged], ids=str)
def test_poisoned_neighbours(choice: Choice) -> None:
    """NaN and infinities in a group, and in the rows of none, do not reach the results of others."""
    program = choice.case.program(MIXED, "f32")
    check(choice, program, program.poisoned(seed=3, group=4), seed=3)


@pytest.mark.parametrize("choice", [choice for choice in MAIN_EXAMPLES if choice.case.jagged], ids=str)
def test_wide_offsets(choice: Choice) -> None:
    program = choice.case.program(choice.case.sizes()[1], "bf16", index="i64")
    args = program.arguments(seed=4)
    assert any(array.dtype == DTYPES["i64"] for array in args)
    check(choice, program, args, seed=4)


@pytest.mark.parametrize(("choice", "width"), WIDTHS, ids=str)
def test_widths(choice: Choice, width: int) -> None:
    program = choice.case.program(choice.case.sizes()[0], "f32" if width == 13 else "bf16", width=width)
    check(choice, program, program.arguments(width), seed=width)


@pytest.mark.parametrize(
    ("name", "shapes"),
    [("softmax", ROWS[1:3]), ("grouped_matmul", [MIXED, ONE_ROW_EACH])],
    ids=["rows", "segments"],
)
def test_another_shape_and_the_first_again(name: str, shapes: Sequence[Segments]) -> None:
    """One function serves all shapes, and what is kept of one does not disturb another."""
    (choice,) = [choice for choice in MAIN if choice.case.name == name]
    first, other = (choice.case.program(segments, "f32") for segments in shapes)
    assert first.text == other.text
    kernel = getattr(load(emit(parse(first), choice.passes()), name), name)
    for seed, program in enumerate((first, other, first)):
        args = program.arguments(seed)
        assert program.mismatch(interpret(kernel, args, seed=1), program.expected(args)) is None
