"""Whole-tensor functions compiled by torch: one kernel where one is enough, and the results of torch.

Kernels run in `eager_tiles`, so what is tested is how they were found and written.
"""

# The lambdas are functions that users would write without types; torch's own are incomplete.
# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from eager_tiles import launch

from tilec.frontend.whole.backend import Backend
from tilec.frontend.whole.clusters import Clusters

BF16 = torch.bfloat16


@dataclass(frozen=True)
class Case:
    """A function of tensors of these shapes, and how many kernels each of its graphs has."""

    function: Callable[..., torch.Tensor]
    shapes: tuple[tuple[int, ...], ...]
    kernels: tuple[int, ...] = (1,)
    dtype: torch.dtype = torch.float32

    def arguments(self) -> list[torch.Tensor]:
        generator = torch.Generator().manual_seed(0)
        return [torch.randn(shape, generator=generator).to(self.dtype) for shape in self.shapes]


def rope(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    a, b = x.chunk(2, -1)
    return x * cos + torch.cat((-b, a), -1) * sin


def standardize(x: torch.Tensor) -> torch.Tensor:
    centred = x - x.mean(-1, keepdim=True)
    return centred / (x.std(-1, keepdim=True) + 1e-6) + x.amax(-1, keepdim=True)


def masked(q: torch.Tensor, k: torch.Tensor) -> torch.Tensor:
    mask = torch.arange(5)[:, None] < torch.arange(7)
    return torch.softmax((q @ k.transpose(-1, -2)).masked_fill(mask, float("-inf")), -1)


def attention(x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    batch, length, width = x.shape
    q, k, v = ((x @ w).view(batch, length, 3, 2, width // 2).permute(2, 0, 3, 1, 4)).unbind(0)
    scores = torch.softmax(q @ k.transpose(-1, -2) / 3, -1)
    return (scores @ v).transpose(1, 2).reshape(batch, length, width) + x


def causal(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    return F.scaled_dot_product_attention(q, k, v, is_causal=True)


def scaled(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    return F.scaled_dot_product_attention(q, k, v, scale=0.3)


def grouped(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, causal: bool = False) -> torch.Tensor:
    return F.scaled_dot_product_attention(q, k, v, is_causal=causal, enable_gqa=True)


def biased(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return F.scaled_dot_product_attention(q, k, v, mask)


def in_rows(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    q, k, v = (each.transpose(1, 2) for each in (q, k, v))
    return causal(q, k, v).transpose(1, 2).reshape(2, 6, 32)


def from_slices(x: torch.Tensor, w: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    batch, length, width = x.shape
    heads = (each.view(batch, length, 2, -1).transpose(1, 2) for each in (x @ w).split(width, -1))
    q, k, v = heads
    y = causal(rope(q, cos, sin), rope(k, cos, sin), v)
    return y.transpose(1, 2).reshape(batch, length, width) + x


CASES = {
    "softmax": Case(lambda x: F.softmax(x, -1), ((4, 6, 8),), dtype=BF16),
    "log_softmax": Case(lambda x: F.log_softmax(x, -1), ((4, 6, 8),)),
    "softmax of columns": Case(lambda x: F.softmax(x, 1), ((4, 6, 8),)),
    "layer norm": Case(lambda x, g, b: F.layer_norm(x, (8,), g, b), ((4, 6, 8), (8,), (8,)), dtype=BF16),
    "layer norm of two dims": Case(lambda x: F.layer_norm(x, (6, 8)), ((4, 6, 8),)),
    "rms norm": Case(lambda x, g: F.rms_norm(x, (8,), g), ((4, 6, 8), (8,)), dtype=BF16),
    "batch norm": Case(lambda x, m, v, w, b: F.batch_norm(x, m, v * v, w, b), ((3, 8, 5, 7), *[(8,)] * 4)),
    "standardize": Case(standardize, ((4, 6, 8),)),
    "positions": Case(lambda x, p: F.layer_norm(x + p, (8,)), ((4, 6, 8), (6, 8))),
    "gelu of linear": Case(lambda x, w, b: F.gelu(F.linear(x, w, b)), ((4, 6, 8), (5, 8), (5,))),
    "swiglu": Case(lambda x, w, v: F.silu(x @ w) * (x @ v), ((4, 6, 8), (8, 5), (8, 5))),
    "swiglu, bf16": Case(lambda x, w, v: F.silu(x @ w) * (x @ v), ((4, 6, 8), (8, 5), (8, 5)), dtype=BF16),
    "geglu": Case(lambda x: F.gelu(x[..., :4]) * x[..., 4:], ((4, 6, 8),)),
    "glu": Case(lambda x: F.glu(x), ((4, 6, 8),)),
    "rope": Case(rope, ((2, 3, 6, 8), (6, 8), (6, 8))),
    "rope before heads": Case(rope, ((2, 7, 3, 8), (1, 7, 1, 8), (1, 7, 1, 8))),
    "two products": Case(
        lambda a, b, c: torch.softmax(a @ b, -1) @ c, ((3, 6, 8), (3, 8, 5), (3, 5, 4)), (2,)
    ),
    "einsum": Case(lambda x, y: torch.einsum("bij,bkj->bik", x, y), ((4, 6, 8), (4, 5, 8))),
    "mask": Case(masked, ((2, 5, 8), (2, 7, 8))),
    "heads": Case(lambda x, w: F.linear(x, w).view(4, 6, 2, 4).softmax(-1), ((4, 6, 8), (8, 8))),
    "attention": Case(attention, ((2, 6, 8), (8, 24)), (3,)),
    "flash attention": Case(F.scaled_dot_product_attention, ((2, 4, 6, 8), *[(2, 4, 9, 8)] * 2)),
    "flash attention, bf16": Case(scaled, ((2, 4, 6, 8), *[(2, 4, 9, 8)] * 2), dtype=BF16),
    "causal": Case(causal, ((2, 4, 6, 8), *[(2, 4, 9, 8)] * 2)),
    "groups of queries": Case(grouped, ((2, 4, 6, 8), *[(2, 2, 9, 8)] * 2)),
    "causal groups of queries": Case(
        lambda *a: grouped(*a, causal=True), ((2, 4, 6, 8), *[(2, 2, 6, 8)] * 2)
    ),
    "attention with bias": Case(biased, (*[(2, 4, 6, 8)] * 3, (2, 1, 1, 6))),
    "attention with mask": Case(lambda q, k, v, m: biased(q, k, v, m > 0.5), (*[(2, 4, 6, 8)] * 3, (6, 6))),
    "attention after rope": Case(
        lambda q, k, v, c, s: causal(rope(q, c, s), rope(k, c, s), v), (*[(2, 4, 6, 8)] * 3, (6, 8), (6, 8))
    ),
    "attention of heads in rows": Case(in_rows, ((2, 6, 4, 8),) * 3),
    "product with a constant": Case(lambda x: x @ torch.ones(8, 5), ((6, 8),)),
    "residual": Case(lambda x, w: x + torch.relu(x @ w), ((6, 8), (8, 8))),
    "norm and product": Case(lambda x, g, w: F.rms_norm(x, (8,), g) @ w, ((6, 8), (8,), (8, 5)), (2,)),
    "sum of columns": Case(lambda x: (x * 2).sum(0), ((16, 8),)),
    "sum of all": Case(lambda x: (x * x).sum(), ((7, 6, 8),)),
    "mean of channels": Case(lambda x: x.mean((0, 2, 3)), ((3, 8, 5, 7),)),
    "sums of both": Case(lambda x: torch.cat((x.sum(0), x.sum(1))), ((16, 8),), (1,)),
    "group norm": Case(lambda x, w, b: F.group_norm(x, 4, w, b), ((3, 8, 5, 7), (8,), (8,)), (2,)),
    "every other": Case(lambda x: x[:, ::2].exp() + 1, ((6, 8),)),
    "heads from slices": Case(from_slices, ((2, 6, 8), (8, 24), (6, 4), (6, 4)), (2,)),
    "transposed": Case(lambda x, y: x + y.T, ((5, 7), (7, 5))),
    "outer": Case(lambda x, y: x[:, None] * y[None, :], ((10,), (12,))),
    "long rows": Case(lambda x, b: torch.sigmoid(x) + b, ((2, 40000), (40000,))),
    "one dim": Case(lambda x, y: x * y + 1, ((100,), (100,))),
    "joined": Case(lambda x, y: torch.cat([x * 2, y.expand(4, 6, 3)], -1) + 1, ((4, 6, 8), (3,))),
    "stack": Case(lambda x, y: torch.stack([x, y], -1).flatten(-2) * 2, ((4, 6, 8), (4, 6, 8))),
    "types": Case(lambda x, y: x * y.float() + (y > 0) * 3.0, ((4, 8), (4, 1)), dtype=BF16),
    "power of a constant": Case(lambda x: (-2.0) ** torch.floor(x) - 1, ((4, 8),)),
    "normalize": Case(lambda x: F.normalize(x, dim=-1), ((4, 6, 8),)),
    "distances": Case(lambda x, y: ((x[:, None] - y) ** 2).sum(-1), ((6, 8), (5, 8))),
    "sums that torch runs between": Case(lambda x: torch.cumsum(torch.exp(x), -1) * 2, ((4, 8),), (2,)),
}

GRADIENTS = {
    "softmax": Case(lambda x: F.softmax(x, -1), ((4, 6, 8),), (1, 1)),
    "layer norm": Case(lambda x, g, b: F.layer_norm(x, (8,), g, b), ((4, 6, 8), (8,), (8,)), (1, 1)),
    "rms norm": Case(lambda x, g: F.rms_norm(x, (8,), g) * torch.sigmoid(x), ((4, 6, 8), (8,)), (1, 1)),
    "mlp": Case(lambda x, w, b, v: F.gelu(F.linear(x, w, b)) @ v, ((4, 6, 8), (5, 8), (5,), (5, 7)), (2, 4)),
    "swiglu": Case(lambda x, w, v: F.silu(x @ w) * (x @ v), ((4, 6, 8), (8, 5), (8, 5)), (1, 4)),
    "attention": Case(causal, ((2, 4, 6, 8),) * 3, (1, 0)),
}


def compiled(case: Case) -> tuple[Callable[..., Any], list[int]]:
    """The function through the backend, and how many kernels each graph has once it is called."""
    counts: list[int] = []

    def found(clusters: Clusters) -> None:
        counts.append(len(clusters.kernels))

    torch.compiler.reset()
    return torch.compile(case.function, backend=Backend(launch, found), dynamic=False), counts


@pytest.mark.parametrize("name", CASES)
def test_results(name: str) -> None:
    case = CASES[name]
    function, counts = compiled(case)
    result, expected = function(*case.arguments()), case.function(*case.arguments())
    tolerance = 2e-2 if case.dtype is BF16 else 1e-5
    torch.testing.assert_close(result, expected, rtol=tolerance, atol=tolerance)
    assert tuple(counts) == case.kernels


LOSSES: dict[str, Callable[..., torch.Tensor]] = {
    "mean": lambda x, t: F.cross_entropy(x, t),
    "sum": lambda x, t: F.cross_entropy(x, t, reduction="sum"),
    "each": lambda x, t: F.cross_entropy(x, t, reduction="none"),
    "ignored": lambda x, t: F.cross_entropy(x, t, ignore_index=2),
    "smooth": lambda x, t: F.cross_entropy(x, t, label_smoothing=0.1),
}


@pytest.mark.parametrize("name", LOSSES)
def test_losses(name: str) -> None:
    """What is left to torch are operations on single elements, and a count of true ones, of 64 bits."""
    refused: list[str] = []
    torch.compiler.reset()
    made = Backend(launch, lambda clusters: refused.extend(clusters.refused.values()))
    function = torch.compile(LOSSES[name], backend=made, dynamic=False)
    x = torch.randn(7, 9, generator=torch.Generator().manual_seed(0)).requires_grad_()
    target = torch.tensor([1, 2, 3, 4, 8, 2 if name == "ignored" else -100, 0])
    result, expected = function(x, target), LOSSES[name](x, target)
    torch.testing.assert_close(result, expected)
    torch.testing.assert_close(
        torch.autograd.grad(result.sum(), x), torch.autograd.grad(expected.sum(), x), rtol=1e-5, atol=1e-6
    )
    assert set(refused) <= {"its result is one element", "a tensor of int64"}


def test_classes_that_do_not_exist() -> None:
    torch.compiler.reset()
    function = torch.compile(LOSSES["each"], backend=Backend(launch), dynamic=False)
    assert function(torch.zeros(2, 3), torch.tensor([1, 3])).isnan().tolist() == [False, True]


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients(name: str) -> None:
    case = GRADIENTS[name]
    function, counts = compiled(case)
    args = [arg.requires_grad_() for arg in case.arguments()]
    result, expected = function(*args), case.function(*args)
    torch.testing.assert_close(result, expected, rtol=1e-5, atol=1e-5)
    weight = torch.randn(expected.shape, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(
        torch.autograd.grad(result, args, weight),
        torch.autograd.grad(expected, args, weight),
        rtol=1e-4,
        atol=1e-4,
    )
    assert tuple(counts) == case.kernels


def test_arguments_that_are_changed() -> None:
    def function(x: torch.Tensor) -> torch.Tensor:
        return x.add_(1).mul(2)

    x = torch.ones(4, 8)
    result = torch.compile(function, backend=Backend(launch), dynamic=False)(x)
    assert torch.equal(x, torch.full((4, 8), 2.0))
    assert torch.equal(result, torch.full((4, 8), 4.0))


def test_random_numbers_are_those_of_torch() -> None:
    def function(x: torch.Tensor) -> torch.Tensor:
        return torch.rand_like(x) + torch.rand_like(x) * 2

    torch.manual_seed(0)
    expected = function(torch.zeros(4, 8))
    torch.manual_seed(0)
    result = torch.compile(function, backend=Backend(launch), dynamic=False)(torch.zeros(4, 8))
    torch.testing.assert_close(result, expected)
