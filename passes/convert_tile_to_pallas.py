"""`--convert-tile-to-pallas`: a schedule becomes calls of Pallas kernels.

Every pipeline becomes a `pallas.call`, every worklist a small call that makes its tables. Nothing is decided
here that changes what is computed; what has no counterpart in Pallas is refused. Arrays become values: a
kernel returns what it wrote, and an array that already held something is aliased, so that what no step writes
stays. Divisions by powers of two become shifts.

Before:
    tile.pipeline grid {
      %k = tile.axis 0 to 512 by k:128 ordered
      %x_window = tile.window read %x[%m, %k] buffers 2
      …
After:
    %out = pallas.call "f" grid [arbitrary 4] {
      %x_window = pallas.in %x block [128, 128] map (%k) -> (…)
      …

Refused: an axis of run-time extent; a block that is cut between tiles; a scalar index in an array's last
dimension; lanes that mix while some may be dead; an array argument that is written but not returned; a view
of an array beside the array.
"""

from xdsl.context import Context
from xdsl.dialects import arith, func, memref
from xdsl.dialects.builtin import FunctionType, MemRefType, ModuleOp, i32, i64
from xdsl.ir import Block, BlockArgument, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter
from xdsl.transforms.common_subexpression_elimination import cse
from xdsl.transforms.dead_code_elimination import region_dce

from tilec.analysis.affine import extent, linear, static_extent
from tilec.analysis.row_gathers import rows_at
from tilec.analysis.views import check_resolved
from tilec.diagnostics import fail
from tilec.dialects import pallas
from tilec.dialects.tile.access import Effect
from tilec.dialects.tile.arrays import EmptyOp, FullOp, LoadOp, SegmentOp
from tilec.dialects.tile.expect import ExpectOp, ExpectSumOp
from tilec.dialects.tile.gathers import GatherOp
from tilec.dialects.tile.schedule import PipelineOp
from tilec.dialects.tile.steps import WorklistOp
from tilec.dialects.tile.syntax import scalar_of
from tilec.dialects.tile.types import UNBOUND, element_type, shape_of
from tilec.dialects.tile.views import ConvertOp, ViewOp, given_array, viewed_array
from tilec.lowering.checks import reaches, segment_limits
from tilec.lowering.host import Host
from tilec.lowering.kernels import KernelLowering
from tilec.lowering.scalars import Extents
from tilec.lowering.shifts import shift_divisions
from tilec.lowering.worklists import lower_worklist
from tilec.rewriting.index import Index, IndexBuilder

SCALAR_MEMORY = 2**19
"""Bytes of scalar memory for worklists: half of a TPU core's 1 MiB, the rest being the compiler's."""


class ConvertTileToPallas(ModulePass):
    """Turn a schedule into calls of Pallas kernels."""

    name = "convert-tile-to-pallas"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in [inner for inner in op.walk() if isinstance(inner, func.FuncOp)]:
            if any(inner.name.startswith("tile.") for inner in function.walk()):
                check_resolved(function, self.name)
                _Function(function).run()


class _Function:
    def __init__(self, function: func.FuncOp):
        self.function = function
        self.block: Block = function.body.block
        self.ops: list[Operation] = []
        self.host = Host(IndexBuilder(self.ops, function.location), {}, {})
        self.checked: dict[tuple[SSAValue, SSAValue | None], list[Index]] = {}
        self.kernels = 0

    def run(self) -> None:
        for argument in list(self.block.args):
            if element_type(argument.type) == i64:
                self._narrow(argument)
        source = list(self.block.ops)
        early = [op for op in source if self._lower_index(op)]  # which checks may need
        for op in source:
            if isinstance(op, PipelineOp):
                self._check_segments(op)
        for op in source:
            if op not in early:
                self.host.build.location = op.location
                self._lower(op)
        for op in reversed(source):
            op.detach()
        self.block.add_ops(self.ops)
        for op in reversed(source):
            op.erase(safe_erase=False)
        for op in self.block.ops:
            if isinstance(op, pallas.CallOp):
                shift_divisions(op)
        cse(self.function)
        region_dce(self.function.body)

    def _narrow(self, argument: SSAValue) -> None:
        """Take an array of 64-bit indices as 32-bit ones, which the wrapper makes of them."""
        for use in argument.uses:
            reader = use.operation
            as_index = isinstance(reader, SegmentOp) or (
                isinstance(reader, LoadOp)
                and all(isinstance(other.operation, arith.IndexCastOp) for other in reader.result.uses)
            )
            if not as_index:
                fail(
                    reader,
                    f"convert-tile-to-pallas: {reader.name} uses elements of {argument.type}, "
                    "and a TPU has no 64-bit integers; such an array can hold offsets and indices, "
                    "otherwise use i32",
                )
        name = argument.name_hint
        Rewriter.replace_value_with_new_type(
            argument, MemRefType(i32, shape_of(argument.type))
        ).name_hint = name
        outputs = self.function.function_type.outputs
        self.function.function_type = FunctionType.from_lists(
            [value.type for value in self.block.args], list(outputs)
        )

    def _lower(self, op: Operation) -> None:
        match op:
            case EmptyOp():
                pass
            case FullOp():
                made = self.host.build.insert(
                    pallas.FullOp(scalar_of(op.value), op.array_type, self._extent(op))
                )
                made.name_hint = op.array.name_hint
                self.host.arrays[op.array] = made
            case ViewOp() if _is_looked_through(op):
                pass
            case ViewOp():
                self.host.arrays[op.result] = self._view(op)
            case ConvertOp():
                array, kind = self.host.current(op.array), element_type(op.result.type)
                made = self.host.build.insert(pallas.ConvertOp(array, kind))
                self.host.arrays[op.result], made.name_hint = made, op.result.name_hint
            case ExpectOp():
                self._expect(op)
            case ExpectSumOp():
                sums = [
                    ([(self.host.current(array), place) for array, place in each], self.host.current(limit))
                    for each, limit in op.sums
                ]
                check = pallas.CheckSumOp(sums)
                self.host.build.insert_all(check, op.location)
            case WorklistOp():
                self._worklist(op)
            case PipelineOp():
                self._check_reaches(op)
                if not any(static_extent(axis.axis.bounds) == 0 and axis.keep is None for axis in op.axes):
                    KernelLowering(op, self.host, self._kernel_name()).run()
            case func.ReturnOp():
                self._return(op)
            case _:
                if not self._lower_index(op):
                    missing = "is not scheduled; run --fold-outer-pipeline first"
                    fail(op, f"convert-tile-to-pallas: {op.name} {missing}")

    def _lower_index(self, op: Operation) -> bool:
        """Lower an operation of indices, if it is one and what it needs is there."""
        if isinstance(op, memref.DimOp):
            dim = linear(op.index).literal
            if dim is not None and isinstance(op.source.owner, Operation):  # of no array that there is yet
                self.host.arrays[op.result] = self.host.build.value(self.host.extent_of(op.source, dim))
                return True
        elif not op.name.startswith("arith.") or not all(
            isinstance(value, BlockArgument) or value in self.host.arrays for value in op.operands
        ):
            return False
        clone = op.clone(self.host.arrays)
        self.ops.append(clone)
        for old, new in zip(op.results, clone.results, strict=True):
            self.host.arrays[old] = new
        return True

    def _view(self, op: ViewOp) -> SSAValue:
        array, kind = self.host.current(op.array), op.result.type
        if isinstance(array.owner, EmptyOp):
            fail(op, f"convert-tile-to-pallas: %{op.array.name_hint or 'array'} is viewed but never written")
        if op.permutation is not None:
            view = self.host.build.insert(pallas.TransposeOp(array, op.permutation))
        else:
            extent = self.host.extent(op.array) if UNBOUND in shape_of(kind) else None
            view = self.host.build.insert(pallas.ReshapeOp(array, kind, extent))
        view.name_hint = op.result.name_hint
        return view

    def _expect(self, op: ExpectOp) -> None:
        limit = self.host.build.value(op.limit.value.data)
        if op.elements is not None:
            check: Operation = pallas.CheckElementsOp(self.host.current(op.array), limit)
        else:
            check = pallas.CheckLengthsOp(op.array, op.ends, limit)
        self.host.build.insert_all(check, op.location)

    def _kernel_name(self) -> str:
        self.kernels += 1
        name = self.function.sym_name.data
        return name if self.kernels == 1 else f"{name}_{self.kernels}"

    def _extent(self, op: EmptyOp | FullOp) -> SSAValue | None:
        if UNBOUND not in shape_of(op.array_type):
            return None
        if op.extent is not None:
            return self.host.current(op.extent)
        return None if op.like is None else self.host.extent(op.like)

    def _worklist(self, op: WorklistOp) -> None:
        build = self.host.build
        op.operands[0] = capacity = self.host.current(op.capacity)
        # Tables live in scalar memory.
        most, known = SCALAR_MEMORY // (4 * max(1, len(op.tables))), linear(capacity).literal
        if known is None:
            room = pallas.RequireOp(capacity, build.value(most), "entries of a worklist in scalar memory")
            build.insert_all(room, op.location)
        elif known > most:
            fail(
                op,
                f"convert-tile-to-pallas: the list may have {known} tiles, and scalar memory has room for "
                f"{most}; larger tiles and a smaller `max` need less, grouping=overlaunch and stream none",
            )
        last = build.sub(capacity if known is None else known, 1)
        extents = Extents(build, self.host.arrays)
        call = lower_worklist(op, f"{self._kernel_name()}_worklist", extents, last)
        self.kernels -= 1
        self.ops.append(call)
        for old, new in zip(op.tables, call.results[:-1], strict=True):
            new.name_hint = old.name_hint
            self.host.arrays[old] = new
        call.results[-1].name_hint = op.count.name_hint
        self.host.counts[op.count] = call.results[-1]

    def _check_segments(self, pipeline: PipelineOp) -> None:
        """Let the wrapper check what worklists rely on: that arrays have rows, and the order of segments."""
        build = self.host.build
        arrays = {
            tuple(extent(window.array, 0).factors): window.array for window in reversed(pipeline.windows)
        }
        for array in (viewed_array(array) for array in arrays.values()):
            if UNBOUND in shape_of(array.type) and array in self.block.args:
                text = f"the least number of rows of {array.name_hint or 'array'}"
                some = pallas.RequireOp(build.value(1), self.host.extent(array), text)
                build.insert_all(some, pipeline.location)
        for segment, limit in segment_limits(pipeline, self.host).items():
            known = self.checked.setdefault((segment.begins, segment.ends), [])
            stricter = isinstance(limit, int) and any(
                isinstance(each, int) and each <= limit for each in known
            )
            if limit not in known and not stricter:
                known.append(limit)
                check = pallas.CheckSegmentsOp(segment.begins, segment.ends, build.value(limit))
                build.insert_all(check, segment.location)

    def _check_reaches(self, pipeline: PipelineOp) -> None:
        """Let the wrapper check that no axis passes the end of an array."""
        build = self.host.build
        for window, dim, end in reaches(pipeline):
            limit = self.host.extent_of(window.array, dim)
            if isinstance(end, int) and isinstance(limit, int):
                fail(
                    window,
                    f"convert-tile-to-pallas: an axis runs to {end} in dimension {dim} of "
                    f"%{window.array.name_hint or 'array'}, whose extent is {limit}",
                )
            text = f"indices of dimension {dim} of {window.array.name_hint or 'array'}"
            end = end if isinstance(end, int) else self.host.current(end)
            require = pallas.RequireOp(build.value(end), build.value(limit), text)
            build.insert_all(require, window.location)

    def _return(self, op: func.ReturnOp) -> None:
        returned = [self.host.current(value) for value in op.operands]
        kept = {given_array(value) for value in op.operands}
        pipelines = [inner for inner in self.block.ops if isinstance(inner, PipelineOp)]
        for window in [window for pipeline in pipelines for window in pipeline.windows]:
            argument = given_array(window.array)
            if window.effect is Effect.WRITE and argument in self.block.args and argument not in kept:
                fail(
                    window,
                    f"convert-tile-to-pallas: the argument %{argument.name_hint or 'array'} is written "
                    "but not returned; an array of JAX does not change, so return it",
                )
        for position, value in enumerate(returned):
            if isinstance(value.owner, EmptyOp) and isinstance(value.type, MemRefType):
                fail(value.owner, f"convert-tile-to-pallas: result {position} is never written")
        self.host.build.insert_all(func.ReturnOp(*returned), op.location)


def _is_looked_through(view: ViewOp) -> bool:
    """Whether a view is only there for rows that are copied from the array itself."""
    users = [use.operation for use in view.result.uses]
    return all(isinstance(each, GatherOp) and each.rows and rows_at(each)[0] is view.array for each in users)
