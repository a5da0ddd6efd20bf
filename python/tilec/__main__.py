"""`python -m tilec show FILE.py:KERNEL --args 'f32[128,256], i32[9], 4'`: what is made of a kernel, as text.

    --after PASS    the program after a pass, by its flag without dashes; as it was traced without
    --pallas        the emitted Pallas module
    --mosaic CHIP   what Pallas makes of it for a chip

An argument is an array, `dtype[extents]`, or a number. An error is one line, and the exit status is then 1.
"""

import ast
import importlib.util
import re
import sys
import traceback
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from xdsl.utils.exceptions import DiagnosticException

from tilec.diagnostics import Arguments, TileError, one_line, run_tool

TOOL = "python -m tilec"

DTYPES = {
    "f32": "float32",
    "bf16": "bfloat16",
    "f16": "float16",
    "i64": "int64",
    "i32": "int32",
    "i16": "int16",
    "i8": "int8",
    "u8": "uint8",
    "bool": "bool",
}


class ShowArguments(Arguments):
    """The command line."""

    def __init__(self) -> None:
        what = "[--after PASS | --pallas | --mosaic CHIP]"
        usage = f"{TOOL} show FILE.py:KERNEL --args 'f32[128,256], i32[9]' {what}"
        super().__init__(TOOL, usage, "Show what is made of a kernel.", allow_abbrev=False)
        self.add_argument("command", choices=["show"])
        self.add_argument("kernel", metavar="FILE.py:KERNEL")
        self.add_argument("--args", default="", help="arrays as dtype[extents], and numbers")
        shown = self.add_mutually_exclusive_group()
        shown.add_argument("--after", metavar="PASS")
        shown.add_argument("--pallas", action="store_true")
        shown.add_argument("--mosaic", metavar="CHIP")


def parse_arguments(text: str, tool: str = TOOL) -> list[Any]:
    """Read `f32[128,256], i32[9], 4`: tensors without elements, and numbers. Raises TileError of `tool`."""
    import torch

    found: list[Any] = []
    for part in re.findall(r"[^,\[\]]*\[[^\]]*\]|[^,]+", text):
        word = part.strip(" ,")
        if not word:
            continue
        match = re.fullmatch(r"(\w+)\[([\d\s,]*)\]", word)
        if match and match[1] in DTYPES:
            shape = [int(size) for size in match[2].split(",") if size.strip()]
            found.append(torch.empty(shape, dtype=getattr(torch, DTYPES[match[1]]), device="meta"))
            continue
        try:
            found.append(ast.literal_eval(word))
        except (ValueError, SyntaxError):
            accepted = ", ".join(DTYPES)
            raise TileError(
                f"--args has '{word}'; write dtype[extents] or a number, dtype of: {accepted}", tool
            ) from None
    return found


@contextmanager
def blamed_on(path: str) -> Generator[None]:
    """What a user's file raises becomes an error at the line of it that did, and that it ends Python, too."""
    try:
        yield
    except (DiagnosticException, TypeError, ValueError):
        raise
    except SyntaxError as error:
        raise TileError(error.msg, f"{path}:{error.lineno or 1}") from error
    except (Exception, SystemExit) as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        if not Path(last.filename).exists() or not Path(path).samefile(last.filename):
            raise
        raise TileError(f"{type(error).__name__}: {one_line(error)}", f"{path}:{last.lineno}") from error


def load_kernel(text: str, tool: str = TOOL) -> Any:
    """The kernel that `FILE.py:KERNEL` names. Raises TileError of `tool` where there is none."""
    from tilec.frontend.kernel import Kernel

    path, colon, name = text.rpartition(":")
    if colon and path.endswith(".py") and not Path(path).is_file():
        raise TileError(f"there is no file {path}", tool)
    if not colon or not Path(path).is_file():
        raise TileError(f"'{text}' names no kernel; write FILE.py:KERNEL", tool)
    spec = importlib.util.spec_from_file_location(Path(path).stem, path)
    if spec is None or spec.loader is None:
        raise TileError(f"{path} is no Python file", tool)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    with blamed_on(path):
        spec.loader.exec_module(module)
    kernels = [each for each, value in vars(module).items() if isinstance(value, Kernel)]
    if name not in kernels:
        raise TileError(f"there is no kernel {name}; the kernels are: {', '.join(kernels) or 'none'}", path)
    return getattr(module, name)


def show(argv: Sequence[str]) -> int:
    """Do what the command line says. Returns the exit status."""
    options = ShowArguments().parse_args(argv)
    kernel = load_kernel(options.kernel)
    try:
        with blamed_on(options.kernel.rpartition(":")[0]):
            bound = kernel.bind(*parse_arguments(options.args))
        if options.mosaic:
            print(bound.mosaic(options.mosaic))
        else:
            print(bound.pallas() if options.pallas else bound.mlir(options.after))
    except (TypeError, ValueError) as error:
        raise TileError(str(error), options.kernel) from error
    return 0


if __name__ == "__main__":
    sys.exit(run_tool(TOOL, lambda: show(sys.argv[1:])))
