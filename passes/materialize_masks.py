"""`--materialize-masks`: span masks become fills where they matter.

Lanes outside a span are undefined, and most operations may leave them so. Two places may not. Where lanes mix
(dot, reduce, scan), dead lanes are filled with the identity. Where a window is written that may hold elements
of the array in dead lanes, as a tile shared by two segments does, those lanes get what the window held. A
fill becomes a select, never a product: an undefined lane may be a NaN. Along a span that only ends with its
array nothing is filled for a store, since what lies outside an array is not written; and a span whose tiles
are all full needs no fill at all.

Before:
    %s = tile.reduce add %v dims [1]                  // %v: tensor<128x256xf32, #tile.spans<m, k>>
    tile.set %acc, %out_window                        // %m is aligned
After:
    %f = tile.fill %v outside %k with %zero
    %s = tile.reduce add %f dims [1]
    %old = tile.get %out_window raw
    %new = tile.fill %acc outside %m with %old
    tile.set %new, %out_window

Where masks cost more than a condition, steps whose tiles are all whole have a body of their own without:
`clean=auto` makes one for sums over many rows of axes that are known to have many tiles, by their extents or
by what they are on average (`mean N`), but not beside matrix products, which hide the masks; `clean=peel`
wherever there are masks, `clean=mask` nowhere.

Before:
    %s = tile.reduce add %v dims [0]                  // %v: tensor<256x256xf32, #tile.spans<m, _>>
    tile.set %s, %acc
After:
    %b = tile.bound begin %m
    …
    %clean = arith.cmpi eq, %live, %size : index
    scf.if %clean {
      %v_1 = tile.whole %v along %m
      %s = tile.reduce add %v_1 dims [0]
      tile.set %s, %acc
    } else {
      %v_2 = tile.fill %v outside %m with %zero
      …
    }

Refused: nothing.
"""

from dataclasses import dataclass, field

from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import AnyFloat, BFloat16Type, Float16Type, ModuleOp, TensorType, i1
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter
from xdsl.transforms.dead_code_elimination import region_dce

from tilec.analysis.lanes import KEEPS_ZERO, may_have_dead_lanes, spans_to_blend
from tilec.diagnostics import fail
from tilec.dialects.tile.elementwise import CastOp, SelectOp
from tilec.dialects.tile.mixing import Combine, FillOp, ReduceOp, ScanOp, identity
from tilec.dialects.tile.places import GetOp, SetOp
from tilec.dialects.tile.products import DotOp
from tilec.dialects.tile.schedule import PipelineOp, WindowOp
from tilec.dialects.tile.syntax import ints_of, scalar_attr
from tilec.dialects.tile.types import byte_width, element_type, span_names, span_of, with_element
from tilec.rewriting.clean_tiles import gains, masked_part, split_clean

CLEAN = ("auto", "peel", "mask")


@dataclass(frozen=True)
class MaterializeMasks(ModulePass):
    """Fill dead lanes where they matter: "clean=auto|peel|mask"."""

    name = "materialize-masks"

    clean: str = "auto"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if self.clean not in CLEAN:
            fail(op, f"materialize-masks: clean={self.clean}; {', '.join(CLEAN)} are accepted")
        for pipeline in [inner for inner in op.walk() if isinstance(inner, PipelineOp)]:
            _Masks(pipeline, self.clean).run()


@dataclass
class _Masks:
    """The masks of one pipeline. A value filled in one way is filled once in a block."""

    pipeline: PipelineOp
    clean: str
    spans: dict[str, SSAValue] = field(default_factory=dict[str, SSAValue])
    filled: dict[tuple[SSAValue, int, float | int, Block | None], SSAValue] = field(
        default_factory=dict[tuple[SSAValue, int, float | int, Block | None], SSAValue]
    )

    def run(self) -> None:
        for op in self.pipeline.body.walk():
            for value in op.results:
                span = span_of(value)
                if span is not None:
                    self.spans[span.axis] = value
        for op in list(self.pipeline.body.walk()):
            match op:
                case DotOp():
                    for operand, dim in zip((0, 1), op.contracted, strict=True):
                        self._fill_dims(op, operand, [dim], Combine.ADD)
                case ReduceOp():
                    self._fill_dims(op, 0, ints_of(op.dims), op.kind.data)
                case ScanOp():
                    self._fill_dims(op, 0, [op.dim.value.data], op.kind.data)
                case SetOp():
                    self._blend(op)
                case _:
                    pass
        region_dce(self.pipeline.body)
        if self.clean != "mask":
            self._peel()
            region_dce(self.pipeline.body)

    def _peel(self) -> None:
        """Split what has masks, from the outside in, once."""
        regions = [region for op in self.pipeline.walk() for region in op.regions]
        splits: list[Operation] = []
        for block in [block for region in regions for block in region.blocks]:
            part = None if any(split.is_ancestor(block) for split in splits) else masked_part(block)
            if part is not None and (self.clean == "peel" or gains(part, block)):
                splits.append(split_clean(part))

    def _fill_dims(
        self, op: Operation, operand: int, dims: "list[int] | tuple[int, ...]", kind: Combine
    ) -> None:
        for dim in dims:
            value = op.operands[operand]
            name = span_names(value.type)[dim]
            if name is not None and may_have_dead_lanes(self.spans[name]):
                neutral = identity(kind, element_type(value.type))
                op.operands[operand] = self._filled(op, value, dim, neutral)

    def _filled(self, op: Operation, value: SSAValue, dim: int, neutral: float) -> SSAValue:
        """`value` with `neutral` in the dead lanes of a dimension that came from a span, made before `op`.

        A narrowing cast, and what is computed of one value by casts, sums and differences, is filled at its
        source, in 32 bits, where a mask costs least and may serve twice.
        """
        key = (value, dim, neutral, op.parent)
        if key in self.filled:
            return self.filled[key]
        owner = value.owner
        if neutral == 0 and isinstance(owner, KEEPS_ZERO) and _has_one_source(value):
            sides = {side: self._filled(op, side, dim, neutral) for side in owner.operands}
            made = _before(op, owner.clone(sides))
            kind = with_element(next(iter(sides.values())).type, element_type(value.type))
            made = Rewriter.replace_value_with_new_type(made, kind)
        else:
            literal = _before(op, arith.ConstantOp(scalar_attr(neutral, element_type(value.type))))
            span = self.spans[span_names(value.type)[dim] or ""]
            made = _before(op, FillOp(value, span, literal, dim=dim))
        made.name_hint = value.name_hint
        self.filled[key] = made
        return made

    def _blend(self, op: SetOp) -> None:
        window = op.ref.owner
        if not isinstance(window, WindowOp):
            return
        spans = spans_to_blend(window)
        if op.at is not None and op.at[1] in spans:
            spans.append(op.at[0])
        if not spans and op.mask is None:
            return
        element = element_type(op.value.type)
        if not isinstance(op.value.type, TensorType):
            return
        old = _before(op, GetOp(window.result, part=op.at, raw=True))
        old.name_hint = "old"
        if element_type(old.type) != element:
            old = _before(op, CastOp(old, element))
        value, mask = op.value, op.mask
        for dim, name in enumerate(span_names(value.type)):
            span = None if name is None else self.spans[name]
            if span is None or (mask is None and span not in spans):
                continue
            value = _before(op, FillOp(value, span, old, dim=dim))
            if mask is not None:
                never = _before(op, arith.ConstantOp(scalar_attr(0, i1)))
                mask = _before(op, FillOp(mask, span, never, dim=dim))
        if mask is not None:
            value = _before(op, SelectOp(mask, value, old))
        value.name_hint = op.value.name_hint
        replacement = SetOp(value, op.ref, part=op.at)
        replacement.location = op.location
        Rewriter.replace_op(op, replacement, [])


def _has_one_source(value: SSAValue) -> bool:
    """Whether operations that keep zeros make a value of one other, of 32 bits or narrowed from it."""
    sources, pending, narrows = set[SSAValue](), [value], False
    while pending:
        each = pending.pop()
        owner = each.owner
        if not isinstance(owner, KEEPS_ZERO) or element_type(each.type) == i1:
            sources.add(each)
            continue
        narrows = narrows or (isinstance(owner, CastOp) and _narrows(owner))
        pending += owner.operands
    return narrows and len(sources) == 1


def _narrows(op: CastOp) -> bool:
    source, target = element_type(op.value.type), element_type(op.result.type)
    if isinstance(source, AnyFloat):
        return isinstance(target, BFloat16Type | Float16Type)
    return target != i1 and byte_width(target) < byte_width(source)


def _before(op: Operation, made: Operation) -> SSAValue:
    made.location = op.location
    Rewriter.insert_op(made, InsertPoint.before(op))
    return made.results[0]
