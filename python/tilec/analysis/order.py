"""What comparisons come to where the indices of spans are known to lie below or above something."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from xdsl.ir import SSAValue

from tilec.analysis.affine import IndexBounds, Linear, axis_bounds, ends_in, linear
from tilec.analysis.positions import Positions, positions
from tilec.dialects.tile.bound import BoundOp, Side
from tilec.dialects.tile.elementwise import CompareOp, Relation
from tilec.dialects.tile.types import span_of

Known = Mapping[SSAValue, Sequence[Linear]]
"""Forms of which each bounds the indices of a span."""


@dataclass(frozen=True)
class Sides:
    """The indices of some spans are no more than each of `most`, and no less than each of `least`."""

    most: Known = field(default_factory=dict[SSAValue, Sequence[Linear]])
    least: Known = field(default_factory=dict[SSAValue, Sequence[Linear]])


def holds(op: CompareOp, sides: Sides) -> bool | None:
    """Whether a comparison of integers holds in all lanes, `False` if in none, `None` if it is not known."""
    lhs, rhs = positions(op.lhs), positions(op.rhs)
    if not isinstance(lhs, Positions) or not isinstance(rhs, Positions):
        return None
    gap, relation = lhs + rhs.times(-1), op.relation.data
    if relation in (Relation.EQ, Relation.NE) or gap.lanes:
        return None
    least = int(relation in (Relation.GT, Relation.LE))  # `a <= b` is not `a > b`
    over: bool | None = None
    if any(low >= least for low in _ends(gap, sides, -1)):
        over = True
    elif any(high < least for high in _ends(gap, sides, 1)):
        over = False
    return over if over is None or relation in (Relation.GT, Relation.GE) else not over


def _ends(gap: Positions, sides: Sides, sign: int) -> list[int]:
    """Literals above which `gap` never is, where `sign` is 1, or below which, where it is -1."""
    shared = dict(gap.scalar.factors)
    begins = [leaf for leaf in shared if isinstance(leaf, SSAValue) and span_of(leaf) is not None]
    forms = [Linear(gap.scalar.constant, {leaf: f for leaf, f in shared.items() if leaf not in begins})]
    for span, factor in gap.spans.values():
        known = (sides.most if factor * sign > 0 else sides.least).get(span, ())
        forms = [form + each.times(factor) for form in forms for each in known]
    for span in begins:  # a tile begins at one of its indices, and at any
        known = sides.most.get(span, ()) if shared[span] * sign > 0 else ()
        forms = [form + each.times(shared[span]) for form in forms for each in known]
    return [form.constant for form in forms if not form.factors]


def live(spans: Sequence[SSAValue]) -> Sides:
    """What is known of the live indices of axes."""
    every = [(span, bounds) for span in spans if (bounds := axis_bounds(span)) is not None]
    return Sides(
        {span: [end - Linear(1) for end in _ends_of(bounds)] for span, bounds in every},
        {span: [linear(bounds.begin)] for span, bounds in every},
    )


def _ends_of(bounds: IndexBounds) -> list[Linear]:
    """What an axis does not go beyond: all that it may end at, and the end of what it is a part of."""
    parts = ends_in(bounds)
    found = [linear(part) for part in parts]
    for part in parts:
        owner = None if isinstance(part, int) else part.owner
        around = (
            axis_bounds(owner.span) if isinstance(owner, BoundOp) and owner.side.data is Side.END else None
        )
        found += [] if around is None else _ends_of(around)
    return found
