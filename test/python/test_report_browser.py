"""The page of a report in a real browser: what it shows, what is linked, and that it needs nothing else."""

import base64
import runpy
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright
from test_report_page import refused

from tilec.passes.tile_to_pallas import TileToPallas
from tilec.proof import read_program
from tilec.report.arguments import arguments_for
from tilec.report.lengths import Lengths
from tilec.report.make import report
from tilec.report.page.make import page as page_of
from tilec.report.program import Program, follow
from tilec.runtime.executable import Executable
from tilec.runtime.signature import signature_of

ROOT = Path(__file__).resolve().parents[2]
GROUPED = ROOT / "examples" / "grouped_matmul.mlir"
FINDER = runpy.run_path(str(ROOT / "cmake" / "find_chromium.py"))
CHROMIUM: str | None = FINDER["found"]()

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason=f"there is no Chromium; {FINDER['ADVICE']}"),
    pytest.mark.aot,
]


@dataclass(frozen=True)
class Written:
    """A page of a kernel on v5e, and on v4, which refuses it; `program` is what it shows for v5e."""

    url: str
    program: Program


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    folder = tmp_path_factory.mktemp("page")
    module, function = read_program(GROUPED)
    executable = Executable(module, choices=TileToPallas(blocks={"k": 256}))
    given = [("bfloat16", (512, 512))]
    arguments = arguments_for(
        function, signature_of(module).parameters, given, {"offsets": Lengths("equal", 60)}
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        text = page_of([report(executable, arguments, "v5e"), refused(GROUPED)])
    path = folder / "page.html"
    path.write_text(text, encoding="utf-8")
    return Written(path.as_uri(), follow(module, executable.choices))


@pytest.fixture(scope="module")
def browser() -> Generator[Browser]:
    with sync_playwright() as playwright:
        # A process of root has no sandbox; the page is our own.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


WIDE = ViewportSize(width=1400, height=900)
NARROW = ViewportSize(width=400, height=800)


@pytest.fixture
def page(browser: Browser, written: Written) -> Generator[Page]:
    """The page, wide and light. It must neither complain nor ask for anything but itself."""
    context = browser.new_context(viewport=WIDE, color_scheme="light")
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: complaints.append(request.url))
    page.goto(written.url)
    yield page
    assert complaints == [written.url]
    context.close()


def linked(page: Page) -> dict[str, list[int]]:
    """The numbers of the lines that are marked, by pane, of the panes that are shown."""
    ids: list[str] = page.eval_on_selector_all(
        ".line.linked", "lines => lines.filter(shown).map(line => line.id)"
    )
    found: dict[str, list[int]] = {}
    for each in ids:
        found.setdefault(each.partition("-")[0], []).append(int(each.rpartition("-")[2]))
    return found


def test_a_line_of_ir_is_linked(page: Page, written: Written) -> None:
    """To the line that it came from, and to all Pallas lines of the same operation."""
    program = written.program
    stage = next(each for each in program.stages if each.name == "plan-memory")
    number, line = next(pair for pair in enumerate(stage.lines, 1) if "tile.dot" in pair[1].text)
    assert line.place is not None
    page.click(f"#ir-plan-memory-{number} code", position={"x": 60, "y": 4})
    pallas = [at for at, each in enumerate(program.pallas, 1) if each.place == line.place]
    assert linked(page) == {"source": [line.place[1]], "pallas": pallas}
    assert "lax.dot_general" in page.inner_text(".pallas .line.linked")
    assert page.url.endswith(f"#ir-plan-memory-{number}")
    told = page.inner_text(".trail >> nth=0")
    assert told == f"IR {number} · source {line.place[1]} · Pallas {', '.join(map(str, pallas))}"


def test_what_takes_the_time_is_linked(page: Page, written: Written) -> None:
    """To the line of the program, and to the Pallas text that it became."""
    row = page.locator("#parts tr", has_text="tile.dot")
    row.locator("a").first.click()
    assert page.url.endswith("#source-0-12")
    assert "tile.dot" in page.inner_text('.source .line[aria-selected="true"]')
    row.locator("a").last.click()
    assert "lax.dot_general" in page.inner_text('.pallas .line[aria-selected="true"]')


def test_after_the_last_pass_operations_are_linked(page: Page, written: Written) -> None:
    """Not places, which many operations may share."""
    program = written.program
    last = [stage for stage in program.stages if stage.changed][-1]
    lines = last.lines
    number, line = next(pair for pair in enumerate(lines, 1) if "pallas.program_id 0" in pair[1].text)
    page.click(f'button[data-stage="{last.name}"] >> nth=0')
    page.locator(f"#ir-{last.name}-{number}").click(position={"x": 60, "y": 4})
    pallas = [at for at, each in enumerate(program.pallas, 1) if each.op == line.op]
    assert linked(page)["pallas"] == pallas
    assert len(pallas) < len([each for each in program.pallas if each.place == line.place])


def test_a_line_of_the_source_is_linked(page: Page, written: Written) -> None:
    page.click("#source-0-10 code", position={"x": 60, "y": 4})
    stage = next(each for each in written.program.stages if each.name == "plan-memory")
    ir = [at for at, each in enumerate(stage.lines, 1) if each.place and each.place[1] == 10]
    pallas = [at for at, each in enumerate(written.program.pallas, 1) if each.place and each.place[1] == 10]
    assert linked(page) == {"ir": ir, "pallas": pallas}


def test_a_fragment_names_a_line(browser: Browser, written: Written) -> None:
    page = browser.new_page(viewport=WIDE)
    page.goto(f"{written.url}#ir-choose-blocks-7")
    assert page.is_visible("#ir-choose-blocks-7")
    assert not page.is_visible("#ir-plan-memory")
    assert page.get_attribute("#ir-choose-blocks-7", "aria-selected") == "true"
    page.goto(f"{written.url}#v4-ir-source-5")
    assert page.is_visible("#v4-ir-source-5")
    assert not page.is_visible("#on-v5e")
    page.close()


def test_hovering_marks_for_a_while(page: Page) -> None:
    page.hover("#source-0-12 code", position={"x": 60, "y": 4})
    assert page.locator(".line.hot").count() > 2
    page.hover("h1")
    assert page.locator(".line.hot").count() == 0


def test_the_keyboard_is_enough(page: Page) -> None:
    page.focus("#tab-v5e")
    page.keyboard.press("ArrowRight")
    assert page.is_visible("#on-v4")
    assert page.get_attribute("#tab-v4", "aria-selected") == "true"
    page.keyboard.press("Home")
    assert page.is_visible("#on-v5e")
    page.focus('#on-v5e button[data-stage="plan-memory"]')
    page.keyboard.press("ArrowLeft")
    assert page.is_visible("#ir-double-buffer")
    page.focus("#on-v5e .ir .lines")
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    assert page.get_attribute("#ir-double-buffer-3", "aria-selected") == "true"
    page.keyboard.press("End")
    last = page.locator("#ir-double-buffer .line").last
    assert last.get_attribute("aria-selected") == "true"
    top, bottom = last.evaluate("line => [line.getBoundingClientRect().bottom, "
                                "line.closest('.lines').getBoundingClientRect().bottom]")  # fmt: skip
    assert top <= bottom + 1
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Pallas"


def test_what_is_chosen_moves_nothing(page: Page) -> None:
    places = """() => ['.panes', '.trail', '.pallas'].map(
        query => document.querySelector(query).getBoundingClientRect().top + scrollY)"""
    before = page.evaluate(places)
    for stage in page.locator("#on-v5e .passes button").all():
        stage.click()
        assert page.evaluate(places) == before
    page.click("#source-0-9 code", position={"x": 60, "y": 4})
    assert page.evaluate(places) == before
    shifts = """new Promise(done => {
        new PerformanceObserver(list => done(list.getEntries().map(each => each.value)))
            .observe({type: "layout-shift", buffered: true});
        setTimeout(done, 200, []);
    })"""
    assert page.evaluate(shifts) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_how_it_looks(browser: Browser, written: Written, size: ViewportSize, scheme: str) -> None:
    """Nothing is wider than the window, text stands out from what is behind it, and figures are there."""
    page = browser.new_page(viewport=size, color_scheme="dark" if scheme == "dark" else "light")
    page.goto(written.url)
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    queries = ["h1", ".caption", ".line code", ".line b", ".idle", ".line .s", ".line .k", "th", ".trail"]
    pairs = """queries => queries.map(query => [document.querySelector(query), document.body])
        .map(([each, body]) => [getComputedStyle(each).color, getComputedStyle(body).backgroundColor])"""
    for ink, back in page.evaluate(pairs, queries):
        assert contrast(ink, back) >= 4.5, (ink, back)
    assert (luminance(page.evaluate(pairs, queries)[0][1]) > 0.5) == (scheme == "light")
    for query in ("svg.roofline", ".timeline svg", ".bars"):
        box = page.locator(query).first.bounding_box()
        assert box is not None
        assert box["width"] > 300
    assert colours(page, page.screenshot(full_page=True)) > 30
    page.close()


def test_it_prints_and_reads_without_scripts(browser: Browser, written: Written) -> None:
    context = browser.new_context(java_script_enabled=False, viewport=WIDE)
    page = context.new_page()
    page.goto(written.url)
    assert page.is_visible("#ir-choose-blocks-1")
    assert page.is_visible("#on-v4")
    context.close()
    page = browser.new_page(color_scheme="dark")
    page.goto(written.url)
    page.emulate_media(media="print")
    assert luminance(page.evaluate("getComputedStyle(document.body).backgroundColor")) == 1
    assert page.pdf()[:5] == b"%PDF-"
    page.close()


def luminance(colour: str) -> float:
    """Of `rgb(r, g, b)`, as WCAG has it: 0 is black, 1 white."""
    parts = [float(each) / 255 for each in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    red, green, blue = (
        each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, from 1 to 21, of which 4.5 is needed for text."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def colours(page: Page, image: bytes) -> int:
    """How many colours a PNG image has, as the browser reads it."""
    page.goto("about:blank")
    return page.evaluate(
        """async (data) => {
            const read = await fetch("data:image/png;base64," + data);
            const image = await createImageBitmap(await read.blob());
            const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d");
            canvas.drawImage(image, 0, 0);
            const bytes = canvas.getImageData(0, 0, image.width, image.height).data;
            return new Set(new Uint32Array(bytes.buffer)).size;
        }""",
        base64.b64encode(image).decode(),
    )
