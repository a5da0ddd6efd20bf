"""`--raise-segments`: loads that are begin and end of a segment become `tile.segment`.

A program that loads `offsets[g]` and `offsets[g + 1]`, and goes from one to the other, says nowhere that the
ranges of different `g` are disjoint, and so that what it stores there does not meet. Nor is it known that the
range is inside the arrays that it indexes. `tile.segment` says both.

Before:
    %b0 = tile.load %offsets[%g]
    %b = arith.index_cast %b0 : i32 to index
    %e0 = tile.load %offsets[%g + 1]
    %e = arith.index_cast %e0 : i32 to index
    tile.for %m = %b to %e by m { … }
After:
    %b, %e = tile.segment %offsets[%g]
    tile.for %m = %b to %e by m { … }

Other loads of the two elements behind a segment become its bounds, too.

An axis has to have the difference of the two elements as its length, but for a literal, wherever it begins;
where it ends at the least of several integers, the end of a segment is one of them, and where it begins at
the largest, the begin. The pass takes the program at its word: offsets that are not in order made empty
ranges before, and are an error after. The interpreter finds it, and the emitted module where it sees the
offsets. Elements of two arrays, `begins[g]` and `ends[g]`, are left alone, as their ranges may be in any
order and may overlap; `tile.segment %begins[%g] to %ends[%g]` says that they do not.

`--explain` says of other axes between loaded integers why they are no segments.
"""

from collections.abc import Sequence

from xdsl.context import Context
from xdsl.dialects import arith, func
from xdsl.dialects.builtin import IndexType, ModuleOp, i32
from xdsl.ir import Operation, SSAValue, Use
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from tilec.analysis.affine import Linear, linear
from tilec.analysis.segments import Ends, ends_of, position, writes_of
from tilec.diagnostics import explain
from tilec.dialects.tile.access import AccessOp
from tilec.dialects.tile.arrays import LoadOp, SegmentOp
from tilec.dialects.tile.loops import LoopOp
from tilec.dialects.tile.types import shape_of
from tilec.dialects.tile.views import viewed_array
from tilec.rewriting.index import IndexBuilder
from tilec.rewriting.linear import built


class RaiseSegments(ModulePass):
    """Make tile.segment of loads that are begin and end of one."""

    name = "raise-segments"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in op.walk():
            if isinstance(function, func.FuncOp):
                raise_segments(function)


def raise_segments(function: func.FuncOp) -> None:
    """Do to one function what the pass does."""
    writes = writes_of(function)
    for loop in [op for op in function.walk() if isinstance(op, LoopOp)]:
        for number in range(len(loop.axes)):
            _of_indices(loop.axes[number].bounds.end, arith.MinSIOp)
            _of_indices(loop.axes[number].bounds.begin, arith.MaxSIOp)
            axis = loop.axes[number]  # as that and earlier ones have left it
            found = ends_of(axis.bounds, writes)
            if isinstance(found, Ends):
                _raise(found)
            elif found is not None:
                explain(
                    loop,
                    f"raise-segments: axis {axis.name} does not run between offsets[i] and offsets[i + 1]: "
                    f"{found}",
                )
    for segment in [op for op in function.walk() if isinstance(op, SegmentOp)]:
        _load_no_more(segment, function, writes)


def _of_indices(bound: SSAValue | int, kind: type[arith.MinSIOp | arith.MaxSIOp]) -> None:
    """Let the least or the largest of integers be that of indices, each a bound of its own."""
    cast = None if isinstance(bound, int) else bound.owner
    op = cast.input.owner if isinstance(cast, arith.IndexCastOp) else None
    if not isinstance(cast, arith.IndexCastOp) or not isinstance(op, kind):
        return
    sides = [arith.IndexCastOp(side, IndexType()) for side in (op.lhs, op.rhs)]
    made = kind(sides[0].result, sides[1].result)
    for each in (*sides, made):
        each.location = op.location
    made.result.name_hint = cast.result.name_hint
    Rewriter.replace_op(cast, [*sides, made])
    if not op.result.uses:
        Rewriter.erase_op(op)
    for each in sides:
        _of_indices(each.result, kind)


def _raise(ends: Ends) -> None:
    """Put a segment where both loads are made, and its bounds in the place of what they loaded."""
    first, last = (ends.end, ends.begin) if _is_after(ends.begin, ends.end) else (ends.begin, ends.end)
    place = first if first.parent is last.parent else last  # else only the last one may be under a condition
    before: list[Operation] = []
    number = position(place) - Linear(int(place is ends.end))
    alike = [op for op in (place.parent.ops if place.parent else ()) if isinstance(op, LoadOp)]
    for load in alike:
        which = _asks_for(load, ends.begin.array, number)
        if which is not None and _is_after(place, load):  # an earlier one of the same element
            place, number = load, position(load) - Linear(which)
            break
    segment = SegmentOp(place.array, built(number, IndexBuilder(before, place.location)))
    segment.location = place.location
    Rewriter.insert_op([*before, segment], InsertPoint.before(place))
    for load, bound in ((ends.begin, segment.begin), (ends.end, segment.end)):
        bound.name_hint = load.result.name_hint
        _replace(load, bound, segment)


def _load_no_more(segment: SegmentOp, function: func.FuncOp, writes: Sequence[AccessOp]) -> None:
    """Let what else loads the begin or the end of a segment behind it use its bounds."""
    if segment.ends is not None or segment.last is not None:
        return
    if any(viewed_array(op.array) is segment.begins for op in writes):
        return
    for load in [op for op in function.walk() if isinstance(op, LoadOp)]:
        place = _asks_for(load, segment.begins, linear(segment.index))
        if place is not None and _is_after(load, segment):
            bound = (segment.begin, segment.end)[place]
            name = bound.name_hint
            _replace(load, bound, segment)
            bound.name_hint = name


def _asks_for(load: LoadOp, array: SSAValue, number: Linear) -> int | None:
    """0 where a load is the begin of segment `number` of an array, 1 where it is its end, else `None`."""
    if load.array is not array or load.mask is not None or shape_of(load.result.type):
        return None
    place = (position(load) - number).literal
    return place if place in (0, 1) else None


def _replace(load: LoadOp, bound: SSAValue, segment: SegmentOp) -> None:
    """Let what follows the segment use its bound instead of the integer that was loaded."""

    def follows(use: Use) -> bool:
        return _is_after(use.operation, segment)

    for cast in [use.operation for use in load.result.uses]:
        if isinstance(cast, arith.IndexCastOp):
            bound.name_hint = cast.result.name_hint or bound.name_hint
            cast.result.replace_uses_with_if(bound, follows)
            if not cast.result.uses:
                Rewriter.erase_op(cast)
    if load.result.type == i32 and any(follows(use) for use in load.result.uses):
        integer = arith.IndexCastOp(bound, i32)
        integer.location, integer.result.name_hint = segment.location, load.result.name_hint
        Rewriter.insert_op(integer, InsertPoint.after(segment))
        load.result.replace_uses_with_if(integer.result, follows)
    if not load.result.uses:
        Rewriter.erase_op(load)


def _is_after(op: Operation, first: Operation) -> bool:
    """Whether `op`, or an operation around it, stands behind `first` in its block."""
    block = first.parent_block()
    around = None if block is None else block.find_ancestor_op_in_block(op)
    return around is not None and around is not first and first.is_before_in_block(around)
