"""Estimates of compiled kernels, for a tuner: one program, many choices, one process that loads libtpu."""

import re
from math import prod
from pathlib import Path

import jax
from xdsl.utils.exceptions import DiagnosticException

from tilec.analysis.cost.bundles import UnknownText, parse_schedule
from tilec.analysis.cost.machine import Trace, run
from tilec.analysis.cost.scalars import Value
from tilec.analysis.cost.state import Stuck
from tilec.chips import chip_named
from tilec.diagnostics import one_line, verify
from tilec.emit.module import print_module
from tilec.parsing import make_context
from tilec.runtime.aot import CompileRefused, compile_for
from tilec.runtime.load import load
from tilec.tuning.choice import Choice
from tilec.tuning.estimates import Estimate
from tilec.tuning.program import Program

_INSTRUCTION = re.compile(r"^ +(?:ROOT )?%([\w.-]+) = (.*?) ([\w-]+)\(([^)]*)\)(.*)", re.MULTILINE)
_ARRAY = re.compile(r"(\w+)\[([\d,]*)\]")
_SAME = ("bitcast", "copy", "reshape")
Words = list[Value] | None


def dump_flags(folder: str) -> str:
    """Flags of libtpu with which it writes its schedules to a folder."""
    return (
        f"--xla_jf_dump_to={folder}/dump --xla_jf_dump_llo_text=true "
        "--xla_jf_dump_llo_pass_label_regex=.*packed-bundles-post-ra.* --xla_msa_enable=false"
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
            verify(module)
            text = print_module(module)
        except DiagnosticException as error:
            return Estimate(refused=one_line(error))
        try:
            fn = getattr(load(text, self.program.name), self.program.name)
            compile_for(fn, self.structs, self.chip.name)
            traces = self._traces()
        except (CompileRefused, UnknownText, Stuck) as refused:
            return Estimate(refused=str(refused), compiled=True)
        finally:
            for file in self.dump.iterdir():
                file.unlink()
        seconds = sum(each.cycles for each in traces) / self.chip.clock_ghz / 1e9
        return Estimate(seconds, not any(each.doubts for each in traces), compiled=True)

    def _traces(self) -> list[Trace]:
        """Runs the kernels of the module that was compiled last, in order."""
        hlo = next(self.dump.glob("*-TLP-hlo.txt")).read_text()
        values: dict[str, list[Words]] = {}
        traces: list[Trace] = []
        for name, kind, opcode, operands, rest in _INSTRUCTION.findall(hlo[hlo.index("ENTRY") :]):
            given = [values.get(each.strip().removeprefix("%"), [None]) for each in operands.split(",")]
            if opcode == "parameter":
                words = self.program.operands[int(operands)].values
                values[name] = [None if words is None else list(words)]
            elif opcode == "get-tuple-element":
                values[name] = [given[0][int(rest.partition("index=")[2].partition(",")[0])]]
            elif opcode in _SAME:
                values[name] = given[0]
            elif "tpu_custom_call" in rest:
                values[name] = [_made(*each) for each in _ARRAY.findall(kind)]
                text = next(self.dump.glob(f"*-{name}-*-packed-bundles-post-ra.txt")).read_text()
                known = [each[0] and list(each[0]) for each in given]
                traces.append(run(parse_schedule(text), self.chip, [*known, *values[name]]))
        return traces


def _made(dtype: str, extents: str) -> Words:
    """A result of a kernel, which is known if it has integers."""
    count = prod(map(int, filter(None, extents.split(","))))
    return list[Value]([0]) * count if dtype == "s32" else None
