"""Checks of kernels against what they should compute: with torch, and by the proofs of `tilec.proof`."""

from collections.abc import Callable, Sequence
from typing import Any

import ml_dtypes
import numpy as np
import torch

from tilec.dialects.interpreter import Result, run
from tilec.frontend.kernel import Bound, Kernel
from tilec.frontend.keys import tensors_in
from tilec.frontend.torch_private import tree_flatten, tree_map
from tilec.proof import CHIPS, Array, difference, emit, prove_compiles, prove_kernel, prove_passes
from tilec.runtime.signature import held_as


class WrongResult(Exception):
    """A kernel did not compute what it should."""


def check(
    kernel: Callable[..., Any],
    reference: Callable[..., Any],
    arguments: Callable[..., tuple[Any, ...]],
    *,
    dtypes: Sequence[torch.dtype] = (),
) -> None:
    """Run a kernel and a function of torch on arguments that `arguments()` makes, and compare.

    With `dtypes`, once for each, as `arguments(dtype=…)`. Prints the largest difference. Raises WrongResult
    where results differ by more than their dtype's `TOLERANCE` of `tilec.proof`, in number, shape or dtype.
    """
    name = getattr(kernel, "__name__", "kernel")
    for given in [arguments()] if not dtypes else [arguments(dtype=dtype) for dtype in dtypes]:
        wanted, got = reference(*_copied(given)), kernel(*_copied(given))
        agree(got, wanted, name)
        pairs = zip(_tensors(got), _tensors(wanted), strict=True)
        errors = [(a.double() - b.double()).abs().nan_to_num(0).max().item() for a, b in pairs if a.numel()]
        print(f"{name}: agrees with torch, largest difference {max(errors, default=0.0):.2g}")


def agree(got: Any, wanted: Any, name: str) -> None:
    """Raises WrongResult where what a kernel returned is not near enough to what was wanted."""
    results = [Result(each, np.ones_like(each, np.bool_)) for each in map(as_numpy, _tensors(got))]
    expected = [Result(each, np.ones_like(each, np.bool_)) for each in map(as_numpy, _tensors(wanted))]
    problem = difference(results, expected)
    if problem is not None:
        raise WrongResult(f"{name}: {problem}")


def prove(
    kernel: Kernel[..., Any],
    args: Sequence[Any],
    *,
    chips: Sequence[str] = CHIPS,
    seeds: Sequence[int] = (0, 1),
) -> Bound:
    """The three proofs of a kernel for arguments; its compilation for `chips` among them.

    Raises ProofFailed, TraceError, and TileError for what a pass refuses.
    """
    bound = kernel.bind(*args)
    arrays = program_arguments(bound, [*tensors_in({"arguments": list(args)}), *bound.traced.captured])
    module, name = bound.traced.module, bound.traced.name
    passes = bound.choices.passes()
    prove_passes(module, name, arrays, passes, seeds=seeds)
    text = emit(module, [bound.choices])
    prove_kernel(text, name, arrays, run(module, name, arrays), seeds=seeds)
    prove_compiles(text, name, arrays, chips)
    return bound


def program_arguments(bound: Bound, tensors: Sequence[torch.Tensor]) -> list[Array]:
    """Tensors as the program of a kernel takes them: 32-bit integers, bytes as their bits, one element for
    no dimension."""
    arrays = [as_numpy(tensor).reshape(tensor.shape or (1,)) for tensor in tensors]
    return [each.astype(held_as(each.dtype.name)) for each in arrays]


def as_numpy(tensor: torch.Tensor) -> Array:
    """A tensor as an array of numpy, bfloat16 as that of ml_dtypes."""
    tensor = tensor.detach().cpu()
    if tensor.dtype is torch.bfloat16:
        return tensor.contiguous().view(torch.int16).numpy().view(ml_dtypes.bfloat16)
    return tensor.numpy()


def _tensors(value: Any) -> list[torch.Tensor]:
    return [each for each in tree_flatten(value)[0] if isinstance(each, torch.Tensor)]


def _copied(args: tuple[Any, ...]) -> tuple[Any, ...]:
    def copied(each: Any) -> Any:
        return each.clone() if isinstance(each, torch.Tensor) else each

    return tree_map(copied, args)
