"""Prints estimates beside times of the hardware that were published, and the order of pairs of kernels.

    python benchmarks/estimates.py

The hardware ran kernels of others, on the same arrays and with the same blocks; estimates are of tilec's, and
of what XLA makes of a function. Launching, about 100 µs in published timings, is not in them. `fitted`: the
read latency of v5e was chosen to match these rows, which are from the Pallas notebook of JAX's documentation.
"""

import sys
from dataclasses import dataclass

import jax
import numpy as np
from bundles import Case, emitted, struct
from rich.console import Console
from rich.table import Table

from tilec.analysis.cost.estimate import Estimate, faster
from tilec.runtime.aot import CompileRefused
from tilec.runtime.estimate import estimate

_XLA = """
import jax.numpy as jnp

def dot(x, w):
    return jnp.dot(x, w)

def exp(x):
    return jnp.exp(x)
"""


@dataclass(frozen=True)
class Run:
    """A function with its arguments on a chip, and how long the hardware takes, in microseconds, if known."""

    name: str
    chip: str
    hardware: float | None
    text: str
    function: str
    arguments: tuple[jax.ShapeDtypeStruct | np.ndarray, ...]
    note: str = ""

    def estimate(self) -> Estimate:
        """Compiles it, or takes the estimate from the cache. Raises `CompileRefused`."""
        return estimate(self.text, self.function, self.arguments, self.chip)


def product(size: int, m: int, n: int, k: int, hardware: float | None, note: str = "") -> Run:
    """A product of square bf16 matrices on v5e, by tilec."""
    extents = {extent: str(size) for extent in ("300", "200", "260")}
    square = f"bf16[{size},{size}]"
    case = Case("matmul", {"m": m, "n": n, "k": k}, f"{square} {square}", {}, extents)
    text = emitted(case, "grid", "bf16", "v5e")
    blocks = f"{m} x {n} x {k}" if len({m, n, k}) > 1 else f"{m}"
    name = f"matmul {size}, blocks of {blocks}"
    return Run(name, "v5e", hardware, text, "matmul", (struct(square), struct(square)), note)


def xla(function: str, shape: str, count: int, chip: str, hardware: float, note: str = "") -> Run:
    """A function that XLA compiles alone."""
    return Run(f"XLA {function} {shape}", chip, hardware, _XLA, function, (struct(shape),) * count, note)


def grouped(rows: int) -> Run:
    """A product of 8 even groups on tpu7x, by tiles of so many rows."""
    extents = {"512": "2048", "256": "2048", "257": "2048"}
    case = Case("grouped_matmul", {"m": rows, "k": 2048}, "", {}, extents)
    arguments = (
        struct("bf16[8192,2048]"),
        struct("bf16[8,2048,2048]"),
        np.linspace(0, 8192, 9).astype(np.int32),
    )
    text = emitted(case, "grid", "bf16", "tpu7x")
    return Run(f"grouped product, tiles of {rows} rows", "tpu7x", None, text, "grouped_matmul", arguments)


def runs() -> list[Run]:
    """What was timed, and published with shapes and blocks."""
    return [
        product(4096, 512, 1024, 1024, 784),
        product(8192, 512, 1024, 1024, 5994),
        xla("dot", "bf16[4096,4096]", 2, "v5e", 722),
        xla("dot", "bf16[8192,8192]", 2, "v5e", 5942),
        xla("dot", "bf16[1024,1024]", 2, "tpu7x", 5.6),
        xla("dot", "bf16[2048,2048]", 2, "tpu7x", 22.9),
        xla("exp", "f32[8192,12800]", 1, "tpu7x", 260, "timed: Helion's"),
        product(1024, 128, 128, 128, 193, "fitted"),
        product(4096, 128, 128, 128, 11666, "fitted"),
    ]


def pairs() -> list[tuple[Run, Run, str]]:
    """Pairs of which the first is faster on the hardware, and what was published of them."""
    return [
        (product(4096, 512, 512, 512, None), product(4096, 128, 128, 128, None), "same order"),
        (product(4096, 512, 1024, 1024, None), product(4096, 512, 512, 512, None), "same order"),
        (product(4096, 1024, 1024, 1024, None), product(4096, 512, 1024, 1024, None), "same order"),
        (grouped(256), grouped(128), "1.22 to 1.59 times as fast"),
    ]


NOT_RUN = (
    ("scores' masks hoisted past transposes, jagged GDPA, tpu7x", "213 to 283 TF/s", ""),
    ("emit_pipeline in place of an unrolled inner loop, jagged GDPA, tpu7x", "182 to 286 TF/s", ""),
    ("an outer pipeline in place of emit_pipeline, jagged GDPA, tpu7x", "6.68 to 2.53 ms", ""),
    ("a fetch tile larger than the compute tile, ragged paged attention", "49 % more", ""),
    ("attention by an unrolled loop against emit_pipeline, tpu7x", "decided", "right"),
    ("softmax, and in batches, against XLA, tpu7x", "decided", "right"),
    ("layer norm and RMS norm, Helion against XLA, tpu7x", "decided", "wrong"),
)
"""Published pairs whose kernels or shapes are not here, and what an estimator with this model said once."""


def compare_times(console: Console) -> int:
    """Print the first table; returns how many compiles were refused."""
    table = Table("case", "chip", "estimate µs", "band µs", "hardware µs", "ratio", "bound", "note")
    refusals = 0
    for run in runs():
        try:
            found = run.estimate()
        except CompileRefused as refused:
            refusals += 1
            table.add_row(run.name, run.chip, f"refused: {refused}")
            continue
        least, most = (f"{seconds * 1e6:.4g}" for seconds in found.band)
        longest = max(found.operations, key=lambda each: each.seconds)
        table.add_row(
            run.name,
            run.chip,
            f"{found.seconds * 1e6:.4g}",
            f"{least} to {most}",
            f"{run.hardware:.4g}",
            f"{found.seconds * 1e6 / (run.hardware or 1):.2f}",
            longest.bound,
            "; ".join([*filter(None, [run.note]), *found.doubts]),
        )
    console.print(table)
    return refusals


def compare_orders(console: Console) -> int:
    """Print the second table; returns how many compiles were refused."""
    table = Table("faster on the hardware", "than", "chip", "estimates µs", "published", "estimated order")
    refusals = 0
    for fast, slow, published in pairs():
        try:
            found = fast.estimate(), slow.estimate()
        except CompileRefused as refused:
            refusals += 1
            table.add_row(fast.name, slow.name, fast.chip, f"refused: {refused}")
            continue
        order = {True: "right", False: "wrong", None: "not decided"}[faster(*found)]
        times = " and ".join(f"{each.seconds * 1e6:.4g}" for each in found)
        table.add_row(fast.name, slow.name, fast.chip, times, published, order)
    for name, published, before in NOT_RUN:
        table.add_row(name, "", "", "", published, f"not run; {before} before" if before else "not run")
    console.print(table)
    return refusals


def main() -> int:
    console = Console()
    return 1 if compare_times(console) + compare_orders(console) else 0


if __name__ == "__main__":
    sys.exit(main())
