"""Two bodies for what has masks: one for steps in which all tiles are whole, without, and one for the others.

Only the first and the last tile of a range are partial, so most steps have whole ones if it has many. Of
32,768 rows of 256 f32 in segments, estimates for v5e, v6e and tpu7x are 1 to 3 % less with a second body
where a segment has 16 tiles, equal where it has two, and up to 10 % more where it has less than one.

What a step gains is measured, in bundles that a step with whole tiles takes (libtpu 0.0.51, v5e; tpu7x
has the same order). Sums over rows gain from 32 registers on: of 256 x 256 f32 201 bundles become 152, of
256 x 128 169 become 134, of 128 x 256 169 become 150, but of 64 x 256 143 become 148. Online softmax over
256 rows of 128 gains 84 of 533. Matrix products leave vector slots free for masks: steps of attention take
18 bundles less or 22 more by the element type, and a store after a product that keeps what its tile held 29
more or 15 less. Such a store alone takes 20 more or 5 less.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.dialects import scf
from xdsl.dialects.builtin import TensorType
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from tilec.analysis.affine import axis_bounds, usual_extent
from tilec.analysis.vmem import registers
from tilec.dialects.tile.bound import BoundOp, Side
from tilec.dialects.tile.locals import LocalOp
from tilec.dialects.tile.mixing import FillOp, ReduceOp, WholeOp
from tilec.dialects.tile.places import ScratchOp
from tilec.dialects.tile.products import DotOp
from tilec.dialects.tile.schedule import AxisOp, WindowOp
from tilec.dialects.tile.syntax import ints_of
from tilec.dialects.tile.types import byte_width, element_type, shape_of, span_of
from tilec.rewriting.index import IndexBuilder

TILES = 8
"""How many tiles a range must have for most of its steps to have whole ones."""
LEAST = 32
"""Registers of rows that masked reductions go over from which a second body is a gain."""
MOST = 2**13
"""Registers that all values of a part together may have for a second body, since code grows with them: those
of eight values of 2048 x 512 f32."""


@dataclass(frozen=True)
class Masked:
    """Neighbouring operations of a block that masks are part of, and the spans that are masked.

    What is computed outside and used here is so as well in both bodies, and nothing computed here is used
    outside.
    """

    ops: Sequence[Operation]
    spans: Sequence[SSAValue]


def masked_part(block: Block) -> Masked | None:
    """The part of a block that masks are in, with what computes the tiles that they mask and what uses them.

    Scalars are not moved: every step has them. `None` if there is no mask, or if the part would have to be
    one that cannot stand under a condition.
    """
    ops = list(block.ops)
    order = {op: position for position, op in enumerate(ops)}
    fills = [op for op in ops if isinstance(op, FillOp)]
    if not fills:
        return None
    first, last = order[fills[0]], order[fills[-1]]
    while True:
        part = ops[first : last + 1]
        makers = [value.owner for value in _operands(part) if isinstance(value.type, TensorType)]
        before = [order[op] for op in makers if isinstance(op, Operation) and op in order]
        after = [position for op in part for position in _uses(op, block, order)]
        if min(before, default=first) >= first and max(after, default=last) <= last:
            break
        first, last = min(first, *before, first), max(last, *after, last)
    fixed = (AxisOp, WindowOp, ScratchOp, LocalOp, scf.YieldOp)
    if any(isinstance(op, fixed) for op in part):
        return None
    inside = {result for op in part for inner in op.walk() for result in inner.results}
    spans = dict.fromkeys(op.span for op in fills if op.span not in inside)
    return Masked(part, list(spans)) if spans else None


def _operands(ops: Sequence[Operation]) -> list[SSAValue]:
    return [value for op in ops for inner in op.walk() for value in inner.operands]


def _uses(op: Operation, block: Block, order: dict[Operation, int]) -> list[int]:
    """Where in the block the results of an operation are used."""
    users = (use.operation for result in op.results for use in result.uses)
    around = (block.find_ancestor_op_in_block(user) for user in users)
    return [order[user] for user in around if user is not None]


def split_clean(part: Masked) -> scf.IfOp:
    """Put the part under a condition: a copy without masks where all its tiles are whole, else the part."""
    first = part.ops[0]
    head: list[Operation] = []
    clean = _all_whole(part.spans, IndexBuilder(head, first.location))
    copied: dict[SSAValue, SSAValue] = {}
    copies = [op.clone(copied) for op in part.ops]
    split = scf.IfOp(clean, [], _region(copies), _region([]))
    split.location = first.location
    Rewriter.insert_op([*head, split], InsertPoint.before(first))
    for op in part.ops:
        op.detach()
    Rewriter.insert_op(part.ops, InsertPoint.at_start(split.false_region.block))
    for op in list(split.true_region.walk()):
        if isinstance(op, FillOp) and op.span in part.spans:
            whole = WholeOp(op.value, op.span, dim=op.dim)
            whole.location, whole.result.name_hint = op.location, op.result.name_hint
            Rewriter.replace_op(op, whole)
    return split


def _all_whole(spans: Sequence[SSAValue], build: IndexBuilder) -> SSAValue:
    """Whether the tiles of all spans have as many live lanes as lanes."""
    whole: list[SSAValue] = []
    for span in spans:
        begin, end, size = (build.insert(BoundOp(side, span)) for side in (Side.BEGIN, Side.END, Side.SIZE))
        whole.append(build.compare("eq", build.sub(end, begin), size))
    clean = build.every(whole) or build.value(1)
    clean.name_hint = "clean"
    return clean


def _region(ops: Sequence[Operation]) -> Region:
    return Region(Block([*ops, scf.YieldOp()]))


def gains(part: Masked, block: Block) -> bool:
    """Whether steps get shorter by a second body for a part of a block: see above."""
    if any(isinstance(op, DotOp) for op in block.walk()) or not all(map(_is_mostly_whole, part.spans)):
        return False
    results = [result for outer in part.ops for op in outer.walk() for result in op.results]
    reduced = [op.value for op in part.ops if isinstance(op, ReduceOp) and _over_masked_rows(op)]
    return sum(map(_registers, reduced)) >= LEAST and sum(map(_registers, results)) <= MOST


def _is_mostly_whole(span: SSAValue) -> bool:
    """Whether the axis behind a span is known to have many tiles, in each run or on average."""
    bounds, kind = axis_bounds(span), span_of(span)
    if bounds is None or kind is None:
        return False
    extent = usual_extent(bounds)
    return extent is not None and extent >= TILES * kind.size


def _over_masked_rows(op: ReduceOp) -> bool:
    fill, rows = op.value.owner, len(shape_of(op.value.type)) - 2
    return isinstance(fill, FillOp) and fill.dim == rows and rows in ints_of(op.dims)


def _registers(value: SSAValue) -> int:
    shape = shape_of(value.type)
    return registers(shape, byte_width(element_type(value.type))) if shape else 0
