"""From the statements of a nest to the body of one pipeline.

A statement outside a loop runs at the first or the last step of that loop, a statement between two loops at
the first step of the second. What stands under one condition makes a *section*. A value that one section
makes and another uses is made again there where that costs nothing, and goes through scratch memory
elsewhere.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass, field

from xdsl.dialects import arith, scf
from xdsl.dialects.builtin import UnitAttr
from xdsl.ir import Block, Operation, Region, SSAValue

from tilec.analysis.row_updates import positions_of, row_source
from tilec.analysis.within import (
    around,
    is_chosen,
    is_partial,
    is_within,
    may_be_skipped,
    may_leave,
    surely_outside,
)
from tilec.diagnostics import fail, where
from tilec.dialects.tile.access import AccessOp, Dim, Effect
from tilec.dialects.tile.arrays import EmptyOp, LoadOp, SegmentOp, StoreOp
from tilec.dialects.tile.atomics import AtomicRmwOp
from tilec.dialects.tile.elementwise import CastOp, SelectOp
from tilec.dialects.tile.gathers import GatherOp, ScatterOp
from tilec.dialects.tile.locals import LocalOp, is_local
from tilec.dialects.tile.loops import ForOp
from tilec.dialects.tile.places import GetOp, ScratchOp, SetOp, held_type
from tilec.dialects.tile.rows import UpdateRowsOp
from tilec.dialects.tile.schedule import WindowOp
from tilec.dialects.tile.types import UNBOUND, shape_of
from tilec.dialects.tile.values import BroadcastOp, IndicesOp, SplatOp
from tilec.rewriting.index import IndexBuilder
from tilec.rewriting.jagged import array_extent
from tilec.rewriting.steps import StepAxis, StepSpace, is_constant, is_scalar


@dataclass
class Section:
    """Operations under one condition, and what they made of the program's values."""

    ops: list[Operation] = field(default_factory=list[Operation])
    made: dict[SSAValue, SSAValue] = field(default_factory=dict[SSAValue, SSAValue])
    outer: "Section | None" = None

    def find(self, value: SSAValue) -> SSAValue | None:
        if value in self.made:
            return self.made[value]
        return None if self.outer is None else self.outer.find(value)


class BodyBuilder:
    """Builds windows, scratch and sections from the statements of a `StepSpace`.

    `written_before` are the arrays that an earlier kernel has written, `left_out` loads of tiles that may be
    outside of their arrays in steps that do not need them.
    """

    def __init__(self, space: StepSpace, written_before: set[SSAValue], left_out: Container[Operation]):
        self.space = space
        self.written_before = written_before
        self.left_out = left_out
        self.places: list[Operation] = []
        self.host = IndexBuilder([], space.grid.location)  # for what stands before the kernel
        # A section's list of operations may still grow when it is done: a later one may want its values.
        self.body: list[tuple[SSAValue | None, Section]] = []
        self.windows: dict[tuple[SSAValue, Effect, tuple[Dim, ...]], WindowOp] = {}
        self.stored = {op.array for op in space.grid.walk() if isinstance(op, StoreOp)}
        self.sections: dict[SSAValue, Section] = {}
        self.spilled: dict[SSAValue, ScratchOp] = {}
        self.positions = {op: i for i, op in enumerate(space.grid.walk())}
        self.current: Operation = space.grid
        self._block(space.grid.body.block, [])

    def _block(self, block: Block, conditions: list[SSAValue]) -> None:
        level = self.space.levels[block]
        group: list[Operation] = []
        passed = 0
        for op in block.ops:
            if isinstance(op, ForOp):
                self._section(group, conditions, block, passed)
                group = []
                passed += 1
                axis = self.space.axis_of.get(op)  # none of a loop that is one tile
                turn = [] if axis is None else [flag for flag in (axis.active, axis.live) if flag is not None]
                self._block(op.body.block, [*conditions, *turn])
            elif op in level.statements:
                group.append(op)
        self._section(group, conditions, block, passed)

    def _place_of(self, block: Block, passed: int) -> list[SSAValue]:
        """The condition for statements of `block` that stand after `passed` of its loops."""
        level = self.space.levels[block]
        if not level.loops:
            return []
        if passed == len(level.loops):
            return [flag for axis in level.axes if (flag := axis.last) is not None]
        axes: Sequence[StepAxis] = level.axes
        if passed:  # between two loops: the first step of the second, where the axes of the others rest
            following = level.loops[passed]
            axes = [self.space.axis_of[following], *self.space.levels[following.body.block].axes]
        return [flag for axis in axes if (flag := axis.first) is not None]

    def _section(self, group: list[Operation], conditions: list[SSAValue], block: Block, passed: int) -> None:
        if not group:
            return
        conditions = [*conditions, *self._place_of(block, passed)]
        section = Section()
        for op in group:
            self._statement(op, section)
        self.space.build.location = group[0].location
        condition = self.space.build.every(conditions)
        self.body.append((condition, section))

    def finish(self) -> list[Operation]:
        """All operations of the pipeline, in order."""
        body: list[Operation] = []
        for condition, section in self.body:
            if condition is None or not section.ops:
                body += section.ops
            else:
                body.append(_under(condition, section.ops))
        return [*self.space.head, *self.places, *body]

    def _statement(self, op: Operation, section: Section) -> None:
        self.current = op
        match op:
            case LoadOp() if is_scalar(op) and self._is_early(op.result):
                pass  # under a condition, but read in every step
            case LoadOp():
                self._load(op, section)
            case StoreOp():
                self._store(op, section)
            case LocalOp():
                self.space.env[op.array] = self._place(LocalOp(op.array.type), op).results[0]
            case AtomicRmwOp() if op.rows is not None and is_local(op.array):
                self._update_rows(op, section)
            case GatherOp() | ScatterOp() | AtomicRmwOp() if not (isinstance(op, GatherOp) and op.rows):
                flag = "--insert-atomic-scratch" if isinstance(op, AtomicRmwOp) else "--expand-gathers"
                fail(op, f"fold-outer-pipeline: {op.name} has no window of its own; run {flag} first")
            case ScratchOp():
                self.space.env[op.result] = self._place(ScratchOp(held_type(op.result)), op).results[0]
            case scf.IfOp():
                self._conditional(op, section)
            case _:
                operands = [self._value(value, section) for value in op.operands]
                clone = op.clone(dict(zip(op.operands, operands, strict=True)))
                self._emit(clone, op, section)
                self._record(op, clone.results, section)

    def _record(self, op: Operation, made: Sequence[SSAValue], section: Section) -> None:
        for old, new in zip(op.results, made, strict=True):
            new.name_hint = old.name_hint
            section.made[old] = new
            self.sections.setdefault(old, section)

    def _emit(self, op: Operation, origin: Operation, section: Section) -> SSAValue | None:
        op.location = origin.location
        section.ops.append(op)
        return op.results[0] if op.results else None

    def _place(self, op: Operation, origin: Operation) -> Operation:
        op.location = origin.location
        if op.results and origin.results:
            op.results[0].name_hint = origin.results[0].name_hint
        self.places.append(op)
        return op

    # Windows

    def _window(self, op: AccessOp, effect: Effect) -> WindowOp:
        window = tuple(
            Dim(full=True) if dim.indexed else self._dim(op, position)
            for position, dim in enumerate(op.window)
        )
        array = self.space.env.get(op.array, op.array)
        if op.array in self.stored:
            effect = Effect.WRITE  # what is written is read where it was written
        key = (array, effect, window)
        if key not in self.windows:
            preload = effect is Effect.WRITE and self._has_contents(op.array)
            made = WindowOp(effect, array, window, preload=preload)
            self.windows[key] = made
            self._place(made, op)
            made.result.name_hint = f"{op.array.name_hint or 'array'}_window"
        self._wish(self.windows[key], op)
        spans = [position for position, dim in enumerate(window) if dim.span is not None]
        chosen = [position for position in spans if is_chosen(op, position, self.space.grid)]
        if effect is Effect.READ and (op in self.left_out or not all(is_within(op, each) for each in chosen)):
            self.windows[key].clipped = UnitAttr()
        return self.windows[key]

    def _wish(self, window: WindowOp, op: AccessOp) -> None:
        """Hand what an access says of its placement to the window, which several accesses may share."""
        if op.placement is None or op.placement == window.placement:
            return
        if window.placement is not None:
            fail(
                op,
                f"fold-outer-pipeline: this access is to be {op.placement.data}, and another one "
                f"({where(window)}) through the same window {window.placement.data}; one of them is needed",
            )
        window.placement = op.placement

    def _has_contents(self, array: SSAValue) -> bool:
        return not isinstance(array.owner, EmptyOp | LocalOp) or array in self.written_before

    def _dim(self, op: AccessOp, position: int) -> Dim:
        dim = op.window[position]
        for value in dim.values:
            if value not in self.space.env and self._inside(value) and not self._is_early(value):
                fail(
                    op,
                    f"fold-outer-pipeline: {op.name} is indexed by a value computed from tiles; "
                    "an index of a window must follow from axes, segments and scalars",
                )
        outside = None if is_partial(op, self.space.grid) else surely_outside(op, position)
        if outside is not None:
            fail(
                op,
                f"fold-outer-pipeline: {outside} dimension {position} of %{op.array.name_hint or 'array'}; "
                "a mask or a condition on the access may leave those indices out",
            )
        dim = dim.replaced(self.space.env)
        if op.array not in self.stored and dim.span is not None:  # clipped
            return dim
        known = op.array not in self.stored and shape_of(op.array.type)[position] != UNBOUND
        left_out = is_partial(op, self.space.grid) or (known and may_be_skipped(op, self.space.grid))
        return self._kept_inside(op, position, dim) if left_out and may_leave(op, position) else dim

    def _is_early(self, value: SSAValue) -> bool:
        """Compute a scalar that stands under a condition in every step, if it follows from scalars."""
        op = value.owner
        if not isinstance(op, Operation) or not is_scalar(op) or isinstance(op, SegmentOp):
            return False
        if isinstance(op, LoadOp) and (op.array in self.stored or op.mask is not None):
            return False
        for operand in op.operands:
            if operand not in self.space.env and self._inside(operand) and not self._is_early(operand):
                return False
        clone = op.clone(self.space.env)
        if isinstance(op, LoadOp):  # the condition may be what keeps it inside its array
            window = [dim.replaced(self.space.env) for dim in op.window]
            for position, dim in enumerate(window):
                if dim.base is None or not is_within(op, position):
                    window[position] = self._kept_inside(op, position, dim)
            clone = LoadOp(op.array, window)
        self._place(clone, op)
        self.space.env |= zip(op.results, clone.results, strict=True)
        return True

    def _kept_inside(self, op: AccessOp, position: int, dim: Dim) -> Dim:
        """A dimension of a window that is fetched also where the condition or mask of its access is false.

        It may name a position outside of the array then, and gets the nearest one inside.
        """
        name = op.array.name_hint or "array"
        if dim.span is not None or dim.full:
            fail(
                op,
                f"fold-outer-pipeline: where its condition or mask is false, {op.name} may name a position "
                f"outside of dimension {position} of %{name}, and its window would touch that; "
                "select a position inside, or keep the axis within the array",
            )
        last = self.host.sub(array_extent(op.array, position, self.host), 1)
        build = IndexBuilder(self.places, op.location)
        place = build.nearest(build.add(0 if dim.base is None else dim.base, dim.shift), last)
        return Dim(build.value(place))

    def _load(self, op: LoadOp, section: Section) -> None:
        users = [use.operation for use in op.result.uses]
        if users and all(isinstance(user, AtomicRmwOp) and user.rows is not None for user in users):
            if not any(use.index == 0 for use in op.result.uses):
                return  # positions, which are read from scalar memory
        window = self._window(op, Effect.READ)
        value = self._emit(GetOp(window.result), op, section)
        if op.mask is not None and op.other is not None and value is not None:
            mask, other = self._value(op.mask, section), self._value(op.other, section)
            if other.type != op.result.type:
                wide = BroadcastOp(other, [], op.result.type)
                other = self._emit(wide, op, section) or other
            value = self._emit(SelectOp(mask, value, other), op, section)
        if value is not None:
            self._record(op, [value], section)

    def _store(self, op: StoreOp, section: Section) -> None:
        window = self._window(op, Effect.WRITE)
        value = self._value(op.value, section)
        mask = None if op.mask is None else self._value(op.mask, section)
        self._emit(SetOp(value, window.result, mask), op, section)

    def _update_rows(self, op: AtomicRmwOp, section: Section) -> None:
        window, load = self._window(op, Effect.WRITE), positions_of(op.window[0])
        if load is None:
            raise ValueError("positions are a tile that is loaded")
        ids, span = load.array, load.window[0].base
        source, made = row_source(op.value), None
        if isinstance(source.owner, LoadOp) and self._is_cheap(source.owner):
            made = self._window(source.owner, Effect.READ).result
        else:
            place = ScratchOp(source.type)
            self._place(place, op)
            self._emit(SetOp(self._value(source, section), place.result), op, section)
            made = place.result
            made.name_hint = source.name_hint
        span = self.space.env[span] if span is not None else made
        self._emit(UpdateRowsOp(op.kind.data, made, window.result, ids, span), op, section)

    def _conditional(self, op: scf.IfOp, section: Section) -> None:
        condition = self._value(op.cond, section)
        regions: list[Region] = []
        for region in op.regions:
            inner = Section(outer=section)
            for block in region.blocks:
                for nested in block.ops:
                    self._statement(nested, inner)
            regions.append(Region(Block(inner.ops)) if region.blocks else Region())
        made = scf.IfOp(condition, op.result_types, regions[0], regions[1])
        self._emit(made, op, section)
        self._record(op, made.results, section)

    # Values that cross sections

    def _value(self, value: SSAValue, section: Section) -> SSAValue:
        found = section.find(value)
        if found is None:
            found = self.space.env.get(value)
        if found is not None:
            return found
        owner = value.owner
        if not self._inside(value):
            if isinstance(owner, Operation) and is_constant(owner):  # a kernel has its own
                self._statement(owner, section)
                return section.made[value]
            return value
        if isinstance(owner, Operation) and self._is_cheap(owner):
            current = self.current
            self._statement(owner, section)
            self.current = current
            return section.made[value]
        return self._through_scratch(value, section)

    def _inside(self, value: SSAValue) -> bool:
        owner = value.owner
        op = owner if isinstance(owner, Operation) else owner.parent_op()
        return op in self.positions and op is not self.space.grid

    def _is_cheap(self, op: Operation) -> bool:
        """Whether to make the value again rather than to keep it."""
        if isinstance(op, LoadOp):
            return op.array not in self.stored and op.mask is None
        if isinstance(op, GetOp):
            return not self._overwritten(op)
        return isinstance(op, SplatOp | IndicesOp | BroadcastOp | CastOp | arith.ConstantOp)

    def _overwritten(self, get: GetOp) -> bool:
        """Whether the place may be set between `get` and the statement that wants its value."""
        end: Operation = self.current
        loop, outside = self.current.parent_op(), set(around(get))
        while isinstance(loop, ForOp) and loop not in outside:
            end = list(loop.walk())[-1]
            loop = loop.parent_op()
        sets = [op for op in self.positions if isinstance(op, SetOp) and op.ref is get.ref]
        return any(self.positions[get] < self.positions[op] < self.positions[end] for op in sets)

    def _through_scratch(self, value: SSAValue, section: Section) -> SSAValue:
        origin = value.owner
        if value not in self.sections or not isinstance(origin, Operation):
            fail(
                self.current,
                f"fold-outer-pipeline: %{value.name_hint or 'value'} is used where no step has made it",
            )
        if value not in self.spilled:
            scratch = ScratchOp(value.type)
            self._place(scratch, origin)
            self.spilled[value] = scratch
            source = self.sections[value]
            self._emit(SetOp(source.made[value], scratch.result), origin, source)
        got = self._emit(GetOp(self.spilled[value].result), self.current, section)
        if got is None:
            return value
        got.name_hint = value.name_hint
        section.made[value] = got
        return got


def _under(condition: SSAValue, ops: list[Operation]) -> Operation:
    end = scf.YieldOp()
    op = scf.IfOp(condition, [], Region(Block([*ops, end])))
    op.location = end.location = ops[0].location
    return op
