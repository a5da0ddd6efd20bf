"""Steps that can be done in strips: products, a statistic of each row, and products with what comes of it.

Such a step has two parts. The first makes scores, a product of rows and columns, and what is known of a row
of them, as its maximum. The second needs that for each score. So the matrix units work in the first part, the
vector units in the second. Rows do not meet: the second part of some can go with the first of others.

Columns may be dead: what mixes them fills them before. A step may also do what has rows alone, under other
conditions, and keep sums of rows in scratch for the steps after it.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from xdsl.dialects import arith, scf
from xdsl.dialects.builtin import IntegerType, TensorType, f32
from xdsl.ir import Operation, SSAValue

from tilec.analysis.affine import axis_bounds, begins_on_a_tile, ends_in, linear
from tilec.analysis.lanes import may_have_dead_lanes, moves_freely
from tilec.analysis.ranges import Range, Ranges
from tilec.analysis.strip_masks import Alike, Mask, masks_of, size_of
from tilec.dialects.tile.bound import BoundOp, Side
from tilec.dialects.tile.elementwise import CastOp, CompareOp, is_lanewise
from tilec.dialects.tile.locals import is_local
from tilec.dialects.tile.mixing import Combine, FillOp, ReduceOp, identity
from tilec.dialects.tile.numbered import SpanOp
from tilec.dialects.tile.places import GetOp, ScratchOp, SetOp, held_type
from tilec.dialects.tile.products import DotOp
from tilec.dialects.tile.schedule import Loop, PipelineOp, WindowOp
from tilec.dialects.tile.syntax import ints_of, scalar_of
from tilec.dialects.tile.types import RefType, element_type, shape_of, span_names, span_of
from tilec.dialects.tile.values import BroadcastOp, IndicesOp, SplatOp

Names = tuple[str | None, ...]
FEW_PARTS = 16
"""Parts of a step that are written out one by one: 1024 x 1024 in parts of 256 x 256."""
AHEAD = 2
"""Strips between that whose first part is done and that whose second part is, where they are written out."""


@dataclass(frozen=True)
class Section:
    """Operations that a step does under a condition, or always: each for some rows as for all."""

    condition: SSAValue | None
    ops: Sequence[Operation]


@dataclass(frozen=True)
class Strips:
    """A step that can be done in strips of `rows`, each in parts of `cols`: both spans. Where the second has
    the only tile of its range, `live` are how many columns are live.

    All of this is done under `condition`, if there is one, between the sections `before` and `after`, which
    have rows alone. `first` and `second` are the operations of the parts, in order, `kept` the scores that
    the second part needs of the first, with those that it gets for them, filled where columns are dead, and
    `known` the values for each row that it needs. `anew` are those that follow from positions alone, and are
    computed where they are wanted. `filled` are fills of what is so already. `kinds` has the dimensions of
    each value, and which of them are rows and columns, filled ones too. `masks` are the comparisons of rows
    with columns. Where one in `vanishing` does not hold for any columns after a strip, there is nothing to
    do: columns end with the tile of rows, and would with the strip if that was the tile.
    """

    rows: SSAValue
    cols: SSAValue
    live: Range | None
    condition: SSAValue | None
    before: Sequence[Section]
    after: Sequence[Section]
    first: Sequence[Operation]
    second: Sequence[Operation]
    kept: Mapping[SSAValue, SSAValue]
    known: Sequence[SSAValue]
    anew: AbstractSet[Operation]
    filled: AbstractSet[Operation]
    masks: Sequence[Mask]
    vanishing: AbstractSet[CompareOp]
    kinds: Mapping[SSAValue, Names]

    def is_written_out(self, rows: int, cols: int) -> bool:
        """Whether strips of so many rows are done without a loop: of few parts of so many columns."""
        return size_of(self.rows) // rows * (size_of(self.cols) // cols) <= FEW_PARTS

    def holds_everywhere(self, offset: Range) -> bool:
        """Whether all masks hold in all of a tile whose first row lies so far after its first column."""
        after = offset + Range(low=1 - size_of(self.cols), high=size_of(self.rows) - 1)
        return all(mask.holds(after.low, after.high) for mask in self.masks)

    def columns_kept(self, rows: int, cols: int) -> int:
        """Of how many columns scores are kept: of strips, if they are done without a loop, that are ahead."""
        return size_of(self.cols) * (AHEAD if self.is_written_out(rows, cols) else 1)


def strips_of(pipeline: PipelineOp) -> Strips | str:
    """How the steps of a pipeline can be done in strips, or why not."""
    sections = _sections(pipeline)
    if isinstance(sections, str):
        return sections
    products = [op for section in sections for op in section.ops if isinstance(op, DotOp)]
    scores = next((op for op in products if None not in span_names(op.result.type)), None)
    if scores is None or pipeline.loop.data is not Loop.GRID or len(shape_of(scores.result.type)) != 2:
        return "they have no product of two axes, or are not those of a grid"
    names = span_names(scores.result.type)
    spans = [value for op in pipeline.body.block.ops for value in op.results if span_of(value)]
    rows, cols = (next((span for span in spans if name_of(span) == name), None) for name in names)
    if rows is None or cols is None:
        return "the axes of their first product have no tiles"
    step = _Step(rows, cols)
    strange = next((op for section in sections for op in section.ops if not step.fits(op)), None)
    if strange is not None:
        return f"they have a {strange.name} that is not done for some rows and columns alone"
    main = [section for section in sections if any(isinstance(op, DotOp) for op in section.ops)]
    if len(main) != 1 or any(map(step.has_columns, (op for s in sections if s not in main for op in s.ops))):
        return "columns are not those of one condition"
    if not all(map(step.stands_alone, sections)):
        return "one condition needs what was made under another"
    return step.parted(sections, sections.index(main[0]))


def _sections(pipeline: PipelineOp) -> list[Section] | str:
    """What the steps of a pipeline do, by conditions."""
    found: list[Section] = []
    always: list[Operation] = []
    for op in pipeline.body.block.ops:
        if isinstance(op, scf.IfOp):
            if op.results or op.false_region.blocks:
                return "a condition makes values, or has two sides"
            found += [Section(None, always)] if always else []
            always = []
            found.append(Section(op.cond, _tile_ops(op.true_region.block.ops)))
        else:
            always += _tile_ops([op])
    return [*found, Section(None, always)] if always else found


def _tile_ops(ops: Iterable[Operation]) -> list[Operation]:
    """Operations but for those of scalars, of which each is computed where it is used."""
    placed = (WindowOp, ScratchOp, scf.YieldOp)
    return [op for op in ops if not isinstance(op, placed) and not _is_scalar(op)]


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


def _live(span: SSAValue) -> Range | None:
    """How many lanes of the tile of a range are live, if it is the range's only one."""
    bounds, maker, size = axis_bounds(span), span.owner, size_of(span)
    if bounds is None:
        return None
    literal = (linear(bounds.end) - linear(bounds.begin)).literal
    ranges = Ranges()
    live = Range(0, literal) if literal is not None else ranges.of(bounds.end) - ranges.of(bounds.begin)
    is_only = not isinstance(maker, SpanOp) or linear(maker.index).literal == 0
    known = is_only and begins_on_a_tile(span) and live.low is not None
    return live if known and live.high is not None and live.high <= size else None


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
        if isinstance(op, GetOp):
            self.kinds[op.result] = span_names(held_type(op.ref))
        if isinstance(op, FillOp) or is_lanewise(op):
            self.kinds[op.results[0]] = kinds[0] if kinds else ()
        if self._is_anew(op):
            self.anew.add(op)
        return self._fits(op, kinds, [self.kinds[value] for value in op.results])

    def _fits(self, op: Operation, kinds: Sequence[Names], made: Sequence[Names]) -> bool:
        rows, cols = names = self.names
        match op:
            case GetOp():
                known = [(rows, None), (rows,)] if is_scratch(op.ref) else [(rows, None), (cols, None)]
                return _fits_place(op.ref) and made[0] in known and op.at is None
            case SetOp():
                known = [(rows, None), (rows,)] if is_scratch(op.ref) else [(rows, None)]
                plain = op.mask is None and op.at is None and not is_loaded(op.value)
                return _fits_place(op.ref) and plain and bool(kinds) and kinds[0] in known
            case DotOp() if made == [names]:
                return is_loaded(op.lhs) and is_loaded(op.rhs) and op.acc is None
            case DotOp():
                plain = kinds[:2] == [names, (cols, None)] and op.contracted == (1, 0)
                zero = all(self._is_neutral(value, 0.0) for value in op.operands[:2])
                added = op.acc is None or not is_loaded(op.acc)
                return plain and zero and added and is_loaded(op.rhs) and made == [(rows, None)]
            case ReduceOp():
                known = op.kind.data in (Combine.ADD, Combine.MAX, Combine.MIN)
                floats = known and element_type(op.result.type) == f32
                neutral = floats and self._is_neutral(op.value, identity(op.kind.data, f32))
                return neutral and kinds == [names] and ints_of(op.dims) == (1,)
            case FillOp() if op.span is self.rows:
                return kinds == [(rows, None)] * 2 and not any(map(is_loaded, op.operands))
            case FillOp():
                fits = kinds == [names] or (isinstance(op.value.owner, GetOp) and kinds == [(cols, None)])
                return op.span is self.cols and isinstance(op.other.owner, arith.ConstantOp) and fits
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

    def stands_alone(self, section: Section) -> bool:
        """Whether a section needs of the others no more than what is loaded or computed where it is wanted,
        and no scratch that it has set before."""
        made = {value for op in section.ops for value in op.results}
        was_set: set[SSAValue] = set()
        for op in section.ops:
            for value in op.operands:
                known = value in made or is_loaded(value) or value.owner in self.anew
                if isinstance(value.type, TensorType) and not known:
                    return False
            if isinstance(op, GetOp) and op.ref in was_set:
                return False
            if isinstance(op, SetOp):
                was_set.add(op.ref)
        return True

    def parted(self, sections: Sequence[Section], main: int) -> Strips | str:
        """Tell the parts by what has to wait until all columns of a row are known.

        What scratch holds is for the second part.
        """
        waits: dict[SSAValue, int] = {}
        number: dict[Operation, int] = {}
        others = [self._computed(section) for section in sections]
        ops = others[main].ops
        for op in ops:
            tiles = [value for value in op.operands if value in waits]
            number[op] = max((waits[value] for value in tiles), default=int(isinstance(op, GetOp)))
            over = isinstance(op, ReduceOp) or (isinstance(op, DotOp) and op.contracted == (1, 0))
            for value in op.results:
                waits[value] = number[op] + over
        chunked = [op for op in ops if self.has_columns(op)]
        products = {number[op] for op in ops if isinstance(op, DotOp)}
        if {number[op] for op in chunked} != {0, 1} or products == {0}:
            return "they do not have two parts with products"
        if not any(isinstance(op, ReduceOp) for op in chunked if number[op] == 0):
            return "nothing waits for all columns of a row"
        first = [op for op in chunked if number[op] == 0]
        second = [op for op in ops if op not in first]
        needed = dict.fromkeys(value for op in second for value in op.operands if value.owner in first)
        if any(isinstance(element_type(value.type), IntegerType) for value in needed):
            return "their second part needs integers, or masks, of the first"
        kept = {value: value for value in needed if self.names[1] in self.kinds[value]}
        known = [value for value in needed if value not in kept]
        fills = [op for op in first if isinstance(op, FillOp) and op.value in kept and op.result not in kept]
        kept |= {op.value: op.result for op in fills}
        dead = Alike({op.value: _literal(op) for op in fills if kept[op.value] is op.result})
        filled = {op for op in second if isinstance(op, FillOp) and dead.of(op.result) is not None}
        masks = masks_of(self.anew, self.rows, self.cols)
        follow = self._columns_end_with_rows()
        vanishing = {each.op for each in masks if follow and Alike({each.op.result: 0}).adds_nothing(ops)}
        return Strips(
            self.rows,
            self.cols,
            _live(self.cols),
            sections[main].condition,
            others[:main],
            others[main + 1 :],
            first,
            second,
            kept,
            known,
            self.anew,
            filled,
            masks,
            vanishing,
            self.kinds,
        )

    def _columns_end_with_rows(self) -> bool:
        """Whether the range of columns ends where the tile of rows does."""
        bounds = axis_bounds(self.cols)
        ends = [] if bounds is None else [end for end in ends_in(bounds) if isinstance(end, SSAValue)]
        found = [end.owner for end in ends if isinstance(end.owner, BoundOp)]
        return any(each.span is self.rows and each.side.data is Side.END for each in found)

    def _computed(self, section: Section) -> Section:
        """A section without what is loaded or computed where it is wanted."""
        ops = [op for op in section.ops if op not in self.anew and not any(map(is_loaded, op.results))]
        return Section(section.condition, ops)

    def has_columns(self, op: Operation) -> bool:
        """Whether an operation is done for each part of the columns."""
        return any(self.names[1] in self.kinds.get(value, ()) for value in (*op.operands, *op.results))


def _literal(op: FillOp) -> float:
    assert isinstance(op.other.owner, arith.ConstantOp)
    return scalar_of(op.other.owner.value)


def is_scratch(ref: SSAValue) -> bool:
    """Whether a reference is to what steps keep."""
    return isinstance(ref.owner, ScratchOp)


def is_loaded(value: SSAValue) -> bool:
    """Whether a value is what a window holds, filled where its lanes are dead or not."""
    owner = value.owner
    if isinstance(owner, FillOp):
        owner = owner.value.owner
    return isinstance(owner, GetOp) and owner.raw is None and isinstance(owner.ref.owner, WindowOp)


def _fits_place(ref: SSAValue) -> bool:
    """Whether a place is scratch, or a window whose block is the tile, of the last two dimensions."""
    window = ref.owner
    if not isinstance(window, WindowOp):
        return True
    if window.fetch is not None or window.clipped is not None or is_local(window.array):
        return False
    dims = [dim for dim in window.window if dim.kept]
    plain = all(dim.full or (dim.shift == 0 and not moves_freely(dim)) for dim in dims)
    kept = [number for number, dim in enumerate(window.window) if dim.kept]
    return plain and kept == [len(window.window) - 2, len(window.window) - 1]
