"""Rows that become columns in all lanes: full registers are turned, in all proofs."""

import numpy as np
import pytest
from programs import parse

from tilec.dialects.interpreter import run
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.proof import CHIPS, emit, prove_compiles, prove_kernel, prove_passes

SCALED = """
func.func @f(%s: memref<4x{rows}xf32>, %t: memref<4x{rows}xf32>, %x: memref<4x{rows}x{lanes}xf32>)
    -> memref<4x{rows}x{lanes}xf32> {{
  %out = tile.empty : memref<4x{rows}x{lanes}xf32>
  tile.grid %g = 0 to 4 {{
    %a = tile.load %s[%g, :]
    %b = tile.load %t[%g, :]
    %r = arith.mulf %a, %b : tensor<{rows}xf32>
    %v = tile.load %x[%g, :, :]
    %wide = tile.broadcast %r dims [0] : tensor<{rows}x{lanes}xf32>
    %p = arith.mulf %v, %wide : tensor<{rows}x{lanes}xf32>
    tile.store %p, %out[%g, :, :]
  }}
  return %out : memref<4x{rows}x{lanes}xf32>
}}
"""


@pytest.mark.aot
@pytest.mark.parametrize(
    ("rows", "lanes", "turned"),
    [(128, 128, "(128, 128)"), (256, 384, "(128, 256)"), (256, 64, None), (40, 128, None)],
)
def test_scaled_rows(rows: int, lanes: int, turned: str | None) -> None:
    """Of whole registers; of others a thin column is repeated."""
    module, draw = parse(SCALED.format(rows=rows, lanes=lanes)), np.random.default_rng(0)
    args = [draw.random(shape, np.float32) for shape in ((4, rows), (4, rows), (4, rows, lanes))]
    way = TileToPallas()
    prove_passes(module, "f", args, way.passes(), seeds=(1,))
    text = emit(module, [way])
    assert turned is None or f"jnp.broadcast_to(r, {turned})" in text
    assert ("jnp.transpose(r, (1, 0))" in text) == (turned is None)
    prove_kernel(text, "f", args, run(module, "f", args), seeds=(1,))
    prove_compiles(text, "f", args, CHIPS)
