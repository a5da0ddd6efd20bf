"""The comparison with kernels of others: what is ranked, and that all it compares can be made."""

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import jax
import numpy as np
import pytest

from tilec.analysis.cost.estimate import Estimate, Operation
from tilec.chips import CHIPS
from tilec.runtime.aot import CompileRefused
from tilec.runtime.known import Call, Made, Words, run_known
from tilec.runtime.load import load
from tilec.tuning.choice import Choice
from tilec.tuning.program import Program
from tilec.tuning.search import Budget
from tilec.tuning.tuner import Tuned

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
X = jax.ShapeDtypeStruct((64, 128), "float32")


@pytest.fixture(scope="module")
def benchmark() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(BENCHMARKS), *sys.path])
        yield importlib.import_module("peers")


def made(seconds: float, *doubts: str) -> Estimate:
    kernel = Operation("k", "custom-call", seconds, 1.0, 0.0, 1, 1, "DMA", {"MXU": 0.0}, (1,), 1, 0, None)
    return Estimate("v5e", (kernel,), doubts, ())


Answers = Mapping[str, Estimate | None]


def answering(answers: Answers) -> Callable[..., Estimate]:
    """An estimator that knows modules by a word in their text."""

    def estimate(text: str, *rest: object) -> Estimate:
        (found,) = (answer for word, answer in answers.items() if word in text)
        if found is None:
            raise CompileRefused("too large", None, None)
        return found

    return estimate


def tuned(program: Program, chip: str, budget: Budget) -> Tuned:
    return Tuned(Choice((("rows", 32),)), 1.0, None)


def row(benchmark: ModuleType, answers: Answers, patch: pytest.MonkeyPatch) -> list[str]:
    """The line of a softmax of 64 x 128, whose peers are functions of XLA's."""
    works = importlib.import_module("peer_works")
    kernels = importlib.import_module("peer_kernels")
    peers = [kernels.xla([X], one="(x):\n    return x + 1", two="(x):\n    return x * 2")]
    work = works.Work(
        "softmax",
        lambda: works.traced("softmax", "softmax", works.empty(64, 128)),
        0,
        820,
        peers,
        {"v5e": 7.0},
    )
    patch.setattr(benchmark, "estimate", answering(answers))
    patch.setattr(benchmark, "tune", tuned)
    found = dict(zip(benchmark.HEADS, benchmark.row(work, "v5e", answering({})), strict=True))
    assert (found["work"], found["chip"], found["least"]) == ("softmax", "v5e", "0.001")
    assert found["recorded"] == "Helion 7"
    return [found[name] for name in ("tuned", "peers", "best peer", "tuned / peer", "roofline", "bound")]


def test_the_best_of_what_is_trusted_is_ranked(
    benchmark: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = {"pallas_call": made(2e-6), "x + 1": made(5e-6), "x * 2": made(4e-6)}
    assert row(benchmark, answers, monkeypatch) == [
        "2 (12: rows=32)",
        "XLA 4 (2: two)",
        "XLA 4",
        "0.50",
        "0.00",
        "DMA",
    ]
    guessed = answers | {"x * 2": made(1e-6, "guessed")}
    assert row(benchmark, guessed, monkeypatch)[1:4] == ["XLA 5 (2: one)", "XLA 5", "0.40"]


def test_what_is_refused_or_guessed_is_shown_and_not_ranked(
    benchmark: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = {"pallas_call": made(2e-6, "a branch"), "x + 1": None, "x * 2": made(1e-6, "guessed")}
    assert row(benchmark, answers, monkeypatch) == [
        "2 not trusted: a branch (12: rows=32)",
        "XLA 1 not trusted: guessed (2: two)",
        "",
        "",
        "",
        "DMA",
    ]
    refused = answers | {"x * 2": None}
    assert row(benchmark, refused, monkeypatch)[1:3] == ["XLA refused: too large", ""]


def recorder(kernels: list[list[Words | None]]) -> Call:
    """Keeps the operands of each kernel."""

    def call(
        name: str | None, operands: list[Words | None], made: Sequence[Made], finite: bool
    ) -> list[Words | None]:
        kernels.append(operands)
        return [None] * len(made)

    return call


def test_every_work_can_be_traced_and_so_can_its_peers(benchmark: ModuleType) -> None:
    for work in (each for each in benchmark.works() if "skewed" not in each.name):
        assert work.flops >= 0
        assert work.bytes > 0
        program = work.program()
        assert program.module.body.block.ops
        for operand in program.operands:
            given = benchmark.argument(operand)
            if str(given.dtype) == "int32" and work.name.startswith(("jagged", "grouped")):
                assert isinstance(given, np.ndarray)
        for peer in work.peers:
            first = peer.candidates[0]
            kernels: list[list[Words | None]] = []
            run_known(load(first.text, "f").f, first.arguments, CHIPS["v5e"], recorder(kernels))
            assert bool(kernels) == (peer.name != "XLA")
            if peer.name in ("JAX splash", "megablox"):  # whose loops hang on lists
                assert all(kernel[0] and kernel[1] for kernel in kernels)


def test_megablox_lists_the_tiles_of_its_own_groups(benchmark: ModuleType) -> None:
    """Though jax keeps what it traced of a product of the same shapes."""
    kernels = importlib.import_module("peer_kernels")
    x, w = (jax.ShapeDtypeStruct(shape, "bfloat16") for shape in ((512, 1024), (2, 1024, 1024)))
    lists: list[list[Words | None]] = []
    for sizes in ([256, 256], [3, 509]):
        peer = kernels.megablox(x, w, sizes).candidates[1]
        run_known(load(peer.text, "f").f, peer.arguments, CHIPS["v5e"], recorder(lists))
    assert [operands[0] for operands in lists] == [[0, 256, 512], [0, 3, 512]]
