"""Views of host tensors: which part of an array of the program each is."""

from collections.abc import Callable
from typing import Any

import torch
from xdsl.dialects.builtin import MemRefType
from xdsl.ir import SSAValue

from tilec.dialects.tile import ViewOp
from tilec.dialects.tile.types import UNBOUND, element_type, shape_of
from tilec.frontend.known import Array, Part
from tilec.frontend.torch_private import OpOverload, expression
from tilec.frontend.trace import NeedsStatic, Trace


def is_host_view(trace: Trace, func: OpOverload, args: Any) -> bool:
    """Whether an operator makes a view of a host tensor."""
    if func.overloadpacket.__name__ not in VIEWS or not args or not isinstance(args[0], torch.Tensor):
        return False
    return isinstance(trace.known(args[0]), Array)


def view(trace: Trace, func: OpOverload, args: Any, kwargs: Any) -> torch.Tensor:
    """The view that an operator makes of a host tensor."""
    given, array = args[0], trace.known(args[0])
    if not isinstance(array, Array):
        raise TypeError(f"{func} of a value in a tile")
    with trace.shapes_only():
        out = func(*args, **kwargs)
    if out.dtype is not given.dtype:
        trace.fail(f"the bits of {trace.describe(given)} as {out.dtype}; .to() converts the numbers")
    return trace.bind(out, VIEWS[func.overloadpacket.__name__](trace, array, given, out, *args[1:]))


def _same(trace: Trace, array: Array, given: torch.Tensor, out: torch.Tensor, *args: Any) -> Array:
    return array


def _ordered(array: Array, order: list[int]) -> Array:
    """The array with the tensor's dimensions in another order. Those that are fixed stay at the end."""
    free, fixed = array.free, array.fixed
    return Array(array.ssa, array.name, (*[free[dim] for dim in order], *fixed))


def _permute(trace: Trace, array: Array, given: torch.Tensor, out: torch.Tensor, *args: Any) -> Array:
    return _ordered(array, [dim % given.dim() for dim in args[0]])


def _transpose(trace: Trace, array: Array, given: torch.Tensor, out: torch.Tensor, *args: Any) -> Array:
    order = list(range(given.dim()))
    a, b = (args[0] % given.dim(), args[1] % given.dim()) if args else (0, given.dim() - 1)
    if given.dim() > 1 or args:
        order[a], order[b] = order[b], order[a]
    return _ordered(array, order)


def _unsqueeze(trace: Trace, array: Array, given: torch.Tensor, out: torch.Tensor, *args: Any) -> Array:
    free = list(array.free)
    free.insert(args[0] % (given.dim() + 1), Part(None))
    return Array(array.ssa, array.name, (*free, *array.fixed))


def _squeeze(trace: Trace, array: Array, given: torch.Tensor, out: torch.Tensor, *args: Any) -> Array:
    wanted = args[0] if args else list(range(given.dim()))
    dims = [dim % given.dim() for dim in (wanted if isinstance(wanted, list | tuple) else [wanted])]
    gone = [dim for dim in dims if given.shape[dim] == 1]
    free, fixed = [], list(array.fixed)
    for dim, part in enumerate(array.free):
        if dim not in gone:
            free.append(part)
        elif part.dim is not None:
            fixed.append(Part(part.dim, part.begin, whole=False, fixed=True))
    return Array(array.ssa, array.name, (*free, *fixed))


def _expand(trace: Trace, array: Array, given: torch.Tensor, out: torch.Tensor, *args: Any) -> Array:
    lead = out.dim() - given.dim()
    free: list[Part] = [Part(None)] * lead
    fixed = list(array.fixed)
    for dim, part in enumerate(array.free):
        if given.shape[dim] == out.shape[dim + lead]:
            free.append(part)
            continue
        free.append(Part(None))
        if part.dim is not None:
            fixed.append(Part(part.dim, part.begin, whole=False, fixed=True))
    return Array(array.ssa, array.name, (*free, *fixed))


def _slice(
    trace: Trace,
    array: Array,
    given: torch.Tensor,
    out: torch.Tensor,
    dim: int = 0,
    start: int | None = None,
    end: int | None = None,
    step: int = 1,
) -> Array:
    dim %= given.dim()
    part, size = array.free[dim], given.shape[dim]
    if step != 1:
        trace.fail(f"every {step}th element of {array.name}: only parts with step 1 can be taken")
    if out.shape[dim] == size:
        return array
    begin = start or 0
    begin = min(max(0, begin + size if begin < 0 else begin), size)
    free = list(array.free)
    if part.dim is not None:
        free[dim] = Part(part.dim, part.begin + begin, whole=False)
    return Array(array.ssa, array.name, (*free, *array.fixed))


def _select(trace: Trace, array: Array, given: torch.Tensor, out: torch.Tensor, *args: Any) -> Array:
    dim, index = args[0] % given.dim(), args[1]
    if not isinstance(index, int):
        trace.fail(f"element {trace.words(index)} of {array.name}, which is not known outside a loop")
    part = array.free[dim]
    index += given.shape[dim] if index < 0 else 0
    free = [each for position, each in enumerate(array.free) if position != dim]
    fixed = [*array.fixed]
    if part.dim is not None:
        fixed.append(Part(part.dim, part.begin + index, whole=False, fixed=True))
    return Array(array.ssa, array.name, (*free, *fixed))


def _reshape(trace: Trace, array: Array, given: torch.Tensor, out: torch.Tensor, *args: Any) -> Array:
    """A reshape is a view of the program, of a whole array in the order it lies in memory."""
    if tuple(given.shape) == tuple(out.shape):
        return array
    array = as_view(trace, array, given)
    kind = MemRefType(element_type(array.ssa.type), _extents(trace, given, out))
    ssa = at_entry(trace, lambda: trace.put(ViewOp(array.ssa, kind)))
    return Array.whole(ssa, array.name, out.dim())


def _extents(trace: Trace, given: torch.Tensor, out: torch.Tensor) -> list[int]:
    """The extents of a view. A leading one that may be any is that of both, or is needed as a number."""
    rows = given.shape[0] if given.dim() else 1
    symbols = expression(rows).free_symbols if isinstance(rows, torch.SymInt) else ()
    if not symbols:
        return [int(size) for size in out.shape]
    first = out.shape[0] if out.dim() else 1
    if isinstance(first, torch.SymInt) and expression(first) == expression(rows):
        return [UNBOUND, *map(int, out.shape[1:])]
    raise NeedsStatic(
        next(trace.extents[symbol].name_hint or "" for symbol in trace.extents if symbol in symbols)
    )


def as_view(trace: Trace, array: Array, given: torch.Tensor) -> Array:
    """The array under the tensor's own shape: as it is, or with its dimensions in another order.

    Refuses a part of an array, which is no view of the program.
    """
    dims = [part.dim for part in array.parts]
    if any(part.dim is None or not part.whole for part in array.parts):
        trace.fail(
            f"the part {trace.describe(given)} of {array.name} is reshaped, returned or changed as a whole; "
            "only whole tensors and their permutations can be"
        )
    order = [dim for dim in dims if dim is not None]
    if order == sorted(order):
        return array
    shape = [shape_of(array.ssa.type)[dim] for dim in order]
    kind = MemRefType(element_type(array.ssa.type), shape)
    return Array.whole(
        at_entry(trace, lambda: trace.put(ViewOp(array.ssa, kind, order))), array.name, len(order)
    )


def at_entry(trace: Trace, make: Callable[[], SSAValue]) -> SSAValue:
    """What `make` returns, its operations before the grid that is being traced."""
    with trace.inside(trace.entry):
        return make()


VIEWS: dict[str, Callable[..., Array]] = {
    "alias": _same,
    "detach": _same,
    "lift_fresh": _same,
    "permute": _permute,
    "transpose": _transpose,
    "t": _transpose,
    "unsqueeze": _unsqueeze,
    "squeeze": _squeeze,
    "expand": _expand,
    "slice": _slice,
    "select": _select,
    "view": _reshape,
    "_unsafe_view": _reshape,
    "reshape": _reshape,
}
"""By the operator that makes the view."""
