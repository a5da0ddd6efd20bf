"""The target `-t pallas` of tile-opt."""

from dataclasses import dataclass
from typing import IO

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.utils.target import Target

from .module import print_module


@dataclass(frozen=True)
class PallasTarget(Target):
    """Prints a module of the `pallas` dialect as Python text on `jax.experimental.pallas`."""

    name = "pallas"

    def emit(self, ctx: Context, module: ModuleOp, output: IO[str]) -> None:
        output.write(print_module(module))
