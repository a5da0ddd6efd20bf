"""Torch tensors for kernels: to jax and back without a copy where their memory allows it.

The only part of calling that imports torch; it is imported when a tensor is passed.
"""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
import torch

from tilec.runtime.arrays import check_array, check_range
from tilec.runtime.signature import NARROWED, Parameter, Result

_ALIGNMENT = 64
"""In bytes; jax copies what begins elsewhere."""

_DISPATCH = "__torch_dispatch__"
"""What classes of tensors without elements, such as those of tracers, have of their own."""


def to_jax(parameter: Parameter, tensor: Any) -> jax.Array:
    """A CPU tensor as a jax array: of the same memory if that is dense, in order and aligned, else of a copy.

    64-bit integers become 32-bit ones. Raises TypeError for what is no CPU tensor with data of its own or has
    another dtype, ValueError for another shape, for integers that do not fit 32 bits and for tensors that
    require grad where that is recorded.
    """
    dtype = _check(parameter, tensor)
    narrow = NARROWED.get(dtype)
    if narrow is not None:
        if tensor.numel():
            low, high = torch.aminmax(tensor)
            check_range(parameter, narrow, int(low), int(high))
        tensor = tensor.to(getattr(torch, narrow))
    dense = tensor.detach().resolve_neg().contiguous()
    if dense.data_ptr() % _ALIGNMENT:
        dense = dense.clone()
    return jax.dlpack.from_dlpack(dense, copy=False)


def _check(parameter: Parameter, tensor: Any) -> str:
    """The dtype of a tensor that can be passed."""
    name = parameter.name
    if not isinstance(tensor, torch.Tensor):
        raise TypeError(f"{name} is a {type(tensor).__name__}; with other torch tensors, a tensor is needed")
    if getattr(type(tensor), _DISPATCH) is not getattr(torch.Tensor, _DISPATCH):
        raise TypeError(
            f"{name} is a {type(tensor).__name__}, which holds no elements; a plain tensor is needed"
        )
    if tensor.device.type != "cpu":
        raise TypeError(f"{name} is on {tensor.device}; a tensor on the CPU is needed")
    if tensor.layout is not torch.strided:
        raise TypeError(f"{name} has layout {tensor.layout}; torch.strided is needed")
    dtype = str(tensor.dtype).removeprefix("torch.")
    check_array(parameter, dtype, tensor.shape)
    if tensor.requires_grad and torch.is_grad_enabled():
        raise ValueError(
            f"{name} requires grad, which a kernel does not give; pass {name}.detach(), call under "
            "torch.no_grad(), or make an operation with a backward by as_custom_op"
        )
    return dtype


def check_mutated(parameters: Sequence[Parameter], tensors: Sequence[Any], mutated: frozenset[int]) -> None:
    """Raises ValueError where a tensor that a kernel changes shares memory with itself or with another."""
    spans = [_span(tensor) for tensor in tensors]
    for position in sorted(mutated):
        name = parameters[position].name
        if _overlaps_itself(tensors[position]):
            raise ValueError(
                f"{name} is changed, and several of its elements may share memory; pass {name}.contiguous()"
            )
        begin, end = spans[position]
        for other, (other_begin, other_end) in enumerate(spans):
            if other == position or end <= other_begin or other_end <= begin:
                continue
            if _share(tensors[position], tensors[other]):
                raise ValueError(
                    f"{name} is changed and shares memory with {parameters[other].name}; pass a clone of one"
                )


def _span(tensor: torch.Tensor) -> tuple[int, int]:
    """The addresses from the first element of a tensor up to behind its last."""
    begin = tensor.data_ptr()
    if not tensor.numel():
        return begin, begin
    last = sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.stride(), strict=True))
    return begin, begin + (last + 1) * tensor.element_size()


def _overlaps_itself(tensor: torch.Tensor) -> bool:
    """Whether two elements may have one address: False is certain."""
    reach = 0
    for stride, size in sorted(zip(tensor.stride(), tensor.shape, strict=True)):
        if size > 1:
            if stride <= reach:
                return tensor.numel() > 0
            reach += stride * (size - 1)
    return False


_shares_memory: Any = np.shares_memory  # its type has only the literal limits


def _share(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether two tensors have a byte in common; True also where that is too hard to say."""
    try:
        return bool(_shares_memory(_bytes(one), _bytes(other), max_work=100_000))
    except np.exceptions.TooHardError:
        return True


def _bytes(tensor: torch.Tensor) -> np.ndarray[Any, np.dtype[Any]]:
    """The memory of a tensor as numpy sees it, elements as integers of their width."""
    plain = tensor.detach()
    width = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}[plain.element_size()]
    return plain.view(width).numpy()


def hand_back(
    results: Sequence[Result], arrays: Sequence[jax.Array], tensors: Sequence[torch.Tensor]
) -> list[torch.Tensor]:
    """The results of a call with `tensors`: new tensors of the memory of `arrays`, and those it changed."""
    taken = {tensor.data_ptr() for tensor in tensors}
    handed: list[torch.Tensor] = []
    for result, array in zip(results, arrays, strict=True):
        made = torch.from_dlpack(array)
        if result.argument is not None:
            with torch.no_grad():
                handed.append(tensors[result.argument].copy_(made))
            continue
        # jax may give an argument, or one array twice, as a result; a caller may write to tensors.
        own = made.clone() if made.data_ptr() in taken else made
        taken.add(own.data_ptr())
        handed.append(own.to(getattr(torch, result.dtype)))
    return handed
