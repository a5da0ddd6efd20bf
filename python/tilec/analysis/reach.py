"""How long an axis can be, from the arrays that it indexes: a live lane of an access is inside its array."""

from collections.abc import Iterable, Iterator

from xdsl.ir import Operation, SSAValue

from tilec.analysis.affine import linear, static_extent
from tilec.dialects.tile.access import AccessOp, Dim
from tilec.dialects.tile.loops import ForOp
from tilec.dialects.tile.types import UNBOUND, shape_of


def most_accessed(loop: ForOp) -> int | None:
    """The most indices that a loop's axis can have: the least extent of a dimension that each of them indexes
    in every iteration. `None` where no such extent is known.
    """
    return min((extent for _, extent in indexed(loop) if extent != UNBOUND), default=None)


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
