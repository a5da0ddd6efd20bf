"""What operations on lanes keep busy, and how much.

Fitted to bundles of four operations of a kind after each other on 32 registers, by libtpu 0.0.51 for v5e, v6e
and tpu7x; v4 and v5p were looked at for quotients and exponentials, and are like v5e.
"""

from dataclasses import dataclass

from xdsl.dialects import memref
from xdsl.ir import Operation, SSAValue

from tilec.analysis.workload import Unit
from tilec.dialects.tile.access import AccessOp
from tilec.dialects.tile.interleaved import InterleaveOp, StridedSliceOp
from tilec.dialects.tile.mixing import ReduceOp, ScanOp
from tilec.dialects.tile.scans import AssociativeScanOp
from tilec.dialects.tile.syntax import ints_of
from tilec.dialects.tile.types import shape_of
from tilec.dialects.tile.values import BroadcastOp, IndicesOp, SplatOp, TransposeOp


@dataclass(frozen=True)
class _Cost:
    """Operations for one register: of the transcendental unit; of the vector unit, which makes more of what
    that gives; and how many more on chips that need a `refined` result.
    """

    transcendental: float = 0.0
    vector: float = 0.0
    refined: float = 0.0


_HARD = {
    "math.exp": _Cost(1),
    "math.exp2": _Cost(1),
    "math.log": _Cost(1),
    "math.tanh": _Cost(1),
    "math.rsqrt": _Cost(1, 0, 8),
    "math.sqrt": _Cost(1, 7, 4),
    "math.erf": _Cost(1, 0, 38),
    "arith.divf": _Cost(1, 0, 13),
    "math.sin": _Cost(0, 102, 52),
    "math.cos": _Cost(0, 102, 52),
}

_SCAN_STEPS = 5.0
"""Steps of a scan by a function that cost all of its operations. Those of a whole register or more, as of 8
rows and more, leave registers out, and choose at compile time. Measured for rows of 128 to 1024."""

_SPILLED = 0.015
"""For each operation in a step. Fitted to linear recurrences along 32 to 512 rows of bf16 by libtpu 0.0.51,
which take 550 us and 3.2 more for each row of a tile on v5e, for 16384 x 4096."""

_SPILLED_OF_ONE = 0.002
"""The same of running sums along rows, a register of which takes 3.4 cycles with 256 rows on v5e, 5.1 with
1024 and 21 with 8192."""

_ALONG_ROWS = ((Unit.ACROSS, 3.0, False), (Unit.VECTOR, 11.0, False))
"""Three steps within a register, each a rotation, a choice and the sum, and some five of whole registers."""

_ALONG_LANES = ((Unit.ACROSS, 28.0, False), (Unit.VECTOR, 14.0, False))
"""Seven steps within a register: of 128 lanes one takes 16 cycles on v5e, nearly all of them rotations."""


def cost_of(op: Operation) -> list[tuple[Unit, float, bool]]:
    """The units that an operation keeps busy, their operations for one register of the result, or of what is
    broadcast, and whether only chips that refine what the transcendental unit gives have them."""
    if op.name in _HARD:
        cost = _HARD[op.name]
        found = [
            (Unit.TRANSCENDENTAL, cost.transcendental, False),
            (Unit.VECTOR, cost.vector, False),
            (Unit.VECTOR, cost.refined, True),
        ]
        return [each for each in found if each[1]]
    match op:
        case ScanOp() if isinstance(op.value.owner, SplatOp) and op.reverse is None:
            return []  # multiples of a number
        case ScanOp():
            return list(_ALONG_LANES if _is_along_lanes(op) else _ALONG_ROWS)
        case TransposeOp():
            return [(Unit.ACROSS, 2.0, False)]
        case AssociativeScanOp():
            return [
                (Unit.ACROSS, 2.0 * len(op.values), False),
                (Unit.VECTOR, _SCAN_STEPS * _in_a_step(op), False),
            ]
        case StridedSliceOp() | InterleaveOp():
            parts = len(op.operands) if isinstance(op, InterleaveOp) else op.numbers[1]
            return [(Unit.ACROSS, parts, False), (Unit.VECTOR, parts, False)]
        case BroadcastOp() if _is_turned(op):
            return [(Unit.ACROSS, 2.0, False)]
        case SplatOp() | BroadcastOp() | IndicesOp() | memref.DimOp():
            return []
        case _:
            return [(Unit.VECTOR, 1.0, False)]


def spilled_by(op: AssociativeScanOp | ScanOp) -> float:
    """Registers that a scan does not hold on to, for one of the result and a lane scanned."""
    if isinstance(op, ScanOp):
        return 0.0 if _is_along_lanes(op) else _SPILLED_OF_ONE
    return _SPILLED * _in_a_step(op)


def _is_along_lanes(op: ScanOp) -> bool:
    return op.dim.value.data == len(shape_of(op.value.type)) - 1


def _in_a_step(op: AssociativeScanOp) -> int:
    """What is computed in a step of a scan: the function, and a choice for each value."""
    return len(op.values) + len(op.body.block.ops) - 1


def _is_turned(op: BroadcastOp) -> bool:
    """Whether lanes of a value of rank 1 become rows: it is loaded in lanes, where sums of lanes are not."""
    last = len(shape_of(op.result.type)) - 1
    return len(shape_of(op.value.type)) == 1 and ints_of(op.dims) != (last,) and _is_in_lanes(op.value)


def _is_in_lanes(value: SSAValue) -> bool:
    """Whether a value of rank 1 is one that was loaded, or is computed lane by lane of such."""
    seen, pending = set[SSAValue](), [value]
    while pending:
        made = pending.pop().owner
        if isinstance(made, AccessOp):
            return True
        if isinstance(made, Operation) and not isinstance(made, ReduceOp):
            new = {each for each in made.operands if len(shape_of(each.type)) == 1} - seen
            seen |= new
            pending += new
    return False
