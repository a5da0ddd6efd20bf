"""Kernels of Helion's Pallas backend, as functions of JAX arrays, where its package is installed."""

from collections.abc import Sequence
from importlib.util import find_spec
from itertools import product

from peer_kernels import Array, Candidate, Peer

_HEADS = """
import torch
import helion
import helion.language as hl

@helion.kernel(
    backend="pallas",
    static_shapes=True,
    config=helion.Config(block_sizes={blocks}, pallas_loop_type="{loop}"),
)
"""

_MATMUL = """def kernel(x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    (m, k), n = x.size(), w.size(1)
    out = torch.empty([m, n], dtype=x.dtype, device=x.device)
    for rows, columns in hl.tile([m, n]):
        acc = hl.zeros([rows, columns], dtype=torch.float32)
        for part in hl.tile(k):
            acc = torch.addmm(acc, x[rows, part], w[part, columns])
        out[rows, columns] = acc.to(x.dtype)
    return out
"""

_SOFTMAX = """def kernel(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty_like(x)
    for rows in hl.tile(x.size(0)):
        out[rows, :] = torch.softmax(x[rows, :], dim=1)
    return out
"""

_LOOPS = ("unroll", "emit_pipeline")


def helion_matmul(x: Array, w: Array) -> list[Peer]:
    """Of two matrices; rows, columns and depth of tiles are what fits."""
    size = x.shape[0]
    most = min(size, 1024)
    sizes = [[most // 2, most, most], [most, most, most // 2], [most // 2, most, min(x.shape[1], 2048)]]
    return _tried(_MATMUL, list(product(sizes, _LOOPS)), [x, w])


def helion_softmax(x: Array) -> list[Peer]:
    return _tried(_SOFTMAX, [([rows], "unroll") for rows in (16, 32, 64, 128)], [x])


def _tried(
    source: str, configurations: Sequence[tuple[list[int], str]], arguments: Sequence[Array]
) -> list[Peer]:
    """The kernel with each configuration; nothing where there is no Helion."""
    if find_spec("helion") is None:
        return []
    call = "\n\ndef f(*arguments):\n    return kernel.jax_fn(*arguments)\n"
    candidates = [
        Candidate(
            f"{' x '.join(map(str, blocks))} {loop}",
            _HEADS.format(blocks=blocks, loop=loop) + source + call,
            arguments,
        )
        for blocks, loop in configurations
    ]
    return [Peer("Helion", candidates)]
