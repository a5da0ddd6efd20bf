"""The interpreter runs every program of the corpus and agrees with its reference in numpy."""

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation

from corpus.corpus import CASES, Case, Dtype, Program
from corpus.outputs import OUTPUTS
from corpus.segments import HOSTILE_OFFSETS, HOSTILE_RANGES, MIXED, Segments, distributions
from corpus.unaligned import ALL_CASES
from tilec.diagnostics import verify
from tilec.dialects.interpreter import InterpreterError, Result, run
from tilec.parsing import LocatingParser, make_context

EVERY = [*ALL_CASES.values(), *OUTPUTS]
TYPED = [
    (case, dtype) for case in EVERY for dtype in ("f32", "bf16") if dtype == "f32" or dtype in case.source
]
FIXED = ("fill_between",)
"""Programs that name columns, and so have one width."""
WIDE = [
    case
    for case in EVERY
    if case.name not in FIXED and (re.search(r"(?<!\d)200(?!\d)", case.source) or case.jagged)
]
"""Programs that have the width, or the type of offsets, which other variants replace."""
MOST_CELLS = 16
"""Iterations of grids that small blocks may make: inner loops multiply them, and Pallas interprets slowly."""


def name(each: Case | str) -> str:
    return each.name if isinstance(each, Case) else each


def parse(program: Program) -> ModuleOp:
    module = LocatingParser(make_context(), program.text, f"{program.case.name}.mlir").parse_module()
    verify(module)
    return module


def problem(program: Program, results: Sequence[Result], expected: Sequence[np.ndarray]) -> str | None:
    """What is wrong with the results, an undefined element among the claimed ones included."""
    for result, want in zip(results, expected, strict=True):
        if not result.defined[np.isfinite(want)].all():
            return f"{program.case.name} on {program.segments.name} leaves elements undefined"
    return program.mismatch([result.data for result in results], expected)


@pytest.mark.parametrize(("case", "dtype"), TYPED, ids=name)
def test_agrees_with_reference(case: Case, dtype: Dtype) -> None:
    """On every list of segments, with other orders for each and, in turn, given and random block sizes."""
    for seed, segments in enumerate(case.sizes()):
        program = case.program(segments, dtype)
        args = program.arguments(seed)
        blocks = case.small_blocks if seed % 2 else None
        results = run(parse(program), case.name, args, seed=seed, blocks=blocks)
        assert problem(program, results, program.expected(args)) is None


@pytest.mark.parametrize("case", EVERY, ids=name)
def test_does_not_depend_on_blocks_or_order(case: Case) -> None:
    program = case.program(case.sizes()[0], "f32")
    module, args = parse(program), program.arguments(seed=1)
    expected = program.expected(args)
    for seed, blocks in enumerate((case.blocks, case.small_blocks, dict.fromkeys(case.blocks, 1000))):
        assert problem(program, run(module, case.name, args, seed=seed, blocks=blocks), expected) is None


@pytest.mark.parametrize("width", [13, 64, 100])
@pytest.mark.parametrize("case", WIDE, ids=name)
def test_other_widths_and_wide_offsets(case: Case, width: int) -> None:
    program = case.program(case.sizes()[0], "bf16", width=width, index="i64")
    args = program.arguments(seed=width)
    assert problem(program, run(parse(program), case.name, args), program.expected(args)) is None


@pytest.mark.parametrize("case", [case for case in EVERY if case.jagged], ids=name)
def test_a_poisoned_neighbour_does_not_leak(case: Case) -> None:
    """NaN and infinities in one group, and in the rows of none, leave the results of other groups finite."""
    for segments in (MIXED, case.sizes()[-1]):
        program = case.program(segments, "f32")
        module = parse(program)
        for group in range(segments.groups):
            args = program.poisoned(seed=group, group=group)
            expected = program.expected(args)
            assert_others_are_claimed(program, group, expected)
            assert problem(program, run(module, case.name, args, seed=group), expected) is None


def assert_others_are_claimed(program: Program, group: int, expected: Sequence[np.ndarray]) -> None:
    """The reference itself must claim every row, or every group, but those that were poisoned."""
    for kind, want in zip(program.results, expected, strict=True):
        others = np.arange(program.segments.groups) != group
        if kind.shape[0] == -1:
            others = program.segments.covered
            others[program.segments.begins[group] : program.segments.ends[group]] = False
        assert np.isfinite(want[others]).all()


@pytest.mark.parametrize("case", EVERY, ids=name)
def test_small_blocks_make_few_cells(case: Case) -> None:
    cells: Counter[Operation] = Counter()
    program = case.program(case.sizes()[-1] if not case.jagged else MIXED)
    run(parse(program), case.name, program.arguments(seed=0), blocks=case.small_blocks, steps=cells)
    # Sums of 128 rows are the least that a block of rank 1 can hold.
    at_once = "%all = 0 to 1 {" in case.source or case.name == "outputs_and_in_place"
    assert (1 if at_once else 2) <= sum(cells.values()) <= MOST_CELLS


def test_reading_past_the_array_is_an_error() -> None:
    """The corpus could not tell a wrong program from a right one if the interpreter let this pass."""
    program = CASES["jagged_row_sum"].program(MIXED, "f32")
    x, offsets = program.arguments(seed=0)
    with pytest.raises(InterpreterError, match=r"jagged_row_sum\.mlir:\d+:\d+: error: "):
        run(parse(program), "jagged_row_sum", [x[:-1], offsets])


def test_wrong_results_are_noticed() -> None:
    program = CASES["softmax"].program(dtype="bf16")
    args = program.arguments(seed=0)
    (right,) = program.expected(args)
    place = (3, int(right[3].argmax()))
    wrong = right.copy()
    wrong[place] *= 1.1
    got = [wrong.astype(args[0].dtype)]
    assert "1 of" in (program.mismatch(got, [right]) or "")
    wrong[place] = np.nan
    assert program.mismatch([wrong.astype(args[0].dtype)], [right]) is not None


@pytest.mark.parametrize("segments", [*HOSTILE_RANGES, *distributions()], ids=lambda s: s.name)
def test_segments_are_ordered_and_inside(segments: Segments) -> None:
    assert all(length >= 0 for length in segments.lengths)
    assert all(end <= begin for end, begin in zip(segments.ends[:-1], segments.begins[1:], strict=True))
    assert segments.ends[-1] <= segments.rows
    assert segments.packed or segments not in HOSTILE_OFFSETS
