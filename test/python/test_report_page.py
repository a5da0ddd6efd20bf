"""The page of a report, as text: its figures, and that whatever it shows stays text."""

import re
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from test_timeline import loop

from tilec.analysis.cost.bundles import SLOTS
from tilec.chips import CHIPS
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.proof import read_program
from tilec.report.arguments import arguments_for
from tilec.report.data import Cost, Memory, Need, Owner, Part, Report, Step
from tilec.report.make import report
from tilec.report.page import colours, memory, roofline, steps
from tilec.report.page.make import page
from tilec.report.page.markup import Html, tag
from tilec.runtime.executable import Executable
from tilec.runtime.signature import signature_of

GROUPED = Path(__file__).resolve().parents[2] / "examples" / "grouped_matmul.mlir"
V5E = CHIPS["v5e"]

COST = Cost(
    seconds=20e-6,
    least_seconds=18e-6,
    most_seconds=45e-6,
    bound="DMA",
    doubts=(),
    roofline=0.5,
    use={"MXU": 0.25, "DMA": 0.75},
    bytes_read=6 << 20,
    bytes_written=2 << 20,
    steps=24,
    spills=0,
    operations=(Step("f.1", "custom-call", 20e-6, 1e-6, "DMA", 6 << 20, 2 << 20, 0, 1 << 20),),
    parts=(
        Part("tile.<dot>", "/a/f.py:7:3", (3, 5), 12e-6, dict.fromkeys(SLOTS, 0.25)),
        Part("waits for copies", None, (), 8e-6, dict.fromkeys(SLOTS, 0.0)),
    ),
    assumptions=("a bundle takes a cycle",),
    compile_seconds=1.5,
    code_bytes=4096,
)
NEED = Need(10**9, 10**9, 3 << 20, 1 << 20, 12, 10e-6)


class Nesting(HTMLParser):
    """Whether elements are closed in order; `scripts` counts those that run."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.scripts = 0
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.open += [] if tag == "meta" else [tag]
        self.scripts += tag == "script"
        self.ids += [value for key, value in attrs if key == "id" and value is not None]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def read(text: str) -> Nesting:
    found = Nesting()
    found.feed(text)
    found.close()
    assert found.open == []
    assert len(found.ids) == len(set(found.ids))
    return found


def refused(kernel: Path) -> Report:
    """A report of a kernel that v4 has no room for, made without a compiler."""
    module, function = read_program(kernel)
    choices = TileToPallas(blocks={"m": 8192, "k": 512})
    given = arguments_for(function, signature_of(module).parameters, [("bfloat16", (512, 512))])
    return report(Executable(module, choices=choices), given, "v4")


def plain(**changed: object) -> Report:
    """A report that nothing was compiled for."""
    whole = Report("f", "v5e", ("x: float32[8]",), "depth=2", False, None, COST, NEED, None, None)
    return replace(whole, **changed)


def test_a_refusal_is_said() -> None:
    found = refused(GROUPED)
    text = found.html()
    read(text)
    assert found.refused is not None
    assert "do not fit the 16 MiB of v4" in text
    assert 'id="ir-double-buffer-1"' in text
    assert "compiled in" not in text


def test_what_is_shown_stays_text(tmp_path: Path) -> None:
    kernel = tmp_path / "<script>boom&.mlir"
    kernel.write_text(f'// </script></style><script>boom()</script> &amp; "\n{GROUPED.read_text()}')
    text = refused(kernel).html()
    assert read(text).scripts == 1
    assert "boom()&lt;/script&gt; &amp;amp;" in text
    assert "/&lt;script&gt;boom&amp;.mlir" in text
    hostile = '"><script>boom()</script>'
    doubted = replace(COST, doubts=(hostile,), assumptions=(hostile,))
    told = plain(kernel=hostile, arguments=(hostile,), choices=hostile, cost=doubted, need_unknown=hostile)
    assert read(page([told])).scripts == 1


def test_the_choices_are_said_and_who_made_them() -> None:
    text = page([plain()])
    assert '<code>--tile-to-pallas="depth=2"</code>' in text
    assert "chosen by" not in text
    liked = plain(modelled=True)
    both = page([liked, replace(liked, chip="v6e")])
    assert both.count('"depth=2", chosen by the analytic model</code>') == 1
    differ = page([liked, replace(liked, chip="v6e", choices="m=8")])
    assert '<code>v5e: --tile-to-pallas="depth=2", chosen by the analytic model</code>' in differ
    assert '<code>v6e: --tile-to-pallas="m=8", chosen by the analytic model</code>' in differ


def test_the_page_asks_for_nothing() -> None:
    text = refused(GROUPED).html()
    assert "default-src &#x27;none&#x27;" in text
    assert not re.search(r"\b(src|href)=|url\(|@import|https?:", text.replace("link.href", ""))


def test_doubts_and_unknown_needs_are_in_the_open() -> None:
    cost = replace(COST, doubts=("how often a loop runs is not known",), roofline=None)
    text = page([plain(cost=cost, need=None, need_unknown="a loop hangs on what is computed")])
    assert "The time is worth nothing: how often a loop runs is not known." in text
    assert "a loop hangs on what is computed" in text
    assert "Guessed where control flow is: how often a loop runs is not known." in text
    assert "estimated" in text
    assert "not measured on a TPU" in text


def test_what_takes_the_time_is_shown() -> None:
    small = Part("arith.addi", "/a/f.py:9:1", (6,), 1e-9, dict.fromkeys(SLOTS, 0.0))
    text = page([plain(cost=replace(COST, parts=(*COST.parts, small)))])
    read(text)
    row = text.partition("<code>tile.&lt;dot&gt;</code>")[2].partition("</tr>")[0]
    assert re.findall(r"<td>([^<]*)</td>", row) == ["12 µs", "60 %", *["25 %"] * 8, "f.py:7:3", ""]
    assert "waits for copies</th><td>8 µs</td><td>40 %</td>" in text
    assert "all others</th><td>0.001 µs</td><td>0.005 %</td>" in text
    assert "arith.addi" not in text


def test_chips_have_tabs() -> None:
    text = page([plain(), plain(chip="v6e"), refused(GROUPED)])
    read(text)
    assert re.findall(r'id="tab-(\w+)" aria-selected="(\w+)"', text) == [
        ("v5e", "true"),
        ("v6e", "false"),
        ("v4", "false"),
    ]
    assert 'id="v4-ir-source-1"' in text


def test_a_roofline() -> None:
    found = roofline.roofline_of(COST, NEED, V5E)
    assert found is not None
    assert (found.needed, found.moved) == (10**9 / (4 << 20), 10**9 / (8 << 20))
    assert found.least < found.rate < found.most < found.roof(found.needed)
    assert found.roof(found.ridge) == pytest.approx(197e12)
    assert found.roof(found.ridge / 2) == pytest.approx(197e12 / 2)
    x, y = roofline.scales(found)
    assert x.at(x.low) == x.begin < x.at(found.moved) < x.at(found.needed) < x.at(found.ridge) < x.end
    assert (
        y.end < y.at(found.roof(found.needed)) < y.at(found.rate) < y.at(found.least) < y.begin
    )  # downwards
    assert x.at(100 * x.low) - x.at(10 * x.low) == pytest.approx(x.at(10 * x.low) - x.begin)
    read(roofline.drawn(COST, NEED, None, V5E))


@pytest.mark.parametrize("passes", [1, 10**4, 3 * 10**9])
def test_a_roofline_holds_what_it_shows(passes: int) -> None:
    found = roofline.roofline_of(COST, replace(NEED, passes=passes), V5E)
    assert found is not None
    x, y = roofline.scales(found)
    for intensity in (found.needed, found.moved, found.ridge):
        assert x.low <= intensity <= x.high
    for rate in (found.rate, found.least, found.peak):
        assert y.low <= rate <= y.high


def test_without_products_bandwidth_is_the_roof() -> None:
    drawn = roofline.drawn(COST, replace(NEED, flops=0, passes=0), None, V5E)
    assert "<svg" not in drawn
    needed, moved = (4 << 20) / 20e-6 / 820e9, (8 << 20) / 20e-6 / 820e9
    assert re.findall(r"width:([\d.]+)%", drawn) == [f"{100 * needed:.1f}", f"{100 * moved:.1f}"]


def test_owners_of_memory() -> None:
    owners = tuple(Owner(f"%w{index}", f"/a/b/k.mlir:{index}:1", 100, 0) for index in range(8))
    drawn = memory.drawn(Memory(800, owners, 1600, 16000))
    widths = [float(each) for each in re.findall(r"width:([\d.]+)%", drawn)]
    assert widths == [6.25] * 8 + [100, 10]
    assert "10 % of the VMEM" in drawn
    assert "/a/b" not in drawn
    over = memory.drawn(Memory(800, owners, None, 200))
    assert 'class="limit" style="width:25.00%"' in over


def test_copies_that_overlap_are_under_each_other() -> None:
    assert steps.lanes([(0, 5), (3, 8), (5, 6), (6, 9), (7, 9)]) == [0, 1, 0, 0, 2]


def test_a_timeline_is_drawn() -> None:
    found = loop(40)
    drawn = steps.drawn(found, V5E)
    read(drawn)
    assert drawn.count('class="step"') == len(found.steps)
    assert drawn.count("<rect") >= 2 * len(found.transfers) + len(found.waits)
    assert "5 consecutive steps of looped, from line to line" in drawn
    assert "steps of looped, on one of 2 cores, from" in steps.drawn(replace(found, cores=2), V5E)
    for place, width in re.findall(r'x="([\d.]+)%" width="([\d.]+)%"', drawn):
        assert float(place) + float(width) <= 100.2
    axis = steps.Axis(found, V5E)
    assert 4 <= len(axis.ticks()) <= 9
    assert axis.ticks()[-1] <= found.end - found.begin


def test_markup_escapes_text_only() -> None:
    made = tag(
        "p", "a < b & c", Html("<i>d</i>"), None, ["e", "<"], title='"<', hidden="", class_=None, x=1.5
    )
    assert made == '<p title="&quot;&lt;" hidden x="1.5">a &lt; b &amp; c<i>d</i>e&lt;</p>'


def test_colours_keep_lines() -> None:
    python = 'def f(x):\n    """One,\n\n    two <b>."""\n    return x + 1  # 3\n'
    mlir = '%0 = "a.b"(%x) {c = "</i>"} : !d.e // f\n\n}'
    for text, lines in ((python, colours.python(python)), (mlir, colours.mlir(mlir))):
        shown = [re.sub(r"</?i[^>]*>", "", line) for line in lines]
        assert shown == [
            line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") for line in text.split("\n")
        ]
    assert '<i class="s">    two &lt;b&gt;."""</i>' in colours.python(python)[3]
    assert colours.mlir(mlir)[0].startswith('<i class="v">%0</i> = <i class="s">')
