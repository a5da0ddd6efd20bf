"""The three proofs of one program, shown: `python -m tilec.demo examples/grouped_matmul.mlir`.

Prints the program folded into one pipeline, the emitted kernel, and what each proof took. If a proof fails, a
line says what is wrong and the exit status is 1.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from xdsl.dialects import func
from xdsl.ir import SSAValue

from tilec.diagnostics import TileError, run_tool
from tilec.dialects.interpreter import random_args
from tilec.dialects.interpreter.arguments import room
from tilec.dialects.tile import SegmentOp
from tilec.proof import Report, prove, read_program

TOOL = "tilec.demo"

Array = np.ndarray[Any, np.dtype[Any]]

ROWS = 300
"""What each `?` of an array is: two blocks of 128 and a part of one."""


def argument_lists(function: func.FuncOp) -> dict[str, list[Array]]:
    """Arguments for the function by what their segments are like; random ones only if it has none."""
    found = {"random segments": random_args(function, 0, ROWS)}
    segment = next((op for op in function.walk() if isinstance(op, SegmentOp)), None)
    if segment is None:
        return {"random arguments": found["random segments"]}
    parameters: list[SSAValue] = list(function.body.block.args)
    begins = parameters.index(segment.begins)
    count = len(found["random segments"][begins]) - (segment.ends is None)
    for name, lengths in hostile_lengths(count, *room(segment, ROWS)):
        args = random_args(function, 0, ROWS)
        offsets = np.cumsum([0, *lengths]).astype(args[begins].dtype)
        args[begins] = offsets if segment.ends is None else offsets[:-1]
        if segment.ends is not None:
            args[parameters.index(segment.ends)] = offsets[1:]
        found[name] = args
    return found


def hostile_lengths(count: int, extent: int, limit: int) -> Iterator[tuple[str, list[int]]]:
    """Lengths of `count` segments of at most `limit` rows in arrays of `extent` rows."""
    most = min(extent, limit)
    yield "all rows in one segment", [0] * (count // 2) + [most] + [0] * (count - count // 2 - 1)
    yield "one row in each segment", [1 if i < extent else 0 for i in range(count)]
    yield "no rows at all", [0] * count


def show(console: Console, names: list[str], report: Report) -> None:
    """Print what was proved; `names` are those of the lists of arguments."""
    console.rule("folded into one pipeline")
    console.print(report.folded, markup=False, highlight=False, soft_wrap=True)
    console.rule("emitted for Pallas")
    console.print(report.kernel, markup=False, highlight=False, soft_wrap=True)
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

    Raises what `tilec.proof.prove` does, and TileError for another number of arguments.
    """
    if len(argv) != 1:
        raise TileError(f"{len(argv)} arguments; write python -m {TOOL} FILE.mlir", TOOL)
    path = Path(argv[0])
    lists = argument_lists(read_program(path)[1])
    show(Console(), list(lists), prove(path, list(lists.values())))
    return 0


if __name__ == "__main__":
    sys.exit(run_tool(TOOL, lambda: demo(sys.argv[1:])))
