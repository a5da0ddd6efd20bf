"""Picking rows by comparison: products with ones and zeros, and reductions of what is selected.

In a product a lane that is not picked is multiplied by zero, and zero times infinity is no zero. So only the
finite lanes are multiplied; where there are others, they are counted, and what they make of a sum is added.
"""

import math
from collections.abc import Callable

from xdsl.dialects import arith, scf
from xdsl.dialects.builtin import AnyFloat, IndexType, bf16, f32, i32
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from tilec.analysis.narrow import is_in_bf16, known_largest
from tilec.dialects.tile.elementwise import CastOp, CompareOp, Relation, SelectOp
from tilec.dialects.tile.gathers import GatherOp
from tilec.dialects.tile.mixing import Combine, ReduceOp, ScanOp
from tilec.dialects.tile.products import DotOp
from tilec.dialects.tile.types import element_type, shape_of, span_names, value_type, with_element
from tilec.dialects.tile.values import BroadcastOp
from tilec.rewriting.accumulators import as_element, constant
from tilec.rewriting.index import Index, IndexBuilder

_BYTES = 4
"""Of an i32. Each is exact in bf16, and so are sums of 65,793 of them in f32: 2**24 / 255."""
_EXACT = 2**24
"""The integers up to this are exact in f32, in which products are added."""
_PARTS = 3
"""Of an f32, whose 24 bits are those of three bf16."""


def lane_numbers(build: IndexBuilder, lanes: int) -> SSAValue:
    """The numbers of so many lanes of no span, from 0 on, as i32."""
    ones = build.insert(constant(1, value_type(i32, [lanes], [None])))
    return build.insert(arith.SubiOp(build.insert(ScanOp(Combine.ADD, ones, 0)), ones))


def in_each_lane(build: IndexBuilder, value: SSAValue, lanes: int) -> SSAValue:
    """A tile with one more dimension, the last one, in each of whose lanes it is."""
    names, shape = span_names(value.type), shape_of(value.type)
    kind = value_type(element_type(value.type), (*shape, lanes), (*names, None))
    return build.insert(BroadcastOp(value, range(len(shape)), kind))


def or_other(build: IndexBuilder, op: GatherOp, found: SSAValue) -> SSAValue:
    """What a gather results in: what was found, or `other` where its mask leaves lanes out."""
    if op.mask is None or op.other is None:
        return found
    other = op.other
    if other.type != found.type:
        other = build.insert(BroadcastOp(other, [], found.type))
    return build.insert(SelectOp(op.mask, found, other))


def most_lanes(value: SSAValue) -> int:
    """Of how many lanes at most of a tile of integers a `product` is exact."""
    largest = known_largest(value)
    return _EXACT // (255 if largest is None else min(max(largest, 1), 255))


def products_of(value: SSAValue) -> int:
    """How many products the sum of a value takes: one for each bf16 of a float, or byte of an integer."""
    if isinstance(element_type(value.type), AnyFloat):
        return 1 if element_type(value.type) == bf16 or is_in_bf16(value) else _PARTS
    largest = known_largest(value)
    return _BYTES if largest is None else max(1, -(-largest.bit_length() // 8))


def bf16_parts(build: IndexBuilder, value: SSAValue) -> list[SSAValue]:
    """What the matrix unit multiplies of a value: the bf16 that a float is the sum of, the largest first, or
    the bytes of an integer, the lowest first."""
    if not isinstance(element_type(value.type), AnyFloat):
        return _bytes(build, value)
    value = _as_made(value)
    if products_of(value) == 1:
        return [as_element(build, value, bf16)]
    parts, rest = list[SSAValue](), as_element(build, value, f32)
    while len(parts) < _PARTS:
        if parts:
            rest = build.insert(arith.SubfOp(rest, as_element(build, parts[-1], f32)))
        parts.append(as_element(build, rest, bf16))
    return parts


def _bytes(build: IndexBuilder, value: SSAValue) -> list[SSAValue]:
    whole, largest, parts = as_element(build, value, i32), known_largest(value), list[SSAValue]()
    for byte in range(products_of(value)):
        part = whole
        if byte:
            part = build.insert(arith.ShRUIOp(whole, build.insert(constant(8 * byte, whole.type))))
        if largest is None or largest >> 8 * byte > 0xFF:
            part = build.insert(arith.AndIOp(part, build.insert(constant(0xFF, whole.type))))
        parts.append(as_element(build, part, bf16))
    return parts


def sum_of_parts(build: IndexBuilder, value: SSAValue, product: Callable[[SSAValue], SSAValue]) -> SSAValue:
    """The sum of a value, from the `product` of each of its `bf16_parts`: f32 of floats, i32 of integers."""
    first, *others = bf16_parts(build, value)
    if isinstance(element_type(value.type), AnyFloat):
        *more, last = first, *others
        total = product(last)
        for part in reversed(more):
            total = build.insert(arith.AddfOp(total, product(part)))
        return total
    total = as_element(build, product(first), i32)
    for byte, part in enumerate(others, 1):
        found = as_element(build, product(part), i32)
        found = build.insert(arith.ShLIOp(found, build.insert(constant(8 * byte, found.type))))
        total = build.insert(arith.AddiOp(total, found))
    return total


def unless_strange(
    build: IndexBuilder, total: SSAValue, again: Callable[[IndexBuilder], SSAValue]
) -> SSAValue:
    """`total`, or what `again` makes where an element of it is not finite, or sums of columns are not.

    Columns are summed first, whose registers are added side by side: of 75 us that a kernel took on v6e it
    takes 70 so.
    """
    rest = build.insert(ReduceOp(Combine.ADD, total, [0]))
    rest = build.insert(arith.MulfOp(rest, build.insert(constant(0, rest.type))))
    rest = build.insert(ReduceOp(Combine.ADD, rest, [0]))
    strange = build.insert(arith.CmpfOp(rest, build.insert(constant(0, f32)), "une"))
    inner: list[Operation] = []
    made = again(IndexBuilder(inner, build.location))
    then, other = Block([*inner, scf.YieldOp(made)]), Block([scf.YieldOp(total)])
    return build.insert(scf.IfOp(strange, [total.type], Region(then), Region(other)))


class Picker:
    """Builds what combines the lanes of a tile of integers with the rows that they name."""

    def __init__(self, build: IndexBuilder, hits: SSAValue):
        """`hits` says whether a lane names a row: i1, of rows by lanes."""
        self.build = build
        self.hits = hits

    def combined(self, kind: Combine, value: SSAValue, neutral: float) -> SSAValue:
        """For each row, the combination of the lanes of `value`, of rank 1, that name it, else `neutral`."""
        wide = with_element(self.hits.type, element_type(value.type))
        lanes = self.build.insert(BroadcastOp(value, [1], wide))
        none = self._like(wide, neutral)
        return self.build.insert(ReduceOp(kind, self.build.insert(SelectOp(self.hits, lanes, none)), [1]))

    def chosen(self, value: SSAValue) -> SSAValue:
        """For each lane, the element of `value`, which has one for each row, that it names; else 0."""
        wide = with_element(self.hits.type, element_type(value.type))
        return self.placed(self.build.insert(BroadcastOp(value, [0], wide)))

    def spread(self, value: SSAValue, mask: SSAValue | None = None) -> SSAValue:
        """For each row, the lanes of `value`, of rank 1, that name it, where `mask` is true, else 0."""
        wide = with_element(self.hits.type, element_type(value.type))
        return self.where(self.build.insert(BroadcastOp(value, [1], wide)), mask)

    def where(self, value: SSAValue, mask: SSAValue | None) -> SSAValue:
        """`value`, of rows by lanes, where lanes name rows and `mask` is true, else 0."""
        hits = self.hits
        if mask is not None:
            hits = self.build.insert(arith.AndIOp(hits, self.build.insert(BroadcastOp(mask, [1], hits.type))))
        return self.build.insert(SelectOp(hits, value, self._like(value.type, 0)))

    def placed(self, value: SSAValue) -> SSAValue:
        """For each lane, the element of `value`, of rows by lanes, in the row that it names; else 0."""
        named = self.build.insert(SelectOp(self.hits, value, self._like(value.type, 0)))
        return self.build.insert(ReduceOp(Combine.ADD, named, [0]))

    def named(self) -> SSAValue:
        """For each row, how many lanes name it, in f32."""
        return self.build.insert(ReduceOp(Combine.ADD, self._ones(self.hits, f32), [1]))

    def summed(self, value: SSAValue, dim: int, *, lanes: bool) -> SSAValue:
        """The sum over the lanes that name a row, or over the rows that a lane names.

        `lanes` says whether dimension `dim` of `value`, of rank 2, are the lanes or the rows; the other of
        both stands in its place in the result, which is f32 for floats and i32 for integers.

        An f32 is the sum of three bf16, each with the next 8 bits, so that three passes of the matrix unit
        are exact where `highest` makes six. What is not finite, or rounds to infinity in bf16, leaves an
        infinity or a NaN in the product: then all of it is computed again.
        """
        contract, ones = (1 if lanes else 0, dim), self._quick_ones()
        total = sum_of_parts(self.build, value, lambda part: self._dot(ones, part, contract))
        if not isinstance(element_type(value.type), AnyFloat):
            return total
        return unless_strange(
            self.build, total, lambda inner: Picker(inner, self.hits).careful(value, contract)
        )

    def counted(self, part: SSAValue, dim: int) -> SSAValue:
        """`summed` of the lanes of a value of finite bf16."""
        return self._dot(self._quick_ones(), part, (1, dim))

    def careful(self, value: SSAValue, contract: tuple[int, int]) -> SSAValue:
        """`summed` of a float value of which some lanes are not finite, or nearly so."""
        build, value = self.build, _as_made(value)
        wide = as_element(build, value, f32)
        rest = build.insert(arith.SubfOp(wide, wide))  # NaN where it is not finite
        finite = build.insert(CompareOp(Relation.EQ, rest, self._like(rest.type, 0)))
        several = products_of(value) > 1
        clean = wide if several else value
        clean = build.insert(SelectOp(finite, clean, self._like(clean.type, 0)))
        if several:  # so that the bf16 that is nearest is finite too
            clean = build.insert(arith.MulfOp(clean, self._like(clean.type, 0.5)))
        ones = self._ones(self.hits, bf16)
        total = sum_of_parts(build, clean, lambda part: self._dot(ones, part, contract))
        if several:
            total = build.insert(arith.MulfOp(total, self._like(total.type, 2)))
        none = build.insert(CompareOp(Relation.NE, wide, wide))
        for number in (math.inf, -math.inf):  # NaN counts as both, whose sum is NaN
            same = build.insert(CompareOp(Relation.EQ, wide, self._like(wide.type, number)))
            flags = self._ones(build.insert(arith.OrIOp(same, none)), bf16)
            counted = self._dot(ones, flags, contract)
            met = build.insert(CompareOp(Relation.GT, counted, self._like(counted.type, 0)))
            added = build.insert(arith.AddfOp(total, self._like(total.type, number)))
            total = build.insert(SelectOp(met, added, total))
        return total

    def _dot(self, ones: SSAValue, value: SSAValue, contract: tuple[int, int]) -> SSAValue:
        """The product of ones, where a lane names a row, with a `value` of bf16: dimensions `contract` go."""
        if contract[1] == 0:
            return self.build.insert(DotOp(ones, value, contract=contract))
        return self.build.insert(DotOp(value, ones, contract=(contract[1], contract[0])))

    def _quick_ones(self) -> SSAValue:
        """Ones in bf16 where a lane names a row. A v6e chooses between f32, and casts, in less time."""
        return as_element(self.build, self._ones(self.hits, f32), bf16)

    def _ones(self, condition: SSAValue, element: Attribute) -> SSAValue:
        kind = with_element(condition.type, element)
        return self.build.insert(SelectOp(condition, self._like(kind, 1), self._like(kind, 0)))

    def _like(self, kind: Attribute, number: float) -> SSAValue:
        return self.build.insert(constant(number, kind))


def _as_made(value: SSAValue) -> SSAValue:
    """The bf16 that f32 was made of, which the matrix unit takes as it is; else the value."""
    made = value.owner
    if isinstance(made, CastOp) and (element_type(made.value.type), element_type(value.type)) == (bf16, f32):
        return made.value
    return value


def hits_of(build: IndexBuilder, rows: SSAValue, ids: SSAValue) -> SSAValue:
    """Whether a lane of `ids` names a row: i1, of rows by lanes, from two i32 tiles of rank 1."""
    names = [span_names(side.type)[0] for side in (rows, ids)]
    kind = value_type(i32, [shape_of(side.type)[0] for side in (rows, ids)], names)
    wide = [build.insert(BroadcastOp(side, [i], kind)) for i, side in enumerate((rows, ids))]
    found = build.insert(CompareOp(Relation.EQ, *wide))
    found.name_hint = "hits"
    return found


def as_ids(build: IndexBuilder, ids: SSAValue, shift: Index) -> SSAValue:
    """Positions as i32, shifted."""
    narrow = as_element(build, ids, i32)
    if shift == 0:
        return narrow
    if isinstance(shift, int):
        by = build.insert(constant(shift, narrow.type))
    else:
        number = build.insert(arith.IndexCastOp(shift, i32)) if shift.type == IndexType() else shift
        by = build.insert(BroadcastOp(number, [], narrow.type))
    return build.insert(arith.AddiOp(narrow, by))
