"""`--insert-atomic-scratch`: what several iterations of a grid update is kept in scratch until they are done.

An update of an array that another iteration's update has to see cannot go through a window that is fetched
and written back as steps come and go. Here the grid's axes along which updates meet become ordered loops
inside the others, and the elements are carried through them: read before the first, unless the array was
filled with one value, and stored after the last. The loops that carry them become scratch later. 16-bit
floats are kept in f32.

Before:
    %out = tile.full 0.0 : memref<256xbf16>
    tile.grid %m = 0 to 512 by m:128, %n = 0 to 256 by n:128 {
      …
      tile.atomic_rmw add %sums, %out[%n]
    }
After:
    tile.grid %n = 0 to 256 by n:128 {
      %zero = tile.splat 0.0 : tensor<128xf32, #tile.spans<n>>
      %total = tile.for %m = 0 to 512 by m:128 iter_args(%before = %zero) {
        …
        %after = arith.addf %before, %sums : tensor<128xf32, #tile.spans<n>>
        tile.yield %after
      }
      tile.store %total, %out[%n]
    }

This uses that atomics of one kind commute where no old value is asked for. Of arrays that want different
orders, as the sums of rows and those of columns do, the largest gets its own. The others, and what is updated
through several windows, at a position that is read from an array, or in a loop that comes back, are resident:
a `tile.local` array holds them from the first update to the last.

`shared=phases` gives an array that wants another order a grid of its own, which computes again what it needs,
and `shared=auto` does so where the array would take more than 4 MiB of the chip.

Refused: updates that meet over a grid axis in a way that depends on the order; a grid that also reads or
stores an array that it updates; a resident array whose extent is not known.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import prod

from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from tilec.analysis.affine import is_inside
from tilec.analysis.jagged_spans import refuse_jagged_spans
from tilec.analysis.races import conflicts, refuse_race
from tilec.analysis.targets import (
    Target,
    fill_before,
    frames_of,
    home_of,
    is_sure,
    meeting_loop,
    recipe,
    targets_of,
)
from tilec.analysis.views import check_resolved
from tilec.analysis.vmem import MOST_RESIDENT
from tilec.analysis.within import is_within
from tilec.diagnostics import explain, fail, where
from tilec.dialects.tile.access import AccessOp
from tilec.dialects.tile.arrays import LoadOp, StoreOp
from tilec.dialects.tile.atomics import AtomicRmwOp
from tilec.dialects.tile.locals import is_local
from tilec.dialects.tile.loops import GridOp
from tilec.dialects.tile.types import byte_width, element_type, shape_of, with_element
from tilec.rewriting.accumulators import as_element, fill_with_zeros, filled, kept_element, thread
from tilec.rewriting.index import IndexBuilder
from tilec.rewriting.nests import Recipes, moved, sink_axes
from tilec.rewriting.phases import bound_together, split_updates
from tilec.rewriting.residents import keep_resident, read_modify_write

SHARED = ("auto", "resident", "phases")


@dataclass(frozen=True)
class InsertAtomicScratch(ModulePass):
    """Keep what atomics update in scratch, carried or resident: "shared=auto|resident|phases"."""

    name = "insert-atomic-scratch"

    shared: str = "auto"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        refuse_jagged_spans(op, self.name)
        if self.shared not in SHARED:
            fail(op, f"insert-atomic-scratch: shared={self.shared}; {', '.join(SHARED)} are accepted")
        for function in [inner for inner in op.walk() if isinstance(inner, func.FuncOp)]:
            check_resolved(function, self.name)
            for grid in [inner for inner in function.body.walk() if isinstance(inner, GridOp)]:
                _check(grid)
                _prepare(grid)
                rest: GridOp | None = grid
                while rest is not None and (targets := targets_of(rest)):
                    rest = _Order(rest, targets, self.shared).apply()
            for atomic in function.walk():
                if isinstance(atomic, AtomicRmwOp) and not is_local(atomic.array):
                    fail(atomic, "insert-atomic-scratch: an atomic outside of a tile.grid; put it into one")


def _prepare(grid: GridOp) -> None:
    """Fill what is only undefined before, and write out the updates of on-chip arrays."""
    for op in [inner for inner in grid.walk() if isinstance(inner, AtomicRmwOp)]:
        if is_inside(op.array, grid):
            read_modify_write(op, op.array, op.window)
        else:
            fill_with_zeros(op.array)


def _check(grid: GridOp) -> None:
    """Refuse what depends on the order of iterations, and what is no window."""
    accesses = [op for op in grid.walk() if isinstance(op, AccessOp) and not is_inside(op.array, grid)]
    atomics = {op.array: op for op in accesses if isinstance(op, AtomicRmwOp)}
    for axis in grid.axes:
        for conflict in conflicts(grid, axis.value):
            if conflict.write.array in atomics:
                refuse_race(axis, conflict)
    for op in accesses:
        if isinstance(op, AtomicRmwOp) and any(dim.indexed for dim in op.window) and op.rows is None:
            fail(
                op,
                "insert-atomic-scratch: positions come from a tile of integers; run --expand-gathers first",
            )
        if op.array in atomics and not isinstance(op, AtomicRmwOp):
            _refuse_access(op, atomics[op.array])


def _refuse_access(op: AccessOp, atomic: AtomicRmwOp) -> None:
    """Of an array that `atomic`, or the scatter that became it, updates in the same grid."""
    what, instead = f"the atomic at {where(atomic)} updates", "use `old` of the atomic"
    if atomic.is_scatter:
        what, instead = f"the scatter at {where(atomic)} writes", "store windows of tiles"
    access = f"{op.name} of %{op.array.name_hint or 'array'}"
    fail(op, f"insert-atomic-scratch: {access}, which {what} in this grid; {instead}, or use another grid")


@dataclass
class _Order:
    """The new order of a grid's axes, and which targets are carried in it."""

    grid: GridOp
    targets: list[Target]
    shared: str

    def apply(self) -> GridOp | None:
        """Rewrite the grid; returns another one for targets that want another order, if there is one."""
        carried = self._carried()
        apart = [target for target in self.targets if target not in carried and self._is_apart(target)]
        rest: GridOp | None = None
        if apart:
            rest = split_updates(self.grid, {op for target in apart for op in target.atomics})
            self.targets = [target for target in self.targets if target not in apart]
        self._order(carried)
        return rest

    def _is_apart(self, target: Target) -> bool:
        """Whether a target that is not carried is updated by a grid of its own."""
        if self.shared == "resident" or self._obstacle(target, []) is not None:
            return False
        element = kept_element(target.atomics, element_type(target.array.type))
        size, name = _elements(target.array) * byte_width(element), target.array.name_hint or "array"
        if self.shared == "auto" and size <= MOST_RESIDENT:
            return False
        reason = bound_together(self.grid)
        if reason is not None:
            explain(target.atomics[0], f"insert-atomic-scratch: %{name} gets no grid of its own: {reason}")
            return False
        explain(target.atomics[0], f"insert-atomic-scratch: %{name} gets a grid of its own")
        return True

    def _order(self, carried: Sequence[Target]) -> None:
        residents = [target for target in self.targets if target not in carried]
        inner, frames = frames_of(self.grid, residents, {axis for t in self.targets for axis in t.reduced})
        axes = [axis for axis in self.grid.axes if axis.value in inner]
        # Those along which more targets meet are inner.
        axes.sort(key=lambda axis: sum(axis.value in target.reduced for target in carried))
        recipes = {t.array: self._recipes(t, t.reduced if t in carried else inner) for t in self.targets}
        fills = {t.array: fill_before(self.grid, t.array) for t in self.targets}
        levels = sink_axes(self.grid, axes)
        for target in self.targets:
            ops, fill = recipes[target.array], fills[target.array]
            if target not in carried:
                keep_resident(target, levels[0], frames[target.array], ops, fill)
            elif target.reduced:
                _carry(target, levels[len(axes) - len(target.reduced)], ops, fill)
            else:
                _carry(target, home_of(target, levels[-1]), {}, fill)

    def _carried(self) -> list[Target]:
        """The targets that are carried: those whose meeting axes can be innermost together."""
        found: list[Target] = []
        for target in sorted(self.targets, key=lambda target: -_elements(target.array)):
            reason = self._obstacle(target, found)
            if reason is None:
                found.append(target)
                continue
            name = target.array.name_hint or "array"
            explain(target.atomics[0], f"insert-atomic-scratch: %{name} is not carried: {reason}")
        return found

    def _obstacle(self, target: Target, carried: Sequence[Target]) -> str | None:
        """Why a target cannot be carried beside those that are."""
        first = target.atomics[0]
        if any(op.rows is not None for op in target.atomics):
            return "its rows are updated one by one"
        other = next((op for op in target.atomics if op.window != first.window), None)
        if other is not None:
            return f"the atomics at {where(first)} and {where(other)} update different windows"
        for one in carried:
            if not (target.reduced <= one.reduced or one.reduced <= target.reduced):
                return f"%{one.array.name_hint or 'array'} is carried along other axes"
        body = self.grid.body.block
        if target.reduced and any(recipe(v, self.grid, target.reduced) is None for v in target.values):
            return "its window depends on more than the axes outside those along which updates meet"
        home = body if target.reduced else home_of(target, body)
        loop = meeting_loop(target, home, self.grid)
        if loop is not None:
            return f"the loop at {where(loop)} comes back to its windows"
        if not is_sure(target, self.grid, home) and not all(
            is_within(first, i) for i in range(len(first.window))
        ):
            return "its window may be outside of the array where no update is made"
        return None

    def _recipes(self, target: Target, without: Collection[SSAValue]) -> Recipes:
        """How to make what the windows of a target depend on outside the axes in `without`."""
        found = {value: recipe(value, self.grid, without) for value in target.values}
        return {value: ops for value, ops in found.items() if ops is not None}


def _elements(array: SSAValue) -> int:
    """How many elements an array has, more or less."""
    return prod(abs(extent) for extent in shape_of(array.type))


def _carry(target: Target, home: Block, recipes: Recipes, fill: float | None) -> None:
    """Carry the elements of the target's one window through all of `home`."""
    first = target.atomics[0]
    users = [op for op in home.ops if any(inner in target.atomics for inner in op.walk())]
    window = moved(first.window, recipes, InsertPoint.before(users[0]))
    kept = kept_element(target.atomics, element_type(target.array.type))
    before: list[Operation] = []
    build = IndexBuilder(before, first.location)
    if fill is None:
        state = as_element(build, build.insert(LoadOp(target.array, window)), kept)
    else:
        element = element_type(target.array.type)
        state = filled(build, fill, element, with_element(first.value.type, kept))
    state.name_hint = target.array.name_hint
    Rewriter.insert_op(before, InsertPoint.before(users[0]))
    last = users[-1].next_op
    after = thread(home, state, set(target.atomics))
    store = StoreOp(after, target.array, window)
    store.location = first.location
    Rewriter.insert_op(store, InsertPoint.at_end(home) if last is None else InsertPoint.before(last))
