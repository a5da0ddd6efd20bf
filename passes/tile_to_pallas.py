"""`--tile-to-pallas="grouping=auto loop=grid m=128 …"`: the whole way from a program to Pallas kernels.

Runs, in this order: `--widen-elements`, `--scalarize-jagged`, `--mask-jagged`, `--clip-axes`, `--drop-masks`,
`--raise-segments`, `--widen-axes`, `--rebase-axes`, `--bound-axes`, `--raise-gathers` and
`--one-hot-segments` (for `grouping=one_hot` and `auto`), `--turn-columns`, `--raise-parts`,
`--raise-columns`, `--choose-blocks`, `--raise-gathers`, `--raise-runs`, `--fold-lanes`, `--pad-elements`,
`--fold-gathers`, `--fold-updates`, `--resolve-views`, `--flatten-scalars`, `--permute-arrays`,
`--expand-gathers`, `--insert-atomic-scratch`, `--merge-sums`, `--sink-scales`, `--split-pairs`,
`--assume-distinct`, `--classify-axes`, `--classify-outputs`, `--order-axes`, `--unroll-loops` (for
`loop=unroll`), `--carry-to-scratch`, `--fold-outer-pipeline`, `--join-windows`, `--split-unaligned-loops`,
`--stream-jagged-items`, `--compact-worklist` or `--overlaunch-jagged` (by `grouping`), `--materialize-masks`,
`--classify-outputs` again, `--double-buffer`, `--overlap-strips`, `--strip-mine`, `--plan-memory`,
`--convert-tile-to-pallas`, `--drop-bounds-checks`.
Options that are no option of a pass are sizes of axes.

`grouping=auto` is a list of tiles where nothing is known of how long segments are. Where axes say it (`mean
N`), sums over short ones are products, and long ones are streamed if the loop is a `fori_loop`. With
`grouping=stream` that loop is the default.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Self

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass, PassPipeline
from xdsl.utils.arg_spec import ArgSpec

from tilec.diagnostics import fail
from tilec.passes.assume_distinct import AssumeDistinct
from tilec.passes.bound_axes import BoundAxes
from tilec.passes.carry_to_scratch import CarryToScratch
from tilec.passes.choose_blocks import ChooseBlocks
from tilec.passes.classify_axes import ClassifyAxes
from tilec.passes.classify_outputs import ClassifyOutputs
from tilec.passes.clip_axes import ClipAxes
from tilec.passes.compact_worklist import CompactWorklist
from tilec.passes.convert_tile_to_pallas import ConvertTileToPallas
from tilec.passes.double_buffer import DoubleBuffer
from tilec.passes.drop_bounds_checks import DropBoundsChecks
from tilec.passes.drop_masks import DropMasks
from tilec.passes.expand_gathers import ExpandGathers
from tilec.passes.flatten_scalars import FlattenScalars
from tilec.passes.fold_gathers import FoldGathers
from tilec.passes.fold_lanes import FoldLanes
from tilec.passes.fold_outer_pipeline import FoldOuterPipeline
from tilec.passes.fold_updates import FoldUpdates
from tilec.passes.insert_atomic_scratch import InsertAtomicScratch
from tilec.passes.join_windows import JoinWindows
from tilec.passes.mask_jagged import MaskJagged
from tilec.passes.materialize_masks import MaterializeMasks
from tilec.passes.merge_sums import MergeSums
from tilec.passes.one_hot_segments import OneHotSegments
from tilec.passes.order_axes import OrderAxes
from tilec.passes.overlap_strips import OverlapStrips
from tilec.passes.overlaunch_jagged import OverlaunchJagged
from tilec.passes.pad_elements import PadElements
from tilec.passes.permute_arrays import PermuteArrays
from tilec.passes.plan_memory import PlanMemory
from tilec.passes.raise_columns import RaiseColumns
from tilec.passes.raise_gathers import RaiseGathers
from tilec.passes.raise_parts import RaiseParts
from tilec.passes.raise_runs import RaiseRuns
from tilec.passes.raise_segments import RaiseSegments
from tilec.passes.rebase_axes import RebaseAxes
from tilec.passes.resolve_views import ResolveViews
from tilec.passes.scalarize_jagged import ScalarizeJagged
from tilec.passes.sink_scales import SinkScales
from tilec.passes.split_pairs import SplitPairs
from tilec.passes.split_unaligned_loops import SplitUnalignedLoops
from tilec.passes.stream_jagged_items import StreamJaggedItems
from tilec.passes.strip_mine import StripMine
from tilec.passes.turn_columns import TurnColumns
from tilec.passes.unroll_loops import UnrollLoops
from tilec.passes.widen_axes import WidenAxes
from tilec.passes.widen_elements import WidenElements

GROUPINGS = ("auto", "worklist", "overlaunch", "stream", "one_hot", "none")
LOOPS = ("grid", "emit_pipeline", "fori_loop", "unroll")

_WORDS = {
    "grouping": "auto",
    "loop": "grid",
    "chip": "v5e",
    "operands": "auto",
    "gathers": "auto",
    "shared": "auto",
    "clean": "auto",
}
"""The options that are words, with what they are where nothing is said."""
_FETCH = 1


def _value(spec: ArgSpec, key: str) -> str | int | float | bool | None:
    """The one value of an option, None where it is not given. Raises ValueError for any other number."""
    if key not in spec.parameters:
        return None
    given = spec.parameters[key]
    if len(given) != 1:
        raise ValueError(f"option {key} has {len(given)} values; one is accepted")
    return given[0]


def _word(spec: ArgSpec, key: str, default: str) -> str:
    value = _value(spec, key)
    return default if value is None else str(value)


def _number(spec: ArgSpec, key: str) -> int | None:
    value = _value(spec, key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{key}={value}; a whole number is accepted")
    return value


@dataclass(frozen=True)
class TileToPallas(ModulePass):
    """Down to Pallas: "grouping=auto loop=grid chip=v5e operands=auto gathers=auto shared=auto clean=auto
    depth=4 fetch=1 order=n,m m=128".
    """

    name = "tile-to-pallas"

    grouping: str = _WORDS["grouping"]
    loop: str = _WORDS["loop"]
    chip: str = _WORDS["chip"]
    blocks: Mapping[str, int] = field(default_factory=dict[str, int])
    operands: str = _WORDS["operands"]
    depth: int | None = None
    fetch: int = _FETCH
    gathers: str = _WORDS["gathers"]
    shared: str = _WORDS["shared"]
    clean: str = _WORDS["clean"]
    order: tuple[str, ...] = ()

    @classmethod
    def from_spec(cls, spec: ArgSpec) -> Self:
        words = {key: _word(spec, key, default) for key, default in _WORDS.items()}
        if words["grouping"] == "stream":
            words["loop"] = _word(spec, "loop", "fori_loop")
        fetch = _number(spec, "fetch")
        named = {*_WORDS, "depth", "fetch", "order"}
        rest = {key: values for key, values in spec.parameters.items() if key not in named}
        blocks = ChooseBlocks.from_spec(ArgSpec(ChooseBlocks.name, rest)).blocks
        return cls(
            words["grouping"],
            words["loop"],
            words["chip"],
            blocks,
            operands=words["operands"],
            gathers=words["gathers"],
            shared=words["shared"],
            clean=words["clean"],
            depth=_number(spec, "depth"),
            fetch=_FETCH if fetch is None else fetch,
            order=tuple(map(str, spec.parameters.get("order", ()))),
        )

    def spec(self, *, include_default: bool = False) -> ArgSpec:
        named = {
            each.name: (getattr(self, each.name),)
            for each in fields(self)
            if each.name not in ("name", "blocks", "order") and getattr(self, each.name) is not None
        }
        order = {"order": self.order} if self.order else {}
        return ArgSpec(self.name, {**named, **order, **ChooseBlocks(self.blocks).spec().parameters})

    def told(self) -> str:
        """What `--tile-to-pallas` takes to choose the same, but for the chip: sizes, and options that are not
        as they are where nothing is said. Where all are, one of them."""
        plain = type(self)().spec().parameters
        given = {**ChooseBlocks(self.blocks).spec().parameters, **self.spec().parameters}
        words = [
            f"{key}={','.join(map(str, values))}"
            for key, values in given.items()
            if key != "chip" and values != plain.get(key)
        ]
        return " ".join(words) or f"loop={self.loop}"

    def passes(self) -> list[ModulePass]:
        """The passes that this one runs, in order. Raises ValueError for an unknown grouping or loop."""
        for name, given, accepted in (("grouping", self.grouping, GROUPINGS), ("loop", self.loop, LOOPS)):
            if given not in accepted:
                raise ValueError(f"{name}={given}; {', '.join(accepted)} are accepted")
        if self.grouping == "stream" and self.loop != "fori_loop":
            raise ValueError(f"loop={self.loop} with grouping=stream; fori_loop is accepted")
        return [
            WidenElements(),
            ScalarizeJagged(),
            MaskJagged(),
            ClipAxes(),
            DropMasks(),
            RaiseSegments(),
            WidenAxes(),
            RebaseAxes(),
            BoundAxes(),
            *self._short_items(),
            TurnColumns(),
            RaiseParts(),
            RaiseColumns(),
            ChooseBlocks(self.blocks),
            RaiseGathers(),
            RaiseRuns(),
            FoldLanes(),
            PadElements(self.gathers),
            FoldGathers(),
            FoldUpdates(self.gathers),
            ResolveViews(),
            FlattenScalars(),
            PermuteArrays(),
            ExpandGathers(self.gathers, chip=self.chip),
            InsertAtomicScratch(self.shared),
            MergeSums(),
            SinkScales(),
            SplitPairs(),
            AssumeDistinct(),
            ClassifyAxes(),
            ClassifyOutputs(),
            OrderAxes(self.order),
            *([UnrollLoops()] if self.loop == "unroll" else []),
            CarryToScratch(),
            FoldOuterPipeline("grid" if self.loop == "unroll" else self.loop),
            JoinWindows(),
            SplitUnalignedLoops(self.operands),
            *self._groups(),
            MaterializeMasks(self.clean),
            ClassifyOutputs(),
            DoubleBuffer(self.depth, self.fetch, self.chip),
            OverlapStrips(),
            StripMine(),
            PlanMemory(self.chip),
            ConvertTileToPallas(),
            DropBoundsChecks(),
        ]

    def schedule(self) -> list[ModulePass]:
        """Those of the passes before the schedule becomes Pallas kernels."""
        passes = self.passes()
        names = [each.name for each in passes]
        return passes[: names.index(ConvertTileToPallas.name)]

    def _short_items(self) -> list[ModulePass]:
        """What is done for short segments before tiles have sizes."""
        items = {"auto": "auto", "one_hot": "all"}.get(self.grouping)
        return [] if items is None else [RaiseGathers(), OneHotSegments(items)]

    def _groups(self) -> list[ModulePass]:
        """What finds the steps of jagged axes."""
        match self.grouping:
            case "none":
                return []
            case "overlaunch":
                return [OverlaunchJagged()]
            case "stream":
                return [StreamJaggedItems("all")]
            case "auto" if self.loop == "fori_loop":
                return [StreamJaggedItems("auto"), CompactWorklist()]
            case _:
                return [CompactWorklist()]

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        try:
            passes = self.passes()
        except ValueError as error:
            fail(op, f"tile-to-pallas: {error}")
        PassPipeline(tuple(passes)).apply(ctx, op)
