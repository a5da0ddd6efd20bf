"""Windows that come back to the tiles of another one, which an earlier stretch of the steps went through.

Loops that follow each other are stretches of one axis. Where two of them go through one range of an array in
equal tiles, the later one finds in the buffers of the earlier what is still there. Its window rests at its
first tile until its stretch begins, the other one at its last tile from then on.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from xdsl.dialects import arith, scf
from xdsl.ir import Operation, SSAValue

from tilec.analysis.affine import Leaf, Linear, linear
from tilec.analysis.ranges import Ranges
from tilec.analysis.visits import axes_behind, block_owner, moves, window_values
from tilec.analysis.vmem import MEBIBYTE
from tilec.analysis.within import conjuncts, is_cut
from tilec.chips import Chip
from tilec.dialects.tile.access import Dim, Effect
from tilec.dialects.tile.locals import is_local
from tilec.dialects.tile.numbered import SpanOp
from tilec.dialects.tile.places import GetOp
from tilec.dialects.tile.schedule import AxisOp, PipelineOp, WindowOp

PART = 15 / 16
"""The part of VMEM that may be full where tiles are kept; the rest is left for what libtpu spills."""
MOST = 128
"""Tiles that a window keeps at most. Each has a semaphore, and libtpu 0.0.51 has room for 512 in a kernel."""


@dataclass(frozen=True)
class Return:
    """A window that comes back to the tiles of `first`, in a step to number `tile` of 0 to `last`."""

    first: WindowOp
    tile: SSAValue
    last: SSAValue


@dataclass(frozen=True)
class _Stretch:
    """Tiles of a range in some steps of an axis: those from the `start`-th step on, `count` of them."""

    step: SSAValue
    start: Linear
    count: Linear
    tile: SSAValue
    last: SSAValue | None


def returns_of(pipeline: PipelineOp) -> dict[WindowOp, Return]:
    """The windows that come back to the tiles of others."""
    found = ((window, _return_of(pipeline, window)) for window in pipeline.windows)
    return {window: each for window, each in found if each is not None}


def kept_returns(pipeline: PipelineOp) -> dict[WindowOp, Return]:
    """Those that come back to tiles that are kept."""
    return {window: each for window, each in returns_of(pipeline).items() if each.first.kept is not None}


def most_kept(chip: Chip, tile: int, others: int) -> int:
    """How many tiles of `tile` bytes a window may keep beside `others` bytes."""
    room = int(chip.vmem_mib * MEBIBYTE * PART) - others
    return min(power_of_two(room // tile), MOST)


def power_of_two(count: int) -> int:
    """The largest power of two up to `count`, or 0: of so many buffers, which is next takes no division."""
    return 1 << max(0, count).bit_length() >> 1


def kept_buffers(window: WindowOp) -> int:
    """The buffers that a window has besides those that it copies ahead with.

    Copies of the range that follows take the buffers of tiles in the order in which all that come back to
    those are done with them.
    """
    if window.kept is None or window.buffers is None:
        return 0
    return max(window.kept.value.data - window.buffers.value.data, 0)


def buffers_back(returns: Mapping[WindowOp, Return], window: WindowOp) -> int:
    """The buffers of the windows that come back to the tiles of `window`."""
    back = [each.buffers for each, comes in returns.items() if comes.first is window]
    return sum(each.value.data for each in back if each is not None)


def _return_of(pipeline: PipelineOp, window: WindowOp) -> Return | None:
    """The first window to whose tiles `window` comes back, if it does."""
    if pipeline.nested is None or not _may_return(pipeline, window):
        return None
    for first in pipeline.windows:
        if first is window:
            return None
        if first.array is window.array and _may_return(pipeline, first):
            found = _return(pipeline, first, window)
            if found is not None:
                return found
    return None


def _may_return(pipeline: PipelineOp, window: WindowOp) -> bool:
    """Whether the copies of a window are of one tile each, and run ahead."""
    plain = window.effect is Effect.READ and window.fetch is None and not is_local(window.array)
    ahead = window.buffers is not None and window.buffers.value.data > 1
    return plain and ahead and moves(window) and block_owner(pipeline, window) is window


def _return(pipeline: PipelineOp, first: WindowOp, window: WindowOp) -> Return | None:
    pairs = list(zip(first.window, window.window, strict=True))
    apart = [(one, other) for one, other in pairs if one != other]
    if len(apart) != 1 or apart[0][0].shift != apart[0][1].shift:
        return None
    if any(is_cut(each, pairs.index(apart[0])) for each in (first, window)):
        return None  # tiles outside of the array are copied as its last one, and so share a buffer
    one, other = (_stretch(dim) for dim in apart[0])
    if one is None or other is None or one.step is not other.step or one.last is None:
        return None
    moving = axes_behind(window_values(window.window))
    if [axis for axis in pipeline.axes if axis in moving][-1].result is not one.step:
        return None  # loops inside go through parts of a tile
    later = one.start == Linear(0) and _is_positive(other.start - one.count)
    if not later or not _equal(one.count, other.count) or not _same_range(*apart[0]):
        return None
    gets = [use.operation for use in window.result.uses]
    if not all(isinstance(get, GetOp) and _is_from(get, other) for get in gets):
        return None
    return Return(first, other.tile, one.last)


def _same_range(one: Dim, other: Dim) -> bool:
    """Whether two dimensions go through tiles of one size of one range."""
    a, b = (None if dim.base is None else dim.base.owner for dim in (one, other))
    if not isinstance(a, SpanOp) or not isinstance(b, SpanOp) or one.span is None or other.span is None:
        return False
    flags = (a.aligned, a.keep, one.span.size) == (b.aligned, b.keep, other.span.size)
    ends = ((a.bounds.begin, b.bounds.begin), (a.bounds.end, b.bounds.end))
    return flags and all(_equal(linear(left), linear(right)) for left, right in ends)


def _stretch(dim: Dim) -> _Stretch | None:
    """The stretch of steps in which a dimension goes through tiles."""
    span = None if dim.base is None else dim.base.owner
    if not isinstance(span, SpanOp):
        return None
    number = span.index
    if isinstance(number.owner, arith.AddiOp) and isinstance(number.owner.lhs.owner, arith.FloorDivSIOp):
        number = number.owner.rhs  # from the first tile of the range on
    tile, place, last = number, number.owner, None
    if isinstance(place, arith.MinSIOp):
        number, last = place.lhs, place.rhs
        place = number.owner
    if isinstance(place, arith.MaxSIOp) and linear(place.rhs) == Linear(0):
        number = place.lhs
    form = linear(number)
    steps = [leaf for leaf in form.factors if isinstance(leaf, SSAValue) and isinstance(leaf.owner, AxisOp)]
    if len(steps) != 1 or form.factors[steps[0]] != 1:
        return None
    step = steps[0]
    start = linear(step) - form
    axis = step.owner
    assert isinstance(axis, AxisOp)
    if linear(axis.axis.bounds.begin) != Linear(0) or (start != Linear(0) and number is tile):
        return None  # of which the first step, or the first tile, is not known
    count = linear(axis.axis.bounds.end) - start if last is None else linear(last) + Linear(1)
    return _Stretch(step, start, count, tile, last)


def _is_from(get: GetOp, stretch: _Stretch) -> bool:
    """Whether a window is only read in the steps from the begin of a stretch on."""
    block = get.parent
    around = get.parent_op()
    while isinstance(around, scf.IfOp | scf.ForOp):
        if (
            isinstance(around, scf.IfOp)
            and block is around.true_region.block
            and any(_says_from(each, stretch) for each in conjuncts(around.cond))
        ):
            return True
        block, around = around.parent, around.parent_op()
    return False


def _says_from(condition: SSAValue, stretch: _Stretch) -> bool:
    op = condition.owner
    if not isinstance(op, arith.CmpiOp) or op.predicate.value.data != _AT_LEAST:
        return False
    return linear(op.lhs) - linear(op.rhs) == linear(stretch.step) - stretch.start


_AT_LEAST = 5
"""`sge` of `arith.cmpi`."""


def _is_positive(form: Linear) -> bool:
    """Whether a form is surely 0 or more."""
    lows = [Ranges().of(leaf).low if isinstance(leaf, SSAValue) else None for leaf in form.factors]
    known = all(low is not None and low >= 0 for low in lows)
    return form.constant >= 0 and known and all(factor > 0 for factor in form.factors.values())


def _equal(one: Linear, other: Linear) -> bool:
    """Whether two forms are the same, computed once or twice."""
    if one.constant != other.constant or len(one.factors) != len(other.factors):
        return False
    rest = dict(other.factors)
    for leaf, factor in one.factors.items():
        match = next((each for each, times in rest.items() if times == factor and _alike(leaf, each)), None)
        if match is None:
            return False
        del rest[match]
    return True


def _alike(one: Leaf, other: Leaf) -> bool:
    """Whether two scalars are computed alike from the same ones."""
    if one == other:
        return True
    if isinstance(one, tuple) or isinstance(other, tuple):
        return False
    a, b = one.owner, other.owner
    if not isinstance(a, Operation) or type(a) is not type(b) or not a.name.startswith("arith."):
        return False
    assert isinstance(b, Operation)
    return a.properties == b.properties and all(
        _equal(linear(left), linear(right)) for left, right in zip(a.operands, b.operands, strict=True)
    )
