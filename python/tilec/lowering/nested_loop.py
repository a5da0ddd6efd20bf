"""The loops of a `nested` pipeline, one for each axis, with copies that run ahead of the steps.

A window belongs to the innermost loop that moves it, or to none, and is copied there: loops inside find it
in its buffer. Its next block is that of the next step of this loop or, after the last one, of the first step
that the loop makes for the next step of the loop around it. That copy begins before the step waits for its
own; what a step wrote is copied out when the next block begins. Which block is in the buffer is carried from
step to step, so a block that consecutive steps share is copied once.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from xdsl.dialects import arith
from xdsl.dialects.builtin import IndexType, LocationAttr
from xdsl.ir import Block, Operation, Region, SSAValue

from tilec.dialects import pallas
from tilec.dialects.tile.access import Effect
from tilec.dialects.tile.schedule import AxisOp
from tilec.dialects.tile.types import shape_of
from tilec.lowering.copies import CopiedWindow
from tilec.lowering.copy_loop import MakeScalars
from tilec.lowering.hoisting import hoisted, once
from tilec.lowering.scalars import Scalars
from tilec.lowering.windows import block_position, has_rows
from tilec.rewriting.index import Index, IndexBuilder, named

NOWHERE = -1
"""The position of a block that does not exist."""


@dataclass
class Step:
    """One step of the loops down to one of them, whose operations go into `ops`."""

    positions: tuple[Index, ...]
    make: MakeScalars
    ops: list[Operation]
    build: IndexBuilder
    _at: dict[tuple[Index, ...], Scalars] = field(default_factory=dict[tuple[Index, ...], Scalars])

    def at(self, positions: Sequence[Index]) -> Scalars:
        """The scalars of the step at these positions, and at the first ones of the loops inside."""
        key = tuple(positions)
        if key not in self._at:
            self._at[key] = self.make(key, self.ops)
        return self._at[key]

    @property
    def here(self) -> Scalars:
        return self.at(self.positions)

    def when(self, condition: SSAValue | None, *ops: Operation) -> None:
        """Run `ops` where the condition holds; `None` is always."""
        for op in ops:
            op.location = self.build.location
        if condition is None:
            self.ops += ops
        elif ops:
            self.build.insert_all(pallas.WhenOp(condition, Region(Block(ops))), self.build.location)

    def differs(self, one: Sequence[Index], two: Sequence[Index]) -> SSAValue | None:
        """Whether two blocks are not the same; `None` if they surely are."""
        found: SSAValue | None = None
        for a, b in zip(one, two, strict=True):
            if a is not b and a != b:
                found = self.build.either(found, self.build.compare("ne", a, b))
        return found

    def chosen(self, condition: SSAValue | None, one: Sequence[Index], two: Sequence[Index]) -> list[Index]:
        """The first block where the condition holds, else the second; `None` is always."""
        pairs = zip(one, two, strict=True)
        return [a if condition is None else self.build.select(condition, a, b) for a, b in pairs]


@dataclass
class NestedLoop:
    """The loops over `axes`, outermost first, in which `windows` are copied.

    `levels` says how many of the loops are around the copies of a window. `trip` gives the steps of an axis,
    from the scalars of the step around its loop. `read_at` are the axes whose positions scalars read arrays
    at. `preloads` are pairs of a window that is written and one with what its array held. `slots` says,
    inside the loops, which buffer of each window the step uses.
    """

    axes: Sequence[AxisOp]
    windows: Sequence[CopiedWindow]
    levels: Mapping[SSAValue, int]
    preloads: Sequence[tuple[CopiedWindow, CopiedWindow]]
    read_at: Collection[AxisOp]
    make: MakeScalars
    trip: Callable[[AxisOp, Scalars], Index]
    around: Callable[[int, bool, Sequence[Index], list[Operation]], None]
    """Appends what is done before, or else after, the loop of a number, counted from 0, in the step at these
    positions."""
    body: Callable[[Scalars, list[Operation]], None]
    location: LocationAttr
    slots: dict[SSAValue, Index] = field(default_factory=dict[SSAValue, Index])
    trips: list[Index] = field(default_factory=list[Index])
    state: dict[tuple[CopiedWindow, str], Index] = field(
        default_factory=dict[tuple[CopiedWindow, str], Index]
    )
    """What the loops carry: of each window the buffer and the position of its latest block, of one that is
    read whether that has yet to arrive, of one that is written how many there were and the one before."""

    def lower(self, head: list[Operation]) -> None:
        """Append the loops to `head`."""
        ops: list[Operation] = []
        step = self._step((), ops)
        for window in self.windows:
            self._begin(window, step)
        self._inside(0, step)
        for window in self._of(Effect.WRITE):
            self._drain(window, step)
        head += once(ops)

    def _step(self, positions: tuple[Index, ...], ops: list[Operation]) -> Step:
        return Step(positions, self.make, ops, IndexBuilder(ops, self.location))

    def _of(self, effect: Effect, level: int | None = None) -> list[CopiedWindow]:
        fitting = [window for window in self.windows if window.effect is effect]
        return [each for each in fitting if level is None or self.levels[each.buffer] == level]

    def _inside(self, level: int, step: Step) -> None:
        """What a step of the loops down to one of them does."""
        for window in self._of(Effect.READ, level):
            self._ask(window, step)
        changed = {window: self._enter(window, step) for window in self._of(Effect.WRITE, level)}
        for window, before in self.preloads:
            if window in changed:
                self._preload(window, before, changed[window], step)
        if level == len(self.axes):
            self.body(step.here, step.ops)
            return
        self.around(level, True, step.positions, step.ops)
        self._loop(level, step)
        self.around(level, False, step.positions, step.ops)

    def _loop(self, number: int, step: Step) -> None:
        axis = self.axes[number]
        trip = self.trip(axis, step.here)
        self.trips[number:] = [named(trip, f"{axis.axis.name}_steps")]
        keys = [key for key in self.state if self.levels[key[0].buffer] > number]
        inits = [step.build.value(self.state[key]) for key in keys]
        block = Block(arg_types=[IndexType()] * (1 + len(keys)))
        block.args[0].name_hint = axis.axis.name
        self._carry(keys, block.args[1:])
        inner = self._step((*step.positions, block.args[0]), [])
        self._inside(number + 1, inner)
        result = pallas.YieldOp([inner.build.value(self.state[key]) for key in keys])
        outside, inside = hoisted(inner.ops, block.args)
        step.ops += outside
        block.add_ops([*inside, result])
        loop = pallas.ForiOp(0, trip, inits, Region(block))
        step.build.insert_all(loop, axis.location)
        self._carry(keys, loop.results)

    def _carry(self, keys: Sequence[tuple[CopiedWindow, str]], values: Sequence[SSAValue]) -> None:
        for key, value in zip(keys, values, strict=True):
            value.name_hint = key[1]
            self.state[key] = value

    # The state of a window

    def _block(self, window: CopiedWindow, name: str, like: Sequence[Index]) -> list[Index]:
        """A block's position as it is carried; what never changes is as in `like`."""
        return [self.state.get((window, f"{name}_{i}"), each) for i, each in enumerate(like)]

    def _keep(self, window: CopiedWindow, name: str, position: Sequence[Index]) -> None:
        for i, each in enumerate(position):
            if (window, f"{name}_{i}") in self.state:
                self.state[window, f"{name}_{i}"] = each

    def _begin(self, window: CopiedWindow, step: Step) -> None:
        """Fetch what the first step wants, and begin to carry what the loops do."""
        moves, at = self.levels[window.buffer] > 0, step.at([0] * len(self.axes))
        position = block_position(window.plan, at)
        self.slots[window.buffer] = 0
        if window.effect is Effect.WRITE:
            for name in ["at", "before"] if moves and window.has_tail else ["at"] if moves else []:
                self._start(window, name, [NOWHERE] * len(position))
            if moves:
                self.state |= {(window, "slot"): window.depth - 1, (window, "count"): 0}
            return
        exists = has_rows(window.plan, at)
        step.when(exists, window.copy(pallas.CopyStartOp, 0, at, position))
        if moves:
            self._start(window, "at", step.chosen(exists, position, [NOWHERE] * len(position)))
            coming = 1 if exists is None else step.build.select(exists, 1, 0)
            self.state |= {(window, "slot"): 0, (window, "coming"): coming}

    def _start(self, window: CopiedWindow, name: str, position: Sequence[Index]) -> None:
        """Begin to carry a position, as far as steps change it."""
        self.state |= {(window, f"{name}_{i}"): position[i] for i in window.plan.moving}

    def _following(
        self, window: CopiedWindow, step: Step
    ) -> tuple[SSAValue | None, list[Index], SSAValue | None]:
        """Of the step after this one: whether there is one, its block, and whether that has rows."""
        build, exists, live = step.build, None, None
        position: list[Index] = []
        for number in range(self.levels[window.buffer]):
            here, trip = step.positions[number], self.trips[number]
            ahead = named(build.add(here, 1), "ahead")
            more = build.compare("slt", ahead, trip)
            more.name_hint = "more"
            if self.axes[number] in self.read_at:
                ahead = build.minimum(ahead, build.sub(trip, 1))
            at = step.at([*step.positions[:number], ahead])
            inner, rows = block_position(window.plan, at), has_rows(window.plan, at)
            position = inner if exists is None else step.chosen(more, inner, position)
            if rows is not None:
                live = rows if live is None else build.insert(arith.SelectOp(more, rows, live))
            exists = build.either(exists, more)
        return exists, position, live

    def _ask(self, window: CopiedWindow, step: Step) -> None:
        """Begin to copy the next block of a window that is read, and wait for this one."""
        build = step.build
        if self.levels[window.buffer] == 0:
            position = block_position(window.plan, step.here)
            step.when(
                has_rows(window.plan, step.here), window.copy(pallas.CopyWaitOp, 0, step.here, position)
            )
            return
        exists, following, live = self._following(window, step)
        latest = self._block(window, "at", following)
        wanted = build.every([exists, step.differs(following, latest), live])
        if wanted is None:
            raise ValueError("a window that a loop moves has blocks that differ")
        slot, coming = self.state[window, "slot"], self.state[window, "coming"]
        other = named(build.sub(1, slot), "next_slot")
        step.when(wanted, window.copy(pallas.CopyStartOp, other, step.here, following))
        arrives = build.compare("ne", coming, 0)
        step.when(arrives, window.copy(pallas.CopyWaitOp, slot, step.here, latest))
        self.slots[window.buffer] = slot
        self.state[window, "slot"] = build.select(wanted, other, slot)
        self.state[window, "coming"] = build.select(wanted, 1, 0)
        self._keep(window, "at", following if live is None else step.chosen(wanted, following, latest))

    def _enter(self, window: CopiedWindow, step: Step) -> SSAValue | None:
        """Where a written window's block is new, copy the last one out and wait for the buffer of this one.

        Returns whether it is new; `None` is always.
        """
        if self.levels[window.buffer] == 0:
            return None
        build = step.build
        position = block_position(window.plan, step.here)
        latest = self._block(window, "at", position)
        before = self._block(window, "before", position)
        changed = build.every([step.differs(position, latest), has_rows(window.plan, step.here)])
        if changed is None:
            raise ValueError("a window that a loop moves has blocks that differ")
        changed.name_hint = "changed"
        slot, count = self.state[window, "slot"], self.state[window, "count"]
        other = build.sub(1, slot)
        done = build.every([changed, build.compare("slt", 0, count)])
        full = build.every([changed, build.compare("slt", 1, count)])
        step.when(done, window.copy(pallas.CopyStartOp, slot, step.here, latest))
        step.when(full, window.copy(pallas.CopyWaitOp, other, step.here, before))
        self.state[window, "slot"] = self.slots[window.buffer] = named(
            build.select(changed, other, slot), "slot"
        )
        self.state[window, "count"] = build.add(count, build.select(changed, 1, 0))
        self._keep(window, "before", step.chosen(changed, latest, before))
        rows = has_rows(window.plan, step.here)
        self._keep(window, "at", position if rows is None else step.chosen(changed, position, latest))
        return changed

    def _preload(
        self, window: CopiedWindow, before: CopiedWindow, changed: SSAValue | None, step: Step
    ) -> None:
        """Let a block that is written begin as what the array held."""
        whole = [None] * (len(shape_of(window.buffer.type)) - 1)
        load = pallas.LoadOp(before.buffer, [self.slots[before.buffer], *whole])
        store = pallas.StoreOp(load.value, window.buffer, [self.slots[window.buffer], *whole])
        step.when(changed, load, store)

    def _drain(self, window: CopiedWindow, step: Step) -> None:
        """Copy the last block out, and wait for the copies that nothing has waited for."""
        build = step.build
        at = step.at([0] * len(self.axes))
        position = block_position(window.plan, at)
        if self.levels[window.buffer] == 0:
            rows = has_rows(window.plan, at)
            step.when(
                rows,
                window.copy(pallas.CopyStartOp, 0, at, position),
                window.copy(pallas.CopyWaitOp, 0, at, position),
            )
            return
        slot, count = self.state[window, "slot"], self.state[window, "count"]
        latest, before = self._block(window, "at", position), self._block(window, "before", position)
        some, several = build.compare("slt", 0, count), build.compare("slt", 1, count)
        start = window.copy(pallas.CopyStartOp, slot, at, latest)
        step.when(some, start)
        step.when(several, window.copy(pallas.CopyWaitOp, build.sub(1, slot), at, before))
        step.when(some, window.copy(pallas.CopyWaitOp, slot, at, latest))
