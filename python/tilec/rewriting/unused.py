"""What nothing uses after a rewrite."""

from xdsl.ir import Operation, SSAValue
from xdsl.rewriter import Rewriter
from xdsl.transforms.dead_code_elimination import is_trivially_dead

from tilec.dialects.tile.access import AccessOp


def erase_unused(value: SSAValue, *, reads: bool = False) -> None:
    """Erase what made a value that nothing uses now, and in turn what made its operands; accesses only where
    `reads` says so.
    """
    op = value.owner
    if not isinstance(op, Operation) or op.parent is None or not is_trivially_dead(op):
        return
    if reads or not isinstance(op, AccessOp):
        operands = list(op.operands)
        Rewriter.erase_op(op)
        for operand in operands:
            erase_unused(operand, reads=reads)
