"""The reference interpreter: pipelines: their axes, windows and scratch."""

from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from xdsl.ir import Operation

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


def pipeline(axis: str, body: str, extent: int) -> str:
    return f"""
func.func @f(%b: index, %e: index) -> memref<{extent}xi32> {{
  %y = tile.full -1 : memref<{extent}xi32>
  tile.pipeline grid {{
    %m = tile.axis {axis}
    %w = tile.window write %y[%m]
{body}
  }}
  return %y : memref<{extent}xi32>
}}"""


@pytest.mark.parametrize("order", ["ordered", "parallel"])
@pytest.mark.parametrize("aligned", ["", "aligned"])
@pytest.mark.parametrize(("begin", "end"), [(0, 12), (3, 11), (5, 6), (4, 8), (3, 3), (12, 12), (7, 2)])
def test_an_axis_covers_its_range_once(order: str, aligned: str, begin: int, end: int) -> None:
    body = "    %i = tile.indices %m\n    tile.set %i, %w"
    for keep in ("", "keep"):
        text = pipeline(f"%b to %e by m:4 {order} {aligned} {keep}", body, 12)
        steps = Counter[Operation]()
        (y,) = interpret(text, index(begin), index(end), steps=steps)
        covered = [i if begin <= i < end else -1 for i in range(12)]
        assert y.data.tolist() == covered
        first = begin // 4 * 4 if aligned else begin
        count = max(0, -((first - end) // 4)) if end > begin else 0
        assert steps.total() == (count or bool(keep))


def test_first_last_and_live() -> None:
    text = """
func.func @f(%b: index, %e: index) -> (memref<3xi32>) {
  %y = tile.full 0 : memref<3xi32>
  tile.pipeline grid {
    %g = tile.axis 0 to 2 ordered
    %m = tile.axis %b to %e by m:4 ordered keep
    %first = tile.first %m
    %last = tile.last %m
    %live = tile.live %m
    %w = tile.window write %y[:]
    %old = tile.get %w
    %p = tile.cast %first to i32
    %q = tile.cast %last to i32
    %r = tile.cast %live to i32
    %ps = tile.broadcast %p dims [] : tensor<1xi32>
    %qs = tile.broadcast %q dims [] : tensor<1xi32>
    %rs = tile.broadcast %r dims [] : tensor<1xi32>
    %all = tile.concatenate %ps, %qs, %rs dim 0
    %new = arith.addi %old, %all : tensor<3xi32>
    tile.set %new, %w
  }
  return %y : memref<3xi32>
}"""
    assert interpret(text, index(0), index(12))[0].data.tolist() == [2, 2, 6]
    assert interpret(text, index(5), index(5))[0].data.tolist() == [2, 2, 0]


def test_an_idle_step_may_stand_outside_the_array_unless_it_touches_it() -> None:
    text = """
func.func @f(%x: memref<2x4xf32>, %g: index, %n: index) -> memref<2x4xf32> {
  tile.pipeline grid {
    %i = tile.axis %g to 2 ordered keep
    %m = tile.axis 0 to %n by m:4 ordered keep
    %w = tile.window write %x[%i, %m]
    %v = tile.get %w
    tile.set %v, %w
    %all = tile.get %w raw
    tile.set %all, %w
  }
  return %x : memref<2x4xf32>
}"""
    x = np.ones((2, 4), np.float32)
    np.testing.assert_array_equal(interpret(text, x, index(2), index(0))[0].data, x)
    expected = "f.mlir:6:5: error: tile.get touches index 2 of dimension 0 of %x, whose extent is 2"
    assert refuse(text, x, index(2), index(4)) == expected


def test_scratch_is_undefined_at_first_then_stays() -> None:
    text = """
func.func @f() -> memref<6xi32> {
  %y = tile.empty : memref<6xi32>
  tile.pipeline grid {
    %i = tile.axis 0 to 6 ordered
    %s = tile.scratch : tensor<i32>
    %first = tile.first %i
    scf.if %first {
      %c = arith.constant 1 : i32
      tile.set %c, %s
    }
    %v = tile.get %s
    %d = arith.addi %v, %v : i32
    tile.set %d, %s
    tile.store %v, %y[%i]
  }
  return %y : memref<6xi32>
}"""
    assert interpret(text)[0].data.tolist() == [1, 2, 4, 8, 16, 32]


def test_scratch_is_not_shared_between_steps_of_a_parallel_axis() -> None:
    # Such steps run on several cores, each with scratch of its own.
    text = """
func.func @f(%y: memref<2x2xi32>) {
  tile.pipeline grid {
    %j = tile.axis 0 to 2 ordered
    %i = tile.axis 0 to 2 ORDER
    %s = tile.scratch : tensor<i32>
    %first = tile.first %j
    scf.if %first {
      %c = arith.constant 1 : i32
      tile.set %c, %s
    }
    %v = tile.get %s
    tile.store %v, %y[%j, %i]
  }
  return
}"""
    y = np.zeros((2, 2), np.int32)
    interpret(text.replace("ORDER", "ordered"), y)
    message = refuse(text.replace("ORDER", "parallel"), y)
    assert message.startswith("f.mlir:12:5: error: tile.store stores an undefined lane into element [1, ")


def test_set_writes_live_lanes_or_all_that_the_array_holds() -> None:
    body = """
    %c = tile.splat 7 : TYPE
    tile.set %c, %w
    """
    spans = pipeline(
        "%b to %e by m:4 ordered aligned", body.replace("TYPE", "tensor<4xi32, #tile.spans<m>>"), 6
    )
    assert interpret(spans, index(3), index(5))[0].data.tolist() == [-1, -1, -1, 7, 7, -1]
    whole = pipeline("%b to %e by m:4 ordered aligned", body.replace("TYPE", "tensor<4xi32>"), 6)
    assert interpret(whole, index(3), index(5))[0].data.tolist() == [7] * 6


def test_set_with_a_mask() -> None:
    body = """
    %i = tile.indices %m
    %four = tile.splat 4 : tensor<4xi32, #tile.spans<m>>
    %p = tile.compare ne %i, %four
    tile.set %i, %w mask %p
    """
    text = pipeline("%b to %e by m:4 ordered aligned", body, 6)
    assert interpret(text, index(3), index(6))[0].data.tolist() == [-1, -1, -1, 3, -1, 5]


def test_raw_shows_dead_lanes_and_whole_sets_keep_what_is_undefined() -> None:
    text = """
func.func @f(%b: index, %e: index) -> memref<6xi32> {
  %y = tile.empty : memref<6xi32>
  %c = arith.constant 5 : i32
  tile.store %c, %y[1]
  tile.pipeline grid {
    %m = tile.axis %b to %e by m:4 ordered aligned
    %w = tile.window write %y[%m] preload
    %old = tile.get %w raw
    %i = tile.indices %m
    %new = tile.fill %i outside %m with %old
    tile.set %new, %w
  }
  return %y : memref<6xi32>
}"""
    (y,) = interpret(text, index(2), index(5))
    assert y.defined.tolist() == [False, True, True, True, True, False]
    assert y.data[1:5].tolist() == [5, 2, 3, 4]


def test_span_of_a_tile_that_is_not_there() -> None:
    text = """
func.func @f(%n: index) {
  tile.pipeline grid {
    %t = tile.axis 0 to 3 ordered
    %m = tile.span %t of 0 to %n by m:4 aligned KEEP
  }
  return
}"""
    interpret(text.replace("KEEP", ""), index(9))
    expected = "f.mlir:4:5: error: tile 2 of 0 to 8 by 4 has no live lane; `keep` would allow it"
    assert refuse(text.replace("KEEP", ""), index(8)) == expected
    interpret(text.replace("KEEP", "keep"), index(8))


def test_span_of_a_tile() -> None:
    text = """
func.func @f(%b: index, %e: index) -> memref<12xi32> {
  %y = tile.full -1 : memref<12xi32>
  tile.pipeline grid {
    %t = tile.axis 0 to 3 ordered
    %m = tile.span %t of %b to %e by m:4 ALIGNED
    %w = tile.window write %y[%m]
    %i = tile.indices %m
    tile.set %i, %w
  }
  return %y : memref<12xi32>
}"""
    for word in ("aligned", "keep"):
        (y,) = interpret(text.replace("ALIGNED", word), index(3), index(10))
        assert y.data.tolist() == [i if 3 <= i < 10 else -1 for i in range(12)]
    # The first tile of an aligned axis reaches to the next multiple of the block.
    for word, end in (("aligned", 4), ("keep", 7)):
        (y,) = interpret(
            text.replace("0 to 3 ordered", "0 to 1 ordered").replace("ALIGNED", word), index(3), index(10)
        )
        assert y.data.tolist() == [i if 3 <= i < end else -1 for i in range(12)]


def test_a_parallel_axis_races_but_an_ordered_one_does_not() -> None:
    text = """
func.func @f(%x: memref<4xi32>) -> memref<4xi32> {
  tile.pipeline grid {
    %g = tile.axis 0 to 3 ORDER
    %m = tile.axis 0 to 4 by m:4 parallel
    %w = tile.window write %x[%m]
    %v = tile.get %w
    %d = arith.addi %v, %v : tensor<4xi32, #tile.spans<m>>
    tile.set %d, %w
  }
  return %x : memref<4xi32>
}"""
    x = np.ones(4, np.int32)
    assert interpret(text.replace("ORDER", "ordered"), x)[0].data.tolist() == [8] * 4
    message = refuse(text.replace("ORDER", "parallel"), x)
    assert message.startswith(
        "f.mlir:6:5: error: race: tile.get here and tile.set at f.mlir:8:5 touch element [0] of %x"
    )
