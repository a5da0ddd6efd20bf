"""An index axis of a grid as a tile axis: what one item does, for a tile of items at once.

The reverse of `one_lane`. What depends on the item gets a dimension in front, one lane for each item of the
tile; indices become i32. Sums over the rows of the item's segment become products: of a matrix that says
which row is whose with the rows of all items of the tile, which lie between the first one's begin and the
last one's end.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

from xdsl.dialects import arith, scf
from xdsl.dialects.arith import CMPF_COMPARISON_OPERATIONS, CMPI_COMPARISON_OPERATIONS
from xdsl.dialects.builtin import IndexType, i1, i32
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.rewriter import Rewriter

from tilec.analysis.affine import Linear, linear
from tilec.diagnostics import where
from tilec.dialects.tile.access import AccessOp, Dim
from tilec.dialects.tile.arrays import LoadOp, SegmentOp, StoreOp
from tilec.dialects.tile.bound import BoundOp, Side
from tilec.dialects.tile.elementwise import CastOp, CompareOp, Relation, SelectOp, is_lanewise
from tilec.dialects.tile.loops import ForOp, GridOp, YieldOp
from tilec.dialects.tile.mixing import ReduceOp
from tilec.dialects.tile.syntax import Bounds, ints_of
from tilec.dialects.tile.types import (
    UNBOUND,
    SpanType,
    element_type,
    shape_of,
    span_names,
    value_type,
    with_element,
)
from tilec.dialects.tile.values import BroadcastOp, IndicesOp, ReshapeOp, TransposeOp
from tilec.rewriting.index import IndexBuilder
from tilec.rewriting.item_sums import Refused, RowSums, hits_of_segments, sum_of_rows
from tilec.rewriting.nests import for_loop, grid_of

_RELATIONS = {
    **{"eq": Relation.EQ, "ne": Relation.NE, "slt": Relation.LT, "sle": Relation.LE},
    **{"sgt": Relation.GT, "sge": Relation.GE, "oeq": Relation.EQ, "une": Relation.NE},
    **{"olt": Relation.LT, "ole": Relation.LE, "ogt": Relation.GT, "oge": Relation.GE},
}


def tile_items(grid: GridOp, item: SSAValue, sums: dict[ForOp, RowSums], name: str) -> str | None:
    """Let a grid go through tiles, under `name`, of its index axis `item`; returns why not, where it cannot.

    `sums` are the loops over the rows of an item that only add them up.
    """
    work = _Items(grid, item, sums, name)
    try:
        made = work.grid()
    except Refused as refused:
        for op in chain.from_iterable(work.made):
            op.drop_all_references()
        return str(refused)
    Rewriter.replace_op(grid, made, [])
    return None


class _Items:
    """A grid for tiles of items."""

    def __init__(self, grid: GridOp, item: SSAValue, sums: dict[ForOp, RowSums], name: str):
        self.old, self.item, self.sums, self.name = grid, item, sums, name
        self.made: list[list[Operation]] = []
        self.build = self._builder()
        self.reductions = {each: found for found in sums.values() for each in found.reductions}
        self.hits: dict[RowSums, SSAValue] = {}
        self.env: dict[SSAValue, SSAValue] = {}
        """For values that all items share, those of the new grid."""
        self.wide: dict[SSAValue, SSAValue] = {}
        """For values of an item, those of the tile."""
        self.ranges: dict[SSAValue, tuple[SSAValue, SSAValue]] = {}
        """For begins and ends of an item's rows, those of the tile's."""

    def _builder(self) -> IndexBuilder:
        self.made.append([])
        return IndexBuilder(self.made[-1], self.old.location)

    def grid(self) -> GridOp:
        kinds = [SpanType(self.name) if v is self.item else v.type for v in self.old.body.block.args]
        body = self._block(self.old.body.block, kinds)
        return grid_of([axis.bounds for axis in self.old.axes], Region(body), self.old.location)

    def _block(self, old: Block, kinds: Sequence[Attribute]) -> Block:
        """A block without terminator that does for a tile of items what `old` does for one."""
        around, made = self.build, Block(arg_types=kinds)
        self.build = self._builder()
        for one, new in zip(old.args, made.args, strict=True):
            new.name_hint = one.name_hint
            (self.env if new.type == one.type or one is self.item else self.wide)[one] = new
        for op in old.ops:
            self.build.location = op.location
            if not isinstance(op, YieldOp | scf.YieldOp):
                self._lower(op)
        if isinstance(old.last_op, YieldOp):
            self.build.insert_all(
                YieldOp([self._wide(value) for value in old.last_op.values]), old.last_op.location
            )
        made.add_ops(self.build.ops)
        self.build = around
        return made

    def _lower(self, op: Operation) -> None:
        match op:
            case SegmentOp() if op.index is self.item:
                self._segment(op)
            case ReduceOp() if op in self.reductions:
                self._set(op.result, self._sum(op, self.reductions[op]))
            case _ if not self._touches(op):
                self._shared(op)
            case ForOp():
                self._loop(op)
            case scf.IfOp():
                self._if(op)
            case LoadOp():
                self._set(op.result, self._load(op))
            case StoreOp():
                self._store(op)
            case BroadcastOp() | ReshapeOp() | TransposeOp() | ReduceOp():
                self._set(op.result, self._shaped(op))
            case arith.IndexCastOp():
                self._set(op.result, self._cast_index(op))
            case _ if is_lanewise(op):
                self._set(op.results[0], self._lanewise(op))
            case _:
                raise Refused(f"{op.name} at {where(op)} is not done for several items at once")

    def _touches(self, op: Operation) -> bool:
        """Whether an operation, or one in it, depends on the item."""
        values = (value for inner in op.walk() for value in inner.operands)
        return any(value is self.item or value in self.wide for value in values)

    def _shared(self, op: Operation) -> None:
        """What is the same for all items."""
        writer = next((each for each in op.walk() if isinstance(each, AccessOp) and each.writes), None)
        if writer is not None:
            raise Refused(f"{writer.name} at {where(writer)} writes the same place for every item")
        self.build.insert_all(op.clone(self.env), op.location)

    def _set(self, old: SSAValue, new: SSAValue) -> None:
        new.name_hint = new.name_hint or old.name_hint
        self.wide[old] = new

    def _type(self, kind: Attribute) -> Attribute:
        """The type of a tile of values of a type."""
        element = i32 if isinstance(kind, IndexType) else element_type(kind)
        return value_type(element, [UNBOUND, *shape_of(kind)], [self.name, *span_names(kind)])

    def _wide(self, value: SSAValue) -> SSAValue:
        """A value for each item of the tile."""
        if value is self.item:
            return self.build.insert(IndicesOp(self.env[value]))
        if value in self.wide:
            return self.wide[value]
        shared, kind = self.env.get(value, value), self._type(value.type)
        if isinstance(shared.type, IndexType):
            shared = self.build.insert(arith.IndexCastOp(shared, i32))
        return self.build.insert(BroadcastOp(shared, range(1, len(shape_of(kind))), kind))

    # Segments and the sums over their rows

    def _segment(self, op: SegmentOp) -> None:
        """The range of all items of a tile, and the begins and ends of each."""
        build, span = self.build, self.env[self.item]
        first, last = (build.insert(BoundOp(side, span)) for side in (Side.BEGIN, Side.END))
        segment = SegmentOp(op.begins, first, op.ends, last)
        build.insert_all(segment, op.location)
        ends, _, shift = op.end_place
        for old, new, array, by in (
            (op.begin, segment.begin, op.begins, 0),
            (op.end, segment.end, ends, shift),
        ):
            new.name_hint = old.name_hint
            self._set(old, build.insert(LoadOp(array, [Dim(span, by)])))
        self.ranges[op.begin] = self.ranges[op.end] = (segment.begin, segment.end)

    def _loop(self, op: ForOp) -> None:
        bounds, sums = op.axis.bounds, self.sums.get(op)
        if sums is not None:
            bounds = Bounds(*self.ranges[sums.segment.begin])
        elif any(side is self.item or side in self.wide for side in op.bound_operands):
            raise Refused(
                f"tile.for at {where(op)} has another range for every item, and does not only add rows"
            )
        else:
            begin, end = (b if isinstance(b, int) else self.env.get(b, b) for b in (bounds.begin, bounds.end))
            bounds = replace(bounds, begin=begin, end=end)
        inits = [self._wide(value) for value in op.inits]
        body = self._block(op.body.block, [op.axis.value.type, *(value.type for value in inits)])
        made = for_loop(bounds, body, op.location, inits)
        self.build.insert_all(made, op.location)
        for old, new in zip(op.results, made.results, strict=True):
            self._set(old, new)

    def _sum(self, op: ReduceOp, sums: RowSums) -> SSAValue:
        """A sum over the rows of each item, of values that do not depend on the item."""
        if self._touches(op):
            raise Refused(f"the rows that {op.name} at {where(op)} adds depend on the item")
        if sums not in self.hits:
            rows = self.build.insert(IndicesOp(self.env[sums.loop.axis.value]))
            self.hits[sums] = hits_of_segments(
                self.build, rows, self.wide[sums.segment.begin], self.wide[sums.segment.end]
            )
        return sum_of_rows(self.build, op, self.env[op.value], sums.name, self.hits[sums])

    # What an item does besides

    def _if(self, op: scf.IfOp) -> None:
        """Both branches, of which each item chooses: they must do nothing but compute."""
        for inner in (inner for region in op.regions for block in region.blocks for inner in block.walk()):
            if inner.regions or isinstance(inner, AccessOp | SegmentOp):
                raise Refused(f"{inner.name} at {where(inner)} is under a condition of the item")
        results: list[list[SSAValue]] = []
        for region in op.regions:
            for inner in region.block.ops:
                self.build.location = inner.location
                if isinstance(inner, scf.YieldOp):
                    results.append([self._wide(value) for value in inner.operands])
                else:
                    self._lower(inner)
        for old, yes, no in zip(op.results, *results, strict=True):
            self._set(old, self._chosen(self._wide(op.cond), yes, no))

    def _chosen(self, condition: SSAValue, yes: SSAValue, no: SSAValue) -> SSAValue:
        kind = with_element(yes.type, i1)
        if condition.type != kind:
            condition = self.build.insert(BroadcastOp(condition, [0], kind))
        return self.build.insert(SelectOp(condition, yes, no))

    def _shaped(self, op: BroadcastOp | ReshapeOp | TransposeOp | ReduceOp) -> SSAValue:
        """What changes the shape of a value, of one that has a dimension more in front."""
        value = self._wide(op.operands[0])
        match op:
            case BroadcastOp():
                return self.build.insert(
                    BroadcastOp(value, [0, *_behind(ints_of(op.dims))], self._type(op.result.type))
                )
            case ReshapeOp():
                return self.build.insert(ReshapeOp(value, self._type(op.result.type)))
            case TransposeOp():
                return self.build.insert(TransposeOp(value, [0, *_behind(ints_of(op.perm))]))
            case ReduceOp():
                return self.build.insert(ReduceOp(op.kind.data, value, _behind(ints_of(op.dims))))

    def _cast_index(self, op: arith.IndexCastOp) -> SSAValue:
        """Indices of items are i32 already."""
        for value in (op.input, op.result):
            if value.type not in (IndexType(), i32):
                raise Refused(f"{op.name} at {where(op)} has a {value.type}; a TPU computes with i32")
        return self._wide(op.input)

    def _lanewise(self, op: Operation) -> SSAValue:
        """An operation that does to a tile what it does to one."""
        operands = [self._wide(value) for value in op.operands]
        match op:
            case arith.SelectOp() | SelectOp():
                return self._chosen(*operands)
            case arith.CmpiOp() | arith.CmpfOp():
                relation = _RELATIONS.get(_predicate(op))
                if relation is None:
                    raise Refused(f"{op.name} {_predicate(op)} at {where(op)} has no form for tiles")
                return self.build.insert(CompareOp(relation, *operands))
            case (
                arith.SIToFPOp()
                | arith.FPToSIOp()
                | arith.ExtFOp()
                | arith.TruncFOp()
                | arith.ExtSIOp()
                | arith.TruncIOp()
            ):
                return self.build.insert(CastOp(operands[0], element_type(op.results[0].type)))
            case _ if op.regions or len(op.results) != 1:
                raise Refused(f"{op.name} at {where(op)} is not done for several items at once")
            case _:
                made = op.clone(dict(zip(op.operands, operands, strict=True)))
                self.build.insert_all(made, op.location)
                return Rewriter.replace_value_with_new_type(made.results[0], self._type(op.results[0].type))

    def _window(self, op: LoadOp | StoreOp) -> tuple[list[Dim], int]:
        """A window for a tile of items, and which of its dimensions that are kept the items are."""
        window, places = list[Dim](), list[int]()
        if op.mask is not None:
            raise Refused(f"{op.name} at {where(op)} has a mask")
        for dim in op.window:
            form = Linear() if dim.base is None or dim.span else linear(dim.base) + linear(dim.shift)
            if form.factors == {self.item: 1}:
                places.append(sum(each.kept for each in window))
                dim = Dim(self.env[self.item], form.constant)
            elif any(value is self.item or value in self.wide for value in dim.values):
                raise Refused(f"{op.name} at {where(op)} is at a place that is computed from the item")
            window.append(dim.replaced(self.env))
        if len(places) != 1:
            raise Refused(f"{op.name} at {where(op)} is not at one index that is the item")
        return window, places[0]

    def _load(self, op: LoadOp) -> SSAValue:
        window, place = self._window(op)
        made = LoadOp(self.env.get(op.array, op.array), window)
        made.placement = op.placement
        value = self.build.insert(made)
        others = [i for i in range(len(shape_of(value.type))) if i != place]
        return value if place == 0 else self.build.insert(TransposeOp(value, [place, *others]))

    def _store(self, op: StoreOp) -> None:
        window, place = self._window(op)
        value = self._wide(op.value)
        if place:
            rank = len(shape_of(value.type))
            value = self.build.insert(TransposeOp(value, [*range(1, place + 1), 0, *range(place + 1, rank)]))
        made = StoreOp(value, self.env.get(op.array, op.array), window)
        made.placement = op.placement
        self.build.insert_all(made, op.location)


def _behind(dims: Sequence[int]) -> list[int]:
    """Dimensions of a value that has one more in front."""
    return [dim + 1 for dim in dims]


def _predicate(op: arith.CmpiOp | arith.CmpfOp) -> str:
    names = CMPI_COMPARISON_OPERATIONS if isinstance(op, arith.CmpiOp) else CMPF_COMPARISON_OPERATIONS
    return names[op.predicate.value.data]
