"""Arrays that kernels see with their dimensions in another order than the caller has them."""

from collections.abc import Sequence

from xdsl.dialects import func
from xdsl.dialects.builtin import MemRefType
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from tilec.analysis.views import inverse
from tilec.analysis.vmem import LANES
from tilec.diagnostics import explain
from tilec.dialects.tile.access import AccessOp
from tilec.dialects.tile.arrays import EmptyOp, FullOp
from tilec.dialects.tile.types import UNBOUND, element_type, shape_of
from tilec.dialects.tile.views import ConvertOp, ViewOp
from tilec.rewriting.arrays import made_as


def accesses_of(array: SSAValue) -> list[AccessOp]:
    """The accesses that take an array under this name."""
    return [use.operation for use in array.uses if isinstance(use.operation, AccessOp)]


def others_of(array: SSAValue) -> list[Operation]:
    """What else takes an array under this name."""
    return [use.operation for use in array.uses if not isinstance(use.operation, AccessOp)]


def has_few_columns(shape: Sequence[int]) -> bool:
    """Whether an array of known extents has rows that do not fill a register."""
    return UNBOUND not in shape and shape[-1] < LANES


def arrays_of(function: func.FuncOp) -> list[SSAValue]:
    """The arrays that a function is given, and those that it makes."""
    kinds = EmptyOp | FullOp | ConvertOp
    made = [op.results[0] for op in function.body.block.ops if isinstance(op, kinds)]
    return [*(each for each in function.args if isinstance(each.type, MemRefType)), *made]


def permute(array: SSAValue, perm: tuple[int, ...], function: func.FuncOp, flag: str) -> None:
    """Let kernels access an array with its dimensions in the order `perm`. `--explain` names the pass `flag`.

    One that is made here is accessed under this name only; views take it as a whole.
    """
    made, accesses = array.owner, accesses_of(array)
    if isinstance(made, EmptyOp | FullOp):
        new = made_as(made, _permuted(array.type, perm))
        Rewriter.insert_op(new, InsertPoint.before(made))
        _move(accesses, new.results[0], perm)
        for use in list(array.uses):
            before = InsertPoint.before(use.operation)
            use.operation.operands[use.index] = _view(
                new.results[0], inverse(perm), use.operation, before, flag
            )
        Rewriter.erase_op(made)
    else:
        start = InsertPoint.at_start(function.body.block)
        point = InsertPoint.after(made) if isinstance(made, ConvertOp) else start
        seen = _view(array, perm, accesses[0], point, flag)
        _move(accesses, seen, perm)


def _permuted(kind: Attribute, perm: Sequence[int]) -> MemRefType[Attribute]:
    return MemRefType(element_type(kind), [shape_of(kind)[dim] for dim in perm])


def _view(array: SSAValue, perm: Sequence[int], user: Operation, point: InsertPoint, flag: str) -> SSAValue:
    """The array with its dimensions in the order `perm`, for `user`."""
    view = ViewOp(array, _permuted(array.type, perm), perm)
    explain(user, f"{flag}: the host transposes a {array.type} to {view.result.type}")
    view.location, view.result.name_hint = user.location, array.name_hint
    Rewriter.insert_op(view, point)
    return view.result


def _move(accesses: Sequence[AccessOp], array: SSAValue, perm: Sequence[int]) -> None:
    for op in accesses:
        window = op.window
        op.operands[list(op.operands).index(op.array)] = array
        op.set_window([window[dim] for dim in perm])
