"""Single elements at computed positions as rows, and places in them, of a matrix."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from xdsl.dialects import arith
from xdsl.dialects.builtin import i1, i64
from xdsl.ir import SSAValue

from tilec.analysis.vmem import LANES
from tilec.dialects.tile.access import AccessOp, Dim
from tilec.dialects.tile.locals import is_local
from tilec.dialects.tile.types import element_type, shape_of
from tilec.rewriting.accumulators import constant
from tilec.rewriting.index import IndexBuilder
from tilec.rewriting.one_hot import Picker, as_ids, hits_of, lane_numbers
from tilec.rewriting.unflattened import Views

ROWS = 256
"""Rows that lanes are compared with at once."""


def extent_of_elements(op: AccessOp) -> int | None:
    """How many elements an access finds single ones of, by a tile of rank 1 in its last dimension; the others
    are indexed by numbers. `None` of any other access, and of elements that have no products."""
    *before, last = op.window
    if last.base is None or not last.indexed or any(dim.kept for dim in before) or is_local(op.array):
        return None
    ids, element = last.base.type, element_type(op.array.type)
    if element in (i1, i64) or element_type(ids) == i64 or len(shape_of(ids)) != 1:
        return None
    return shape_of(op.array.type)[-1]


def places_of(extent: int) -> int | None:
    """How many elements a row of a matrix of `extent` elements has, so that rows and places in them are few
    numbers to compare with: a power of two, up to 128. `None` where they are more than a quarter of all.
    """
    sizes = [2**power for power in range(LANES.bit_length()) if extent % 2**power == 0]
    best = min(sizes, key=lambda size: size + extent // size)
    return best if 4 * (best + extent // best) <= extent else None


@dataclass(frozen=True)
class Factored:
    """The array of an access as a matrix, in whose `window` rows are. `row` is the one that each lane names,
    and `places`, of places by lanes, says where in it."""

    array: SSAValue
    row: SSAValue
    places: SSAValue
    window: Sequence[Dim]

    @classmethod
    def of(cls, op: AccessOp, places: int, views: Views, build: IndexBuilder) -> Self:
        """With so many places in a row. `build` makes what does not depend on rows."""
        (*before, last), (*others, extent) = op.window, shape_of(op.array.type)
        if last.base is None:
            raise ValueError("positions come from a tile")
        ids = as_ids(build, last.base, last.shift)
        place = build.insert(arith.AndIOp(ids, build.insert(constant(places - 1, ids.type))))
        row = build.insert(arith.ShRSIOp(ids, build.insert(constant(places.bit_length() - 1, ids.type))))
        array = views.seen_as(op.array, (*others, extent // places, places))
        return cls(array, row, hits_of(build, lane_numbers(build, places), place), before)

    @property
    def rows(self) -> int:
        """How many rows the matrix has."""
        return shape_of(self.array.type)[-2]

    def at(self, rows: Dim) -> list[Dim]:
        """The window of some rows."""
        return [*self.window, rows, Dim(full=True)]

    def in_places(self, build: IndexBuilder) -> Picker:
        """What picks places."""
        return Picker(build, self.places)

    def in_rows(self, build: IndexBuilder, numbers: SSAValue) -> Picker:
        """What picks rows of these numbers."""
        return Picker(build, hits_of(build, numbers, self.row))
