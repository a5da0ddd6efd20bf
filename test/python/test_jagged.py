"""The matrix of jagged kernels: what torch computes item by item, then the three proofs, and calls.

`pytest` alone runs all of it, which takes an hour; with `--one-of` only a sample, in which each list of
segments and each value of every other axis is met.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from corpus.jagged import KERNELS, OFFSETS, Case, JaggedKernel, case, matrix, sample
from corpus.segments import Segments, of_lengths
from tilec.diagnostics import TileError
from tilec.dialects.interpreter import Result, run
from tilec.frontend.kernel import Kernel
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.proof import Array, ProofFailed, difference, emit, prove_compiles, prove_kernel, prove_passes
from tilec.testing import as_numpy, program_arguments

REFUSED = {
    "scale_gaps": r"race: the store at .*, with itself, may touch one element of %out",
    "scale_gaps_parents": r"expand-gathers: positions of type tensor<.*>; a tile of rank 1 is accepted",
    "scale_some_parents": r"expand-gathers: positions of type tensor<.*>; a tile of rank 1 is accepted",
}
"""Kernels that are refused in every way, with what is said. In torch nothing tells that the segments of two
arrays are disjoint; a mask keeps scattered positions from becoming a window."""

NO_ROWS = r"%\w+ is written through a window that may have no rows in a step, .*use grouping=worklist"
"""What is said of `overlaunch` where windows begin with their segments, as those of arrays with heads do."""


def cases(proof: str, turns: int = 1, without: Sequence[str] = ()) -> list[Any]:
    """All cases of a proof, those marked that are not in the sample of what can be lowered."""
    every = matrix(proof, turns)
    picked = sample([each for each in every if each.kernel.name not in REFUSED], without)
    return [pytest.param(each, marks=[] if each in picked else [pytest.mark.matrix]) for each in every]


def prepared(made: Case) -> tuple[Result, list[Array], TileToPallas]:
    """What is expected, the arguments of the program, and the way that the case takes."""
    expected = made.expected  # before an argument is changed
    tensors = [each for each in made.arguments if isinstance(each, torch.Tensor)]
    return expected, program_arguments(made.bound, tensors), replace(made.bound.choices, chip=made.chip)


def check_refusal(made: Case, refused: TileError) -> None:
    known = REFUSED.get(made.kernel.name)
    if known is None and made.grouping == "overlaunch":
        known = NO_ROWS
    assert known is not None, refused
    assert re.search(known, refused.message), refused


@pytest.mark.parametrize("made", cases("program", 2), ids=str)
def test_programs(made: Case) -> None:
    """In the reference interpreter, with blocks and an order drawn at random."""
    expected, arrays, _ = prepared(made)
    (result,) = run(made.bound.traced.module, made.bound.traced.name, arrays, seed=made.number)
    assert difference([result], [expected]) is None


@pytest.mark.parametrize("made", cases("passes", without=("kernel",)), ids=str)
def test_passes(made: Case) -> None:
    _, arrays, way = prepared(made)
    traced = made.bound.traced
    try:
        prove_passes(traced.module, traced.name, arrays, way.passes(), seeds=(made.number,))
    except ProofFailed:
        raise
    except TileError as refused:
        check_refusal(made, refused)


@pytest.mark.parametrize("made", cases("kernel", without=("kernel",)), ids=str)
def test_kernels(made: Case) -> None:
    """Against torch, not only against the program."""
    expected, arrays, way = prepared(made)
    try:
        text = emit(made.bound.traced.module, [way])
    except TileError as refused:
        check_refusal(made, refused)
        return
    prove_kernel(text, made.bound.traced.name, arrays, [expected], seeds=(made.number,))


@pytest.mark.aot
@pytest.mark.parametrize(
    "made", cases("compiler", without=("kernel", "segments", "poison", "block")), ids=str
)
def test_compiles(made: Case) -> None:
    _, arrays, way = prepared(made)
    try:
        text = emit(made.bound.traced.module, [way])
    except TileError as refused:
        check_refusal(made, refused)
        return
    prove_compiles(text, made.bound.traced.name, arrays, (made.chip,))


# Calls

CALLED = [each for each in KERNELS if each.name not in REFUSED]


def called(kernel: JaggedKernel, segments: Sequence[Segments], *, static: bool) -> None:
    """Call one kernel with each of the segments in turn, and compare with torch."""
    one: Kernel[..., Any] = Kernel(kernel.kernel.fn, static_shapes=static)
    first = case(kernel, segments[0], "call")
    for each in segments:
        made = replace(first, segments=each)
        expected = made.expected
        result = one(*made.arguments)
        if kernel.reference.changed is not None:
            result = made.arguments[kernel.reference.changed]
        got = as_numpy(result)
        assert difference([Result(got, np.ones_like(got, np.bool_))], [expected]) is None


@pytest.mark.parametrize("kernel", CALLED, ids=lambda each: each.name)
def test_calls(kernel: JaggedKernel) -> None:
    """A second shape, of other items and rows, then the first again; traced for each, or once for all."""
    number = CALLED.index(kernel)
    one, other = (OFFSETS[(number + step) % len(OFFSETS)] for step in (0, 7))
    called(kernel, [_short(one), _short(other), _short(one)], static=number % 2 == 0)


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    made = next(each for each in matrix("passes") if each.kernel.name == name)
    with pytest.raises(TileError, match=REFUSED[name]):
        emit(made.bound.traced.module, [made.bound.choices])


def _short(segments: Segments) -> Segments:
    """Segments of at most 13 rows, so that they fit every extent."""
    return of_lengths(segments.name, [min(length, 13) for length in segments.lengths])


@pytest.mark.parametrize("items", [3, 0])
@pytest.mark.parametrize("name", ["sum", "softmax_heads", "dense_bmm"])
def test_nothing(name: str, items: int) -> None:
    """A program for any number of items and rows, called with none; and one that is traced for none."""
    kernel = next(each for each in CALLED if each.name == name)
    one: Kernel[..., Any] = Kernel(kernel.kernel.fn, static_shapes=False)
    x, offsets, *others = replace(case(kernel, OFFSETS[0], "nothing"), poison=False).arguments
    empty = [x[:0], torch.zeros(items + 1, dtype=offsets.dtype), *(each[:items] for each in others)]
    for result in (one.bind(x, offsets, *others).run(empty), Kernel(kernel.kernel.fn)(*empty)):
        assert len(result) == (0 if kernel.reference.to_rows else items)
        assert (result == 0).all()


@pytest.mark.parametrize("loop", ["grid", "emit_pipeline", "fori_loop"])
def test_no_steps(loop: str) -> None:
    """Where no item has a column the list of steps is empty, and the result is what it was filled with."""
    kernel = next(each for each in KERNELS if each.name == "mean")
    made = replace(case(kernel, OFFSETS[0], "no steps"), grouping="worklist", loop=loop)
    _, (x, offsets, widths), way = prepared(made)
    args, traced = [x, offsets, np.zeros_like(widths)], made.bound.traced
    prove_kernel(emit(traced.module, [way]), traced.name, args, run(traced.module, traced.name, args))
