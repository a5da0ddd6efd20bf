"""Rules of vector loads and stores in VMEM.

A literal start is always legal. One known at run time must be proven to be a multiple of the tile: the
compiler shuffles lanes and rows within registers only by amounts that it knows.
"""

from dataclasses import replace

from tilec.analysis.alignment.access import Access, Kind, Multiple
from tilec.analysis.alignment.layout import Finding, divides, lacks_masks, scratch_tile_rows, tile_rows
from tilec.analysis.vmem import LANES


def vector(access: Access) -> Finding | None:
    """The first dimension that breaks a rule."""
    return _size(access) or _lane(access) or _row(access) or _part_of_word(access)


def _size(access: Access) -> Finding | None:
    """A vector has a static shape."""
    for dim, size in enumerate(access.size):
        if isinstance(size, Multiple):
            return Finding(dim, "the size of a vector is a literal", f"size {size}")
    return None


def _lane(access: Access) -> Finding | None:
    """Arrays of rank 1 lie in words, 128 of them in a row."""
    dim, start = len(access.array) - 1, access.start[-1]
    unit = LANES * access.packing if dim == 0 else LANES
    if isinstance(start, int) or divides(unit, start):
        return None
    return Finding(dim, f"a lane known at run time must be a multiple of {unit}", f"start {start}")


def _row(access: Access) -> Finding | None:
    """32-bit rows stand alone where a row is one tile wide, or for one row with all its lanes."""
    dim = len(access.array) - 2
    if dim < 0 or isinstance(access.start[dim], int):
        return None
    start, lanes = access.start[dim], access.array[-1]
    unit = _tile(access.array[dim], access)
    one_row = access.size[dim] == 1 and access.size[-1] == lanes
    if divides(unit, start) or (access.packing == 1 and (0 < lanes <= LANES or one_row)):
        return None
    rule = f"a row known at run time must be a multiple of {unit}"
    return Finding(
        dim,
        rule,
        f"{access.size[dim]} rows of {access.size[-1]} lanes from row {start} of {access.array[dim]}x{lanes}",
    )


def _tile(rows: int, access: Access) -> int:
    """Rows of a tile of the buffer. v6e lays out the buffers of an `emit_pipeline` as tpu7x does all scratch.

    Source: measured. An access does not say which scratch it means, so this takes the larger tiles.
    """
    if not access.scratch:
        return tile_rows(rows, access)
    return scratch_tile_rows(rows, replace(access, chip="tpu7x") if access.chip == "v6e" else access)


def _part_of_word(access: Access) -> Finding | None:
    """A store of rank 1 that ends within a row of words is masked, which needs masks for parts of a word.

    v4 has none for 8 bits, no chip for 4. Source: the refusals of libtpu 0.0.51, which name this reason.
    """
    if access.kind != Kind.VMEM_STORE or len(access.array) > 1 or not lacks_masks(access):
        return None
    unit = LANES * access.packing
    if divides(unit, access.start[0]) and divides(unit, access.size[0]):
        return None
    bits = 32 // access.packing
    rule = f"a store of {bits} bits on {access.chip} begins and ends at a multiple of {unit}"
    return Finding(0, rule, f"{access.size[0]} from {access.start[0]}")
