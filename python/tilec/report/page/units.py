"""Numbers for readers: times, rates, shares."""

from tilec.report.text import duration


def time(seconds: float) -> str:
    """A time with its unit, such as `12.3 µs`."""
    return duration(seconds).replace(" us", " µs")


def rate(per_second: float, unit: str) -> str:
    """A rate in 10^9 or 10^12 of a unit a second, such as `820 GB/s`."""
    if per_second >= 1e12:
        return f"{number(per_second / 1e12)} T{unit}/s"
    return f"{number(per_second / 1e9)} G{unit}/s"


def number(value: float) -> str:
    """A number with three digits, or all of those before the point."""
    return f"{value:.0f}" if value >= 1000 else f"{value:.3g}"


def share(part: float) -> str:
    """A part of one, such as `26 %`."""
    return f"{100 * part:.0f} %" if part >= 0.01 or part == 0 else f"{100 * part:.1g} %"
