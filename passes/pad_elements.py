"""`--pad-elements="order=auto"`: arrays of single elements are copied to longer ones, which are matrices.

`--fold-gathers` and `--fold-updates` compare lanes with the rows of a matrix and with the places in a row.
257 elements are no such matrix, and rows of 1,000 have 8 places at most. Where a lane would be compared with
far more numbers than in a somewhat longer array, a copy of that length takes the array's place: of 384
elements, which are 24 rows of 16, and of 1,024. It is made before the grid, unless nothing was stored yet,
and what was updated is copied back after it.

Before:
    %out = tile.full 0 : memref<50257xi32>
    tile.grid %m = 0 to 1048576 by m:16384 {
      …
      tile.atomic_rmw add %ones, %out[%ids]
    }
After:
    %out = tile.full 0 : memref<50257xi32>
    %out_padded = tile.full 0 : memref<51200xi32>
    tile.grid %m = 0 to 1048576 by m:16384 {
      …
      tile.atomic_rmw add %ones, %out_padded[%ids]
    }
    tile.grid %out_lanes = 0 to 50257 by out_lanes:32768 {
      %copied = tile.load %out_padded[%out_lanes]
      tile.store %copied, %out[%out_lanes]
    }

On a v6e these counts take 0.3 ms in place of 26, estimated.

Left alone are arrays with a `?`, grids of so few lanes that copies take longer, and all with `order=rows`, as
`--fold-updates` then does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from xdsl.context import Context
from xdsl.dialects.builtin import IndexType, MemRefType, ModuleOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from tilec.analysis.targets import fill_before
from tilec.analysis.vmem import SUBLANES
from tilec.diagnostics import explain
from tilec.dialects.tile.access import AccessOp, Dim
from tilec.dialects.tile.arrays import FullOp, LoadOp, StoreOp
from tilec.dialects.tile.elementwise import CompareOp, Relation, SelectOp
from tilec.dialects.tile.gathers import GatherOp, ScatterOp
from tilec.dialects.tile.loops import GridOp, LoopOp, YieldOp
from tilec.dialects.tile.syntax import Bounds
from tilec.dialects.tile.types import UNBOUND, SpanType, element_type, shape_of, span_of
from tilec.dialects.tile.views import viewed_array
from tilec.rewriting.accumulators import constant, fill_with_zeros
from tilec.rewriting.index import IndexBuilder
from tilec.rewriting.nests import free_name, grid_of
from tilec.rewriting.one_hot import as_ids
from tilec.rewriting.row_blocks import check_order
from tilec.rewriting.single_elements import comparisons, elements_of, gathers_of, padded_extent, updates_of

_COPIED = 2**15
"""Elements that one step of a copy takes at most: 128 KiB of f32."""
_PER_ELEMENT, _PER_CALL = 64, 2**23
"""What copies take, in comparisons, of which a v6e makes some 4096 a cycle: an element to and fro, by the
bandwidth of HBM, and two kernels more, by their latency."""
_MANY = 2**20
"""Lanes of a loop of which nothing is known."""


@dataclass(frozen=True)
class PadElements(ModulePass):
    """Copy arrays of single elements to longer ones: "order=auto|inner|outer|rows"."""

    name = "pad-elements"

    order: str = "auto"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        check_order(op, self.name, self.order)
        for grid in [inner for inner in op.walk() if isinstance(inner, GridOp) and self.order != "rows"]:
            arrays: dict[SSAValue, list[AccessOp]] = {}
            for access in (*gathers_of(grid), *updates_of(grid)):
                arrays.setdefault(access.array, []).append(access)
            for array, accesses in arrays.items():
                extent = padded_extent(elements_of(accesses[0]))
                if UNBOUND not in shape_of(array.type) and _pays(accesses, extent):
                    explain(accesses[0], f"pad-elements: it accesses a copy of {extent} elements")
                    _pad(grid, accesses, extent)


def _pays(accesses: Sequence[AccessOp], extent: int) -> bool:
    """Whether accesses of a copy of so many elements take less time, with the copies."""
    shape = shape_of(accesses[0].array.type)
    saved = comparisons(shape[-1]) - comparisons(extent)
    return saved * sum(map(_lanes, accesses)) > _PER_CALL + _PER_ELEMENT * prod(shape)


def _lanes(op: AccessOp) -> int:
    """About how many lanes there are of an access in all iterations."""
    lanes, around = 1, op.parent_op()
    while isinstance(around, Operation):
        for axis in around.axes if isinstance(around, LoopOp) else ():
            begin, end = axis.bounds.begin, axis.bounds.end
            known = end - begin if isinstance(begin, int) and isinstance(end, int) else None
            lanes *= known or axis.bounds.mean or axis.bounds.limit or _MANY
        around = around.parent_op()
    return lanes


def _pad(grid: GridOp, accesses: Sequence[AccessOp], extent: int) -> None:
    """Let accesses of an array in a grid, all that there are if they update it, access a longer copy."""
    fill_with_zeros(viewed_array(accesses[0].array))  # all of it is copied
    array = accesses[0].array
    fill, name = fill_before(grid, array), array.name_hint or "array"
    kind = MemRefType(element_type(array.type), [*shape_of(array.type)[:-1], extent])
    full = FullOp(0 if fill is None else fill, kind)
    full.location, full.array.name_hint = grid.location, f"{name}_padded"
    Rewriter.insert_op(full, InsertPoint.before(grid))
    if fill is None:
        Rewriter.insert_op(_copy(grid, array, full.array, name), InsertPoint.before(grid))
    for access in accesses:
        if isinstance(access, ScatterOp) and access.drop is not None:
            _scatter(access, full.array)
        else:
            access.operands[list(access.operands).index(array)] = full.array
    if not isinstance(accesses[0], GatherOp):
        Rewriter.insert_op(_copy(grid, full.array, array, name), InsertPoint.after(grid))


def _scatter(op: ScatterOp, longer: SSAValue) -> None:
    """Scatter to a longer array. Lanes that are dropped name no element of that either: several of them may
    have one position."""
    (*before, last), made = op.window, list[Operation]()
    if last.base is None:
        raise ValueError("positions come from a tile")
    build = IndexBuilder(made, op.location)
    ids = as_ids(build, last.base, last.shift)
    short, outside = (
        build.insert(constant(shape_of(array.type)[-1], ids.type)) for array in (op.array, longer)
    )
    inside = build.insert(CompareOp(Relation.LT, ids, short))
    kept = build.insert(SelectOp(inside, ids, outside))
    build.insert_all(ScatterOp(op.value, longer, [*before, Dim(kept)], op.mask, drop=True), op.location)
    Rewriter.replace_op(op, made, [])


def _copy(grid: GridOp, source: SSAValue, target: SSAValue, name: str) -> GridOp:
    """A grid that copies the elements that two arrays both have."""
    *others, last = map(min, shape_of(source.type), shape_of(target.type))
    lanes = min(padded_extent(last), _COPIED)
    rows = max(_COPIED // lanes // SUBLANES, 1) * SUBLANES
    few = bool(others) and others[-1] <= rows  # no blocks of these: a DMA takes 8 rows or all
    axes: list[tuple[int, Attribute]] = [(each, IndexType()) for each in others[:-1]]
    if others and not few:
        axes.append((others[-1], SpanType(free_name(grid, f"{name}_rows"), rows)))
    axes.append((last, SpanType(free_name(grid, f"{name}_lanes"), lanes)))
    body = Block(arg_types=[kind for _, kind in axes])
    for value in body.args:
        span = span_of(value)
        value.name_hint = None if span is None else span.axis
    window = list(map(Dim, body.args))
    if few:
        window.insert(-1, Dim(full=True))
    load = LoadOp(source, window)
    load.result.name_hint = "copied"
    made = [load, StoreOp(load.result, target, window), YieldOp()]
    for op in made:
        op.location = grid.location
    body.add_ops(made)
    return grid_of([Bounds[SSAValue](0, each) for each, _ in axes], Region(body), grid.location)
