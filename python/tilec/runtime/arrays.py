"""Arrays that callers pass to a kernel: whether they fit, and 64-bit integers made narrow."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax.core import Tracer

from tilec.runtime.signature import NARROWED, Parameter


def check_array(parameter: Parameter, dtype: str, shape: Sequence[int]) -> None:
    """Raises TypeError or ValueError for an array of another dtype or shape than the parameter's.

    32-bit integers can be passed for 64-bit ones and the reverse.
    """
    wanted = parameter.dtype
    if dtype != wanted and NARROWED.get(dtype, dtype) != NARROWED.get(wanted, wanted):
        raise TypeError(f"{parameter.name} is {_shown(dtype, shape)}; {_wanted(parameter)} is needed")
    extents = parameter.shape
    if len(shape) != len(extents) or any(
        want is not None and want != got for got, want in zip(shape, extents, strict=True)
    ):
        raise ValueError(f"{parameter.name} is {_shown(dtype, shape)}; {_wanted(parameter)} is needed")


def check_range(parameter: Parameter, dtype: str, low: int, high: int) -> None:
    """Raises ValueError where 64-bit integers, from `low` to `high`, do not all fit `dtype`, of 32 bits, or
    are not within what the parameter says.
    """
    limits = np.iinfo(dtype)
    if low < limits.min or high > limits.max:
        raise ValueError(
            f"{parameter.name} holds {low} to {high}; a kernel takes {dtype}, {limits.min} to {limits.max}"
        )
    if parameter.most is not None and max(-low, high) >= parameter.most:
        raise ValueError(
            f"{parameter.name} holds {low} to {high}; this kernel computes with its int64 in 32 bits and "
            f"takes {1 - parameter.most} to {parameter.most - 1}"
        )


def accept(parameter: Parameter, value: Any) -> Any:
    """A jax or numpy array that fits a parameter, 64-bit integers as 32-bit ones.

    Raises TypeError for what is no array or has another dtype, also for 64-bit integers whose values are not
    known under a transformation; ValueError for another shape and for integers that do not fit 32 bits.
    """
    if not isinstance(value, jax.Array | np.ndarray):
        raise TypeError(
            f"{parameter.name} is a {type(value).__name__}; an array {_wanted(parameter)} is needed"
        )
    dtype = str(value.dtype)  # which, other than its name, tells the order of bytes
    check_array(parameter, dtype, value.shape)
    narrow = NARROWED.get(dtype)
    if narrow is None:
        if parameter.most is not None and value.size and not isinstance(value, Tracer):
            check_range(parameter, dtype, int(value.min()), int(value.max()))
        return value
    if isinstance(value, Tracer):
        raise TypeError(
            f"{parameter.name} is traced {_shown(dtype, value.shape)}, so whether its values fit {narrow} "
            f"cannot be checked; pass .astype({narrow!r}) of what is known to fit"
        )
    if value.size:
        check_range(parameter, narrow, int(value.min()), int(value.max()))
    return value.astype(narrow)


def _wanted(parameter: Parameter) -> str:
    return _shown(parameter.dtype, ["?" if extent is None else extent for extent in parameter.shape])


def _shown(dtype: str, shape: Sequence[int | str]) -> str:
    return f"{dtype}[{', '.join(map(str, shape))}]"
