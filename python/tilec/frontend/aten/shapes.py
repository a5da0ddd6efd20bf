"""Operators that move lanes without changing them."""

from typing import Any

import torch
from xdsl.ir import SSAValue

from tilec.dialects.tile import ConcatenateOp, ReshapeOp, SliceOp, StridedSliceOp, TransposeOp
from tilec.dialects.tile.types import element_type, shape_of
from tilec.frontend.aten.table import Call, handles
from tilec.frontend.known import Value
from tilec.frontend.lanes import broadcast, splat, squeezed


def moved(call: Call, ssa: SSAValue) -> torch.Tensor:
    """The result of a call whose lanes are those of the operand."""
    return call.trace.bind(call.out, Value(ssa, call.trace.value(call["self"]).range))


def _ssa(call: Call) -> SSAValue:
    return call.trace.value(call["self"]).ssa


@handles("view", "reshape", "_unsafe_view", "flatten", "unflatten")
def _view(call: Call) -> torch.Tensor:
    trace, given, ssa = call.trace, call["self"], _ssa(call)
    if call.out.dtype is not given.dtype:
        trace.fail(f"the bits of {trace.describe(given)} as {call.out.dtype}; .to() converts the numbers")
    kind = trace.kind(call.out.shape, element_type(ssa.type))
    if kind == ssa.type:
        return moved(call, ssa)
    old, new = list(given.shape), list(call.out.shape)
    ones = [dim for dim, size in enumerate(old) if _is_one(size)]
    if [size for size in old if not _is_one(size)] == [size for size in new if not _is_one(size)]:
        thin = squeezed(trace, ssa, ones)
        places = [dim for dim, size in enumerate(new) if not _is_one(size)]
        return moved(call, broadcast(trace, thin, kind, places) if shape_of(kind) else thin)
    if not shape_of(kind) or not given.dim():
        trace.fail(f"view of {trace.describe(given)} as a tensor of shape {new}")
    order = _tiles_first(old, new)
    if order == list(range(len(order))):
        _check_spans(call, old, new)
        return moved(call, trace.put(ReshapeOp(ssa, kind)))
    # Tiles stand behind other dimensions that stay too: they go to the front meanwhile.
    lead = len(order)
    turned = trace.put(TransposeOp(ssa, [*order, *range(lead, len(old))]))
    sizes = [*(new[dim] for dim in order), *new[lead:]]
    made = trace.put(ReshapeOp(turned, trace.kind(sizes, element_type(ssa.type))))
    return moved(call, trace.put(TransposeOp(made, [*map(order.index, range(lead)), *range(lead, len(new))])))


def _tiles_first(old: list[Any], new: list[Any]) -> list[int]:
    """The leading dimensions that a reshape leaves as they are, those of tiles first; none where one that it
    changes is of a tile.
    """
    lead = 0
    while lead < min(len(old), len(new)) and str(old[lead]) == str(new[lead]):
        lead += 1
    if any(not isinstance(size, int) for size in [*old[lead:], *new[lead:]]):
        return []
    return sorted(range(lead), key=lambda dim: isinstance(old[dim], int))


def _is_one(size: Any) -> bool:
    return isinstance(size, int) and size == 1


def _check_spans(call: Call, old: list[Any], new: list[Any]) -> None:
    """Tiles must lead and stay where a value is reshaped."""
    lead = 0
    while lead < min(len(old), len(new)) and not isinstance(old[lead], int) and old[lead] is not None:
        if str(old[lead]) != str(new[lead]):
            break
        lead += 1
    if any(not isinstance(size, int) for size in [*old[lead:], *new[lead:]]):
        trace = call.trace
        shape = ", ".join(trace.words(size) for size in new)
        trace.fail(
            f"view of {trace.describe(call['self'])} as [{shape}]: dimensions of tiles must come first and "
            "stay as they are; only the others can be joined or split"
        )


@handles("unsqueeze", "squeeze", "squeeze_")
def _unsqueeze(call: Call) -> torch.Tensor:
    return _view(call)


@handles("expand", "broadcast_to", "expand_as")
def _expand(call: Call) -> torch.Tensor:
    ssa = _ssa(call)
    return moved(call, broadcast(call.trace, ssa, call.trace.kind(call.out.shape, element_type(ssa.type))))


@handles("permute", "transpose", "t", "numpy_T", "mT")
def _permute(call: Call) -> torch.Tensor:
    rank = call["self"].dim()
    order = list(range(rank))
    if call.get("dims") is not None:
        order = [dim % rank for dim in call["dims"]]
    elif call.get("dim0") is not None:
        a, b = call["dim0"] % rank, call["dim1"] % rank
        order[a], order[b] = order[b], order[a]
    else:
        order.reverse()
    ssa = _ssa(call)
    if order == list(range(rank)):
        return moved(call, ssa)
    return moved(call, call.trace.put(TransposeOp(ssa, order)))


@handles("slice")
def _slice(call: Call) -> torch.Tensor:
    trace, given = call.trace, call["self"]
    dim = call["dim"] % given.dim()
    size, wanted = given.shape[dim], call.out.shape[dim]
    if str(size) == str(wanted):
        return moved(call, _ssa(call))
    begin, step = call["start"] or 0, call["step"]
    last = dim == given.dim() - 1
    if not isinstance(size, int) or not isinstance(begin, int) or (step != 1 and not last):
        trace.fail(
            f"a part of {trace.describe(given)} along dimension {dim}: only dimensions that are no tiles "
            "can be cut, between numbers and, but for the last, with step 1"
        )
    begin = max(0, begin + size if begin < 0 else begin)
    if step != 1:
        ssa = trace.put(StridedSliceOp(_ssa(call), begin, step))
        found = shape_of(ssa.type)[dim]
        return moved(call, ssa if found == wanted else trace.put(SliceOp(ssa, dim, 0, int(wanted))))
    return moved(call, trace.put(SliceOp(_ssa(call), dim, begin, int(wanted))))


@handles("select")
def _select(call: Call) -> torch.Tensor:
    dim, index = call["dim"], call["index"]
    size = call["self"].shape[dim]
    if not isinstance(size, int) or not isinstance(index, int):
        call.trace.fail(
            f"element {call.trace.words(index)} of {call.trace.describe(call['self'])}, dimension {dim}: "
            "only a known element of a dimension that is no tile can be taken"
        )
    index += size if index < 0 else 0
    return call["self"].narrow(dim, index, 1).squeeze(dim)


@handles("cat")
def _cat(call: Call) -> torch.Tensor:
    trace, tensors = call.trace, [each.to(call.out.dtype) for each in call["tensors"]]
    dim = call["dim"] % call.out.dim()
    for each in tensors:
        if not isinstance(each.shape[dim], int):
            trace.fail(f"cat along dimension {dim} of {trace.describe(each)}: a tile cannot be joined")
    made = trace.put(ConcatenateOp([trace.value(each).ssa for each in tensors], dim))
    return trace.bind(call.out, Value(made))


@handles("stack")
def _stack(call: Call) -> torch.Tensor:
    dim = call["dim"] % call.out.dim()
    return torch.cat([each.unsqueeze(dim) for each in call["tensors"]], dim)


@handles("split", "split_with_sizes", "unbind", "chunk")
def _split(call: Call) -> tuple[torch.Tensor, ...]:
    given, dim = call["self"], call["dim"] % call["self"].dim()
    parts: list[torch.Tensor] = []
    begin = 0
    for each in call.out:
        if each.dim() < given.dim():
            parts.append(given.select(dim, begin))
            begin += 1
        else:
            parts.append(given.narrow(dim, begin, each.shape[dim]))
            begin += each.shape[dim]
    return tuple(parts)


@handles("flip")
def _flip(call: Call) -> torch.Tensor:
    given = call["self"]
    for dim in call["dims"]:
        if not isinstance(given.shape[dim], int):
            call.trace.fail(f"flip along dimension {dim}, which is a tile")
        parts = [given.narrow(dim, i, 1) for i in reversed(range(given.shape[dim]))]
        given = torch.cat(parts, dim)
    return given


@handles("roll")
def _roll(call: Call) -> torch.Tensor:
    given, shifts, dims = call["self"], call["shifts"], call["dims"]
    if not dims and given.dim() > 1:
        return torch.roll(given.flatten(), shifts, [0]).reshape(given.shape)
    for shift, dim in zip(shifts, dims or [0], strict=True):
        size = given.shape[dim]
        if not isinstance(size, int) or not isinstance(shift, int):
            call.trace.fail(f"roll of {call.trace.describe(given)} along dimension {dim}: {_NUMBERS}")
        by = shift % size if size else 0
        if by:
            given = torch.cat([given.narrow(dim, size - by, by), given.narrow(dim, 0, size - by)], dim)
    return given


_NUMBERS = "only what is no tile can be moved, by a number"


@handles("constant_pad_nd", early=True)
def _pad(call: Call) -> torch.Tensor:
    given, pad = call["self"], list(call["pad"])
    for i in range(len(pad) // 2):
        dim, before, after = given.dim() - 1 - i, pad[2 * i], pad[2 * i + 1]
        size = given.shape[dim]
        if before == after == 0:
            continue
        if not all(isinstance(each, int) for each in (size, before, after)):
            call.trace.fail(f"pad of {call.trace.describe(given)} along dimension {dim}: {_NUMBERS}")
        given = given.narrow(dim, max(-before, 0), size + min(before, 0) + min(after, 0))
        sides = [[_filled(call, given, dim, more)] if more > 0 else [] for more in (before, after)]
        given = torch.cat([*sides[0], given, *sides[1]], dim)
    return given


def _filled(call: Call, given: torch.Tensor, dim: int, size: int) -> torch.Tensor:
    """What a call fills with, in the shape of a value but for one dimension."""
    trace = call.trace
    shape = [size if place == dim else each for place, each in enumerate(given.shape)]
    ssa = splat(trace, call["value"] or 0, trace.kind(shape, trace.element(given.dtype)))
    with trace.shapes_only():
        made = given.new_empty(shape)
    return trace.bind(made, Value(ssa))


@handles("gather")
def _gather(call: Call) -> torch.Tensor:
    """Each lane compared with the number of the one that is wanted: no other tells on the sum."""
    trace, given, index = call.trace, call["self"], call["index"]
    dim = call["dim"] % max(given.dim(), 1)
    size, count = given.shape[dim], index.shape[dim]
    others = [[str(n) for i, n in enumerate(each.shape) if i != dim] for each in (given, index)]
    if not isinstance(size, int) or not isinstance(count, int) or others[0] != others[1]:
        trace.fail(
            f"gather of {trace.describe(given)} at {trace.describe(index)} along dimension {dim}: the "
            "dimension must be no tile, and the others the same of both"
        )
    numbers = torch.arange(size, dtype=torch.int32, device=given.device)
    numbers = numbers.reshape([-1 if i == dim else 1 for i in range(given.dim())])
    found = [
        torch.where(index.narrow(dim, i, 1) == numbers, given, 0).sum(dim, keepdim=True) for i in range(count)
    ]
    return torch.cat(found, dim).to(given.dtype)
