"""Dropout whose choice follows from a seed and the places of elements, so that the gradient can repeat it."""

import torch

import tilec
import tilec.language as hl
from tilec.testing import check


def scrambled(bits: torch.Tensor) -> torch.Tensor:
    """24 bits, int32, that depend on all bits of an int32 lane: the finaliser of MurmurHash3."""
    # Shifts of negative numbers bring ones in; the masks are those of shifts of numbers without a sign.
    bits = bits ^ ((bits >> 16) & 0xFFFF)
    bits = bits * (0x85EBCA6B - 2**32)
    bits = bits ^ ((bits >> 13) & 0x7FFFF)
    bits = bits * (0xC2B2AE35 - 2**32)
    return (bits ^ (bits >> 16)) & 0xFFFFFF


@tilec.kernel
def dropout(x: torch.Tensor, p: float, seed: int) -> torch.Tensor:
    """x / (1 - p), f32 or bf16 of any shape, with zeros in place of a share of p."""
    flat = x.view(-1)
    out = torch.empty_like(x)
    flat_out = out.view(-1)
    for lanes in hl.tile(flat.size(0)):
        kept = scrambled(lanes.index ^ seed) >= int(p * 2**24)
        scaled = flat[lanes].to(torch.float32) / (1 - p)
        flat_out[lanes] = torch.where(kept, scaled, 0.0).to(x.dtype)
    return out


def reference(x: torch.Tensor, p: float, seed: int) -> torch.Tensor:
    places = torch.arange(x.numel(), dtype=torch.int32).view(x.size())
    kept = scrambled(places ^ seed) >= int(p * 2**24)
    # Were the choice not random, the two would agree about something useless.
    assert abs(kept.float().mean() - (1 - p)) < 0.05
    return (x.float() * kept / (1 - p)).to(x.dtype)


def arguments(seed: int = 0, dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor, float, int]:
    """3,700 elements, which no block divides."""
    torch.manual_seed(seed)
    return torch.randn(37, 100).to(dtype), 0.25, 1234 + seed


if __name__ == "__main__":
    check(dropout, reference, arguments)
