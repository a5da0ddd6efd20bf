"""Loops out of conditions: a loop has no iteration where the branch that it stands in is not taken.

What a branch computes besides is computed in any case, what it writes is written under its condition, and
what the condition results in is chosen between what both branches have computed. Where tiles decide, how many
steps there are is known too early: a loop makes its iterations then, and what they do is under the condition.
"""

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from xdsl.dialects import arith, scf
from xdsl.dialects.builtin import i1
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from tilec.analysis.affine import is_inside, most_extent, operations_behind
from tilec.analysis.within import may_leave
from tilec.dialects.tile.access import AccessOp
from tilec.dialects.tile.arrays import LoadOp
from tilec.dialects.tile.elementwise import SelectOp
from tilec.dialects.tile.loops import ForOp, GridOp, YieldOp
from tilec.dialects.tile.places import GetOp, SetOp
from tilec.dialects.tile.types import shape_of, with_element
from tilec.dialects.tile.values import BroadcastOp
from tilec.rewriting.index import IndexBuilder
from tilec.rewriting.steps import is_scalar


def open_conditions(grid: GridOp) -> set[LoadOp]:
    """Move loops out of `scf.if`: first out of those that stand in others.

    Returns the loads of tiles that only a condition may keep inside their arrays.
    """
    left_out: set[LoadOp] = set()
    steps = dict.fromkeys(grid.walk())
    for op in [inner for inner in reversed(steps) if isinstance(inner, scf.IfOp)]:
        if any(isinstance(inner, ForOp) for inner in op.walk()):
            left_out |= {inner for inner in op.walk() if isinstance(inner, LoadOp) and _may_leave(inner, op)}
            _open(op, steps)
    return left_out


def _may_leave(load: LoadOp, condition: scf.IfOp) -> bool:
    """Whether a load under a condition may name a tile outside of its array where that does not hold."""
    return any(
        dim.base is not None
        and dim.span is not None
        and not is_inside(dim.base, condition)
        and may_leave(load, position)
        for position, dim in enumerate(load.window)
    )


def _open(op: scf.IfOp, steps: Container[Operation]) -> None:
    made: list[Operation] = []
    build = IndexBuilder(made, op.location)
    first, second = map(_yielded, op.regions)
    pairs = list(zip(first, second, strict=True))
    kept = [_kept(op, *pair) for pair in pairs]
    always = {each.begin for each in kept if each is not None}
    move = _with_condition if _is_early(op.cond, steps) else partial(_with_condition_inside, steps=steps)
    for region, taken in zip(op.regions, _taken(op, build), strict=False):
        for inner in list(region.block.ops):
            inner.detach()
            if isinstance(inner, ForOp):
                made += move(inner, taken)
            elif not isinstance(inner, scf.YieldOp):
                made.append(_under(taken, [inner]) if _writes(inner) and inner not in always else inner)
    results: list[SSAValue] = []
    for old, pair, held in zip(op.results, pairs, kept, strict=True):
        results.append(_chosen(op.cond, *pair, build) if held is None else held.got)
        results[-1].name_hint = old.name_hint
    Rewriter.insert_op(made, InsertPoint.before(op))
    Rewriter.replace_op(op, [], results)


def _taken(op: scf.IfOp, build: IndexBuilder) -> Iterator[SSAValue]:
    """When each branch of a condition is taken."""
    yield op.cond
    if op.false_region.blocks:
        true = build.insert(arith.ConstantOp.from_int_and_width(1, 1))
        yield build.insert(arith.XOrIOp(op.cond, true))


def _yielded(region: Region) -> list[SSAValue]:
    end = region.block.last_op if region.blocks else None
    return [] if end is None else list(end.operands)


def _with_condition(loop: ForOp, taken: SSAValue) -> list[Operation]:
    """A loop without iterations where its branch is not taken."""
    made: list[Operation] = []
    build = IndexBuilder(made, loop.location)
    bounds = loop.axis.bounds
    end = build.select(taken, bounds.end, bounds.begin)
    return [*made, loop.rebuilt(replace(bounds, end=end, limit=most_extent(bounds)), [])]


def _with_condition_inside(loop: ForOp, taken: SSAValue, steps: Container[Operation]) -> list[Operation]:
    """A loop that does nothing where its branch is not taken."""
    block = loop.body.block
    ops = [op for op in block.ops if not isinstance(op, YieldOp)]
    ops = [op for op in ops if not op.results or not _is_early(op.results[0], steps)]
    for op in ops:
        op.detach()
    if ops and block.last_op is not None:
        inside = _under(taken, ops)
        Rewriter.insert_op(inside, InsertPoint.before(block.last_op))
        if any(isinstance(op, ForOp) for op in ops):
            _open(inside, steps)
    return [loop]


def _is_early(value: SSAValue, steps: Container[Operation]) -> bool:
    """Whether a value follows from axes, segments and scalars, so that it is known before the step."""
    return all(is_scalar(op) for op in operations_behind(value) if op in steps)


def _under(condition: SSAValue, ops: Sequence[Operation]) -> scf.IfOp:
    guard = scf.IfOp(condition, [], Region(Block([*ops, scf.YieldOp()])))
    guard.location = ops[0].location
    return guard


def _writes(op: Operation) -> bool:
    """Whether an operation, or one in it, changes memory."""
    return any(isinstance(each, SetOp) or (isinstance(each, AccessOp) and each.writes) for each in op.walk())


@dataclass(frozen=True)
class _Held:
    """A scratch of one branch that begins with the value of the other, and holds that of its own in the end:
    what sets it first, and the value. If it is set first in any case, the value is that of the condition."""

    begin: SetOp
    got: SSAValue


def _kept(op: scf.IfOp, yes: SSAValue, no: SSAValue) -> _Held | None:
    """The scratch that a result is in, such as that of a loop which adds to what was there before."""
    for region, value, other in zip(op.regions, (yes, no), (no, yes), strict=True):
        got, block = value.owner, region.block
        if not isinstance(got, GetOp) or not got.parent is got.ref.owner.parent is block:
            continue
        begins = [use.operation for use in other.uses if use.operation.parent is block]
        for begin in begins:
            if isinstance(begin, SetOp) and begin.ref is got.ref and begin.is_before_in_block(got):
                return _Held(begin, value)
    return None


def _chosen(condition: SSAValue, yes: SSAValue, no: SSAValue, build: IndexBuilder) -> SSAValue:
    if yes is no:
        return yes
    if not shape_of(yes.type):
        return build.insert(arith.SelectOp(condition, yes, no))
    mask = build.insert(BroadcastOp(condition, [], with_element(yes.type, i1)))
    return build.insert(SelectOp(mask, yes, no))
