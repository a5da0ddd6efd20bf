"""Arrays and scratch: their elements, which of them are defined, and who touched them last."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from xdsl.ir import Operation

from tilec.diagnostics import where
from tilec.dialects.tile.access import Effect
from tilec.dialects.tile.atomics import Rmw

from .errors import Race, fault
from .spans import Span
from .values import Bits, Data, Value, convert, is_float

Index: TypeAlias = tuple[int | slice | npt.NDArray[np.int64], ...]
"""Elements of an array, for each dimension: one position, a run of them, or one for each element."""


class Array:
    """The elements of a memref. Equal only to itself.

    Those of a view are the elements of the array `base` that `places` numbers, in row-major order.
    """

    def __init__(
        self,
        data: Data,
        defined: Bits,
        name: str,
        base: "Array | None" = None,
        places: npt.NDArray[np.int64] | None = None,
    ) -> None:
        self._data = data
        self._defined = defined
        self.name = name
        self.base = base or self
        self._places = places
        self._sums: Data | None = None
        """What atomics have made of 16-bit floats of a base array, before rounding."""

    @property
    def shape(self) -> tuple[int, ...]:
        return self._data.shape if self._places is None else self._places.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._data.dtype

    @property
    def places(self) -> npt.NDArray[np.int64]:
        """The number of each element in the base array, int64 of the array's shape."""
        if self._places is None:
            return np.arange(self._data.size, dtype=np.int64).reshape(self.shape)
        return self._places

    def view(self, places: npt.NDArray[np.int64], name: str) -> "Array":
        """The elements at `places` of the base array, which they share."""
        return Array(self.base._data, self.base._defined, name, self.base, places)

    def data(self, index: Index = ()) -> Data:
        """Some elements, or all."""
        return self.part(self._data, index)

    def defined(self, index: Index = ()) -> Bits:
        """Which of some elements, or of all, were stored or passed in."""
        return self.part(self._defined, index)

    def part(self, values: npt.NDArray[Any], index: Index) -> npt.NDArray[Any]:
        """Those of `values`, one for each element of the base array, that belong to elements of this one."""
        if self._places is None:
            return np.asarray(values[index])
        return np.asarray(values.reshape(-1)[self._places[index]])

    def put(self, values: npt.NDArray[Any], index: Index, new: object) -> None:
        """Change what `part` returns."""
        if self._places is None:
            values[index] = new
        else:
            values.reshape(-1)[self._places[index]] = new

    def store(self, index: Index, data: Data, defined: Bits | bool) -> None:
        """Put elements, and say which of them are defined."""
        self.put(self._data, index, data)
        self.put(self._defined, index, defined)
        if self.base._sums is not None:
            self.put(self.base._sums, index, data)

    def combine(
        self, spots: tuple[npt.NDArray[np.int64], ...], change: Callable[[Data, npt.NDArray[np.int64]], None]
    ) -> Data:
        """Let `change` update elements, given all of the base array, flat, and their numbers in it.

        16-bit floats are those before rounding, in f32. Returns the elements as they were.
        """
        base = self.base
        narrow = is_float(self.dtype) and self.dtype.itemsize < 4
        if narrow and base._sums is None:
            base._sums = base._data.astype(np.float32)
        kept = base._data if base._sums is None else base._sums
        numbers = self._places[spots] if self._places is not None else np.ravel_multi_index(spots, self.shape)
        flat = kept.reshape(-1)
        before = flat[numbers]
        change(flat, numbers)
        if narrow:
            base._data.reshape(-1)[numbers] = convert(flat[numbers], self.dtype)
        return before


class Lanes(NamedTuple):
    """One dimension of a window: a span, kept in the window's value, or one position, which is dropped."""

    span: Span
    kept: bool


class Window(NamedTuple):
    """Where an access lies in an array."""

    array: Array
    lanes: tuple[Lanes, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(span.size for span, kept in self.lanes if kept)

    @property
    def empty(self) -> bool:
        """Whether there is no live lane."""
        return any(span.hi <= span.lo for span, _ in self.lanes)

    @property
    def live(self) -> Index:
        """The elements of the live lanes."""
        return tuple(slice(span.lo, span.hi) if kept else span.lo for span, kept in self.lanes)

    @property
    def inner(self) -> tuple[slice, ...]:
        """The live lanes, as lanes of the window's value."""
        return tuple(span.lanes for span, kept in self.lanes if kept)

    def inside(self, every: Sequence[bool]) -> "Window":
        """The window with every lane live that the array holds, along the dimensions that `every` marks.

        `every` is for the dimensions of the value. The position along another may be outside the array only
        where the window has no live lane, as in the idle step of an axis.
        """
        lanes: list[Lanes] = []
        marks = iter(every)
        for (span, kept), extent in zip(self.lanes, self.array.shape, strict=True):
            if not (next(marks) if kept else self.empty):
                lanes.append(Lanes(span, kept))
                continue
            lo = min(max(span.start, 0), span.start + span.size)
            hi = max(lo, min(span.start + span.size, extent))
            lanes.append(Lanes(Span(span.start, lo, hi, span.size), kept))
        return Window(self.array, tuple(lanes))

    def part(self, dim: int, span: Span) -> "Window":
        """Of the lanes along a dimension those of `span` that the window has."""
        whole, kept = self.lanes[dim]
        lo = min(max(span.lo, whole.lo), span.start + span.size)
        hi = max(lo, min(span.hi, whole.hi))
        lanes = Lanes(Span(span.start, lo, hi, span.size), kept)
        return Window(self.array, (*self.lanes[:dim], lanes, *self.lanes[dim + 1 :]))

    @property
    def clipped(self) -> "Window":
        """The window with no live lane outside the array."""
        lanes: list[Lanes] = []
        for (span, kept), extent in zip(self.lanes, self.array.shape, strict=True):
            lo = min(max(span.lo, 0), extent)
            hi = max(lo, min(span.hi, extent))
            lanes.append(Lanes(Span(span.start, lo, hi, span.size), kept))
        return Window(self.array, tuple(lanes))

    def positions(self, active: Bits) -> Index:
        """The element of each lane that `active` marks, of the window's shape."""
        found = iter(np.nonzero(active) if active.ndim else ())
        return tuple(
            next(found) + span.start if kept else np.full(int(active.sum()), span.start)
            for span, kept in self.lanes
        )

    def check_bounds(self, op: Operation) -> None:
        """Raise InterpreterError at `op` where a live lane is outside the array."""
        extents = self.array.shape
        for dim, ((span, _), extent) in enumerate(zip(self.lanes, extents, strict=True)):
            if span.lo < 0 or span.hi > extent:
                out_of_bounds(op, self.array, dim, span.lo if span.lo < 0 else span.hi - 1)


def out_of_bounds(op: Operation, array: Array, dim: int, position: int) -> None:
    """Raises InterpreterError."""
    extent = array.shape[dim]
    fault(
        op, f"{op.name} touches index {position} of dimension {dim} of {array.name}, whose extent is {extent}"
    )


class Scratch:
    """On-chip memory that holds one value. What was not set is undefined."""

    def __init__(self, data: Data) -> None:
        self.data = data
        self.poison: Bits = np.ones(data.shape, np.bool_)

    def value(self) -> Value:
        return Value(self.data.copy(), self.poison.copy() if self.poison.any() else None)


class Tracker:
    """Which iteration of a loop first read or combined and last wrote each element, to find those that meet.

    The first reader is enough: iterations run one after the other, so a writer that is not it comes later.
    A mark is `(iteration + 1) * 2**16 + operation`, 0 for none. Accesses of one sort do not conflict, but for
    writes: reads do not, nor do atomics of one kind.
    """

    def __init__(self) -> None:
        self.iteration = 0
        self._marks: dict[Array, dict[str, npt.NDArray[np.int64]]] = {}
        self._ops: dict[Operation, int] = {}

    def touch(self, op: Operation, array: Array, index: Index, sort: str) -> None:
        """Note an access. Raises InterpreterError at `op` if another iteration's access conflicts with it."""
        marks = self._marks.setdefault(array.base, {})
        for other, before in marks.items():
            if other != sort or sort == Effect.WRITE:
                self._refuse_others(op, array, index, before)
        mine = ((self.iteration + 1) << 16) + self._ops.setdefault(op, len(self._ops))
        own = marks.setdefault(sort, np.zeros(array.base.shape, np.int64))
        before = array.part(own, index)
        array.put(own, index, mine if sort == Effect.WRITE else np.where(before == 0, mine, before))

    def _refuse_others(self, op: Operation, array: Array, index: Index, marks: npt.NDArray[np.int64]) -> None:
        before = array.part(marks, index)
        others = (before != 0) & (before >> 16 != self.iteration + 1)
        if not others.any():
            return
        other = list(self._ops)[int(before[others][0]) & 0xFFFF]
        raise Race(
            f"race: {op.name} here and {other.name} at {where(other)} touch element {element(index, others)} "
            f"of {array.name} in different iterations of a parallel axis, and at least one writes it",
            where(op),
        )


def element(index: Index, bad: Bits) -> list[int]:
    """The first of the elements at `index` that `bad` marks."""
    spot = [int(lane) for lane in np.argwhere(bad)[0]]
    lanes = iter(spot)
    found: list[int] = []
    for part in index:
        if isinstance(part, int):
            found.append(part)
        elif isinstance(part, slice):
            found.append(part.start + next(lanes))
        else:
            found.append(int(part[spot[0]]))
    return found


def read(op: Operation, array: Array, index: Index, trackers: Sequence[Tracker]) -> Data:
    """A copy of elements. Raises InterpreterError at `op` where one was never stored, or for a race."""
    for tracker in trackers:
        tracker.touch(op, array, index, Effect.READ)
    defined = array.defined(index)
    if not defined.all():
        spot = element(index, ~defined)
        fault(op, f"{op.name} reads element {spot} of {array.name}, which nothing has stored before")
    return array.data(index).copy()


def write(
    op: Operation,
    array: Array,
    index: Index,
    value: Value,
    trackers: Sequence[Tracker],
    *,
    partial: bool = False,
) -> None:
    """Store lanes of the array's type. An undefined one makes its element undefined if `partial` lets it.

    Raises InterpreterError at `op` where a lane is undefined and must not be, or for a race.
    """
    poison = None if value.poison is None else np.asarray(value.poison)
    if poison is not None and not partial and poison.any():
        spot = element(index, poison)
        fault(op, f"{op.name} stores an undefined lane into element {spot} of {array.name}")
    for tracker in trackers:
        tracker.touch(op, array, index, Effect.WRITE)
    array.store(index, value.data, True if poison is None else ~poison)


COMBINE: dict[Rmw, "np.ufunc"] = {
    Rmw.ADD: np.add,
    Rmw.MAX: np.maximum,
    Rmw.MIN: np.minimum,
    Rmw.AND: np.bitwise_and,
    Rmw.OR: np.bitwise_or,
    Rmw.XOR: np.bitwise_xor,
}


def combine(
    op: Operation,
    array: Array,
    spots: tuple[npt.NDArray[np.int64], ...],
    lanes: Data,
    kind: Rmw,
    expected: Data | None,
) -> Data:
    """Combine elements with lanes, several of which may meet one element. Returns the elements as they were.

    `expected` is what elements must equal to be exchanged. 16-bit floats are combined in f32.

    Raises InterpreterError at `op` where an element was never stored.
    """
    read(op, array, spots, ())

    def change(flat: Data, numbers: npt.NDArray[np.int64]) -> None:
        rounded = lanes if kind in COMBINE and is_float(flat.dtype) else convert(lanes, array.dtype)
        values = convert(rounded, flat.dtype)
        if kind in COMBINE:
            COMBINE[kind].at(flat, numbers, values)
        else:
            flat[numbers] = (
                values if expected is None else np.where(flat[numbers] == expected, values, flat[numbers])
            )

    return array.combine(spots, change)
