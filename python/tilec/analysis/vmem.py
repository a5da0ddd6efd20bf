"""How much on-chip memory a value takes: arrays are laid out in tiles of 8 x 128 words of 32 bits.

Source: the (8, 128) tiling that Mosaic gives every array of rank 2 or more; narrower elements pack into the
words of a sublane, so that a tile of 16-bit elements has 16 rows. An array of rank 1 is a row of 128 words,
as often as it needs.
"""

from collections.abc import Sequence
from math import prod

LANES = 128
SUBLANES = 8
WORD = 4
"""Bytes of a word."""


def padded_bytes(shape: Sequence[int], width: int) -> int:
    """Bytes that an array of `shape` takes in VMEM; an element has `width` bytes."""
    packing = max(1, WORD // width)
    if not shape:
        return SUBLANES * LANES * WORD
    if len(shape) == 1:
        return _round_up(shape[0], LANES * packing) * width
    rows = _round_up(shape[-2], SUBLANES * packing)
    return prod(shape[:-2]) * rows * _round_up(shape[-1], LANES) * width


def _round_up(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple
