"""The kernels of `examples/`, each with arguments of a size at which blocks and loops matter.

What is floating is on the meta device, since only its shape counts; integers are real.
"""

import importlib.util
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from tilec.frontend.keys import tensors_in
from tilec.frontend.tuned import program_of
from tilec.tuning.program import Program

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
BF16 = torch.bfloat16
Arguments = Callable[[], Sequence[Any]]


def empty(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.empty(shape, dtype=dtype, device="meta")


def half(*shape: int) -> torch.Tensor:
    return empty(*shape, dtype=BF16)


def offsets(rows: int, groups: int) -> torch.Tensor:
    """Groups whose sizes go from almost nothing to twice the mean."""
    generator = torch.Generator().manual_seed(0)
    cuts = torch.randint(0, rows, (groups - 1,), generator=generator).sort().values
    return torch.cat([torch.tensor([0]), cuts, torch.tensor([rows])])


def ids(count: int, most: int) -> torch.Tensor:
    return torch.randint(0, most, (count,), generator=torch.Generator().manual_seed(0))


def longest(starts: torch.Tensor) -> int:
    return int(starts.diff().max())


def jagged() -> tuple[Any, ...]:
    return empty(8192, 256), offsets(8192, 64)


def ragged_sequences() -> tuple[Any, ...]:
    return (*[half(4096, 4, 128)] * 3, offsets(4096, 8))


def in_pages() -> tuple[Any, ...]:
    """Lengths of 64 to 2048 rows in pages of 16."""
    lengths = ids(32, 1985) + 64
    table = torch.arange(32 * 128).flip(0).reshape(32, 128)
    return half(32, 4, 8, 128), half(4096, 4, 16, 128), half(4096, 4, 16, 128), table.int(), lengths.int()


def of_all_heads() -> tuple[Any, ...]:
    """The same in pages of rows of all heads."""
    q, keys, values, *others = in_pages()
    return q, keys.transpose(1, 2).contiguous(), values.transpose(1, 2).contiguous(), *others


def jagged_dense() -> tuple[Any, ...]:
    starts = offsets(8192, 64)
    return empty(8192), starts, empty(64, longest(starts))


def chunked() -> tuple[Any, ...]:
    return empty(2, 16, 256, 1, 128), empty(2, 16, 256, 8, 64), empty(2, 8, 16, 256), empty(2, 8, 16, 256)


def mamba_scan() -> tuple[Any, ...]:
    b, x, dt, decay = chunked()
    return b, b, x, dt, decay, empty(2, 16, 8, 64, 128), empty(8)


def with_bias(acc: torch.Tensor, tiles: Any) -> torch.Tensor:
    return acc + 1.0


GROUPED: Arguments = lambda: (half(4096, 512), half(8, 512, 512), offsets(4096, 8))  # noqa: E731
NORM_GRADIENT: Arguments = lambda: (half(4096, 1024), half(4096, 1024), half(1024), empty(4096), empty(4096))  # noqa: E731
ROTATED: Arguments = lambda: (half(16, 2048, 128), empty(2048, 64), empty(2048, 64))  # noqa: E731
BATCHES: Arguments = lambda: (half(8, 512, 512), half(8, 512, 512))  # noqa: E731
LOGITS: Arguments = lambda: (empty(4096, 4096), ids(4096, 4096))  # noqa: E731
SPLIT: Arguments = lambda: (half(256, 8192), half(8192, 1024), with_bias)  # noqa: E731

CASES: dict[str, tuple[str, Arguments]] = {
    "matmul": ("matmul", lambda: (half(1024, 1024), half(1024, 1024))),
    "softmax": ("softmax", lambda: (empty(2048, 2048),)),
    "softmax_two_pass": ("softmax", lambda: (empty(2048, 2048),)),
    "jagged_sum": ("jagged_sum", jagged),
    "jagged_softmax": ("jagged_softmax", jagged),
    "attention": ("attention", lambda: (*[half(1, 4, 512, 128)] * 3, False)),
    "attention_causal": ("attention_causal", lambda: [half(4, 1024, 128)] * 3),
    "layer_norm": ("layer_norm", lambda: (empty(4096, 1024), empty(1024), empty(1024))),
    "bmm": ("bmm", BATCHES),
    "swiglu": ("swiglu", lambda: (half(2048, 4096),)),
    "grouped_gemm": ("grouped_gemm", GROUPED),
    "bmm_tiled": ("bmm", BATCHES),
    "concatenate": ("concatenate", lambda: (half(2048, 1024), half(2048, 640))),
    "concatenate_in_turn": ("concatenate", lambda: (half(2048, 1024), half(2048, 640))),
    "cross_entropy": ("cross_entropy", LOGITS),
    "cross_entropy_flat": ("cross_entropy", LOGITS),
    "dropout": ("dropout", lambda: (empty(2048, 2048), 0.25, 1234)),
    "embedding": ("embedding", lambda: (ids(4096, 2048).reshape(8, 512), half(2048, 256))),
    "embedding_backward": ("embedding_backward", lambda: (half(4096, 256), ids(4096, 1024), 1024)),
    "gated_delta_rule": (
        "gated_delta_rule",
        lambda: (half(4, 64, 64), half(4, 64, 64), half(4, 64, 512), empty(4, 64), empty(4, 64)),
    ),
    "gated_delta_state": (
        "gated_delta_state",
        lambda: (half(4, 16, 64, 128), half(4, 16, 64, 128), half(4, 16, 64, 512), empty(4, 16, 64)),
    ),
    "geglu": ("geglu", lambda: [half(8, 512, 1024)] * 3),
    "gelu": ("gelu", lambda: (half(4096, 2048), half(2048))),
    "grouped_gemm_persistent": ("grouped_gemm", GROUPED),
    "hstu_attention": ("hstu_attention", lambda: (*(seq := ragged_sequences()), 0.125, longest(seq[-1]))),
    "hstu_attention_padded": (
        "hstu_attention",
        lambda: (*(seq := ragged_sequences()), 0.125, longest(seq[-1])),
    ),
    "int8_gemm": (
        "int8_gemm",
        lambda: (half(1024, 1024), empty(1024, 1024, dtype=torch.int8), empty(1024)),
    ),
    "jagged_dense_add": ("jagged_dense_add", jagged_dense),
    "jagged_dense_add_parents": ("jagged_dense_add", jagged_dense),
    "jagged_dense_bmm": (
        "jagged_dense_bmm",
        lambda: (half(4096, 256), offsets(4096, 16), half(16, 256, 512), half(16, 512)),
    ),
    "jagged_dense_bmm_parents": (
        "jagged_dense_bmm",
        lambda: (half(4096, 256), offsets(4096, 16), half(16, 256, 512), half(16, 512)),
    ),
    "jagged_flash_attention": (
        "jagged_flash_attention",
        lambda: (*(seq := ragged_sequences()), longest(seq[-1])),
    ),
    "jagged_layer_norm": ("jagged_layer_norm", jagged),
    "jagged_layer_norm_parents": ("jagged_layer_norm", jagged),
    "jagged_mean": ("jagged_mean", lambda: (*jagged(), ids(64, 257))),
    "jagged_mean_parents": ("jagged_mean", lambda: (*jagged(), ids(64, 257))),
    "jagged_softmax_parents": ("jagged_softmax", jagged),
    "jagged_sum_parents": ("jagged_sum", jagged),
    "jsd": ("jsd", lambda: (empty(2048, 4096), empty(2048, 4096), 0.3)),
    "kl_div": ("kl_div", lambda: (empty(4096, 2048), empty(4096, 2048))),
    "layer_norm_backward": ("layer_norm_backward", NORM_GRADIENT),
    "layer_norm_backward_partial": ("layer_norm_backward", NORM_GRADIENT),
    "linear_recurrence": (
        "linear_recurrence",
        lambda: (half(8192, 2048), half(8192, 2048), offsets(8192, 16)),
    ),
    "log_softmax": ("log_softmax", lambda: (empty(2048, 4096),)),
    "log_softmax_whole_rows": ("log_softmax", lambda: (empty(2048, 4096),)),
    "long_sum": ("long_sum", lambda: (empty(512, 16384),)),
    "long_sum_wide": ("long_sum", lambda: (empty(512, 16384),)),
    "long_sum_parts": ("long_sum", lambda: (empty(512, 16384),)),
    "mamba_chunk_scan": ("mamba_chunk_scan", mamba_scan),
    "mamba_chunk_state": ("mamba_chunk_state", chunked),
    "moe_matmul": (
        "moe_matmul",
        lambda: (half(2048, 512), half(8, 512, 512), ids(2048, 2048), offsets(2048, 8)),
    ),
    "moe_matmul_sorted": (
        "moe_matmul",
        lambda: (half(2048, 512), half(8, 512, 512), ids(2048, 2048), offsets(2048, 8)),
    ),
    "paged_attention": ("paged_attention", in_pages),
    "paged_attention_heads": ("paged_attention_heads", of_all_heads),
    "rms_norm": ("rms_norm", lambda: (half(4096, 2048), half(4096, 2048), half(2048))),
    "rope": ("rope", ROTATED),
    "rope_interleaved": ("rope_interleaved", ROTATED),
    "split_k_matmul": ("split_k_matmul", SPLIT),
    "split_k_matmul_barrier": ("split_k_matmul", SPLIT),
    "swiglu_backward": ("swiglu_backward", lambda: (half(2048, 4096), half(2048, 2048))),
    "welford": ("welford", lambda: (half(4096, 2048), half(2048), half(2048))),
}
"""By the kernel's name: the file of its example, and its arguments."""


def program(name: str) -> Program:
    """A case as the tuner takes it."""
    file, arguments = CASES[name]
    spec = importlib.util.spec_from_file_location(f"example_{file}", EXAMPLES / f"{file}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    args = list(arguments())
    traced = getattr(module, name).bind(*args).traced
    return program_of(traced, [integers(each) for each in tensors_in({"args": args})])


def integers(tensor: torch.Tensor) -> tuple[int, ...] | None:
    known = tensor.device.type != "meta" and not tensor.is_floating_point()
    return tuple(tensor.flatten().tolist()) if known else None
