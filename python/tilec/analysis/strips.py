"""Steps that can be done in strips: products, a statistic of each row, and products with what comes of it.

Such a step has two parts. The first makes scores, a product of rows and columns, and what is known of a row
of them, as its maximum. The second needs that for each score. So the matrix units work in the first part, the
vector units in the second. Rows do not meet: the second part of some can go with the first of others.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.dialects.builtin import f32
from xdsl.ir import Operation, SSAValue

from tilec.analysis.affine import static_extent
from tilec.dialects.tile.elementwise import CompareOp, is_lanewise
from tilec.dialects.tile.locals import is_local
from tilec.dialects.tile.mixing import Combine, ReduceOp
from tilec.dialects.tile.places import GetOp, SetOp
from tilec.dialects.tile.products import DotOp
from tilec.dialects.tile.schedule import AxisOp, Loop, PipelineOp, WindowOp
from tilec.dialects.tile.syntax import ints_of
from tilec.dialects.tile.types import RefType, element_type, shape_of, span_names, span_of
from tilec.dialects.tile.values import BroadcastOp, SplatOp

Names = tuple[str | None, ...]


@dataclass(frozen=True)
class Strips:
    """A step that can be done in strips of `rows`, each in parts of `cols`; both are axes with whole tiles.

    `first` and `second` are the operations of the parts, in order, `kept` the scores that the second part
    needs of the first, and `known` the values for each row that it needs.
    """

    rows: AxisOp
    cols: AxisOp
    first: Sequence[Operation]
    second: Sequence[Operation]
    kept: Sequence[SSAValue]
    known: Sequence[SSAValue]


def strips_of(pipeline: PipelineOp) -> Strips | str:
    """How the steps of a pipeline can be done in strips, or why not."""
    ops = [op for op in pipeline.body.block.ops if not isinstance(op, AxisOp | WindowOp)]
    products = [op for op in ops if isinstance(op, DotOp)]
    scores = next((op for op in products if None not in span_names(op.result.type)), None)
    if scores is None or pipeline.loop.data is not Loop.GRID or len(shape_of(scores.result.type)) != 2:
        return "they have no product of two axes, or are not those of a grid"
    names = span_names(scores.result.type)
    axes = [axis for name in names for axis in pipeline.axes if axis.axis.name == name]
    if len(axes) != 2 or not all(_is_whole(axis) for axis in axes):
        return "the axes of their first product have partial tiles, or none"
    if static_extent(axes[1].axis.bounds) != shape_of(scores.result.type)[1]:
        return "columns take several steps"
    strange = next((op for op in ops if not _fits(op, names)), None)
    if strange is not None:
        return f"they have a {strange.name} that is not done for some rows and columns alone"
    return _parted(ops, axes[0], axes[1])


def _is_whole(axis: AxisOp) -> bool:
    extent, span = static_extent(axis.axis.bounds), span_of(axis.axis.value)
    return extent is not None and span is not None and extent % span.size == 0


def _fits(op: Operation, names: Names) -> bool:
    """Whether an operation can be done for some rows and some columns alone, as all before it are."""
    rows, cols = names
    kinds = [span_names(value.type) for value in op.operands if not isinstance(value.type, RefType)]
    made = [span_names(value.type) for value in op.results]
    match op:
        case GetOp():
            return _fits_window(op.ref) and made[0] in ((rows, None), (cols, None))
        case SetOp():
            return _fits_window(op.ref) and kinds == [(rows, None)]
        case DotOp() if made == [names]:
            return _is_loaded(op.lhs) and _is_loaded(op.rhs) and op.acc is None
        case DotOp():
            plain = kinds[:2] == [names, (cols, None)] and op.contracted == (1, 0)
            return plain and _is_loaded(op.rhs) and made == [(rows, None)]
        case ReduceOp():
            known = op.kind.data in (Combine.ADD, Combine.MAX, Combine.MIN)
            floats = element_type(op.result.type) == f32
            return known and floats and kinds == [names] and ints_of(op.dims) == (1,)
        case BroadcastOp():
            return kinds == [(rows,)] and ints_of(op.dims) == (0,) and made[0] in (names, (rows, None))
        case SplatOp():
            return made[0] in (names, (rows,), (rows, None))
        case _ if is_lanewise(op) and not isinstance(op, CompareOp):
            alike = len(kinds) == len(op.operands) and all(each == made[0] for each in kinds)
            return bool(made[0]) and alike and not any(map(_is_loaded, op.operands))
        case _:
            return False


def _fits_window(ref: SSAValue) -> bool:
    """Whether the block of a window is the tile, of the last two dimensions of an array."""
    window = ref.owner
    if not isinstance(window, WindowOp) or window.fetch is not None or is_local(window.array):
        return False
    kept = [number for number, dim in enumerate(window.window) if dim.kept]
    return kept == [len(window.window) - 2, len(window.window) - 1]


def _is_loaded(value: SSAValue) -> bool:
    return isinstance(value.owner, GetOp)


def _parted(ops: Sequence[Operation], rows: AxisOp, cols: AxisOp) -> Strips | str:
    """Tell the parts by what has to wait until all columns of a row are known."""
    waits: dict[SSAValue, int] = {}
    number: dict[Operation, int] = {}
    for op in ops:
        tiles = [value for value in op.operands if value in waits]
        number[op] = max((waits[value] for value in tiles), default=0)
        over = isinstance(op, ReduceOp) or (isinstance(op, DotOp) and op.contracted == (1, 0))
        for value in op.results:
            waits[value] = number[op] + over
    chunked = [op for op in ops if cols.axis.name in _names(op) and not isinstance(op, GetOp | SplatOp)]
    if {number[op] for op in chunked} != {0, 1} or not any(isinstance(op, DotOp) for op in ops if number[op]):
        return "they do not have two parts with products"
    first = [op for op in chunked if number[op] == 0]
    second = [op for op in ops if op not in first and not isinstance(op, GetOp | SplatOp)]
    needed = dict.fromkeys(value for op in second for value in op.operands if value.owner in first)
    kept = [value for value in needed if cols.axis.name in span_names(value.type)]
    return Strips(rows, cols, first, second, kept, [value for value in needed if value not in kept])


def _names(op: Operation) -> set[str | None]:
    return {name for value in (*op.operands, *op.results) for name in span_names(value.type)}
