"""Proofs 1 to 3 of random programs over awkward extents, for every way to stream them."""

import re
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from programs import RANDOM_PROGRAMS

from corpus.streams import Stream, random_stream
from corpus.unaligned import ALL_CASES
from tilec.diagnostics import TileError
from tilec.dialects.interpreter import random_args, run
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.proof import CHIPS, ProofFailed, emit, prove_compiles, prove_kernel, prove_passes, read_program

LOOPS = ("fori_loop", "fori_loop", "fori_loop", "emit_pipeline", "grid", "unroll")
REFUSALS = (
    r"fold-outer-pipeline: this access is to be (stream|resident), and another one",
    r"unroll-loops: axis \w+ has an extent that is known only at run time",
    r"split-unaligned-loops: %\w+ cannot be (resident|streamed?): ",
    r"split-unaligned-loops: %\w+ cannot be copied in any block: .*known only at run time",
    r"split-unaligned-loops: %\w+ cannot be copied in any block: steps of axis \w+ .* come back to blocks ",
    r"convert-tile-to-pallas: %\w+ is written through a window that may have no rows in a step",
    r"convert-tile-to-pallas: the last rows of %\w+ cannot be copied: .*, i8 may lie in",
)
"""What may be refused, and nothing else."""

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Way:
    """The options of `--tile-to-pallas` but for chip and blocks."""

    grouping: str
    loop: str
    operands: str
    depth: int
    fetch: int

    def choice(self, stream: Stream, chip: str = "v5e") -> TileToPallas:
        return TileToPallas(
            self.grouping, self.loop, chip, stream.blocks, self.operands, self.depth, self.fetch
        )


def _way(random: Random, stream: Stream, loop: str | None = None) -> Way:
    grouping = random.choice(("worklist", "overlaunch")) if stream.jagged else "worklist"
    operands = random.choice(("auto", "auto", "resident", "stream"))
    depth, fetch = random.choice((1, 2, 3, 4, 8)), random.choice((1, 1, 2, 3))
    return Way(grouping, loop or random.choice(LOOPS), operands, depth, fetch)


def _stream(seed: int, loop: str | None = None) -> tuple[Stream, Way]:
    random = Random(seed)
    stream = random_stream(random)
    return stream, _way(random, stream, loop)


def _check(refused: TileError) -> None:
    assert any(re.match(known, refused.message) for known in REFUSALS), refused


@RANDOM_PROGRAMS
@given(st.integers(0, 2**32 - 1))
def test_passes(seed: int) -> None:
    """A way is refused for a reason that is known, or every pass keeps what the program does."""
    stream, way = _stream(seed)
    module, _ = read_program(stream.text)
    try:
        prove_passes(module, "stream", stream.args, way.choice(stream).passes(), seeds=(seed % 2,))
    except ProofFailed:
        raise
    except TileError as refused:
        _check(refused)


KERNELS = (23, 38, 48, 114, 117, 139, 157)
"""Programs of which copies and turned tiles make the kernels. Each mistake that was tried in how they are
lowered fails one of these."""


@pytest.mark.parametrize("seed", KERNELS)
def test_kernels(seed: int) -> None:
    """Copies are late in a run with an even seed, early in one with an odd: a wait may be wrong in each."""
    stream, way = _stream(seed, "fori_loop")
    module, _ = read_program(stream.text)
    text = emit(module, [way.choice(stream)])
    assert "make_async_copy" in text
    prove_kernel(text, "stream", stream.args, run(module, "stream", stream.args), seeds=(2, 3))


@pytest.mark.aot
@pytest.mark.parametrize("seed", range(100, 112))
def test_compiles(seed: int) -> None:
    stream, way = _stream(seed)
    module, _ = read_program(stream.text)
    chip = CHIPS[seed % len(CHIPS)]
    try:
        text = emit(module, [way.choice(stream, chip)])
    except TileError as refused:
        _check(refused)
        return
    prove_compiles(text, "stream", stream.args, (chip,))


COPY = """
func.func @copy(%x: memref<?x128xf32>, %offsets: memref<3xi32>) -> memref<?x128xf32> {
  %out = tile.empty like(%x) : memref<?x128xf32>
  tile.grid %g = 0 to 2 {
    %begin, %end = tile.segment %offsets[%g]
    tile.for %m = %begin to %end by m {
      %v = tile.load %x[%m, :]
      tile.store %v, %out[%m, :]
    }
  }
  return %out : memref<?x128xf32>
}
"""


def _copy(loop: str, offsets: tuple[int, ...], rows: int) -> None:
    module, _ = read_program(COPY)
    x = np.random.default_rng(0).standard_normal((rows, 128)).astype(np.float32)
    args = [x, np.array(offsets, np.int32)]
    text = emit(module, [TileToPallas("worklist", loop, "v5e", {"m": 8}, depth=4)])
    prove_kernel(text, "copy", args, run(module, "copy", args), seeds=(2, 3))


@pytest.mark.parametrize("loop", ["emit_pipeline", "fori_loop"])
@pytest.mark.parametrize("offsets", [(0, 8, 16), (0, 0, 0)], ids=["two_steps", "none"])
def test_more_buffers_than_steps(offsets: tuple[int, ...], loop: str) -> None:
    """No copy is begun that nobody waits for."""
    _copy(loop, offsets, 16)


def test_fewer_rows_than_a_tile() -> None:
    """Short arrays lie in smaller tiles of memory, and copies are of whole ones."""
    _copy("emit_pipeline", (0, 4, 4), 4)
    message = "the least number of rows of x for loop=fori_loop: 8 is more than 4"
    with pytest.raises(ValueError, match=message):
        _copy("fori_loop", (0, 4, 4), 4)


TAILS = """
func.func @twice(%x: memref<3x20x128xf32>) -> (memref<3x20x128xf32>, memref<128xf32>) {
  %out = tile.empty : memref<3x20x128xf32>
  %sums = tile.empty : memref<128xf32>
  tile.grid %all = 0 to 1 {
    %zero = tile.splat 0.0 : tensor<128xf32>
    %total = tile.for %a = 0 to 3 iter_args(%s = %zero) {
      %part = tile.for %m = 0 to 20 by m iter_args(%t = %s) {
        %v = tile.load %x[%a, %m, :]
        %y = arith.addf %v, %v : tensor<?x128xf32, #tile.spans<m, _>>
        tile.store %y, %out[%a, %m, :]
        %here = tile.reduce add %y dims [0]
        %next = arith.addf %t, %here : tensor<128xf32>
        tile.yield %next
      }
      tile.yield %part
    }
    tile.store %total, %sums[:]
  }
  return %out, %sums : memref<3x20x128xf32>, memref<128xf32>
}
"""


@pytest.mark.parametrize("depth", [2, 8])
def test_tails_between_other_blocks(depth: int) -> None:
    """A wait is for as much as was copied: every second block is of 8 rows, the others of 16."""
    module, _ = read_program(TAILS)
    args = [np.random.default_rng(0).standard_normal((3, 20, 128)).astype(np.float32)]
    text = emit(module, [TileToPallas("worklist", "fori_loop", "v5e", {"m": 16}, "stream", depth)])
    prove_kernel(text, "twice", args, run(module, "twice", args), seeds=(2, 3))


def test_turned_from_the_last_tile_of_memory() -> None:
    """What holds the last shifted tile begins earlier than at its tile of memory: a block has no more."""
    program = ALL_CASES["row_below"].program(dtype="bf16")
    module, args = read_program(program.text)[0], program.arguments(0)
    text = emit(module, [TileToPallas("worklist", "fori_loop", "v5e", {"m": 8})])
    prove_kernel(text, "row_below", args, run(module, "row_below", args), seeds=(2, 3))


RETURNING = """
func.func @copy(%x: memref<?x7xf32>, %offsets: memref<3xi32>) -> memref<?x7xf32> {
  %out = tile.full 1.0 like(%x) : memref<?x7xf32>
  tile.grid %g = 0 to 2, %b = 1 to 7 by b {
    %begin, %end = tile.segment %offsets[%g]
    tile.for %a = %begin to %end by a {
      %v = tile.load %x[%a, %b]
      tile.store %v, %out[%a, %b]
    }
  }
  return %out : memref<?x7xf32>
}
"""


@pytest.mark.parametrize("loop", ["fori_loop", "emit_pipeline", "grid"])
def test_lists_that_come_back_to_a_block(loop: str) -> None:
    """An axis of a worklist along which all of a block stays is one that others come back from."""
    module, _ = read_program(RETURNING)
    message = "%out cannot be copied in any block: steps of axis b .* come back to blocks of 8 x 128"
    with pytest.raises(TileError, match=message):
        emit(module, [TileToPallas("worklist", loop, "v5e", {"a": 8, "b": 4})])


TWO_PASSES = """
!tile = tensor<?x?xf32, #tile.spans<a, b>>
func.func @centred(%x: memref<40x100xf32>) -> (memref<40x100xf32>, memref<40x100xf32>) {
  %first = tile.empty : memref<40x100xf32>
  %second = tile.empty : memref<40x100xf32>
  tile.grid %a = 0 to 40 by a {
    %zero = tile.splat 0.0 : tensor<?xf32, #tile.spans<a>>
    %sum = tile.for %b = 0 to 100 by b iter_args(%s = %zero) {
      %v = tile.load %x[%a, %b]
      tile.store %v, %first[%a, %b]
      %here = tile.reduce add %v dims [1]
      %next = arith.addf %s, %here : tensor<?xf32, #tile.spans<a>>
      tile.yield %next
    }
    tile.for %b = 0 to 100 by b {
      %v = tile.load %x[%a, %b]
      %wide = tile.broadcast %sum dims [0] : !tile
      %y = arith.subf %v, %wide : !tile
      tile.store %y, %second[%a, %b]
    }
  }
  return %first, %second : memref<40x100xf32>, memref<40x100xf32>
}
"""


@pytest.mark.aot
@pytest.mark.parametrize("loop", ["fori_loop", "emit_pipeline", "grid"])
def test_all_lanes_in_two_passes(loop: str) -> None:
    """The one tile of an axis that the list of steps names is at a place that a compiler can see."""
    module, _ = read_program(TWO_PASSES)
    args = [np.zeros((40, 100), np.float32)]
    text = emit(module, [TileToPallas("worklist", loop, "v5e", {"a": 8, "b": 100})])
    prove_compiles(text, "centred", args, ("v5e",))


ONE_ROW = """
func.func @update(%x: memref<16x384xf32>) -> memref<16x384xf32> {
  tile.grid %all = 0 to 1 {
    tile.for %a = 0 to 16 by a {
      tile.for %b = 0 to 384 by b {
        %v = tile.load %x[%a, %b] resident
        %y = arith.addf %v, %v : tensor<?x?xf32, #tile.spans<a, b>>
        tile.store %y, %x[%a, %b]
      }
    }
  }
  return %x : memref<16x384xf32>
}
"""


@pytest.mark.aot
@pytest.mark.parametrize("loop", ["fori_loop", "emit_pipeline", "grid"])
def test_a_row_and_lanes_that_both_begin_anywhere(loop: str) -> None:
    """One row can be accessed at any place with all its lanes, and not with some."""
    module, _ = read_program(ONE_ROW)
    args = [np.arange(16 * 384, dtype=np.float32).reshape(16, 384)]
    text = emit(module, [TileToPallas("worklist", loop, "v5e", {"a": 1, "b": 128})])
    prove_compiles(text, "update", args)


def test_a_worklist_without_entries_copies_nothing() -> None:
    """All segments are empty: there is no first step whose copies could begin."""
    program = (ROOT / "examples" / "jagged_bias_lhd.mlir").read_text()
    module, function = read_program(program)
    name, args = function.sym_name.data, random_args(function, extent=40)
    args[2][:] = 0
    text = emit(module, [TileToPallas(loop="fori_loop")])
    prove_kernel(text, name, args, run(module, name, args), seeds=(0,))


RANGES = """
func.func @ranges(%x: memref<5x300x128xf32>, %n: memref<5xi32>) -> memref<5x128xf32> {
  %out = tile.empty : memref<5x128xf32>
  tile.grid %g = 0 to 5 {
    %count = tile.load %n[%g]
    %end = arith.index_cast %count : i32 to index
    %zero = tile.splat 0.0 : tensor<128xf32>
    %sums = tile.for %r = 0 to %end by r max 300 iter_args(%sum = %zero) {
      %rows = tile.load %x[%g, %r, :]
      %part = tile.reduce add %rows dims [0]
      %more = arith.addf %sum, %part : tensor<128xf32>
      tile.yield %more
    }
    tile.store %sums, %out[%g, :]
  }
  return %out : memref<5x128xf32>
}
"""


@pytest.mark.aot
def test_a_block_before_the_first_is_nowhere_to_the_compiler() -> None:
    """From -1 on, libtpu takes the last block's position for the index less 1 of the loop, and fails."""
    module, _ = read_program(RANGES)
    args = [np.zeros((5, 300, 128), np.float32), np.array([0, 300, 3, 128, 129], np.int32)]
    prove_compiles(
        emit(module, [TileToPallas(grouping="stream", loop="fori_loop")]), "ranges", args, ("v5e",)
    )
