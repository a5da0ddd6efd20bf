"""Values of a schedule in the `pallas` dialect: types without spans, rank 1 as columns or rows, masks as
selects.
"""

from collections.abc import Sequence

from xdsl.dialects import arith
from xdsl.dialects.builtin import AnyFloat, f32, i1, i8, i16, i32
from xdsl.ir import Attribute, Operation, SSAValue

from tilec.analysis.affine import linear
from tilec.analysis.lanes import may_have_dead_lanes
from tilec.analysis.vmem import LANES, WORD
from tilec.diagnostics import fail
from tilec.dialects import pallas
from tilec.dialects.tile.axes import span_in_scope
from tilec.dialects.tile.elementwise import CastOp, CompareOp, Relation, SelectOp
from tilec.dialects.tile.interleaved import InterleaveOp, StridedSliceOp
from tilec.dialects.tile.mixing import Combine, FillOp, ReduceOp, ScanOp, WholeOp
from tilec.dialects.tile.places import GetOp
from tilec.dialects.tile.products import DotOp
from tilec.dialects.tile.schedule import WindowOp
from tilec.dialects.tile.syntax import ints_of, scalar_of
from tilec.dialects.tile.types import (
    UNBOUND,
    byte_width,
    element_type,
    shape_of,
    span_names,
    value_type,
    with_element,
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
from tilec.lowering.chains import rows_of_chains
from tilec.lowering.interleaved import Emit, interleave, strided_slice
from tilec.lowering.orientation import Orientation
from tilec.lowering.scalars import Scalars
from tilec.lowering.scans import fold, scan
from tilec.rewriting.index import Index

REDUCED_AT_ONCE = (Combine.ADD, Combine.MAX, Combine.MIN)
"""The reductions that Mosaic lowers; of any element type but i1."""

_OF_ONES = {
    Combine.AND: Combine.MIN,
    Combine.OR: Combine.MAX,
    Combine.XOR: Combine.ADD,
    Combine.ADD: Combine.ADD,
    Combine.MUL: Combine.MIN,
    Combine.MIN: Combine.MAX,
    Combine.MAX: Combine.MIN,
}
"""What a reduction of truth values is of ones and zeros; a truth value that holds is -1 in order."""

_OF_BITS = (arith.AndIOp, arith.OrIOp, arith.XOrIOp, arith.ShLIOp, arith.ShRSIOp, arith.ShRUIOp)

_FEW_ROWS = 4
"""Rows up to which arrays of narrow elements lie in tiles of memory of which the TPU compiler knows less."""


class Values:
    """Lowers value operations one by one; `emit` puts an operation where the current one stands."""

    def __init__(self, orientation: Orientation, scalars: Scalars, emit: Emit):
        self.orientation = orientation
        self.scalars = scalars
        self.emit = emit
        self.env: dict[SSAValue, SSAValue] = {}

    def shape(self, value: SSAValue) -> tuple[int, ...]:
        """The shape of the lowered value: rank 1 becomes n x 1, n x 128 or 1 x n."""
        return self.orientation.shape(value)

    def type_of(self, value: SSAValue) -> Attribute:
        shape = self.shape(value)
        return value_type(element_type(value.type), shape, [None] * len(shape))

    def get(self, value: SSAValue) -> SSAValue:
        """The lowered form of a value or scalar."""
        return self.env[value] if value in self.env else self.scalars.value(value)

    def lying(self, value: SSAValue, *, column: bool) -> SSAValue:
        """The lowered form of a value of rank 1, as a column or as a row."""
        found = self.thin(value)
        if self.orientation.is_column(value) == column:
            return found
        return self.emit(TransposeOp(found, [1, 0]))

    def thin(self, value: SSAValue) -> SSAValue:
        """The lowered form of a value of rank 1 as n x 1 or 1 x n."""
        found = self.get(value)
        return self.emit(SliceOp(found, 1, 0, 1)) if self.orientation.is_wide(value) else found

    def widened(self, column: SSAValue, like: SSAValue) -> SSAValue:
        """An n x 1 column in the shape that `like` is held in."""
        if not self.orientation.is_wide(like):
            return column
        kind = with_element(self.type_of(like), element_type(column.type))
        return self.emit(BroadcastOp(column, [0, 1], kind))

    def lower(self, op: Operation) -> None:
        """Lower `op`, which computes a value from values."""
        match op:
            case SplatOp():
                made = self.emit(SplatOp(scalar_of(op.value), self.type_of(op.result)))
            case IndicesOp():
                made = self._indices(op)
            case DotOp():
                self._check_filled(op, zip(op.operands[:2], op.contracted, strict=True))
                acc = None if op.acc is None else self.get(op.acc)
                made = self.emit(
                    DotOp(self.get(op.lhs), self.get(op.rhs), acc, op.contracted, op.precision.data)
                )
            case ReduceOp():
                self._check_filled(op, [(op.value, dim) for dim in ints_of(op.dims)])
                made = self._reduce(op)
            case ScanOp():
                self._check_filled(op, [(op.value, op.dim.value.data)])
                made = self._scan(op)
            case BroadcastOp():
                made = self._broadcast(op)
            case FillOp():
                made = self._fill(op)
            case arith.ConstantOp() if self.shape(op.result):
                made = self.emit(SplatOp(scalar_of(op.value), self.type_of(op.result)))
            case SelectOp() if self.shape(op.result):
                made = self._select(op)
            case WholeOp():
                made = self.get(op.value)
            case TransposeOp():
                made = self._transpose(op)
            case ReshapeOp() | SliceOp() | ConcatenateOp() | StridedSliceOp() | InterleaveOp():
                made = self._narrowed(self._moved(op), op.result)
            case _:
                made = self._lanewise(op)
        if op.results:
            made.name_hint = op.results[0].name_hint
            self.env[op.results[0]] = made

    def _check_filled(
        self, op: Operation, mixed: "Sequence[tuple[SSAValue, int]] | zip[tuple[SSAValue, int]]"
    ) -> None:
        for value, dim in mixed:
            name = span_names(value.type)[dim]
            if name is None:
                continue
            span = span_in_scope(op, name)
            if span is None or may_have_dead_lanes(span):
                fail(
                    op,
                    f"convert-tile-to-pallas: {op.name} mixes lanes of axis {name}, of which some may be "
                    "dead; run --materialize-masks first",
                )

    def _lanewise(self, op: Operation) -> SSAValue:
        if op.name.startswith("tile.") and not isinstance(op, SelectOp | CompareOp | CastOp):
            fail(op, f"convert-tile-to-pallas: {op.name} cannot stand in the body of a kernel")
        operands, kinds = [self.get(value) for value in op.operands], list(map(self.type_of, op.results))
        if _is_too_narrow(op):
            if isinstance(op, arith.MaxSIOp | arith.MinSIOp):  # of words it would be made a narrow one again
                greater = self.emit(CompareOp(Relation.GT, *operands))
                chosen = operands if isinstance(op, arith.MaxSIOp) else reversed(operands)
                return self._chosen(greater, *chosen, wide=True)
            operands = [self.emit(CastOp(value, i32)) for value in operands]
            kinds = [operands[0].type]
        made = op.create(
            operands=operands,
            result_types=kinds,
            properties=dict(op.properties),
            attributes=dict(op.attributes),
        )
        return self._narrowed(self.emit(made), op.results[0])

    def _narrowed(self, made: SSAValue, result: SSAValue) -> SSAValue:
        """What was computed in words as the element type of a result, of which it has the low bits."""
        element = element_type(result.type)
        return made if element_type(made.type) == element else self.emit(CastOp(made, element))

    def _indices(self, op: IndicesOp) -> SSAValue:
        shape = self.shape(op.result)
        lanes = self.emit(pallas.IotaOp(list(shape), 0 if shape[0] != 1 else 1))
        start = self.scalars.value_of(self.scalars.span(op.span).start)
        first = self.scalars.build.insert(arith.IndexCastOp(start, i32))
        wide = self.emit(BroadcastOp(first, [], self.type_of(op.result)))
        return self.emit(arith.AddiOp(lanes, wide))

    def _reduce(self, op: ReduceOp) -> SSAValue:
        dims, rank = list(ints_of(op.dims)), len(shape_of(op.value.type))
        value = self.thin(op.value) if rank == 1 else self.get(op.value)
        if rank == 1:
            dims = [0, 1]
        if element_type(op.value.type) == i1:
            return self._reduce_bools(op, value, dims)
        if element_type(op.value.type) in (i8, i16):
            value = self.emit(CastOp(value, i32))
        if op.kind.data not in REDUCED_AT_ONCE:
            made = fold(self.emit, op.kind.data, value, dims)
            if not shape_of(op.result.type):  # one lane is left, of which a sum makes a scalar
                made = self.emit(ReduceOp(Combine.ADD, made, list(range(len(shape_of(made.type))))))
        else:
            kept = rows_of_chains(op.value) if dims == [0] else None
            if kept is not None:
                rows, columns = shape_of(value.type)
                chains = self._reshape(value, (rows // kept, kept, columns))
                value = self.emit(ReduceOp(op.kind.data, chains, [0]))
            made = self.emit(ReduceOp(op.kind.data, value, dims))
        made = self._shaped(made, op.result) if shape_of(op.result.type) else made
        return self._narrowed(made, op.result)

    def _reduce_bools(self, op: ReduceOp, value: SSAValue, dims: list[int]) -> SSAValue:
        """Whether all hold is the least of ones and zeros, whether any does the largest, and an odd number of
        them their sum. Those are of f32, of which the TPU has such reductions in one instruction."""
        numbers = self.emit(CastOp(value, f32))
        made = self.emit(ReduceOp(_OF_ONES[op.kind.data], numbers, dims))
        if shape_of(op.result.type):  # an i1 has no layout to reshape
            made = self._shaped(made, op.result)
        if op.kind.data in (Combine.XOR, Combine.ADD):
            whole = self.emit(CastOp(made, i32))
            one = self.emit(SplatOp(1, whole.type))
            made = self.emit(arith.AndIOp(whole, one))
        return self.emit(CastOp(made, i1))

    def _shaped(self, made: SSAValue, result: SSAValue) -> SSAValue:
        """The lanes of a result, as a reduction or a reshape has them, in the shape that it is held in."""
        if len(shape_of(result.type)) != 1:
            return self._reshape(made, self.shape(result))
        size = shape_of(result.type)[0]
        if not self.orientation.is_column(result):
            return self._reshape(made, (1, size))
        return self.widened(self._reshape(made, (size, 1)), result)

    def _broadcast(self, op: BroadcastOp) -> SSAValue:
        dims, target = ints_of(op.dims), self.type_of(op.result)
        rank = len(shape_of(target))
        if not dims:
            return self.emit(BroadcastOp(self.get(op.value), [], target))
        if len(shape_of(op.value.type)) != 1:
            if element_type(target) == i1 and dims[-1] != rank - 1:  # libtpu dies of a mask with new lanes
                wide = self.emit(BroadcastOp(self._flat(op.value), dims, with_element(target, i32)))
                return self.emit(CastOp(wide, i1))
            return self.emit(BroadcastOp(self.get(op.value), dims, target))
        (dim,) = dims
        if dim == rank - 2 == 0 and self.orientation.is_wide(op.value):
            return self._broadcast_wide(self.get(op.value), target)
        if dim == rank - 2 == 0 and self._turns_whole(op):
            lying = value_type(element_type(target), (LANES, shape_of(target)[0]), [None, None])
            rows = self.emit(BroadcastOp(self.thin(op.value), [0, 1], lying))
            return self._broadcast_wide(self.emit(TransposeOp(rows, [1, 0])), target)
        if len(shape_of(op.result.type)) == 1:  # a row or column of one lane
            value = self.thin(op.value)
        elif dim == rank - 1:
            value = self.lying(op.value, column=False)
        else:
            value = self.lying(op.value, column=True)
            if dim != rank - 2:
                size = shape_of(op.value.type)[0]
                value = self._reshape(value, tuple(size if i == dim else 1 for i in range(rank)))
        last = list(range(rank))[-len(shape_of(value.type)) :]
        return self.emit(BroadcastOp(value, last, target))

    def _turns_whole(self, op: BroadcastOp) -> bool:
        """Whether a row that is to be a column in all lanes is repeated before it is turned.

        Registers full of it are turned as quickly as a row in each, and there is nothing left to repeat.

        Measured for 256 f32 in 128 lanes on v5e, beside a product: 450 bundles of 1,170 less.
        """
        shape, words = shape_of(op.result.type), byte_width(element_type(op.result.type)) == WORD
        whole = len(shape) == 2 and not any(extent % LANES for extent in shape)
        return words and whole and not self.orientation.is_column(op.value)

    def _broadcast_wide(self, value: SSAValue, target: Attribute) -> SSAValue:
        """A column that is held in all lanes, over more or fewer lanes."""
        lanes, wanted = shape_of(value.type)[1], shape_of(target)[1]
        if wanted < lanes:
            return self.emit(SliceOp(value, 1, 0, wanted))
        if wanted % lanes:
            return self.emit(BroadcastOp(self.emit(SliceOp(value, 1, 0, 1)), [0, 1], target))
        copies = [value] * (wanted // lanes)
        return value if len(copies) == 1 else self.emit(ConcatenateOp(copies, 1))

    def _fill(self, op: FillOp) -> SSAValue:
        if not may_have_dead_lanes(op.span):
            return self.get(op.value)
        target = self.type_of(op.result)
        value, other = self.get(op.value), self.get(op.other)
        live = self._live(op, shape_of(target))
        if element_type(target) == i1 and linear(op.other).literal == 0:
            return self.emit(arith.AndIOp(live, value))
        if not shape_of(other.type):
            other = self.emit(BroadcastOp(other, [], target))
        return self._chosen(live, value, other, wide=self._has_few_rows(op.value))

    def _select(self, op: SelectOp) -> SSAValue:
        condition, value, other = op.operands
        # The TPU compiler makes a choice of the lesser one a minimum, and then has none of narrow integers.
        compared = isinstance(condition.owner, CompareOp) and condition.owner.lhs.type == value.type
        narrow = compared and not isinstance(element_type(value.type), AnyFloat)
        few = self._has_few_rows(value, other)
        return self._chosen(self.get(condition), self.get(value), self.get(other), wide=narrow or few)

    def _has_few_rows(self, *values: SSAValue) -> bool:
        """Whether one of some values of one shape has few rows where it comes from: an array may have fewer
        than its block.

        The TPU compiler finds no layout for masks of few rows of narrow elements that vary along lanes.
        Source: measured on arrays of 1 to 20 rows and 100 to 1024 columns of 8 and 16 bits.
        """
        rows = [self.shape(values[0])[-2]]
        for value in values:
            window = value.owner.ref.owner if isinstance(value.owner, GetOp) else None
            if isinstance(window, WindowOp):
                rows += shape_of(window.array.type)[-2:-1]
        return min(extent for extent in rows if extent != UNBOUND) <= _FEW_ROWS

    def _chosen(self, condition: SSAValue, value: SSAValue, other: SSAValue, *, wide: bool) -> SSAValue:
        """A choice by a mask, made in 32 bits where it has to be `wide`."""
        element = element_type(value.type)
        if element == i1:  # a choice between masks has no layout on a TPU
            differs = self.emit(arith.XOrIOp(value, other))
            return self.emit(arith.XOrIOp(other, self.emit(arith.AndIOp(condition, differs))))
        if byte_width(element) == WORD or not wide:
            return self.emit(SelectOp(condition, value, other))
        word = f32 if isinstance(element, AnyFloat) else i32
        made = SelectOp(condition, self.emit(CastOp(value, word)), self.emit(CastOp(other, word)))
        return self.emit(CastOp(self.emit(made), element))

    def _live(self, op: FillOp, shape: tuple[int, ...]) -> SSAValue:
        """Which lanes of a value of this shape are live along the span's dimension."""
        dim = (
            op.dim if len(shape_of(op.value.type)) > 1 else (0 if self.orientation.is_column(op.value) else 1)
        )
        thin = [size if i == dim else 1 for i, size in enumerate(shape)]
        parts, build, name = self.scalars.span(op.span), self.scalars.build, op.span.name_hint or "span"
        lanes = self._named(pallas.IotaOp(thin, dim), f"{name}_lanes")
        stop = build.sub(parts.end, parts.start)
        live = self.compared(Relation.LT, lanes, stop, f"{name}_stop")
        live.name_hint = f"{name}_live"
        if parts.begin is not parts.start and parts.begin != parts.start and begins_inside(op.span):
            skip = build.sub(parts.begin, parts.start)
            begun = self.compared(Relation.GE, lanes, skip, f"{name}_skip")
            begun.name_hint = f"{name}_begun"
            live = self._named(arith.AndIOp(begun, live), f"{name}_live")
        mask = value_type(i1, shape, [None] * len(shape))
        return self._named(BroadcastOp(live, list(range(len(shape))), mask), f"{name}_mask")

    def _named(self, op: Operation, name: str) -> SSAValue:
        made = self.emit(op)
        made.name_hint = name
        return made

    def compared(self, relation: Relation, lanes: SSAValue, bound: Index, name: str) -> SSAValue:
        """How lanes that are numbered compare with a bound, which is called `name`."""
        if isinstance(bound, SSAValue) and bound.name_hint is None:
            bound.name_hint = name
        scalar = self.scalars.build.insert(arith.IndexCastOp(self.scalars.value_of(bound), i32))
        scalar.name_hint = name
        return self.emit(CompareOp(relation, lanes, self.emit(BroadcastOp(scalar, [], lanes.type))))

    def _transpose(self, op: TransposeOp) -> SSAValue:
        value = self.get(op.value)
        return value if len(shape_of(op.value.type)) == 1 else self.emit(TransposeOp(value, ints_of(op.perm)))

    def _moved(self, op: ReshapeOp | SliceOp | ConcatenateOp | StridedSliceOp | InterleaveOp) -> SSAValue:
        """Lanes at other places, masks as words, of which libtpu has no unaligned parts."""
        along = len(shape_of(op.result.type)) == 1  # rank 1 lies in lanes
        match op:
            case ReshapeOp():
                return self._shaped(self._flat(op.value), op.result)
            case SliceOp():
                dim, begin, size = op.numbers
                return self.emit(SliceOp(self._flat(op.value), dim + along, begin, size))
            case ConcatenateOp():
                return self.emit(
                    ConcatenateOp([self._flat(value) for value in op.values], op.dim.value.data + along)
                )
            case StridedSliceOp():
                return strided_slice(self.emit, self._flat(op.value), *op.numbers)
            case InterleaveOp():
                return interleave(self.emit, [self._flat(value) for value in op.values])

    def _flat(self, value: SSAValue) -> SSAValue:
        """A value for an operation that takes rank 1 as a row."""
        found = self.lying(value, column=False) if len(shape_of(value.type)) == 1 else self.get(value)
        return self.emit(CastOp(found, i32)) if element_type(value.type) == i1 else found

    def _reshape(self, value: SSAValue, shape: tuple[int, ...]) -> SSAValue:
        if shape_of(value.type) == shape:
            return value
        return self.emit(ReshapeOp(value, value_type(element_type(value.type), shape, [None] * len(shape))))

    def _scan(self, op: ScanOp) -> SSAValue:
        dim = op.dim.value.data
        if len(shape_of(op.value.type)) == 1:
            dim = 0 if self.orientation.is_column(op.value) else 1
        return scan(self.emit, op.kind.data, self.get(op.value), dim, reverse=op.reverse is not None)


def _is_too_narrow(op: Operation) -> bool:
    """Whether the TPU compiler has an operation of integers for words only, and not for elements of 8 or 16
    bits: of these it has those of single bits, and of 16 sums, differences and products."""
    if not isinstance(op, arith.SignlessIntegerBinaryOperation):
        return False
    element = element_type(op.result.type)
    had = _OF_BITS if element == i8 else (*_OF_BITS, arith.AddiOp, arith.SubiOp, arith.MuliOp)
    return element in (i8, i16) and not isinstance(op, had)


def begins_inside(span: SSAValue) -> bool:
    """Whether a tile may hold lanes before the span's begin."""
    owner = span.owner
    return isinstance(owner, Operation) and owner.properties.get("aligned") is not None
