"""The head of a page, and its table of figures."""

from collections.abc import Mapping, Sequence

from tilec.analysis.vmem import amount
from tilec.report.data import Cost, Part, Report, Step
from tilec.report.page.markup import Html, joined, table, tag
from tilec.report.page.memory import short
from tilec.report.page.units import share, time
from tilec.report.program import Program
from tilec.report.text import SLOTS, chosen, figures, main_parts


def head(reports: Sequence[Report]) -> Html:
    """The kernel, its arguments, and a line for each chip."""
    first = reports[0]
    arguments = [tag("span", tag("code", each)) for each in first.arguments]
    return tag(
        "header",
        tag("p", "What a kernel costs", class_="over"),
        tag("h1", tag("code", first.kernel)),
        tag("p", arguments, class_="arguments"),
        *(tag("p", tag("code", each), class_="choices") for each in chosen(reports)),
        tag("ul", [_verdict(each) for each in reports], class_="verdicts"),
        tag(
            "p",
            "Times are estimated from the schedule of the TPU compiler, not measured on a TPU.",
            class_="quiet",
        ),
    )


def _verdict(report: Report) -> Html:
    chip = tag("span", report.chip, class_="chip")
    if report.refused is not None:
        where = "" if report.refused.place == report.chip else f"{report.refused.place}: "
        told = tag("span", short(f"{where}{report.refused.message}"))
        return tag("li", chip, tag("strong", "refused"), told, class_="refused")
    cost = report.cost
    if cost is None:
        return tag("li", chip)
    doubts = tag("em", f" The time is worth nothing: {'; '.join(cost.doubts)}.") if cost.doubts else None
    return tag("li", chip, tag("strong", time(cost.seconds)), tag("span", _told(cost), doubts))


def _told(cost: Cost) -> str:
    band = f"{time(cost.least_seconds)} to {time(cost.most_seconds)} expected on the hardware"
    bound = {"latency": "bound by waiting", "DMA": "bound by HBM"}.get(
        cost.bound, f"bound by the {cost.bound} unit"
    )
    bound = bound.replace("the MXU unit", "the MXU")
    roof = "the roofline is not known" if cost.roofline is None else f"{share(cost.roofline)} of the roofline"
    return f"{bound}." if cost.doubts else f"{band}; {bound}; {roof}."


def figure_table(reports: Sequence[Report]) -> Html:
    """A column for each chip that has figures."""
    shown = [each for each in reports if each.cost is not None]
    if not shown:
        return tag("p", "There are none: the kernel is refused.", class_="quiet")
    rows = [
        (tag("span", name.strip(), class_="inner") if name.startswith(" ") else name, *map(_spelt, cells))
        for name, cells in figures(reports)
    ]
    return joined(
        table("Figures", ["", *(each.chip for each in shown)], rows),
        [
            tag("p", f"{each.chip}: the fewest bytes and steps are not known: {each.need_unknown}.")
            for each in shown
            if each.need_unknown is not None
        ],
    )


def _spelt(cell: str) -> str:
    return cell.replace(" us", " µs").replace(" x ", " \N{MULTIPLICATION SIGN} ")


def operations(cost: Cost) -> Html:
    """The operations of a call, one after the other."""
    columns = ("operation", "time", "of it waiting", "bound by", "read", "written", "VMEM")
    return table("Operations", columns, map(_operation, cost.operations))


def _operation(step: Step) -> Sequence[str]:
    return (
        "what calls them" if step.opcode == "program" else tag("code", step.name),
        time(step.seconds),
        time(step.stalled_seconds),
        step.bound,
        amount(step.bytes_read),
        amount(step.bytes_written),
        "" if step.vmem_bytes is None else amount(step.vmem_bytes),
    )


def parts(cost: Cost, program: Program | None, prefix: str) -> Html:
    """What the operations of the program take of a call. Those that are in the page's panes link there;
    `prefix` begins the names of their lines."""
    files = {each.file: index for index, each in enumerate(program.sources)} if program else {}
    columns = ("operation", "time", "of it", *(name for name, _ in SLOTS), "place", "Pallas lines")
    rows = (_part(each, cost, files, prefix) for each in main_parts(cost))
    told = (
        "In so many % of the cycles of the call a slot of the bundles is in use for an operation, counted by "
        "the lines that the compiler keeps of instructions; what it adds goes with what uses it. The time is "
        "about: operations share bundles, and a bundle without instructions counts for what waits."
    )
    return joined(table("What takes the time", columns, rows), tag("p", told, class_="caption"))


def _part(part: Part, cost: Cost, files: Mapping[str, int], prefix: str) -> Sequence[Html | str]:
    file, line, _ = (part.place or "::").rsplit(":", 2)
    place = short(part.place or "")
    of_slots = (share(part.use[slot]) if part.use[slot] >= 0.001 else "" for _, slot in SLOTS)
    return (
        tag("code", part.name) if part.place else part.name,
        time(part.seconds),
        share(part.seconds / cost.seconds),
        *of_slots,
        _link(f"{prefix}source-{files[file]}-{line}", place) if file in files else place,
        joined(
            joined(", " if index else "", _link(f"{prefix}pallas-{line}", str(line)))
            for index, line in enumerate(part.lines if files else ())
        ),
    )


def _link(name: str, text: str) -> Html:
    return tag("a", text, href=f"#{name}")
