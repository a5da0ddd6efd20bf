"""The one place that reaches into private parts of jax, pinned by the jax version in pyproject.toml."""

from jax._src.pallas.mosaic import tpu_info
from jax.experimental.pallas import tpu as pltpu


def describe_cpu_as_tpu() -> None:
    """Lets the TPU interpreter ask what chip it plays when it has no mesh to read that from.

    The interpreter's callbacks run on threads of their own, which do not see the abstract mesh of the thread
    that called the kernel. They only ask for the generation, to know the tiling of a padded buffer, and that
    is the same from v4 on.
    """
    tpu_info.registry["cpu"] = lambda: pltpu.get_tpu_info_for_chip(pltpu.ChipVersion.TPU_V5E, 1)
