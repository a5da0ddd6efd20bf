"""The body of a pipeline, statement by statement, in the `pallas` dialect."""

from collections.abc import Mapping, Sequence

from xdsl.dialects import arith, scf
from xdsl.dialects.builtin import IndexType, TensorType, i1
from xdsl.ir import Block, Operation, Region, SSAValue

from tilec.analysis.affine import linear
from tilec.analysis.visits import stays
from tilec.analysis.vmem import registers
from tilec.analysis.within import conjuncts
from tilec.diagnostics import fail, where
from tilec.dialects import pallas
from tilec.dialects.tile.arrays import SegmentOp
from tilec.dialects.tile.elementwise import CastOp
from tilec.dialects.tile.gathers import GatherOp, RunsOp
from tilec.dialects.tile.locals import LocalOp
from tilec.dialects.tile.numbered import SpanOp
from tilec.dialects.tile.places import GetOp, ScratchOp, SetOp, held_type, place_of_part
from tilec.dialects.tile.rows import UpdateRowsOp
from tilec.dialects.tile.scans import AssociativeScanOp
from tilec.dialects.tile.schedule import AxisOp, PipelineOp, WindowOp
from tilec.dialects.tile.steps import FirstOp, LastOp, LiveOp
from tilec.dialects.tile.types import byte_width, element_type, shape_of, value_type
from tilec.dialects.tile.values import BroadcastOp, TransposeOp
from tilec.lowering.associative import scan_by
from tilec.lowering.orientation import Orientation
from tilec.lowering.row_gathers import RowGather, gather_rows
from tilec.lowering.row_updates import Rows, update_rows
from tilec.lowering.run_gathers import RunGather, begin_runs
from tilec.lowering.scalars import Scalars, known_condition
from tilec.lowering.tiles import TilePart, Tiles
from tilec.lowering.values import Values
from tilec.lowering.windows import BlockPlan, block_position
from tilec.rewriting.index import Index, IndexBuilder

FEW_REGISTERS = 16
"""A quarter of a core's: as many selects are fewer bundles than a branch."""


class Statements:
    """The statements of a kernel's body, lowered into a list that changes inside conditions.

    `places` are the references behind windows and scratch, `plans` say how each window became a block, and
    `slots` which of several buffers behind a reference is meant, by window where several have one. `gathers`
    are what gathers have that copy rows themselves.
    """

    def __init__(
        self,
        pipeline: PipelineOp,
        places: Mapping[SSAValue, SSAValue],
        plans: Mapping[SSAValue, BlockPlan],
        orientation: Orientation,
        scalars: Scalars,
        ops: list[Operation],
        slots: Mapping[SSAValue, Index],
        gathers: Mapping[GatherOp, RowGather | RunGather],
    ):
        self.pipeline = pipeline
        self.places = places
        self.plans = plans
        self.orientation = orientation
        self.scalars = scalars
        self.slots = slots
        self.gathers = gathers
        self.begun: set[RunGather] = set()
        self.ops = ops
        self.location = pipeline.location
        self.only: SSAValue | None = None
        """Where this does not hold, what is put into scratch is what was there."""
        self.values = Values(orientation, scalars, self.emit)

    def emit(self, op: Operation) -> SSAValue:
        op.location = self.location
        self.ops.append(op)
        return op.results[0] if op.results else self.scalars.build.value(0)

    def put(self, op: Operation) -> None:
        op.location = self.location
        self.ops.append(op)

    def lower(self, op: Operation) -> None:
        self.location = op.location
        match op:
            case (
                AxisOp()
                | WindowOp()
                | LocalOp()
                | ScratchOp()
                | SpanOp()
                | SegmentOp()
                | FirstOp()
                | LastOp()
                | LiveOp()
            ):
                pass  # lowered where it is used
            case scf.IfOp():
                self._conditional(op)
            case scf.ForOp():
                self._loop(op)
            case scf.YieldOp():
                self.put(pallas.YieldOp([self.values.get(value) for value in op.operands]))
            case GetOp():
                self._get(op)
            case SetOp():
                self._set(op)
            case UpdateRowsOp():
                self.ops += update_rows(op, self._rows(op, op.source), self._rows(op, op.place), self.scalars)
            case GatherOp():
                self._gather(op)
            case RunsOp():
                self._check_runs(op)
            case AssociativeScanOp():
                scan_by(self.values, op)
            case _ if self._is_scalar(op):
                pass
            case _:
                self.values.lower(op)

    def _is_scalar(self, op: Operation) -> bool:
        """Whether `op` is computed from scalars that every step knows, and so lowered where it is used."""
        if any(isinstance(value.type, TensorType) for value in (*op.operands, *op.results)):
            return False
        return not any(value in self.values.env for value in op.operands)

    def _tile(self, place: SSAValue, part: TilePart | None = None) -> Tiles:
        """The tile of a window, or a part of it."""
        ref = self.places[place]
        slot = self.slots.get(place, self.slots.get(ref))
        return Tiles(self.plans[place], ref, slot, self.scalars, self.emit, part)

    def _part(self, op: GetOp | SetOp) -> TilePart | None:
        """The lanes of a tile that an operation is about, if not all."""
        if op.at is None:
            return None
        small, large = map(self.scalars.span, op.at)
        if small.block is None or large.block is None:
            fail(op, "convert-tile-to-pallas: a part can be taken of tiles that begin at multiples of theirs")
        build = self.scalars.build
        number = build.sub(small.block, build.mul(large.block, large.size // small.size))
        return TilePart(place_of_part(op), build.mul(number, small.size), small.size)

    def _get(self, op: GetOp) -> None:
        place = op.ref
        is_window, scalar = place in self.plans, not shape_of(held_type(place))
        if is_window and scalar:
            fail(
                op,
                "convert-tile-to-pallas: a single element of an array in VMEM cannot be read; index "
                "it by a tile axis",
            )
        if is_window:
            made = self._tile(place, self._part(op)).load()
        else:
            made = self.emit(pallas.LoadOp(self.places[place], [0] if scalar else []))
        if len(shape_of(op.result.type)) == 1 and is_window:
            made = self._oriented(made, op.result)
        made.name_hint = op.result.name_hint
        self.values.env[op.result] = made

    def _oriented(self, value: SSAValue, like: SSAValue) -> SSAValue:
        """A loaded row as the values it meets want it."""
        if not self.orientation.is_column(like):
            return value
        return self.values.widened(self.emit(TransposeOp(value, [1, 0])), like)

    def _set(self, op: SetOp) -> None:
        if op.mask is not None:
            fail(op, "convert-tile-to-pallas: tile.set has a mask; run --materialize-masks first")
        place, held = op.ref, held_type(op.ref)
        is_window, scalar = place in self.plans, not shape_of(held)
        if is_window and len(shape_of(op.value.type)) == 1:
            value = self.values.lying(op.value, column=False)
        else:
            value = self.values.get(op.value)
        if element_type(value.type) != element_type(held):
            value = self.emit(CastOp(value, element_type(held)))
        if not is_window:
            at = [0] if scalar else []
            if self.only is not None:
                before = self.emit(pallas.LoadOp(self.places[place], at))
                value = self.emit(arith.SelectOp(self.only, value, before))
            self.put(pallas.StoreOp(value, self.places[place], at))
            return
        if scalar:
            value = self.emit(BroadcastOp(value, [], value_type(element_type(held), [1, 1], [None, None])))
        self._tile(place, self._part(op)).store(value)

    def _gather(self, op: GatherOp) -> None:
        parts = self.gathers[op]
        if isinstance(parts, RunGather):
            made = self._runs(op, parts)
        else:
            lanes = self.values.lying(next(op.window[0].values), column=False)
            made = gather_rows(op, parts, lanes, self.scalars, self.ops)
        made.name_hint = op.result.name_hint
        self.values.env[op.result] = made

    def _check_runs(self, op: RunsOp) -> None:
        """Runs are where gathers copy them from, and in no registers."""
        other = next(
            (use.operation for use in op.result.uses if not isinstance(use.operation, GatherOp)), None
        )
        if other is not None:
            fail(
                op,
                f"convert-tile-to-pallas: {op.name} in {other.name} at {where(other)}; it says which rows a "
                "tile.gather copies, and nothing else is accepted",
            )

    def _runs(self, op: GatherOp, parts: RunGather) -> SSAValue:
        """The rows of runs, which were copied before, or are now with those of the gathers that follow."""
        slot = self.slots.get(parts.buffer)
        if slot is None:
            slot, inner = 0, self.scalars.into(self.ops)
            if parts not in self.begun:
                others = [other for each, other in self.gathers.items() if each.parent is op.parent]
                begun = [each for each in others if isinstance(each, RunGather)]
                begin_runs(begun, slot, inner)
                self.begun.update(begun)
            parts.wait(slot, inner.build)
        return self.emit(pallas.LoadOp(parts.buffer, [slot, *parts.everywhere]))

    def _rows(self, op: UpdateRowsOp, place: SSAValue) -> Rows:
        """The rows of a window or of scratch, all of whose lanes they have."""
        ref = self.places[place]
        if place not in self.plans:
            return Rows(ref, [None, None], 0)
        tile = self._tile(place)
        position = len(tile.dims) - 2
        rows, lanes = tile.dims[position:]
        # Of a block with more rows than the array has, the array's own are the first.
        is_whole = rows is None or (place is op.place and isinstance(rows, pallas.Ds) and rows.start == 0)
        if tile.turns or lanes is not None or not is_whole:
            fail(
                op,
                "convert-tile-to-pallas: rows are updated one by one in a block that is not the tile of a "
                "step with all of its lanes; choose blocks of whole tiles of memory, or run "
                "--expand-gathers with order=inner",
            )
        return Rows(ref, [*tile.first, *tile.dims], len(tile.first) + position)

    def _conditional(self, op: scf.IfOp) -> None:
        condition = self.values.get(op.cond)
        always = known_condition(condition) is True and not op.results
        if always or self._may_run_anyway(op):
            self.only = None if always else condition
            for inner in op.true_region.block.ops:
                if not isinstance(inner, scf.YieldOp):
                    self.lower(inner)
            self.only = None
            return
        then = self._region(op.true_region)
        if op.results:
            made = pallas.CondOp(condition, then, self._region(op.false_region))
            self.put(made)
            for old, new in zip(op.results, made.results, strict=True):
                self.values.env[old] = new
            return
        self.put(pallas.WhenOp(condition, then))
        if op.false_region.blocks:
            true = self.emit(arith.ConstantOp.from_int_and_width(1, 1))
            self.put(pallas.WhenOp(self.emit(arith.XOrIOp(condition, true)), self._region(op.false_region)))

    def _may_run_anyway(self, op: scf.IfOp) -> bool:
        """Whether it is cheaper to do what stands under a condition and to keep what scratch held.

        So it is in nested loops for what only an empty range prevents, where little is put and to scratch
        only: instructions do not move across a branch. Measured: of the sum of the rows of each item, 24
        bundles of 138.
        """
        conditions = conjuncts(op.cond)
        if self.pipeline.nested is None or op.results or op.false_region.blocks:
            return False
        if not all(isinstance(each.owner, LiveOp) for each in conditions):
            return False
        inner = list(op.true_region.walk())
        sets = [each for each in inner if isinstance(each, SetOp)]
        if any(isinstance(each, scf.IfOp | scf.ForOp) for each in inner) or any(
            each.ref in self.plans for each in sets
        ):
            return False
        held = [held_type(each.ref) for each in sets]
        if any(element_type(each) == i1 for each in held):  # a choice between masks has no layout on a TPU
            return False
        return (
            sum(registers(shape_of(each), byte_width(element_type(each))) for each in held) <= FEW_REGISTERS
        )

    def _loop(self, op: scf.ForOp) -> None:
        """A loop within a step."""
        _check_loop(op)
        begin, end = (self.scalars.index(side) for side in (op.lb, op.ub))
        inits = [self.values.get(value) for value in op.iter_args]
        block = Block(arg_types=[IndexType(), *(value.type for value in inits)])
        outer, scalars = self.ops, self.scalars
        ops: list[Operation] = []
        self.ops = ops
        self._know(scalars.inside(op, block.args[0], ops))
        block.args[0].name_hint = op.body.block.args[0].name_hint
        for old, new in zip(op.body.block.args[1:], block.args[1:], strict=True):
            self.values.env[old], new.name_hint = new, old.name_hint
        for inner in op.body.block.ops:
            self.lower(inner)
        block.add_ops(ops)
        self.ops = outer
        self._know(scalars)
        made = pallas.ForiOp(begin, end, inits, Region(block))
        self.put(made)
        for old, new in zip(op.results, made.results_, strict=True):
            self.values.env[old], new.name_hint = new, old.name_hint

    def _know(self, scalars: Scalars) -> None:
        self.scalars = self.values.scalars = scalars

    def _region(self, region: Region) -> Region:
        outer = self.ops
        inner: list[Operation] = []
        self.ops = inner
        for op in region.block.ops:
            if not isinstance(op, scf.YieldOp) or op.operands:
                self.lower(op)
        self.ops = outer
        return Region(Block(inner))

    def preload(self, plan: BlockPlan, ref: SSAValue, before: SSAValue, begin: Scalars) -> None:
        """Copy a window's earlier contents into it in the first of the steps that share its block.

        `begin` knows the step that is asked about.
        """
        self.location = plan.window.location
        changed = self._block_changed(plan, begin)
        load = pallas.LoadOp(before)
        copy: list[Operation] = [load, pallas.StoreOp(load.value, ref)]
        for op in copy:
            op.location = self.location
        if changed is None:
            for op in copy:
                self.ops.append(op)
            return
        self.put(pallas.WhenOp(changed, Region(Block(copy))))

    def _block_changed(self, plan: BlockPlan, at: Scalars) -> SSAValue | None:
        """Whether the step before this one, if any, had another block; `None` if it always had."""
        build = at.build
        inner = self._steps_of_one_block(plan, at.positions)
        if inner is not None:
            return build.every([build.compare("eq", position, 0) for position in inner])
        now = block_position(plan, at)
        previous, none_before = _step_before(at.positions, at.trips, build)
        if none_before is None:
            return None  # there is one step
        earlier = Scalars(self.pipeline, previous, at.trips, at.refs, at.extents, build.ops)
        then = block_position(plan, earlier)
        changed = none_before
        for a, b in zip(now, then, strict=True):
            if a is b or (isinstance(a, int) and a == b):
                continue
            differs = build.compare("ne", a, b)
            changed = build.insert(arith.OrIOp(changed, differs))
        return changed

    def _steps_of_one_block(self, plan: BlockPlan, positions: Sequence[Index]) -> list[Index] | None:
        """The positions on the axes along which a block stays, where every step of any other axis brings
        another block.
        """
        window, axes = plan.window, self.pipeline.axes
        moving = [i for i in range(len(window.window)) if not stays(window, i)]
        bases = [base.owner for i in moving if (base := window.window[i].base) is not None]
        if any(window.extents[i] != window.tile_extents[i] for i in moving):
            return None
        if not all(isinstance(base, AxisOp) and base.aligned is None for base in bases):
            return None
        last = max((i for i, axis in enumerate(axes) if axis in bases), default=-1)
        if any(axis not in bases for axis in axes[: last + 1]):
            return None
        return [position for position in positions[last + 1 :] if isinstance(position, SSAValue)]


def _check_loop(op: scf.ForOp) -> None:
    """Refuse what Pallas or the TPU compiler has no loop for."""
    if linear(op.step).literal != 1:
        fail(
            op,
            "convert-tile-to-pallas: scf.for counts by a step that is not known to be 1, which is needed",
        )
    mask = next(
        (each.type for each in op.iter_args if shape_of(each.type) and element_type(each.type) == i1), None
    )
    if mask is not None:
        fail(
            op,
            f"convert-tile-to-pallas: scf.for carries a {mask}, for which the TPU compiler has no layout; "
            "numbers are accepted, as i32",
        )


def _step_before(
    positions: Sequence[Index], trips: Sequence[Index], build: IndexBuilder
) -> tuple[list[Index], SSAValue | None]:
    """The positions of the step before, the last axis running fastest, and whether there is none."""
    previous: list[Index] = []
    borrow: SSAValue | None = None
    for position, trip in zip(reversed(positions), reversed(trips), strict=True):
        if isinstance(position, int):
            previous.insert(0, position)
            continue
        at_zero = build.compare("eq", position, 0)
        stepped = build.select(at_zero, build.sub(trip, 1), build.sub(position, 1))
        previous.insert(0, stepped if borrow is None else build.select(borrow, stepped, position))
        borrow = build.every([borrow, at_zero])
    return previous, borrow
