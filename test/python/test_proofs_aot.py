"""Proof 3 of the corpus: the real TPU compiler takes each kernel, with the blocks meant for chips."""

import pytest

from corpus.choices import LEGAL, Choice, parse
from corpus.corpus import EXAMPLES, Dtype
from corpus.segments import of_lengths
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.proof import CHIPS, emit, prove_compiles

pytestmark = pytest.mark.aot

SEGMENTS = of_lengths("for_a_chip", [128, 300, 0, 1, 200, 64, 0, 350])

# Where nothing is jagged all groupings give one kernel, as the tests of proof 2 show.
CHOICES = [
    choice
    for choice in LEGAL
    if choice.case in EXAMPLES and (choice.case.jagged or choice.grouping == "worklist")
]


@pytest.mark.parametrize("dtype", ["f32", "bf16"])
@pytest.mark.parametrize("choice", CHOICES, ids=str)
def test_compiles(choice: Choice, dtype: Dtype) -> None:
    program = choice.case.program(SEGMENTS, dtype)
    module, args = parse(program), program.arguments(seed=0)
    for chip in CHIPS:
        passes = [TileToPallas(choice.grouping, choice.loop, chip, choice.case.blocks)]
        (compiled,) = prove_compiles(emit(module, passes), choice.case.name, args, (chip,))
        assert compiled.chip.name == chip
