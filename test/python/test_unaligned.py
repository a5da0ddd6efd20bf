"""Programs whose windows begin or end between tiles of memory, and how their loops may stream them.

Every variant of `corpus/unaligned.py` is emitted for every loop. The proofs, which cost more, are tried on a
part of them that has all programs, element types and loops in it; seeds take turns.
"""

import re
from collections.abc import Mapping
from typing import Any

import pytest

from corpus.choices import parse
from corpus.outputs import OUTPUTS
from corpus.unaligned import ALL_CASES, LARGE, VARIANTS, Variant
from corpus.ways import Way
from tilec.diagnostics import TileError
from tilec.passes.tile_to_pallas import LOOPS
from tilec.proof import CHIPS, emit


def chosen(per_case: int) -> list[Way]:
    """For each program, `per_case` variants, of which neighbours differ in most, and all loops in turn."""
    names = list(dict.fromkeys(variant.case.name for variant in VARIANTS))
    found: list[Way] = []
    for number, name in enumerate(names):
        variants = [variant for variant in VARIANTS if variant.case.name == name]
        for turn in range(per_case):
            variant = variants[(number + turn * (len(variants) // per_case + 1)) % len(variants)]
            way = Way(variant, LOOPS[(number + turn) % len(LOOPS)])
            found.append(way if way.refused is None else Way(variant, "fori_loop"))
    return found


def tried(name: str, element: str, blocks: Mapping[str, int], loop: str, **options: Any) -> Way:
    return Way(Variant(ALL_CASES[name], element, blocks), loop, options)


_NARROW = ("matmul_narrow", "f32", {"m": 8, "k": 32})
OPTIONS = [
    tried(*_NARROW, "grid", operands="resident"),
    tried(*_NARROW, "fori_loop", operands="resident"),
    *(tried(*_NARROW, "fori_loop", depth=depth) for depth in (1, 3, 4)),
    *(tried(*_NARROW, "emit_pipeline", depth=depth) for depth in (1, 3)),
    tried("matmul_narrow", "bf16", {"m": 8, "k": 16}, "fori_loop", fetch=2),
    tried("matmul_narrow", "f32", {"m": 8, "k": 16}, "emit_pipeline", fetch=2, depth=4),
    tried("split_k", "bf16", {"m": 16, "k": 32}, "emit_pipeline", operands="resident"),
    tried("vector_total", "f32", {"i": 32}, "fori_loop", depth=4),
    tried("vector_map", "f32", {"i": 128}, "grid", operands="resident"),
    tried("vector_map", "f32", {"i": 128}, "fori_loop", depth=1),
    tried("slabs_4x64", "bf16", {"m": 7}, "fori_loop", depth=3),
    tried("slabs_4x64", "f32", {"m": 7}, "emit_pipeline", depth=4),
    tried("narrow_rows", "i8", {"m": 12}, "fori_loop", depth=3),
]
"""Each gives another kernel than without the options."""

IN_PLACE = [
    Way(Variant(case, element, case.small_blocks), loop, options)
    for case in OUTPUTS
    if "in_place" in case.name
    for element, loop, options in (
        ("f32", "unroll", {}),
        ("bf16", "fori_loop", {"depth": 1}),
        ("f32", "fori_loop", {"depth": 3}),
    )
]
"""Arguments that are results too, in the loops that `test_outputs.py` leaves out."""


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_every_loop(variant: Variant) -> None:
    module = parse(variant.program())
    for loop in LOOPS:
        way = Way(variant, loop)
        if way.refused is None:
            assert f"def {variant.case.name}(" in emit(module, [way.choice()])
            continue
        with pytest.raises(TileError, match=re.escape(way.refused)) as refusal:
            emit(module, [way.choice()])
        assert re.fullmatch(rf"{variant.case.name}\.mlir:\d+:\d+", refusal.value.place)


@pytest.mark.parametrize("way", [*chosen(1), *IN_PLACE], ids=str)
def test_passes(way: Way) -> None:
    way.prove_passes(seed=len(str(way)))


@pytest.mark.parametrize("way", [*chosen(1), *IN_PLACE], ids=str)
def test_kernels(way: Way) -> None:
    way.prove_kernel(seed=len(str(way)))


@pytest.mark.parametrize("way", OPTIONS, ids=str)
def test_options(way: Way) -> None:
    """Other choices than the default ones are other kernels, and they are right too."""
    module, seed = parse(way.variant.program()), OPTIONS.index(way)
    assert emit(module, [way.choice()]) != emit(module, [Way(way.variant, way.loop).choice()])
    way.prove_passes(seed)
    way.prove_kernel(seed)


@pytest.mark.aot
@pytest.mark.parametrize("way", [*chosen(1), *OPTIONS, *IN_PLACE], ids=str)
def test_compiles(way: Way) -> None:
    """The oracle says the same of all chips, so that they take turns."""
    way.prove_compiles(CHIPS[len(str(way)) % len(CHIPS)])


@pytest.mark.aot
@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("variant", LARGE[1::2], ids=str)
def test_large_arrays_stream(variant: Variant, loop: str) -> None:
    for chip in CHIPS:
        Way(variant, loop).prove_compiles(chip)
