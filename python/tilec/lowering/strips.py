"""Steps in strips of rows, as `--overlap-strips` has them: two strips at once, each in another part.

    first part of strip 0
    for each strip but the last:
        for each part of the columns:
            read the strip's scores
            first part of the next strip, whose scores take the place of those
            second part of the strip
        write the strip
    second part of the last strip, which is written

Values that have rows lie with those along lanes: scores as columns by rows, values of rank 1 as 1 x rows.
Where only the kernel knows how many columns are live, there is all of this for several numbers of columns,
each under a condition, and a step does no more parts of them than it needs to.
"""

from collections.abc import Callable

from xdsl.dialects.builtin import IndexType, MemRefType
from xdsl.ir import Block, Operation, Region, SSAValue

from tilec.analysis.ranges import Range
from tilec.analysis.strips import Strips, name_of, size_of, strips_of
from tilec.diagnostics import fail
from tilec.dialects import pallas
from tilec.dialects.tile.types import element_type
from tilec.lowering.bodies import KernelParts, grid_positions
from tilec.lowering.strip import Columns, Strip, StripPlan
from tilec.rewriting.index import Index, IndexBuilder

MOST_PARTS = 40
"""Parts that are written out for all numbers of columns together: compiling takes twelve seconds with 40."""


def strip_body(parts: KernelParts, spec: Callable[[Operation, SSAValue], SSAValue]) -> list[Operation]:
    """The operations of a step; `spec` adds a scratch, for a value, to the kernel's."""
    pipeline = parts.pipeline
    strips = strips_of(pipeline)
    if isinstance(strips, str):
        fail(pipeline, f"convert-tile-to-pallas: a step cannot be done in strips: {strips}")
    rows, cols = (pipeline.strip_sizes[name_of(span)] for span in (strips.rows, strips.cols))
    kept = {value: spec(_scores(value, size_of(strips.cols), rows), value) for value in strips.kept}
    head: list[Operation] = []
    build = IndexBuilder(head, pipeline.location)
    scalars = parts.scalars(grid_positions(parts, len(parts.trips), build), parts.trips, head)
    plan = StripPlan(strips, parts.places, kept, (rows, cols), scalars)
    numbers = numbers_of_columns(strips, cols)
    live: Index = 0
    if len(numbers) > 1:
        span = scalars.span(strips.cols)
        live = build.sub(span.end, span.start)
        if isinstance(live, int):  # the only step of a grid, say
            numbers = [next(each for each in numbers if live <= each.count)]
    bodies = [(each, _all_strips(plan, each)) for each in numbers]
    if len(bodies) == 1:
        return [*head, *bodies[0][1]]
    conditional: list[Operation] = []
    for columns, ops in bodies:
        above = build.compare("slt", columns.above, live) if columns.above else None
        below = build.compare("sle", live, columns.count) if columns is not bodies[-1][0] else None
        condition = build.every([above, below])
        assert condition is not None
        conditional.append(pallas.WhenOp(condition, Region(Block(ops))))
        conditional[-1].location = pipeline.location
    return [*head, *conditional]


def numbers_of_columns(strips: Strips, size: int) -> list[Columns]:
    """The numbers of columns, multiples of `size`, of which a step takes the least that has all live ones."""
    whole, live = size_of(strips.cols), strips.live
    parts = whole // size
    count = max(1, min(parts, 2 * MOST_PARTS // parts - 1))
    step = -(-parts // count) * size
    found: list[Columns] = []
    for most in range(step, whole + step, step):
        above = found[-1].count if found else 0
        least = _least(live, above + 1) if found else _least(live, 0)
        if least is not None and least <= most:
            found.append(Columns(above, min(most, whole), least))
    return found


def _least(live: Range, low: int) -> int | None:
    """The least member of a range from `low` on; 0 for what may be below, of an empty range."""
    if low == 0 and (live.low is None or live.low < 0):
        return 0
    least = max(low, live.low or 0)
    if live.multiple:
        least += (live.remainder - least) % live.multiple
    return least if least in live else None


def _all_strips(plan: StripPlan, columns: Columns) -> list[Operation]:
    """All strips of a step, with the first `columns`."""
    strips, size, location = plan.strips, plan.sizes[0], plan.scalars.pipeline.location
    ops: list[Operation] = []
    last = size_of(strips.rows) // size - 1
    begin = Strip(plan, columns, 0, ops)
    for column in columns.parts(plan.sizes[1]):
        begin.part(strips.first, column)
    inits = [begin.values[value] for value in strips.known]
    block = Block(arg_types=[IndexType(), *(value.type for value in inits)])
    block.args[0].name_hint = "strip"
    inner: list[Operation] = []
    build = IndexBuilder(inner, location)
    after = Strip(plan, columns, build.mul(build.add(block.args[0], 1), size), inner)
    here = Strip(plan, columns, build.mul(block.args[0], size), inner)
    here.values |= zip(strips.known, block.args[1:], strict=True)
    _second_part(plan, here, after)
    build.insert_all(pallas.YieldOp([after.values[value] for value in strips.known]), location)
    block.add_ops(inner)
    loop = pallas.ForiOp(0, last, inits, Region(block))
    loop.location = location
    ops.append(loop)
    end = Strip(plan, columns, last * size, ops)
    end.values |= zip(strips.known, loop.results, strict=True)
    _second_part(plan, end, None)
    return ops


def _second_part(plan: StripPlan, here: Strip, after: Strip | None) -> None:
    """The second part of one strip, with the first part of the strip after it."""
    waiting = here.rows_only(plan.strips.second)
    for column in here.columns.parts(plan.sizes[1]):
        here.read(column)
        if after is not None:
            after.part(plan.strips.first, column)
        here.part(plan.strips.second, column)
    here.rows_only(waiting)


def _scores(value: SSAValue, cols: int, rows: int) -> pallas.ScratchOp:
    """Room for the scores of a strip."""
    kind = MemRefType(element_type(value.type), [cols, rows])
    return pallas.ScratchOp(pallas.in_space(kind, pallas.Space.VMEM))
