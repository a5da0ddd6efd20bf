"""Divisions by powers of two as shifts, against numpy: of scalars and of tiles, of both signs."""

import numpy as np
import pytest
from xdsl.dialects import arith

from tilec.dialects import pallas
from tilec.emit.module import print_module
from tilec.lowering.shifts import shift_divisions
from tilec.parsing import LocatingParser, make_context
from tilec.runtime.interpret import interpret
from tilec.runtime.load import load

TILE = "tensor<8x128xi32>"
PROGRAM = f"""
func.func @apply(%x: memref<8x128xi32>, %n: memref<16xi32>) -> (memref<32xi32>, memref<16x128xi32>) {{
  %scalars, %tiles = pallas.call "shifts" {{
    %n_ref = pallas.in_space %n smem
    %scalars_ref = pallas.out_space smem : memref<32xi32>
    %x_ref = pallas.in %x block [8, 128] map () {{
      %c0 = arith.constant 0 : index
      pallas.yield %c0, %c0
    }}
    %tiles_ref = pallas.out block [16, 128] map () {{
      %c0 = arith.constant 0 : index
      pallas.yield %c0, %c0
    }} : memref<16x128xi32>
    %v = pallas.load %x_ref
    %bys = tile.splat DIVISOR : {TILE}
    %down = arith.floordivsi %v, %bys : {TILE}
    pallas.store %down, %tiles_ref[ds(0, 8), :]
    %by_32 = arith.constant DIVISOR : i32
    %wide = tile.broadcast %by_32 dims [] : {TILE}
    %up = arith.ceildivsi %v, %wide : {TILE}
    pallas.store %up, %tiles_ref[ds(8, 8), :]
    %c0 = arith.constant 0 : index
    %c16 = arith.constant 16 : index
    %by = arith.constant DIVISOR : index
    %none = pallas.fori %i = %c0 to %c16 iter_args(%same = %c0) {{
      %e_32 = pallas.load %n_ref[%i]
      %e = arith.index_cast %e_32 : i32 to index
      %below = arith.floordivsi %e, %by : index
      %below_32 = arith.index_cast %below : index to i32
      pallas.store %below_32, %scalars_ref[%i]
      %above = arith.ceildivsi %e, %by : index
      %above_32 = arith.index_cast %above : index to i32
      %next = arith.addi %i, %c16 : index
      pallas.store %above_32, %scalars_ref[%next]
      pallas.yield %same
    }}
  }} : memref<32xi32>, memref<16x128xi32>
  return %scalars, %tiles : memref<32xi32>, memref<16x128xi32>
}}
"""


def shifted(divisor: int) -> tuple[str, int]:
    """The emitted module after the rewriting, and the divisions that are left in it."""
    module = LocatingParser(make_context(), PROGRAM.replace("DIVISOR", str(divisor)), "test").parse_module()
    (call,) = (op for op in module.walk() if isinstance(op, pallas.CallOp))
    shift_divisions(call)
    module.verify()
    left = [op for op in module.walk() if isinstance(op, arith.FloorDivSIOp | arith.CeilDivSIOp)]
    return print_module(module), len(left)


@pytest.mark.parametrize("divisor", [1, 2, 256, 2**30])
def test_powers_of_two_are_shifts(divisor: int) -> None:
    text, left = shifted(divisor)
    assert left == 0
    rng = np.random.default_rng(0)
    x = rng.integers(-(2**31) + 1, 2**31, (8, 128), np.int32)
    x[0, :11] = [-(2**31) + 1, -257, -256, -255, -1, 0, 1, 255, 256, 257, 2**31 - 1]
    scalars, tiles = interpret(load(text, "shifts").apply, [x, x[0, :16]])
    wide = x.astype(np.int64)
    np.testing.assert_array_equal(tiles, np.concatenate([wide // divisor, -(-wide // divisor)]))
    np.testing.assert_array_equal(
        scalars, np.concatenate([wide[0, :16] // divisor, -(-wide[0, :16] // divisor)])
    )


@pytest.mark.parametrize("divisor", [-2, 3, 0])
def test_others_are_left(divisor: int) -> None:
    assert shifted(divisor)[1] == 4
