"""Tracing on a machine without a TPU as if one were there."""

import contextlib
from collections.abc import Generator

import jax
from jax.sharding import AbstractDevice, AbstractMesh, use_abstract_mesh

from tilec.chips import Chip


@contextlib.contextmanager
def simulated(chip: Chip) -> Generator[None]:
    """Kernels that are traced meanwhile see the chip, and 32-bit types as it has them."""
    device = AbstractDevice(device_kind=chip.device_kind, num_cores=chip.cores, platform="tpu")
    with use_abstract_mesh(AbstractMesh((1,), ("core",), abstract_device=device)), jax.enable_x64(False):
        yield
