"""The gradient of an embedding table: each row is added to that row of the table which was looked up."""

import torch

import tilec
import tilec.language as hl
from tilec.testing import check


@tilec.kernel
def embedding_backward(dy: torch.Tensor, ids: torch.Tensor, entries: int) -> torch.Tensor:
    """f32[entries, columns] of f32 or bf16[rows, columns], int64[rows]. Rows of one id meet in any order."""
    out = torch.zeros([entries, dy.size(1)], dtype=torch.float32)
    for rows, cols in hl.tile(dy.size()):
        hl.atomic_add(out, [ids[rows], cols], dy[rows, cols].to(torch.float32))
    return out


def reference(dy: torch.Tensor, ids: torch.Tensor, entries: int) -> torch.Tensor:
    return torch.zeros(entries, dy.size(1)).index_add(0, ids, dy.float())


def arguments(seed: int = 0, dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor, torch.Tensor, int]:
    """Half of the rows have one id; some ids have no row."""
    torch.manual_seed(seed)
    ids = torch.randint(0, 40, (70,))
    ids[::2] = 39
    return torch.randn(70, 200).to(dtype), ids, 40


if __name__ == "__main__":
    check(embedding_backward, reference, arguments)
