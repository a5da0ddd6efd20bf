"""`--assume-distinct`: iterations of a grid that store at loaded positions are taken to differ in them.

The iterations of a grid have no order, so a program in which two of them store to one element means nothing.
Where only loaded positions could tell them apart, a `tile.distinct` says that they do, as `tile.scatter` says
it of its lanes. All positions of the store are one promise: of `%cache[%page, %row, :, :]` two iterations may
have the same page, or the same row.

Before:
    tile.grid %i = 0 to 8 {
      %p = tile.load %slots[%i]
      %slot = arith.index_cast %p : i32 to index
      %old = tile.load %cache[%slot, :, :]
      …
      tile.store %new, %cache[%slot, :, :]
After:
    tile.grid %i = 0 to 8 {
      %p = tile.load %slots[%i]
      %slot = arith.index_cast %p : i32 to index
      %slot_1 = tile.distinct %slot
      %old = tile.load %cache[%slot_1, :, :]
      …
      tile.store %new, %cache[%slot_1, :, :]

What is left: stores that other dimensions keep apart; stores with a mask, which may leave out all of a
position; positions that follow from a loop inside the grid as well, whose iterations have an order; accesses
of the same array at other positions, which `--classify-axes` then refuses.
"""

from collections.abc import Iterable, Mapping

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from tilec.analysis.affine import arguments_behind, is_inside, operations_behind
from tilec.analysis.distinct import is_same, position
from tilec.analysis.races import conflicts
from tilec.analysis.within import around
from tilec.diagnostics import explain
from tilec.dialects.tile.access import AccessOp
from tilec.dialects.tile.arrays import LoadOp, StoreOp
from tilec.dialects.tile.gathers import DistinctOp
from tilec.dialects.tile.loops import GridOp


class AssumeDistinct(ModulePass):
    """Say that loaded positions of stores differ, where nothing else tells iterations of a grid apart."""

    name = "assume-distinct"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for grid in [inner for inner in op.walk() if isinstance(inner, GridOp)]:
            for store in _racing(grid):
                _promise(store, grid)


def _racing(grid: GridOp) -> list[StoreOp]:
    """The stores that meet themselves in two iterations of a grid."""
    own = (
        each.write for axis in grid.axes for each in conflicts(grid, axis.value) if each.other is each.write
    )
    return [op for op in dict.fromkeys(own) if isinstance(op, StoreOp)]


def _promise(store: StoreOp, grid: GridOp) -> None:
    """Let the scalar positions of a store be distinct together, if one is loaded and all follow from the
    grid."""
    places = _places(store, range(len(store.window)))
    if store.mask is not None:
        return  # what it leaves out may be all of it, at a position that others have
    behind = [op for place in places.values() for op in operations_behind(place)]
    axes = [value for value in arguments_behind(places.values()) if is_inside(value, grid)]
    follow = all(axis in grid.body.block.args for axis in axes)
    if not follow or not any(isinstance(op, LoadOp) for op in behind):
        return
    same = _through(places, store, grid)
    first = next(op for op in same if op.parent is store.parent)
    firsts = _places(first, places)
    values = list(dict.fromkeys(firsts.values()))
    made = DistinctOp(values)
    made.location = store.location
    Rewriter.insert_op(made, InsertPoint.before(first))
    told = dict(zip(values, made.results_, strict=True))
    for value, result in told.items():
        result.name_hint = value.name_hint
    for op in same[same.index(first) :]:
        if store.parent not in (op.parent, *(each.parent for each in around(op, grid))):
            continue  # not where the promise is made
        own = {_places(op, [i])[i]: told[value] for i, value in firsts.items()}
        op.operands = [own.get(value, value) for value in op.operands]
    explain(
        store,
        f"assume-distinct: positions of %{store.array.name_hint or 'array'} are taken to differ from "
        "iteration to iteration, which nothing else tells apart",
    )


def _places(op: AccessOp, dims: Iterable[int]) -> dict[int, SSAValue]:
    """The scalars that are the one index of some dimensions each."""
    return {i: place for i in dims if (place := position(op.window[i])) is not None}


def _through(places: Mapping[int, SSAValue], store: StoreOp, grid: GridOp) -> list[AccessOp]:
    """The accesses of what a store writes at its `places`, which they may have computed anew."""
    accesses = [op for op in grid.walk() if isinstance(op, AccessOp)]
    written = {op.array for op in accesses if op.writes}
    found: list[AccessOp] = []
    for op in [op for op in accesses if op.array is store.array]:
        own = _places(op, places)
        if len(own) == len(places) and all(is_same(own[i], places[i], written) for i in places):
            found.append(op)
    return found
