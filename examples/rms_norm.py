"""RMS norm of a sum: what a transformer does between layers, with the sum as a second result."""

import torch

import tilec
import tilec.language as hl
from tilec.testing import check


@tilec.kernel
def rms_norm(
    x: torch.Tensor, residual: torch.Tensor, weight: torch.Tensor, eps: float = 1e-6
) -> tuple[torch.Tensor, torch.Tensor]:
    """x + residual, f32 or bf16[rows, columns], over the root mean square of each row, times weight."""
    out = torch.empty_like(x)
    total = torch.empty_like(x)
    for rows in hl.tile(x.size(0)):
        values = x[rows, :].to(torch.float32) + residual[rows, :].to(torch.float32)
        scale = torch.rsqrt((values * values).mean(dim=1) + eps)
        out[rows, :] = values * scale[:, None] * weight[:].to(torch.float32)
        total[rows, :] = values
    return out, total


def reference(
    x: torch.Tensor, residual: torch.Tensor, weight: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    total = x.float() + residual.float()
    out = torch.nn.functional.rms_norm(total, [x.size(1)], weight.float(), 1e-6)
    return out.to(x.dtype), total.to(x.dtype)


def arguments(
    seed: int = 0, dtype: torch.dtype = torch.float32
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Extents that no block divides, and a row that is all zeros, whose scale comes from `eps` alone."""
    torch.manual_seed(seed)
    x, residual, weight = torch.randn(45, 200), torch.randn(45, 200), torch.randn(200)
    residual[9] = -x[9]
    return x.to(dtype), residual.to(dtype), weight.to(dtype)


if __name__ == "__main__":
    check(rms_norm, reference, arguments)
