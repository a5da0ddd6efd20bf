"""A linear recurrence through sequences of any length: tiles of steps, and a state from one to the next."""

import torch

import tilec
import tilec.language as hl
from tilec.testing import check


def then(
    first: tuple[torch.Tensor, torch.Tensor], later: tuple[torch.Tensor, torch.Tensor]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Two stretches of steps as one: by what the state before them is multiplied, and what is added to it."""
    return first[0] * later[0], later[0] * first[1] + later[1]


@tilec.kernel
def linear_recurrence(decay: torch.Tensor, x: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    """`h = decay * h + x` from row to row of each sequence, from 0 on: f32 or bf16[rows, lanes].

    The rows of sequence s are offsets[s] to offsets[s + 1]; offsets are i32 and ascend.
    """
    out = torch.empty_like(x)
    for s in hl.grid(offsets.size(0) - 1):
        for d in hl.tile(x.size(1)):
            state = hl.zeros([d])
            for t in hl.tile(offsets[s], offsets[s + 1]):
                steps = decay[t, d].to(torch.float32), x[t, d].to(torch.float32)
                gain, h = hl.associative_scan(then, steps, dim=0)
                h = h + gain * state[None, :]
                out[t, d] = h.to(x.dtype)
                state = torch.where((t.index == t.end - 1)[:, None], h, 0.0).sum(0)
    return out


def reference(decay: torch.Tensor, x: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    out = torch.empty_like(x)
    for s in range(offsets.size(0) - 1):
        state = torch.zeros(x.size(1))
        for t in range(int(offsets[s]), int(offsets[s + 1])):
            state = decay[t].float() * state + x[t].float()
            out[t] = state.to(x.dtype)
    return out


def arguments(seed: int = 0, dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor, ...]:
    """Sequences of 0 to 62 rows of 130 lanes, which no block divides."""
    torch.manual_seed(seed)
    offsets = torch.tensor([0, 5, 5, 37, 38, 100, 100], dtype=torch.int32)
    return torch.rand(100, 130).to(dtype), torch.randn(100, 130).to(dtype), offsets


if __name__ == "__main__":
    check(linear_recurrence, reference, arguments)
