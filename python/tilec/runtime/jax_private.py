"""The one place that reaches into private parts of jax, pinned by the jax version in pyproject.toml."""

import functools
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any, NoReturn, cast

import jax
import numpy as np
from jax._src import callback, core, dispatch, source_info_util
from jax._src.interpreters import mlir
from jax._src.pallas.mosaic import lowering, tpu_info
from jax._src.pallas.mosaic.interpret import thread_map
from jax.experimental.pallas import tpu as pltpu
from jax.extend.mlir import ir


def describe_cpu_as_tpu() -> None:
    """Lets the TPU interpreter ask what chip it plays when it has no mesh to read that from.

    The interpreter's callbacks run on threads of their own, which do not see the abstract mesh of the thread
    that called the kernel. They only ask for the generation, to know the tiling of a padded buffer, and that
    is the same from v4 on.
    """
    tpu_info.registry["cpu"] = lambda: pltpu.get_tpu_info_for_chip(pltpu.ChipVersion.TPU_V5E, 1)


def forget_effects() -> None:
    """Lets kernels run again after one has failed.

    jax keeps the failed kernel's place in the order of effects and hands its error to every later kernel; the
    public `jax.effects_barrier` raises that error before it clears the place.
    """
    dispatch.runtime_tokens.clear()


@contextmanager
def quick_interpreter() -> Generator[None]:
    """Within, Pallas' TPU interpreter takes about half its time for the same.

    Its callbacks get arrays of NumPy as XLA hands them over. Of these they make integers and other arrays of
    NumPy; jax would put each on a device first. And cores compile the program that they have in common once
    for all runs, where the interpreter jits a function of its own for each core and run.
    """
    kept = callback.io_callback_impl, thread_map._run_jaxpr  # pyright: ignore[reportPrivateUsage]
    callback.io_callback_impl = _call_with_numpy
    thread_map._run_jaxpr = _run_compiled  # pyright: ignore[reportPrivateUsage]
    try:
        yield
    finally:
        callback.io_callback_impl, thread_map._run_jaxpr = kept  # pyright: ignore[reportPrivateUsage]


def _call_with_numpy(*args: Any, callback: Callable[..., Any], **_: Any) -> Any:
    with jax.default_device(jax.local_devices(backend="cpu")[0]):
        return jax.tree.map(np.asarray, callback(*args))


_compiling = Lock()
"""Held by the core that compiles, so that the others wait for what it compiled."""


def _run_compiled(jaxpr: core.Jaxpr, consts: Sequence[Any], *args: Any) -> None:
    with _compiling:
        compiled = _compiled(jaxpr)
    compiled(consts, *args)


@functools.lru_cache(maxsize=64)
def _compiled(jaxpr: core.Jaxpr) -> Callable[..., None]:
    def program(consts: Sequence[Any], *args: Any) -> None:
        core.eval_jaxpr(jaxpr, consts, *args)

    def shapes(variables: Sequence[core.Var]) -> list[jax.ShapeDtypeStruct]:
        avals = [cast(core.ShapedArray, each.aval) for each in variables]
        return [jax.ShapeDtypeStruct(aval.shape, aval.dtype) for aval in avals]

    return jax.jit(program).lower(shapes(jaxpr.constvars), *shapes(jaxpr.invars)).compile()


def keep_lines() -> None:
    """Gives each operation of kernels that this process lowers from now on the line that it came from.

    jax lowers equal operations of a kernel once, and all get the line of the first; and what jitted functions
    such as `jnp.where` do has none, as no line of a user is in them. Now each is lowered by itself, and what
    has no line gets that of the call. There is no public switch for either.
    """
    located = mlir.source_info_to_location

    def of_its_own(*_: object, **__: object) -> NoReturn:
        raise lowering.UncacheablePrimitiveError

    def of_the_call(ctx: Any, primitive: Any, name_stack: Any, traceback: Any) -> ir.Location:
        in_kernel = isinstance(ctx, lowering.LoweringContext)
        if in_kernel and source_info_util.user_frame(traceback) is None:
            return cast(ir.Location, ir.Location.current)
        return located(ctx, primitive, name_stack, traceback)

    lowering._emit_pallas_lowering_rule_as_fun = of_its_own  # pyright: ignore[reportPrivateUsage]
    mlir.source_info_to_location = of_the_call
