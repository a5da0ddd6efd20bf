"""One row of each plane at computed positions, `%x[%ids, %h, :]`, as rows of a matrix, or one plane of each.

The host transposes the array, and the rows of one number follow each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from math import prod

from xdsl.dialects.builtin import MemRefType
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from tilec.analysis.row_gathers import gather_obstacle
from tilec.diagnostics import explain
from tilec.dialects.tile.access import Dim
from tilec.dialects.tile.gathers import GatherOp
from tilec.dialects.tile.types import UNBOUND, element_type, shape_of
from tilec.dialects.tile.views import ViewOp
from tilec.rewriting.index import Index, IndexBuilder


@dataclass(frozen=True)
class RowsOfPlanes:
    """A gather of one row of each plane, at `row`, as one of rows of `matrix`, a view of `transposed`; or of
    planes of an array of more dimensions."""

    transposed: ViewOp
    matrix: ViewOp
    row: Sequence[Dim]

    @classmethod
    def of(cls, op: GatherOp) -> "RowsOfPlanes | None":
        """What a gather of one row of planes reads, not inserted yet; None of another gather."""
        shape, (first, *others) = shape_of(op.array.type), op.window
        row = list(takewhile(lambda dim: not dim.kept, others))
        whole, end = others[len(row) :], len(row) + 1
        if (
            not row
            or not whole
            or not all(dim.full for dim in whole)
            or not first.indexed
            or UNBOUND in shape
        ):
            return None
        order = [*range(1, end), 0, *range(end, len(shape))]
        element = element_type(op.array.type)
        transposed = ViewOp(op.array, _array(element, [shape[dim] for dim in order]), order)
        matrix = ViewOp(transposed.result, _array(element, [prod(shape[:end]), *shape[end:]]))
        return cls(transposed, matrix, row)

    def obstacle(self, ids: SSAValue, kernel: Operation, run: int) -> str | None:
        """Why rows of the matrix are not copied in runs in a kernel; None if they are."""
        probe = self.gather(ids)
        found = gather_obstacle(probe, kernel, run)
        probe.drop_all_references()
        return found

    def gather(self, ids: SSAValue) -> GatherOp:
        """The gather of rows of the matrix."""
        rest = len(shape_of(self.matrix.result.type)) - 1
        return GatherOp(self.matrix.result, [Dim(ids), *[Dim(full=True)] * rest])

    def first(self, place: Index, build: IndexBuilder) -> Index:
        """The row of the matrix that is that of plane `place`."""
        number: Index = 0
        *extents, planes = shape_of(self.transposed.result.type)[: len(self.row) + 1]
        for dim, extent in zip(self.row, extents, strict=True):
            row = dim.shift if dim.base is None else build.add(dim.base, dim.shift)
            number = build.add(build.mul(number, extent), row)
        return build.add(build.mul(number, planes), place)

    def insert(self, op: GatherOp, kernel: Operation) -> None:
        """Let the host transpose the array of a gather before its kernel."""
        old = op.array.type
        explain(op, f"raise-runs: the host transposes a {old} to {self.transposed.result.type}")
        for view in (self.transposed, self.matrix):
            view.location, view.result.name_hint = op.location, op.array.name_hint
            Rewriter.insert_op(view, InsertPoint.before(kernel))

    def drop(self) -> None:
        """Leave the array as it is."""
        for view in (self.matrix, self.transposed):
            view.drop_all_references()


def _array(element: Attribute, shape: Sequence[int]) -> MemRefType[Attribute]:
    return MemRefType(element, shape)
