"""Our passes, each behind a function that loads it, so that naming them costs nothing."""

from collections.abc import Callable
from importlib import import_module

from xdsl.passes import ModulePass

_PASSES = {
    "widen-elements": "WidenElements",
    "scalarize-jagged": "ScalarizeJagged",
    "mask-jagged": "MaskJagged",
    "clip-axes": "ClipAxes",
    "drop-masks": "DropMasks",
    "raise-segments": "RaiseSegments",
    "widen-axes": "WidenAxes",
    "rebase-axes": "RebaseAxes",
    "bound-axes": "BoundAxes",
    "one-hot-segments": "OneHotSegments",
    "choose-blocks": "ChooseBlocks",
    "turn-columns": "TurnColumns",
    "raise-parts": "RaiseParts",
    "raise-columns": "RaiseColumns",
    "raise-gathers": "RaiseGathers",
    "raise-runs": "RaiseRuns",
    "fold-lanes": "FoldLanes",
    "pad-elements": "PadElements",
    "fold-gathers": "FoldGathers",
    "fold-updates": "FoldUpdates",
    "resolve-views": "ResolveViews",
    "flatten-scalars": "FlattenScalars",
    "permute-arrays": "PermuteArrays",
    "expand-gathers": "ExpandGathers",
    "insert-atomic-scratch": "InsertAtomicScratch",
    "merge-sums": "MergeSums",
    "sink-scales": "SinkScales",
    "split-pairs": "SplitPairs",
    "assume-distinct": "AssumeDistinct",
    "classify-axes": "ClassifyAxes",
    "classify-outputs": "ClassifyOutputs",
    "order-axes": "OrderAxes",
    "unroll-loops": "UnrollLoops",
    "carry-to-scratch": "CarryToScratch",
    "fold-outer-pipeline": "FoldOuterPipeline",
    "join-windows": "JoinWindows",
    "split-unaligned-loops": "SplitUnalignedLoops",
    "compact-worklist": "CompactWorklist",
    "overlaunch-jagged": "OverlaunchJagged",
    "stream-jagged-items": "StreamJaggedItems",
    "materialize-masks": "MaterializeMasks",
    "double-buffer": "DoubleBuffer",
    "overlap-strips": "OverlapStrips",
    "strip-mine": "StripMine",
    "plan-memory": "PlanMemory",
    "convert-tile-to-pallas": "ConvertTileToPallas",
    "drop-bounds-checks": "DropBoundsChecks",
    "tile-to-pallas": "TileToPallas",
}


def get_all_passes() -> dict[str, Callable[[], type[ModulePass]]]:
    """Each pass by its flag; its file has the flag's name with underscores."""
    return {flag: _loader(flag, name) for flag, name in _PASSES.items()}


def _loader(flag: str, name: str) -> Callable[[], type[ModulePass]]:
    return lambda: getattr(import_module(f"tilec.passes.{flag.replace('-', '_')}"), name)
