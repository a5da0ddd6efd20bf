"""Integers of fewer than 32 bits: beside constants, in functions that take no i32, and in arithmetic."""

import numpy as np
import pytest
import torch
from programs import parse

import tilec
import tilec.language as hl
from tilec.dialects.interpreter import run
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.proof import emit, prove_kernel
from tilec.testing import agree, prove

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


@tilec.kernel
def computed(x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """What the TPU has for words only. Sums and products keep the low bits."""
    out, most = torch.empty_like(x), torch.empty([x.size(0)], dtype=x.dtype)
    for rows in hl.tile(x.size(0)):
        a, b = x[rows, :], y[rows, :]
        product = torch.clamp(a, -5, 7) * torch.maximum(a, b) + torch.minimum(a, b // 3)
        out[rows, :] = product - (a % 7) + torch.abs(b)
        most[rows] = product.amax(1)
    return out, most


def computing(x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    product = torch.clamp(x, -5, 7) * torch.maximum(x, y) + torch.minimum(x, y // 3)
    return product - (x % 7) + torch.abs(y), product.amax(1)


@pytest.mark.parametrize("dtype", [torch.int8, torch.int16])
def test_they_are_computed_with_in_words(dtype: torch.dtype) -> None:
    generator = torch.Generator().manual_seed(0)
    x, y = (torch.randint(-128, 128, (40, 200), generator=generator).to(dtype) for _ in range(2))
    agree(computed(x, y), computing(x, y), "computed")
    prove(computed, (x, y), seeds=(0,))
