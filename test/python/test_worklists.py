"""How long lists of tiles may be: a list that is too short would leave tiles out."""

from pathlib import Path

import numpy as np
import pytest
from programs import parse
from xdsl.dialects.builtin import ModuleOp

from tilec.dialects.interpreter import functions, random_args, run
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.proof import Array, emit, prove_kernel, prove_passes

PROGRAMS = Path(__file__).parent / "data" / "worklists"
WAY = TileToPallas(grouping="worklist")
SEVERAL = [[(0, 29, 64)], [(3, 3, 61)], [(0, 2, 64)]]
OFFSETS: dict[str, list[list[tuple[int, ...]]]] = {
    "heads": SEVERAL,
    "some": SEVERAL,
    "beyond": SEVERAL,
    "two_loops": SEVERAL,
    "negative_begin": [[(0, 1, 3, 8)]],
    "negative_axis": [[]],
    "second_array": [[(0, 16, 64)]],
    "never": [[(0, 30, 64)]],
    "skipped": [[(0, 60, 128)]],
    "masked": [[(0, 60, 128)]],
    "wide_tiles": [[(60, 61, 62, 63, 64)]],
    "other_multiples": [[(60, 61, 62, 63, 64)]],
    "nested": [[(0, 0, 0, 0, 0, 0, 0, 0, 1), (0, 64, 64)]],
}
"""Programs whose steps are easily taken to be fewer, and their arrays of integers: steps share a segment, or
some have all of it and others nothing; loops end beyond it, follow each other, begin before 0, read less than
a segment of an array, or never; counts of tiles begin elsewhere; of segments of segments some are empty.
"""


def given(name: str, offsets: list[tuple[int, ...]]) -> tuple[ModuleOp, list[Array]]:
    """A program, and arguments with these offsets."""
    module, left = parse((PROGRAMS / f"{name}.mlir").read_text()), iter(offsets)
    args = random_args(functions(module)[0])
    return module, [np.array(next(left), np.int32) if each.dtype == np.int32 else each for each in args]


@pytest.mark.quick
@pytest.mark.parametrize("name", list(OFFSETS))
def test_all_tiles_have_room(name: str) -> None:
    for offsets in OFFSETS[name]:
        module, args = given(name, offsets)
        prove_passes(module, "f", args, WAY.passes(), seeds=(0,))


@pytest.mark.parametrize("name", ["heads", "some", "beyond", "two_loops"])
def test_kernels_leave_no_tile_out(name: str) -> None:
    module, args = given(name, SEVERAL[0])
    prove_kernel(emit(module, [WAY]), "f", args, run(module, "f", args))
