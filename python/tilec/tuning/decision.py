"""One function from what was tuned for a few shapes to a choice for every other: small enough to ship."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, log2
from typing import Any, cast

from tilec.chips import chip_named
from tilec.tuning.choice import Choice
from tilec.tuning.program import Program
from tilec.tuning.scoring import Scorer
from tilec.tuning.space import Sizes, Space, space_with
from tilec.tuning.structures import schedule_of

FORMAT = 1


@dataclass(frozen=True)
class Example:
    """A choice that was found, and for what: how many indices each axis has, on average."""

    extents: tuple[tuple[str, float], ...]
    choice: Choice


@dataclass(frozen=True)
class Decision:
    """A function from programs of one kernel, on one chip, to choices."""

    kernel: str
    chip: str
    examples: tuple[Example, ...]

    def choice(self, program: Program) -> Choice:
        """The choice of the example with the most similar extents, fitted to the program; it exists.

        Sizes that are larger than an axis shrink to it; where the model says that windows do not fit the
        chip, the largest sizes are halved until they do.
        """
        nearest = self.nearest(program)
        structure = nearest.choice.with_sizes({})
        space = space_with(program, [Choice(), structure])
        plain = structure if schedule_of(program, space, structure, self.chip) is not None else Choice()
        choice = plain.with_sizes(_fitted(space.axes_of(plain), nearest.choice.sizes))
        return _shrunk(space, Scorer(program, chip_named(self.chip)), choice)

    def nearest(self, program: Program) -> Example:
        """The example with the most similar extents."""
        extents = extents_of(program)
        return min(self.examples, key=lambda each: _distance(dict(each.extents), extents))

    def to_json(self) -> str:
        """The text that `decision_from` reads."""
        examples = [
            {"extents": dict(each.extents), "choice": each.choice.to_json()} for each in self.examples
        ]
        told = {"format": FORMAT, "kernel": self.kernel, "chip": self.chip, "examples": examples}
        return json.dumps(told, indent=1) + "\n"


def decision_from(text: str) -> Decision:
    """Reads what `Decision.to_json` wrote. Raises ValueError for anything else."""
    try:
        told = json.loads(text)
        if told["format"] != FORMAT:
            raise ValueError(f"format {told['format']}; {FORMAT} is accepted")
        examples = [
            Example(_extents(each["extents"]), Choice.from_json(each["choice"])) for each in told["examples"]
        ]
        kernel, chip = str(told["kernel"]), chip_named(told["chip"]).name
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError("this is no decision that a tuner wrote") from error
    if not examples:
        raise ValueError("this decision has no examples; export one that was tuned")
    return Decision(kernel, chip, tuple(examples))


def _extents(told: Any) -> tuple[tuple[str, float], ...]:
    extents = {str(axis): float(extent) for axis, extent in cast("Mapping[str, Any]", told).items()}
    if not all(isfinite(extent) and extent >= 0 for extent in extents.values()):
        raise ValueError("an example with extents that are no numbers of indices")
    return tuple(sorted(extents.items()))


def extents_of(program: Program) -> dict[str, float]:
    """How many indices each tile axis has in one run, and each other one, by its number."""
    found: dict[str, float] = {}
    for number, work in enumerate(program.workloads):
        for at, level in enumerate(work.levels):
            name = level.axis or f"{number}.{at}"
            found[name] = max(found.get(name, 0.0), level.extent)
    return found


def _distance(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """How many doublings lie between extents, squared and summed; what only one has counts as 1."""
    axes = sorted({*one, *other})
    return sum(log2(max(one.get(axis, 1.0), 1.0) / max(other.get(axis, 1.0), 1.0)) ** 2 for axis in axes)


def _fitted(axes: Sequence[Sizes], wanted: Mapping[str, int]) -> dict[str, int]:
    """Sizes that the program may have, the largest that are not above what is wanted, if any."""
    found: dict[str, int] = {}
    for each in axes:
        size = wanted.get(each.axis, each.sizes[-1])
        found[each.axis] = max((own for own in each.sizes if own <= size), default=each.sizes[0])
    return found


def _shrunk(space: Space, scorer: Scorer, choice: Choice) -> Choice:
    """The choice with smaller sizes, where it does not fit; the smallest of all, if none does."""
    while scorer.score(choice) == float("inf") or not space.legal(choice):
        smaller = space.smaller(choice)
        if smaller is None:
            return Choice(choice.blocks)
        choice = smaller
    return choice


def decision_of(parts: Sequence[Decision]) -> Decision:
    """Several decisions for one kernel and chip as one. Raises ValueError where they are for others."""
    kinds = {(each.kernel, each.chip) for each in parts}
    if len(kinds) != 1:
        told = ", ".join(f"{kernel} on {chip}" for kernel, chip in sorted(kinds)) or "nothing"
        raise ValueError(f"one decision is for one kernel and one chip, and these are for {told}")
    ((kernel, chip),) = kinds
    return Decision(
        kernel, chip, tuple(dict.fromkeys(example for each in parts for example in each.examples))
    )
