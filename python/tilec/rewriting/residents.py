"""Arrays that stay on the chip while a cell of a grid updates them."""

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.dialects import arith
from xdsl.dialects.builtin import AnyFloat, IndexType, MemRefType, i32
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from tilec.analysis.targets import Frame, Target
from tilec.diagnostics import fail
from tilec.dialects.tile.access import Dim, window_value_type
from tilec.dialects.tile.arrays import LoadOp, StoreOp
from tilec.dialects.tile.atomics import AtomicRmwOp
from tilec.dialects.tile.elementwise import CompareOp, Relation, SelectOp
from tilec.dialects.tile.locals import LocalOp
from tilec.dialects.tile.loops import YieldOp
from tilec.dialects.tile.mixing import Combine, ReduceOp
from tilec.dialects.tile.syntax import Bounds
from tilec.dialects.tile.types import UNBOUND, SpanType, element_type, shape_of
from tilec.dialects.tile.values import BroadcastOp, IndicesOp
from tilec.rewriting.accumulators import added, as_element, combined, constant, filled, kept_element
from tilec.rewriting.index import IndexBuilder
from tilec.rewriting.nests import Recipes, for_loop, free_name, moved

_LANES = 2048
"""The widest row that is copied at once between an array and its local, in elements."""
_ELEMENTS = 16384
"""The most elements of an array of rank 1 that are copied at once: 16 registers of 8 x 128 of 32 bits."""
_BLOCK = 2**17
"""The most of any other, 512 KiB: a step of a pipeline that does nothing else takes 140 cycles."""


def keep_resident(target: Target, cell: Block, frame: Frame, recipes: Recipes, fill: float | None) -> None:
    """Let the target's atomics update an on-chip array of each cell, which is written back at its end.

    `frame` says which part of the array a cell has, and `recipes` how it makes index values. `fill` is the
    value of all elements before, if it is known.

    Raises TileError where a dimension's extent is not known.
    """
    _Resident(target, cell, frame, recipes, fill).apply()


@dataclass
class _Resident:
    target: Target
    cell: Block
    frame: Frame
    recipes: Recipes
    fill: float | None

    @property
    def name(self) -> str:
        return self.target.array.name_hint or "array"

    def apply(self) -> None:
        first, top, end = self.target.atomics[0], self.cell.first_op, self.cell.last_op
        if top is None or end is None:
            raise ValueError("the cell of a grid ends with tile.yield")
        extents = shape_of(self.target.array.type)
        dims = [position for position in range(len(extents)) if position not in self.frame.indices]
        if any(extents[position] == UNBOUND for position in dims):
            fail(
                first,
                f"insert-atomic-scratch: %{self.name} would be resident, and its leading extent is `?`; give "
                "it an extent, or index it by an axis of the grid along which no two updates meet",
            )
        kept = kept_element(self.target.atomics, element_type(self.target.array.type))
        local = LocalOp(MemRefType(kept, [extents[position] for position in dims]))
        local.location = first.location
        local.array.name_hint = f"{self.name}_local"
        self._insert([local], top)
        window = moved(first.window, self.recipes, InsertPoint.before(top))
        for op in self.target.atomics:
            place = [op.window[position] for position in dims]
            if op.rows is not None:
                _update_rows(op, local.array, place)
            elif any(dim.kept for dim in place):
                read_modify_write(op, local.array, place)
            else:
                _update_element(op, local.array, place)
        self._insert(self._copy(local.array, dims, window, into=True), top)
        self._insert(self._copy(local.array, dims, window, into=False), end)

    def _insert(self, ops: list[Operation], before: Operation) -> None:
        Rewriter.insert_op(ops, InsertPoint.before(before))

    def _copy(self, local: SSAValue, dims: list[int], window: list[Dim], *, into: bool) -> list[Operation]:
        """What copies the array into the local, or back, a block at a time."""
        shape, loops = shape_of(local.type), list[tuple[int, Block]]()
        inside, outside = list[Dim](), list(window)
        for k, position in enumerate(dims):
            dim, kind = window[position], self._chunk(shape, k)
            if position in self.frame.spans:
                inside.append(dim)
                continue
            if kind is not None:
                loops.append((shape[k], Block(arg_types=[kind])))
            inside.append(Dim(full=True) if kind is None else Dim(loops[-1][1].args[0]))
            outside[position] = inside[-1]
        ops: list[Operation] = []
        build = IndexBuilder(ops, self.target.atomics[0].location)
        array = self.target.array
        if not into:
            value = build.insert(LoadOp(local, inside))
            build.insert_all(StoreOp(value, array, outside), build.location)
        else:
            if self.fill is None:
                value = as_element(build, build.insert(LoadOp(array, outside)), element_type(local.type))
            else:
                kind = window_value_type(local.type, inside)
                value = filled(build, self.fill, element_type(array.type), kind)
            build.insert_all(StoreOp(value, local, inside), build.location)
        for extent, body in reversed(loops):
            body.add_ops([*ops, YieldOp()])
            ops[:] = [for_loop(Bounds(0, extent), body, build.location)]
        return ops

    def _chunk(self, shape: tuple[int, ...], k: int) -> Attribute | None:
        """The axis along which dimension `k` of the local is copied block by block; `None` if all at once."""
        most = _ELEMENTS if len(shape) == 1 else _LANES
        if k < len(shape) - 2:
            return IndexType()
        if k == len(shape) - 2:
            most = max(8, _BLOCK // min(shape[-1], _LANES) // 8 * 8)
        around = self.cell.parent_op()
        if shape[k] <= most or around is None:
            return None
        return SpanType(free_name(around, f"{self.name}_{k}"), most)


def read_modify_write(op: AtomicRmwOp, local: SSAValue, window: Sequence[Dim]) -> None:
    """Make of an atomic a load from an on-chip array, and a store into it."""
    ops: list[Operation] = []
    build = IndexBuilder(ops, op.location)
    after = combined(op, build.insert(LoadOp(local, window)), build)
    build.insert_all(StoreOp(after, local, window), op.location)
    Rewriter.replace_op(op, ops, [None] * len(op.results))


def _update_rows(op: AtomicRmwOp, local: SSAValue, place: Sequence[Dim]) -> None:
    """Let an atomic whose lanes are gone through one by one update an on-chip array."""
    ops: list[Operation] = []
    build = IndexBuilder(ops, op.location)
    value, kept = op.value, element_type(local.type)
    if not isinstance(kept, AnyFloat):  # as the array would hold them
        value = as_element(build, as_element(build, value, element_type(op.array.type)), kept)
    made = AtomicRmwOp(op.kind.data, value, local, place)
    made.rows = op.rows
    build.insert_all(made, op.location)
    Rewriter.replace_op(op, ops, [])


def _update_element(op: AtomicRmwOp, local: SSAValue, place: list[Dim]) -> None:
    """Make of an atomic on one element a loop through the lanes around it, all but one of which are kept.

    A vector unit has no single elements.
    """
    lanes, element = shape_of(local.type)[-1], element_type(local.type)
    axis = free_name(op, f"{local.name_hint}_lanes")
    carried = [] if op.old is None else [element]
    body = Block(arg_types=[SpanType(axis, min(lanes, _LANES)), *carried])
    span, *sums = body.args
    span.name_hint = axis
    ops: list[Operation] = []
    build = IndexBuilder(ops, op.location)
    window = [*place[:-1], Dim(span)]
    before = build.insert(LoadOp(local, window))
    rows = build.insert(IndicesOp(span))
    hit = build.insert(CompareOp(Relation.EQ, rows, _everywhere(build, _number(build, place[-1]), rows)))
    none = build.insert(constant(0, before.type))
    single = build.insert(ReduceOp(Combine.ADD, build.insert(SelectOp(hit, before, none)), [0]))
    point, made = InsertPoint.before(op), list[Operation]()
    outside = IndexBuilder(made, op.location)
    ends = [added(build, total, single) for total in sums]
    inits = [outside.insert(constant(0, element)) for _ in sums]
    loop = for_loop(Bounds(0, lanes), body, op.location, inits)
    outside.insert_all(loop, op.location)
    if op.old is not None:
        op.old.replace_all_uses_with(as_element(outside, loop.results_[0], element_type(op.value.type)))
    after = _everywhere(build, combined(op, single, build), before)
    build.insert_all(StoreOp(build.insert(SelectOp(hit, after, before)), local, window), op.location)
    body.add_ops([*ops, YieldOp(ends)])
    Rewriter.insert_op(made, point)
    Rewriter.erase_op(op)


def _everywhere(build: IndexBuilder, value: SSAValue, like: SSAValue) -> SSAValue:
    """A scalar in every lane of a value like another."""
    return build.insert(BroadcastOp(value, [], like.type))


def _number(build: IndexBuilder, dim: Dim) -> SSAValue:
    """A position as an i32."""
    parts = [build.insert(arith.IndexCastOp(v, i32)) if v.type != i32 else v for v in dim.values]
    total = build.insert(constant(dim.shift if isinstance(dim.shift, int) else 0, i32))
    for part in parts:
        total = added(build, total, part)
    return total
