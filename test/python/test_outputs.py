"""Which arrays of emitted kernels are inputs, and what XLA does around the kernels because of them.

The three proofs of the programs in `corpus/outputs.py`, and counts of operations in compiled modules. Shapes
of a chip's size: XLA prefetches small arguments into VMEM of its own accord, which counts as `copy-start`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import jax
import pytest

from corpus.choices import parse
from corpus.corpus import EXAMPLES, Case, Dtype
from corpus.outputs import OUTPUTS
from corpus.segments import ROWS, Segments, of_lengths
from tilec.dialects.interpreter import run
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.proof import emit, prove_compiles, prove_kernel, prove_passes
from tilec.runtime.aot import Compiled, compile_for
from tilec.runtime.load import load

LOOPS = ("grid", "emit_pipeline", "fori_loop")
CHIP = "v5e"
SEGMENTS = of_lengths("for_a_chip", [128, 300, 0, 1, 200, 64, 0, 350])


@dataclass(frozen=True)
class Arrays:
    """Of one program: the arguments that are outputs too, and how the emitted module names them.

    `blocks` counts the aliases that a window begins with, `shared` those that only share memory, on a grid;
    `fills` the arrays that are filled before a kernel.
    """

    donated: tuple[int, ...] = ()
    blocks: int = 0
    shared: int = 0
    fills: int = 0


ARRAYS = {
    "update_in_place": Arrays((0,), blocks=1),
    "residual_in_place": Arrays((2,), blocks=1),
    "outputs_and_in_place": Arrays((1,), blocks=1),
    "fill_overwritten": Arrays(),
    "fill_in_halves": Arrays(blocks=1),  # the halves share a block
    "fill_between": Arrays(),
    "fill_blocks": Arrays(shared=1, fills=1),
    "fill_accumulated": Arrays(),
    "some_blocks": Arrays((1,), shared=1),
    "through_arrays": Arrays(blocks=1),
}


@pytest.mark.parametrize("dtype", ["f32", "bf16"])
@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("case", OUTPUTS, ids=lambda case: case.name)
def test_proofs(case: Case, loop: str, dtype: Dtype) -> None:
    seed = OUTPUTS.index(case) + (loop == "grid") + 2 * (dtype == "f32")
    program = case.program(case.sizes()[-1], dtype)
    module, args = parse(program), program.arguments(seed)
    choice = TileToPallas(loop=loop, blocks=case.small_blocks)
    expected = run(module, case.name, args, seed=seed)
    assert program.mismatch([result.data for result in expected], program.expected(args)) is None
    prove_passes(module, case.name, args, choice.passes(), seeds=(seed,))
    prove_kernel(emit(module, [choice]), case.name, args, expected, seeds=(seed,))


@pytest.mark.parametrize("rows", ROWS[:2], ids=lambda rows: rows.name)
@pytest.mark.parametrize("name", ["update_in_place", "fill_accumulated"])
def test_rows_that_no_block_divides(name: str, rows: Segments) -> None:
    (case,) = (case for case in OUTPUTS if case.name == name)
    program = case.program(rows, "f32")
    module, args = parse(program), program.arguments(seed=5)
    choice = TileToPallas(blocks=case.small_blocks)
    prove_passes(module, name, args, choice.passes(), seeds=(5,))
    prove_kernel(emit(module, [choice]), name, args, run(module, name, args), seeds=(5,))


@pytest.mark.parametrize("case", OUTPUTS, ids=lambda case: case.name)
def test_emitted(case: Case) -> None:
    """What the module passes in: blocks, whole arrays in HBM, fills."""
    text = emit(parse(case.program(case.sizes()[-1])), [TileToPallas(blocks=case.small_blocks)])
    wanted = ARRAYS[case.name]
    aliases = sum(each.count(":") for each in re.findall(r"input_output_aliases=\{(.*)\}", text))
    assert aliases == wanted.blocks + wanted.shared
    assert text.count("memory_space=pl.ANY") == wanted.shared
    assert text.count("pipeline_mode=pl.Buffered(1)") >= wanted.blocks
    wrapper = text[text.index("interpret=None):") :]
    assert len(re.findall(r" = jnp\.(?:zeros|full)\(", wrapper)) == wanted.fills


def compiled(case: Case, loop: str, donate: Sequence[int] = (), dtype: Dtype = "bf16") -> Compiled:
    program = case.program(SEGMENTS if case.jagged else ROWS[-1], dtype)
    text = emit(parse(program), [TileToPallas(loop=loop, chip=CHIP, blocks=case.blocks)])
    kernel = getattr(load(text, case.name), case.name)
    structs = [jax.ShapeDtypeStruct(each.shape, each.dtype) for each in program.arguments(seed=0)]
    return compile_for(kernel, structs, CHIP, donate=donate)


@pytest.mark.aot
@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("case", OUTPUTS, ids=lambda case: case.name)
def test_nothing_around_kernels(case: Case, loop: str) -> None:
    """No fill, copy or padding, if what is updated in place is donated."""
    wanted = ARRAYS[case.name]
    operations = compiled(case, loop, wanted.donated).operations
    assert operations["custom-call"] >= 1
    assert operations.get("broadcast", 0) == wanted.fills
    # An array of rank 1 is one row for a kernel; in bf16 that is another layout.
    assert not {"copy", "pad", "fusion", "concatenate", "slice", "dynamic-update-slice"} & operations.keys()


@pytest.mark.aot
@pytest.mark.parametrize("name", ["update_in_place", "residual_in_place", "some_blocks"])
def test_arguments_that_are_kept(name: str) -> None:
    """One copy, of the argument that the caller keeps."""
    (case,) = (case for case in OUTPUTS if case.name == name)
    assert compiled(case, "grid").operations["copy"] == 1


@pytest.mark.aot
@pytest.mark.parametrize("loop", LOOPS[:2])
@pytest.mark.parametrize("case", EXAMPLES, ids=lambda case: case.name)
def test_examples(case: Case, loop: str) -> None:
    """All results of the examples are outputs only."""
    operations = compiled(case, loop).operations
    assert not {"broadcast", "copy", "pad", "fusion"} & operations.keys()


@pytest.mark.aot
@pytest.mark.parametrize("chip", ["v6e", "tpu7x"])
@pytest.mark.parametrize("case", OUTPUTS[::3], ids=lambda case: case.name)
def test_compiles(case: Case, chip: str) -> None:
    program = case.program(case.sizes()[-1], "bf16")
    text = emit(parse(program), [TileToPallas(chip=chip, blocks=case.blocks)])
    prove_compiles(text, case.name, program.arguments(seed=0), (chip,))
