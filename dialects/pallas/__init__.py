"""The `pallas` dialect: one construct of `jax.experimental.pallas` an operation. `-t pallas` prints it."""

from xdsl.ir import Dialect

from .control import CondOp, ForiOp, WhenOp, YieldOp
from .copies import CopyStartOp, CopyWaitOp
from .host import (
    CheckElementsOp,
    CheckLengthsOp,
    CheckSegmentsOp,
    CheckSumOp,
    FullOp,
    RequireOp,
    ReshapeOp,
    ScalarOp,
    TransposeOp,
)
from .kernels import CallOp, EmitPipelineOp, PipeInOp, PipeOutOp
from .specs import InOp, InSpaceOp, OutOp, OutSpaceOp, PrefetchOp, ScratchOp
from .types import (
    Bounded,
    DmaSemaphoreType,
    Ds,
    Element,
    Semantics,
    SemanticsAttr,
    Space,
    SpaceAttr,
    in_space,
)
from .values import IotaOp, LoadOp, MultipleOfOp, NumProgramsOp, ProgramIdOp, RollOp, StoreOp, TakeOp

__all__ = [
    "Bounded",
    "CallOp",
    "CheckElementsOp",
    "CheckLengthsOp",
    "CheckSegmentsOp",
    "CheckSumOp",
    "CondOp",
    "CopyStartOp",
    "CopyWaitOp",
    "DmaSemaphoreType",
    "Ds",
    "Element",
    "EmitPipelineOp",
    "ForiOp",
    "FullOp",
    "InOp",
    "InSpaceOp",
    "IotaOp",
    "LoadOp",
    "MultipleOfOp",
    "NumProgramsOp",
    "OutOp",
    "OutSpaceOp",
    "Pallas",
    "PipeInOp",
    "PipeOutOp",
    "PrefetchOp",
    "ProgramIdOp",
    "RequireOp",
    "ReshapeOp",
    "RollOp",
    "ScalarOp",
    "ScratchOp",
    "Semantics",
    "Space",
    "StoreOp",
    "TakeOp",
    "TransposeOp",
    "WhenOp",
    "YieldOp",
    "in_space",
]

OPERATIONS = (
    CallOp,
    FullOp,
    ReshapeOp,
    TransposeOp,
    CheckSegmentsOp,
    CheckSumOp,
    CheckLengthsOp,
    CheckElementsOp,
    RequireOp,
    ScalarOp,
    PrefetchOp,
    InOp,
    InSpaceOp,
    OutOp,
    OutSpaceOp,
    ScratchOp,
    EmitPipelineOp,
    PipeInOp,
    PipeOutOp,
    ProgramIdOp,
    NumProgramsOp,
    LoadOp,
    StoreOp,
    CopyStartOp,
    CopyWaitOp,
    IotaOp,
    RollOp,
    TakeOp,
    MultipleOfOp,
    WhenOp,
    CondOp,
    ForiOp,
    YieldOp,
)
"""The operations, in the order of the documentation."""

Pallas = Dialect("pallas", [*OPERATIONS], [SpaceAttr, SemanticsAttr, DmaSemaphoreType])
