"""`--one-hot-segments="items=auto|all|none"`: sums over the rows of short segments, a tile of them at once.

A grid that goes through items one by one makes a step for each, and copies a whole tile of rows for the few
that are the item's. Here it goes through tiles of items, and an inner axis through all their rows. Which row
is whose is a matrix of ones and zeros; the sums of all items of the tile are its product with the rows.

Before:
    tile.grid %g = 0 to 1000 {
      %b, %e = tile.segment %offsets[%g]
      %sum = tile.for %m = %b to %e by m mean 12 iter_args(%a = %zero) {
        %v = tile.load %x[%m, :]
        %s = tile.reduce add %v dims [0]
        …
      }
      tile.store %sum, %out[%g, :]
After:
    tile.grid %g = 0 to 1000 by g {
      %i = tile.bound begin %g
      %j = tile.bound end %g
      %b, %e = tile.segment %offsets[%i to %j]
      %bs = tile.load %offsets[%g]
      %es = tile.load %offsets[%g + 1]
      %sum = tile.for %m = %b to %e by m iter_args(%a = %zeros) {
        %v = tile.load %x[%m, :]
        %hits = …                        // [g, m]: whether row m is of item g
        %s = …                           // the product of %hits and %v
        …
      }
      tile.store %sum, %out[%g, :]

A product with zero is no zero where the row holds an infinity or a NaN. The product of the tile shows that
there is one: then, and only then, it is computed again from the finite elements, and the others are counted.
Rows of f32 are multiplied as three bf16 each, which is exact.

`items=auto` does so where the axis of the rows says that its extent is on average (`mean N`) less than a
quarter of a tile, which is of 128 rows where nothing is said; `items=all` wherever it can.

What is left alone: extremes and other combinations of rows; rows that depend on the item, as in a second loop
that subtracts its mean; what follows the sums, if it is not done lane by lane; accesses with masks.
`--explain` says what it is.
"""

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import IndexType, ModuleOp
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass

from tilec.diagnostics import explain, fail
from tilec.dialects.tile.loops import ForOp, GridOp
from tilec.dialects.tile.types import UNBOUND, span_of
from tilec.passes.choose_blocks import DEFAULT_BLOCK
from tilec.rewriting.item_sums import Refused, RowSums, row_sums, segment_of
from tilec.rewriting.item_tiles import tile_items
from tilec.rewriting.nests import free_name

ITEMS = ("auto", "all", "none")
SHORT = 4
"""Segments are short if so many of average length fit a tile of rows: products are cheaper than a step for
each item then. Source: bundles of both forms, v5e, tiles of 256 x 256."""


@dataclass(frozen=True)
class OneHotSegments(ModulePass):
    """Sum the rows of a tile of segments at once: "items=auto|all|none"."""

    name = "one-hot-segments"

    items: str = "auto"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if self.items not in ITEMS:
            fail(op, f"one-hot-segments: items={self.items}; {', '.join(ITEMS)} are accepted")
        if self.items == "none":
            return
        for grid in [inner for inner in op.walk() if isinstance(inner, GridOp)]:
            self._convert(grid)

    def _convert(self, grid: GridOp) -> None:
        for axis in grid.axes:
            loops = _loops_over(grid, axis.value)
            if not loops or (self.items == "auto" and not any(_is_short(loop) for loop in loops)):
                continue
            reason = _tile(grid, axis.value, loops)
            said = (
                f"{axis.name} goes through tiles of items"
                if reason is None
                else f"{axis.name} stays: {reason}"
            )
            explain(grid, f"one-hot-segments: {said}")
            return


def _loops_over(grid: GridOp, item: SSAValue) -> list[ForOp]:
    """The loops over the rows of segment number `item`, an index."""
    if not isinstance(item.type, IndexType):
        return []
    return [op for op in grid.walk() if isinstance(op, ForOp) and segment_of(op, item) is not None]


def _is_short(loop: ForOp) -> bool:
    """Whether the segments are known to be much shorter than a tile of rows."""
    mean, span = loop.axis.bounds.mean, span_of(loop.axis.value)
    rows = DEFAULT_BLOCK if span is None or span.size == UNBOUND else span.size
    return mean is not None and mean * SHORT < rows


def _tile(grid: GridOp, item: SSAValue, loops: list[ForOp]) -> str | None:
    """Go through tiles of items; returns why not, where that cannot be."""
    sums: dict[ForOp, RowSums] = {}
    try:
        for loop in loops:
            segment = segment_of(loop, item)
            if segment is not None:
                sums[loop] = row_sums(loop, segment)
    except Refused as refused:
        return str(refused)
    return tile_items(grid, item, sums, _tile_name(grid, item))


def _tile_name(grid: GridOp, item: SSAValue) -> str:
    return free_name(grid, item.name_hint or "item")


def item_names(module: ModuleOp) -> list[str]:
    """What tiles of items would be called, of the axes of a program's grids that go through single ones."""
    return [
        _tile_name(grid, axis.value)
        for grid in module.walk()
        if isinstance(grid, GridOp)
        for axis in grid.axes
        if isinstance(axis.value.type, IndexType)
    ]
