"""The reference interpreter: operations on values, against numpy, and what they do with undefined lanes."""

from collections import Counter
from typing import Any

import ml_dtypes
import numpy as np
import numpy.typing as npt
import pytest
from xdsl.dialects.builtin import TensorType, f32
from xdsl.utils.test_value import create_ssa_value

from tilec.diagnostics import verify
from tilec.dialects.interpreter import InterpreterError, Result, run
from tilec.dialects.interpreter.machine import Machine
from tilec.dialects.interpreter.spans import Span
from tilec.dialects.interpreter.values import Value
from tilec.dialects.tile import SpansAttr
from tilec.parsing import LocatingParser, make_context

Data = npt.NDArray[Any]
BF16 = ml_dtypes.bfloat16


def evaluate(signature: str, body: str, *args: Data, seed: int = 0) -> list[Result]:
    """Run a function of one region; its first line is line 1."""
    module = LocatingParser(
        make_context(), f"func.func @f{signature} {{\n{body}\n}}", "f.mlir"
    ).parse_module()
    verify(module)
    return run(module, "f", args, seed=seed)


def normal(*shape: int, dtype: Any = np.float32, seed: int = 0) -> Data:
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def over_rows(kind: str, body: str, result: str) -> str:
    """A body that makes %v from a tile of 4 rows of %x, and stores %r."""
    return f"""
      %y = tile.empty : memref<{kind}>
      tile.grid %m = 0 to 3 by m:4 {{
        %v = tile.load %x[%m, :]
        {body}
        tile.store %r, %y[{result}]
      }}
      return %y : memref<{kind}>"""


def test_dot_of_bf16_multiplies_exactly() -> None:
    a, b, c = normal(3, 64, dtype=BF16), normal(64, 5, dtype=BF16, seed=1), normal(3, 5, seed=2)
    (r,) = evaluate(
        "(%a: tensor<3x64xbf16>, %b: tensor<64x5xbf16>, %c: tensor<3x5xf32>) -> tensor<3x5xf32>",
        "%r = tile.dot %a, %b, %c\nreturn %r : tensor<3x5xf32>",
        *(a, b, c),
    )
    assert r.data.dtype == np.float32
    np.testing.assert_array_equal(r.data, (a.astype(float) @ b.astype(float) + c).astype(np.float32))


def test_dot_contracts_any_dimension() -> None:
    a, b = normal(8, 3), normal(5, 8, seed=1)
    (r,) = evaluate(
        "(%a: tensor<8x3xf32>, %b: tensor<5x8xf32>) -> tensor<3x5xf32>",
        "%r = tile.dot %a, %b contract [0] x [1]\nreturn %r : tensor<3x5xf32>",
        *(a, b),
    )
    np.testing.assert_array_equal(r.data, (a.T.astype(float) @ b.T.astype(float)).astype(np.float32))


def test_dot_of_integers_wraps() -> None:
    a = np.full((1, 2), 2**30, np.int32)
    (r,) = evaluate(
        "(%a: tensor<1x2xi32>, %b: tensor<2x1xi32>) -> tensor<1x1xi32>",
        "%r = tile.dot %a, %b\nreturn %r : tensor<1x1xi32>",
        *(a, np.full((2, 1), 3, np.int32)),
    )
    assert r.data.item() == (2**30 * 6 + 2**31) % 2**32 - 2**31


def test_dot_takes_dead_lanes_as_zero() -> None:
    x, w = normal(2, 5), normal(5, 3, seed=1)
    (r,) = evaluate(
        "(%x: memref<2x5xf32>, %w: memref<5x3xf32>) -> memref<2x3xf32>",
        """
        %y = tile.empty : memref<2x3xf32>
        %zero = tile.splat 0.0 : tensor<2x3xf32>
        %s = tile.for %k = 0 to 5 by k:4 iter_args(%a = %zero) {
          %l = tile.load %x[:, %k]
          %r = tile.load %w[%k, :]
          %n = tile.dot %l, %r, %a
          tile.yield %n
        }
        tile.store %s, %y[:, :]
        return %y : memref<2x3xf32>""",
        *(x, w),
    )
    assert r.defined.all()
    np.testing.assert_allclose(r.data, x @ w, rtol=1e-5)


@pytest.mark.parametrize(
    ("kind", "function"), [("add", np.sum), ("mul", np.prod), ("max", np.max), ("min", np.min)]
)
def test_reduce_leaves_out_dead_lanes(kind: str, function: Any) -> None:
    x = normal(3, 6)
    (r,) = evaluate(
        "(%x: memref<3x6xf32>) -> memref<6xf32>",
        over_rows("6xf32", f"%r = tile.reduce {kind} %v dims [0]", ":"),
        x,
    )
    np.testing.assert_array_equal(r.data, function(x.astype(float), axis=0).astype(np.float32))


@pytest.mark.parametrize(
    ("kind", "function"),
    [
        ("add", np.add),
        ("mul", np.multiply),
        ("max", np.maximum),
        ("min", np.minimum),
        ("and", np.bitwise_and),
        ("or", np.bitwise_or),
        ("xor", np.bitwise_xor),
    ],
)
def test_reduce_and_scan_of_integers(kind: str, function: np.ufunc) -> None:
    x = np.random.default_rng(0).integers(-(2**31), 2**31, (3, 6)).astype(np.int32)
    signature = "(%x: memref<3x6xi32>) -> "
    (r,) = evaluate(
        f"{signature}memref<6xi32>", over_rows("6xi32", f"%r = tile.reduce {kind} %v dims [0]", ":"), x
    )
    np.testing.assert_array_equal(r.data, function.reduce(x, axis=0, dtype=np.int32))
    body = over_rows("3x6xi32", f"%r = tile.scan {kind} %v dim 0", "%m, :")
    (s,) = evaluate(f"{signature}memref<3x6xi32>", body, x)
    np.testing.assert_array_equal(s.data, function.accumulate(x, axis=0, dtype=np.int32))


def test_reduce_of_bools() -> None:
    x = np.array([[True, False], [True, True], [True, True]])
    for kind, expected in (("and", [True, False]), ("or", [True, True]), ("xor", [True, False])):
        body = over_rows("2xi1", f"%r = tile.reduce {kind} %v dims [0]", ":")
        (r,) = evaluate("(%x: memref<3x2xi1>) -> memref<2xi1>", body, x)
        assert r.data.tolist() == expected


def test_reduce_of_no_lane_is_the_identity() -> None:
    (r,) = evaluate(
        "(%x: memref<4xf32>, %n: index) -> memref<2xf32>",
        """
        %y = tile.empty : memref<2xf32>
        %inf = tile.splat 5.0 : f32
        %r = tile.for %m = 4 to 4 by m:4 iter_args(%a = %inf) {
          tile.yield %a
        }
        tile.pipeline grid {
          %m = tile.axis %n to %n by m:4 ordered keep
          %w = tile.window read %x[%m]
          %v = tile.get %w
          %s = tile.reduce max %v dims [0]
          tile.store %s, %y[0]
        }
        tile.store %r, %y[1]
        return %y : memref<2xf32>""",
        *(normal(4), np.asarray(4)),
    )
    assert r.data.tolist() == [-np.inf, 5.0]


def test_sum_of_bf16_rounds_once() -> None:
    x = np.array([256] + [1] * 255, BF16)
    (r,) = evaluate("(%x: tensor<256xbf16>) -> bf16", "%r = tile.reduce add %x dims [0]\nreturn %r : bf16", x)
    assert float(r.data) == float(BF16(511))


def test_undefined_live_lanes_reach_what_they_are_mixed_into() -> None:
    results = evaluate(
        "(%n: tensor<2x3xi32>, %z: tensor<2x3xi32>) -> (tensor<2xi32>, tensor<2x2xi32>, tensor<2x3xi32>)",
        """
        %u = arith.divsi %n, %z : tensor<2x3xi32>
        %r = tile.reduce add %u dims [1]
        %d = tile.dot %u, %n contract [1] x [1]
        %s = tile.scan add %u dim 1
        return %r, %d, %s : tensor<2xi32>, tensor<2x2xi32>, tensor<2x3xi32>""",
        *(np.ones((2, 3), np.int32), np.array([[1, 1, 1], [1, 0, 1]], np.int32)),
    )
    defined = [result.defined.tolist() for result in results]
    assert defined[:2] == [[True, False], [[True, True], [False, False]]]
    assert defined[2] == [[True, True, True], [True, False, False]]


def test_dead_lanes_are_undefined_in_every_value_that_names_the_span() -> None:
    machine = Machine(0, {}, Counter())
    machine.spans["m"] = Span(0, 1, 3, 4)
    value = create_ssa_value(TensorType(f32, [4, 2], SpansAttr(["m", None])))
    machine.define(value, Value(np.zeros((4, 2), np.float32)))
    assert machine.values[value].poison[:, 0].tolist() == [True, False, False, True]


def test_a_scan_may_name_the_span_again() -> None:
    x = normal(3, 2)
    body = """
        %c = arith.constant 0.0 : f32
        %f = tile.fill %v outside %m with %c
        %r = tile.scan add %f dim 0 : tensor<4x2xf32, #tile.spans<m, _>>"""
    (r,) = evaluate("(%x: memref<3x2xf32>) -> memref<3x2xf32>", over_rows("3x2xf32", body, "%m, :"), x)
    np.testing.assert_array_equal(r.data, np.cumsum(x.astype(float), 0).astype(np.float32))


def test_indices_and_broadcast() -> None:
    (r,) = evaluate(
        "() -> memref<5x3xi32>",
        """
        %y = tile.empty : memref<5x3xi32>
        tile.grid %m = 0 to 5 by m {
          %i = tile.indices %m
          %b = tile.broadcast %i dims [0] : tensor<?x3xi32, #tile.spans<m, _>>
          tile.store %b, %y[%m, :]
        }
        return %y : memref<5x3xi32>""",
    )
    np.testing.assert_array_equal(r.data, np.arange(5)[:, None] + np.zeros((1, 3)))


def test_one_row_is_repeated_along_a_span() -> None:
    x = normal(7)
    (r,) = evaluate(
        "(%x: memref<7xf32>) -> memref<5x7xf32>",
        """
        %y = tile.empty : memref<5x7xf32>
        tile.grid %m = 0 to 5 by m, %n = 0 to 7 by n {
          %v = tile.load %x[%n]
          %row = tile.broadcast %v dims [1] : tensor<1x?xf32, #tile.spans<_, n>>
          %b = tile.broadcast %row dims [0, 1] : tensor<?x?xf32, #tile.spans<m, n>>
          tile.store %b, %y[%m, %n]
        }
        return %y : memref<5x7xf32>""",
        x,
    )
    np.testing.assert_array_equal(r.data, np.broadcast_to(x, (5, 7)))


def test_shapes() -> None:
    x = normal(2, 6)
    (r,) = evaluate(
        "(%x: tensor<2x6xf32>) -> tensor<7x3x2xf32>",
        """
        %t = tile.transpose %x [1, 0]
        %h = tile.slice %t dim 0 from 2 size 1
        %c = tile.concatenate %t, %h dim 0
        %b = tile.broadcast %c dims [0, 2] : tensor<7x3x2xf32>
        %f = tile.reshape %b : tensor<42xf32>
        %r = tile.reshape %f : tensor<7x3x2xf32>
        return %r : tensor<7x3x2xf32>""",
        x,
    )
    joined = np.concatenate([x.T, x.T[2:3]])
    np.testing.assert_array_equal(r.data, np.broadcast_to(joined[:, None, :], (7, 3, 2)))


def test_select_takes_only_the_chosen_side() -> None:
    p = np.array([True, False, True])
    (r,) = evaluate(
        "(%p: tensor<3xi1>, %x: tensor<3xf32>) -> (tensor<3xf32>)",
        """
        %minus = tile.splat 1 : tensor<3xi32>
        %zero = tile.splat 0 : tensor<3xi32>
        %bad = arith.divsi %minus, %zero : tensor<3xi32>
        %u = tile.cast %bad to f32
        %r = tile.select %p, %x, %u
        return %r : tensor<3xf32>""",
        *(p, normal(3)),
    )
    np.testing.assert_array_equal(r.defined, p)
    np.testing.assert_array_equal(r.data[p], normal(3)[p])


def test_select_by_an_undefined_condition_is_undefined() -> None:
    (r,) = evaluate(
        "(%p: tensor<2xi32>, %x: tensor<2xf32>) -> tensor<2xf32>",
        """
        %one = tile.splat 1 : tensor<2xi32>
        %q = arith.remsi %one, %p : tensor<2xi32>
        %c = tile.cast %q to i1
        %r = tile.select %c, %x, %x
        return %r : tensor<2xf32>""",
        *(np.array([0, 2], np.int32), normal(2)),
    )
    assert r.defined.tolist() == [False, True]


def test_fill_replaces_dead_lanes_only() -> None:
    x = normal(3, 2)
    body = """
      %y = tile.empty : memref<4x2xf32>
      tile.grid %m = 0 to 3 by m:4 {
        %v = tile.load %x[%m, :]
        %c = arith.constant 9.0 : f32
        %r = tile.fill %v outside %m with %c
        tile.store %r, %y[:, :]
      }
      return %y : memref<4x2xf32>"""
    (r,) = evaluate("(%x: memref<3x2xf32>) -> memref<4x2xf32>", body, x)
    np.testing.assert_array_equal(r.data, np.concatenate([x, [[9, 9]]]))


@pytest.mark.parametrize(
    ("source", "target", "given", "expected"),
    [
        ("f32", "i32", [1.9, -1.9, 2.0**31, np.nan], [1, -1, None, None]),
        ("f32", "i8", [127.9, 128.0, -128.9, -129.0], [127, None, -128, None]),
        ("f32", "i1", [0.0, 0.5, -1.0, np.nan], [False, True, True, True]),
        ("i32", "i1", [0, 1, 2, -1], [False, True, True, True]),
        ("i32", "i8", [127, 128, 256, -1], [127, -128, 0, -1]),
        ("i1", "f32", [True, False, True, True], [1.0, 0.0, 1.0, 1.0]),
        # 1 + 2**-8 lies between two bf16; the rest of the bits decide, even beyond those of f32.
        (
            "f64",
            "bf16",
            [1 + 2**-8, 1 + 2**-8 + 2**-40, 1 + 3 * 2**-8, 3e38],
            [1.0, 1 + 2**-7, 1 + 2**-6, None],
        ),
        (
            "i32",
            "bf16",
            [2**24 + 2**16, 2**24 + 2**16 + 1, -(2**24) - 2**16 - 1, 3],
            [2**24, 2**24 + 2**17, -(2**24) - 2**17, 3],
        ),
    ],
)
def test_cast(source: str, target: str, given: list[Any], expected: list[Any]) -> None:
    dtypes = {"f32": np.float32, "f64": np.float64, "i32": np.int32, "i1": np.bool_}
    (r,) = evaluate(
        f"(%x: tensor<4x{source}>) -> tensor<4x{target}>",
        f"%r = tile.cast %x to {target}\nreturn %r : tensor<4x{target}>",
        np.array(given, dtypes[source]),
    )
    if target != "bf16":
        assert r.defined.tolist() == [value is not None for value in expected]
    for got, value in zip(r.data.tolist(), expected, strict=True):
        assert value is None or got == value


def test_constants() -> None:
    results = evaluate(
        "() -> (tensor<2xi32>, tensor<2xbf16>, i1, i8, tensor<2x2xi1>)",
        """
        %a = arith.constant dense<[1, -2]> : tensor<2xi32>
        %b = arith.constant dense<0.1> : tensor<2xbf16>
        %c = arith.constant true
        %d = arith.constant -1 : i8
        %e = arith.constant dense<[[true, false], [false, true]]> : tensor<2x2xi1>
        return %a, %b, %c, %d, %e : tensor<2xi32>, tensor<2xbf16>, i1, i8, tensor<2x2xi1>""",
    )
    expected = [[1, -2], [float(BF16(0.1))] * 2, True, -1, [[True, False], [False, True]]]
    assert [result.data.tolist() for result in results] == expected


def test_what_cannot_be_interpreted_is_an_error() -> None:
    with pytest.raises(InterpreterError, match=r"f.mlir:2:1: error: test.op cannot be interpreted; the tile"):
        evaluate("()", '"test.op"() : () -> ()\nreturn')
    with pytest.raises(InterpreterError, match=r"f.mlir:1:1: error: elements of type i7 are not interpreted"):
        evaluate("(%x: i7)", "return", np.asarray(0, np.int8))
