"""Single elements of long vectors, looked for in rows that are gathered: the three proofs."""

import pytest
import torch

import tilec
import tilec.language as hl
from tilec.testing import check, prove


@tilec.kernel
def of_labels(x: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """The element of each row at its label, which may be one of another row; -1 is none."""
    out = torch.empty([x.size(0)], dtype=x.dtype)
    flat = x.view(-1)
    for rows in hl.tile(x.size(0)):
        label = labels[rows]
        out[rows] = hl.load(flat, [rows.index * x.size(1) + label], extra_mask=label != -1)
    return out


def chosen(x: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    places = torch.arange(x.size(0)) * x.size(1) + labels.clamp(min=0)
    return torch.where(labels != -1, x.flatten()[places], 0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.int8], ids=str)
def test_of_labels(dtype: torch.dtype) -> None:
    """Beside elements that are not finite, and some of these."""
    x = (torch.arange(64 * 1024) % 251 - 125).reshape(64, 1024).to(dtype)
    labels = (torch.arange(64) * 37 % 1024).to(torch.int32)
    labels[3], labels[5], labels[6] = -1, 1300, 0
    if dtype.is_floating_point:
        x = x / 3
        x[:, 1::2] = torch.nan
        x[6, 0], x[7, 10] = torch.inf, -torch.inf
        labels[7:] -= labels[7:] % 2
        labels[7] = 10
    check(of_labels, chosen, lambda: (x, labels))
    prove(of_labels, (x, labels), chips=("v5e",), seeds=(0,))
    assert "tile.view %x : memref<64x1024" in of_labels.bind(x, labels).mlir(after="fold-gathers")
