"""The TPU of this machine, where there is one."""

from functools import cache
from pathlib import Path
from typing import Any

from tilec.chips import CHIPS

DEVICES = Path("/dev")
FILES = ("accel*", "vfio/[0-9]*")
"""What the driver of a TPU puts into /dev: the first up to v4, the second later."""
USUAL = "v5e"
"""The chip that kernels are made for where there is none: the least of those that are sold."""


def device_kind(folder: Path = DEVICES) -> str | None:
    """What jax calls the TPU that it has. It is not asked, nor imported, where there is none."""
    if not any(True for pattern in FILES for _ in folder.glob(pattern)):
        return None
    import jax

    try:
        devices: list[Any] = list(jax.devices("tpu"))  # pyright: ignore
    except RuntimeError:  # another process has it, or it is no TPU
        return None
    return str(devices[0].device_kind)


@cache
def chip_here() -> str:
    """The chip that kernels are made for where nothing is said: that of the TPU here, v5e without one."""
    kind = device_kind()
    return next((chip.name for chip in CHIPS.values() if chip.device_kind == kind), USUAL)
