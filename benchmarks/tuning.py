"""Tunes examples and compares: the best of a sample of the space, the tuner's choice, and the default.

    python benchmarks/tuning.py                     # all examples, 60 choices of each space
    python benchmarks/tuning.py --sample 200 matmul
    python benchmarks/tuning.py --save points.json  # every estimate, for a look at the model

Times are estimates of `tilec.analysis.cost`, in microseconds, of kernels compiled for `--chip`. `rank` is the
Spearman correlation of the analytic model with the estimates of the sample.
"""

import argparse
import importlib.util
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from tilec.chips import CHIPS
from tilec.frontend.keys import tensors_in
from tilec.frontend.tuned import program_of
from tilec.tuning.choice import Choice
from tilec.tuning.defaults import default_choice
from tilec.tuning.estimates import Estimate
from tilec.tuning.pool import Pool
from tilec.tuning.program import Program
from tilec.tuning.scoring import Scorer
from tilec.tuning.search import Budget
from tilec.tuning.space import Space, space_of
from tilec.tuning.tuner import tune

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
BF16 = torch.bfloat16


def empty(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.empty(shape, dtype=dtype, device="meta")


def offsets(rows: int, groups: int) -> torch.Tensor:
    """Groups whose sizes go from almost nothing to twice the mean."""
    generator = torch.Generator().manual_seed(0)
    cuts = torch.randint(0, rows, (groups - 1,), generator=generator).sort().values
    return torch.cat([torch.tensor([0]), cuts, torch.tensor([rows])])


CASES: dict[str, tuple[str, Callable[[], tuple[Any, ...]]]] = {
    "matmul": ("matmul", lambda: (empty(1024, 1024, dtype=BF16), empty(1024, 1024, dtype=BF16))),
    "softmax": ("softmax", lambda: (empty(2048, 2048),)),
    "softmax_two_pass": ("softmax", lambda: (empty(2048, 2048),)),
    "jagged_sum": ("jagged_sum", lambda: (empty(8192, 256), offsets(8192, 64))),
    "jagged_softmax": ("jagged_softmax", lambda: (empty(8192, 256), offsets(8192, 64))),
    "attention": ("attention", lambda: (*[empty(1, 4, 512, 128, dtype=BF16)] * 3, False)),
    "attention_causal": ("attention_causal", lambda: tuple([empty(4, 1024, 128, dtype=BF16)] * 3)),
    "layer_norm": ("layer_norm", lambda: (empty(4096, 1024), empty(1024), empty(1024))),
    "bmm": ("bmm", lambda: (empty(8, 512, 512, dtype=BF16), empty(8, 512, 512, dtype=BF16))),
    "swiglu": ("swiglu", lambda: (empty(2048, 4096, dtype=BF16),)),
    "grouped_gemm": (
        "grouped_gemm",
        lambda: (empty(4096, 512, dtype=BF16), empty(8, 512, 512, dtype=BF16), offsets(4096, 8)),
    ),
}
"""The kernel, the file of its example, and arguments of some size."""


def program(name: str) -> Program:
    file, arguments = CASES[name]
    spec = importlib.util.spec_from_file_location(f"example_{file}", EXAMPLES / f"{file}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    args = arguments()
    traced = getattr(module, name).bind(*args).traced
    return program_of(traced, [integers(each) for each in tensors_in({"args": list(args)})])


def integers(tensor: torch.Tensor) -> tuple[int, ...] | None:
    return None if tensor.is_floating_point() else tuple(tensor.tolist())


def sampled(space: Space, scorer: Scorer, count: int) -> list[Choice]:
    """Choices all over the space, but for those whose windows do not fit the chip."""
    draw = random.Random(0)
    ordered = scorer.ordered(space, space.structures[0])
    found: dict[Choice, None] = {}
    for _ in range(20 * count):
        choice = draw.choice(space.structures).with_sizes(draw.choice(ordered).sizes)
        if space.legal(choice) and len(found) < count:
            found[choice] = None
    return list(found)


def spearman(pairs: list[tuple[float, float]]) -> float:
    """The correlation of ranks; ties have the mean of theirs."""

    def ranks(values: list[float]) -> list[float]:
        ordered = sorted(values)
        return [ordered.index(each) + (ordered.count(each) - 1) / 2 for each in values]

    columns = [ranks(list(column)) for column in zip(*pairs, strict=True)]
    means = [sum(each) / len(each) for each in columns]
    centred = [[value - mean for value in column] for column, mean in zip(columns, means, strict=True)]
    over = sum(a * b for a, b in zip(*centred, strict=True))
    under = (sum(a * a for a in centred[0]) * sum(b * b for b in centred[1])) ** 0.5
    return over / under if under else 1.0


def measured(program: Program, chip: str, choices: list[Choice]) -> dict[Choice, Estimate]:
    with Pool(program, chip) as pool:
        return dict(zip(choices, pool.estimate(choices), strict=True))


def microseconds(estimate: Estimate) -> str:
    return f"{1e6 * estimate.seconds:.1f}" if estimate.ranked else "refused"


def row(name: str, chip: str, count: int, points: dict[str, Any]) -> list[str]:
    """One line of the table; adds every estimate to `points`."""
    given = program(name)
    space, scorer = space_of(given), Scorer(given, CHIPS[chip])
    started = time.perf_counter()
    tuned = tune(given, chip, Budget())
    took = time.perf_counter() - started
    default = default_choice(given, chip)
    sample = sampled(space, scorer, count)
    every = tuned.outcome.found | measured(given, chip, [default, *sample])
    ranked = {choice: each for choice, each in every.items() if each.ranked}
    points[name] = [
        {"choice": each.to_json(), "seconds": every[each].seconds, "model": scorer.score(each)}
        for each in ranked
    ]
    best = min(ranked, key=lambda each: ranked[each].seconds)
    rank = spearman([(scorer.score(each), ranked[each].seconds) for each in sample if each in ranked])
    ratio = tuned.seconds / ranked[best].seconds
    by_default = every[default].seconds / tuned.seconds if every[default].ranked else float("nan")
    return [
        name,
        str(space.count),
        f"{microseconds(ranked[best])}  {best}",
        f"{1e6 * tuned.seconds:.1f}  {tuned.choice}",
        f"{ratio:.2f}",
        f"{microseconds(every[default])}  {default}",
        f"{by_default:.2f}",
        str(tuned.outcome.compiles),
        f"{took:.0f}",
        f"{rank:.2f}",
        str(sum(not each.ranked for each in every.values())),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("examples", nargs="*", default=list(CASES), metavar="EXAMPLE", help=", ".join(CASES))
    parser.add_argument("--chip", default="v5e", choices=list(CHIPS))
    parser.add_argument("--sample", type=int, default=60, help="choices of each space that are compiled")
    parser.add_argument("--save", type=Path, help="write every estimate to this file")
    options = parser.parse_args()
    heads = (
        "example",
        "choices",
        "best",
        "tuned",
        "/ best",
        "default",
        "/ tuned",
        "compiles",
        "s",
        "rank",
        "not ranked",
    )
    table = Table(*heads)
    points: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = folder  # nothing is known from before
        for name in options.examples:
            table.add_row(*row(name, options.chip, options.sample, points))
            if options.save:
                options.save.write_text(json.dumps(points))
    Console(width=230).print(table)


if __name__ == "__main__":
    main()
