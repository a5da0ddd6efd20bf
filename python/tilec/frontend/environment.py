"""What a function sees besides its arguments: globals, closure cells, defaults, and those of its helpers.

Objects of the user's are taken apart, so that a change inside one is seen: containers, modules, classes and
instances, at any depth. Those of libraries are what they are.
"""

import dis
import sys
from argparse import Namespace
from collections import deque
from collections.abc import Iterable, Mapping
from functools import lru_cache, partial
from types import CodeType, FunctionType, MethodType, ModuleType, SimpleNamespace
from typing import Any

import torch

_SCALARS = (int, str, bool, type(None), torch.dtype)
_PYTEST = ("pytest", "_pytest", "pluggy")
"""What an `assert` of a kernel in a test file sees, since pytest rewrites it: all of pytest's own state."""
_LIBRARIES = sys.stdlib_module_names.union(
    ("torch", "tilec", "numpy", "jax", "jaxlib", "helion", "xdsl"), _PYTEST
)
_OPEN = (torch.nn.Module, SimpleNamespace, Namespace)
"""Classes of libraries whose objects hold the user's."""
_DEEPEST = 40
_LARGEST = 4096
"""Bytes of an array of numpy that are compared; a larger one is what it is."""


@lru_cache(maxsize=1024)
def _names(code: CodeType, globals_only: bool) -> tuple[str, ...]:
    """The globals that code reads, or also attributes; and code nested in it."""
    loads = [
        each.argval for each in dis.get_instructions(code) if each.opname in ("LOAD_GLOBAL", "LOAD_NAME")
    ]
    found = loads if globals_only else list(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found += _names(constant, globals_only)
    return tuple(dict.fromkeys(found))


class _Same:
    """An object by identity. Keeping it keeps the identity from being reused."""

    __slots__ = ("value",)

    def __init__(self, value: Any):
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)


def environment_key(fn: Any) -> Any:
    """A key that differs where a trace of `fn` may, and that can be hashed."""
    return _Reader().value(fn, 0)


class _Reader:
    """Takes objects apart, each once."""

    def __init__(self) -> None:
        self._seen: set[int] = set()
        self._names: tuple[str, ...] = ()

    def value(self, value: Any, depth: int) -> Any:
        """What tells a value from another."""
        if isinstance(value, float):  # -0.0 and 0.0 are two, NaN is one
            return (type(value), value.hex())
        if isinstance(value, _SCALARS):
            return (type(value), value)
        if isinstance(value, torch.Tensor):
            return (_Same(value), value.dtype, value.shape, value.stride())
        if id(value) in self._seen or depth > _DEEPEST:
            return _Same(value)
        self._seen.add(id(value))
        return self._taken_apart(value, depth + 1)

    def _taken_apart(self, value: Any, depth: int) -> Any:
        inner = getattr(value, "__tilec_traced__", None)
        if inner is not None:
            return self.value(inner, depth)
        match value:
            case FunctionType():
                return value.__code__ if _is_of_library(value) else self._function(value, depth)
            case MethodType():
                return (self.value(value.__func__, depth), self.value(value.__self__, depth))
            case partial():
                return (_Same(value.func), self.value(value.args, depth), self.value(value.keywords, depth))
            case staticmethod() | classmethod():
                return self.value(value.__func__, depth)
            case property():
                return self.value(value.fget, depth)
            case list() | tuple() | deque():
                return (type(value), *(self.value(each, depth) for each in value))
            case dict():
                return (type(value), *self._pairs(value.items(), depth))
            case set() | frozenset():
                return frozenset(value)
            case ModuleType():
                return None if _is_of_library(value) else self._module(value, depth)
            case type():
                return _Same(value) if _is_of_library(value) else self._class(value, depth)
            case _:
                return self._object(value, depth)

    def _pairs(self, pairs: Iterable[tuple[Any, Any]], depth: int) -> list[Any]:
        return [(key, self.value(each, depth)) for key, each in pairs]

    def _function(self, fn: FunctionType, depth: int) -> Any:
        outer, self._names = self._names, _names(fn.__code__, False)
        seen = [self.value(fn.__globals__.get(name), depth) for name in _names(fn.__code__, True)]
        cells = [self.value(_contents(cell), depth) for cell in fn.__closure__ or ()]
        defaults = [self.value(each, depth) for each in (fn.__defaults__, fn.__kwdefaults__)]
        self._names = outer
        return (fn.__code__, *seen, *cells, *defaults)

    def _module(self, module: ModuleType, depth: int) -> Any:
        """Of a module of the user's, what the function around names."""
        held = vars(module)
        return (
            _Same(module),
            *self._pairs(((name, held[name]) for name in self._names if name in held), depth),
        )

    def _class(self, kind: type, depth: int) -> Any:
        own = [(name, each) for name, each in vars(kind).items() if not name.startswith("__")]
        return (_Same(kind), *self._pairs(own, depth), *(self.value(base, depth) for base in kind.__bases__))

    def _object(self, value: Any, depth: int) -> Any:
        if type(value).__module__ == "numpy":
            small = hasattr(value, "tobytes") and value.nbytes <= _LARGEST
            return (str(value.dtype), value.shape, value.tobytes()) if small else _Same(value)
        if _is_of_library(type(value)) and not isinstance(value, _OPEN):
            return _Same(value)
        return (_Same(value), self.value(type(value), depth), *self._pairs(_fields(value).items(), depth))


def _is_of_library(value: Any) -> bool:
    name = value.__name__ if isinstance(value, ModuleType) else value.__module__
    return (name or "").partition(".")[0] in _LIBRARIES


def _fields(value: Any) -> Mapping[str, Any]:
    """What an object holds, in its dictionary and in slots."""
    slots = [name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())]
    held = {name: getattr(value, name) for name in slots if isinstance(name, str) and hasattr(value, name)}
    return {**held, **getattr(value, "__dict__", {})}


def _contents(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not assigned yet
        return None
