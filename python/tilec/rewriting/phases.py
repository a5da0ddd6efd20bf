"""Updates that get a grid of their own."""

from collections.abc import Collection

from xdsl.ir import Operation
from xdsl.rewriter import InsertPoint, Rewriter
from xdsl.transforms.dead_code_elimination import region_dce

from tilec.diagnostics import where
from tilec.dialects.tile.access import AccessOp
from tilec.dialects.tile.atomics import AtomicRmwOp
from tilec.dialects.tile.loops import GridOp


def bound_together(grid: GridOp) -> str | None:
    """Why what a grid does cannot be done by two grids, one after the other; `None` if it can."""
    accesses = [op for op in grid.walk() if isinstance(op, AccessOp)]
    written = {op.array: op for op in accesses if op.writes}
    for op in accesses:
        if isinstance(op, AtomicRmwOp) and op.old is not None:
            return f"the atomic at {where(op)} returns an old value"
        if not op.writes and op.array in written:
            return f"{op.name} at {where(op)} reads what {where(written[op.array])} writes"
    return None


def split_updates(grid: GridOp, apart: Collection[Operation]) -> GridOp:
    """Move the atomics `apart` to a copy of the grid that follows it; returns the copy."""
    copy = grid.clone()
    copy.location = grid.location
    for op, twin in zip(list(grid.walk()), list(copy.walk()), strict=True):
        twin.location = op.location
        if not isinstance(op, AccessOp) or not op.writes:
            continue
        Rewriter.erase_op(op if op in apart else twin)
    Rewriter.insert_op(copy, InsertPoint.after(grid))
    for each in (grid, copy):
        region_dce(each.body)
    return copy
