"""A tile axis as an index axis: its lanes one by one."""

from collections.abc import Sequence
from dataclasses import replace

from xdsl.dialects import arith, scf
from xdsl.dialects.builtin import IndexType, f32, i1, i32, i64
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.rewriter import Rewriter
from xdsl.transforms.dead_code_elimination import is_trivially_dead

from tilec.analysis.affine import linear
from tilec.diagnostics import where
from tilec.dialects.tile.access import AccessOp, Dim
from tilec.dialects.tile.arrays import LoadOp, StoreOp
from tilec.dialects.tile.atomics import AtomicRmwOp, Rmw
from tilec.dialects.tile.bound import BoundOp, Side
from tilec.dialects.tile.elementwise import is_lanewise
from tilec.dialects.tile.gathers import GatherOp, ScatterOp
from tilec.dialects.tile.interleaved import InterleaveOp, StridedSliceOp
from tilec.dialects.tile.loops import ForOp, GridOp, LoopOp, YieldOp
from tilec.dialects.tile.mixing import Combine, ReduceOp, ScanOp
from tilec.dialects.tile.products import DotOp
from tilec.dialects.tile.syntax import ints_of, scalar_of
from tilec.dialects.tile.types import (
    UNBOUND,
    JaggedSpanType,
    SpanType,
    element_type,
    shape_of,
    span_names,
    span_of,
    value_type,
)
from tilec.dialects.tile.values import (
    BroadcastOp,
    ConcatenateOp,
    IndicesOp,
    ReshapeOp,
    SliceOp,
    SplatOp,
    TransposeOp,
)
from tilec.rewriting.accumulators import constant
from tilec.rewriting.lane_checks import done_once, keep_apart, sums_lanes
from tilec.rewriting.nests import for_loop, grid_of


class _Refused(Exception):
    """Why a lane alone cannot do what all lanes do."""


def one_lane(loop: LoopOp, span: SSAValue) -> str | None:
    """Let a loop go through the lanes of one of its tile axes one by one; returns why not, where it cannot.

    What is computed lane by lane is computed for one: values lose the dimension, and what of them has none
    left is a scalar. A gather at positions from lanes becomes a load at one position, a scatter an exchange
    at one that no other iteration has. Axes that are jagged along the axis run to the extent of the lane.
    """
    lane = _Lane(loop, span)
    reason = done_once(loop, span, lane.name)
    if reason is not None:
        return reason
    try:
        made = lane.loop()
    except _Refused as refused:
        lane.discard()
        return str(refused)
    reason = keep_apart(made, lane.env[span], lane.name)
    if reason is not None:
        lane.discard()
        return reason
    Rewriter.replace_op(loop, made, made.results)
    for op in [*made.walk(reverse=True)]:
        if not op.regions and not isinstance(op, AccessOp) and is_trivially_dead(op):
            Rewriter.erase_op(op)
    return None


class _Lane:
    """A loop for one lane of an axis."""

    def __init__(self, loop: LoopOp, span: SSAValue):
        kind = span_of(span)
        self.old, self.span, self.name = loop, span, "" if kind is None else kind.axis
        self.block = Block()
        self.blocks: list[Block] = []
        self.env: dict[SSAValue, SSAValue] = {}

    def discard(self) -> None:
        """Let go of what was made, which nothing will run."""
        for block in self.blocks:
            for op in block.ops:
                op.drop_all_references()

    def loop(self) -> LoopOp:
        old = self.old
        kinds = [IndexType() if value is self.span else value.type for value in old.body.block.args]
        body = self._body(old.body.block, kinds)
        bounds = [axis.bounds for axis in old.axes]
        if isinstance(old, ForOp):
            return self._named(for_loop(bounds[0], body, old.location, old.inits), old)
        return grid_of(bounds, Region(body), old.location)

    def _body(self, old: Block, kinds: Sequence[Attribute]) -> Block:
        """A block that does for one lane what `old` does, with arguments of types `kinds`."""
        around, self.block = self.block, Block(arg_types=kinds)
        self.blocks.append(self.block)
        for one, new in zip(old.args, self.block.args, strict=True):
            new.name_hint = one.name_hint
            self.env[one] = new
        for op in old.ops:
            for one, new in zip(op.results, self._lane(op), strict=True):
                new.name_hint = new.name_hint or one.name_hint
                self.env[one] = new
        made, self.block = self.block, around
        return made

    def _named(self, made: ForOp, old: ForOp) -> ForOp:
        for one, new in zip(old.results, made.results, strict=True):
            new.name_hint = one.name_hint
        return made

    def _add(self, op: Operation, origin: Operation) -> SSAValue:
        op.location = origin.location
        self.block.add_op(op)
        return op.results[0]

    def _lane(self, op: Operation) -> Sequence[SSAValue]:
        """What an operation results in for one lane."""
        match op:
            case ForOp():
                return self._for(op)
            case scf.IfOp():
                return self._if(op)
            case _ if not self._touches(op):
                return self._same(op)
            case AccessOp():
                return self._access(op)
            case IndicesOp():
                return [self._add(arith.IndexCastOp(self.env[self.span], i32), op)]
            case BoundOp():
                return [self._bound(op)]
            case SplatOp():
                return [self._add(constant(scalar_of(op.value), self._type(op.result.type)), op)]
            case DotOp():
                return [self._dot(op)]
            case BroadcastOp() | ReshapeOp() | TransposeOp() | ConcatenateOp() | SliceOp():
                return [self._shaped(op)]
            case StridedSliceOp():
                return [self._add(StridedSliceOp(self._of(op.value), *op.numbers), op)]
            case InterleaveOp():
                return [self._add(InterleaveOp([self._of(value) for value in op.values]), op)]
            case ReduceOp() | ScanOp():
                return [self._combined(op)]
            case _:
                return self._same(op)

    def _touches(self, op: Operation) -> bool:
        """Whether an operation asks for the axis, or has a value with a dimension of it."""
        values = [*op.operands, *op.results]
        return any(value is self.span or self._place(value.type) is not None for value in values)

    def _same(self, op: Operation) -> Sequence[SSAValue]:
        """An operation that does to one lane what it does to all."""
        alike = isinstance(op, YieldOp | scf.YieldOp) or (
            is_lanewise(op) and not isinstance(op, arith.ConstantOp)
        )
        if op.regions or (self._touches(op) and not alike):
            raise _Refused(f"{op.name} at {where(op)} is not done lane by lane")
        clone = op.clone(self.env)
        clone.location = op.location
        self.block.add_op(clone)
        for result in clone.results:
            if self._place(result.type) is not None:
                Rewriter.replace_value_with_new_type(result, self._type(result.type))
        return clone.results

    def _of(self, value: SSAValue) -> SSAValue:
        return self.env.get(value, value)

    def _place(self, kind: Attribute) -> int | None:
        """The dimension of a value that the lanes are."""
        names = span_names(kind)
        if names.count(self.name) > 1:
            raise _Refused(f"a {kind} pairs lanes of {self.name} with each other")
        return names.index(self.name) if self.name in names else None

    def _type(self, kind: Attribute) -> Attribute:
        """The type of a value for one lane."""
        place = self._place(kind)
        return kind if place is None else _without(kind, place)

    def _for(self, op: ForOp) -> Sequence[SSAValue]:
        bounds, kind = op.axis.bounds, op.axis.value.type
        begin, end = (
            bound if isinstance(bound, int) else self._of(bound) for bound in (bounds.begin, bounds.end)
        )
        if isinstance(kind, JaggedSpanType) and kind.parent == self.name and not isinstance(end, int):
            kind, end = SpanType(kind.axis, kind.size), self._add(arith.IndexCastOp(end, IndexType()), op)
        inits = [self._of(value) for value in op.inits]
        body = self._body(op.body.block, [kind, *(value.type for value in inits)])
        made = for_loop(replace(bounds, begin=begin, end=end), body, op.location, inits)
        self.block.add_op(made)
        return made.results

    def _if(self, op: scf.IfOp) -> Sequence[SSAValue]:
        regions = [Region([self._body(block, ()) for block in region.blocks]) for region in op.regions]
        kinds = [self._type(kind) for kind in op.result_types]
        made = scf.IfOp(self._of(op.cond), kinds, regions[0], regions[1])
        made.location = op.location
        self.block.add_op(made)
        return made.results

    def _bound(self, op: BoundOp) -> SSAValue:
        """A tile of one lane, where the program has not said how many lanes its tiles have."""
        if op.lanes != UNBOUND:
            raise _Refused(f"{op.name} at {where(op)} is not done lane by lane")
        index, side = self.env[self.span], op.side.data
        if side is Side.BEGIN:
            return index
        one = self._add(constant(1, IndexType()), op)
        return one if side is Side.SIZE else self._add(arith.AddiOp(index, one), op)

    def _shaped(self, op: BroadcastOp | ReshapeOp | TransposeOp | ConcatenateOp | SliceOp) -> SSAValue:
        """What only changes the shape of a value, of one that has a dimension less."""
        value, place = self._of(op.operands[0]), self._place(op.operands[0].type)
        kind = self._type(op.result.type)
        match op:
            case BroadcastOp():
                return self._broadcast(op, value, kind)
            case ReshapeOp():
                return self._reshaped(value, kind, op)
            case TransposeOp():
                perm = _less(ints_of(op.perm), place)
                return value if perm == sorted(perm) else self._add(TransposeOp(value, perm), op)
            case ConcatenateOp():
                (dim,) = _less([op.dim.value.data], place)
                return self._add(ConcatenateOp([self._of(each) for each in op.values], dim), op)
            case SliceOp():
                number, begin, size = op.numbers
                (dim,) = _less([number], place)
                return self._add(SliceOp(value, dim, begin, size), op)

    def _broadcast(self, op: BroadcastOp, value: SSAValue, kind: Attribute) -> SSAValue:
        place, dims = self._place(op.result.type), ints_of(op.dims)
        if place in dims and self._place(op.value.type) is None:  # a dimension of 1, repeated for all lanes
            value = self._without_one(value, dims.index(place), op)
        dims = _less(dims, place)
        return value if value.type == kind else self._add(BroadcastOp(value, dims, kind), op)

    def _reshaped(self, value: SSAValue, kind: Attribute, op: Operation) -> SSAValue:
        if value.type == kind:
            return value
        if not shape_of(value.type):
            return self._add(BroadcastOp(value, [], kind), op)
        if shape_of(kind):
            return self._add(ReshapeOp(value, kind), op)
        for _ in shape_of(value.type):
            value = self._without_one(value, 0, op)
        return value

    def _without_one(self, value: SSAValue, dim: int, op: Operation) -> SSAValue:
        """A value without one of its dimensions, of extent 1."""
        made, kind = value.owner, _without(value.type, dim)
        if isinstance(made, BroadcastOp) and dim not in ints_of(made.dims):
            inner, dims = made.value, _less(ints_of(made.dims), dim)
            return inner if inner.type == kind else self._add(BroadcastOp(inner, dims, kind), op)
        most = Combine.OR if element_type(kind) == i1 else Combine.MAX  # of one lane: that lane
        return self._add(ReduceOp(most, value, [dim]), op)

    def _with_one(self, value: SSAValue, dim: int, op: Operation) -> SSAValue:
        """A value with a dimension of extent 1 more."""
        shape, names = list(shape_of(value.type)), list(span_names(value.type))
        dims = [i + (i >= dim) for i in range(len(shape))]
        kind = value_type(
            element_type(value.type), [*shape[:dim], 1, *shape[dim:]], [*names[:dim], None, *names[dim:]]
        )
        return self._add(BroadcastOp(value, dims, kind), op)

    def _combined(self, op: ReduceOp | ScanOp) -> SSAValue:
        place, value = self._place(op.value.type), self._of(op.value)
        dims = list(ints_of(op.dims)) if isinstance(op, ReduceOp) else [op.dim.value.data]
        if place in dims and not any(sums_lanes(use.operation, self.name) for use in op.results[0].uses):
            raise _Refused(f"{op.name} at {where(op)} combines lanes of {self.name}")
        dims = _less(dims, place)
        if not dims:
            return value
        if isinstance(op, ReduceOp):
            return self._add(ReduceOp(op.kind.data, value, dims), op)
        kind, reverse = self._type(op.result.type), op.reverse is not None
        return self._add(ScanOp(op.kind.data, value, dims[0], kind, reverse=reverse), op)

    def _dot(self, op: DotOp) -> SSAValue:
        places, result = [self._place(value.type) for value in (op.lhs, op.rhs)], self._place(op.result.type)
        if result is None:
            raise _Refused(f"{op.name} at {where(op)} sums over lanes of {self.name}")
        operands = [self._of(value) for value in op.operands]
        if op.is_batch and result == 0:
            left, right = op.contracted
            return self._add(DotOp(*_three(operands), (left - 1, right - 1), op.precision.data), op)
        for i, place in enumerate([*places, result][: len(operands)]):  # a product of matrices with one row
            if place is not None:
                operands[i] = self._with_one(operands[i], place, op)
        product = self._add(DotOp(*_three(operands), op.contracted, op.precision.data), op)
        return self._without_one(product, result, op)

    def _access(self, op: AccessOp) -> Sequence[SSAValue]:
        window = [self._dim(op, dim) for dim in op.window]
        self._check_window(op, window)
        made = self._made(op, self._of(op.array), window)
        made.location, made.placement = op.location, op.placement
        self.block.add_op(made)
        return made.results

    def _check_window(self, op: AccessOp, window: Sequence[Dim]) -> None:
        """Refuse what no kernel could copy."""
        fewer = sum(dim.indexed for dim in op.window) - sum(dim.indexed for dim in window)
        if fewer and (op.properties.get("drop") or getattr(op, "mask", None) is not None):
            raise _Refused(
                f"a mask or `drop` may keep positions of {op.name} at {where(op)} inside the array"
            )
        kept, element = [dim.kept for dim in window], element_type(op.array.type)
        if not any(kept) and element not in (f32, i32, i64):
            raise _Refused(
                f"{op.name} at {where(op)} has single elements of {element}; f32 and i32 are read alone"
            )
        if any(kept) and op.window[-1].kept and not kept[-1]:
            raise _Refused(
                f"lanes of {self.name} are the last dimension of {op.name} at {where(op)}, whose elements "
                "are not copied one by one"
            )

    def _dim(self, op: AccessOp, dim: Dim) -> Dim:
        new = dim.replaced(self.env)
        if not dim.indexed or new.indexed or new.base is None:
            return new
        form = linear(new.base)
        leaf = next(iter(form.factors), None)
        if isinstance(leaf, SSAValue) and form.factors == {leaf: 1} and leaf.type == IndexType():
            return Dim(leaf, form.constant)
        return Dim(self._add(arith.IndexCastOp(new.base, IndexType()), op))

    def _is_alone(self, op: ScatterOp) -> bool:
        """Whether no other lane writes where one does: in one step none does, in two steps another may.

        Where tiles may have one lane, what two lanes of a grid write would be a race.
        """
        kind = span_of(self.span)
        sized = kind is None or kind.size != UNBOUND
        return isinstance(self.old, GridOp) and not (sized and op.parent_op() is not self.old)

    def _made(self, op: AccessOp, array: SSAValue, window: Sequence[Dim]) -> AccessOp:
        def one(value: SSAValue | None) -> SSAValue | None:
            return None if value is None else self._of(value)

        indexed = any(dim.indexed for dim in window)
        match op:
            case LoadOp() | GatherOp():
                return (GatherOp if indexed else LoadOp)(array, window, one(op.mask), one(op.other))
            case StoreOp():
                return StoreOp(self._of(op.value), array, window, one(op.mask))
            case ScatterOp() if indexed:
                drop = op.drop is not None
                return ScatterOp(self._of(op.value), array, window, one(op.mask), drop=drop)
            case ScatterOp():
                alone = self._is_alone(op)
                return AtomicRmwOp(Rmw.EXCHANGE, self._of(op.value), array, window, unique=alone)
            case AtomicRmwOp():
                made = AtomicRmwOp(
                    op.kind.data,
                    self._of(op.value),
                    array,
                    window,
                    expected=one(op.expected),
                    mask=one(op.mask),
                    old=op.old is not None,
                )
                made.drop, made.unique = op.drop, op.unique
                return made
            case _:
                raise _Refused(f"{op.name} at {where(op)} is no access of a program")


def _without(kind: Attribute, place: int) -> Attribute:
    """A type without one of its dimensions."""
    shape, names = list(shape_of(kind)), list(span_names(kind))
    del shape[place], names[place]
    return value_type(element_type(kind), shape, names)


def _less(dims: Sequence[int], place: int | None) -> list[int]:
    """Dimensions by their numbers where `place` is no dimension any more."""
    return [dim - (place is not None and dim > place) for dim in dims if dim != place]


def _three(operands: Sequence[SSAValue]) -> tuple[SSAValue, SSAValue, SSAValue | None]:
    """Left, right and the optional accumulator of a product."""
    return operands[0], operands[1], operands[2] if len(operands) == 3 else None
