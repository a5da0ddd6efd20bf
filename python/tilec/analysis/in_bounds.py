"""Whether what a kernel copies lies in the arrays and buffers that it is copied between."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from xdsl.dialects import arith
from xdsl.ir import Operation, SSAValue

from tilec.analysis.blocks import rows_of_tile
from tilec.analysis.ranges import Range, Ranges
from tilec.analysis.vmem import LANES, round_up
from tilec.dialects.pallas.copies import CopyStartOp
from tilec.dialects.pallas.kernels import CallOp, PipeInOp, PipeOutOp
from tilec.dialects.pallas.specs import InOp, InSpaceOp, OutOp, PrefetchOp
from tilec.dialects.pallas.types import Bounded, Ds, Element, Space, space_of
from tilec.dialects.pallas.values import LoadOp, MultipleOfOp
from tilec.dialects.pallas.windows import Dim
from tilec.dialects.tile.types import UNBOUND, element_type, shape_of


@dataclass(frozen=True)
class Beyond:
    """A dimension of `ref`, of so many elements, that `op` may leave. It does not if its place there, or its
    block, is one of `inside`; `None` where what it takes ends at no place that is known."""

    op: Operation
    ref: SSAValue
    dim: int
    extent: int
    inside: Range | None


def beyond(call: CallOp) -> Iterator[Beyond]:
    """Where the copies of a kernel, its own and those of its windows, may leave an array or a buffer."""
    ranges = Ranges()
    for op in call.walk():
        match op:
            case CopyStartOp():
                for ref, dims in (op.parts[0], op.parts[1]):
                    yield from _part(op, ref, dims, ranges)
            case InOp() | OutOp() | PipeInOp() | PipeOutOp():
                yield from _window(op, ranges)
            case _:
                pass


def _part(op: Operation, ref: SSAValue, dims: Sequence[Dim], ranges: Ranges) -> Iterator[Beyond]:
    for number, (dim, extent) in enumerate(zip(dims, shape_of(ref.type), strict=False)):
        if dim is None:
            continue
        start = ranges.of(dim.start if isinstance(dim, Ds) else dim)
        if not _ends_inside(ref, number, dim, start, ranges):
            listed = isinstance(dim, SSAValue) and extent != UNBOUND and not _is_given(dim)
            yield Beyond(op, ref, number, extent, Range(low=0, high=extent - 1) if listed else None)
        elif start.low is None or start.low < 0:
            yield Beyond(op, ref, number, extent, Range(low=0))


def _ends_inside(
    ref: SSAValue, number: int, dim: "SSAValue | int | Ds", start: Range, ranges: Ranges
) -> bool:
    """Whether a part ends where its reference does, or before, if it begins at 0 or later."""
    extent = shape_of(ref.type)[number]
    size = ranges.of(dim.size if isinstance(dim, Ds) else 1)
    if extent == UNBOUND or start.high is None or size.high is None or size.low is None or size.low < 0:
        return False
    if start.high + size.high <= _padded(ref, number):
        return True
    end = _end_of_rest(dim, ranges) if isinstance(dim, Ds) else None
    return end is not None and max(size.high, end) <= _padded(ref, number)


def _end_of_rest(dim: Ds, ranges: Ranges) -> int | None:
    """Where a part ends, at most, whose size is what is left up to some end, or less.

    What begins before 0 and was moved there has the size that it had: it ends before that end, too, if it is
    no longer than to there.
    """
    size = dim.size
    if isinstance(size, SSAValue) and isinstance(size.owner, MultipleOfOp):
        size = size.owner.value
    if not isinstance(size, SSAValue) or not isinstance(size.owner, arith.MinSIOp):
        return None
    starts: list[SSAValue | int] = [dim.start]
    if isinstance(dim.start, SSAValue) and isinstance(dim.start.owner, arith.MaxSIOp):
        place, least = dim.start.owner.operands
        starts += [place] if ranges.of(least) == Range(0, 0) else []
    rests = [side.owner for side in size.owner.operands if isinstance(side.owner, arith.SubiOp)]
    return next((ranges.of(rest.lhs).high for rest in rests if rest.rhs in starts), None)


def _padded(ref: SSAValue, number: int) -> int:
    """The extent of an array in HBM with its padding: what lies in its last tile may be copied."""
    return shape_of(ref.type)[number] if space_of(ref.type) != Space.ANY else _in_tiles(ref, number)


def _in_tiles(ref: SSAValue, number: int) -> int:
    """The extent of an array in HBM up to the end of its last tile of memory."""
    shape = shape_of(ref.type)
    if len(shape) - number > 2:
        return shape[number]
    last = number == len(shape) - 1
    return round_up(shape[number], LANES if last else rows_of_tile(element_type(ref.type), shape[number]))


def _window(op: "InOp | OutOp | PipeInOp | PipeOutOp", ranges: Ranges) -> Iterator[Beyond]:
    """Where the block of a window may begin outside of its array: of the last one only what the array has is
    copied."""
    ref = op.array if isinstance(op, InOp) else op.ref if isinstance(op, OutOp) else op.source
    shape = shape_of(op.kind if isinstance(op, OutOp) else ref.type)
    for number, (extent, whole) in enumerate(zip(op.extents, shape, strict=True)):
        if isinstance(extent, Bounded) or whole == UNBOUND:
            yield Beyond(op, ref, number, whole, None)
            return
        if isinstance(extent, Element):
            inside = Range(low=0, high=_in_tiles(ref, number) - extent.size)
        else:
            inside = Range(low=0, high=-(-whole // (extent or 1)) - 1)
        block = op.map_results[number]
        if not (ranges.of(block).low in inside and ranges.of(block).high in inside):
            yield Beyond(op, ref, number, whole, None if _is_given(block) else inside)


def _is_given(block: SSAValue) -> bool:
    """Whether the number of a block, or an index, is computed from integers that the caller gives, which may
    be any. Those of lists that a kernel of the program made name what there is."""
    pending, seen = [block], set[SSAValue]()
    while pending:
        value = pending.pop()
        op = value.owner
        if value in seen or not isinstance(op, Operation):
            continue
        seen.add(value)
        pending += op.operands[1:] if isinstance(op, LoadOp) else op.operands
        if isinstance(op, LoadOp):
            made = op.ref.owner
            if not isinstance(made, PrefetchOp | InSpaceOp) or not isinstance(made.array.owner, CallOp):
                return True
    return False
