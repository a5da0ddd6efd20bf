"""Every n-th lane of a value, and the lanes of several in turn, by taking lanes within registers.

Lanes are taken from one register of words to another in one operation, wherever they lie. So a value is cut
into the registers of its rows, and those of the result are chosen, lane by lane, from what they give.
"""

from collections.abc import Callable, Sequence
from math import prod

from xdsl.dialects import arith
from xdsl.dialects.builtin import AnyFloat, f32, i32
from xdsl.ir import Operation, SSAValue

from tilec.analysis.vmem import LANES, WORD
from tilec.dialects import pallas
from tilec.dialects.tile.elementwise import CastOp, CompareOp, Relation, SelectOp
from tilec.dialects.tile.types import byte_width, element_type, shape_of, value_type
from tilec.dialects.tile.values import BroadcastOp, ConcatenateOp, ReshapeOp, SliceOp, SplatOp

Emit = Callable[[Operation], SSAValue]


def strided_slice(emit: Emit, value: SSAValue, begin: int, step: int) -> SSAValue:
    """Each `step`-th lane of the last dimension, from `begin` on."""
    lanes = shape_of(value.type)[-1]
    count = len(range(begin, lanes, step))

    def made(build: _Lanes, parts: list[list[SSAValue]]) -> SSAValue:
        (part,) = parts
        found: list[SSAValue] = []
        for first in range(0, count, build.width):
            last = min(first + build.width, count) - 1
            place = build.plus(build.times(build.iota, step), begin + step * first)
            reached = begin + step * first, begin + step * last
            found.append(build.cut(build.at(part, place, *reached), last + 1 - first))
        return build.joined(found)

    return _moved(emit, [value], min(lanes, LANES), made)


def interleave(emit: Emit, values: Sequence[SSAValue]) -> SSAValue:
    """The lanes of all values in turn: lane i of the p-th of f becomes lane `f * i + p`."""
    many = len(values)
    lanes = shape_of(values[0].type)[-1] * many

    def made(build: _Lanes, parts: list[list[SSAValue]]) -> SSAValue:
        found: list[SSAValue] = []
        for first in range(0, lanes, build.width):
            last = min(first + build.width, lanes) - 1
            number = build.plus(build.iota, first)
            place, turn = build.quotient(number, many)
            reached = first // many, last // many
            chosen = build.at(parts[0], place, *reached)
            for position, part in enumerate(parts[1:], 1):
                chosen = build.chosen(turn, position, build.at(part, place, *reached), chosen)
            found.append(build.cut(chosen, last + 1 - first))
        return build.joined(found)

    return _moved(emit, values, min(lanes, LANES), made)


def _moved(
    emit: Emit,
    values: Sequence[SSAValue],
    width: int,
    made: "Callable[[_Lanes, list[list[SSAValue]]], SSAValue]",
) -> SSAValue:
    """What `made` makes of the registers of values, of which it sees words in two dimensions or more rows."""
    element, shape = element_type(values[0].type), shape_of(values[0].type)
    wide = f32 if isinstance(element, AnyFloat) else i32
    if byte_width(element) != WORD:
        values = [emit(CastOp(value, wide)) for value in values]
    rows = prod(shape[:-1])
    values = [_as_rows(emit, value, rows) for value in values]
    build = _Lanes(emit, max(rows, 2), width)
    result = made(build, [build.registers(value) for value in values])
    if rows == 1:
        result = emit(SliceOp(result, 0, 0, 1))
    whole = (*shape[:-1], shape_of(result.type)[-1])
    if shape_of(result.type) != whole:
        result = emit(ReshapeOp(result, value_type(element_type(result.type), whole, [None] * len(whole))))
    return result if element_type(result.type) == element else emit(CastOp(result, element))


def _as_rows(emit: Emit, value: SSAValue, rows: int) -> SSAValue:
    """A value as rows of lanes, of which there are two at least: of one, Mosaic takes no lanes."""
    shape = shape_of(value.type)
    flat = value_type(element_type(value.type), (rows, shape[-1]), [None, None])
    if value.type != flat:
        value = emit(ReshapeOp(value, flat))
    if rows > 1:
        return value
    return emit(BroadcastOp(value, [0, 1], value_type(element_type(flat), (2, shape[-1]), [None, None])))


class _Lanes:
    """Operations on registers of words that have `rows` rows and `width` lanes."""

    def __init__(self, emit: Emit, rows: int, width: int):
        self._emit = emit
        self.width = width
        self.iota = emit(pallas.IotaOp([rows, width], 1))

    def registers(self, value: SSAValue) -> list[SSAValue]:
        """The parts of a value's rows, of `width` lanes each: zeros follow on the last."""
        rows, lanes = shape_of(value.type)
        found: list[SSAValue] = []
        for first in range(0, lanes, self.width):
            size = min(self.width, lanes - first)
            part = value if size == lanes else self._emit(SliceOp(value, 1, first, size))
            if size < self.width:
                kind = value_type(element_type(value.type), (rows, self.width - size), [None, None])
                part = self._emit(ConcatenateOp([part, self._emit(SplatOp(0, kind))], 1))
            found.append(part)
        return found

    def at(self, parts: Sequence[SSAValue], place: SSAValue, least: int, most: int) -> SSAValue:
        """The lanes that stand at places, those of interest between `least` and `most`, of all parts."""
        found: SSAValue | None = None
        for number in range(least // self.width, most // self.width + 1):
            inside = self.plus(place, -number * self.width)
            below = self._emit(arith.MinSIOp(inside, self._like(self.width - 1)))
            ids = self._emit(arith.MaxSIOp(below, self._like(0)))
            taken = self._emit(pallas.TakeOp(parts[number], ids, 1))
            if found is None:
                found = taken
            else:
                later = self._emit(CompareOp(Relation.GE, inside, self._like(0)))
                found = self._emit(SelectOp(later, taken, found))
        if found is None:
            raise ValueError("some lanes are of interest")
        return found

    def chosen(self, turn: SSAValue, position: int, value: SSAValue, other: SSAValue) -> SSAValue:
        """One value where it is its turn, else another."""
        mine = self._emit(CompareOp(Relation.EQ, turn, self._like(position)))
        return self._emit(SelectOp(mine, value, other))

    def quotient(self, number: SSAValue, divisor: int) -> tuple[SSAValue, SSAValue]:
        """A number divided, and what remains."""
        quotient = self._emit(arith.DivSIOp(number, self._like(divisor)))
        return quotient, self._emit(arith.SubiOp(number, self.times(quotient, divisor)))

    def times(self, number: SSAValue, factor: int) -> SSAValue:
        return self._emit(arith.MuliOp(number, self._like(factor)))

    def plus(self, number: SSAValue, more: int) -> SSAValue:
        return number if more == 0 else self._emit(arith.AddiOp(number, self._like(more)))

    def cut(self, value: SSAValue, lanes: int) -> SSAValue:
        """The first lanes of a register."""
        return value if lanes == self.width else self._emit(SliceOp(value, 1, 0, lanes))

    def joined(self, parts: Sequence[SSAValue]) -> SSAValue:
        return parts[0] if len(parts) == 1 else self._emit(ConcatenateOp(parts, 1))

    def _like(self, number: int) -> SSAValue:
        return self._emit(SplatOp(number, self.iota.type))
