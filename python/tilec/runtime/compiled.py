"""A program that was compiled for a chip, which can say what it costs there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tilec.runtime.aot import Compiled
from tilec.runtime.signature import only_function, signature_of

if TYPE_CHECKING:
    from tilec.analysis.cost.estimate import Estimate
    from tilec.report.arguments import Arguments
    from tilec.report.data import Report
    from tilec.runtime.executable import Executable


@dataclass(frozen=True)
class CompiledProgram(Compiled):
    """What the compiler says, with the program: `shapes` are those that it was compiled for,
    `held` has integers that arguments always hold, by name."""

    executable: "Executable"
    shapes: tuple[tuple[int, ...], ...]
    held: Mapping[str, Any]

    def report(self, **integers: Any) -> "Report":
        """What a call costs on the chip, estimated, beside the least that it needs.

        Integer arguments, such as offsets, are given by name: as arrays of the shape compiled for, or as
        lengths that are drawn, `lognormal:64`, as `tile-report --args` has them. Others are as `tile-run
        --random` has them. Compiles once more, in a process of its own, unless equal questions were asked
        before. What the compiler refuses there is in the report.

        Raises ValueError or TypeError for integers that the program does not take, and TileError for a word
        that stands for no lengths.
        """
        from tilec.report.make import report

        return report(self.executable, self._arguments(integers), self.chip.name)

    def estimate(self, **integers: Any) -> "Estimate":
        """What a call takes on the chip, as `report` has it, with what is assumed and doubted.

        Integers are given as for `report`, and so are errors; raises CompileRefused where the compiler takes
        too long for small arrays that stay in HBM.
        """
        arguments = self._arguments(integers)
        self.executable.for_chip(self.chip.name).check(*arguments.zeros())
        return self.executable.estimate(self.chip.name, arguments.arrays())

    def _arguments(self, integers: Mapping[str, Any]) -> "Arguments":
        from tilec.report.arguments import arguments_for, read_source

        parameters = signature_of(self.executable.module).parameters
        given = [(each.dtype, shape) for each, shape in zip(parameters, self.shapes, strict=True)]
        sources = {
            name: read_source(value, name) if isinstance(value, str) else np.asarray(value)
            for name, value in {**self.held, **integers}.items()
        }
        function = only_function(self.executable.module)
        return arguments_for(function, parameters, given, sources)
