"""Between which integers the indices of a program lie, for given arguments."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
from xdsl.dialects import arith, memref
from xdsl.dialects.builtin import IntegerAttr
from xdsl.ir import Operation, SSAValue

from tilec.analysis.affine import INTEGERS, extent
from tilec.diagnostics import where
from tilec.dialects.tile.access import Dim
from tilec.dialects.tile.arrays import LoadOp, SegmentOp
from tilec.dialects.tile.bound import BoundOp, Side
from tilec.dialects.tile.types import UNBOUND, shape_of
from tilec.dialects.tile.values import SplatOp

Range: TypeAlias = tuple[int, int]
"""A first integer, and the one after the last."""

Integers: TypeAlias = np.ndarray[Any, np.dtype[Any]]

_CORNERS: Mapping[type[Operation], Callable[[int, int], int]] = {
    **INTEGERS,
    arith.DivSIOp: lambda a, b: a // b if a >= 0 else -(-a // b),
    arith.DivUIOp: lambda a, b: a // b,
}
"""Operations whose extremes lie where their operands have theirs; divisors are positive."""


class NotKnown(Exception):
    """What was asked for depends on more than extents and the integers of arguments."""


class Scalars:
    """Evaluates indices. `shapes` and `contents` are those of arguments, `places` what axes yield now."""

    def __init__(
        self, shapes: Mapping[SSAValue, tuple[int, ...]], contents: Mapping[SSAValue, Integers]
    ) -> None:
        self.shapes = shapes
        self.contents = contents
        self.places: dict[SSAValue, Range] = {}

    def one(self, value: SSAValue | int) -> int:
        """An index. Raises `NotKnown`."""
        low, stop = self.range_of(value)
        if stop != low + 1:
            raise NotKnown("an index has several values where one is needed")
        return low

    def range_of(self, value: SSAValue | int) -> Range:
        """Between which integers an index lies. Raises `NotKnown`."""
        if isinstance(value, int):
            return value, value + 1
        if value in self.places:
            return self.places[value]
        match value.owner:
            case (
                arith.ConstantOp(value=IntegerAttr(value=literal)) | SplatOp(value=IntegerAttr(value=literal))
            ):
                return literal.data, literal.data + 1
            case arith.IndexCastOp() | arith.ExtSIOp() | arith.ExtUIOp() | arith.TruncIOp() as op:
                return self.range_of(op.operands[0])
            case memref.DimOp() as op:
                size = self.extent(op.source, self.one(op.index))
                return size, size + 1
            case BoundOp() as op:
                return self._bound(op)
            case SegmentOp() as op:
                array, index, more = op.end_place if value is op.end else (op.begins, op.index, 0)
                return self._content(array, [self.range_of(index)], more)
            case LoadOp() as op if not shape_of(op.result.type):
                return self._content(op.array, [self.dim(op.array, *pair) for pair in enumerate(op.window)])
            case Operation() as op if type(op) in _CORNERS:
                return self._corners(op)
            case arith.SelectOp() as op:
                sides = [self.range_of(side) for side in (op.lhs, op.rhs)]
                return min(low for low, _ in sides), max(stop for _, stop in sides)
            case owner:
                place = f" at {where(owner)}" if isinstance(owner, Operation) else ""
                raise NotKnown(
                    f"%{value.name_hint} is computed" if value.name_hint else f"an index{place} is computed"
                )

    def extent(self, array: SSAValue, place: int) -> int:
        """The extent of a dimension of an array. Raises `NotKnown`."""
        if array in self.shapes:
            return self.shapes[array][place]
        known = shape_of(array.type)[place]
        if known != UNBOUND:
            return known
        form = extent(array, place)
        total = form.constant
        for leaf, factor in form.factors.items():
            total += factor * (self.extent(*leaf) if isinstance(leaf, tuple) else self.one(leaf))
        return total

    def dim(self, array: SSAValue, place: int, dim: Dim) -> Range:
        """Which indices of a dimension an access reaches: where it is not known, all of them."""
        size = self.extent(array, place)
        if dim.full or dim.indexed:
            return 0, size
        try:
            low, stop = (0, 1) if dim.base is None else self.range_of(dim.base)
            first, last = self.range_of(dim.shift)
        except NotKnown:
            return 0, size
        return min(max(low + first, 0), size), min(max(stop + last - 1, 0), size)

    def _bound(self, op: BoundOp) -> Range:
        """Where tiles begin or end that lie in the range that their axis has."""
        if op.side.data is Side.SIZE:
            return op.lanes, op.lanes + 1
        low, stop = self.range_of(op.span)
        whole = stop - low <= op.lanes  # one tile
        begin = op.side.data is Side.BEGIN
        if whole:
            return (low, low + 1) if begin else (stop, stop + 1)
        return (low, stop) if begin else (low + 1, stop + 1)

    def _content(self, array: SSAValue, ranges: list[Range], more: int = 0) -> Range:
        """Between which integers the elements of a window lie, `more` places on."""
        if array not in self.contents:
            raise NotKnown(f"the content of %{array.name_hint or '?'} is")
        found = self.contents[array][tuple(slice(low + more, stop + more) for low, stop in ranges)]
        if not found.size:
            raise NotKnown(f"%{array.name_hint or '?'} is read outside of it")
        return int(found.min()), int(found.max()) + 1

    def _corners(self, op: Operation) -> Range:
        (a, b), (c, d) = (self.range_of(operand) for operand in op.operands)
        if not isinstance(op, arith.AddiOp | arith.SubiOp | arith.MuliOp | arith.MinSIOp | arith.MaxSIOp):
            c = max(c, 1)
            d = max(d, c + 1)
        found = [_CORNERS[type(op)](x, y) for x in (a, b - 1) for y in (c, d - 1)]
        return min(found), max(found) + 1
