"""What is compared with kernels of others: programs at fixed shapes, what each needs at least, its peers."""

import importlib.util
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from bundles import struct
from peer_helion import helion_matmul, helion_softmax
from peer_kernels import Peer, attentions, megablox, xla
from tuning_cases import BF16, EXAMPLES, empty, integers

from tilec.frontend.keys import tensors_in
from tilec.frontend.tuned import program_of
from tilec.parsing import LocatingParser, make_context
from tilec.tuning.command import program_with_rows
from tilec.tuning.program import Program

CHIPS = ("v5e", "v6e", "tpu7x")


@dataclass(frozen=True)
class Work:
    """A program and its peers.

    `flops` are those of matrix products, `bytes` of arrays, each read or written once. `recorded` are times
    of Helion's kernels, in microseconds by chip, that an estimator of the same kind gave once.
    """

    name: str
    program: Callable[[], Program]
    flops: float
    bytes: int
    peers: Sequence[Peer]
    recorded: Mapping[str, float] = field(default_factory=dict[str, float])


def traced(file: str, kernel: str, *args: Any) -> Program:
    """An example in torch, for arguments of which floats have no contents."""
    spec = importlib.util.spec_from_file_location(f"example_{file}", EXAMPLES / f"{file}.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError(file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    found = getattr(module, kernel).bind(*args).traced
    return program_of(found, [integers(each) for each in tensors_in({"args": list(args)})])


def written(file: str, extents: Mapping[str, int], rows: int = 1) -> Program:
    """An example as text with other extents, in which `?` is `rows`."""
    text = (EXAMPLES / f"{file}.mlir").read_text()
    for old, new in extents.items():
        text = re.sub(rf"(?<!\d){old}(?!\d)", f"<{new}>", text)
    text = re.sub(r"<(\d+)>", r"\1", text)
    return program_with_rows(LocatingParser(make_context(), text, f"{file}.mlir").parse_module(), rows)


def skewed(total: int, parts: int) -> np.ndarray[Any, Any]:
    """Lengths that go as 1, 1/2, 1/3, ... and are in no order."""
    shares = 1 / np.arange(1, parts + 1)
    borders = np.array([round(each) for each in np.cumsum(shares / shares.sum()) * total])
    return np.random.default_rng(0).permutation(np.diff(borders, prepend=0))


def lengths(total: int, parts: int) -> dict[str, np.ndarray[Any, Any]]:
    return {"even": np.full(parts, total // parts), "skewed": skewed(total, parts)}


def ends(sizes: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Where segments begin, and where the last one ends."""
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)


def recorded(*times: float) -> dict[str, float]:
    return dict(zip(CHIPS, times, strict=False))


def dense() -> list[Work]:
    return [
        product(4096, recorded(723, 176, 128)),
        product(1024, recorded(22.6, 10.5, 6.3)),
        split_k(256, 32768, 1024),
        rows_softmax(8192),
        rows_norm(8192),
        both_sums(8192),
    ]


def product(size: int, helion: Mapping[str, float]) -> Work:
    square = struct(f"bf16[{size},{size}]")
    return Work(
        f"matmul {size}^3 bf16",
        lambda: traced("matmul", "matmul", *[empty(size, size, dtype=BF16)] * 2),
        2 * size**3,
        3 * 2 * size**2,
        [xla([square, square], dot="(x, w):\n    return jnp.dot(x, w)"), *helion_matmul(square, square)],
        helion,
    )


def split_k(m: int, k: int, n: int) -> Work:
    x, w = struct(f"bf16[{m},{k}]"), struct(f"bf16[{k},{n}]")
    return Work(
        f"split-K {m} x {k} x {n} bf16",
        lambda: written("split_k_matmul", {"300": m, "200": k, "260": n}),
        2 * m * k * n,
        2 * (m * k + k * n + m * n),
        [xla([x, w], dot="(x, w):\n    return jnp.dot(x, w)"), *helion_matmul(x, w)],
        recorded(49098, 193, 81),
    )


def rows_softmax(size: int) -> Work:
    x = struct(f"bf16[{size},{size}]")
    return Work(
        f"softmax {size}^2 bf16",
        lambda: traced("softmax", "softmax", empty(size, size, dtype=BF16)),
        0,
        2 * 2 * size**2,
        [xla([x], softmax="(x):\n    return jax.nn.softmax(x, axis=-1)"), *helion_softmax(x)],
        recorded(364, 198, 91),
    )


_NORM = """(x, w, b):
    values = x.astype(jnp.float32)
    mean = values.mean(1)
    scale = lax.rsqrt(values.var(1) + 1e-5)
    out = (values - mean[:, None]) * scale[:, None] * w + b
    return out.astype(x.dtype), mean, scale"""


def rows_norm(size: int) -> Work:
    row = struct(f"bf16[{size}]")
    return Work(
        f"layer norm {size}^2 bf16",
        lambda: traced(
            "layer_norm", "layer_norm", empty(size, size, dtype=BF16), *[empty(size, dtype=BF16)] * 2
        ),
        0,
        2 * 2 * size**2,
        [xla([struct(f"bf16[{size},{size}]"), row, row], norm=_NORM)],
        recorded(366, 200, 119),
    )


def both_sums(size: int) -> Work:
    body = "(x):\n    values = x.astype(jnp.float32)\n    return values.sum(1), values.sum(0)"
    return Work(
        f"sums of rows and columns {size}^2 bf16",
        lambda: written("row_and_column_sums", {"300": size, "260": size}),
        0,
        2 * size**2,
        [xla([struct(f"bf16[{size},{size}]")], sums=body)],
    )


def attention(batch: int, heads: int, length: int, dim: int) -> list[Work]:
    array = struct(f"bf16[{batch},{heads},{length},{dim}]")
    flops = 4 * batch * heads * length**2 * dim
    shape = f"{batch} x {heads} x {length} x {dim} bf16"
    size = 4 * 2 * batch * heads * length * dim
    return [
        Work(
            f"attention {shape}",
            lambda: traced("attention", "attention", *[empty(*array.shape, dtype=BF16)] * 3, False),
            flops,
            size,
            attentions([array] * 3, causal=False),
            recorded(1509, 739, 595),
        ),
        Work(
            f"causal attention {shape}",
            lambda: traced(
                "attention_causal", "attention_causal", *[empty(batch * heads, length, dim, dtype=BF16)] * 3
            ),
            flops / 2,
            size,
            attentions([array] * 3, causal=True),
            recorded(2169, 1541, 1204),
        ),
    ]


_IDS = """
    row = jnp.arange(x.shape[0])
    ids = jnp.searchsorted(o, row, side="right", method="compare_all") - 1"""
_SEGMENT_SUM = f"""(x, o):{_IDS}
    return jax.ops.segment_sum(x, ids, num_segments=o.size - 1)"""
_ONE_HOT_SUM = """(x, o):
    row = jnp.arange(x.shape[0])
    hot = ((o[:-1, None] <= row) & (row < o[1:, None])).astype(x.dtype)
    return jnp.dot(hot, x, precision="highest")"""
_SEGMENT_SOFTMAX = f"""(x, o):{_IDS}
    top = jax.ops.segment_max(x, ids, num_segments=o.size - 1)
    weights = jnp.exp(x - top[ids])
    return weights / jax.ops.segment_sum(weights, ids, num_segments=o.size - 1)[ids]"""


def jagged(rows: int, columns: int, segments: int) -> list[Work]:
    found: list[Work] = []
    for how, sizes in lengths(rows, segments).items():
        offsets = ends(sizes)
        arguments = [struct(f"f32[{rows},{columns}]"), offsets]
        shape = f"{rows} x {columns} f32, {segments} {how}"
        given = empty(rows, columns), torch.tensor(offsets).long()
        found += [
            Work(
                f"jagged sum {shape}",
                lambda given=given: traced("jagged_sum", "jagged_sum", *given),
                0,
                4 * (rows + segments) * columns,
                [xla(arguments, segment_sum=_SEGMENT_SUM, one_hot=_ONE_HOT_SUM)],
                recorded(617, 351, 172) if how == "even" else {},
            ),
            Work(
                f"jagged softmax {shape}",
                lambda given=given: traced("jagged_softmax", "jagged_softmax", *given),
                0,
                2 * 4 * rows * columns,
                [xla(arguments, segments=_SEGMENT_SOFTMAX)],
            ),
        ]
    return found


def grouped(rows: int, depth: int, columns: int, groups: int) -> list[Work]:
    found: list[Work] = []
    for how, sizes in lengths(rows, groups).items():
        x, w = struct(f"bf16[{rows},{depth}]"), struct(f"bf16[{groups},{depth},{columns}]")
        body = "(x, w, sizes):\n    return lax.ragged_dot(x, w, sizes)"
        given = (
            empty(rows, depth, dtype=BF16),
            empty(groups, depth, columns, dtype=BF16),
            torch.tensor(ends(sizes)).long(),
        )
        found.append(
            Work(
                f"grouped product {rows} x {depth} x {columns} bf16, {groups} {how}",
                lambda given=given: traced("grouped_gemm", "grouped_gemm", *given),
                2 * rows * depth * columns,
                2 * (rows * depth + groups * depth * columns + rows * columns),
                [
                    megablox(x, w, sizes.tolist()),
                    xla([x, w, sizes.astype(np.int32)], ragged_dot=body),
                ],
                recorded(171920, 340, 174) if how == "even" else recorded(172255, 384, 199),
            )
        )
    return found


def jagged_attention(rows: int, heads: int, dim: int, sequences: int) -> list[Work]:
    found: list[Work] = []
    array = struct(f"bf16[1,{heads},{rows},{dim}]")
    for how, sizes in lengths(rows, sequences).items():
        ids = np.repeat(np.arange(sequences), sizes)[None].astype(np.int32)
        given = (
            *[empty(rows, heads, dim, dtype=BF16)] * 3,
            torch.tensor(ends(sizes)).long(),
            int(sizes.max()),
        )
        found.append(
            Work(
                f"jagged causal attention {rows} x {heads} x {dim} bf16, {sequences} {how}",
                lambda given=given: traced("jagged_flash_attention", "jagged_flash_attention", *given),
                float(2 * heads * dim * (sizes * (sizes + 1)).sum()),
                4 * 2 * rows * heads * dim,
                attentions([*[array] * 3, ids], causal=True),
            )
        )
    return found


_COMPARED = """(x):
    bins = (x * 50 + 128).astype(jnp.int32)
    return (bins[:, None] == jnp.arange(256)).sum(0, dtype=jnp.int32)"""
_SCATTERED = """(dy, ids):
    zeros = jnp.zeros(({}, dy.shape[1]), jnp.float32)
    return zeros.at[ids].add(dy.astype(jnp.float32))"""


def atomic() -> list[Work]:
    elements, tokens, entries, columns = 1 << 20, 8192, 4096, 512
    ids = np.random.default_rng(0).integers(0, entries, tokens).astype(np.int32)
    return [
        Work(
            f"embedding gradient {tokens} x {columns} bf16 into {entries}",
            lambda: traced(
                "embedding_backward",
                "embedding_backward",
                empty(tokens, columns, dtype=BF16),
                torch.tensor(ids).long(),
                entries,
            ),
            0,
            2 * tokens * columns + 4 * entries * columns,
            [xla([struct(f"bf16[{tokens},{columns}]"), ids], scatter=_SCATTERED.format(entries))],
        ),
        Work(
            f"histogram {elements} f32 into 256",
            lambda: written("histogram", {"1000": elements}),
            0,
            4 * elements,
            [
                xla(
                    [struct(f"f32[{elements}]")],
                    bincount="(x):\n    return jnp.bincount((x * 50 + 128).astype(jnp.int32), length=256)",
                    compared=_COMPARED,
                )
            ],
        ),
    ]


def works() -> list[Work]:
    """All that is compared."""
    return [
        *dense(),
        *attention(4, 8, 4096, 128),
        *jagged(32768, 1024, 64),
        *grouped(8192, 2048, 2048, 8),
        *jagged_attention(8192, 8, 128, 8),
        *atomic(),
    ]
