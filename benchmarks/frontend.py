"""Prints what tracing costs: each kernel of `examples/*.py`, to its program and on to Pallas text.

    python benchmarks/frontend.py [NAME …]

Times are in milliseconds, the least of three in a warm process.
"""

import importlib.util
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tilec.diagnostics import TileError
from tilec.frontend.kernel import Bound, Kernel

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def kernels(names: list[str]) -> Iterator[tuple[str, Kernel[..., Any], tuple[Any, ...]]]:
    """The kernels of the examples, with arguments."""
    for path in sorted(EXAMPLES.glob("*.py")):
        if names and path.stem not in names:
            continue
        spec = importlib.util.spec_from_file_location(path.stem, path)
        if spec is None or spec.loader is None:
            continue
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        for name, value in vars(module).items():
            if isinstance(value, Kernel):
                yield f"{path.stem}.{name}", value, module.arguments()


def measured(kernel: Kernel[..., Any], args: tuple[Any, ...]) -> tuple[float, float]:
    """Milliseconds of tracing, and of tracing and all passes."""
    traced, whole = list[float](), list[float]()
    for _ in range(3):
        started = time.perf_counter()
        bound: Bound = Kernel(kernel.fn, kernel.config).bind(*args)
        traced.append(time.perf_counter() - started)
        _ = bound.pallas()
        whole.append(time.perf_counter() - started)
    return 1e3 * min(traced), 1e3 * min(whole)


def main(names: list[str]) -> None:
    """Measure the kernels of the examples called `names`, or of all."""
    table = Table("kernel", "trace", "to Pallas", "share of tracing")
    found: list[float] = []
    for name, kernel, args in kernels(names):
        try:
            traced, whole = measured(kernel, args)
        except TileError as error:
            table.add_row(name, "", "", error.message[:60])
            continue
        found.append(whole)
        table.add_row(name, f"{traced:.0f}", f"{whole:.0f}", f"{traced / whole:.2f}")
    table.add_row("median", "", f"{statistics.median(found):.0f}", "")
    table.add_row("worst", "", f"{max(found):.0f}", "")
    Console().print(table)


if __name__ == "__main__":
    main(sys.argv[1:])
