"""The reference interpreter: `arith`, `math` and `tile.compare`, lane by lane, against numpy."""

import math
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import numpy.typing as npt
import pytest
from xdsl.dialects import arith
from xdsl.dialects import math as mlir_math
from xdsl.ir import Operation

from tilec.diagnostics import verify
from tilec.dialects.interpreter import InterpreterError, Result, run
from tilec.dialects.interpreter.machine import RULES
from tilec.parsing import LocatingParser, make_context

Data = npt.NDArray[Any]

I32 = np.array([0, 1, -1, 7, -7, 100, -(2**31), 2**31 - 1], np.int32)
F32 = np.array([0.0, -0.0, 1.5, -2.5, 0.3, 1e30, -np.inf, np.nan], np.float32)
NAMES: dict[str, str] = {
    "int8": "i8",
    "int32": "i32",
    "int64": "i64",
    "float16": "f16",
    "float32": "f32",
    "float64": "f64",
    "bfloat16": "bf16",
    "bool": "i1",
}


def apply(name: str, *operands: Data, results: list[str], properties: str = "") -> list[Result]:
    """Apply an operation, in its generic form, to tensors or, of rank 0, scalars."""
    kinds = [kind(operand) for operand in operands]
    parameters = ", ".join(f"%a{i}: {text}" for i, text in enumerate(kinds))
    names = ", ".join(f"%r{i}" for i in range(len(results)))
    text = (
        f"func.func @f({parameters}) -> ({', '.join(results)}) {{\n"
        f'  {names} = "{name}"({", ".join(f"%a{i}" for i in range(len(kinds)))}) {properties}'
        f" : ({', '.join(kinds)}) -> ({', '.join(results)})\n  return {names} : {', '.join(results)}\n}}"
    )
    module = LocatingParser(make_context(), text, "f.mlir").parse_module()
    verify(module)
    return run(module, "f", operands)


def kind(operand: Data) -> str:
    element = NAMES[operand.dtype.name]
    return f"tensor<{operand.size}x{element}>" if operand.ndim else element


def one(name: str, *operands: Data, properties: str = "") -> Result:
    """Apply an operation whose result is of its first operand's type."""
    return apply(name, *operands, results=[kind(operands[0])], properties=properties)[0]


def test_every_operation_on_lanes_has_a_rule() -> None:
    kinds: list[type[Operation]] = [*arith.Arith.operations, *mlir_math.Math.operations]
    assert [op.name for op in kinds if op not in RULES] == ["math.ipowi"]


INTEGER_FUNCTIONS: dict[str, Callable[[int, int], float]] = {
    "arith.addi": lambda a, b: a + b,
    "arith.subi": lambda a, b: a - b,
    "arith.muli": lambda a, b: a * b,
    "arith.divsi": lambda a, b: abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1),
    "arith.floordivsi": lambda a, b: a // b,
    "arith.ceildivsi": lambda a, b: -(-a // b),
    "arith.remsi": lambda a, b: math.copysign(1, a) * (abs(a) % abs(b)),
    "arith.divui": lambda a, b: (a % 2**32) // (b % 2**32),
    "arith.ceildivui": lambda a, b: -(-(a % 2**32) // (b % 2**32)),
    "arith.remui": lambda a, b: (a % 2**32) % (b % 2**32),
    "arith.minsi": min,
    "arith.maxsi": max,
    "arith.minui": lambda a, b: min(a % 2**32, b % 2**32),
    "arith.maxui": lambda a, b: max(a % 2**32, b % 2**32),
    "arith.andi": lambda a, b: a & b,
    "arith.ori": lambda a, b: a | b,
    "arith.xori": lambda a, b: a ^ b,
}


@pytest.mark.parametrize("name", INTEGER_FUNCTIONS)
def test_integers_wrap_and_division_by_zero_is_undefined(name: str) -> None:
    a, b = (side.ravel() for side in np.meshgrid(I32, I32))
    result = one(name, a, b)
    divides = any(word in name for word in ("div", "rem"))
    np.testing.assert_array_equal(result.defined, (b != 0) if divides else True)
    for x, y, got in zip(a.tolist(), b.tolist(), result.data.tolist(), strict=True):
        if y or not divides:
            assert got == (int(INTEGER_FUNCTIONS[name](x, y)) + 2**31) % 2**32 - 2**31, (x, y)


SHIFTS: dict[str, Callable[[int, int], int]] = {
    "arith.shli": lambda a, n: a << n,
    "arith.shrsi": lambda a, n: a >> n,
    "arith.shrui": lambda a, n: (a % 2**32) >> n,
}


@pytest.mark.parametrize("name", SHIFTS)
def test_shifts(name: str) -> None:
    n = np.array([0, 1, 31, 5, 4, 32, -1, 2], np.int32)
    result = one(name, I32, n)
    np.testing.assert_array_equal(result.defined, (n >= 0) & (n < 32))
    for x, y, got, ok in zip(I32.tolist(), n.tolist(), result.data.tolist(), result.defined, strict=True):
        assert not ok or got == (SHIFTS[name](x, y) + 2**31) % 2**32 - 2**31


BIT_FUNCTIONS: dict[str, Callable[[int], int]] = {
    "math.absi": abs,
    "math.ctlz": lambda a: 32 - (a % 2**32).bit_length(),
    "math.cttz": lambda a: (f"{a % 2**32:032b}"[::-1] + "1").index("1"),
    "math.ctpop": lambda a: (a % 2**32).bit_count(),
}


@pytest.mark.parametrize("name", BIT_FUNCTIONS)
def test_functions_of_one_integer(name: str) -> None:
    expected = [(BIT_FUNCTIONS[name](a) + 2**31) % 2**32 - 2**31 for a in I32.tolist()]
    assert one(name, I32).data.tolist() == expected


def test_arithmetic_on_bools() -> None:
    a, b = np.array([0, 0, 1, 1], np.bool_), np.array([0, 1, 0, 1], np.bool_)
    for name, expected in (
        ("arith.addi", [0, 1, 1, 0]),
        ("arith.subi", [0, 1, 1, 0]),
        ("arith.muli", [0, 0, 0, 1]),
        ("arith.andi", [0, 0, 0, 1]),
        ("arith.maxui", [0, 1, 1, 1]),
        ("arith.maxsi", [0, 0, 0, 1]),
    ):
        assert one(name, a, b).data.tolist() == expected


FLOAT_FUNCTIONS: dict[str, Callable[[Data], Data]] = {
    "arith.negf": np.negative,
    "math.absf": np.abs,
    "math.acos": np.arccos,
    "math.acosh": np.arccosh,
    "math.asin": np.arcsin,
    "math.asinh": np.arcsinh,
    "math.atan": np.arctan,
    "math.atanh": np.arctanh,
    "math.cbrt": np.cbrt,
    "math.ceil": np.ceil,
    "math.cos": np.cos,
    "math.cosh": np.cosh,
    "math.erf": np.vectorize(math.erf),
    "math.exp2": np.exp2,
    "math.expm1": np.expm1,
    "math.exp": np.exp,
    "math.floor": np.floor,
    "math.log10": np.log10,
    "math.log1p": np.log1p,
    "math.log2": np.log2,
    "math.log": np.log,
    "math.roundeven": np.round,
    "math.rsqrt": lambda a: 1 / np.sqrt(a),
    "math.sin": np.sin,
    "math.sinh": np.sinh,
    "math.sqrt": np.sqrt,
    "math.tan": np.tan,
    "math.tanh": np.tanh,
    "math.trunc": np.trunc,
}


@pytest.mark.parametrize("dtype", [np.float32, np.float16, ml_dtypes.bfloat16])
@pytest.mark.parametrize("name", FLOAT_FUNCTIONS)
def test_functions_of_one_float(name: str, dtype: Any) -> None:
    with np.errstate(over="ignore"):
        a = F32.astype(dtype)
    got = one(name, a).data
    assert got.dtype == a.dtype
    with np.errstate(all="ignore"):
        expected = FLOAT_FUNCTIONS[name](a.astype(np.float64)).astype(np.float32)
    tolerance = {np.float32: 3e-6, np.float16: 5e-4}.get(dtype, 4e-3)
    big = np.abs(expected) > {np.float32: 3.4e38, np.float16: 65504}.get(dtype, 3.38e38)
    np.testing.assert_allclose(got.astype(np.float32)[~big], expected[~big], rtol=tolerance)


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("arith.addf", np.add),
        ("arith.subf", np.subtract),
        ("arith.mulf", np.multiply),
        ("arith.divf", np.divide),
        ("arith.minimumf", np.minimum),
        ("arith.maximumf", np.maximum),
        ("arith.minnumf", np.fmin),
        ("arith.maxnumf", np.fmax),
        ("math.atan2", np.arctan2),
        ("math.copysign", np.copysign),
        ("math.powf", np.power),
    ],
)
def test_functions_of_two_floats(name: str, function: Any) -> None:
    a, b = (side.ravel() for side in np.meshgrid(F32, F32))
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(one(name, a, b).data, function(a, b))
    narrow = [side.astype(ml_dtypes.bfloat16) for side in (a, b)]
    with np.errstate(all="ignore"):
        expected = function(*[side.astype(np.float32) for side in narrow]).astype(ml_dtypes.bfloat16)
    np.testing.assert_array_equal(one(name, *narrow).data.astype(np.float32), expected.astype(np.float32))


def test_other_float_functions() -> None:
    a = np.array([0.5, -0.5, 2.5, 0.49999997], np.float32)
    assert one("math.round", a).data.tolist() == [1, -1, 3, 0]
    n = np.array([2, -1, 0, 3], np.int32)
    np.testing.assert_array_equal(one("math.fpowi", a, n).data, np.power(a, n.astype(np.float32)))
    x = np.array([1 + 2**-12], np.float32)
    assert one("math.fma", x, x, -x * x).data[0] == 2**-24


def test_a_lane_is_undefined_where_one_of_its_operands_is() -> None:
    text = """
    func.func @f(%n: tensor<3xi32>, %d: tensor<3xi32>) -> (tensor<3xi32>, tensor<3xf32>, tensor<3xi1>) {
      %q = arith.divsi %n, %d : tensor<3xi32>
      %r = arith.addi %q, %n : tensor<3xi32>
      %f = tile.cast %r to f32
      %p = tile.compare ge %f, %f
      return %r, %f, %p : tensor<3xi32>, tensor<3xf32>, tensor<3xi1>
    }"""
    module = LocatingParser(make_context(), text, "f.mlir").parse_module()
    n = np.array([7, 8, 9], np.int32)
    for result in run(module, "f", [n, np.array([1, 0, 2], np.int32)]):
        assert result.defined.tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("relation", "function"),
    [
        ("eq", np.equal),
        ("ne", np.not_equal),
        ("lt", np.less),
        ("le", np.less_equal),
        ("gt", np.greater),
        ("ge", np.greater_equal),
    ],
)
def test_compare(relation: str, function: Any) -> None:
    for lanes in (F32, F32.astype(ml_dtypes.bfloat16), I32):
        a, b = (side.ravel() for side in np.meshgrid(lanes, lanes))
        text = (
            f"func.func @f(%a: {kind(a)}, %b: {kind(b)}) -> tensor<{a.size}xi1> {{\n"
            f"  %r = tile.compare {relation} %a, %b\n  return %r : tensor<{a.size}xi1>\n}}"
        )
        module = LocatingParser(make_context(), text, "f.mlir").parse_module()
        with np.errstate(invalid="ignore"):
            np.testing.assert_array_equal(run(module, "f", [a, b])[0].data, function(a, b))


def test_scalar_comparisons() -> None:
    signed = ["__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"]
    for a in (-1, 0, 3):
        for b in (-1, 0, 3):
            sides = [np.asarray(side, np.int32) for side in (a, b)]
            for predicate in range(10):
                x, y = (a, b) if predicate < 6 else (a % 2**32, b % 2**32)
                relation = signed[predicate if predicate < 6 else predicate - 4]
                properties = f"<{{predicate = {predicate} : i64}}>"
                (got,) = apply("arith.cmpi", *sides, results=["i1"], properties=properties)
                assert bool(got.data) == getattr(x, relation)(y)
    one_, nan = np.asarray(1, np.float32), np.asarray(np.nan, np.float32)
    for predicate in range(16):
        properties = f"<{{predicate = {predicate} : i64}}>"
        (equal,) = apply("arith.cmpf", one_, one_, results=["i1"], properties=properties)
        (less,) = apply("arith.cmpf", one_, one_ + 1, results=["i1"], properties=properties)
        (unordered,) = apply("arith.cmpf", one_, nan, results=["i1"], properties=properties)
        assert bool(equal.data) == (predicate in (1, 3, 5, 7, 8, 10, 12, 15))
        assert bool(less.data) == (predicate in (4, 5, 6, 7, 11, 12, 13, 15))
        assert bool(unordered.data) == (predicate >= 8)


def test_comparing_tensors_into_one_bool_is_an_error() -> None:
    with pytest.raises(
        InterpreterError, match=r"2:3: error: arith.cmpi compares tensor<8xi32> .*; use tile.compare"
    ):
        apply("arith.cmpi", I32, I32, results=["i1"], properties="<{predicate = 0 : i64}>")


@pytest.mark.parametrize(
    ("name", "given", "target", "expected"),
    [
        ("arith.extsi", np.bool_(True), "i32", -1),
        ("arith.extui", np.bool_(True), "i32", 1),
        ("arith.extui", np.int8(-1), "i32", 255),
        ("arith.trunci", np.int32(257), "i1", True),
        ("arith.trunci", np.int32(2), "i1", False),
        ("arith.trunci", np.int32(200), "i8", -56),
        ("arith.sitofp", np.int32(-3), "f32", -3.0),
        ("arith.uitofp", np.int8(-1), "f32", 255.0),
        ("arith.fptosi", np.float32(-2.7), "i32", -2),
        ("arith.fptosi", np.float32(np.inf), "i32", None),
        ("arith.fptoui", np.float32(2.0**31), "i32", -(2**31)),
        ("arith.fptoui", np.float32(-1), "i32", None),
        ("arith.truncf", np.float32(1 + 2**-8 + 2**-20), "bf16", 1 + 2**-7),
        ("arith.extf", np.float16(1.5), "f32", 1.5),
        ("arith.bitcast", np.float32(1), "i32", 0x3F800000),
        ("arith.index_cast", np.int32(-5), "index", -5),
    ],
)
def test_conversions(name: str, given: Data, target: str, expected: float | None) -> None:
    (result,) = apply(name, np.asarray(given), results=[target])
    assert result.defined == (expected is not None)
    assert expected is None or result.data.item() == expected


def test_extended_arithmetic() -> None:
    a, b = np.array([-1, 5], np.int32), np.array([-1, 7], np.int32)
    low, high = apply("arith.mului_extended", a, b, results=["tensor<2xi32>"] * 2)
    assert (low.data.tolist(), high.data.tolist()) == ([1, 35], [-2, 0])
    low, high = apply("arith.mulsi_extended", a, b, results=["tensor<2xi32>"] * 2)
    assert (low.data.tolist(), high.data.tolist()) == ([1, 35], [0, 0])
    total, carry = apply("arith.addui_extended", a, b, results=["tensor<2xi32>", "tensor<2xi1>"])
    assert (total.data.tolist(), carry.data.tolist()) == ([-2, 12], [True, False])
