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


UNALIGNED = ("shifted_rows", "window_sum")
"""Kernels that read at places which are no multiple of a tile."""


def _refusals() -> Iterator[tuple[tuple[str, str, str], str]]:
    jagged = [case.name for case in CASES.values() if case.jagged]
    for name, loop in product(jagged, ("grid", "emit_pipeline")):
        yield (name, "none", loop), "axis m has as many steps as each segment needs"
    for name, grouping in product(jagged, GROUPINGS):
        axis = "n" if name == "jagged_flash_attention" else "m"
        yield (name, grouping, "unroll"), f"axis {axis} has an extent that is known only at run time"
    for name, grouping, loop in product(UNALIGNED, GROUPINGS, ("grid", "unroll")):
        yield (name, grouping, loop), "dimension 0 of %x is cut at places that are no multiples of 8"
    for grouping, loop in product(GROUPINGS, LOOPS):
        yield ("rows_of_one_result", grouping, loop), "%out is written through another window"
    for name, grouping in product(("softmax_two_pass", "row_cumsum"), GROUPINGS):
        yield (name, grouping, "unroll"), "each iteration would store through a window of its own"
    # Steps past the end of a group have no rows.
    yield ("jagged_bias_lhd", "overlaunch", "emit_pipeline"), "a copy of no rows cannot be made"


REFUSALS = dict(_refusals())
"""What is refused, by case, grouping and loop, with a part of the message. All else must work."""

CHOICES = [Choice(*each) for each in product(CASES.values(), GROUPINGS, LOOPS)]
LEGAL = [choice for choice in CHOICES if choice.refused is None]
DISTINCT = [choice for choice in LEGAL if choice.case.jagged or choice.grouping == "worklist"]
"""The choices with kernels of their own: without a jagged axis there is nothing to group."""
MAIN = [
    choice
    for choice in DISTINCT
    if choice.grouping == "worklist"
    and choice.loop == ("emit_pipeline" if choice.case.name in UNALIGNED else "grid")
]
"""For each case that works at all, the way that is taken unless another is asked for."""


def main_segments(case: Case) -> Segments:
    """What each way is tried with: groups of all kinds, or rows that are no multiple of a block."""
    return MIXED if case.jagged else case.sizes()[-1]


def parse(program: Program) -> ModuleOp:
    module = LocatingParser(make_context(), program.text, f"{program.case.name}.mlir").parse_module()
    verify(module)
    return module
