"""`--join-windows`: an array that loops write one after the other is written through tiles of one course.

Loops that follow each other are stretches of one axis, and while one runs the others' tiles rest. A window of
what one of them writes then stays at a tile that another's may be far from, and one block must hold both.
Where the ranges come one after the other, each from where the one before ends, their tiles are those of one
range that goes on: so the windows follow the tiles of the stretch whose turn it is.

Before:
    %first = arith.cmpi slt, %step, %steps : index
    %m = tile.span %i of %b to %middle by m:128 aligned keep
    %n = tile.span %j of %middle to %e by n:128 aligned keep
    %out_window = tile.window write %out[%m, :]
    %out_window_1 = tile.window write %out[%n, :]
After:
    %t = arith.select %first, %i, %j : index
    %from = arith.select %first, %b, %middle : index
    %to = arith.select %first, %middle, %e : index
    %m_1 = tile.span %t of %from to %to by m:128 aligned keep
    %n_1 = tile.span %t of %from to %to by n:128 aligned keep
    %out_window = tile.window write %out[%m_1, :]
    %out_window_1 = tile.window write %out[%n_1, :]

What is read stays where it was, so that nothing is fetched twice. It is done to windows of one array that
differ in the tiles of one dimension, of one size, and only where their ranges are known to come in order, in
an iteration of the axes around and from one to the next.
`--explain` says which windows are not joined.
"""

from collections.abc import Sequence

from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from tilec.analysis.affine import operations_behind
from tilec.analysis.courses import come_in_turn
from tilec.analysis.visits import counter_of
from tilec.diagnostics import explain
from tilec.dialects.tile.access import Effect
from tilec.dialects.tile.locals import is_local
from tilec.dialects.tile.numbered import SpanOp
from tilec.dialects.tile.schedule import AxisOp, PipelineOp, WindowOp
from tilec.dialects.tile.syntax import Bounds
from tilec.rewriting.index import Index, IndexBuilder


class JoinWindows(ModulePass):
    """Let windows of what loops write one after the other follow the tiles of the loop that runs."""

    name = "join-windows"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for pipeline in [inner for inner in op.walk() if isinstance(inner, PipelineOp)]:
            written: dict[SSAValue, list[WindowOp]] = {}
            for window in pipeline.windows:
                if window.effect is Effect.WRITE and not is_local(window.array):
                    written.setdefault(window.array, []).append(window)
            for windows in written.values():
                place = _place(windows)
                if place is not None:
                    _join(pipeline, windows, place)


def _place(windows: Sequence[WindowOp]) -> int | None:
    """The one dimension in which windows have different tiles, all of them of a size."""
    first = windows[0].window
    apart = {i for each in windows for i, dim in enumerate(each.window) if dim != first[i]}
    if len(apart) != 1:
        return None
    (place,) = apart
    spans = [dim.span for dim in (each.window[place] for each in windows)]
    shifts = {each.window[place].shift for each in windows}
    alike = all(span is not None and first[place].span is not None for span in spans)
    sizes = {span.size for span in spans if span is not None}
    return place if alike and len(sizes) == len(shifts) == 1 and isinstance(first[place].shift, int) else None


def _join(pipeline: PipelineOp, windows: Sequence[WindowOp], place: int) -> None:
    bases = [window.window[place].base for window in windows]
    spans = [base.owner for base in bases if base is not None and isinstance(base.owner, SpanOp)]
    turns = [op for op in pipeline.body.block.ops if isinstance(op, SpanOp) and op in spans]
    counter = counter_of(turns[0]) if len(spans) == len(windows) else None
    alike = {(counter_of(span), span.aligned is not None) for span in turns}
    if counter is None or len(alike) != 1:
        return
    starts = [_start(span, counter) for span in turns]
    if 0 in starts[1:]:
        return
    if not come_in_turn([span.bounds for span in turns], pipeline.axes):
        explain(
            windows[0],
            f"join-windows: windows of %{windows[0].array.name_hint or 'array'} are not joined: the ranges "
            "of their tiles are not known to come one after the other",
        )
        return
    ops: list[Operation] = []
    build = IndexBuilder(ops, windows[0].location)
    index, begin, end = _of_the_turn(build, counter, turns, starts)
    made: dict[SSAValue, SSAValue] = {}
    for span in turns:
        bounds = Bounds(begin, end, mean=span.bounds.mean)
        kind, aligned = span.result.type, span.aligned is not None
        one = build.insert(SpanOp(build.value(index), bounds, kind, aligned=aligned, keep=True))
        one.name_hint = span.result.name_hint
        made[span.result] = one
    Rewriter.insert_op(ops, InsertPoint.before(pipeline.windows[0]))
    for window in windows:
        window.set_window([dim.replaced(made) for dim in window.window])


def _of_the_turn(
    build: IndexBuilder, counter: AxisOp, turns: Sequence[SpanOp], starts: Sequence[Index]
) -> tuple[Index, Index, Index]:
    """The number of the tile, and begin and end, of the stretch in which a step is."""
    found: tuple[Index, Index, Index] = (turns[-1].index, turns[-1].bounds.begin, turns[-1].bounds.end)
    for span, stop in reversed(list(zip(turns[:-1], starts[1:], strict=True))):
        first = build.compare("slt", counter.result, stop)
        index, begin, end = found
        bounds = span.bounds
        found = (
            build.select(first, span.index, index),
            build.select(first, bounds.begin, begin),
            build.select(first, bounds.end, end),
        )
    return found


def _start(span: SpanOp, counter: AxisOp) -> Index:
    """The step with which a stretch of an axis begins, whose tiles a span has: its number has the axis' index
    less that."""
    less = (op for op in operations_behind(span.index) if isinstance(op, arith.SubiOp))
    return next((op.rhs for op in less if op.lhs.owner is counter), 0)
