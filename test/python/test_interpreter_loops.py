"""The reference interpreter: grids, loops and worklists, and races between iterations."""

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tilec.diagnostics import verify
from tilec.dialects.interpreter import InterpreterError, Result, run
from tilec.parsing import LocatingParser, make_context

Data = npt.NDArray[Any]


def interpret(text: str, *args: Data, **options: Any) -> list[Result]:
    """Run the function @f of a program; its first line is line 1."""
    module = LocatingParser(make_context(), text.lstrip("\n"), "f.mlir").parse_module()
    verify(module)
    return run(module, "f", args, **options)


def refuse(text: str, *args: Data, **options: Any) -> str:
    with pytest.raises(InterpreterError) as caught:
        interpret(text, *args, **options)
    return str(caught.value)


def index(number: int) -> Data:
    return np.asarray(number, np.int64)


SEGMENT_SUM = """
func.func @f(%x: memref<?x7xi32>, %o: memref<5xi32>) -> memref<4x7xi32> {
  %y = tile.empty : memref<4x7xi32>
  tile.grid %g = 0 to 4, %n = 0 to 7 by n {
    %b, %e = tile.segment %o[%g]
    %zero = tile.splat 0 : tensor<?xi32, #tile.spans<n>>
    %s = tile.for %m = %b to %e by m iter_args(%a = %zero) {
      %v = tile.load %x[%m, %n]
      %t = tile.reduce add %v dims [0]
      %u = arith.addi %a, %t : tensor<?xi32, #tile.spans<n>>
      tile.yield %u
    }
    tile.store %s, %y[%g, %n]
  }
  return %y : memref<4x7xi32>
}"""


@settings(max_examples=40, deadline=None)
@given(
    cuts=st.lists(st.integers(0, 20), min_size=3, max_size=3),
    n=st.integers(1, 9),
    m=st.integers(1, 21),
    seed=st.integers(0, 2**32),
)
def test_blocks_and_order_do_not_matter(cuts: list[int], n: int, m: int, seed: int) -> None:
    x = np.random.default_rng(seed).integers(-(2**31), 2**31, (20, 7)).astype(np.int32)
    offsets = np.array([0, *sorted(cuts), 20], np.int32)
    expected = [x[b:e].sum(0, dtype=np.int32) for b, e in pairwise(offsets)]
    for blocks in ({"n": n, "m": m}, {"m": m}, None):
        (y,) = interpret(SEGMENT_SUM, x, offsets, seed=seed, blocks=blocks)
        np.testing.assert_array_equal(y.data, expected)
        assert y.defined.all()


def test_all_axes_of_a_grid_are_shuffled() -> None:
    # The error is at the line of whichever of the iterations with i = 0 or j = 0 comes first.
    text = """
func.func @f() {
  tile.grid %i = 0 to 3, %j = 0 to 3 {
    tile.for %k = %i to 9 max 8 {
    }
    tile.for %k = %j to 9 max 8 {
    }
  }
  return
}"""
    places = {refuse(text, seed=seed).partition(": error")[0] for seed in range(20)}
    assert places == {"f.mlir:3:5", "f.mlir:5:5"}


def test_parallel_for_is_shuffled_and_ordered_is_not() -> None:
    text = """
func.func @f() -> memref<?xi32> {
  %c = arith.constant 20 : index
  %n, %t = tile.worklist capacity %c columns 1 {
    tile.for %i = 0 to 20 ORDER {
      tile.append %i
    }
  }
  return %t : memref<?xi32>
}"""
    for order in ("", "ordered"):
        assert interpret(text.replace("ORDER", order))[0].data.tolist() == list(range(20))
    shuffled = interpret(text.replace("ORDER", "parallel"))[0].data.tolist()
    assert shuffled != list(range(20))
    assert sorted(shuffled) == list(range(20))


def test_carried_values_and_empty_loops() -> None:
    text = """
func.func @f(%n: index) -> (i32, i32, index) {
  %a = arith.constant 1 : i32
  %b = arith.constant 2 : i32
  %x, %y = tile.for %i = 0 to %n iter_args(%p = %a, %q = %b) {
    tile.yield %q, %p
  }
  %zero = arith.constant 0 : index
  %two = arith.constant 2 : index
  %s = scf.for %i = %zero to %n step %two iter_args(%t = %zero) -> (index) {
    %u = arith.addi %t, %i : index
    scf.yield %u : index
  }
  return %x, %y, %s : i32, i32, index
}"""
    for count, expected in ((0, [1, 2, 0]), (5, [2, 1, 6]), (4, [1, 2, 2])):
        assert [int(result.data) for result in interpret(text, index(count))] == expected


def test_scf_if_with_results() -> None:
    text = """
func.func @f(%p: i1) -> i32 {
  %a = arith.constant 1 : i32
  %b = arith.constant 2 : i32
  %r = scf.if %p -> (i32) {
    scf.yield %a : i32
  } else {
    scf.yield %b : i32
  }
  return %r : i32
}"""
    assert [int(interpret(text, np.asarray(p))[0].data) for p in (True, False)] == [1, 2]


OVERLAP = """
func.func @f(%x: memref<8xf32>) -> memref<8xf32> {
  %y = tile.empty : memref<8xf32>
  tile.grid %m = 0 to 7 by m:2 {
    %v = tile.load %x[%m]
    tile.store %v, %y[%m]
    tile.store %v, %y[%m + SHIFT]
  }
  return %y : memref<8xf32>
}"""


def test_two_iterations_that_write_one_element_are_a_race() -> None:
    x = np.zeros(8, np.float32)
    interpret(OVERLAP.replace("SHIFT", "0"), x)
    places = set[str]()
    for seed in range(10):
        message = refuse(OVERLAP.replace("SHIFT", "1"), x, seed=seed)
        assert "of %y in different iterations of a parallel axis, and at least one writes it" in message
        assert "f.mlir:5:5" in message
        assert "f.mlir:6:5" in message
        places.add(message.partition(": error: race: tile.store here and tile.store at ")[0])
    assert places == {"f.mlir:5:5", "f.mlir:6:5"}


def test_reading_what_another_iteration_writes_is_a_race() -> None:
    text = """
func.func @f(%x: memref<8xf32>) -> memref<8xf32> {
  tile.grid %i = 0 to 8, %j = 0 to 2 {
    %v = tile.load %x[0]
    %w = tile.load %x[%i]
    tile.store %w, %x[%i]
  }
  return %x : memref<8xf32>
}"""
    for seed in range(10):
        assert "in different iterations of a parallel axis" in refuse(
            text, np.zeros(8, np.float32), seed=seed
        )


def test_writing_what_another_iteration_reads_is_a_race() -> None:
    # Of two iterations, only one writes; whichever comes first, the other finds it.
    text = """
func.func @f(%x: memref<8xf32>) {
  %zero = arith.constant 0 : index
  %c = tile.splat 1.0 : f32
  tile.grid %i = 0 to 2 {
    %p = tile.compare eq %i, %zero
    scf.if %p {
      tile.store %c, %x[5]
    } else {
      %v = tile.load %x[5]
    }
  }
  return
}"""
    messages = {refuse(text, np.zeros(8, np.float32), seed=seed) for seed in range(10)}
    assert {message.partition(" touch")[0] for message in messages} == {
        "f.mlir:7:7: error: race: tile.store here and tile.load at f.mlir:9:7",
        "f.mlir:9:7: error: race: tile.load here and tile.store at f.mlir:7:7",
    }


def test_one_iteration_may_read_and_write_what_it_likes() -> None:
    text = """
func.func @f(%x: memref<8x4xf32>) -> memref<8x4xf32> {
  tile.grid %m = 0 to 8 by m {
    tile.for %i = 0 to 3 {
      %v = tile.load %x[%m, :]
      %w = arith.addf %v, %v : tensor<?x4xf32, #tile.spans<m, _>>
      tile.store %w, %x[%m, :]
    }
    %u = tile.load %x[%m, 0]
    tile.store %u, %x[%m, 1]
  }
  return %x : memref<8x4xf32>
}"""
    (x,) = interpret(text, np.ones((8, 4), np.float32))
    np.testing.assert_array_equal(x.data, 8)


SCRATCH = """
func.func @f(%y: memref<2xi32>) {
  %zero = arith.constant 0 : index
  tile.for %i = 0 to 2 {
    %s = tile.scratch : tensor<i32>
    %p = tile.compare eq %i, %zero
    scf.if %p {
      %c = arith.constant 1 : i32
      tile.set %c, %s
    }
    %v = tile.get %s
    tile.store %v, %y[%i]
  }
  return
}"""


def test_scratch_in_a_loop_is_fresh_in_each_iteration() -> None:
    expected = "f.mlir:11:5: error: tile.store stores an undefined lane into element [1] of %y"
    assert refuse(SCRATCH, np.zeros(2, np.int32)) == expected


def test_scratch_of_a_pipeline_is_fresh_each_time_it_runs() -> None:
    text = SCRATCH.replace("%s = tile.scr", "tile.pipeline grid {\n    %s = tile.scr").replace(
        "  }\n  return", "  }}\n  return"
    )
    expected = "f.mlir:12:5: error: tile.store stores an undefined lane into element [1] of %y"
    assert refuse(text, np.zeros(2, np.int32)) == expected


WORKLIST = """
func.func @f(%o: memref<5xi32>, %most: index) -> (index, memref<?xi32>, memref<?xi32>) {
  %n, %gs, %ts = tile.worklist capacity %most columns 2 {
    tile.for %g = 0 to 4 {
      %b, %e = tile.segment %o[%g]
      tile.for %i = %b to %e {
        tile.append %g, %i
      }
    }
  }
  return %n, %gs, %ts : index, memref<?xi32>, memref<?xi32>
}"""


def test_worklist() -> None:
    offsets = np.array([0, 2, 2, 3, 5], np.int32)
    n, gs, ts = interpret(WORKLIST, offsets, index(7))
    assert int(n.data) == 5
    assert (gs.data[:5].tolist(), ts.data[:5].tolist()) == ([0, 0, 2, 3, 3], [0, 1, 2, 3, 4])
    assert ts.defined.tolist() == [True] * 5 + [False] * 2
    expected = "f.mlir:6:9: error: tile.append adds entry 5 to a worklist whose capacity is 4"
    assert refuse(WORKLIST, offsets, index(4)) == expected
