"""Rules of the blocks of a `pallas_call` and of an `emit_pipeline`, by which a body reads and writes them."""

from collections.abc import Sequence
from dataclasses import replace

from tilec.analysis.alignment.access import Access, Extent, Kind, Multiple
from tilec.analysis.alignment.copies import copy
from tilec.analysis.alignment.layout import Finding, lacks_masks, short_tile_rows
from tilec.analysis.vmem import LANES, SUBLANES


def grid_block(access: Access) -> Finding | None:
    """Pallas itself checks the blocks of a grid, whatever the dtype. Source: `pallas_call` of jax 0.10.2."""
    found = _part_of_word(access)
    if found is not None:
        return found
    rank = len(access.array)
    if rank > 1:
        return _unit(access, -1, LANES) or _unit(access, -2, SUBLANES)
    extent, block = access.array[0], _literals(access)[0]
    least, most = LANES * access.packing, LANES * SUBLANES
    if block == extent or block % most == 0 or (block >= least and block & (block - 1) == 0):
        return None
    rule = f"a block of rank 1 is all of it, a multiple of {most}, or a power of two from {least} on"
    return Finding(0, rule, f"{block} of {extent}")


def _unit(access: Access, dim: int, unit: int) -> Finding | None:
    extent, block = access.array[dim], _literals(access)[dim]
    if block == extent or block % unit == 0:
        return None
    position = len(access.array) + dim
    return Finding(position, f"a block is all of a dimension or a multiple of {unit}", f"{block} of {extent}")


def pipeline_block(access: Access) -> Finding | None:
    """The DMAs of an `emit_pipeline` bring whole blocks, and of the last one what there is in whole tiles.

    Source: the copies that `emit_pipeline` of jax 0.10.2 makes; the rules of DMAs decide on those.
    """
    blocks = _literals(access)
    found = _part_of_word(access)
    if found is not None or tuple(blocks) == access.array:
        return found
    start: list[Extent] = []
    size: list[Extent] = []
    for dim, (extent, block) in enumerate(zip(access.array, blocks, strict=True)):
        start.append(0 if block == extent else Multiple(block))
        size.append(block)
        if extent % block:
            tile = _tile(access, dim)
            size[dim] = Multiple(tile)
            if block % tile:
                rule = f"a block divides its dimension or is a multiple of {tile}"
                return Finding(dim, rule, f"{block} of {extent}")
    moved = replace(
        access,
        kind=Kind.DMA_IN,
        start=tuple(start),
        size=tuple(size),
        vmem_shape=tuple(blocks),
        vmem_start=(0,) * len(blocks),
    )
    found = copy(moved)
    if found is None:
        return None
    return replace(found, got=f"a block of {blocks[found.dim]}, {found.got}")


def _tile(access: Access, dim: int) -> int:
    """By what `emit_pipeline` rounds the size of a last block: short tiles, and those of bytes for ui4."""
    packing = access.packing if access.element == "i4" else min(access.packing, 4)
    if dim == len(access.array) - 1:
        return LANES * (packing if dim == 0 else 1)
    return short_tile_rows(access.array[dim], packing) if dim == len(access.array) - 2 else 1


def _part_of_word(access: Access) -> Finding | None:
    """The body stores a block of rank 1 whole, which needs masks where it ends within a row of words."""
    rank = len(access.array)
    block, unit = _literals(access)[-1], LANES * access.packing
    if rank > 1 or not lacks_masks(access) or block % unit == 0:
        return None
    rule = f"a block of rank 1 of {32 // access.packing} bits on {access.chip} is a multiple of {unit}"
    return Finding(0, rule, f"{block} of {access.array[0]}")


def _literals(access: Access) -> Sequence[int]:
    """The block, whose sizes are all literal."""
    return [size for size in access.size if isinstance(size, int)]
