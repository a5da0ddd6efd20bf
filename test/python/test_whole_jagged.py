"""Jagged tensors of `torch.nested` in whole-tensor functions: their rows, and sums over each of them."""

# The lambdas are functions that users would write without types; torch's own are incomplete.
# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from eager_tiles import launch

from tilec.frontend.whole.backend import Backend
from tilec.frontend.whole.clusters import Clusters
from tilec.frontend.whole.launching import traced_kernel

LENGTHS = ((3, 0, 5, 2), (0, 4, 4), (1, 1, 9, 1))


def nested(lengths: tuple[int, ...], seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    rows = [torch.randn(length, 8, generator=generator) for length in lengths]
    return torch.nested.nested_tensor(rows, layout=torch.jagged)


FUNCTIONS: dict[str, tuple[Callable[[Any], Any], int]] = {
    "sum": (lambda x: x.sum(dim=1), 1),
    "sum of squares": (lambda x: (x * x).sum(dim=1, keepdim=True) * 2, 1),
    "two sums": (lambda x: x.sum(dim=1) + (x * x).sum(dim=1), 1),
    "mean": (lambda x: x.mean(dim=1), 1),
    "lane by lane": (lambda x: (x * 2 + 1).sigmoid(), 1),
    "softmax of rows": (lambda x: torch.softmax(x, -1), 1),
    "layer norm": (lambda x: F.layer_norm(x, (8,)), 1),
    "linear": (lambda x: F.linear(x, torch.ones(5, 8)).relu(), 1),
    "sum of rows": (lambda x: x.sum(-1), 1),
    "largest": (lambda x: x.amax(dim=1), 1),
}


def plain(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.values() if tensor.is_nested else tensor


@pytest.mark.parametrize("name", FUNCTIONS)
def test_results(name: str) -> None:
    """One function, with tensors of other lengths one after the other."""
    function, count = FUNCTIONS[name]
    counts: list[int] = []

    def found(clusters: Clusters) -> None:
        counts.append(len(clusters.kernels))

    torch.compiler.reset()
    compiled = torch.compile(function, backend=Backend(launch, found))
    for lengths in LENGTHS:
        x = nested(lengths)
        result, expected = plain(compiled(x)), plain(function(x))
        torch.testing.assert_close(result, expected, equal_nan=True)
    assert set(counts) == {count}


def test_a_traced_kernel() -> None:
    torch.compiler.reset()
    compiled = torch.compile(lambda x: (x * x).sum(dim=1), backend=Backend(traced_kernel))
    x = nested(LENGTHS[0])
    torch.testing.assert_close(compiled(x), (x * x).sum(dim=1))


SEGMENTS: dict[str, Callable[..., torch.Tensor]] = {
    "segments with the reduction max": lambda x, o: torch.segment_reduce(x, "max", offsets=o),
    "segments with the initial value 1": lambda x, o: torch.segment_reduce(x, "sum", offsets=o, initial=1),
    "segments with lengths and offsets of several dimensions": lambda x, o: torch.segment_reduce(
        x, "sum", lengths=o.diff()
    ),
}


@pytest.mark.parametrize("reason", SEGMENTS)
def test_segments_that_are_refused(reason: str) -> None:
    refused: list[str] = []
    made = Backend(launch, lambda clusters: refused.extend(clusters.refused.values()), dry=True)
    torch.compiler.reset()
    torch.compile(SEGMENTS[reason], backend=made)(torch.randn(9, 8), torch.tensor([0, 2, 2, 9]))
    assert reason in refused
