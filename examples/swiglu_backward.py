"""The gradient of silu(gate) * up, of which both halves go to one array."""

import torch
from torch.nn import functional

import tilec
import tilec.language as hl
from tilec.testing import check


@tilec.kernel
def swiglu_backward(x: torch.Tensor, dy: torch.Tensor) -> torch.Tensor:
    """Of x, f32 or bf16[rows, 2 * columns] with gates before values, for dy[rows, columns]."""
    columns = dy.size(1)
    dx = torch.empty_like(x)
    for rows, cols in hl.tile(dy.size()):
        gate = x[rows, cols].to(torch.float32)
        up = x[rows, cols.index + columns].to(torch.float32)
        grad = dy[rows, cols].to(torch.float32)
        share = torch.sigmoid(gate)
        dx[rows, cols] = grad * up * share * (1 + gate * (1 - share))
        dx[rows, cols.index + columns] = grad * gate * share
    return dx


def reference(x: torch.Tensor, dy: torch.Tensor) -> torch.Tensor:
    both = x.float().requires_grad_()
    gate, up = both.chunk(2, dim=1)
    (dx,) = torch.autograd.grad(functional.silu(gate) * up, (both,), dy.float())
    return dx.to(x.dtype)


def arguments(seed: int = 0, dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor, torch.Tensor]:
    """The second half begins at column 200, between tiles of memory."""
    torch.manual_seed(seed)
    return (torch.randn(37, 400) * 3).to(dtype), torch.randn(37, 200).to(dtype)


if __name__ == "__main__":
    check(swiglu_backward, reference, arguments)
