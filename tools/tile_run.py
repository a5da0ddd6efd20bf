"""tile-run: run a function of a program in the reference interpreter and summarize its results.

    tile-run examples/grouped_matmul.mlir --random
    tile-run program.mlir --entry f --random --arg offsets=offsets.npy --blocks "m=16 k=8" --out results

An error is one line, `file:line:col: error: message`, and the exit status is then 1.
"""

import sys
import zlib
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue

from tilec.diagnostics import Arguments, TileError, run_tool, verify
from tilec.dialects.interpreter import Result, functions, random_args, run
from tilec.parsing import make_context, parse_file, source_name
from tilec.passes.choose_blocks import named_axes

TOOL = "tile-run"


class RunArguments(Arguments):
    """The command line."""

    def __init__(self) -> None:
        usage = "tile-run [options] [FILE | -]"
        super().__init__(
            TOOL, usage, "Run a function of a tile program and summarize its results.", allow_abbrev=False
        )
        self.add_argument(
            "file", nargs="?", default="-", help="the program; standard input without one or for -"
        )
        self.add_argument("--entry", help="the function to run; may be left out where there is one")
        self.add_argument("--random", action="store_true", help="draw the arguments that --arg does not give")
        self.add_argument("--seed", type=int, default=0, help="of arguments, order and blocks (default 0)")
        self.add_argument("--extent", type=int, help="what each ? of a random argument is")
        self.add_argument(
            "--arg", action="append", default=[], metavar="NAME=FILE.npy", help="give an argument"
        )
        self.add_argument(
            "--blocks", default="", metavar='"m=16 k=8"', help="lanes of tile axes; others are random"
        )
        self.add_argument("--out", type=Path, metavar="DIR", help="save the results here, as NAME.npy")


def pick_function(module: ModuleOp, entry: str | None, place: str) -> func.FuncOp:
    """The function to run. Raises TileError where it is not clear."""
    found = {function.sym_name.data: function for function in functions(module)}
    if entry is None and len(found) == 1:
        return next(iter(found.values()))
    if entry not in found:
        asked = "give --entry" if entry is None else f"there is no function {entry}"
        raise TileError(f"{asked}; the functions are: {', '.join(found) or 'none'}", place)
    return found[entry]


def parse_blocks(text: str, axes: Collection[str]) -> dict[str, int]:
    """Read `m=16 k=8`. Raises TileError for anything else, and for what is none of `axes`."""
    blocks: dict[str, int] = {}
    for word in text.split():
        name, _, size = word.partition("=")
        if not size.isdecimal() or int(size) == 0:
            raise TileError(f"--blocks has '{word}'; write NAME=LANES with 1 lane or more", TOOL)
        if name not in axes or name in blocks:
            wrong = "is given twice" if name in blocks else "is no axis"
            raise TileError(f"--blocks: {name} {wrong}; the axes are: {', '.join(axes) or 'none'}", TOOL)
        blocks[name] = int(size)
    return blocks


def given_arguments(function: func.FuncOp, options: Sequence[str]) -> dict[SSAValue, Any]:
    """The arrays of `--arg NAME=FILE.npy`, by parameter.

    Raises TileError for an unknown name or a file of another kind.
    """
    parameters = {label(value, i): value for i, value in enumerate(function.body.block.args)}
    given: dict[SSAValue, Any] = {}
    for option in options:
        name, _, path = option.partition("=")
        if name not in parameters or not path:
            raise TileError(
                f"--arg has '{option}'; write NAME=FILE.npy, NAME of: {', '.join(parameters)}", TOOL
            )
        if parameters[name] in given:
            raise TileError(f"--arg gives {name} twice", TOOL)
        try:
            array: Any = np.load(path, allow_pickle=False)
        except (ValueError, EOFError) as error:
            raise TileError("not a .npy file of numbers", path) from error
        if isinstance(array, np.lib.npyio.NpzFile):
            raise TileError("a file of several arrays; one is needed", path)
        # The format has no name for bf16: it comes back as two bytes of anything.
        given[parameters[name]] = array.view(ml_dtypes.bfloat16) if array.dtype == np.dtype("V2") else array
    return given


def label(value: SSAValue, position: int) -> str:
    """How the command line calls an argument or a result."""
    return value.name_hint or str(position)


def summarize(name: str, value: SSAValue, result: Result) -> str:
    """One line about a result. Elements that are not defined count only as such."""
    elements = result.data[result.defined].astype(np.float64)
    parts = [f"{name}: {value.type}", f"shape {list(result.data.shape)}"]
    if elements.size:
        parts.append(f"min {elements.min():.6g} max {elements.max():.6g} mean {elements.mean():.6g}")
    share = 100 * result.defined.mean() if result.defined.size else 100
    checksum = zlib.crc32(result.data[result.defined].tobytes(), zlib.crc32(result.defined.tobytes()))
    return "  ".join([*parts, f"defined {share:.4g}%", f"crc32 {checksum:08x}"])


def save(folder: Path, name: str, result: Result) -> None:
    """Write a result, and which of its elements are defined where not all are."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / f"{name}.npy", result.data)
    if not result.defined.all():
        np.save(folder / f"{name}.defined.npy", result.defined)


def interpret(argv: Sequence[str]) -> int:
    """Do what the command line says. Returns the exit status."""
    options = RunArguments().parse_args(argv)
    if options.extent is not None and options.extent < 0:
        raise TileError(f"--extent {options.extent}; 0 or more is needed", TOOL)
    if options.seed < 0:
        raise TileError(f"--seed {options.seed}; 0 or more is needed", TOOL)
    module = parse_file(options.file, make_context())
    verify(module)
    function = pick_function(module, options.entry, source_name(options.file))
    arguments = given_arguments(function, options.arg)
    drawn = random_args(function, options.seed, options.extent) if options.random else []
    parameters = function.body.block.args
    missing = [label(value, i) for i, value in enumerate(parameters) if value not in arguments and not drawn]
    if missing:
        raise TileError(f"no value for {', '.join(missing)}; give --random or --arg NAME=FILE.npy", TOOL)
    chosen = [arguments[value] if value in arguments else drawn[i] for i, value in enumerate(parameters)]
    name, blocks = function.sym_name.data, parse_blocks(options.blocks, named_axes(function))
    results = run(module, name, chosen, seed=options.seed, blocks=blocks)
    returned = function.body.block.last_op
    for position, (value, result) in enumerate(
        zip(returned.operands if returned else (), results, strict=True)
    ):
        print(summarize(label(value, position), value, result))
        if options.out is not None:
            save(options.out, label(value, position), result)
    return 0


def main() -> int:
    return run_tool(TOOL, lambda: interpret(sys.argv[1:]))


if __name__ == "__main__":
    sys.exit(main())
