"""The loop of a `fori_loop` kernel: copies that run ahead of the steps that need them.

A window with `depth` buffers is fetched `depth - 1` steps before the step that reads it, and the copy of what
a step wrote is waited for only when its buffer is wanted again. So a copy begins before an earlier one is
awaited. A block that consecutive steps share is copied once; the steps between which it changes are found as
the loop runs, and counted, since the number of a block among those visited says which buffer holds it.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from xdsl.dialects.builtin import IndexType, LocationAttr
from xdsl.ir import Block, Operation, Region, SSAValue

from tilec.dialects import pallas
from tilec.dialects.tile.access import Effect
from tilec.dialects.tile.types import shape_of
from tilec.lowering.copies import CopiedWindow
from tilec.lowering.loop_steps import MakeScalars, Steps
from tilec.lowering.run_gathers import RunsAhead
from tilec.lowering.scalars import Scalars
from tilec.rewriting.index import Index, IndexBuilder, named


@dataclass
class CopyLoop:
    """The loop over `trips` steps of the axes, in which `windows` are copied, those in `moving` in each step,
    and the rows of gathers in `runs`.

    `preloads` are pairs of a window that is written and one with what its array held. `slots` says, inside
    the loop, which buffer of each window the step uses.
    """

    windows: Sequence[CopiedWindow]
    moving: Collection[CopiedWindow]
    runs: Sequence[RunsAhead]
    preloads: Sequence[tuple[CopiedWindow, CopiedWindow]]
    trips: Sequence[Index]
    total: Index
    make: MakeScalars
    location: LocationAttr
    slots: dict[SSAValue, Index] = field(default_factory=dict[SSAValue, Index])
    state: dict[tuple[SSAValue, str], Index] = field(default_factory=dict[tuple[SSAValue, str], Index])
    """What the loop counts: by buffer, how many blocks were asked for, how many used, and in which step the
    latest ones were."""

    def lower(self, head: list[Operation], body: Callable[[Scalars, list[Operation]], None]) -> None:
        """Append the loop to `head`; `body` appends what a step computes.

        Where there may be no step, all of it is done only if there is one: what the first steps copy is found
        in lists that would then be empty.
        """
        if isinstance(self.total, int):
            self._lower(head, body)
            return
        ops: list[Operation] = []
        self._lower(ops, body)
        some = IndexBuilder(head, self.location).compare("slt", 0, self.total)
        when = pallas.WhenOp(some, Region(Block(ops)))
        when.location = self.location
        head.append(when)

    def _lower(self, head: list[Operation], body: Callable[[Scalars, list[Operation]], None]) -> None:
        outside = self._steps(head)
        self._begin(outside)
        block = Block(arg_types=[IndexType()] * (1 + len(self.state)))
        ops: list[Operation] = []
        inside, step = self._steps(ops), block.args[0]
        step.name_hint = "step"
        inits = [outside.build.value(value) for value in self.state.values()]
        self._carry(block.args[1:])
        for window in self._of(Effect.READ):
            self._fetch_ahead(window, inside, step)
        for each in self.runs:
            slot = each.follow(inside, step)
            self.slots |= {gather.buffer: slot for gather in each.gathers}
        for window in self.windows:
            self._enter(window, inside, step)
        for window, before in self.preloads:
            self._preload(window, before, inside, step)
        body(inside.at(step), ops)
        for window in self._of(Effect.WRITE):
            self._write_back(window, inside, step)
        block.add_ops([*ops, pallas.YieldOp([inside.build.value(value) for value in self.state.values()])])
        loop = pallas.ForiOp(0, self.total, inits, Region(block))
        outside.build.insert_all(loop, self.location)
        self._carry(loop.results)
        for window in self._of(Effect.WRITE):
            self._drain(window, outside)

    def _steps(self, ops: list[Operation]) -> Steps:
        return Steps(self.trips, self.total, self.make, ops, IndexBuilder(ops, self.location))

    def _of(self, effect: Effect) -> list[CopiedWindow]:
        return [window for window in self.windows if window.effect is effect]

    def _carry(self, values: Sequence[SSAValue]) -> None:
        for key, value in zip(self.state, values, strict=True):
            value.name_hint = key[1]
            self.state[key] = value

    def _begin(self, steps: Steps) -> None:
        """Fetch what the first steps want, and begin to count."""
        build = steps.build
        for each in self.runs:
            each.begin(steps)
        for window in self.windows:
            asked: Index = 0
            for step in range(window.depth - 1 if window.effect is Effect.READ else 0):
                exists = None if step == 0 else build.compare("slt", step, self.total)
                at = steps.clamped(step)
                if window not in self.moving and step:
                    exists = build.every([exists, steps.changed(window, at)])
                steps.when(
                    exists,
                    window.copy(pallas.CopyStartOp, build.remainder(asked, window.depth), steps.at(at)),
                )
                asked = steps.counted(asked, exists)
            if window in self.moving:
                continue
            if window.effect is Effect.READ:
                self.state[window.buffer, "asked"] = asked
            self.state[window.buffer, "used"] = 0
            if window.effect is Effect.WRITE and window.has_tail:
                for number in range(window.depth):
                    self.state[window.buffer, f"step_{number}"] = 0

    def _fetch_ahead(self, window: CopiedWindow, steps: Steps, step: SSAValue) -> None:
        """Begin the copy that the step `depth - 1` steps ahead needs."""
        build = steps.build
        ahead = named(build.add(step, window.depth - 1), "ahead")
        exists = None if window.depth == 1 else build.compare("slt", ahead, self.total)
        if exists is not None:
            exists.name_hint = "more"
        if window in self.moving:
            slot = named(build.remainder(ahead, window.depth), "next_slot")
            at = steps.at(ahead if exists is None else steps.clamped(ahead))
            steps.when(exists, window.copy(pallas.CopyStartOp, slot, at))
            return
        ahead = ahead if exists is None else steps.clamped(ahead)
        wanted = build.every([exists, steps.changed(window, ahead)])
        asked = self.state[window.buffer, "asked"]
        slot = named(build.remainder(asked, window.depth), "next_slot")
        steps.when(wanted, window.copy(pallas.CopyStartOp, slot, steps.at(ahead)))
        self.state[window.buffer, "asked"] = named(steps.counted(asked, wanted), "asked")

    def _enter(self, window: CopiedWindow, steps: Steps, step: SSAValue) -> None:
        """Wait until the step can use its buffer: for the copy into it, or for an earlier one out of it."""
        build, depth = steps.build, window.depth
        if window in self.moving:
            self.slots[window.buffer] = slot = named(build.remainder(step, depth), "slot")
            if window.effect is Effect.READ:
                steps.when(None, window.copy(pallas.CopyWaitOp, slot, steps.at(step)))
                return
            before = build.maximum(build.sub(step, depth), 0)
            wait = window.copy(pallas.CopyWaitOp, slot, steps.at(before))
            steps.when(build.compare("sge", step, depth), wait)
            return
        changed, used = steps.changed(window, step), self.state[window.buffer, "used"]
        visits = steps.counted(used, changed)
        self.slots[window.buffer] = slot = named(build.remainder(build.sub(visits, 1), depth), "slot")
        self.state[window.buffer, "used"] = visits
        if window.effect is Effect.READ:
            steps.when(changed, window.copy(pallas.CopyWaitOp, slot, steps.at(step)))
            return
        full = build.every([changed, build.compare("slt", depth, visits)])
        steps.when(
            full, window.copy(pallas.CopyWaitOp, slot, steps.at(self._latest(window, depth - 1, step)))
        )
        if window.has_tail and changed is not None:
            for number in reversed(range(depth)):
                newer = step if number == 0 else self._latest(window, number - 1, step)
                older = self._latest(window, number, step)
                self.state[window.buffer, f"step_{number}"] = build.select(changed, newer, older)

    def _preload(self, window: CopiedWindow, before: CopiedWindow, steps: Steps, step: SSAValue) -> None:
        """Let a block that is written begin as what the array held."""
        whole = [None] * (len(shape_of(window.buffer.type)) - 1)
        load = pallas.LoadOp(before.buffer, [self.slots[before.buffer], *whole])
        store = pallas.StoreOp(load.value, window.buffer, [self.slots[window.buffer], *whole])
        steps.when(None if window in self.moving else steps.changed(window, step), load, store)

    def _latest(self, window: CopiedWindow, number: int, step: Index) -> Index:
        """The step in which the block `number` blocks before the latest one was new.

        Any step will do where all blocks have the same number of elements, which is what a wait counts.
        """
        return self.state.get((window.buffer, f"step_{number}"), step)

    def _write_back(self, window: CopiedWindow, steps: Steps, step: SSAValue) -> None:
        """Begin to copy out what will not be written again."""
        build, done = steps.build, None
        if window not in self.moving:
            following = build.add(step, 1)
            last = build.compare("eq", following, self.total)
            changed = steps.changed(window, steps.clamped(following))
            done = build.either(last, changed)
        steps.when(done, window.copy(pallas.CopyStartOp, self.slots[window.buffer], steps.at(step)))

    def _drain(self, window: CopiedWindow, steps: Steps) -> None:
        """Wait for the copies that nothing has waited for."""
        build, moving = steps.build, window in self.moving
        copies = self.total if moving else self.state[window.buffer, "used"]
        for number in range(window.depth):
            place = build.sub(build.sub(copies, 1), number)
            known = isinstance(copies, int)
            if known and copies <= number:
                continue
            condition = None if known else build.compare("slt", number, copies)
            slot = build.remainder(place if known else build.maximum(place, 0), window.depth)
            step = place if moving else self._latest(window, number, 0)
            at = steps.at(step if known else build.maximum(step, 0))
            steps.when(condition, window.copy(pallas.CopyWaitOp, slot, at))
