"""How the operations that touch arrays, windows and scratch run."""

from collections.abc import Callable, Sequence

import numpy as np
from xdsl.dialects import memref
from xdsl.ir import Operation

from tilec.analysis.blocks import is_exact
from tilec.dialects.tile import (
    ConvertOp,
    EmptyOp,
    FullOp,
    GetOp,
    LoadOp,
    PipelineOp,
    ScratchOp,
    SegmentOp,
    SetOp,
    StoreOp,
    ViewOp,
    WindowOp,
)
from tilec.dialects.tile.access import AccessOp, Dim, Effect
from tilec.dialects.tile.places import held_part, held_type, place_of_part
from tilec.dialects.tile.syntax import scalar_of
from tilec.dialects.tile.types import UNBOUND, element_type, shape_of, span_names, span_of

from .errors import fault
from .machine import Machine, Step, name_of, rule
from .memory import Array, Index, Lanes, Scratch, Window, out_of_bounds, read, write
from .segments import disorder
from .spans import Span
from .values import Bits, Value, convert, dtype_of, hostile


@rule(EmptyOp, FullOp)
def allocate(op: EmptyOp | FullOp) -> Step:
    shape = op.array_type.get_shape()
    dtype = dtype_of(op, op.array_type.element_type)

    def step(machine: Machine) -> None:
        extents = list(shape)
        if op.like is not None:
            like: Array = machine.values[op.like]
            extents[0] = like.shape[0]
        if op.extent is not None:
            extents[0] = machine.integer(op, op.extent)
            if extents[0] < 0:
                fault(op, f"{op.name} of extent {extents[0]}; 0 or more is needed")
        data = hostile(machine.rng, tuple(extents), dtype)
        if isinstance(op, FullOp):
            data[...] = scalar_of(op.value)
        defined = np.full(data.shape, isinstance(op, FullOp))
        machine.values[op.array] = Array(data, defined, name_of(op.array))

    return step


@rule(ViewOp)
def view_array(op: ViewOp) -> Step:
    def step(machine: Machine) -> None:
        array: Array = machine.values[op.array]
        if op.permutation is None:
            extents = [array.shape[0] if n == UNBOUND else n for n in shape_of(op.result.type)]
            places = array.places.reshape(extents)
        else:
            places = array.places.transpose(op.permutation)
        machine.values[op.result] = array.view(places, name_of(op.result))

    return step


@rule(ConvertOp)
def convert_array(op: ConvertOp) -> Step:
    dtype = dtype_of(op, element_type(op.result.type))

    def step(machine: Machine) -> None:
        array: Array = machine.values[op.array]
        data, defined = array.data(), array.defined().copy()
        made = data != 0 if dtype == np.bool_ else convert(data, dtype)
        machine.values[op.result] = Array(np.asarray(made), defined, name_of(op.result))

    return step


@rule(memref.DimOp)
def extent(op: memref.DimOp) -> Step:
    def step(machine: Machine) -> None:
        array: Array = machine.values[op.source]
        dim = machine.integer(op, op.index)
        if not 0 <= dim < len(array.shape):
            fault(op, f"{op.name} asks for dimension {dim} of {array.name}, which has {len(array.shape)}")
        machine.values[op.result] = Value(np.asarray(array.shape[dim], np.int64))

    return step


@rule(SegmentOp)
def segment(op: SegmentOp) -> Step:
    def bound(machine: Machine, array: Array, index: int) -> int:
        if not 0 <= index < array.shape[0]:
            out_of_bounds(op, array, 0, index)
        return int(read(op, array, (index,), machine.trackers))

    def nearest(machine: Machine, array: Array, index: int) -> int:
        return bound(machine, array, min(max(index, 0), array.shape[0] - 1))

    def clipped(machine: Machine) -> None:
        begins: Array = machine.values[op.begins]
        ends, place, shift = op.end_place
        begin = nearest(machine, begins, machine.integer(op, op.index))
        end = nearest(machine, machine.values[ends], machine.integer(op, place) + shift)
        machine.values[op.begin] = Value(np.asarray(begin, np.int64))
        machine.values[op.end] = Value(np.asarray(max(begin, end), np.int64))

    def step(machine: Machine) -> None:
        if op.clipped is not None:
            clipped(machine)
            return
        index = machine.integer(op, op.index)
        stop = index + 1 if op.last is None else machine.integer(op, op.last)
        if stop <= index:
            fault(op, f"the range of segments {index} to {stop} is empty; one segment or more is needed")
        begins: Array = machine.values[op.begins]
        ends: Array = begins if op.ends is None else machine.values[op.ends]
        ranges = [
            (bound(machine, begins, i), bound(machine, ends, i + (op.ends is None)))
            for i in range(index, stop)
        ]
        more = op.ends is not None and stop < begins.shape[0]
        wrong = disorder(begins.name, ranges, index, bound(machine, begins, stop) if more else None)
        if wrong is not None:
            fault(op, wrong)
        machine.values[op.begin] = Value(np.asarray(ranges[0][0], np.int64))
        machine.values[op.end] = Value(np.asarray(ranges[-1][1], np.int64))

    return step


def placing(op: AccessOp) -> Callable[[Machine], Window]:
    """What finds the window of `op` in a step."""
    dims = [(dim, dim.base is not None and span_of(dim.base) is not None) for dim in op.window]

    def lanes(machine: Machine, dim: Dim, spans: bool, extent: int) -> Lanes:
        if dim.full:
            return Lanes(Span(0, 0, extent, extent), True)
        shift = machine.integer(op, dim.shift)
        if dim.base is None or not spans:
            place = shift + (0 if dim.base is None else machine.integer(op, dim.base))
            return Lanes(Span(place, place, place + 1, 1), False)
        span: Span = machine.values[dim.base]
        return Lanes(Span(span.start + shift, span.lo + shift, span.hi + shift, span.size), True)

    def place(machine: Machine) -> Window:
        array: Array = machine.values[op.array]
        extents = array.shape
        return Window(
            array, tuple(lanes(machine, *dim, extent) for dim, extent in zip(dims, extents, strict=True))
        )

    return place


def fetch(machine: Machine, op: Operation, window: Window) -> Value:
    """The value in a window, its dead lanes undefined.

    Raises InterpreterError where a live one is outside the array or was never stored.
    """
    dtype = window.array.dtype
    if window.empty:
        return Value(hostile(machine.rng, window.shape, dtype), np.ones(window.shape, np.bool_))
    window.check_bounds(op)
    data = read(op, window.array, window.live, machine.trackers)
    if data.shape == window.shape:
        return Value(data)
    padded = hostile(machine.rng, window.shape, dtype)
    padded[window.inner] = data
    poison = np.ones(window.shape, np.bool_)
    poison[window.inner] = False
    return Value(padded, poison)


def put(machine: Machine, op: Operation, window: Window, value: Value, *, partial: bool = False) -> None:
    """Store the live lanes of a value. Raises InterpreterError for a lane that cannot be written."""
    if window.empty:
        return
    window.check_bounds(op)
    data = convert(value.data, window.array.dtype)
    live = lanes_of(Value(data, value.poison), window.inner)
    write(op, window.array, window.live, live, machine.trackers, partial=partial)


def lanes_of(value: Value, lanes: "tuple[slice, ...] | Bits") -> Value:
    """Some lanes of a value."""
    return Value(value.data[lanes], None if value.poison is None else value.poison[lanes])


def mask_of(machine: Machine, op: LoadOp | StoreOp, names: Sequence[str | None]) -> Value | None:
    """Which lanes of a window to access: those of its mask, if it has one, and of jagged lanes the live."""
    given: Value | None = None if op.mask is None else machine.values[op.mask]
    dead = machine.dead(names) if machine.is_jagged(names) else None
    if dead is None:
        return given
    if given is None:
        return Value(~dead)
    return Value(given.data & ~dead, None if given.poison is None else given.poison & ~dead)


def chosen(op: Operation, live: Bits, mask: Value) -> Bits:
    """The live lanes where a mask is true. Raises InterpreterError where it is undefined in a live lane."""
    if mask.poison is not None and (mask.poison & live).any():
        lane = [int(place) for place in np.argwhere(mask.poison & live)[0]]
        fault(op, f"{op.name} has a mask that is undefined in the live lane {lane}")
    return live & mask.data


def choose(op: Operation, window: Window, mask: Value) -> tuple[Bits, Index]:
    """The live lanes where a mask is true, and their elements.

    Raises InterpreterError where one is outside the array, or where the mask of a live lane is undefined.
    """
    live = np.zeros(window.shape, np.bool_)
    if not window.empty:
        live[window.inner] = True
    active = chosen(op, live, mask)
    index = window.positions(active)
    for dim, (positions, extent) in enumerate(zip(index, window.array.shape, strict=True)):
        places = np.asarray(positions)
        outside = places[(places < 0) | (places >= extent)]
        if outside.size:
            out_of_bounds(op, window.array, dim, int(outside[0]))
    return active, index


def put_masked(
    machine: Machine, op: Operation, window: Window, value: Value, mask: Value, *, partial: bool = False
) -> None:
    """Store the live lanes where a mask is true, as `put` does."""
    active, index = choose(op, window, mask)
    data = convert(np.asarray(value.data), window.array.dtype)
    lanes = lanes_of(Value(data, value.poison), active)
    write(op, window.array, index, lanes, machine.trackers, partial=partial)


@rule(LoadOp)
def load(op: LoadOp) -> Step:
    place, names = placing(op), span_names(op.window_type)

    def step(machine: Machine) -> None:
        window, mask = place(machine), mask_of(machine, op, names)
        if mask is None:
            machine.values[op.result] = fetch(machine, op, window)
            return
        active, index = choose(op, window, mask)
        if op.other is None:
            data, poison = hostile(machine.rng, window.shape, window.array.dtype), ~active
        else:
            other: Value = machine.values[op.other]
            data = np.broadcast_to(other.data, window.shape).copy()
            poison = None if other.poison is None else ~active & other.poison
        data[active] = read(op, window.array, index, machine.trackers)
        machine.define(op.result, Value(data, poison))

    return step


@rule(StoreOp)
def store(op: StoreOp) -> Step:
    place, names = placing(op), span_names(op.window_type)

    def step(machine: Machine) -> None:
        mask = mask_of(machine, op, names)
        if mask is None:
            put(machine, op, place(machine), machine.values[op.value])
        else:
            put_masked(machine, op, place(machine), machine.values[op.value], mask)

    return step


@rule(WindowOp)
def view(op: WindowOp) -> Step:
    place = placing(op)

    def step(machine: Machine) -> None:
        window = place(machine)
        machine.values[op.result] = window if op.clipped is None else window.clipped

    return step


@rule(ScratchOp)
def scratch(op: ScratchOp) -> Step:
    held = held_type(op.result)
    dtype = dtype_of(op, element_type(held))

    def step(machine: Machine) -> None:
        if op not in machine.scratch or not isinstance(op.parent_op(), PipelineOp):
            machine.scratch[op] = Scratch(hostile(machine.rng, machine.shape(held), dtype))
        machine.values[op.result] = machine.scratch[op]

    return step


@rule(GetOp)
def get(op: GetOp) -> Step:
    held = _held_lanes(op)
    find = _place(op)

    def step(machine: Machine) -> None:
        place = find(machine)
        if isinstance(place, Scratch):
            machine.define(op.result, place.value())
        elif op.raw is None:
            machine.values[op.result] = fetch(machine, op, place)
        else:
            machine.values[op.result] = fetch_raw(machine, op, place.inside(held))

    return step


def _place(op: GetOp | SetOp) -> Callable[[Machine], "Window | Scratch"]:
    """What finds the window or scratch of `op`, or the part of a window that it is about."""
    if op.at is None:
        return lambda machine: machine.values[op.ref]
    part, whole = op.at
    dim = place_of_part(op)

    def find(machine: Machine) -> Window:
        window: Window = machine.values[op.ref]
        small: Span = machine.values[part]
        large: Span = machine.values[whole]
        offset = small.start - large.start
        if not 0 <= offset <= large.size - small.size:
            fault(
                op,
                f"{op.name} takes lanes {offset} to {offset + small.size} of a tile of {large.size}; "
                "a part of the tile is needed",
            )
        shift = window.lanes[dim].span.start - large.start
        moved = Span(small.start + shift, small.lo + shift, small.hi + shift, small.size)
        return window.part(dim, moved)

    return find


def _held_lanes(op: GetOp) -> list[bool]:
    """For each dimension of a window's value, whether the window holds dead lanes too, if they are inside the
    array: all but those of which only the live ones are copied.
    """
    window = op.ref.owner
    pipeline = window.parent_op()
    if not isinstance(window, WindowOp) or not isinstance(pipeline, PipelineOp):
        return []
    loop = pipeline.loop.data
    kept = [position for position, dim in enumerate(window.window) if dim.kept]
    return [not is_exact(window, position, loop) for position in kept]


def fetch_raw(machine: Machine, op: Operation, window: Window) -> Value:
    """Every lane of a window that the array holds. Those it does not hold or never stored are undefined."""
    data = hostile(machine.rng, window.shape, window.array.dtype)
    poison = np.ones(window.shape, np.bool_)
    if not window.empty:
        window.check_bounds(op)
        for tracker in machine.trackers:
            tracker.touch(op, window.array, window.live, Effect.READ)
        data[window.inner] = window.array.data(window.live)
        poison[window.inner] = ~window.array.defined(window.live)
    return Value(data, poison if poison.any() else None)


@rule(SetOp)
def set_(op: SetOp) -> Step:
    """A dimension that names no span, though the place does, has every lane written that the array holds.

    Such a value may hold what the array held, even undefined elements; any other must be defined where it is
    written.
    """
    names, held = span_names(op.value.type), span_names(held_part(op.ref, op.at))
    partial = names != held or not any(names)
    find = _place(op)

    def step(machine: Machine) -> None:
        place = find(machine)
        value: Value = machine.values[op.value]
        mask: Value | None = None if op.mask is None else machine.values[op.mask]
        if isinstance(place, Scratch):
            keep(machine, op, place, value, mask)
            return
        window = place.inside([name is None for name in names])
        if mask is None:
            put(machine, op, window, value, partial=partial)
        else:
            put_masked(machine, op, window, value, mask, partial=partial)

    return step


def keep(machine: Machine, op: SetOp, place: Scratch, value: Value, mask: Value | None) -> None:
    """Set the live lanes of scratch, or those of them that a mask chooses."""
    names = span_names(op.value.type)
    lanes: tuple[slice, ...] | Bits
    lanes = tuple(machine.spans[name].lanes if name else slice(None) for name in names)
    if mask is not None:
        live = np.zeros(place.data.shape, np.bool_)
        live[lanes] = True
        lanes = chosen(op, live, mask)
    data, poison = lanes_of(Value(convert(np.asarray(value.data), place.data.dtype), value.poison), lanes)
    place.data[lanes] = data
    place.poison[lanes] = False if poison is None else poison
