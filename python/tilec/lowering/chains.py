"""Reductions over rows as several at once.

The compiler adds one register of rows to the sum of those before it, and each addition waits for the last: a
sum of few columns takes as many bundles as it has registers, where a TPU could add several in each. So rows
are first combined a few registers apart, in that many chains, and then what these leave. Rows of a masked
tile are not: their masks are in the way. Measured with libtpu 0.0.51 for a step that sums 256 rows of 256
f32: 196 bundles become 152 on v5e, 205 become 161 on tpu7x; with masks 201 become 226.
"""

from xdsl.ir import Operation, SSAValue

from tilec.analysis.vmem import LANES, SUBLANES, WORD
from tilec.dialects.tile.elementwise import is_lanewise
from tilec.dialects.tile.mixing import FillOp
from tilec.dialects.tile.types import byte_width, element_type, shape_of

CHAINS = 8
"""Additions that are on their way at once. Of 2 to 16 for each register of columns, those that give 8 in all
take the fewest bundles, measured as above."""
WIDEST = 2 * LANES
"""More columns make chains enough. Of 512 the best that was seen was a tenth, with f32 in memory; of bf16,
which are widened on the way, sums of 512 took a quarter more bundles."""


def rows_of_chains(value: SSAValue) -> int | None:
    """How many rows a reduction over the rows of a matrix leaves at first; `None` if it is made at once."""
    shape = shape_of(value.type)
    if len(shape) != 2 or byte_width(element_type(value.type)) != WORD or _is_masked(value):
        return None
    rows, columns = shape
    if columns > WIDEST:
        return None
    kept = SUBLANES * -(-CHAINS // -(-columns // LANES))
    return kept if rows > 2 * kept and rows % kept == 0 else None


def _is_masked(value: SSAValue) -> bool:
    """Whether a value is made, lane by lane, of one whose dead lanes were filled."""
    op = value.owner
    if isinstance(op, FillOp):
        return True
    return isinstance(op, Operation) and is_lanewise(op) and any(map(_is_masked, op.operands))
