"""Mamba 2, first step: what each chunk of a sequence leaves behind as the state of its heads."""

import torch

import tilec
import tilec.language as hl
from tilec.testing import check


@tilec.kernel
def mamba_chunk_state(
    b: torch.Tensor, x: torch.Tensor, dt: torch.Tensor, decay: torch.Tensor
) -> torch.Tensor:
    """The sum over a chunk's steps of x * dt * b, decayed to its end, [batch, chunks, heads, dim, state].

    b is f32 or bf16[batch, chunks, steps, groups, state] and x [batch, chunks, steps, heads, dim]; several
    heads share a group. dt and decay, a running sum of logarithms, are f32[batch, heads, chunks, steps]."""
    batch, chunks, steps, groups, state = b.size()
    heads, dim = x.size(3), x.size(4)
    share = heads // groups
    out = torch.empty([batch, chunks, heads, dim, state], dtype=x.dtype)
    for i, c, h in hl.grid([batch, chunks, heads]):
        for p, n in hl.tile([dim, state]):
            last = decay[i, h, c, steps - 1]
            acc = hl.zeros([p, n], dtype=torch.float32)
            for t in hl.tile(steps):
                scale = torch.exp(last - decay[i, h, c, t]) * dt[i, h, c, t]
                scaled = b[i, c, t, h // share, n].to(torch.float32) * scale[:, None]
                acc = hl.dot(x[i, c, t, h, p].T, scaled.to(x.dtype), acc=acc)
            out[i, c, h, p, n] = acc.to(x.dtype)
    return out


def reference(b: torch.Tensor, x: torch.Tensor, dt: torch.Tensor, decay: torch.Tensor) -> torch.Tensor:
    scale = torch.exp(decay[..., -1:] - decay) * dt
    by_head = b.float().repeat_interleave(x.size(3) // b.size(3), dim=3)
    return torch.einsum("bclhp,bhcl,bclhn->bchpn", x.float(), scale, by_head).to(x.dtype)


def arguments(seed: int = 0, dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor, ...]:
    """Chunks of 48 steps, which no block divides; two heads share a group."""
    torch.manual_seed(seed)
    b = torch.randn(1, 2, 48, 1, 64).to(dtype)
    x = torch.randn(1, 2, 48, 2, 64).to(dtype)
    dt = torch.rand(1, 2, 2, 48)
    return b, x, dt, -(dt * 0.1).cumsum(dim=3)


if __name__ == "__main__":
    check(mamba_chunk_state, reference, arguments)
