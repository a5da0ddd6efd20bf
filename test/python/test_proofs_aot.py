"""Proof 3 of the corpus: the real TPU compiler takes each kernel, with the blocks meant for chips."""

import pytest

from corpus.choices import DISTINCT, Choice, parse
from corpus.corpus import EXAMPLES, Dtype
from corpus.segments import of_lengths
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.proof import CHIPS, emit, prove_compiles

pytestmark = pytest.mark.aot

SEGMENTS = of_lengths("for_a_chip", [128, 300, 0, 1, 200, 64, 0, 350])


@pytest.mark.parametrize("dtype", ["f32", "bf16"])
@pytest.mark.parametrize("choice", [choice for choice in DISTINCT if choice.case in EXAMPLES], ids=str)
def test_compiles(choice: Choice, dtype: Dtype) -> None:
    program = choice.case.program(SEGMENTS, dtype)
    module, args = parse(program), program.arguments(seed=0)
    for chip in CHIPS:
        passes = [TileToPallas(choice.grouping, choice.loop, chip, choice.case.blocks)]
        (compiled,) = prove_compiles(emit(module, passes), choice.case.name, args, (chip,))
        assert compiled.chip.name == chip
