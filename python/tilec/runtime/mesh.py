"""Chips as jax describes them to what is traced, without loading libtpu."""

from jax.sharding import AbstractDevice, AbstractMesh

from tilec.chips import Chip


def abstract_mesh(chip: Chip) -> AbstractMesh:
    """One core of a chip, for `jax.sharding.use_abstract_mesh`: traced kernels then see what chip it is."""
    device = AbstractDevice(device_kind=chip.device_kind, num_cores=chip.cores, platform="tpu")
    return AbstractMesh((1,), ("core",), abstract_device=device)
