"""Reports as tables for people."""

import io
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.table import Table

from tilec.analysis.cost.estimate import assumptions
from tilec.analysis.vmem import amount
from tilec.chips import chip_named
from tilec.report.data import Cost, Memory, Need, Part, Report

_WIDTH = 110

SLOTS = (
    ("MXU", "MATMUL"),
    ("weights", "MATPUSH"),
    ("XLU", "XLU"),
    ("VALU", "VALU"),
    ("EUP", "EUP"),
    ("load", "VLOAD"),
    ("store", "VSTORE"),
    ("scalar", "SALU"),
)
"""The slots of bundles whose use is shown of each operation of a program, and what they are called for it."""

_LEAST = 0.01  # of the time of a call, or of a slot, of what is shown by itself


def as_text(reports: Sequence[Report]) -> str:
    """Reports of one kernel as text, a column for each chip: figures, then on-chip memory and operations."""
    output = io.StringIO()
    show(Console(file=output, width=_WIDTH), reports)
    return output.getvalue()


def show(console: Console, reports: Sequence[Report]) -> None:
    """Print what `as_text` gives. Chips on which the kernel is refused have no figures."""
    first = reports[0]
    _line(console, f"{first.kernel}({', '.join(first.arguments)})")
    for told in chosen(reports):
        _line(console, told)
    compiled = [each for each in reports if each.cost is not None]
    if compiled:
        console.print(_figures(compiled))
    for each in compiled:
        if each.need_unknown is not None:
            _line(console, f"{each.chip}: the fewest bytes and steps are not known: {each.need_unknown}")
        if each.cost is not None and each.cost.doubts:
            _line(console, f"{each.chip}: the time is worth nothing: {'; '.join(each.cost.doubts)}")
        for assumed in _own_assumptions(each):
            _line(console, f"{each.chip}: assumed of {assumed}")
    for each in reports:
        if each.refused is not None:
            _line(console, f"{each.chip}: refused at {each.refused.place}: {each.refused.message}")
        if each.memory is not None:
            console.print(_owners(each.chip, each.memory))
        if each.cost is not None:
            console.print(_parts(each.chip, each.cost))
        if each.cost is not None and len(each.cost.operations) > 1:
            console.print(_operations(each.chip, each.cost))


def chosen(reports: Sequence[Report]) -> list[str]:
    """The choices as `tile-opt` takes them, but for the chip: a line, or one for each chip if they differ."""
    told = [
        f'--tile-to-pallas="{each.choices}"{", chosen by the analytic model" if each.modelled else ""}'
        for each in reports
    ]
    if len(set(told)) == 1:
        return told[:1]
    return [f"{each.chip}: {line}" for each, line in zip(reports, told, strict=True)]


def _own_assumptions(report: Report) -> list[str]:
    """What is assumed of this kernel, besides what is assumed of all."""
    found = report.cost.assumptions if report.cost else ()
    return [each for each in found if each not in assumptions(chip_named(report.chip))]


def _line(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def _figures(reports: Sequence[Report]) -> Table:
    table = Table("", *(each.chip for each in reports), box=None, pad_edge=False)
    for name, cells in figures(reports):
        table.add_row(name, *cells)
    return table


def figures(reports: Sequence[Report]) -> list[tuple[str, list[str]]]:
    """What is said of a kernel in a few numbers: the name of each, and a text for each chip.

    Names that begin with spaces belong to the one before. Reports without a cost are left out.
    """
    costs = [(each.cost, each.need) for each in reports if each.cost is not None]
    rows: list[tuple[str, Callable[[Cost, Need | None], str]]] = [
        ("estimated time", lambda cost, need: _time(cost)),
        ("  on the hardware", lambda cost, need: _band(cost)),
        ("  bound by", lambda cost, need: cost.bound),
        ("  of the roofline", lambda cost, need: _share(None if cost.doubts else cost.roofline)),
        ("bytes read", lambda cost, need: _beside(cost.bytes_read, need and need.bytes_read, amount)),
        (
            "bytes written",
            lambda cost, need: _beside(cost.bytes_written, need and need.bytes_written, amount),
        ),
        ("steps", lambda cost, need: _steps(cost, need)),
        *((f"{unit} at work", _use(unit)) for unit in (costs[0][0].use if costs else ())),
        ("registers spilled", lambda cost, need: f"{cost.spills}"),
        ("code", lambda cost, need: amount(cost.code_bytes)),
        ("compiled in", lambda cost, need: f"{cost.compile_seconds:.1f} s"),
    ]
    return [(name, [cell(*pair) for pair in costs]) for name, cell in rows]


def _use(unit: str) -> Callable[[Cost, Need | None], str]:
    return lambda cost, need: _share(cost.use[unit])


def _time(cost: Cost) -> str:
    return f"{duration(cost.seconds)}{', not to be trusted' if cost.doubts else ''}"


def _band(cost: Cost) -> str:
    if cost.doubts:
        return "not known"
    return f"{duration(cost.least_seconds)} to {duration(cost.most_seconds)}"


def _beside(found: int, fewest: int | None, shown: Callable[[int], str]) -> str:
    """A count beside the fewest possible, which may be none."""
    if not fewest:
        return shown(found)
    return f"{shown(found)}, {found / fewest:.2f} x the fewest"


def _steps(cost: Cost, need: Need | None) -> str:
    """Steps beside the fewest, unless these have loops in them that copy nothing, and are not among those."""
    if need is not None and cost.steps < need.steps:
        return f"{cost.steps} of loops that copy"
    return _beside(cost.steps, need and need.steps, str)


def _share(part: float | None) -> str:
    return "not known" if part is None else f"{100 * part:.0f} %"


def duration(seconds: float) -> str:
    """A time as `12.3 us`, `1.23 ms` or `1.23 s`."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} us"


def _owners(chip: str, memory: Memory) -> Table:
    taken = "" if memory.compiler_bytes is None else f", {amount(memory.compiler_bytes)} by the compiler"
    title = f"VMEM on {chip}: {amount(memory.ledger_bytes)}{taken}, of {amount(memory.chip_bytes)}"
    table = Table("owner", "bytes", "padding", "place", title=title, title_justify="left", box=None)
    for each in memory.owners:
        table.add_row(each.name, amount(each.bytes), amount(each.padding_bytes), each.place)
    return table


def _operations(chip: str, cost: Cost) -> Table:
    title = f"operations on {chip}, one after the other"
    columns = ("operation", "time", "waits for copies", "bound by", "read", "written", "VMEM")
    table = Table(*columns, title=title, title_justify="left", box=None)
    for each in cost.operations:
        table.add_row(
            "what calls them" if each.opcode == "program" else each.name,
            duration(each.seconds),
            duration(each.stalled_seconds),
            each.bound,
            amount(each.bytes_read),
            amount(each.bytes_written),
            "" if each.vmem_bytes is None else amount(each.vmem_bytes),
        )
    return table


def _parts(chip: str, cost: Cost) -> Table:
    title = f"what takes the time on {chip}, about, and % of the call in which slots are used for it"
    table = Table("operation", "time", title=title, title_justify="left", box=None)
    for name, _ in SLOTS:
        table.add_column(name, justify="right")
    table.add_column("place")
    for each in main_parts(cost):
        cells = (_percent(each.use[slot]) for _, slot in SLOTS)
        place = (each.place or "").rpartition("/")[2]
        table.add_row(each.name, duration(each.seconds), *cells, place)
    return table


def _percent(part: float) -> str:
    return f"{100 * part:.0f}" if part >= 0.005 else ""


def main_parts(cost: Cost) -> list[Part]:
    """The parts of a call that take a hundredth of its time or of a slot, and the sum of the others."""
    found = [each for each in cost.parts if max(each.seconds / cost.seconds, *each.use.values()) >= _LEAST]
    others = [each for each in cost.parts if each not in found]
    if not others:
        return found
    use = {slot: sum(each.use[slot] for each in others) for slot in others[0].use}
    return [*found, Part("all others", None, (), sum(each.seconds for each in others), use)]
