"""`--drop-masks`: masks and conditions that hold in every live lane go.

Where an axis ends where a mask would, the mask says nothing: lanes from the end on are dead. So it is with a
condition on where a tile begins, and with a choice between two values.

Before:
    tile.for %m = 0 to %n by m {
      %i = tile.indices %m
      %live = …                                     // whether %i is below %n
      %v = tile.load %x[%m] mask %live other %zero
      tile.store %v, %out[%m] mask %live
    }
After:
    tile.for %m = 0 to %n by m {
      %v = tile.load %x[%m]
      tile.store %v, %out[%m]
    }

Comparisons of indices of spans with each other, with literals and with what ends axes are understood, also
where several must hold.
"""

from xdsl.context import Context
from xdsl.dialects import scf
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter
from xdsl.transforms.dead_code_elimination import region_dce

from tilec.analysis.order import holds, live
from tilec.analysis.within import conjuncts, mask_of
from tilec.dialects.tile.access import AccessOp
from tilec.dialects.tile.arrays import ReadOp, StoreOp
from tilec.dialects.tile.elementwise import CompareOp, SelectOp
from tilec.dialects.tile.gathers import ScatterOp
from tilec.dialects.tile.loops import GridOp, LoopOp
from tilec.dialects.tile.types import span_of
from tilec.dialects.tile.values import BroadcastOp, ReshapeOp, TransposeOp


class DropMasks(ModulePass):
    """Leave out masks and conditions that hold wherever a lane is live."""

    name = "drop-masks"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for grid in [inner for inner in op.walk() if isinstance(inner, GridOp)]:
            changed = [
                _drop(inner)
                for inner in list(grid.walk())
                if isinstance(inner, AccessOp | SelectOp | scf.IfOp)
            ]
            if any(changed):
                region_dce(grid.body)


def _drop(op: AccessOp | SelectOp | scf.IfOp) -> bool:
    """Leave out the mask, or the condition, of an operation if it holds in any case; whether it did."""
    match op:
        case SelectOp():
            condition = op.condition
        case scf.IfOp():
            condition = op.cond
        case AccessOp():
            condition = mask_of(op)
    if condition is None or not _holds(condition, op):
        return False
    match op:
        case SelectOp():
            Rewriter.replace_op(op, [], [op.true])
        case scf.IfOp():
            _take(op)
        case ReadOp():
            _replace(op, type(op)(op.array, op.window))
        case ScatterOp():
            _replace(op, ScatterOp(op.value, op.array, op.window, drop=op.drop is not None))
        case StoreOp():
            _replace(op, StoreOp(op.value, op.array, op.window))
        case _:
            return False
    return True


def _holds(condition: SSAValue, op: Operation) -> bool:
    """Whether a condition holds in all live lanes, where an operation stands."""
    for part in conjuncts(condition):
        made = part.owner
        match made:
            case BroadcastOp() | TransposeOp() | ReshapeOp():
                known = _holds(made.operands[0], op)
            case CompareOp():
                known = holds(made, live(_spans_around(op))) is True
            case _:
                known = False
        if not known:
            return False
    return True


def _spans_around(op: Operation) -> list[SSAValue]:
    """The spans of the axes around an operation."""
    spans: list[SSAValue] = []
    around = op.parent_op()
    while around is not None:
        if isinstance(around, LoopOp):
            spans += [axis.value for axis in around.axes if span_of(axis.value) is not None]
        around = around.parent_op()
    return spans


def _replace(op: AccessOp, made: AccessOp) -> None:
    made.placement, made.location = op.placement, op.location
    for old, new in zip(op.results, made.results, strict=True):
        new.name_hint = old.name_hint
    Rewriter.replace_op(op, made)


def _take(op: scf.IfOp) -> None:
    """Put what is done under a condition in the place of the operation."""
    block = op.true_region.block
    end = block.last_op
    results = [] if end is None else list(end.operands)
    if end is not None:
        end.detach()
    Rewriter.inline_block(block, InsertPoint.before(op))
    Rewriter.replace_op(op, [], results)
