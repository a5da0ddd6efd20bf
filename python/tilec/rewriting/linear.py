"""Linear forms as operations again."""

from xdsl.dialects import arith
from xdsl.dialects.builtin import IndexType
from xdsl.ir import SSAValue

from tilec.analysis.affine import Linear
from tilec.dialects.tile.bound import BoundOp, Side
from tilec.dialects.tile.types import span_of
from tilec.rewriting.index import Index, IndexBuilder
from tilec.rewriting.jagged import array_extent


def built(form: Linear, build: IndexBuilder) -> SSAValue:
    """The value of a linear form, of type `index`."""
    total: Index = 0
    for leaf, factor in form.factors.items():
        value: Index = array_extent(*leaf, build) if isinstance(leaf, tuple) else leaf
        if isinstance(value, SSAValue) and span_of(value) is not None:
            value = build.insert(BoundOp(Side.BEGIN, value))
        elif isinstance(value, SSAValue) and not isinstance(value.type, IndexType):
            value = build.insert(arith.IndexCastOp(value, IndexType()))
        part = build.mul(value, abs(factor))
        total = build.sub(total, part) if factor < 0 else build.add(total, part)
    if form.constant < 0:
        return build.value(build.sub(total, -form.constant))
    return build.value(build.add(total, form.constant))
