"""tile-opt: apply passes to a program and print it, as MLIR or for a target.

    tile-opt --canonicalize --scf-for-loop-unroll="factor=2" program.mlir
    tile-opt -p canonicalize,cse -t pallas -o kernel.py program.mlir

The program comes from standard input without a file or for `-`. Passes run in the order given. Every error is
one line, `file:line:col: error: message`, and the exit status is then 1.
"""

import argparse
import difflib
import re
import sys
import time
from collections.abc import Collection, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import NoReturn

from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass, PassPipeline
from xdsl.printer import Printer
from xdsl.targets import get_all_targets as get_xdsl_targets
from xdsl.transforms import get_all_passes as get_xdsl_passes
from xdsl.utils.arg_spec import ArgSpec, parse_pipeline
from xdsl.utils.exceptions import DiagnosticException, ParseError
from xdsl.xdsl_opt_main import xDSLOptMain

from tilec.diagnostics import TileError, collect_notes, one_line, render, run_tool, verify
from tilec.emit import get_all_targets
from tilec.parsing import LocatingParser, make_context, read_text, source_name
from tilec.passes import get_all_passes

TOOL = "tile-opt"
SPLIT_MARKER = re.compile(r"^// -----[ \t]*$", re.MULTILINE)
OPTION_NAME = re.compile(r"(?:^|\s)([\w-]+)(?==)")
PASSES_OPTION = re.compile(r"-p=?(?P<short>.*)|--passes(?:=(?P<long>.*))?")


class TileOpt(xDSLOptMain):
    """xDSL's driver with our dialects, passes and targets, and errors that say where they are."""

    version_format = "tile-opt on xdsl {xdsl_version}"

    def __init__(self, argv: Sequence[str]) -> None:
        self.wants_help = not {"-h", "--help"}.isdisjoint(argv)
        names = get_xdsl_passes().keys() | get_all_passes().keys()
        super().__init__("Apply passes to a tile program and print it.", join_passes(argv, names))
        self.path: str = self.args.input_file or "-"
        self.running = ""
        self.started = 0.0

    def register_all_dialects(self) -> None:
        self.ctx = make_context()

    def register_all_passes(self) -> None:
        self.available_passes = get_xdsl_passes() | get_all_passes()

    def register_all_targets(self) -> None:
        self.available_targets = {**get_xdsl_targets(), **get_all_targets()}

    def register_all_arguments(self, arg_parser: argparse.ArgumentParser) -> None:
        super().register_all_arguments(arg_parser)
        arg_parser.add_argument(
            "--print-ir-after-all",
            dest="print_between_passes",
            action="store_true",
            help="Print the IR after every pass, to standard error",
        )
        arg_parser.add_argument(
            "--explain",
            action="store_true",
            help="Print why passes left alone what they did, to standard error",
        )
        arg_parser.add_argument(
            "--tune",
            metavar='"chip=v5e rows=8192 seconds=60 compiles=40"',
            help="Print the best options of --tile-to-pallas for the program, found by compiling",
        )
        arg_parser.usage = "tile-opt [options] [--PASS | --PASS='OPTION=VALUE ...'] ... [FILE | -]"
        # A shortened pass name must be an error, not some other option.
        arg_parser.allow_abbrev = False
        arg_parser.error = self.refuse_arguments
        if self.wants_help:
            arg_parser.formatter_class = argparse.RawDescriptionHelpFormatter
            arg_parser.epilog = describe_passes()

    def refuse_arguments(self, message: str) -> NoReturn:
        flag = re.fullmatch(r"unrecognized arguments: --([^\s=]+).*", message)
        hint = did_you_mean(flag[1], self.available_passes) if flag else ""
        raise TileError(message + hint, TOOL)

    def setup_pipeline(self) -> None:
        passes: list[ModulePass] = []
        for spec in parse_pipeline(self.args.passes):
            if spec.name not in self.available_passes:
                hint = did_you_mean(spec.name, self.available_passes)
                raise TileError(f"unknown pass '{spec.name}'{hint}", TOOL)
            passes.append(instantiate(self.available_passes[spec.name](), spec))
        self.pipeline = PassPipeline(tuple(passes), self.between_passes)

    def output_resulting_program(self, prog: ModuleOp) -> str:
        try:
            return super().output_resulting_program(prog).rstrip("\n") + "\n"
        except ValueError as error:
            raise TileError(one_line(error), source_name(self.path)) from error

    def between_passes(self, done: ModulePass | None, module: ModuleOp, following: ModulePass | None) -> None:
        if done is not None and self.args.time_passes:
            print(f"{done.name}: {1e3 * (time.perf_counter() - self.started):.1f} ms", file=sys.stderr)
        if done is not None and self.args.print_between_passes:
            print(f"// ----- IR after {done.name}", file=sys.stderr)
            Printer(stream=sys.stderr).print_op(module)
            print(file=sys.stderr)
        if not self.args.disable_verify:
            self.verify_after(done, module)
        self.running = "" if following is None else following.name
        self.started = time.perf_counter()

    def verify_after(self, done: ModulePass | None, module: ModuleOp) -> None:
        try:
            verify(module)
        except TileError as error:
            if done is None:
                raise
            raise TileError(f"{error.message} (after {done.name})", error.place) from error

    def process(self) -> int:
        """Read, transform and write all chunks of the input. Returns the exit status."""
        text = read_text(self.path)
        if self.args.tune is not None:
            return self.tune(text)
        outputs: list[str] = []
        failed = False
        with collect_notes() if self.args.explain else nullcontext([]) as notes:
            for chunk in split_chunks(text) if self.args.split_input_file else [text]:
                try:
                    outputs.append(self.compile(chunk))
                except (DiagnosticException, ParseError) as error:
                    failed = True
                    self.report(render(error, source_name(self.path)), outputs)
        for note in notes:
            print(note, file=sys.stderr)
        self.write("// -----\n".join(outputs))
        if not self.args.verify_diagnostics:
            return int(failed)
        if not failed:
            message = "--verify-diagnostics expects an error, but there was none"
            raise TileError(message, source_name(self.path))
        return 0

    def tune(self, text: str) -> int:
        """Write the options of --tile-to-pallas that are best for the program in `text`. Returns 0."""
        from tilec.tuning.command import tune_module  # what else is never needed

        place = source_name(self.path)
        if self.pipeline.passes:
            raise TileError("--tune takes a program as it is; give passes to a call of their own", place)
        module = LocatingParser(self.ctx, text, place).parse_module(not self.args.no_implicit_module)
        verify(module)
        self.write(tune_module(module, self.args.tune, place))
        return 0

    def compile(self, text: str) -> str:
        """The printed form of the program in `text` after all passes.

        Raises ParseError or DiagnosticException for what the program or a pass got wrong.
        """
        parser = LocatingParser(self.ctx, text, source_name(self.path))
        module = parser.parse_module(not self.args.no_implicit_module)
        try:
            self.pipeline.apply(self.ctx, module)
        except TileError:
            raise
        except DiagnosticException as error:
            raise TileError(f"{self.running}: {one_line(error)}", source_name(self.path)) from error
        return self.output_resulting_program(module)

    def report(self, message: str, outputs: list[str]) -> None:
        """Show an error: among the outputs if it is what a test waits for."""
        if self.args.verify_diagnostics:
            outputs.append(message + "\n")
        else:
            print(message, file=sys.stderr)

    def write(self, text: str) -> None:
        if self.args.output_file is None:
            sys.stdout.write(text)
        else:
            Path(self.args.output_file).write_text(text, encoding="utf-8")


def join_passes(argv: Sequence[str], names: Collection[str]) -> list[str]:
    """Gather `--a-pass`, `--a-pass="x=1 y=2"` and `-p ...` from `argv`, in order, into one `-p` in front."""
    pipeline: list[str] = []
    rest: list[str] = []
    words = iter(argv)
    for word in words:
        name, _, options = word.removeprefix("--").partition("=")
        if word == "--":
            rest += [word, *words]
        elif match := PASSES_OPTION.fullmatch(word):
            given = match["short"] or match["long"] or next(words, None)
            rest += ["-p"] if given is None else []
            pipeline.append(given or "")
        elif word == "--tune":  # without options, which argparse would look for in the next word
            rest.append("--tune=")
        elif word.startswith("--") and name in names:
            refuse_repeats(name, options)
            pipeline.append(f"{name}{{{options}}}" if options else name)
        else:
            rest.append(word)
    return ["-p", ",".join(filter(None, pipeline)), *rest]


def refuse_repeats(name: str, options: str) -> None:
    """Raise TileError where an option of a pass is given twice; xDSL would take the last in silence."""
    given = OPTION_NAME.findall(options)
    for option in given:
        if given.count(option) > 1:
            raise TileError(f"{name}: option {option} is given {given.count(option)} times", TOOL)


def split_chunks(text: str) -> list[str]:
    """The programs between lines `// -----`, each after as many empty lines as keep its line numbers true."""
    chunks: list[str] = []
    start = 0
    for marker in SPLIT_MARKER.finditer(text):
        chunks.append("\n" * text.count("\n", 0, start) + text[start : marker.start()])
        start = marker.end()
    return [*chunks, "\n" * text.count("\n", 0, start) + text[start:]]


def instantiate(kind: type[ModulePass], spec: ArgSpec) -> ModulePass:
    """The pass of `spec`. Raises TileError for options it does not have."""
    try:
        return kind.from_spec(spec)
    except ValueError as error:
        raise TileError(f"{spec.name}: {one_line(error)}", TOOL) from error


def did_you_mean(name: str, names: Collection[str]) -> str:
    close = difflib.get_close_matches(name, names, n=1)
    return f"; did you mean '{close[0]}'?" if close else ""


def describe_passes() -> str:
    """Each pass and the first line of its docstring, ours first."""
    ours = get_all_passes()
    lines = ["passes:"]
    for name, load in (ours | get_xdsl_passes()).items():
        kind = load()
        written = (kind.__doc__ or "").strip()
        # A dataclass without a docstring gets its signature as one.
        summary = "" if written.startswith(f"{kind.__name__}(") else written.partition("\n")[0]
        lines.append(f"  --{name:<42} {summary}".rstrip())
    return "\n".join(lines)


def main() -> int:
    return run_tool(TOOL, lambda: TileOpt(sys.argv[1:]).process())


if __name__ == "__main__":
    sys.exit(main())
