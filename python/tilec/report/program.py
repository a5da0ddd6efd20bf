"""A program after each pass, its source, and its Pallas text, as lines that know where they came from."""

import ast
import linecache
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from io import StringIO

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass
from xdsl.printer import Printer

from tilec.diagnostics import TileError, collect_notes, file_location, verify
from tilec.emit.module import module_lines
from tilec.parsing import make_context
from tilec.passes.convert_tile_to_pallas import ConvertTileToPallas
from tilec.passes.tile_to_pallas import TileToPallas

Place = tuple[str, int, int]
"""A file, a line and a column, from 1."""


@dataclass(frozen=True)
class Line:
    """A line of IR or of Pallas text: the place in the source that its operation came from, and the
    operation's number in its IR; for Pallas text that is the one after the last pass. `fresh` ones were not
    there before the pass."""

    text: str
    place: Place | None = None
    op: int | None = None
    fresh: bool = False


@dataclass(frozen=True)
class Stage:
    """The program after a pass, or as it was given: `name` is unique, `summary` says what the pass does, and
    `notes` why it left something alone. One that `changed` nothing has no lines."""

    name: str
    summary: str
    notes: tuple[str, ...] = field(compare=False)  # they name the chip
    changed: bool
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Source:
    """Lines of a source file by their numbers; none where it cannot be read. The language is `python` or
    `mlir`."""

    file: str
    language: str
    lines: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class Program:
    """A program on its way to Pallas, as far as passes take it. `pallas` is empty if one refuses."""

    sources: tuple[Source, ...]
    stages: tuple[Stage, ...]
    pallas: tuple[Line, ...]


def follow(module: ModuleOp, choices: TileToPallas) -> Program:
    """Applies the passes one by one. What refuses ends it."""
    changed, context = module.clone(), make_context()
    printed = _printed(changed)
    stages = [Stage("source", "The program as it was given.", (), True, printed)]
    pallas: tuple[Line, ...] = ()
    try:
        for each in choices.passes():
            with collect_notes() as notes:
                each.apply(context, changed)
            printed = _printed(changed)
            stages.append(_stage(each, notes, printed, stages))
        verify(changed)
        pallas = _emitted(changed, printed)
    except (TileError, ValueError):
        pass  # the report says why
    places = [line.place for lines in (*(stage.lines for stage in stages), pallas) for line in lines]
    return Program(tuple(_sources([place for place in places if place is not None])), tuple(stages), pallas)


def _stage(done: ModulePass, notes: Sequence[str], lines: Sequence[Line], before: Sequence[Stage]) -> Stage:
    often = sum(stage.name.partition(".")[0] == done.name for stage in before)
    name = f"{done.name}.{often + 1}" if often else done.name
    summary = (type(done).__doc__ or "").partition("\n")[0].partition(': "')[0].rstrip(".")
    previous = [line.text for line in next(stage for stage in reversed(before) if stage.changed).lines]
    texts = [line.text for line in lines]
    if texts == previous and done.name != ConvertTileToPallas.name:
        return Stage(name, summary, tuple(notes), False, ())
    marked = list(lines)
    for kind, _, _, first, stop in SequenceMatcher(None, previous, texts, autojunk=False).get_opcodes():
        if kind != "equal":
            marked[first:stop] = [replace(line, fresh=True) for line in marked[first:stop]]
    return Stage(name, summary, tuple(notes), True, tuple(marked))


class _LinePrinter(Printer):
    """A printer that remembers on which lines operations are, from 0: inner ones come first."""

    def __init__(self, stream: StringIO) -> None:
        super().__init__(stream)
        self.lines: list[tuple[Operation, int, int]] = []

    def print_op(self, op: Operation) -> None:
        first = self._current_line
        super().print_op(op)
        self.lines.append((op, first, self._current_line))


def _printed(module: ModuleOp) -> tuple[Line, ...]:
    """The lines of the IR. Each is of the outermost operation that begins there, or else of the innermost
    that it is a part of."""
    stream = StringIO()
    printer = _LinePrinter(stream)
    printer.print_op(module)
    owners: dict[int, Operation] = {}
    for op, first, last in printer.lines:
        for line in range(first + 1, last + 1):
            owners.setdefault(line, op)
        owners[first] = op
    numbers = _numbers(module)
    texts = stream.getvalue().rstrip("\n").split("\n")
    return tuple(Line(text, _place(owners[i]), numbers[owners[i]]) for i, text in enumerate(texts))


def _emitted(module: ModuleOp, printed: Sequence[Line]) -> tuple[Line, ...]:
    """The lines of the Pallas text, each of an operation that has one in the IR as it is `printed`, or of the
    one around it."""
    numbers, shown = _numbers(module), {line.op for line in printed}

    def line_of(text: str, op: Operation) -> Line:
        around: Operation | None = op
        while around is not None and numbers.get(around) not in shown:
            around = around.parent_op()  # the end of a region is not always printed
        return Line(text, _place(op), None if around is None else numbers[around])

    lines = module_lines(module)
    return tuple(Line(text) if op is None or not text else line_of(text, op) for text, op in lines)


def _numbers(module: ModuleOp) -> dict[Operation, int]:
    return {op: number for number, op in enumerate(module.walk())}


def _place(op: Operation) -> Place | None:
    """Where an operation came from: one without a place of its own, such as a yield, from its parent's."""
    found, parent = file_location(op.location), op.parent_op()
    if found is not None:
        return found.filename.data, found.line.data, found.column.data
    return None if parent is None else _place(parent)


def _sources(places: Collection[Place]) -> Iterator[Source]:
    """The files of places: of Python the functions around them, of others all."""
    for file in dict.fromkeys(file for file, _, _ in places):
        lines = [line.rstrip("\n") for line in linecache.getlines(file)]
        wanted = {line for name, line, _ in places if name == file and line <= len(lines)}
        try:
            kept = wanted | _around(ast.parse("\n".join(lines)), wanted)
            language = "python"
        except SyntaxError:
            kept, language = set(range(1, len(lines) + 1)), "mlir"
        yield Source(file, language, tuple((number, lines[number - 1]) for number in sorted(kept)))


def _around(module: ast.Module, wanted: Collection[int]) -> set[int]:
    """The lines of the outermost functions and classes around some lines."""
    found: set[int] = set()
    for each in module.body:
        if isinstance(each, ast.FunctionDef | ast.ClassDef):
            first = min([each.lineno, *(decorator.lineno for decorator in each.decorator_list)])
            covered = range(first, (each.end_lineno or first) + 1)
            found |= set(covered) if any(line in covered for line in wanted) else set()
    return found
