"""Rows that are stored where segments of two arrays, or a segment and a number, end together."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import torch

import tilec
import tilec.language as hl
from tilec.diagnostics import TileError
from tilec.testing import prove

X = torch.tensor([0, 3, 3, 20, 41], dtype=torch.int32)
Y = torch.tensor([0, 0, 9, 12, 30], dtype=torch.int32)


def concatenated(x: torch.Tensor, xo: torch.Tensor, y: torch.Tensor, yo: torch.Tensor) -> torch.Tensor:
    """The rows of each group of `x`, and then those of `y`."""
    out = torch.empty([x.size(0) + y.size(0), x.size(1)], dtype=x.dtype)
    for g in hl.grid(xo.size(0) - 1):
        end, begin = xo[g + 1], yo[g]
        for rows in hl.tile(xo[g], end):
            out[rows.index + begin, :] = x[rows, :]
        for rows in hl.tile(begin, yo[g + 1]):
            out[rows.index + end, :] = y[rows, :]
    return out


def behind_tokens(x: torch.Tensor, xo: torch.Tensor, token: torch.Tensor) -> torch.Tensor:
    """A row before those of each group."""
    out = torch.empty([x.size(0) + token.size(0), x.size(1)], dtype=x.dtype)
    for g in hl.grid(token.size(0)):
        out[xo[g] + g, :] = token[g, :]
        for rows in hl.tile(xo[g], xo[g + 1]):
            out[rows.index + g + 1, :] = x[rows, :]
    return out


def first_and_others(x: torch.Tensor, xo: torch.Tensor) -> torch.Tensor:
    """Up to five rows of each group are doubled, the others grow by one."""
    out = torch.empty_like(x)
    for g in hl.grid(xo.size(0) - 1):
        middle = torch.minimum(xo[g] + 5, xo[g + 1])
        for rows in hl.tile(xo[g], middle):
            out[rows, :] = x[rows, :] * 2
        for rows in hl.tile(middle, xo[g + 1]):
            out[rows, :] = x[rows, :] + 1
    return out


def three(x: torch.Tensor, xo: torch.Tensor, y: torch.Tensor, yo: torch.Tensor) -> torch.Tensor:
    """The rows of each group of `x`, those of `y`, and those of `x` again: ranges that are sums."""
    out = torch.empty([x.size(0) * 2 + y.size(0), x.size(1)], dtype=x.dtype)
    for g in hl.grid(xo.size(0) - 1):
        for rows in hl.tile(2 * xo[g] + yo[g], xo[g] + xo[g + 1] + yo[g]):
            out[rows, :] = x[rows.index - xo[g] - yo[g], :]
        for rows in hl.tile(xo[g] + xo[g + 1] + yo[g], xo[g] + xo[g + 1] + yo[g + 1]):
            out[rows, :] = y[rows.index - xo[g] - xo[g + 1], :]
        for rows in hl.tile(xo[g] + xo[g + 1] + yo[g + 1], 2 * xo[g + 1] + yo[g + 1]):
            out[rows, :] = x[rows.index - xo[g + 1] - yo[g + 1], :]
    return out


def inner_parts(x: torch.Tensor, xo: torch.Tensor) -> torch.Tensor:
    """Each group but for its first and its last row, which are zeros."""
    out = torch.zeros([x.size(0), x.size(1)], dtype=x.dtype)
    for g in hl.grid(xo.size(0) - 1):
        for rows in hl.tile(xo[g] + 1, xo[g + 1] - 1):
            out[rows, :] = x[rows, :]
    return out


def last_four(x: torch.Tensor, xo: torch.Tensor) -> torch.Tensor:
    """Up to four rows at the end of each group; the others are zeros."""
    out = torch.zeros([x.size(0), x.size(1)], dtype=x.dtype)
    for g in hl.grid(xo.size(0) - 1):
        for rows in hl.tile(torch.maximum(xo[g + 1] - 4, xo[g]), xo[g + 1]):
            out[rows, :] = x[rows, :]
    return out


def by_two(x: torch.Tensor, xo: torch.Tensor) -> torch.Tensor:
    """Groups that have a row and a column."""
    out = torch.empty_like(x)
    for row, column in hl.grid([(xo.size(0) - 1) // 2, 2]):
        g = row * 2 + column
        for rows in hl.tile(xo[g], xo[g + 1]):
            out[rows, :] = x[rows, :] * 2
    return out


def ragged(x: torch.Tensor, offsets: torch.Tensor) -> list[torch.Tensor]:
    return [x[begin:end] for begin, end in pairwise(offsets)]


def reference(fn: Callable[..., Any], *args: torch.Tensor) -> torch.Tensor:
    x, offsets, *more = args
    if fn is first_and_others:
        return torch.cat([part for each in ragged(x, offsets) for part in (each[:5] * 2, each[5:] + 1)])
    if fn is by_two:
        return x * 2
    if fn is last_four:
        parts = [(torch.zeros_like(each[:-4]), each[-4:]) for each in ragged(x, offsets)]
        return torch.cat([part for pair in parts for part in pair])
    if fn is inner_parts:
        inside = [
            torch.nn.functional.pad(each[1:-1], (0, 0, 1, 1))[: len(each)] for each in ragged(x, offsets)
        ]
        return torch.cat(inside)
    first, last = ragged(x, offsets), ragged(x, offsets)
    if fn is three:
        first = [torch.cat(pair) for pair in zip(first, ragged(more[0], more[1]), strict=True)]
    elif fn is concatenated:
        last = ragged(more[0], more[1])
    elif fn is behind_tokens:
        first = [more[0][g : g + 1] for g in range(len(last))]
    return torch.cat([part for pair in zip(first, last, strict=True) for part in pair])


def arguments(fn: Callable[..., Any], dtype: torch.dtype) -> list[torch.Tensor]:
    made = torch.Generator().manual_seed(0)
    x, y, tokens = (torch.randn(n, 70, generator=made).to(dtype) for n in (41, 30, 4))
    more = {concatenated: [y, Y], three: [y, Y], behind_tokens: [tokens]}
    return [x, X, *more.get(fn, [])]


FUNCTIONS = (concatenated, behind_tokens, first_and_others, three, inner_parts, last_four, by_two)
LOOPS = {concatenated: 2, first_and_others: 2, three: 3}
WAYS = [
    ("stream", "fori_loop"),
    ("worklist", "grid"),
    ("worklist", "emit_pipeline"),
    ("worklist", "fori_loop"),
    ("overlaunch", "grid"),
    ("overlaunch", "emit_pipeline"),
]


@pytest.mark.parametrize("fn", FUNCTIONS, ids=lambda fn: fn.__name__)
@pytest.mark.parametrize(("grouping", "loop"), WAYS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_rows_are_where_they_belong(
    fn: Callable[..., Any], grouping: str, loop: str, dtype: torch.dtype
) -> None:
    blocks = dict.fromkeys(["rows", "rows_2", "rows_3"][: LOOPS.get(fn, 1)], 16)
    kernel: Any = tilec.kernel(config=tilec.Config(blocks=blocks, grouping=grouping, loop=loop))(fn)
    args = arguments(fn, dtype)
    assert torch.equal(kernel(*args), reference(fn, *args))


@pytest.mark.parametrize("fn", FUNCTIONS, ids=lambda fn: fn.__name__)
def test_they_are_proven_by_default(fn: Callable[..., Any]) -> None:
    kernel: Any = tilec.kernel(fn)
    prove(kernel, arguments(fn, torch.bfloat16), chips=("v5e",), seeds=(0,))


def shorter(x: torch.Tensor, xo: torch.Tensor, yo: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
    for g in hl.grid(xo.size(0) - 1):
        begin = yo[g]
        for rows in hl.tile(xo[g], xo[g + 1]):
            out[rows.index + begin, :] = x[rows, :]
        for rows in hl.tile(begin, yo[g + 1]):
            out[rows.index + xo[g + 1], :] = x[rows, :] + 1
    return out


def five_first(x: torch.Tensor, xo: torch.Tensor, yo: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
    for g in hl.grid(xo.size(0) - 1):
        for rows in hl.tile(xo[g], torch.minimum(xo[g] + 5, xo[g + 1])):
            out[rows, :] = x[rows, :]
    return out


def in_turn(x: torch.Tensor, xo: torch.Tensor, yo: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
    for _ in hl.grid(1):
        for g in hl.grid(xo.size(0) - 1):
            for rows in hl.tile(xo[g], xo[g + 1]):
                out[rows.index + g + 1, :] = x[rows, :]
    return out


def from_the_last(x: torch.Tensor, xo: torch.Tensor, yo: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
    groups = xo.size(0) - 1
    for g in hl.grid(groups):
        for rows in hl.tile(xo[groups - 1 - g], xo[groups - g]):
            out[rows.index + yo[groups - 1 - g], :] = x[rows, :]
        for rows in hl.tile(yo[groups - 1 - g], yo[groups - g]):
            out[rows.index + xo[groups - g], :] = x[rows, :] + 1
    return out


@pytest.mark.parametrize(
    ("fn", "rows", "told"),
    [
        (shorter, 71, r"yo and xo, 30 \+ 41, end at 71; they must end at 70 or earlier"),
        (five_first, 25, "xo, 25|xo, 41"),
        (in_turn, 45, "must end at 40 or earlier"),
    ],
    ids=["sums", "least", "in_turn"],
)
def test_rows_behind_the_array_are_refused_at_the_call(fn: Callable[..., Any], rows: int, told: str) -> None:
    kernel: Any = tilec.kernel(fn)
    x = torch.randn(41, 70)
    kernel(x, X, Y, torch.zeros(rows, 70))
    with pytest.raises(ValueError, match=told):
        kernel(x, X, Y, torch.zeros(rows - 1, 70))


def test_groups_from_the_last_on_may_be_scattered() -> None:
    """Their ranges come in the other order: nothing is known of them."""
    x, out = torch.randn(41, 70), torch.zeros(71, 70)
    kernel: Any = tilec.kernel(from_the_last)
    parts = [part for pair in zip(ragged(x, X), ragged(x[:30] + 1, Y), strict=True) for part in pair]
    assert torch.equal(kernel(x, X, Y, out), torch.cat(parts))


def test_rows_that_others_may_write_are_refused() -> None:
    def cut(x: torch.Tensor, xo: torch.Tensor, first: torch.Tensor) -> torch.Tensor:
        out = torch.empty_like(x)
        for g in hl.grid(xo.size(0) - 1):
            for rows in hl.tile(xo[g], xo[g] + first[g]):
                out[rows, :] = x[rows, :]
        return out

    kernel: Any = tilec.kernel(cut)
    with pytest.raises(TileError, match="race: the store at"):
        kernel(torch.randn(41, 70), X, torch.ones(4, dtype=torch.int32))


def test_rows_before_the_array_are_not_written_through_windows() -> None:
    def moved(x: torch.Tensor, xo: torch.Tensor) -> torch.Tensor:
        out = torch.zeros([x.size(0), x.size(1)])
        for g in hl.grid(xo.size(0) - 1):
            for rows in hl.tile(xo[g], xo[g + 1]):
                out[rows.index + g - 3, :] = x[rows, :]
        return out

    def begun(x: torch.Tensor, xo: torch.Tensor) -> torch.Tensor:
        out = torch.zeros([x.size(0), x.size(1)])
        for g in hl.grid(xo.size(0) - 1):
            for rows in hl.tile(xo[g] - 2, xo[g + 1] - 2):
                out[rows, :] = x[rows.index + 2, :]
        return out

    text = tilec.kernel(moved).bind(torch.randn(41, 70), X).mlir(after="fold-outer-pipeline")
    assert "tile.local" in text  # one by one, as scattered rows are
    with pytest.raises(TileError, match="what is written may begin before dimension 0 of %out"):
        tilec.kernel(begun)(torch.randn(41, 70), X)
