"""Jagged tiles whose parents are gone through one by one: random programs, and the examples as kernels."""

import re
import runpy
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from programs import RANDOM_PROGRAMS, parse
from test_interpreter_jagged import LENGTHS, MEAN, MIXING, NESTED, SOFTMAX, STORE_SUM, SUM, TAIL, arguments
from xdsl.context import Context

import tilec
from tilec.passes.scalarize_jagged import ScalarizeJagged
from tilec.passes.tile_to_pallas import LOOPS
from tilec.proof import CHIPS, prove_passes
from tilec.proof import prove as prove_program
from tilec.testing import agree, prove

PROGRAMS = [SUM + STORE_SUM + TAIL, SUM + MEAN + TAIL, SOFTMAX + TAIL.replace("starts", "flat")]
EXAMPLES = [
    "jagged_mean",  # in a grid: in other loops it races, and so does the kernel that has no tiles of parents
    "jagged_sum",
    "jagged_softmax",
    "jagged_layer_norm",
    "jagged_dense_bmm",
    "jagged_dense_add",
]


def scalarized(text: str) -> str:
    """A program after the pass, as text."""
    module = parse(text)
    ScalarizeJagged().apply(Context(), module)
    module.verify()
    return str(module)


@RANDOM_PROGRAMS
@given(lengths=LENGTHS, program=st.sampled_from(PROGRAMS), seed=st.integers(0, 99))
def test_programs(lengths: list[int], program: str, seed: int) -> None:
    """Lanes without children, with fewer than none, and with positions that nothing is at."""
    args, _ = arguments(lengths, seed)
    assert "by p" not in scalarized(program)
    prove_passes(parse(program), "f", args, [ScalarizeJagged()], seeds=(seed,))


def test_two_axes_of_one_parent() -> None:
    rng = np.random.default_rng(0)
    x, w = (rng.standard_normal(shape).astype(np.float32) for shape in ((5, 16, 16), (16,)))
    extents = [np.asarray(each, np.int32) for each in ([0, 16, 3, 1, 9], [5, 16, 0, 1, 2])]
    assert " of p" not in scalarized(NESTED)
    prove_passes(parse(NESTED), "f", [x, *extents, w], [ScalarizeJagged()])


def test_lanes_that_mix() -> None:
    assert scalarized(MIXING) == str(parse(MIXING))


@pytest.mark.aot
@pytest.mark.parametrize("name", EXAMPLES)
def test_examples(name: str) -> None:
    """What a kernel over tiles of parents computes, in loops, element types and chips that take turns."""
    turn = EXAMPLES.index(name)
    example = runpy.run_path(str(Path(__file__).parents[2] / "examples" / f"{name}.py"))
    args = example["arguments"](dtype=(torch.float32, torch.bfloat16)[turn % 2])
    traced = example[f"{name}_parents"].fn
    kernel = tilec.kernel(config=tilec.Config(loop=LOOPS[turn % 3]))(traced)
    prove(kernel, args, chips=(CHIPS[turn % 3],), seeds=(turn,))
    agree(kernel(*args), example["reference"](*args), name)


@pytest.mark.aot
def test_lanes_under_masks() -> None:
    """Lanes that mix, in a kernel. Steps that some lanes make, or none, leave what is carried elsewhere."""
    text = (Path(__file__).parents[1] / "lit" / "passes" / "mask-jagged.mlir").read_text()
    (program,) = re.findall(r"(?ms)^func\.func @mixed\(.*?^}", text)
    rng = np.random.default_rng(3)
    x, w = (rng.standard_normal(shape).astype(np.float32) for shape in ((64, 512), (512, 128)))
    lengths = [rng.integers(-5, 400, 64), np.zeros(64)]
    lists = [[x, w, each.astype(np.int32)] for each in lengths]
    prove_program(program, lists, blocks={"p": 8}, chips=CHIPS[1:2])
