"""Layer norm of rows of any length with Welford's statistics, which those of each tile are merged into."""

import torch

import tilec
import tilec.language as hl
from tilec.testing import check


@tilec.kernel
def welford(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, eps: float = 1e-5) -> torch.Tensor:
    """Of f32 or bf16[rows, columns], weight and bias [columns]."""
    out = torch.empty_like(x)
    for rows in hl.tile(x.size(0)):
        mean = hl.zeros([rows], dtype=torch.float32)
        squares = hl.zeros([rows], dtype=torch.float32)
        for cols in hl.tile(x.size(1)):
            values = x[rows, cols].to(torch.float32)
            count = cols.end - cols.begin
            tile_mean = values.sum(dim=1) / count
            centred = values - tile_mean[:, None]
            # cols.begin columns came before; the means of both sides differ, which adds to the squares.
            apart = tile_mean - mean
            mean = mean + apart * count / cols.end
            squares = squares + (centred * centred).sum(dim=1) + apart * apart * cols.begin * count / cols.end
        scale = torch.rsqrt(squares / x.size(1) + eps)
        for cols in hl.tile(x.size(1)):
            normal = (x[rows, cols].to(torch.float32) - mean[:, None]) * scale[:, None]
            shifted = normal * weight[cols].to(torch.float32) + bias[cols].to(torch.float32)
            out[rows, cols] = shifted.to(x.dtype)
    return out


def reference(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    out = torch.nn.functional.layer_norm(x.float(), [x.size(1)], weight.float(), bias.float())
    return out.to(x.dtype)


def arguments(
    seed: int = 0, dtype: torch.dtype = torch.float32
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Extents that no block divides, and a row whose mean is far greater than its deviation."""
    torch.manual_seed(seed)
    x, weight, bias = torch.randn(37, 300), torch.randn(300), torch.randn(300)
    x[2] += 64
    return x.to(dtype), weight.to(dtype), bias.to(dtype)


if __name__ == "__main__":
    check(welford, reference, arguments)
