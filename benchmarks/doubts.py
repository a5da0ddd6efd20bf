"""Prints for which examples and chips an estimate has doubts, or the compiler refuses, and why.

    python benchmarks/doubts.py
    python benchmarks/doubts.py --chips v5e --loop fori_loop --depth 3 softmax matmul

Without arguments: all examples with their own choices, on all chips. Arguments are as the examples have them,
so shapes are small.
"""

import argparse
import dataclasses
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
import torch
from bundles import EXAMPLES

from tilec.chips import CHIPS
from tilec.dialects.interpreter import random_args
from tilec.frontend.kernel import Kernel
from tilec.proof import read_program
from tilec.runtime.aot import CompileRefused
from tilec.runtime.executable import Executable


def kernels(path: Path) -> Iterator[tuple[str, Executable, list[Any]]]:
    """The kernels of an example, with arguments for each."""
    if path.suffix == ".mlir":
        module, function = read_program(path)
        yield path.name, Executable(module), [known(each) for each in random_args(function)]
        return
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name, kernel in vars(module).items():
        if isinstance(kernel, Kernel):
            arguments = module.arguments()
            bound = kernel.bind(*arguments)
            tensors = [each for each in arguments if isinstance(each, torch.Tensor)]
            yield name, bound.executable, [known(each) for each in (*tensors, *bound.traced.captured)]


def known(array: Any) -> Any:
    """Integers and booleans as arrays, of other arguments shapes and dtypes only."""
    dtype = str(array.dtype).removeprefix("torch.")
    if dtype in ("int32", "int64", "bool"):
        return np.asarray(array).astype("bool" if dtype == "bool" else "int32")
    return jax.ShapeDtypeStruct(tuple(array.shape) or (1,), dtype)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="examples, without what follows the point")
    parser.add_argument("--chips", default=",".join(CHIPS))
    parser.add_argument("--loop")
    parser.add_argument("--depth", type=int)
    options = parser.parse_args()
    choices = {name: getattr(options, name) for name in ("loop", "depth") if getattr(options, name)}
    trusted, count = 0, 0
    for path in sorted(EXAMPLES.iterdir()):
        if path.suffix not in (".py", ".mlir") or (options.names and path.stem not in options.names):
            continue
        for name, executable, arguments in kernels(path):
            asked = dataclasses.replace(executable.choices, **choices)
            for chip in options.chips.split(","):
                count += 1
                try:
                    chosen = Executable(executable.module, executable.signature, asked)
                    found = chosen.estimate(chip, arguments)
                except CompileRefused as refused:
                    print(f"{name} on {chip}: refused: {refused.message}")
                    continue
                trusted += found.trusted
                for doubt in found.doubts:
                    print(f"{name} on {chip}: {doubt}")
    print(f"{trusted} of {count} without doubts")
    return 0


if __name__ == "__main__":
    sys.exit(main())
