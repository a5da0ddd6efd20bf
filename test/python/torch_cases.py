"""Kernels with what they should give, and arguments: each is compared with torch, and proven."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import torch

import tilec
from tilec.testing import check, prove

Case: TypeAlias = tuple[tilec.Kernel[..., Any], Callable[..., Any], tuple[torch.Tensor, ...]]


def verify(case: Case, chips: Sequence[str] = ("v5e",), **options: Any) -> None:
    """Raises AssertionError where a kernel does not give what it should, or one of the three proofs fails."""
    kernel, reference, args = case
    check(kernel, reference, lambda: args)
    prove(kernel, args, chips=chips, **options)
