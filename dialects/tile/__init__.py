"""The `tile` dialect: tile programs and their schedules. `docs/tile.md` is made from the definitions here."""

from xdsl.ir import Dialect

from .arrays import EmptyOp, FullOp, LoadOp, SegmentOp, StoreOp
from .atomics import AtomicRmwOp, RmwAttr
from .bound import BoundOp, SideAttr
from .elementwise import CastOp, CompareOp, RelationAttr, SelectOp
from .expect import ExpectOp, ExpectSumOp
from .gathers import DistinctOp, GatherOp, RunsOp, ScatterOp
from .interleaved import InterleaveOp, StridedSliceOp
from .locals import LocalOp
from .loops import ForOp, GridOp, OrderAttr, YieldOp
from .mixing import CombineAttr, FillOp, ReduceOp, ScanOp, WholeOp
from .numbered import SpanOp
from .places import GetOp, ScratchOp, SetOp
from .products import DotOp, PrecisionAttr
from .rows import UpdateRowsOp
from .scans import AssociativeScanOp
from .schedule import AxisOp, LoopAttr, PipelineOp, WindowOp
from .steps import AppendOp, FirstOp, LastOp, LiveOp, WorklistOp
from .types import JaggedSpanType, RefType, SpansAttr, SpanType
from .values import (
    BroadcastOp,
    ConcatenateOp,
    IndicesOp,
    ReshapeOp,
    SliceOp,
    SplatOp,
    TransposeOp,
)
from .views import ConvertOp, ViewOp

PROGRAM = (
    EmptyOp,
    FullOp,
    ConvertOp,
    ViewOp,
    GridOp,
    ForOp,
    YieldOp,
    SegmentOp,
    LoadOp,
    StoreOp,
    GatherOp,
    ScatterOp,
    DistinctOp,
    RunsOp,
    AtomicRmwOp,
    LocalOp,
    SplatOp,
    IndicesOp,
    BoundOp,
    CompareOp,
    SelectOp,
    CastOp,
    DotOp,
    ReduceOp,
    ScanOp,
    AssociativeScanOp,
    BroadcastOp,
    TransposeOp,
    ReshapeOp,
    ConcatenateOp,
    SliceOp,
    StridedSliceOp,
    InterleaveOp,
)
"""Operations of the program level, in the order of the documentation."""

SCHEDULE = (
    ExpectOp,
    ExpectSumOp,
    PipelineOp,
    AxisOp,
    SpanOp,
    WindowOp,
    ScratchOp,
    GetOp,
    SetOp,
    UpdateRowsOp,
    FillOp,
    WholeOp,
    FirstOp,
    LastOp,
    LiveOp,
    WorklistOp,
    AppendOp,
)
"""Operations of the schedule level, in the order of the documentation."""

Tile = Dialect(
    "tile",
    [*PROGRAM, *SCHEDULE],
    [
        SpanType,
        JaggedSpanType,
        SpansAttr,
        RefType,
        OrderAttr,
        SideAttr,
        CombineAttr,
        PrecisionAttr,
        RelationAttr,
        RmwAttr,
        LoopAttr,
    ],
)
