"""What a kernel does: in each step of its grid, or in a loop over the steps of its inner axes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from xdsl.dialects import scf
from xdsl.dialects.builtin import TensorType
from xdsl.ir import Operation, SSAValue

from tilec.analysis.affine import is_inside
from tilec.analysis.kept import Return
from tilec.analysis.visits import one_step
from tilec.dialects import pallas
from tilec.dialects.tile.gathers import GatherOp
from tilec.dialects.tile.places import GetOp, SetOp
from tilec.dialects.tile.schedule import PipelineOp, WindowOp
from tilec.dialects.tile.steps import FirstOp, LastOp
from tilec.lowering.copies import CopiedWindow, always_moves
from tilec.lowering.copy_loop import CopyLoop
from tilec.lowering.orientation import Orientation
from tilec.lowering.row_gathers import RowGather
from tilec.lowering.run_gathers import RunGather, runs_ahead
from tilec.lowering.scalars import Extents, Scalars
from tilec.lowering.statements import Statements
from tilec.lowering.windows import BlockPlan
from tilec.rewriting.index import Index, IndexBuilder

BY_ITEM = 0
"""The steps of an axis that makes another number of them in each step of the axes before it."""

Preload: TypeAlias = tuple[BlockPlan, SSAValue, SSAValue]
"""A written block, by its plan and reference, and the reference to its first contents."""


@dataclass(frozen=True)
class KernelParts:
    """A kernel but for its body.

    `outer` of the axes are those of the call's grid, `trips` the steps of all, if not `BY_ITEM`, and `counts`
    the numbers of steps that are known on the device only, with their value in the kernel where it has one.
    `refs` are the arrays in scalar memory, `places` the references behind windows and scratch, `plans` the
    blocks of windows. `preloads` are for the blocks of the grid. `copied` are the windows that the kernel
    copies itself, `copied_preloads` pairs of them as in `CopyLoop`, `returns` those that come back to tiles
    that others keep, `gathers` what those have that copy rows themselves.
    """

    pipeline: PipelineOp
    outer: int
    trips: Sequence[Index]
    counts: Mapping[SSAValue, SSAValue | None]
    refs: Mapping[SSAValue, SSAValue]
    extents: Extents
    places: Mapping[SSAValue, SSAValue]
    plans: Mapping[SSAValue, BlockPlan]
    orientation: Orientation
    preloads: Sequence[Preload]
    copied: Sequence[CopiedWindow]
    copied_preloads: Sequence[tuple[CopiedWindow, CopiedWindow]]
    returns: Mapping[WindowOp, Return]
    gathers: Mapping[GatherOp, RowGather | RunGather]

    def scalars(self, positions: Sequence[Index], trips: Sequence[Index], ops: list[Operation]) -> Scalars:
        return Scalars(self.pipeline, positions, trips, self.refs, self.extents, ops)

    def lower(
        self,
        source: Iterable[Operation],
        scalars: Scalars,
        begin: Scalars,
        ops: list[Operation],
        slots: Mapping[SSAValue, Index],
        waiting: list[Preload],
    ) -> None:
        """Lower what a step does into `ops`.

        The preloads in `waiting` come right before the first use of what they load, and are taken from the
        list. `begin` knows the step whose block they are for.
        """
        source = list(source)
        present = {inner for op in source for inner in op.walk()}
        gathers = {op: parts for op, parts in self.gathers.items() if op in present}
        statements = self._statements(scalars, ops, slots, gathers)
        for op in source:
            for preload in [each for each in waiting if self._uses(op, each[1])]:
                # Earlier, a step takes a tenth more bundles.
                waiting.remove(preload)
                statements.preload(*preload, begin)
            statements.lower(op)

    def _statements(
        self,
        scalars: Scalars,
        ops: list[Operation],
        slots: Mapping[SSAValue, Index],
        gathers: Mapping[GatherOp, RowGather | RunGather],
    ) -> Statements:
        return Statements(
            self.pipeline, self.places, self.plans, self.orientation, scalars, ops, slots, gathers
        )

    def preload_all(self, begin: Scalars, ops: list[Operation]) -> None:
        """Lower the preloads of the grid's blocks into `ops`."""
        statements = self._statements(begin, ops, {}, {})
        for preload in self.preloads:
            statements.preload(*preload, begin)

    def _uses(self, op: Operation, ref: SSAValue) -> bool:
        """Whether `op`, or an operation in it, reads or writes the block behind a reference."""
        places = (inner.ref for inner in op.walk() if isinstance(inner, GetOp | SetOp))
        return any(self.places.get(place) is ref for place in places)


def step_body(parts: KernelParts) -> list[Operation]:
    """The operations of a step of the grid, or of an emit_pipeline, over all axes."""
    head: list[Operation] = []
    ops: list[Operation] = []
    scalars = grid_scalars(parts, head)
    parts.lower(_ops(parts), scalars, scalars, ops, {}, list(parts.preloads))
    return [*without_unused(head), *ops]


def grid_scalars(parts: KernelParts, head: list[Operation]) -> Scalars:
    """The scalars of a step of the grid over all axes, which come into `head`."""
    build = IndexBuilder(head, parts.pipeline.location)
    positions = grid_positions(parts, len(parts.trips), build)
    # The count of a worklist is known on the device only.
    trips = [_steps_inside(parts, dim, trip, build) for dim, trip in enumerate(parts.trips)]
    return parts.scalars(positions, trips, head)


def without_unused(head: list[Operation]) -> list[Operation]:
    """Operations of scalars, but for numbers of steps that nothing asks for."""
    return [op for op in head if not isinstance(op, pallas.NumProgramsOp) or op.results[0].uses]


def grid_positions(parts: KernelParts, rank: int, build: IndexBuilder) -> list[Index]:
    """The step's position on the first `rank` axes."""
    positions: list[Index] = []
    for dim, trip in enumerate(parts.trips[:rank]):
        position = 0 if trip == 1 else build.insert(pallas.ProgramIdOp(dim))
        if isinstance(position, SSAValue):
            position.name_hint = parts.pipeline.axes[dim].axis.name
        positions.append(position)
    return positions


def _steps_inside(parts: KernelParts, dim: int, trip: Index, build: IndexBuilder) -> Index:
    if isinstance(trip, SSAValue) and trip in parts.counts:
        steps = build.insert(pallas.NumProgramsOp(dim))
        steps.name_hint = "steps"
        return steps
    return trip


def loop_body(parts: KernelParts) -> list[Operation]:
    """A loop over the inner axes, in which the kernel copies windows itself, and what stands around it."""
    head: list[Operation] = []
    build = IndexBuilder(head, parts.pipeline.location)
    outer = grid_positions(parts, parts.outer, build)
    trips = [_known(parts.counts, trip) for trip in parts.trips]
    inner = trips[parts.outer :]
    total: Index = 1
    for trip in inner:
        total = build.mul(total, trip)
    before, inside, after = _parted(parts) if isinstance(total, int) else ([], _ops(parts), [])

    def make(positions: Sequence[Index], ops: list[Operation]) -> Scalars:
        return parts.scalars([*outer, *positions], trips, ops)

    def body(scalars: Scalars, ops: list[Operation]) -> None:
        parts.lower(inside, scalars, scalars, ops, loop.slots, waiting)

    axes = parts.pipeline.axes[parts.outer :]
    moving = {window for window in parts.copied if always_moves(window.plan, axes)}
    runs = runs_ahead(each for each in parts.gathers.values() if isinstance(each, RunGather))
    location, waiting = parts.pipeline.location, list(parts.preloads)
    loop = CopyLoop(parts.copied, moving, runs, parts.copied_preloads, inner, total, make, location)
    begin = make([0] * len(inner), head)
    if not isinstance(total, int):  # there may be no step, and the grid writes its blocks back all the same
        parts.preload_all(begin, head)
        waiting.clear()
    parts.lower(before, begin, begin, head, {}, waiting)
    loop.lower(head, body)
    last = [trip - 1 if isinstance(trip, int) else trip for trip in inner]
    parts.lower(after, make(last, head), begin, head, {}, waiting)
    return head


def _known(counts: Mapping[SSAValue, SSAValue | None], trip: Index) -> Index:
    return (counts.get(trip) or trip) if isinstance(trip, SSAValue) else trip


def _ops(parts: KernelParts) -> list[Operation]:
    return list(parts.pipeline.body.block.ops)


def _parted(parts: KernelParts) -> tuple[list[Operation], list[Operation], list[Operation]]:
    """What the first step of the loop begins with, what each does, and what the last one ends with.

    The first and the last part are taken out of the conditions that they stand under.
    """
    inside = _ops(parts)
    before = _leading(parts, inside, FirstOp)
    after = _leading(parts, inside[::-1], LastOp)[::-1]
    taken = {*before, *after}
    return _opened(before), [op for op in inside if op not in taken], _opened(after)


def _leading(parts: KernelParts, ops: list[Operation], query: type[FirstOp | LastOp]) -> list[Operation]:
    """The conditions on `query` that nothing with an effect precedes in `ops`."""
    found: list[Operation] = []
    for op in ops:
        if isinstance(op, scf.IfOp) and _is_outside(parts, op, query):
            found.append(op)
        elif isinstance(op, scf.IfOp | scf.ForOp | GetOp | SetOp):
            break
    return found


def _is_outside(parts: KernelParts, op: scf.IfOp, query: type[FirstOp | LastOp]) -> bool:
    """Whether a condition holds in the first, or the last, step of the whole loop only, and what stands under
    it needs nothing of the step.
    """
    moving = [axis for axis in parts.pipeline.axes[parts.outer :] if not one_step(axis)]
    asked = op.cond.owner
    if op.results or op.false_region.blocks or not isinstance(asked, query):
        return False
    if len(moving) != 1 or asked.axis.owner is not moving[0]:
        return False
    copied = {window.plan.window.result for window in parts.copied}
    used = {value for inner in op.true_region.walk() for value in inner.operands if not is_inside(value, op)}
    return not any(value in copied or isinstance(value.type, TensorType) for value in used)


def _opened(ops: list[Operation]) -> list[Operation]:
    return [
        inner
        for op in ops
        if isinstance(op, scf.IfOp)
        for inner in op.true_region.block.ops
        if not isinstance(inner, scf.YieldOp)
    ]
