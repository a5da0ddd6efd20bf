"""Python's and torch's own functions in a kernel: what they give, and in which words they are refused."""

import logging
from collections.abc import Callable
from io import StringIO

import numpy as np
import pytest
import torch

import tilec
import tilec.language as hl
from tilec.frontend.kernel import Kernel

X = torch.arange(60.0).reshape(20, 3) - 30
Body = Callable[[torch.Tensor], torch.Tensor]


def of_rows(body: Body) -> Kernel[[torch.Tensor], torch.Tensor]:
    """A kernel that puts a function of rows into an array."""

    @tilec.kernel
    def kernel(x: torch.Tensor) -> torch.Tensor:
        out = torch.empty_like(x)
        for rows in hl.tile(x.size(0), block_size=8):
            out[rows, :] = body(x[rows, :])
        return out

    return kernel


def a_constant(v: torch.Tensor) -> torch.Tensor:
    return torch.where(v > torch.tensor(1.5), v * torch.tensor(2), torch.tensor(-1.0, dtype=torch.bfloat16))


def lengths(v: torch.Tensor) -> torch.Tensor:
    return v * len(v.unbind(1)) + len([1, 2]) * len(v[0:8].T if False else v.T)


def numbers(v: torch.Tensor) -> torch.Tensor:
    return abs(v) + round(2.5) + pow(v, 2) + divmod(7, 2)[0] + float(np.float32(1.5))


@pytest.mark.parametrize("body", [a_constant, lengths, numbers])
def test_values(body: Body) -> None:
    assert torch.equal(of_rows(body)(X), body(X))


def test_the_length_of_a_tile_is_its_block() -> None:
    assert torch.equal(of_rows(lambda v: v * 0 + len(v))(X), torch.full_like(X, 8))


def into_out(v: torch.Tensor) -> torch.Tensor:
    made = torch.empty_like(v)
    torch.add(v, v, out=made)
    return made


def with_numpy(v: torch.Tensor) -> torch.Tensor:
    return v + float(np.asarray(v).sum())


def of_its_length(v: torch.Tensor) -> torch.Tensor:
    return v * torch.Tensor.__len__(v)  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]


REFUSED: list[tuple[Body, str]] = [
    (into_out, "add with out=; assign what it returns to a variable"),
    (with_numpy, r"the elements of float32\[rows, 3\] are not known while the kernel is traced"),
    (torch.bitwise_not, "bitwise_not of torch.float32 is not supported"),
    (of_its_length, r"the length of float32\[rows, 3\] is a number of the program; write .shape"),
]


@pytest.mark.parametrize(("body", "message"), REFUSED)
def test_refused(body: Body, message: str) -> None:
    with pytest.raises(tilec.TraceError, match=message):
        of_rows(body).bind(X)


def test_what_torch_refuses_is_not_logged() -> None:
    logger, said = logging.getLogger("torch._subclasses.fake_tensor"), StringIO()
    handler = logging.StreamHandler(said)
    logger.addHandler(handler)
    try:
        with pytest.raises(tilec.TraceError, match="Expected dtype int32/int64 for index"):
            of_rows(lambda v: torch.gather(v, 1, v)).bind(X)
    finally:
        logger.removeHandler(handler)
    assert not said.getvalue()
