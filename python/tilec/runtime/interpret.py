"""Runs emitted kernels on the CPU, in the TPU interpret mode of Pallas."""

import contextlib
import functools
import io
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax.experimental.pallas import tpu as pltpu

from tilec.chips import CHIPS
from tilec.runtime.jax_private import describe_cpu_as_tpu, forget_effects, quick_interpreter
from tilec.runtime.load import file_of, tile_location
from tilec.runtime.simulated import simulated

# What the interpreter prints: a race is a paragraph of indented lines, a semaphore left over is a line.
_RACE = re.compile(r"RACE DETECTED\n((?:  .*\n)+)\n?")
_ACCESS = re.compile(r"(?m)^  (read|write) of \('(\w+)', \d+, \d+, \d+\)\[(.*)\] from \S+ \S+? (.*)$")
_SEMAPHORE = re.compile(r"(Semaphore \S+ has non-zero count .*)\n?")


class RaceError(Exception):
    """A kernel wrote what it also accessed in no given order, or left a semaphore above zero."""


def interpret(
    fn: Callable[..., Any], args: Sequence[Any], *, seed: int = 0, cores: int = 2, races: bool = True
) -> list[np.ndarray[Any, np.dtype[Any]]]:
    """Runs an emitted function on the CPU as a TPU of `cores` cores would, and returns its outputs.

    Parallel axes are dealt to the cores in an order drawn from `seed`. Copies happen as late as they may if
    it is even, at once if it is odd: only the latter shows a copy that nobody waits for. Memory holds NaN
    until it is written, and an access beyond an array's padding fails. Outputs keep their dtypes, bfloat16 as
    that of ml_dtypes. Arguments of 64-bit integers are narrowed to 32 bits.

    Raises `RaceError` if the detector, which `races` switches on, saw a race or a semaphore ended above zero,
    `ValueError` for a 64-bit integer that does not fit and `TypeError` for 64-bit floats. What the kernel
    raises is passed on, with the interpreter ready to run again.
    """
    arrays = [_narrow(position, np.asarray(arg)) for position, arg in enumerate(args)]
    describe_cpu_as_tpu()
    # The detector forgets a kernel when the next one starts, but prints every race it sees.
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        try:
            # Any chip does: the interpreter checks no alignment, and a kernel is traced alike for all.
            with quick_interpreter(), simulated(CHIPS["v5e"]), jax.default_device(jax.devices("cpu")[0]):
                outputs = jax.tree.leaves(jax.block_until_ready(_jitted(fn, seed, cores, races)(*arrays)))
        finally:
            # After an exception jax still has the effects of the kernel that failed, and the interpreter
            # its memory.
            forget_effects()
            pltpu.reset_tpu_interpret_mode_state()
    _raise_if_reported(fn, printed.getvalue())
    return [np.asarray(output) for output in outputs]


@functools.lru_cache(maxsize=64)
def _jitted(fn: Callable[..., Any], seed: int, cores: int, races: bool) -> Callable[..., Any]:
    """The function under `jax.jit`, kept so that a second call with the same shapes traces nothing."""
    params = pltpu.InterpretParams(
        detect_races=races,
        uninitialized_memory="nan",
        buffer_bounds="padded",
        num_cores_or_threads=cores,
        random_seed=seed,
        dma_execution_mode="eager" if seed % 2 else "on_wait",
    )
    return jax.jit(functools.partial(fn, interpret=params))


def _narrow(position: int, array: np.ndarray[Any, np.dtype[Any]]) -> np.ndarray[Any, np.dtype[Any]]:
    """The array with 32-bit integers for 64-bit ones. Jax would narrow too, but wrap what does not fit."""
    narrow = {"int64": np.int32, "uint64": np.uint32}.get(array.dtype.name)
    if array.dtype.name in ("float64", "complex128"):
        raise TypeError(f"argument {position} is {array.dtype}: a TPU has no 64-bit floats, pass float32")
    if narrow is None:
        return array
    limits = np.iinfo(narrow)
    if array.size and (array.min() < limits.min or array.max() > limits.max):
        raise ValueError(
            f"argument {position} holds {array.min()} to {array.max()}: "
            f"a kernel takes {limits.dtype}, {limits.min} to {limits.max}"
        )
    return array.astype(narrow)


def _raise_if_reported(fn: Callable[..., Any], printed: str) -> None:
    """Raises what the interpreter reported; hands on to stdout whatever else was printed."""
    races = list(dict.fromkeys(_race(fn, report) for report in _RACE.findall(printed)))
    semaphores: list[str] = _SEMAPHORE.findall(printed)
    sys.stdout.write(_SEMAPHORE.sub("", _RACE.sub("", printed)))
    if races:
        more = f" (and {len(races) - 1} more)" if len(races) > 1 else ""
        raise RaceError(races[0] + more)
    if semaphores:
        raise RaceError(semaphores[0])


def _race(fn: Callable[..., Any], report: str) -> str:
    """One sentence for the detector's paragraph on two accesses."""
    accesses: list[str] = []
    for kind, space, window, place in _ACCESS.findall(report):
        short = re.sub(r"slice\((\d+), (\d+), 1\)", r"\1:\2", window)
        accesses.append(f"{kind} of {space}[{short}] at {_place(fn, place)}")
    return "race: " + " against ".join(accesses) + ", in no order"


def _place(fn: Callable[..., Any], place: str) -> str:
    """`place`, which is `file:line:col (function)` or `pallas_call`, with the tile op that it came from."""
    match = re.match(re.escape(file_of(fn)) + r":(\d+):", place)
    tile = tile_location(fn, int(match[1])) if match else None
    return f"{place} [{tile}]" if tile else place
