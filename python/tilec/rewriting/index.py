"""Building index arithmetic that folds what is known, so that the IR stays short."""

import operator
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from xdsl.dialects import arith
from xdsl.dialects.builtin import IndexType, IntegerAttr, LocationAttr, i1
from xdsl.ir import Operation, SSAValue

from tilec.dialects.tile.syntax import scalar_of

Index: TypeAlias = int | SSAValue
"""An index that is known, or a value of type `index`."""


PREDICATES: Mapping[str, Callable[[int, int], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "slt": operator.lt,
    "sge": operator.ge,
}
"""Those of `arith.cmpi` that passes use, on known numbers."""


def named(index: Index, name: str) -> Index:
    """`index`, called `name` if it is a value without one."""
    if isinstance(index, SSAValue) and index.name_hint is None:
        index.name_hint = name
    return index


class IndexBuilder:
    """Appends `arith` operations on `index` and `i1` to a list, each at a given location."""

    def __init__(self, ops: list[Operation], location: LocationAttr):
        self.ops = ops
        self.location = location
        self._constants: dict[int, SSAValue] = {}
        self._ands: dict[tuple[SSAValue, SSAValue], SSAValue] = {}

    def insert(self, op: Operation) -> SSAValue:
        """Append `op` and return its first result."""
        op.location = self.location
        self.ops.append(op)
        return op.results[0]

    def insert_all(self, op: Operation, location: LocationAttr) -> None:
        """Append an operation of its own location, whatever it results in."""
        op.location = location
        self.ops.append(op)

    def value(self, index: Index) -> SSAValue:
        """`index` as a value."""
        if isinstance(index, SSAValue):
            return index
        if index not in self._constants:
            self._constants[index] = self.insert(arith.ConstantOp(IntegerAttr(index, IndexType())))
            self._constants[index].name_hint = f"c{index}" if index >= 0 else f"cm{-index}"
        return self._constants[index]

    def _binary(
        self,
        make: type[arith.SignlessIntegerBinaryOperation],
        fold: Callable[[int, int], int],
        a: Index,
        b: Index,
    ) -> Index:
        if isinstance(a, int) and isinstance(b, int):
            return fold(a, b)
        return self.insert(make(self.value(a), self.value(b)))

    def add(self, a: Index, b: Index) -> Index:
        if a == 0 or b == 0:
            return b if a == 0 else a
        return self._binary(arith.AddiOp, lambda x, y: x + y, a, b)

    def sub(self, a: Index, b: Index) -> Index:
        if b == 0:
            return a
        if isinstance(b, int) and isinstance(a, SSAValue) and isinstance(added := a.owner, arith.AddiOp):
            literal = added.rhs.owner
            if isinstance(literal, arith.ConstantOp) and scalar_of(literal.value) == b:
                return added.lhs
        return self._binary(arith.SubiOp, lambda x, y: x - y, a, b)

    def mul(self, a: Index, b: Index) -> Index:
        if a == 1 or b == 1:
            return b if a == 1 else a
        return self._binary(arith.MuliOp, lambda x, y: x * y, a, b)

    def floordiv(self, a: Index, b: Index) -> Index:
        return a if b == 1 else self._binary(arith.FloorDivSIOp, lambda x, y: x // y, a, b)

    def ceildiv(self, a: Index, b: int) -> Index:
        return a if b == 1 else self._binary(arith.CeilDivSIOp, lambda x, y: -(-x // y), a, b)

    def remainder(self, a: Index, b: Index) -> Index:
        """`a` modulo `b`, of an index that is not negative."""
        if b == 1:
            return 0
        if isinstance(b, int) and b & (b - 1) == 0:
            return self._binary(arith.AndIOp, lambda x, y: x & y, a, b - 1)
        return self._binary(arith.RemSIOp, lambda x, y: x % y, a, b)

    def minimum(self, a: Index, b: Index) -> Index:
        return self._binary(arith.MinSIOp, min, a, b)

    def maximum(self, a: Index, b: Index) -> Index:
        return self._binary(arith.MaxSIOp, max, a, b)

    def nearest(self, place: Index, last: Index) -> Index:
        """The number from 0 to `last` that is nearest to `place`."""
        return self.minimum(self.maximum(place, 0), last)

    def compare(self, predicate: str, a: Index, b: Index) -> SSAValue:
        """`a <predicate> b` as an `i1`; `predicate` is one of `PREDICATES`."""
        if isinstance(a, int) and isinstance(b, int):
            return self.insert(arith.ConstantOp.from_int_and_width(PREDICATES[predicate](a, b), 1))
        return self.insert(arith.CmpiOp(self.value(a), self.value(b), predicate))

    def select(self, condition: SSAValue, a: Index, b: Index) -> Index:
        if a == b:
            return a
        if isinstance(condition.owner, arith.ConstantOp):
            return a if scalar_of(condition.owner.value) else b
        return self.insert(arith.SelectOp(condition, self.value(a), self.value(b)))

    def either(self, a: SSAValue | None, b: SSAValue | None) -> SSAValue | None:
        """`a` or `b`, where `None` is false."""
        if a is None or b is None:
            return b if a is None else a
        return self.insert(arith.OrIOp(a, b))

    def every(self, conditions: Iterable[SSAValue | None]) -> SSAValue | None:
        """The conjunction, where `None` is true. A pair that was asked for before is not built again."""
        result: SSAValue | None = None
        for condition in dict.fromkeys(conditions):
            if condition is None:
                continue
            if result is None:
                result = condition
                continue
            pair = (result, condition)
            if pair not in self._ands:
                self._ands[pair] = self.insert(arith.AndIOp(result, condition, i1))
            result = self._ands[pair]
        return result
