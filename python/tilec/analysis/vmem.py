"""How much memory things take: the padding of the tiled layout, and a ledger of who takes what.

Arrays lie in tiles of 128 lanes (words of 32 bits) and up to 8 rows; narrower elements pack into the words,
so that a row of tiles holds 8 rows of any width. Source, unless said otherwise: the bytes that libtpu 0.0.51
says it allocates for windows and scratch of 1 to 40 rows of f32, bf16 and i8, the same on v4, v5e, v6e and
tpu7x. `benchmarks/memory.py` compares with what is installed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import prod

LANES = 128
SUBLANES = 8
WORD = 4
"""Bytes of a word."""
REGISTER = SUBLANES * LANES * WORD
"""Bytes of a vector register."""
SMEM_GRANULE = 512
"""Scalar memory that an array of integers takes is a multiple of this, in bytes: libtpu's `prefetched SMEM
operand` is `u8[512]` for 9 offsets."""
RELAYOUT = 72 * LANES * WORD
"""Bytes of the scratch that Mosaic takes for laying values out anew, where an operation needs it:
`internal scratch` of libtpu 0.0.51 is `u32[72,128]`."""
MEBIBYTE = 2**20
MOST_RESIDENT = 4 * MEBIBYTE
"""What one array may take of the chip where there is another way: a quarter of the least default limit."""


class Space(StrEnum):
    """Where something is. Bytes of `semaphores` are those of their counters, a word each."""

    HBM = "hbm"
    VMEM = "vmem"
    SMEM = "smem"
    SEMAPHORES = "semaphores"


@dataclass(frozen=True)
class Entry:
    """What one operation takes of one memory.

    `owner` is the operation's name and `place` its `file:line:col`; `axes` names the tile axes on whose block
    sizes it depends, the largest first. `size` counts bytes with all buffers and with `padding`, the bytes
    of it that hold no element.
    """

    owner: str
    place: str
    space: Space
    size: int
    padding: int = 0
    axes: tuple[str, ...] = ()

    def __str__(self) -> str:
        padded = f", {amount(self.padding)} of it padding" if 2 * self.padding >= self.size else ""
        return f"{self.owner} {amount(self.size)}{padded} ({self.place})"


@dataclass(frozen=True)
class Ledger:
    """All that a kernel takes."""

    entries: tuple[Entry, ...]

    def total(self, space: Space) -> int:
        """Bytes taken of `space`."""
        return sum(entry.size for entry in self.entries if entry.space is space)

    def largest(self, space: Space) -> list[Entry]:
        """What is in `space`, the largest first."""
        found = [entry for entry in self.entries if entry.space is space and entry.size]
        return sorted(found, key=lambda entry: entry.size, reverse=True)


def amount(size: int) -> str:
    """Bytes as `512 B`, `1.5 KiB`, `1.50 MiB` or `1.50 GiB`."""
    for unit, decimals, bytes_ in (("GiB", 2, 2**30), ("MiB", 2, MEBIBYTE), ("KiB", 1, 2**10)):
        if size >= bytes_:
            return f"{size / bytes_:.{decimals}f} {unit}"
    return f"{size} B"


def smem_bytes(shape: Sequence[int]) -> int:
    """Bytes of scalar memory that an array of words takes: rows of 128 words, or of several times as many.

    Measured with libtpu 0.0.51: of 4000 x 4 words 2,048,000, of 1024 x 2 x 16 1 MiB.
    """
    *outer, lanes = (1, *shape)
    return prod(outer) * round_up(lanes * WORD, SMEM_GRANULE)


def padded_bytes(shape: Sequence[int], width: int, *, compact: bool = False) -> int:
    """Bytes that an array of `shape` takes on the chip; an element has `width` bytes.

    An array of rank 0 or 1 is one row. `compact` is for the windows of an `emit_pipeline`: there, 32-bit rows
    of up to 128 lanes follow each other as they are, without rows of padding.
    """
    *outer, rows, lanes = (1, 1, *shape)
    alone = compact and width >= WORD and lanes <= LANES
    tile = 1 if alone else tile_rows(rows, width)
    return prod(outer) * round_up(rows, tile) * round_up(lanes, LANES) * width


def packed_rows(width: int) -> int:
    """Rows of a whole tile of memory, of elements of `width` bytes: 8, or all that share the words of 8."""
    return SUBLANES * max(1, WORD // max(width, 1))


def tile_rows(rows: int, width: int) -> int:
    """Rows of a tile of an array with that many rows: the least power of two that holds them, at most 8.

    Words are not shared, so 16-bit elements have at least 2 rows and 8-bit ones 4.
    """
    tile = max(1, WORD // width)
    while tile < min(rows, SUBLANES):
        tile *= 2
    return tile


def registers(shape: Sequence[int], width: int) -> int:
    """Vector registers that hold a value of `shape`; an element has `width` bytes, and packs in words."""
    *outer, rows, lanes = (1, 1, *shape)
    whole = round_up(rows, packed_rows(width)) * round_up(lanes, LANES)
    return prod(outer) * whole * width // REGISTER


def round_up(number: int, multiple: int) -> int:
    """The least multiple of `multiple` that is not below `number`."""
    return -(-number // multiple) * multiple
