"""`--fold-updates="order=auto"`: single elements are added to in a matrix of rows and lanes.

Which lanes name an element is a comparison with all elements of the array. Seen as a matrix, an element has
a row and a place in it, and a lane names it where it names both. So the lanes are compared with the rows and
with the places only, and the matrix unit multiplies the two comparisons: of 256 elements with 16 rows and 16
places, of 16,384 with 128 and 128.

Before:
    tile.atomic_rmw add %v, %out[%ids]                   // %out: memref<256xf32>
After:
    %rows = tile.view %out : memref<256xf32> to memref<16x16xf32>
    …
    %row = arith.shrsi %ids, %four : tensor<1024xi32, #tile.spans<m>>
    %place = arith.andi %ids, %last : tensor<1024xi32, #tile.spans<m>>
    %there = …                                           // [row, m]: %v where a lane's row is `row`, else 0
    %ones = …                                            // [place, m]: 1 where a lane's place is `place`
    %part = tile.dot %there, %ones contract [1] x [1]
    tile.atomic_rmw add %part, %rows[:, :]

It is exact as products of `--expand-gathers` are: an f32 is the sum of three bf16, an i32 that of four bytes,
numbers that are known to have fewer bits of fewer, and what is not finite is looked for. One product has all
of these below each other, if the rows are a multiple of 8. A histogram of 1,048,576 elements in 256 bins
takes 16 us on a v6e, estimated, in place of 157.

Scatters of single elements are the same, with a second product that says which elements are named. Of more
than 256 rows a loop goes through blocks, or the grid does, by `order` as in `--expand-gathers`.

It is done where an array has a multiple of 8 elements along its last dimension, 128 or more, or 256 for
numbers of several parts, and all that a grid does with it are such updates. Left alone are extremes and
bitwise updates, of which there is no product; positions in tiles of rank 2 or more; tiles of integers so long
that a sum of their bytes may leave the 24 bits that f32 has; and all with `order=rows`. Last bits of f32
below 2**-110 may be lost.
"""

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import AnyFloat, ModuleOp, bf16
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from tilec.diagnostics import explain
from tilec.dialects.tile.access import Dim
from tilec.dialects.tile.atomics import AtomicRmwOp, Rmw
from tilec.dialects.tile.elementwise import CompareOp, Relation
from tilec.dialects.tile.gathers import ScatterOp
from tilec.dialects.tile.loops import GridOp
from tilec.dialects.tile.types import element_type, with_element
from tilec.dialects.tile.values import IndicesOp
from tilec.dialects.tile.views import viewed_array
from tilec.rewriting.accumulators import as_element, constant, fill_with_zeros
from tilec.rewriting.factored import ROWS, Factored
from tilec.rewriting.index import IndexBuilder
from tilec.rewriting.one_hot import lane_numbers
from tilec.rewriting.row_blocks import RowBlocks, check_order
from tilec.rewriting.single_elements import Update, elements_of, places_of, updates_of
from tilec.rewriting.unflattened import Views


@dataclass(frozen=True)
class FoldUpdates(ModulePass):
    """Add to single elements in rows of lanes: "order=auto|inner|outer|rows"."""

    name = "fold-updates"

    order: str = "auto"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        check_order(op, self.name, self.order)
        views = Views()
        for grid in [inner for inner in op.walk() if isinstance(inner, GridOp) and self.order != "rows"]:
            for update in updates_of(grid):
                if (places := places_of(elements_of(update))) is not None:
                    explain(update, f"fold-updates: its elements are in rows of {places}")
                    _Fold.apply(update, places, self.order, views)


@dataclass
class _Fold:
    """An update of single elements, and the products that take its place."""

    op: Update
    matrix: Factored

    @classmethod
    def apply(cls, op: Update, places: int, order: str, views: Views) -> None:
        """Fold an update of rows of so many places."""
        if isinstance(op, ScatterOp):
            fill_with_zeros(viewed_array(op.array))  # rows keep what no lane names
        made: list[Operation] = []
        build = IndexBuilder(made, op.location)
        fold = cls(op, Factored.of(op, places, views, build))
        matrix = fold.matrix
        if matrix.rows <= ROWS:
            fold._update(build, lane_numbers(build, matrix.rows), Dim(full=True))
            Rewriter.replace_op(op, made, [])
        else:
            Rewriter.insert_op(made, InsertPoint.before(op))
            blocks = RowBlocks(FoldUpdates.name, op, matrix.array, len(matrix.window), ROWS)
            blocks.update(order, fold._block)

    def _block(self, span: SSAValue) -> list[Operation]:
        """The update of a block of rows."""
        ops: list[Operation] = []
        build = IndexBuilder(ops, self.op.location)
        self._update(build, build.insert(IndicesOp(span)), Dim(span))
        return ops

    def _update(self, build: IndexBuilder, numbers: SSAValue, rows: Dim) -> None:
        """Update the rows of these numbers."""
        op, matrix, held = self.op, self.matrix, element_type(self.op.array.type)
        value = op.value if isinstance(held, AnyFloat) else as_element(build, op.value, held)
        part, window = matrix.summed(build, numbers, value, op.mask), matrix.at(rows)
        if isinstance(op, AtomicRmwOp):
            made = AtomicRmwOp(op.kind.data, part, matrix.array, window)
        else:
            ones = build.insert(constant(1, with_element(value.type, bf16)))
            met = matrix.summed(build, numbers, ones, op.mask)
            some = build.insert(CompareOp(Relation.GT, met, build.insert(constant(0, met.type))))
            made = AtomicRmwOp(Rmw.EXCHANGE, part, matrix.array, window, mask=some, unique=True)
        build.insert_all(made, op.location)
