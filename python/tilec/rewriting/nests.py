"""Grid axes that become loops inside the grid."""

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from xdsl.dialects import func
from xdsl.dialects.builtin import IndexType, LocationAttr
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from tilec.dialects.tile.access import Dim
from tilec.dialects.tile.loops import Axis, ForOp, GridOp, YieldOp
from tilec.dialects.tile.syntax import Bounds, pack_bounds
from tilec.dialects.tile.types import span_of


def free_name(op: Operation, wanted: str) -> str:
    """A name for an axis that no axis of the function has: `wanted`, or that with a number. Names of values
    may have a hyphen, or begin with a dot or a dollar sign; those of axes may not."""
    wanted = re.sub(r"-|^[.$]", "_", wanted)
    around = op.parent_op()
    while around is not None and not isinstance(op, func.FuncOp):
        op, around = around, around.parent_op()
    blocks = (block for inner in op.walk() for region in inner.regions for block in region.blocks)
    taken = {span.axis for block in blocks for value in block.args if (span := span_of(value)) is not None}
    name, count = wanted, 1
    while name in taken:
        count += 1
        name = f"{wanted}{count}"
    return name


def for_loop(
    bounds: Bounds[SSAValue], body: Block, location: LocationAttr, inits: Sequence[SSAValue] = ()
) -> ForOp:
    """A loop of a body that has its terminator, carrying `inits`."""
    operands, properties = _without_orders([bounds])
    loop = ForOp(operands, inits, properties, Region(body))
    loop.location = location
    return loop


def grid_of(bounds: Sequence[Bounds[SSAValue]], body: Region, location: LocationAttr) -> GridOp:
    """A grid of a body that has its terminator, with an axis for each of `bounds`."""
    operands, properties = _without_orders(bounds)
    grid = GridOp(operands, properties, body)
    grid.location = location
    return grid


def _without_orders(
    bounds: Sequence[Bounds[SSAValue]],
) -> tuple[list[SSAValue], dict[str, Attribute | None]]:
    """Operands and properties of a loop whose axes are not classified."""
    operands, properties = pack_bounds(bounds)
    return operands, properties | {"orders": None}


def add_axis(grid: GridOp, bounds: Bounds[SSAValue], kind: Attribute) -> SSAValue:
    """Give a grid one axis more, the innermost; returns what it yields."""
    every = [*(axis.bounds for axis in grid.axes), bounds]
    value = grid.body.block.insert_arg(kind, len(grid.body.block.args))
    Rewriter.replace_op(grid, grid_of(every, grid.detach_region(grid.body), grid.location), [])
    return value


def sink_axes(grid: GridOp, inner: Sequence[Axis]) -> list[Block]:
    """Make the axes `inner` loops inside the others, outermost first.

    Returns the bodies of what is now a nest: that of the grid, which has one cell if no axis is left, and
    that of each loop, the last of which holds the statements.
    """
    body = grid.body.block
    if not inner:
        return [body]
    outer = [axis for axis in grid.axes if axis not in inner]
    cell = Block(arg_types=[axis.value.type for axis in outer] or [IndexType()])
    for axis, argument in zip(outer, cell.args, strict=False):
        _rename(axis.value, argument)
    if not outer:
        cell.args[0].name_hint = "cell"
    levels = [cell]
    for axis in inner:
        level = Block(arg_types=[axis.value.type])
        _rename(axis.value, level.args[0])
        levels.append(level)
    bounds = [axis.bounds for axis in outer] or [Bounds[SSAValue](0, 1)]
    bounds_inner = [axis.bounds for axis in inner]
    for op in list(body.ops):
        op.detach()
        levels[-1].add_op(op)
    for level, nested, its_bounds in zip(levels, levels[1:], bounds_inner, strict=False):
        end = YieldOp()
        end.location = grid.location
        level.add_ops([for_loop(its_bounds, nested, grid.location), end])
    Rewriter.replace_op(grid, grid_of(bounds, Region(cell), grid.location), [])
    return levels


def _rename(old: SSAValue, new: SSAValue) -> None:
    new.name_hint = old.name_hint
    old.replace_all_uses_with(new)


Recipes: TypeAlias = Mapping[SSAValue, Sequence[Operation]]
"""For index values, the operations that make each, in order."""


def moved(window: Sequence[Dim], recipes: Recipes, point: InsertPoint) -> list[Dim]:
    """`window` at another place: what it depends on is made again there, as `recipes` say."""
    made: dict[SSAValue, SSAValue] = {}
    for value in (value for dim in window for value in dim.values):
        for op in recipes.get(value, ()):
            if op.results[0] in made:
                continue
            clone = op.clone(made)
            clone.location = op.location
            Rewriter.insert_op(clone, point)
            for old, new in zip(op.results, clone.results, strict=True):
                new.name_hint = old.name_hint
                made[old] = new
    return [dim.replaced(made) for dim in window]
