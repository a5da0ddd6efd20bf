"""The kernels of others that tilec's are compared with, as texts of modules: functions of public APIs of JAX.

Each has a few configurations. They get what flatters them: arrays in their own layout, and lists of tiles and
of masks made before the call.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

Array = jax.ShapeDtypeStruct | np.ndarray[Any, Any]


@dataclass(frozen=True)
class Candidate:
    """`peer`, a module with a function f of the name of its configuration, and the arguments of f."""

    configuration: str
    text: str
    arguments: Sequence[Array]


@dataclass(frozen=True)
class Peer:
    """A kernel of someone else's with the configurations that are tried."""

    name: str
    candidates: Sequence[Candidate]


def xla(arguments: Sequence[Array], **bodies: str) -> Peer:
    """What XLA makes of functions, by what they are called: the text of each after `def f`."""
    heads = "import jax\nimport jax.numpy as jnp\nfrom jax import lax\n\ndef f"
    return Peer("XLA", [Candidate(name, heads + body, arguments) for name, body in bodies.items()])


_FLASH = """
from jax.experimental.pallas.ops.tpu.flash_attention import BlockSizes, SegmentIds, flash_attention

def f(q, k, v, *ids):
    ids = SegmentIds(*ids, *ids) if ids else None
    blocks = BlockSizes({blocks}, 1)
    return flash_attention(q, k, v, None, ids, causal={causal}, sm_scale={scale}, block_sizes=blocks)
"""

_SPLASH = """
import jax
import numpy as np
from jax.experimental.pallas.ops.tpu import splash_attention as splash

def f(q, k, v, *ids):
    _, heads, length, _ = q.shape
    masks = splash.MultiHeadMask([splash.{mask}((length, length))] * heads)
    q_rows, kv, compute = {blocks}
    blocks = splash.BlockSizes(block_q=q_rows, block_kv=kv, block_kv_compute=compute)
    with jax.ensure_compile_time_eval():
        kernel = splash.make_splash_mha_single_device(masks, block_sizes=blocks)
        kernel = jax.tree.map(lambda each: np.asarray(each, np.int32), kernel)  # from 8 bits

    def one(q, k, v, *ids):
        return kernel(q, k, v, segment_ids=splash.SegmentIds(*ids, *ids) if ids else None)

    return jax.vmap(one)(q, k, v, *ids)
"""

_ATTENTION_BLOCKS = (
    (512, 4096, 4096),
    (512, 1024, 1024),
    (1024, 1024, 512),
    (1024, 1024, 1024),
    (2048, 1024, 512),
    (2048, 2048, 1024),
)
"""Rows of queries, keys that are copied at once, keys of a step."""


def attentions(arguments: Sequence[Array], *, causal: bool) -> list[Peer]:
    """JAX's two kernels for bf16[batch, heads, length, dim], and int32[batch, length] of ids of segments."""
    scale = 1 / math.sqrt(arguments[0].shape[-1])
    mask = "CausalMask" if causal else "FullMask"

    def flash(blocks: str) -> str:
        return _FLASH.format(blocks=blocks, causal=causal, scale=scale)

    def splash(blocks: str) -> str:
        return _SPLASH.format(blocks=blocks, mask=mask)

    return [
        Peer("JAX flash", _swept(flash, _ATTENTION_BLOCKS, arguments)),
        Peer("JAX splash", _swept(splash, _ATTENTION_BLOCKS, arguments)),
    ]


_MEGABLOX = """
import importlib

import jax
import jax.numpy as jnp
import numpy as np

backend = importlib.import_module("jax.experimental.pallas.ops.tpu.megablox.gmm")
make = backend.make_group_metadata
SIZES = np.array({sizes}, np.int32)

def known(**given):
    with jax.ensure_compile_time_eval():
        lists, count = make(**(given | dict(group_sizes=jnp.asarray(SIZES), start_group=0)))
        return tuple(np.asarray(each) for each in lists), int(count)

def f(x, w):
    backend.make_group_metadata = known
    try:
        gmm = backend.gmm.__wrapped__  # traced anew: jax keeps what it traced with the lists of other sizes
        return gmm(x, w, jnp.asarray(SIZES), preferred_element_type=x.dtype, tiling=({blocks}))
    finally:
        backend.make_group_metadata = make
"""

_PRODUCT_BLOCKS = (
    (128, 2048, 1024),
    (256, 1024, 1024),
    (256, 2048, 1024),
    (256, 2048, 2048),
    (512, 1024, 1024),
    (512, 1024, 2048),
    (512, 2048, 1024),
    (512, 2048, 2048),
)
"""Rows, depth, columns."""


def megablox(x: Array, w: Array, sizes: Sequence[int]) -> Peer:
    """JAX's product of groups of so many rows; its list of tiles is made before."""
    return Peer(
        "megablox",
        _swept(lambda blocks: _MEGABLOX.format(sizes=list(sizes), blocks=blocks), _PRODUCT_BLOCKS, [x, w]),
    )


def _swept(
    text: Callable[[str], str], sweep: Sequence[tuple[int, ...]], arguments: Sequence[Array]
) -> list[Candidate]:
    spelt = (", ".join(map(str, blocks)) for blocks in sweep)
    return [Candidate(blocks.replace(", ", " x "), text(blocks), arguments) for blocks in spelt]
