"""The Gaussian error linear unit of a biased array, exact and by its approximation with tanh."""

import torch
from torch.nn import functional

import tilec
import tilec.language as hl
from tilec.testing import check


@tilec.kernel
def gelu(x: torch.Tensor, bias: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """gelu(x + bias) of f32 or bf16[rows, columns] and [columns]: exact, then approximated."""
    exact = torch.empty_like(x)
    approximate = torch.empty_like(x)
    for rows, cols in hl.tile(x.size()):
        values = x[rows, cols].to(torch.float32) + bias[cols].to(torch.float32)
        exact[rows, cols] = functional.gelu(values)
        approximate[rows, cols] = functional.gelu(values, approximate="tanh")
    return exact, approximate


def reference(x: torch.Tensor, bias: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    values = x.float() + bias.float()
    return functional.gelu(values).to(x.dtype), functional.gelu(values, approximate="tanh").to(x.dtype)


def arguments(seed: int = 0, dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor, torch.Tensor]:
    """Extents that no block divides, values far out on both sides among them."""
    torch.manual_seed(seed)
    x = torch.randn(37, 200)
    x[0, :4] = torch.tensor([-30.0, 30.0, -0.0, 1e-20])
    return x.to(dtype), torch.randn(200).to(dtype)


if __name__ == "__main__":
    check(gelu, reference, arguments)
