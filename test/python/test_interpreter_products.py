"""The reference interpreter: products of batches, against numpy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import RANDOM_PROGRAMS, parse

from tilec.dialects.interpreter import run

CONTRACTIONS = [(2, 1), (2, 2), (1, 1), (1, 2)]
LEFT, RIGHT = {2: "bmk", 1: "bkm"}, {1: "bkn", 2: "bnk"}
"""The dimensions of an operand, by the one that is summed over."""

sizes = st.fixed_dictionaries({dim: st.integers(1, 5) for dim in "bmnk"})
blocks = st.fixed_dictionaries({dim: st.integers(1, 6) for dim in "bmnk"})


@settings(RANDOM_PROGRAMS, max_examples=100)
@given(sizes=sizes, blocks=blocks, contract=st.sampled_from(CONTRACTIONS), seed=st.integers(0, 99))
def test_tiles_of_all_dimensions(
    sizes: dict[str, int], blocks: dict[str, int], contract: tuple[int, int], seed: int
) -> None:
    left, right = LEFT[contract[0]], RIGHT[contract[1]]
    x_type, w_type, y_type = (
        f"memref<{'x'.join(str(sizes[dim]) for dim in dims)}xf32>" for dims in (left, right, "bmn")
    )
    x_tile, w_tile, y_tile = (", ".join(f"%{dim}" for dim in dims) for dims in (left, right, "bmn"))
    axis = {dim: f"%{dim} = 0 to {sizes[dim]} by {dim}:{blocks[dim]}" for dim in "bmnk"}
    module = parse(f"""
    func.func @f(%x: {x_type}, %w: {w_type}) -> {y_type} {{
      %y = tile.empty : {y_type}
      tile.grid {axis["b"]}, {axis["m"]}, {axis["n"]} {{
        %zero = tile.splat 0.0 : tensor<{"x".join(str(blocks[d]) for d in "bmn")}xf32, #tile.spans<b, m, n>>
        %sum = tile.for {axis["k"]} iter_args(%before = %zero) {{
          %l = tile.load %x[{x_tile}]
          %r = tile.load %w[{w_tile}]
          %after = tile.dot %l, %r, %before contract [{contract[0]}] x [{contract[1]}]
          tile.yield %after
        }}
        tile.store %sum, %y[{y_tile}]
      }}
      return %y : {y_type}
    }}""")
    rng = np.random.default_rng(seed)
    x, w = (rng.standard_normal([sizes[dim] for dim in dims], np.float32) for dims in (left, right))
    (result,) = run(module, "f", [x, w], seed=seed)
    assert result.defined.all()
    np.testing.assert_allclose(result.data, np.einsum(f"{left},{right}->bmn", x, w), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("contract", CONTRACTIONS)
@pytest.mark.parametrize("side", [0, 1])
def test_undefined_lanes_reach_their_own_matrix_alone(contract: tuple[int, int], side: int) -> None:
    """One lane of matrix 1 is undefined: so is its row of a left operand, its column of a right one."""
    i, j = contract
    operands = "%u, %n" if side == 0 else "%n, %u"
    module = parse(f"""
    func.func @f(%n: tensor<3x2x2xi32>, %z: tensor<3x2x2xi32>) -> tensor<3x2x2xi32> {{
      %u = arith.divsi %n, %z : tensor<3x2x2xi32>
      %d = tile.dot {operands} contract [{i}] x [{j}]
      return %d : tensor<3x2x2xi32>
    }}""")
    ones = np.ones((3, 2, 2), np.int32)
    divisors, kept = ones.copy(), 3 - contract[side]
    divisors[1, *((0, 1) if kept == 2 else (1, 0))] = 0
    (result,) = run(module, "f", [ones, divisors])
    expected = np.ones((3, 2, 2), np.bool_)
    expected[1][(1, slice(None)) if side == 0 else (slice(None), 1)] = False
    np.testing.assert_array_equal(result.defined, expected)
