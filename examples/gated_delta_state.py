"""The states of the gated delta rule from chunk to chunk: chunks in order, matrix products in each."""

import torch

import tilec
import tilec.language as hl
from tilec.testing import check


@tilec.kernel
def gated_delta_state(
    k: torch.Tensor, w: torch.Tensor, u: torch.Tensor, gate: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The state before each chunk, [heads, chunks, keys, values], and the new values of each step, like u.

    k and w are f32 or bf16[heads, chunks, steps, keys], u [heads, chunks, steps, values]. gate is the running
    sum of the logarithms of the decay in a chunk, f32[heads, chunks, steps]."""
    heads, chunks, steps, keys = k.size()
    states = torch.empty([heads, chunks, keys, u.size(3)], dtype=u.dtype)
    new = torch.empty_like(u)
    for h in hl.grid(heads):
        for cols in hl.tile(u.size(3)):
            state = hl.zeros([keys, cols], dtype=torch.float32)
            for c in hl.grid(chunks):
                states[h, c, :, cols] = state.to(u.dtype)
                value = u[h, c, :, cols].to(torch.float32) - hl.dot(w[h, c, :, :], state.to(w.dtype))
                new[h, c, :, cols] = value.to(u.dtype)
                last = gate[h, c, steps - 1]
                decayed = value * torch.exp(last - gate[h, c, :])[:, None]
                state = hl.dot(k[h, c, :, :].T, decayed.to(k.dtype), acc=state * torch.exp(last))
    return states, new


def reference(
    k: torch.Tensor, w: torch.Tensor, u: torch.Tensor, gate: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    state = torch.zeros(k.size(0), k.size(3), u.size(3))
    states: list[torch.Tensor] = []
    new: list[torch.Tensor] = []
    for c in range(k.size(1)):
        states.append(state)
        value = u[:, c].float() - w[:, c].float() @ state.to(w.dtype).float()
        new.append(value.to(u.dtype))
        last = gate[:, c, -1:]
        decayed = (value * torch.exp(last - gate[:, c])[:, :, None]).to(k.dtype).float()
        state = state * torch.exp(last)[:, :, None] + k[:, c].float().transpose(1, 2) @ decayed
    return torch.stack(states, dim=1).to(u.dtype), torch.stack(new, dim=1)


def arguments(seed: int = 0, dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor, ...]:
    """Chunks of 24 steps and values of 150 lanes, which no block divides."""
    torch.manual_seed(seed)
    k, w = (torch.nn.functional.normalize(torch.randn(2, 3, 24, 64), dim=3) for _ in range(2))
    gate = -torch.rand(2, 3, 24).cumsum(dim=2) / 8
    return k.to(dtype), w.to(dtype), torch.randn(2, 3, 24, 150).to(dtype), gate


if __name__ == "__main__":
    check(gated_delta_state, reference, arguments)
