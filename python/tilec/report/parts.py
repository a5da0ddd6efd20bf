"""Divides a call by the operations of the program."""

from collections.abc import Mapping
from dataclasses import replace

from tilec.analysis.cost.bundles import SLOTS
from tilec.analysis.cost.estimate import Operation
from tilec.analysis.cost.origins import OTHERS, Origin, Share
from tilec.report.data import Part
from tilec.report.measure import Measured
from tilec.runtime.load import load

WAITS = "waits for copies"
"""The part of a call in which the core issues nothing."""


def parts(measured: Measured, text: str, function: str) -> tuple[Part, ...]:
    """What the operations of a program take of a call, and what is none of theirs; most first.

    `text` is the emitted module that has `function`: it says which operation a line came from.
    """
    lines: Mapping[int, str] = load(text, function).TILE_LINES
    operations = measured.estimate.operations
    cycles = sum(each.cycles for each in operations)
    found: dict[tuple[str, str | None], Part] = {}
    for operation in operations:
        for origin, share in measured.shares[operation.name].items():
            part = _part(origin, share, operation, operation.cycles / cycles, lines)
            key = (part.name, part.place)
            found[key] = _sum(found[key], part) if key in found else part
    stalled = sum(each.seconds * each.stalled / each.cycles for each in operations if each.cycles)
    if stalled:
        found[WAITS, None] = Part(WAITS, None, (), stalled, dict.fromkeys(SLOTS, 0.0))
    return tuple(sorted(found.values(), key=lambda each: each.seconds, reverse=True))


def _part(
    origin: Origin, share: Share, operation: Operation, weight: float, lines: Mapping[int, str]
) -> Part:
    issuing = operation.seconds * (1 - operation.stalled / operation.cycles)
    use = {slot: part * weight for slot, part in zip(SLOTS, share.use, strict=True)}
    name, place, of = str(origin), None, ()
    if isinstance(origin, int):
        at, _, op = lines.get(origin, "").partition(" ")
        name, place, of = op or OTHERS, at or None, (origin,)
    return Part(name, place, of, issuing * share.issued, use)


def _sum(one: Part, other: Part) -> Part:
    use = {slot: one.use[slot] + other.use[slot] for slot in one.use}
    of = tuple(sorted({*one.lines, *other.lines}))
    return replace(one, lines=of, seconds=one.seconds + other.seconds, use=use)
