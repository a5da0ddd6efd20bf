"""What a function sees besides its arguments: globals, closure cells, defaults, and those of its helpers."""

import builtins
import dis
from functools import lru_cache
from types import CodeType, FunctionType, ModuleType
from typing import Any

import torch

_SCALARS = (int, float, str, bool, type(None), torch.dtype)
_LIBRARIES = ("torch", "tilec", "numpy", "math", "jax", "functools", "itertools", "typing", "builtins")


@lru_cache(maxsize=1024)
def _global_names(code: CodeType) -> tuple[str, ...]:
    """The globals that code reads, and code nested in it."""
    found = [
        each.argval for each in dis.get_instructions(code) if each.opname in ("LOAD_GLOBAL", "LOAD_NAME")
    ]
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found += _global_names(constant)
    return tuple(name for name in dict.fromkeys(found) if not hasattr(builtins, name))


class _Same:
    """An object by identity. Keeping it keeps the identity from being reused."""

    __slots__ = ("value",)

    def __init__(self, value: Any):
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)


def environment_key(fn: Any, depth: int = 4) -> Any:
    """A key that differs where a trace of `fn` may. Modules and functions of libraries do not change."""
    if not isinstance(fn, FunctionType):
        return _Same(fn)
    names = _global_names(fn.__code__)
    seen = [_value_key(fn.__globals__.get(name), depth) for name in names]
    cells = [_value_key(_contents(cell), depth) for cell in fn.__closure__ or ()]
    defaults = [_value_key(each, depth) for each in fn.__defaults__ or ()]
    return (fn.__code__, *seen, *cells, *defaults)


def _contents(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not assigned yet
        return None


def _value_key(value: Any, depth: int) -> Any:
    if isinstance(value, _SCALARS):
        return (type(value), value)
    if isinstance(value, ModuleType):
        return None
    if isinstance(value, FunctionType):
        if depth == 0 or (value.__module__ or "").split(".")[0] in _LIBRARIES:
            return value.__code__
        return environment_key(value, depth - 1)
    if isinstance(value, torch.Tensor):
        return (_Same(value), value.dtype, value.shape, value.stride())
    if isinstance(value, list | tuple):
        return tuple(_value_key(each, depth - 1) for each in value) if depth else _Same(value)
    inner = getattr(value, "__tilec_traced__", None)
    return environment_key(inner, depth - 1) if inner is not None and depth else _Same(value)
