"""Values of which two dimensions came from one span: the three proofs."""

import pytest
from programs import parse

from tilec.dialects.interpreter import functions, random_args, run
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.proof import emit, prove_compiles, prove_kernel, prove_passes

# (s - sum of columns + max of rows) @ a for s = a @ a.T, within the rows of a block; the last has 18 of 32.
GRAM = """
!square = tensor<32x32xf32, #tile.spans<m, m>>
func.func @f(%x: memref<50x128xf32>) -> memref<50x128xf32> {
  %out = tile.empty : memref<50x128xf32>
  tile.grid %m = 0 to 50 by m:32 {
    %a = tile.load %x[%m, :]
    %s = tile.dot %a, %a contract [1] x [1] precision highest
    %sum = tile.reduce add %s dims [0]
    %sums = tile.broadcast %sum dims [1] : !square
    %less = arith.subf %s, %sums : !square
    %top = tile.reduce max %s dims [1]
    %tops = tile.broadcast %top dims [0] : !square
    %more = arith.addf %less, %tops : !square
    %back = tile.dot %more, %a precision highest
    tile.store %back, %out[%m, :]
  }
  return %out : memref<50x128xf32>
}"""

# Squares on the diagonal; what is off it stays.
DIAGONAL = """
func.func @f(%x: memref<300x300xf32>) -> memref<300x300xf32> {
  tile.grid %m = 0 to 200 by m:128 {
    %a = tile.load %x[%m, %m]
    %s = tile.dot %a, %a precision highest
    tile.store %s, %x[%m, %m]
  }
  return %x : memref<300x300xf32>
}"""


@pytest.mark.parametrize("text", [GRAM, DIAGONAL], ids=["gram", "diagonal"])
@pytest.mark.parametrize("loop", ["grid", "fori_loop"])
def test_one_span_twice(text: str, loop: str) -> None:
    module = parse(text)
    args = random_args(functions(module)[0], 1)
    choice = TileToPallas("worklist", loop)
    prove_passes(module, "f", args, choice.passes(), seeds=(1,))
    kernel = emit(module, [choice])
    prove_kernel(kernel, "f", args, run(module, "f", args), seeds=(1,))
    prove_compiles(kernel, "f", args, ("v6e",))
