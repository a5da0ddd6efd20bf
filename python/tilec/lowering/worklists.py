"""A `tile.worklist` as a kernel of one step: scalar loops that write tables in scalar memory."""

from functools import partial

from xdsl.dialects import arith, scf
from xdsl.dialects.builtin import IndexType, IntegerAttr, MemRefType, i32
from xdsl.ir import Block, Operation, Region, SSAValue

from tilec.diagnostics import fail
from tilec.dialects import pallas
from tilec.dialects.tile.access import Dim
from tilec.dialects.tile.arrays import LoadOp, SegmentOp
from tilec.dialects.tile.elementwise import CastOp, CompareOp, SelectOp
from tilec.dialects.tile.steps import AppendOp, WorklistOp
from tilec.dialects.tile.values import SplatOp
from tilec.lowering.scalars import Extents, read_segment
from tilec.rewriting.index import Index, IndexBuilder
from tilec.rewriting.steps import is_scalar

_ON_LANES = (CompareOp.name, SelectOp.name, CastOp.name)
"""Operations that scalars and lanes have in common, beside those of `arith`."""


def lower_worklist(op: WorklistOp, name: str, extents: Extents, last: Index) -> pallas.CallOp:
    """The call that makes the tables of `op`; its results are the tables and, last, the number of entries in
    one element. `last` is the number of the last entry that the tables have room for.
    """
    ops: list[Operation] = []
    lowering = _Worklist(op, IndexBuilder(ops, op.location), extents, last)
    zero = lowering.build.value(0)
    nothing = lowering.build.insert(arith.ConstantOp(IntegerAttr(0, i32)))
    nothing.name_hint = "nothing"
    for table in lowering.tables:  # what index maps read where the list is empty
        lowering.store(nothing, table, zero)
    count = lowering.block(list(op.body.block.ops), ops, zero)
    last = lowering.build.insert(arith.IndexCastOp(count, i32))
    lowering.store(last, lowering.count, zero)
    kinds = [*(table.type for table in op.tables), MemRefType(i32, [1])]
    call = pallas.CallOp(name, [], [], Region(Block(lowering.specs + ops)), kinds)
    call.location = op.location
    return call


class _Worklist:
    def __init__(self, op: WorklistOp, build: IndexBuilder, extents: Extents, last: Index):
        """`last` is the number of the last entry that the tables have room for."""
        now = extents.now
        self.op = op
        self.build = build
        self.extents = extents
        self.specs: list[Operation] = []
        self.env: dict[SSAValue, SSAValue] = dict(now)
        self.refs: dict[SSAValue, SSAValue] = {}
        for inner in op.walk():
            if isinstance(inner, SegmentOp | LoadOp):
                for array in inner.operands:
                    if isinstance(array.type, MemRefType) and array not in self.refs:
                        source = pallas.InSpaceOp(now.get(array, array), pallas.Space.SMEM)
                        self.refs[array] = self._spec(source, array)
        self.tables = [
            self._spec(pallas.OutSpaceOp(table.type, op.capacity, pallas.Space.SMEM), table)
            for table in op.tables
        ]
        self.last = last
        self.count = self._spec(pallas.OutSpaceOp(MemRefType(i32, [1]), None, pallas.Space.SMEM), op.count)

    def _spec(self, op: Operation, origin: SSAValue) -> SSAValue:
        op.location = self.op.location
        op.results[0].name_hint = f"{origin.name_hint or 'table'}_ref"
        self.specs.append(op)
        return op.results[0]

    def store(self, value: SSAValue, table: SSAValue, at: SSAValue) -> None:
        made = pallas.StoreOp(value, table, [at])
        made.location = self.build.location
        self.build.ops.append(made)

    def block(self, source: list[Operation], ops: list[Operation], count: SSAValue) -> SSAValue:
        """Lower `source` into `ops`; returns the number of entries after it."""
        outer = self.build
        self.build = IndexBuilder(ops, self.op.location)
        for op in source:
            self.build.location = op.location
            match op:
                case scf.ForOp():
                    count = self._loop(op, count)
                case AppendOp():
                    count = self._append(op, count)
                case SegmentOp():
                    self._segment(op)
                case LoadOp():
                    at = [self._position(dim) for dim in op.window]
                    self.env[op.result] = self.build.insert(pallas.LoadOp(self.refs[op.array], at))
                case scf.YieldOp():
                    pass
                case SplatOp() if is_scalar(op):
                    self.env[op.result] = self.build.insert(arith.ConstantOp(op.value))
                case _ if is_scalar(op) and op.name.startswith(("arith.", *_ON_LANES)):
                    ops.append(op.clone(self.env))
                case _:
                    fail(
                        op,
                        f"convert-tile-to-pallas: {op.name} cannot be in a worklist; scalars and loops can",
                    )
        self.build = outer
        return count

    def _loop(self, op: scf.ForOp, count: SSAValue) -> SSAValue:
        body = Block(arg_types=[IndexType(), IndexType()])
        index, carried = body.args
        index.name_hint, carried.name_hint = op.body.block.args[0].name_hint, "n"
        self.env[op.body.block.args[0]] = index
        ops: list[Operation] = []
        result = self.block(list(op.body.block.ops), ops, carried)
        body.add_ops([*ops, pallas.YieldOp([result])])
        bounds = [self.env.get(bound, bound) for bound in (op.lb, op.ub)]
        made = self.build.insert(pallas.ForiOp(bounds[0], bounds[1], [count], Region(body)))
        made.name_hint = "n"
        return made

    def _position(self, dim: Dim) -> SSAValue:
        parts = [
            part if isinstance(part, int) else self.env.get(part, part) for part in (dim.base or 0, dim.shift)
        ]
        return self.build.value(self.build.add(parts[0], parts[1]))

    def _append(self, op: AppendOp, count: SSAValue) -> SSAValue:
        # Segments out of order, which cannot be seen under jit, must not write past the tables.
        count = self.build.value(self.build.minimum(count, self.last))
        count.name_hint = "entry"
        for value, table in zip(op.values, self.tables, strict=True):
            number = self.build.insert(arith.IndexCastOp(self.env.get(value, value), i32))
            self.store(number, table, count)
        return self.build.value(self.build.add(count, 1))

    def _segment(self, op: SegmentOp) -> None:
        last = partial(self.extents.last_block, dim=0, size=1)
        made = read_segment(op, self.build, self._now, self.refs.__getitem__, last)
        self.env |= {result: self.build.value(index) for result, index in made.items()}

    def _now(self, value: SSAValue) -> SSAValue:
        return self.env.get(value, value)
