"""Kernels without bounds checks: no copy leaves its array, whatever integers are loaded."""

import numpy as np
import pytest
from programs import every, parse
from xdsl.dialects.builtin import ModuleOp

from tilec.analysis.in_bounds import beyond
from tilec.dialects.interpreter import run
from tilec.dialects.pallas.kernels import CallOp
from tilec.emit.module import print_module
from tilec.parsing import make_context
from tilec.passes.drop_bounds_checks import DropBoundsChecks
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.proof import prove_compiles, prove_kernel
from tilec.runtime.interpret import interpret
from tilec.runtime.load import load

CENTERED = """
func.func @f(%x: memref<{rows}x128xf32>, %offsets: memref<8xi32>) -> memref<{rows}x128xf32> {{
  %out = tile.empty : memref<{rows}x128xf32>
  tile.grid %g = 0 to 7 {{
    %begin, %end = tile.segment %offsets[%g]
    %zero = tile.splat 0.0 : tensor<128xf32>
    %total = tile.for %a = %begin to %end by a iter_args(%sum = %zero) {{
      %v = tile.load %x[%a, :]
      %s = tile.reduce add %v dims [0]
      %more = arith.addf %sum, %s : tensor<128xf32>
      tile.yield %more
    }}
    tile.for %b = %begin to %end by b {{
      %w = tile.load %x[%b, :]
      %t = tile.broadcast %total dims [1] : tensor<?x128xf32, #tile.spans<b, _>>
      %d = arith.subf %w, %t : tensor<?x128xf32, #tile.spans<b, _>>
      tile.store %d, %out[%b, :]
    }}
  }}
  return %out : memref<{rows}x128xf32>
}}"""
DOUBLED = """
func.func @f(%x: memref<100x128xf32>, %offsets: memref<8xi32>) -> memref<100x128xf32> {
  %out = tile.empty : memref<100x128xf32>
  tile.grid %g = 0 to 7 {
    %begin, %end = tile.segment %offsets[%g]
    tile.for %a = %begin to %end by a:16 {
      %v = tile.load %x[%a, :]
      %d = arith.addf %v, %v : tensor<16x128xf32, #tile.spans<a, _>>
      tile.store %d, %out[%a, :]
    }
  }
  return %out : memref<100x128xf32>
}"""
HOSTILE = (
    [-70, -3, 5, 40, 300, 90, 400, 64],
    [-999, -9, -9, 96, 0, 0, 100, 104],
    [500, 500, 500, 500, 501, 501, 7, -2],
)
"""Offsets out of order, below 0 and behind the last row."""


def lowered(rows: int, *, checked: bool) -> ModuleOp:
    """The program as a kernel, with the checks that it had or without those it needs not."""
    module = parse(CENTERED.format(rows=rows))
    for each in TileToPallas("stream", "fori_loop", blocks={"a": 16, "b": 16}).passes():
        if not (checked and isinstance(each, DropBoundsChecks)):
            each.apply(make_context(), module)
    return module


@pytest.mark.parametrize("rows", [96, 100])
@pytest.mark.parametrize("offsets", HOSTILE)
def test_no_copy_leaves_its_array(rows: int, offsets: list[int]) -> None:
    """Of a whole number of tiles, and with a last tile of fewer rows."""
    module = lowered(rows, checked=False)
    (call,) = every(module, CallOp)
    assert call.unchecked is not None
    assert not list(beyond(call))
    kernel = load(print_module(module), "f").f
    interpret(kernel, [np.ones((rows, 128), np.float32), np.array(offsets, np.int32)], races=False)


def test_blocks_that_a_list_names() -> None:
    """The list of tiles is one of the program's own, which names what there is."""
    module = parse(DOUBLED)
    TileToPallas("worklist", "grid").apply(make_context(), module)
    calls = every(module, CallOp)
    assert all(call.unchecked is not None and not list(beyond(call)) for call in calls)
    args = [np.ones((100, 128), np.float32), np.array([0, 0, 5, 6, 47, 64, 64, 100], np.int32)]
    prove_kernel(print_module(module), "f", args, run(parse(DOUBLED), "f", args))


def test_without_the_pass_one_does() -> None:
    (call,) = every(module := lowered(100, checked=True), CallOp)
    assert call.unchecked is None
    assert any(each.inside is not None for each in beyond(call))
    kernel = load(print_module(module), "f").f
    with pytest.raises(RuntimeError, match="bounds"):
        interpret(kernel, [np.ones((100, 128), np.float32), np.array(HOSTILE[0], np.int32)], races=False)


@pytest.mark.aot
def test_compiles() -> None:
    args = [np.ones((100, 128), np.float32), np.array([0, 0, 5, 6, 47, 64, 64, 100], np.int32)]
    prove_compiles(print_module(lowered(100, checked=False)), "f", args)
