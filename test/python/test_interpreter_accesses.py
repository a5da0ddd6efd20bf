"""The reference interpreter: loads, stores and segments; what is out of bounds, undefined or never stored."""

import re
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

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


def rows(*shape: int) -> Data:
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


COPY = """
func.func @f(%x: memref<?x3xf32>, %n: index) -> memref<?x3xf32> {
  %y = tile.empty like(%x) : memref<?x3xf32>
  tile.grid %m = 0 to %n by m:4 {
    %v = tile.load %x[%m, :]
    tile.store %v, %y[%m, :]
  }
  return %y : memref<?x3xf32>
}"""


def test_arguments_stay_and_unstored_elements_are_undefined() -> None:
    x = rows(10, 3)
    (y,) = interpret(COPY, x, np.asarray(7))
    np.testing.assert_array_equal(y.data[:7], x[:7])
    np.testing.assert_array_equal(y.defined[:, 0], np.arange(10) < 7)
    assert np.isnan(y.data[7:]).all()
    (z,) = interpret(
        """
func.func @f(%x: memref<2xi32>) -> memref<2xi32> {
  %c = arith.constant 5 : i32
  tile.store %c, %x[1]
  return %x : memref<2xi32>
}""",
        given := np.array([1, 2], np.int32),
    )
    assert (given.tolist(), z.data.tolist()) == ([1, 2], [1, 5])


def test_a_tile_beyond_the_array() -> None:
    expected = "f.mlir:4:5: error: tile.load touches index 7 of dimension 0 of %x, whose extent is 7"
    assert refuse(COPY, rows(7, 3), np.asarray(8)) == expected


def test_a_store_and_a_shift_below_the_array() -> None:
    text = """
func.func @f(%y: memref<4xf32>) {
  %v = tile.splat 1.0 : f32
  tile.for %i = 0 to 1 {
    tile.store %v, %y[%i - 1]
  }
  return
}"""
    expected = "f.mlir:4:5: error: tile.store touches index -1 of dimension 0 of %y, whose extent is 4"
    assert refuse(text, rows(4)) == expected


def test_shifted_windows() -> None:
    text = """
func.func @f(%x: memref<9xf32>, %s: index) -> memref<9xf32> {
  %y = tile.full 0.0 : memref<9xf32>
  tile.grid %m = 0 to 7 by m {
    %v = tile.load %x[%m + 1]
    tile.store %v, %y[%m + %s]
  }
  return %y : memref<9xf32>
}"""
    for seed in range(5):
        (y,) = interpret(text, rows(9), np.asarray(2), seed=seed)
        assert y.data.tolist() == [0, 0, *range(1, 8)]


def test_scalar_and_literal_indices() -> None:
    text = """
func.func @f(%x: memref<2x3x4xf32>, %g: index, %h: i32) -> memref<2xf32> {
  %y = tile.empty : memref<2xf32>
  %a = tile.load %x[%g, 2, %h]
  %b = tile.load %x[%g - 1, %h, 1]
  tile.store %a, %y[0]
  tile.store %b, %y[1]
  return %y : memref<2xf32>
}"""
    x = rows(2, 3, 4)
    (y,) = interpret(text, x, np.asarray(1), np.asarray(2, np.int32))
    assert y.data.tolist() == [x[1, 2, 2], x[0, 2, 1]]


def test_reading_what_nothing_stored() -> None:
    text = """
func.func @f() -> memref<4xf32> {
  %y = tile.empty : memref<4xf32>
  %c = tile.splat 1.0 : f32
  tile.store %c, %y[0]
  tile.grid %m = 0 to 4 by m:4 {
    %v = tile.load %y[%m]
  }
  return %y : memref<4xf32>
}"""
    assert (
        refuse(text)
        == "f.mlir:6:5: error: tile.load reads element [1] of %y, which nothing has stored before"
    )


def test_storing_an_undefined_lane() -> None:
    text = """
func.func @f(%y: memref<2x4xf32>) {
  tile.grid %m = 0 to 2 by m:2 {
    %s = tile.scratch : tensor<2x4xf32, #tile.spans<m, _>>
    %v = tile.get %s
    tile.store %v, %y[%m, :]
  }
  return
}"""
    assert (
        refuse(text, rows(2, 4))
        == "f.mlir:5:5: error: tile.store stores an undefined lane into element [0, 0] of %y"
    )


MASKED = """
func.func @f(%x: memref<5xf32>, %p: memref<8xi1>, %n: index) -> memref<8xf32> {
  %y = tile.full -1.0 : memref<8xf32>
  tile.grid %m = 0 to %n by m:4 {
    %q = tile.load %p[%m]
    %c = tile.splat 9.0 : f32
    %v = tile.load %x[%m] mask %q other %c
    tile.store %v, %y[%m]
  }
  return %y : memref<8xf32>
}"""


def test_masked_load_touches_only_where_the_mask_is_true() -> None:
    mask = np.array([1, 0, 1, 1, 0, 0, 0, 0], np.bool_)
    (y,) = interpret(MASKED, rows(5), mask, np.asarray(7))
    assert y.data.tolist() == [0, 9, 2, 3, 9, 9, 9, -1]
    mask[5] = True
    expected = "f.mlir:6:5: error: tile.load touches index 5 of dimension 0 of %x, whose extent is 5"
    assert refuse(MASKED, rows(5), mask, np.asarray(7)) == expected


def test_masked_store_of_a_tile_of_two_dimensions() -> None:
    text = """
func.func @f(%x: memref<6x3xf32>, %p: memref<6x3xi1>) -> memref<2x6x3xf32> {
  %y = tile.empty : memref<2x6x3xf32>
  tile.grid %m = 0 to 6 by m {
    %q = tile.load %p[%m, :]
    %v = tile.load %x[%m, :]
    tile.store %v, %y[1, %m, :] mask %q
  }
  return %y : memref<2x6x3xf32>
}"""
    mask = np.random.default_rng(0).random((6, 3)) < 0.5
    for seed in range(4):
        (y,) = interpret(text, rows(6, 3), mask, seed=seed)
        np.testing.assert_array_equal(y.defined, [np.zeros_like(mask), mask])
        np.testing.assert_array_equal(y.data[1][mask], rows(6, 3)[mask])


def test_masked_scalars() -> None:
    text = """
func.func @f(%x: memref<4xf32>, %i: index, %p: i1) -> memref<4xf32> {
  %c = tile.splat 9.0 : f32
  %v = tile.load %x[%i] mask %p other %c
  tile.store %v, %x[0]
  tile.store %c, %x[%i] mask %p
  return %x : memref<4xf32>
}"""
    assert interpret(text, rows(4), np.asarray(2), np.asarray(True))[0].data.tolist() == [2, 1, 9, 3]
    assert interpret(text, rows(4), np.asarray(7), np.asarray(False))[0].data.tolist() == [9, 1, 2, 3]
    assert "index 7 of dimension 0" in refuse(text, rows(4), np.asarray(7), np.asarray(True))


def test_an_undefined_mask() -> None:
    text = """
func.func @f(%y: memref<2xf32>) {
  %one = tile.splat 1 : tensor<2xi32>
  %zero = tile.splat 0 : tensor<2xi32>
  %u = arith.divsi %one, %zero : tensor<2xi32>
  %p = tile.compare eq %u, %one
  %v = tile.splat 1.0 : tensor<2xf32>
  tile.store %v, %y[:] mask %p
  return
}"""
    assert (
        refuse(text, rows(2))
        == "f.mlir:7:3: error: tile.store has a mask that is undefined in the live lane [0]"
    )


def test_a_store_converts() -> None:
    text = """
func.func @f(%x: memref<2xf32>, %i: memref<2xi64>) -> (memref<2xbf16>, memref<2xi32>) {
  %y = tile.empty : memref<2xbf16>
  %z = tile.empty : memref<2xi32>
  %v = tile.load %x[:]
  %w = tile.load %i[:]
  tile.store %v, %y[:]
  tile.store %w, %z[:]
  return %y, %z : memref<2xbf16>, memref<2xi32>
}"""
    y, z = interpret(text, np.array([1 + 2**-8, 1 + 3 * 2**-8], np.float32), np.array([2**32 + 5, -1]))
    assert y.data.tolist() == [1.0, 1 + 2**-6]
    assert z.data.tolist() == [5, -1]


SEGMENT = """
func.func @f(%o: memref<?xi32>, %g: index) -> (index, index) {
  %b, %e = tile.segment %o[%g]
  return %b, %e : index, index
}"""


def test_segments_of_offsets() -> None:
    offsets = np.array([0, 3, 3, 2], np.int32)
    results = interpret(SEGMENT, offsets, np.asarray(1))
    assert [int(result.data) for result in results] == [3, 3]
    expected = "f.mlir:2:3: error: segment 2 of %o is 3 to 2; 0 <= begin <= end is needed"
    assert refuse(SEGMENT, offsets, np.asarray(2)) == expected
    expected = "f.mlir:2:3: error: tile.segment touches index 4 of dimension 0 of %o, whose extent is 4"
    assert refuse(SEGMENT, offsets, np.asarray(3)) == expected
    expected = "f.mlir:2:3: error: segment 0 of %o is -1 to 0; 0 <= begin <= end is needed"
    assert refuse(SEGMENT, np.array([-1, 0], np.int32), np.asarray(0)) == expected


def test_ranges_of_segments() -> None:
    text = """
func.func @f(%b: memref<?xi32>, %e: memref<?xi32>, %g: index, %h: index) -> (index, index, index, index) {
  %i, %j = tile.segment %b[%g to %h]
  %x, %y = tile.segment %b[%g to %h] to %e[%g to %h]
  return %i, %j, %x, %y : index, index, index, index
}"""
    begins, ends = np.array([0, 3, 3, 9], np.int32), np.array([2, 3, 8, 9], np.int32)
    results = interpret(text, begins, ends, np.asarray(1), np.asarray(3))
    assert [int(result.data) for result in results] == [3, 9, 3, 8]
    expected = "f.mlir:2:3: error: the range of segments 2 to 2 is empty; one segment or more is needed"
    assert refuse(text, begins, ends, np.asarray(2), np.asarray(2)) == expected
    expected = (
        "f.mlir:3:3: error: segment 1 of %b is 3 to 4, but segment 2 begins at 3; "
        "segments must be ordered and disjoint"
    )
    ends[1] = 4
    assert refuse(text, begins, ends, np.asarray(0), np.asarray(3)) == expected


def test_segments_of_begins_and_ends() -> None:
    text = """
func.func @f(%b: memref<?xi64>, %e: memref<?xi64>, %g: index) -> (index, index) {
  %x, %y = tile.segment %b[%g] to %e[%g]
  return %x, %y : index, index
}"""
    results = interpret(text, np.array([0, 5, 9]), np.array([2, 9, 9]), np.asarray(1))
    assert [int(result.data) for result in results] == [5, 9]
    expected = (
        "f.mlir:2:3: error: segment 1 of %b is 5 to 9, but segment 2 begins at 8; "
        "segments must be ordered and disjoint"
    )
    assert refuse(text, np.array([0, 5, 8]), np.array([2, 9, 9]), np.asarray(1)) == expected


def test_a_race_comes_from_segments_that_are_out_of_order() -> None:
    text = """
func.func @f(%x: memref<9x128xf32>, %o: memref<5xi32>) -> memref<9x128xf32> {
  %y = tile.empty : memref<9x128xf32>
  tile.grid %g = 0 to 4 {
    %b = tile.load %o[%g]
    %e = tile.load %o[%g + 1]
    %begin = arith.index_cast %b : i32 to index
    %end = arith.index_cast %e : i32 to index
    tile.for %m = %begin to %end by m {
      %v = tile.load %x[%m, :]
      tile.store %v, %y[%m, :]
    }
  }
  return %y : memref<9x128xf32>
}"""
    declared = re.sub(
        r"    %b = .*?    tile.for",
        "    %begin, %end = tile.segment %o[%g]\n    tile.for",
        text,
        flags=re.DOTALL,
    )
    offsets = np.array([0, 7, 3, 5, 9], np.int32)
    # Other iterations than that of segment 1 meet, and it may come later than they.
    for program, seed in product((text, declared), range(6)):
        message = refuse(program, rows(9, 128), offsets, seed=seed)
        wrong = "segment 1 of %o is 7 to 3; 0 <= begin <= end is needed"
        assert re.match(
            rf"f.mlir:4:5: error: {wrong}(; two iterations meet: f.mlir:\d+:7: race: .*)?$", message
        )
        if program == text:
            assert "race" in message
    straight = np.array([0, 3, 5, 7, 9], np.int32)
    message = refuse(text.replace("[%m, :]", "[0, :]"), rows(9, 128), straight)
    assert re.match(r"f.mlir:\d+:7: error: race: ", message)


def test_max_is_a_promise() -> None:
    text = """
func.func @f(%n: index) {
  tile.for %m = 1 to %n by m max 8 {
  }
  return
}"""
    interpret(text, np.asarray(9))
    expected = "f.mlir:2:3: error: axis m runs from 1 to 10, an extent of 9, but promises max 8"
    assert refuse(text, np.asarray(10)) == expected


def test_branching_on_an_undefined_value() -> None:
    text = """
func.func @f(%n: i32) {
  %zero = arith.constant 0 : i32
  %q = arith.divui %n, %zero : i32
  %p = arith.cmpi eq, %q, %zero : i32
  scf.if %p {
  }
  return
}"""
    message = "f.mlir:5:3: error: scf.if needs the value of %p, which is undefined"
    assert refuse(text, np.asarray(1, np.int32)) == message


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((rows(2, 3),), "@f takes 2 arguments, and was given 1"),
        (
            (rows(2, 4), np.asarray(1)),
            "argument %x is of type memref<?x3xf32>, and was given float32 of shape [2, 4]",
        ),
        (
            (rows(6), np.asarray(1)),
            "argument %x is of type memref<?x3xf32>, and was given float32 of shape [6]",
        ),
        (
            (rows(2, 3).astype(np.float64), np.asarray(1)),
            "argument %x is of type memref<?x3xf32>, and was given float64 of shape [2, 3]",
        ),
        (
            (rows(2, 3), np.asarray(1, np.int32)),
            "argument %n is of type index, and was given int32 of shape []",
        ),
    ],
)
def test_arguments_that_do_not_fit(given: tuple[Data, ...], message: str) -> None:
    assert refuse(COPY, *given) == f"f.mlir:1:1: error: {message}"


def test_unknown_entry() -> None:
    module = LocatingParser(make_context(), COPY, "f.mlir").parse_module()
    with pytest.raises(
        InterpreterError, match=r"1:1: error: there is no function @g to run; the module has @f"
    ):
        run(module, "g", [])


def test_extents_and_negative_allocation() -> None:
    text = """
func.func @f(%x: memref<?x3xf32>, %n: index) -> (index, memref<?xf32>) {
  %zero = arith.constant 0 : index
  %d = memref.dim %x, %zero : memref<?x3xf32>
  %y = tile.full 1.5 (%n) : memref<?xf32>
  return %d, %y : index, memref<?xf32>
}"""
    d, y = interpret(text, rows(5, 3), np.asarray(2))
    assert (int(d.data), y.data.tolist()) == (5, [1.5, 1.5])
    expected = "f.mlir:4:3: error: tile.full of extent -1; 0 or more is needed"
    assert refuse(text, rows(5, 3), np.asarray(-1)) == expected


SUMS = """
func.func @f(%a: memref<3xi32>, %b: memref<3xi64>) {
  %seven = arith.constant 7 : index
  %two = arith.constant 2 : index
  tile.expect_sum %a[-1], %b[0] max %seven or %a[1] max %two
  return
}"""


@pytest.mark.parametrize(("last", "middle"), [(4, 9), (9, 2)])
def test_one_of_several_sums_has_to_be_small(last: int, middle: int) -> None:
    interpret(SUMS, np.asarray([0, middle, last], np.int32), np.asarray([3, 8, 8]))


def test_sums_that_are_too_large_are_an_error() -> None:
    message = refuse(SUMS, np.asarray([0, 3, 5], np.int32), np.asarray([3, 8, 8]))
    assert message.endswith("a sum of elements of %a and %b is 8; at most 7 has room")
