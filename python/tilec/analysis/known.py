"""What is known of the arguments of a program, and how long loops are whose ends follow from that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from xdsl.ir import Operation, SSAValue

from tilec.analysis.affine import INTEGERS, IndexBounds, Leaf, Linear, extent, linear
from tilec.dialects.tile.arrays import LoadOp
from tilec.dialects.tile.types import shape_of

ROWS = 8192
"""How many rows an array of any number of them is taken to have, where nobody says."""
MOST = 64
"""Indices of one axis that a mean goes through, evenly spread."""
MOST_TOGETHER = 4096
"""The same of all axes together."""

_Places = Mapping[SSAValue, int]


class _UnknownIndex(Exception):
    """An index that hangs on something else."""


@dataclass(frozen=True)
class Known:
    """What is known of the arguments, by name: their rows, and the elements of those that are integers."""

    rows: Mapping[str, int] = field(default_factory=dict[str, int])
    values: Mapping[str, Sequence[int]] = field(default_factory=dict[str, Sequence[int]])

    def value(self, form: Linear) -> int | None:
        """A sum of literals and of extents of arguments, None for another."""
        total = form.constant
        for leaf, factor in form.factors.items():
            if not isinstance(leaf, tuple):
                return None
            total += factor * self._extent(leaf[0])
        return total

    def rows_of(self, array: SSAValue, place: int) -> int:
        """The extent of a dimension of an array."""
        known = self.value(extent(array, place))
        return ROWS if known is None else known

    def mean_extent(self, bounds: IndexBounds, around: Mapping[SSAValue, IndexBounds]) -> float | None:
        """The mean of `end - begin` over the indices of axes `around`, outermost first, as in
        `0 to (11 - worker) / 4`; None if it hangs on more than those and arguments."""
        places: list[_Places] = [{}]
        try:
            for axis, ends in around.items():
                found = [(place, self._range(ends, place)) for place in places]
                places = [
                    {**place, axis: index}
                    for place, each in found
                    for index in each[:: max(-(-len(each) // MOST), 1)]
                ]
                places = places[:: max(-(-len(places) // MOST_TOGETHER), 1)]
            lengths = [len(self._range(bounds, place)) for place in places]
        except (_UnknownIndex, ZeroDivisionError):
            return None
        return sum(lengths) / len(lengths) if lengths else None

    def _range(self, bounds: IndexBounds, places: _Places) -> range:
        return range(self._index(linear(bounds.begin), places), self._index(linear(bounds.end), places))

    def _index(self, form: Linear, places: _Places) -> int:
        return form.constant + sum(factor * self._leaf(leaf, places) for leaf, factor in form.factors.items())

    def _leaf(self, leaf: Leaf, places: _Places) -> int:
        if isinstance(leaf, tuple):
            return self._extent(leaf[0])
        if leaf in places:
            return places[leaf]
        match leaf.owner:
            case LoadOp() as load if len(load.window) == 1 and not shape_of(leaf.type):
                return self._element(load, places)
            case Operation() as op if type(op) in INTEGERS:
                return INTEGERS[type(op)](*(self._index(linear(each), places) for each in op.operands))
            case _:
                raise _UnknownIndex

    def _element(self, load: LoadOp, places: _Places) -> int:
        (dim,) = load.window
        elements = self.values.get(load.array.name_hint or "", ())
        place = sum(self._index(linear(each), places) for each in (dim.base or 0, dim.shift))
        if not 0 <= place < len(elements):
            raise _UnknownIndex
        return elements[place]

    def _extent(self, array: SSAValue) -> int:
        """The rows of an argument."""
        return self.rows.get(array.name_hint or "", ROWS)
