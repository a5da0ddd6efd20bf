"""Arguments to try a function with, drawn at random but so that the function accepts them."""

from collections.abc import Iterator, Sequence

import numpy as np
from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import IndexType, ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass

from tilec.analysis.affine import axis_bounds, ends_in, linear
from tilec.analysis.segments import room_before
from tilec.analysis.within import around
from tilec.diagnostics import TileError, collect_notes
from tilec.dialects.tile import AxisOp, ForOp, GridOp, SegmentOp, SpanOp
from tilec.dialects.tile.access import AccessOp, Dim
from tilec.dialects.tile.types import UNBOUND, element_type, shape_of

from .values import Data, convert, dtype_of, is_float

MOST_ROWS = 300
"""`?` is at most this, several blocks of the usual sizes and quick to run."""

MOST_SEGMENTS = 9

MOST_INTEGER = 8
"""Integers that say nothing about themselves are from 0 up to this, so that they can be indices."""


def random_args(function: func.FuncOp, seed: int = 0, extent: int | None = None) -> list[Data]:
    """Arguments for `function`, the same for the same `seed`.

    Floats are normally distributed. Every `?` of an array is `extent`, by default one random number for all;
    `index` arguments are it too. Arrays that `tile.segment` reads, or that `--raise-segments` lets it read,
    are valid: ordered, disjoint, some empty, within each array that the segments index and within `max`;
    offsets end with the smallest such array, begins and ends leave gaps. Where such an array is itself `?`
    long, the number of segments is random. Other integers are small and not negative.

    Raises InterpreterError, at the function, for an element type that is not interpreted.
    """
    function = with_segments(function)
    rng = np.random.default_rng(seed)
    rows = int(rng.integers(1, MOST_ROWS + 1)) if extent is None else extent
    segments = int(rng.integers(1, MOST_SEGMENTS + 1))
    drawn: dict[SSAValue, Data] = {}
    for op in function.walk():
        if isinstance(op, SegmentOp) and op.begins not in drawn:
            draw_segments(rng, op, rows, segments, drawn)
    return [
        drawn[parameter] if parameter in drawn else draw(rng, function, parameter, rows)
        for parameter in function.body.block.args
    ]


def with_segments(function: func.FuncOp) -> func.FuncOp:
    """The function with the segments that it does not call so, and windows where it computes positions."""
    from tilec.passes.clip_axes import ClipAxes
    from tilec.passes.drop_masks import DropMasks
    from tilec.passes.mask_jagged import MaskJagged
    from tilec.passes.raise_gathers import RaiseGathers
    from tilec.passes.raise_segments import RaiseSegments
    from tilec.passes.rebase_axes import RebaseAxes
    from tilec.passes.scalarize_jagged import ScalarizeJagged

    copy = function.clone()
    with collect_notes():  # of these copies nobody wants to know
        try:
            _apply([ScalarizeJagged(), MaskJagged()], lowered := copy.clone())
            copy = lowered
        except TileError:  # the interpreter takes jagged tiles that no kernel can have
            pass
        _apply([ClipAxes(), DropMasks(), RaiseSegments(), RebaseAxes(), RaiseGathers()], copy)
    return copy


def _apply(passes: Sequence[ModulePass], function: func.FuncOp) -> None:
    module = ModuleOp([function])
    for each in passes:
        each.apply(Context(), module)
    function.detach()


def draw(rng: np.random.Generator, function: func.FuncOp, parameter: SSAValue, rows: int) -> Data:
    """An argument that says nothing about itself but its type."""
    kind = parameter.type
    dtype = dtype_of(function, element_type(kind))
    shape = [rows if size == UNBOUND else size for size in shape_of(kind)]
    if isinstance(kind, IndexType):
        return np.asarray(rows, np.int64)
    if is_float(dtype):
        return convert(np.asarray(rng.standard_normal(shape)), dtype)
    return np.asarray(rng.integers(0, 2 if dtype == np.bool_ else MOST_INTEGER, shape)).astype(dtype)


def draw_segments(
    rng: np.random.Generator, op: SegmentOp, rows: int, segments: int, drawn: dict[SSAValue, Data]
) -> None:
    """Draw the arrays of `op`: offsets, or begins and ends."""
    given = shape_of(op.begins.type)[0]
    count = segments if given == UNBOUND else given - (op.ends is None)
    extent, limit = room(op, rows)
    dtype = dtype_of(op, element_type(op.begins.type))
    cuts = np.sort(rng.integers(0, extent + 1, max(count - 1, 0)))
    lengths = np.diff(cuts, prepend=0, append=extent)[:count]
    lengths[rng.random(count) < 0.25] = 0  # empty ones are where mistakes hide
    if op.ends is None and count:
        lengths[rng.integers(count)] += extent - lengths.sum()
    lengths = np.minimum(lengths, limit)
    ends = np.cumsum(lengths)
    if op.ends is None:
        drawn[op.begins] = np.concatenate([[0], ends]).astype(dtype)
        return
    gaps = np.minimum(lengths, rng.integers(0, 3, count))
    drawn[op.begins], drawn[op.ends] = (ends - lengths + gaps).astype(dtype), ends.astype(dtype)


def room(op: SegmentOp, rows: int) -> tuple[int, int]:
    """How far the segments of `op` may reach, and the most that one may hold."""
    extents, limits = list[int](), list[int]()
    for value, limit in axes_over(op):
        limits += [] if limit is None else [limit]
        for use in value.uses:
            for dim, extent in _indexed(use.operation, value, rows):
                places = (linear(dim.shift) + linear(op.begin)).literal
                if places is None:
                    extents.append(max(extent - max(linear(dim.shift).literal or 0, 0), 0))
                else:  # of positions in a segment, which tell how long it is at most
                    limits.append(extent - places)
    extent = min(extents or [*_ends_with(op, rows)], default=rows)
    return extent, min([extent, *limits])


def _ends_with(op: SegmentOp, rows: int) -> Iterator[int]:
    """How far the segments of `op` may reach in what is accessed up to their end through axes that begin and
    end elsewhere, as where several arrays' segments come one after the other."""
    function = next(each for each in around(op) if isinstance(each, func.FuncOp))
    for access in function.walk():
        if not isinstance(access, AccessOp):
            continue
        for dim, whole in zip(access.window, shape_of(access.array.type), strict=True):
            bounds = None if dim.base is None else axis_bounds(dim.base)
            for end in () if bounds is None else ends_in(bounds):
                before = room_before(op, end, dim.shift)
                if before is not None:
                    yield (rows if whole == UNBOUND else whole) + before


def axes_over(op: SegmentOp) -> Iterator[tuple[SSAValue, int | None]]:
    """What the axes over the segments of `op` yield, with their `max`."""
    for use in [*op.begin.uses, *op.end.uses]:
        match use.operation:
            case GridOp() | ForOp():
                for axis in use.operation.axes:
                    if op.end in ends_in(axis.bounds):  # the least of several ends cuts longer ones
                        yield axis.value, axis.bounds.limit if op.end is axis.bounds.end else None
            case AxisOp():
                yield use.operation.result, use.operation.axis.bounds.limit
            case SpanOp():
                yield use.operation.result, None
            case _:
                pass


def _indexed(access: Operation, value: SSAValue, rows: int) -> Iterator[tuple[Dim, int]]:
    """What `value` indexes of an array, if an access does, and the extents there."""
    if isinstance(access, AccessOp):
        for dim, extent in zip(access.window, shape_of(access.array.type), strict=True):
            if dim.base is value:
                yield dim, rows if extent == UNBOUND else extent
