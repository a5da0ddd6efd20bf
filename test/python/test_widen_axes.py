"""Axes whose indices number runs of an array: the three proofs of kernels, and that no size is chosen."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

import tilec
import tilec.language as hl
from tilec.frontend.kernel import Kernel
from tilec.testing import check, prove
from tilec.tuning.defaults import default_choice
from tilec.tuning.program import Operand, Program

RUN = 128


@tilec.kernel
def run_before(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Two runs of a row for each index, of which one begins a run before, and other uses of the index."""
    out = torch.empty([x.size(0)], dtype=torch.float32)
    for rows in hl.tile(x.size(0)):
        acc = hl.zeros([rows, RUN], dtype=torch.float32)
        for c in hl.grid(1, x.size(1) // RUN):
            late = x[rows, hl.arange(RUN) + RUN * c] * y[c]
            acc = acc + x[rows, c * RUN + hl.arange(RUN) - RUN] * (late + c)
        out[rows] = acc.sum(dim=1)
    return out


def runs_before(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    runs = x.reshape(x.size(0), -1, RUN)
    numbers = torch.arange(1, runs.size(1))[:, None]
    return (runs[:, :-1] * (runs[:, 1:] * y[1:, None] + numbers)).sum((1, 2))


@tilec.kernel
def rows_of_grid(x: torch.Tensor) -> torch.Tensor:
    """Runs of rows, by the grid."""
    out = torch.empty([x.size(0) // 8, x.size(1)], dtype=torch.float32)
    for c in hl.grid(x.size(0) // 8):
        out[c, :] = x[c * 8 + hl.arange(8), :].sum(0)
    return out


def sums_of_eight(x: torch.Tensor) -> torch.Tensor:
    return x.reshape(-1, 8, x.size(1)).sum(1)


@tilec.kernel
def no_tiles_of_memory(x: torch.Tensor) -> torch.Tensor:
    """Runs that begin between tiles of memory, of an array that can stay on the chip."""
    out = torch.empty([x.size(0)], dtype=torch.float32)
    for rows in hl.tile(x.size(0)):
        acc = hl.zeros([rows, 40], dtype=torch.float32)
        for c in hl.grid(x.size(1) // 40):
            acc = acc + x[rows, c * 40 + hl.arange(40)]
        out[rows] = acc.sum(dim=1)
    return out


def sums_of_rows(x: torch.Tensor) -> torch.Tensor:
    return x.sum(1)


@tilec.kernel
def counted(x: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
    """As many runs as an array says."""
    out = torch.empty([x.size(0)], dtype=torch.float32)
    for g in hl.grid(x.size(0)):
        acc = hl.zeros([RUN], dtype=torch.float32)
        for c in hl.grid(counts[g]):
            acc = acc + x[g, c * RUN + hl.arange(RUN)]
        out[g] = acc.sum()
    return out


def sums_of_counted(x: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
    return torch.stack([row[: RUN * int(count)].sum() for row, count in zip(x, counts, strict=True)])


X, Y = torch.linspace(-2, 3, 5 * 640).reshape(5, 640).sin(), torch.linspace(0.5, 2, 5)
CASES: dict[str, tuple[Kernel[..., Any], Callable[..., torch.Tensor], tuple[torch.Tensor, ...]]] = {
    "run_before": (run_before, runs_before, (X, Y)),
    "rows_of_grid": (rows_of_grid, sums_of_eight, (X.reshape(40, 80),)),
    "no_tiles_of_memory": (no_tiles_of_memory, sums_of_rows, (X,)),
    "counted": (counted, sums_of_counted, (X, torch.tensor([0, 5, 2, 3, 1]))),
}


@pytest.mark.parametrize("name", CASES)
def test_runs(name: str) -> None:
    kernel, reference, args = CASES[name]
    check(kernel, reference, lambda: args)
    prove(kernel, args, chips=("v5e",), seeds=(0,))
    assert "tile.gather" not in kernel.bind(*args).mlir(after="raise-gathers")


def test_no_size_is_chosen() -> None:
    """The run says it: a tuner has nothing to choose."""
    operands = (Operand("x", (5, 640), "f32"), Operand("y", (5,), "f32"))
    program = Program("run_before", run_before.bind(X, Y).mlir(), operands)
    sizes = {level.axis: level.size for work in program.workloads for level in work.levels}
    assert sizes == {"rows": None, "c": RUN}
    assert default_choice(program, "v5e").sizes.keys() == {"rows"}
