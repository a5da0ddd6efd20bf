"""Which nodes share a kernel, and that the others keep their order."""

# The lambdas are functions that users would write without types; torch's own are incomplete.
# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from eager_tiles import launch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.fx import GraphModule
from torch.fx.experimental.proxy_tensor import make_fx

from tilec.frontend.whole.clusters import find_clusters
from tilec.frontend.whole.rewriting import with_kernels
from tilec.frontend.whole.simplify import simplify


def captured(function: Callable[..., Any], *args: torch.Tensor) -> GraphModule:
    module = make_fx(function, tracing_mode="fake")(*args)
    simplify(module.graph)
    return module


def clusters_of(function: Callable[..., Any], *args: torch.Tensor) -> list[list[str]]:
    """The names of the nodes of each kernel."""
    found = find_clusters(captured(function, *args).graph)
    return [[node.name for node in nodes] for nodes in found.kernels.values()]


def rows(seed: int, *sizes: int) -> torch.Tensor:
    return torch.randn(*sizes, generator=torch.Generator().manual_seed(seed))


X, Y = rows(0, 6, 8), rows(1, 6, 8)


def test_chains_are_one_kernel() -> None:
    def function(x: torch.Tensor) -> torch.Tensor:
        return torch.exp(x - x.amax(-1, keepdim=True)).sum(-1)

    assert clusters_of(function, X) == [["amax", "sub", "exp", "sum_1"]]


def test_what_lies_between_is_not_run_around() -> None:
    """`exp` and `add` may not be one kernel: what torch runs between them needs the one, and is needed."""

    def function(x: torch.Tensor) -> torch.Tensor:
        y = torch.exp(x)
        return y + y.flip(1)

    assert clusters_of(function, X) == [["exp"], ["add"]]


def test_what_lies_between_may_be_a_kernel() -> None:
    """`add` may join neither the kernel that makes its operand nor, through `flip`, what that depends on."""

    def function(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        a = torch.exp(x)
        b = (a.sum(0, keepdim=True) * 2).flip(1)
        return torch.sin(y) * b + a

    assert clusters_of(function, X, Y) == [["exp", "sum_1", "mul"], ["sin", "mul_1", "add"]]


def test_two_products_share_their_loop() -> None:
    w, v = rows(2, 8, 5), rows(3, 8, 5)
    module = captured(lambda x, w, v: torch.sigmoid(x @ w) * (x @ v), X, w, v)
    (kernel,) = find_clusters(module.graph).kernels
    assert kernel.text.count("hl.tile") == 2
    assert kernel.text.count("hl.dot") == 2


def test_operands_of_products_are_computed_in_their_loop() -> None:
    module = captured(lambda x, w: torch.relu(x) @ torch.exp(w), X, rows(2, 8, 5))
    (kernel,) = find_clusters(module.graph).kernels
    inner = kernel.text.partition("for k in")[2]
    assert "torch.relu" in inner
    assert "torch.exp" in inner


def test_sums_of_operands_have_a_kernel_of_their_own() -> None:
    found = clusters_of(lambda x, w: (x / x.sum(-1, keepdim=True)) @ w, X, rows(2, 8, 5))
    assert found == [["sum_1", "div"], ["mm"]]


def test_operands_that_are_used_outside_are_not_computed_again() -> None:
    found = clusters_of(lambda x, w: torch.relu(x) @ w + torch.relu(x), X, rows(2, 8, 8))
    assert found == [["relu"], ["mm", "add"]]


def test_results_that_share_an_operand_are_one_kernel() -> None:
    assert clusters_of(lambda x: (x.sum(0), x.sum(1), x.sum()), X) == [["sum_1", "sum_2", "sum_3"]]


def test_sums_over_rows_are_collected() -> None:
    """`y` needs whole rows, its sum over rows is added up; what is computed of that needs another kernel."""

    def function(x: torch.Tensor) -> torch.Tensor:
        y = x / x.sum(1, keepdim=True)
        return y * y.mean(0)

    kernels = list(find_clusters(captured(function, X).graph).kernels)
    assert [kernel.text.count("hl.atomic_add") for kernel in kernels] == [1, 0]


@pytest.mark.parametrize(
    "function",
    [
        lambda x: torch.cat((x, x), 1).view(6, 2, 2, 4).exp(),
        lambda x: torch.relu(x)[:, ::2].exp(),
        lambda x: torch.relu(x)[:, :6].view(6, 2, 3).exp(),
    ],
)
def test_dimensions_that_are_cut_and_taken_apart(function: Callable[..., Any]) -> None:
    assert len(clusters_of(function, X)) == 2


REFUSALS = {
    "a tensor of float64": lambda x: x.double() + 1,
    "a tensor of int64": lambda x: x.long() * 2,
    "a value has one dimension twice": lambda x: x[:, :6].clone() + x[:, :6].clone().T,
    "a row takes 80000 bytes, and a kernel at most 65536": lambda x: x.repeat(1, 2500).sum(1),
    "aten.sort.default has no kernel": lambda x: x.sort(-1)[0],
    "every dimension is reduced or taken apart, so there are no rows": lambda x: x.amax((0, 1), True),
    "its result is one element": lambda x: x.sum() * 2,
    "a tensor has no elements": lambda x: x[:0].exp(),
    "an operand of a product has one row or one column": lambda x: x[:1] @ x.T,
}


@pytest.mark.parametrize("reason", REFUSALS)
def test_refusals(reason: str) -> None:
    found = find_clusters(captured(REFUSALS[reason], X).graph)
    assert reason in found.refused.values()


def _program(steps: Sequence[tuple[int, int, int]]) -> Callable[..., torch.Tensor]:
    """A function of three matrices: each step applies an operation to two of the values so far."""
    operations: list[Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = [
        lambda a, b: a + b,
        lambda a, b: torch.sigmoid(a) * b,
        lambda a, b: a - b.amax(1, keepdim=True),
        lambda a, b: a * b.mean(0, keepdim=True),
        lambda a, b: torch.maximum(a, b.sum(-1)[:, None]),
        lambda a, b: (a @ b.T) @ b / 8,
        lambda a, b: torch.cat((a[:, 4:], b[:, :4]), 1),
        lambda a, b: a.T.reshape(6, 8) + b,
        lambda a, b: a.view(3, 2, 8).transpose(0, 1).contiguous().view(6, 8) * b,
        lambda a, b: a.flip(1) + b,
        lambda a, b: a.sort(1)[0] - b,
        lambda a, b: torch.where(a > b, a.view(6, 2, 4).sum(-1).repeat_interleave(4, 1), b),
    ]

    def function(*args: torch.Tensor) -> torch.Tensor:
        values = list(args)
        for operation, first, second in steps:
            made = operations[operation % len(operations)]
            values.append(made(values[first % len(values)], values[second % len(values)]))
        return values[-1] + values[-2]

    return function


@given(st.lists(st.tuples(*[st.integers(0, 100)] * 3), min_size=1, max_size=12), st.integers(0, 9))
@settings(max_examples=100, deadline=None)
def test_random_programs(steps: list[tuple[int, int, int]], seed: int) -> None:
    """Kernels and the rest, in the new order, compute what the graph did."""
    function, args = _program(steps), [rows(seed + i, 6, 8) for i in range(3)]
    module = captured(function, *args)
    clusters = find_clusters(module.graph)
    result = with_kernels(module, clusters, {kernel: launch(kernel) for kernel in clusters.kernels})(*args)
    torch.testing.assert_close(result, function(*args), rtol=1e-4, atol=1e-4)
