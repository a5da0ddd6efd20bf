"""Linear forms of positions, and random programs of them: the proofs of what is raised and of what is not."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from programs import RANDOM_PROGRAMS, named, parse

from corpus.positions import random_positions
from tilec.analysis.affine import linear
from tilec.analysis.positions import Positions, positions
from tilec.diagnostics import TileError
from tilec.dialects.interpreter import run
from tilec.passes.tile_to_pallas import LOOPS, TileToPallas
from tilec.proof import ProofFailed, emit, prove_kernel, prove_passes

FORMS = """
func.func @forms(%x: memref<8xi32>, %y: memref<8xi16>) {
  %three = arith.constant 3 : i32
  tile.grid %g = 0 to 4, %m = 0 to 8 by m:8, %n = 0 to 8 by n:8 {
    %i = tile.indices %m
    %j = tile.indices %n
    %s = tile.load %x[%g]
    %h = tile.load %y[%g]
    %rows = tile.broadcast %i dims [0] : tensor<8x8xi32, #tile.spans<m, n>>
    %columns = tile.broadcast %j dims [1] : tensor<8x8xi32, #tile.spans<m, n>>
    %eight = tile.splat 8 : tensor<8x8xi32, #tile.spans<m, n>>
    %scaled = arith.muli %eight, %rows : tensor<8x8xi32, #tile.spans<m, n>>
    %flat = arith.addi %scaled, %columns : tensor<8x8xi32, #tile.spans<m, n>>
    %turned = tile.transpose %flat [1, 0]
    %none = arith.subi %flat, %flat : tensor<8x8xi32, #tile.spans<m, n>>
    %double = arith.addi %s, %s : i32
    %shared = tile.broadcast %double dims [] : tensor<8xi32, #tile.spans<m>>
    %shifted = arith.subi %i, %shared : tensor<8xi32, #tile.spans<m>>
    %zero = tile.splat 0 : tensor<8xi32, #tile.spans<m>>
    %nothing = arith.muli %shifted, %zero : tensor<8xi32, #tile.spans<m>>
    %squared = arith.muli %i, %i : tensor<8xi32, #tile.spans<m>>
    %narrow = tile.cast %i to i16
    %back = tile.cast %narrow to i32
    %wide = tile.cast %shifted to i64
    %column = tile.reshape %i : tensor<8x1xi32, #tile.spans<m, _>>
    %repeated = tile.broadcast %column dims [0, 1] : tensor<8x8xi32, #tile.spans<m, n>>
    %half = tile.broadcast %h dims [] : tensor<8xi16, #tile.spans<m>>
    %twos = tile.splat 2 : tensor<1x4xi32>
    %counted = tile.scan add %twos dim 1
    %less = arith.subi %counted, %twos : tensor<1x4xi32>
    %numbers = tile.reshape %less : tensor<4xi32>
    %numbered = tile.broadcast %numbers dims [1] : tensor<8x4xi32, #tile.spans<m, _>>
    %from = tile.broadcast %i dims [0] : tensor<8x4xi32, #tile.spans<m, _>>
    %grown = arith.addi %from, %numbered : tensor<8x4xi32, #tile.spans<m, _>>
    %alone = tile.scan add %twos dim 0
    %summed = tile.scan add %flat dim 1
    %alternating = tile.scan mul %twos dim 1
    %flattened = tile.reshape %numbers : tensor<2x2xi32>
  }
  return
}
"""


def spans(form: Positions) -> dict[int, tuple[str | None, int]]:
    """The span of each dimension by name, with its factor."""
    return {dim: (span.name_hint, factor) for dim, (span, factor) in form.spans.items()}


@pytest.mark.parametrize(
    ("name", "expected", "shared"),
    [
        ("i", {0: ("m", 1)}, (0, 0)),
        ("flat", {0: ("m", 8), 1: ("n", 1)}, (0, 0)),
        ("turned", {1: ("m", 8), 0: ("n", 1)}, (0, 0)),
        ("none", {}, (0, 0)),
        ("eight", {}, (8, 0)),
        ("shifted", {0: ("m", 1)}, (0, -2)),
        ("wide", {0: ("m", 1)}, (0, -2)),
        ("nothing", {}, (0, 0)),
        ("repeated", {0: ("m", 1)}, (0, 0)),
    ],
)
def test_forms(name: str, expected: dict[int, tuple[str, int]], shared: tuple[int, int]) -> None:
    """Spans by dimension; `shared` are the constant and the factor of `s` in what all lanes share."""
    module = parse(FORMS)
    form = positions(named(module, name))
    assert isinstance(form, Positions)
    assert spans(form) == expected
    constant, factor = shared
    assert form.scalar - linear(named(module, "s")).times(factor) == linear(constant)


@pytest.mark.parametrize(
    ("name", "constant", "lanes"),
    [("counted", 2, {1: 2}), ("numbers", 0, {0: 2}), ("grown", 0, {1: 2}), ("alone", 2, {})],
)
def test_numbers_of_lanes(name: str, constant: int, lanes: dict[int, int]) -> None:
    """Running sums of a literal, along dimensions of no span."""
    form = positions(named(parse(FORMS), name))
    assert isinstance(form, Positions)
    assert (form.scalar.literal, form.lanes) == (constant, lanes)
    assert spans(form) == ({0: ("m", 1)} if name == "grown" else {})
    assert form.literal == (2 if name == "alone" else None)


@pytest.mark.parametrize(
    ("name", "blamed"),
    [
        ("squared", "squared"),
        ("back", "narrow"),
        ("half", "half"),
        ("summed", "summed"),
        ("alternating", "alternating"),
        ("flattened", "flattened"),
    ],
)
def test_no_form(name: str, blamed: str) -> None:
    """Products of indices, and integers that wrap around where positions do not."""
    module = parse(FORMS)
    assert positions(named(module, name)) is named(module, blamed).owner


def prove_positions(number: int, *, kernel: bool) -> None:
    drawn = random_positions(Random(number))
    module = parse(drawn.text)
    choice = TileToPallas(loop=LOOPS[number % 3], blocks=drawn.blocks)
    try:
        prove_passes(module, "positions", drawn.args, choice.passes(), seeds=(number % 7,))
        if kernel:
            expected = run(module, "positions", drawn.args)
            prove_kernel(emit(module, [choice]), "positions", drawn.args, expected, seeds=(number,))
    except ProofFailed:
        raise
    except TileError:  # a pass refuses it
        return


@RANDOM_PROGRAMS
@given(st.integers(0, 2**32 - 1))
def test_passes(number: int) -> None:
    prove_positions(number, kernel=False)


@pytest.mark.parametrize("number", range(6))
def test_kernels(number: int) -> None:
    prove_positions(number, kernel=True)
