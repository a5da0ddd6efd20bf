"""The demo shows the three proofs of a program, or says in one line what is wrong."""

import subprocess
import sys
from pathlib import Path

import pytest

from corpus.corpus import CASES
from tilec.demo import HOSTILE, ROWS, argument_lists, demo
from tilec.dialects.interpreter import run
from tilec.proof import ProofFailed, read_program

ROOT = Path(__file__).resolve().parents[2]

# One column of blocks, and segments with gaps.
ADD_ONE = """\
func.func @add_one(%x: memref<?x128xf32>, %begins: memref<3xi32>, %ends: memref<3xi32>) -> memref<?x128xf32> {
  %out = tile.full 0.0 like(%x) : memref<?x128xf32>
  tile.grid %g = 0 to 3 {
    %begin, %end = tile.segment %begins[%g] to %ends[%g]
    tile.for %m = %begin to %end by m {
      %v = tile.load %x[%m, :]
      %one = tile.splat 1.0 : tensor<?x128xf32, #tile.spans<m, _>>
      %y = arith.addf %v, %one : tensor<?x128xf32, #tile.spans<m, _>>
      tile.store %y, %out[%m, :]
    }
  }
  return %out : memref<?x128xf32>
}
"""


def run_demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tilec.demo", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120, check=False)


@pytest.mark.aot
def test_shows_the_proofs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "add_one.mlir"
    file.write_text(ADD_ONE)
    assert demo([str(file)]) == 0
    shown = capsys.readouterr().out
    parts = ["tile.pipeline grid", "def add_one(", "every pass keeps the results", "no rows at all, 0 steps"]
    places = [shown.index(part) for part in [*parts, "v5e compiles", "v6e compiles", "tpu7x compiles"]]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], "tilec.demo: error: the following arguments are required: FILE.mlir"),
        (["missing.mlir"], "missing.mlir: error: no such file or directory"),
        (
            ["test/lit/emit/add.mlir"],
            "test/lit/emit/add.mlir:",
        ),
    ],
)
def test_errors_are_one_line(arguments: list[str], line: str) -> None:
    done = run_demo(*arguments)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(line)
    assert done.stderr.count("\n") == 1


def test_a_failed_proof_is_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise ProofFailed("v5e", "no", "add_one.mlir:1:1")

    file = tmp_path / "add_one.mlir"
    file.write_text(ADD_ONE)
    monkeypatch.setattr("tilec.proof.prove_kernel", fails)
    with pytest.raises(ProofFailed, match=r"add_one\.mlir:1:1: error: v5e: no"):
        demo([str(file)])


@pytest.mark.parametrize("name", ["grouped_matmul", "jagged_row_sum_gaps", "jagged_flash_attention"])
def test_arguments_suit_the_program(name: str) -> None:
    """The interpreter, which checks all that a program says of its arguments, takes each list."""
    module, function = read_program(CASES[name].path)
    lists = argument_lists(function)
    assert ["random segments", *HOSTILE] == list(lists)
    assert len({args[-1].tobytes() for args in lists.values()}) == len(lists)
    for args in lists.values():
        assert args[0].shape[0] == ROWS
        run(module, name, args, blocks=CASES[name].blocks)


def test_arguments_without_segments() -> None:
    _, function = read_program(CASES["softmax"].path)
    assert list(argument_lists(function)) == ["random arguments"]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_lengths(name: str) -> None:
    for count, rows in ((8, 300), (8, 3), (1, 10), (5, 0)):
        lengths = HOSTILE[name](count, rows)
        assert len(lengths) == count
        assert min(lengths) >= 0
        assert sum(lengths) <= rows
