"""How gathers, scatters and atomics run."""

from itertools import product
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from tilec.dialects.tile import AtomicRmwOp, GatherOp, LocalOp, PipelineOp, ScatterOp, UpdateRowsOp
from tilec.dialects.tile.access import AccessOp, Dim, Effect
from tilec.dialects.tile.atomics import Rmw
from tilec.dialects.tile.types import span_names, span_of

from .accesses import chosen, fetch, lanes_of
from .errors import fault
from .machine import Machine, Step, name_of, rule
from .memory import Array, Scratch, Window, combine, element, out_of_bounds, read, write
from .spans import Span
from .values import Bits, Value, convert, dtype_of, hostile

Places: TypeAlias = tuple[npt.NDArray[np.int64], ...]
"""Elements of an array: for each dimension, the position of each."""


class Spots(NamedTuple):
    """The lanes of a value that an access touches, and the element of each."""

    active: Bits
    places: Places


@rule(LocalOp)
def local(op: LocalOp) -> Step:
    shape = op.array.type.get_shape()
    dtype = dtype_of(op, op.array.type.element_type)

    def step(machine: Machine) -> None:
        if op not in machine.locals or not isinstance(op.parent_op(), PipelineOp):
            data = hostile(machine.rng, shape, dtype)
            machine.locals[op] = Array(data, np.zeros(shape, np.bool_), name_of(op.array))
        machine.values[op.array] = machine.locals[op]

    return step


@rule(GatherOp)
def gather(op: GatherOp) -> Step:
    def step(machine: Machine) -> None:
        array: Array = machine.values[op.array]
        mask: Value | None = None if op.mask is None else machine.values[op.mask]
        spots = _spots(machine, op, array, mask, drop=False)
        data = hostile(machine.rng, spots.active.shape, array.dtype)
        poison: Bits = np.ones(data.shape, np.bool_)
        if op.other is not None:
            other: Value = machine.values[op.other]
            data[...] = other.data
            poison[...] = False if other.poison is None else other.poison
        data[spots.active] = read(op, array, spots.places, machine.trackers)
        poison[spots.active] = False
        machine.define(op.result, Value(data, poison if poison.any() else None))

    return step


@rule(ScatterOp)
def scatter(op: ScatterOp) -> Step:
    def step(machine: Machine) -> None:
        array: Array = machine.values[op.array]
        mask: Value | None = None if op.mask is None else machine.values[op.mask]
        spots = _spots(machine, op, array, mask, drop=op.drop is not None)
        _refuse_repeated(op, array, spots.places)
        value: Value = machine.values[op.value]
        data = Value(convert(np.asarray(value.data), array.dtype), value.poison)
        write(op, array, spots.places, lanes_of(data, spots.active), machine.trackers)

    return step


@rule(AtomicRmwOp)
def atomic(op: AtomicRmwOp) -> Step:
    kind = op.kind.data
    commutes = kind.commutes and op.old is None  # what `unique` promises is checked
    sorts = [f"atomic {kind}"] if commutes else [Effect.READ, Effect.WRITE]

    def step(machine: Machine) -> None:
        array: Array = machine.values[op.array]
        mask: Value | None = None if op.mask is None else machine.values[op.mask]
        spots = _spots(machine, op, array, mask, drop=op.drop is not None)
        value: Value = machine.values[op.value]
        lanes = lanes_of(Value(np.asarray(value.data), value.poison), spots.active)
        if lanes.poison is not None and lanes.poison.any():
            spot = element(spots.places, lanes.poison)
            fault(op, f"{op.name} combines an undefined lane with element {spot} of {array.name}")
        expected = _expected(machine, op, spots)
        for tracker, sort in product(machine.trackers, sorts):
            tracker.touch(op, array, spots.places, sort)
        before = combine(op, array, spots.places, lanes.data, kind, expected)
        if op.old is None:
            return
        data = hostile(machine.rng, spots.active.shape, lanes.data.dtype)
        data[spots.active] = before.astype(data.dtype)
        machine.values[op.old] = Value(data, None if spots.active.all() else ~spots.active)

    return step


@rule(UpdateRowsOp)
def update_rows(op: UpdateRowsOp) -> Step:
    def step(machine: Machine) -> None:
        source: Window | Scratch = machine.values[op.source]
        place: Window = machine.values[op.place]
        ids: Array = machine.values[op.ids]
        span: Span = machine.values[op.span]
        if span.hi <= span.lo:
            return
        value = source.value() if isinstance(source, Scratch) else fetch(machine, op, source)
        lanes = lanes_of(value, (span.lanes, place.inner[1]))
        if span.lo < 0 or span.hi > ids.shape[0]:
            out_of_bounds(op, ids, 0, span.lo if span.lo < 0 else span.hi - 1)
        rows = read(op, ids, (slice(span.lo, span.hi),), machine.trackers).astype(np.int64)
        outside = (rows < 0) | (rows >= place.array.shape[0])
        if outside.any():
            out_of_bounds(op, place.array, 0, int(rows[outside][0]))
        columns = place.lanes[1].span
        spots = tuple(np.broadcast_arrays(rows[:, None], np.arange(columns.lo, columns.hi)))
        if lanes.poison is not None and lanes.poison.any():
            fault(op, f"{op.name} combines an undefined lane with {place.array.name}")
        for tracker in machine.trackers:
            tracker.touch(op, place.array, spots, Effect.WRITE)
        combine(op, place.array, spots, lanes.data, op.kind.data, None)

    return step


def _expected(machine: Machine, op: AtomicRmwOp, spots: Spots) -> "npt.NDArray[np.generic] | None":
    """What the elements are compared with, lane by lane. Raises InterpreterError at an undefined lane."""
    if op.kind.data is not Rmw.COMPARE_EXCHANGE or op.expected is None:
        return None
    value: Value = machine.values[op.expected]
    lanes = lanes_of(Value(np.asarray(value.data), value.poison), spots.active)
    if lanes.poison is not None and lanes.poison.any():
        fault(op, f"{op.name} compares with an undefined lane")
    return lanes.data


def _spots(machine: Machine, op: AccessOp, array: Array, mask: Value | None, *, drop: bool) -> Spots:
    """Which lanes of the value are live and chosen by `mask`, and the element of each.

    Raises InterpreterError where one is outside the array, but where `drop` leaves it out.
    """
    rank = sum(_rank(dim) for dim in op.window)
    places: list[npt.NDArray[np.int64]] = []
    live: Bits = np.ones((), np.bool_)
    axis = 0
    for dim, extent in zip(op.window, array.shape, strict=True):
        place, alive = _places(machine, op, dim, extent)
        tail = (1,) * (rank - axis - _rank(dim))
        places.append(place.reshape(place.shape + tail))
        live = live & alive.reshape(alive.shape + tail)
        axis += _rank(dim)
    shape = np.broadcast_shapes(*(place.shape for place in places))
    # A jagged span and its parent may be of two dimensions.
    names = span_names(op.window_type)
    dead = machine.dead(names) if machine.is_jagged(names) else None
    active = np.broadcast_to(live if dead is None else live & ~dead, shape).copy()
    if mask is not None:
        active = chosen(op, active, mask)
    for position, (place, extent) in enumerate(zip(places, array.shape, strict=True)):
        outside = active & ((place < 0) | (place >= extent))
        if drop and op.window[position].indexed:
            active &= ~outside
        elif outside.any():
            out_of_bounds(op, array, position, int(np.broadcast_to(place, shape)[outside][0]))
    return Spots(active, tuple(np.broadcast_to(place, shape)[active] for place in places))


def _rank(dim: Dim) -> int:
    """How many dimensions of the value stand for one of the array."""
    if dim.base is not None and dim.indexed:
        return len(span_names(dim.base.type))
    return int(dim.kept)


def _places(machine: Machine, op: AccessOp, dim: Dim, extent: int) -> tuple[npt.NDArray[np.int64], Bits]:
    """The positions that one dimension of a window names, and which of them are live."""
    if dim.full:
        return np.arange(extent), np.ones(extent, np.bool_)
    shift = machine.integer(op, dim.shift)
    if dim.base is None:
        return np.asarray(shift), np.ones((), np.bool_)
    if span_of(dim.base) is not None:
        span: Span = machine.values[dim.base]
        return np.arange(span.size) + (span.start + shift), ~span.dead
    if not dim.indexed:
        return np.asarray(machine.integer(op, dim.base) + shift), np.ones((), np.bool_)
    value: Value = machine.values[dim.base]
    dead = machine.dead(span_names(dim.base.type))
    live = np.ones(value.data.shape, np.bool_) if dead is None else ~np.broadcast_to(dead, value.data.shape)
    if value.poison is not None and (value.poison & live).any():
        lane = [int(place) for place in np.argwhere(value.poison & live)[0]]
        fault(op, f"{op.name} needs lane {lane} of {name_of(dim.base)}, which is undefined")
    return value.data.astype(np.int64) + shift, live


def _refuse_repeated(op: ScatterOp, array: Array, places: Places) -> None:
    """Raises InterpreterError where two lanes are written to one element."""
    flat = np.ravel_multi_index(places, array.shape)
    _, first = np.unique(flat, return_index=True)
    if first.size != flat.size:
        again = np.delete(np.arange(flat.size), first)[0]
        spot = [int(place[again]) for place in places]
        fault(op, f"{op.name} writes two lanes to element {spot} of {array.name}; use tile.atomic_rmw")
