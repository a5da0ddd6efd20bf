"""What torch does to whole tensors between loops: each operator becomes a loop over tiles of its own.

Lane by lane operators and reductions are accepted. `losses.mean()` at the end of a kernel is one.
"""

from collections.abc import Callable
from math import prod
from typing import Any, ParamSpec, TypeVar

import torch

from tilec.frontend.aten.table import unsupported
from tilec.frontend.indexing import load, store
from tilec.frontend.known import Array
from tilec.frontend.rewrite import rewritten
from tilec.frontend.torch_private import OpOverload, tree_flatten, tree_map
from tilec.frontend.trace import Trace

P = ParamSpec("P")
R = TypeVar("R")

WIDE = 4096
"""Elements of a row up to which rows are taken whole: 16 KiB in f32, so that some hundred fit the chip."""


def is_host_op(trace: Trace, args: Any, kwargs: Any) -> bool:
    """Whether an operator works on host tensors, outside of loops."""
    return not trace.in_tile and any(_is_array(trace, each) for each in tree_flatten((args, kwargs))[0])


def _is_array(trace: Trace, value: Any) -> bool:
    return isinstance(value, torch.Tensor) and isinstance(trace.known(value), Array)


def on_tiles(
    trace: Trace, func: OpOverload, args: tuple[Any, ...], kwargs: dict[str, Any], out: torch.Tensor
) -> torch.Tensor:
    """The result of an operator on whole tensors, which has the shape and dtype of `out`."""
    name = func.overloadpacket.__name__
    if name in REDUCTIONS:
        return _traced(trace, _reduce)(trace, name, args[0], kwargs, out, *args[1:])
    if torch.Tag.pointwise not in func.tags and name not in ("_to_copy", "clone", "where"):
        trace.fail(
            f"{unsupported(name)}; on whole tensors, only lane by lane operators and sums, means, "
            "maxima and minima are"
        )
    return _traced(trace, _map)(trace, func, args, kwargs, out)


def _traced(trace: Trace, function: Callable[P, R]) -> Callable[P, R]:
    """One of the functions below, so that its loops are traced."""
    return rewritten(function, trace.markers)


def _window(trace: Trace, value: Any, rank: int, dims: dict[int, Any]) -> Any:
    """A tensor of the operator's arguments, indexed by tiles of the result's dimensions where it has them."""
    if not _is_array(trace, value):
        return value
    lead = rank - value.dim()
    index = tuple(
        dims[dim + lead] if dim + lead in dims and value.shape[dim] != 1 else slice(None)
        for dim in range(value.dim())
    )
    return load(trace, value, index)


def _map(trace: Trace, func: OpOverload, args: Any, kwargs: Any, out: torch.Tensor) -> torch.Tensor:
    from tilec.language import grid, tile

    made = torch.empty(out.shape, dtype=out.dtype)
    rank = out.dim()
    if rank == 0:
        for _ in grid(1):
            parts = tree_map(lambda each: _window(trace, each, 0, {}), args)
            store(trace, made, (), func(*parts, **kwargs))
        return made
    if rank == 1 or out.shape[-1] <= WIDE:
        for rows in tile(out.shape[0]):
            dims = {0: rows}
            parts = tree_map(lambda each: _window(trace, each, rank, dims), args)
            store(trace, made, (rows, *[slice(None)] * (rank - 1)), func(*parts, **kwargs))
        return made
    for rows, cols in tile([out.shape[0], out.shape[-1]]):
        dims = {0: rows, rank - 1: cols}
        parts = tree_map(lambda each: _window(trace, each, rank, dims), args)
        store(trace, made, (rows, *[slice(None)] * (rank - 2), cols), func(*parts, **kwargs))
    return made


def put(trace: Trace, tensor: torch.Tensor, indices: Any, value: Any) -> None:
    """`tensor[indices] = value` of a host tensor, outside of loops: by a loop over tiles."""
    part = torch.Tensor.__getitem__(tensor, indices)
    known = trace.known(part)
    if isinstance(known, Array):
        _traced(trace, _put)(trace, part, known, value)


def _put(trace: Trace, part: torch.Tensor, known: Array, value: Any) -> None:
    from tilec.language import grid, tile

    rank = part.dim()
    if rank == 0:
        for _ in grid(1):
            store(trace, part, (), _window(trace, value, 0, {}))
        return
    # What is no whole dimension of the array can only be written in tiles.
    wide = {rank - 1} if part.shape[-1] > WIDE else set()
    tiled = sorted({0} | wide | {dim for dim, each in enumerate(known.free) if not each.whole})
    for tiles in tile([part.shape[dim] for dim in tiled]):
        dims = dict(zip(tiled, tiles, strict=True))
        index = tuple(dims.get(dim, slice(None)) for dim in range(rank))
        store(trace, part, index, _window(trace, value, rank, dims))


REDUCTIONS: dict[str, tuple[float, Callable[..., torch.Tensor], Callable[..., torch.Tensor]]] = {
    "sum": (0.0, torch.sum, torch.add),
    "mean": (0.0, torch.sum, torch.add),
    "amax": (float("-inf"), torch.amax, torch.maximum),
    "amin": (float("inf"), torch.amin, torch.minimum),
}
"""By name: what a reduction begins with, how a tile is reduced, and how two results are joined."""


def _reduce(
    trace: Trace,
    name: str,
    value: torch.Tensor,
    kwargs: dict[str, Any],
    out: torch.Tensor,
    dim: Any = None,
    keepdim: bool = False,
) -> torch.Tensor:
    """Sums and extremes in f32, along the leading dimension in tiles if it is one of those reduced."""
    from tilec.language import full, grid, tile

    rank = value.dim()
    given = range(rank) if dim is None or dim == [] else dim if isinstance(dim, list | tuple) else [dim]
    dims = sorted(each % rank for each in given)
    kept = [each for each in range(rank) if each not in dims]
    start, reduce, join = REDUCTIONS[name]
    if not out.is_floating_point():
        trace.fail(
            f"{name} of {trace.describe(value)} on the host; floats are accepted, or a loop over tiles"
        )
    scale = 1.0 / prod(value.shape[each] for each in dims) if name == "mean" else 1.0
    made = torch.empty([value.shape[each] for each in kept], dtype=out.dtype)
    if kept and kept[0] == 0:
        for rows in tile(value.shape[0]):
            part = load(trace, value, (rows, *[slice(None)] * (rank - 1))).to(torch.float32)
            store(trace, made, (rows, *[slice(None)] * (len(kept) - 1)), reduce(part, dims) * scale)
    elif kept and len(kept) == 1:
        for cols in tile(value.shape[kept[0]]):
            total = full([cols], start, dtype=torch.float32)
            for rows in tile(value.shape[0]):
                index = (rows, *[cols if each == kept[0] else slice(None) for each in range(1, rank)])
                total = join(total, reduce(load(trace, value, index).to(torch.float32), dims))
            store(trace, made, (cols,), total * scale)
    else:
        for _ in grid(1):
            total = full([value.shape[each] for each in kept], start, dtype=torch.float32)
            for rows in tile(value.shape[0]):
                part = load(trace, value, (rows, *[slice(None)] * (rank - 1))).to(torch.float32)
                total = join(total, reduce(part, dims))
            store(trace, made, tuple([slice(None)] * len(kept)), total * scale)
    return made.view(out.shape) if keepdim else made
