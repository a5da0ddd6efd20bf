"""`x[tile, :]` and `out[tile, :] = value` as loads, stores, gathers and scatters."""

from dataclasses import replace
from math import prod
from typing import Any

import torch
from xdsl.dialects import arith
from xdsl.ir import SSAValue

from tilec.dialects.tile import (
    CompareOp,
    GatherOp,
    LoadOp,
    ReduceOp,
    ScatterOp,
    SelectOp,
    SliceOp,
    StoreOp,
    TransposeOp,
)
from tilec.dialects.tile.access import Dim
from tilec.dialects.tile.elementwise import Relation
from tilec.dialects.tile.mixing import Combine
from tilec.dialects.tile.types import element_type, shape_of
from tilec.frontend.elements import HALVES, IN_ARRAYS
from tilec.frontend.known import Array, Range, Value
from tilec.frontend.lanes import as_byte, broadcast, cast, operand, splat, squeezed
from tilec.frontend.positions import lane_numbers
from tilec.frontend.scalars import as_value, i32_of
from tilec.frontend.tiles import Tile, refuse_wrapped
from tilec.frontend.trace import Trace
from tilec.frontend.windows import Selection, Window, is_index, normalized


def load(trace: Trace, tensor: torch.Tensor, indices: Any, mask: torch.Tensor | None = None) -> torch.Tensor:
    """What `tensor[indices]` selects."""
    known = trace.known(tensor)
    given = normalized(trace, tensor, indices)
    if isinstance(known, Value) or not (trace.in_tile or any(map(is_index, given))):
        return _part(trace, tensor, given)
    window = Selection(trace, tensor, known).window(given)
    if mask is None and _is_apart(window, tensor.dtype):
        return _picked(trace, tensor, window)
    lanes = other = None
    if mask is not None:
        lanes = mask_for(trace, window, mask)
        other = cast(trace, operand(trace, 0, window.shape, tensor.dtype).ssa, IN_ARRAYS[tensor.dtype])
    op = GatherOp if window.gathers else LoadOp
    loaded = trace.put(op(window.ssa, window.dims, lanes, other))
    known_range = Range(1 - trace.most, trace.most - 1) if tensor.dtype is torch.int64 else None
    found = in_order(trace, window, of_array(trace, loaded, tensor.dtype))
    return trace.tensor(window.shape, tensor.dtype, Value(found, known_range))


def of_array(trace: Trace, ssa: SSAValue, dtype: torch.dtype) -> SSAValue:
    """What an array holds as the value that it stands for."""
    value = cast(trace, ssa, trace.element(dtype))
    return as_byte(trace, Value(value)).ssa if dtype is torch.uint8 else value


_SCALARS = 2**16
"""How many elements an array may have of which single ones are read as scalars: they lie in SMEM."""


def _is_apart(window: Window, dtype: torch.dtype) -> bool:
    """Whether a window is one float that no scalar can be: of 16 bits, or of an array too large for SMEM."""
    if window.pieces or not dtype.is_floating_point:
        return False
    return dtype in HALVES or prod(shape_of(window.ssa.type)) > _SCALARS


def _picked(trace: Trace, tensor: torch.Tensor, window: Window) -> torch.Tensor:
    """One element of a row that is loaded whole: all others become 0, and the sum is it."""
    *lead, last = window.dims
    row = trace.put(LoadOp(window.ssa, (*lead, Dim(full=True))))
    value = cast(trace, row, trace.element(torch.float32))
    shift = as_value(trace, last.shift)
    place = shift if last.base is None else trace.put(arith.AddiOp(last.base, shift))
    size = shape_of(row.type)[0]
    numbers = lane_numbers(trace, size)
    here = trace.put(CompareOp(Relation.EQ, numbers, broadcast(trace, i32_of(trace, place), numbers.type)))
    made = trace.put(SelectOp(here, value, splat(trace, 0.0, value.type)))
    found = cast(trace, trace.put(ReduceOp(Combine.ADD, made, [0])), element_type(row.type))
    return trace.tensor([], tensor.dtype, Value(found))


def _part(trace: Trace, tensor: torch.Tensor, given: list[Any]) -> torch.Tensor:
    """A part of a value of a tile, or of a host tensor outside of loops: as torch takes it."""
    sizes = iter(tensor.shape)
    plain: list[Any] = []
    for each in given:
        size = None if each is None else next(sizes)
        if isinstance(each, Tile) and str(size) == str(each.axis.size):
            each = slice(None)
        if isinstance(each, Tile | torch.Tensor):
            what = "a tile" if isinstance(each, Tile) else trace.describe(each)
            trace.fail(
                f"{trace.describe(tensor)} is indexed by {what}; only host tensors are, "
                "a value in a tile is taken apart by numbers"
            )
        plain.append(each)
    return torch.Tensor.__getitem__(tensor, tuple(plain))


def in_order(trace: Trace, window: Window, ssa: SSAValue) -> SSAValue:
    """What was loaded, cut and turned as the user wrote it."""
    if window.is_plain:
        return ssa
    lying = [(position, piece) for position, piece in enumerate(window.pieces) if piece.array is not None]
    lying.sort(key=lambda each: each[1].array or 0)
    for dim, (_, piece) in enumerate(lying):
        if piece.cut is not None:
            ssa = trace.put(SliceOp(ssa, dim, *piece.cut))
    places = [position for position, _ in lying]
    if places != sorted(places):
        order = sorted(range(len(places)), key=lambda dim: places[dim])
        ssa = trace.put(TransposeOp(ssa, order))
    return broadcast(trace, ssa, trace.kind(window.shape, element_type(ssa.type)), sorted(places))


def target(trace: Trace, tensor: torch.Tensor, indices: Any, word: str, *, parts: bool = False) -> Window:
    """The window of a host tensor that is written; with `parts` a dimension may be cut between numbers."""
    known = trace.known(tensor)
    if isinstance(known, Value) and tensor.dim() == 0:
        trace.fail(
            f"{word} to {trace.describe(tensor)}, which has no dimensions; make it of shape [1], and name "
            "element [0] of it"
        )
    if isinstance(known, Value):
        trace.fail(
            f"{word} to a part of {trace.describe(tensor)}, a value in a tile; "
            "make a new one with torch.where or torch.cat"
        )
    if not trace.in_tile:
        trace.fail(f"{word} to {known.name} outside a loop over tiles; write it in one")
    window = Selection(trace, tensor, known).window(normalized(trace, tensor, indices))
    cuts = [(piece.array or 0, piece.cut) for piece in window.pieces if piece.cut is not None]
    if cuts and (window.gathers or len(cuts) > 1 or not parts):
        begin, size = cuts[0][1]
        trace.fail(
            f"{word} to columns {begin} to {begin + size} of {known.name}; "
            "store all of a dimension, a tile of it, or one index"
        )
    for array, cut in cuts:
        window = _of_positions(trace, window, array, cut)
    if any(part.dim is None for part in known.free):
        trace.fail(f"{word} to {known.name}, which is expanded: several elements are one in memory")
    return window


def _of_positions(trace: Trace, window: Window, array: int, cut: tuple[int, int]) -> Window:
    """A window of which the dimension along one of the array is cut, with the positions that are wanted."""
    kept = [place for place, dim in enumerate(window.dims) if dim.kept]
    order = sorted(each.array for each in window.pieces if each.array is not None)
    place, (begin, size) = kept[order.index(array)], cut
    numbers = lane_numbers(trace, size)
    ids = trace.put(arith.AddiOp(numbers, splat(trace, begin, numbers.type)))
    dims = [Dim(ids) if i == place else dim for i, dim in enumerate(window.dims)]
    pieces = tuple(replace(each, cut=None) for each in window.pieces)
    return Window(window.ssa, tuple(dims), pieces, gathers=True)


def value_for(trace: Trace, window: Window, tensor: torch.Tensor, value: Any) -> SSAValue:
    """A value in the shape and type that a window of `tensor` takes."""
    if isinstance(value, torch.Tensor):
        given = trace.value(value)
        if value.dtype is torch.int64 and given.range is None:
            refuse_wrapped(trace, "what is stored")
    ssa = cast(trace, broadcasted(trace, value, window, tensor.dtype), IN_ARRAYS[tensor.dtype])
    lying = [
        (piece.array, position) for position, piece in enumerate(window.pieces) if piece.array is not None
    ]
    new = [position for position, piece in enumerate(window.pieces) if piece.array is None]
    ssa = squeezed(trace, ssa, new)
    order = [position for _, position in sorted(lying)]
    kept = sorted(order)
    if order != kept:
        ssa = trace.put(TransposeOp(ssa, [kept.index(position) for position in order]))
    return ssa


def broadcasted(trace: Trace, value: Any, window: Window, dtype: torch.dtype) -> SSAValue:
    """A value in the shape of what the user's index selects."""
    if isinstance(value, torch.Tensor):
        with trace.shapes_only():
            try:
                shape = torch.broadcast_shapes(value.shape, window.shape)
            except RuntimeError:
                shape = None
        if shape is None or [str(a) for a in shape] != [str(b) for b in window.shape]:
            wanted = ", ".join(trace.words(size) for size in window.shape)
            trace.fail(f"{trace.describe(value)} is stored where [{wanted}] is needed")
    return operand(trace, value, window.shape, dtype).ssa


def store(
    trace: Trace, tensor: torch.Tensor, indices: Any, value: Any, mask: torch.Tensor | None = None
) -> None:
    """`tensor[indices] = value`."""
    if isinstance(trace.known(tensor), Value) and _is_all(indices):
        assign(trace, tensor, value if isinstance(value, torch.Tensor) else torch.full_like(tensor, value))
        return
    if isinstance(trace.known(tensor), Array) and not trace.in_tile and mask is None:
        from tilec.frontend.host import put

        put(trace, tensor, indices, value)
        return
    window = target(trace, tensor, indices, "a store", parts=True)
    ssa = value_for(trace, window, tensor, value)
    lanes = None if mask is None else mask_for(trace, window, mask)
    op = ScatterOp if window.gathers else StoreOp
    trace.emit(op(ssa, window.ssa, window.dims, lanes))


def assign(trace: Trace, target: torch.Tensor, made: torch.Tensor) -> torch.Tensor:
    """Change a value of a tile in place to another one."""
    known = trace.known(target)
    if isinstance(known, Array) and not trace.in_tile:
        from tilec.frontend.host import put

        put(trace, target, ..., made)
        return target
    if isinstance(known, Array):
        trace.fail(f"the host tensor {known.name} is changed as a whole inside a loop; store to a tile of it")
    trace.change(target, trace.value(made.to(target.dtype).broadcast_to(target.shape)))
    return target


def mask_for(trace: Trace, window: Window, mask: torch.Tensor) -> SSAValue:
    """The lanes of a window that are accessed."""
    if not window.is_plain:
        trace.fail("a mask on a window that is cut, turned or has new dimensions; mask the whole of it")
    return operand(trace, mask, window.shape, torch.bool).ssa


def _is_all(indices: Any) -> bool:
    given = indices if isinstance(indices, tuple | list) else (indices,)
    return all(each is Ellipsis or (isinstance(each, slice) and each == slice(None)) for each in given)
