"""What the atomics of a grid update, and along which axes their iterations meet."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from xdsl.dialects import arith, memref
from xdsl.ir import Block, Operation, SSAValue

from tilec.analysis.affine import is_inside
from tilec.analysis.races import meet
from tilec.dialects.tile.access import AccessOp, Effect
from tilec.dialects.tile.arrays import LoadOp, SegmentOp
from tilec.dialects.tile.atomics import AtomicRmwOp
from tilec.dialects.tile.loops import GridOp, LoopOp

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
        return not any(dim.kept for dim in op.window) and not _writes(grid, op.array)
    return isinstance(op, SegmentOp | memref.DimOp | _ARITHMETIC)


def _writes(grid: GridOp, array: SSAValue) -> bool:
    accesses = (op for op in grid.walk() if isinstance(op, AccessOp) and op.array is array)
    return any(op.effect is not Effect.READ for op in accesses)
