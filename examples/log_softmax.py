"""Log-softmax of each row, with rows of any length: a pass for the maximum, one for the sum, one to write."""

import torch

import tilec
import tilec.language as hl
from tilec.testing import check


@tilec.kernel
def log_softmax(x: torch.Tensor) -> torch.Tensor:
    """Of f32 or bf16[rows, columns], along the columns."""
    out = torch.empty_like(x)
    for rows in hl.tile(x.size(0)):
        top = hl.full([rows], float("-inf"), dtype=torch.float32)
        for cols in hl.tile(x.size(1)):
            top = torch.maximum(top, x[rows, cols].to(torch.float32).amax(dim=1))
        total = hl.zeros([rows], dtype=torch.float32)
        for cols in hl.tile(x.size(1)):
            total = total + torch.exp(x[rows, cols].to(torch.float32) - top[:, None]).sum(dim=1)
        shift = top + torch.log(total)
        for cols in hl.tile(x.size(1)):
            out[rows, cols] = x[rows, cols].to(torch.float32) - shift[:, None]
    return out


@tilec.kernel
def log_softmax_whole_rows(x: torch.Tensor) -> torch.Tensor:
    """The same, with whole rows on the chip."""
    out = torch.empty_like(x)
    for rows in hl.tile(x.size(0)):
        out[rows, :] = torch.log_softmax(x[rows, :], dim=1)
    return out


def reference(x: torch.Tensor) -> torch.Tensor:
    return torch.log_softmax(x, dim=1)


def arguments(seed: int = 0, dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor]:
    """Extents that no block divides, and a row whose exponentials overflow."""
    torch.manual_seed(seed)
    x = torch.randn(45, 300) * 3
    x[7] -= 500
    return (x.to(dtype),)


if __name__ == "__main__":
    check(log_softmax, reference, arguments)
    check(log_softmax_whole_rows, reference, arguments)
