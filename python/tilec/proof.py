"""Proofs that a program stays what it is on its way to a TPU.

Three, none of which needs a device: the program gives the same results after every pass (`prove_passes`), its kernel gives
them in the TPU interpret mode of Pallas (`prove_kernel`), and the real TPU compiler takes the kernel (`prove_compiles`).
`prove` does all three. Each raises `ProofFailed` where the proof fails, and what a pass refuses as the TileError it is.
"""

import io
import time
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass
from xdsl.utils.exceptions import ParseError

from tilec.diagnostics import TileError, one_line, verify, where
from tilec.dialects.interpreter import Result, function_of, random_args, run
from tilec.emit.target import PallasTarget
from tilec.parsing import LocatingParser, make_context, parse_file
from tilec.passes.convert_tile_to_pallas import ConvertTileToPallas
from tilec.passes.tile_to_pallas import TileToPallas

if TYPE_CHECKING:
    from tilec.runtime.aot import Compiled

Array = np.ndarray[Any, np.dtype[Any]]

CHIPS = ("v5e", "v6e", "tpu7x")
"""The chips whose compilers judge a kernel: the three that are sold."""

TOLERANCE: Mapping[str, float] = {"float32": 5e-5, "bfloat16": 2e-2, "float16": 2.5e-3}
"""Error allowed in a float, relative to it plus the root mean square of its array: sums of a few hundred terms in another
order in f32, about five roundings in 16 bits. Other types must agree exactly."""


class ProofFailed(TileError):
    """A proof failed. `step` is the pass, the run or the chip it failed at, `difference` what is wrong."""

    def __init__(self, step: str, difference: str, place: str) -> None:
        super().__init__(f"{step}: {difference}", place)
        self.step = step
        self.difference = difference


@dataclass(frozen=True)
class Report:
    """What `prove` proved: the schedule and the kernel as text, and what it took.

    `steps` is the number of steps that the schedule's pipelines execute for each list of arguments; `seconds` are those of
    the proofs by name; `compiled` has one entry for each chip.
    """

    schedule: str
    kernel: str
    steps: tuple[int, ...]
    seconds: Mapping[str, float]
    compiled: "tuple[Compiled, ...]"
