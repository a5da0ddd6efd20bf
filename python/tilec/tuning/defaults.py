"""What is chosen without tuning: the model's best that the ledger of on-chip memory lets through."""

from tilec.chips import chip_named
from tilec.diagnostics import TileError
from tilec.parsing import make_context
from tilec.tuning.choice import Choice
from tilec.tuning.program import Program
from tilec.tuning.scoring import Scorer
from tilec.tuning.space import space_with

TIE = 0.01
"""Of choices that the model thinks as good as equal, the one with the smallest windows is taken: it compiles
faster, and leaves memory."""
MOST_TRIED = 12
"""Choices that are put through the passes, each in a tenth of a second, before the usual blocks are taken."""


def default_choice(program: Program, chip: str) -> Choice:
    """The model's best choice for a grid that the passes take for `chip`, in well under a second mostly.

    Where they refuse all that the model likes, the choice of `--tile-to-pallas` with nothing said, and the
    smallest sizes where they refuse that too. Raises ValueError for an unknown chip.
    """
    space, scorer = space_with(program, [Choice()]), Scorer(program, chip_named(chip))
    ordered = scorer.ordered(space, Choice())
    limit = min(map(scorer.score, ordered), default=0.0) * (1 + TIE)
    ties = [choice for choice in ordered if scorer.score(choice) <= limit]
    tried = sorted(ties, key=scorer.memory)[:1]
    for choice in ordered:
        if len(tried) < MOST_TRIED and all(space.distance(choice, each) > 1 for each in tried):
            tried.append(choice)
    least = Choice().with_sizes({each.axis: each.sizes[0] for each in space.axes})
    return next((each for each in (*tried, Choice()) if _fits(program, each, chip)), least)


def _fits(program: Program, choice: Choice, chip: str) -> bool:
    try:
        choice.pipeline(chip).apply(make_context(), program.module.clone())
    except TileError:
        return False
    return True
