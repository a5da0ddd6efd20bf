"""Functions of torch that are made of others, where a TPU has no instruction for them.

They are computed in f32 and rounded once. Forms are those that lose no digits where one is close to another.
Source of most: W. Kahan, "Branch cuts for complex elementary functions", 1987; of `expm1`, tanh's half angle.
"""

import math
from collections.abc import Callable

import torch
from xdsl.dialects import math as mlir_math
from xdsl.ir import Operation, SSAValue

from tilec.frontend.aten.table import Call, handles
from tilec.frontend.lanes import computed_in

FAR = 1e18
"""Where the square of a number no longer fits an f32, and a 1 beside it no longer counts."""


def _in_f32(function: Callable[..., torch.Tensor]) -> Callable[[Call], torch.Tensor]:
    """A function made of others, which torch computes in f32 and rounds once."""

    def handler(call: Call) -> torch.Tensor:
        first = call.args[0].to(computed_in(call.out.dtype))
        return function(first, *call.args[1:], **call.kwargs).to(call.out.dtype)

    return handler


def _sigmoid(x: torch.Tensor) -> torch.Tensor:
    return 1.0 / (1.0 + torch.exp(-x))


def _gelu(x: torch.Tensor, approximate: str = "none") -> torch.Tensor:
    if approximate == "tanh":
        return 0.5 * x * (1.0 + torch.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x * x * x)))
    return 0.5 * x * (1.0 + torch.erf(x * math.sqrt(0.5)))


def _softplus(x: torch.Tensor, beta: float = 1.0, threshold: float = 20.0) -> torch.Tensor:
    return torch.where(x * beta > threshold, x, torch.log1p(torch.exp(x * beta)) / beta)


handles("sigmoid")(_in_f32(_sigmoid))
handles("silu")(_in_f32(lambda x: x * _sigmoid(x)))
handles("gelu")(_in_f32(_gelu))
handles("softplus")(_in_f32(_softplus))
handles("leaky_relu")(_in_f32(lambda x, slope=0.01: torch.where(x > 0, x, x * slope)))


def _expm1(x: torch.Tensor) -> torch.Tensor:
    half = torch.tanh(x / 2)
    return torch.where(x.abs() < 1, 2 * half / (1 - half), torch.exp(x) - 1)


def _elu(x: torch.Tensor, alpha: float = 1.0, scale: float = 1.0, input_scale: float = 1.0) -> torch.Tensor:
    return torch.where(x > 0, x * scale, _expm1(torch.clamp(x * input_scale, max=0.0)) * (alpha * scale))


def _across(x: torch.Tensor) -> torch.Tensor:
    """The other side of a triangle with a hypotenuse of 1."""
    return torch.sqrt((1 - x) * (1 + x))


def _asinh(x: torch.Tensor) -> torch.Tensor:
    far = x.abs()
    near = torch.log1p(far + far / (1 / far + torch.sqrt(1 + 1 / far * (1 / far))))
    return torch.copysign(torch.where(far > FAR, torch.log(far) + math.log(2), near), x)


def _acosh(x: torch.Tensor) -> torch.Tensor:
    above = x - 1
    near = torch.log1p(above + torch.sqrt(above) * torch.sqrt(above + 2))
    return torch.where(x > FAR, torch.log(x) + math.log(2), near)


def _atanh(x: torch.Tensor) -> torch.Tensor:
    far = x.abs()
    return torch.copysign(torch.log1p(2 * far / (1 - far)) / 2, x)


def _logit(x: torch.Tensor, eps: float | None = None) -> torch.Tensor:
    kept = x if eps is None else torch.clamp(x, eps, 1 - eps)
    return torch.log(kept / (1 - kept))


def _hypot(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    a, b = x.abs(), y.abs()
    long, short = torch.maximum(a, b), torch.minimum(a, b)
    ratio = torch.where(long == short, torch.sign(long), short / long)
    endless = (a == math.inf) | (b == math.inf)  # whatever the other is
    return torch.where(endless, math.inf, long * torch.sqrt(1 + ratio * ratio))


@handles("nan_to_num")
def _nan_to_num(call: Call) -> torch.Tensor:
    x, limits = call["self"], torch.finfo(call.out.dtype)
    most = limits.max if call["posinf"] is None else call["posinf"]
    least = limits.min if call["neginf"] is None else call["neginf"]
    finite = torch.where(x == math.inf, most, torch.where(x == -math.inf, least, x))
    return torch.where(torch.isnan(x), call["nan"] or 0.0, finite)


def _of_two(make: Callable[[SSAValue, SSAValue], Operation]) -> Callable[[Call], torch.Tensor]:
    def handler(call: Call) -> torch.Tensor:
        a, b = (call.lanes(call[name], computed_in(call.out.dtype)) for name in ("self", "other"))
        return call.result(call.trace.put(make(a, b)))

    return handler


handles("atan2")(_of_two(mlir_math.Atan2Op))
handles("copysign")(_of_two(mlir_math.CopySignOp))
handles("expm1")(_in_f32(_expm1))
handles("elu")(_in_f32(_elu))
handles("sinh")(_in_f32(lambda x: (_expm1(x) - _expm1(-x)) / 2))
handles("cosh")(_in_f32(lambda x: (torch.exp(x) + torch.exp(-x)) / 2))
handles("atan")(_in_f32(lambda x: torch.atan2(x, torch.ones_like(x))))
handles("asin")(_in_f32(lambda x: torch.atan2(x, _across(x))))
handles("acos")(_in_f32(lambda x: torch.atan2(_across(x), x)))
handles("asinh")(_in_f32(_asinh))
handles("acosh")(_in_f32(_acosh))
handles("atanh")(_in_f32(_atanh))
handles("logit")(_in_f32(_logit))
handles("hypot")(_in_f32(_hypot))
handles("frac")(_in_f32(lambda x: x - torch.trunc(x)))
