"""Lanes: their data, which of them are undefined, and how they convert from type to type."""

from typing import Any, NamedTuple, TypeAlias

import ml_dtypes
import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import IndexType, bf16, f16, f32, f64, i1, i8, i16, i32, i64
from xdsl.ir import Attribute, Operation

from .errors import fault

Data: TypeAlias = npt.NDArray[Any]
"""Lanes of any element type. Rank 0 may also be a numpy scalar."""

Bits: TypeAlias = npt.NDArray[np.bool_]

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)

_DTYPES: dict[Attribute, "np.dtype[Any]"] = {
    IndexType(): np.dtype(np.int64),
    i1: np.dtype(np.bool_),
    i8: np.dtype(np.int8),
    i16: np.dtype(np.int16),
    i32: np.dtype(np.int32),
    i64: np.dtype(np.int64),
    bf16: BFLOAT16,
    f16: np.dtype(np.float16),
    f32: np.dtype(np.float32),
    f64: np.dtype(np.float64),
}


class Value(NamedTuple):
    """A tensor or a scalar. `poison` marks the undefined lanes; `None` is for none."""

    data: Data
    poison: Bits | None = None


def dtype_of(op: Operation, element: Attribute) -> "np.dtype[Any]":
    """The numpy type of an element type; `index` is int64, `i1` is bool. Raises InterpreterError at `op`."""
    if element not in _DTYPES:
        accepted = ", ".join(str(kind) for kind in _DTYPES)
        fault(op, f"elements of type {element} are not interpreted; these are: {accepted}")
    return _DTYPES[element]


def is_float(dtype: "np.dtype[Any]") -> bool:
    return dtype.kind == "f" or dtype == BFLOAT16


def hostile(rng: np.random.Generator, shape: tuple[int, ...], dtype: "np.dtype[Any]") -> Data:
    """What undefined lanes hold, so that a leak shows: NaN, random integers."""
    if is_float(dtype):
        return np.full(shape, np.nan, dtype)
    if dtype == np.bool_:
        return rng.integers(0, 2, shape, np.uint8).astype(np.bool_)
    info = np.iinfo(dtype)
    return rng.integers(info.min, info.max, shape, dtype, endpoint=True)


def either(*poisons: Bits | None) -> Bits | None:
    """Lanes that any of `poisons` marks."""
    marked = [poison for poison in poisons if poison is not None]
    if not marked:
        return None
    joined = marked[0]
    for poison in marked[1:]:
        joined = joined | poison
    return joined


def either_of(condition: Value, true: Value, false: Value) -> Value:
    """The lanes of `true` where the condition is, else those of `false`."""
    data = np.where(condition.data, true.data, false.data)
    poison = condition.poison
    if true.poison is not None or false.poison is not None:
        marks = [False if side.poison is None else side.poison for side in (true, false)]
        poison = either(poison, np.where(condition.data, *marks))
    return Value(data, None if poison is None else np.broadcast_to(poison, data.shape))


def convert(data: Data, dtype: "np.dtype[Any]") -> Data:
    """Floats round once, to nearest even; integers keep their low bits."""
    if data.dtype == dtype:
        return data
    if dtype == BFLOAT16 and data.dtype.itemsize > 2 and data.dtype != np.float32:
        return _rounded_to_odd(data.astype(np.float64)).astype(dtype)
    if dtype == np.bool_:
        return (data & 1).astype(np.bool_)
    return data.astype(dtype)


def _rounded_to_odd(wide: Data) -> Data:
    """f64 as an f32 that rounds further, to bf16, as `wide` would: what is inexact ends with an odd bit."""
    near = np.array(wide, np.float32)
    inexact = (near != wide) & ~np.isnan(wide)
    bits = near.view(np.int32)
    bits -= inexact & (np.abs(near) > np.abs(wide))
    bits |= inexact
    return near


def cast(data: Data, dtype: "np.dtype[Any]") -> tuple[Data, Bits | None]:
    """Convert between floats and integers too, and mark the lanes that the target type cannot hold.

    A float becomes an integer towards zero, and is undefined out of the integer's range; anything becomes an
    i1 by comparing it with 0; an i1 becomes 0 or 1.
    """
    if dtype == np.bool_:
        return data != 0, None
    if not is_float(data.dtype) or is_float(dtype):
        return convert(data, dtype), None
    info = np.iinfo(dtype)
    whole = np.trunc(data.astype(np.float64))
    held = (whole >= float(info.min)) & (whole < float(info.max) + (dtype.itemsize < 8))
    return np.where(held, whole, 0).astype(dtype), None if held.all() else ~held
