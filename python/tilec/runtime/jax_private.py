"""The one place that reaches into private parts of jax, pinned by the jax version in pyproject.toml."""

from typing import Any, NoReturn, cast

from jax._src import dispatch, source_info_util
from jax._src.interpreters import mlir
from jax._src.pallas.mosaic import lowering, tpu_info
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
