"""`--choose-blocks="m=128 k=256"`: binds the named tile axes to block sizes.

Until this pass one program stands for all block sizes. It gives each name one size, in the span of its axes
and in the dimensions of every value that came from them. A name that is not given gets 128, which every array
dimension can be cut into on a TPU, or 8 if it only runs through matrices; one that runs along rows that are
updated at computed positions gets whole rows, so that each position is followed once, and one that goes
through tiles of another axis no more than such a tile, so that none reaches into the next. What
`tile.bound size` asks for is a constant then.

Before:
    tile.for %m = 0 to 512 by m {
      %v = tile.load %x[%m, :]          // tensor<?x256xf32, #tile.spans<m, _>>
After:
    tile.for %m = 0 to 512 by m:128 {
      %v = tile.load %x[%m, :]          // tensor<128x256xf32, #tile.spans<m, _>>

Refused: a name that no axis has, a size below 1 or of more than 31 bits, a name bound to another size before.
A size for an axis of indices is passed over, since `--scalarize-jagged` may have gone through its tiles lane
by lane; `--explain` says so.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from math import gcd
from typing import Self

from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import IndexType, IntegerAttr, ModuleOp
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter
from xdsl.utils.arg_spec import ArgSpec

from tilec.analysis.affine import begins_on_a_tile, divided_span
from tilec.analysis.row_updates import MOST_LANES
from tilec.analysis.vmem import round_up
from tilec.diagnostics import explain, fail
from tilec.dialects.tile.access import AccessOp
from tilec.dialects.tile.atomics import AtomicRmwOp
from tilec.dialects.tile.bound import BoundOp, Side
from tilec.dialects.tile.loops import LoopOp
from tilec.dialects.tile.types import UNBOUND, SpanType, map_spans, shape_of, span_names, span_of

DEFAULT_BLOCK = 128
"""Lanes of a vector register on every TPU: the least block that any dimension of an array accepts."""
LARGEST_BLOCK = 2**31 - 1
"""Positions are 32-bit integers."""
BATCH_BLOCK = 8
"""Matrices of a window, where nothing is said. Of 128 x 128 floats these take half a mebibyte, so that two
buffers for each of three windows and a sum fit every chip; 128 of them would take 8 MiB."""


@dataclass(frozen=True)
class ChooseBlocks(ModulePass):
    """Bind the named tile axes to block sizes: "m=128 k=256"."""

    name = "choose-blocks"

    blocks: Mapping[str, int] = field(default_factory=dict[str, int])

    @classmethod
    def from_spec(cls, spec: ArgSpec) -> Self:
        """Every option is an axis. Raises ValueError for one that is not `name=integer`."""
        blocks: dict[str, int] = {}
        for name, values in spec.parameters.items():
            if len(values) != 1 or isinstance(values[0], bool) or not isinstance(values[0], int):
                raise ValueError(f"axis '{name}' needs one integer block size, as in {name}=128")
            blocks[name] = values[0]
        return cls(blocks)

    def spec(self, *, include_default: bool = False) -> ArgSpec:
        return ArgSpec(self.name, {name: (size,) for name, size in self.blocks.items()})

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        axes = named_axes(op)
        _check(op, self.blocks, axes)
        defaults = default_blocks(op)
        sizes = {
            name: self.blocks.get(name, defaults.get(name, DEFAULT_BLOCK) if bound == UNBOUND else bound)
            for name, (_, bound) in axes.items()
        }

        @cache
        def rebound(kind: Attribute) -> Attribute:
            return map_spans(
                kind, lambda name, size: (name, sizes.get(name, size) if size == UNBOUND else size)
            )

        for value in list(_values(op)):
            kind = rebound(value.type)
            if kind != value.type:
                Rewriter.replace_value_with_new_type(value, kind).name_hint = value.name_hint
        for bound in [inner for inner in op.walk() if isinstance(inner, BoundOp)]:
            _fold_size(bound)


def _check(module: ModuleOp, blocks: Mapping[str, int], axes: Mapping[str, tuple[Operation, int]]) -> None:
    """Refuse sizes that axes cannot have. Of axes of indices they mean nothing: their tiles may be gone."""
    indexed = {
        axis.name: loop
        for loop in module.walk()
        if isinstance(loop, LoopOp)
        for axis in loop.axes
        if span_of(axis.value) is None
    }
    for name, size in blocks.items():
        if name in axes:
            loop, bound = axes[name]
            if not 1 <= size <= LARGEST_BLOCK or bound not in (UNBOUND, size):
                accepted = f"1 to {LARGEST_BLOCK}" if bound == UNBOUND else f"{bound}, to which it is bound"
                fail(loop, f"choose-blocks: axis {name} cannot have blocks of {size}; {accepted} is accepted")
        elif name in indexed:
            explain(
                indexed[name],
                f"choose-blocks: axis {name} goes index by index: blocks of {size} are passed over",
            )
        else:
            named = ", ".join(sorted(axes)) or "none"
            fail(module, f"choose-blocks: no axis is named {name}; the axes are {named}")


def _fold_size(bound: BoundOp) -> None:
    if bound.side.data is not Side.SIZE:
        return
    size = arith.ConstantOp(IntegerAttr(bound.lanes, IndexType()))
    size.location, size.result.name_hint = bound.location, bound.result.name_hint
    Rewriter.replace_op(bound, size)


def default_blocks(module: ModuleOp) -> dict[str, int]:
    """The default sizes of axes, where those are not `DEFAULT_BLOCK`."""
    usual = _batch_blocks(module) | row_blocks(module)
    divided = {
        name: min(size, usual.get(name, DEFAULT_BLOCK)) for name, size in divided_tiles(module).items()
    }
    return usual | divided


def _batch_blocks(module: ModuleOp) -> dict[str, int]:
    """The default sizes of the axes that run through matrices: in no window among the last two dimensions."""
    sizes: dict[str, int] = {}
    inside: set[str] = set()
    for access in module.walk():
        if not isinstance(access, AccessOp):
            continue
        names = span_names(access.window_type)
        inside |= {name for name in names[-2:] if name is not None}
        batch = [name for name in names[:-2] if name is not None]
        sizes |= dict.fromkeys(batch[:-1], 1)
        for name in batch[-1:]:
            sizes.setdefault(name, BATCH_BLOCK)
    return {name: size for name, size in sizes.items() if name not in inside}


def row_blocks(module: ModuleOp) -> dict[str, int]:
    """The default sizes of axes along rows that are updated at computed positions: whole rows."""
    sizes: dict[str, int] = {}
    for op in module.walk():
        if not isinstance(op, AtomicRmwOp) or not any(dim.indexed for dim in op.window[:-1]):
            continue
        span, lanes = op.window[-1].span, shape_of(op.array.type)[-1]
        if isinstance(span, SpanType) and lanes <= MOST_LANES:
            sizes[span.axis] = max(round_up(lanes, DEFAULT_BLOCK), sizes.get(span.axis, 0))
    return sizes


def divided_tiles(module: ModuleOp) -> dict[str, int]:
    """The sizes of the tiles that axes go through from begin to end, where they are literals, by axis."""
    sizes: dict[str, int] = {}
    for loop in module.walk():
        for axis in loop.axes if isinstance(loop, LoopOp) else ():
            around, span = divided_span(axis.bounds), span_of(axis.value)
            tile = None if around is None else span_of(around)
            if around is None or tile is None or span is None or tile.size == UNBOUND:
                continue
            if begins_on_a_tile(around):
                sizes[span.axis] = gcd(sizes.get(span.axis, 0), tile.size)
    return sizes


def named_axes(program: Operation) -> dict[str, tuple[Operation, int]]:
    """The operation that first introduces each span name in a program, and the size it has."""
    axes: dict[str, tuple[Operation, int]] = {}
    for value in _values(program):
        span = span_of(value)
        if span is None:
            continue
        owner = value.owner
        op = owner if isinstance(owner, Operation) else owner.parent_op()
        if op is not None:
            axes.setdefault(span.axis, (op, span.size))
    return axes


def _values(program: Operation) -> Iterator[SSAValue]:
    for op in program.walk():
        yield from op.results
        for region in op.regions:
            for block in region.blocks:
                yield from block.args
