"""Steps that can be done in strips: products, a statistic of each row, and products with what comes of it.

Such a step has two parts. The first makes scores, a product of rows and columns, and what is known of a row
of them, as its maximum. The second needs that for each score. So the matrix units work in the first part, the
vector units in the second. Rows do not meet: the second part of some can go with the first of others.

Columns may be dead, the last ones: what mixes them fills them before, and does nothing with those alone.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from xdsl.dialects import arith
from xdsl.dialects.builtin import IntegerType, TensorType, f32
from xdsl.ir import Operation, SSAValue

from tilec.analysis.affine import axis_bounds, begins_on_a_tile, linear
from tilec.analysis.lanes import may_have_dead_lanes
from tilec.analysis.ranges import Range, Ranges
from tilec.dialects.tile.elementwise import CastOp, is_lanewise
from tilec.dialects.tile.locals import is_local
from tilec.dialects.tile.mixing import Combine, FillOp, ReduceOp, identity
from tilec.dialects.tile.numbered import SpanOp
from tilec.dialects.tile.places import GetOp, SetOp
from tilec.dialects.tile.products import DotOp
from tilec.dialects.tile.schedule import Loop, PipelineOp, WindowOp
from tilec.dialects.tile.syntax import ints_of, scalar_of
from tilec.dialects.tile.types import RefType, element_type, shape_of, span_names, span_of
from tilec.dialects.tile.values import BroadcastOp, IndicesOp, SplatOp

Names = tuple[str | None, ...]


@dataclass(frozen=True)
class Strips:
    """A step that can be done in strips of `rows`, each in parts of `cols`: both spans, the first with whole
    tiles, the second with the only tile of its range, of which `live` are how many columns are live.

    `first` and `second` are the operations of the parts, in order, `kept` the scores that the second part
    needs of the first, and `known` the values for each row that it needs. `anew` are those that follow from
    positions alone, and are computed where they are wanted. `kinds` has the dimensions of each value, and
    which of them are rows and columns, filled ones too.
    """

    rows: SSAValue
    cols: SSAValue
    live: Range
    first: Sequence[Operation]
    second: Sequence[Operation]
    kept: Sequence[SSAValue]
    known: Sequence[SSAValue]
    anew: AbstractSet[Operation]
    kinds: Mapping[SSAValue, Names]


def strips_of(pipeline: PipelineOp) -> Strips | str:
    """How the steps of a pipeline can be done in strips, or why not."""
    ops = [op for op in pipeline.body.block.ops if not isinstance(op, WindowOp) and not _is_scalar(op)]
    products = [op for op in ops if isinstance(op, DotOp)]
    scores = next((op for op in products if None not in span_names(op.result.type)), None)
    if scores is None or pipeline.loop.data is not Loop.GRID or len(shape_of(scores.result.type)) != 2:
        return "they have no product of two axes, or are not those of a grid"
    names = span_names(scores.result.type)
    spans = [value for op in pipeline.body.block.ops for value in op.results if span_of(value)]
    rows, cols = (next((span for span in spans if name_of(span) == name), None) for name in names)
    if rows is None or cols is None or may_have_dead_lanes(rows) or not begins_on_a_tile(cols):
        return "the axes of their first product have partial tiles, or none"
    live = _live(cols)
    if live is None:
        return "columns take several steps"
    step = _Step(rows, cols)
    strange = next((op for op in ops if not step.fits(op)), None)
    if strange is not None:
        return f"they have a {strange.name} that is not done for some rows and columns alone"
    return step.parted(ops, live)


def _is_scalar(op: Operation) -> bool:
    """Whether an operation makes indices, spans or scalars of such."""
    kinds = [value.type for value in (*op.operands, *op.results)]
    tiles = any(isinstance(each, TensorType | RefType) for each in kinds)
    return bool(op.results) and not op.regions and not tiles


def name_of(span: SSAValue) -> str:
    """The axis of a span."""
    kind = span_of(span)
    assert kind is not None
    return kind.axis


def size_of(span: SSAValue) -> int:
    """The lanes of a span."""
    kind = span_of(span)
    assert kind is not None
    return kind.size


def _live(span: SSAValue) -> Range | None:
    """How many lanes of the tile of a range are live, if it is the range's only one."""
    bounds, maker, size = axis_bounds(span), span.owner, size_of(span)
    if bounds is None:
        return None
    literal = (linear(bounds.end) - linear(bounds.begin)).literal
    ranges = Ranges()
    live = Range(0, literal) if literal is not None else ranges.of(bounds.end) - ranges.of(bounds.begin)
    is_only = not isinstance(maker, SpanOp) or linear(maker.index).literal == 0
    return live if is_only and live.low is not None and live.high is not None and live.high <= size else None


class _Step:
    """The operations of a step, of which each is asked in order whether it fits."""

    def __init__(self, rows: SSAValue, cols: SSAValue):
        self.rows, self.cols = rows, cols
        self.names = (name_of(rows), name_of(cols))
        self.kinds: dict[SSAValue, Names] = {}
        self.anew: set[Operation] = set()

    def fits(self, op: Operation) -> bool:
        """Whether an operation can be done for some rows and some columns alone, as all before it are."""
        kinds = [self.kinds.get(value, ()) for value in op.operands if isinstance(value.type, TensorType)]
        for value in op.results:
            self.kinds[value] = span_names(value.type)
        if isinstance(op, FillOp) or is_lanewise(op):
            self.kinds[op.results[0]] = kinds[0] if kinds else ()
        if self._is_anew(op):
            self.anew.add(op)
        return self._fits(op, kinds, [self.kinds[value] for value in op.results])

    def _fits(self, op: Operation, kinds: Sequence[Names], made: Sequence[Names]) -> bool:
        rows, cols = names = self.names
        match op:
            case GetOp():
                return _fits_window(op.ref) and made[0] in ((rows, None), (cols, None))
            case SetOp():
                return _fits_window(op.ref) and kinds == [(rows, None)] and op.mask is None
            case DotOp() if made == [names]:
                return is_loaded(op.lhs) and is_loaded(op.rhs) and op.acc is None
            case DotOp():
                plain = kinds[:2] == [names, (cols, None)] and op.contracted == (1, 0)
                zero = all(self._is_neutral(value, 0.0) for value in op.operands[:2])
                return plain and zero and is_loaded(op.rhs) and made == [(rows, None)]
            case ReduceOp():
                known = op.kind.data in (Combine.ADD, Combine.MAX, Combine.MIN)
                floats = known and element_type(op.result.type) == f32
                neutral = floats and self._is_neutral(op.value, identity(op.kind.data, f32))
                return neutral and kinds == [names] and ints_of(op.dims) == (1,)
            case FillOp():
                fits = kinds[0] == names or isinstance(op.value.owner, GetOp)
                return op.span is self.cols and len(kinds) == 1 and fits
            case BroadcastOp():
                known = [((), kinds == []), ((0,), kinds == [(rows,)]), ((1,), kinds == [(cols,)])]
                return (ints_of(op.dims), True) in known and made[0] in (names, (rows, None))
            case SplatOp():
                return made[0] in (names, (rows,), (rows, None))
            case IndicesOp():
                return made[0] in ((rows,), (cols,))
            case _ if is_lanewise(op):
                alike = len(kinds) == len(op.operands) and all(each == made[0] for each in kinds)
                return bool(made[0]) and alike and not any(map(is_loaded, op.operands))
            case _:
                return False

    def _is_neutral(self, value: SSAValue, neutral: float) -> bool:
        """Whether columns that are not live, if there are any, hold what sums and maxima ignore."""
        if not may_have_dead_lanes(self.cols):
            return True
        match value.owner:
            case FillOp(other=other):
                return isinstance(other.owner, arith.ConstantOp) and scalar_of(other.owner.value) == neutral
            case CastOp() | arith.AddfOp() | arith.SubfOp() as op:
                return neutral == 0 and all(self._is_neutral(operand, neutral) for operand in op.operands)
            case _:
                return False

    def _is_anew(self, op: Operation) -> bool:
        """Whether an operation follows from positions and scalars alone."""
        if isinstance(op, SplatOp | IndicesOp):
            return True
        made = (value.owner in self.anew for value in op.operands if isinstance(value.type, TensorType))
        return (isinstance(op, BroadcastOp) or is_lanewise(op)) and all(made)

    def parted(self, ops: Sequence[Operation], live: Range) -> Strips | str:
        """Tell the parts by what has to wait until all columns of a row are known."""
        waits: dict[SSAValue, int] = {}
        number: dict[Operation, int] = {}
        ops = [op for op in ops if op not in self.anew and not any(map(is_loaded, op.results))]
        for op in ops:
            tiles = [value for value in op.operands if value in waits]
            number[op] = max((waits[value] for value in tiles), default=0)
            over = isinstance(op, ReduceOp) or (isinstance(op, DotOp) and op.contracted == (1, 0))
            for value in op.results:
                waits[value] = number[op] + over
        chunked = [op for op in ops if self._has_columns(op)]
        products = {number[op] for op in ops if isinstance(op, DotOp)}
        if {number[op] for op in chunked} != {0, 1} or products == {0}:
            return "they do not have two parts with products"
        first = [op for op in chunked if number[op] == 0]
        second = [op for op in ops if op not in first]
        needed = dict.fromkeys(value for op in second for value in op.operands if value.owner in first)
        if any(isinstance(element_type(value.type), IntegerType) for value in needed):
            return "their second part needs integers, or masks, of the first"
        kept = [value for value in needed if self.names[1] in self.kinds[value]]
        known = [value for value in needed if value not in kept]
        return Strips(self.rows, self.cols, live, first, second, kept, known, self.anew, self.kinds)

    def _has_columns(self, op: Operation) -> bool:
        return any(self.names[1] in self.kinds.get(value, ()) for value in (*op.operands, *op.results))


def is_loaded(value: SSAValue) -> bool:
    """Whether a value is what a window holds, filled where its lanes are dead or not."""
    owner = value.owner
    return isinstance(owner, GetOp) or (isinstance(owner, FillOp) and isinstance(owner.value.owner, GetOp))


def _fits_window(ref: SSAValue) -> bool:
    """Whether the block of a window is the tile, of the last two dimensions of an array."""
    window = ref.owner
    if not isinstance(window, WindowOp) or window.fetch is not None or is_local(window.array):
        return False
    kept = [number for number, dim in enumerate(window.window) if dim.kept]
    return kept == [len(window.window) - 2, len(window.window) - 1]
