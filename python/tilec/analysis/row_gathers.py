"""Which rows at computed positions can be copied one by one from where their array is, and where that pays.

A row of 32-bit elements is copied by itself. DMA takes rows of fewer bits only in tiles of eight, of which
the wanted one is taken afterwards; those that an array has behind its last eight are copied once for each
tile of positions. A plane, which takes the place of a row in arrays of more dimensions, is copied by itself
and as a whole. Products with ones and zeros go through the whole array for each tile of rows.
"""

from collections.abc import Hashable
from math import prod

from xdsl.dialects.builtin import bf16, f32, i8, i32, i64
from xdsl.ir import Operation, SSAValue

from tilec.analysis.affine import begins_on_a_tile
from tilec.analysis.alignment import Access, Kind, Multiple, refusal
from tilec.analysis.blocks import CHIPS
from tilec.analysis.targets import writes_to
from tilec.analysis.vmem import LANES, MOST_RESIDENT, SUBLANES
from tilec.chips import Chip
from tilec.dialects.tile.access import Dim
from tilec.dialects.tile.gathers import GatherOp
from tilec.dialects.tile.locals import is_local
from tilec.dialects.tile.syntax import ints_of
from tilec.dialects.tile.types import UNBOUND, byte_width, element_type, shape_of
from tilec.dialects.tile.values import BroadcastOp
from tilec.dialects.tile.views import ViewOp

PER_COPY = 8.0
"""Cycles of the scalar unit for a row: its position, kept inside the array, and a copy. Estimated, of 8192
rows of 1024 f32: 7.5 on v6e and tpu7x."""
PER_PICK = 4.0
"""Cycles besides for a row that is one of eight, and one for each 128 lanes of it."""
PER_RUN = 10.0
"""Cycles of the scalar unit for a run of rows, of which a table says where it begins. Estimated on v5e, of
two arrays in pages of 16 rows: 9 to 10."""
PER_TILE = 2000.0
"""Cycles that a tile of positions waits: for them to be in scalar memory, and for its last row."""


def run_of(op: GatherOp) -> int:
    """How many rows follow each other wherever a gather has the first of them: 1 of any positions."""
    return 1 if op.runs is None else op.runs.length.value.data


def buffers_of(op: GatherOp) -> int:
    """Into how many buffers a gather copies runs in turn."""
    return 1 if op.buffers is None else op.buffers.value.data


def buffers_shared(op: GatherOp) -> Hashable:
    """What is equal of gathers whose rows are copied ahead of both at once: of the two bodies that steps with
    and without partial tiles have.
    """
    if op.runs is None or buffers_of(op) == 1:
        return op
    return op.array, tuple(op.runs.firsts), run_of(op), buffers_of(op), tuple(op.window[1:])


def rows_at(op: GatherOp) -> tuple[SSAValue, int]:
    """The array from which rows are copied, and how many rows of the gather's array are a row of it.

    Those of a view with shorter rows are parts of an array's rows, which need not be laid out anew.
    """
    view, seen = op.array.owner, shape_of(op.array.type)
    if isinstance(view, ViewOp) and view.permutation is None:
        shape = shape_of(view.array.type)
        if len(shape) == 2 and UNBOUND not in shape and shape[1] % seen[1] == 0 and seen[1] % LANES == 0:
            return view.array, shape[1] // seen[1]
    return op.array, 1


def rows_copied(op: GatherOp, run: int = 1) -> int | None:
    """How many rows are copied for each that is wanted: the least number of which every chip takes a copy.

    With a run of several rows that are wanted together it is 1, or there is none.
    """
    (seen, parts), row = rows_at(op), shape_of(op.result.type)[1:]
    array, dtype = shape_of(seen.type), str(element_type(op.array.type))
    first = [0 if size == extent else Multiple(size) for size, extent in zip(row, array[1:], strict=True)]
    run = max(run, run_of(op))
    if run > 1 and (parts > 1 or array[0] % run):
        return None
    for rows in (1, SUBLANES) if run == 1 and len(row) == 1 else (run,):
        rest = array[0] % rows
        places: list[tuple[int | Multiple, int]] = [(Multiple(rows), rows)]
        if rest:
            places.append((array[0] - rest, rest))
        copies = [
            Access(chip, Kind.DMA_IN, dtype, array, (start, *first), (size, *row))
            for chip in CHIPS
            for start, size in places
        ]
        if array[0] >= rows and not (rest and parts > 1) and all(refusal(each) is None for each in copies):
            return rows // run
    return None


def rows_behind(op: GatherOp, copied: int) -> int:
    """How many rows an array has behind the last whole copy, of `copied` rows."""
    return shape_of(rows_at(op)[0].type)[0] % copied


def mask_of_rows(op: GatherOp) -> SSAValue | None:
    """The mask of a gather as one of its rows, of rank 1, where it has such a one."""
    made = None if op.mask is None else op.mask.owner
    if not isinstance(made, BroadcastOp) or ints_of(made.dims) != (0,):
        return None
    return made.value


def gather_obstacle(op: GatherOp, kernel: Operation, run: int = 1) -> str | None:
    """Why rows at computed positions cannot be copied one by one, or in runs of so many, in a kernel; `None`
    if they can.
    """
    shape, element = shape_of(op.array.type), element_type(op.array.type)
    row, planes = op.window[1:], len(op.window) > 2
    if not row or not op.window[0].indexed or not all(dim.full if planes else dim.kept for dim in row):
        return "rows of an array of rank 2 are, or whole planes"
    ids = op.window[0].base
    if ids is None or len(shape_of(ids.type)) != 1 or element_type(ids.type) == i64:
        return "rows at positions in a tile of rank 1, of up to 32 bits, are"
    if element not in (f32, i32, bf16, i8):
        return f"rows of {element} are not copied by themselves"
    if is_local(op.array) or writes_to(kernel, op.array):
        return "the array is on the chip, or the kernel writes to it"
    if UNBOUND in shape or 0 in shape:
        return "the array has any number of rows, or none"
    if op.mask is not None and mask_of_rows(op) is None:
        return "the mask is not one of whole rows"
    if not planes and not _is_part(row[0], shape[1]):
        return f"a tile of {shape_of(op.result.type)[1]} lanes is no whole part of a row of {shape[1]}"
    if rows_copied(op, run) is None:
        what = f"neither rows nor tiles of {SUBLANES} rows" if run == 1 else f"no {run} rows together"
        return f"{what} of {element}[{', '.join(map(str, shape))}] can be copied"
    return None


def _is_part(dim: Dim, lanes: int) -> bool:
    """Whether tiles divide a row into parts of one size."""
    if dim.full or dim.span is None or dim.base is None:
        return dim.full
    return dim.shift == 0 and begins_on_a_tile(dim.base) and lanes % dim.span.size == 0


def copies_pay(op: GatherOp, chip: Chip) -> bool:
    """Whether copying rows one by one takes less time on a chip than products with ones and zeros.

    The time of products is that of the matrix units, or of fetching an array that does not stay on the chip
    for every tile of positions; that of copies is the scalar unit's, or of the bytes.
    """
    rows, *whole = shape_of(op.array.type)
    (tile, *row), width = shape_of(op.result.type), byte_width(element_type(op.array.type))
    lanes = prod(row)
    bytes_a_cycle = chip.hbm_gb_per_s / chip.clock_ghz
    flops = 2 * rows * lanes * (1 if element_type(op.array.type) == bf16 else 3)
    by_unit = flops * chip.clock_ghz / (1000 * chip.bf16_tflop_per_s)
    fetched = rows * lanes * width / tile if prod((rows, *whole)) * width > MOST_RESIDENT else 0
    by_products = max(by_unit, fetched / bytes_a_cycle)
    count = rows_copied(op) or 1
    picks = 0.0 if count == 1 else PER_PICK + -(-lanes // LANES)
    by_copies = max(PER_COPY + picks, count * lanes * width / bytes_a_cycle) + PER_TILE / tile
    return by_copies < by_products
