"""`--split-pairs`: a value with a last dimension of a few lanes becomes as many values without it.

Lanes that are neighbours are computed with in pairs, as in rotary embeddings: they are given a last dimension
of 2, which is taken apart and put together again. On a TPU such a dimension fills a register with two lanes
of 128. So its parts become values of their own, of which each has every second lane.

Before:
    %pairs = tile.reshape %v : tensor<128x64x2xf32>
    %first = tile.slice %pairs dim 2 from 0 size 1
    %even = tile.reduce max %first dims [2]
    …
    %a = tile.broadcast %x dims [0, 1] : tensor<128x64x1xf32>
    %b = tile.broadcast %y dims [0, 1] : tensor<128x64x1xf32>
    %joined = tile.concatenate %a, %b dim 2
    %out = tile.reshape %joined : tensor<128x128xf32>
After:
    %even = tile.strided_slice %v from 0 step 2
    …
    %out = tile.interleave %x, %y

What is done to all parts alike, lane by lane, is done to each; a reduction over the few lanes combines them.
Dimensions of up to 8 lanes are split, of values that reshapes, slices, concatenations, broadcasts and
constants make, but not where sums of parts would be rounded more often than the reduction.
"""

from xdsl.context import Context
from xdsl.dialects.builtin import AnyFloat, ModuleOp, i1
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter
from xdsl.transforms.dead_code_elimination import region_dce

from tilec.analysis.vmem import WORD
from tilec.dialects.tile.elementwise import is_lanewise
from tilec.dialects.tile.interleaved import InterleaveOp, StridedSliceOp
from tilec.dialects.tile.mixing import Combine, ReduceOp
from tilec.dialects.tile.syntax import ints_of, scalar_of
from tilec.dialects.tile.types import byte_width, element_type, shape_of, span_names, value_type
from tilec.dialects.tile.values import BroadcastOp, ConcatenateOp, ReshapeOp, SliceOp, SplatOp
from tilec.rewriting.combining import COMBINERS

FEW = 8
"""The most lanes of a dimension that is split."""


class SplitPairs(ModulePass):
    """Split values with a last dimension of a few lanes."""

    name = "split-pairs"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        ends = [inner for inner in op.walk() if isinstance(inner, ReduceOp | ReshapeOp) and _ends(inner)]
        parts = _Parts()
        for end in ends:
            made = parts.end(end)
            if made is not None:
                made.name_hint = end.result.name_hint
                Rewriter.replace_op(end, [], [made])
        if ends:
            region_dce(op.body)


def _ends(op: ReduceOp | ReshapeOp) -> bool:
    """Whether what an operation takes has a last dimension of a few lanes, and what it makes has none."""
    shape, names = shape_of(op.value.type), span_names(op.value.type)
    if not _has_few(op.value):
        return False
    if isinstance(op, ReduceOp):
        return ints_of(op.dims) == (len(shape) - 1,)
    return names[-2] is None and shape_of(op.result.type) == (*shape[:-2], shape[-2] * shape[-1])


class _Parts:
    """Values with a last dimension of a few lanes, and what they are split into; None where they are not."""

    def __init__(self) -> None:
        self._known: dict[SSAValue, list[SSAValue] | None] = {}

    def end(self, op: ReduceOp | ReshapeOp) -> SSAValue | None:
        """What a reduction makes of the few lanes, or a reshape that puts them beside each other."""
        parts = self.of(op.value)
        if parts is None or not self._had_some(op.value):
            return None
        if isinstance(op, ReshapeOp):
            return parts[0] if len(parts) == 1 else _before(op, InterleaveOp(parts))
        kind, element = op.kind.data, element_type(op.value.type)
        if len(parts) > 1 and not _combines(kind, element):
            return None
        result = parts[0]
        for part in parts[1:]:
            result = _before(op, COMBINERS[kind, isinstance(element, AnyFloat)](result, part))
        return result

    def of(self, value: SSAValue) -> list[SSAValue] | None:
        """The parts of a value, made before it."""
        if value not in self._known:
            op = value.owner
            self._known[value] = self._split(op) if isinstance(op, Operation) and _has_few(value) else None
        return self._known[value]

    def _split(self, op: Operation) -> list[SSAValue] | None:
        match op:
            case ReshapeOp():
                return self._reshaped(op)
            case BroadcastOp():
                return self._broadcast(op)
            case SplatOp():
                part = _before(op, SplatOp(scalar_of(op.value), _part(op.result.type)))
                return [part] * shape_of(op.result.type)[-1]
            case ConcatenateOp():
                return self._concatenated(op)
            case SliceOp():
                dim, begin, size = op.numbers
                parts = self.of(op.value)
                if parts is None or dim == len(shape_of(op.value.type)) - 1:
                    return parts and parts[begin : begin + size]
                return [_before(op, SliceOp(part, dim, begin, size)) for part in parts]
            case _ if is_lanewise(op) and len(op.results) == 1:
                return self._lanewise(op)
            case _:
                return None

    def _reshaped(self, op: ReshapeOp) -> list[SSAValue] | None:
        """Lanes that get a last dimension, of those that had none."""
        shape, names = shape_of(op.result.type), span_names(op.result.type)
        if names[-2] is not None or shape_of(op.value.type) != (*shape[:-2], shape[-2] * shape[-1]):
            return None
        step = shape[-1]
        return (
            [op.value] if step == 1 else [_before(op, StridedSliceOp(op.value, i, step)) for i in range(step)]
        )

    def _broadcast(self, op: BroadcastOp) -> list[SSAValue] | None:
        """What is repeated in all parts, or has a part for each of them."""
        kind, dims = op.result.type, ints_of(op.dims)
        last, many = len(shape_of(kind)) - 1, shape_of(kind)[-1]
        if last in dims:
            parts = self.of(op.value)
            if parts is None:
                return None
            made = [_before(op, BroadcastOp(part, dims[:-1], _part(kind))) for part in parts]
            return made if len(made) == many else made * many
        if op.value.type == _part(kind):
            return [op.value] * many
        return [_before(op, BroadcastOp(op.value, dims, _part(kind)))] * many

    def _concatenated(self, op: ConcatenateOp) -> list[SSAValue] | None:
        dim, sides = op.dim.value.data, [self.of(value) for value in op.values]
        known = [parts for parts in sides if parts is not None]
        if len(known) < len(sides):
            return None
        if dim == len(shape_of(op.result.type)) - 1:
            return [part for parts in known for part in parts]
        return [_before(op, ConcatenateOp(parts, dim)) for parts in zip(*known, strict=True)]

    def _lanewise(self, op: Operation) -> list[SSAValue] | None:
        """What is done to all parts alike. Scalars are the same for each."""
        shape = shape_of(op.results[0].type)
        sides = [self.of(value) if shape_of(value.type) else [value] * shape[-1] for value in op.operands]
        known = [parts for parts in sides if parts is not None]
        if not sides or len(known) < len(sides):
            return None
        made: list[SSAValue] = []
        for operands in zip(*known, strict=True):
            kinds, properties = [_part(op.results[0].type)], dict(op.properties)
            part = op.create(operands=operands, result_types=kinds, properties=properties)
            made.append(_before(op, part))
        return made

    def _had_some(self, value: SSAValue) -> bool:
        """Whether the parts of a value are of several, or were."""
        if self._known.get(value) is None or not isinstance(value.owner, Operation):
            return False
        return shape_of(value.type)[-1] > 1 or any(map(self._had_some, value.owner.operands))


def _has_few(value: SSAValue) -> bool:
    """Whether the last of several dimensions has a few lanes, and is no span's."""
    shape, names = shape_of(value.type), span_names(value.type)
    return len(shape) > 1 and names[-1] is None and 1 <= shape[-1] <= FEW


def _combines(kind: Combine, element: Attribute) -> bool:
    """Whether values are combined two by two as a reduction combines their lanes."""
    if kind in (Combine.ADD, Combine.MUL):
        return byte_width(element) == WORD
    return element != i1 or kind in (Combine.AND, Combine.OR, Combine.XOR)


def _part(kind: Attribute) -> Attribute:
    """The type of a part."""
    return value_type(element_type(kind), shape_of(kind)[:-1], span_names(kind)[:-1])


def _before(op: Operation, made: Operation) -> SSAValue:
    made.location = op.location
    Rewriter.insert_op(made, InsertPoint.before(op))
    return made.results[0]
