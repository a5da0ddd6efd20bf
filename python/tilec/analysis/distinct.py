"""Which windows a `tile.distinct` keeps apart: those that all its results index."""

from collections.abc import Collection, Iterator, Sequence

from xdsl.ir import Operation, SSAValue
from xdsl.traits import is_side_effect_free

from tilec.dialects.tile.access import Dim
from tilec.dialects.tile.arrays import LoadOp
from tilec.dialects.tile.gathers import DistinctOp


def position(dim: Dim) -> SSAValue | None:
    """The scalar that is a dimension's one index, as it is."""
    values = list(dim.values)
    exact = len(values) == 1 and (dim.base is None or dim.shift == 0)
    return values[0] if exact and not dim.full and dim.span is None and not dim.indexed else None


def told_apart(one: Sequence[Dim], two: Sequence[Dim]) -> Iterator[tuple[DistinctOp, set[int]]]:
    """The promises that two windows of one array are apart wherever they are not the same, each with the
    dimensions that it speaks of."""
    places: dict[SSAValue, int] = {}
    for place, (first, second) in enumerate(zip(one, two, strict=True)):
        found = position(first)
        if found is not None and found is position(second):
            places[found] = place
    for op in dict.fromkeys(value.owner for value in places):
        if isinstance(op, DistinctOp) and all(result in places for result in op.results_):
            yield op, {places[result] for result in op.results_}


def is_same(one: SSAValue, two: SSAValue, written: Collection[SSAValue]) -> bool:
    """Whether two scalars are computed alike from the same ones, without reading what is `written`."""
    if one is two:
        return True
    a, b = one.owner, two.owner
    if not isinstance(a, Operation) or not isinstance(b, Operation) or type(a) is not type(b):
        return False
    told = is_side_effect_free(a) or (isinstance(a, LoadOp) and a.array not in written)
    alike = told and a.properties == b.properties and len(a.operands) == len(b.operands)
    return alike and all(is_same(x, y, written) for x, y in zip(a.operands, b.operands, strict=True))
