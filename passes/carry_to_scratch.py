"""`--carry-to-scratch`: the values that a loop carries move to scratch memory.

A pipeline's steps cannot hand values to each other; they can leave them in on-chip memory. Each value that a
`tile.for` carries gets a scratch, set before the loop, read at the top of its body and set again at the end.

Before:
    %sum = tile.for %k = 0 to 512 by k:128 iter_args(%a = %zero) {
      %b = tile.dot %lhs, %rhs, %a
      tile.yield %b
    }
After:
    %s = tile.scratch : tensor<128x256xf32, #tile.spans<m, _>>
    tile.set %zero, %s
    tile.for %k = 0 to 512 by k:128 {
      %a = tile.get %s
      %b = tile.dot %lhs, %rhs, %a
      tile.set %b, %s
    }
    %sum = tile.get %s

A loop that begins with what one around it carries, and whose result that one carries on, shares its scratch.

Refused: carrying an `index`, which would steer the pipeline itself.
"""

from typing import TypeVar

from xdsl.builder import Builder
from xdsl.context import Context
from xdsl.dialects.builtin import IndexType, ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from tilec.analysis.jagged_spans import refuse_jagged_spans
from tilec.diagnostics import fail
from tilec.dialects.tile.loops import ForOp, YieldOp
from tilec.dialects.tile.places import GetOp, ScratchOp, SetOp

OpT = TypeVar("OpT", bound=Operation)


class CarryToScratch(ModulePass):
    """Move the values that loops carry to scratch memory."""

    name = "carry-to-scratch"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        refuse_jagged_spans(op, self.name)
        for loop in [inner for inner in op.walk() if isinstance(inner, ForOp) and inner.inits]:
            _move(loop)


def _move(loop: ForOp) -> None:
    for value in loop.carried:
        if isinstance(value.type, IndexType):
            fail(
                loop,
                "carry-to-scratch: the loop carries an index; only tiles and 32-bit scalars can be carried",
            )
    body = loop.body.block
    yielded = body.last_op
    before = InsertPoint.before(loop)
    shared = [_continued(loop, *pair) for pair in zip(loop.inits, loop.results_, strict=True)]
    scratches = [
        scratch or _insert(ScratchOp(init.type), loop, before)
        for scratch, init in zip(shared, loop.inits, strict=True)
    ]
    for scratch, init, result in zip(scratches, loop.inits, loop.results_, strict=True):
        if scratch not in shared:
            scratch.result.name_hint = result.name_hint
            _insert(SetOp(init, scratch.result), loop, before)
    top = InsertPoint.at_start(body)
    for scratch, carried in zip(scratches, loop.carried, strict=True):
        got = _insert(GetOp(scratch.result), loop, top)
        got.result.name_hint = carried.name_hint
        carried.replace_all_uses_with(got.result)
    if isinstance(yielded, YieldOp):
        for scratch, value in zip(scratches, yielded.values, strict=True):
            _insert(SetOp(value, scratch.result), yielded, InsertPoint.before(yielded))
        yielded.operands = []
    for argument in list(body.args[1:]):
        body.erase_arg(argument)
    _replace_results(loop, scratches)


def _continued(loop: ForOp, init: SSAValue, result: SSAValue) -> ScratchOp | None:
    """The scratch that holds `init` and gets `result`, if nothing else touches it where the loop stands."""
    got, users = init.owner, [use.operation for use in result.uses]
    if not isinstance(got, GetOp) or not isinstance(got.ref.owner, ScratchOp) or len(users) != 1:
        return None
    around = None if loop.parent is None else loop.parent.parent_op()
    touching = [use.operation for use in got.ref.uses if around and around.is_ancestor(use.operation)]
    alone = init.uses.get_length() == 1 and set(touching) == {got, users[0]}
    if not alone or not all(op.parent is loop.parent for op in touching):
        return None
    Rewriter.erase_op(users[0])
    return got.ref.owner


def _replace_results(loop: ForOp, scratches: list[ScratchOp]) -> None:
    after = InsertPoint.after(loop)
    for scratch, result in zip(scratches, loop.results_, strict=True):
        if result.uses:
            got = _insert(GetOp(scratch.result), loop, after)
            got.result.name_hint = result.name_hint
            result.replace_all_uses_with(got.result)
    inits = list(loop.inits)
    _insert(loop.rebuilt(loop.axis.bounds, []), loop, InsertPoint.before(loop))
    Rewriter.erase_op(loop)
    for init in inits:
        if isinstance(init.owner, GetOp) and not init.uses:
            Rewriter.erase_op(init.owner)


def _insert(op: OpT, origin: Operation, point: InsertPoint) -> OpT:
    op.location = origin.location
    Builder(point).insert(op)
    return op
