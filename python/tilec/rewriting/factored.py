"""Single elements at computed positions as rows, and places in them, of a matrix."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from xdsl.dialects import arith
from xdsl.dialects.builtin import AnyFloat, bf16, f32, i32
from xdsl.ir import SSAValue

from tilec.analysis.narrow import is_finite
from tilec.analysis.vmem import SUBLANES
from tilec.dialects.tile.access import AccessOp, Dim
from tilec.dialects.tile.elementwise import CompareOp, Relation, SelectOp
from tilec.dialects.tile.mixing import Combine, ReduceOp
from tilec.dialects.tile.types import element_type, shape_of, value_type, with_element
from tilec.dialects.tile.values import BroadcastOp, ReshapeOp
from tilec.rewriting.accumulators import as_element, constant
from tilec.rewriting.index import IndexBuilder
from tilec.rewriting.one_hot import (
    Picker,
    as_ids,
    bf16_parts,
    hits_of,
    lane_numbers,
    products_of,
    sum_of_parts,
    unless_strange,
)
from tilec.rewriting.unflattened import Views

ROWS = 256
"""Rows that lanes are compared with at once."""


@dataclass(frozen=True)
class Factored:
    """The array of an access as a matrix, in whose `window` rows are. Each lane names a `row`, and a `place`
    in it. Comparisons are made anew each time, which is faster than to keep them."""

    array: SSAValue
    row: SSAValue
    place: SSAValue
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
        return cls(views.seen_as(op.array, (*others, extent // places, places)), row, place, before)

    @property
    def rows(self) -> int:
        """How many rows the matrix has."""
        return shape_of(self.array.type)[-2]

    def at(self, rows: Dim) -> list[Dim]:
        """The window of some rows."""
        return [*self.window, rows, Dim(full=True)]

    def in_places(self, build: IndexBuilder) -> Picker:
        """What picks places."""
        return Picker(build, hits_of(build, lane_numbers(build, shape_of(self.array.type)[-1]), self.place))

    def in_rows(self, build: IndexBuilder, numbers: SSAValue) -> Picker:
        """What picks rows of these numbers."""
        return Picker(build, hits_of(build, numbers, self.row))

    def summed(
        self, build: IndexBuilder, numbers: SSAValue, value: SSAValue, mask: SSAValue | None
    ) -> SSAValue:
        """For the elements of rows of these numbers, the sum of the lanes of `value`, of rank 1, that name
        them, where `mask` is true: in f32 of floats, i32 of integers."""
        several, floats = products_of(value) > 1, isinstance(element_type(value.type), AnyFloat)
        if several and self.rows <= ROWS and self.rows % SUBLANES == 0:
            total = self._at_once(build, value, mask)
        else:
            named, places = self.in_rows(build, numbers), self.in_places(build)

            def product(part: SSAValue) -> SSAValue:
                wide = named.spread(as_element(build, part, f32), mask)
                return places.counted(as_element(build, wide, bf16), 1)

            total = sum_of_parts(build, value, product)
        if not floats or is_finite(value):
            return total

        def again(inner: IndexBuilder) -> SSAValue:
            there = self.in_rows(inner, numbers).spread(value, mask)
            return self.in_places(inner).careful(there, (1, 1))

        return unless_strange(build, total, again)

    def _at_once(self, build: IndexBuilder, value: SSAValue, mask: SSAValue | None) -> SSAValue:
        """The sum of a value's parts from one product, which has them below each other: the comparison with
        places is brought to the matrix unit once."""
        parts = bf16_parts(build, value)
        numbers = lane_numbers(build, self.rows * len(parts))
        rows = build.insert(constant(self.rows, numbers.type))
        part = build.insert(arith.DivSIOp(numbers, rows))
        named = self.in_rows(build, build.insert(arith.RemSIOp(numbers, rows)))
        kind = with_element(named.hits.type, f32)
        every = [build.insert(BroadcastOp(as_element(build, each, f32), [1], kind)) for each in parts]
        chosen = every[-1]
        which = build.insert(BroadcastOp(part, [0], with_element(kind, i32)))
        for number, each in enumerate(every[:-1]):
            same = build.insert(CompareOp(Relation.EQ, which, build.insert(constant(number, which.type))))
            chosen = build.insert(SelectOp(same, each, chosen))
        there = as_element(build, named.where(chosen, mask), bf16)
        found = self.in_places(build).counted(there, 1)
        if not isinstance(element_type(value.type), AnyFloat):
            found = as_element(build, found, i32)
            shift = build.insert(arith.MuliOp(part, build.insert(constant(8, part.type))))
            found = build.insert(arith.ShLIOp(found, build.insert(BroadcastOp(shift, [0], found.type))))
        (_, places) = shape_of(found.type)
        stack = value_type(element_type(found.type), [len(parts), self.rows, places], [None] * 3)
        return build.insert(ReduceOp(Combine.ADD, build.insert(ReshapeOp(found, stack)), [0]))
