"""Axes: what dimensions of several tensors have in common.

A dimension is a product of axes, the first the slowest; none is an extent of 1. `view` may join dimensions or
take them apart, so an axis may turn out to be a product of others: `Axes.same` then splits it, for every
dimension that has it. What remains whole are the loops that a kernel may have.
"""

from dataclasses import dataclass
from math import prod
from typing import TypeAlias


class Mismatch(ValueError):
    """Dimensions that no common axes explain."""


@dataclass(eq=False)
class Axis:
    """`size` places. `parts` says what it turned out to be: another axis, or a product."""

    size: int
    parts: "tuple[Axis, ...] | None" = None


Dim: TypeAlias = tuple[Axis, ...]
Shape: TypeAlias = tuple[Dim, ...]


def fresh(size: int) -> Dim:
    """A dimension of its own."""
    return () if size == 1 else (Axis(size),)


def leaves(dim: Dim) -> Dim:
    """The axes of a dimension, as far as they are known apart."""
    found: list[Axis] = []
    for axis in dim:
        found.extend((axis,) if axis.parts is None else leaves(axis.parts))
    return tuple(found)


def flat(shape: Shape) -> Dim:
    """The axes of all dimensions, in the order of memory."""
    return leaves(tuple(axis for dim in shape for axis in dim))


def extent(dim: Dim) -> int:
    return prod(axis.size for axis in dim)


def same(left: Dim, right: Dim) -> None:
    """Make two dimensions one. Raises Mismatch where their axes overlap without one dividing the other."""
    if extent(left) != extent(right):
        raise Mismatch(f"extents {extent(left)} and {extent(right)}")
    left, right = leaves(left), leaves(right)
    while left or right:
        a, b = left[0], right[0]
        if a is b:
            left, right = left[1:], right[1:]
            continue
        if a.size > b.size:
            (a, b), (left, right) = (b, a), (right, left)
        if b.size % a.size:
            raise Mismatch(f"extents {a.size} and {b.size} overlap")
        rest = b.size // a.size
        b.parts = (a,) if rest == 1 else (a, Axis(rest))
        # The split axis may stand further on too: look again.
        left, right = leaves(left), leaves(right)


def reshaped(shape: Shape, sizes: tuple[int, ...]) -> Shape:
    """The dimensions of a view of `shape` as `sizes`. Raises Mismatch if they cut across its axes."""
    rest = flat(shape)
    result: list[Dim] = []
    for size in sizes:
        dim, rest = _taken(rest, size)
        result.append(dim)
    if rest:
        raise Mismatch(f"an extent of {extent(rest)} is left over")
    return tuple(result)


def _taken(axes: Dim, size: int) -> tuple[Dim, Dim]:
    """The leading axes whose product is `size`, of which the last is split if it must be, and the others."""
    part = 1
    for count, axis in enumerate(axes):
        if part == size:
            return axes[:count], axes[count:]
        wanted = size // part
        if size % part or max(axis.size, wanted) % min(axis.size, wanted):
            raise Mismatch(f"an extent of {size} cuts across one of {axis.size}")
        if axis.size > wanted:
            axis.parts = (Axis(wanted), Axis(axis.size // wanted))
            return _taken(leaves(axes), size)
        part *= axis.size
    if part != size:
        raise Mismatch(f"an extent of {size} is more than what is left")
    return axes, ()
