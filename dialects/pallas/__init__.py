"""The `pallas` dialect: one construct of `jax.experimental.pallas` an operation. `-t pallas` prints it."""

from xdsl.ir import Dialect

from .control import CondOp, ForiOp, WhenOp, YieldOp
from .host import CheckElementsOp, CheckLengthsOp, CheckSegmentsOp, FullOp, RequireOp, ReshapeOp, ScalarOp
from .kernels import CallOp, EmitPipelineOp, PipeInOp, PipeOutOp
from .specs import InOp, InSpaceOp, OutOp, OutSpaceOp, PrefetchOp, ScratchOp
from .types import Bounded, Ds, Semantics, SemanticsAttr, Space, SpaceAttr, in_space
from .values import IotaOp, LoadOp, NumProgramsOp, ProgramIdOp, RollOp, StoreOp

__all__ = [
    "Bounded",
    "CallOp",
    "CheckElementsOp",
    "CheckLengthsOp",
    "CheckSegmentsOp",
    "CondOp",
    "Ds",
    "EmitPipelineOp",
    "ForiOp",
    "FullOp",
    "InOp",
    "InSpaceOp",
    "IotaOp",
    "LoadOp",
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
    "WhenOp",
    "YieldOp",
    "in_space",
]

OPERATIONS = (
    CallOp,
    FullOp,
    ReshapeOp,
    CheckSegmentsOp,
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
    IotaOp,
    RollOp,
    WhenOp,
    CondOp,
    ForiOp,
    YieldOp,
)
"""The operations, in the order of the documentation."""

Pallas = Dialect("pallas", [*OPERATIONS], [SpaceAttr, SemanticsAttr])
