"""Tunes examples and compares: the best of a sample of the space, the tuner's choice, and the default.

    python benchmarks/tuning.py                     # all examples, 60 choices of each space
    python benchmarks/tuning.py --sample 200 matmul
    python benchmarks/tuning.py --exhaustive softmax layer_norm
    python benchmarks/tuning.py --save points.json  # every estimate, for a look at the model

Times are estimates of `tilec.analysis.cost`, in microseconds, of kernels compiled for `--chip`. `rank` is the
Spearman correlation of the analytic model with the estimates of the sample, `right` the share of its pairs
that the model has in the right order, of those whose estimates differ by 15 %: less counts as equal.
"""

import argparse
import json
import os
import random
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from tuning_cases import CASES, program

from tilec.chips import CHIPS
from tilec.tuning.choice import Choice
from tilec.tuning.defaults import default_choice
from tilec.tuning.estimates import Estimate
from tilec.tuning.pool import Pool
from tilec.tuning.program import Program
from tilec.tuning.scoring import Scorer
from tilec.tuning.search import Budget
from tilec.tuning.space import Space
from tilec.tuning.structures import space_of
from tilec.tuning.tuner import tune

EQUAL = 0.15
"""Estimates that differ by less count as equal."""


def sampled(space: Space, scorer: Scorer, count: int) -> list[Choice]:
    """Choices all over the space, but for those whose windows do not fit the chip."""
    draw = random.Random(0)
    found: dict[Choice, None] = {}
    for _ in range(20 * count):
        structure = draw.choice(space.structures)
        axes = space.axes_of(structure)
        choice = structure.with_sizes({each.axis: draw.choice(each.sizes) for each in axes})
        if len(found) < count and space.legal(choice) and scorer.score(choice) < float("inf"):
            found[choice] = None
    return list(found)


def all_of(space: Space, scorer: Scorer) -> list[Choice]:
    """Every choice, but for those whose windows do not fit the chip."""
    every = [choice for structure in space.structures for choice in space.all_of(structure)]
    return [each for each in every if space.legal(each) and scorer.score(each) < float("inf")]


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


def right(pairs: list[tuple[float, float]]) -> float:
    """The share of pairs in the same order in both columns, of those that differ in the second."""
    told = [
        (one[0] - other[0]) * (one[1] - other[1]) > 0
        for place, one in enumerate(pairs)
        for other in pairs[:place]
        if max(one[1], other[1]) > (1 + EQUAL) * min(one[1], other[1])
    ]
    return sum(told) / len(told) if told else 1.0


def measured(program: Program, chip: str, choices: list[Choice]) -> dict[Choice, Estimate]:
    with Pool(program, chip) as pool:
        return dict(zip(choices, pool.estimate(choices), strict=True))


def microseconds(estimate: Estimate) -> str:
    return f"{1e6 * estimate.seconds:.1f}" if estimate.ranked else "refused"


def row(name: str, chip: str, count: int | None, points: dict[str, Any]) -> list[str]:
    """One line of the table, for a sample of choices, or all of them; adds every estimate to `points`."""
    given = program(name)
    space, scorer = space_of(given, chip), Scorer(given, CHIPS[chip])
    started = time.perf_counter()
    tuned = tune(given, chip, Budget())
    took = time.perf_counter() - started
    default = default_choice(given, chip)
    sample = all_of(space, scorer) if count is None else sampled(space, scorer, count)
    every = tuned.outcome.found | measured(given, chip, [default, *sample])
    ranked = {choice: each for choice, each in every.items() if each.ranked}
    points[name] = [
        {"choice": each.to_json(), "seconds": every[each].seconds, "model": scorer.score(each)}
        for each in ranked
    ]
    best = min(ranked, key=lambda each: ranked[each].seconds)
    pairs = [(scorer.score(each), ranked[each].seconds) for each in sample if each in ranked]
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
        f"{spearman(pairs):.2f}",
        f"{right(pairs):.2f}",
        str(sum(not each.ranked for each in every.values())),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("examples", nargs="*", default=list(CASES), metavar="EXAMPLE", help=", ".join(CASES))
    parser.add_argument("--chip", default="v5e", choices=list(CHIPS))
    parser.add_argument("--sample", type=int, default=60, help="choices of each space that are compiled")
    parser.add_argument("--exhaustive", action="store_true", help="compile all choices, for small spaces")
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
        "right",
        "not ranked",
    )
    table = Table(*heads)
    points: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = folder  # nothing is known from before
        for name in options.examples:
            table.add_row(*row(name, options.chip, None if options.exhaustive else options.sample, points))
            if options.save:
                options.save.write_text(json.dumps(points))
    Console(width=230).print(table)


if __name__ == "__main__":
    main()
