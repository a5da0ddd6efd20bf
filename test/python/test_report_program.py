"""A program after each pass: every line knows where it came from, and where it went."""

import ast
from collections.abc import Sequence
from pathlib import Path

import pytest

from tilec.__main__ import load_kernel, parse_arguments
from tilec.parsing import make_context
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.proof import read_program
from tilec.report.program import Line, Program, follow
from tilec.runtime.executable import Executable

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
KERNELS = [
    ("grouped_matmul.mlir", "", TileToPallas(blocks={"k": 256})),
    ("grouped_matmul.mlir", "", TileToPallas(loop="fori_loop")),
    ("softmax.py:softmax_two_pass", "f32[37,200]", None),
    ("jagged_softmax.py:jagged_softmax", "f32[45,200], i64[6]", None),
]
every_kernel = pytest.mark.parametrize(("name", "args", "choices"), KERNELS)


def followed(name: str, args: str, choices: TileToPallas | None) -> tuple[Executable, Program]:
    if choices is not None:
        executable = Executable(read_program(EXAMPLES / name)[0], choices=choices)
    else:
        executable = load_kernel(str(EXAMPLES / name)).bind(*parse_arguments(args)).executable
    return executable, follow(executable.module, executable.choices)


def text_of(lines: Sequence[Line]) -> str:
    return "".join(f"{line.text}\n" for line in lines)


@every_kernel
def test_every_line_is_of_a_line_of_the_source(name: str, args: str, choices: TileToPallas | None) -> None:
    _, program = followed(name, args, choices)
    (source,) = program.sources
    assert source.file == str(EXAMPLES / name.partition(":")[0])
    assert source.language == ("mlir" if choices else "python")
    numbers = {number for number, _ in source.lines}
    stages = [stage for stage in program.stages if stage.changed]
    assert len(stages) > 5
    for stage in stages:
        for line in stage.lines:
            assert line.place is not None, (stage.name, line.text)
            assert line.place[1] in numbers, (stage.name, line)


@every_kernel
def test_pallas_lines_are_of_the_last_ir(name: str, args: str, choices: TileToPallas | None) -> None:
    executable, program = followed(name, args, choices)
    assert executable.text.startswith(text_of(program.pallas))
    tree = ast.parse(executable.text)
    table = next(each for each in tree.body if isinstance(each, ast.Assign))
    places = {
        number: ":".join(map(str, line.place))
        for number, line in enumerate(program.pallas, 1)
        if line.place is not None
    }
    printed = {number: place.split(" ")[0] for number, place in ast.literal_eval(table.value).items()}
    assert printed.items() <= places.items()
    more = [program.pallas[number - 1].text.split()[0] for number in places.keys() - printed.keys()]
    assert set(more) <= {"return"}  # what has no place of its own
    ir = {line.op: line.place for line in program.stages[-1].lines}
    for line in program.pallas:
        assert line.op is None or ir[line.op] == line.place


@every_kernel
def test_stages_are_the_ir_after_passes(name: str, args: str, choices: TileToPallas | None) -> None:
    executable, program = followed(name, args, choices)
    names = [each.name for each in executable.choices.passes()]
    assert [stage.name.partition(".")[0] for stage in program.stages] == ["source", *names]
    assert len({stage.name for stage in program.stages}) == len(program.stages)
    before = executable.module.clone()
    shown = program.stages[0].lines
    for each, stage in zip(executable.choices.passes(), program.stages[1:], strict=True):
        each.apply(make_context(), before)
        shown = stage.lines if stage.changed else shown
        assert text_of(shown) == str(before) + "\n"
        assert not stage.changed or any(line.fresh for line in stage.lines) or len(stage.lines) < 5


def test_what_a_pass_refuses_ends_it() -> None:
    module, _ = read_program(EXAMPLES / "grouped_matmul.mlir")
    program = follow(module, TileToPallas(blocks={"m": 8192, "k": 512}, chip="v4"))
    assert program.stages[-1].name == "strip-mine"
    assert program.pallas == ()


def test_a_source_that_is_gone(tmp_path: Path) -> None:
    kernel = tmp_path / "kernel.mlir"
    kernel.write_text((EXAMPLES / "grouped_matmul.mlir").read_text())
    module, _ = read_program(kernel)
    kernel.unlink()
    (source,) = follow(module, TileToPallas()).sources
    assert (source.file, source.lines) == (str(kernel), ())
