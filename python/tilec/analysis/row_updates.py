"""Which updates at computed positions can be made row by row, and where that takes less time than products.

Each row of a tile is added to the row of a resident array that its position names, one after the other: a
position is read from scalar memory, and a row of the array is a part of whole registers, one for each 128
lanes. Products with ones and zeros go through all rows of the array for each row of the tile.
"""

from math import prod

from xdsl.dialects.builtin import AnyFloat, bf16, f32
from xdsl.ir import SSAValue

from tilec.analysis.targets import writes_to
from tilec.analysis.vmem import LANES, MEBIBYTE, WORD, packed_rows, padded_bytes
from tilec.chips import Chip
from tilec.dialects.tile.access import Dim
from tilec.dialects.tile.arrays import LoadOp
from tilec.dialects.tile.atomics import AtomicRmwOp
from tilec.dialects.tile.elementwise import CastOp
from tilec.dialects.tile.loops import GridOp
from tilec.dialects.tile.types import UNBOUND, SpanType, byte_width, element_type, shape_of

MOST_POSITIONS = 2**17
"""Positions that scalar memory has room for: half of it, 512 KiB."""
MOST_LANES = 2048
"""Lanes of a row, which is on its way from memory to memory in registers: 16 of them, of a core's 64."""
PER_ROW = 4.0
"""Cycles of the scalar unit for a row: its position, the address of its row."""
PER_REGISTER = {16: 1.75, 8: 0.75}
"""Cycles for each 128 lanes of a row besides, by the cycles of a product on the matrix unit, that is by the
generation. Measured with these constants: rows of 512 lanes take 11 cycles on v5e, 7 on v6e and tpu7x."""


def row_source(value: SSAValue) -> SSAValue:
    """The value that `value` is a wider form of: rows are widened when they are added."""
    made = value.owner
    while isinstance(made, CastOp) and _widens(made):
        value = made.value
        made = value.owner
    return value


def _widens(op: CastOp) -> bool:
    source, target = element_type(op.value.type), element_type(op.result.type)
    return source == target or (source == bf16 and target == f32)


def positions_of(dim: Dim) -> LoadOp | None:
    """The load of a tile of positions, where it is all of an axis' own: `%ids[%m]`."""
    load = None if dim.base is None else dim.base.owner
    if not isinstance(load, LoadOp) or load.mask is not None or len(load.window) != 1:
        return None
    place = load.window[0]
    return load if isinstance(place.span, SpanType) and (place.shift, dim.shift) == (0, 0) else None


def row_obstacle(op: AtomicRmwOp, grid: GridOp) -> str | None:
    """Why an update at computed positions cannot be made row by row; `None` if it can."""
    load, shape = positions_of(op.window[0]), shape_of(op.array.type)
    if load is None or not op.window[0].indexed or len(shape) != 2 or not op.window[1].kept:
        return "rows of an array of rank 2, at positions loaded as they are along a tile axis, are"
    if op.mask is not None or op.drop is not None:
        return "a mask or `drop` leaves lanes out"
    if writes_to(grid, load.array):
        return "the grid writes the positions"
    if UNBOUND in shape:
        return "how many rows the array has is known only at run time"
    dim = op.window[1]
    if not dim.full and (dim.span is None or dim.shift != 0 or not shape[1] <= dim.span.size):
        return f"a row of the array has {shape[1]} lanes, and a tile does not have all of them"
    if shape[1] > MOST_LANES:
        return f"a row has {shape[1]} lanes; up to {MOST_LANES} pass through registers"
    return _tile_obstacle(op, load)


def _tile_obstacle(op: AtomicRmwOp, load: LoadOp) -> str | None:
    span, whole = load.window[0].span, element_type(op.array.type)
    source = element_type(row_source(op.value).type)
    if isinstance(whole, AnyFloat) and f32 not in (whole, source) and bf16 not in (whole, source):
        return f"rows of {source} are not added to {whole}"
    unit = packed_rows(byte_width(source))
    if span is None or span.size == UNBOUND or span.size % unit:
        return f"tiles of {source} have no multiple of {unit} rows"
    return None


def rows_pay(op: AtomicRmwOp, chip: Chip) -> bool:
    """Whether row by row an update takes less time on a chip than as products, and there is room for it."""
    load = positions_of(op.window[0])
    if load is None or not 0 <= prod(shape_of(load.array.type)) <= MOST_POSITIONS:
        return False
    shape = shape_of(op.array.type)
    if 4 * padded_bytes(shape, WORD) > chip.vmem_mib * MEBIBYTE:
        return False
    products = 3 if element_type(row_source(op.value).type) == f32 else 1
    flops = 2 * prod(shape) * products
    by_products = flops * chip.clock_ghz / (1000 * chip.bf16_tflop_per_s)
    by_rows = PER_ROW + PER_REGISTER[chip.mxu_cycles] * -(-shape[1] // LANES)
    return by_rows < by_products
