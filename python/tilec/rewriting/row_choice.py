"""Which accesses at computed positions go through their lanes one by one: in a step, or a step for each."""

from xdsl.dialects.builtin import UnitAttr
from xdsl.ir import Operation
from xdsl.rewriter import Rewriter

from tilec.analysis.row_gathers import copies_pay, gather_obstacle, mask_of_rows, run_of
from tilec.analysis.row_updates import row_obstacle, rows_pay
from tilec.chips import Chip
from tilec.diagnostics import explain
from tilec.dialects.tile.access import AccessOp, Dim
from tilec.dialects.tile.atomics import AtomicRmwOp, Rmw
from tilec.dialects.tile.elementwise import SelectOp
from tilec.dialects.tile.gathers import GatherOp
from tilec.dialects.tile.loops import GridOp
from tilec.dialects.tile.types import span_names, span_of
from tilec.rewriting.accumulators import constant, fill_with_zeros
from tilec.rewriting.index import IndexBuilder
from tilec.rewriting.one_hot import as_ids, or_other
from tilec.rewriting.one_lane import one_lane


def indexed(op: Operation) -> list[AccessOp]:
    """The accesses in an operation at computed positions."""
    accesses = [inner for inner in op.walk() if isinstance(inner, AccessOp)]
    return [access for access in accesses if any(dim.indexed for dim in access.window)]


def has_no_product(op: AccessOp) -> bool:
    """Whether an access at computed positions reads planes, or combines rows other than by adding them."""
    rank = sum(dim.kept for dim in op.window)
    if isinstance(op, GatherOp):
        return rank > 2
    return isinstance(op, AtomicRmwOp) and op.kind.data is not Rmw.ADD and rank > 1


def choose_rows(grid: GridOp, order: str, chip: Chip) -> None:
    """Mark the updates of a grid that are made row by row within a step, where `order` is rows or auto.

    Where it has to be one by one and one of them cannot, the grid does one position a step, if it can.
    """
    accesses = indexed(grid)
    reasons = {access: _obstacle(access, grid) for access in accesses}
    wanted = [access for access in accesses if order == "rows" or has_no_product(access) or _in_runs(access)]
    left = next((access for access in wanted if reasons[access] is not None), None)
    if left is not None:
        explain(left, f"expand-gathers: not row by row in a step: {reasons[left]}")
        if _go_one_by_one(grid):
            return
    for access in [each for each in accesses if reasons[each] is None]:
        if isinstance(access, AtomicRmwOp) and (
            access in wanted or (order == "auto" and rows_pay(access, chip))
        ):
            explain(access, "expand-gathers: rows are combined one by one with those of a resident array")
            access.rows = UnitAttr()
        elif isinstance(access, GatherOp) and (
            access in wanted or (order == "auto" and copies_pay(access, chip))
        ):
            how = f"in runs of {run_of(access)}" if _in_runs(access) else "one by one"
            explain(access, f"expand-gathers: rows are copied {how} from where the array is")
            _copy_rows(access)


def _in_runs(access: AccessOp) -> bool:
    """Whether scalars find the rows of a gather, which nothing else does."""
    return isinstance(access, GatherOp) and run_of(access) > 1


def _obstacle(access: AccessOp, grid: GridOp) -> str | None:
    match access:
        case AtomicRmwOp():
            return row_obstacle(access, grid)
        case GatherOp():
            return gather_obstacle(access, grid)
        case _:
            return f"{access.name} is neither an update nor a gather"


def _copy_rows(op: GatherOp) -> None:
    """Mark a gather whose rows are copied one by one. Where its mask is false that is the first row."""
    made: list[Operation] = []
    build = IndexBuilder(made, op.location)
    (dim, *row), mask = op.window, mask_of_rows(op)
    if dim.base is None:
        raise ValueError("positions come from a tile")
    ids = as_ids(build, dim.base, dim.shift)
    if mask is not None:
        ids = build.insert(SelectOp(mask, ids, build.insert(constant(0, ids.type))))
    fill_with_zeros(op.array)
    rows = GatherOp(op.array, [Dim(ids), *row])
    rows.rows = UnitAttr()
    found = or_other(build, op, build.insert(rows))
    found.name_hint = op.result.name_hint
    Rewriter.replace_op(op, made, [found])


def _go_one_by_one(grid: GridOp) -> bool:
    """Let a grid go through the positions of its gathers and updates one by one, if it can."""
    for access in [op for op in grid.body.block.ops if isinstance(op, AccessOp)]:
        names = () if access.positions is None else span_names(access.positions.type)
        span = next((a.value for a in grid.axes if names == (a.name,) and span_of(a.value)), None)
        if span is None:
            continue
        reason = one_lane(grid, span)
        said = (
            "the grid goes through its positions one by one"
            if reason is None
            else f"not one by one: {reason}"
        )
        explain(access, f"expand-gathers: {said}")
        return reason is None
    return False
