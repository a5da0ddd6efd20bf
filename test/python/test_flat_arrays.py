"""Arrays of rank 1 that XLA would lay out anew as matrices of one row: kernels take them as they are."""

import pytest
import torch
from torch_cases import Case, verify

import tilec
import tilec.language as hl

DRAW = torch.Generator().manual_seed(0)
TILES = tilec.Config(operands="stream")
"""Not all of an array at once, as is chosen of short ones."""


@tilec.kernel(config=TILES)
def line(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    out = torch.empty_like(x)
    for t in hl.tile(x.size(0), block_size=1024):
        out[t] = x[t] * 2 + y[t]
    return out


def line_of(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return x * 2 + y


@tilec.kernel(config=TILES)
def centered(x: torch.Tensor) -> torch.Tensor:
    """Lanes that meet, behind the end of the array too, and are numbered."""
    out = torch.empty_like(x)
    for t in hl.tile(x.size(0), block_size=2048):
        even = torch.where(t.index % 2 == 0, x[t], 0.0)
        out[t] = x[t] - even.sum() / 1024
    return out


def centered_of(x: torch.Tensor) -> torch.Tensor:
    parts = [x[begin : begin + 2048] for begin in range(0, x.size(0), 2048)]
    return torch.cat([part - part[::2].sum() / 1024 for part in parts])


@tilec.kernel(config=TILES)
def shifted_columns(x: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    out = torch.empty_like(x)
    for rows, cols in hl.tile([x.size(0), x.size(1)], block_size=[8, 1024]):
        out[rows, cols] = x[rows, cols] + bias[cols]
    return out


def numbers(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return (torch.randn(*shape, generator=DRAW) * 8).to(dtype)


CASES: dict[str, Case] = {
    "centered": (centered, centered_of, (numbers(4800),)),
    "columns": (shifted_columns, torch.add, (numbers(9, 2100), numbers(2100))),
    "integers": (line, line_of, (numbers(2100, dtype=torch.int32), numbers(2100, dtype=torch.int32))),
    "line": (line, line_of, (numbers(4800), numbers(4800))),
    "short floats": (
        line,
        line_of,
        (numbers(9700, dtype=torch.bfloat16), numbers(9700, dtype=torch.bfloat16)),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_torch_and_is_proven(name: str) -> None:
    kernel, _, arguments = CASES[name]
    assert "jnp.reshape(x, " not in kernel.bind(*arguments).pallas()
    verify(CASES[name], seeds=(0,))


@pytest.mark.parametrize(("length", "flat"), [(10**6, True), (10**6 + 1, True), (10**6 + 400, False)])
def test_nothing_is_laid_out_anew(length: int, flat: bool) -> None:
    """Of 1,000,000 elements tiles of 1,024 end elsewhere than tiles of 128, of 1,000,400 they do not."""
    text = line.bind(torch.empty(length, device="meta"), torch.empty(length, device="meta")).pallas()
    assert (f"out_shape=jax.ShapeDtypeStruct(({length},), jnp.float32)" in text) is flat
