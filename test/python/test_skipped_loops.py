"""What is read for loops that have no iteration: its index may lie behind the array."""

from pathlib import Path

import numpy as np
import pytest
from programs import parse

from tilec.dialects.interpreter import functions, random_args, run
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.proof import emit, prove_kernel, prove_passes

PROGRAMS = Path(__file__).parent / "data" / "skipped"
ARGUMENTS: dict[str, list[list[int]]] = {
    "first_row": [[0, 16, 45, 45]],
    "lists_of_segments": [[0, 0, 1, 1, 2, 2, 2, 2, 2], [7, 8, 64]],
    "tiles_of_segments": [[0, 0, 0, 0, 0, 0, 0, 64], [0, 7, 7, 7]],
    "begins_and_ends": [[0, 0, 2, 2], [7, 20], [16, 64]],
    "pages": [[2, 0, 3, 0], [5, 1, 9, -1, -1, -1, 2, 3, 4, -1, -1, -1]],
}
"""Arrays of integers: segments, lists of segments by number, of which the last are empty; pages, -1 where a
sequence has none."""


@pytest.mark.parametrize("grouping", ["worklist", "overlaunch", "stream"])
@pytest.mark.parametrize("name", list(ARGUMENTS))
def test_skipped_loops(name: str, grouping: str) -> None:
    module, left = parse((PROGRAMS / f"{name}.mlir").read_text()), iter(ARGUMENTS[name])
    args = [
        np.array(next(left), np.int32).reshape(each.shape) if each.dtype == np.int32 else each
        for each in random_args(functions(module)[0])
    ]
    way = TileToPallas(grouping, "fori_loop" if grouping == "stream" else "grid")
    prove_passes(module, "f", args, way.passes(), seeds=(0,))
    prove_kernel(emit(module, [way]), "f", args, run(module, "f", args), seeds=(0,))
