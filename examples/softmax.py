"""Softmax of each row, once with whole rows on the chip and once with rows of any length."""

import torch

import tilec
import tilec.language as hl
from tilec.testing import check


@tilec.kernel
def softmax(x: torch.Tensor) -> torch.Tensor:
    """Of f32 or bf16[rows, columns], along the columns."""
    out = torch.empty_like(x)
    for rows in hl.tile(x.size(0)):
        out[rows, :] = torch.softmax(x[rows, :], dim=1)
    return out


@tilec.kernel
def softmax_two_pass(x: torch.Tensor) -> torch.Tensor:
    """The same. The first pass over a row finds its maximum and its sum, which a greater maximum corrects."""
    out = torch.empty_like(x)
    for rows in hl.tile(x.size(0)):
        top = hl.full([rows], float("-inf"), dtype=torch.float32)
        total = hl.zeros([rows], dtype=torch.float32)
        for cols in hl.tile(x.size(1)):
            values = x[rows, cols].to(torch.float32)
            higher = torch.maximum(top, values.amax(dim=1))
            total = total * torch.exp(top - higher) + torch.exp(values - higher[:, None]).sum(dim=1)
            top = higher
        for cols in hl.tile(x.size(1)):
            values = x[rows, cols].to(torch.float32)
            out[rows, cols] = torch.exp(values - top[:, None]) / total[:, None]
    return out


def reference(x: torch.Tensor) -> torch.Tensor:
    return torch.softmax(x, dim=1)


def arguments(seed: int = 0, dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor]:
    """Extents that no block divides; a row whose exponentials overflow, one where all but one are -inf."""
    torch.manual_seed(seed)
    x = torch.randn(37, 200)
    x[3] += 1000
    x[5, 1:] = float("-inf")
    return (x.to(dtype),)


if __name__ == "__main__":
    check(softmax, reference, arguments)
    check(softmax_two_pass, reference, arguments)
