"""Tensors of positions that index several dimensions of one tensor."""

import pytest
import torch

import tilec
import tilec.language as hl
from tilec.testing import agree, prove


@tilec.kernel
def neighbours(u: torch.Tensor) -> torch.Tensor:
    """By positions of both dimensions: each of them moves along one, and a mask keeps it inside."""
    height, width = u.size()
    out = torch.empty_like(u)
    for rows, cols in hl.tile([height, width]):
        i, j = rows.index[:, None], cols.index
        total = hl.load(u, [i - 1, j], extra_mask=i > 0) + hl.load(u, [i + 1, j], extra_mask=i < height - 1)
        total = total + hl.load(u, [i, j - 1], extra_mask=(j > 0)[None, :])
        out[rows, cols] = total + hl.load(u, [i - 1, j + 1], extra_mask=(i > 0) & (j < width - 1)[None, :])
    return out


@tilec.kernel
def picked(u: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    """Rows that are loaded, and shifted columns; stored shifted too."""
    out = torch.zeros([ids.size(0) + 1, u.size(1)])
    for rows, cols in hl.tile([ids.size(0), u.size(1) - 1]):
        values = u[ids[rows][:, None], cols.index[None, :] + 1]
        hl.store(out, [rows.index[:, None] + 1, cols.index[None, :]], values)
    return out


def test_positions_that_lie_across_each_other_are_windows() -> None:
    u, ids = torch.randn(23, 145), torch.randint(0, 23, (30,), generator=torch.Generator().manual_seed(0))
    around = torch.nn.functional.pad(u, (1, 1, 1, 1))
    wanted = around[:-2, 1:-1] + around[2:, 1:-1] + around[1:-1, :-2] + around[:-2, 2:]
    agree(neighbours(u), wanted, "neighbours")
    assert "tile.gather" not in str(neighbours.bind(u).mlir())
    prove(neighbours, (u,), chips=("v5e",), seeds=(0,))
    agree(picked(u, ids), torch.nn.functional.pad(u[ids, 1:], (0, 1, 1, 0)), "picked")


def test_places_of_several_tensors_need_to_know_the_array() -> None:
    @tilec.kernel(static_shapes=False)
    def found(u: torch.Tensor, rows: torch.Tensor, cols: torch.Tensor) -> torch.Tensor:
        out = torch.empty([rows.size(0)])
        for i in hl.tile(rows.size(0)):
            out[i] = u[rows[i], cols[i]]
        return out

    ids = torch.zeros(5, dtype=torch.int64)
    with pytest.raises(tilec.TraceError, match="u is indexed by several tensors, and how long it is only a"):
        found(torch.randn(4, 4), ids, ids)


def test_a_slice_between_positions_is_refused() -> None:
    @tilec.kernel
    def between(u: torch.Tensor) -> torch.Tensor:
        out = torch.empty_like(u)
        for i, j in hl.tile([u.size(0), u.size(2)]):
            out[i, :, j] = u[i.index[:, None], :, j.index[None, :]]
        return out

    with pytest.raises(tilec.TraceError, match="several tensors along dimensions that do not lie together"):
        between(torch.randn(4, 3, 5))
