"""Proofs 1 and 2 of random programs whose iterations share the arrays that they update."""

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from programs import RANDOM_PROGRAMS

from corpus.updates import random_update
from tilec.diagnostics import TileError
from tilec.dialects.interpreter import run
from tilec.passes.tile_to_pallas import LOOPS, TileToPallas
from tilec.proof import ProofFailed, emit, prove_kernel, prove_passes, read_program


def prove_update(number: int, way: int, *, kernel: bool) -> None:
    """A random program, one of sixteen ways: what a pass refuses is fine, a difference is not."""
    drawn = random_update(Random(number))
    module, _ = read_program(drawn.text)
    options: dict[str, Any] = {"grouping": "overlaunch"} if way // 8 % 2 else {}
    shared = ("auto", "phases")[way // 4 % 2]
    choice = TileToPallas(loop=LOOPS[way % 4], blocks=drawn.blocks, shared=shared, **options)
    try:
        prove_passes(module, "stream", drawn.args, choice.passes(), seeds=(way,))
        if kernel:
            expected = run(module, "stream", drawn.args)
            prove_kernel(emit(module, [choice]), "stream", drawn.args, expected, seeds=(way,))
    except ProofFailed:
        raise
    except TileError:
        return


@RANDOM_PROGRAMS
@given(st.integers(0, 2**32 - 1), st.integers(0, 15))
def test_passes(number: int, way: int) -> None:
    prove_update(number, way, kernel=False)


@pytest.mark.parametrize("number", range(8))
def test_kernels(number: int) -> None:
    prove_update(number, number, kernel=True)
