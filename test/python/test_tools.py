"""The tools from inside Python: what lit cannot see."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from xdsl.context import Context
from xdsl.dialects import test
from xdsl.dialects.builtin import (
    ArrayAttr,
    CallSiteLoc,
    FileLineColLoc,
    FusedLoc,
    IntAttr,
    ModuleOp,
    NameLoc,
    NoneAttr,
    StringAttr,
    UnknownLoc,
)
from xdsl.passes import ModulePass
from xdsl.universe import Universe
from xdsl.utils.exceptions import ParseError, PassFailedException

from tilec.diagnostics import TileError, collect_notes, explain, fail, where
from tilec.parsing import make_context, parse_file
from tilec.tools import tile_gui, tile_opt
from tilec.tools.tile_opt import join_passes, split_chunks

PROGRAM = """
func.func @f(%x: i32) -> i32 {
  %a = arith.addi %x, %x : i32
  %b = arith.addi %x, %x : i32
  %c = arith.addi %a, %b : i32
  return %c : i32
}
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "program.mlir"
    path.write_text(PROGRAM)
    return path


@dataclass(frozen=True)
class Decline(ModulePass):
    """Explain at each operation, then do nothing."""

    name = "decline"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for inner in op.walk():
            if inner.name == "arith.addi":
                explain(inner, "left alone")


@dataclass(frozen=True)
class Refuse(ModulePass):
    """Refuse the return."""

    name = "refuse"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for inner in op.walk():
            if inner.name == "func.return":
                fail(inner, "one result is 1 too many,\n  none would be accepted")


@dataclass(frozen=True)
class Placeless(ModulePass):
    """Refuse without a place."""

    name = "placeless"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        raise PassFailedException("no")


@dataclass(frozen=True)
class Spoil(ModulePass):
    """Leave invalid IR behind."""

    name = "spoil"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for inner in op.walk():
            if inner.name == "arith.addi":
                inner.operands = [inner.operands[0]]


@dataclass(frozen=True)
class Crash(ModulePass):
    """Have a bug."""

    name = "crash"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        raise KeyError("x")


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run tile-opt in this process, with the passes above. Returns the status, standard output and error."""
    passes = {kind.name: lambda kind=kind: kind for kind in (Decline, Refuse, Placeless, Spoil, Crash)}
    monkeypatch.setattr(tile_opt, "get_all_passes", lambda: passes)

    def run(*args: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["tile-opt", *map(str, args)])
        status = tile_opt.main()
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


def test_imports_nothing_heavy() -> None:
    code = "import sys, tilec.tools.tile_opt as t; t.TileOpt(['-p', 'cse']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"jax", "jaxlib", "torch", "numpy"}.isdisjoint(done.stdout.split())


def test_explain_is_silent_unless_asked(program: Path, run: Run) -> None:
    assert run("--decline", program)[2] == ""
    status, output, errors = run("--decline", "--explain", program)
    assert status == 0
    assert "@f" in output
    assert errors == "".join(f"{program}:{line}:3: note: left alone\n" for line in (3, 4, 5))


def test_refusal_is_one_line_with_place(program: Path, run: Run) -> None:
    message = f"{program}:6:3: error: one result is 1 too many, none would be accepted\n"
    assert run("--refuse", program) == (1, "", message)


def test_refusal_without_place_names_file_and_pass(program: Path, run: Run) -> None:
    assert run("--cse", "--placeless", program) == (1, "", f"{program}: error: placeless: no\n")


def test_invalid_ir_after_a_pass_names_the_pass(program: Path, run: Run) -> None:
    status, _, errors = run("--spoil", program)
    assert status == 1
    assert errors == f"{program}:3:3: error: Expected 2 operands, but got 1 (after spoil)\n"


def test_bug_is_one_line_that_says_where(program: Path, run: Run) -> None:
    status, _, errors = run("--crash", program)
    assert status == 1
    assert errors.startswith("tile-opt: error: internal error, please report it: KeyError: 'x' (test_tools.")
    assert errors.count("\n") == 1


def test_a_module_that_is_not_installed(program: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "llvmlite", None)
    message = "tile-opt: error: that needs the Python module llvmlite, which is not installed\n"
    assert run(program, "-t", "llvm") == (1, "", message)


def test_development_mode_shows_the_traceback(tmp_path: Path) -> None:
    code = "from tilec.diagnostics import run_tool; run_tool('t', lambda: 1 // 0)"
    done = subprocess.run([sys.executable, "-Xdev", "-c", code], capture_output=True, text=True, check=True)
    assert "Traceback" in done.stderr
    assert done.stderr.endswith("ZeroDivisionError: integer division or modulo by zero (<string>:1)\n")


def test_failed_run_leaves_the_output_of_good_chunks(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "chunks.mlir"
    path.write_text("module @a {}\n// -----\nfoo.bar\n// -----\nmodule @b {}\n")
    status, output, errors = run(path, "--split-input-file")
    assert status == 1
    assert output == "builtin.module @a {\n}\n// -----\nbuiltin.module @b {\n}\n"
    assert errors == f"{path}:3:1: error: operation 'foo.bar' is not registered\n"


@pytest.mark.parametrize("functions", [5, 5000], ids=["fits a buffer", "does not"])
def test_closed_pipe_is_quiet(functions: int, tmp_path: Path) -> None:
    path = tmp_path / "program.mlir"
    path.write_text("".join(f"func.func private @f{i}()\n" for i in range(functions)))
    command = [sys.executable, "-m", "tilec.tools.tile_opt", str(path)]
    # Unbuffered, nothing would be left to flush at exit.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, env=environment) as tool:
        assert tool.stdout is not None
        assert tool.stderr is not None
        tool.stdout.close()
        assert tool.stderr.read() == b""


def test_join_passes() -> None:
    names = {"a", "b-c"}
    words = ["--b-c=x=1 y=2", "in.mlir", "-p", "a{z=3},a", "-pa", "-p=a", "--passes=a", "--a", "-o", "o"]
    joined = join_passes(words, names)
    assert joined == ["-p", "b-c{x=1 y=2},a{z=3},a,a,a,a,a", "in.mlir", "-o", "o"]
    assert join_passes(["--d", "--", "--a"], names) == ["-p", "", "--d", "--", "--a"]


def test_split_chunks_keeps_line_numbers() -> None:
    assert split_chunks("a\n// -----\nb // ----- c\n// -----  \n\nd") == [
        "a\n",
        "\n\nb // ----- c\n",
        "\n\n\n\n\nd",
    ]


def test_where() -> None:
    here = FileLineColLoc(StringAttr("f.py"), IntAttr(1), IntAttr(2))
    there = FileLineColLoc(StringAttr("g.py"), IntAttr(3), IntAttr(4))
    unknown = UnknownLoc()
    op = test.TestOp()
    for location in (
        here,
        NameLoc(StringAttr("x"), here),
        CallSiteLoc(here, there),
        CallSiteLoc(unknown, here),
        FusedLoc(ArrayAttr([unknown, NameLoc(StringAttr("x"), NoneAttr()), here, there]), NoneAttr()),
    ):
        op.location = location
        assert where(op) == "f.py:1:2"
    op.location = FusedLoc(ArrayAttr([unknown]), NoneAttr())
    assert where(op) == '"test.op"() : () -> ()'


def test_notes_do_not_leak() -> None:
    with collect_notes() as notes:
        explain(test.TestOp(), "in")
    explain(test.TestOp(), "out")
    assert notes == ['"test.op"() : () -> (): note: in']


def test_parse_file(program: Path) -> None:
    module = parse_file(str(program), make_context())
    assert where(module) == f"{program}:1:1"
    program.write_text("func.func @f() {")
    with pytest.raises(ParseError):
        parse_file(str(program), make_context())
    program.write_bytes(b"\n\xff")
    with pytest.raises(TileError, match=":2: error: byte 0xff is not UTF-8"):
        parse_file(str(program), make_context())


def test_xdsl_opt_sees_us() -> None:
    universe = Universe.get_multiverse()
    from tilec.dialects import get_all_dialects
    from tilec.emit import get_all_targets
    from tilec.passes import get_all_passes

    assert get_all_dialects().keys() <= universe.all_dialects.keys()
    assert get_all_passes().keys() <= universe.all_passes.keys()
    assert get_all_targets().keys() <= universe.all_targets.keys()


def test_gui(program: Path) -> None:
    """The application opens on the file, lists our passes, and applies one."""
    app = tile_gui.make_app(str(program))

    async def use() -> None:
        async with app.run_test() as pilot:
            await pilot.pause()
            assert app.input_text_area.text == PROGRAM
            listed = [name for name, _ in app.all_passes]
            assert listed[: len(tile_gui.get_all_passes())] == list(tile_gui.get_all_passes())
            cse = next(kind for name, kind in app.all_passes if name == "cse")
            app.pass_pipeline = (cse(),)
            await pilot.pause()
            assert app.output_text_area.text.count("arith.addi") == 2

    asyncio.run(use())


ENDED = """
import os, signal, sys, time, warnings
from tilec.diagnostics import run_tool

def body():
    warnings.warn("first\\nsecond", RuntimeWarning)
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(9)
    finally:
        print("closed")

sys.exit(run_tool("tool", body))
"""


def test_a_tool_that_is_ended_closes_what_is_open_and_warns_in_one_line() -> None:
    done = subprocess.run([sys.executable, "-c", ENDED], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (
        143,
        "closed\n",
        "tool: warning: first second\n",
    )


SAYING = """
import sys
from tilec.diagnostics import run_tool
sys.exit(run_tool("tool", lambda: sys.stdout.write("a") - 1))
"""


def test_a_tool_without_output_works() -> None:
    command = f"exec '{sys.executable}' -c \"$0\" >&- 2>&-"
    assert subprocess.run(["sh", "-c", command, SAYING], check=False).returncode == 0
