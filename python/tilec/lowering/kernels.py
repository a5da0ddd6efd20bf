"""A `tile.pipeline` as a `pallas.call`: operands, grid, windows, and the body's statements."""

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.dialects import arith
from xdsl.dialects.builtin import IntegerType, MemRefType
from xdsl.ir import Block, Operation, Region, SSAValue

from tilec.chips import CHIPS
from tilec.diagnostics import fail
from tilec.dialects import pallas
from tilec.dialects.tile.access import Effect
from tilec.dialects.tile.arrays import EmptyOp, LoadOp, SegmentOp
from tilec.dialects.tile.loops import Order
from tilec.dialects.tile.places import GetOp, ScratchOp, SetOp, held_type, scratch_of
from tilec.dialects.tile.schedule import AxisOp, Loop, PipelineOp, WindowOp
from tilec.dialects.tile.types import UNBOUND, Array, element_type, shape_of
from tilec.lowering.orientation import Orientation
from tilec.lowering.scalars import Extents, Scalars
from tilec.lowering.statements import Statements
from tilec.lowering.windows import BlockPlan, index_map, plan_block
from tilec.rewriting.index import Index, IndexBuilder
from tilec.rewriting.jagged import array_extent, is_jagged, tiles

MEBIBYTE = 2**20


@dataclass
class Host:
    """The function around the kernels: where its operations go, and what stands for each array now."""

    build: IndexBuilder
    arrays: dict[SSAValue, SSAValue]
    counts: dict[SSAValue, SSAValue]
    """The one-element array behind the count of each worklist."""

    def current(self, array: SSAValue) -> SSAValue:
        """What stands for an array, or another value of the host part, now."""
        return self.arrays.get(array, array)

    def extent(self, array: SSAValue) -> SSAValue:
        """The leading extent of an array."""
        return self.current(self.build.value(array_extent(array, 0, self.build)))


class KernelLowering:
    """Lowers one pipeline. `run` appends to the host and returns the call."""

    def __init__(self, pipeline: PipelineOp, host: Host, name: str):
        self.pipeline = pipeline
        self.host = host
        self.name = name
        self.loop = pipeline.loop.data
        self.extents = Extents(host.build, host.arrays)
        self.specs: list[Operation] = []
        self.windows: list[Operation] = []
        self.outputs: list[tuple[SSAValue, Array, bool]] = []
        self.refs: dict[SSAValue, SSAValue] = {}
        self.places: dict[SSAValue, SSAValue] = {}
        self.plans: dict[SSAValue, BlockPlan] = {}
        self.preloads: list[tuple[BlockPlan, SSAValue, SSAValue]] = []
        self.orientation = Orientation(pipeline)
        self.trips = [self._trip(axis) for axis in pipeline.axes]

    def run(self) -> None:
        host = self.host
        self._integer_arrays()
        grid = [
            self._grid_extent(axis, trip) for axis, trip in zip(self.pipeline.axes, self.trips, strict=True)
        ]
        for window in self.pipeline.windows:
            self._window(window)
        for scratch in scratch_of(self.pipeline):
            self._scratch(scratch)
        body = self._body()
        kinds = [kind for _, kind, _ in self.outputs]
        if self.loop is Loop.GRID:
            ops = [*self.specs, *self.windows, *body]
            call = pallas.CallOp(self.name, grid, self._semantics(), Region(Block(ops)), kinds, self._limit())
        else:
            inner = pallas.EmitPipelineOp(self._inner_grid(grid), Region(Block([*self.windows, *body])))
            inner.location = self.pipeline.location
            ops = [*self.specs, *self.count_loads, inner]
            call = pallas.CallOp(self.name, [], [], Region(Block(ops)), kinds, self._limit())
        host.build.insert_all(call, self.pipeline.location)
        for result, (array, kind, reshaped) in zip(call.results, self.outputs, strict=True):
            result.name_hint = array.name_hint
            host.arrays[array] = self._shaped_back(result, array, kind) if reshaped else result

    # The grid

    def _trip(self, axis: AxisOp) -> Index:
        """Steps of an axis. A worklist's count stands for itself."""
        if is_jagged(self.pipeline, axis):
            fail(
                axis,
                f"convert-tile-to-pallas: axis {axis.axis.name} has as many steps as each segment needs, "
                "and a grid has fixed extents; "
                "run --compact-worklist or --overlaunch-jagged (grouping=worklist or overlaunch)",
            )
        build = self.host.build
        numbers = tiles(axis, build, self.host.arrays)
        trip = build.sub(numbers.stop, numbers.first)
        if isinstance(trip, SSAValue) and trip not in self.host.counts:
            text = f"the least number of steps of axis {axis.axis.name}"
            some = pallas.RequireOp(build.value(1), trip, text)
            build.insert_all(some, axis.location)
        return trip

    def _grid_extent(self, axis: AxisOp, trip: Index) -> Index:
        """The extent for the call's grid: of a worklist, its count as a scalar."""
        if not isinstance(trip, SSAValue) or trip not in self.host.counts:
            return trip
        if self.loop is Loop.GRID:
            return self.host.build.insert(pallas.ScalarOp(self.host.counts[trip]))
        return trip

    def _inner_grid(self, grid: Sequence[Index]) -> list[Index]:
        """The grid of an emit_pipeline: a worklist's count is loaded in the kernel."""
        made: list[Index] = []
        for extent in grid:
            if isinstance(extent, SSAValue) and extent in self.host.counts:
                made.append(self.count_values[extent])
            else:
                made.append(extent)
        return made

    def _semantics(self) -> list[pallas.Semantics]:
        """`parallel` up to the first axis that is not, or over a worklist: interpret mode takes no others."""
        made: list[pallas.Semantics] = []
        for axis, trip in zip(self.pipeline.axes, self.trips, strict=True):
            listed = (
                isinstance(trip, SSAValue) and trip in self.host.counts
            )  # its extent is known on the device only
            parallel = (
                axis.order.data is Order.PARALLEL and pallas.Semantics.ARBITRARY not in made and not listed
            )
            made.append(pallas.Semantics.PARALLEL if parallel else pallas.Semantics.ARBITRARY)
        return made

    def _limit(self) -> int | None:
        """A limit on VMEM above the compiler's default, where windows and scratch come near that."""
        if self.pipeline.vmem is None or self.pipeline.chip is None:
            return None
        chip, total = CHIPS[self.pipeline.chip.data], self.pipeline.vmem.value.data
        if 2 * total < chip.scoped_vmem_mib * MEBIBYTE:
            return None
        return int(chip.vmem_mib * MEBIBYTE)

    # Operands

    def _spec(self, op: Operation, origin: SSAValue) -> SSAValue:
        op.location = self.pipeline.location
        op.results[0].name_hint = f"{origin.name_hint or 'array'}_ref"
        self.specs.append(op)
        return op.results[0]

    def _integer_arrays(self) -> None:
        """Put the arrays that scalars read into scalar memory, and the counts of worklists."""
        self.count_loads: list[Operation] = []
        self.count_values: dict[SSAValue, SSAValue] = {}
        for op in self.pipeline.body.block.ops:
            if isinstance(op, SegmentOp | LoadOp):
                for array in op.operands:
                    if isinstance(array.type, MemRefType) and array not in self.refs:
                        self.refs[array] = self._scalar_array(op, array)
        if self.loop is Loop.EMIT_PIPELINE:
            for count, array in self.host.counts.items():
                if any(count in axis.operands for axis in self.pipeline.axes):
                    self._load_count(count, array)

    def _scalar_array(self, op: Operation, array: SSAValue) -> SSAValue:
        element = element_type(array.type)
        if element not in (IntegerType(32), IntegerType(64)) and str(element) != "f32":
            fail(
                op,
                f"convert-tile-to-pallas: {op.name} reads single elements of {array.type}; i32, i64 and "
                "f32 can be read so",
            )
        current = self.host.current(array)
        if self.loop is Loop.GRID and str(element) != "f32":
            return self._spec(pallas.PrefetchOp(current), array)
        return self._spec(pallas.InSpaceOp(current, pallas.Space.SMEM), array)

    def _load_count(self, count: SSAValue, array: SSAValue) -> None:
        ref = self._spec(pallas.InSpaceOp(array, pallas.Space.SMEM), count)
        build = IndexBuilder(self.count_loads, self.pipeline.location)
        element = build.insert(pallas.LoadOp(ref, [0]))
        value = build.insert(arith.IndexCastOp(element, count.type))
        value.name_hint = "count"
        self.count_values[count] = value

    def _scalars(self, block: Block, ops: list[Operation]) -> Scalars:
        return Scalars(self.pipeline, block.args, self.trips, self.refs, self.extents, ops)

    def _map(self, plan: BlockPlan) -> Region:
        return index_map(plan, len(self.trips), self._scalars)

    def _window(self, window: WindowOp) -> None:
        plan = plan_block(window, self.loop)
        self.plans[window.result] = plan
        if window.effect is Effect.READ:
            made = self._input(plan)
        elif self.loop is Loop.GRID:
            made = self._grid_output(plan)
        else:
            made = self._pipe_output(plan)
        self.places[window.result] = made

    def _placed(self, op: Operation, window: WindowOp, where: list[Operation]) -> SSAValue:
        op.location = window.location
        op.results[0].name_hint = window.result.name_hint
        where.append(op)
        return op.results[0]

    def _viewed(self, plan: BlockPlan) -> SSAValue:
        """The array now, in the shape of the view."""
        window = plan.window
        array = self.host.current(window.array)
        if not plan.reshaped:
            return array
        extent = self._leading(window.array) if UNBOUND in plan.view else None
        view = self.host.build.insert(pallas.ReshapeOp(array, plan.view_type(window.array_type), extent))
        view.name_hint = window.array.name_hint
        return view

    def _leading(self, array: SSAValue) -> SSAValue:
        return self.host.extent(array)

    def _buffers(self, window: WindowOp) -> int | None:
        """What differs from the default of two."""
        count = None if window.buffers is None else window.buffers.value.data
        return None if count == 2 else count

    def _input(self, plan: BlockPlan) -> SSAValue:
        window, array = plan.window, self._viewed(plan)
        if self.loop is Loop.GRID:
            op = pallas.InOp(array, plan.extents, self._map(plan), self._buffers(window))
            return self._placed(op, window, self.windows)
        source = self._spec(pallas.InSpaceOp(array, pallas.Space.ANY), window.array)
        return self._placed(pallas.PipeInOp(source, plan.extents, self._map(plan)), window, self.windows)

    def _output_type(self, plan: BlockPlan) -> tuple[Array, SSAValue | None]:
        window = plan.window
        kind = plan.view_type(window.array_type)
        self.outputs.append((window.array, kind, plan.reshaped))
        return kind, self._leading(window.array) if UNBOUND in plan.view else None

    def _contents(self, plan: BlockPlan) -> SSAValue | None:
        """What the array holds before the kernel; `None` of one that is fresh."""
        array = plan.window.array
        fresh = isinstance(array.owner, EmptyOp) and array not in self.host.arrays
        return None if fresh else self._viewed(plan)

    def _grid_output(self, plan: BlockPlan) -> SSAValue:
        contents = self._contents(plan)
        kind, extent = self._output_type(plan)
        op = pallas.OutOp(kind, extent, plan.extents, self._map(plan), self._buffers(plan.window), contents)
        ref = self._placed(op, plan.window, self.windows)
        if contents is not None:
            op.results[1].name_hint = f"{plan.window.array.name_hint or 'array'}_before"
            self.preloads.append((plan, ref, op.results[1]))
        return ref

    def _pipe_output(self, plan: BlockPlan) -> SSAValue:
        contents = self._contents(plan)
        kind, extent = self._output_type(plan)
        whole = self._spec(pallas.OutSpaceOp(kind, extent, pallas.Space.ANY, contents), plan.window.array)
        ref = self._placed(pallas.PipeOutOp(whole, plan.extents, self._map(plan)), plan.window, self.windows)
        if contents is not None:
            before = self._placed(
                pallas.PipeInOp(whole, plan.extents, self._map(plan)), plan.window, self.windows
            )
            before.name_hint = f"{plan.window.array.name_hint or 'array'}_before"
            self.preloads.append((plan, ref, before))
        return ref

    def _shaped_back(self, result: SSAValue, array: SSAValue, kind: Array) -> SSAValue:
        extent = self._leading(array) if UNBOUND in shape_of(array.type) else None
        original = MemRefType(kind.element_type, shape_of(array.type))
        made = self.host.build.insert(pallas.ReshapeOp(result, original, extent))
        made.name_hint = array.name_hint
        return made

    def _scratch(self, scratch: ScratchOp) -> None:
        held = held_type(scratch.result)
        shape, space = self.orientation.shape(scratch.result), pallas.Space.VMEM
        if not shape:
            shape, space = (1,), pallas.Space.SMEM
        kind = pallas.in_space(MemRefType(element_type(held), shape), space)
        op = pallas.ScratchOp(kind)
        op.location = scratch.location
        op.results[0].name_hint = scratch.result.name_hint
        self.specs.append(op)
        self.places[scratch.result] = op.results[0]

    # The body

    def _body(self) -> list[Operation]:
        head: list[Operation] = []
        ops: list[Operation] = []
        build = IndexBuilder(head, self.pipeline.location)
        positions: list[Index] = []
        for dim, trip in enumerate(self.trips):
            position = 0 if trip == 1 else build.insert(pallas.ProgramIdOp(dim))
            if isinstance(position, SSAValue):
                position.name_hint = self.pipeline.axes[dim].axis.name
            positions.append(position)
        # The count of a worklist is known on the device only.
        inner_trips = [self._trip_inside(dim, trip, build) for dim, trip in enumerate(self.trips)]
        scalars = Scalars(self.pipeline, positions, inner_trips, self.refs, self.extents, head)
        statements = Statements(self.pipeline, self.places, self.plans, self.orientation, scalars, ops)
        waiting = list(self.preloads)
        for op in self.pipeline.body.block.ops:
            for preload in [each for each in waiting if _uses(op, each[0].window)]:
                # Right before the first use: earlier, a step takes a tenth more bundles.
                waiting.remove(preload)
                statements.preload(*preload, positions, inner_trips)
            statements.lower(op)
        unused = [op for op in head if isinstance(op, pallas.NumProgramsOp) and not op.results[0].uses]
        return [*(op for op in head if op not in unused), *ops]

    def _trip_inside(self, dim: int, trip: Index, build: IndexBuilder) -> Index:
        if isinstance(trip, SSAValue) and trip in self.host.counts:
            steps = build.insert(pallas.NumProgramsOp(dim))
            steps.name_hint = "steps"
            return steps
        return trip


def _uses(op: Operation, window: WindowOp) -> bool:
    """Whether `op`, or an operation in it, reads or writes the window."""
    return any(isinstance(inner, GetOp | SetOp) and inner.ref is window.result for inner in op.walk())
