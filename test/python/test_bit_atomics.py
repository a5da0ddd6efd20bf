"""Atomics of bits, whose lanes no instruction of a TPU reduces: halves are combined, then a scan is left."""

import numpy as np
import pytest
import torch

import tilec
import tilec.language as hl
from tilec.testing import agree, prove

KEYS = 37
RANDOM = torch.Generator().manual_seed(0)
VALUES = torch.randint(-(2**31), 2**31 - 1, (1000,), generator=RANDOM).int()
IDS = torch.randint(0, KEYS, (1000,), generator=RANDOM)


def either(values: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    out = torch.zeros([KEYS], dtype=torch.int32)
    for r in hl.tile(values.size(0)):
        hl.atomic_or(out, [ids[r]], values[r])
    return out


def both(values: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    out = torch.full([KEYS], -1, dtype=torch.int32)
    for r in hl.tile(values.size(0)):
        hl.atomic_and(out, [ids[r]], values[r])
    return out


def odd(values: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    out = torch.zeros([KEYS], dtype=torch.int32)
    for r in hl.tile(values.size(0)):
        hl.atomic_xor(out, [ids[r]], values[r])
    return out


UPDATES = {
    "or": (either, np.bitwise_or, 0),
    "and": (both, np.bitwise_and, -1),
    "xor": (odd, np.bitwise_xor, 0),
}


@pytest.mark.parametrize("rows", [128, 384, 640, 1024])
@pytest.mark.parametrize("name", UPDATES)
def test_lanes_of_several_registers(name: str, rows: int) -> None:
    update, combine, start = UPDATES[name]
    wanted = np.full([KEYS], start, np.int32)
    combine.at(wanted, IDS.numpy(), VALUES.numpy())
    kernel = tilec.kernel(config=tilec.Config(blocks={"r": rows}))(update)
    agree(kernel(VALUES, IDS), torch.tensor(wanted), name)


def test_is_proven() -> None:
    prove(tilec.kernel(config=tilec.Config(blocks={"r": 512}))(odd), (VALUES, IDS), seeds=(0,))


def test_many_lanes_compile_by_default() -> None:
    """Scans of all lanes took 64 MiB of such a tile on the chip."""
    ids = torch.randint(0, 1024, (65536,))

    @tilec.kernel
    def flags(values: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        out = torch.zeros([1024], dtype=torch.int32)
        for r in hl.tile(values.size(0)):
            hl.atomic_or(out, [ids[r]], values[r])
        return out

    flags.bind(torch.zeros(65536, dtype=torch.int32), ids).aot("v5e")
