"""`tilec.compile`, `torch.compile(backend="tilec")` and `tilec.explain`, with the real tracer and kernels."""

# The lambdas are functions that users would write without types; torch's own are incomplete.
# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

import tilec
from tilec.frontend.whole.backend import Backend
from tilec.frontend.whole.kernels import Kernel
from tilec.frontend.whole.launching import traced_kernel
from tilec.frontend.whole.rewriting import Launch


def function(x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    y = F.relu(x @ w)
    z = torch.cumsum(y, -1)
    return F.softmax(z, -1)


def arguments() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(20, 16, generator=generator), torch.randn(16, 24, generator=generator)


def test_explain() -> None:
    found = tilec.explain(function, arguments())
    first = function.__code__.co_firstlineno
    assert [row.operations for row in found.kernels] == [("mm", "relu"), ("amax", "sub", "exp", "sum", "div")]
    assert [row.places for row in found.kernels] == [(f"{Path(__file__).name}:{first + i}",) for i in (1, 3)]
    (left,) = found.left
    assert (left.operations, left.text) == (("cumsum",), "aten.cumsum.default has no kernel")
    text = str(found)
    assert "Left to torch" in text
    assert "kernel_1" in text


def test_explain_lists_derivatives() -> None:
    x, w = arguments()
    graphs = {row.graph for row in tilec.explain(lambda x: F.gelu(x @ w), [x.requires_grad_()]).kernels}
    assert graphs == {1, 2}


def test_compile_does_not_change_its_example() -> None:
    def double(x: torch.Tensor) -> torch.Tensor:
        return x.mul_(2)

    x = torch.ones(4, 8)
    compiled = tilec.compile(double, [x])
    assert torch.equal(x, torch.ones(4, 8))
    compiled(x)
    assert torch.equal(x, torch.full((4, 8), 2.0))


def test_results() -> None:
    args = arguments()
    compiled = tilec.compile(function, args)
    torch.testing.assert_close(compiled(*args), function(*args), rtol=1e-4, atol=1e-5)


def test_by_name() -> None:
    """Torch finds the backend where tilec is installed."""
    if "tilec" not in torch.compiler.list_backends():
        pytest.skip("tilec is not installed here")
    torch.compiler.reset()
    x, _ = arguments()
    torch.testing.assert_close(
        torch.compile(lambda x: torch.exp(x) + 1, backend="tilec")(x), torch.exp(x) + 1
    )


def test_what_the_tracer_refuses_is_left_to_torch() -> None:
    def refusing(kernel: Kernel) -> Launch:
        lines = kernel.text.replace("torch.exp(", "torch.bernoulli(")
        return traced_kernel(Kernel(kernel.name, lines, kernel.blocks, kernel.arguments, kernel.results))

    reasons: list[str] = []
    made = Backend(refusing, lambda clusters: reasons.extend(clusters.refused.values()))
    x, _ = arguments()
    torch.testing.assert_close(torch.compile(lambda x: torch.exp(x) + 1, backend=made)(x), torch.exp(x) + 1)
    assert len(reasons) == 2
    assert "bernoulli" in reasons[0]
