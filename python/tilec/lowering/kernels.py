"""A `tile.pipeline` as a `pallas.call`: operands, grid, windows, and the body's statements."""

from collections.abc import Hashable, Sequence

from xdsl.dialects import arith
from xdsl.dialects.builtin import IntegerType, MemRefType
from xdsl.ir import Block, Operation, Region, SSAValue

from tilec.analysis.alignment import Kind
from tilec.analysis.blocks import kind_of, loop_axes, scalar_arrays
from tilec.analysis.kept import buffers_back, kept_buffers, kept_returns
from tilec.analysis.revisits import check_visits
from tilec.analysis.row_gathers import buffers_shared, gather_obstacle, rows_at
from tilec.analysis.visits import block_owner, block_values
from tilec.analysis.vmem import SUBLANES
from tilec.chips import CHIPS
from tilec.diagnostics import fail
from tilec.dialects import pallas
from tilec.dialects.tile.access import Effect
from tilec.dialects.tile.arrays import EmptyOp
from tilec.dialects.tile.gathers import GatherOp
from tilec.dialects.tile.locals import is_local
from tilec.dialects.tile.loops import Order
from tilec.dialects.tile.places import ScratchOp, held_type, scratch_of
from tilec.dialects.tile.schedule import AxisOp, Loop, PipelineOp, WindowOp
from tilec.dialects.tile.types import UNBOUND, Array, element_type, shape_of
from tilec.lowering.blocks import begins_as_array, check_buffers, checked_owner
from tilec.lowering.bodies import BY_ITEM, KernelParts, loop_body, step_body
from tilec.lowering.copies import CopiedWindow, buffer_shape, coming_back
from tilec.lowering.host import Host
from tilec.lowering.nested_body import nested_body
from tilec.lowering.orientation import Orientation
from tilec.lowering.row_gathers import RowGather
from tilec.lowering.run_gathers import RunGather
from tilec.lowering.scalars import Extents, Scalars
from tilec.lowering.strips import strip_body
from tilec.lowering.windows import BlockPlan, index_map, plan_block
from tilec.rewriting.index import Index, IndexBuilder
from tilec.rewriting.jagged import is_jagged, steps_of, tiles

MEBIBYTE = 2**20


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
        self.outputs: dict[Operation, tuple[SSAValue, Array, bool]] = {}
        self.refs: dict[SSAValue, SSAValue] = {}
        self.places: dict[SSAValue, SSAValue] = {}
        self.plans: dict[SSAValue, BlockPlan] = {}
        self.preloads: list[tuple[BlockPlan, SSAValue, SSAValue]] = []
        self.orientation = Orientation(pipeline)
        self.trips = [self._trip(axis) for axis in pipeline.axes]
        inner = loop_axes(pipeline) if self.loop is Loop.FORI_LOOP else pipeline.axes
        self.outer = len(pipeline.axes) - (0 if self.loop is Loop.GRID else len(inner))
        """How many axes are those of the call's grid."""
        self.returns = kept_returns(pipeline)
        self.copied: list[CopiedWindow] = []
        self.copied_preloads: list[tuple[CopiedWindow, CopiedWindow]] = []

    def run(self) -> None:
        host = self.host
        check_visits(self.pipeline, "convert-tile-to-pallas")
        self._integer_arrays()
        grid = [
            self._grid_extent(axis, trip) for axis, trip in zip(self.pipeline.axes, self.trips, strict=True)
        ]
        for window in self.pipeline.windows:
            self._window(window)
        for scratch in scratch_of(self.pipeline):
            self._scratch(scratch)
        self.shared_gathers: dict[Hashable, RunGather] = {}
        self.gathers = {op: self._gather(op) for op in self.pipeline.body.walk() if isinstance(op, GatherOp)}
        body = self._body()
        # In the order in which the call has them: arrays as a whole come before blocks.
        outputs = [self.outputs[op] for op in (*self.specs, *self.windows) if op in self.outputs]
        call = self._call(grid, body, [kind for _, kind, _ in outputs])
        host.build.insert_all(call, self.pipeline.location)
        for result, (array, kind, reshaped) in zip(call.results, outputs, strict=True):
            result.name_hint = array.name_hint
            host.arrays[array] = self._shaped_back(result, array, kind) if reshaped else result

    def _call(self, grid: list[Index], body: list[Operation], kinds: list[Array]) -> pallas.CallOp:
        ops = [*self.specs, *self.windows, *body]
        if self.loop is Loop.EMIT_PIPELINE:
            inner = pallas.EmitPipelineOp(self._inner_grid(grid), Region(Block([*self.windows, *body])))
            inner.location = self.pipeline.location
            ops = [*self.specs, *self.count_loads, inner]
        elif self.loop is Loop.FORI_LOOP:
            ops = [*self.specs, *self.windows, *self.count_loads, *body]
            if self.windows and not self.outer:  # without a grid, only whole arrays can be blocks
                one = [pallas.Semantics.ARBITRARY]
                return pallas.CallOp(self.name, [1], one, Region(Block(ops)), kinds, self._limit())
        semantics = self._semantics()[: self.outer]
        return pallas.CallOp(
            self.name, grid[: self.outer], semantics, Region(Block(ops)), kinds, self._limit()
        )

    # The grid

    def _trip(self, axis: AxisOp) -> Index:
        """Steps of an axis. A worklist's count stands for itself."""
        if is_jagged(self.pipeline, axis):
            if self.pipeline.nested is not None:
                return BY_ITEM
            fail(
                axis,
                f"convert-tile-to-pallas: axis {axis.axis.name} has as many steps as each segment needs, "
                "and a grid has fixed extents; "
                "run --compact-worklist, --overlaunch-jagged or --stream-jagged-items (grouping=worklist, "
                "overlaunch or stream)",
            )
        steps = steps_of(axis)
        if steps is not None:
            return steps
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
        if axis in self.pipeline.axes[: self.outer]:
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
        """A limit on VMEM above the compiler's default, where windows and scratch come near that.

        The compiler took up to 2.7 times what is counted, for registers that it spilled. Where that could
        pass the default, twice that is asked for, so that XLA has the rest, and all where more is counted.
        """
        if self.pipeline.vmem is None or self.pipeline.chip is None:
            return None
        chip, total = CHIPS[self.pipeline.chip.data], self.pipeline.vmem.value.data
        usual, most = int(chip.scoped_vmem_mib * MEBIBYTE), int(chip.vmem_mib * MEBIBYTE)
        if 4 * total < usual:
            return None
        return min(2 * usual, most) if 2 * total < usual else most

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
        for array, op in scalar_arrays(self.pipeline).items():
            self.refs[array] = self._scalar_array(op, array)
        if self.loop is not Loop.GRID:
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
        if self.outer or self._has_placed_blocks():
            return self._spec(pallas.PrefetchOp(current), array)
        return self._spec(pallas.InSpaceOp(current, pallas.Space.SMEM), array)

    def _has_placed_blocks(self) -> bool:
        """Whether a kernel of one cell has blocks at positions from arrays, which index maps then read."""
        return self.loop is Loop.FORI_LOOP and any(
            kind_of(self.pipeline, window) is Kind.GRID_BLOCK and block_values(window)
            for window in self.pipeline.windows
            if not is_local(window.array)
        )

    def _load_count(self, count: SSAValue, array: SSAValue) -> None:
        ref = self._spec(pallas.InSpaceOp(array, pallas.Space.SMEM), count)
        build = IndexBuilder(self.count_loads, self.pipeline.location)
        element = build.insert(pallas.LoadOp(ref, [0]))
        value = build.insert(arith.IndexCastOp(element, count.type))
        value.name_hint = "count"
        self.count_values[count] = value

    def _scalars(self, block: Block, ops: list[Operation]) -> Scalars:
        known = list(block.args) if self.loop is Loop.EMIT_PIPELINE else list(block.args[: self.outer])
        positions = [*known, *[0] * (len(self.trips) - len(known))]
        return Scalars(self.pipeline, positions, self.trips, self.refs, self.extents, ops)

    def _map(self, plan: BlockPlan) -> Region:
        rank = len(self.trips) if self.loop is Loop.EMIT_PIPELINE else max(self.outer, 1)
        return index_map(plan, rank, self._scalars)

    def _window(self, window: WindowOp) -> None:
        if is_local(window.array):
            self._local(window)
            return
        check_buffers(self.pipeline, window)
        kind = kind_of(self.pipeline, window)
        plan = plan_block(window, self.loop, kind)
        self.plans[window.result] = plan
        owner = checked_owner(self.pipeline, window)
        if owner is not window:
            made = self.places[owner.result]
        elif kind in (Kind.DMA_IN, Kind.DMA_OUT):
            made = self._copies(plan)
        elif window.effect is Effect.READ:
            made = self._input(plan)
        elif self.loop is not Loop.EMIT_PIPELINE:
            made = self._grid_output(plan)
        else:
            made = self._pipe_output(plan)
        self.places[window.result] = made

    def _local(self, window: WindowOp) -> None:
        """Give all windows of an on-chip array one scratch."""
        plan = plan_block(window, self.loop, kind_of(self.pipeline, window))
        self.plans[window.result] = plan
        owner = block_owner(self.pipeline, window)
        if owner is not window:
            self.places[window.result] = self.places[owner.result]
            return
        shape = [extent for extent in plan.extents if isinstance(extent, int)]
        space = pallas.Space.VMEM if any(dim.kept for dim in window.window) else pallas.Space.SMEM
        kind = MemRefType(window.array_type.element_type, shape)
        self.places[window.result] = self._spec(pallas.ScratchOp(pallas.in_space(kind, space)), window.array)

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
        extent = self.host.extent(window.array) if UNBOUND in plan.view else None
        view = self.host.build.insert(pallas.ReshapeOp(array, plan.view_type(window.array_type), extent))
        view.name_hint = window.array.name_hint
        return view

    def _buffers(self, window: WindowOp) -> int | None:
        """What differs from the default of two."""
        count = None if window.buffers is None else window.buffers.value.data
        return None if count == 2 else count

    def _input(self, plan: BlockPlan) -> SSAValue:
        window, array = plan.window, self._viewed(plan)
        if self.loop is not Loop.EMIT_PIPELINE:
            op = pallas.InOp(array, plan.blocks, self._map(plan), self._buffers(window))
            return self._placed(op, window, self.windows)
        source = self._spec(pallas.InSpaceOp(array, pallas.Space.ANY), window.array)
        pipe = pallas.PipeInOp(source, plan.blocks, self._map(plan), self._buffers(window))
        return self._placed(pipe, window, self.windows)

    def _output(self, plan: BlockPlan, op: pallas.OutOp | pallas.OutSpaceOp) -> None:
        """Remember what a result of the call will stand for."""
        self.outputs[op] = (plan.window.array, op.kind, plan.reshaped)

    def _extent(self, plan: BlockPlan) -> SSAValue | None:
        """The leading extent of the viewed array, where that is not static."""
        return self.host.extent(plan.window.array) if UNBOUND in plan.view else None

    def _whole_output(self, plan: BlockPlan, contents: SSAValue | None) -> SSAValue:
        """A reference to all of an output, where the array will be."""
        kind = plan.view_type(plan.window.array_type)
        op = pallas.OutSpaceOp(kind, self._extent(plan), pallas.Space.ANY, contents)
        self._output(plan, op)
        return self._spec(op, plan.window.array)

    def _contents(self, plan: BlockPlan) -> SSAValue | None:
        """What the array holds before the kernel; `None` of one that is fresh."""
        array = plan.window.array
        fresh = isinstance(array.owner, EmptyOp) and array not in self.host.arrays
        return None if fresh else self._viewed(plan)

    def _grid_output(self, plan: BlockPlan) -> SSAValue:
        contents = self._contents(plan)
        kind, buffers = plan.view_type(plan.window.array_type), self._buffers(plan.window)
        op = pallas.OutOp(kind, self._extent(plan), plan.extents, self._map(plan), buffers, contents)
        self._output(plan, op)
        ref = self._placed(op, plan.window, self.windows)
        if contents is not None and begins_as_array(self.pipeline, plan.window):
            op.results[1].name_hint = f"{plan.window.array.name_hint or 'array'}_before"
            self.preloads.append((plan, ref, op.results[1]))
        return ref

    def _pipe_output(self, plan: BlockPlan) -> SSAValue:
        contents = self._contents(plan)
        whole = self._whole_output(plan, contents)
        pipe = pallas.PipeOutOp(whole, plan.extents, self._map(plan), self._buffers(plan.window))
        ref = self._placed(pipe, plan.window, self.windows)
        if contents is not None and begins_as_array(self.pipeline, plan.window):
            before = self._placed(
                pallas.PipeInOp(whole, plan.extents, self._map(plan)), plan.window, self.windows
            )
            before.name_hint = f"{plan.window.array.name_hint or 'array'}_before"
            self.preloads.append((plan, ref, before))
        return ref

    def _copies(self, plan: BlockPlan) -> SSAValue:
        """Buffers for a window that the kernel copies itself; returns the reference to them."""
        window = plan.window
        if window.effect is Effect.READ:
            array = self._spec(pallas.InSpaceOp(self._viewed(plan), pallas.Space.ANY), window.array)
            return self._copied(plan, array, Effect.READ).buffer
        contents = self._contents(plan)
        array = self._whole_output(plan, contents)
        made = self._copied(plan, array, Effect.WRITE)
        if contents is not None and begins_as_array(self.pipeline, window):
            before = self._copied(plan, array, Effect.READ)
            before.buffer.name_hint = f"{window.array.name_hint or 'array'}_before"
            self.copied_preloads.append((made, before))
        return made.buffer

    def _copied(self, plan: BlockPlan, array: SSAValue, effect: Effect) -> CopiedWindow:
        window = plan.window
        if len(plan.view) > 1 and plan.view[-2] == UNBOUND:
            text = f"the least number of rows of {window.array.name_hint or 'array'} for loop=fori_loop"
            least, rows = self.host.build.value(SUBLANES), self.host.extent(window.array)
            self.host.build.insert_all(pallas.RequireOp(least, rows, text), window.location)
        depth = 2 if window.buffers is None else window.buffers.value.data
        if window in self.returns:
            self.copied.append(coming_back(self.copied, self.returns[window].first, plan, array, depth))
            return self.copied[-1]
        ahead, depth = depth - 1, depth + kept_buffers(window)
        count = depth + buffers_back(self.returns, window)
        kind = MemRefType(window.array_type.element_type, [count, *buffer_shape(plan)])
        buffer = self._spec(pallas.ScratchOp(pallas.in_space(kind, pallas.Space.VMEM)), window.array)
        buffer.name_hint = window.result.name_hint
        signals = pallas.in_space(MemRefType(pallas.DmaSemaphoreType(), [count]), pallas.Space.SEMAPHORE)
        semaphores = self._spec(pallas.ScratchOp(signals), window.array)
        semaphores.name_hint = f"{window.array.name_hint or 'array'}_copied"
        self.copied.append(CopiedWindow(plan, array, buffer, semaphores, depth, effect, ahead))
        return self.copied[-1]

    def _shaped_back(self, result: SSAValue, array: SSAValue, kind: Array) -> SSAValue:
        extent = self.host.extent(array) if UNBOUND in shape_of(array.type) else None
        original = MemRefType(kind.element_type, shape_of(array.type))
        made = self.host.build.insert(pallas.ReshapeOp(result, original, extent))
        made.name_hint = array.name_hint
        return made

    def _scratch(self, scratch: ScratchOp) -> None:
        held = held_type(scratch.result)
        shape, space = self.orientation.shape(scratch.result), pallas.Space.VMEM
        if self.pipeline.strips is not None:  # rows lie along lanes
            *columns, rows = shape_of(held)[::-1]
            shape = (columns[0] if columns else 1, rows)
        if not shape:
            shape, space = (1,), pallas.Space.SMEM
        kind = pallas.in_space(MemRefType(element_type(held), shape), space)
        op = pallas.ScratchOp(kind)
        op.location = scratch.location
        op.results[0].name_hint = scratch.result.name_hint
        self.specs.append(op)
        self.places[scratch.result] = op.results[0]

    def _gather(self, op: GatherOp) -> RowGather | RunGather:
        """What a gather has that copies rows from an array where that is."""
        if op.rows is None:
            fail(op, f"convert-tile-to-pallas: {op.name} without `rows`; run --expand-gathers first")
        obstacle = gather_obstacle(op, self.pipeline)
        if obstacle is not None:
            fail(op, f"convert-tile-to-pallas: rows cannot be copied one by one: {obstacle}")
        shared = self.shared_gathers.get(buffers_shared(op))
        if shared is not None:
            return shared
        array, _ = rows_at(op)
        ref = self._spec(pallas.InSpaceOp(self.host.current(array), pallas.Space.ANY), array)
        if op.runs is not None:
            made = RunGather.of(op, op.runs, ref, self._spec)
            return self.shared_gathers.setdefault(buffers_shared(op), made)
        return RowGather.of(op, ref, self._spec)

    def _body(self) -> list[Operation]:
        parts = KernelParts(
            pipeline=self.pipeline,
            outer=self.outer,
            trips=self.trips,
            counts={count: self.count_values.get(count) for count in self.host.counts},
            refs=self.refs,
            extents=self.extents,
            places=self.places,
            plans=self.plans,
            orientation=self.orientation,
            preloads=self.preloads,
            copied=self.copied,
            copied_preloads=self.copied_preloads,
            returns=self.returns,
            gathers=self.gathers,
        )
        if self.pipeline.nested is not None:
            return nested_body(parts)
        if self.pipeline.strips is not None:
            return strip_body(parts, self._spec)
        return loop_body(parts) if self.loop is Loop.FORI_LOOP else step_body(parts)
