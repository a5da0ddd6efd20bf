"""`--mask-jagged`: jagged axes whose parents stay a tile run to the longest extent there may be, under masks.

Where lanes of parents mix, or something is done once for all of them, `--scalarize-jagged` leaves a tile. Its
lanes then take their steps together: the axis of the children becomes one from 0 to the `max` that it
promises, and each lane is masked where its own extent has ended. A step that no lane makes changes nothing.

Before:
    %s = tile.for %k = 0 to %l by k of g max 512 iter_args(%a = %zero) {
      %v = tile.load %x[%g, %k]                                 // tensor<?x?xf32, #tile.spans<g, k>>
      %r = tile.reduce add %v dims [0, 1]
      …
      tile.yield %next
After:
    %longest = tile.reduce max %l dims [0]
    %s = tile.for %k = 0 to 512 by k iter_args(%a = %zero) {
      …                                                         // %live: indices of %k below those of %l
      %v = tile.load %x[%g, %k] mask %live other %0
      %f = tile.select %live, %v, %0
      %r = tile.reduce add %f dims [0, 1]
      …
      %kept = tile.select %going, %next, %a                     // %going: %k begins before %longest
      tile.yield %kept

What is read, written or updated gets a mask, and what is carried a choice. Where lanes mix, along the parents
or the children, dead ones are replaced by the identity. A value with a dimension of the children alone is
masked by the longest extent of the tile, as is what has a dimension of neither. In a jagged loop inside,
lanes that have ended get no children. Gathers keep their positions; `--expand-gathers` follows them.

Refused: an axis without `max`; one whose `max` is more than an array has along it; one whose loop asks where
its tiles begin; a value with two dimensions of the same parents.
"""

from collections.abc import Sequence

from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import ModuleOp, i32
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from tilec.diagnostics import fail
from tilec.dialects.tile.access import AccessOp
from tilec.dialects.tile.arrays import ReadOp, StoreOp
from tilec.dialects.tile.atomics import AtomicRmwOp
from tilec.dialects.tile.bound import BoundOp, Side
from tilec.dialects.tile.elementwise import CompareOp, Relation, SelectOp
from tilec.dialects.tile.gathers import ScatterOp
from tilec.dialects.tile.loops import ForOp
from tilec.dialects.tile.mixing import Combine, ReduceOp, ScanOp, identity
from tilec.dialects.tile.products import DotOp
from tilec.dialects.tile.scans import AssociativeScanOp
from tilec.dialects.tile.syntax import Bounds, ints_of
from tilec.dialects.tile.types import (
    UNBOUND,
    JaggedSpanType,
    SpanType,
    element_type,
    shape_of,
    span_names,
    span_of,
    with_element,
)
from tilec.dialects.tile.values import BroadcastOp, IndicesOp
from tilec.rewriting.accumulators import constant


class MaskJagged(ModulePass):
    """Run jagged axes to their `max`, under masks."""

    name = "mask-jagged"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for loop in list(op.walk()):
            kind = span_of(loop.axis.value) if isinstance(loop, ForOp) else None
            if isinstance(loop, ForOp) and isinstance(kind, JaggedSpanType):
                _Masked(loop, kind).apply()


class _Masked:
    """A jagged loop that becomes one to a length that is the same for all lanes."""

    def __init__(self, loop: ForOp, kind: JaggedSpanType):
        bounds = loop.axis.bounds
        if bounds.limit is None or isinstance(bounds.end, int):
            fail(
                loop,
                f"mask-jagged: axis {kind.axis} of {kind.parent} has an extent for each lane of "
                f"{kind.parent}, which --scalarize-jagged left a tile (--explain says why); a tile makes all "
                "steps that a lane may have, and nothing says how many: give the axis `max N` "
                "(max_extent=N in torch)",
            )
        self.loop, self.child, self.parent = loop, kind.axis, kind.parent
        self.limit, self.extents, self.child_type = bounds.limit, bounds.end, SpanType(kind.axis, kind.size)
        self.span: SSAValue = loop.axis.value
        self.shared: dict[str, SSAValue] = {}
        self.masks: dict[tuple[Block | None, Attribute], SSAValue] = {}
        self.zeroed: set[SSAValue] = set()
        """What is 0 in dead lanes."""

    def apply(self) -> None:
        ops = list(self.loop.body.walk())
        for op in ops:
            self._check(op)
        self.loop = self._dense()
        for op in ops:
            match op:
                case ReadOp() if self._names(op.result.type):
                    self._read(op)
                case AccessOp() if op.writes:
                    self._write(op)
                case ReduceOp() | ScanOp():
                    dims = ints_of(op.dims) if isinstance(op, ReduceOp) else [op.dim.value.data]
                    self._fill(op, 0, dims, op.kind.data)
                case DotOp():
                    for i, dim in enumerate(op.contracted):
                        self._fill(op, i, [dim], Combine.ADD)
                case ForOp():
                    self._shorten(op)
                case _:
                    pass
        self._carry()

    def _check(self, op: Operation) -> None:
        """Raises TileError for what a loop to `max` cannot do."""
        if isinstance(op, BoundOp) and op.span is self.span and op.side.data is not Side.SIZE:
            fail(
                op, f"mask-jagged: {op.name} asks where a tile of {self.child} begins, and there may be none"
            )
        if isinstance(op, AssociativeScanOp):
            along = op.axis_name
            if along == self.parent or (along == self.child and op.reverse is not None):
                fail(
                    op,
                    f"mask-jagged: {op.name} goes along {along} through lanes that may be dead; along "
                    f"{self.child}, from its first lane on, is accepted",
                )
        for value in op.results:
            if list(span_names(value.type)).count(self.parent) > 1:
                fail(op, f"mask-jagged: a {value.type} pairs lanes of {self.parent} with each other")
        for dim, extent in zip(op.window, shape_of(op.array.type)) if isinstance(op, AccessOp) else ():
            if dim.base is not self.span:
                continue
            fits = extent != UNBOUND and isinstance(dim.shift, int) and 0 <= dim.shift <= extent - self.limit
            if not fits:
                size = "an extent that is not known" if extent == UNBOUND else str(extent)
                fail(
                    op,
                    f"mask-jagged: {op.name} goes along {self.child}, whose `max` is {self.limit}, in a "
                    f"dimension of {size}; a known one that all of `max` is inside is accepted",
                )

    def _dense(self) -> ForOp:
        loop = self.loop.rebuilt(Bounds(0, self.limit), self.loop.inits)
        for old, new in zip(self.loop.results, loop.results, strict=True):
            new.name_hint = old.name_hint
        Rewriter.replace_op(self.loop, loop)
        hint = self.span.name_hint
        self.span = Rewriter.replace_value_with_new_type(self.span, self.child_type)
        self.span.name_hint = hint
        return loop

    def _names(self, kind: Attribute) -> list[str]:
        return [name for name in span_names(kind) if name in (self.parent, self.child)]

    def _insert(self, op: Operation, at: Operation, location: Operation | None = None) -> SSAValue:
        op.location = (location or at).location
        Rewriter.insert_op(op, InsertPoint.before(at))
        return op.results[0]

    def _first(self, name: str, *ops: Operation, before: Operation | None = None) -> SSAValue:
        """The result of the last of `ops`, which are put at the begin of the body, or `before`, but once."""
        first = before or self.loop.body.block.first_op
        if name not in self.shared and first is not None:
            for op in ops:
                self.shared[name] = self._insert(op, first, self.loop)
            self.shared[name].name_hint = name
        else:
            for op in ops:
                op.drop_all_references()
        return self.shared[name]

    def _mask(self, kind: Attribute, at: Operation) -> SSAValue:
        """Which lanes of a value of type `kind` are live: those that lie below their extent."""
        names, wide = list(span_names(kind)), with_element(kind, i32)
        if (at.parent, wide) in self.masks:
            return self.masks[at.parent, wide]
        sides = [
            (self._place(), self.child) if self.child in names else (self._begin(), None),
            (self.extents, self.parent) if self.parent in names else (self._longest(), None),
        ]
        spread: list[SSAValue] = []
        for value, name in sides:
            dims = [] if name is None else [names.index(name)]
            same = value.type == wide
            spread.append(value if same else self._insert(BroadcastOp(value, dims, wide), at))
        mask = self._insert(CompareOp(Relation.LT, *spread), at)
        mask.name_hint = "live"
        self.masks[at.parent, wide] = mask
        return mask

    def _place(self) -> SSAValue:
        return self._first("place", IndicesOp(self.span))

    def _begin(self) -> SSAValue:
        begin = BoundOp(Side.BEGIN, self.span)
        return self._first("begin", begin, arith.IndexCastOp(begin.result, i32))

    def _longest(self) -> SSAValue:
        return self._first("longest", ReduceOp(Combine.MAX, self.extents, [0]), before=self.loop)

    def _read(self, op: ReadOp) -> None:
        mask = self._both(op.mask, op.result.type, op)
        zero = op.other or self._insert(constant(0, element_type(op.result.type)), op)
        made = type(op)(op.array, op.window, mask, zero)
        if op.other is None:
            self.zeroed.add(made.result)
        self._replace(op, made)

    def _write(self, op: AccessOp) -> None:
        if not isinstance(op, StoreOp | ScatterOp | AtomicRmwOp):
            fail(op, f"mask-jagged: {op.name} is no access of a program")
        mask, value, array = self._both(op.mask, op.value.type, op), op.value, op.array
        match op:
            case StoreOp():
                made = StoreOp(value, array, op.window, mask)
            case ScatterOp():
                made = ScatterOp(value, array, op.window, mask, drop=op.drop is not None)
            case AtomicRmwOp():
                old = op.old is not None
                made = AtomicRmwOp(
                    op.kind.data, value, array, op.window, expected=op.expected, mask=mask, old=old
                )
                made.drop, made.unique = op.drop, op.unique
        self._replace(op, made)

    def _both(self, mask: SSAValue | None, kind: Attribute, at: Operation) -> SSAValue:
        live = self._mask(kind, at)
        return live if mask is None else self._insert(arith.AndIOp(mask, live), at)

    def _replace(self, op: AccessOp, made: AccessOp) -> None:
        made.location, made.placement = op.location, op.placement
        for old, new in zip(op.results, made.results, strict=True):
            new.name_hint = old.name_hint
        Rewriter.replace_op(op, made)

    def _fill(self, op: Operation, operand: int, dims: Sequence[int], kind: Combine) -> None:
        """Replace dead lanes of an operand by the identity, if lanes of parents or children mix."""
        value = op.operands[operand]
        number = identity(kind, element_type(value.type))
        if not any(span_names(value.type)[dim] in (self.parent, self.child) for dim in dims):
            return
        if number == 0 and value in self.zeroed:
            return
        neutral = self._insert(constant(number, value.type), op)
        op.operands[operand] = self._insert(SelectOp(self._mask(value.type, op), value, neutral), op)

    def _shorten(self, op: ForOp) -> None:
        """Leave lanes that have ended no children in a jagged loop inside."""
        kind, end = span_of(op.axis.value), op.axis.bounds.end
        if not isinstance(kind, JaggedSpanType) or kind.parent != self.parent or isinstance(end, int):
            return
        none = self._insert(constant(0, end.type), op)
        kept = self._insert(SelectOp(self._mask(end.type, op), end, none), op)
        op.operands[len(op.operands) - 1] = kept

    def _carry(self) -> None:
        """Keep what is carried where a step is not made."""
        end = self.loop.body.block.last_op
        for i, (old, new) in enumerate(zip(self.loop.carried, self.loop.yielded, strict=True)):
            if end is not None and new is not old:
                end.operands[i] = self._insert(SelectOp(self._mask(new.type, end), new, old), end)
