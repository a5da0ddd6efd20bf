"""Two matrices beside each other. A tile of the result may have columns of both."""

import torch

import tilec
import tilec.language as hl
from tilec.testing import check


@tilec.kernel
def concatenate(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """[rows, a + b] from [rows, a] and [rows, b] of one type."""
    rows_count, border = x.size()
    columns = border + y.size(1)
    out = torch.empty([rows_count, columns], dtype=x.dtype)
    for rows, cols in hl.tile([rows_count, columns]):
        in_x = cols.index < border
        left = hl.load(x, [rows, cols.index], extra_mask=in_x[None, :])
        right = hl.load(y, [rows, cols.index - border], extra_mask=~in_x[None, :])
        out[rows, cols] = torch.where(in_x[None, :], left, right)
    return out


@tilec.kernel
def concatenate_in_turn(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The same by two loops, each with tiles of its own matrix."""
    out = torch.empty([x.size(0), x.size(1) + y.size(1)], dtype=x.dtype)
    for rows in hl.tile(x.size(0)):
        for cols in hl.tile(x.size(1)):
            out[rows, cols] = x[rows, cols]
        for cols in hl.tile(y.size(1)):
            out[rows, cols.index + x.size(1)] = y[rows, cols]
    return out


def reference(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return torch.cat([x, y], dim=1)


def arguments(seed: int = 0, dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor, torch.Tensor]:
    """The second matrix begins at column 200, between tiles of memory."""
    torch.manual_seed(seed)
    return torch.randn(37, 200).to(dtype), torch.randn(37, 111).to(dtype)


if __name__ == "__main__":
    check(concatenate, reference, arguments)
    check(concatenate_in_turn, reference, arguments)
