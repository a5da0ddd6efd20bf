"""Builtins of Python as traced functions mean them, where an argument is a tensor or a symbolic number."""

import builtins
from collections.abc import Callable
from functools import reduce
from typing import Any

import torch

from tilec.frontend.scalars import is_symbolic
from tilec.frontend.tiles import Tile
from tilec.frontend.trace import Trace


def _is_traced(value: Any) -> bool:
    return isinstance(value, torch.Tensor) or is_symbolic(value)


def _extreme(tensors: Callable[..., Any], symbols: Callable[..., Any], plain: Callable[..., Any]):
    def extreme(trace: Trace, *args: Any, **kwargs: Any) -> Any:
        items = list(args[0]) if len(args) == 1 and isinstance(args[0], list | tuple) else list(args)
        if kwargs or not any(_is_traced(each) for each in items):
            return plain(*args, **kwargs)
        if any(isinstance(each, torch.Tensor) for each in items):
            return reduce(lambda a, b: tensors(*_tensors(a, b)), items)
        return reduce(symbols, items)

    return extreme


def _tensors(a: Any, b: Any) -> tuple[torch.Tensor, torch.Tensor]:
    like = a if isinstance(a, torch.Tensor) else b
    first, second = (
        each if isinstance(each, torch.Tensor) else torch.full((), each, dtype=like.dtype) for each in (a, b)
    )
    return first, second


def _int(trace: Trace, value: Any = 0, *more: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.item() if not value.is_floating_point() else value.to(torch.int32).item()
    return value if isinstance(value, torch.SymInt) else int(value, *more)


def _float(trace: Trace, value: Any = 0.0) -> Any:
    return value.to(torch.float32) if isinstance(value, torch.Tensor) else float(value)


def _bool(trace: Trace, value: Any = False) -> Any:
    if isinstance(value, torch.Tensor):
        return value.to(torch.bool)
    return value != 0 if isinstance(value, torch.SymInt) else bool(value)


def _range(trace: Trace, *args: Any) -> Any:
    for each in args:
        if isinstance(each, Tile | torch.SymInt | torch.Tensor):
            trace.here()
            what = trace.describe(each) if isinstance(each, torch.Tensor) else trace.words(each)
            trace.fail(
                f"range({what}): the number is not known while the kernel is traced; "
                "loop with tilec.language.grid, or give the tile a block_size"
            )
    return range(*args)


def _len(trace: Trace, value: Any) -> Any:
    return value.shape[0] if isinstance(value, torch.Tensor) and value.dim() else len(value)


REPLACED: dict[Any, Callable[..., Any]] = {
    builtins.min: _extreme(torch.minimum, torch.sym_min, min),
    builtins.max: _extreme(torch.maximum, torch.sym_max, max),
    builtins.int: _int,
    builtins.float: _float,
    builtins.bool: _bool,
    builtins.range: _range,
    builtins.len: _len,
}
"""What `call` runs in place of a builtin; the first argument is the trace."""
