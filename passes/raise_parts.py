"""`--raise-parts`: accesses of a part of a dimension, between numbers, become accesses of all of it.

Computed positions that are numbers one after the other name a part of a dimension, as the second half of each
row; so does a number in the last dimension, of a tile. A TPU copies whole tiles of memory, so a part is read
as a slice of the whole, and parts that together are the whole are stored as one value.

Before:
    tile.scatter %a, %out[%m, %zero_to_63]
    tile.scatter %b, %out[%m, %64_to_127]
After:
    %both = tile.concatenate %a, %b dim 1
    tile.store %both, %out[%m, :]

Left alone, the last two explained: accesses with a mask, or that leave out what is outside; positions beyond
the array; parts of a dimension that is more than eight times as long, when they are read; parts that are
written, of which no others in the same block make up the dimension, or between which the array is accessed.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import TypeAlias

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from tilec.analysis.affine import linear
from tilec.analysis.positions import Positions, positions
from tilec.diagnostics import explain
from tilec.dialects.tile.access import AccessOp, Dim
from tilec.dialects.tile.arrays import LoadOp, StoreOp
from tilec.dialects.tile.elementwise import CastOp
from tilec.dialects.tile.gathers import GatherOp, ScatterOp
from tilec.dialects.tile.types import element_type, shape_of, span_names, value_type
from tilec.dialects.tile.values import BroadcastOp, ConcatenateOp, SliceOp
from tilec.dialects.tile.views import viewed_array

Stored: TypeAlias = ScatterOp | StoreOp

MOST = 8
"""How many times as long as a part that is read its dimension may be."""


class RaiseParts(ModulePass):
    """Read parts of a dimension as slices of it, and store those that make it up together."""

    name = "raise-parts"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for gather in [inner for inner in op.walk() if isinstance(inner, GatherOp)]:
            _load(gather)
        for store in [inner for inner in op.walk() if isinstance(inner, Stored)]:
            if store.parent is not None:  # not yet stored with others
                _store(store)


def _part(access: GatherOp | Stored) -> tuple[int, int, int] | None:
    """The dimension of which an access has a part, and where that begins and ends."""
    if isinstance(access, StoreOp):
        return _column(access)
    place = next(i for i, dim in enumerate(access.window) if dim.indexed)
    dim, whole = access.window[place], shape_of(access.array.type)[place]
    form = None if dim.base is None else positions(dim.base)
    if dim.base is None or not isinstance(form, Positions) or form.spans or form.lanes != {0: 1}:
        return None
    begin = (form.scalar + linear(dim.shift)).literal
    shape = shape_of(dim.base.type)
    if begin is None or begin < 0 or len(shape) != 1 or begin + shape[0] > whole or access.mask is not None:
        return None
    return place, begin, begin + shape[0]


def _column(store: StoreOp) -> tuple[int, int, int] | None:
    """The same of a tile that is stored to one place of the last dimension."""
    place = len(store.window) - 1
    dim, whole = store.window[place], shape_of(store.array.type)[place]
    number = dim.shift if dim.base is None and not dim.full else None
    if not isinstance(number, int) or not 0 <= number < whole:
        return None
    if store.mask is not None or not shape_of(store.value.type):
        return None
    return place, number, number + 1


def _whole(window: Sequence[Dim], place: int) -> list[Dim]:
    """A window with all of a dimension."""
    return [Dim(full=True) if i == place else dim for i, dim in enumerate(window)]


def _load(gather: GatherOp) -> None:
    part = _part(gather)
    if part is None:
        return
    place, begin, end = part
    whole = shape_of(gather.array.type)[place]
    if whole > MOST * (end - begin):
        explain(gather, f"raise-parts: {end - begin} of {whole} places are read at their positions")
        return
    load = LoadOp(gather.array, _whole(gather.window, place))
    load.placement = gather.placement
    made: list[Operation] = [load]
    if end - begin < whole:
        kept = sum(dim.kept for dim in gather.window[:place])
        made.append(SliceOp(load.result, kept, begin, end - begin))
    for op in made:
        op.location = gather.location
    Rewriter.replace_op(gather, made, [made[-1].results[0]])


def _store(first: Stored) -> None:
    part = _part(first)
    if part is None or _drops(first):
        return
    place = part[0]
    found = _together(first, place)
    bounds = sorted(found)
    joined = all(end == begin for (_, end), (begin, _) in pairwise(bounds))
    if bounds[0][0] != 0 or bounds[-1][1] != shape_of(first.array.type)[place] or not joined:
        explain(first, "raise-parts: no stores beside it make up the rest of the dimension")
        return
    last = list(found.values())[-1]
    made: list[Operation] = []
    values = [_value(found[each], made) for each in bounds]
    if len(values) > 1:
        made.append(ConcatenateOp(values, sum(dim.kept for dim in first.window[:place])))
        values = list(made[-1].results)
    store = StoreOp(values[0], first.array, _whole(first.window, place))
    store.placement = last.placement
    made.append(store)
    for op in made:
        op.location = last.location
    Rewriter.insert_op(made, InsertPoint.before(last))
    for each in found.values():
        Rewriter.erase_op(each)


def _drops(store: Stored) -> bool:
    return isinstance(store, ScatterOp) and store.drop is not None


def _value(store: Stored, made: list[Operation]) -> SSAValue:
    """What is stored in the array's element type, with a dimension of 1 for a number."""
    value, kind = store.value, element_type(store.array.type)
    if element_type(value.type) != kind:
        made.append(CastOp(value, kind))
        value = made[-1].results[0]
    if isinstance(store, StoreOp):
        shape, names = shape_of(value.type), span_names(value.type)
        made.append(BroadcastOp(value, range(len(shape)), value_type(kind, (*shape, 1), (*names, None))))
        value = made[-1].results[0]
    return value


def _together(first: Stored, place: int) -> dict[tuple[int, int], Stored]:
    """The stores from `first` on to parts of a dimension of one window, in a row: nothing accesses the
    array between them."""
    found: dict[tuple[int, int], Stored] = {}
    op: Operation | None = first
    array = viewed_array(first.array)
    while op is not None:
        part = _part_of(op, first, place)
        if part is not None and isinstance(op, Stored):
            if part in found:
                break  # a later one begins anew
            found[part] = op
        elif any(isinstance(each, AccessOp) and viewed_array(each.array) is array for each in op.walk()):
            break
        op = op.next_op
    return found


def _part_of(op: Operation, first: Stored, place: int) -> tuple[int, int] | None:
    """The part that `op` stores of the dimension of which `first` stores one."""
    if not isinstance(op, Stored) or op.array is not first.array or _drops(op):
        return None
    part = _part(op)
    same = part is not None and part[0] == place and _whole(op.window, place) == _whole(first.window, place)
    return part[1:] if part is not None and same else None
