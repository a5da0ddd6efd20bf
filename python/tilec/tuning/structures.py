"""What may be chosen besides sizes: what the passes take of a program, and what makes a difference.

Of the orders of parallel axes those are tried that put another one outermost: what is fetched anew for each
step of an axis hangs on which is innermost, and there are seldom more than two whose tiles differ in that. A
loop of static extent is in the grid with `loop=grid`, and inside of a step with `loop=unroll`, or where its
block is all of it; to split it between cells of the grid is for programs, which have atomics for that.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

from tilec.analysis.model import modelled
from tilec.chips import CHIPS
from tilec.diagnostics import TileError
from tilec.dialects.tile.access import AccessOp, Effect
from tilec.dialects.tile.loops import LoopOp
from tilec.parsing import make_context
from tilec.passes.plan_memory import PlanMemory
from tilec.passes.tile_to_pallas import LOOPS
from tilec.tuning.choice import Choice
from tilec.tuning.program import USUAL, Program
from tilec.tuning.space import Space, inner_loops, space_with

DEPTHS = (2, 4)
"""Buffers of a window that are tried, where they make a difference: one is no overlap at all, and three take
a division in each step."""
OTHERS = (
    ("fetch", (2,)),
    ("gathers", ("inner", "outer", "rows")),
    ("shared", ("resident", "phases")),
    ("clean", ("peel", "mask")),
)
"""Options of which one at a time is tried, and their values besides what is usual."""


def space_of(program: Program, chip: str = USUAL) -> Space:
    """The choices for a program, each of which the passes take, but for what does not fit the chip."""
    return space_with(program, structures_of(program, chip))


def structures_of(program: Program, chip: str = USUAL) -> list[Choice]:
    """What may be chosen besides sizes, the plainest first: loops and groupings, with several buffers and
    placements, and with one more option at a time.
    """
    groupings = _groupings(program)
    bases = [base for grouping in groupings for base in _loops(program, grouping)]
    space = space_with(program, bases)

    def schedule(structure: Choice) -> str | None:
        return schedule_of(program, space, structure, chip)

    plain = schedule(bases[0])
    options, orders = _options(program, schedule, plain), _orders(program, space, chip)
    placements = [Choice.operands]
    if schedule(replace(bases[0], operands="resident")) not in (plain, None):
        placements.append("resident")
    found: list[Choice] = []
    for base in bases:
        usual = plain if base is bases[0] else schedule(base)
        if usual is None and base is not bases[0]:
            continue
        depths = [base.depth]
        for depth in DEPTHS if base.loop in ("emit_pipeline", "fori_loop") else ():
            if schedule(replace(base, depth=depth)) not in (usual, None):
                depths.append(depth)
        found += [replace(base, depth=depth, operands=each) for depth in depths for each in placements]
        found += [replace(base, **option) for option in options]
        for order in orders:
            ordered = replace(base, order=order)
            if schedule(ordered) not in (usual, None):
                found.append(ordered)
    return found


def _orders(program: Program, space: Space, chip: str) -> list[tuple[str, ...]]:
    """The axes that a grid copies less with, for some sizes, if they are outermost."""
    loops = [op for op in program.prepared(Choice.grouping).walk() if isinstance(op, LoopOp)]
    every = [[each.sizes[i * (len(each.sizes) - 1) // 2] for i in range(3)] for each in space.axes]
    tried = [dict(zip((each.axis for each in space.axes), sizes, strict=True)) for sizes in product(*every)]
    found: list[tuple[str, ...]] = []
    for name in dict.fromkeys(axis.name for loop in loops for axis in loop.axes):
        structure = Choice(order=(name,))
        if schedule_of(program, space, structure, chip) is not None and any(
            _moved(program, structure, sizes, chip) < _moved(program, Choice(), sizes, chip)
            for sizes in tried
        ):
            found.append(structure.order)
    return found


def _moved(program: Program, structure: Choice, sizes: Mapping[str, int], chip: str) -> float:
    """The bytes that a grid copies."""
    works = program.workloads_for(structure, chip)
    return sum(modelled(work, sizes, CHIPS[chip]).bytes_moved for work in works)


def schedule_of(program: Program, space: Space, structure: Choice, chip: str = USUAL) -> str | None:
    """The schedule that a structure makes with sizes in the middle, None where a pass refuses it."""
    if not _is_accepted(structure):
        return None
    if structure.loop == "unroll":
        return str(structure)  # taken, since loops are static; sizes in the middle may be too many steps
    module = program.module.clone()
    try:
        for each in space.moved(Choice(), structure).pipeline(chip).passes():
            if isinstance(each, PlanMemory):
                break
            each.apply(make_context(), module)
    except TileError:
        return None
    return str(module)


def _loops(program: Program, grouping: str) -> list[Choice]:
    """A grouping with each loop that there may be."""
    written_out = bool(inner_loops(program.prepared(Choice.grouping)))
    return [Choice((), grouping, loop) for loop in LOOPS if loop != "unroll" or written_out]


def _options(
    program: Program, schedule: Callable[[Choice], str | None], plain: str | None
) -> list[dict[str, Any]]:
    """The values of `OTHERS` that make another schedule of a grid than `plain`."""
    accesses = [op for op in program.prepared(Choice.grouping).walk() if isinstance(op, AccessOp)]
    without: set[str] = set()
    if not any(dim.indexed for access in accesses for dim in access.window):
        without.add("gathers")
    if not any(access.effect is Effect.ACCUMULATE for access in accesses):
        without.add("shared")
    found: dict[str | None, dict[str, Any]] = {plain: {}, None: {}}
    for option, values in OTHERS:
        for value in () if option in without else values:
            chosen = {option: value}
            found.setdefault(schedule(replace(Choice(), **chosen)), chosen)
    return [each for each in found.values() if each]


def _groupings(program: Program) -> Sequence[str]:
    """The groupings that differ. `auto` is first; with nothing known it is a worklist."""
    if not any(level.jagged for work in program.workloads for level in work.levels):
        return [Choice.grouping]
    auto, listed, products = (str(program.prepared(each)) for each in ("auto", "worklist", "one_hot"))
    also = [("worklist", auto != listed), ("one_hot", products not in (auto, listed))]
    return ["auto", *(each for each, differs in also if differs), "overlaunch", "stream"]


def _is_accepted(structure: Choice) -> bool:
    """Whether the pipeline has that combination at all."""
    try:
        structure.pipeline(USUAL).passes()
    except ValueError:
        return False
    return True
