"""A matrix product whose depth is split: several iterations add to each tile of the result.

Once they meet in it with atomics; once each has an array of its own, and all are added after a barrier.
"""

from collections.abc import Callable

import torch

import tilec
import tilec.language as hl
from tilec.testing import check

Epilogue = Callable[[torch.Tensor, tuple[hl.Tile, hl.Tile]], torch.Tensor]

SPLIT = 3
"""Parts of the depth."""


@tilec.kernel
def split_k_matmul(x: torch.Tensor, w: torch.Tensor, epilogue: Epilogue) -> torch.Tensor:
    """f32[m, n] for x[m, k] and w[k, n], f32 or bf16. One part passes the epilogue, which adds something."""
    (m, depth), n = x.size(), w.size(1)
    out = torch.zeros([m, n], dtype=torch.float32)
    part = hl.cdiv(depth, SPLIT)
    for rows, cols, outer in hl.tile([m, n, depth], block_size=[None, None, part]):
        acc = hl.zeros([rows, cols], dtype=torch.float32)
        for k in hl.tile(outer.begin, outer.end):
            acc = torch.addmm(acc, x[rows, k], w[k, cols])
        if outer.begin == 0:
            acc = epilogue(acc, (rows, cols))
        hl.atomic_add(out, [rows, cols], acc)
    return out


@tilec.kernel
def split_k_matmul_barrier(x: torch.Tensor, w: torch.Tensor, epilogue: Epilogue) -> torch.Tensor:
    """The same for any epilogue."""
    (m, depth), n = x.size(), w.size(1)
    parts = torch.empty([SPLIT, m, n], dtype=torch.float32)
    out = torch.empty([m, n], dtype=torch.float32)
    part = hl.cdiv(depth, SPLIT)
    for rows, cols, outer in hl.tile([m, n, depth], block_size=[None, None, part]):
        acc = hl.zeros([rows, cols], dtype=torch.float32)
        for k in hl.tile(outer.begin, outer.end):
            acc = torch.addmm(acc, x[rows, k], w[k, cols])
        parts[outer.id, rows, cols] = acc
    hl.barrier()
    for rows, cols in hl.tile([m, n]):
        out[rows, cols] = epilogue(parts[:, rows, cols].sum(dim=0), (rows, cols))
    return out


def reference(x: torch.Tensor, w: torch.Tensor, epilogue: Epilogue) -> torch.Tensor:
    everything = (slice(None), slice(None))
    return epilogue(x.float() @ w.float(), everything)


def arguments(
    seed: int = 0, dtype: torch.dtype = torch.float32
) -> tuple[torch.Tensor, torch.Tensor, Epilogue]:
    """The depth of 200 is in parts of 67, 67 and 66, between tiles of memory."""
    torch.manual_seed(seed)
    x, w, bias = torch.randn(37, 200).to(dtype), torch.randn(200, 150).to(dtype), torch.randn(150)
    return x, w, lambda acc, tiles: acc + bias[tiles[1]]


if __name__ == "__main__":
    check(split_k_matmul, reference, arguments)
    check(split_k_matmul_barrier, reference, arguments)
