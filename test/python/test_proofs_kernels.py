"""Proof 2 of the corpus: emitted kernels do in Pallas interpret mode what the reference interpreter says.

A run costs about a second, so each is spent on what no other shows: element types and seeds take turns.
"""

from functools import cache

import numpy as np
import pytest
from choices import LEGAL, MAIN, Choice, main_segments, parse
from corpus.corpus import EXAMPLES, Dtype, Program
from corpus.segments import MIXED, ROWS, Segments

from tilec.dialects.interpreter import run
from tilec.proof import emit, prove_kernel

DTYPES: tuple[Dtype, Dtype] = ("bf16", "f32")
MAIN_EXAMPLES = [choice for choice in MAIN if choice.case in EXAMPLES]


def check(choice: Choice, program: Program, args: list[np.ndarray], seed: int) -> None:
    """The kernel agrees with the interpreter, and the interpreter with numpy."""
    module, name = parse(program), choice.case.name
    expected = run(module, name, args, seed=seed)
    assert program.mismatch([result.data for result in expected], program.expected(args)) is None
    prove_kernel(emit(module, choice.passes()), name, args, expected, seeds=(seed,))


@cache
def proven(text: str, choice_name: str, dtype: Dtype) -> bool:
    return True
