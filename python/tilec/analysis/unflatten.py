"""Positions in a flattened dimension as positions in the dimensions that it was made of.

Element `[i, j]` of rows of `M` is element `M * i + j` of the flattened array. Back from there it is `[i, j]`
only if `j` is known to be one of `0 … M - 1`: else positions run on into the next row. So the form
`M * rows + columns + shift` is split into a digit for each of some strides, each digit but the first with a
range that fits.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import prod

from xdsl.ir import SSAValue

from tilec.analysis.affine import Leaf, Linear, axis_bounds
from tilec.analysis.positions import Positions
from tilec.analysis.ranges import Range, Ranges
from tilec.dialects.tile.types import UNBOUND


@dataclass(frozen=True)
class Digit:
    """One dimension: its extent, and what lanes name in it, `scalar` plus a span's index if there is one.

    `dim` is the dimension of the tile of positions that the span is of.
    """

    extent: int
    scalar: Linear
    span: SSAValue | None = None
    dim: int | None = None


def strides_of(form: Positions, whole: int, shape: Sequence[int]) -> list[tuple[int, ...]]:
    """The strides to try for positions in a dimension of extent `whole`, best first, each largest first.

    Of the array of `shape` that is flattened, if there is one; then those that lanes are apart; then those
    with what all lanes share besides.
    """
    lanes = {abs(factor) for _, factor in form.spans.values()} | {1}
    shared = lanes | {abs(factor) for factor in form.scalar.factors.values()}
    found = [tuple(prod(shape[dim + 1 :]) for dim in range(len(shape)))] if min(shape, default=0) > 0 else []
    found += [tuple(sorted(each, reverse=True)) for each in (lanes, shared)]
    return list(dict.fromkeys(found))


def digits(form: Positions, whole: int, strides: Sequence[int], ranges: Ranges) -> list[Digit] | str:
    """The digits of positions for `strides`, each of which divides the one before and the last of which is 1.

    `whole` is the extent of the dimension, `UNBOUND` only for one stride. Else why there are none.
    """
    if whole != UNBOUND and any(larger % smaller for larger, smaller in pairwise([whole, *strides])):
        return f"an extent of {whole} is not made of parts of {', '.join(map(str, strides))}"
    if whole == UNBOUND and len(strides) > 1:
        return f"they are {strides[0]} apart, in an extent known at run time"
    spans: dict[int, tuple[SSAValue, int]] = {}
    for dim, (span, factor) in form.spans.items():
        if factor not in strides:
            return f"they are {factor} apart"
        place = strides.index(factor)
        if place in spans:
            return f"two of their dimensions are {factor} apart"
        spans[place] = (span, dim)
    parts = [dict[Leaf, int]() for _ in strides]
    for leaf, factor in form.scalar.factors.items():
        place = next(place for place, stride in enumerate(strides) if factor % stride == 0)
        parts[place][leaf] = factor // strides[place]
    extents = [larger // smaller for larger, smaller in pairwise([whole, *strides])]
    made = [
        Digit(extent, Linear(0, part), *spans.get(place, (None, None)))
        for place, (extent, part) in enumerate(zip(extents, parts, strict=True))
    ]
    if whole == UNBOUND:
        made = [replace(made[0], extent=UNBOUND)]
    return _with_constant(made, form.scalar.constant, ranges)


def _with_constant(found: list[Digit], constant: int, ranges: Ranges) -> list[Digit] | str:
    """The digits of positions that are `constant` more: from the last, what its row does not hold is carried
    to the one before.
    """
    made: list[Digit] = []
    for place, digit in reversed(list(enumerate(found))):
        more = constant
        if place:
            held = _lanes(digit.span, ranges) + _values(digit.scalar, ranges)
            if held.low is None or held.high is None:
                return f"what is added in a row of {digit.extent} is not known to stay there"
            more = (constant + held.low) % digit.extent - held.low
            if held.high + more >= digit.extent:
                return (
                    f"they may run on into the next row of {digit.extent}: from {held.low + more} to "
                    f"{held.high + more}"
                )
            constant = (constant - more) // digit.extent
        made.insert(0, replace(digit, scalar=digit.scalar + Linear(more)))
    return made


def _lanes(span: SSAValue | None, ranges: Ranges) -> Range:
    """The range of a span's live indices."""
    bounds = None if span is None else axis_bounds(span)
    if bounds is None:
        return Range(0, 0) if span is None else Range()
    begin, end = ranges.of(bounds.begin), ranges.of(bounds.end)
    ends = [end.high]
    if bounds.limit is not None and begin.high is not None:
        ends.append(begin.high + bounds.limit)
    known = [each - 1 for each in ends if each is not None]
    return Range(low=begin.low, high=min(known, default=None))


def _values(form: Linear, ranges: Ranges) -> Range:
    """The range of what all lanes share."""
    total = Range(0, form.constant)
    for leaf, factor in form.factors.items():
        value = Range(low=0) if isinstance(leaf, tuple) else ranges.of(leaf)
        total += value * Range(0, factor)
    return total
