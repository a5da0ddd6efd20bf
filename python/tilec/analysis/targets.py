"""What the atomics of a grid update, and along which axes their iterations meet."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from xdsl.dialects import arith, memref
from xdsl.ir import Block, Operation, SSAValue

from tilec.analysis.affine import is_inside, static_extent
from tilec.analysis.races import meet, runs_once, separates
from tilec.analysis.within import is_conditional, is_within
from tilec.dialects.tile.access import AccessOp
from tilec.dialects.tile.arrays import FullOp, LoadOp, SegmentOp
from tilec.dialects.tile.atomics import AtomicRmwOp
from tilec.dialects.tile.bound import BoundOp
from tilec.dialects.tile.loops import GridOp, LoopOp
from tilec.dialects.tile.syntax import scalar_of
from tilec.dialects.tile.views import viewed_array

_ARITHMETIC = (
    arith.ConstantOp
    | arith.AddiOp
    | arith.SubiOp
    | arith.MuliOp
    | arith.DivSIOp
    | arith.FloorDivSIOp
    | arith.CeilDivSIOp
    | arith.RemSIOp
    | arith.MinSIOp
    | arith.MaxSIOp
    | arith.IndexCastOp
    | arith.CmpiOp
    | arith.SelectOp
)


@dataclass(frozen=True)
class Target:
    """An array that atomics of a grid update, in program order.

    `reduced` are the grid's axes of which two iterations may update one element.
    """

    array: SSAValue
    atomics: tuple[AtomicRmwOp, ...]
    reduced: frozenset[SSAValue]

    @property
    def values(self) -> list[SSAValue]:
        """The values that the windows depend on."""
        return list(dict.fromkeys(value for op in self.atomics for dim in op.window for value in dim.values))


def targets_of(grid: GridOp) -> list[Target]:
    """The targets of a grid, in program order."""
    atomics: dict[SSAValue, list[AtomicRmwOp]] = {}
    for op in grid.walk():
        if isinstance(op, AtomicRmwOp) and not is_inside(op.array, grid):
            atomics.setdefault(op.array, []).append(op)
    return [
        Target(
            array, tuple(ops), frozenset(axis.value for axis in grid.axes if _meets(grid, axis.value, ops))
        )
        for array, ops in atomics.items()
    ]


def _meets(loop: LoopOp, axis: SSAValue, atomics: Sequence[AtomicRmwOp]) -> bool:
    return any(meet(loop, axis, one, two) for one in atomics for two in atomics)


def meeting_loop(target: Target, home: Block, grid: GridOp) -> LoopOp | None:
    """A loop around `home`, inside `grid`, of which two iterations may update one element of the target."""
    around = home.parent_op()
    while around is not None and around is not grid:
        if isinstance(around, LoopOp) and any(
            _meets(around, axis.value, target.atomics) for axis in around.axes
        ):
            return around
        around = around.parent_op()
    return None


def home_of(target: Target, block: Block) -> Block:
    """The innermost of `block` and the blocks in it that make what the target's windows depend on."""
    blocks = [block]
    for value in target.values:
        made = value.owner if isinstance(value.owner, Block) else value.owner.parent
        if made is not None and block.is_ancestor(made):
            blocks.append(made)
    return max(blocks, key=_depth)


def is_sure(target: Target, grid: GridOp, home: Block) -> bool:
    """Whether some update is made whenever `home` runs, and that runs in every iteration around it."""
    return not is_conditional(home.parent_op(), grid) and any(_runs(op, home) for op in target.atomics)


def _runs(op: Operation, home: Block) -> bool:
    block = op.parent
    while block is not None and block is not home:
        around = block.parent_op()
        if not isinstance(around, LoopOp):
            return False
        if any((static_extent(axis.bounds) or 0) <= 0 for axis in around.axes):
            return False
        block = around.parent
    return block is not None


@dataclass(frozen=True)
class Frame:
    """The part of an array that a cell of a grid updates: dimensions that an index fixes, or a span."""

    indices: frozenset[int]
    spans: frozenset[int]


def frames_of(
    grid: GridOp, residents: Sequence[Target], inner: Collection[SSAValue]
) -> tuple[set[SSAValue], dict[SSAValue, Frame]]:
    """What each cell has of resident arrays, by array, if the axes `inner` run inside the cells.

    Also returns those axes and the others of which two iterations would have a common part: they have to run
    inside, too.
    """
    found = set(inner)
    while True:
        frames = {target.array: _frame(target, grid, found) for target in residents}
        more = {
            axis.value
            for axis in grid.axes
            if axis.value not in found
            and any(not _is_apart(grid, axis.value, t, frames[t.array]) for t in residents)
        }
        if not more:
            return found, frames
        found |= more


def _frame(target: Target, grid: GridOp, inner: Collection[SSAValue]) -> Frame:
    first = target.atomics[0]
    indices, spans = set[int](), set[int]()
    for position, dim in enumerate(first.window):
        last = position == len(first.window) - 1
        if any(op.window[position] != dim for op in target.atomics) or not is_within(first, position):
            continue
        known = all(recipe(value, grid, inner) is not None for value in dim.values)
        if known and not dim.kept and not last:
            indices.add(position)
        elif known and dim.span is not None and dim.base is not None and dim.base.owner is grid.body.block:
            spans.add(position)
    return Frame(frozenset(indices), frozenset(spans))


def _is_apart(grid: GridOp, axis: SSAValue, target: Target, frame: Frame) -> bool:
    """Whether two iterations of an axis have no element of the array in common."""
    window = target.atomics[0].window
    parts = [window[position] for position in frame.indices | frame.spans]
    return runs_once(axis) or any(separates(grid, axis, dim, dim) for dim in parts)


def _depth(block: Block) -> int:
    around, depth = block.parent_op(), 0
    while around is not None:
        around, depth = around.parent_op(), depth + 1
    return depth


def recipe(value: SSAValue, grid: GridOp, without: Collection[SSAValue]) -> list[Operation] | None:
    """The operations of a grid that make `value`, in order, where they can be repeated outside some axes.

    They need what is known before the grid and axes of it that are not in `without`. `None` where they need
    more: what the grid computes from tiles, or reads where it writes.
    """
    if not is_inside(value, grid):
        return []
    if isinstance(value.owner, Block):
        return [] if value.owner is grid.body.block and value not in without else None
    op = value.owner
    if not _repeatable(op, grid):
        return None
    ops: list[Operation] = []
    for operand in op.operands:
        before = recipe(operand, grid, without)
        if before is None:
            return None
        ops += [each for each in before if each not in ops]
    return [*ops, op]


def _repeatable(op: Operation, grid: GridOp) -> bool:
    """Whether `op` gives the same scalars wherever it stands in the grid."""
    if isinstance(op, LoadOp):
        return not any(dim.kept for dim in op.window) and not writes_to(grid, op.array)
    return isinstance(op, SegmentOp | BoundOp | memref.DimOp | _ARITHMETIC)


def writes_to(op: Operation, array: SSAValue) -> bool:
    """Whether an operation, or one in it, may change elements of an array."""
    whole = viewed_array(array)
    return any(
        isinstance(each, AccessOp) and each.writes and viewed_array(each.array) is whole for each in op.walk()
    )


def fill_before(grid: GridOp, array: SSAValue) -> float | None:
    """The value that all elements of `array` have before `grid`, if it is known."""
    made, block = array.owner, grid.parent
    if not isinstance(made, FullOp) or block is None:
        return None
    for op in block.ops:
        if op is grid:
            break
        if writes_to(op, array):
            return None
    return scalar_of(made.value)
