"""`--tile-to-pallas="grouping=worklist loop=grid m=128 …"`: the whole way from a program to Pallas kernels.

Runs, in this order: `--choose-blocks`, `--classify-axes`, `--unroll-loops` (for `loop=unroll`),
`--carry-to-scratch`, `--fold-outer-pipeline`, `--compact-worklist` or `--overlaunch-jagged` (by `grouping`),
`--materialize-masks`, `--plan-memory`, `--convert-tile-to-pallas`. Options that are no option of a pass are
sizes of axes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass, PassPipeline
from xdsl.utils.arg_spec import ArgSpec

from tilec.diagnostics import fail
from tilec.passes.carry_to_scratch import CarryToScratch
from tilec.passes.choose_blocks import ChooseBlocks
from tilec.passes.classify_axes import ClassifyAxes
from tilec.passes.compact_worklist import CompactWorklist
from tilec.passes.convert_tile_to_pallas import ConvertTileToPallas
from tilec.passes.fold_outer_pipeline import FoldOuterPipeline
from tilec.passes.materialize_masks import MaterializeMasks
from tilec.passes.overlaunch_jagged import OverlaunchJagged
from tilec.passes.plan_memory import PlanMemory
from tilec.passes.unroll_loops import UnrollLoops

GROUPINGS = {"none": None, "overlaunch": OverlaunchJagged, "worklist": CompactWorklist}
LOOPS = ("grid", "emit_pipeline", "unroll")


@dataclass(frozen=True)
class TileToPallas(ModulePass):
    """Down to Pallas: "grouping=none|overlaunch|worklist loop=grid|emit_pipeline|unroll chip=v5e m=128"."""

    name = "tile-to-pallas"

    grouping: str = "worklist"
    loop: str = "grid"
    chip: str = "v5e"
    blocks: Mapping[str, int] = field(default_factory=dict[str, int])

    @classmethod
    def from_spec(cls, spec: ArgSpec) -> Self:
        named = {
            key: str(values[0])
            for key, values in spec.parameters.items()
            if key in ("grouping", "loop", "chip") and values
        }
        rest = {key: values for key, values in spec.parameters.items() if key not in named}
        return cls(**named, blocks=ChooseBlocks.from_spec(ArgSpec(ChooseBlocks.name, rest)).blocks)

    def spec(self, *, include_default: bool = False) -> ArgSpec:
        named = {"grouping": (self.grouping,), "loop": (self.loop,), "chip": (self.chip,)}
        return ArgSpec(self.name, {**named, **ChooseBlocks(self.blocks).spec().parameters})

    def passes(self) -> list[ModulePass]:
        """The passes that this one runs, in order. Raises ValueError for an unknown grouping or loop."""
        for name, given, accepted in (("grouping", self.grouping, GROUPINGS), ("loop", self.loop, LOOPS)):
            if given not in accepted:
                raise ValueError(f"{name}={given}; {', '.join(accepted)} are accepted")
        grouping = GROUPINGS[self.grouping]
        return [
            ChooseBlocks(self.blocks),
            ClassifyAxes(),
            *([UnrollLoops()] if self.loop == "unroll" else []),
            CarryToScratch(),
            FoldOuterPipeline("grid" if self.loop == "unroll" else self.loop),
            *([] if grouping is None else [grouping()]),
            MaterializeMasks(),
            PlanMemory(self.chip),
            ConvertTileToPallas(),
        ]

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        try:
            passes = self.passes()
        except ValueError as error:
            fail(op, f"tile-to-pallas: {error}")
        PassPipeline(tuple(passes)).apply(ctx, op)
