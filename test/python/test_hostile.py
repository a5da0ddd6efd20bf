"""Proofs 1 to 3 of hostile programs, and of random nests of loops."""

from itertools import product
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from programs import RANDOM_PROGRAMS

from corpus.corpus import DTYPES, Case, Dtype
from corpus.hostile import HOSTILE
from corpus.nests import random_nest
from corpus.segments import MIXED, of_offsets
from tilec.diagnostics import TileError
from tilec.dialects.interpreter import random_args, run
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.proof import ProofFailed, emit, prove_compiles, prove_kernel, prove_passes, read_program

WAYS = [*product(("worklist", "overlaunch"), ("grid", "emit_pipeline"))]
SEGMENTS = (
    MIXED,
    of_offsets("all_in_one", [0, 0, 0, 64, 64, 64, 64, 64, 64]),
    of_offsets("none_at_all", [0] * 9, rows=20),
    of_offsets("at_the_edges", [0, 1, 8, 16, 17, 24, 33, 33, 40]),
)


@pytest.mark.parametrize(("grouping", "loop"), WAYS)
@pytest.mark.parametrize("case", HOSTILE, ids=lambda case: case.name)
def test_passes(case: Case, grouping: str, loop: str) -> None:
    """Every pass keeps what the program does, and that is what numpy says."""
    if grouping == "overlaunch" and not case.jagged:
        return
    passes = TileToPallas(grouping, loop, blocks=case.small_blocks).passes()
    for seed, segments in enumerate(SEGMENTS[: 1 if not case.jagged else 4 if grouping == "worklist" else 2]):
        program = case.program(segments, "f32" if seed % 2 else "bf16")
        module, _ = read_program(program.text)
        args = program.arguments(seed)
        results = [result.data for result in run(module, case.name, args, seed=seed)]
        assert program.mismatch(results, program.expected(args)) is None
        prove_passes(module, case.name, args, passes, seeds=(seed,))


@pytest.mark.parametrize("case", HOSTILE, ids=lambda case: case.name)
def test_kernels(case: Case) -> None:
    """Each way in turn: a run takes a second or more."""
    number = HOSTILE.index(case)
    grouping, loop = WAYS[number % 4]
    dtype: Dtype = "f32" if number % 3 else "bf16"
    program = case.program(SEGMENTS[number % 3 and 3], dtype)
    module, _ = read_program(program.text)
    args = program.arguments(number)
    text = emit(module, [TileToPallas(grouping, loop, blocks=case.small_blocks)])
    prove_kernel(text, case.name, args, run(module, case.name, args), seeds=(number,))


@pytest.mark.parametrize("case", HOSTILE[::4], ids=lambda case: case.name)
def test_compiles(case: Case) -> None:
    program = case.program(MIXED, "bf16")
    module, _ = read_program(program.text)
    text = emit(module, [TileToPallas(chip="v6e", blocks=case.blocks)])
    prove_compiles(text, case.name, program.arguments(0), ("v6e",))


def test_nothing_behind_an_axis_leaks() -> None:
    """NaN behind the end of the summed axis, in the dead lanes of its last tile."""
    case = next(case for case in HOSTILE if case.name == "dots")
    program = case.program(MIXED, "f32")
    module, _ = read_program(program.text)
    a, at, b, bt = program.arguments(seed=7)
    a[:, 150:], at[150:], b[150:], bt[:, 150:] = (np.nan,) * 4
    text = emit(module, [TileToPallas(blocks=case.small_blocks)])
    prove_kernel(text, case.name, [a, at, b, bt], run(module, case.name, [a, at, b, bt]), seeds=(1,))


@pytest.mark.parametrize(("grouping", "loop"), WAYS)
def test_segments_of_segments(grouping: str, loop: str) -> None:
    """A jagged run of segments, which Case has no arguments for: some runs and some segments are empty."""
    path = Path(__file__).parent / "corpus" / "hostile" / "segments_of_segments.mlir"
    module, _ = read_program(path)
    x = np.random.default_rng(0).standard_normal((90, 200)).astype(DTYPES["bf16"])
    args = [x, np.array([0, 0, 3, 7, 8], np.int32), np.array(MIXED.offsets, np.int32)]
    choice = TileToPallas(grouping, loop, blocks={"m": 16})
    prove_passes(module, path.stem, args, choice.passes(), seeds=(1, 2))
    prove_kernel(emit(module, [choice]), path.stem, args, run(module, path.stem, args), seeds=(1,))


def prove_nest(random: Random, seed: int, *, kernel: bool) -> None:
    """A random nest, one way: what a pass refuses is fine, a difference is not."""
    text = random_nest(random)
    module, function = read_program(text)
    rows = (7, 24, 33, 50)[seed % 4]
    args = random_args(function, seed, rows)
    grouping, loop = WAYS[seed // 4 % 4]
    sizes = {"m": seed // 16, "d": seed // 16, "m_part": seed // 32, "d_part": seed // 32}
    blocks = {axis: (8, 16)[size % 2] for axis, size in sizes.items() if f" by {axis} " in text}
    choice = TileToPallas(grouping, loop, blocks=blocks)
    try:
        prove_passes(module, "nest", args, choice.passes(), seeds=(seed,))
        if kernel:
            prove_kernel(emit(module, [choice]), "nest", args, run(module, "nest", args), seeds=(seed,))
    except ProofFailed:
        raise
    except TileError:
        return


@RANDOM_PROGRAMS
@given(st.integers(0, 2**32 - 1), st.integers(0, 63))
def test_random_nests(nest: int, seed: int) -> None:
    prove_nest(Random(nest), seed, kernel=False)


@pytest.mark.parametrize("number", range(3))
def test_random_kernels(number: int) -> None:
    prove_nest(Random(number), 7 * number, kernel=True)
