"""A matrix product with an epilogue, a function of each tile: here one that captured two arrays."""

from collections.abc import Callable

import torch

import tilec
import tilec.language as hl
from tilec.testing import check

Epilogue = Callable[[torch.Tensor, tuple[hl.Tile, hl.Tile]], torch.Tensor]


@tilec.kernel
def matmul(x: torch.Tensor, w: torch.Tensor, epilogue: Epilogue = lambda acc, tiles: acc) -> torch.Tensor:
    """epilogue(x @ w, tiles) for x[m, k] and w[k, n], both f32 or bf16; sums are f32."""
    (m, depth), n = x.size(), w.size(1)
    out = torch.empty([m, n], dtype=x.dtype)
    for rows, cols in hl.tile([m, n]):
        acc = hl.zeros([rows, cols], dtype=torch.float32)
        for k in hl.tile(depth):
            acc = torch.addmm(acc, x[rows, k], w[k, cols])
        out[rows, cols] = epilogue(acc, (rows, cols))
    return out


def reference(x: torch.Tensor, w: torch.Tensor, epilogue: Epilogue) -> torch.Tensor:
    everything = (slice(None), slice(None))
    return epilogue(x.float() @ w.float(), everything).to(x.dtype)


def arguments(
    seed: int = 0, dtype: torch.dtype = torch.float32
) -> tuple[torch.Tensor, torch.Tensor, Epilogue]:
    """Extents that no block divides."""
    torch.manual_seed(seed)
    x, w, bias, residual = (
        torch.randn(*shape).to(dtype) for shape in ((150, 200), (200, 260), (260,), (150, 260))
    )

    def epilogue(acc: torch.Tensor, tiles: tuple[hl.Tile, hl.Tile]) -> torch.Tensor:
        rows, cols = tiles
        return torch.relu(acc + bias[cols].to(torch.float32)) + residual[rows, cols].to(torch.float32)

    return x, w, epilogue


if __name__ == "__main__":
    check(matmul, reference, arguments)
