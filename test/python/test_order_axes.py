"""Other axes outermost: the three proofs, and fewer bytes."""

import numpy as np
import pytest
from programs import parse
from tuning_programs import matmul

from tilec.analysis.model import modelled
from tilec.chips import CHIPS
from tilec.dialects.interpreter import functions, random_args, run
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.proof import Array, emit, prove_compiles, prove_kernel, prove_passes
from tilec.tuning.choice import Choice
from tilec.tuning.structures import space_of

GROUPS = """
func.func @f(%x: memref<40x128xbf16>, %w: memref<3x128x256xbf16>, %offsets: memref<4xi32>)
    -> memref<40x256xf32> {
  %out = tile.full 3.0 : memref<40x256xf32>
  tile.grid %h = 0 to 1, %g = 0 to 3 {
    %begin, %end = tile.segment %offsets[%g]
    tile.for %m = %begin to %end by m {
      tile.for %n = 0 to 256 by n {
        %lhs = tile.load %x[%m, :]
        %rhs = tile.load %w[%g, :, %n]
        %sum = tile.dot %lhs, %rhs
        tile.store %sum, %out[%m, %n]
      }
    }
  }
  return %out : memref<40x256xf32>
}"""
BLOCKS = {"m": 16, "n": 128}


def _args() -> list[Array]:
    x, w, _ = random_args(functions(parse(GROUPS))[0], 1)
    return [x, w, np.array([3, 3, 20, 35], np.int32)]


@pytest.mark.parametrize(
    ("order", "grouping", "loop"),
    [
        (("n",), "worklist", "grid"),
        (("g", "n"), "overlaunch", "emit_pipeline"),
        (("n",), "stream", "fori_loop"),
    ],
)
def test_segments_and_columns(order: tuple[str, ...], grouping: str, loop: str) -> None:
    module, args = parse(GROUPS), _args()
    choice = TileToPallas(grouping, loop, blocks=BLOCKS, order=order)
    prove_passes(module, "f", args, choice.passes(), seeds=(2,))
    prove_kernel(emit(module, [choice]), "f", args, run(module, "f", args), seeds=(2,))


def test_compiles() -> None:
    choice = TileToPallas("stream", "fori_loop", blocks=BLOCKS, order=("n",))
    prove_compiles(emit(parse(GROUPS), [choice]), "f", _args(), ("v5e",))


def test_a_product_brings_the_smaller_operand_again() -> None:
    program = matmul(512)
    assert {each.order for each in space_of(program).structures} == {(), ("n",)}
    sizes = {"m": 16, "n": 128, "k": 512}
    plain, columns = (
        modelled(program.workloads_for(Choice(order=order))[0], sizes, CHIPS["v5e"]).bytes_moved
        for order in ((), ("n",))
    )
    whole = 2 * 512 * 512  # of each operand, and of the product
    assert plain == whole * (1 + 512 // sizes["m"] + 1)
    assert columns == whole * (512 // sizes["n"] + 1 + 1)
