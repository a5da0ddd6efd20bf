"""`--classify-outputs`: which arrays a kernel needs as inputs, and which windows their old contents.

On a program, a `tile.full` whose every element is stored before the array is read becomes a `tile.empty`: the
fill is never made, and the array is no input of any kernel. Every other array that is written but not made
empty is an input and an output under one name.

On a schedule, such an array is looked at window by window. A window whose steps read nothing of it and set
all of each block needs no old contents on the chip: it loses `preload`, and the array only shares its memory
with the result. A window that does need them, of an array that is filled, sets the fill itself at the first
step of each block if its steps visit every block: then the array becomes a `tile.empty` too. Run it here
after `--materialize-masks`, which says what a window must keep.

Before:
    %out = tile.full 0.0 : memref<100x256xf32>
    tile.pipeline grid {
      %m = tile.axis 0 to 100 by m:32 parallel
      %k = tile.axis 0 to 512 by k:128 ordered
      %out_window = tile.window write %out[%m, :] preload
      %a = tile.get %out_window
      …
After:
    %out = tile.empty : memref<100x256xf32>
    …
      %out_window = tile.window write %out[%m, :]
      %first_k = tile.first %k
      scf.if %first_k {
        %fill = tile.splat 0.0 : tensor<32x256xf32>
        tile.set %fill, %out_window
      }
      %a = tile.get %out_window

Refused: nothing. `--explain` says of every array that is written what it is, and why.
"""

from xdsl.context import Context
from xdsl.dialects import func, memref, scf
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from tilec.analysis.coverage import always_set, gap, steps_of_one_block, touches_every_block
from tilec.diagnostics import explain, where
from tilec.dialects.tile.arrays import EmptyOp, FullOp, StoreOp
from tilec.dialects.tile.locals import is_local
from tilec.dialects.tile.loops import GridOp
from tilec.dialects.tile.places import GetOp, SetOp, held_type
from tilec.dialects.tile.schedule import PipelineOp, WindowOp
from tilec.dialects.tile.steps import FirstOp
from tilec.dialects.tile.syntax import scalar_of
from tilec.dialects.tile.types import element_type, shape_of, value_type
from tilec.dialects.tile.values import SplatOp
from tilec.rewriting.index import IndexBuilder


class ClassifyOutputs(ModulePass):
    """Drop fills that nobody sees, and old contents that no window needs."""

    name = "classify-outputs"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in [inner for inner in op.walk() if isinstance(inner, func.FuncOp)]:
            if any(isinstance(inner, GridOp) for inner in function.body.block.ops):
                for array in _written(function):
                    _classify(array, function)
            for pipeline in [inner for inner in function.body.block.ops if isinstance(inner, PipelineOp)]:
                for window in pipeline.windows:
                    shared = [each for each in pipeline.windows if each.array is window.array]
                    if window.preload is not None and len(shared) == 1:
                        _drop_preload(window, pipeline)


def _name(array: SSAValue) -> str:
    return f"%{array.name_hint or 'array'}"


# Programs


def _written(function: func.FuncOp) -> list[SSAValue]:
    stores = (op for op in function.walk() if isinstance(op, StoreOp) and not is_local(op.array))
    return list(dict.fromkeys(op.array for op in stores))


def _classify(array: SSAValue, function: func.FuncOp) -> None:
    match array.owner:
        case EmptyOp() as made:
            explain(made, f"classify-outputs: {_name(array)} is an output only")
        case FullOp() as made:
            reason = _seen(array, function)
            if reason is None:
                explain(
                    made, f"classify-outputs: no step sees the fill of {_name(array)}; it is an output only"
                )
                _make_empty(made)
            else:
                explain(made, f"classify-outputs: {_name(array)} keeps its fill: {reason}")
        case _:
            explain(
                function, f"classify-outputs: {_name(array)} is an input and an output, as it is stored into"
            )


def _seen(array: SSAValue, function: func.FuncOp) -> str | None:
    """Why an element of the fill of `array` may be read or returned; `None` if it cannot be."""
    stores: list[StoreOp] = []
    for op in function.body.block.ops:
        inside = [inner for inner in op.walk() if array in inner.operands]
        reader = next((inner for inner in inside if _reads(inner)), None)
        if reader is not None:
            reason = gap(array, stores)
            what = "is returned" if isinstance(reader, func.ReturnOp) else "may be read"
            return None if reason is None else f"it {what} at {where(reader)}, and {reason}"
        stores += [inner for inner in inside if isinstance(inner, StoreOp)]
    return None


def _reads(op: Operation) -> bool:
    return not isinstance(op, StoreOp | memref.DimOp | EmptyOp | FullOp)


def _make_empty(made: FullOp) -> None:
    empty = EmptyOp(made.array_type, like=made.like, extent=made.extent)
    empty.location = made.location
    empty.array.name_hint = made.array.name_hint
    Rewriter.replace_op(made, empty)


# Schedules


def _drop_preload(window: WindowOp, pipeline: PipelineOp) -> None:
    array = _name(window.array)
    reads = any(isinstance(use.operation, GetOp) for use in window.result.uses)
    if not reads and always_set(window) and (window.fetch is None or touches_every_block(window)):
        window.preload = None
        explain(window, f"classify-outputs: no step needs what {array} held; it stays where it is")
        return
    made = window.array.owner
    if not isinstance(made, FullOp):
        explain(window, f"classify-outputs: steps need what {array} held; its window begins with that")
        return
    reason = _outside(window, pipeline)
    if reason is not None:
        explain(window, f"classify-outputs: {array} is filled before the kernel: {reason}")
        return
    explain(window, f"classify-outputs: the steps fill each block of {array} themselves")
    _fill(window, pipeline, scalar_of(made.value))
    window.preload = None
    _make_empty(made)


def _outside(window: WindowOp, pipeline: PipelineOp) -> str | None:
    """Why the steps cannot fill a filled array block by block; `None` if they can."""
    for op in pipeline.parent.ops if pipeline.parent else ():
        for inner in op.walk():
            if window.array in inner.operands and inner is not window and _reads(inner):
                return f"{inner.name} at {where(inner)} needs it too"
        if op is pipeline:
            break
    if not shape_of(held_type(window.result)):
        return "its window is a single element"
    if steps_of_one_block(window) is None:
        return "no axis tells which step is the first of a block"
    return None if touches_every_block(window) else "a block may have no step"


def _fill(window: WindowOp, pipeline: PipelineOp, number: float) -> None:
    """Let the first step of each block begin with the fill, unless it is only read where it is known."""
    inner = steps_of_one_block(window) or []
    if not inner:
        _replace_reads(window, pipeline, number)
    users = _users(window, pipeline)
    if always_set(window) and not any(isinstance(op, GetOp) for op in users):
        return
    held = held_type(window.result)
    fill = SplatOp(number, value_type(element_type(held), shape_of(held), [None] * len(shape_of(held))))
    fill.result.name_hint = "fill"
    ops: list[Operation] = []
    build = IndexBuilder(ops, window.location)
    queries = [build.insert(FirstOp(axis.result)) for axis in inner]
    for axis, query in zip(inner, queries, strict=True):
        query.name_hint = f"first_{axis.axis.name}"
    first = build.every(queries)
    begin: list[Operation] = [fill, SetOp(fill.result, window.result)]
    for op in begin:
        op.location = window.location
    if first is None:
        ops += begin
    else:
        build.insert_all(scf.IfOp(first, [], Region(Block([*begin, scf.YieldOp()]))), window.location)
    before = next(op for op in pipeline.body.block.ops if op.is_ancestor(users[0]))
    Rewriter.insert_op(ops, InsertPoint.before(before))


def _replace_reads(window: WindowOp, pipeline: PipelineOp, number: float) -> None:
    """Put the fill for what is read before anything is set, where every step has a block of its own."""
    for op in _users(window, pipeline):
        if not isinstance(op, GetOp):
            return
        known = SplatOp(number, op.result.type)
        known.location = op.location
        known.result.name_hint = op.result.name_hint
        Rewriter.replace_op(op, known)


def _users(window: WindowOp, pipeline: PipelineOp) -> list[Operation]:
    """What reads and sets the window, in order."""
    return [op for op in pipeline.walk() if isinstance(op, GetOp | SetOp) and op.ref is window.result]
