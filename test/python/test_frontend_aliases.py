"""Values that are changed in place: right, or refused where another name or a view would see it in torch."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

import tilec
import tilec.language as hl
from tilec.frontend.kernel import Kernel

X = torch.arange(48.0).reshape(8, 6)
Body = Callable[[torch.Tensor], torch.Tensor]
SHARED = "shares its elements with a value that was changed in place since"


def of_rows(body: Body) -> Kernel[[torch.Tensor], torch.Tensor]:
    """A kernel that puts a function of rows into an array."""

    @tilec.kernel
    def kernel(x: torch.Tensor) -> torch.Tensor:
        out = torch.empty_like(x)
        for rows in hl.tile(x.size(0)):
            out[rows, :] = body(x[rows, :])
        return out

    return kernel


def through_a_column(v: torch.Tensor) -> torch.Tensor:
    part = v[:, 0]
    part += 100
    return v


def through_a_shape(v: torch.Tensor) -> torch.Tensor:
    v.view(-1, 2, 3).mul_(2)
    return v


def through_half(v: torch.Tensor) -> torch.Tensor:
    first, _ = v.chunk(2, 1)
    first.neg_()
    return v


def a_view_of_the_old(v: torch.Tensor) -> torch.Tensor:
    wide = v[:, None, :]
    v += 1
    return wide[:, 0, :]


def in_a_loop(v: torch.Tensor) -> torch.Tensor:
    other = v
    for _ in hl.tile(4):
        v += 1
    return other


@pytest.mark.parametrize(
    "body",
    [through_a_column, through_a_shape, through_half, a_view_of_the_old, in_a_loop],
)
def test_shared_elements_are_refused(body: Body) -> None:
    with pytest.raises(tilec.TraceError, match=SHARED):
        of_rows(body).bind(X)


def two_names(v: torch.Tensor) -> torch.Tensor:
    other = v
    other += 1
    return v


def a_copy(v: torch.Tensor) -> torch.Tensor:
    other = v.clone()
    other += 1
    return v * other


def unused_views(v: torch.Tensor) -> torch.Tensor:
    total = v[:, 0] + v.view(-1, 2, 3)[:, 1, 2]
    v += 1
    v[:] = v + total[:, None]
    return v


def another_dtype(v: torch.Tensor) -> torch.Tensor:
    other = v.to(torch.bfloat16)
    v += 1
    return v + other


@pytest.mark.parametrize("body", [two_names, a_copy, unused_views, another_dtype])
def test_changes_in_place(body: Body) -> None:
    assert torch.equal(of_rows(body)(X), body(X.clone()))


@tilec.kernel
def has_a_row(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty([max(x.size(0), 1), x.size(1)])
    for rows in hl.tile(x.size(0)):
        out[rows, :] = x[rows, :]
    return out


def test_no_rows() -> None:
    assert of_rows(a_copy)(torch.empty(0, 6)).shape == (0, 6)
    assert has_a_row(torch.empty(0, 6)).shape == (1, 6)
    sized: Any = tilec.kernel(config=tilec.Config(blocks={"rows": 64}))(of_rows(a_copy).fn)
    assert sized(torch.empty(0, 6)).shape == (0, 6)


@tilec.kernel
def asks_for_rows(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty_like(x)
    if x.size(0) > 0:
        for rows in hl.tile(x.size(0)):
            out[rows, :] = x[rows, :]
    return out


@tilec.kernel
def is_true(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty_like(x) if x.size(0) else x
    for rows in hl.tile(x.size(0)):
        out[rows, :] = x[rows, :]
    return out


def test_no_elements() -> None:
    """No program for any number of columns, nor for any number of rows where the function asks for it."""
    none = torch.empty(0, 6)
    for kernel, x in ((of_rows(a_copy), none.T), (asks_for_rows, none), (is_true, none)):
        with pytest.raises(tilec.TraceError, match=r"x is float32\[\d, \d\], which has no elements"):
            kernel.bind(x)


def test_a_view_of_what_is_only_read_is_a_result_of_its_own() -> None:
    @tilec.kernel
    def with_view(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        out = torch.empty([x.size(0)])
        for rows in hl.tile(x.size(0)):
            out[rows] = x[rows, :].sum(1)
        return out, x.view(-1), x.t()

    x = torch.arange(37.0 * 4).view(37, 4)
    sums, flat, turned = with_view(x)
    assert torch.equal(sums, x.sum(1))
    assert torch.equal(flat, x.view(-1))
    assert torch.equal(turned, x.t())
    assert flat.data_ptr() != x.data_ptr()
