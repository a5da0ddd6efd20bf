"""`--expand-gathers="order=auto chip=v5e rows=512"`: accesses at computed positions become ordinary ones.

A tile of integers says which rows are read or updated. Nothing on a TPU's vector unit follows such a tile;
what it can do is compare. So a loop goes through the rows of the array, a block at a time, and each block
finds the lanes that name one of its rows.

Before:
    %ids = tile.load %indices[%m]
    tile.atomic_rmw add %rows, %out[%ids, :]
After:
    %ids = tile.load %indices[%m]
    tile.for %o = 0 to 1000 by o:256 {
      %hits = …                      // [o, m]: whether lane m names row o
      %ones = tile.select %hits, %one, %zero
      %part = tile.dot %ones, %rows
      tile.atomic_rmw add %part, %out[%o, :]
    }

Rows are multiplied by the comparison's ones and zeros on the matrix unit, which is exact for every type, an
f32 as the sum of three bf16, also beside rows with infinities and NaN. Parts below 2**-126 count as zero, so
that f32 below 2**-110 may lose last bits. Of single elements those that are named are selected and combined
on the vector unit. `rows` is how many rows of the array a block has, else 1,024 of one that is read or
scattered to, where fewer blocks are less work, and 256 of sums and the like.

`order=inner` lets each tile of positions meet every block, so that the array stays on the chip, and
`order=outer`, for an update that is alone in its grid, each block every tile: the loop is an axis of the
grid, and a block stays. `order=auto` takes the outer one where the whole array would take more than 4 MiB of
the chip, or is one block.

`order=rows` makes no products. A gather of rows is marked `rows`: the array stays where it is, positions go
to scalar memory, and a step copies its rows one by one. So is an update of rows at positions loaded as they
are: the array is resident, and a step combines its rows with those of the array one by one. `order=auto` does
so where it takes less time on the `chip` than products do, and where there are none, for extremes and bitwise
updates of rows, and to read planes of arrays of more dimensions. 8192 rows of a table of 32,000 x 1024 f32
are gathered in 68 us on a v6e, estimated, in place of 2980 with products, and in 166 in bf16, which is copied
in tiles of eight rows. Rows of a view may be parts of those of its array, which then is not laid out anew.
For other accesses the grid goes through the positions, a row a step. What is not done lane by lane, a mask or
`drop` keep a grid as it is.

So is one index in the last dimension of what is loaded, whose elements lie side by side in a register: the
rows are loaded, and the lane selected. Not of arrays that the grid writes.

So is each element of a table of up to 256 that positions in a tile of rank 2 or more name: it is selected
where they do.

Refused: such positions in other arrays; values of rank 3 or more but planes that are read; extremes of whole
rows where the grid cannot go one by one; elements of 1 or 64 bits; a mask that may keep another dimension
inside the array.
"""

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import AnyFloat, ModuleOp, bf16, f32, i1, i64
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter

from tilec.analysis.jagged_spans import refuse_jagged_spans
from tilec.analysis.row_gathers import gather_obstacle
from tilec.analysis.within import dim_kept_by_mask, grid_around
from tilec.chips.option import chip_option
from tilec.diagnostics import explain, fail
from tilec.dialects.tile.access import AccessOp, Dim
from tilec.dialects.tile.arrays import LoadOp
from tilec.dialects.tile.atomics import AtomicRmwOp, Rmw
from tilec.dialects.tile.elementwise import CompareOp, Relation, SelectOp
from tilec.dialects.tile.gathers import GatherOp, RunsOp, ScatterOp
from tilec.dialects.tile.locals import is_local
from tilec.dialects.tile.loops import GridOp, YieldOp
from tilec.dialects.tile.mixing import Combine, identity
from tilec.dialects.tile.types import (
    element_type,
    shape_of,
    with_element,
)
from tilec.dialects.tile.values import BroadcastOp, IndicesOp
from tilec.rewriting.accumulators import added, as_element, constant, fill_with_zeros, wide_element
from tilec.rewriting.columns import is_column, select_column
from tilec.rewriting.index import IndexBuilder
from tilec.rewriting.lookups import MOST, is_lookup, look_up
from tilec.rewriting.one_hot import Picker, as_ids, hits_of, most_lanes, or_other
from tilec.rewriting.row_blocks import RowBlocks, check_order
from tilec.rewriting.row_choice import choose_rows, has_no_product, indexed

MOVED, UPDATED = 1024, 256
"""Rows of a block that is read or scattered to, and of one that is updated. What lanes find in a block is
added to what they found before, in memory: half as many blocks, a quarter less time. Sums gain nothing."""


@dataclass(frozen=True)
class ExpandGathers(ModulePass):
    """Make ordinary accesses of those at computed positions: "order=auto|inner|outer|rows rows=512
    chip=v5e"."""

    name = "expand-gathers"

    order: str = "auto"
    rows: int | None = None
    chip: str = "v5e"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        refuse_jagged_spans(op, self.name)
        check_order(op, self.name, self.order)
        if self.rows is not None and self.rows < 1:
            fail(op, f"expand-gathers: rows={self.rows}; 1 or more is accepted")
        chip = chip_option(op, self.name, self.chip)
        for grid in [inner for inner in op.walk() if isinstance(inner, GridOp)]:
            choose_rows(grid, self.order, chip)
        for grid in [inner for inner in op.walk() if isinstance(inner, GridOp)]:
            for load in [inner for inner in grid.walk() if isinstance(inner, LoadOp)]:
                if is_column(load, grid):
                    explain(load, "expand-gathers: one lane is selected of the rows around it")
                    select_column(load)
        for access in indexed(op):
            if isinstance(access, GatherOp) and is_lookup(access):
                explain(access, "expand-gathers: each element of the table is selected where it is named")
                look_up(access)
            elif not (isinstance(access, AtomicRmwOp | GatherOp) and access.rows):
                _check(access)
                _check_mask(access)
                rows = self.rows or (UPDATED if isinstance(access, AtomicRmwOp) else MOVED)
                _Expansion(access, "auto" if self.order == "rows" else self.order, rows).apply()


def _check(access: AccessOp) -> None:
    """Refuse what has no form as a loop through rows."""
    ids = access.positions
    if ids is None:
        raise ValueError("positions come from a tile")
    rank, element = sum(dim.kept for dim in access.window), element_type(access.array.type)
    bits = isinstance(access, AtomicRmwOp) and rank == 1 and access.kind.data is not Rmw.ADD
    if element == i64 or (element == i1 and not bits):
        fail(
            access,
            f"expand-gathers: elements of type {element}; floats and integers of 8 to 32 bits are accepted",
        )
    if element_type(ids.type) == i64:
        fail(
            access,
            f"expand-gathers: positions of type {ids.type}; a TPU has no 64-bit integers, those of up to 32 "
            "bits are accepted",
        )
    if is_local(access.array):
        fail(
            access,
            f"expand-gathers: {access.name} at computed positions of on-chip memory; use an array, of which "
            "what is updated stays on the chip",
        )
    if len(shape_of(ids.type)) != 1:
        fail(
            access,
            f"expand-gathers: positions of type {ids.type}; a tile of rank 1 is accepted, or a table of up "
            f"to {MOST} elements to read",
        )
    if rank > 2:
        fail(
            access,
            f"expand-gathers: {access.name} at computed positions moves a value of rank {rank}; 1 and 2 are "
            "accepted, and to read planes, of which copies are made (--explain says why not): index the "
            "other dimensions by an axis, or go through the positions one by one",
        )
    _check_lanes(access, ids)
    if isinstance(ids.owner, RunsOp):
        kernel, why = grid_around(access), "a tile.gather in a grid does that"
        if isinstance(access, GatherOp) and kernel is not None:
            why = gather_obstacle(access, kernel)
        fail(access, f"expand-gathers: {access.name} at positions in runs, which are only copied: {why}")
    if has_no_product(access):
        fail(
            access,
            "expand-gathers: only sums of whole rows are products, and the grid cannot go through these "
            "positions one by one (--explain says why); update single elements, or load each position alone",
        )


def _check_lanes(access: AccessOp, ids: SSAValue) -> None:
    """Refuse tiles so long that a sum of bytes may leave the 24 bits that f32 has."""
    lanes = shape_of(ids.type)[0]
    if not isinstance(access, AtomicRmwOp) or isinstance(element_type(access.array.type), AnyFloat):
        return
    if len(shape_of(access.value.type)) == 2 and lanes > (most := most_lanes(access.value)):
        fail(
            access,
            f"expand-gathers: sums of integers in tiles of {lanes} positions; up to {most} are exact: choose "
            "a smaller block",
        )


def _check_mask(access: AccessOp) -> None:
    """Refuse a mask that may keep lanes inside the array: blocks of rows are accessed without it."""
    position = dim_kept_by_mask(access)
    if position is not None:
        fail(
            access,
            f"expand-gathers: only the mask of {access.name} may keep dimension {position} inside "
            f"%{access.array.name_hint or 'array'}, and blocks of rows are accessed without it; "
            "index that dimension by an axis or by `:`",
        )


@dataclass
class _Expansion:
    """One access at computed positions, and the loop through rows that takes its place."""

    access: AccessOp
    order: str
    rows: int

    def apply(self) -> None:
        if not isinstance(self.access, AtomicRmwOp):
            fill_with_zeros(self.access.array)  # of a scatter too: blocks of rows keep what no lane names
        if isinstance(self.access, GatherOp):
            self._gather(self.access)
        else:
            self._blocks.update(self.order, self._updates)

    # The array and its blocks

    @property
    def _position(self) -> int:
        if self.access.indexed is None:
            raise ValueError("positions come from a tile")
        return self.access.indexed

    @property
    def _blocks(self) -> RowBlocks:
        return RowBlocks("expand-gathers", self.access, self.access.array, self._position, self.rows)

    @property
    def _lanes_first(self) -> bool:
        """Whether the lanes that name rows are the first dimension of the value."""
        return not any(dim.kept for dim in self.access.window[: self._position])

    def _window(self, span: SSAValue) -> list[Dim]:
        window = list(self.access.window)
        window[self._position] = Dim(span)
        return window

    # Updates

    def _picker(self, build: IndexBuilder, span: SSAValue) -> Picker:
        dim = self.access.window[self._position]
        if dim.base is None:
            raise ValueError("positions come from a tile")
        rows = build.insert(IndicesOp(span))
        return Picker(build, hits_of(build, rows, as_ids(build, dim.base, dim.shift)))

    def _updates(self, span: SSAValue) -> list[Operation]:
        """The update of one block of rows."""
        ops: list[Operation] = []
        build = IndexBuilder(ops, self.access.location)
        picker = self._picker(build, span)
        if isinstance(self.access, ScatterOp):
            made = self._scattered(self.access, picker, span)
        elif isinstance(self.access, AtomicRmwOp):
            part = self._combined(self.access, picker)
            made = AtomicRmwOp(self.access.kind.data, part, self.access.array, self._window(span))
        else:
            raise ValueError("an update is a scatter or an atomic")
        build.insert_all(made, self.access.location)
        return ops

    def _combined(self, op: AtomicRmwOp, picker: Picker) -> SSAValue:
        """What the lanes that name a row make of it together."""
        kind, build, value = Combine(op.kind.data), picker.build, op.value
        held = element_type(op.array.type)
        if not isinstance(held, AnyFloat):  # as the array would hold them
            value = as_element(build, value, held)
        neutral = identity(kind, held)
        if op.mask is not None:
            value = build.insert(SelectOp(op.mask, value, build.insert(constant(neutral, value.type))))
        if len(shape_of(value.type)) == 1:
            return picker.combined(kind, as_element(build, value, wide_element(held)), neutral)
        lanes = 0 if self._lanes_first else 1
        return picker.summed(value, lanes, lanes=True)

    def _scattered(self, op: ScatterOp, picker: Picker, span: SSAValue) -> AtomicRmwOp:
        """The lanes that name rows, in their places, where there are some."""
        build, element = picker.build, element_type(op.value.type)
        value, ones = op.value, build.insert(constant(1, with_element(op.value.type, bf16)))
        if op.mask is not None:
            value = build.insert(SelectOp(op.mask, value, build.insert(constant(0, value.type))))
            ones = build.insert(SelectOp(op.mask, ones, build.insert(constant(0, ones.type))))
        dim = 0 if self._lanes_first else 1
        if len(shape_of(value.type)) == 1:
            part = picker.combined(Combine.ADD, as_element(build, value, wide_element(element)), 0)
            met = picker.combined(Combine.ADD, as_element(build, ones, f32), 0)
        elif op.mask is not None:
            part, met = picker.summed(value, dim, lanes=True), picker.counted(ones, dim)
        else:  # some lane names a row, whatever else it says
            part = picker.summed(value, dim, lanes=True)
            met = build.insert(BroadcastOp(picker.named(), [dim], with_element(part.type, f32)))
        some = build.insert(CompareOp(Relation.GT, met, build.insert(constant(0, met.type))))
        window = self._window(span)
        return AtomicRmwOp(Rmw.EXCHANGE, part, op.array, window, mask=some, unique=True)

    # Gathers

    def _gather(self, op: GatherOp) -> None:
        """Carry what was found through the blocks of rows."""
        before: list[Operation] = []
        build = IndexBuilder(before, op.location)
        element = element_type(op.result.type)
        start = build.insert(constant(0, with_element(op.result.type, wide_element(element))))
        blocks = self._blocks
        body = blocks.body(start)
        span, found = body.args
        found.name_hint = op.result.name_hint
        inside: list[Operation] = []
        inner = IndexBuilder(inside, op.location)
        rows = inner.insert(LoadOp(op.array, self._window(span)))
        picker = self._picker(inner, span)
        if len(shape_of(rows.type)) == 1:
            more = picker.chosen(as_element(inner, rows, wide_element(element)))
        else:
            more = picker.summed(rows, 0 if self._lanes_first else 1, lanes=False)
        inner.insert_all(YieldOp([added(inner, found, more)]), op.location)
        body.add_ops(inside)
        loop = blocks.loop(body, start)
        build.insert_all(loop, op.location)
        result = or_other(build, op, as_element(build, loop.results_[0], element))
        result.name_hint = op.result.name_hint
        Rewriter.replace_op(op, before, [result])
