"""One index in the last dimension of an array, whose elements lie side by side in a register.

Rows are read a block at a time, and the lane that is wanted is selected.
"""

from xdsl.dialects import arith
from xdsl.dialects.builtin import i1, i32
from xdsl.ir import Block, Operation, SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from tilec.dialects.tile.access import AccessOp, Dim
from tilec.dialects.tile.arrays import LoadOp
from tilec.dialects.tile.elementwise import CompareOp, Relation, SelectOp
from tilec.dialects.tile.locals import is_local
from tilec.dialects.tile.loops import GridOp, YieldOp
from tilec.dialects.tile.mixing import Combine, ReduceOp
from tilec.dialects.tile.syntax import Bounds
from tilec.dialects.tile.types import UNBOUND, SpanType, element_type, shape_of, with_element
from tilec.dialects.tile.values import BroadcastOp, IndicesOp
from tilec.rewriting.accumulators import added, as_element, constant, fill_with_zeros, wide_element
from tilec.rewriting.index import IndexBuilder
from tilec.rewriting.nests import for_loop, free_name

_LANES = 512
"""The most elements of a row that are read at once."""


def is_column(op: LoadOp, grid: GridOp) -> bool:
    """Whether `op` loads one index of the last dimension for all of others, of what the grid only reads."""
    if is_local(op.array) or op.mask is not None or element_type(op.array.type) == i1:
        return False
    if op.window[-1].kept or not any(dim.kept for dim in op.window):
        return False
    written = {other.array for other in grid.walk() if isinstance(other, AccessOp) and other.writes}
    return op.array not in written and shape_of(op.array.type)[-1] != UNBOUND


def select_column(op: LoadOp) -> None:
    """Replace a load that `is_column` by a loop through blocks of the last dimension."""
    fill_with_zeros(op.array)
    before: list[Operation] = []
    build = IndexBuilder(before, op.location)
    element, extent = element_type(op.result.type), shape_of(op.array.type)[-1]
    number = arith.IndexCastOp(build.value(build.add(op.window[-1].base or 0, op.window[-1].shift)), i32)
    wanted = build.insert(number)
    wide = with_element(op.result.type, wide_element(element))
    name = free_name(op, f"{op.array.name_hint or 'array'}_columns")
    body = Block(arg_types=[SpanType(name, min(extent, _LANES)), wide])
    span, found = body.args
    span.name_hint, found.name_hint = name, op.result.name_hint
    inside: list[Operation] = []
    inner = IndexBuilder(inside, op.location)
    part = _picked(op, span, wanted, inner)
    inner.insert_all(YieldOp([added(inner, found, part)]), op.location)
    body.add_ops(inside)
    start = build.insert(constant(0, wide))
    loop = for_loop(Bounds(0, extent), body, op.location, [start])
    build.insert_all(loop, op.location)
    result = as_element(build, loop.results_[0], element)
    result.name_hint = op.result.name_hint
    Rewriter.insert_op(before, InsertPoint.before(op))
    op.result.replace_all_uses_with(result)
    Rewriter.erase_op(op)


def _picked(op: LoadOp, span: SSAValue, wanted: SSAValue, build: IndexBuilder) -> SSAValue:
    """The elements at position `wanted` of the last dimension, zeros where the block does not have it."""
    load = LoadOp(op.array, [*op.window[:-1], Dim(span)])
    load.placement = op.placement
    rows = build.insert(load)
    rows = as_element(build, rows, wide_element(element_type(rows.type)))
    last = len(shape_of(rows.type)) - 1
    lanes = build.insert(IndicesOp(span))
    same = build.insert(BroadcastOp(wanted, [], lanes.type))
    kind = with_element(rows.type, i32)
    every = (build.insert(BroadcastOp(side, [last], kind)) for side in (lanes, same))
    hits = build.insert(CompareOp(Relation.EQ, *every))
    chosen = build.insert(SelectOp(hits, rows, build.insert(constant(0, rows.type))))
    return build.insert(ReduceOp(Combine.ADD, chosen, [last]))
