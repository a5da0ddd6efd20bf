"""What is stated of ranges that end at sums of loaded integers, before the kernel that stores there."""

from collections.abc import Iterator

from xdsl.ir import Operation, SSAValue

from tilec.analysis.affine import (
    IndexBounds,
    Linear,
    axis_bounds,
    ends_in,
    extent,
    is_inside,
    linear,
    whole_bounds,
)
from tilec.analysis.races import runs_once
from tilec.analysis.reach import may_leave_out
from tilec.analysis.segments import position
from tilec.analysis.within import around, is_conditional, may_be_skipped, may_begin_before
from tilec.diagnostics import fail
from tilec.dialects.tile.access import AccessOp, Dim
from tilec.dialects.tile.arrays import LoadOp, SegmentOp
from tilec.dialects.tile.expect import ExpectSumOp
from tilec.dialects.tile.locals import is_local
from tilec.dialects.tile.loops import ForOp, GridOp
from tilec.dialects.tile.types import shape_of, span_of
from tilec.rewriting.index import IndexBuilder
from tilec.rewriting.linear import built


def expected_sums(grid: GridOp) -> Iterator[list[Operation]]:
    """For each dimension that is stored to up to a sum of loaded integers, what states that it is inside.

    The sum is that of the last iteration of the grid, where the begins and ends of segments are largest; of a
    range that ends at the least of several, one of them has to be inside. Ends of one segment are left to the
    check of segments.
    """
    seen: set[tuple[object, ...]] = set()
    for op in [inner for inner in grid.walk() if isinstance(inner, AccessOp)]:
        if not op.writes or is_local(op.array) or _may_rest(op, grid):
            continue
        for place, dim in enumerate(op.window):
            _check_begin(op, place)
            ends = list(_ends(dim))
            found = [_elements(end, grid) for end in ends]
            sums = [(elements, extent(op.array, place) - rest) for elements, rest in filter(None, found)]
            if len(sums) < len(ends) or not sums or (len(ends) == 1 and _ends_a_segment(ends[0])):
                continue
            key = (op.array, place, *((*elements, limit.constant) for elements, limit in sums))
            if key not in seen:
                seen.add(key)
                made: list[Operation] = []
                build = IndexBuilder(made, op.location)
                expected = ExpectSumOp([(elements, built(limit, build)) for elements, limit in sums])
                build.insert_all(expected, op.location)
                yield made


def _check_begin(op: AccessOp, place: int) -> None:
    """Refuse a range that is written and may begin before its array, which nothing checks."""
    if may_begin_before(op.window[place]):
        fail(
            op,
            f"fold-outer-pipeline: what is written may begin before dimension {place} of "
            f"%{op.array.name_hint or 'array'}: it begins some elements before an index that may be 0; begin "
            "at the largest of that and 0",
        )


def _may_rest(op: AccessOp, grid: GridOp) -> bool:
    """Whether a condition or a mask may keep an access inside, or it is in a loop that may be skipped."""
    loops = [each for each in around(op, grid) if isinstance(each, ForOp)]
    return may_leave_out(op) or is_conditional(op, grid) or any(may_be_skipped(loop, grid) for loop in loops)


def _ends(dim: Dim) -> Iterator[Linear]:
    """The places behind the last that a dimension names: it ends at the least of them."""
    if dim.full or dim.indexed:
        return
    bounds = None if dim.base is None else whole_bounds(dim.base)
    if dim.base is not None and bounds is not None and (dim.span is not None or isinstance(dim.shift, int)):
        yield from (linear(end) + linear(dim.shift) for end in ends_in(bounds))
    elif dim.base is not None and span_of(dim.base) is None:
        yield linear(dim.base) + linear(dim.shift) + Linear(1)


def _elements(end: Linear, grid: GridOp) -> tuple[list[tuple[SSAValue, int]], Linear] | None:
    """The elements that an end is the sum of in the last iteration of a grid, and what it adds to them.

    `None` of one without elements, and where it adds something else that changes in the grid.
    """
    elements, rest = list[tuple[SSAValue, int]](), Linear(end.constant)
    for leaf, factor in end.factors.items():
        op = None if isinstance(leaf, tuple) else leaf.owner
        bounds = None if isinstance(leaf, tuple) else axis_bounds(leaf)
        if isinstance(op, LoadOp) and factor > 0 and (number := _once(op)) is not None:
            elements += [(op.array, _place(number, op.array, grid))] * factor
        elif isinstance(op, SegmentOp) and op.last is None and factor > 0:
            array = op.ends if op.ends is not None and leaf is op.end else op.begins
            further = int(op.ends is None and leaf is op.end)
            elements += [(array, _place(linear(op.index) + Linear(further), array, grid))] * factor
        elif isinstance(leaf, tuple) or not is_inside(leaf, grid):
            rest += Linear(0, {leaf: factor})
        elif bounds is not None and span_of(leaf) is None and factor > 0 and _outside(bounds, grid):
            rest += (linear(bounds.end) - Linear(1)).times(factor)
        else:
            return None
    return (elements, rest) if elements else None


def _once(load: LoadOp) -> Linear | None:
    """The number of a loaded integer that is the same in all iterations of a grid, which may be the one."""
    if load.mask is not None or len(load.window) != 1 or shape_of(load.result.type):
        return None
    number = position(load)
    single = [
        leaf for leaf in number.factors if not isinstance(leaf, tuple) and axis_bounds(leaf) is not None
    ]
    return number if len(single) == len(number.factors) and all(map(runs_once, single)) else None


def _ends_a_segment(end: Linear) -> bool:
    """Whether a form is the end of a segment, but for a literal."""
    match list(end.factors.items()):
        case [(SSAValue(owner=SegmentOp() as op) as leaf, 1)]:
            return leaf is op.end
        case _:
            return False


def _outside(bounds: IndexBounds, grid: GridOp) -> bool:
    """Whether nothing in a grid changes where an axis begins and ends."""
    leaves = [*linear(bounds.begin).factors, *linear(bounds.end).factors]
    return all(isinstance(leaf, tuple) or not is_inside(leaf, grid) for leaf in leaves)


def _place(number: Linear, array: SSAValue, grid: GridOp) -> int:
    """The place of the element of a number in the last iteration of a grid, the last where it is unknown."""
    place = Linear(number.constant)
    for leaf, factor in number.factors.items():
        bounds = None if isinstance(leaf, tuple) else axis_bounds(leaf)
        if (
            bounds is None
            or isinstance(leaf, tuple)
            or span_of(leaf) is not None
            or not _outside(bounds, grid)
        ):
            return -1
        place += (linear(bounds.end) - Linear(1) if factor > 0 else linear(bounds.begin)).times(factor)
    behind = (place - extent(array, 0)).literal
    if behind is not None and behind < 0:
        return behind
    return -1 if place.literal is None or place.constant < 0 else place.constant
