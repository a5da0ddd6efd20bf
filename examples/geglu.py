"""gelu(a) * b of arrays of any shape, by a view that has one dimension, and the gradients of both."""

import math

import torch
from torch.nn import functional

import tilec
import tilec.language as hl
from tilec.testing import check


@tilec.kernel
def geglu(
    a: torch.Tensor, b: torch.Tensor, dy: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """gelu(a) * b, approximated with tanh, and the gradients of a and b; all f32 or bf16 of one shape."""
    out, da, db = torch.empty_like(a), torch.empty_like(a), torch.empty_like(a)
    flat_a, flat_b, flat_dy = a.view(-1), b.view(-1), dy.view(-1)
    flat_out, flat_da, flat_db = out.view(-1), da.view(-1), db.view(-1)
    for lanes in hl.tile(flat_a.size(0)):
        x = flat_a[lanes].to(torch.float32)
        gate = flat_b[lanes].to(torch.float32)
        grad = flat_dy[lanes].to(torch.float32)
        # gelu(x) = x * share(x), and the derivative of the share follows from that of tanh, 1 - tanh^2.
        bend = torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x))
        share = 0.5 * (1 + bend)
        slope = 0.5 * (1 - bend * bend) * math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * x * x)
        flat_out[lanes] = x * share * gate
        flat_da[lanes] = grad * gate * (share + x * slope)
        flat_db[lanes] = grad * x * share
    return out, da, db


def reference(
    a: torch.Tensor, b: torch.Tensor, dy: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    x, gate = (each.float().requires_grad_() for each in (a, b))
    out = functional.gelu(x, approximate="tanh") * gate
    da, db = torch.autograd.grad(out, (x, gate), dy.float())
    return out.detach().to(a.dtype), da.to(a.dtype), db.to(a.dtype)


def arguments(
    seed: int = 0, dtype: torch.dtype = torch.float32
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Three dimensions, whose 2,100 elements no block divides."""
    torch.manual_seed(seed)
    a, b, dy = (torch.randn(5, 12, 35).to(dtype) for _ in range(3))
    return a * 3, b, dy


if __name__ == "__main__":
    check(geglu, reference, arguments)
