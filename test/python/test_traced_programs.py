"""The three proofs of the programs of `corpus/traced/`, what traced functions look like."""

from pathlib import Path

import pytest

from tilec.dialects.interpreter import functions, random_args, run
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.proof import emit, prove_compiles, prove_kernel, prove_passes, read_program

TRACED = Path(__file__).resolve().parent / "corpus" / "traced"
WAYS: list[tuple[str, dict[str, int], str]] = [
    ("columns", {"m": 16, "n": 64}, "grid"),
    ("columns", {"m": 16}, "fori_loop"),
    ("jagged_heads", {}, "grid"),
    ("jagged_heads", {"rows": 16, "cols": 32}, "emit_pipeline"),
    ("jagged_heads", {"rows": 32, "cols": 16}, "fori_loop"),
    ("jagged_one_block", {}, "grid"),
    ("jagged_one_block", {}, "fori_loop"),
    ("scalar_bounds", {"n": 32}, "grid"),
    ("scalar_bounds", {"n": 16}, "fori_loop"),
    ("scatter_to_empty", {"m": 16}, "grid"),
    ("up_to_tile", {"rows": 16, "j": 32, "m": 16, "k": 8}, "grid"),
]
"""A program, block sizes that are not the default, and the loop."""


@pytest.mark.parametrize(("name", "blocks", "loop"), WAYS)
def test_proofs(name: str, blocks: dict[str, int], loop: str) -> None:
    module, _ = read_program(TRACED / f"{name}.mlir")
    args = random_args(functions(module)[0])
    choice = TileToPallas(loop=loop, blocks=blocks)
    prove_passes(module, name, args, choice.passes(), seeds=(0, 1))
    prove_kernel(emit(module, [choice]), name, args, run(module, name, args), seeds=(0,))


@pytest.mark.aot
@pytest.mark.parametrize(("name", "blocks", "loop"), WAYS)
def test_compiles(name: str, blocks: dict[str, int], loop: str) -> None:
    module, _ = read_program(TRACED / f"{name}.mlir")
    args = random_args(functions(module)[0])
    prove_compiles(emit(module, [TileToPallas(loop=loop, blocks=blocks)]), name, args)
