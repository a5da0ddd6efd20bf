"""How loops, pipelines, conditionals and worklists run."""

from collections.abc import Callable, Sequence
from math import prod
from typing import TypeAlias

import numpy as np
from xdsl.dialects import func, scf
from xdsl.ir import Operation, SSAValue

from tilec.dialects.tile import (
    AppendOp,
    AxisOp,
    FirstOp,
    ForOp,
    GridOp,
    LastOp,
    LiveOp,
    PipelineOp,
    SpanOp,
    WorklistOp,
    YieldOp,
)
from tilec.dialects.tile.loops import Axis, Order
from tilec.dialects.tile.types import JaggedSpanType, span_names, span_of

from .errors import fault
from .machine import Machine, Step, Worklist, name_of, prepare, prepare_body, rule
from .memory import Array
from .spans import Extents, Span, Turn, tile, tiles
from .values import Value, either_of, hostile

Place: TypeAlias = Span | int
"""What an axis yields in one iteration."""


@rule(YieldOp, scf.YieldOp, func.ReturnOp)
def terminate(op: Operation) -> Step:
    """The operation around it takes the values."""
    return lambda machine: None


def bounds_of(machine: Machine, op: Operation, axis: Axis) -> tuple[int, int]:
    """Begin and end of an axis. Raises InterpreterError where they break the promise of `max`."""
    begin, end = (machine.integer(op, side) for side in (axis.bounds.begin, axis.bounds.end))
    limit = axis.bounds.limit
    if limit is not None and end - begin > limit:
        extent = end - begin
        fault(
            op,
            f"axis {axis.name} runs from {begin} to {end}, an extent of {extent}, but promises max {limit}",
        )
    return begin, end


def places_of(machine: Machine, op: Operation, axis: Axis, *, aligned: bool = False) -> Sequence[Place]:
    """What an axis yields, iteration by iteration, in order."""
    span = span_of(axis.value)
    if isinstance(span, JaggedSpanType):
        return tiles(0, longest(machine, op, axis, span), machine.block(span), aligned=False)
    begin, end = bounds_of(machine, op, axis)
    return range(begin, end) if span is None else tiles(begin, end, machine.block(span), aligned=aligned)


def longest(machine: Machine, op: Operation, axis: Axis, span: JaggedSpanType) -> int:
    """Take the extents of a jagged axis, one for each lane of its parent; returns the largest.

    Raises InterpreterError where one of a live lane is undefined, or breaks the promise of `max`.
    """
    if isinstance(axis.bounds.end, int):
        raise ValueError("a jagged axis has an extent for each lane")
    given: Value = machine.values[axis.bounds.end]
    dead = machine.dead([span.parent])
    live = np.ones(given.data.shape, np.bool_) if dead is None else ~dead
    if given.poison is not None and (given.poison & live).any():
        lane = int(np.argwhere(given.poison & live)[0][0])
        fault(op, f"axis {span.axis} needs the extent of lane {lane} of {span.parent}, which is undefined")
    extents = np.where(live, np.maximum(given.data, 0), 0).astype(np.int64)
    most, limit = int(extents.max()), axis.bounds.limit
    if limit is not None and most > limit:
        fault(
            op,
            f"axis {span.axis} has an extent of {most} in a lane of {span.parent}; max {limit} is promised",
        )
    machine.extents[span.axis] = Extents(span.parent, extents)
    return most


def enter(machine: Machine, value: SSAValue, place: Place) -> None:
    """Bind what an axis yields, and the name of its span."""
    span = span_of(value)
    if isinstance(place, int) or span is None:
        machine.values[value] = Value(np.asarray(place, np.int64))
        return
    machine.values[value] = place
    machine.spans[span.axis] = place
    if not isinstance(span, JaggedSpanType):
        machine.extents.pop(span.axis, None)


@rule(GridOp)
def grid(op: GridOp) -> Step:
    axes = op.axes
    body, _ = prepare_body(op.body.block)

    def step(machine: Machine) -> None:
        places = [places_of(machine, op, axis) for axis in axes]
        total = prod(len(found) for found in places)
        machine.steps[op] += total
        with machine.independent() as tracker:
            for iteration in machine.rng.permutation(total):
                tracker.iteration = int(iteration)
                rest = tracker.iteration
                for axis, found in zip(reversed(axes), reversed(places), strict=True):
                    rest, index = divmod(rest, len(found))
                    enter(machine, axis.value, found[index])
                body(machine)

    return step


@rule(ForOp)
def for_(op: ForOp) -> Step:
    axis, carried = op.axis, op.carried
    body, yielded = prepare_body(op.body.block)
    span = span_of(axis.value)

    def once(machine: Machine, place: Place) -> None:
        enter(machine, axis.value, place)
        if not isinstance(span, JaggedSpanType) or isinstance(place, int):
            body(machine)
            update(machine, carried, yielded)
            return
        parent, extents = machine.extents[span.axis]
        with machine.without(parent, extents <= place.start):
            body(machine)
            pairs = zip(carried, yielded, strict=True)
            machine.values.update({old: stepped(machine, parent, old, new) for old, new in pairs})

    def step(machine: Machine) -> None:
        update(machine, carried, op.inits)
        places = places_of(machine, op, axis)
        iterate(machine, axis.order, len(places), lambda index: once(machine, places[index]))
        update(machine, op.results_, carried)

    return step


def iterate(machine: Machine, order: Order | None, count: int, once: Callable[[int], None]) -> None:
    """Run the iterations of an axis: shuffled and watched for races if it is `parallel`, else in order."""
    if order != Order.PARALLEL:
        for index in range(count):
            once(index)
        return
    with machine.independent() as tracker:
        for index in machine.rng.permutation(count):
            tracker.iteration = int(index)
            once(int(index))


def update(machine: Machine, targets: Sequence[SSAValue], sources: Sequence[SSAValue]) -> None:
    """Assign all at once."""
    taken = [machine.values[source] for source in sources]
    machine.values.update(zip(targets, taken, strict=True))


def stepped(machine: Machine, parent: str, carried: SSAValue, new: SSAValue) -> Value:
    """What a step of a jagged loop carries on: dead lanes of `parent` keep what they had."""
    names = span_names(carried.type)
    value: Value = machine.values[new]
    keeps = machine.dead(names, [i for i, name in enumerate(names) if name == parent])
    return value if keeps is None else either_of(Value(keeps), machine.values[carried], value)


@rule(scf.IfOp)
def if_(op: scf.IfOp) -> Step:
    regions = (op.false_region, op.true_region)
    sides = [prepare_body(region.block) if region.blocks else None for region in regions]

    def step(machine: Machine) -> None:
        chosen = sides[machine.integer(op, op.cond)]
        if chosen is not None:
            body, yielded = chosen
            body(machine)
            update(machine, op.results, yielded)

    return step


@rule(scf.ForOp)
def scf_for(op: scf.ForOp) -> Step:
    body, yielded = prepare_body(op.body.block)
    index, *carried = op.body.block.args

    def step(machine: Machine) -> None:
        begin, end, stride = (machine.integer(op, side) for side in (op.lb, op.ub, op.step))
        if stride <= 0:
            fault(op, f"{op.name} has a step of {stride}; 1 or more is needed")
        update(machine, carried, op.iter_args)
        for place in range(begin, end, stride):
            enter(machine, index, place)
            body(machine)
            update(machine, carried, yielded)
        update(machine, op.results, carried)

    return step


@rule(PipelineOp)
def pipeline(op: PipelineOp) -> Step:
    """What follows an axis runs once for each of its steps, so the steps are nested from the last axis up."""
    rest: list[Operation] = []

    def count(machine: Machine) -> None:
        machine.steps[op] += 1

    body: Step = count
    for inner in reversed(list(op.body.block.ops)):
        if not isinstance(inner, AxisOp):
            rest.insert(0, inner)
            continue
        body = axis_step(inner, in_turn(prepare(rest), body))
        rest = []
    body = in_turn(prepare(rest), body)

    def step(machine: Machine) -> None:
        outer = machine.scratch, machine.locals
        machine.scratch, machine.locals = {}, {}
        body(machine)
        machine.scratch, machine.locals = outer

    return step


def in_turn(first: Step, second: Step) -> Step:
    def both(machine: Machine) -> None:
        first(machine)
        second(machine)

    return both


def axis_step(op: AxisOp, body: Step) -> Step:
    """All steps of an axis, `body` in each. A parallel one carries no scratch from step to step."""
    axis, aligned, parallel = op.axis, op.aligned is not None, op.order.data == Order.PARALLEL

    def once(machine: Machine, place: Place, turn: Turn) -> None:
        enter(machine, axis.value, place)
        machine.turns[axis.value] = turn
        if parallel:
            machine.forget_scratch()
        body(machine)

    def step(machine: Machine) -> None:
        places = places_of(machine, op, axis, aligned=aligned)
        if not places and op.keep is not None:
            once(machine, idle_place(machine, op, axis), Turn(first=True, last=True, live=False))
            return
        last = len(places) - 1
        iterate(
            machine,
            op.order.data,
            len(places),
            lambda index: once(machine, places[index], Turn(index == 0, index == last, live=True)),
        )

    return step


def idle_place(machine: Machine, op: AxisOp, axis: Axis) -> Place:
    """Where the one step of an empty range stands: at begin, in the tile that holds it, with no live lane."""
    begin, _ = bounds_of(machine, op, axis)
    span = span_of(axis.value)
    if span is None:
        return begin
    size = machine.block(span)
    return tile(begin, begin, size, 0, begin // size * size if op.aligned is not None else begin)


@rule(SpanOp)
def span_of_tile(op: SpanOp) -> Step:
    bounds, kind = op.bounds, span_of(op.result)
    size = kind.size if kind else 0

    def step(machine: Machine) -> None:
        index, begin, end = (machine.integer(op, value) for value in (op.index, bounds.begin, bounds.end))
        place = tile(begin, end, size, index, begin if op.aligned is None else 0)
        if place.lo == place.hi and op.keep is None:
            fault(op, f"tile {index} of {begin} to {end} by {size} has no live lane; `keep` would allow it")
        enter(machine, op.result, place)

    return step


@rule(FirstOp, LastOp, LiveOp)
def ask(op: FirstOp | LastOp | LiveOp) -> Step:
    question = op.name.removeprefix("tile.")

    def step(machine: Machine) -> None:
        machine.values[op.result] = Value(np.asarray(getattr(machine.turns[op.axis], question)))

    return step


@rule(WorklistOp)
def worklist(op: WorklistOp) -> Step:
    body = prepare(list(op.body.block.ops))

    def step(machine: Machine) -> None:
        filled = Worklist([], machine.integer(op, op.capacity))
        machine.worklists.append(filled)
        body(machine)
        machine.worklists.pop()
        count = len(filled.rows)
        for position, table in enumerate(op.tables):
            entries = hostile(machine.rng, (filled.capacity,), np.dtype(np.int32))
            entries[:count] = [row[position] for row in filled.rows]
            machine.values[table] = Array(entries, np.arange(filled.capacity) < count, name_of(table))
        machine.values[op.count] = Value(np.asarray(count, np.int64))

    return step


@rule(AppendOp)
def append(op: AppendOp) -> Step:
    def step(machine: Machine) -> None:
        rows, capacity = machine.worklists[-1]
        if len(rows) == capacity:
            fault(op, f"{op.name} adds entry {capacity + 1} to a worklist whose capacity is {capacity}")
        rows.append([machine.integer(op, value) for value in op.values])

    return step
