"""What a kernel sees besides its arguments, and that a change of it is seen at the next call."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch

import tilec
import tilec.language as hl
from tilec.frontend.environment import environment_key
from tilec.frontend.kernel import Kernel

X = torch.arange(12.0).reshape(4, 3)


class Settings:
    """Numbers in an object, in its class, and in one that it holds."""

    shift = 1.0

    def __init__(self) -> None:
        self.scale = 2.0
        self.inner = SimpleNamespace(scale=1.0)


class Slotted:
    """An object without a dictionary."""

    __slots__ = ("scale",)

    def __init__(self) -> None:
        self.scale = 2.0


def scaled(factor: Callable[[], Any]) -> Kernel[[torch.Tensor], torch.Tensor]:
    """A kernel that multiplies by what `factor` returns."""

    @tilec.kernel
    def scale(x: torch.Tensor) -> torch.Tensor:
        out = torch.empty_like(x)
        for rows in hl.tile(x.size(0)):
            out[rows] = x[rows] * factor()
        return out

    return scale


def first(values: list[float]) -> float:
    """The first of some numbers."""
    return values[0]


def changed(factor: Callable[[], Any], change: Callable[[], object]) -> None:
    """Check a kernel before and after something that it sees is changed, and that it is traced twice."""
    kernel = scaled(factor)
    before, kept = factor(), kernel.bind(X)
    assert kernel.bind(X) is kept
    change()
    assert factor() != before
    assert torch.equal(kernel(X), X * factor())
    assert kernel.bind(X) is not kept


def test_containers() -> None:
    held = {"a": [2.0], "b": (1.0,)}
    changed(lambda: held["a"][0], lambda: held.update(a=[3.0]))
    changed(lambda: held["a"][0], lambda: held["a"].append(1.0) or held["a"].__setitem__(0, 5.0))  # pyright: ignore


def test_objects() -> None:
    settings, slotted = Settings(), Slotted()
    changed(lambda: settings.scale, lambda: setattr(settings, "scale", 3.0))
    changed(lambda: settings.inner.scale, lambda: setattr(settings.inner, "scale", 3.0))
    changed(lambda: settings.shift, lambda: setattr(Settings, "shift", 4.0))
    changed(lambda: slotted.scale, lambda: setattr(slotted, "scale", 3.0))


def test_modules() -> None:
    module = ModuleType("users")
    vars(module).update(scale=2.0, other=1.0)
    changed(lambda: module.scale, lambda: setattr(module, "scale", 3.0))
    kernel = scaled(lambda: module.scale)
    bound = kernel.bind(X)
    vars(module).update(other=2.0)
    assert kernel.bind(X) is bound, "what a kernel does not name does not matter to it"


def test_the_state_of_pytest_is_none(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """It rewrites an `assert` into calls of its own functions, which lead to all that it holds."""

    def checked(x: torch.Tensor) -> torch.Tensor:
        assert x.ndim == 2
        return x

    before = environment_key(checked)
    monkeypatch.setattr(request.config, "of_this_test", True, raising=False)
    assert environment_key(checked) == before


def test_functions() -> None:
    def number(*, scale: float = 2.0) -> float:
        return scale

    def change() -> None:
        assert number.__kwdefaults__ is not None
        number.__kwdefaults__["scale"] = 3.0

    changed(lambda: number(), change)
    held = [2.0]
    changed(partial(first, held), lambda: held.__setitem__(0, 3.0))


def test_captured_tensors() -> None:
    held = {"row": torch.tensor([1.0, 2.0, 3.0])}
    kernel = scaled(lambda: held["row"][:])
    for _ in range(2):
        assert torch.equal(kernel(X), X * held["row"])
        held["row"].mul_(2)
    held["row"] = torch.tensor([7.0, 8.0, 9.0])
    assert torch.equal(kernel(X), X * held["row"])


@dataclass
class Weights:
    """Tensors and numbers in one argument."""

    row: torch.Tensor
    scale: float


def test_a_dataclass_is_an_argument() -> None:
    @tilec.kernel
    def scale(x: torch.Tensor, weights: Weights) -> torch.Tensor:
        out = torch.empty_like(x)
        for rows in hl.tile(x.size(0)):
            out[rows] = x[rows] * weights.row[:] * weights.scale
        return out

    weights = Weights(torch.tensor([1.0, 2.0, 3.0]), 2.0)
    for row, number in ((weights.row, 2.0), (weights.row * 3, 2.0), (weights.row * 5, 4.0)):
        weights.row, weights.scale = row, number
        assert torch.equal(scale(X, weights), X * row * number)


@pytest.mark.parametrize("number", [0.0, -0.0])
def test_zeros_are_two(number: float) -> None:
    kernel = SIGNED
    assert torch.equal(torch.signbit(kernel(X, number)), torch.full((4, 3), str(number) == "-0.0"))


@tilec.kernel
def SIGNED(x: torch.Tensor, number: float) -> torch.Tensor:
    out = torch.empty_like(x)
    for rows in hl.tile(x.size(0)):
        out[rows] = torch.full_like(x[rows], number)
    return out
