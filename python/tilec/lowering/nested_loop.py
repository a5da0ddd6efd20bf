"""The loops of a `nested` pipeline, one for each axis, with copies that run ahead of the steps.

A window belongs to the innermost loop that moves it, or to none, and is copied there: loops inside find it
in its buffer. A window with `depth` buffers is fetched `depth - 1` steps of this loop ahead; the step after
the last one is the first that the loop makes for the next step of the loop around it. A copy begins before
the step waits for its own; what a step wrote is copied out when the next block begins. A block that
consecutive steps share is copied once.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from xdsl.dialects.builtin import IndexType, LocationAttr
from xdsl.ir import Block, Operation, Region, SSAValue

from tilec.analysis.kept import Return
from tilec.dialects import pallas
from tilec.dialects.tile.access import Effect
from tilec.dialects.tile.schedule import AxisOp, WindowOp
from tilec.dialects.tile.types import shape_of
from tilec.lowering.copies import CopiedWindow
from tilec.lowering.hoisting import hoisted, once
from tilec.lowering.loop_steps import MakeScalars
from tilec.lowering.nested_copies import Back, Carried, Cursor, Fetched, Step, Written
from tilec.lowering.scalars import Scalars
from tilec.lowering.windows import has_rows
from tilec.rewriting.index import Index, IndexBuilder, named


@dataclass
class NestedLoop:
    """The loops over `axes`, outermost first, in which `windows` are copied.

    `levels` says how many of the loops are around the copies of a window. `trip` gives the steps of an axis,
    from the scalars of the step around its loop. `read_at` are the axes whose positions scalars read arrays
    at. `preloads` are pairs of a window that is written and one with what its array held, `returns` the
    windows that come back to tiles of others, which are kept. `slots` says, inside the loops, which buffer of
    each window the step uses.
    """

    axes: Sequence[AxisOp]
    windows: Sequence[CopiedWindow]
    levels: Mapping[SSAValue, int]
    preloads: Sequence[tuple[CopiedWindow, CopiedWindow]]
    returns: Mapping[WindowOp, Return]
    read_at: Collection[AxisOp]
    make: MakeScalars
    trip: Callable[[AxisOp, Scalars], Index]
    around: Callable[[int, bool, Sequence[Index], list[Operation]], None]
    """Appends what is done before, or else after, the loop of a number, counted from 0, in the step at these
    positions."""
    body: Callable[[Scalars, list[Operation]], None]
    location: LocationAttr
    slots: dict[SSAValue, Index] = field(default_factory=dict[SSAValue, Index])
    fetched: list[Fetched] = field(default_factory=list[Fetched])
    written: list[Written] = field(default_factory=list[Written])
    cursors: dict[tuple[int, int], Cursor] = field(default_factory=dict[tuple[int, int], Cursor])
    """By how many loops they go through, and how many steps ahead they are."""

    def lower(self, head: list[Operation]) -> None:
        """Append the loops to `head`."""
        ops: list[Operation] = []
        step = self._step((), ops)
        for window in self.windows:
            self._begin(window, step)
        for cursor in self.cursors.values():
            self._begin_ahead(cursor, step)
        self._inside(0, step)
        first = step.at([0] * len(self.axes))
        for written in self.written:
            written.drain(step, first)
        for window in self._unmoved(Effect.WRITE):
            rows, copies = has_rows(window.plan, first), (pallas.CopyStartOp, pallas.CopyWaitOp)
            step.when(rows, *(window.copy(make, 0, first) for make in copies))
        head += once(ops)

    def _step(self, positions: tuple[Index, ...], ops: list[Operation]) -> Step:
        return Step(positions, self.make, ops, IndexBuilder(ops, self.location))

    def _unmoved(self, effect: Effect) -> list[CopiedWindow]:
        """The windows that no loop moves."""
        return [each for each in self.windows if each.effect is effect and not self.levels[each.buffer]]

    def _begin(self, window: CopiedWindow, step: Step) -> None:
        """Begin to copy what no loop moves, and to carry what loops do."""
        level, ahead = self.levels[window.buffer], window.ahead
        if window.effect is Effect.WRITE and level:
            self.written.append(Written(level, window))
            self.written[-1].begin()
        elif level:
            if (level, ahead) not in self.cursors:
                cursor = Cursor(level, ahead, self.axes[:level], self.trip, self.read_at)
                self.cursors[level, ahead] = cursor
            self.fetched.append(Fetched(level, window, self.cursors[level, ahead], self._back(window)))
        else:
            self.slots[window.buffer] = 0
            if window.effect is Effect.READ:
                first = step.at([0] * len(self.axes))
                step.when(has_rows(window.plan, first), window.copy(pallas.CopyStartOp, 0, first))

    def _back(self, window: CopiedWindow) -> Back | None:
        """How a window comes back to the tiles of another one, which keeps them in the same buffers."""
        returns = self.returns.get(window.plan.window)
        if returns is None:
            return None
        first = next(each for each in self.fetched if each.window.plan.window is returns.first)
        assert returns.first.kept is not None
        return Back(first, returns, returns.first.kept.value.data)

    def _begin_ahead(self, cursor: Cursor, step: Step) -> None:
        """Begin to copy what the first steps need, and let the first one ask for what is ahead."""
        following = [each for each in self.fetched if each.cursor is cursor]
        cursor.begin(step)
        for fetched in following:
            fetched.begin(step)
        for _ in range(cursor.ahead):
            for fetched in following:
                fetched.ask(step)
            self._advance(cursor, step)

    def _advance(self, cursor: Cursor, step: Step) -> None:
        cursor.advance(step)
        for fetched in self.fetched:
            if fetched.cursor is cursor:
                fetched.follow(step)

    def _inside(self, level: int, step: Step) -> None:
        """What a step of the loops down to one of them does."""
        self._copy(level, step)
        for cursor in self.cursors.values():
            if cursor.level == level:
                self._advance(cursor, step)
        if level == len(self.axes):
            self.body(step.here, step.ops)
            return
        self.around(level, True, step.positions, step.ops)
        self._loop(level, step)
        self.around(level, False, step.positions, step.ops)

    def _copy(self, level: int, step: Step) -> None:
        """Copy ahead, and wait until the step can use its buffers."""
        here = [fetched for fetched in self.fetched if fetched.level == level]
        for fetched in here:
            fetched.ask(step)
        for fetched in here:
            fetched.wait(step)
            key = fetched.window.buffer if fetched.back is None else fetched.window.plan.window.result
            self.slots[key] = fetched.place(step)
        changed: dict[CopiedWindow, SSAValue | None] = {}
        for written in self.written:
            if written.level == level:
                changed[written.window] = written.enter(step)
                self.slots[written.window.buffer] = written.slot
        if level == 0:
            changed |= dict.fromkeys(self._unmoved(Effect.WRITE))
            for window in self._unmoved(Effect.READ):
                step.when(has_rows(window.plan, step.here), window.copy(pallas.CopyWaitOp, 0, step.here))
        for window, before in self.preloads:
            if window in changed:
                self._preload(window, before, changed[window], step)

    def _preload(
        self, window: CopiedWindow, before: CopiedWindow, changed: SSAValue | None, step: Step
    ) -> None:
        """Let a block that is written begin as what the array held."""
        whole = [None] * (len(shape_of(window.buffer.type)) - 1)
        load = pallas.LoadOp(before.buffer, [self.slots[before.buffer], *whole])
        store = pallas.StoreOp(load.value, window.buffer, [self.slots[window.buffer], *whole])
        step.when(changed, load, store)

    def _loop(self, number: int, step: Step) -> None:
        axis = self.axes[number]
        trip = named(self.trip(axis, step.here), f"{axis.axis.name}_steps")
        carried = [*self.cursors.values(), *self.fetched, *self.written]
        keys = [(each, name) for each in carried if each.level > number for name in each.state]
        inits = [step.build.value(each.state[name]) for each, name in keys]
        block = Block(arg_types=[IndexType()] * (1 + len(keys)))
        block.args[0].name_hint = axis.axis.name
        self._carry(keys, block.args[1:])
        inner = self._step((*step.positions, block.args[0]), [])
        self._inside(number + 1, inner)
        result = pallas.YieldOp([inner.build.value(each.state[name]) for each, name in keys])
        outside, inside = hoisted(inner.ops, block.args)
        step.ops += outside
        block.add_ops([*inside, result])
        loop = pallas.ForiOp(0, trip, inits, Region(block))
        step.build.insert_all(loop, axis.location)
        self._carry(keys, loop.results)

    def _carry(self, keys: Sequence[tuple[Carried, str]], values: Sequence[SSAValue]) -> None:
        for (each, name), value in zip(keys, values, strict=True):
            value.name_hint = name
            each.state[name] = value
