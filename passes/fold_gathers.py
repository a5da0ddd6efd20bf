"""`--fold-gathers`: single elements at computed positions are looked for in a matrix of rows and lanes.

Which lanes name an element is a comparison with all elements of the array. Seen as a matrix, an element has
a row and a place in it. The matrix unit multiplies the rows by the ones and zeros of a comparison with the
places only, and of what each lane finds in its place of each row one is selected by a comparison with the
rows: of 16,384 elements 128 and 128 comparisons a lane.

Before:
    %v = tile.gather %x[%ids]                            // %x: memref<16384xf32>
After:
    %rows = tile.view %x : memref<16384xf32> to memref<128x128xf32>
    …
    %row = arith.shrsi %ids, %seven : tensor<1024xi32, #tile.spans<m>>
    %place = arith.andi %ids, %last : tensor<1024xi32, #tile.spans<m>>
    %ones = …                                            // [place, m]: 1 where a lane's place is `place`
    %table = tile.load %rows[:, :]
    %found = tile.dot %table, %ones
    %there = tile.select %hits, %found, %zero            // [row, m]: whether a lane's row is `row`
    %v = tile.reduce add %there dims [0]

Products are exact, as those of `--expand-gathers` are. Of more than 256 rows a loop goes through blocks. In
long vectors, where that takes longer than a copy of a row for each lane, a gather finds rows of 128, of
which one is selected:

    %found = tile.gather %rows[%row, :]
    %picked = tile.select %hits, %found, %zero           // [m, place]
    %v = tile.reduce add %picked dims [1]

It is done to what a kernel only reads, at positions of rank 1 in the last dimension of an array, which has a
multiple of 8 elements, 256 or more; of rows of 128 a multiple of 128. Last bits of f32 below 2**-110 may be
lost.
"""

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import ModuleOp, i32
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter

from tilec.analysis.vmem import LANES
from tilec.diagnostics import explain
from tilec.dialects.tile.access import Dim
from tilec.dialects.tile.arrays import LoadOp
from tilec.dialects.tile.elementwise import CompareOp, Relation, SelectOp
from tilec.dialects.tile.gathers import GatherOp
from tilec.dialects.tile.loops import GridOp, YieldOp
from tilec.dialects.tile.mixing import Combine, ReduceOp
from tilec.dialects.tile.types import element_type, shape_of, span_names, value_type, with_element
from tilec.dialects.tile.values import BroadcastOp, IndicesOp
from tilec.dialects.tile.views import viewed_array
from tilec.rewriting.accumulators import added, as_element, constant, fill_with_zeros, wide_element
from tilec.rewriting.factored import ROWS, Factored
from tilec.rewriting.index import IndexBuilder
from tilec.rewriting.one_hot import as_ids, lane_numbers, or_other
from tilec.rewriting.row_blocks import RowBlocks
from tilec.rewriting.single_elements import elements_of, gathers_of, places_of
from tilec.rewriting.unflattened import Views

_MOST = 256 * LANES
"""Elements up to which products take less time than a copy of a row for each lane, which takes 2 to 5 ns on a
v6e: those of a block of rows."""
_BITS = LANES.bit_length() - 1


class FoldGathers(ModulePass):
    """Look for single elements in rows of lanes."""

    name = "fold-gathers"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        views = Views()
        for grid in [inner for inner in op.walk() if isinstance(inner, GridOp)]:
            for gather in gathers_of(grid):
                extent = elements_of(gather)
                if extent > _MOST and extent % LANES == 0 and len(gather.window) == 1:
                    explain(gather, f"fold-gathers: its elements are looked for in rows of {LANES}")
                    _copy(gather, views)
                elif (places := places_of(extent)) is not None:
                    explain(gather, f"fold-gathers: its elements are in rows of {places}")
                    _Products.apply(gather, places, views)


@dataclass
class _Products:
    """A gather of single elements, and the products that take its place."""

    op: GatherOp
    matrix: Factored

    @classmethod
    def apply(cls, op: GatherOp, places: int, views: Views) -> None:
        """Multiply rows of so many places."""
        fill_with_zeros(viewed_array(op.array))  # not all of a row may have been stored
        made: list[Operation] = []
        build = IndexBuilder(made, op.location)
        products = cls(op, Factored.of(op, places, views, build))
        found = or_other(build, op, as_element(build, products._found(build), element_type(op.result.type)))
        found.name_hint = op.result.name_hint
        Rewriter.replace_op(op, made, [found])

    def _found(self, build: IndexBuilder) -> SSAValue:
        """What lanes find in all rows, in 32 bits."""
        matrix = self.matrix
        if matrix.rows <= ROWS:
            return self._found_in(build, lane_numbers(build, matrix.rows), Dim(full=True))
        element = wide_element(element_type(self.op.result.type))
        start = build.insert(constant(0, with_element(self.op.result.type, element)))
        blocks = RowBlocks(FoldGathers.name, self.op, matrix.array, len(matrix.window), ROWS)
        body, inside = blocks.body(start), list[Operation]()
        inner = IndexBuilder(inside, self.op.location)
        more = self._found_in(inner, inner.insert(IndicesOp(body.args[0])), Dim(body.args[0]))
        inner.insert_all(YieldOp([added(inner, body.args[1], more)]), self.op.location)
        body.add_ops(inside)
        loop = blocks.loop(body, start)
        build.insert_all(loop, self.op.location)
        return loop.results_[0]

    def _found_in(self, build: IndexBuilder, numbers: SSAValue, rows: Dim) -> SSAValue:
        """What lanes find in the rows of these numbers; 0 where they name others."""
        matrix = self.matrix
        table = build.insert(LoadOp(matrix.array, matrix.at(rows)))
        found = matrix.in_places(build).summed(table, 1, lanes=False)
        return matrix.in_rows(build, numbers).placed(found)


def _copy(op: GatherOp, views: Views) -> None:
    """Replace a gather of elements by one of rows and the choice of a lane of each."""
    made: list[Operation] = []
    build = IndexBuilder(made, op.location)
    (dim,), (extent,) = op.window, shape_of(op.array.type)
    if dim.base is None:
        raise ValueError("positions come from a tile")
    ids = as_ids(build, dim.base, dim.shift)
    row = build.insert(arith.ShRSIOp(ids, build.insert(constant(_BITS, ids.type))))
    place = build.insert(arith.AndIOp(ids, build.insert(constant(LANES - 1, ids.type))))
    fill_with_zeros(viewed_array(op.array))  # not all of a row may have been stored
    rows = views.seen_as(op.array, (extent // LANES, LANES))
    window = [Dim(row), Dim(full=True)]
    kind = value_type(
        element_type(op.array.type), [*shape_of(ids.type), LANES], [*span_names(ids.type), None]
    )
    mask = other = None
    if op.mask is not None:
        mask = build.insert(BroadcastOp(op.mask, [0], with_element(kind, element_type(op.mask.type))))
        other = build.insert(constant(0, kind))
    found = build.insert(GatherOp(rows, window, mask, other))
    picked = or_other(build, op, _picked(found, place, build))
    picked.name_hint = op.result.name_hint
    Rewriter.replace_op(op, made, [picked])


def _picked(found: SSAValue, place: SSAValue, build: IndexBuilder) -> SSAValue:
    """The element of each row at its place."""
    element = element_type(found.type)
    numbers = lane_numbers(build, LANES)
    kind = with_element(found.type, i32)
    every = [build.insert(BroadcastOp(side, [dim], kind)) for dim, side in ((1, numbers), (0, place))]
    wide = as_element(build, found, wide_element(element))
    hits = build.insert(CompareOp(Relation.EQ, *every))
    chosen = build.insert(SelectOp(hits, wide, build.insert(constant(0, wide.type))))
    return as_element(build, build.insert(ReduceOp(Combine.ADD, chosen, [1])), element)
