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


@tilec.kernel
def attended(q: torch.Tensor, keys: torch.Tensor) -> torch.Tensor:
    """Scores of heads, which stand between the rows and the lanes of keys."""
    out = torch.empty([q.size(0), keys.size(0), q.size(1)], dtype=q.dtype)
    for rows in hl.tile(keys.size(0)):
        out[:, rows, :] = torch.einsum("hqd, thd -> htq", q[:, :, :], keys[rows, :, :])
    return out


def scores_of(q: torch.Tensor, keys: torch.Tensor) -> torch.Tensor:
    return torch.einsum("hqd,thd->htq", q, keys)


LAYER = (*(torch.randn(*shape, generator=DRAW) for shape in ((5, 9, 24), (30, 24), (30,))),)
CASES: dict[str, Case] = {
    "layer": (layer, functional.linear, LAYER),
    "layer bf16": (layer, functional.linear, tuple(each.bfloat16() for each in LAYER)),
    "multiplied": (multiplied, functional.linear, LAYER),
    "attended": (
        attended,
        scores_of,
        (torch.randn(3, 9, 24, generator=DRAW), torch.randn(21, 3, 24, generator=DRAW)),
    ),
    "mixed": (mixed, torch.matmul, (torch.randn(9, generator=DRAW), LAYER[0])),
    "scored": (scored, torch.matmul, (LAYER[0], LAYER[1][0])),
}


def test_a_product_in_letters_is_one_of_matrices() -> None:
    """torch would make products of one column of it, and more dimensions."""
    text = str(attended.bind(*CASES["attended"][2]).mlir())
    assert "contract [2] x [2]" in text
    assert text.count("tile.transpose") == 2  # of keys, and of the result


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("ij->ji", [(4, 6)]),
        ("ij,ij->i", [(4, 6), (4, 6)]),
        ("ij,jk->ik", [(4, 6), (6, 5)]),
        ("bij,bkj->ibk", [(2, 4, 6), (2, 5, 6)]),
        ("bij,kj->bik", [(2, 4, 6), (5, 6)]),
        ("bhij,bhjk->bhik", [(2, 3, 4, 6), (2, 3, 6, 5)]),
    ],
)
def test_letters_say_what_torch_takes_them_to_say(equation: str, shapes: list[tuple[int, ...]]) -> None:
    """Of products that are no single ones of matrices, too, where they are taken."""
    given = [torch.randn(*shape, generator=DRAW) for shape in shapes]
    wanted = torch.einsum(equation, *given)

    def product(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        out = torch.empty(wanted.shape)
        for _ in hl.grid(1):
            operands = (first[(slice(None),) * first.dim()], second[(slice(None),) * second.dim()])
            out[(slice(None),) * out.dim()] = torch.einsum(equation, *operands[: len(shapes)])
        return out

    torch.testing.assert_close(tilec.kernel(product)(given[0], given[-1]), wanted)


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_torch_and_is_proven(name: str) -> None:
    verify(CASES[name], seeds=(0,))
