"""VMEM of a kernel: its owners, beside what the compiler takes and what there is."""

import re

from tilec.analysis.vmem import amount
from tilec.report.data import Memory
from tilec.report.page.markup import Html, joined, table, tag
from tilec.report.page.units import share

_TONES = 6
"""Owners that have a colour of their own; further ones share the last."""


def drawn(memory: Memory | None) -> Html:
    """Bars, and a table of owners."""
    if memory is None:
        return tag("p", "Refused before VMEM was counted.", class_="quiet")
    taken = memory.compiler_bytes
    used = taken if taken is not None else memory.ledger_bytes
    scale = max(memory.ledger_bytes, used, 1)
    segments = [
        tag(
            "span",
            class_=f"tone{min(index, _TONES - 1)}",
            style=f"width:{100 * each.bytes / scale:.2f}%",
            title=f"{each.name}: {amount(each.bytes)}",
        )
        for index, each in enumerate(memory.owners)
    ]
    rows = [("by the ledger", segments, memory.ledger_bytes)]
    if taken is not None:
        rows.append(("by the compiler", [_part(taken / scale, None)], taken))
    part = used / memory.chip_bytes
    if part <= 1:
        rows.append(("on the chip", [_part(part, None)], memory.chip_bytes))
    else:
        rows.append(("on the chip", [_part(1 / part, "limit")], memory.chip_bytes))
    bars = [joined(tag("dt", name), _bar(drawn, amount(size))) for name, drawn, size in rows]
    told = f"{share(part)} of the VMEM that the chip has."
    return joined(tag("dl", bars, class_="bars"), tag("p", told, class_="caption"), _owners(memory))


def _part(part: float, kind: str | None) -> Html:
    return tag("span", class_=kind, style=f"width:{100 * part:.2f}%")


def _bar(segments: list[Html], value: str) -> Html:
    return tag("dd", tag("span", segments, class_="bar"), tag("span", value, class_="number"))


def _owners(memory: Memory) -> Html:
    rows = [
        (
            joined(tag("span", class_=f"key tone{min(index, _TONES - 1)}"), tag("code", each.name)),
            amount(each.bytes),
            amount(each.padding_bytes),
            short(each.place),
        )
        for index, each in enumerate(memory.owners)
    ]
    return table("Owners of VMEM", ("owner", "bytes", "padding", "place"), rows)


def short(text: str) -> str:
    """A text with places in it, without the folders of their files."""
    return re.sub(r"[^\s()]*/(?=[^/\s()]+:\d+:\d+)", "", text)
