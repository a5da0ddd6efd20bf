"""Accesses as rows of text, as `tile-report legality` and the recorded answers have them."""

import re
from collections.abc import Sequence

from tilec.analysis.alignment.access import Access, Extent, Kind, Multiple, show

FIELDS = ("chip", "access", "dtype", "array", "start", "size", "vmem_shape", "vmem_start")


def parse_access(row: Sequence[str]) -> Access:
    """The access of a row in the order of `FIELDS`.

    An extent is `8`, `8*?` for an unknown multiple of 8, or `?`; a shape is its extents with `x` between, and
    an array may have -1 for an extent that is not known. Raises `ValueError` for anything else.
    """
    if len(row) != len(FIELDS):
        raise ValueError(f"{len(row)} fields; {len(FIELDS)} are needed: {','.join(FIELDS)}")
    chip, kind, dtype, array, start, size, vmem_shape, vmem_start = row
    if kind not in set(Kind):
        raise ValueError(f"unknown access '{kind}': known are {', '.join(Kind)}")
    return Access(
        chip=chip,
        kind=Kind(kind),
        dtype=dtype,
        array=_shape("array", array),
        start=_extents("start", start),
        size=_extents("size", size),
        vmem_shape=_shape("vmem_shape", vmem_shape) if vmem_shape else None,
        vmem_start=_extents("vmem_start", vmem_start) if vmem_start else None,
    )


def format_access(access: Access) -> list[str]:
    """The row of an access, which `parse_access` reads."""
    vmem_shape, vmem_start = access.vmem_shape or (), access.vmem_start or ()
    shapes = (access.array, access.start, access.size, vmem_shape, vmem_start)
    return [access.chip, access.kind, access.dtype, *(show(shape) for shape in shapes)]


def _shape(field: str, text: str) -> tuple[int, ...]:
    if not re.fullmatch(r"-?\d+(x-?\d+)*", text):
        raise ValueError(f"{field} '{text}'; write extents with x between, as in 100x256")
    return tuple(int(word) for word in text.split("x"))


def _extents(field: str, text: str) -> tuple[Extent, ...]:
    if text and not re.fullmatch(r"(\d+|\d+\*\?|\?)(x(\d+|\d+\*\?|\?))*", text):
        raise ValueError(f"{field} '{text}'; write extents with x between, each as 8, 8*? or ?")
    return tuple(_extent(word) for word in text.split("x") if word)


def _extent(word: str) -> Extent:
    if not word.endswith("?"):
        return int(word)
    return Multiple(int(word.removesuffix("*?"))) if "*" in word else Multiple()
