"""Steps in strips of rows, as `--overlap-strips` has them: two strips at once, each in another part.

In a loop, where a step has many parts:

    first part of strip 0
    for each strip but the last:
        for each part of the columns:
            read the strip's scores
            first part of the next strip, whose scores take the place of those
            second part of the strip
        write the strip
    second part of the last strip, which is written

Few parts are written out, and the first part of a strip is done two strips ahead: then neither of those that
are done at once waits for what the one before them has just made. Of those, a strip leaves out the parts in
which it sees no column.

Values that have rows lie with those along lanes: scores as columns by rows, values of rank 1 as 1 x rows.
Where only the kernel knows which columns are live, or seen by rows, there is all of this for several cases,
each under a condition; where strips are written out, also for parts of a tile that have all live lanes. What
a step does besides, before and after its products, has rows alone and is done for all at once.
"""

from collections.abc import Callable
from dataclasses import replace
from itertools import zip_longest

from xdsl.dialects.builtin import IndexType, MemRefType
from xdsl.ir import Block, Operation, Region, SSAValue

from tilec.analysis.strip_masks import size_of
from tilec.analysis.strips import AHEAD, Section, name_of, strips_of
from tilec.diagnostics import fail
from tilec.dialects import pallas
from tilec.dialects.tile.types import element_type
from tilec.lowering.bodies import KernelParts, grid_scalars, without_unused
from tilec.lowering.columns import Columns, bodies_of
from tilec.lowering.strip import Strip, StripPlan
from tilec.rewriting.index import IndexBuilder


def strip_body(parts: KernelParts, spec: Callable[[Operation, SSAValue], SSAValue]) -> list[Operation]:
    """The operations of a step; `spec` adds a scratch, for a value, to the kernel's."""
    pipeline = parts.pipeline
    strips = strips_of(pipeline)
    if isinstance(strips, str):
        fail(pipeline, f"convert-tile-to-pallas: a step cannot be done in strips: {strips}")
    rows, cols = (pipeline.strip_sizes[name_of(span)] for span in (strips.rows, strips.cols))
    kept = {
        value: spec(_scores(value, strips.columns_kept(rows, cols), rows), value) for value in strips.kept
    }
    head: list[Operation] = []
    scalars = grid_scalars(parts, head)
    plan = StripPlan(strips, parts.places, kept, (rows, cols), scalars)
    parts.preload_all(scalars, head)
    before, after = ([_section(plan, each) for each in some] for some in (strips.before, strips.after))
    main = _by_columns(plan, scalars.build)
    main = main if strips.condition is None else _under(plan, strips.condition, main)
    return [
        *without_unused(head),
        *(op for ops in before for op in ops),
        *main,
        *(op for ops in after for op in ops),
    ]


def _by_columns(plan: StripPlan, build: IndexBuilder) -> list[Operation]:
    """The body for the columns that a step has."""
    made: list[Operation] = []
    for group in bodies_of(plan.strips, plan.scalars, plan.sizes, build):
        ops = list(group.ops)
        for columns, condition in group.bodies:
            body = _one_by_one(plan, columns) if plan.is_written_out else _looped(plan, columns)
            ops += _when(plan, condition, body)
        made += _when(plan, group.condition, ops)
    return made


def _when(plan: StripPlan, condition: SSAValue | None, ops: list[Operation]) -> list[Operation]:
    """Operations under a condition, if there is one."""
    if condition is None:
        return ops
    when = pallas.WhenOp(condition, Region(Block(ops)))
    when.location = plan.scalars.pipeline.location
    return [when]


def _under(plan: StripPlan, condition: SSAValue, ops: list[Operation]) -> list[Operation]:
    """Operations under a condition of the schedule."""
    return _when(plan, plan.scalars.value(condition), ops)


def _section(plan: StripPlan, section: Section) -> list[Operation]:
    """What has rows alone, for all at once."""
    ops: list[Operation] = []
    whole = replace(plan, sizes=(size_of(plan.strips.rows), plan.sizes[1]))
    waiting = Strip(whole, Columns(0, 0, 0), 0, ops).rows_only(section.ops)
    assert not waiting
    return ops if section.condition is None else _under(plan, section.condition, ops)


def _one_by_one(plan: StripPlan, columns: Columns) -> list[Operation]:
    """All strips, the first part of each while the second of the one before the last is done."""
    ops: list[Operation] = []
    rows = range(0, columns.rows or size_of(plan.strips.rows), plan.sizes[0])
    strips: list[Strip] = []
    for row in rows:
        strips.append(Strip(plan, columns, row, ops, strips[-1] if strips else None))
    for strip in strips[:AHEAD]:
        for column in strip.parts:
            strip.part(plan.strips.first, column)
    for here, after in zip_longest(strips, strips[AHEAD:]):
        _second_part(plan, here, after)
    return ops


def _looped(plan: StripPlan, columns: Columns) -> list[Operation]:
    """All strips, in a loop but for the begin of the first and the end of the last."""
    strips, size, location = plan.strips, plan.sizes[0], plan.scalars.pipeline.location
    ops: list[Operation] = []
    last = size_of(strips.rows) // size - 1
    begin = Strip(plan, columns, 0, ops)
    for column in begin.parts:
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
    """The second part of one strip, with the first part of a strip after it."""
    waiting = here.rows_only(plan.strips.second)
    ahead = [] if after is None else after.parts
    for column in sorted({*here.parts, *ahead}):
        if column in here.parts:
            here.read(column)
        if after is not None and column in ahead:
            after.part(plan.strips.first, column)
        if column in here.parts:
            here.part(plan.strips.second, column)
    here.rows_only(waiting)


def _scores(value: SSAValue, cols: int, rows: int) -> pallas.ScratchOp:
    """Room for the scores of a strip, or of so many as there are at a time."""
    kind = MemRefType(element_type(value.type), [cols, rows])
    return pallas.ScratchOp(pallas.in_space(kind, pallas.Space.VMEM))
