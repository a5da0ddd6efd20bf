"""Positions in a tile of any rank, into a table of few elements: each is selected where it is named."""

from xdsl.dialects.builtin import i1, i64
from xdsl.ir import Operation
from xdsl.rewriter import InsertPoint, Rewriter

from tilec.dialects.tile.access import AccessOp, Dim
from tilec.dialects.tile.arrays import LoadOp
from tilec.dialects.tile.elementwise import CompareOp, Relation, SelectOp
from tilec.dialects.tile.gathers import GatherOp
from tilec.dialects.tile.locals import is_local
from tilec.dialects.tile.types import element_type, shape_of, with_element
from tilec.dialects.tile.values import BroadcastOp, SliceOp
from tilec.rewriting.accumulators import as_element, constant, wide_element
from tilec.rewriting.index import IndexBuilder
from tilec.rewriting.one_hot import as_ids, or_other

MOST = 256
"""Elements of a table up to which it is gone through: codes of 8 bits."""


def is_lookup(op: AccessOp) -> bool:
    """Whether an access reads a table of few elements at positions in a tile of rank 2 or more."""
    if not isinstance(op, GatherOp) or is_local(op.array) or element_type(op.array.type) in (i1, i64):
        return False
    place, dim = _indexed(op)
    ranks = len(shape_of(dim.base.type)) if dim.base is not None else 0
    alone = not any(other.kept and not other.indexed for other in op.window)
    return ranks > 1 and alone and 0 < shape_of(op.array.type)[place] <= MOST


def _indexed(op: GatherOp) -> tuple[int, Dim]:
    return next((place, dim) for place, dim in enumerate(op.window) if dim.indexed)


def look_up(op: GatherOp) -> None:
    """Replace a gather that `is_lookup` by the table and a choice for each of its elements."""
    place, dim = _indexed(op)
    if dim.base is None:
        return
    before: list[Operation] = []
    build = IndexBuilder(before, op.location)
    window = [Dim(full=True) if other.indexed else other for other in op.window]
    element, table = element_type(op.result.type), build.insert(LoadOp(op.array, window))
    table = as_element(build, table, wide_element(element))
    ids = as_ids(build, dim.base, dim.shift)
    kind = with_element(op.result.type, wide_element(element))
    found = build.insert(constant(0, kind))
    for number in range(shape_of(op.array.type)[place]):
        here = build.insert(CompareOp(Relation.EQ, ids, build.insert(constant(number, ids.type))))
        one = build.insert(SliceOp(table, 0, number, 1))
        wide = build.insert(BroadcastOp(one, [len(shape_of(kind)) - 1], kind))
        found = build.insert(SelectOp(here, wide, found))
    result = or_other(build, op, as_element(build, found, element))
    result.name_hint = op.result.name_hint
    Rewriter.insert_op(before, InsertPoint.before(op))
    op.result.replace_all_uses_with(result)
    Rewriter.erase_op(op)
