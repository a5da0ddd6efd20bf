"""`tile.bound` on its way to a TPU: the three proofs of programs that ask where a tile lies."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import parse

from tilec.diagnostics import TileError
from tilec.dialects.interpreter import functions, random_args, run
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.proof import emit, prove_compiles, prove_kernel, prove_passes

Data = npt.NDArray[Any]

SPLIT_K = """
func.func @f(%x: memref<256x500xf32>, %w: memref<500x256xf32>, %b: memref<256xf32>) -> memref<256x256xf32> {
  %out = tile.full 0.0 : memref<256x256xf32>
  %c0 = arith.constant 0 : index
  tile.grid %m = 0 to 256 by m, %n = 0 to 256 by n, %ko = 0 to 500 by ko {
    %zero = tile.splat 0.0 : tensor<?x?xf32, #tile.spans<m, n>>
    %begin = tile.bound begin %ko
    %end = tile.bound end %ko
    %acc = tile.for %k = %begin to %end by k iter_args(%a = %zero) {
      %lhs = tile.load %x[%m, %k]
      %rhs = tile.load %w[%k, %n]
      %sum = tile.dot %lhs, %rhs, %a precision highest
      tile.yield %sum
    }
    %first = arith.cmpi eq, %begin, %c0 : index
    %total = scf.if %first -> (tensor<?x?xf32, #tile.spans<m, n>>) {
      %bias = tile.load %b[%n]
      %wide = tile.broadcast %bias dims [1] : tensor<?x?xf32, #tile.spans<m, n>>
      %with = arith.addf %acc, %wide : tensor<?x?xf32, #tile.spans<m, n>>
      scf.yield %with : tensor<?x?xf32, #tile.spans<m, n>>
    } else {
      scf.yield %acc : tensor<?x?xf32, #tile.spans<m, n>>
    }
    tile.atomic_rmw add %total, %out[%m, %n]
  }
  return %out : memref<256x256xf32>
}"""

# Each row gets where its tile begins and ends, and the lanes of the block.
SIDES = """
func.func @f(%x: memref<300x128xi32>) -> memref<300x128xi32> {
  %out = tile.empty : memref<300x128xi32>
  tile.grid %m = 0 to 300 by m:64 {
    %begin = tile.bound begin %m
    %end = tile.bound end %m
    %size = tile.bound size %m
    %c1000 = arith.constant 1000 : index
    %scaled = arith.muli %end, %c1000 : index
    %both = arith.addi %begin, %scaled : index
    %all = arith.addi %both, %size : index
    %number = arith.index_cast %all : index to i32
    %wide = tile.broadcast %number dims [] : tensor<64x128xi32, #tile.spans<m, _>>
    %v = tile.load %x[%m, :]
    %sum = arith.addi %v, %wide : tensor<64x128xi32, #tile.spans<m, _>>
    tile.store %sum, %out[%m, :]
  }
  return %out : memref<300x128xi32>
}"""

# Rows from where the tile of another axis begins on, past its end.
SHIFTED = """
func.func @f(%x: memref<400x128xf32>) -> memref<300x128xf32> {
  %out = tile.empty : memref<300x128xf32>
  tile.grid %m = 0 to 300 by m:32 {
    %begin = tile.bound begin %m
    %zero = tile.splat 0.0 : tensor<128xf32>
    %sum = tile.for %k = 0 to 100 by k:64 iter_args(%a = %zero) {
      %v = tile.load %x[%k + %begin, :]
      %s = tile.reduce add %v dims [0]
      %r = arith.addf %a, %s : tensor<128xf32>
      tile.yield %r
    }
    %wide = tile.broadcast %sum dims [1] : tensor<32x128xf32, #tile.spans<m, _>>
    tile.store %wide, %out[%m, :]
  }
  return %out : memref<300x128xf32>
}"""

# Stores to where the tile of another axis begins, in blocks that hold all of the array.
STORED = """
func.func @f(%x: memref<320xf32>) -> memref<320xf32> {
  %out = tile.empty : memref<320xf32>
  tile.grid %m = 0 to 320 by m:64 {
    %begin = tile.bound begin %m
    tile.for %k = 0 to 64 by k:32 {
      %v = tile.load %x[%k + %begin]
      %w = arith.addf %v, %v : tensor<32xf32, #tile.spans<k>>
      tile.store %w, %out[%k + %begin]
    }
  }
  return %out : memref<320xf32>
}"""

# Tiles of segments, in smaller tiles. Behind them a loop of its own, so that both are stretches of one axis.
NESTED = """
func.func @f(%x: memref<?x256xf32>, %offsets: memref<9xi32>) -> (memref<?x256xf32>, memref<8x256xf32>) {
  %out = tile.full 1.0 like(%x) : memref<?x256xf32>
  %sums = tile.empty : memref<8x256xf32>
  tile.grid %g = 0 to 8 {
    %b, %e = tile.segment %offsets[%g]
    tile.for %mo = %b to %e by mo {
      %begin = tile.bound begin %mo
      %end = tile.bound end %mo
      tile.for %m = %begin to %end by m {
        %v = tile.load %x[%m, :]
        %w = arith.addf %v, %v : tensor<?x256xf32, #tile.spans<m, _>>
        tile.store %w, %out[%m, :]
      }
    }
    %zero = tile.splat 0.0 : tensor<256xf32>
    %sum = tile.for %r = %b to %e by r iter_args(%a = %zero) {
      %v = tile.load %x[%r, :]
      %s = tile.reduce add %v dims [0]
      %t = arith.addf %a, %s : tensor<256xf32>
      tile.yield %t
    }
    tile.store %sum, %sums[%g, :]
  }
  return %out, %sums : memref<?x256xf32>, memref<8x256xf32>
}"""


# Tiles in tiles in tiles, none of which divides the one around it.
THREE = """
func.func @f(%x: memref<300x128xf32>) -> memref<128xf32> {
  %out = tile.full 0.0 : memref<128xf32>
  tile.grid %a = 0 to 300 by a:128 {
    %ab = tile.bound begin %a
    %ae = tile.bound end %a
    %zero = tile.splat 0.0 : tensor<128xf32>
    %r = tile.for %b = %ab to %ae by b:48 iter_args(%p = %zero) {
      %bb = tile.bound begin %b
      %be = tile.bound end %b
      %q = tile.for %c = %bb to %be by c:16 iter_args(%s = %p) {
        %v = tile.load %x[%c, :]
        %t = tile.reduce add %v dims [0]
        %u = arith.addf %s, %t : tensor<128xf32>
        tile.yield %u
      }
      tile.yield %q
    }
    tile.atomic_rmw add %r, %out[:]
  }
  return %out : memref<128xf32>
}"""

# The rows of a tile one by one, and again in some tiles only; scalars are read where a tile begins and ends.
ROWS = """
func.func @f(%x: memref<300x128xf32>, %table: memref<301xf32>) -> (memref<300x128xf32>, memref<300x128xf32>) {
  %out = tile.empty : memref<300x128xf32>
  %late = tile.full 0.0 : memref<300x128xf32>
  %c64 = arith.constant 64 : index
  tile.grid %m = 0 to 300 by m:32 {
    %begin = tile.bound begin %m
    %end = tile.bound end %m
    %p = tile.load %table[%begin]
    %q = tile.load %table[%end]
    %d = arith.subf %q, %p : f32
    %wide = tile.broadcast %d dims [] : tensor<128xf32>
    tile.for %i = %begin to %end max 32 {
      %v = tile.load %x[%i, :]
      %s = arith.addf %v, %wide : tensor<128xf32>
      tile.store %s, %out[%i, :]
    }
    %on = arith.cmpi sge, %begin, %c64 : index
    scf.if %on {
      tile.for %j = %begin to %end by j:16 {
        %v = tile.load %x[%j, :]
        tile.store %v, %late[%j, :]
      }
    }
  }
  return %out, %late : memref<300x128xf32>, memref<300x128xf32>
}"""


def split_k(x: Data, w: Data, b: Data) -> list[Data]:
    return [(x.astype(np.float64) @ w + b).astype(np.float32)]


def sides(x: Data) -> list[Data]:
    begin = np.arange(300) // 64 * 64
    return [x + (begin + 1000 * np.minimum(begin + 64, 300) + 64)[:, None].astype(np.int32)]


def shifted(x: Data) -> list[Data]:
    rows = [x[i // 32 * 32 : i // 32 * 32 + 100].astype(np.float64).sum(0) for i in range(300)]
    return [np.asarray(rows, np.float32)]


def stored(x: Data) -> list[Data]:
    return [x + x]


def total(x: Data) -> list[Data]:
    return [x.astype(np.float64).sum(0).astype(np.float32)]


def by_rows(x: Data, table: Data) -> list[Data]:
    begin = np.arange(300) // 32 * 32
    more = table[np.minimum(begin + 32, 300)] - table[begin]
    return [x + more[:, None], np.where(begin[:, None] >= 64, x, 0)]


def nested(x: Data, offsets: Data) -> list[Data]:
    out, sums = np.ones_like(x), np.zeros((8, 256), np.float64)
    for g, (begin, end) in enumerate(pairwise(offsets)):
        out[begin:end] = 2 * x[begin:end]
        sums[g] = x[begin:end].astype(np.float64).sum(0)
    return [out, sums.astype(np.float32)]


K_TILES = {"m": 128, "n": 128, "ko": 256, "k": 128}
PROGRAMS: dict[str, tuple[str, Callable[..., list[Data]], dict[str, int]]] = {
    "split_k": (SPLIT_K, split_k, K_TILES),
    "split_k_evenly": (SPLIT_K.replace("500", "512"), split_k, K_TILES),
    # Inner tiles that no outer one is a multiple of: two of these share one.
    "split_k_across": (SPLIT_K.replace("500", "512"), split_k, K_TILES | {"ko": 192}),
    "sides": (SIDES, sides, {}),
    "shifted": (SHIFTED, shifted, {}),
    "stored": (STORED, stored, {}),
    "three": (THREE, total, {}),
    "rows": (ROWS, by_rows, {}),
    "nested": (NESTED, nested, {"mo": 64, "m": 16, "r": 32}),
}
WAYS = {
    "split_k": ["worklist grid", "worklist emit_pipeline", "worklist fori_loop", "overlaunch grid"],
    "split_k_evenly": ["none grid", "none fori_loop", "none unroll"],
    "split_k_across": ["worklist grid"],
    "sides": ["none grid", "none fori_loop"],
    "shifted": ["none grid", "none emit_pipeline"],
    "stored": ["none grid", "none fori_loop"],
    "three": ["worklist grid"],
    "rows": ["worklist grid", "worklist fori_loop", "overlaunch emit_pipeline"],
    "nested": ["worklist grid", "worklist emit_pipeline", "worklist fori_loop", "overlaunch grid"],
}


@pytest.mark.parametrize(("name", "way"), [(name, way) for name, ways in WAYS.items() for way in ways])
def test_proofs(name: str, way: str) -> None:
    (text, reference, blocks), (grouping, loop) = PROGRAMS[name], way.split()
    module = parse(text)
    choice = TileToPallas(grouping, loop, "v5e", blocks)
    args = random_args(functions(module)[0], seed=len(name), extent=200)
    expected = run(module, "f", args)
    for result, wanted in zip(expected, reference(*args), strict=True):
        np.testing.assert_allclose(result.data, wanted, rtol=1e-4, atol=1e-4)
    prove_passes(module, "f", args, choice.passes())
    kernel = emit(module, [choice])
    prove_kernel(kernel, "f", args, expected, seeds=(0,))
    prove_compiles(kernel, "f", args, ("v5e",) if loop == "grid" else ("v6e",))


def test_tiles_of_whole_tiles_need_no_list() -> None:
    text, _, blocks = PROGRAMS["split_k_evenly"]
    for choice in (
        TileToPallas("none", "grid", "v5e", blocks),
        TileToPallas("none", "unroll", "v5e", blocks),
    ):
        assert "worklist" not in emit(parse(text), [choice])


def test_a_shorter_last_tile_needs_a_list() -> None:
    text, _, blocks = PROGRAMS["split_k"]
    with pytest.raises(TileError, match="axis k has as many steps as each segment needs"):
        emit(parse(text), [TileToPallas("none", "grid", "v5e", blocks)])
    assert "worklist" in emit(parse(text), [TileToPallas("worklist", "grid", "v5e", blocks)])


def test_one_tile_for_all_needs_no_list() -> None:
    text, _, blocks = PROGRAMS["split_k"]
    kernel = emit(parse(text), [TileToPallas("none", "grid", "v5e", blocks | {"ko": 512})])
    assert "worklist" not in kernel


TOTAL = """
func.func @f(%x: memref<?x8xi32>, %n: index) -> memref<8xi32> {
  %out = tile.full 0 : memref<8xi32>
  %three = arith.constant 3 : index
  tile.grid %m = %three to %n by m {
    %begin = tile.bound begin %m
    %end = tile.bound end %m
    %size = tile.bound size %m
    %zero = tile.splat 0 : tensor<8xi32>
    %sum = tile.for %j = %begin to %end by j iter_args(%a = %zero) {
      %v = tile.load %x[%j, :]
      %s = tile.reduce add %v dims [0]
      %t = arith.addi %a, %s : tensor<8xi32>
      tile.yield %t
    }
    tile.atomic_rmw add %sum, %out[:]
  }
  return %out : memref<8xi32>
}"""


@settings(max_examples=40, deadline=None)
@given(rows=st.integers(3, 90), m=st.integers(1, 40), j=st.integers(1, 40), seed=st.integers(0, 9))
def test_tiles_of_tiles_are_all_there_is(rows: int, m: int, j: int, seed: int) -> None:
    x = np.random.default_rng(seed).integers(-99, 99, (rows, 8)).astype(np.int32)
    args = [x, np.asarray(rows, np.int64)]
    (result,) = run(parse(TOTAL), "f", args, seed=seed, blocks={"m": m, "j": j})
    assert (result.data == x[3:].sum(0)).all()


@pytest.mark.parametrize("words", ["", " aligned"])
def test_where_the_tiles_of_an_axis_lie(words: str) -> None:
    text = f"""
func.func @f(%b: index, %e: index) -> memref<100xi32> {{
  %out = tile.full 0 : memref<100xi32>
  tile.pipeline grid {{
    %m = tile.axis %b to %e by m:16 ordered{words}
    %begin = tile.bound begin %m
    %end = tile.bound end %m
    %window = tile.window write %out[%m] preload
    %length = arith.subi %end, %begin : index
    %number = arith.index_cast %length : index to i32
    %wide = tile.broadcast %number dims [] : tensor<16xi32, #tile.spans<m>>
    tile.set %wide, %window
  }}
  return %out : memref<100xi32>
}}"""
    (result,) = run(parse(text), "f", [np.asarray(10, np.int64), np.asarray(45, np.int64)])
    lengths = [6, 16, 13] if words else [16, 16, 3]
    assert result.data[10:45].tolist() == [length for length in lengths for _ in range(length)]
    assert not result.data[:10].any()
    assert not result.data[45:].any()
