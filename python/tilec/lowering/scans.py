"""Running combinations, and the reductions that a TPU has no instruction for, by rotating lanes."""

from collections.abc import Sequence

from xdsl.dialects import arith
from xdsl.dialects.builtin import AnyFloat, f32, i32
from xdsl.ir import SSAValue

from tilec.analysis.vmem import LANES, SUBLANES
from tilec.dialects import pallas
from tilec.dialects.tile.elementwise import CastOp, CompareOp, Relation, SelectOp
from tilec.dialects.tile.mixing import Combine, identity
from tilec.dialects.tile.syntax import scalar_of
from tilec.dialects.tile.types import element_type, shape_of
from tilec.dialects.tile.values import SliceOp, SplatOp
from tilec.lowering.interleaved import Emit
from tilec.rewriting.combining import COMBINERS


def scan(emit: Emit, kind: Combine, value: SSAValue, dim: int, *, reverse: bool = False) -> SSAValue:
    """Log-step scan: after step s each lane combines the 2^s lanes up to it, or from it on.

    Source: Hillis and Steele, "Data parallel algorithms", 1986. Rotation is a 32-bit operation on a TPU.
    """
    shape, element = shape_of(value.type), element_type(value.type)
    is_float = isinstance(element, AnyFloat)
    wide = f32 if is_float else i32
    constant = kind is Combine.ADD and element == i32 and not reverse
    if constant and isinstance(step := value.owner, SplatOp):
        return _multiples(emit, int(scalar_of(step.value)), shape, dim)
    if element != wide:
        value = emit(CastOp(value, wide))
    neutral = emit(SplatOp(identity(kind, wide), value.type))
    lanes = emit(pallas.IotaOp(list(shape), dim))
    distance = 1
    while distance < shape[dim]:
        by = shape[dim] - distance if reverse else distance
        moved = emit(pallas.RollOp(value, by, dim))
        bound = emit(SplatOp(by, lanes.type))
        inside = emit(CompareOp(Relation.LT if reverse else Relation.GE, lanes, bound))
        before = emit(SelectOp(inside, moved, neutral))
        value = emit(COMBINERS[kind, is_float](value, before))
        distance *= 2
    return value if element == wide else emit(CastOp(value, element))


def _multiples(emit: Emit, number: int, shape: Sequence[int], dim: int) -> SSAValue:
    """The multiples of a number along a dimension, from itself on: the sums of it up to each lane."""
    lanes = emit(pallas.IotaOp(list(shape), dim))
    counted = emit(arith.AddiOp(lanes, emit(SplatOp(1, lanes.type))))
    return counted if number == 1 else emit(arith.MuliOp(counted, emit(SplatOp(number, lanes.type))))


def fold(emit: Emit, kind: Combine, value: SSAValue, dims: Sequence[int]) -> SSAValue:
    """All lanes along some dimensions combined, which are of one lane then: the last of a scan of halves."""
    for dim in dims:
        scanned = scan(emit, kind, _halved(emit, kind, value, dim), dim)
        value = emit(SliceOp(scanned, dim, shape_of(scanned.type)[dim] - 1, 1))
    return value


def _halved(emit: Emit, kind: Combine, value: SSAValue, dim: int) -> SSAValue:
    """Halves of a dimension combined, again and again, while they are whole registers."""
    element, last = element_type(value.type), len(shape_of(value.type)) - 1
    unit = {last: LANES, last - 1: SUBLANES}.get(dim, 1)
    if element not in (i32, f32):
        return value
    while shape_of(value.type)[dim] % (2 * unit) == 0:
        half = shape_of(value.type)[dim] // 2
        parts = [emit(SliceOp(value, dim, begin, half)) for begin in (0, half)]
        value = emit(COMBINERS[kind, isinstance(element, AnyFloat)](*parts))
    return value
