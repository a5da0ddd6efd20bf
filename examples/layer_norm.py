"""Layer norm: each row less its mean, over its deviation, with a weight and a bias for each column."""

import torch

import tilec
import tilec.language as hl
from tilec.testing import check

EPS = 1e-5


@tilec.kernel
def layer_norm(
    x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Of f32 or bf16[rows, columns]; also the mean and inverse deviation of each row, for the gradient."""
    out = torch.empty_like(x)
    means = torch.empty([x.size(0)], dtype=torch.float32)
    scales = torch.empty([x.size(0)], dtype=torch.float32)
    for rows in hl.tile(x.size(0)):
        values = x[rows, :].to(torch.float32)
        variance, mean = torch.var_mean(values, dim=1, correction=0)
        scale = torch.rsqrt(variance + EPS)
        normal = (values - mean[:, None]) * scale[:, None]
        out[rows, :] = normal * weight[:].to(torch.float32) + bias[:].to(torch.float32)
        means[rows] = mean
        scales[rows] = scale
    return out, means, scales


def reference(
    x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    values = x.float()
    out, mean, scale = torch.native_layer_norm(values, [x.size(1)], weight.float(), bias.float(), EPS)
    return out.to(x.dtype), mean.flatten(), scale.flatten()


def arguments(
    seed: int = 0, dtype: torch.dtype = torch.float32
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Extents that no block divides; a row whose mean is far above its deviation, and a constant row."""
    torch.manual_seed(seed)
    x, weight, bias = torch.randn(37, 200), torch.randn(200), torch.randn(200)
    x[2] += 64
    x[4] = 1.5
    return x.to(dtype), weight.to(dtype), bias.to(dtype)


if __name__ == "__main__":
    check(layer_norm, reference, arguments)
