"""Scans by a function of single lanes, which is done to all lanes at once."""

from collections.abc import Sequence

from xdsl.dialects.builtin import i1
from xdsl.ir import SSAValue

from tilec.analysis.lanes import may_have_dead_lanes
from tilec.dialects import pallas
from tilec.dialects.tile.axes import span_in_scope
from tilec.dialects.tile.elementwise import Relation, SelectOp
from tilec.dialects.tile.scans import AssociativeScanOp
from tilec.dialects.tile.types import shape_of, value_type
from tilec.dialects.tile.values import BroadcastOp
from tilec.lowering.orientation import SingleLanes
from tilec.lowering.values import Values, begins_inside
from tilec.rewriting.index import Index


def scan_by(values: Values, op: AssociativeScanOp) -> None:
    """Log-step scan by a function; lanes outside of the tile's span are left out, as no number is neutral.

    Source: Hillis and Steele, "Data parallel algorithms", 1986.
    """
    dim, lanes = op.dim.value.data, [values.get(value) for value in op.values]
    if len(shape_of(op.values[0].type)) == 1:
        dim = 0 if values.orientation.is_column(op.values[0]) else 1
    size, distance, begun = shape_of(lanes[0].type)[dim], 1, _Begun(values, op, lanes[0], dim)
    while distance < size:
        by = distance if op.reverse is None else size - distance
        before = [values.emit(pallas.RollOp(value, by, dim)) for value in lanes]
        both, has = _combined(values, op, [*before, *lanes]), begun.after(distance)
        lanes = [values.emit(SelectOp(has, new, old)) for new, old in zip(both, lanes, strict=True)]
        distance *= 2
    values.env.update(zip(op.results, lanes, strict=True))


class _Begun:
    """Which lanes have one of the tile's span so far before them, or behind them in reverse."""

    def __init__(self, values: Values, op: AssociativeScanOp, like: SSAValue, dim: int):
        self.values, self.shape = values, shape_of(like.type)
        self.reverse = op.reverse is not None
        span = None if op.axis_name is None else span_in_scope(op, op.axis_name)
        self.first: Index = 0
        self.stop: Index = self.shape[dim]
        if span is not None and may_have_dead_lanes(span):
            parts, build = values.scalars.span(span), values.scalars.build
            if begins_inside(span):
                self.first = build.maximum(build.sub(parts.begin, parts.start), 0)
            self.stop = build.minimum(build.sub(parts.end, parts.start), self.stop)
        thin = [size if i == dim else 1 for i, size in enumerate(self.shape)]
        self.lanes = values.emit(pallas.IotaOp(thin, dim))

    def after(self, distance: int) -> SSAValue:
        """The mask of these lanes."""
        values, build = self.values, self.values.scalars.build
        if self.reverse:
            thin = values.compared(Relation.LT, self.lanes, build.sub(self.stop, distance), "stop")
        else:
            thin = values.compared(Relation.GE, self.lanes, build.add(self.first, distance), "first")
        kind = value_type(i1, self.shape, [None] * len(self.shape))
        return values.emit(BroadcastOp(thin, list(range(len(self.shape))), kind))


def _combined(values: Values, op: AssociativeScanOp, lanes: Sequence[SSAValue]) -> Sequence[SSAValue]:
    """What the function makes of two values for each, in all lanes."""
    inside = Values(SingleLanes(shape_of(lanes[0].type)), values.scalars, values.emit)
    inside.env.update(zip(op.body.block.args, lanes, strict=True))
    for inner in list(op.body.block.ops)[:-1]:
        inside.lower(inner)
    return [inside.env[value] for value in op.combined]
