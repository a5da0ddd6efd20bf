"""Rows in strips: proofs of programs that combine, change and compare the rows of ragged tiles."""

import re
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from programs import parse
from xdsl.dialects import scf
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from tilec.dialects.interpreter import run
from tilec.dialects.tile.schedule import PipelineOp
from tilec.parsing import make_context
from tilec.passes.convert_tile_to_pallas import ConvertTileToPallas
from tilec.passes.strip_mine import StripMine
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.proof import emit, prove_compiles, prove_kernel, prove_passes

Array = npt.NDArray[np.generic]

OFFSETS = np.array([0, 0, 5, 6, 47, 64, 64, 100], np.int32)
"""An empty segment, some within a tile of memory, one of a single row, and some of several tiles."""
ROWS = OFFSETS[-1]

FRAME = """
func.func @f(%x: memref<100x{shape}>, %w: memref<100x{shape}>, %offsets: memref<8xi32>)
    -> (memref<100x{shape}>, memref<7x{sums}>) {{
  %out = tile.empty : memref<100x{shape}>
  %sums = tile.empty : memref<7x{sums}>
  tile.grid %g = 0 to 7 {{
    %begin, %end = tile.segment %offsets[%g]
    {body}
  }}
  return %out, %sums : memref<100x{shape}>, memref<7x{sums}>
}}"""

SOFTMAX = """
    %none = tile.splat -inf : tensor<256xf32>
    %zero = tile.splat 0.0 : tensor<256xf32>
    %top, %total = tile.for %m = %begin to %end by m iter_args(%a = %none, %b = %zero) {
      %v = tile.load %x[%m, :]
      %here = tile.reduce max %v dims [0]
      %most = arith.maximumf %a, %here : tensor<256xf32>
      %less = arith.subf %a, %most : tensor<256xf32>
      %scale = math.exp %less : tensor<256xf32>
      %scaled = arith.mulf %b, %scale : tensor<256xf32>
      %wide = tile.broadcast %most dims [1] : tensor<?x256xf32, #tile.spans<m, _>>
      %diff = arith.subf %v, %wide : tensor<?x256xf32, #tile.spans<m, _>>
      %e = math.exp %diff : tensor<?x256xf32, #tile.spans<m, _>>
      %s = tile.reduce add %e dims [0]
      %more = arith.addf %scaled, %s : tensor<256xf32>
      tile.yield %most, %more
    }
    tile.store %total, %sums[%g, :]
    tile.for %n = %begin to %end by n {
      %v = tile.load %x[%n, :]
      %wide = tile.broadcast %top dims [1] : tensor<?x256xf32, #tile.spans<n, _>>
      %diff = arith.subf %v, %wide : tensor<?x256xf32, #tile.spans<n, _>>
      %e = math.exp %diff : tensor<?x256xf32, #tile.spans<n, _>>
      %all = tile.broadcast %total dims [1] : tensor<?x256xf32, #tile.spans<n, _>>
      %p = arith.divf %e, %all : tensor<?x256xf32, #tile.spans<n, _>>
      tile.store %p, %out[%n, :]
    }"""

NORM = """
    %zero = tile.splat 0.0 : tensor<256xf32>
    %sum = tile.for %m = %begin to %end by m iter_args(%a = %zero) {
      %v = tile.load %x[%m, :]
      %g_1 = tile.load %w[%m, :]
      %s = tile.reduce add %v dims [1]
      %each = arith.constant 0.00390625 : f32
      %share = tile.broadcast %each dims [] : tensor<?xf32, #tile.spans<m>>
      %mean = arith.mulf %s, %share : tensor<?xf32, #tile.spans<m>>
      %wide = tile.broadcast %mean dims [0] : tensor<?x256xf32, #tile.spans<m, _>>
      %c = arith.subf %v, %wide : tensor<?x256xf32, #tile.spans<m, _>>
      %p = arith.mulf %c, %g_1 : tensor<?x256xf32, #tile.spans<m, _>>
      tile.store %p, %out[%m, :]
      %q = tile.reduce add %p dims [0]
      %t = arith.addf %a, %q : tensor<256xf32>
      tile.yield %t
    }
    tile.store %sum, %sums[%g, :]"""

PLACES = """
    %zero = tile.splat 0.0 : tensor<256xf32>
    %sum = tile.for %m = %begin to %end by m iter_args(%a = %zero) {
      %v = tile.load %x[%m, :]
      %rows = tile.indices %m
      %f = tile.cast %rows to f32
      %wide = tile.broadcast %f dims [0] : tensor<?x256xf32, #tile.spans<m, _>>
      %p = arith.mulf %v, %wide : tensor<?x256xf32, #tile.spans<m, _>>
      tile.store %p, %out[%m, :]
      %s = tile.reduce add %p dims [0]
      %t = arith.addf %a, %s : tensor<256xf32>
      tile.yield %t
    }
    tile.store %sum, %sums[%g, :]"""

HEADS = """
    %zero = tile.splat 0.0 : tensor<8x128xf32>
    %sum = tile.for %m = %begin to %end by m iter_args(%a = %zero) {
      %v = tile.load %x[%m, :, :]
      %d = arith.addf %v, %v : tensor<?x8x128xf32, #tile.spans<m, _, _>>
      tile.store %d, %out[%m, :, :]
      %s = tile.reduce add %v dims [0]
      %t = arith.addf %a, %s : tensor<8x128xf32>
      tile.yield %t
    }
    tile.store %sum, %sums[%g, :, :]"""

SCALAR = """
    %zero = arith.constant 0.0 : f32
    %sum = tile.for %m = %begin to %end by m iter_args(%a = %zero) {
      %v = tile.load %x[%m, :]
      %g_1 = tile.load %w[%m, :]
      %p = arith.mulf %v, %g_1 : tensor<?x256xf32, #tile.spans<m, _>>
      tile.store %p, %out[%m, :]
      %s = tile.reduce add %p dims [0, 1]
      %t = arith.addf %a, %s : f32
      tile.yield %t
    }
    %all = tile.broadcast %sum dims [] : tensor<256xf32>
    tile.store %all, %sums[%g, :]"""

COLUMNS = """
    tile.for %k = 0 to 200 by k {
      %zero = tile.splat 0.0 : tensor<?xf32, #tile.spans<k>>
      %sum = tile.for %m = %begin to %end by m iter_args(%a = %zero) {
        %v = tile.load %x[%m, %k]
        %g_1 = tile.load %w[%m, %k]
        %p = arith.mulf %v, %g_1 : tensor<?x?xf32, #tile.spans<m, k>>
        tile.store %p, %out[%m, %k]
        %s = tile.reduce add %p dims [0]
        %t = arith.addf %a, %s : tensor<?xf32, #tile.spans<k>>
        tile.yield %t
      }
      tile.store %sum, %sums[%g, %k]
    }"""

BODIES = {
    "softmax": SOFTMAX,
    "norm": NORM,
    "places": PLACES,
    "heads": HEADS,
    "scalar": SCALAR,
    "columns": COLUMNS,
}


def program(name: str, mean: str = "") -> tuple[ModuleOp, list[Array]]:
    """One of the programs, whose loops are said to be so long on average, and arguments for it."""
    sums = "8x128xf32" if name == "heads" else "256xf32"
    random = np.random.default_rng(0)
    shape = (ROWS, 8, 128) if name == "heads" else (ROWS, 256)
    x, w = (random.standard_normal(shape, np.float32) for _ in range(2))
    body = re.sub(r"(to %end by \w+)", rf"\1{mean}", BODIES[name])
    return parse(FRAME.format(shape=sums, sums=sums, body=body)), [x, w, OFFSETS]


def passes(name: str, way: str, size: int, registers: int, chip: str = "v5e") -> list[ModulePass]:
    """All of `--tile-to-pallas`, with strips of so many registers."""
    grouping, loop, operands = (*way.split(), "auto")[:3]
    blocks = {"m": size} | {"softmax": {"n": size}, "columns": {"k": 128}}.get(name, {})
    every = TileToPallas(grouping, loop, chip, blocks, operands).passes()
    return [replace(each, registers=registers) if isinstance(each, StripMine) else each for each in every]


WAYS = (
    "stream fori_loop",
    "stream fori_loop resident",
    "worklist grid",
    "worklist fori_loop",
    "overlaunch emit_pipeline",
)
CASES = [(name, way) for name in BODIES for way in WAYS if name != "heads" or way == "worklist grid"]
SIZES = ((32, 2), (64, 4), (48, 2))
"""Rows of a tile, and the registers of a strip."""


@pytest.mark.parametrize(("name", "way"), CASES)
def test_proofs(name: str, way: str) -> None:
    """Strips of eight and of sixteen rows, of tiles that segments share and that are beyond their end. Where
    most strips are said to be whole, those have loops of their own; so have strips of one row, of heads."""
    number = CASES.index((name, way))
    apart = number % 2 == 0 or name == "heads"
    module, args = program(name, " mean 1000" if number % 2 == 0 else "")
    size, registers = SIZES[number % len(SIZES)]
    every = passes(name, way, size, registers)
    prove_passes(module, "f", args, every)
    mined = module.clone()
    for each in every:
        if isinstance(each, ConvertTileToPallas):
            break
        each.apply(make_context(), mined)
    inside = [op for each in mined.walk() if isinstance(each, PipelineOp) for op in each.walk()]
    loops = [op for op in inside if isinstance(op, scf.ForOp)]
    assert loops, size
    assert any(op.body.block.args[0].name_hint == "edge" for op in loops) == apart
    prove_kernel(emit(module, every), "f", args, run(module, "f", args))


@pytest.mark.aot
@pytest.mark.parametrize("name", BODIES)
def test_compiles(name: str) -> None:
    module, args = program(name)
    for chip, way in zip(("v5e", "v6e", "tpu7x"), WAYS, strict=False):
        prove_compiles(emit(module, passes(name, way, 64, 4, chip)), "f", args, (chip,))
