"""Integers of fewer than 32 bits beside constants, in functions that take no i32 beside them."""

import numpy as np
from programs import parse

from tilec.dialects.interpreter import run
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.proof import emit, prove_kernel

QUOTIENTS = """
func.func @f(%x: memref<512xi8>, %y: memref<512xi16>) -> (memref<512xi8>, memref<512xi16>) {
  %quotients = tile.empty : memref<512xi8>
  %rest = tile.empty : memref<512xi16>
  tile.grid %m = 0 to 512 by m {
    %v = tile.load %x[%m]
    %w = tile.load %y[%m]
    %three = tile.splat 3 : tensor<?xi8, #tile.spans<m>>
    %five = tile.splat 5 : tensor<?xi16, #tile.spans<m>>
    %q = arith.divsi %v, %three : tensor<?xi8, #tile.spans<m>>
    %r = arith.remsi %w, %five : tensor<?xi16, #tile.spans<m>>
    %s = arith.shrui %w, %five : tensor<?xi16, #tile.spans<m>>
    %t = arith.addi %r, %s : tensor<?xi16, #tile.spans<m>>
    tile.store %q, %quotients[%m]
    tile.store %t, %rest[%m]
  }
  return %quotients, %rest : memref<512xi8>, memref<512xi16>
}"""


def test_quotients() -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(-(2**7), 2**7, 512).astype(np.int8)
    y = rng.integers(-(2**15), 2**15, 512).astype(np.int16)
    module = parse(QUOTIENTS)
    wanted = run(module, "f", [x, y])
    np.testing.assert_array_equal(wanted[0].data, np.trunc(x / 3))
    prove_kernel(emit(module, [TileToPallas()]), "f", [x, y], wanted)
