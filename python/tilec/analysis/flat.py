"""Axes along arrays of rank 1 whose tiles can be rows of lanes: what accesses them, and how wide rows may be.

A register holds 8 rows of 128 lanes. A tile of rank 1 is one row, and so fills an eighth of each register
that it takes. Where its lanes never meet others, but all of them in a reduction, it can as well be several
rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.dialects import scf
from xdsl.ir import Operation, SSAValue

from tilec.analysis.vmem import LANES, SUBLANES
from tilec.dialects.tile.access import AccessOp
from tilec.dialects.tile.arrays import LoadOp, StoreOp
from tilec.dialects.tile.axes import Axis
from tilec.dialects.tile.bound import BoundOp
from tilec.dialects.tile.elementwise import is_lanewise
from tilec.dialects.tile.loops import GridOp, LoopOp, YieldOp
from tilec.dialects.tile.mixing import ReduceOp
from tilec.dialects.tile.types import SpanType, byte_width, element_type, shape_of, span_names
from tilec.dialects.tile.values import BroadcastOp, IndicesOp, SplatOp
from tilec.dialects.tile.views import ViewOp, viewed_array


@dataclass(frozen=True)
class Flat:
    """An axis `0 to extent` whose tiles can be rows: its `uses`, the `accesses` among them, and the `widths`
    that rows may have, the best first: those in which most bytes of arrays lie in memory already."""

    extent: int
    uses: tuple[Operation, ...]
    accesses: tuple[LoadOp | StoreOp, ...]
    widths: tuple[int, ...]


def row_width(widths: Sequence[int], block: int) -> int | None:
    """The first width whose rows tiles of `block` lanes are made of, so many that registers are full."""
    return next((each for each in widths if block % (SUBLANES * each) == 0), None)


def flat(loop: LoopOp, axis: Axis) -> Flat | str:
    """What is known of an axis whose tiles can be rows; else why they cannot."""
    kind, bounds = axis.value.type, axis.bounds
    if not isinstance(kind, SpanType) or bounds.begin != 0 or not isinstance(bounds.end, int):
        return "it does not run from 0 to a number that the program says"
    uses = [use.operation for use in axis.value.uses]
    accesses = [op for op in uses if isinstance(op, LoadOp | StoreOp)]
    if not accesses:
        return "nothing is loaded or stored along it"
    reason = _uses_reason(axis, uses) or _values_reason(loop, kind.axis) or _arrays_reason(loop, accesses)
    if reason is not None:
        return reason
    arrays = {op.array for op in accesses}
    extents = {bounds.end, *(shape_of(array.type)[0] for array in arrays)}
    lying = {array: lies_in(array) for array in arrays}
    widths = sorted(
        {LANES, *lying.values()},
        key=lambda width: (-sum(_bytes(array) for array in arrays if lying[array] == width), -width),
    )
    widths = [each for each in widths if all(extent % each == 0 for extent in extents)]
    if not widths:
        return f"its {bounds.end} lanes, or those of an array, are no whole rows of {LANES}"
    return Flat(bounds.end, tuple(uses), tuple(accesses), tuple(widths))


def flat_axes(module: Operation) -> dict[str, Flat]:
    """The axes of a program whose tiles can be rows, by name, but for names that other axes have too."""
    found: dict[str, Flat] = {}
    other: set[str] = set()
    for loop in [op for op in module.walk() if isinstance(op, LoopOp)]:
        for axis in loop.axes:
            known = flat(loop, axis)
            if isinstance(known, str) or axis.name in found:
                other.add(axis.name)
            else:
                found[axis.name] = known
    return {name: each for name, each in found.items() if name not in other}


def lies_in(array: SSAValue) -> int:
    """The lanes of the rows in which the elements of an array of rank 1 lie in memory one after the other.

    An array of rank 1 itself lies in rows of 128, as one of rank 2 with such rows does.
    """
    while isinstance(array.owner, ViewOp) and array.owner.permutation is None:
        array = array.owner.array
    shape = shape_of(array.type)
    lanes = shape[-1]
    return lanes if len(shape) > 1 and lanes % LANES == 0 else LANES


def _bytes(array: SSAValue) -> int:
    return shape_of(array.type)[0] * byte_width(element_type(array.type))


def _uses_reason(axis: Axis, uses: list[Operation]) -> str | None:
    for op in uses:
        match op:
            case IndicesOp() | BoundOp():
                pass
            case LoadOp() | StoreOp() if len(op.window) == 1 and op.window[0].shift == 0:
                if shape_of(op.array.type)[0] < 0:
                    return "the extent of an array is known only at run time"
            case AccessOp():
                return f"{op.name} takes it with a shift, or as one of several dimensions or positions"
            case _:
                return f"{op.name} takes it"
    return None


def _values_reason(loop: LoopOp, name: str) -> str | None:
    """Why values with lanes of the axis cannot be rows: they are not of rank 1, or something mixes lanes."""
    for op in loop.walk():
        made = [*op.results, *(arg for region in op.regions for block in region.blocks for arg in block.args)]
        kinds = [value.type for value in (*op.operands, *made) if name in span_names(value.type)]
        if any(len(shape_of(kind)) != 1 for kind in kinds):
            return f"{op.name} has lanes of it beside others"
        if kinds and not _keeps_apart(op):
            return f"{op.name} takes lanes of it"
    return None


def _keeps_apart(op: Operation) -> bool:
    """Whether an operation means the same where its tiles of rank 1 are rows."""
    match op:
        case LoadOp() | StoreOp():
            return not any(dim.indexed for dim in op.window)
        case BroadcastOp():
            return not shape_of(op.value.type)
        case _ if op.name == "arith.constant":
            return False  # has its type in its value
        case _:
            plain = LoopOp | YieldOp | scf.IfOp | scf.YieldOp | IndicesOp | SplatOp | ReduceOp
            return isinstance(op, plain) or is_lanewise(op)


def _arrays_reason(loop: LoopOp, accesses: list[LoadOp | StoreOp]) -> str | None:
    """Why the kernel cannot see the arrays as rows: it writes one of them that it accesses otherwise too."""
    kernel: Operation = loop
    while isinstance(around := kernel.parent_op(), LoopOp | scf.IfOp):
        kernel = around
    if not isinstance(kernel, GridOp):
        return "its loop is in no grid"
    bases = {viewed_array(op.array) for op in accesses}
    others = [op for op in kernel.walk() if isinstance(op, AccessOp) and op not in accesses]
    writes = any(op.writes for op in (*accesses, *others))
    if writes and any(viewed_array(op.array) in bases for op in others):
        return "an array is also accessed otherwise"
    return None
