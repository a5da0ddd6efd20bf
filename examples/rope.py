"""Rotary position embedding: pairs of lanes turn by an angle that grows with the position."""

import torch

import tilec
import tilec.language as hl
from tilec.testing import check


@tilec.kernel
def rope(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Of f32 or bf16[heads, length, dim] by f32[length, dim / 2]. Lane i is paired with lane i + dim / 2."""
    heads, length, dim = x.size()
    half = dim // 2
    out = torch.empty_like(x)
    for h in hl.grid(heads):
        for rows in hl.tile(length):
            both = x[h, rows, :].to(torch.float32)
            left, right = both[:, :half], both[:, half:]
            c, s = cos[rows, :], sin[rows, :]
            turned = torch.cat([left * c - right * s, right * c + left * s], dim=1)
            out[h, rows, :] = turned.to(x.dtype)
    return out


def reference(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    left, right = x.float().chunk(2, dim=2)
    turned = torch.complex(left, right) * torch.complex(cos, sin)
    return torch.cat([turned.real, turned.imag], dim=2).to(x.dtype)


def arguments(
    seed: int = 0, dtype: torch.dtype = torch.float32
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A length that no block divides. Lane i turns by the position times 10,000 ** (-2 * i / dim)."""
    torch.manual_seed(seed)
    angle = torch.arange(37)[:, None] * 10_000.0 ** (-torch.arange(0, 128, 2) / 128)
    return torch.randn(2, 37, 128).to(dtype), angle.cos(), angle.sin()


if __name__ == "__main__":
    check(rope, reference, arguments)
