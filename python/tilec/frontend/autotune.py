"""`tilec.autotune`: the search for a kernel's configuration."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from tilec.frontend.config import Config
from tilec.frontend.elements import name_of
from tilec.frontend.kernel import Bound, Kernel
from tilec.frontend.keys import tensors_in
from tilec.runtime.signature import NARROWED
from tilec.tuning.choice import Choice
from tilec.tuning.program import Operand, Program, text_of
from tilec.tuning.search import Budget
from tilec.tuning.tuner import Tuned, tune


@dataclass(frozen=True)
class TuningResult:
    """What `autotune` found.

    `config` is the configuration to take, `seconds` its estimate. `ranking` has the other configurations that
    were compared with theirs, the best first; `refused` those that came to nothing, and why. Both are empty
    where the result was known from before.
    """

    config: Config
    seconds: float
    ranking: tuple[tuple[Config, float], ...]
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

    Choices are compiled with the real TPU compiler and estimated; no TPU is needed. Of integer arguments,
    such as offsets, the elements count. It takes no more than about so many `seconds` and so many `compiles`;
    an interrupt ends it and keeps the best. Results are kept in the user's cache folder.

    Raises ValueError for an unknown chip, TypeError and TraceError as `kernel.bind` does, TileError for what
    a pass refuses, and NothingFits where no choice can be taken.
    """
    bound = kernel.bind(*args)
    tuned = tune(program_of(bound, tensors_in({"args": list(args)})), chip, Budget(seconds, compiles))
    return _result(kernel.config, tuned)


def program_of(bound: Bound, tensors: Sequence[Any]) -> Program:
    """The program of a bound kernel, for the tensors among its arguments."""
    traced = bound.traced
    operands: list[Operand] = []
    for (name, _, dtype), tensor in zip(traced.parameters, [*tensors, *traced.captured], strict=True):
        element = name_of(dtype)
        operands.append(
            Operand(name, tuple(tensor.shape) or (1,), NARROWED.get(element, element), _integers(tensor))
        )
    return Program(traced.name, text_of(traced.module), tuple(operands), traced.fixed)


def _integers(tensor: Any) -> tuple[int, ...] | None:
    """The elements of an array of integers, where it has any to read."""
    if isinstance(tensor, torch.Tensor):
        known = tensor.device.type != "meta" and not (tensor.is_floating_point() or tensor.is_complex())
        return tuple(map(int, tensor.flatten().tolist())) if known else None
    return tuple(map(int, tensor.reshape(-1).tolist())) if tensor.dtype.kind in "iub" else None


def _result(given: Config, tuned: Tuned) -> TuningResult:
    outcome = tuned.outcome
    ranking = () if outcome is None else outcome.ranking
    refused = () if outcome is None else outcome.refused
    return TuningResult(
        config_of(tuned.choice, given),
        tuned.seconds,
        tuple((config_of(choice, given), each.seconds or 0.0) for choice, each in ranking),
        tuple((config_of(choice, given), why) for choice, why in refused),
        0 if outcome is None else outcome.compiles,
        "it was known" if outcome is None else outcome.ended,
    )


def config_of(choice: Choice, given: Config) -> Config:
    """A choice as a configuration; what a tuner leaves alone is as it was given."""
    return Config(
        blocks=choice.sizes,
        grouping=choice.grouping,
        loop=choice.loop,
        operands=choice.operands,
        gathers=given.gathers,
        shared=given.shared,
        depth=choice.depth,
        fetch=choice.fetch,
        tunables=given.tunables,
    )
