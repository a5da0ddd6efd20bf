"""README.md is true: its commands run and print what it shows, its lists are complete."""

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tilec.analysis.cost.estimate import Estimate, Operation
from tilec.passes import get_all_passes
from tilec.passes.tile_to_pallas import GROUPINGS, LOOPS

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS: list[tuple[str, str]] = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
COMMANDS = [
    (text.strip(), BLOCKS[i + 1][1] if i + 1 < len(BLOCKS) and BLOCKS[i + 1][0] != "sh" else "")
    for i, (kind, text) in enumerate(BLOCKS)
    if kind == "sh"
]


def output(command: str, folder: Path = ROOT) -> str:
    tool, *arguments = shlex.split(command)
    module = [] if tool == "python" else ["-m", f"tilec.tools.{tool.replace('-', '_')}"]
    done = subprocess.run(
        [sys.executable, *module, *arguments], capture_output=True, text=True, check=True, cwd=folder
    )
    return done.stdout


def flat(text: str) -> str:
    """The lines of a text without their indentation."""
    return "\n".join(line.strip() for line in text.strip().splitlines())


def section(title: str) -> str:
    return README.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def first_cells(text: str) -> list[str]:
    """The code in the first cell of each row of the tables of a text, headings left out."""
    return re.findall(r"^\| `([^`]+)` \|.*\w.*\|$", text, re.MULTILINE)


@pytest.mark.parametrize(("command", "shown"), COMMANDS, ids=[command[:60] for command, _ in COMMANDS])
def test_a_command_prints_what_is_shown(command: str, shown: str, tmp_path: Path) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    printed, start = flat(output(command, tmp_path)), 0
    assert printed
    for page in re.findall(r"--html (\S+)", command):
        assert (tmp_path / page).read_text().startswith("<!doctype html>")
    for part in shown.split("…\n"):
        start = printed.find(flat(part), start)
        assert start >= 0, part


def test_the_program_is_the_example() -> None:
    program = next(text for kind, text in BLOCKS if kind == "mlir" and "grouped_matmul" in text)
    assert program in (ROOT / "examples" / "grouped_matmul.mlir").read_text()


def test_the_first_two_commands_exist() -> None:
    presets = json.loads((ROOT / "CMakePresets.json").read_text())["workflowPresets"]
    named = re.findall(r"^    cmake --workflow --preset (\w+)", README, re.MULTILINE)
    assert named == ["demo", "check"]
    assert set(named) <= {preset["name"] for preset in presets}


def test_every_pass_is_in_the_table() -> None:
    assert first_cells(section("Passes")) == [f"--{flag}" for flag in get_all_passes()]


def test_the_choices_are_those_of_the_pass() -> None:
    assert set(first_cells(section("Two choices for every kernel"))) == {*GROUPINGS, *LOOPS}


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("grouping", GROUPINGS)
def test_grouping_and_loop_are_independent(grouping: str, loop: str) -> None:
    if grouping == "stream" and loop != "fori_loop":
        pytest.skip("the README says that these depend on each other")
    # Without jagged axes, what the README says `none` and `unroll` are for.
    example = "matmul" if grouping == "none" or loop == "unroll" else "grouped_matmul"
    options = f'--tile-to-pallas="grouping={grouping} loop={loop}"'
    assert "pallas_call" in output(f"tile-opt examples/{example}.mlir {options} -t pallas")


@pytest.mark.parametrize(("chip", "unit"), [("v6e", 0.0), ("v5e", 1.0)])
def test_the_band_of_estimates_is_that_of_the_reports(chip: str, unit: float) -> None:
    use = {"MXU": unit}
    one = Operation("f", "custom-call", 1.0, 1.0, 0.0, 0, 0, "MXU", use, (), 1, 0, None)
    least, most = Estimate(chip, (one,), (), ()).band
    assert f"{least:g} to {most:g}" in section("What a kernel costs").replace("\n", " ")


def test_an_emitted_module_needs_only_jax_and_numpy() -> None:
    text = output("tile-opt examples/grouped_matmul.mlir --tile-to-pallas -t pallas")
    imported = {match[1] for match in re.finditer(r"^(?:from|import) (\w+)", text, re.MULTILINE)}
    assert imported - sys.stdlib_module_names == {"jax", "numpy"}
    assert "TILE_LINES = {" in text


def test_an_emitted_module_runs_alone(tmp_path: Path) -> None:
    kernel = tmp_path / "kernel.py"
    kernel.write_text(output("tile-opt examples/grouped_matmul.mlir --tile-to-pallas -t pallas"))
    # -I leaves PYTHONPATH and the folder out; a package that is installed is shut out by name.
    code = (
        f"import runpy, sys; sys.modules['tilec'] = None; runpy.run_path({str(kernel)!r}, None, '__main__')"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("grouped_matmul (")


@pytest.mark.parametrize("option", ["--explain", "--print-ir-after-all", "--time-passes"])
def test_options_that_are_named(option: str) -> None:
    assert f"`{option}`" in README
    assert output(f"tile-opt examples/matmul.mlir --choose-blocks {option}")


def test_the_torch_example_runs(tmp_path: Path) -> None:
    program = next(text for kind, text in BLOCKS if kind == "python" and "tilec.kernel" in text)
    script = tmp_path / "readme_example.py"
    script.write_text(
        f"{program}\nwanted = torch.stack([x[a:b].sum(0) for a, b in zip(offsets[:-1], offsets[1:])])\n"
        "torch.testing.assert_close(sums, wanted)\n"
        "bound = segment_sum.bind(x, offsets)\n"
        "assert 'tile.pipeline' in bound.mlir(after='fold-outer-pipeline')\n"
        "assert 'pallas_call' in bound.pallas()\n"
        "assert 'tpu' in bound.mosaic('v6e')\n"
        "assert bound.aot('v6e').code_bytes > 0\n"
    )
    subprocess.run([sys.executable, str(script)], check=True)


def test_the_tuning_example_runs(tmp_path: Path) -> None:
    program, tuning = (
        next(text for kind, text in BLOCKS if kind == "python" and words in text)
        for words in ("tilec.kernel", "tilec.autotune")
    )
    script = tmp_path / "readme_example.py"
    script.write_text(
        f"{program}\n{tuning.replace('compiles=40', 'compiles=3')}\n"
        "config = tilec.TunedConfig.load('segment_sum.json')\n"
        "assert tilec.kernel(config=config)(segment_sum.fn).bind(x, offsets).config == result.config\n"
        "assert tilec.default_config(segment_sum.bind(x, offsets)).blocks\n"
    )
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path)}
    subprocess.run([sys.executable, str(script)], check=True, cwd=tmp_path, env=environment)


def test_only_kernels_that_are_torch_functions_import_torch() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert not any(each.startswith("torch") for each in project["dependencies"])
    imported = (
        "import sys, tilec; assert not {'torch', 'jax', 'numpy'} & set(sys.modules), sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", imported], check=True)
    theirs = ("frontend/", "language/", "testing.py", "runtime/custom_op.py", "runtime/torch")
    for path in (ROOT / "python" / "tilec").rglob("*.py"):
        if not str(path.relative_to(ROOT / "python" / "tilec")).startswith(theirs):
            assert not re.search(r"^(import|from) torch\b", path.read_text(), re.MULTILINE), path


def test_mlir_bindings_come_with_jaxlib() -> None:
    subprocess.run([sys.executable, "-c", "import jaxlib.mlir.ir"], check=True)


def test_files_that_are_named_exist() -> None:
    for name in ("bundles.py", "steps.py", "startup.py"):
        assert f"`{name}`" in README
        assert (ROOT / "benchmarks" / name).is_file()
    for path in re.findall(r"`((?:docs|test|examples|python)/[\w/.]+)`", README):
        assert (ROOT / path).exists(), path
