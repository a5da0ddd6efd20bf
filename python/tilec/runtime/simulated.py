"""Tracing on a machine without a TPU as if one were there."""

import contextlib
from collections.abc import Generator

import jax
from jax.sharding import use_abstract_mesh

from tilec.chips import Chip
from tilec.runtime.mesh import abstract_mesh


@contextlib.contextmanager
def simulated(chip: Chip) -> Generator[None]:
    """Kernels that are traced meanwhile see the chip, and 32-bit types as it has them."""
    with use_abstract_mesh(abstract_mesh(chip)), jax.enable_x64(False):
        yield
