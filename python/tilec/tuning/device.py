"""The TPU of this machine, where there is one of the kind that is tuned for."""

import time
from collections.abc import Callable
from functools import partial
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tilec.chips import chip_named
from tilec.diagnostics import TileError, one_line
from tilec.runtime.here import DEVICES, device_kind
from tilec.tuning.choice import Choice
from tilec.tuning.program import Operand, Program
from tilec.tuning.timing import Device, NotTimed

if TYPE_CHECKING:
    from tilec.runtime.launch import Launch


def device_for(program: Program, chip: str, folder: Path = DEVICES) -> Device | None:
    """What runs a program's choices, if jax has a TPU of that kind. It is not asked where there is none."""
    kind = chip_named(chip).device_kind
    return JaxDevice(program, chip) if device_kind(folder) == kind else None


class JaxDevice:
    """Runs a program on the device that jax has; arrays of floats hold small random numbers."""

    def __init__(self, program: Program, chip: str) -> None:
        import jax

        self.program, self.chip = program, chip
        generator = np.random.default_rng(0)
        made = [_argument(each, generator) for each in program.operands]
        self.arguments: list[Any] = jax.device_put(made)  # pyright: ignore[reportUnknownMemberType]

    def prepared(self, choice: Choice) -> Callable[[int], float]:
        """See `Device`."""
        from tilec.runtime.executable import Executable

        try:
            executable = Executable(self.program.module.clone(), None, choice.pipeline(self.chip))
            check, launch = executable.prepared(tuple(each.shape for each in self.arguments))
            check(*self.arguments)
            self._run(launch, 1)
        except (TileError, TypeError, ValueError, RuntimeError) as error:
            raise NotTimed(one_line(error)) from error
        return partial(self._run, launch)

    def _run(self, launch: "Launch", count: int) -> float:
        import jax

        begin = time.perf_counter()
        out = launch(*self.arguments)
        for _ in range(count - 1):
            out = launch(*self.arguments)
        jax.block_until_ready(out)  # pyright: ignore[reportUnknownMemberType]
        return time.perf_counter() - begin


def _argument(operand: Operand, generator: np.random.Generator) -> Any:
    """Elements of an argument: those that are known, zeros for other integers."""
    import jax.numpy as jnp

    dtype = jnp.dtype(operand.dtype)
    if operand.values is not None and len(operand.values) == prod(operand.shape):
        return np.array(operand.values, np.int64).astype(dtype).reshape(operand.shape)
    if jnp.issubdtype(dtype, jnp.floating):
        return generator.standard_normal(operand.shape, np.float32).astype(dtype)
    return np.zeros(operand.shape, dtype)
