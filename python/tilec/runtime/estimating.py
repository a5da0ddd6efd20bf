"""Estimates of compiled kernels, for a tuner: one program, many choices, in a process that loads libtpu once.

What a step takes is counted in the compiler's schedule: one bundle of instructions is one cycle. How many
steps there are, and what copies take, is the analytic model's.
"""

from pathlib import Path

import jax
from xdsl.utils.exceptions import DiagnosticException

from tilec.analysis.model import modelled
from tilec.chips import chip_named
from tilec.diagnostics import one_line, verify
from tilec.emit.module import print_module
from tilec.parsing import make_context
from tilec.runtime.aot import CompileRefused, compile_for
from tilec.runtime.bundles import kernels_in
from tilec.runtime.load import load
from tilec.tuning.choice import Choice
from tilec.tuning.estimates import Estimate
from tilec.tuning.program import Program


def dump_flags(folder: str) -> str:
    """Flags of libtpu with which it writes its schedules to a folder."""
    return (
        f"--xla_jf_dump_to={folder}/dump --xla_jf_dump_llo_text=true "
        "--xla_jf_dump_llo_pass_label_regex=.*final_bundles.*"
    )


class Compiler:
    """Compiles a program's choices for a chip. libtpu must have been loaded with `dump_flags` of `folder`."""

    def __init__(self, program: Program, chip: str, folder: str) -> None:
        self.program = program
        self.chip = chip_named(chip)
        self.dump = Path(folder) / "dump"
        self.dump.mkdir(exist_ok=True)
        self.structs = [jax.ShapeDtypeStruct(each.shape, each.dtype) for each in program.operands]

    def estimate(self, choice: Choice) -> Estimate:
        """What comes of a choice. A refusal of a pass or of the compiler is in it."""
        try:
            module = self.program.module.clone()
            choice.pipeline(self.chip.name).apply(make_context(), module)
            vmem = 0
            verify(module)
            text = print_module(module)
        except DiagnosticException as error:
            return Estimate(refused=one_line(error))
        try:
            fn = getattr(load(text, self.program.name), self.program.name)
            compile_for(fn, self.structs, self.chip.name)
        except CompileRefused as refused:
            self._clear()
            return Estimate(refused=str(refused), compiled=True)
        try:
            seconds, bound = self._seconds(choice)
        finally:
            self._clear()
        return Estimate(seconds, True, vmem, bound, compiled=True)

    def _seconds(self, choice: Choice) -> tuple[float, str]:
        """The time of all kernels, and what the slowest waits for."""
        kernels = [loops for name, loops in kernels_in(self.dump).items() if "worklist" not in name]
        works = self.program.workloads
        cycle = 1e-9 / self.chip.clock_ghz
        times: list[tuple[float, str]] = []
        for work, loops in zip(works, kernels, strict=False):
            model = modelled(work, choice.sizes, self.chip, choice.loop, choice.depth)
            bundles = sum(loop.bundles for loop in loops)
            compute = model.steps * bundles * cycle
            times.append(max((compute, "bundles"), (model.copy_seconds, "copies")))
        return sum(each for each, _ in times), max(times, default=(0.0, ""))[1]

    def _clear(self) -> None:
        for file in self.dump.iterdir():
            file.unlink()
