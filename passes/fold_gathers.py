"""`--fold-gathers`: single elements of a long vector are looked for in its rows of 128.

What is not copied is compared with all positions, and a vector unit compares one element after the other. A
matrix unit finds whole rows, of 128 elements, by products with the comparison's ones and zeros: 128 times
fewer comparisons. So the vector is seen as rows, of which a gather finds one for each lane, and of that the
one element is selected.

Before:
    %v = tile.gather %x[%ids]                          // %x: memref<1048576xf32>
After:
    %rows = tile.view %x : memref<1048576xf32> to memref<8192x128xf32>
    …
    %row = arith.shrsi %ids, %seven : tensor<256xi32, #tile.spans<m>>
    %place = arith.andi %ids, %last : tensor<256xi32, #tile.spans<m>>
    %found = tile.gather %rows[%row, :]
    %hits = …                                          // whether a lane's number is its %place
    %picked = tile.select %hits, %found, %zero
    %v = tile.reduce add %picked dims [1]

It is done to what a kernel only reads, at positions of rank 1 in 32 bits, in a multiple of 128 elements.
Left alone are vectors of fewer than 32768 elements, and rows of them.
"""

from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import ModuleOp, i1, i32, i64
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter

from tilec.analysis.segments import writes_of
from tilec.analysis.vmem import LANES
from tilec.diagnostics import explain
from tilec.dialects.tile.access import Dim
from tilec.dialects.tile.elementwise import CompareOp, Relation, SelectOp
from tilec.dialects.tile.gathers import GatherOp
from tilec.dialects.tile.locals import is_local
from tilec.dialects.tile.loops import GridOp
from tilec.dialects.tile.mixing import Combine, ReduceOp
from tilec.dialects.tile.types import UNBOUND, element_type, shape_of, span_names, value_type, with_element
from tilec.dialects.tile.values import BroadcastOp
from tilec.dialects.tile.views import viewed_array
from tilec.rewriting.accumulators import as_element, constant, fill_with_zeros, wide_element
from tilec.rewriting.index import IndexBuilder
from tilec.rewriting.one_hot import lane_numbers, or_other
from tilec.rewriting.unflattened import Views

_LEAST = 256 * LANES
"""Elements from which on rows are looked for: those of a block that `--expand-gathers` compares at once."""
_BITS = LANES.bit_length() - 1


class FoldGathers(ModulePass):
    """Look for single elements of long vectors in rows of 128."""

    name = "fold-gathers"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        views = Views()
        for grid in [inner for inner in op.walk() if isinstance(inner, GridOp)]:
            written = {viewed_array(each.array) for each in writes_of(grid)}
            for gather in [inner for inner in grid.walk() if isinstance(inner, GatherOp)]:
                if _is_long(gather) and viewed_array(gather.array) not in written:
                    explain(gather, f"fold-gathers: its elements are looked for in rows of {LANES}")
                    _fold(gather, views)


def _is_long(op: GatherOp) -> bool:
    """Whether single elements are found faster in rows."""
    (extent, *others), (dim, *_) = shape_of(op.array.type), op.window
    if others or dim.base is None or is_local(op.array) or element_type(op.array.type) in (i1, i64):
        return False
    ids = dim.base.type
    plain = len(shape_of(ids)) == 1 and element_type(ids) == i32 and isinstance(dim.shift, int)
    return plain and extent != UNBOUND and extent >= _LEAST and extent % LANES == 0


def _fold(op: GatherOp, views: Views) -> None:
    """Replace a gather of elements by one of rows and the choice of a lane of each."""
    made: list[Operation] = []
    build = IndexBuilder(made, op.location)
    (dim,), (extent,) = op.window, shape_of(op.array.type)
    if dim.base is None or not isinstance(dim.shift, int):
        raise ValueError("positions come from a tile")
    ids = dim.base
    if dim.shift:
        ids = build.insert(arith.AddiOp(ids, build.insert(constant(dim.shift, ids.type))))
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
