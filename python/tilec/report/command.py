"""What `tile-report KERNEL` does, after its command line is read."""

import json
import linecache
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from xdsl.dialects.builtin import ModuleOp
from xdsl.utils.arg_spec import parse_pipeline

from tilec.__main__ import DTYPES, blamed_on, load_kernel, parse_arguments
from tilec.diagnostics import TileError, one_line, verify
from tilec.parsing import LocatingParser, make_context, read_text, source_name
from tilec.passes.choose_blocks import named_axes
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.report.arguments import Arguments, Source, arguments_for, read_source
from tilec.report.data import Report
from tilec.report.make import report
from tilec.report.page.make import page
from tilec.report.text import as_text
from tilec.runtime.executable import Executable
from tilec.runtime.signature import only_function, signature_of
from tilec.tuning.defaults import default_choice
from tilec.tuning.program import Operand, Program, text_of

TOOL = "tile-report"


def run(kernel: str, chips: Sequence[str], args: str, choices: str, as_json: bool, html: str) -> int:
    """Print the reports of a kernel, one for each chip; what is refused besides as a line of standard error.
    If a file is named, `html`, it gets them as a page.

    Returns 1 if something is refused, else 0. Raises TileError for arguments that the kernel does not take,
    and for a page in a folder that there is not.
    """
    if html and not Path(html).parent.is_dir():  # seen before anything is compiled
        raise TileError(f"there is no folder {Path(html).parent} for the page", TOOL)
    if html and Path(html).is_dir():
        raise TileError(f"{html} is a folder; name a file for the page", TOOL)
    positional, sources = split_arguments(args)
    try:
        executable_for, arguments = _prepared(kernel, positional, sources, choices)
        reports = [report(executable_for(chip), arguments, chip) for chip in chips]
    except (TypeError, ValueError) as error:
        raise TileError(one_line(error), kernel) from error
    if as_json:
        print(json.dumps([each.plain() for each in reports], indent=2))
    elif any(each.cost is not None for each in reports):
        _print(reports)
    if html:
        _write(html, page(reports))
    refused = [(each.chip, each.refused) for each in reports if each.refused is not None]
    for chip, why in refused:
        where = f"{chip}: " if why.place != chip else ""
        print(f"{why.place}: error: {where}{why.message}", file=sys.stderr)
    return 1 if refused else 0


def _write(file: str, text: str) -> None:
    try:
        Path(file).write_text(text, encoding="utf-8")
    except OSError as error:  # of a full disk does not name the file
        raise OSError(error.errno, error.strerror, file) from error


def _print(reports: Sequence[Report]) -> None:
    if sys.stdout.isatty():
        from tilec.report.text import show

        show(Console(), reports)
    else:
        print(as_text(reports), end="")


def split_arguments(text: str) -> tuple[list[str], dict[str, Source]]:
    """Read `bf16[64,128], i32[9], 4, offsets=lognormal:64`: what stands for itself, and what integers hold.

    Raises TileError for a source that `read_source` does not know, and for a name that is there twice.
    """
    positional: list[str] = []
    sources: dict[str, Source] = {}
    for part in re.findall(r"[^,\[\]]*\[[^\]]*\]|[^,]+", text):
        word = part.strip(" ,")
        name, equals, source = word.partition("=")
        if equals and name.strip() in sources:
            raise TileError(f"--args gives {name.strip()} twice", TOOL)
        if equals:
            sources[name.strip()] = read_source(source.strip(), f"{TOOL}: --args {name.strip()}")
        elif word:
            positional.append(word)
    return positional, sources


def _prepared(
    kernel: str, positional: Sequence[str], sources: Mapping[str, Source], choices: str
) -> tuple[Callable[[str], Executable], Arguments]:
    """A kernel ready to be compiled for a chip, and its arguments."""
    if kernel.endswith(".py") or ".py:" in kernel:
        return _traced(kernel, positional, sources, choices)
    module = _parsed(kernel)
    verify(module)
    parameters = signature_of(module).parameters
    given = [_shape(word, source_name(kernel)) for word in positional]
    arguments = arguments_for(only_function(module), parameters, given, sources)
    if choices:
        executable = Executable(module, choices=_choices(choices, TileToPallas()))
        return lambda _: executable, arguments
    program = _program(module, arguments)
    return lambda chip: Executable(module, choices=_liked(program, chip), modelled=True), arguments


def _program(module: ModuleOp, arguments: Arguments) -> Program:
    """A program with its arguments, of which integers count."""
    operands: list[Operand] = []
    for position, name in enumerate(arguments.names):
        known = arguments.contents.get(position)
        values = None if known is None else tuple(map(int, known.flat))
        operands.append(Operand(name, arguments.shapes[position], arguments.dtypes[position], values))
    return Program(only_function(module).sym_name.data, text_of(module), tuple(operands))


def _liked(program: Program, chip: str) -> TileToPallas:
    """What the analytic model chooses. Where a pass refuses the program whatever is chosen, what holds where
    nothing is said: the report then has why that is refused."""
    try:
        return default_choice(program, chip).pipeline(chip)
    except TileError:
        return TileToPallas(chip=chip)


def _parsed(kernel: str) -> ModuleOp:
    """The program of a file, whose text is kept for who shows it: standard input is read once."""
    text, place = read_text(kernel), source_name(kernel)
    linecache.cache[place] = (len(text), None, text.splitlines(keepends=True), place)
    return LocatingParser(make_context(), text, place).parse_module()


def _traced(
    kernel: str, positional: Sequence[str], sources: Mapping[str, Source], choices: str
) -> tuple[Callable[[str], Executable], Arguments]:
    """A kernel that is a torch function, traced for shapes."""
    found = load_kernel(kernel, TOOL)
    with blamed_on(kernel.rpartition(":")[0]):
        bound = found.bind(*parse_arguments(", ".join(positional), TOOL))

    def executable_for(chip: str) -> Executable:
        if not choices:
            return bound.for_chip(chip).executable
        # What a model chose for the kernel is for its own loop and grouping.
        chosen = _choices(choices, TileToPallas() if bound.given is None else bound.choices)
        axes = named_axes(bound.traced.module)  # without those of loops that nothing came of
        fixed = {name: size for name, size in bound.traced.fixed.items() if name in axes}
        chosen = replace(chosen, blocks={**chosen.blocks, **fixed})
        return Executable(bound.traced.module, bound.executable.signature, chosen)

    parameters = signature_of(bound.traced.module).parameters
    shapes = [_known(each.shape, word) for each, word in zip(parameters, _arrays(positional), strict=False)]
    given = [(each.dtype, shape) for each, shape in zip(parameters, shapes, strict=False)]
    held = {**bound.captured_integers(), **sources}
    return executable_for, arguments_for(only_function(bound.traced.module), parameters, given, held)


def _arrays(positional: Sequence[str]) -> list[tuple[int, ...]]:
    """The shapes among the words of a command line."""
    return [_shape(word, TOOL)[1] for word in positional if "[" in word]


def _known(shape: Sequence[int | None], given: Sequence[int]) -> tuple[int, ...]:
    """The shape in a kernel, of which an array without dimensions has one."""
    return tuple(given) or tuple(size or 1 for size in shape)


def _shape(word: str, place: str) -> tuple[str, tuple[int, ...]]:
    """numpy's name of a dtype and a shape. Raises TileError for what is no `dtype[extents]`."""
    match = re.fullmatch(r"(\w+)\[((?:\s*\d+\s*,)*\s*\d*\s*)\]", word)
    if match is None or match[1] not in DTYPES:
        accepted = ", ".join(DTYPES)
        raise TileError(f"--args has '{word}'; write dtype[extents], dtype of: {accepted}", place)
    return DTYPES[match[1]], tuple(int(size) for size in match[2].split(",") if size.strip())


def _choices(text: str, default: TileToPallas) -> TileToPallas:
    """The options of `--tile-to-pallas`, and the sizes of a default that they omit. Raises TileError."""
    try:
        (spec,) = parse_pipeline(f"{TileToPallas.name}{{{text}}}")
        if "chip" in spec.parameters:
            raise ValueError("the chip is what --chip says")
        chosen = TileToPallas.from_spec(spec)
    except (ValueError, TypeError) as error:
        raise TileError(f"--tile-to-pallas: {one_line(error)}", TOOL) from error
    return replace(chosen, blocks={**default.blocks, **chosen.blocks})
