"""Loops that come back to tiles which an earlier one has kept: proofs, also with ranges that are too long."""

import numpy as np
import pytest
from programs import parse
from xdsl.dialects.builtin import IntegerAttr, i64

from tilec.analysis.kept import MOST, kept_returns, most_kept
from tilec.chips import CHIPS
from tilec.dialects.interpreter import run
from tilec.dialects.tile.schedule import PipelineOp
from tilec.emit.module import print_module
from tilec.parsing import make_context
from tilec.passes.double_buffer import DoubleBuffer
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.proof import prove_compiles, prove_kernel

PASS = """
    %total_{n} = tile.for %{axis} = %begin to %end by {axis} iter_args(%sum = %total_{before}) {{
      %v = tile.load %x[%{axis}, :]
      %s = tile.reduce add %v dims [0]
      %more = arith.addf %sum, %s : tensor<128xf32>
      tile.yield %more
    }}"""
TEXT = """
func.func @f(%x: memref<100x128xf32>, %offsets: memref<8xi32>) -> memref<100x128xf32> {{
  %out = tile.empty : memref<100x128xf32>
  tile.grid %g = 0 to 7 {{
    %begin, %end = tile.segment %offsets[%g]
    %total_0 = tile.splat 0.0 : tensor<128xf32>
    {sums}
    tile.for %c = %begin to %end by c {{
      %w = tile.load %x[%c, :]
      %t = tile.broadcast %total_{n} dims [1] : tensor<?x128xf32, #tile.spans<c, _>>
      %d = arith.subf %w, %t : tensor<?x128xf32, #tile.spans<c, _>>
      tile.store %d, %out[%c, :]
    }}
  }}
  return %out : memref<100x128xf32>
}}"""
OFFSETS = np.array([0, 0, 5, 6, 47, 64, 64, 100], np.int32)
"""An empty segment, some in one tile of memory, one of a single row, and some of three to six tiles."""
X = np.random.default_rng(0).standard_normal((100, 128), np.float32)


def summed(passes: int) -> str:
    """The program with sums in so many `passes`."""
    sums = "".join(PASS.format(n=n + 1, before=n, axis="ab"[n]) for n in range(passes))
    return TEXT.format(sums=sums, n=passes)


def kept(text: str, depth: int, most: int, last: int = 8) -> tuple[str, int]:
    """The Pallas text of a program all of whose loops but the first may come back to up to `most` tiles, and
    how many windows do.
    """
    module = parse(text)
    blocks = {axis: 8 for axis in "ab" if f"by {axis} " in text} | {"c": last}
    count = 0
    for each in TileToPallas("stream", "fori_loop", blocks=blocks, depth=depth).passes():
        each.apply(make_context(), module)
        if isinstance(each, DoubleBuffer):
            (pipeline,) = (op for op in module.walk() if isinstance(op, PipelineOp))
            returns = kept_returns(pipeline)
            count = len(returns)
            for first in {each.first for each in returns.values()}:
                first.kept = IntegerAttr(most, i64)
    return print_module(module), count


@pytest.mark.parametrize(("passes", "depth", "most"), [(1, 2, 2), (1, 4, 3), (2, 3, 1)])
def test_kept(passes: int, depth: int, most: int) -> None:
    text, count = kept(summed(passes), depth, most)
    assert count == passes
    expected = run(parse(summed(passes)), "f", [X, OFFSETS])
    prove_kernel(text, "f", [X, OFFSETS], expected, seeds=(most,))


def test_other_tiles() -> None:
    """Tiles of another size are no tiles to come back to."""
    assert kept(summed(1), 2, 2, last=16)[1] == 0


SHIFTED = """
      %i = tile.indices %{0}
      %rows = tile.splat 92 : tensor<?xi32, #tile.spans<{0}>>
      %inside = tile.compare lt %i, %rows
      %mask = tile.broadcast %inside dims [0] : tensor<?x128xi1, #tile.spans<{0}, _>>
      %zero = tile.splat 0.0 : tensor<?x128xf32, #tile.spans<{0}, _>>
      %{1} = tile.load %x[%{0} + 8, :] mask %mask other %zero"""


def test_tiles_outside_of_the_array() -> None:
    """Several tiles that a mask leaves out have one block: which buffer a tile is in would not be known."""
    text = summed(1)
    for axis, name in (("a", "v"), ("c", "w")):
        text = text.replace(f"\n      %{name} = tile.load %x[%{axis}, :]", SHIFTED.format(axis, name))
    expected = run(parse(text), "f", [X, OFFSETS])
    found, count = kept(text, 2, 8)
    assert count == 0
    prove_kernel(found, "f", [X, OFFSETS], expected, seeds=(0,))


@pytest.mark.aot
def test_compiles() -> None:
    prove_compiles(kept(summed(2), 2, 2)[0], "f", [X, OFFSETS])


def test_no_more_tiles_are_kept_than_there_are_semaphores_for() -> None:
    assert most_kept(CHIPS["v5e"], 2**12, 0) == MOST


def test_tiles_are_kept_beside_what_else_is_in_memory() -> None:
    megabyte = 2**20
    found = [most_kept(CHIPS["v5e"], megabyte, others * megabyte) for others in (0, 56, 57, 119, 120)]
    assert found == [64, 64, 32, 1, 0]
