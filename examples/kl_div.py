"""The Kullback-Leibler divergence of rows of log-probabilities from a target, as the mean over the rows."""

import torch
from torch.nn import functional

import tilec
import tilec.language as hl
from tilec.testing import check


@tilec.kernel
def kl_div(x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """The mean, a f32 scalar, of logarithms in x and probabilities in target, f32 or bf16[rows, classes]."""
    losses = torch.empty([x.size(0)], dtype=torch.float32)
    for rows in hl.tile(x.size(0)):
        acc = hl.zeros([rows], dtype=torch.float32)
        for cols in hl.tile(x.size(1)):
            wanted = target[rows, cols].to(torch.float32)
            # What is never wanted costs nothing, though its logarithm is infinite.
            known = torch.log(torch.where(wanted > 0, wanted, 1.0))
            acc = acc + (wanted * (known - x[rows, cols].to(torch.float32))).sum(dim=1)
        losses[rows] = acc
    return losses.sum() / x.size(0)


def reference(x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return functional.kl_div(x.float(), target.float(), reduction="batchmean")


def arguments(seed: int = 0, dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor, torch.Tensor]:
    """Extents that no block divides, and a target with zeros."""
    torch.manual_seed(seed)
    target = torch.softmax(torch.randn(37, 300), dim=1)
    target[4, 10:] = 0
    return torch.log_softmax(torch.randn(37, 300), dim=1).to(dtype), target.to(dtype)


if __name__ == "__main__":
    check(kl_div, reference, arguments)
