"""How long an axis can be, from the arrays that it indexes: a live lane of an access is inside its array."""

from collections.abc import Iterable, Iterator

from xdsl.dialects import arith
from xdsl.ir import Operation, SSAValue

from tilec.analysis.affine import linear, static_extent
from tilec.analysis.positions import literal_of
from tilec.dialects.tile.access import AccessOp, Dim
from tilec.dialects.tile.loops import ForOp
from tilec.dialects.tile.types import UNBOUND, shape_of
from tilec.dialects.tile.values import IndicesOp


def most_accessed(loop: ForOp) -> int | None:
    """The most indices that a loop's axis can have: the least extent of a dimension that each of them indexes
    in every iteration, or so many times as long a one as they are divided by before. `None` where no such
    extent is known.
    """
    found = [extent for _, extent in indexed(loop)]
    found += [extent * times for extent, times in _divided(loop)]
    return min((extent for extent in found if extent >= 0), default=None)


def _divided(loop: ForOp) -> Iterator[tuple[int, int]]:
    """Extents of dimensions that quotients of a loop's indices index in every iteration, and divisors."""
    for op in every_time(loop):
        for dim, extent in zip(op.window, shape_of(op.array.type), strict=True):
            made = dim.base.owner if dim.indexed and dim.base is not None and dim.shift == 0 else None
            if not isinstance(made, arith.FloorDivSIOp):
                continue
            indices, divisor = made.lhs.owner, literal_of(made.rhs) or 0
            if isinstance(indices, IndicesOp) and indices.span is loop.axis.value and divisor > 0:
                yield extent, divisor


def most_positions(loop: ForOp) -> int | None:
    """The longest that the segment can be whose indices a loop goes through: the least extent of a dimension
    that positions in it index in every iteration. `None` where none do."""
    begin = linear(loop.axis.bounds.begin)
    if begin.literal is not None:
        return None
    first = [((begin + linear(dim.shift)).literal, extent) for dim, extent in indexed(loop)]
    return min((extent - at for at, extent in first if at is not None and extent != UNBOUND), default=None)


def indexed(loop: ForOp) -> Iterator[tuple[Dim, int]]:
    """How a loop's axis indexes arrays in every iteration, and the extents of the dimensions there."""
    for op, place in indexing(loop.axis.value, every_time(loop)):
        yield op.window[place], shape_of(op.array.type)[place]


def indexing(value: SSAValue, ops: Iterable[Operation]) -> Iterator[tuple[AccessOp, int]]:
    """The accesses among operations that what an axis yields indexes, and in which dimensions."""
    for op in ops:
        for place, dim in enumerate(op.window if isinstance(op, AccessOp) else ()):
            if isinstance(op, AccessOp) and dim.base is value:
                yield op, place


def every_time(loop: ForOp) -> Iterator[AccessOp]:
    """The accesses that every iteration of a loop surely makes, in all lanes."""
    for op in loop.body.block.ops:
        if isinstance(op, AccessOp) and not may_leave_out(op):
            yield op
        length = static_extent(op.axis.bounds) if isinstance(op, ForOp) else None
        if isinstance(op, ForOp) and length is not None and length > 0:
            yield from every_time(op)


def may_leave_out(op: Operation) -> bool:
    """Whether a mask or `drop` may leave lanes of an access out."""
    return getattr(op, "mask", None) is not None or getattr(op, "drop", None) is not None
