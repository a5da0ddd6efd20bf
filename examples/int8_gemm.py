"""A product with a matrix of int8 weights, which become bf16 on the chip and have a scale for each column."""

import torch

import tilec
import tilec.language as hl
from tilec.testing import check


@tilec.kernel
def int8_gemm(x: torch.Tensor, w: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    """x @ (w * scale) in bf16, of bf16[m, k], int8[k, n] and f32[n]; sums are f32."""
    (m, depth), n = x.size(), w.size(1)
    out = torch.empty([m, n], dtype=x.dtype)
    for rows, cols in hl.tile([m, n]):
        acc = hl.zeros([rows, cols], dtype=torch.float32)
        for k in hl.tile(depth):
            # bf16 has 8 bits for a number, and so every int8.
            acc = hl.dot(x[rows, k], w[k, cols].to(torch.bfloat16), acc=acc)
        out[rows, cols] = (acc * scale[cols]).to(x.dtype)
    return out


def reference(x: torch.Tensor, w: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    return (x.float() @ (w.float() * scale)).to(x.dtype)


def arguments(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Extents that no block divides; both ends of int8."""
    torch.manual_seed(seed)
    w = torch.randint(-128, 128, (200, 150), dtype=torch.int8)
    w[0, :2] = torch.tensor([-128, 127])
    return torch.randn(37, 200).bfloat16(), w, torch.rand(150) / 100


if __name__ == "__main__":
    check(int8_gemm, reference, arguments)
