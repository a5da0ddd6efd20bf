"""Functions that are made of others: their digits, against torch, and the TPU compiler."""

from collections.abc import Callable

import pytest
import torch
from torch.nn import functional

import tilec
import tilec.language as hl
from tilec.testing import prove

LOW, HIGH = torch.finfo(torch.float32).min, torch.finfo(torch.float32).max
NEAR = torch.tensor([0.0, -0.0, 1e-6, -1e-6, 1e-3, -1e-3, 0.4, -0.4, 0.99999, -0.99999])
FAR = torch.tensor([1.0, -1.0, 3.0, -3.0, 20.0, -20.0, 80.0, -80.0])
LIMITS = torch.tensor([HIGH, LOW, 1e30, -1e30, torch.inf, -torch.inf, torch.nan])
NUMBERS = torch.cat([NEAR, FAR, LIMITS, torch.randn(103, generator=torch.Generator().manual_seed(0))])
FUNCTIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "expm1": torch.expm1,
    "sinh": torch.sinh,
    "cosh": torch.cosh,
    "elu": functional.elu,
    "selu": functional.selu,
    "celu": lambda x: functional.celu(x, 0.5),
    "atan": torch.atan,
    "asin": torch.asin,
    "acos": torch.acos,
    "asinh": torch.asinh,
    "acosh": torch.acosh,
    "atanh": torch.atanh,
    "logit": torch.logit,
    "hypot": lambda x: torch.hypot(x, x.flip(0)),
    "atan2": lambda x: torch.atan2(x, x.flip(0)),
    "copysign": lambda x: torch.copysign(x.flip(0), x),
    "frac": torch.frac,
    "nan_to_num": torch.nan_to_num,
    "numbers": lambda x: torch.nan_to_num(x, nan=-1.5, posinf=2.0, neginf=LOW),
}


def mapped(function: Callable[[torch.Tensor], torch.Tensor]) -> tilec.Kernel[[torch.Tensor], torch.Tensor]:
    @tilec.kernel
    def kernel(x: torch.Tensor) -> torch.Tensor:
        out = torch.empty_like(x)
        for rows in hl.tile(x.size(1)):
            out[:, rows] = function(x[:, rows])
        return out

    return kernel


@pytest.mark.parametrize("name", FUNCTIONS)
def test_has_the_digits_of_torch(name: str) -> None:
    x = NUMBERS.reshape(8, 16)
    torch.testing.assert_close(
        mapped(FUNCTIONS[name])(x), FUNCTIONS[name](x), rtol=1e-5, atol=1e-7, equal_nan=True
    )


def test_the_tpu_compiler_has_what_they_are_made_of() -> None:
    def all_of_them(x: torch.Tensor) -> torch.Tensor:
        return sum((function(x) for name, function in FUNCTIONS.items() if name != "elu"), functional.elu(x))

    prove(mapped(all_of_them), (torch.rand(8, 128) * 0.9 + 0.05,), seeds=(0,))
