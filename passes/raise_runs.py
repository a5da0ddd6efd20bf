"""`--raise-runs`: rows at computed positions that follow each other in runs are found by scalars, a run each.

A sequence whose rows lie in pages has a table that says where each page is, and row t is row `t % 16` of page
`table[t // 16]`. So 16 lanes name rows that follow each other, of which one copy takes all, and a scalar says
where the first one is. Neither the table nor the positions need to be looked at in vectors.

Before:
    %page_of = arith.floordivsi %rows, %sixteen : tensor<32xi32, #tile.spans<t>>
    %pages = tile.gather %table[%b, %page_of]
    …                                                  // %pages * 16 + %rows % 16
    %k = tile.gather %cache[%at, :]
After:
    %page = tile.load %table[%b, %p]                   // of the first 16 lanes
    %first = arith.muli %page, %c16 : i32
    …                                                  // and of the others
    %at = tile.runs %first, %second by 16 of %t
    %k = tile.gather %cache[%at, :]

What is behind the last live lane is that lane's run once more. `--expand-gathers` copies the runs. Of one row
of each plane, `%cache[%at, %h, :]`, the host transposes the array, so that these rows follow each other.

Left alone, and explained: positions that do not go up by one from multiples of what divides them; more than
128 runs in a tile; tables that would take more than half of scalar memory; what scalars do not know before a
step; gathers with a mask or under a condition in a loop; runs that no chip could copy.
"""

from collections.abc import Hashable, Sequence
from math import prod

from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import IndexType, ModuleOp, i32
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from tilec.analysis.affine import arguments_behind, is_carried, is_inside, operations_behind
from tilec.analysis.positions import literal_of
from tilec.analysis.row_gathers import gather_obstacle
from tilec.analysis.runs import Rise, Rises, run_lengths
from tilec.analysis.targets import writes_to
from tilec.analysis.vmem import smem_bytes
from tilec.analysis.within import grid_around
from tilec.diagnostics import explain, where
from tilec.dialects.tile.access import Dim
from tilec.dialects.tile.arrays import LoadOp, ReadOp
from tilec.dialects.tile.bound import BoundOp, Side
from tilec.dialects.tile.elementwise import is_lanewise
from tilec.dialects.tile.gathers import GatherOp, RunsOp
from tilec.dialects.tile.locals import is_local
from tilec.dialects.tile.loops import LoopOp
from tilec.dialects.tile.types import UNBOUND, element_type, shape_of, span_names, span_of
from tilec.dialects.tile.values import BroadcastOp, IndicesOp
from tilec.rewriting.accumulators import constant
from tilec.rewriting.index import IndexBuilder
from tilec.rewriting.rows_of_planes import RowsOfPlanes
from tilec.rewriting.steps import is_scalar
from tilec.rewriting.unused import erase_unused

MOST_RUNS = 128
"""Runs of a tile: each is scalar code of its own."""
MOST_TABLE = 2**19
"""Bytes of scalar memory that a table may take, half of what there is."""


class RaiseRuns(ModulePass):
    """Let scalars find rows that follow each other in runs."""

    name = "raise-runs"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        firsts: dict[tuple[Block | None, SSAValue, int], _Firsts] = {}
        for gather in [inner for inner in op.walk() if isinstance(inner, GatherOp)]:
            ids = gather.positions
            if ids is None or len(shape_of(gather.result.type)) < 2:
                continue  # single elements
            span = _span_of(ids)
            lengths = [] if span is None else run_lengths(ids, span)
            if span is None or not lengths:
                continue
            rows = RowsOfPlanes.of(gather)
            length, reason = _length(gather, ids, span, lengths, rows)
            explain(gather, f"raise-runs: {reason or f'scalars find its rows, in runs of {length}'}")
            kernel = grid_around(gather)
            if reason is None and kernel is not None:
                key = (gather.parent, span, length)
                firsts.setdefault(key, _Firsts(kernel, span, length)).replace(gather, ids, rows)
            elif rows is not None:
                rows.drop()


def _span_of(ids: SSAValue) -> SSAValue | None:
    """The span of the lanes of positions, of rank 1."""
    for made in operations_behind(ids):
        span = made.operands[0] if isinstance(made, IndicesOp) else None
        kind = None if span is None else span_of(span)
        if kind is not None and span_names(ids.type) == (kind.axis,):
            return span
    return None


def _length(
    op: GatherOp, ids: SSAValue, span: SSAValue, lengths: Sequence[int], rows: RowsOfPlanes | None
) -> tuple[int, str | None]:
    """How long the runs of a gather at `ids` are, and why they are not taken, where they are not."""
    lanes, kernel = shape_of(ids.type)[0], grid_around(op)
    if op.mask is not None or kernel is None or any(dim.indexed and dim.shift != 0 for dim in op.window):
        return 0, "it has a mask or a shift, or is in no grid"
    if not isinstance(op.parent_op(), LoopOp):
        return 0, "it stands under a condition"
    length = next((each for each in lengths if Rises(span, each).of(ids) == Rise(1, True)), None)
    if length is None:
        return 0, "its positions do not go up by one from multiples of what divides them"
    if lanes // length > MOST_RUNS:
        return length, f"{lanes} lanes have {lanes // length} runs of {length}; {MOST_RUNS} are accepted"
    obstacle = gather_obstacle(op, kernel, length) if rows is None else rows.obstacle(ids, kernel, length)
    return length, _unknown(ids, kernel) or (obstacle and f"runs of {length} are not copied: {obstacle}")


def _unknown(ids: SSAValue, kernel: Operation) -> str | None:
    """Why scalars cannot say where runs begin."""
    for argument in arguments_behind([ids]):
        if is_carried(argument):
            return f"%{argument.name_hint or 'value'} is carried by a loop"
    for made in operations_behind(ids):
        if isinstance(made, ReadOp) and (is_local(made.array) or writes_to(kernel, made.array)):
            return f"%{made.array.name_hint or 'an array'} is written where it is read"
        if not any(shape_of(kind) for kind in made.result_types):
            if is_inside(made.results[0], kernel) and not is_scalar(made):
                return f"{made.name} at {where(made)} is no scalar that a step knows"
        elif isinstance(made, GatherOp) and (reason := _no_table(made)) is not None:
            return reason
    return None


def _no_table(op: GatherOp) -> str | None:
    """Why scalars cannot read single elements of an array."""
    name, kind = op.array.name_hint or "an array", op.array.type
    if element_type(kind) != i32:
        return f"%{name} has elements of type {element_type(kind)}; scalars are of i32"
    used = smem_bytes([prod(extent for extent in shape_of(kind) if extent != UNBOUND)])
    told = f"%{name} takes {used} bytes of scalar memory; {MOST_TABLE} are left for tables"
    return told if used > MOST_TABLE else None


class _Firsts:
    """The first lanes of runs, computed by scalars before the gathers of one block, each once."""

    def __init__(self, kernel: Operation, span: SSAValue, length: int):
        self.kernel, self.span, self.length = kernel, span, length
        self._rises = Rises(span, length)
        self._lanes: list[SSAValue] = []
        self._numbers: dict[SSAValue, SSAValue] = {}
        self._made: dict[Hashable, SSAValue] = {}
        self._rows: dict[Hashable, list[SSAValue]] = {}

    def replace(self, op: GatherOp, old: SSAValue, rows: RowsOfPlanes | None) -> None:
        """Give a gather positions in runs in place of `old` ones, of `rows` if it reads one of each plane."""
        ops = list[Operation]()
        build = IndexBuilder(ops, op.location)
        self._lanes = self._lanes or self._first_lanes(build, shape_of(old.type)[0] // self.length)
        firsts = [
            self._once(build, arith.IndexCastOp(self._scalar(old, lane, build), IndexType()))
            for lane in self._lanes
        ]
        if rows is not None:
            firsts = self._rows_at(firsts, rows, build)
            rows.insert(op, self.kernel)
        ids = self._once(build, RunsOp(firsts, self.length, self.span))
        ids.name_hint = ids.name_hint or old.name_hint
        window = [Dim(ids) if dim.indexed else dim for dim in op.window]
        found = build.insert(GatherOp(op.array, window) if rows is None else rows.gather(ids))
        found.name_hint = op.result.name_hint
        Rewriter.insert_op(ops, InsertPoint.before(op))
        Rewriter.replace_op(op, [], [found])
        erase_unused(old, reads=True)

    def _first_lanes(self, build: IndexBuilder, count: int) -> list[SSAValue]:
        """The indices of the first lanes, as i32; of runs behind the live ones that of the last live run."""
        begin, end = (build.insert(BoundOp(side, self.span)) for side in (Side.BEGIN, Side.END))
        last = build.floordiv(build.maximum(build.sub(build.sub(end, begin), 1), 0), self.length)
        first, found = build.floordiv(begin, self.length), list[SSAValue]()
        for number in range(count):
            run = build.add(first, build.minimum(number, last) if number else 0)
            number_of, index = build.value(run), build.value(build.mul(run, self.length))
            lane = build.insert(arith.IndexCastOp(index, i32))
            self._numbers[lane] = build.insert(arith.IndexCastOp(number_of, i32))
            found.append(lane)
        return found

    def _rows_at(self, planes: Sequence[SSAValue], rows: RowsOfPlanes, build: IndexBuilder) -> list[SSAValue]:
        """The first rows of runs, of one row of each plane, where `planes` are the first ones."""
        key = (*planes, *rows.row)
        if key not in self._rows:
            self._rows[key] = [build.value(rows.first(plane, build)) for plane in planes]
        return self._rows[key]

    def _once(self, build: IndexBuilder, op: Operation) -> SSAValue:
        """What an operation makes, if need be by inserting it."""
        key = (op.name, tuple(op.operands), tuple(op.properties.items()), tuple(op.result_types))
        if key in self._made:
            op.drop_all_references()
        else:
            self._made[key] = build.insert(op)
        return self._made[key]

    def _scalar(self, value: SSAValue, lane: SSAValue, build: IndexBuilder) -> SSAValue:
        """What a tile of integers has in a lane, which are lanes of the span's index."""
        op = value.owner
        if not isinstance(op, Operation):
            return value
        if not shape_of(value.type):
            return self._lanewise(op, op.operands, build) if is_lanewise(op) else value
        element, literal = element_type(value.type), literal_of(value)
        if literal is not None:
            return self._once(build, constant(literal, element))
        match op:
            case IndicesOp():
                return lane
            case BroadcastOp():
                return self._scalar(op.value, lane, build)
            case GatherOp():
                places = [self._place(dim, lane, build) for dim in op.window]
                found = self._once(build, LoadOp(op.array, places))
                found.name_hint = found.name_hint or op.result.name_hint
                return found
            case arith.FloorDivSIOp() if self._numbers_runs(op):
                return self._numbers[lane]
            case arith.SubiOp() if self._is_rest(op):
                return self._once(build, constant(0, element))
            case _:
                return self._lanewise(op, [self._scalar(each, lane, build) for each in op.operands], build)

    def _place(self, dim: Dim, lane: SSAValue, build: IndexBuilder) -> Dim:
        if not dim.indexed or dim.base is None:
            return dim
        place = self._scalar(dim.base, lane, build)
        return Dim(self._once(build, arith.IndexCastOp(place, IndexType())), dim.shift)

    def _lanewise(self, op: Operation, operands: Sequence[SSAValue], build: IndexBuilder) -> SSAValue:
        """An operation of the first lane of a run."""
        if isinstance(op, arith.AddiOp) and 0 in (literals := [literal_of(each) for each in operands]):
            return operands[1 - literals.index(0)]
        kinds = [element_type(op.results[0].type)]
        return self._once(
            build, op.create(operands=operands, result_types=kinds, properties=dict(op.properties))
        )

    def _numbers_runs(self, op: arith.FloorDivSIOp) -> bool:
        """Whether an operation is the number of a lane's run."""
        return isinstance(op.lhs.owner, IndicesOp) and literal_of(op.rhs) == self.length

    def _is_rest(self, op: arith.SubiOp) -> bool:
        """Whether an operation is `x - x // c * c` with c lanes to a run, of which the first leaves none."""
        product = op.rhs.owner
        quotient = product.lhs.owner if isinstance(product, arith.MuliOp) else None
        if not isinstance(product, arith.MuliOp) or not isinstance(quotient, arith.FloorDivSIOp):
            return False
        divisors = {literal_of(quotient.rhs), literal_of(product.rhs)}
        whole = self._rises.of(op.lhs) == Rise(1, True)
        return quotient.lhs is op.lhs and divisors == {self.length} and whole
