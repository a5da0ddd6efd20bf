"""The roofline of a kernel: what it computes a second, over what it computes for each byte."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from tilec.chips import Chip
from tilec.report.data import Cost, Need
from tilec.report.page.markup import Html, joined, tag
from tilec.report.page.units import number, rate, share, time

_WIDTH, _HEIGHT = 460.0, 300.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 46.0, 438.0, 26.0, 256.0


@dataclass(frozen=True)
class Scale:
    """A logarithmic scale: `low` is at `begin`, `high` at `end`."""

    low: float
    high: float
    begin: float
    end: float

    def at(self, value: float) -> float:
        part = log10(value / self.low) / log10(self.high / self.low)
        return self.begin + part * (self.end - self.begin)

    def decades(self) -> Sequence[float]:
        """The powers of ten on the scale."""
        return [10.0**power for power in range(ceil(log10(self.low)), floor(log10(self.high)) + 1)]


@dataclass(frozen=True)
class Roofline:
    """Operations of matrix units a second, `rate`, expected between `least` and `most`, and their number for
    each byte: of the fewest that the program needs, `needed`, and of those that are moved, `moved`."""

    needed: float
    moved: float
    rate: float
    least: float
    most: float
    peak: float
    bandwidth: float

    @property
    def ridge(self) -> float:
        """Operations for each byte from which on bandwidth is no bound."""
        return self.peak / self.bandwidth

    def roof(self, intensity: float) -> float:
        """The most operations a second."""
        return min(self.peak, self.bandwidth * intensity)


def roofline_of(cost: Cost, need: Need, chip: Chip) -> Roofline | None:
    """The roofline of a kernel with matrix products; None for one without."""
    if not need.passes:
        return None
    return Roofline(
        needed=need.passes / max(need.bytes_read + need.bytes_written, 1),
        moved=need.passes / max(cost.bytes_read + cost.bytes_written, 1),
        rate=need.passes / cost.seconds,
        least=need.passes / cost.most_seconds,
        most=need.passes / cost.least_seconds,
        peak=chip.bf16_tflop_per_s * 1e12,
        bandwidth=chip.hbm_gb_per_s * 1e9,
    )


def drawn(cost: Cost, need: Need | None, unknown: str | None, chip: Chip) -> Html:
    """The figure, with a sentence that says the same."""
    if need is None:
        return tag("p", f"The least that the program needs is not known: {unknown}.", class_="quiet")
    found = roofline_of(cost, need, chip)
    return _bandwidth(cost, need, chip) if found is None else _plot(found, need, chip)


def _plot(line: Roofline, need: Need, chip: Chip) -> Html:
    x, y = scales(line)
    described = (
        f"Roofline of {chip.name}: {number(line.needed)} operations for each byte that the program needs, "
        f"{number(line.moved)} for each that is moved, {rate(line.rate, 'FLOP')} of a peak of "
        f"{rate(line.peak, 'FLOP')}"
    )
    figure = tag(
        "svg",
        tag("title", described),
        _grid(x, y),
        _roof(line, x, y),
        _points(line, x, y),
        viewBox=f"0 0 {_WIDTH:.0f} {_HEIGHT:.0f}",
        class_="roofline",
        role="img",
        aria_label=described,
    )
    told = " A product of 32-bit floats counts as six." if need.passes > need.flops else ""
    counted = " A product of int8 counts as half." if need.passes < need.flops else told
    filled, hollow = (tag("span", each, class_="dot") for each in "●○")
    caption = tag(
        "p",
        joined(
            filled, f" {rate(line.rate, 'FLOP')} at {number(line.needed)} FLOP for each byte that it needs; "
        ),
        joined(hollow, f" {number(line.moved)} for each byte that it moves. "),
        "The bar is the band of the estimate. The roof over ",
        joined(filled, f" is at {rate(line.roof(line.needed), 'FLOP')}: "),
        f"the kernel has {share(line.rate / line.roof(line.needed))} of it.{counted}",
        class_="caption",
    )
    return joined(figure, caption)


def scales(line: Roofline) -> tuple[Scale, Scale]:
    """Scales, of whole powers of ten, on which all points are, and the ridge."""
    low = min(line.needed, line.moved, line.ridge / 10)
    high = max(line.needed, line.moved, line.ridge * 10)
    slowest = min(line.least, line.roof(low * 2), line.peak / 100)
    return (
        Scale(10.0 ** floor(log10(low)), 10.0 ** ceil(log10(high)), _LEFT, _RIGHT),
        Scale(10.0 ** floor(log10(slowest)), 10.0 ** ceil(log10(line.peak * 1.2)), _BOTTOM, _TOP),
    )


def _grid(x: Scale, y: Scale) -> Html:
    vertical = [
        joined(
            tag("line", x1=x.at(each), x2=x.at(each), y1=_TOP, y2=_BOTTOM, class_="grid"),
            tag("text", f"{each:g}", x=x.at(each), y=_BOTTOM + 16, text_anchor="middle"),
        )
        for each in x.decades()
    ]
    horizontal = [
        joined(
            tag("line", x1=_LEFT, x2=_RIGHT, y1=y.at(each), y2=y.at(each), class_="grid"),
            tag("text", f"{each / 1e12:g}", x=_LEFT - 6, y=y.at(each) + 4, text_anchor="end"),
        )
        for each in y.decades()
    ]
    middle = (_LEFT + _RIGHT) / 2
    return joined(
        vertical,
        horizontal,
        tag("text", "FLOP for each byte of HBM", x=middle, y=_HEIGHT - 8, text_anchor="middle"),
        tag("text", "TFLOP/s", x=4.0, y=11.0),
    )


def _roof(line: Roofline, x: Scale, y: Scale) -> Html:
    start = max(x.low, y.low / line.bandwidth)
    corner = (x.at(line.ridge), y.at(line.peak))
    points = [(x.at(start), y.at(line.bandwidth * start)), corner, (_RIGHT, corner[1])]
    path = "M" + " L".join(f"{a:.1f} {b:.1f}" for a, b in points)
    middle = 10 ** ((log10(start) + log10(line.ridge)) / 2)
    along = tag(
        "text",
        f"HBM {rate(line.bandwidth, 'B')}",
        x=x.at(middle) - 8,
        y=y.at(line.bandwidth * middle) - 8,
        text_anchor="end",
        class_="roof-name",
    )
    top = tag("text", f"peak {rate(line.peak, 'FLOP')}", x=_RIGHT, y=corner[1] - 7, text_anchor="end")
    return joined(tag("path", d=path, class_="roof"), along, top)


def _points(line: Roofline, x: Scale, y: Scale) -> Html:
    height, needed, moved = y.at(line.rate), x.at(line.needed), x.at(line.moved)
    bar = (y.at(line.least), y.at(line.most))
    return joined(
        tag("line", x1=needed, x2=needed, y1=y.at(line.roof(line.needed)), y2=height, class_="gap"),
        tag("line", x1=moved, x2=needed, y1=height, y2=height, class_="gap"),
        tag("line", x1=needed, x2=needed, y1=bar[0], y2=bar[1], class_="band"),
        tag("circle", cx=moved, cy=height, r=4.5, class_="hollow"),
        tag("circle", cx=needed, cy=height, r=5.0, class_="point"),
    )


def _bandwidth(cost: Cost, need: Need, chip: Chip) -> Html:
    """Of a kernel without matrix products HBM is the only roof: what passes of its bandwidth."""
    most = chip.hbm_gb_per_s * 1e9
    fewest, moved = need.bytes_read + need.bytes_written, cost.bytes_read + cost.bytes_written
    rows = [("bytes that it needs", fewest / cost.seconds), ("bytes that it moves", moved / cost.seconds)]
    bars = [
        joined(
            tag("dt", name),
            tag(
                "dd",
                tag("span", tag("span", style=f"width:{100 * min(each / most, 1):.1f}%"), class_="bar"),
                tag("span", f"{rate(each, 'B')}, {share(each / most)}", class_="number"),
            ),
        )
        for name, each in rows
    ]
    return joined(
        tag("dl", bars, class_="bars"),
        tag(
            "p",
            f"The program has no matrix products, so bandwidth is its only roof: {rate(most, 'B')} on "
            f"{chip.name}. What it needs takes at least {time(need.seconds)}; estimated are "
            f"{time(cost.seconds)}.",
            class_="caption",
        ),
    )
