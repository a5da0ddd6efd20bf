"""The one place that reaches into private parts of jax, pinned by the jax version in pyproject.toml."""

from jax._src import dispatch
from jax._src.pallas.mosaic import tpu_info
from jax.experimental.pallas import tpu as pltpu


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
