"""Ways to schedule a variant of a program, and the three proofs of each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tilec.dialects.interpreter import run
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.proof import emit, prove_compiles, prove_kernel, prove_passes

from .choices import parse
from .unaligned import Variant


@dataclass(frozen=True)
class Way:
    """A variant of a program, a loop, and options of `--tile-to-pallas` that are not the defaults."""

    variant: Variant
    loop: str
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def __str__(self) -> str:
        options = "".join(f"-{name}_{value}" for name, value in self.options.items())
        return f"{self.variant}-{self.loop}{options}"

    def choice(self, chip: str = "v5e") -> TileToPallas:
        return TileToPallas(loop=self.loop, chip=chip, blocks=self.variant.blocks, **self.options)

    def prove_passes(self, seed: int) -> None:
        program = self.variant.program()
        args = program.arguments(seed)
        prove_passes(parse(program), program.case.name, args, self.choice().passes(), seeds=(seed,))

    def prove_kernel(self, seed: int) -> None:
        """The kernel agrees with the interpreter, and the interpreter with numpy."""
        program, name = self.variant.program(), self.variant.case.name
        module, args = parse(program), program.arguments(seed)
        expected = run(module, name, args, seed=seed)
        assert program.mismatch([result.data for result in expected], program.expected(args)) is None
        prove_kernel(emit(module, [self.choice()]), name, args, expected, seeds=(seed,))

    def prove_compiles(self, chip: str) -> None:
        program = self.variant.program()
        text = emit(parse(program), [self.choice(chip)])
        prove_compiles(text, program.case.name, program.arguments(seed=0), (chip,))

    @property
    def refused(self) -> str | None:
        """What a part of the refusal says, or None for a way that must work."""
        if self.variant.case.jagged and self.loop == "unroll":
            return "axis m has an extent that is known only at run time"
        return None
