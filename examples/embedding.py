"""Rows of a table, by ids that are int64 as torch has them."""

import torch
from torch.nn import functional

import tilec
import tilec.language as hl
from tilec.testing import check


@tilec.kernel
def embedding(ids: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
    """table[ids], of int64 ids of any shape and f32 or bf16[entries, columns]."""
    columns = table.size(1)
    flat = ids.view(-1)
    out = torch.empty([flat.size(0), columns], dtype=table.dtype)
    for rows, cols in hl.tile([flat.size(0), columns]):
        out[rows, cols] = table[flat[rows], cols]
    return out.view(*ids.size(), columns)


def reference(ids: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
    return functional.embedding(ids, table)


def arguments(seed: int = 0, dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor, torch.Tensor]:
    """The first and the last row, one row many times, and extents that no block divides."""
    torch.manual_seed(seed)
    ids = torch.randint(0, 50, (5, 9))
    ids[0, :4] = torch.tensor([0, 49, 49, 0])
    return ids, torch.randn(50, 200).to(dtype)


if __name__ == "__main__":
    check(embedding, reference, arguments)
