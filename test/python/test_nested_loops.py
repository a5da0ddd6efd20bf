"""Kernels whose axes are loops inside each other: what runs ahead of a step, over ranges of all kinds."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tilec.dialects.interpreter import random_args, run
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.proof import emit, prove_compiles, prove_kernel, prove_passes, read_program

Data = npt.NDArray[Any]

# The sums of the rows of each group, for tiles of columns inside it.
SUMS = """
func.func @f(%x: memref<?x300xf32>, %begins: memref<6xi32>, %ends: memref<6xi32>) -> memref<6x300xf32> {
  %out = tile.empty : memref<6x300xf32>
  tile.grid %g = 0 to 6 {
    %begin, %end = tile.segment %begins[%g] to %ends[%g]
    tile.for %n = 0 to 300 by n {
      %zero = tile.splat 0.0 : tensor<?xf32, #tile.spans<n>>
      %acc = tile.for %m = %begin to %end by m iter_args(%a = %zero) {
        %v = tile.load %x[%m, %n]
        %s = tile.reduce add %v dims [0]
        %next = arith.addf %a, %s : tensor<?xf32, #tile.spans<n>>
        tile.yield %next
      }
      tile.store %acc, %out[%g, %n]
    }
  }
  return %out : memref<6x300xf32>
}"""

# Rows of a leading dimension, copied one by one, into an array that keeps the others.
ROWS = """
func.func @f(%x: memref<?x3x130xf32>, %begins: memref<6xi32>, %ends: memref<6xi32>, %out: memref<?x3x130xf32>)
    -> memref<?x3x130xf32> {
  tile.grid %g = 0 to 6 {
    %begin, %end = tile.segment %begins[%g] to %ends[%g]
    tile.for %m = %begin to %end by m {
      %v = tile.load %x[%m, :, :]
      tile.store %v, %out[%m, :, :]
    }
  }
  return %out : memref<?x3x130xf32>
}"""

# Tiles of rows that groups share, over what their array held.
TILES = """
func.func @f(%x: memref<?x130xf32>, %begins: memref<6xi32>, %ends: memref<6xi32>, %out: memref<?x130xf32>)
    -> memref<?x130xf32> {
  tile.grid %g = 0 to 6 {
    %begin, %end = tile.segment %begins[%g] to %ends[%g]
    tile.for %m = %begin to %end by m {
      %v = tile.load %x[%m, :]
      tile.store %v, %out[%m, :]
    }
  }
  return %out : memref<?x130xf32>
}"""

# Sums of the blocks that a list names, one index at a time.
BLOCKS = """
func.func @f(%x: memref<?x130xf32>, %begins: memref<6xi32>, %ends: memref<6xi32>) -> memref<6x130xf32> {
  %out = tile.empty : memref<6x130xf32>
  tile.grid %g = 0 to 6 {
    %begin, %end = tile.segment %begins[%g] to %ends[%g]
    %zero = tile.splat 0.0 : tensor<130xf32>
    %acc = tile.for %i = %begin to %end iter_args(%a = %zero) {
      %v = tile.load %x[%i, :]
      %next = arith.addf %a, %v : tensor<130xf32>
      tile.yield %next
    }
    tile.store %acc, %out[%g, :]
  }
  return %out : memref<6x130xf32>
}"""

# Two passes over the rows of a group: the largest of a column, then all rows less that.
PASSES = """
func.func @f(%x: memref<?x130xf32>, %begins: memref<6xi32>, %ends: memref<6xi32>, %out: memref<?x130xf32>)
    -> memref<?x130xf32> {
  tile.grid %g = 0 to 6 {
    %begin, %end = tile.segment %begins[%g] to %ends[%g]
    %low = tile.splat -1.0e30 : tensor<130xf32>
    %top = tile.for %m = %begin to %end by m iter_args(%a = %low) {
      %v = tile.load %x[%m, :]
      %s = tile.reduce max %v dims [0]
      %next = arith.maximumf %a, %s : tensor<130xf32>
      tile.yield %next
    }
    tile.for %m = %begin to %end by m {
      %v = tile.load %x[%m, :]
      %wide = tile.broadcast %top dims [1] : tensor<?x130xf32, #tile.spans<m, _>>
      %d = arith.subf %v, %wide : tensor<?x130xf32, #tile.spans<m, _>>
      tile.store %d, %out[%m, :]
    }
  }
  return %out : memref<?x130xf32>
}"""

PROGRAMS = {"sums": SUMS, "rows": ROWS, "tiles": TILES, "blocks": BLOCKS, "passes": PASSES}

SEGMENTS = {
    "mixed": ([0, 0, 13, 14, 14, 45], [0, 13, 14, 14, 45, 45]),
    "gaps": ([2, 9, 9, 20, 40, 44], [5, 9, 17, 21, 40, 45]),
    "none": ([0] * 6, [0] * 6),
    "none_at_the_end": ([45] * 6, [45] * 6),
    "first": ([0, 45, 45, 45, 45, 45], [45] * 6),
    "last": ([0] * 6, [0, 0, 0, 0, 0, 45]),
    "one_row": ([7, 8, 8, 8, 8, 8], [8] * 6),
    "tiles": ([0, 8, 16, 24, 24, 32], [8, 16, 24, 24, 32, 40]),
}
"""Begins and ends of groups in an array of 45 rows."""


def choice_of(program: str, depth: int = 2) -> TileToPallas:
    sizes = {"m": 8, "n": 128}
    blocks = {name: size for name, size in sizes.items() if f" by {name}" in PROGRAMS[program]}
    return TileToPallas("stream", "fori_loop", blocks=blocks, depth=depth)


def arguments(program: str, segments: str) -> list[Data]:
    _, function = read_program(PROGRAMS[program])
    args = random_args(function, extent=45)
    args[1], args[2] = (np.array(each, np.int32) for each in SEGMENTS[segments])
    return args


@pytest.mark.parametrize("segments", SEGMENTS)
@pytest.mark.parametrize("program", PROGRAMS)
def test_passes(program: str, segments: str) -> None:
    module, _ = read_program(PROGRAMS[program])
    prove_passes(module, "f", arguments(program, segments), choice_of(program).passes(), seeds=(0,))


@pytest.mark.parametrize("depth", [1, 2, 3, 8])
@pytest.mark.parametrize("segments", ["mixed", "gaps", "none_at_the_end", "last"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_kernels(program: str, segments: str, depth: int) -> None:
    """Copies are late in a run with an even seed, early in one with an odd."""
    module, _ = read_program(PROGRAMS[program])
    args = arguments(program, segments)
    prove_kernel(
        emit(module, [choice_of(program, depth)]),
        "f",
        args,
        run(module, "f", args),
        seeds=(0, 1) if segments == "mixed" else (0,),
    )


@pytest.mark.aot
@pytest.mark.parametrize("depth", [1, 2, 3, 8])
@pytest.mark.parametrize("program", PROGRAMS)
def test_compiles(program: str, depth: int) -> None:
    module, _ = read_program(PROGRAMS[program])
    text = emit(module, [choice_of(program, depth)])
    prove_compiles(text, "f", arguments(program, "mixed"))


def kernel_of(program: str) -> str:
    """The text of a kernel without the function that calls it."""
    module, _ = read_program(PROGRAMS[program])
    text = emit(module, [choice_of(program)])
    return text[text.index("def f_kernel") : text.index("\ndef f(")]


def test_what_an_item_needs_is_computed_once() -> None:
    """A step reads offsets for the copy ahead; those of its item are read, and outputs written, outside."""
    kernel = kernel_of("sums")
    inner = kernel[kernel.index("def for_m(") : kernel.index("lax.fori_loop(0, m_steps, for_m")]
    assert inner.count("begins_ref[") == inner.count("ends_ref[") == 1
    assert "//" not in inner
    assert "out_ref" not in inner
    assert inner.count(".start()") == 1
    assert kernel.count("for_g(") == kernel.count("for_n(") == kernel.count("for_m(") == 1


# Each row plus the sum of all up to the end of its tile, of which there are two.
FEW = """
func.func @f(%x: memref<2x40x128xf32>) -> memref<2x40x128xf32> {
  %out = tile.empty : memref<2x40x128xf32>
  tile.grid %h = 0 to 2 {
    tile.for %m = 0 to 40 by m:32 {
      %end = tile.bound end %m
      %v = tile.load %x[%h, %m, :]
      %sum = tile.for %n = 0 to %end by n:32 max 40 iter_args(%s = %v) {
        %w = tile.load %x[%h, %n, :]
        %row = tile.reduce add %w dims [0]
        %rows = tile.broadcast %row dims [1] : tensor<32x128xf32, #tile.spans<m, _>>
        %next = arith.addf %s, %rows : tensor<32x128xf32, #tile.spans<m, _>>
        tile.yield %next
      }
      tile.store %sum, %out[%h, %m, :]
    }
  }
  return %out : memref<2x40x128xf32>
}"""


def test_no_copies_ahead_of_fewer_steps_than_buffers() -> None:
    module, function = read_program(FEW)
    args = random_args(function)
    text = emit(module, [TileToPallas("stream", "fori_loop", depth=4)])
    prove_kernel(text, "f", args, run(module, "f", args), seeds=(0,))


@pytest.mark.parametrize("program", ["rows", "tiles"])
def test_one_group_takes_no_loop(program: str) -> None:
    """The outermost loop is that of its rows, which begins where an axis around it says."""
    module, _ = read_program(PROGRAMS[program].replace("0 to 6", "0 to 1"))
    text = emit(module, [choice_of(program, 4)])
    assert "for_m(" in text
    assert "for_g(" not in text


# Each of the first rows, as many as a list says, plus the sum of all up to the end of its tile, of which
# there is at most one: then the inner loop is one tile, or none where the outer one has none.
AT_MOST_ONE = """
func.func @f(%x: memref<80xf32>, %counts: memref<4xi32>) -> memref<80xf32> {
  %out = tile.full 7.0 : memref<80xf32>
  %zero = arith.constant 0.0 : f32
  %five = arith.constant 5 : index
  tile.grid %g = 0 to 4 {
    %count = tile.load %counts[%g]
    %n = arith.index_cast %count : i32 to index
    %most = arith.minsi %five, %n : index
    tile.for %m = 0 to %most by m:16 max 5 {
      %end = tile.bound end %m
      %sum = tile.for %j = 0 to %end by j:16 max 5 iter_args(%a = %zero) {
        %v = tile.load %x[%j]
        %part = tile.reduce add %v dims [0]
        %next = arith.addf %a, %part : f32
        tile.yield %next
      }
      %sums = tile.broadcast %sum dims [] : tensor<16xf32, #tile.spans<m>>
      tile.atomic_rmw add %sums, %out[%m]
    }
  }
  return %out : memref<80xf32>
}"""


@pytest.mark.parametrize("loop", ["grid", "fori_loop"])
def test_one_tile_or_none(loop: str) -> None:
    module, _ = read_program(AT_MOST_ONE)
    args: list[Data] = [np.arange(80, dtype=np.float32), np.array([3, 0, -4, 9], np.int32)]
    choice = TileToPallas(loop=loop)
    prove_passes(module, "f", args, choice.passes(), seeds=(0,))
    prove_kernel(emit(module, [choice]), "f", args, run(module, "f", args), seeds=(0,))
