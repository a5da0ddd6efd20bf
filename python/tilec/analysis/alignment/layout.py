"""How arrays lie in memory: tiles of rows and lanes, whose words of 32 bits hold 1, 2, 4 or 8 rows."""

from dataclasses import dataclass

from tilec.analysis.alignment.access import UNKNOWN, Access, Extent, Multiple
from tilec.analysis.vmem import SUBLANES


@dataclass(frozen=True)
class Finding:
    """What is wrong with an access: the dimension, the rule, and what it got."""

    dim: int
    rule: str
    got: str


def divides(unit: int, value: Extent) -> bool:
    """Whether `value` is a multiple of `unit`, as far as can be proven."""
    return (value.of if isinstance(value, Multiple) else value) % unit == 0


def reaches_end(extent: int, start: Extent, size: Extent) -> bool:
    """Whether a window is proven to end where its dimension does. One as large can begin nowhere else."""
    if extent == UNKNOWN or isinstance(size, Multiple):
        return False
    return size == extent or (isinstance(start, int) and start + size == extent)


def tile_rows(rows: int, access: Access) -> int:
    """Rows of a tile of an operand of `rows` rows; 8 bits and less fill 8 sublanes if the rows divide.

    Source: measured; XLA lays out arrays of 16 bits in tiles of 8 rows, of 8 bits in tiles of 32.
    """
    large = SUBLANES * access.packing
    if access.packing >= 4 and (rows == UNKNOWN or rows % large == 0):
        return large
    return short_tile_rows(rows, access.packing)


def scratch_tile_rows(rows: int, access: Access) -> int:
    """Rows of a tile of scratch: tpu7x lays out 16-bit scratch in tiles of 16 rows. Source: measured."""
    if access.packing == 2 and access.chip_name == "tpu7x" and rows % (2 * SUBLANES) == 0:
        return 2 * SUBLANES
    return tile_rows(rows, access)


def short_tile_rows(rows: int, packing: int) -> int:
    """Rows of a tile where no tile is of more than 8 rows: the power of two that holds a short array."""
    tile = packing
    while tile < SUBLANES and (rows == UNKNOWN or tile < rows):
        tile *= 2
    return tile


def lacks_masks(access: Access) -> bool:
    """Whether the chip cannot store a part of the elements of a word."""
    return access.packing > 4 or (access.packing == 4 and access.chip_name == "v4")
