"""`--merge-sums`: a sum that begins with zero and is added to another continues that one.

A split product sums the tiles of its own part, and then adds the total to what other parts have left. The
loop can as well begin with what they left: one accumulator, and one addition less for each part.

Before:
    %part = tile.for %k = %b to %e by k:128 iter_args(%a = %zero) {
      %sum = tile.dot %lhs, %rhs, %a
      tile.yield %sum
    }
    %total = arith.addf %before, %part : tensor<128x256xf32, #tile.spans<m, n>>
After:
    %part = tile.for %k = %b to %e by k:128 iter_args(%a = %before) {
      %sum = tile.dot %lhs, %rhs, %a
      tile.yield %sum
    }

Floats are added in another order, in the type in which they were added before. The loop must use what it
carries only to add to it, and its sum must be used only in that addition.
"""

from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter

from tilec.diagnostics import explain
from tilec.dialects.tile.loops import ForOp
from tilec.dialects.tile.products import DotOp
from tilec.dialects.tile.syntax import scalar_of
from tilec.dialects.tile.values import SplatOp


class MergeSums(ModulePass):
    """Let a sum that is added to another continue it."""

    name = "merge-sums"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for addition in [inner for inner in op.walk() if isinstance(inner, arith.AddfOp | arith.AddiOp)]:
            for part, before in ((addition.lhs, addition.rhs), (addition.rhs, addition.lhs)):
                if _merge(addition, part, before):
                    break


def _merge(addition: arith.AddfOp | arith.AddiOp, part: SSAValue, before: SSAValue) -> bool:
    """Begin the loop that sums `part` with `before`, if that may be; says whether it was."""
    loop = part.owner
    if not isinstance(loop, ForOp) or loop.parent is not addition.parent or part.uses.get_length() != 1:
        return False
    position = next(i for i, result in enumerate(loop.results_) if result is part)
    if not _is_zero(loop.inits[position]) or not _is_sum(loop, position) or not _is_known(before, loop):
        return False
    explain(addition, "merge-sums: the loop continues the sum that its own is added to")
    loop.operands[position] = before
    part.name_hint = addition.result.name_hint or part.name_hint
    Rewriter.replace_op(addition, [], [part])
    return True


def _is_zero(value: SSAValue) -> bool:
    made = value.owner
    return isinstance(made, SplatOp | arith.ConstantOp) and scalar_of(made.value) == 0


def _is_sum(loop: ForOp, position: int) -> bool:
    """Whether a loop uses what it carries there once in each iteration, to add to it."""
    value, end = loop.carried[position], loop.yielded[position]
    while value is not end:
        user = next(iter(value.uses)).operation if value.uses.get_length() == 1 else None
        adds = isinstance(user, arith.AddfOp | arith.AddiOp) or (
            isinstance(user, DotOp) and user.acc is value
        )
        if user is None or not adds or user.parent is not loop.body.block:
            return False
        value = user.results[0]
    return value.uses.get_length() == 1


def _is_known(value: SSAValue, loop: ForOp) -> bool:
    """Whether a value is there before the loop."""
    made = value.owner
    if isinstance(made, Block):
        return True
    return made.parent is not loop.parent or made.is_before_in_block(loop)
