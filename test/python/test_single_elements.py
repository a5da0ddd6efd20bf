"""Single floats that cannot lie in SMEM: of 16 bits, and of arrays too large for it."""

import pytest
import torch

import tilec
import tilec.language as hl
from tilec.dialects.tile import LoadOp
from tilec.testing import agree, prove


@tilec.kernel
def scaled(x: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
    """By the last element of a row, by one whose place is computed, and by one of an array of rank 1."""
    out = torch.empty_like(x)
    for group in hl.grid(x.size(0)):
        for rows in hl.tile(x.size(1), block_size=16):
            last = scales[group, rows.id, scales.size(2) - 1]
            other = scales[group, min(rows.end, x.size(1)) // 16 - 1, rows.begin // 16 + 1]
            out[group, rows, :] = x[group, rows, :] * last + other
    return out


def reference(x: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
    number = torch.arange(x.size(1)) // 16
    last, other = scales[:, number, -1, None], scales[:, number, number + 1, None]
    return x * last + other


@pytest.mark.parametrize(("dtype", "width"), [(torch.bfloat16, 5), (torch.float32, 9000)])
def test_single_elements(dtype: torch.dtype, width: int) -> None:
    """A kernel of them agrees with torch where what is not asked for has no number, and compiles."""
    x, scales = torch.randn(3, 48, 128), torch.randn(3, 3, width).to(dtype)
    scales[:, :, width // 2 + 2 : -1] = torch.inf
    agree(scaled(x, scales), reference(x, scales.float()), "scaled")
    prove(scaled, (x, scales), chips=("v6e",), seeds=(0,))


def test_small_arrays_of_f32_are_read_as_scalars() -> None:
    module = scaled.bind(torch.randn(3, 48, 128), torch.randn(3, 3, 5)).module()
    loads = [op for op in module.walk() if isinstance(op, LoadOp)]
    assert sum(not any(dim.full for dim in op.window) for op in loads) == 2


@pytest.mark.aot
def test_large_arrays_of_scalars_are_one_row() -> None:
    """In rows of 128 they would take 2 MB of scalar memory, which has 1 MiB."""

    @tilec.kernel
    def sums(x: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        out = torch.empty([ids.size(0), x.size(1)])
        for t in hl.grid(ids.size(0)):
            total = hl.zeros([x.size(1)])
            for s in hl.grid(ids.size(1)):
                total = total + x[ids[t, s], :]
            out[t, :] = total
        return out

    x = torch.arange(64.0 * 128).view(64, 128)
    sums.bind(x, torch.zeros(4000, 4, dtype=torch.int32)).aot("v5e")
    ids = torch.arange(300 * 3).view(300, 3) * 7 % 64
    assert torch.equal(sums(x, ids), x[ids].sum(1))
