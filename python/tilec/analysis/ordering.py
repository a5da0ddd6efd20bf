"""Whether the ranges of an axis' iterations come one after the other: each ends where the next begins, or
before.

What is known of loaded integers is what `tile.segment` states, that begins and ends grow with their numbers.
So does a sum of them: rows `a[g] + b[g]` to `a[g + 1] + b[g]` end before `a[g + 1] + b[g + 1]`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from xdsl.dialects import arith
from xdsl.ir import SSAValue

from tilec.analysis.affine import Leaf, Linear, linear
from tilec.dialects.tile.arrays import SegmentOp
from tilec.dialects.tile.types import span_of

_CHOICES = arith.MinSIOp | arith.MaxSIOp | arith.SelectOp


@dataclass(frozen=True)
class Iterations:
    """Two iterations of an index axis, the later one any number of steps after the other, or, if they are not
    `apart`, one iteration.

    `fixed` says of a leaf that it is the same in both, `reach` of one that it may be anything from 0 up to a
    number in each, as an axis inside this one is.
    """

    axis: SSAValue
    fixed: Callable[[Leaf], bool]
    reach: Callable[[Leaf], int | None] = lambda leaf: None
    apart: bool = True

    def in_order(self, end: Linear, begin: Linear) -> bool:
        """Whether `end` in one iteration is surely no more than `begin` in a later one."""
        between = None if self.apart else (begin - end).literal
        if between is not None:
            return between >= 0
        for form, at_end in ((end, True), (begin, False)):
            leaf = next((leaf for leaf in form.factors if _choice(leaf) is not None), None)
            if leaf is None:
                continue
            factor = form.factors[leaf]
            rest = form - Linear(0, {leaf: factor})
            forms = [rest + linear(side).times(factor) for side in _sides(leaf)]
            found = [self.in_order(*((each, begin) if at_end else (end, each))) for each in forms]
            # A minimum is at most each of its sides: of what is to be small, one that is small enough does.
            enough = arith.MinSIOp if (factor > 0) == at_end else arith.MaxSIOp
            return any(found) if isinstance(_choice(leaf), enough) else all(found)
        return self._grows(end, begin)

    def _grows(self, end: Linear, begin: Linear) -> bool:
        if span_of(self.axis) is not None:
            return False
        step = end.factors.get(self.axis, 0)
        ends, begins = _elements(end), _elements(begin)
        rest = [_without(form, self.axis, parts) for form, parts in ((end, ends), (begin, begins))]
        return (
            step >= 0
            and begin.factors.get(self.axis, 0) == step
            and rest[0].factors == rest[1].factors
            and all(self._is_fixed(leaf) for leaf in rest[0].factors)
            and rest[1].constant + step * self.apart >= rest[0].constant
            and ends.keys() == begins.keys()
            and all(self._follow(ends[key], begins[key]) for key in ends)
        )

    def _is_fixed(self, leaf: Leaf) -> bool:
        """Whether a leaf is the same in both iterations; an element is if its number is."""
        element = _element(leaf)
        return self.fixed(leaf) or (element is not None and all(map(self.fixed, element[1].factors)))

    def _follow(self, before: Sequence[Linear], after: Sequence[Linear]) -> bool:
        """Whether each of the elements of these numbers has one as late, in the later iteration."""
        if len(before) != len(after):
            return False
        pairs = zip(*(sorted(each, key=lambda form: form.constant) for each in (before, after)), strict=True)
        return all(self._is_later(first, second) for first, second in pairs)

    def _is_later(self, first: Linear, second: Linear) -> bool:
        """Whether `second` in the later iteration is no less than `first` in the other."""
        step = first.factors.get(self.axis, 0)
        if step < 0 or second.factors.get(self.axis, 0) != step:
            return False
        room = second.constant + step * self.apart - first.constant
        for leaf in {*first.factors, *second.factors} - {self.axis}:
            before, after = first.factors.get(leaf, 0), second.factors.get(leaf, 0)
            reach = None if self.fixed(leaf) else self.reach(leaf)
            if reach is not None:
                room += min(after, 0) * reach - max(before, 0) * reach
            elif not self.fixed(leaf) or before != after:
                return False
        return room >= 0


_Arrays = tuple[SSAValue, SSAValue | None]


def _elements(form: Linear) -> dict[_Arrays, list[Linear]]:
    """The elements of ordered arrays that a form adds, by their numbers, each as often as it is added."""
    found: dict[_Arrays, list[Linear]] = {}
    for leaf, factor in form.factors.items():
        element = _element(leaf)
        if element is not None and factor > 0:
            arrays, number = element
            found.setdefault(arrays, []).extend([number] * factor)
    return found


def _element(leaf: Leaf) -> tuple[_Arrays, Linear] | None:
    """The arrays of a segment, and the number of its begin or its end among all of these, in their order."""
    op = None if isinstance(leaf, tuple) else leaf.owner
    if not isinstance(op, SegmentOp) or op.last is not None:
        return None
    number, is_end = linear(op.index), Linear(int(leaf is op.end))
    return (op.begins, op.ends), (number if op.ends is None else number.times(2)) + is_end


def _without(form: Linear, axis: SSAValue, elements: dict[_Arrays, list[Linear]]) -> Linear:
    """A form without the axis and the elements that it adds."""
    kept = {
        leaf: factor
        for leaf, factor in form.factors.items()
        if leaf is not axis and (factor < 0 or (found := _element(leaf)) is None or found[0] not in elements)
    }
    return Linear(form.constant, kept)


def _choice(leaf: Leaf) -> arith.MinSIOp | arith.MaxSIOp | arith.SelectOp | None:
    op = None if isinstance(leaf, tuple) else leaf.owner
    return op if isinstance(op, _CHOICES) else None


def _sides(leaf: Leaf) -> tuple[SSAValue, SSAValue]:
    op = _choice(leaf)
    if op is None:
        raise ValueError("a leaf that is no choice of two has no sides")
    return (op.lhs, op.rhs)
