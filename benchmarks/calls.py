"""Prints what a call costs besides the kernel: checks of arguments, and the ways between torch and jax.

    python benchmarks/calls.py

The kernel itself is replaced by a jitted function that fills the results, since interpreting it takes longer
than all else by far. Times are medians of calls that take turns, in microseconds; the ratios are to the
jitted function on the same arrays, and what to compare between machines.
"""

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import torch
from rich.console import Console
from rich.table import Table

from tilec.dialects.interpreter import random_args
from tilec.proof import read_program
from tilec.runtime.executable import Executable
from tilec.runtime.shapes import result_shapes
from tilec.runtime.signature import Parameter, Signature

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
PROGRAMS = ("softmax", "matmul", "grouped_matmul", "embedding_gradient", "residual_rms_norm")
ROWS = 256
CALLS = 300


def with_stand_in(name: str) -> tuple[Executable, list[jax.Array], Callable[..., Any]]:
    """An example whose kernel only fills its results; its arguments, and what is in the kernel's place.

    Offsets and indices are 64-bit integers for the caller, as torch has them.
    """
    module, function = read_program(EXAMPLES / f"{name}.mlir")
    arrays = [jnp.asarray(each) for each in random_args(function, extent=ROWS)]
    own = Executable(module).signature
    wide = [Parameter(each.name, each.shape, each.dtype.replace("int32", "int64")) for each in own.parameters]
    program = Executable(module, Signature(own.name, tuple(wide), own.results))
    shapes = tuple(array.shape for array in arrays)
    check, _ = program.prepared(shapes)
    forms = list(zip(result_shapes(module, shapes), own.results, strict=True))

    @jax.jit
    def fill(*arrays: jax.Array) -> tuple[jax.Array, ...]:
        return tuple(jnp.zeros(shape, result.dtype) for shape, result in forms)

    program._launches[shapes] = check, fill
    return program, arrays, fill


def tensor_of(array: jax.Array) -> torch.Tensor:
    tensor = torch.from_dlpack(array)
    return tensor.to(torch.int64) if tensor.dtype == torch.int32 else tensor


def measured(calls: list[Callable[[], Any]]) -> list[float]:
    """The median time of each call, in microseconds."""
    seconds: list[list[float]] = [[] for _ in calls]
    for _ in range(CALLS):
        for each, call in zip(seconds, calls, strict=True):
            start = time.perf_counter()
            call()
            each.append(time.perf_counter() - start)
    return [1e6 * statistics.median(each) for each in seconds]


def main() -> None:
    columns = (
        "program",
        "arguments",
        "jitted",
        "checks",
        "jax_fn",
        "call, jax",
        "call, torch",
        "beyond jitted",
    )
    table = Table(*columns, title="microseconds a call")
    for name in PROGRAMS:
        program, arrays, fill = with_stand_in(name)
        tensors = [tensor_of(array) for array in arrays]
        check, _ = program.prepared(tuple(array.shape for array in arrays))
        times = measured(
            [
                lambda: jax.block_until_ready(fill(*arrays)),
                lambda: check(*arrays),
                lambda: jax.block_until_ready(program.jax_fn(*arrays)),
                lambda: program(arrays),
                lambda: program(tensors),
            ]
        )
        bare, checks, *ours = times
        shown = [f"{each:.0f} ({each / bare:.1f}x)" for each in ours]
        table.add_row(
            name, str(len(arrays)), f"{bare:.0f}", f"{checks:.0f}", *shown, f"{ours[-1] - bare:.0f}"
        )
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
