"""Calls with torch tensors: to jax and back without a copy where their memory allows it.

Imported only when a tensor is passed, so that who has none needs no torch.
"""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import jax
import numpy as np
import torch

from tilec.runtime.arrays import check_array, check_range
from tilec.runtime.launch import complete
from tilec.runtime.signature import NARROWED, Parameter, Result, Signature

if TYPE_CHECKING:
    from tilec.runtime.executable import Executable

_ALIGNMENT = 64
"""In bytes; jax copies what begins elsewhere."""

_DISPATCH = "__torch_dispatch__"
"""What classes of tensors without elements, such as those of tracers, have of their own."""

_shares_memory: Any = np.shares_memory  # whose type has only the literal limits of work
_disable: Any = torch.compiler.disable


@_disable
def call(program: "Executable", tensors: Sequence[Any]) -> list[torch.Tensor]:
    """Runs a program on tensors, one for each parameter, as `Executable.__call__` says."""
    on_chip = any(isinstance(tensor, torch.Tensor) and tensor.device.type == "tpu" for tensor in tensors)
    pairs = zip(program.signature.parameters, tensors, strict=True)
    dense = [fitted(parameter, tensor, "tpu" if on_chip else "cpu") for parameter, tensor in pairs]
    if on_chip:
        from tilec.runtime import torch_tpu

        made = torch_tpu.run(program, dense)
    else:
        check_mutated(program.signature, tensors)
        made = _run(program, dense)
    return [_handed(*pair, tensors) for pair in zip(program.signature.results, made, strict=True)]


def _handed(result: Result, made: torch.Tensor, tensors: Sequence[torch.Tensor]) -> torch.Tensor:
    """What a caller gets for a result: the argument of which it is the new content, or it itself."""
    if result.argument is None:
        return made.to(getattr(torch, result.dtype))
    with torch.no_grad():
        return tensors[result.argument].copy_(made)


def _run(program: "Executable", dense: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """All results of a program for CPU tensors that fit it, in memory of their own."""
    arrays = [to_jax(tensor) for tensor in dense]
    check, launch = program.prepared(tuple(array.shape for array in arrays))
    check(*arrays)
    there_is_a_chip = jax.default_backend() == "tpu"
    if there_is_a_chip:
        arrays = jax.device_put(arrays, jax.local_devices()[0])
    outputs = complete(launch, arrays)
    if there_is_a_chip:
        outputs = jax.device_put(outputs, jax.local_devices(backend="cpu")[0])
    # jax gives each result memory of its own, also one that is an argument or is returned twice.
    return [torch.from_dlpack(output) for output in outputs]


def fitted(parameter: Parameter, tensor: Any, device: str) -> torch.Tensor:
    """A tensor as a parameter takes it: without gradient, dense, 64-bit integers as 32-bit ones.

    It has the memory of `tensor` where that is so already. Raises TypeError for what is no tensor with
    elements on a device of that type or has another dtype; ValueError for another shape, for integers that do
    not fit 32 bits and for a tensor that requires grad where that is recorded.
    """
    dtype = _check(parameter, tensor, device)
    narrow = NARROWED.get(dtype)
    if narrow is not None:
        if tensor.numel():
            low, high = torch.aminmax(tensor)
            check_range(parameter, narrow, int(low), int(high))
        tensor = tensor.to(getattr(torch, narrow))
    return tensor.detach().resolve_neg().contiguous()


def to_jax(dense: torch.Tensor) -> jax.Array:
    """A dense CPU tensor as a jax array, of the same memory if that is aligned as jax needs it."""
    aligned = dense.clone() if dense.data_ptr() % _ALIGNMENT else dense
    return jax.dlpack.from_dlpack(aligned, copy=False)


def _check(parameter: Parameter, tensor: Any, device: str) -> str:
    """The dtype of a tensor that can be passed."""
    name = parameter.name
    if not isinstance(tensor, torch.Tensor):
        raise TypeError(f"{name} is a {type(tensor).__name__}; with other torch tensors, a tensor is needed")
    if tensor.device.type != device:
        raise TypeError(f"{name} is on {tensor.device}; a tensor on {device} is needed")
    if tensor.is_nested or tensor.layout is not torch.strided:
        raise TypeError(f"{name} is nested, sparse or of another layout; a tensor of strides is needed")
    if device == "cpu" and not _has_elements(tensor):
        raise TypeError(
            f"{name} is a {type(tensor).__name__} without elements, as in a trace; in one, call an operation "
            "made by as_custom_op"
        )
    dtype = str(tensor.dtype).removeprefix("torch.")
    check_array(parameter, dtype, tensor.shape)
    if tensor.requires_grad and torch.is_grad_enabled():
        raise ValueError(
            f"{name} requires grad, which a kernel does not give; pass {name}.detach(), call under "
            "torch.no_grad(), or make an operation with a backward by as_custom_op"
        )
    return dtype


def _has_elements(tensor: torch.Tensor) -> bool:
    if getattr(type(tensor), _DISPATCH) is not getattr(torch.Tensor, _DISPATCH):
        return False
    try:
        tensor.data_ptr()
    except RuntimeError:  # under transformations of torch.func
        return False
    return True


def check_mutated(signature: Signature, tensors: Sequence[torch.Tensor]) -> None:
    """Raises ValueError where a tensor that a kernel changes shares memory with itself or with another."""
    for position in sorted(signature.mutated):
        tensor, name = tensors[position], signature.parameters[position].name
        if _overlaps_itself(tensor):
            raise ValueError(
                f"{name} is changed, and several of its elements may share memory; pass {name}.contiguous()"
            )
        for other in range(len(tensors)):
            if other != position and _share(tensor, tensors[other]):
                name_of_other = signature.parameters[other].name
                raise ValueError(
                    f"{name} is changed and shares memory with {name_of_other}; pass a clone of one"
                )


def _overlaps_itself(tensor: torch.Tensor) -> bool:
    """Whether two elements may have one address: False is certain."""
    reach = 0
    for stride, size in sorted(zip(tensor.stride(), tensor.shape, strict=True)):
        if size > 1:
            if stride <= reach:
                return tensor.numel() > 0
            reach += stride * (size - 1)
    return False


def _share(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether two tensors have a byte in common; True also where that is too hard to say."""
    try:
        return bool(_shares_memory(_memory(one), _memory(other), max_work=100_000))
    except np.exceptions.TooHardError:
        return True


def _memory(tensor: torch.Tensor) -> np.ndarray[Any, np.dtype[Any]]:
    """The elements of a tensor for numpy, as bytes that mean nothing."""
    size = tensor.element_size()
    interface = {
        "version": 3,
        "data": (tensor.data_ptr(), False),
        "shape": tuple(tensor.shape),
        "strides": tuple(size * stride for stride in tensor.stride()),
        "typestr": f"|V{size}",
    }
    return np.asarray(SimpleNamespace(__array_interface__=interface))
