"""What operators compute on tiles: dtypes and elements, against torch run eagerly."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import tilec
import tilec.language as hl
from tilec.dialects.interpreter import run
from tilec.frontend.kernel import Kernel
from tilec.testing import as_numpy, program_arguments

ROWS, COLUMNS = 12, 8
FLOATS = (torch.float32, torch.bfloat16, torch.float16)
INTEGERS = (torch.int64, torch.int32, torch.int16, torch.int8)
SPECIAL = [0.0, -0.0, math.inf, -math.inf, math.nan, 1.0, -1.0, 0.5, 2.5, -2.5]
Function = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
Functions = dict[str, Function]

FLOAT_QUOTIENTS: Functions = {
    "div": lambda x, y: x / y,
    "trunc": lambda x, y: torch.div(x, y, rounding_mode="trunc"),
}
QUOTIENTS: Functions = {
    "div": lambda x, y: x / y,
    "floor_divide": lambda x, y: x // y,
    "floor": lambda x, y: torch.div(x, y, rounding_mode="floor"),
    "trunc": lambda x, y: torch.div(x, y, rounding_mode="trunc"),
    "remainder": lambda x, y: x % y,
    "fmod": torch.fmod,
    "of a number": lambda x, y: x % -3,
    "by a number": lambda x, y: 7 // y,
    "number left": lambda x, y: 7 % y,
}
ORDINARY: Functions = {
    "square": lambda x, y: torch.square(x),
    "to the second": lambda x, y: x**2,
    "to nothing": lambda x, y: x**0,
    "to a float": lambda x, y: x**2.0,
    "from a number": lambda x, y: 1 - x,
    "rsub": lambda x, y: torch.rsub(x, y, alpha=3),
    "alpha": lambda x, y: torch.add(x, y, alpha=2),
    "sign": lambda x, y: torch.sign(x),
    "isinf": lambda x, y: torch.isinf(x),
    "round": lambda x, y: torch.round(x),
    "where": lambda x, y: torch.where(x > y, x, 0.5),
    "bool": lambda x, y: x.bool() & (y > 0),
    "clamp": lambda x, y: x.clamp(-1, 2),
    "maximum": torch.maximum,
}
TRUTHS: Functions = {
    "amax": lambda x, y: x.amax(1),
    "amin": lambda x, y: x.amin(1),
    "max": lambda x, y: x.max(1)[0],
    "first": lambda x, y: x.max(1)[1],
    "any": lambda x, y: x.any(1),
    "all": lambda x, y: x.all(1),
    "square": lambda x, y: torch.square(x),
    "power": lambda x, y: x**2,
    "maximum": torch.maximum,
    "minimum": torch.minimum,
    "less": lambda x, y: x < y,
    "sum": lambda x, y: x.sum(1),
    "sign": lambda x, y: torch.sign(x),
}


def elements(dtype: torch.dtype, seed: int) -> torch.Tensor:
    """Numbers around zero; of floats, special ones too."""
    generator = torch.Generator().manual_seed(seed)
    made = torch.randint(-9, 10, (ROWS, COLUMNS), generator=generator)
    if dtype is torch.bool:
        return made > 0
    if not dtype.is_floating_point:
        return made.to(dtype)
    floats = made / 4 + 0.125
    order = torch.randperm(len(SPECIAL), generator=generator)
    floats.view(-1)[: len(SPECIAL)] = torch.tensor(SPECIAL)[order]
    return floats.to(dtype)


def compare(functions: Functions, x: torch.Tensor, y: torch.Tensor) -> None:
    """Run functions of two tensors in one kernel, and each by itself in torch."""
    wanted = {name: each(x, y) for name, each in functions.items()}

    @tilec.kernel
    def every(x: torch.Tensor, y: torch.Tensor) -> list[torch.Tensor]:
        outs = [torch.empty(each.shape, dtype=each.dtype) for each in wanted.values()]
        for rows in hl.tile(ROWS):
            for out, (name, function) in zip(outs, functions.items(), strict=True):
                made = function(x[rows], y[rows])
                assert made.dtype == out.dtype, f"{name}: {made.dtype} where torch has {out.dtype}"
                out[rows] = made
        return outs

    bound = every.bind(x, y)
    results = run(bound.module(), bound.traced.name, program_arguments(bound, [x, y]))
    for (name, want), got in zip(wanted.items(), results, strict=True):
        assert same(np.asarray(got.data), want), f"{name} of {x.dtype} and {y.dtype}"


def same(got: np.ndarray[Any, Any], want: torch.Tensor) -> bool:
    """Whether elements are the same, floats but for their last bit."""
    if not want.dtype.is_floating_point:
        return bool((got.astype(np.int64) == want.numpy().astype(np.int64)).all())
    step = {torch.float32: 2e-6, torch.bfloat16: 2**-8 * 1.01, torch.float16: 2**-10}[want.dtype]
    expected = as_numpy(want).astype(np.float32)
    return np.allclose(got.astype(np.float32), expected, rtol=step, atol=1e-6, equal_nan=True)


@pytest.mark.parametrize("dtype", [*FLOATS, *INTEGERS])
def test_quotients(dtype: torch.dtype) -> None:
    x, y = elements(dtype, 1), elements(dtype, 2)
    if dtype.is_floating_point:
        compare(FLOAT_QUOTIENTS, x, y)
    else:
        compare(QUOTIENTS, x, torch.where(y == 0, 4, y).to(dtype))


@pytest.mark.parametrize("name", ["floor_divide", "floor", "remainder", "fmod"])
def test_quotients_of_floats_that_division_does_not_tell(name: str) -> None:
    x = elements(torch.float32, 1)
    with pytest.raises(tilec.TraceError, match="of floats is off by a whole divisor where a / b rounds up"):
        compare({name: QUOTIENTS[name]}, x, x)


@pytest.mark.parametrize(("first", "second"), [(torch.int32, torch.bfloat16), (torch.float16, torch.int8)])
def test_quotients_of_two_dtypes(first: torch.dtype, second: torch.dtype) -> None:
    y = elements(second, 2)
    compare(FLOAT_QUOTIENTS, elements(first, 1), y)


@pytest.mark.parametrize("dtype", [*FLOATS, torch.int32, torch.int16, torch.int8])
def test_ordinary(dtype: torch.dtype) -> None:
    compare(ORDINARY, elements(dtype, 3), elements(dtype, 4))


@pytest.mark.parametrize("dtype", FLOATS)
def test_rounding_to_decimals(dtype: torch.dtype) -> None:
    functions: Functions = {
        "hundredths": lambda x, y: torch.round(x, decimals=2),
        "tens": lambda x, y: torch.round(x * 8, decimals=-1),
    }
    # Without halves: torch rounds 16 bits twice on the way.
    x = elements(dtype, 3)
    compare(functions, torch.where(x.isfinite(), x + 0.0625, 1).to(dtype), x)


def test_a_product_in_the_dtype_that_is_asked_for() -> None:
    """Sums of 16-bit products in f32 have digits that 16 bits do not hold. Torch has these on CUDA alone."""

    @tilec.kernel
    def products(x: torch.Tensor, y: torch.Tensor) -> list[torch.Tensor]:
        outs = [torch.empty([ROWS, COLUMNS], dtype=torch.float32) for _ in range(4)]
        for rows in hl.tile(ROWS):
            left, zero = x[rows, :], torch.zeros([rows, COLUMNS], dtype=torch.bfloat16)
            outs[0][rows] = torch.mm(left, y[:, :], torch.float32)
            outs[1][rows] = torch.bmm(left[None], y[:, :][None], out_dtype=torch.float32)[0]
            outs[2][rows] = torch.addmm(zero, left, y[:, :], out_dtype=torch.float32)
            outs[3][rows] = torch.addmm(zero, left, y[:, :], alpha=0.5, out_dtype=torch.float32)
        return outs

    x, y = (torch.randn(shape).bfloat16() for shape in ((ROWS, 24), (24, COLUMNS)))
    bound = products.bind(x, y)
    results = run(bound.module(), bound.traced.name, program_arguments(bound, [x, y]))
    want = (x.float() @ y.float()).numpy()
    for got, scale in zip(results, (1, 1, 1, 0.5), strict=True):
        np.testing.assert_allclose(np.asarray(got.data), want * scale, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("on_host", [True, False])
def test_the_bits_of_a_number_are_refused(on_host: bool) -> None:
    @tilec.kernel
    def bits(x: torch.Tensor) -> torch.Tensor:
        out = torch.empty_like(x, dtype=torch.int32)
        whole = x.view(torch.int32) if on_host else x
        for rows in hl.tile(x.size(0)):
            out[rows] = whole[rows].view(torch.int32)
        return out

    with pytest.raises(tilec.TraceError, match=r"the bits of float32\[\w+, 8\] as torch.int32; \.to\(\)"):
        bits.bind(elements(torch.float32, 9))


def test_what_is_no_number() -> None:
    """NaN is a constant of the program, and the program can be read back."""
    compare({"nan": lambda x, y: torch.where(x > 0, x, math.nan)}, *[elements(torch.float32, 10)] * 2)
    x = elements(torch.float32, 10)

    @tilec.kernel
    def filled(x: torch.Tensor) -> torch.Tensor:
        out = torch.empty_like(x)
        for rows in hl.tile(x.size(0)):
            out[rows] = math.nan
        return out

    assert filled(x).isnan().all()


def test_truths() -> None:
    compare(TRUTHS, elements(torch.bool, 5), elements(torch.bool, 6))


def test_bits_of_integers() -> None:
    functions: Functions = {
        "and": lambda x, y: x & y,
        "or": lambda x, y: x | 5,
        "xor": lambda x, y: x ^ y,
        "left": lambda x, y: x << 2,
        "right": lambda x, y: x >> 1,
    }
    for dtype in (torch.int32, torch.int16, torch.int8):
        compare(functions, elements(dtype, 7), elements(dtype, 8))


def grown(shift: int) -> Kernel[..., torch.Tensor]:
    """A kernel that shifts 64-bit integers to the left and back by a division."""

    @tilec.kernel
    def shifted(x: torch.Tensor) -> torch.Tensor:
        out = torch.empty_like(x)
        for rows in hl.tile(x.size(0)):
            out[rows] = torch.div(x[rows] << shift, 3, rounding_mode="trunc")
        return out

    return shifted


def test_what_a_shift_may_reach_is_known() -> None:
    x = torch.arange(4)
    assert grown(9).bind(x).traced.most <= 2**20
    with pytest.raises(tilec.TraceError, match="an operand of div is an int64 that may not fit 32 bits"):
        grown(20).bind(x)


def test_power_of_integers_names_the_exponent() -> None:
    @tilec.kernel
    def powers(x: torch.Tensor) -> torch.Tensor:
        out = torch.empty_like(x)
        for rows in hl.tile(x.size(0)):
            out[rows] = x[rows] ** x[rows]
        return out

    with pytest.raises(
        tilec.TraceError, match=r"an integer to the power of int32\[rows\]; 0 to 8 is accepted"
    ):
        powers.bind(torch.ones(4, dtype=torch.int32))


def test_how_many_are_true_is_known_to_fit() -> None:
    """torch counts in int64; also of truth values that were made int32 first, but of no other int32."""

    @tilec.kernel
    def shares(x: torch.Tensor, of_truths: bool) -> torch.Tensor:
        out = torch.empty_like(x)
        for rows in hl.tile(x.size(0)):
            count = (x[rows] > 0).to(torch.int32)
            out[rows] = x[rows] / (count if of_truths else count + 1).sum(1)[:, None]
        return out

    x = elements(torch.float32, 11).nan_to_num(posinf=1, neginf=-1)
    torch.testing.assert_close(shares(x, True), x / (x > 0).sum(1)[:, None])
    with pytest.raises(tilec.TraceError, match="an int64 that may not fit 32 bits"):
        shares.bind(x, False)
