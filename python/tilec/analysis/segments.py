"""Loads that are begin and end of a segment: `offsets[i]` and `offsets[i + 1]`, with an axis between them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from xdsl.dialects.builtin import IntegerType
from xdsl.ir import Operation, SSAValue

from tilec.analysis.affine import IndexBounds, Linear, begins_in, ends_in, linear
from tilec.diagnostics import where
from tilec.dialects.tile.access import AccessOp
from tilec.dialects.tile.arrays import LoadOp, SegmentOp
from tilec.dialects.tile.types import UNBOUND, element_type, shape_of
from tilec.dialects.tile.views import ViewOp, viewed_array


@dataclass(frozen=True)
class Ends:
    """The loads of the begin and of the end of a segment."""

    begin: LoadOp
    end: LoadOp


def ends_of(bounds: IndexBounds, writes: Sequence[AccessOp]) -> Ends | str | None:
    """The loads that an axis' length is the difference of, or one of those that it is the least of, if they
    are the ends of a segment: an axis ends at the least of several, and begins at the largest.

    `writes` are the accesses of the function that may write. Else why they are not, or `None` where the
    length has nothing to do with loads.
    """
    pairs = product(ends_in(bounds), begins_in(bounds))
    found = [_ends(linear(end) - linear(begin), writes) for end, begin in pairs]
    return next((each for each in found if isinstance(each, Ends)), next(filter(None, found), None))


def _ends(length: Linear, writes: Sequence[AccessOp]) -> Ends | str | None:
    """The loads that a length is the difference of, if they are the ends of a segment."""
    length = _merged(length, writes)
    loads = {load: factor for leaf, factor in length.factors.items() if (load := _load(leaf)) is not None}
    if not loads:
        return None
    begin = next((load for load, factor in loads.items() if factor == -1), None)
    end = next((load for load, factor in loads.items() if factor == 1), None)
    if begin is None or end is None or len(length.factors) > 2:
        return "its length is not one loaded integer less another"
    return obstacle(begin, end, writes) or Ends(begin, end)


def position(load: LoadOp) -> Linear:
    """The position that a load of one element of an array of rank 1 names."""
    (dim,) = load.window
    base = Linear() if dim.base is None else linear(dim.base)
    return base + linear(dim.shift)


def obstacle(begin: LoadOp, end: LoadOp, writes: Sequence[AccessOp]) -> str | None:
    """Why two loads are not begin and end of a segment; `None` if they are."""
    names = [f"%{load.array.name_hint or 'array'}" for load in (begin, end)]
    kind = begin.array.type
    if begin.array is not end.array:
        return f"they are elements of two arrays, {names[0]} and {names[1]}"
    if len(shape_of(kind)) != 1 or element_type(kind) not in (IntegerType(32), IntegerType(64)):
        return f"{names[0]} is a {kind}; a memref of rank 1 of i32 or i64 is needed"
    if isinstance(begin.array.owner, ViewOp):
        return f"{names[0]} is a view"
    written = next((op for op in writes if viewed_array(op.array) is begin.array), None)
    if written is not None:
        return f"{names[0]} is written at {where(written)}"
    if begin.mask is not None or end.mask is not None:
        return "a mask may leave one of them out"
    first, apart = position(begin), (position(end) - position(begin)).literal
    if apart != 1:
        return f"they are {'an unknown number of' if apart is None else apart} elements apart"
    if 1 not in first.factors.values():
        return f"their index in {names[0]} takes no steps of 1"
    return None


def _merged(form: Linear, writes: Sequence[AccessOp]) -> Linear:
    """A form in which loads of one element of an array that nothing writes are one."""
    loads: list[LoadOp] = []
    merged = Linear(form.constant)
    for leaf, factor in form.factors.items():
        load = _load(leaf)
        if load is not None and len(load.window) == 1 and load.mask is None:
            written = any(viewed_array(op.array) is viewed_array(load.array) for op in writes)
            same = [] if written else [each for each in loads if _is_same(each, load)]
            loads += [load]
            leaf = next((each.result for each in same), leaf)
        merged += Linear(0, {leaf: factor})
    return merged


def _is_same(one: LoadOp, two: LoadOp) -> bool:
    return one.array is two.array and (position(one) - position(two)).literal == 0


def _load(leaf: SSAValue | tuple[SSAValue, int]) -> LoadOp | None:
    owner = leaf.owner if isinstance(leaf, SSAValue) else None
    return owner if isinstance(owner, LoadOp) and not shape_of(owner.result.type) else None


def room_before(segment: SegmentOp, end: SSAValue | int, shift: SSAValue | int) -> int | None:
    """How far before the end of a segment indices up to `end` and `shift` more end, if that is a literal."""
    return (linear(segment.end) - linear(end) - linear(shift)).literal


def mean_rows(bounds: IndexBounds, rows: int) -> float | None:
    """How many of so many rows each segment has on average, if the axis goes through segments of them all:
    rows that lie in gaps are not known of. `None` for other axes, and where a number is not known."""
    op = bounds.begin.owner if isinstance(bounds.begin, SSAValue) else None
    if not isinstance(op, SegmentOp) or op.last is not None or bounds.end is not op.end:
        return None
    segments = shape_of(op.begins.type)[0] - (op.ends is None)
    return rows / segments if UNBOUND not in (rows, shape_of(op.begins.type)[0]) and segments > 0 else None


def writes_of(function: Operation) -> list[AccessOp]:
    """The accesses of a function that may write."""
    return [op for op in function.walk() if isinstance(op, AccessOp) and op.writes]
