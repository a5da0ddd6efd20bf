"""silu(gate) * up, where each row holds its gates and, behind them, its values."""

import torch
from torch.nn import functional

import tilec
import tilec.language as hl
from tilec.testing import check


@tilec.kernel
def swiglu(x: torch.Tensor) -> torch.Tensor:
    """Of f32 or bf16[rows, 2 * columns]: the first half of a row are gates, the second what passes them."""
    columns = x.size(1) // 2
    out = torch.empty([x.size(0), columns], dtype=x.dtype)
    for rows, cols in hl.tile([x.size(0), columns]):
        gate = x[rows, cols].to(torch.float32)
        up = x[rows, cols.index + columns].to(torch.float32)
        out[rows, cols] = functional.silu(gate) * up
    return out


def reference(x: torch.Tensor) -> torch.Tensor:
    gate, up = x.float().chunk(2, dim=1)
    return (functional.silu(gate) * up).to(x.dtype)


def arguments(seed: int = 0, dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor]:
    """The second half begins at column 200, between tiles of memory."""
    torch.manual_seed(seed)
    return ((torch.randn(37, 400) * 3).to(dtype),)


if __name__ == "__main__":
    check(swiglu, reference, arguments)
