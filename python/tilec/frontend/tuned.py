"""Configurations that depend on shapes: what a tuner found for some, applied to all."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tilec.frontend.config import Config
from tilec.frontend.elements import name_of
from tilec.frontend.tracing import Traced
from tilec.runtime.signature import held_as
from tilec.tuning.choice import OPTIONS, Choice
from tilec.tuning.command import ROWS
from tilec.tuning.decision import Decision, decision_from, decision_of, extents_of
from tilec.tuning.defaults import default_choice
from tilec.tuning.program import Operand, Program, text_of


@dataclass(frozen=True)
class TunedConfig:
    """What `tilec.autotune` found for one kernel and chip, for one or several shapes.

    It is the `config` of a kernel as it is: other shapes get the configuration of those that are most like
    them, with blocks that fit. A library ships it as a small JSON file.
    """

    decision: Decision

    @classmethod
    def of(cls, several: Sequence["TunedConfig"]) -> Self:
        """What was found for several shapes, together.

        Raises ValueError where that is not for one kernel and one chip.
        """
        return cls(decision_of([each.decision for each in several]))

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what `save` wrote. Raises OSError, and ValueError for another file."""
        try:
            return cls(decision_from(Path(path).read_text(encoding="utf-8")))
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error

    def save(self, path: str | Path) -> None:
        """Write a small JSON file. Raises OSError."""
        Path(path).write_text(self.decision.to_json(), encoding="utf-8")

    def config(self, traced: Traced) -> Config:
        """The configuration for a program of the kernel.

        Warns if another kernel was tuned, or this one with loops that are gone, or the passes do not take for
        this program what was found.
        """
        program = program_of(traced, [None] * len(traced.parameters))
        if self.decision.kernel != traced.name:
            warnings.warn(
                f"{traced.name} takes a choice that was found for {self.decision.kernel}", stacklevel=2
            )
        tuned = {axis for example in self.decision.examples for axis, _ in example.extents}
        gone = sorted(axis for axis in tuned - extents_of(program).keys() if axis.isidentifier())
        if gone:
            warnings.warn(
                f"{traced.name} has no loop over {', '.join(gone)}, for which {self.decision.kernel} was "
                "tuned: its blocks may be far from the best; tune it again",
                stacklevel=2,
            )
        choice, wanted = self.decision.choice(program), self.decision.nearest(program).choice.with_sizes({})
        if choice.with_sizes({}) != wanted:
            warnings.warn(
                f"{traced.name} cannot be made as {self.decision.kernel} was tuned, with {wanted}: what it "
                "takes may be far from the best; tune it again",
                stacklevel=2,
            )
        return config_of(choice, Config())


def program_of(traced: Traced, values: Sequence[tuple[int, ...] | None]) -> Program:
    """A traced program to be tuned, with the elements of integer arguments, None where they are not known.

    An extent that may be any is `ROWS`.
    """
    operands: list[Operand] = []
    for (name, shape, dtype), known in zip(traced.parameters, values, strict=True):
        extents = tuple(ROWS if each is None else each for each in shape) or (1,)
        element = name_of(dtype)
        operands.append(Operand(name, extents, held_as(element), known))
    return Program(traced.name, text_of(traced.module), tuple(operands), traced.fixed, traced.bounds)


def default_for(traced: Traced, chip: str, given: Config | None = None) -> Config:
    """What the analytic model chooses for a program on a chip; `given` has what it leaves alone.

    Raises ValueError for an unknown chip, TileError for what the first passes refuse.
    """
    program = program_of(traced, [None] * len(traced.parameters))
    return config_of(default_choice(program, chip), given or Config())


def config_of(choice: Choice, given: Config) -> Config:
    """A choice as a configuration; what a tuner leaves alone is as it was given."""
    options = {key: getattr(choice, key) for key in OPTIONS}
    return Config(blocks=choice.sizes, tunables=given.tunables, **options)
