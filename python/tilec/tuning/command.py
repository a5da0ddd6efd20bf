"""What `tile-opt --tune` does: tunes the program of a file, of whose arguments it knows only the shapes."""

import sys

from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import BlockArgument

from tilec.chips import CHIPS
from tilec.diagnostics import TileError
from tilec.dialects.tile.arrays import SegmentOp
from tilec.runtime.signature import held_as, only_function, signature_of
from tilec.tuning.choice import Choice
from tilec.tuning.program import Operand, Program, text_of
from tilec.tuning.search import Budget
from tilec.tuning.timing import Times
from tilec.tuning.tuner import NothingFits, Tuned, tune

ROWS = 8192
"""What each `?` of an array is, where nothing is said."""
MOST_UNEVEN = 1.5
"""How long a segment is at most, in means of all."""
_SHOWN = 5
_LARGEST = 2**31 - 1
_DEFAULTS = {"chip": "v5e", "rows": str(ROWS), "seconds": "60", "compiles": "40"}


def tune_module(module: ModuleOp, options: str, place: str) -> str:
    """The options of `--tile-to-pallas` that are best for a program, as one line.

    `options` are as `"chip=v5e rows=8192 seconds=60 compiles=40"`. What else is known goes to standard error.
    Raises TileError for options that there are not, and where nothing can be taken.
    """
    given = _parsed(options, place)
    program = program_with_rows(module, int(given["rows"]))
    try:
        tuned = tune(program, given["chip"], Budget(float(given["seconds"]), int(given["compiles"])))
    except NothingFits as error:
        raise TileError(str(error), place) from error
    for line in tuned_lines(tuned):
        print(line, file=sys.stderr)
    return f"{tuned.choice}\n"


def _parsed(options: str, place: str) -> dict[str, str]:
    given: dict[str, str] = {}
    for word in options.split():
        name, _, value = word.partition("=")
        if name not in _DEFAULTS:
            raise TileError(f"--tune has '{word}'; {', '.join(_DEFAULTS)} are accepted", place)
        if name in given:
            raise TileError(f"--tune gives {name} twice", place)
        if name != "chip" and (not value.isdecimal() or not 0 < int(value) <= _LARGEST):
            raise TileError(f"--tune has {word}; a whole number from 1 to {_LARGEST} is accepted", place)
        given[name] = value
    if given.get("chip", _DEFAULTS["chip"]) not in CHIPS:
        raise TileError(f"--tune has chip={given['chip']}; the chips are {', '.join(CHIPS)}", place)
    return _DEFAULTS | given


def tuned_lines(tuned: Tuned) -> list[str]:
    """What a user wants to know besides the choice."""
    if tuned.outcome is None:
        return [f"{_shown(tuned.seconds, tuned.measured)}, as was found before"]
    lines: list[str] = []
    outcome = tuned.outcome
    times = Times() if tuned.times is None else tuned.times
    for choice, estimate in outcome.ranking[:_SHOWN]:
        lines.append(f"{_shown(estimate.seconds or 0.0, times.seconds.get(choice)):>12}  {choice}")
    lines += [f"   not run  {choice}: {why}" for choice, why in times.refused.items()]
    lines += [f"   refused  {choice}: {why}" for choice, why in outcome.refused]
    return [*lines, f"{outcome.compiles} compiles in {outcome.seconds:.0f} s: {outcome.ended}"]


def _shown(seconds: float, measured: float | None) -> str:
    """An estimate in microseconds, and what was measured."""
    return f"{1e6 * seconds:.1f} µs" + ("" if measured is None else f", {1e6 * measured:.1f} µs measured")


def program_with_rows(module: ModuleOp, rows: int) -> Program:
    """The program of a module with one function, every `?` of whose arguments is `rows`.

    Segments are taken to be between half and one and a half times as long as their mean. Raises TileError for
    a module without one function.
    """
    function = only_function(module)
    signature = signature_of(module)
    shapes = [tuple(rows if size is None else size for size in each.shape) for each in signature.parameters]
    dtypes = [held_as(each.dtype) for each in signature.parameters]
    names = [each.name for each in signature.parameters]
    plain = [Operand(*each) for each in zip(names, shapes, dtypes, strict=True)]
    program = Program(function.sym_name.data, text_of(module), tuple(plain))
    values = _segments(program, rows)
    operands = [
        Operand(each.name, each.shape, each.dtype, values.get(number)) for number, each in enumerate(plain)
    ]
    return Program(program.name, program.text, tuple(operands))


def _segments(program: Program, rows: int) -> dict[int, tuple[int, ...]]:
    """The elements of the arguments that say where segments are, by their position."""
    function = next(op for op in program.prepared(Choice.grouping).walk() if isinstance(op, func.FuncOp))
    ragged = [level for work in program.workloads for level in work.levels if level.ragged]
    mean = min((min(level.extent, level.most / MOST_UNEVEN) for level in ragged), default=rows)
    most = min((level.most for level in ragged), default=rows)
    found: dict[int, tuple[int, ...]] = {}
    for op in function.walk():
        if not isinstance(op, SegmentOp) or not isinstance(op.begins, BlockArgument):
            continue
        count = program.operands[op.begins.index].shape[0]
        groups = count if op.ends is not None else count - 1
        bounds = _uneven(int(mean * groups), groups, most)
        found[op.begins.index] = bounds[:count]
        if isinstance(op.ends, BlockArgument):
            found[op.ends.index] = bounds[1:]
    return found


def _uneven(total: int, groups: int, most: float) -> tuple[int, ...]:
    """Where groups of several lengths begin, and where the last one ends."""
    shares = [MOST_UNEVEN - 1 + (each * 0.618) % 1 for each in range(groups)]
    ends = [round(total * sum(shares[: each + 1]) / sum(shares)) for each in range(groups)]
    bounds = [0]
    for end in ends:
        bounds.append(min(end, bounds[-1] + int(most)))
    return tuple(bounds)
