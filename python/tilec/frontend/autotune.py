"""`tilec.autotune`: the search for a kernel's configuration."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from tilec.frontend.config import Config
from tilec.frontend.kernel import Bound, Kernel
from tilec.frontend.keys import tensors_in
from tilec.frontend.tuned import TunedConfig, config_of, default_for, program_of
from tilec.tuning.decision import Decision, Example, extents_of
from tilec.tuning.search import Budget
from tilec.tuning.timing import Times
from tilec.tuning.tuner import tune


@dataclass(frozen=True)
class TuningResult:
    """What `autotune` found.

    `config` is the configuration to take, `seconds` its estimate, `measured_seconds` what a call took on a
    TPU, None where there is none of that chip; `tuned` is it for other shapes too. `ranking` has all
    configurations that were compared with the seconds of their estimates, the best first; `measured` those
    that were run, with the seconds that they took; `refused` those that came to nothing, and why. They are
    empty where the result was known from before.
    """

    config: Config
    seconds: float
    measured_seconds: float | None
    tuned: TunedConfig
    ranking: tuple[tuple[Config, float], ...]
    measured: tuple[tuple[Config, float], ...]
    refused: tuple[tuple[Config, str], ...]
    compiles: int
    ended: str


def autotune(
    kernel: Kernel[..., Any],
    args: Sequence[Any],
    *,
    chip: str = "v5e",
    seconds: float = 60,
    compiles: int = 40,
) -> TuningResult:
    """Search for the configuration with which a kernel is fastest for arguments like `args`, on `chip`.

    Choices are compiled with the real TPU compiler and estimated; no TPU is needed. Where there is one of
    that chip, those that estimates cannot tell apart are run, and the fastest is taken. Of integer arguments,
    such as offsets, the elements count. The search takes no more than about so many `seconds` and so many
    `compiles`; an interrupt ends it and keeps the best. Results are kept in the user's cache folder.

    Raises ValueError for an unknown chip, TypeError and TraceError as `kernel.bind` does, TileError for what
    a pass refuses, and NothingFits where no choice can be taken.
    """
    given = kernel.config if isinstance(kernel.config, Config) else Config()
    traced = kernel.bind(*args).traced
    tensors = [*tensors_in({"args": list(args)}), *traced.captured]
    program = program_of(traced, [_integers(each) for each in tensors])
    found = tune(program, chip, Budget(seconds, compiles))
    example = Example(tuple(sorted(extents_of(program).items())), found.choice)
    outcome = found.outcome
    ranking = () if outcome is None else outcome.ranking
    refused = [] if outcome is None else outcome.refused
    times = Times() if found.times is None else found.times
    measured = sorted(times.seconds.items(), key=lambda pair: pair[1])
    return TuningResult(
        config_of(found.choice, given),
        found.seconds,
        found.measured,
        TunedConfig(Decision(traced.name, chip, (example,))),
        tuple((config_of(choice, given), each.seconds or 0.0) for choice, each in ranking),
        tuple((config_of(choice, given), each) for choice, each in measured),
        tuple((config_of(choice, given), why) for choice, why in [*refused, *times.refused.items()]),
        0 if outcome is None else outcome.compiles,
        "it was known" if outcome is None else outcome.ended,
    )


def default_config(bound: Bound, chip: str = "v5e") -> Config:
    """The configuration that an analytic model thinks best for a bound kernel on a chip; nothing is compiled.

    It fits the chip's memory by the ledger of `--plan-memory`. Raises ValueError for an unknown chip.
    """
    return default_for(bound.traced, chip, bound.given)


def _integers(tensor: Any) -> tuple[int, ...] | None:
    """The elements of an array of integers, where it has any to read."""
    if isinstance(tensor, torch.Tensor):
        known = tensor.device.type != "meta" and not (tensor.is_floating_point() or tensor.is_complex())
        return tuple(map(int, tensor.flatten().tolist())) if known else None
    return tuple(map(int, tensor.reshape(-1).tolist())) if tensor.dtype.kind in "iub" else None
