"""What tells one call of a kernel from another: what a trace may have read of the arguments."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from tilec.frontend.environment import environment_key
from tilec.frontend.torch_private import tree_flatten, tree_map
from tilec.frontend.trace import SEVERAL

_SCALARS = (int, float, str, bool, type(None), torch.dtype)


def is_array(value: Any) -> bool:
    """Whether a value is an array of jax or numpy."""
    return not isinstance(value, torch.Tensor) and hasattr(value, "dtype") and hasattr(value, "shape")


def tensors_in(arguments: Mapping[str, Any]) -> list[Any]:
    """The tensors and arrays among arguments, at any depth, in order."""
    found: list[Any] = []
    for value in arguments.values():
        if isinstance(value, torch.Tensor) or is_array(value):
            found.append(value)
        elif not isinstance(value, _SCALARS):
            found += [
                each for each in tree_flatten(value)[0] if isinstance(each, torch.Tensor) or is_array(each)
            ]
    return found


def argument_key(arguments: Mapping[str, Any], dynamic: bool = False) -> tuple[Any, ...]:
    """The shapes, dtypes and strides of tensors, the values of scalars, what functions can see.

    If they are `dynamic`, leading extents count only as 0, 1 or more.
    """
    key: list[Any] = []
    for value in arguments.values():
        if isinstance(value, (torch.Tensor, *_SCALARS)):
            key.append(_leaf_key(value, dynamic))
        else:
            leaves, spec = tree_flatten(value)
            key.append((spec, *[_leaf_key(leaf, dynamic) for leaf in leaves]))
    return tuple(key)


def _shape_key(shape: Sequence[int], dynamic: bool) -> tuple[Any, ...]:
    return (min(shape[0], 2), *shape[1:]) if dynamic and shape else tuple(shape)


def _leaf_key(value: Any, dynamic: bool) -> Any:
    if isinstance(value, torch.Tensor):
        return (value.dtype, *_shape_key(value.shape, dynamic), value.stride())
    if is_array(value):
        return (str(value.dtype), *_shape_key(value.shape, dynamic))
    return environment_key(value)


def as_torch(value: Any) -> Any:
    """Arguments with a tensor without elements for each array of jax or numpy."""

    def replace(leaf: Any) -> Any:
        if not is_array(leaf):
            return leaf
        dtype = getattr(torch, str(leaf.dtype), None)
        if dtype is None:
            raise TypeError(f"an array of {leaf.dtype}; torch has no such type")
        return torch.empty(tuple(leaf.shape), dtype=dtype, device="meta")

    return tree_map(replace, value)


def with_rows(given: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments with tensors of several rows, without elements, in place of those of none or one."""

    def replace(leaf: Any) -> Any:
        if not isinstance(leaf, torch.Tensor) or not leaf.shape or leaf.shape[0] > 1:
            return leaf
        return torch.empty((SEVERAL, *leaf.shape[1:]), dtype=leaf.dtype, device="meta")

    return {name: tree_map(replace, value) for name, value in given.items()}
