"""Rotary position embedding whose pairs are neighbours: lanes 2 * i and 2 * i + 1."""

import torch

import tilec
import tilec.language as hl
from tilec.testing import check


@tilec.kernel
def rope_interleaved(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Of f32 or bf16[heads, length, dim] by f32[length, dim / 2]."""
    heads, length, dim = x.size()
    out = torch.empty_like(x)
    for h in hl.grid(heads):
        for rows in hl.tile(length):
            pairs = x[h, rows, :].to(torch.float32).reshape(rows, dim // 2, 2)
            even, odd = hl.split(pairs)
            c, s = cos[rows, :], sin[rows, :]
            turned = hl.join(even * c - odd * s, odd * c + even * s)
            out[h, rows, :] = turned.reshape(rows, dim).to(x.dtype)
    return out


def reference(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    pairs = torch.view_as_complex(x.float().unflatten(2, (-1, 2)))
    return torch.view_as_real(pairs * torch.complex(cos, sin)).flatten(2).to(x.dtype)


def arguments(
    seed: int = 0, dtype: torch.dtype = torch.float32
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A length that no block divides. Lane i turns by the position times 10,000 ** (-2 * i / dim)."""
    torch.manual_seed(seed)
    angle = torch.arange(37)[:, None] * 10_000.0 ** (-torch.arange(0, 128, 2) / 128)
    return torch.randn(2, 37, 128).to(dtype), angle.cos(), angle.sin()


if __name__ == "__main__":
    check(rope_interleaved, reference, arguments)
