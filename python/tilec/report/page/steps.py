"""The timeline of a few steps: copies to the chip, the units of the core, copies from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import floor, log10

from tilec.analysis.cost.timeline import BINS, Timeline, Transfer
from tilec.analysis.vmem import amount
from tilec.chips import Chip
from tilec.report.page.markup import Html, joined, tag
from tilec.report.page.units import share, time

_COPY, _UNIT, _PAD = 9, 22, 5  # heights: of a copy, of a unit, and around the content of a row
_LEVELS = 20  # that the height of a unit's bar has


@dataclass(frozen=True)
class Row:
    """A row of the figure: what it is `of`, how high it is, and what is drawn, from 0 to that height."""

    of: str
    kind: str
    height: int
    drawn: Html


class Axis:
    """Where times are, in percent of the width, and how long cycles take."""

    def __init__(self, found: Timeline, chip: Chip) -> None:
        self.begin, self.end = found.begin, found.end
        self.second = chip.clock_ghz * 1e9

    def at(self, cycle: float) -> float:
        part = (cycle - self.begin) / (self.end - self.begin)
        return 100 * min(max(part, 0.0), 1.0)

    def span(self, begin: float, end: float) -> Mapping[str, str]:
        """The attributes of a rectangle between two times."""
        left = self.at(begin)
        return {"x": f"{left:.2f}%", "width": f"{max(self.at(end) - left, 0.15):.2f}%"}

    def ticks(self) -> Sequence[float]:
        """Cycles after the first, a round number of seconds apart, four to eight of them."""
        seconds = (self.end - self.begin) / self.second
        size = 10.0 ** floor(log10(seconds / 4))
        apart = max(each for each in (size, 2 * size, 5 * size) if each * 4 <= seconds)
        return [index * apart * self.second for index in range(int(seconds / apart * (1 + 1e-9)) + 1)]


def drawn(found: Timeline, chip: Chip) -> Html:
    """The figure, with what it shows in words."""
    axis = Axis(found, chip)
    rows = _rows(found, axis)
    height = sum(row.height for row in rows)
    tops = [sum(row.height for row in rows[:index]) for index in range(len(rows))]
    labels = [
        tag("li", tag("span", row.of), style=f"height:{row.height}px", class_=row.kind, title=row.of)
        for row in rows
    ]
    bodies = [
        tag("g", row.drawn, transform=f"translate(0 {top})") for row, top in zip(rows, tops, strict=True)
    ]
    edges = [
        tag("line", x1="0", x2="100%", y1=float(top), y2=float(top), class_="edge") for top in (*tops, height)
    ]
    marks = [
        tag(
            "line",
            x1=f"{axis.at(each):.2f}%",
            x2=f"{axis.at(each):.2f}%",
            y1=0.0,
            y2=float(height),
            class_="step",
        )
        for each in found.steps
    ]
    told = in_words(found, axis)
    figure = tag(
        "svg",
        tag("title", told),
        edges,
        bodies,
        marks,
        _ticks(axis, height),
        height=float(height + 24),
        role="img",
        aria_label=told,
    )
    scroll = tag("div", figure, class_="scroll", tabindex="0", role="region", aria_label="Timeline")
    return joined(
        tag("div", tag("ul", labels, aria_hidden="true"), scroll, class_="timeline"),
        tag("p", told, " ", _LEGEND, class_="caption"),
    )


_LEGEND = joined(
    "A copy is pale from issue to arrival, and ",
    tag("span", class_="key channel"),
    " full while it has the channel to HBM, which all copies share. Units are as high as they are at work.",
)


def in_words(found: Timeline, axis: Axis) -> str:
    """What the figure shows."""
    begin, whole = found.begin / axis.second, found.cycles / axis.second
    length = (found.end - found.begin) / axis.second
    part = f"{time(length)} from {time(begin)} on, of {time(whole)}"
    if found.steps:
        what = f"{len(found.steps) - 1} consecutive steps of {found.kernel}, from line to line: {part}"
    elif length < whole:
        what = f"A part of {found.kernel}, {part}"
    else:
        what = f"All of {found.kernel}, {time(whole)}"
    waited = sum(min(end, found.end) - max(begin, found.begin) for begin, end in found.waits)
    return f"{what}; {share(waited / (found.end - found.begin))} in waits for copies."


def _rows(found: Timeline, axis: Axis) -> list[Row]:
    ways = {each.way for each in found.transfers}
    inner = sorted(way for way in ways if not way.startswith("hbm-") and not way.endswith("-hbm"))
    return [
        *_copies(found, axis, sorted(way for way in ways if way.startswith("hbm-")), "in"),
        *_copies(found, axis, inner, "inner"),
        Row("waits for copies", "wait", 2 * _PAD + _COPY, _waits(found, axis)),
        *(Row(unit, "unit", _UNIT + 2 * _PAD, _unit(parts)) for unit, parts in found.use.items()),
        *_copies(found, axis, sorted(way for way in ways if way.endswith("-hbm")), "out"),
    ]


def _copies(found: Timeline, axis: Axis, ways: Sequence[str], kind: str) -> list[Row]:
    """A row for each array that is copied one of these ways. Copies that overlap are under each other."""
    rows: list[Row] = []
    for way in ways:
        of_way = [each for each in found.transfers if each.way == way]
        names = {each.name for each in of_way}
        for name in [*(each for each in found.arrays if each in names), *sorted(names - {*found.arrays})]:
            copies = [each for each in of_way if each.name == name]
            places = lanes([(each.issued, each.done) for each in copies])
            drawn = [_copy(*pair, axis, kind) for pair in zip(copies, places, strict=True)]
            far = "" if way in ("hbm-to-vmem", "vmem-to-hbm") else f", {way.replace('-to-', ' to ').upper()}"
            label = {"in": f"{name} in{far}", "out": f"{name} out{far}"}.get(kind, f"{name}{far}")
            rows.append(Row(label, kind, (max(places) + 1) * (_COPY + 2) + 2 * _PAD, joined(drawn)))
    return rows


def lanes(spans: Sequence[tuple[float, float]]) -> list[int]:
    """For each span, in the order of begins, the first lane in which none before it goes on."""
    ends: list[float] = []
    found: list[int] = []
    for begin, end in spans:
        lane = next((index for index, each in enumerate(ends) if each <= begin), len(ends))
        ends[lane : lane + 1] = [end]
        found.append(lane)
    return found


def _copy(copy: Transfer, lane: int, axis: Axis, kind: str) -> Html:
    top = float(_PAD + lane * (_COPY + 2))
    times = [
        time((each - axis.begin) / axis.second) for each in (copy.issued, copy.done) if each >= axis.begin
    ]
    told = f"{copy.name}: {amount(copy.bytes)} in {time((copy.done - copy.issued) / axis.second)}"
    box = {"y": top, "height": float(_COPY)}
    bars = [tag("rect", **axis.span(copy.issued, copy.done), **box, class_=kind)]
    if copy.end > copy.begin and copy.end > axis.begin and copy.begin < axis.end:
        bars.append(tag("rect", **axis.span(copy.begin, copy.end), **box, class_=f"{kind} channel"))
    return tag("g", tag("title", f"{told} ({' to '.join(times)})"), bars)


def _waits(found: Timeline, axis: Axis) -> Html:
    box = {"y": float(_PAD), "height": float(_COPY), "class_": "wait"}
    return joined(
        tag(
            "rect", tag("title", f"waits {time((end - begin) / axis.second)}"), **axis.span(begin, end), **box
        )
        for begin, end in found.waits
    )


def _unit(parts: Sequence[float]) -> Html:
    """A histogram: neighbours of equal height are one bar."""
    heights = [round(each * _LEVELS) for each in parts]
    bars: list[Html] = []
    first = 0
    for index in range(1, BINS + 1):
        if index < BINS and heights[index] == heights[first]:
            continue
        if heights[first]:
            height = _UNIT * heights[first] / _LEVELS
            place = {"x": f"{100 * first / BINS:.2f}%", "width": f"{100 * (index - first) / BINS:.2f}%"}
            bars.append(tag("rect", **place, y=_PAD + _UNIT - height, height=height, class_="unit"))
        first = index
    return joined(bars)


def _ticks(axis: Axis, height: int) -> Html:
    marks: list[Html] = []
    for cycles in axis.ticks():
        left = axis.at(axis.begin + cycles)
        text = time(cycles / axis.second) if cycles else "0"
        anchor = "start" if left < 2 else "end" if left > 96 else "middle"
        place = f"{left:.2f}%"
        marks.append(tag("line", x1=place, x2=place, y1=float(height), y2=float(height + 5), class_="tick"))
        marks.append(tag("text", text, x=place, y=float(height + 18), text_anchor=anchor))
    return joined(marks)
