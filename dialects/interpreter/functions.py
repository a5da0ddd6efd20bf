"""What the lane-by-lane operations of `arith` and `math` compute, by operation.

Each function takes lanes of one type. 16-bit floats come as f32, and what is computed is rounded once;
integers come signed, an `i1` as 0 or -1, or unsigned for the functions in `UNSIGNED`.
"""

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from xdsl.dialects import arith
from xdsl.dialects import math as mlir_math
from xdsl.ir import Operation

from .values import Bits, Data

Function: TypeAlias = Callable[..., Data]


def per_lane(function: Callable[[float], float]) -> Function:
    """A function of one float that numpy lacks, computed in f64."""
    whole = np.frompyfunc(function, 1, 1)

    def each(a: Data) -> Data:
        return np.asarray(whole(a.astype(np.float64))).astype(a.dtype)

    return each


def power(a: Data, exponent: Data) -> Data:
    return np.power(a, exponent.astype(a.dtype))


def reciprocal_root(a: Data) -> Data:
    return 1 / np.sqrt(a)


def divide(a: Data, b: Data) -> Data:
    """The quotient towards zero."""
    down = np.floor_divide(a, b)
    return down + ((down * b != a) & ((a < 0) != (b < 0))).astype(a.dtype)


def ceil_divide(a: Data, b: Data) -> Data:
    down = np.floor_divide(a, b)
    return down + (down * b != a).astype(a.dtype)


def round_away(a: Data) -> Data:
    size = np.abs(a)
    return np.copysign(np.floor(size) + (size % 1 >= 0.5), a)


def fused(a: Data, b: Data, c: Data) -> Data:
    return (a.astype(np.float64) * b + c).astype(a.dtype)


def leading_zeros(a: Data) -> Data:
    width = a.dtype.itemsize * 8
    for shift in (1, 2, 4, 8, 16, 32):
        if shift < width:
            a = a | (a >> a.dtype.type(shift))
    return width - np.bitwise_count(a)


def trailing_zeros(a: Data) -> Data:
    return np.bitwise_count(~a & (a - a.dtype.type(1)))


FLOAT: dict[type[Operation], Function] = {
    arith.AddfOp: np.add,
    arith.SubfOp: np.subtract,
    arith.MulfOp: np.multiply,
    arith.DivfOp: np.divide,
    arith.NegfOp: np.negative,
    arith.MinimumfOp: np.minimum,
    arith.MaximumfOp: np.maximum,
    arith.MinnumfOp: np.fmin,
    arith.MaxnumfOp: np.fmax,
    mlir_math.AbsFOp: np.abs,
    mlir_math.AcosOp: np.arccos,
    mlir_math.AcoshOp: np.arccosh,
    mlir_math.AsinOp: np.arcsin,
    mlir_math.AsinhOp: np.arcsinh,
    mlir_math.Atan2Op: np.arctan2,
    mlir_math.AtanOp: np.arctan,
    mlir_math.AtanhOp: np.arctanh,
    mlir_math.CbrtOp: np.cbrt,
    mlir_math.CeilOp: np.ceil,
    mlir_math.CopySignOp: np.copysign,
    mlir_math.CosOp: np.cos,
    mlir_math.CoshOp: np.cosh,
    mlir_math.ErfOp: per_lane(math.erf),
    mlir_math.Exp2Op: np.exp2,
    mlir_math.ExpM1Op: np.expm1,
    mlir_math.ExpOp: np.exp,
    mlir_math.FloorOp: np.floor,
    mlir_math.FmaOp: fused,
    mlir_math.FPowIOp: power,
    mlir_math.Log10Op: np.log10,
    mlir_math.Log1pOp: np.log1p,
    mlir_math.Log2Op: np.log2,
    mlir_math.LogOp: np.log,
    mlir_math.PowFOp: np.power,
    mlir_math.RoundEvenOp: np.rint,
    mlir_math.RoundOp: round_away,
    mlir_math.RsqrtOp: reciprocal_root,
    mlir_math.SinOp: np.sin,
    mlir_math.SinhOp: np.sinh,
    mlir_math.SqrtOp: np.sqrt,
    mlir_math.TanOp: np.tan,
    mlir_math.TanhOp: np.tanh,
    mlir_math.TruncOp: np.trunc,
}

SIGNED: dict[type[Operation], Function] = {
    arith.AddiOp: np.add,
    arith.SubiOp: np.subtract,
    arith.MuliOp: np.multiply,
    arith.DivSIOp: divide,
    arith.FloorDivSIOp: np.floor_divide,
    arith.CeilDivSIOp: ceil_divide,
    arith.RemSIOp: np.fmod,
    arith.MinSIOp: np.minimum,
    arith.MaxSIOp: np.maximum,
    arith.AndIOp: np.bitwise_and,
    arith.OrIOp: np.bitwise_or,
    arith.XOrIOp: np.bitwise_xor,
    arith.ShLIOp: np.left_shift,
    arith.ShRSIOp: np.right_shift,
    mlir_math.AbsIOp: np.abs,
}

UNSIGNED: dict[type[Operation], Function] = {
    arith.DivUIOp: np.floor_divide,
    arith.CeilDivUIOp: ceil_divide,
    arith.RemUIOp: np.remainder,
    arith.MinUIOp: np.minimum,
    arith.MaxUIOp: np.maximum,
    arith.ShRUIOp: np.right_shift,
    mlir_math.CountLeadingZerosOp: leading_zeros,
    mlir_math.CountTrailingZerosOp: trailing_zeros,
    mlir_math.CtPopOp: np.bitwise_count,
}


def is_zero(a: Data, b: Data) -> Bits:
    return b == 0


def is_too_far(a: Data, b: Data) -> Bits:
    width = a.dtype.itemsize * 8
    return (b < 0) | (b >= width)


UNDEFINED: dict[type[Operation], Callable[..., Bits]] = {
    **dict.fromkeys(
        (
            arith.DivSIOp,
            arith.FloorDivSIOp,
            arith.CeilDivSIOp,
            arith.RemSIOp,
            arith.DivUIOp,
            arith.CeilDivUIOp,
            arith.RemUIOp,
        ),
        is_zero,
    ),
    **dict.fromkeys((arith.ShLIOp, arith.ShRSIOp, arith.ShRUIOp), is_too_far),
}
"""Where the result of an operation is undefined though its operands are not."""

INTEGER_COMPARISONS: tuple[tuple[np.ufunc, bool], ...] = (
    (np.equal, False),
    (np.not_equal, False),
    (np.less, False),
    (np.less_equal, False),
    (np.greater, False),
    (np.greater_equal, False),
    (np.less, True),
    (np.less_equal, True),
    (np.greater, True),
    (np.greater_equal, True),
)
"""What `arith.cmpi` compares with, by predicate, and whether unsigned."""


def unordered(a: Data, b: Data) -> Bits:
    return np.isnan(a) | np.isnan(b)


def ordered(a: Data, b: Data) -> Bits:
    return ~unordered(a, b)


def ordered_unequal(a: Data, b: Data) -> Bits:
    return (a != b) & ordered(a, b)


def never(a: Data, b: Data) -> Bits:
    return np.zeros(a.shape, np.bool_)


def always(a: Data, b: Data) -> Bits:
    return np.ones(a.shape, np.bool_)


def or_unordered(function: np.ufunc) -> Function:
    def compare(a: Data, b: Data) -> Bits:
        return function(a, b) | unordered(a, b)

    return compare


FLOAT_COMPARISONS: tuple[Function, ...] = (
    never,
    np.equal,
    np.greater,
    np.greater_equal,
    np.less,
    np.less_equal,
    ordered_unequal,
    ordered,
    or_unordered(np.equal),
    or_unordered(np.greater),
    or_unordered(np.greater_equal),
    or_unordered(np.less),
    or_unordered(np.less_equal),
    np.not_equal,
    unordered,
    always,
)
"""What `arith.cmpf` computes, by predicate."""

Extended: TypeAlias = Callable[[Any, Any], Any]

EXTENDED: dict[type[Operation], tuple[Extended, bool]] = {
    arith.AddUIExtendedOp: (lambda a, b: a + b, True),
    arith.MulUIExtendedOp: (lambda a, b: a * b, True),
    arith.MulSIExtendedOp: (lambda a, b: a * b, False),
}
"""Operations with a low and a high result: what they compute exactly, and whether unsigned."""
