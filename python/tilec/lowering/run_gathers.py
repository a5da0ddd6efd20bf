"""Rows of an array in HBM that follow each other in runs, each copied from where a scalar says it begins.

In a loop of the kernel's own the runs of a later step are copied while a step works, as windows are.
Otherwise the copies of all gathers of a step begin together, before the first one is waited for.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from xdsl.dialects.builtin import MemRefType
from xdsl.ir import Operation, SSAValue

from tilec.analysis.row_gathers import buffers_of
from tilec.dialects import pallas
from tilec.dialects.tile.gathers import GatherOp, RunsOp
from tilec.dialects.tile.types import element_type, shape_of
from tilec.lowering.loop_steps import Steps
from tilec.lowering.row_gathers import Spec, part_of_rows
from tilec.lowering.scalars import Scalars
from tilec.rewriting.index import Index, IndexBuilder, named


@dataclass(frozen=True)
class RunGather:
    """What a gather of `runs` has in a kernel: its array in HBM, and `depth` buffers with semaphores."""

    op: GatherOp
    runs: RunsOp
    array: SSAValue
    buffer: SSAValue
    semaphores: SSAValue
    depth: int

    @classmethod
    def of(cls, op: GatherOp, runs: RunsOp, array: SSAValue, spec: Spec) -> "RunGather":
        """Its scratch, each added to the kernel's by `spec`."""
        depth, name = buffers_of(op), op.result.name_hint or "rows"
        kind = MemRefType(element_type(op.array.type), [depth, *shape_of(op.result.type)])
        buffer = spec(pallas.ScratchOp(pallas.in_space(kind, pallas.Space.VMEM)), op.result)
        signals = pallas.in_space(MemRefType(pallas.DmaSemaphoreType(), [depth]), pallas.Space.SEMAPHORE)
        semaphores = spec(pallas.ScratchOp(signals), op.result)
        buffer.name_hint, semaphores.name_hint = f"{name}_found", f"{name}_copied"
        return cls(op, runs, array, buffer, semaphores, depth)

    @property
    def everywhere(self) -> list[None]:
        """All rows of a buffer."""
        return [None] * len(self.op.window)

    def begin(self, number: int, row: SSAValue, slot: Index, at: Scalars) -> None:
        """Begin to copy a run, from `row` on, into a buffer."""
        length = self.runs.length.value.data
        source = [pallas.Ds(row, length), *part_of_rows(self.op, self.array, 0, at, at.build)]
        target = [slot, pallas.Ds(number * length, length), *self.everywhere[1:]]
        copy = pallas.CopyStartOp(self.array, source, self.buffer, target, self.semaphores, [slot])
        at.build.insert_all(copy, self.op.location)

    def wait(self, slot: Index, build: IndexBuilder) -> None:
        """Wait for all runs of a buffer."""
        rows = [slot, *self.everywhere]
        copy = pallas.CopyWaitOp(self.buffer, rows, self.buffer, rows, self.semaphores, [slot])
        build.insert_all(copy, self.op.location)


def begin_runs(gathers: Sequence[RunGather], slot: Index, at: Scalars) -> None:
    """Begin to copy all runs of the step that `at` knows, those that begin alike next to each other."""
    build = at.build
    for runs in dict.fromkeys(each.runs for each in gathers):
        length, sharing = runs.length.value.data, [each for each in gathers if each.runs is runs]
        for number, first in enumerate(runs.firsts):
            rows: dict[int, SSAValue] = {}
            for each in sharing:
                last = shape_of(each.array.type)[0] - length
                if last not in rows:
                    row = build.value(build.nearest(at.index(first), last))
                    rows[last] = build.insert(pallas.MultipleOfOp(row, length))
                each.begin(number, rows[last], slot, at)


@dataclass(frozen=True)
class RunsAhead:
    """Gathers of a loop whose runs are copied, into `depth` buffers each, `depth - 1` steps before they are
    wanted.
    """

    gathers: Sequence[RunGather]
    depth: int

    def begin(self, steps: Steps) -> None:
        """Copy what the first steps want."""
        for step in range(self.depth - 1):
            exists = None if step == 0 else steps.build.compare("slt", step, steps.total)
            self._copy(steps, exists, step, steps.clamped(step))

    def follow(self, steps: Steps, step: SSAValue) -> Index:
        """Begin the copies of a later step, and wait for those of this one; returns the buffer it uses."""
        build = steps.build
        ahead = named(build.add(step, self.depth - 1), "ahead")
        exists = build.compare("slt", ahead, steps.total)
        self._copy(steps, exists, build.remainder(ahead, self.depth), steps.clamped(ahead))
        slot = named(build.remainder(step, self.depth), "slot")
        for each in self.gathers:
            each.wait(slot, build)
        return slot

    def _copy(self, steps: Steps, exists: SSAValue | None, slot: Index, step: Index) -> None:
        ops: list[Operation] = []
        begin_runs(self.gathers, slot, steps.at(step).into(ops))
        steps.when(exists, *ops)


def runs_ahead(gathers: Iterable[RunGather]) -> list[RunsAhead]:
    """Those of gathers that are copied ahead, by the number of their buffers."""
    found = [each for each in dict.fromkeys(gathers) if each.depth > 1]
    return [
        RunsAhead([each for each in found if each.depth == depth], depth)
        for depth in dict.fromkeys(each.depth for each in found)
    ]
