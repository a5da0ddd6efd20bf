"""What a kernel with nested loops does: which statements stand before, in and after each loop."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from xdsl.dialects import arith, scf
from xdsl.dialects.builtin import TensorType
from xdsl.ir import Operation, SSAValue

from tilec.analysis.affine import is_inside, linear
from tilec.analysis.visits import axes_behind, level_of, one_step
from tilec.analysis.within import conjuncts
from tilec.dialects.tile.arrays import LoadOp, SegmentOp
from tilec.dialects.tile.places import GetOp, SetOp
from tilec.dialects.tile.schedule import AxisOp
from tilec.dialects.tile.steps import FirstOp, LastOp, LiveOp
from tilec.dialects.tile.types import span_of
from tilec.lowering.bodies import BY_ITEM, KernelParts, grid_positions
from tilec.lowering.nested_loop import NestedLoop
from tilec.lowering.scalars import Scalars
from tilec.rewriting.index import Index, IndexBuilder
from tilec.rewriting.jagged import tiles


@dataclass
class Part:
    """Statements that run together, and the conditions that are known to hold there."""

    ops: list[Operation] = field(default_factory=list[Operation])
    known: set[SSAValue] = field(default_factory=set[SSAValue])


def nested_body(parts: KernelParts) -> list[Operation]:
    """The loops over the inner axes, in which the kernel copies windows itself, and what is around them."""
    head: list[Operation] = []
    build = IndexBuilder(head, parts.pipeline.location)
    grid = grid_positions(parts, parts.outer, build)
    axes = [axis for axis in parts.pipeline.axes[parts.outer :] if not one_step(axis)]
    levels = {window.buffer: level_of(window.plan.window, axes) for window in parts.copied}
    inside, around = _parted(parts, axes, levels)

    def make(positions: Sequence[Index], ops: list[Operation]) -> Scalars:
        return _scalars(parts, grid, axes, positions, ops)

    def lower(part: Part, scalars: Scalars, ops: list[Operation]) -> None:
        for condition in part.known:
            scalars.assume(condition)
        parts.lower(part.ops, scalars, scalars, ops, loop.slots, [])

    def lower_around(number: int, before: bool, positions: Sequence[Index], ops: list[Operation]) -> None:
        part = around[number][0 if before else 1]
        if part.ops:
            lower(part, make(positions, ops), ops)

    loop = NestedLoop(
        axes,
        parts.copied,
        levels,
        parts.copied_preloads,
        parts.returns,
        _read_at(parts),
        make,
        lambda axis, scalars: _trip(parts, axis, scalars),
        lower_around,
        lambda scalars, ops: lower(inside, scalars, ops),
        parts.pipeline.location,
    )
    parts.preload_all(make((), head), head)
    loop.lower(head)
    return head


def _scalars(
    parts: KernelParts,
    grid: Sequence[Index],
    axes: Sequence[AxisOp],
    positions: Sequence[Index],
    ops: list[Operation],
) -> Scalars:
    """The scalars of the step at positions on the first of the loops' `axes`, and at 0 on the others."""
    at = dict(zip(axes, positions, strict=False))
    inner = [at.get(axis, 0) for axis in parts.pipeline.axes[parts.outer :]]
    scalars = parts.scalars([*grid, *inner], parts.trips, ops)
    for axis, (position, _) in list(scalars.axes.items()):
        scalars.axes[axis] = (position, _trip(parts, axis, scalars))
    return scalars


def _trip(parts: KernelParts, axis: AxisOp, scalars: Scalars) -> Index:
    """The steps of an axis in the step that the scalars know."""
    known = parts.trips[parts.pipeline.axes.index(axis)]
    if known != BY_ITEM:
        return known
    build = scalars.build
    bounds = {value: scalars.value(value) for value in axis.operands}
    numbers = tiles(axis, build, bounds)
    return build.sub(numbers.stop, numbers.first)


def _read_at(parts: KernelParts) -> set[AxisOp]:
    """The axes whose positions scalars read arrays at: a step past their end has nothing to read."""
    readers = [op for op in parts.pipeline.body.block.ops if isinstance(op, SegmentOp | LoadOp)]
    return axes_behind([value for op in readers for value in op.operands])


# Which statements stand around a loop


def _parted(
    parts: KernelParts, axes: Sequence[AxisOp], levels: Mapping[SSAValue, int]
) -> tuple[Part, list[tuple[Part, Part]]]:
    """What the innermost loop does, and what is done before and after each loop, the outermost first.

    What stands under the first step of a loop, with nothing before it, is done before the loop; so is what
    stands under the last one, with nothing behind it, after the loop.
    """
    inside = Part(list(parts.pipeline.body.block.ops))
    before, after = inside, inside
    around: list[tuple[Part, Part]] = []
    for number in reversed(range(len(axes))):
        deep = {place for place, ref in parts.places.items() if levels.get(ref, 0) > number}
        first = _taken(before, axes[number], FirstOp, deep)
        last = _taken(after, axes[number], LastOp, deep)
        before, after = first, last
        around.insert(0, (first, last))
    return inside, around


def _taken(part: Part, axis: AxisOp, query: type[FirstOp | LastOp], deep: set[SSAValue]) -> Part:
    """Take the conditions on a first, or last, step of `axis` that can leave its loop out of `part`."""
    taken = Part(known=set(part.known))
    order = part.ops if query is FirstOp else part.ops[::-1]
    for op in list(order):
        asked = _asked(op, axis, query) if isinstance(op, scf.IfOp) else None
        if isinstance(op, scf.IfOp) and asked is not None and _can_leave(op, asked, axis, deep):
            taken.ops.append(op)
            taken.known.add(asked)
        elif isinstance(op, scf.IfOp | scf.ForOp | GetOp | SetOp):
            break
    part.ops = [op for op in part.ops if op not in taken.ops]
    if query is LastOp:
        taken.ops.reverse()
    return taken


def _asked(op: scf.IfOp, axis: AxisOp, query: type[FirstOp | LastOp]) -> SSAValue | None:
    """The part of a condition that holds in the first, or last, step of `axis` only."""
    for condition in conjuncts(op.cond):
        owner = condition.owner
        if isinstance(owner, query) and owner.axis is axis.result:
            return condition
        if (
            isinstance(owner, arith.CmpiOp)
            and owner.predicate.value.data == 0
            and _is_at_end(owner, axis, query)
        ):
            return condition
    return None


def _is_at_end(op: arith.CmpiOp, axis: AxisOp, query: type[FirstOp | LastOp]) -> bool:
    """Whether equality of two indices says that an axis of indices is at its first, or last, one."""
    if span_of(axis.result) is not None:
        return False
    bounds = axis.axis.bounds
    end = linear(bounds.begin) if query is FirstOp else linear(bounds.end) - linear(1)
    distance, wanted = linear(op.lhs) - linear(op.rhs), linear(axis.result) - end
    return distance in (wanted, wanted.times(-1))


def _can_leave(op: scf.IfOp, asked: SSAValue, axis: AxisOp, deep: set[SSAValue]) -> bool:
    """Whether a condition without `asked`, and what stands under it, needs nothing of the step of `axis`."""
    if op.results or op.false_region.blocks:
        return False
    inner = {value for each in op.true_region.walk() for value in each.operands if not is_inside(value, op)}
    used = [*inner, *(each for each in conjuncts(op.cond) if each is not asked)]
    moving = [value for value in used if axis in axes_behind([value]) and not isinstance(value.owner, LiveOp)]
    return not moving and not any(value in deep or isinstance(value.type, TensorType) for value in used)
