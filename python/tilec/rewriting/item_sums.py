"""Loops over the rows of an item that only add them up, and such sums for a tile of items."""

from collections.abc import Iterator
from dataclasses import dataclass

from xdsl.dialects import arith
from xdsl.dialects.builtin import bf16, f16, f32, i32
from xdsl.ir import Block, BlockArgument, Operation, OpResult, SSAValue

from tilec.analysis.affine import linear
from tilec.diagnostics import where
from tilec.dialects.tile.access import AccessOp
from tilec.dialects.tile.arrays import LoadOp, SegmentOp
from tilec.dialects.tile.bound import BoundOp
from tilec.dialects.tile.elementwise import CastOp, CompareOp, Relation
from tilec.dialects.tile.loops import ForOp, YieldOp
from tilec.dialects.tile.mixing import Combine, ReduceOp, ScanOp
from tilec.dialects.tile.scans import AssociativeScanOp
from tilec.dialects.tile.syntax import ints_of
from tilec.dialects.tile.types import (
    UNBOUND,
    JaggedSpanType,
    SpanType,
    element_type,
    shape_of,
    span_names,
    span_of,
    value_type,
)
from tilec.dialects.tile.values import BroadcastOp, ReshapeOp, TransposeOp
from tilec.dialects.tile.views import viewed_array
from tilec.rewriting.accumulators import as_element
from tilec.rewriting.index import IndexBuilder
from tilec.rewriting.one_hot import Picker


class Refused(Exception):
    """Why a tile of items cannot be gone through at once."""


@dataclass(frozen=True)
class RowSums:
    """A loop over the rows of a segment, and the reductions of it that carried values add up."""

    loop: ForOp
    segment: SegmentOp
    reductions: tuple[ReduceOp, ...]

    @property
    def name(self) -> str:
        """The name of the axis of the rows."""
        return self.loop.axis.name


def segment_of(loop: ForOp, item: SSAValue) -> SegmentOp | None:
    """The segment with the number `item` that a loop goes through, if it does."""
    (begin, end) = (linear(side) for side in (loop.axis.bounds.begin, loop.axis.bounds.end))
    for leaf in begin.factors:
        segment = leaf.owner if isinstance(leaf, OpResult) else None
        if isinstance(segment, SegmentOp) and segment.index is item and segment.last is None:
            whole = begin == linear(segment.begin) and end == linear(segment.end)
            return segment if whole else None
    return None


def row_sums(loop: ForOp, segment: SegmentOp) -> RowSums:
    """What a loop over the rows of a segment adds up. Raises Refused where it does anything else."""
    if not isinstance(loop.axis.value.type, SpanType):
        raise Refused(f"the axis at {where(loop)} goes through rows one by one; use a tile axis")
    if element_type(segment.begins.type) != i32:
        raise Refused(f"segments of {segment.begins.type} are compared with rows, which are i32")
    if segment.ends is None and shape_of(segment.begins.type)[0] == UNBOUND:
        name = segment.begins.name_hint or "offsets"
        raise Refused(
            f"%{name} has an extent known only at run time, and tiles of it that begin between tiles of "
            "memory cannot be copied; begins and ends in two arrays can"
        )
    lanes: set[Operation] = set()
    reductions: list[ReduceOp] = []
    for carried, result in zip(loop.carried, loop.yielded, strict=True):
        if result is carried:
            continue
        steps = list(_steps(loop, carried, result))
        lanes.update(steps)
        reductions += [step for step in steps if isinstance(step, ReduceOp)]
    found = RowSums(loop, segment, tuple(dict.fromkeys(reductions)))
    _check_uses(loop, lanes)
    for op in loop.body.walk():
        if op not in lanes and not isinstance(op, YieldOp):
            _check(op, found)
    return found


def _steps(loop: ForOp, carried: SSAValue, result: SSAValue) -> Iterator[Operation]:
    """The operations from a reduction of the rows to the sum of it and a carried value."""
    add = result.owner
    if not isinstance(add, arith.AddfOp) or carried not in add.operands or add.parent is not loop.body.block:
        raise Refused(
            f"%{carried.name_hint or 'state'} of {loop.name} at {where(loop)} is no sum of floats over rows"
        )
    yield add
    value = add.rhs if add.lhs is carried else add.lhs
    while isinstance(value.owner, BroadcastOp | ReshapeOp | TransposeOp | CastOp):
        yield value.owner
        value = value.owner.operands[0]
    op = value.owner
    if not isinstance(op, ReduceOp) or _place(op.value, loop) not in ints_of(op.dims):
        raise Refused(f"{add.name} at {where(add)} does not add a reduction of rows to what is carried")
    if op.kind.data is not Combine.ADD or element_type(op.value.type) not in (f32, bf16, f16):
        raise Refused(
            f"{op.name} {op.kind.data} at {where(op)} of {op.value.type}; only sums of floats are products"
        )
    if len(shape_of(op.value.type)) - len(ints_of(op.dims)) > 1:
        raise Refused(f"{op.name} at {where(op)} leaves rows of rank 2 or more; 0 and 1 are accepted")
    yield op


def _place(value: SSAValue, loop: ForOp) -> int | None:
    """The dimension of a value that the rows are."""
    names = span_names(value.type)
    return names.index(loop.axis.name) if loop.axis.name in names else None


def _check_uses(loop: ForOp, lanes: set[Operation]) -> None:
    """Refuse values that depend on the item in what is not a sum."""
    for value in [*loop.carried, *(result for op in lanes for result in op.results)]:
        for use in value.uses:
            last = isinstance(value.owner, arith.AddfOp) or isinstance(value.owner, Block)
            yields = use.operation is loop.body.block.last_op
            if use.operation not in lanes and not (last and yields):
                raise Refused(
                    f"{use.operation.name} at {where(use.operation)} uses a sum before it is complete"
                )


def _check(op: Operation, sums: RowSums) -> None:
    """Refuse what does not compute each row by itself."""
    if isinstance(op, AccessOp):
        _check_access(op, sums)
    if isinstance(op, BoundOp) and op.span is sums.loop.axis.value:
        raise Refused(
            f"{op.name} at {where(op)} asks for a tile of rows, and tiles will hold those of several items"
        )
    if isinstance(op, ForOp) and isinstance(span_of(op.axis.value), JaggedSpanType):
        raise Refused(f"axis {op.axis.name} at {where(op)} is jagged along other lanes")
    names = [span_names(value.type) for value in op.operands]
    mixes = any(sums.name in each for each in names) and not isinstance(op, AccessOp) and op.results
    lost = mixes and any(sums.name not in span_names(result.type) for result in op.results)
    twice = any(span_names(result.type).count(sums.name) > 1 for result in op.results)
    scan = isinstance(op, ScanOp | AssociativeScanOp) and op.axis_name == sums.name
    if lost or twice or scan:
        raise Refused(f"{op.name} at {where(op)} combines rows of one item, other than to add them up")


def _check_access(op: AccessOp, sums: RowSums) -> None:
    if op.writes:
        raise Refused(f"{op.name} at {where(op)} writes rows of one item")
    made_here = not isinstance(viewed_array(op.array), BlockArgument)
    if sums.segment.ends is not None and (made_here or not isinstance(op, LoadOp)):
        raise Refused(
            f"{op.name} at {where(op)} would read rows between the segments, of which nothing is known there"
        )


def hits_of_segments(build: IndexBuilder, rows: SSAValue, begins: SSAValue, ends: SSAValue) -> SSAValue:
    """Whether a row is of an item: i1, of items by rows, from i32 tiles of rank 1."""
    sides = (begins, rows)
    names = [span_names(side.type)[0] for side in sides]
    kind = value_type(i32, [shape_of(side.type)[0] for side in sides], names)
    first, last, row = (
        build.insert(BroadcastOp(side, [dim], kind)) for side, dim in ((begins, 0), (ends, 0), (rows, 1))
    )
    begun = build.insert(CompareOp(Relation.GE, row, first))
    going = build.insert(CompareOp(Relation.LT, row, last))
    found = build.insert(arith.AndIOp(begun, going))
    found.name_hint = "hits"
    return found


def sum_of_rows(build: IndexBuilder, op: ReduceOp, value: SSAValue, rows: str, hits: SSAValue) -> SSAValue:
    """What `op`, whose operand is `value` now, makes of the rows of each item: items first."""
    place, element = span_names(value.type).index(rows), element_type(value.type)
    others = [dim for dim in ints_of(op.dims) if dim != place]
    if others:
        value = build.insert(ReduceOp(Combine.ADD, value, others))
        place -= sum(dim < place for dim in others)
    picker, made = Picker(build, hits), value.owner
    if len(shape_of(value.type)) == 1:
        return as_element(build, picker.combined(Combine.ADD, as_element(build, value, f32), 0), element)
    if isinstance(made, CastOp) and element_type(made.value.type) == bf16:
        value = made.value  # which f32 holds as it is
    total = as_element(build, picker.summed(value, place, lanes=True), element)
    return build.insert(TransposeOp(total, [1, 0])) if place else total  # they are where the rows were
