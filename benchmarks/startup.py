"""Prints what tile-opt takes: whole processes, and the whole way to Pallas for a large module.

    python benchmarks/startup.py

Times are medians of one run on this machine; the ratios are what to compare between machines.
"""

import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tilec.diagnostics import verify
from tilec.emit.target import PallasTarget
from tilec.parsing import LocatingParser, make_context
from tilec.passes.tile_to_pallas import TileToPallas

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
RUNS = 9
OPERATIONS = 10_000


def process_seconds(*arguments: str) -> float:
    """Median time of a Python process with these arguments, which must succeed."""
    seconds: list[float] = []
    for _ in range(RUNS):
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def many_functions() -> str:
    """The grouped matrix product under as many names as make the module large."""
    text = (EXAMPLES / "grouped_matmul.mlir").read_text()
    operations = sum(1 for _ in parsed(text).walk())
    return "\n".join(re.sub(r"@\w+", f"@f{i}", text) for i in range(-(-OPERATIONS // operations)))


def one_long_body() -> str:
    """One kernel that adds an array to itself over and over."""
    kind = "tensor<8x128xf32, #tile.spans<_, n>>"
    body = "\n".join(f"%v{i + 1} = arith.addf %v{i}, %v0 : {kind}" for i in range(OPERATIONS))
    return f"""
func.func @f(%x: memref<8x512xf32>) -> memref<8x512xf32> {{
  %out = tile.empty : memref<8x512xf32>
  tile.grid %n = 0 to 512 by n:128 {{
    %v0 = tile.load %x[:, %n]
    {body}
    tile.store %v{OPERATIONS}, %out[:, %n]
  }}
  return %out : memref<8x512xf32>
}}"""


def parsed(text: str):
    return LocatingParser(make_context(), text, "f.mlir").parse_module()


def stages(text: str) -> tuple[int, list[tuple[str, float]]]:
    """Operations of a module, and the seconds of each stage of compiling it."""
    found: list[tuple[str, float]] = []

    def timed(name: str, work: Callable[[], object]) -> None:
        start = time.perf_counter()
        work()
        found.append((name, time.perf_counter() - start))

    module = parsed(text)
    operations = sum(1 for _ in module.walk())
    timed("parse", lambda: parsed(text))
    timed("verify", lambda: verify(module))
    for each in TileToPallas().passes():
        timed(each.name, lambda each=each: each.apply(make_context(), module))
    with Path("/dev/null").open("w") as sink:
        timed("print", lambda: PallasTarget().emit(make_context(), module, sink))
    return operations, found


def main() -> None:
    console = Console()
    program = str(EXAMPLES / "grouped_matmul.mlir")
    tool = ("-m", "tilec.tools.tile_opt")
    table = Table("process", "ms", "of bare Python", title=f"median of {RUNS} processes")
    bare = process_seconds("-c", "pass")
    table.add_row("python -c pass", f"{1e3 * bare:.0f}", "1")
    for name, arguments in (
        ("tile-opt, no pass", (*tool, program)),
        ("tile-opt --tile-to-pallas", (*tool, program, "--tile-to-pallas")),
        ("tile-opt --tile-to-pallas -t pallas", (*tool, program, "--tile-to-pallas", "-t", "pallas")),
    ):
        seconds = process_seconds(*arguments)
        table.add_row(name, f"{1e3 * seconds:.0f}", f"{seconds / bare:.1f}")
    console.print(table)
    for name, text in (("many functions", many_functions()), ("one long body", one_long_body())):
        operations, found = stages(text)
        total = sum(seconds for _, seconds in found)
        table = Table("stage", "ms", "operations/s", "share", title=f"{operations} operations, {name}")
        for stage, seconds in [*found, ("all", total)]:
            table.add_row(
                stage, f"{1e3 * seconds:.0f}", f"{operations / seconds:.0f}", f"{seconds / total:.0%}"
            )
        console.print(table)


if __name__ == "__main__":
    main()
