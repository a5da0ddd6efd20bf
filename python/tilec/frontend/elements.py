"""Element types: torch's and the dialect's."""

import torch
from xdsl.dialects.builtin import BFloat16Type, Float16Type, Float32Type, IntegerType
from xdsl.ir import Attribute

ELEMENTS: dict[torch.dtype, Attribute] = {
    torch.float32: Float32Type(),
    torch.bfloat16: BFloat16Type(),
    torch.float16: Float16Type(),
    torch.int64: IntegerType(32),
    torch.int32: IntegerType(32),
    torch.int16: IntegerType(16),
    torch.int8: IntegerType(8),
    torch.uint8: IntegerType(32),
    torch.bool: IntegerType(1),
}
"""What holds an element of each dtype. A TPU has no 64-bit integers: where 32 bits may not be enough, the
tracer refuses (`tilec.frontend.values`). Integers of the dialect are signed, so bytes from 0 are wider ones
but for `IN_ARRAYS`."""

IN_ARRAYS: dict[torch.dtype, Attribute] = {**ELEMENTS, torch.uint8: IntegerType(8)}
"""What holds an element in an array. Of a byte from 0 its bits do."""

HALVES = (torch.bfloat16, torch.float16)
"""Floats that torch computes with in f32, rounding what comes out."""


def name_of(dtype: torch.dtype) -> str:
    """A dtype as users write it, without `torch.`."""
    return str(dtype).removeprefix("torch.")
