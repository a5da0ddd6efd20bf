"""Prints estimates of tilec's kernels beside those of kernels of others, as rows of a Markdown table.

    python benchmarks/peers.py                              # everything on v5e, v6e and tpu7x; takes hours
    python benchmarks/peers.py --chips v5e matmul softmax   # works whose names have one of these words

Nothing is measured: all times are of `tilec.runtime.estimate`, in microseconds, and those within 15 % of each
other are ties. Before a choice stands of how many, at most, it is the best. `least` is what the bandwidth of
HBM or the peak of the matrix units needs, `roofline` that over the tuned time. What is refused, or is not
trusted, is shown and never ranked. `recorded` are Helion's, of another estimator of the same kind."""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import jax
from peer_kernels import Peer
from peer_works import CHIPS, Work, works

from tilec.analysis.cost.estimate import Estimate
from tilec.chips import CHIPS as CHIPS_KNOWN
from tilec.diagnostics import TileError, one_line
from tilec.emit.module import print_module
from tilec.parsing import make_context
from tilec.runtime.aot import CompileRefused
from tilec.runtime.estimate import Compile, estimate
from tilec.runtime.estimating import argument, compiled_here
from tilec.runtime.schedules import Compilation, dump_variables
from tilec.tuning.choice import Choice
from tilec.tuning.defaults import default_choice
from tilec.tuning.program import Program
from tilec.tuning.search import Budget
from tilec.tuning.tuner import NothingFits, tune

BUDGET = Budget(seconds=900, compiles=12)
"""As many compiles as the peers with the most configurations have; time is not to matter."""

HEADS = (
    "work",
    "chip",
    "least",
    "default",
    "tuned",
    "peers",
    "best peer",
    "tuned / peer",
    "default / peer",
    "roofline",
    "bound",
    "recorded",
)


@dataclass(frozen=True)
class Side:
    """What one side takes: the best of its configurations, or why there is none."""

    name: str
    configuration: str
    tried: int
    estimate: Estimate | None
    failure: str = ""

    @property
    def seconds(self) -> float | None:
        return self.estimate.seconds if self.estimate is not None and self.estimate.trusted else None

    def __str__(self) -> str:
        if self.estimate is None:
            return f"{self.name} {self.failure[:120]}"
        trusted = "" if self.estimate.trusted else f" not trusted: {self.estimate.doubts[0]}"
        return f"{self.name} {micro(self.estimate.seconds)}{trusted} ({self.tried}: {self.configuration})"


class Here:
    """Compiles in this process, where libtpu was not loaded yet: starting one takes longer than compiling."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name, value in dump_variables(str(folder)).items():
            os.environ[name] = f"{os.environ.get(name, '')} {value}"

    def __call__(
        self, text: str, function: str, structs: Sequence[jax.ShapeDtypeStruct], chip: str
    ) -> Compilation:
        return compiled_here(self.folder, text, function, structs, chip)


def micro(seconds: float) -> str:
    return f"{seconds * 1e6:.4g}"


def of_choice(program: Program, choice: Choice, chip: str, name: str, tried: int) -> Side:
    """tilec's kernel for a choice."""
    module = program.module.clone()
    try:
        choice.pipeline(chip).apply(make_context(), module)
        found = estimate(
            print_module(module), program.name, [argument(each) for each in program.operands], chip
        )
    except (TileError, CompileRefused) as error:
        return Side(name, str(choice), tried, None, f"refused: {one_line(error)}")
    return Side(name, str(choice), tried, found)


def ours(program: Program, chip: str) -> tuple[Side, Side]:
    """tilec without tuning and with it."""
    default = of_choice(program, default_choice(program, chip), chip, "default", 1)
    try:
        tuned = tune(program, chip, BUDGET)
    except NothingFits as error:
        return default, Side("tuned", "", BUDGET.compiles, None, str(error))
    tried = BUDGET.compiles if tuned.outcome is None else tuned.outcome.compiles
    return default, of_choice(program, tuned.choice, chip, "tuned", tried)


def theirs(peer: Peer, chip: str, compiler: Compile) -> Side:
    """The best of a peer's configurations; one that is not trusted only where none is."""
    sides: list[Side] = []
    for candidate in peer.candidates:
        try:
            found = estimate(candidate.text, "f", candidate.arguments, chip, compiler)
            sides.append(Side(peer.name, candidate.configuration, len(peer.candidates), found))
        except CompileRefused as error:
            failure = f"refused: {one_line(error)}"
            sides.append(Side(peer.name, candidate.configuration, len(peer.candidates), None, failure))
    return min(sides, key=lambda side: (side.estimate is None, side.seconds is None, side.seconds or 0.0))


def row(work: Work, chip: str, compiler: Compile) -> list[str]:
    """One line of the table."""
    target = CHIPS_KNOWN[chip]
    least = max(work.flops / (target.bf16_tflop_per_s * 1e12), work.bytes / (target.hbm_gb_per_s * 1e9))
    default, tuned = ours(work.program(), chip)
    peers = [theirs(peer, chip, compiler) for peer in work.peers]
    ranked = [peer for peer in peers if peer.seconds is not None]
    best = min(ranked, key=lambda peer: peer.seconds or 0.0, default=None)
    bound = ""
    if tuned.estimate is not None:
        bound = max(tuned.estimate.operations, key=lambda each: each.seconds).bound
    return [
        work.name,
        chip,
        micro(least),
        str(default).removeprefix("default "),
        str(tuned).removeprefix("tuned "),
        "; ".join(map(str, peers)),
        "" if best is None else f"{best.name} {micro(best.seconds or 0.0)}",
        over(tuned.seconds, best and best.seconds),
        over(default.seconds, best and best.seconds),
        over(least, tuned.seconds),
        bound,
        f"Helion {work.recorded[chip]:g}" if chip in work.recorded else "",
    ]


def over(one: float | None, other: float | None) -> str:
    return "" if one is None or other is None else f"{one / other:.2f}"


def compare(chosen: Sequence[Work], chips: Sequence[str], compiler: Compile) -> None:
    """Print the table, each row as soon as it is known."""
    print("|", " | ".join(HEADS), "|\n|" + " --- |" * len(HEADS), flush=True)
    for chip in chips:
        for work in chosen:
            print("|", " | ".join(row(work, chip, compiler)), "|", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("words", nargs="*", metavar="WORD", help="of the names of works; all without")
    parser.add_argument("--chips", default=",".join(CHIPS), help=f"of {','.join(CHIPS_KNOWN)}")
    options = parser.parse_args()
    chosen = [
        work for work in works() if not options.words or any(word in work.name for word in options.words)
    ]
    with TemporaryDirectory(prefix="tilec-") as folder:
        compare(chosen, options.chips.split(","), Here(Path(folder)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
