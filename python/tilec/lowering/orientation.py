"""How a value of rank 1 lies in vector registers: as a column (n x 1) or as a row (1 x n).

A TPU has registers of 8 x 128 lanes and no others. A sum over lanes leaves a column, an array of rank 1 is
loaded as a row, and a broadcast along rows wants a column. Values that combine lane by lane must lie the same
way, so each group of them goes the way that most of its neighbours want; where one wants otherwise the value
is transposed.

A column that scratch memory keeps from step to step is held in all 128 lanes (n x 128). It takes the same
registers and the same memory as n x 1, but is stored and broadcast without masks and moves between lanes.
"""

from collections import Counter
from collections.abc import Iterable

from xdsl.dialects import scf
from xdsl.ir import Operation, SSAValue

from tilec.analysis.vmem import LANES, WORD
from tilec.dialects.tile.interleaved import InterleaveOp, StridedSliceOp
from tilec.dialects.tile.mixing import ReduceOp
from tilec.dialects.tile.places import GetOp, SetOp, held_type
from tilec.dialects.tile.schedule import PipelineOp, WindowOp
from tilec.dialects.tile.syntax import ints_of
from tilec.dialects.tile.types import RefType, byte_width, element_type, shape_of
from tilec.dialects.tile.values import BroadcastOp, ConcatenateOp, ReshapeOp, SliceOp


class Orientation:
    """Says of each value of rank 1 in a pipeline whether it is a column."""

    def __init__(self, pipeline: PipelineOp):
        self._parent: dict[SSAValue, SSAValue] = {}
        self._votes: Counter[tuple[SSAValue, bool]] = Counter()
        self._kept: set[SSAValue] = set()
        wishes: list[tuple[SSAValue, bool]] = []
        for op in pipeline.body.walk():
            wishes += self._visit(op)
        for value, column in wishes:
            self._votes[self._root(value), column] += 1
        self._kept_roots = {self._root(ref) for ref in self._kept}

    def is_column(self, value: SSAValue) -> bool:
        """Whether a value, or a reference to one, of rank 1 is n x 1; otherwise it is 1 x n."""
        root = self._root(value)
        return self._votes[root, True] >= self._votes[root, False]

    def shape(self, value: SSAValue) -> tuple[int, ...]:
        """The shape a value, or what a reference holds, is kept in: rank 1 as n x 1, n x 128 or 1 x n."""
        shape = shape_of(value.type.value if isinstance(value.type, RefType) else value.type)
        if len(shape) != 1:
            return shape
        if not self.is_column(value):
            return (1, shape[0])
        return (shape[0], LANES if self.is_wide(value) else 1)

    def is_wide(self, value: SSAValue) -> bool:
        """Whether a column is repeated in all lanes."""
        return self.is_column(value) and self._root(value) in self._kept_roots

    def _visit(self, op: Operation) -> list[tuple[SSAValue, bool]]:
        """Join what must lie the same way; returns what the operation wishes of others."""
        match op:
            case ReduceOp():
                source = len(shape_of(op.value.type))
                kept = [dim for dim in range(source) if dim not in ints_of(op.dims)]
                return [(op.result, kept[0] != source - 1)] if len(kept) == 1 and source > 1 else []
            case BroadcastOp():
                (dim,) = ints_of(op.dims) if rank(op.value) == 1 else (0,)
                return [(op.value, dim != len(shape_of(op.result.type)) - 1)] if rank(op.value) == 1 else []
            case GetOp() | SetOp() if isinstance(op.ref.owner, WindowOp):
                values = [op.result] if isinstance(op, GetOp) else [op.value]
                return [(value, False) for value in values if rank(value) == 1]
            case ReshapeOp() | SliceOp() | ConcatenateOp() | StridedSliceOp() | InterleaveOp():
                return [(value, False) for value in (*op.operands, *op.results) if rank(value) == 1]
            case scf.IfOp():
                for region in op.regions:
                    ends = region.blocks.last.last_op if region.blocks.last else None
                    for result, value in zip(op.results, ends.operands if ends else (), strict=False):
                        if rank(result) == 1:
                            self._join((result, value))
                return []
            case scf.ForOp():
                ends = op.body.block.last_op
                carried = zip(
                    op.results,
                    op.iter_args,
                    op.body.block.args[1:],
                    ends.operands if ends else (),
                    strict=False,
                )
                for values in carried:
                    if rank(values[0]) == 1:
                        self._join(values)
                return []
            case scf.YieldOp():
                return []
            case GetOp() | SetOp() if (
                rank(op.ref) == 1 and byte_width(element_type(held_type(op.ref))) == WORD
            ):
                self._kept.add(op.ref)
                self._join((op.ref, op.result if isinstance(op, GetOp) else op.value))
                return []
            case _:
                self._join(value for value in (*op.operands, *op.results) if rank(value) == 1)
                return []

    def _join(self, values: Iterable[SSAValue]) -> None:
        first: SSAValue | None = None
        for value in values:
            root = self._root(value)
            if first is None:
                first = root
            elif root is not first:
                self._parent[root] = first

    def _root(self, value: SSAValue) -> SSAValue:
        while value in self._parent:
            value = self._parent[value]
        return value


class SingleLanes(Orientation):
    """How scalars lie that stand for the lanes of values of one shape."""

    def __init__(self, shape: tuple[int, ...]):
        self._shape = shape

    def is_column(self, value: SSAValue) -> bool:
        return False

    def shape(self, value: SSAValue) -> tuple[int, ...]:
        return self._shape

    def is_wide(self, value: SSAValue) -> bool:
        return False


def rank(value: SSAValue) -> int:
    """Rank of a value, or of the value that a reference holds; 0 of a scalar."""
    return len(shape_of(value.type.value if isinstance(value.type, RefType) else value.type))
