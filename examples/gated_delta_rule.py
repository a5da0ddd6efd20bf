"""The gated delta rule, step by step: a state that decays, and learns a new value for a key."""

import torch

import tilec
import tilec.language as hl
from tilec.testing import check


@tilec.kernel
def gated_delta_rule(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, gate: torch.Tensor, beta: torch.Tensor
) -> torch.Tensor:
    """[heads, steps, values] like v, f32 or bf16, of q and k[heads, steps, keys] and f32[heads, steps].

    In each step the state, keys x values, decays by exp(gate); then beta of the difference between v and what
    the state holds for k is added at k; the output is what it holds for q."""
    heads, steps, keys = q.size()
    out = torch.empty_like(v)
    for h in hl.grid(heads):
        for cols in hl.tile(v.size(2)):
            state = hl.zeros([keys, cols], dtype=torch.float32)
            for t in hl.grid(steps):
                key = k[h, t, :].to(torch.float32)
                state = state * torch.exp(gate[h, t])
                held = (state * key[:, None]).sum(dim=0)
                change = (v[h, t, cols].to(torch.float32) - held) * beta[h, t]
                state = state + key[:, None] * change[None, :]
                out[h, t, cols] = (state * q[h, t, :].to(torch.float32)[:, None]).sum(dim=0).to(v.dtype)
    return out


def reference(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, gate: torch.Tensor, beta: torch.Tensor
) -> torch.Tensor:
    state = torch.zeros(q.size(0), q.size(2), v.size(2))
    outs: list[torch.Tensor] = []
    for t in range(q.size(1)):
        query, key, value = (each[:, t].float() for each in (q, k, v))
        state = state * torch.exp(gate[:, t, None, None])
        held = torch.einsum("hk,hkv->hv", key, state)
        state = state + torch.einsum("hk,hv->hkv", key, (value - held) * beta[:, t, None])
        outs.append(torch.einsum("hk,hkv->hv", query, state))
    return torch.stack(outs, dim=1).to(v.dtype)


def arguments(seed: int = 0, dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor, ...]:
    """Keys of length 1, as models have them; a gate of 0 keeps all, one of -30 nothing."""
    torch.manual_seed(seed)
    q, v = torch.randn(2, 6, 64), torch.randn(2, 6, 150)
    k = torch.nn.functional.normalize(torch.randn(2, 6, 64), dim=2)
    gate = -torch.rand(2, 6)
    gate[0, 3], gate[1, 5] = 0.0, -30.0
    return q.to(dtype), k.to(dtype), v.to(dtype), gate, torch.rand(2, 6)


if __name__ == "__main__":
    check(gated_delta_rule, reference, arguments)
