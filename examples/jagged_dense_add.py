"""A matrix plus rows of different lengths, which lie behind each other in one array."""

import torch

import tilec
import tilec.language as hl
from tilec.testing import check


@tilec.kernel
def jagged_dense_add(x: torch.Tensor, offsets: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """y[rows, columns] plus x[offsets[r] : offsets[r + 1]] at the begin of row r; offsets are int64."""
    out = torch.empty_like(y)
    for r in hl.grid(y.size(0)):
        begin, end = offsets[r], offsets[r + 1]
        for cols in hl.tile(y.size(1)):
            here = cols.index < end - begin
            out[r, cols] = y[r, cols] + hl.load(x, [begin + cols.index], extra_mask=here)
    return out


@tilec.kernel
def jagged_dense_add_parents(x: torch.Tensor, offsets: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The same, with tiles of rows: a copy of y first, then what the rows of x have."""
    rows, columns = y.size()
    out = torch.empty_like(y)
    flat_out, flat_y = out.view(-1), y.view(-1)
    for r in hl.tile(rows):
        begins = offsets[r]
        lengths = offsets[r.index + 1] - begins
        for cols in hl.tile(columns):
            out[r, cols] = y[r, cols]
        for cols in hl.jagged_tile(lengths, max_extent=columns):
            places = r.index[:, None] * columns + cols.index[None, :]
            values = hl.load(x, [begins[:, None] + cols.index[None, :]])
            hl.store(flat_out, [places], hl.load(flat_y, [places]) + values)
    return out


def reference(x: torch.Tensor, offsets: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    out = y.clone()
    for r, row in enumerate(torch.tensor_split(x, offsets[1:-1])):
        out[r, : len(row)] += row
    return out


def arguments(
    seed: int = 0, dtype: torch.dtype = torch.float32
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Rows of no element, of one, and of as many as there are columns."""
    torch.manual_seed(seed)
    lengths = [0, 1, 200, 130, 0]
    offsets = torch.tensor([0, *lengths]).cumsum(0)
    return torch.randn(sum(lengths)).to(dtype), offsets, torch.randn(5, 200).to(dtype)


if __name__ == "__main__":
    check(jagged_dense_add, reference, arguments)
    check(jagged_dense_add_parents, reference, arguments)
