"""A matrix product for each of a batch: one at a time, and several at once."""

import torch

import tilec
import tilec.language as hl
from tilec.testing import check


@tilec.kernel
def bmm(x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    """x[batch, m, k] @ w[batch, k, n], both f32 or bf16; sums are f32."""
    (batch, m, depth), n = x.size(), w.size(2)
    out = torch.empty([batch, m, n], dtype=x.dtype)
    for b in hl.grid(batch):
        for rows, cols in hl.tile([m, n]):
            acc = hl.zeros([rows, cols], dtype=torch.float32)
            for k in hl.tile(depth):
                acc = hl.dot(x[b, rows, k], w[b, k, cols], acc=acc)
            out[b, rows, cols] = acc.to(x.dtype)
    return out


@tilec.kernel
def bmm_tiled(x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    """The same, with tiles of the batch."""
    (batch, m, depth), n = x.size(), w.size(2)
    out = torch.empty([batch, m, n], dtype=x.dtype)
    for b, rows, cols in hl.tile([batch, m, n]):
        acc = hl.zeros([b, rows, cols], dtype=torch.float32)
        for k in hl.tile(depth):
            acc = torch.baddbmm(acc, x[b, rows, k], w[b, k, cols])
        out[b, rows, cols] = acc.to(x.dtype)
    return out


def reference(x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    return (x.float() @ w.float()).to(x.dtype)


def arguments(seed: int = 0, dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor, torch.Tensor]:
    """Extents that no block divides."""
    torch.manual_seed(seed)
    return torch.randn(2, 45, 150).to(dtype), torch.randn(2, 150, 200).to(dtype)


if __name__ == "__main__":
    check(bmm, reference, arguments)
    check(bmm_tiled, reference, arguments)
