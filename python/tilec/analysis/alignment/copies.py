"""Rules of DMAs. Both directions obey the same ones, on every chip.

A DMA moves chunks of equal length at equal distances, so a window has to be whole words of 32 bits, and whole
tiles or a part of one. Measured with libtpu 0.0.51 by sweeps of start and size for f32, bf16 and i8.
"""

from math import gcd

from tilec.analysis.alignment.access import UNKNOWN, Access, Extent, Multiple
from tilec.analysis.alignment.layout import (
    Finding,
    divides,
    reaches_end,
    scratch_tile_rows,
    short_tile_rows,
    tile_rows,
)
from tilec.analysis.vmem import LANES, SUBLANES

BUFFER = "VMEM buffer"


def copy(access: Access) -> Finding | None:
    """The array and the VMEM buffer are each cut into tiles; a window has to fit both."""
    found = _side("array", access.array, access.start, access.size, access)
    if found is not None or access.vmem_shape is None:
        return found
    start = access.vmem_start or (0,) * len(access.size)
    return _side(BUFFER, access.vmem_shape, start, access.size, access)


def _side(
    name: str, shape: tuple[int, ...], start: tuple[Extent, ...], size: tuple[Extent, ...], access: Access
) -> Finding | None:
    last = len(shape) - 1
    if last == 0:
        return _lanes(name, last, shape[last], start[last], size[last], LANES * access.packing)
    found = _lanes(name, last, shape[last], start[last], size[last], LANES)
    return found or _rows(name, shape, start[last - 1], size[last - 1], access)


def _lanes(name: str, dim: int, extent: int, start: Extent, size: Extent, unit: int) -> Finding | None:
    """Tiles are 128 lanes wide, and an array of rank 1 is one row of words: the end of either may be cut."""
    if divides(unit, start) and (divides(unit, size) or reaches_end(extent, start, size)):
        return None
    rule = f"a DMA begins at a multiple of {unit} lanes and takes a multiple of {unit} or all that is left"
    return Finding(dim, rule, f"{size} from {start} of {extent} in the {name}")


def _rows(name: str, shape: tuple[int, ...], start: Extent, size: Extent, access: Access) -> Finding | None:
    """From a whole tile on, eights of rows; or a part of one tile; in one column of tiles, whole words."""
    *_, rows, lanes = shape
    packing = access.packing
    tile = (scratch_tile_rows if name == BUFFER else tile_rows)(rows, access)
    part = tile if rows != UNKNOWN else short_tile_rows(rows, packing)
    if divides(tile, start) and (divides(min(tile, SUBLANES), size) or reaches_end(rows, start, size)):
        return None
    narrow = 0 < lanes <= LANES or 0 < rows <= tile
    if narrow and divides(packing, start):
        literal = isinstance(start, int)
        if divides(packing, size) or (literal and reaches_end(rows, start, size)):
            return None
    if divides(packing, start) and divides(packing, size) and _in_tile(start, size, part):
        return None
    if rows != UNKNOWN and _in_halves(rows, start, size, tile, packing):
        return None
    begin, count = (packing, packing) if narrow else (tile, min(tile, SUBLANES))
    rule = f"a DMA begins at a multiple of {begin} rows and takes a multiple of {count} or all that is left"
    return Finding(len(shape) - 2, rule, f"{size} from {start} of {rows} in the {name}")


def _in_tile(start: Extent, size: Extent, tile: int) -> bool:
    """Whether the window is part of one tile; of equal parts of tiles, where its start is not literal."""
    if isinstance(size, Multiple):
        return False
    if isinstance(start, int):
        return start % tile + size <= tile
    return gcd(start.of, tile) % size == 0


def _in_halves(rows: int, start: Extent, size: Extent, tile: int, packing: int) -> bool:
    """Whether half of a power of two rows ends one tile and half begins the next: two chunks are regular."""
    if isinstance(start, Multiple) or isinstance(size, Multiple):
        return False
    whole = size
    if reaches_end(rows, start, size):
        while whole < SUBLANES and whole & (whole - 1):
            whole += 1
    power = whole & (whole - 1) == 0 and whole >= 2 * packing
    return power and start % tile == tile - whole // 2
