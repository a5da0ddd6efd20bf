"""The gradients of layer norm. Those of weight and bias are sums over all rows, which tiles of rows share."""

import torch

import tilec
import tilec.language as hl
from tilec.testing import check

Gradients = tuple[torch.Tensor, torch.Tensor, torch.Tensor]

ROWS = 16
"""Rows that `layer_norm_backward_partial` sums in one iteration of its grid."""


@tilec.kernel
def layer_norm_backward(
    dy: torch.Tensor, x: torch.Tensor, weight: torch.Tensor, mean: torch.Tensor, scale: torch.Tensor
) -> Gradients:
    """Of x, in its type, and of weight and bias, in f32. Every tile of rows adds to the last two."""
    dx = torch.empty_like(x)
    dweight = torch.zeros([x.size(1)], dtype=torch.float32)
    dbias = torch.zeros([x.size(1)], dtype=torch.float32)
    for rows in hl.tile(x.size(0)):
        grad = dy[rows, :].to(torch.float32)
        normal = (x[rows, :].to(torch.float32) - mean[rows][:, None]) * scale[rows][:, None]
        hl.atomic_add(dweight, [slice(None)], (grad * normal).sum(dim=0))
        hl.atomic_add(dbias, [slice(None)], grad.sum(dim=0))
        scaled = grad * weight[:].to(torch.float32)
        along = (scaled * normal).mean(dim=1, keepdim=True)
        dx[rows, :] = (scaled - scaled.mean(dim=1, keepdim=True) - normal * along) * scale[rows][:, None]
    return dx, dweight, dbias


@tilec.kernel
def layer_norm_backward_partial(
    dy: torch.Tensor, x: torch.Tensor, weight: torch.Tensor, mean: torch.Tensor, scale: torch.Tensor
) -> Gradients:
    """The same without atomics: each iteration writes the sums of its rows, which are added afterwards."""
    count = hl.cdiv(x.size(0), ROWS)
    dx = torch.empty_like(x)
    dweight = torch.empty([count, x.size(1)], dtype=torch.float32)
    dbias = torch.empty([count, x.size(1)], dtype=torch.float32)
    for outer in hl.tile(x.size(0), block_size=ROWS):
        weight_sum = hl.zeros([x.size(1)], dtype=torch.float32)
        bias_sum = hl.zeros([x.size(1)], dtype=torch.float32)
        for rows in hl.tile(outer.begin, outer.end):
            grad = dy[rows, :].to(torch.float32)
            normal = (x[rows, :].to(torch.float32) - mean[rows][:, None]) * scale[rows][:, None]
            weight_sum = weight_sum + (grad * normal).sum(dim=0)
            bias_sum = bias_sum + grad.sum(dim=0)
            scaled = grad * weight[:].to(torch.float32)
            along = (scaled * normal).mean(dim=1, keepdim=True)
            dx[rows, :] = (scaled - scaled.mean(dim=1, keepdim=True) - normal * along) * scale[rows][:, None]
        dweight[outer.id, :] = weight_sum
        dbias[outer.id, :] = bias_sum
    return dx, dweight.sum(dim=0), dbias.sum(dim=0)


def reference(
    dy: torch.Tensor, x: torch.Tensor, weight: torch.Tensor, mean: torch.Tensor, scale: torch.Tensor
) -> Gradients:
    everything = [True, True, True]
    dx, dweight, dbias = torch.ops.aten.native_layer_norm_backward(
        dy.float(), x.float(), [x.size(1)], mean, scale, weight.float(), torch.zeros(x.size(1)), everything
    )
    return dx.to(x.dtype), dweight, dbias


def arguments(seed: int = 0, dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor, ...]:
    """Extents that no block divides."""
    torch.manual_seed(seed)
    x, dy, weight = (torch.randn(*shape).to(dtype) for shape in ((37, 200), (37, 200), (200,)))
    variance, mean = torch.var_mean(x.float(), dim=1, correction=0)
    return dy, x, weight, mean, torch.rsqrt(variance + 1e-5)


if __name__ == "__main__":
    check(layer_norm_backward, reference, arguments)
    check(layer_norm_backward_partial, reference, arguments)
