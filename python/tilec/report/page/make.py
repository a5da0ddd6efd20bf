"""Makes the page of reports of one kernel on one or several chips."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.resources import files

from tilec.analysis.cost.timeline import Timeline
from tilec.chips import chip_named
from tilec.report.data import Report
from tilec.report.page import code, memory, roofline, steps
from tilec.report.page.figures import figure_table, head, operations
from tilec.report.page.figures import parts as divided
from tilec.report.page.markup import Html, joined, tag
from tilec.report.program import Program, follow
from tilec.runtime.timelines import timelines


@dataclass(frozen=True)
class _Shown:
    """A report, with the program on its way to Pallas and the timeline of the kernel that takes longest."""

    report: Report
    program: Program | None
    timeline: Timeline | None


def page(reports: Sequence[Report]) -> str:
    """The text of an HTML file for reports of one kernel, a tab for each chip. It needs no other file."""
    shown = [_shown(each) for each in reports]
    body = tag(
        "main",
        head(reports),
        tag(
            "div", _section("figures", "Figures", figure_table(reports)), _assumptions(reports), class_="two"
        ),
        _tabs([each.chip for each in reports], [_chip(each, each is shown[0]) for each in shown]),
    )
    return (
        "<!doctype html>\n"
        + tag("html", _head(reports[0].kernel), tag("body", body, _script()), lang="en")
        + "\n"
    )


def _head(kernel: str) -> Html:
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name_="color-scheme", content="light dark"),
        tag("title", f"{kernel}: what it costs"),
        tag("style", Html(_asset("page.css"))),
        tag("noscript", tag("style", "[hidden] { display: block; }")),
    )


_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
"""What a browser may load for the page: nothing but what is in it."""


def _asset(name: str) -> str:
    return files("tilec.report.page").joinpath(name).read_text(encoding="utf-8")


def _script() -> Html:
    return tag("script", Html(_asset("page.js")))


def _shown(report: Report) -> _Shown:
    origin = report.origin
    if origin is None:
        return _Shown(report, None, None)
    executable, arguments = origin.executable, origin.arguments
    program = follow(executable.module, replace(executable.choices, chip=report.chip))
    if report.cost is None:
        return _Shown(report, program, None)
    text = executable.for_chip(report.chip).text
    found = timelines(text, executable.signature.name, arguments.arrays(), report.chip)
    by_time = sorted(report.cost.operations, key=lambda each: each.seconds, reverse=True)
    return _Shown(report, program, next((found[each.name] for each in by_time if each.name in found), None))


def _section(name: str, title: str, *content: Html) -> Html:
    return tag("section", tag("h2", title), *content, id=name)


def _tabs(chips: Sequence[str], panels: Sequence[Html]) -> Html:
    """Panels, the first of them shown; a single one without a tab."""
    if len(panels) == 1:
        return panels[0]
    buttons = [
        tag(
            "button",
            chip,
            role="tab",
            type="button",
            id=f"tab-{chip}",
            aria_selected=str(not index).lower(),
            aria_controls=f"on-{chip}",
            tabindex="-1" if index else "0",
        )
        for index, chip in enumerate(chips)
    ]
    bodies = [
        tag(
            "div",
            panel,
            id=f"on-{chip}",
            role="tabpanel",
            aria_labelledby=f"tab-{chip}",
            hidden="" if index else None,
        )
        for index, (chip, panel) in enumerate(zip(chips, panels, strict=True))
    ]
    return tag("div", tag("div", buttons, class_="tabs", role="tablist", aria_label="Chips"), bodies)


def _chip(shown: _Shown, first: bool) -> Html:
    """What is said of one chip. Fragments that name lines begin with the chip, but for the first."""
    report, cost = shown.report, shown.report.cost
    chip = chip_named(report.chip)
    prefix = "" if first else f"{chip.name}-"
    parts = [_section(f"{prefix}memory", f"VMEM on {chip.name}", memory.drawn(report.memory))]
    if cost is not None:
        roof = roofline.drawn(cost, report.need, report.need_unknown, chip)
        timeline = "It could not be run." if shown.timeline is None else steps.drawn(shown.timeline, chip)
        guessed = (
            tag("p", f"Guessed where control flow is: {'; '.join(cost.doubts)}.") if cost.doubts else None
        )
        two = tag("div", _section(f"{prefix}roofline", f"Roofline on {chip.name}", roof), parts, class_="two")
        parts = [
            two,
            _section(f"{prefix}timeline", f"Timeline on {chip.name}", joined(guessed, timeline)),
            _section(
                f"{prefix}parts", f"What takes the time on {chip.name}", divided(cost, shown.program, prefix)
            ),
            _section(f"{prefix}operations", f"Operations on {chip.name}", operations(cost)),
        ]
    if shown.program is not None:
        drawn = code.drawn(shown.program, prefix, report.refused and report.refused.message)
        parts.append(_section(f"{prefix}program", f"From source to kernel, for {chip.name}", drawn))
    return joined(parts)


def _assumptions(reports: Sequence[Report]) -> Html:
    cost = next((each.cost for each in reports if each.cost is not None), None)
    if cost is None:
        return Html("")
    told = tag("ul", [tag("li", f"{each[:1].upper()}{each[1:]}.") for each in cost.assumptions])
    return _section("assumptions", "What the estimate takes for granted", told)
