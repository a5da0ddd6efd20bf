"""The three proofs of one program, shown: `python -m tilec.demo examples/grouped_matmul.mlir`.

Prints the program folded into one pipeline, the emitted kernel, and what each proof took. If a proof fails, a
line says what is wrong and the exit status is 1.
"""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from xdsl.dialects import func
from xdsl.ir import SSAValue

from tilec.diagnostics import Arguments, run_tool
from tilec.dialects.interpreter import random_args
from tilec.dialects.interpreter.arguments import room
from tilec.dialects.tile import SegmentOp
from tilec.proof import Report, prove, read_program

TOOL = "tilec.demo"

Array = np.ndarray[Any, np.dtype[Any]]

ROWS = 300
"""What each `?` of an array is: two blocks of 128 and a part of one."""


HOSTILE: Mapping[str, Callable[[int, int], list[int]]] = {
    "all rows in one segment": lambda count, rows: [rows if i == count // 2 else 0 for i in range(count)],
    "one row in each segment": lambda count, rows: [1 if i < rows else 0 for i in range(count)],
    "no rows at all": lambda count, rows: [0] * count,
}
"""Lengths of a number of segments of a number of rows, or fewer."""


def argument_lists(function: func.FuncOp) -> dict[str, list[Array]]:
    """Arguments for the function by what their segments are like; random ones only if it has none."""
    segments = [op for op in function.walk() if isinstance(op, SegmentOp)]
    if not segments:
        return {"random arguments": random_args(function, 0, ROWS)}
    found = {"random segments": random_args(function, 0, ROWS)}
    parameters: list[SSAValue] = list(function.body.block.args)
    for name, lengths in HOSTILE.items():
        args = found[name] = random_args(function, 0, ROWS)
        for segment in segments:
            begins = parameters.index(segment.begins)
            count = len(args[begins]) - (segment.ends is None)
            offsets = np.cumsum([0, *lengths(count, min(room(segment, ROWS)))]).astype(args[begins].dtype)
            args[begins] = offsets
            if segment.ends is not None:
                args[begins], args[parameters.index(segment.ends)] = offsets[:-1], offsets[1:]
    return found


def show(console: Console, names: list[str], report: Report) -> None:
    """Print what was proved; `names` are those of the lists of arguments."""
    console.rule("folded into one pipeline")
    console.print(report.folded, markup=False, highlight=False, soft_wrap=True)
    console.rule("emitted for Pallas")
    kernel, _, _ = report.kernel.partition("\n# For lines of this file")  # the table of lines is for tools
    console.print(kernel, markup=False, highlight=False, soft_wrap=True)
    console.rule("proved")
    table = Table(box=None, show_header=False)
    table.add_row("every pass keeps the results", "", f"{report.pass_seconds:.1f} s")
    table.add_row("the kernel has them", "in Pallas interpret mode, for", f"{report.kernel_seconds:.1f} s")
    for name, steps in zip(names, report.steps, strict=True):
        table.add_row("", f"  {name}, {steps} steps")
    for each in report.compiled:
        seconds = each.trace_seconds + each.compile_seconds
        table.add_row(f"{each.chip.name} compiles it", f"{each.code_bytes} bytes of code", f"{seconds:.1f} s")
    console.print(table)


def demo(argv: list[str]) -> int:
    """Prove and show the program at the one path in `argv`; returns the exit status.

    Raises what `tilec.proof.prove` does, and TileError for another command line.
    """
    parser = Arguments(
        TOOL, f"python -m {TOOL} FILE.mlir", "Show the three proofs of a program.", allow_abbrev=False
    )
    parser.add_argument("file", type=Path, metavar="FILE.mlir", help="a program with one function")
    path = parser.parse_args(argv).file
    lists = argument_lists(read_program(path)[1])
    show(Console(), list(lists), prove(path, list(lists.values())))
    return 0


if __name__ == "__main__":
    sys.exit(run_tool(TOOL, lambda: demo(sys.argv[1:])))
