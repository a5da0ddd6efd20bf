"""Products of batches of matrices with one matrix or vector, as layers of networks have."""

import pytest
import torch
from torch.nn import functional
from torch_cases import Case, verify

import tilec
import tilec.language as hl

DRAW = torch.Generator().manual_seed(0)


@tilec.kernel
def layer(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    out = torch.empty([x.size(0), x.size(1), weight.size(0)], dtype=x.dtype)
    for batch, rows in hl.tile([x.size(0), x.size(1)]):
        out[batch, rows, :] = functional.linear(x[batch, rows, :], weight[:, :], bias[:])
    return out


@tilec.kernel
def multiplied(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    out = torch.empty([x.size(0), x.size(1), weight.size(0)], dtype=x.dtype)
    for batch in hl.tile(x.size(0)):
        out[batch, :, :] = x[batch, :, :] @ weight[:, :].mT + bias[:]
    return out


@tilec.kernel
def scored(x: torch.Tensor, vector: torch.Tensor) -> torch.Tensor:
    out = torch.empty([x.size(0), x.size(1)], dtype=x.dtype)
    for batch in hl.tile(x.size(0)):
        out[batch, :] = torch.matmul(x[batch, :, :], vector[:])
    return out


@tilec.kernel
def mixed(vector: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    out = torch.empty([x.size(0), x.size(2)], dtype=x.dtype)
    for batch in hl.tile(x.size(0)):
        out[batch, :] = vector[:] @ x[batch, :, :]
    return out


LAYER = (*(torch.randn(*shape, generator=DRAW) for shape in ((5, 9, 24), (30, 24), (30,))),)
CASES: dict[str, Case] = {
    "layer": (layer, functional.linear, LAYER),
    "layer bf16": (layer, functional.linear, tuple(each.bfloat16() for each in LAYER)),
    "multiplied": (multiplied, functional.linear, LAYER),
    "mixed": (mixed, torch.matmul, (torch.randn(9, generator=DRAW), LAYER[0])),
    "scored": (scored, torch.matmul, (LAYER[0], LAYER[1][0])),
}


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_torch_and_is_proven(name: str) -> None:
    verify(CASES[name], seeds=(0,))
