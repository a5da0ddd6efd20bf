"""What nested loops carry for the copies of their windows.

A window that is read is copied ahead of its step. A `Cursor` is the step that copies have come to, `ahead`
steps after the one that runs, also across the end of a loop. What it finds is asked for in the step after:
whether there is anything to copy is then known when that step begins, and the scalar unit computes where the
copies go on while the vector unit works. What a step wrote is copied out when the next block begins.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from xdsl.ir import Block, Operation, Region, SSAValue

from tilec.analysis.kept import Return
from tilec.analysis.visits import axes_behind
from tilec.dialects import pallas
from tilec.dialects.tile.schedule import AxisOp
from tilec.lowering.copies import CopiedWindow
from tilec.lowering.loop_steps import MakeScalars
from tilec.lowering.scalars import Scalars, known_condition
from tilec.lowering.windows import block_position, has_rows
from tilec.rewriting.index import Index, IndexBuilder, named

NOWHERE = -2
"""The position of a block that does not exist. Not -1: what a loop from 0 carries from there is then its own
index less 1 to libtpu 0.0.51, whose analysis of ranges fails over addresses below 0."""


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

    def slot(self, number: Index, depth: int) -> Index:
        """`number` modulo `depth`, of one below twice that."""
        if depth & (depth - 1) == 0 or isinstance(number, int):
            return self.build.remainder(number, depth)
        over = self.build.compare("sge", number, depth)
        return self.build.select(over, self.build.sub(number, depth), number)


@dataclass(eq=False)
class Carried:
    """Something that changes in the loops down to the `level`-th, and by name what they carry of it."""

    level: int
    state: dict[str, Index] = field(default_factory=dict[str, Index], init=False)

    def block(self, name: str, like: Sequence[Index]) -> list[Index]:
        """A block's position as it is carried; what never changes is as in `like`."""
        return [self.state.get(f"{name}_{i}", each) for i, each in enumerate(like)]

    def keep(self, name: str, position: Sequence[Index]) -> None:
        """Carry a block's position, as far as it changes."""
        for i, each in enumerate(position):
            if f"{name}_{i}" in self.state:
                self.state[f"{name}_{i}"] = each


@dataclass(eq=False)
class Cursor(Carried):
    """The step `ahead` steps behind the one that runs, of the first `level` loops, over `axes`.

    `trip` gives the steps of an axis, from the scalars of the step around its loop. `read_at` are the axes
    whose positions scalars read arrays at.
    """

    ahead: int
    axes: Sequence[AxisOp]
    trip: Callable[[AxisOp, Scalars], Index]
    read_at: Collection[AxisOp]
    _steps: list[Index] = field(default_factory=list[Index], init=False)

    def begin(self, step: Step) -> None:
        """Stand at the first step."""
        self._steps = [
            0 if axes_behind(axis.operands) else self.trip(axis, step.at([0] * number))
            for number, axis in enumerate(self.axes)
        ]
        self._move(step, [0] * self.level)

    def advance(self, step: Step) -> None:
        """Go on by one step."""
        build, positions = step.build, self._positions()
        stays: SSAValue | None = None  # whether a loop inside has another step
        for number in reversed(range(self.level)):
            here = positions[number]
            ahead = build.add(here, 1)
            more = None
            if number:
                more = build.compare("slt", ahead, self._trip(number))
                more.name_hint = "more"
            ahead = ahead if more is None else build.select(more, ahead, 0)
            positions[number] = ahead if stays is None else build.select(stays, here, ahead)
            stays = build.either(stays, more)
        self._move(step, positions)

    def exists(self, step: Step) -> SSAValue:
        """Whether there is such a step."""
        return step.build.compare("slt", self._positions()[0], self._trip(0))

    def scalars(self, step: Step) -> Scalars:
        """The scalars of the step; of one behind the last they are anything."""
        return step.at(self._readable(step, self._positions()))

    def _move(self, step: Step, positions: Sequence[Index]) -> None:
        for number, position in enumerate(positions):
            self.state[self._name(number)] = position
            if axes_behind(self.axes[number].operands):
                around = step.at(self._readable(step, positions[:number]))
                self.state[f"{self._name(number)}_steps"] = self.trip(self.axes[number], around)

    def _readable(self, step: Step, positions: Sequence[Index]) -> list[Index]:
        """Positions at which arrays can be read: of a step behind the last, those of one that is."""
        if not positions:
            return []
        first, *others = positions
        if self.axes[0] in self.read_at:
            first = step.build.minimum(first, step.build.sub(self._trip(0), 1))
        return [first, *others]

    def _positions(self) -> list[Index]:
        return [self.state[self._name(number)] for number in range(self.level)]

    def _trip(self, number: int) -> Index:
        return self.state.get(f"{self._name(number)}_steps", self._steps[number])

    def _name(self, number: int) -> str:
        return f"{self.axes[number].axis.name}_ahead"


@dataclass(eq=False)
class Fetched(Carried):
    """A window that is read in the loops, through copies of the blocks that `cursor` comes to.

    One that comes `back` to the tiles of another copies none where that has kept them all: those are in its
    buffers, up to the one of its last tile.

    `new` has a bit for each step from the one that runs to the one that the cursor is at: whether its block
    is another than that of the step before. `at` is the block of the latter, `slot` the buffer of the former,
    `next_slot` that of the next copy.
    """

    window: CopiedWindow
    cursor: Cursor
    back: "Back | None" = None

    def begin(self, step: Step) -> None:
        """Ask for the block of the first step."""
        position = block_position(self.window.plan, self.cursor.scalars(step))
        exists = self._exists(self.cursor.scalars(step))
        if exists is not None:  # no step is to find there what was not copied
            position = step.chosen(exists, position, [NOWHERE] * len(position))
        self.state = {f"at_{i}": position[i] for i in self.window.plan.moving}
        self.state["new"] = self._latest if exists is None else step.build.select(exists, self._latest, 0)
        if self.window.depth > 1:
            self.state["slot"] = self.window.depth - 1
        if self.window.depth > 2:
            self.state["next_slot"] = 0

    @property
    def _latest(self) -> int:
        """The bit of the step that the cursor is at."""
        return 1 << self.window.ahead

    def _exists(self, at: Scalars) -> SSAValue | None:
        """Whether there is a block to copy; `None` if there surely is."""
        gone = None if self.back is None else self.back.is_gone(at)
        return at.build.every([has_rows(self.window.plan, at), gone])

    def place(self, step: Step) -> Index:
        """The buffer, of all behind the reference, in which the step that runs finds its block."""
        own = step.build.add(self.slot, self.window.first)
        if self.back is None:
            return own
        return step.build.select(self.back.is_gone(step.here), own, self.back.slot(step))

    @property
    def slot(self) -> Index:
        """The buffer of the step that runs."""
        return self.state.get("slot", 0)

    def ask(self, step: Step) -> None:
        """Begin to copy what is asked for."""
        build, new = step.build, self.state["new"]
        if isinstance(new, int) and new < self._latest:
            return
        asked = None if isinstance(new, int) else build.compare("sge", new, self._latest)
        if asked is not None:
            asked.name_hint = "asked"
        following = named(step.slot(build.add(self.slot, 1), self.window.depth), "next_slot")
        slot = self.state.get("next_slot", following)
        position = self.block("at", block_position(self.window.plan, step.here))
        step.when(asked, self.window.copy(pallas.CopyStartOp, slot, step.here, position))
        if "next_slot" in self.state:
            following = named(step.slot(build.add(slot, 1), self.window.depth), "next_slot")
            self.state["next_slot"] = following if asked is None else build.select(asked, following, slot)

    def wait(self, step: Step) -> None:
        """Wait for the block of the step that runs, if it is a new one."""
        build = step.build
        arrives = build.compare("ne", build.remainder(self.state["new"], 2), 0)
        arrives.name_hint = "arrives"
        step.when(arrives, self.window.copy(pallas.CopyWaitOp, self.slot, step.here))

    def follow(self, step: Step) -> None:
        """Ask for the block that the cursor has come to, if it is a new one, on behalf of the next step."""
        build, plan, at = step.build, self.window.plan, self.cursor.scalars(step)
        position, rows = block_position(plan, at), self._exists(at)
        latest = self.block("at", position)
        exists, differs = self.cursor.exists(step), step.differs(position, latest)
        surely_none = differs is None or known_condition(exists) is False
        wanted = None if surely_none else build.every([exists, differs, rows])
        self.state["new"] = new = build.floordiv(self.state["new"], 2)
        if wanted is not None:
            wanted.name_hint = "wanted"
            self.state["new"] = new = build.add(new, build.select(wanted, self._latest, 0))
        if self.window.depth > 1:
            number = build.add(self.slot, build.remainder(new, 2))
            self.state["slot"] = step.slot(number, self.window.depth)
        if wanted is not None:
            self.keep("at", position if rows is None else step.chosen(wanted, position, latest))


@dataclass(frozen=True)
class Back:
    """How a window comes back to the tiles of `first`, which keeps those of a range of up to `most`."""

    first: Fetched
    returns: Return
    most: int

    def is_gone(self, at: Scalars) -> SSAValue:
        """Whether a step's range has more tiles than are kept."""
        gone = at.build.compare("sge", at.index(self.returns.last), self.most)
        gone.name_hint = "gone"
        return gone

    def slot(self, step: Step) -> Index:
        """The buffer of the step's tile: the other window is at the last one, those before it are behind."""
        build, at, depth = step.build, step.here, self.first.window.depth
        before = build.sub(at.index(self.returns.last), at.index(self.returns.tile))
        return step.slot(build.add(build.sub(self.first.slot, before), depth), depth)


@dataclass(eq=False)
class Written(Carried):
    """A window that is written in the loops, and copied out when the next block begins.

    `at` is the latest block, in the buffer `slot`, `before_1` the one before and so on, `count` how many
    there were.
    """

    window: CopiedWindow

    def begin(self) -> None:
        plan, depth = self.window.plan, self.window.depth
        older = range(1, depth) if self.window.has_tail else ()
        names = ["at", *(f"before_{number}" for number in older)]
        self.state = {f"{name}_{i}": NOWHERE for name in names for i in plan.moving}
        self.state["count"] = 0
        if depth > 1:
            self.state["slot"] = depth - 1

    @property
    def slot(self) -> Index:
        """The buffer of the latest block."""
        return self.state.get("slot", 0)

    def enter(self, step: Step) -> SSAValue:
        """Where a block is new, copy the last one out, and wait for the buffer of this one.

        Returns whether it is new.
        """
        build, window, depth = step.build, self.window, self.window.depth
        position, rows = block_position(window.plan, step.here), has_rows(window.plan, step.here)
        blocks = self._blocks(position)
        changed = build.every([step.differs(position, blocks[0]), rows])
        if changed is None:
            raise ValueError("a window that a loop moves has blocks that differ")
        changed.name_hint = "changed"
        slot, count = self.slot, self.state["count"]
        following = step.slot(build.add(slot, 1), depth)
        done = build.every([changed, build.compare("slt", 0, count)])
        full = build.every([changed, build.compare("slt", depth - 1, count)])
        step.when(done, window.copy(pallas.CopyStartOp, slot, step.here, blocks[0]))
        step.when(full, window.copy(pallas.CopyWaitOp, following, step.here, blocks[-1]))
        if depth > 1:
            self.state["slot"] = named(build.select(changed, following, slot), "slot")
        self.state["count"] = build.add(count, build.select(changed, 1, 0))
        for number in reversed(range(1, depth)):
            self.keep(f"before_{number}", step.chosen(changed, blocks[number - 1], blocks[number]))
        self.keep("at", position if rows is None else step.chosen(changed, position, blocks[0]))
        return changed

    def drain(self, step: Step, like: Scalars) -> None:
        """Copy the last block out, and wait for the copies that nothing has waited for."""
        build, window, depth, count = step.build, self.window, self.window.depth, self.state["count"]
        blocks = self._blocks(block_position(window.plan, like))
        some = build.compare("slt", 0, count)
        step.when(some, window.copy(pallas.CopyStartOp, self.slot, like, blocks[0]))
        for number in reversed(range(depth)):
            slot = step.slot(build.add(self.slot, depth - number), depth) if number else self.slot
            wait = window.copy(pallas.CopyWaitOp, slot, like, blocks[number])
            step.when(build.compare("slt", number, count), wait)

    def _blocks(self, like: Sequence[Index]) -> list[list[Index]]:
        """The positions of the latest blocks, as many as there are buffers, the latest one first.

        Of older ones any will do where all have the same number of elements, which is what a wait counts.
        """
        latest = self.block("at", like)
        return [latest, *(self.block(f"before_{number}", latest) for number in range(1, self.window.depth))]
