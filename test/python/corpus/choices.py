"""Every way of `--tile-to-pallas` through the corpus, and the ways that it refuses."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from tilec.diagnostics import verify
from tilec.parsing import LocatingParser, make_context
from tilec.passes.tile_to_pallas import GROUPINGS, LOOPS, TileToPallas

from .corpus import CASES, Case, Program
from .segments import MIXED, Segments


@dataclass(frozen=True)
class Choice:
    """A program of the corpus and a way to schedule it."""

    case: Case
    grouping: str
    loop: str

    def __str__(self) -> str:
        return f"{self.case.name}-{self.grouping}-{self.loop}"

    def passes(self) -> list[ModulePass]:
        """The passes, with the blocks that make several steps of most axes."""
        return TileToPallas(self.grouping, self.loop, "v5e", self.case.small_blocks).passes()

    @property
    def refused(self) -> str | None:
        """What a part of the refusal says, or None for a choice that must work."""
        return REFUSALS.get((self.case.name, self.grouping, self.loop))


def _refusals() -> Iterator[tuple[tuple[str, str, str], str]]:
    jagged = [case.name for case in CASES.values() if case.jagged]
    for name, loop in product(jagged, [loop for loop in LOOPS if loop != "unroll"]):
        yield (name, "none", loop), "axis m has as many steps as each segment needs"
    for name, grouping in product(jagged, GROUPINGS):
        axis = "n" if name == "jagged_flash_attention" else "m"
        yield (name, grouping, "unroll"), f"axis {axis} has an extent that is known only at run time"
    for grouping in GROUPINGS:  # its rows become an inner loop
        yield (
            ("embedding_gradient", grouping, "unroll"),
            "axis m has an extent that is known only at run time",
        )
    # Steps past the end of a group have no rows.
    for loop in ("emit_pipeline", "fori_loop"):
        yield ("jagged_bias_lhd", "overlaunch", loop), "a copy of no rows cannot be made"


REFUSALS = dict(_refusals())
"""What is refused, by case, grouping and loop, with a part of the message. All else must work."""

CHOICES = [
    Choice(*each)
    for each in product(CASES.values(), GROUPINGS, LOOPS)
    if each[1] != "auto"  # which is one of the others
    if each[1] != "stream" or each[2] == "fori_loop"  # the pass has no other loop
]
LEGAL = [choice for choice in CHOICES if choice.refused is None]
DISTINCT = [choice for choice in LEGAL if choice.case.jagged or choice.grouping == "worklist"]
"""The choices with kernels of their own: without a jagged axis there is nothing to group."""
MAIN = [choice for choice in DISTINCT if choice.grouping == "worklist" and choice.loop == "grid"]
"""For each case that works at all, the way that is taken unless another is asked for."""
RUN = [
    choice
    for choice in DISTINCT
    if (choice.grouping, choice.loop) != ("overlaunch", "fori_loop") or choice.case.name == "grouped_matmul"
]
"""Those whose kernels are run, a second or two each. One `fori_loop` with idle steps is enough: what makes
steps idle is the same in every loop, and proof 1 looks at all of them."""


def main_segments(case: Case) -> Segments:
    """What each way is tried with: groups of all kinds, or rows that are no multiple of a block."""
    return MIXED if case.jagged else case.sizes()[-1]


def parse(program: Program) -> ModuleOp:
    module = LocatingParser(make_context(), program.text, f"{program.case.name}.mlir").parse_module()
    verify(module)
    return module
