"""What becomes of torch operations before kernels are sought.

Operations that mix lanes (softmax, norms, variances, losses) become sums, extremes and pointwise operations,
which can share a kernel with their neighbours. Functions that the chip computes as one, such as `sigmoid`,
`gelu`, `erf`, `tanh` and `rsqrt`, stay, and so do attention, products and all that torch shall run itself.
"""

from collections.abc import Callable, Sequence
from functools import cache
from math import prod
from typing import Any

import torch

from tilec.frontend.torch_private import decompositions as known_to_torch

aten = torch.ops.aten
prims = torch.ops.prims

_FROM_TORCH = [
    aten._log_softmax,
    aten._log_softmax_backward_data,
    aten._native_batch_norm_legit,
    aten._native_batch_norm_legit_no_training,
    aten._softmax,
    aten._softmax_backward_data,
    aten.addcdiv,
    aten.addcmul,
    aten.binary_cross_entropy,
    aten.elu,
    aten.elu_backward,
    aten.gelu_backward,
    aten.hardsigmoid,
    aten.hardswish,
    aten.hardtanh,
    aten.hardtanh_backward,
    aten.huber_loss,
    aten.leaky_relu,
    aten.leaky_relu_backward,
    aten.lerp,
    aten.linalg_vector_norm,
    aten.logsumexp,
    aten.masked_fill,
    aten.mse_loss,
    aten.mse_loss_backward,
    aten.native_batch_norm,
    aten.native_dropout,
    aten.native_dropout_backward,
    aten.native_group_norm,
    aten.native_layer_norm,
    aten.native_layer_norm_backward,
    aten.rsub,
    aten.sigmoid_backward,
    aten.silu,
    aten.silu_backward,
    aten.smooth_l1_loss,
    aten.softplus,
    aten.stack,
    aten.std,
    aten.t,
    aten.tanh_backward,
    aten.threshold_backward,
    aten.tril,
    aten.triu,
    aten.var,
    aten.var_mean,
]


def _variance(x: torch.Tensor, dims: Sequence[int] | None, correction: float = 1) -> torch.Tensor:
    """Mean of squared deviations, the mean taken first: float of any shape."""
    over = list(range(x.dim())) if not dims else list(dims)
    count = prod(x.shape[dim] for dim in over)
    deviation = x - x.sum(over, keepdim=True) / count
    return (deviation * deviation).sum(over) / max(count - correction, 0)


def _sum(x: torch.Tensor, dims: Sequence[int] | None) -> torch.Tensor:
    return x.sum(list(range(x.dim())) if dims is None else list(dims))


def _broadcast(x: torch.Tensor, shape: Sequence[int], dims: Sequence[int]) -> torch.Tensor:
    """Dimension i of `x` becomes dimension `dims[i]` of the result."""
    for dim in range(len(shape)):
        if dim not in dims:
            x = x.unsqueeze(dim)
    return x.expand(list(shape))


def _rms_norm(
    x: torch.Tensor, normalized: Sequence[int], weight: torch.Tensor | None, epsilon: float | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """16-bit floats are computed in f32 and rounded once, as torch does."""
    dtype = torch.float32 if x.dtype in (torch.bfloat16, torch.float16) else x.dtype
    wide = x.to(dtype)
    dims = list(range(x.dim() - len(normalized), x.dim()))
    smallest = torch.finfo(dtype).eps if epsilon is None else epsilon
    scale = torch.rsqrt((wide * wide).mean(dims, keepdim=True) + smallest)
    result = wide * scale
    if weight is not None:
        result = result * weight
    return result.to(x.dtype), scale


def _nll_loss(
    x: torch.Tensor, target: torch.Tensor, weight: torch.Tensor | None, reduction: int, ignored: int
) -> Any:
    """The loss and the number of rows that count. A class that does not exist makes the loss NaN, since a
    kernel cannot raise."""
    if weight is not None or x.dim() != 2:
        return NotImplemented
    counts = target != ignored
    known = (target >= 0) & (target < x.shape[1])
    picked = torch.where(_is_class(x, target), x, 0.0).sum(1)
    loss = torch.where(counts, torch.where(known, -picked, float("nan")), 0.0)
    if reduction == _NONE:
        return loss, x.new_zeros(())
    count = counts.to(torch.float32).sum().to(x.dtype)
    return (loss.sum() / count if reduction == _MEAN else loss.sum()), count


def _nll_loss_backward(
    grad: torch.Tensor,
    x: torch.Tensor,
    target: torch.Tensor,
    weight: torch.Tensor | None,
    reduction: int,
    ignored: int,
    count: torch.Tensor,
) -> Any:
    if weight is not None or x.dim() != 2:
        return NotImplemented
    row = grad / count if reduction == _MEAN else grad.unsqueeze(1) if reduction == _NONE else grad
    counts = _is_class(x, target) & (target != ignored).unsqueeze(1)
    return torch.where(counts, -row, 0.0)


_NONE, _MEAN = 0, 1
"""How losses are reduced, by torch's numbers."""


def _is_class(x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """For rows of `x`, which column is the one that `target` names."""
    return torch.arange(x.shape[1], device=x.device) == target.unsqueeze(1)


def _glu(x: torch.Tensor, dim: int = -1) -> torch.Tensor:
    half = x.shape[dim] // 2
    return x.narrow(dim, 0, half) * x.narrow(dim, half, half).sigmoid()


@cache
def decompositions() -> dict[Any, Callable[..., Any]]:
    """The table for `make_fx` and `aot_autograd`."""
    return {
        **known_to_torch(_FROM_TORCH),
        aten._fused_rms_norm.default: _rms_norm,
        aten.glu.default: _glu,
        aten.nll_loss_backward.default: _nll_loss_backward,
        aten.nll_loss_forward.default: _nll_loss,
        prims.broadcast_in_dim.default: _broadcast,
        prims.div.default: torch.div,
        prims.sum.default: _sum,
        prims.var.default: _variance,
    }
