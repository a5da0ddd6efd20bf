"""Asks the rule of an access, and looks for the nearest legal one."""

from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType

from tilec.analysis.alignment.access import Access, Kind, Refusal, show, validate
from tilec.analysis.alignment.blocks import grid_block, pipeline_block
from tilec.analysis.alignment.copies import copy
from tilec.analysis.alignment.layout import Finding
from tilec.analysis.alignment.nearest import nearest
from tilec.analysis.alignment.vectors import vector

_RULES: MappingProxyType[Kind, Callable[[Access], Finding | None]] = MappingProxyType(
    {
        Kind.DMA_IN: copy,
        Kind.DMA_OUT: copy,
        Kind.VMEM_LOAD: vector,
        Kind.VMEM_STORE: vector,
        Kind.GRID_BLOCK: grid_block,
        Kind.PIPELINE_BLOCK: pipeline_block,
    }
)


def refusal(access: Access) -> Refusal | None:
    """Why the TPU compiler would refuse an access, or None where it takes it.

    Raises `ValueError` for what is malformed: an unknown chip, kind or dtype, ranks that differ, sizes below
    1, a literal window that goes past the end of an array of static extent.
    """
    validate(access)
    found = _finding(access)
    if found is None:
        return None
    return Refusal(found.dim, found.rule, found.got, _told(access, nearest(_storable(access), _finding)))


def _told(access: Access, other: Access | None) -> str:
    """The nearest legal access, as far as it differs from the refused one in more than its window."""
    if other is None:
        return f"none in an array of {show(access.array)}"
    parts = [] if other.is_block else [f"start {show(other.start)}"]
    parts.append(f"size {show(other.size)}")
    if other.dtype != access.dtype:
        parts.append(f"in {other.dtype}")
    if access.vmem_shape is not None:
        parts.append("with a VMEM buffer of that size")
    return " ".join(parts)


def nearest_legal(access: Access) -> Access | None:
    """The access where it is legal, else the one that `refusal` calls the nearest; None if there is none.

    Raises `ValueError` as `refusal` does.
    """
    validate(access)
    return access if _finding(access) is None else nearest(_storable(access), _finding)


def _finding(access: Access) -> Finding | None:
    """f16 is never an operand: "only arguments with ... bfloat16 or 32-bit element types", libtpu 0.0.51."""
    if access.element == "f16":
        last = len(access.array) - 1
        return Finding(last, "the TPU compiler takes no operands of f16", "f16; bf16 and f32 are accepted")
    return _RULES[access.kind](access)


def _storable(access: Access) -> Access:
    """The access in bf16 where it is in f16."""
    return replace(access, dtype="bf16") if access.element == "f16" else access
