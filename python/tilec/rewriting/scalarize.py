"""A tile axis of a grid as an index axis: its lanes one by one."""

from collections.abc import Sequence

from xdsl.dialects import arith
from xdsl.dialects.builtin import IndexType, f32, i32, i64
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.rewriter import Rewriter

from tilec.diagnostics import where
from tilec.dialects.tile.access import AccessOp, Dim
from tilec.dialects.tile.arrays import LoadOp, StoreOp
from tilec.dialects.tile.atomics import AtomicRmwOp, Rmw
from tilec.dialects.tile.elementwise import CastOp, CompareOp, SelectOp
from tilec.dialects.tile.gathers import GatherOp, ScatterOp
from tilec.dialects.tile.loops import GridOp
from tilec.dialects.tile.mixing import ReduceOp
from tilec.dialects.tile.syntax import ints_of, scalar_of
from tilec.dialects.tile.types import element_type, shape_of, span_names, span_of, value_type
from tilec.dialects.tile.values import BroadcastOp, IndicesOp, SplatOp
from tilec.rewriting.accumulators import constant
from tilec.rewriting.nests import grid_of


class _Refused(Exception):
    """Why a lane alone cannot do what all lanes do."""


def one_by_one(grid: GridOp, span: SSAValue) -> str | None:
    """Let a grid go through the lanes of one of its tile axes one by one; returns why not, where it cannot.

    What is computed lane by lane is computed for one; a gather at positions from lanes becomes a load at one
    position, a scatter an exchange at one that no other iteration has.
    """
    try:
        made = _Lane(grid, span).grid()
    except _Refused as refused:
        return str(refused)
    Rewriter.replace_op(grid, made, [])
    return None


class _Lane:
    """The body of a grid for one lane of an axis."""

    def __init__(self, grid: GridOp, span: SSAValue):
        kind = span_of(span)
        self.old, self.span, self.name = grid, span, "" if kind is None else kind.axis
        types = [IndexType() if axis.value is span else axis.value.type for axis in grid.axes]
        self.block = Block(arg_types=types)
        self.env: dict[SSAValue, SSAValue] = {}
        for old, new in zip(grid.body.block.args, self.block.args, strict=True):
            new.name_hint = old.name_hint
            self.env[old] = new

    def grid(self) -> GridOp:
        for op in self.old.body.block.ops:
            results = self._lane(op)
            for old, new in zip(op.results, results, strict=True):
                new.name_hint = old.name_hint
                self.env[old] = new
        return grid_of([axis.bounds for axis in self.old.axes], Region(self.block), self.old.location)

    def _add(self, op: Operation, origin: Operation) -> SSAValue:
        op.location = origin.location
        self.block.add_op(op)
        return op.results[0]

    def _lane(self, op: Operation) -> Sequence[SSAValue]:
        """What an operation results in for one lane."""
        match op:
            case IndicesOp() if op.operands[0] is self.span:
                return [self._add(arith.IndexCastOp(self.env[self.span], i32), op)]
            case AccessOp():
                return self._access(op)
            case SplatOp():
                return [self._add(constant(scalar_of(op.value), self._type(op.result.type)), op)]
            case BroadcastOp():
                return [self._broadcast(op)]
            case ReduceOp() if (place := self._place(op.value.type)) is not None:
                return [self._reduce(op, place)]
            case _:
                return self._same(op)

    def _same(self, op: Operation) -> Sequence[SSAValue]:
        """An operation that does to one lane what it does to all."""
        touched = any(self._place(v.type) is not None or v is self.span for v in (*op.operands, *op.results))
        lanewise = isinstance(op, CastOp | CompareOp | SelectOp) or op.name.startswith(("arith.", "math."))
        if op.regions or (touched and not lanewise):
            raise _Refused(f"{op.name} at {where(op)} is not done lane by lane")
        clone = op.clone(self.env)
        clone.location = op.location
        self.block.add_op(clone)
        for result in clone.results:
            if self._place(result.type) is not None:
                Rewriter.replace_value_with_new_type(result, self._type(result.type))
        return clone.results

    def _place(self, kind: Attribute) -> int | None:
        """The dimension of a value that the lanes are."""
        names = span_names(kind)
        return names.index(self.name) if self.name in names else None

    def _type(self, kind: Attribute) -> Attribute:
        """The type of a value for one lane."""
        place = self._place(kind)
        pairs = list(zip(shape_of(kind), span_names(kind), strict=True))
        kept = [pair for i, pair in enumerate(pairs) if i != place]
        return value_type(element_type(kind), [size for size, _ in kept], [name for _, name in kept])

    def _broadcast(self, op: BroadcastOp) -> SSAValue:
        place, value = self._place(op.result.type), self.env.get(op.value, op.value)
        dims = [dim for dim in ints_of(op.dims) if dim != place]
        dims = [dim - (place is not None and dim > place) for dim in dims]
        kind = self._type(op.result.type)
        return value if value.type == kind else self._add(BroadcastOp(value, dims, kind), op)

    def _reduce(self, op: ReduceOp, place: int) -> SSAValue:
        dims = ints_of(op.dims)
        if place in dims:
            raise _Refused(f"{op.name} at {where(op)} combines lanes of {self.name}")
        return self._add(ReduceOp(op.kind.data, self.env[op.value], [d - (d > place) for d in dims]), op)

    def _access(self, op: AccessOp) -> Sequence[SSAValue]:
        indexed = any(dim.indexed for dim in op.window)
        if indexed and (op.properties.get("drop") or getattr(op, "mask", None) is not None):
            raise _Refused(
                f"a mask or `drop` may keep positions of {op.name} at {where(op)} inside the array"
            )
        window = [self._dim(op, dim) for dim in op.window]
        element = element_type(op.array.type)
        if not any(dim.kept for dim in window) and element not in (f32, i32, i64):
            raise _Refused(
                f"{op.name} at {where(op)} has single elements of {element}; f32 and i32 are read alone"
            )
        made = self._made(op, self.env.get(op.array, op.array), window)
        made.location, made.placement = op.location, op.placement
        self.block.add_op(made)
        return made.results

    def _dim(self, op: AccessOp, dim: Dim) -> Dim:
        new = dim.replaced(self.env)
        if not dim.indexed or new.base is None:
            return new
        if new.indexed:
            raise _Refused(f"positions of {op.name} at {where(op)} come from another tile")
        return Dim(self._add(arith.IndexCastOp(new.base, IndexType()), op), new.shift)

    def _made(self, op: AccessOp, array: SSAValue, window: Sequence[Dim]) -> AccessOp:
        def one(value: SSAValue | None) -> SSAValue | None:
            return None if value is None else self.env.get(value, value)

        match op:
            case LoadOp() | GatherOp():
                return LoadOp(array, window, one(op.mask), one(op.other))
            case StoreOp():
                return StoreOp(self.env.get(op.value, op.value), array, window, one(op.mask))
            case ScatterOp():
                value = self.env.get(op.value, op.value)
                return AtomicRmwOp(Rmw.EXCHANGE, value, array, window, unique=True)
            case AtomicRmwOp():
                value, old = self.env.get(op.value, op.value), op.old is not None
                return AtomicRmwOp(
                    op.kind.data, value, array, window, expected=one(op.expected), mask=one(op.mask), old=old
                )
            case _:
                raise _Refused(f"{op.name} at {where(op)} is no access of a program")
