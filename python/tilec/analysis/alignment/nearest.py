"""The nearest legal access: what to write in place of a refused one."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from math import lcm

from tilec.analysis.alignment.access import UNKNOWN, Access, Extent, Multiple
from tilec.analysis.alignment.layout import Finding
from tilec.analysis.vmem import LANES, SUBLANES

Rule = Callable[[Access], Finding | None]


def nearest(access: Access, rule: Rule) -> Access | None:
    """An access near to a refused one that `rule` takes; its refused dimensions change as little as they can.

    The VMEM side of a DMA becomes a buffer of exactly the window. None where the array has no legal window.
    """
    candidate: Access | None = replace(access, vmem_shape=None, vmem_start=None)
    while candidate is not None and (found := rule(candidate)) is not None:
        candidate = _mended(candidate, found.dim, rule)
    return candidate


def _mended(access: Access, dim: int, rule: Rule) -> Access | None:
    """The access with the nearest start and size in `dim` that are not refused because of it."""
    extent, block = access.array[dim], access.is_block
    wanted = (0 if block else access.start[dim], access.size[dim])
    pairs = product([0] if block else _starts(access, dim), _sizes(access, dim))
    fitting = [pair for pair in pairs if block or _fits(extent, *pair)]
    for start, size in sorted(fitting, key=lambda pair: sum(map(_distance, wanted, pair))):
        moved = replace(access, size=_with(access.size, dim, size))
        if not block:
            moved = replace(moved, start=_with(access.start, dim, start))
        found = rule(moved)
        if found is None or found.dim != dim:
            return moved
    return None


def _units(access: Access, dim: int) -> tuple[int, ...]:
    """What starts and sizes can have to be multiples of."""
    if dim == len(access.array) - 1:
        return (LANES, LANES * access.packing, LANES * SUBLANES)
    return (1, access.packing, SUBLANES, SUBLANES * access.packing)


def _starts(access: Access, dim: int) -> Iterator[Extent]:
    start = access.start[dim]
    yield from (start, 0)
    for unit in _units(access, dim):
        if isinstance(start, Multiple):
            yield Multiple(lcm(start.of, unit))
        else:
            yield from (start // unit * unit, -(-start // unit) * unit)


def _sizes(access: Access, dim: int) -> Iterator[Extent]:
    extent, size = access.array[dim], access.size[dim]
    if extent != UNKNOWN:
        yield extent
        if not access.is_block and isinstance(start := access.start[dim], int):
            yield extent - start
    for unit in _units(access, dim):
        if isinstance(size, Multiple):
            yield from (Multiple(lcm(size.of, unit)), unit)
        else:
            yield from (size // unit * unit or unit, -(-size // unit) * unit)
    if isinstance(size, int):
        yield from (size, 1 << (size.bit_length() - 1), 1 << size.bit_length())


def _fits(extent: int, start: Extent, size: Extent) -> bool:
    if isinstance(size, int) and size < 1:
        return False
    end = (start if isinstance(start, int) else 0) + (size if isinstance(size, int) else 0)
    return extent == UNKNOWN or end <= extent


def _distance(wanted: Extent, given: Extent) -> int:
    """That one is known and the other not counts as far away."""
    known = isinstance(wanted, int) == isinstance(given, int)
    return abs(_number(wanted) - _number(given)) + (0 if known else 1 << 20)


def _number(extent: Extent) -> int:
    return extent.of if isinstance(extent, Multiple) else extent


def _with(values: tuple[Extent, ...], dim: int, value: Extent) -> tuple[Extent, ...]:
    return (*values[:dim], value, *values[dim + 1 :])
