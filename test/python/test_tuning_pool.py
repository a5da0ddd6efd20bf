"""Processes that compile, played by a script that does what compilers do at their worst."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tuning_programs import matmul

from tilec.tuning.choice import Choice
from tilec.tuning.estimates import Estimate
from tilec.tuning.pool import WORKER, Pool

PROGRAM = matmul(256)

SCRIPT = """
import json, os, sys, time
setup = json.loads(sys.stdin.readline())
assert setup["program"]["name"] == "matmul" and setup["chip"] == "v6e" and os.path.isdir(setup["folder"])
with open(sys.argv[1], "a") as file:
    print(os.getpid(), setup["folder"], file=file)
print("{}", flush=True)
for line in sys.stdin:
    size = json.loads(line)["choice"]["blocks"]["m"]
    if size == 1:
        print("Fatal error: the compiler is confused", file=sys.stderr, flush=True)
        os.abort()
    if size == 2:
        time.sleep(1000)
    if size == 3:
        sys.exit(5)
    answer = "what?" if size == 4 else json.dumps({"seconds": size, "trusted": True, "compiled": True})
    print(answer, flush=True)
"""


def choice(size: int) -> Choice:
    return Choice((("m", size),))


def pool(folder: Path, width: int = 1, seconds: float = 20.0) -> Pool:
    script = folder / "worker.py"
    script.write_text(SCRIPT)
    return Pool(
        PROGRAM,
        "v6e",
        width=width,
        seconds=seconds,
        command=(sys.executable, str(script), str(folder / "log")),
    )


def started(folder: Path) -> list[tuple[int, Path]]:
    """The processes that were started, and their folders."""
    lines = (folder / "log").read_text().splitlines()
    return [(int(line.split()[0]), Path(line.split()[1])) for line in lines]


def answer(size: int) -> Estimate:
    return Estimate(size, True, compiled=True)


@pytest.mark.parametrize("width", [1, 3])
def test_answers_come_in_order_from_processes_that_stay(tmp_path: Path, width: int) -> None:
    with pool(tmp_path, width) as estimator:
        sizes = list(range(10, 30))
        for _ in range(2):
            assert list(estimator.estimate([choice(each) for each in sizes])) == list(map(answer, sizes))
    assert len(started(tmp_path)) <= width


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (1, "the compiler died by signal SIGABRT: Fatal error: the compiler is confused"),
        (2, "the compiler takes more than 2 s"),
        (3, "the compiler died with status 5: no message"),
        (4, "the compiling process answers nonsense"),
    ],
)
def test_a_crash_costs_one_choice(tmp_path: Path, size: int, said: str) -> None:
    with pool(tmp_path, seconds=2.0) as estimator:
        found = list(estimator.estimate([choice(each) for each in (10, size, 11)]))
    assert found == [answer(10), Estimate(refused=said, compiled=True), answer(11)]
    assert len(started(tmp_path)) == 2


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    with pool(tmp_path, 2, 1.0) as estimator:
        list(estimator.estimate([choice(each) for each in (10, 2, 1, 12)]))
    for process, folder in started(tmp_path):
        assert not folder.exists()
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


def test_an_interrupt_does_not_wait_for_the_compiler(tmp_path: Path) -> None:
    begin = time.monotonic()
    with pool(tmp_path, seconds=1000) as estimator:
        # As where an interrupt leaves the search: with a choice under way, and others that wait.
        answers = estimator.estimate([choice(each) for each in (10, 2, 2, 2)])
        assert next(answers) == answer(10)
    assert time.monotonic() - begin < 20


def test_nobody_waits_longer_than_told(tmp_path: Path) -> None:
    begin = time.monotonic()
    with pool(tmp_path, seconds=1000) as estimator:
        assert list(estimator.estimate([choice(each) for each in (10, 2, 11)], lambda: begin + 5)) == [
            answer(10)
        ]
    assert 5 <= time.monotonic() - begin < 20
    ((process, _),) = started(tmp_path)
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_no_interpreter_is_one_line(tmp_path: Path) -> None:
    with Pool(PROGRAM, "v6e", width=1, command=(str(tmp_path / "nothing"),)) as estimator:
        (estimate,) = estimator.estimate([choice(10)])
    assert estimate.refused is not None
    assert "nothing" in estimate.refused


def test_a_real_process_starts_in_the_folder_of_one_that_died(tmp_path: Path) -> None:
    setup = {"program": PROGRAM.to_json(), "chip": "v6e", "folder": str(tmp_path)}
    for _ in range(2):
        done = subprocess.run(WORKER, input=json.dumps(setup), capture_output=True, text=True, check=True)
        assert done.stdout == "{}\n"
        (tmp_path / "dump" / "half").write_text("what it left")


STARTER = """
import subprocess, sys
worker = subprocess.Popen(sys.argv[1:], stdin=0, stdout=subprocess.PIPE)
print(worker.stdout.readline().decode(), end="")
"""


def test_a_real_process_ends_with_the_one_that_started_it(tmp_path: Path) -> None:
    """Though its input stays open, as when the compiler is busy; and it leaves nothing."""
    own = tmp_path / "own"
    own.mkdir()
    setup = {"program": PROGRAM.to_json(), "chip": "v6e", "folder": str(own)}
    read, write = os.pipe()
    try:
        os.write(write, json.dumps(setup).encode() + b"\n")
        command = [sys.executable, "-c", STARTER, *WORKER]
        done = subprocess.run(command, stdin=read, capture_output=True, text=True, check=True)
        assert done.stdout == "{}\n"
        deadline = time.monotonic() + 10
        while own.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not own.exists()
    finally:
        os.close(read)
        os.close(write)
