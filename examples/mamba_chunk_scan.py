"""Mamba 2, last step: the outputs of a chunk, from the state before it and from its own earlier steps."""

import torch

import tilec
import tilec.language as hl
from tilec.testing import check


@tilec.kernel
def mamba_chunk_scan(
    c: torch.Tensor,
    b: torch.Tensor,
    x: torch.Tensor,
    dt: torch.Tensor,
    decay: torch.Tensor,
    states: torch.Tensor,
    skip: torch.Tensor,
) -> torch.Tensor:
    """Of x[batch, chunks, steps, heads, dim], and like it; c and b are [batch, chunks, steps, groups, state].

    Step t is c[t] @ states * exp(decay[t]), plus c[t] @ b[s] * exp(decay[t] - decay[s]) * dt[s] * x[s] for
    each s up to t, plus skip * x[t]. c, b and x are f32 or bf16, dt and decay f32[batch, heads, chunks,
    steps], states f32[batch, chunks, heads, dim, state], skip f32[heads].
    Several heads share a group."""
    batch, chunks, steps, heads, dim = x.size()
    share = heads // c.size(3)
    out = torch.empty_like(x)
    for i, j, h in hl.grid([batch, chunks, heads]):
        for t, p in hl.tile([steps, dim]):
            now = decay[i, h, j, t]
            query = c[i, j, t, h // share, :]
            acc = hl.dot(query, states[i, j, h, p, :].T.to(c.dtype)) * torch.exp(now)[:, None]
            for s in hl.tile(0, t.end, max_extent=steps):
                scores = hl.dot(query, b[i, j, s, h // share, :].T)
                # Masked before the exponential, which would overflow for steps that are yet to come.
                apart = now[:, None] - decay[i, h, j, s][None, :]
                apart = torch.where(t.index[:, None] >= s.index[None, :], apart, float("-inf"))
                weights = scores * torch.exp(apart) * dt[i, h, j, s][None, :]
                acc = hl.dot(weights.to(x.dtype), x[i, j, s, h, p], acc=acc)
            acc = acc + skip[h] * x[i, j, t, h, p].to(torch.float32)
            out[i, j, t, h, p] = acc.to(x.dtype)
    return out


def reference(
    c: torch.Tensor,
    b: torch.Tensor,
    x: torch.Tensor,
    dt: torch.Tensor,
    decay: torch.Tensor,
    states: torch.Tensor,
    skip: torch.Tensor,
) -> torch.Tensor:
    share = x.size(3) // c.size(3)
    query, key = (each.float().repeat_interleave(share, dim=3) for each in (c, b))
    before = torch.einsum("bclhn,bchpn,bhcl->bclhp", query, states, torch.exp(decay))
    apart = decay[..., :, None] - decay[..., None, :]
    weights = torch.exp(apart).tril() * dt[..., None, :]
    inside = torch.einsum("bclhn,bcshn,bhcls,bcshp->bclhp", query, key, weights, x.float())
    return (before + inside + skip[:, None] * x.float()).to(x.dtype)


def arguments(seed: int = 0, dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor, ...]:
    """Chunks of 48 steps, which no block divides; two heads share a group."""
    torch.manual_seed(seed)
    c, b = (torch.randn(1, 2, 48, 1, 64).to(dtype) for _ in range(2))
    x = torch.randn(1, 2, 48, 2, 64).to(dtype)
    dt = torch.rand(1, 2, 2, 48)
    decay = -(dt * 0.1).cumsum(dim=3)
    return c, b, x, dt, decay, torch.randn(1, 2, 2, 64, 64), torch.randn(2)


if __name__ == "__main__":
    check(mamba_chunk_scan, reference, arguments)
