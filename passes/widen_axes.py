"""`--widen-axes`: an axis whose indices number runs of an array becomes an axis of tiles, one for each run.

A program that goes from index to index and each time accesses the next W elements, at `W * index` plus the
numbers of W lanes, goes through the array in tiles of W. As an axis of tiles it says so: its positions are
the indices of a span, of which `--raise-gathers` makes a window, where lanes that are numbered by hand have
to be compared with every element.

Before:
    tile.for %c = 0 to 8 {
      %numbers = …                                // 0, 1, … 127
      %first = …                                  // %c * 128 in all lanes
      %places = arith.addi %numbers, %first : tensor<128xi32>
      %v = tile.gather %x[%m, %places]
After:
    tile.for %c = 0 to 1024 by c:128 {
      %places = tile.indices %c
      %u = tile.gather %x[%m, %places]
      %v = tile.whole %u along %c

All tiles of such an axis are whole, so that what was read can be without the span, as it was before. What
else the index is used for asks for the number of the tile.

It is done for gathers in a `tile.for` or a `tile.grid` that begins at a literal; what is read at runs of
another length in the same loop stays. Left alone, and explained: updates and what has a mask, whose values
would have to be of the span; runs that are no tiles of memory, in an array too large to stay on the chip.
"""

from collections.abc import Sequence
from math import prod

from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import ModuleOp, i32
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter
from xdsl.transforms.dead_code_elimination import region_dce

from tilec.analysis.affine import Linear, linear
from tilec.analysis.positions import Positions, positions
from tilec.analysis.vmem import LANES, MOST_RESIDENT, SUBLANES, WORD
from tilec.diagnostics import explain
from tilec.dialects.tile.access import AccessOp, Dim
from tilec.dialects.tile.axes import Axis
from tilec.dialects.tile.bound import BoundOp, Side
from tilec.dialects.tile.gathers import GatherOp
from tilec.dialects.tile.loops import GridOp, LoopOp
from tilec.dialects.tile.mixing import WholeOp
from tilec.dialects.tile.syntax import Bounds, pack_bounds
from tilec.dialects.tile.types import UNBOUND, SpanType, byte_width, element_type, shape_of, span_of
from tilec.dialects.tile.values import BroadcastOp, IndicesOp
from tilec.rewriting.index import IndexBuilder
from tilec.rewriting.linear import built
from tilec.rewriting.nests import free_name


class WidenAxes(ModulePass):
    """Make axes of tiles of those whose indices number runs of an array."""

    name = "widen-axes"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for loop in [inner for inner in op.walk() if isinstance(inner, LoopOp)]:
            for number, axis in enumerate(loop.axes):
                runs = {} if span_of(axis.value) is not None else _runs(loop, axis)
                if runs:
                    lanes = next(iter(runs.values()))
                    _widen(loop, number, lanes, [op for op, each in runs.items() if each == lanes])


def _runs(loop: LoopOp, axis: Axis) -> dict[GatherOp, int]:
    """The gathers in a loop that take a run for each index of an axis, and how many elements each takes."""
    found: dict[GatherOp, int] = {}
    for op in loop.body.walk():
        lanes = _run(op, axis.value) if isinstance(op, AccessOp) else None
        if lanes is None or not isinstance(op, AccessOp):
            continue
        reason = _obstacle(op, lanes)
        if isinstance(loop, GridOp) and not isinstance(axis.bounds.begin, int):
            reason = "the axis of a grid begins at no literal"
        if reason is not None:
            explain(op, f"widen-axes: runs of {lanes} along {axis.name} are no tiles of an axis: {reason}")
        elif isinstance(op, GatherOp):
            found[op] = lanes
    return found


def _run(op: AccessOp, index: SSAValue) -> int | None:
    """How many elements an access takes that follow those of the index before."""
    dim = None if op.indexed is None else op.window[op.indexed]
    form = None if dim is None else _form(dim)
    if dim is None or form is None or form.spans or dict(form.lanes) != {0: 1}:
        return None
    lanes = form.scalar.factors.get(index)
    return lanes if dim.base is not None and shape_of(dim.base.type) == (lanes,) else None


def _form(dim: Dim) -> Positions | None:
    form = None if dim.base is None else positions(dim.base)
    return form + Positions(linear(dim.shift)) if isinstance(form, Positions) else None


def _obstacle(op: AccessOp, lanes: int) -> str | None:
    """Why what is accessed cannot be a tile."""
    if not isinstance(op, GatherOp):
        return "what is written has lanes of its own"
    if op.mask is not None:
        return "the mask has lanes of its own"
    place = next(place for place, dim in enumerate(op.window) if dim.indexed)
    shape = shape_of(op.array.type)
    unit = {1: LANES, 2: SUBLANES}.get(len(shape) - place, 1)
    size = abs(prod(shape)) * max(WORD, byte_width(element_type(op.array.type)))
    if lanes % unit == 0 or (UNBOUND not in shape and size <= MOST_RESIDENT):
        return None
    return (
        f"a multiple of {unit} can be copied, and all of %{op.array.name_hint or 'array'} would stay on the "
        f"chip, of which {MOST_RESIDENT} bytes may"
    )


def _widen(loop: LoopOp, number: int, lanes: int, runs: Sequence[GatherOp]) -> None:
    """Make the axis one of tiles of `lanes` elements, and the runs tiles of it."""
    index = loop.body.block.args[number]
    span = loop.body.block.insert_arg(SpanType(free_name(loop, index.name_hint or "run"), lanes), number)
    span.name_hint = index.name_hint
    for op in runs:
        _take_tile(op, span, index, lanes)
    inside: list[Operation] = []
    build = IndexBuilder(inside, loop.location)
    tile = build.value(build.floordiv(build.insert(BoundOp(Side.BEGIN, span)), lanes))
    index.replace_all_uses_with(tile)
    Rewriter.insert_op(inside, InsertPoint.at_start(loop.body.block))
    loop.body.block.erase_arg(index)
    _scale(loop, number, lanes)
    region_dce(loop.body)


def _take_tile(op: GatherOp, span: SSAValue, index: SSAValue, lanes: int) -> None:
    """Let a gather name its positions by the indices of a span."""
    made: list[Operation] = []
    build = IndexBuilder(made, op.location)
    ids, window = build.insert(IndicesOp(span)), list(op.window)
    place = next(place for place, dim in enumerate(window) if dim.indexed)
    form = _form(window[place])
    rest = Linear() if form is None else form.scalar - Linear(0, {index: lanes})
    if rest != Linear():
        shared = build.insert(arith.IndexCastOp(built(rest, build), i32))
        ids = build.insert(arith.AddiOp(ids, build.insert(BroadcastOp(shared, [], ids.type))))
    window[place] = Dim(ids)
    taken = build.insert(GatherOp(op.array, window))
    taken.name_hint = op.result.name_hint
    made.append(WholeOp(taken, span))
    made[-1].location = op.location
    Rewriter.replace_op(op, made)


def _scale(loop: LoopOp, number: int, lanes: int) -> None:
    """Let an axis run through elements instead of runs of so many."""
    before: list[Operation] = []
    build = IndexBuilder(before, loop.location)
    every = [axis.bounds for axis in loop.axes]
    of = every[number]
    begin, end = (
        each * lanes if isinstance(each, int) else build.value(build.mul(each, lanes))
        for each in (of.begin, of.end)
    )
    limit, mean = (None if each is None else each * lanes for each in (of.limit, of.mean))
    every[number] = Bounds(begin, end, limit, mean, of.exact)
    others = list(loop.operands)[: len(loop.operands) - len(loop.bound_operands)]
    operands, properties = pack_bounds(every)
    loop.operands = [*others, *operands]
    loop.properties |= {name: value for name, value in properties.items() if value is not None}
    Rewriter.insert_op(before, InsertPoint.before(loop))
