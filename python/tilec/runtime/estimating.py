"""Estimates for a tuner: one program, many choices, in a process that loads libtpu once."""

import math
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
from xdsl.utils.exceptions import DiagnosticException

from tilec.analysis.cost.estimate import Estimate as Cost
from tilec.chips import chip_named
from tilec.diagnostics import one_line, verify
from tilec.emit.module import print_module
from tilec.parsing import make_context
from tilec.runtime.aot import CompileRefused, compile_for
from tilec.runtime.estimate import estimate
from tilec.runtime.load import entry, load
from tilec.runtime.schedules import Compilation, dumped
from tilec.tuning.choice import Choice
from tilec.tuning.estimates import Estimate
from tilec.tuning.program import Operand, Program


class Compiler:
    """Compiles a program's choices for a chip.

    libtpu must not have been loaded before `tilec.runtime.schedules.dump_variables` of `folder` were set.
    """

    def __init__(self, program: Program, chip: str, folder: Path) -> None:
        self.program = program
        self.chip = chip_named(chip).name
        self.folder = folder
        self.arguments = [argument(each) for each in program.operands]
        self._asked = False

    def estimate(self, choice: Choice) -> Estimate:
        """What comes of a choice. A refusal of a pass or of the compiler is in it."""
        self._asked = False
        try:
            module = self.program.module.clone()
            choice.pipeline(self.chip).apply(make_context(), module)
            verify(module)
            text = print_module(module)
            found = estimate(text, self.program.name, self.arguments, self.chip, self._compile)
        except DiagnosticException as error:
            return Estimate(refused=one_line(error))
        except CompileRefused as refused:
            return Estimate(refused=str(refused), compiled=True)
        return _shortened(found, self._asked)

    def _compile(
        self, text: str, function: str, structs: Sequence[jax.ShapeDtypeStruct], chip: str
    ) -> Compilation:
        self._asked = True
        return compiled_here(self.folder, text, function, structs, chip)


def compiled_here(
    folder: Path, text: str, function: str, structs: Sequence[jax.ShapeDtypeStruct], chip: str
) -> Compilation:
    """Compiles in this process, in which libtpu dumps to `folder`, and leaves that empty."""
    try:
        compile_for(entry(load(text, function), function), structs, chip)
        return dumped(folder)
    finally:
        shutil.rmtree(folder)
        folder.mkdir()


def argument(operand: Operand) -> Any:
    """An argument as the estimator takes it: integers whose elements are known as they are."""
    struct = jax.ShapeDtypeStruct(operand.shape, operand.dtype)
    if operand.values is None or len(operand.values) != math.prod(operand.shape):
        return struct
    return np.array(operand.values, np.int64).astype(struct.dtype).reshape(operand.shape)


def _shortened(found: Cost, compiled: bool) -> Estimate:
    """What a tuner wants to know."""
    longest = max(found.operations, key=lambda each: each.seconds)
    vmem = max((each.vmem or 0 for each in found.operations), default=0)
    refused = f"not ranked: {'; '.join(found.doubts)}" if found.doubts else None
    return Estimate(found.seconds, found.trusted, vmem, longest.bound, refused, compiled)
