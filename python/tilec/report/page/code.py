"""Source, IR and Pallas text side by side, with lines that know each other."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tilec.passes.convert_tile_to_pallas import ConvertTileToPallas
from tilec.report.page import colours
from tilec.report.page.markup import Html, joined, tag
from tilec.report.page.memory import short
from tilec.report.program import Line, Program, Source, Stage


def drawn(program: Program, prefix: str, refused: str | None) -> Html:
    """The three panes, and the list of passes. `prefix` begins the fragments of a page's further programs."""
    files = {each.file: index for index, each in enumerate(program.sources)}
    changed = [stage for stage in program.stages if stage.changed]
    names = [stage.name for stage in program.stages]
    end = names.index(ConvertTileToPallas.name) if program.pallas else len(names)
    chosen = [stage for stage in program.stages[:end] if stage.changed][-1]  # after it, Pallas is beside it
    stages = [_stage(each, each is chosen, each is changed[-1], files, prefix) for each in changed]
    return tag(
        "div",
        _passes(program.stages, chosen.name, prefix),
        tag("div", [_about(each, each is chosen) for each in changed], class_="about"),
        tag(
            "div",
            _pane("Source", [_source(each, files[each.file], prefix) for each in program.sources], "source"),
            _pane("IR", stages, "ir"),
            _pane("Pallas", _pallas(program, files, prefix, refused), "pallas"),
            class_="panes",
        ),
        tag("p", "Choose a line to see where it came from and where it went.", class_="trail", role="status"),
        class_="program",
    )


def _passes(stages: Sequence[Stage], chosen: str, prefix: str) -> Html:
    """The passes in order, as tabs; one that changed nothing is only named."""
    return tag(
        "div",
        [
            tag(
                "button",
                stage.name,
                role="tab",
                type="button",
                data_stage=stage.name,
                aria_selected=str(stage.name == chosen).lower(),
                aria_controls=f"{prefix}ir-{stage.name}",
                tabindex="0" if stage.name == chosen else "-1",
            )
            if stage.changed
            else tag("span", stage.name, class_="idle", title=_left_alone(stage))
            for stage in stages
        ],
        class_="passes",
        role="tablist",
        aria_label="Passes",
    )


def _left_alone(stage: Stage) -> str:
    return "\n".join(["changed nothing", *(_note(each) for each in stage.notes)])


def _note(text: str) -> str:
    return short(text).replace(": note: ", ": ")


def _about(stage: Stage, shown: bool) -> Html:
    notes = tag("ul", [tag("li", _note(each)) for each in stage.notes]) if stage.notes else None
    summary = tag("p", tag("code", stage.name), f": {stage.summary[:1].lower()}{stage.summary[1:]}")
    return tag("div", summary, notes, data_stage=stage.name, hidden=None if shown else "")


def _pane(name: str, content: Html | Sequence[Html], kind: str) -> Html:
    heading = tag("h3", name)
    lines = tag("div", content, class_="lines", role="listbox", tabindex="0", aria_label=name)
    return tag("div", heading, lines, class_=f"pane {kind}", data_pane=kind)


def _source(source: Source, file: int, prefix: str) -> Html:
    name = tag("div", Path(source.file).name, class_="file", role="presentation", title=source.file)
    if not source.lines:
        return joined(name, tag("div", "The text of this file is not at hand.", class_="quiet"))
    text = "\n".join(line for _, line in source.lines)
    coloured = colours.python(text) if source.language == "python" else colours.mlir(text)
    lines: list[Html] = []
    before = source.lines[0][0] - 1
    for (number, _), line in zip(source.lines, coloured, strict=True):
        if number != before + 1:
            lines.append(tag("div", "⋯", class_="gap", role="presentation"))
        before = number
        lines.append(
            _line(f"{prefix}source-{file}-{number}", number, line, {"data_line": f"{file}:{number}"})
        )
    return joined(name, lines)


def _stage(stage: Stage, shown: bool, last: bool, files: Mapping[str, int], prefix: str) -> Html:
    """The IR after a pass. The operations of the last one are those of the Pallas text."""
    name = f"{prefix}ir-{stage.name}"
    coloured = colours.mlir("\n".join(line.text for line in stage.lines))
    lines = [
        _line(
            f"{name}-{number}",
            number,
            text,
            _links(line if last else replace(line, op=None), files),
            line.fresh,
        )
        for number, (line, text) in enumerate(zip(stage.lines, coloured, strict=True), 1)
    ]
    hidden = None if shown else ""
    return tag(
        "div", lines, id=name, class_="stage", data_stage=stage.name, hidden=hidden, role="presentation"
    )


def _pallas(program: Program, files: Mapping[str, int], prefix: str, refused: str | None) -> Html:
    if not program.pallas:
        return tag("div", short(refused or "There is no Pallas text."), class_="quiet")
    coloured = colours.python("\n".join(line.text for line in program.pallas))
    pairs = zip(program.pallas, coloured, strict=True)
    return joined(
        _line(f"{prefix}pallas-{number}", number, text, _links(line, files))
        for number, (line, text) in enumerate(pairs, 1)
    )


def _links(line: Line, files: Mapping[str, int]) -> Mapping[str, str]:
    """What a line of IR or Pallas text came from: `file:line:column`, and the number of its operation."""
    if line.place is None:
        return {}
    file, *rest = line.place
    place = ":".join(str(each) for each in (files[file], *rest))
    return {"data_at": place} if line.op is None else {"data_at": place, "data_op": str(line.op)}


def _line(name: str, number: int, text: Html, links: Mapping[str, str], fresh: bool = False) -> Html:
    return tag(
        "div",
        tag("b", str(number)),
        tag("code", text or " "),
        id=name,
        class_="line fresh" if fresh else "line",
        role="option",
        aria_selected="false",
        **links,
    )
