"""Runs an emitted function where it is called: on a TPU as it is, anywhere else interpreted."""

import functools
import threading
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, NoReturn

import jax
import jax.numpy as jnp
from jax.experimental.pallas import tpu as pltpu

from tilec.runtime.jax_private import describe_cpu_as_tpu

Launch = Callable[..., tuple[jax.Array, ...]]

_INTERPRETER = threading.Lock()
"""All kernels that the interpreter runs at a time share one memory."""


@dataclass(frozen=True)
class Form:
    """The shape and dtype, numpy's name, of an array as a caller has it; `held` is the shape in the kernel.

    That is another one for arrays without dimensions, which have one there, and for those without rows.
    """

    shape: tuple[int, ...]
    held: tuple[int, ...]
    dtype: str


def launcher(fn: Callable[..., Any], arguments: Sequence[Form], results: Sequence[Form]) -> Launch:
    """An emitted function under `jax.jit`, as a function of its arrays that returns a tuple of arrays.

    It raises NotImplementedError where it is derived. Of `results`, 64-bit dtypes count only if jax has them
    switched on.

    Which kernel runs, the real one or the interpreted, the platform decides when it is compiled: so it can be
    exported for a TPU from a machine without. Under `jax.vmap` it runs once for each element of the
    batch, one after the other.
    """
    describe_cpu_as_tpu()
    kernel = functools.partial(fn, interpret=None)
    # Copies reach beyond the last row, into the rest of its tile of memory.
    interpreted = functools.partial(fn, interpret=pltpu.InterpretParams(buffer_bounds="padded"))

    @jax.custom_batching.sequential_vmap
    def run(*arrays: jax.Array) -> tuple[jax.Array, ...]:
        given = [_held(array, form) for array, form in zip(arrays, arguments, strict=True)]
        with jax.enable_x64(False):  # literals in kernels have 32 bits
            out = jax.lax.platform_dependent(*given, tpu=kernel, default=interpreted)
        return tuple(_seen(array, form) for array, form in zip(jax.tree.leaves(out), results, strict=True))

    @jax.custom_jvp
    def underivable(*arrays: jax.Array) -> tuple[jax.Array, ...]:
        return run(*arrays)

    @underivable.defjvp
    def refuse(primals: Any, tangents: Any) -> NoReturn:
        raise NotImplementedError(
            f"{fn.__name__} has no derivative; give it one with jax.custom_vjp, or stop gradients before it"
        )

    return jax.jit(underivable)


def _held(array: jax.Array, form: Form) -> jax.Array:
    """A caller's array in the shape that a kernel takes."""
    if array.dtype == jnp.uint8:  # of which kernels have the bits
        array = jax.lax.bitcast_convert_type(array, jnp.int8)
    if form.shape == form.held:
        return array
    return jnp.zeros(form.held, array.dtype) if 0 in form.shape else jnp.reshape(array, form.held)


def _seen(array: jax.Array, form: Form) -> jax.Array:
    """A kernel's result in the shape and dtype that a caller gets."""
    dtype = jax.dtypes.canonicalize_dtype(form.dtype)
    if 0 in form.shape:
        return jnp.zeros(form.shape, dtype)
    shaped = jnp.reshape(array, form.shape)
    return jax.lax.bitcast_convert_type(shaped, dtype) if dtype == jnp.uint8 else shaped.astype(dtype)


def complete(launch: Launch, arrays: Sequence[Any]) -> tuple[jax.Array, ...]:
    """The results of a launcher's function, computed. Interpreted kernels of several threads take turns.

    Raises what a kernel raised.
    """
    with nullcontext() if jax.default_backend() == "tpu" else _INTERPRETER:
        return jax.block_until_ready(launch(*arrays))
