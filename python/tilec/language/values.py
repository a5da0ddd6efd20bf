"""Values of tiles that torch has no word for."""

from collections.abc import Callable, Sequence
from typing import Any, overload

import torch

from tilec.dialects.tile.mixing import Combine
from tilec.frontend.aten.creation import filled
from tilec.frontend.aten.products import dot as _dot
from tilec.frontend.scans import combination, reduced_by, scanned, scanned_by
from tilec.frontend.tiles import Tile, running
from tilec.frontend.trace import Trace

Sizes = Sequence[int | torch.SymInt]


def zeros(shape: Sizes, dtype: torch.dtype = torch.float32, device: Any = None) -> torch.Tensor:
    """Zeros in a tile of this shape, of tiles and numbers."""
    return full(shape, 0, dtype)


def full(shape: Sizes, value: Any, dtype: torch.dtype = torch.float32, device: Any = None) -> torch.Tensor:
    """One number, or a tensor of one element, in every lane of a tile of this shape."""
    trace = running("full")
    with trace.shapes_only():
        out = torch.empty(tuple(shape), dtype=dtype)
    return filled(trace, out, value, array=False)


def arange(*args: Any, dtype: torch.dtype = torch.int32, device: Any = None, **kwargs: Any) -> torch.Tensor:
    """Consecutive integers, as `torch.arange`; of a tile, its indices."""
    running("arange")
    if args and isinstance(args[0], Tile):
        return args[0].index.to(dtype)
    return torch.arange(*args, dtype=dtype, **kwargs)


def dot(
    lhs: torch.Tensor,
    rhs: torch.Tensor,
    acc: torch.Tensor | None = None,
    out_dtype: torch.dtype | None = None,
) -> torch.Tensor:
    """`lhs @ rhs`, added to `acc` if it is given, of rank 2, or of rank 3 with a leading batch.

    Products are summed in f32, of integers in i32. The result has `acc`'s dtype, or else `out_dtype`, or else
    that of the sums.
    """
    return _dot(running("dot"), lhs, rhs, acc, out_dtype if acc is None else acc.dtype)


def cumsum(value: torch.Tensor, dim: int, reverse: bool = False) -> torch.Tensor:
    """Running sums along a dimension; from its end with `reverse`."""
    return scanned(running("cumsum"), value, Combine.ADD, dim, reverse)


def cumprod(value: torch.Tensor, dim: int, reverse: bool = False) -> torch.Tensor:
    """Running products along a dimension; from its end with `reverse`."""
    return scanned(running("cumprod"), value, Combine.MUL, dim, reverse)


@overload
def associative_scan(
    function: Callable[..., Any], value: torch.Tensor, dim: int, reverse: bool = False
) -> torch.Tensor: ...


@overload
def associative_scan(
    function: Callable[..., Any], value: Sequence[torch.Tensor], dim: int, reverse: bool = False
) -> tuple[torch.Tensor, ...]: ...


def associative_scan(
    function: Callable[..., Any],
    value: torch.Tensor | Sequence[torch.Tensor],
    dim: int,
    reverse: bool = False,
) -> torch.Tensor | tuple[torch.Tensor, ...]:
    """Running combinations along a dimension by an associative function; from its end with `reverse`.

    Of several tensors of one shape at once, in a tuple, the function takes two tuples of scalars, what comes
    first and what comes later, or all these scalars one after the other; it returns a tuple.
    """
    trace = running("associative_scan")
    if not isinstance(value, torch.Tensor):
        return scanned_by(trace, function, list(value), dim, reverse)
    kind = combination(trace, function, value)
    if kind is None:
        return scanned_by(trace, function, [value], dim, reverse)[0]
    return scanned(trace, value, kind, dim, reverse)


@overload
def reduce(
    function: Callable[..., Any],
    value: torch.Tensor,
    dim: int | None = None,
    other: Any = 0,
    keep_dims: bool = False,
) -> torch.Tensor: ...


@overload
def reduce(
    function: Callable[..., Any],
    value: Sequence[torch.Tensor],
    dim: int | None = None,
    other: Any = 0,
    keep_dims: bool = False,
) -> tuple[torch.Tensor, ...]: ...


def reduce(
    function: Callable[..., Any],
    value: torch.Tensor | Sequence[torch.Tensor],
    dim: int | None = None,
    other: Any = 0,
    keep_dims: bool = False,
) -> torch.Tensor | tuple[torch.Tensor, ...]:
    """All lanes along a dimension combined by an associative function, in their order.

    Of several tensors of one shape at once it is as in `associative_scan`. Lanes outside of a tile do not
    count, where in Helion they are `other`.
    """
    trace = running("reduce")
    if not isinstance(value, torch.Tensor):
        return reduced_by(trace, function, list(value), _one(trace, dim), keep=keep_dims)
    kind = combination(trace, function, value)
    if kind is None or kind not in _REDUCED:
        return reduced_by(trace, function, [value], _one(trace, dim), keep=keep_dims)[0]
    dims = list(range(value.dim())) if dim is None else [dim]
    if kind is Combine.MUL:
        for each in sorted((each % value.dim() for each in dims), reverse=True):
            value = value.prod(each, keepdim=keep_dims)
        return value
    return _REDUCED[kind](value, dims, keepdim=keep_dims).to(value.dtype)


def _one(trace: Trace, dim: int | None) -> int:
    if dim is None:
        trace.fail("reduce of all dimensions by another function than +, *, maximum or minimum; give dim")
    return dim


_REDUCED: dict[Combine, Callable[..., torch.Tensor]] = {
    Combine.ADD: torch.sum,
    Combine.MAX: torch.amax,
    Combine.MIN: torch.amin,
    Combine.MUL: torch.prod,
}


def split(value: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The two halves of a last dimension of 2."""
    trace = running("split")
    if value.dim() == 0 or str(value.shape[-1]) != "2":
        trace.fail(f"split of {trace.describe(value)}; a last dimension of 2 is needed")
    return value[..., 0], value[..., 1]


def join(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Two tensors side by side along a new last dimension of 2."""
    running("join")
    return torch.stack([first, second], -1)
