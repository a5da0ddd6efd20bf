"""What jagged kernels compute of one item, in plain torch and 64 bits, and arguments for them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

from .segments import Segments

if TYPE_CHECKING:
    from .jagged import Draw

HEADS = 2

Item = Callable[..., torch.Tensor]


@dataclass(frozen=True)
class Reference:
    """`item(g, begin, end, *arguments)` is the result of an item, with `to_rows` a row for each of its rows.

    `arguments(draw, segments, size)` makes those of a call. `changed` is the argument that is written to.
    """

    item: Item
    arguments: "Callable[[Draw, Segments, int], tuple[Any, ...]]"
    to_rows: bool = False
    changed: int | None = None

    def of_items(self, args: tuple[Any, ...], segments: Segments) -> tuple[torch.Tensor, torch.Tensor]:
        """The result, and bool of its shape: whether the element is defined."""
        dtype = args[0].dtype
        wide = [each.double() if _is_float(each) else each for each in args]
        ranges = list(enumerate(zip(segments.begins, segments.ends, strict=True)))
        outs = [self.item(g, begin, end, *wide).to(dtype) for g, (begin, end) in ranges]
        if not self.to_rows:
            stacked = torch.stack(outs)
            return stacked, torch.ones_like(stacked, dtype=torch.bool)
        out = torch.zeros(segments.rows, *outs[0].shape[1:], dtype=dtype)
        defined = torch.zeros_like(out, dtype=torch.bool)
        if self.changed is not None:
            out, defined = args[self.changed].clone(), ~defined
        for (_, (begin, end)), rows in zip(ranges, outs, strict=True):
            out[begin:end], defined[begin:end] = rows, True
        return out, defined


def _is_float(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.is_floating_point()


def _mean(g: int, b: int, e: int, x: torch.Tensor, _: Any, widths: torch.Tensor) -> torch.Tensor:
    width, out = int(widths[g]), x.new_zeros(x.size(1))
    out[:width] = x[b:e, :width].sum(dim=0) / max(e - b, 1)
    return out


def _layer_norm(g: int, b: int, e: int, x: torch.Tensor, *_: Any) -> torch.Tensor:
    rows = x[b:e]
    return (rows - rows.mean()) * torch.rsqrt(rows.var(unbiased=False) + 1e-6) if b < e else rows


def _dense_add(g: int, b: int, e: int, x: torch.Tensor, _: Any, y: torch.Tensor) -> torch.Tensor:
    out = y[g].clone()
    out[: e - b] += x[b:e]
    return out


def _product(x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    return x @ w if x.dim() == 2 else torch.einsum("rhk,hkn->rhn", x, w)


def _hstu(
    g: int,
    b: int,
    e: int,
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    _: Any,
    alpha: float,
    longest: int,
) -> torch.Tensor:
    scores = functional.silu(torch.einsum("m...d,n...d->...mn", q[b:e], k[b:e]) * alpha) / longest
    return torch.einsum("...mn,n...d->m...d", scores.tril(), v[b:e])


def _flash(causal: bool) -> Item:
    def item(
        g: int, b: int, e: int, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, *_: Any
    ) -> torch.Tensor:
        scores = torch.einsum("m...d,n...d->...mn", q[b:e], k[b:e]) / q.size(-1) ** 0.5
        if causal:
            later = torch.ones(e - b, e - b).triu(1).bool()
            scores = scores.masked_fill(later, float("-inf"))
        return torch.einsum("...mn,n...d->m...d", scores.softmax(dim=-1), v[b:e])

    return item


def _rows(heads: bool = False, scale: float = 1.0) -> "Callable[[Draw, Segments, int], tuple[Any, ...]]":
    """x and offsets."""

    def made(draw: "Draw", segments: Segments, size: int) -> tuple[Any, ...]:
        x = draw.rows(HEADS, size) if heads else draw.rows(size)
        return x * scale, draw.integers(segments.offsets)

    return made


def _of_mean(draw: "Draw", segments: Segments, size: int) -> tuple[Any, ...]:
    widths = [int(n) for n in draw.rng.choice((0, 1, size // 2, size - 1, size), segments.groups)]
    x = draw.rows(size)
    for b, e, width in zip(segments.begins, segments.ends, widths, strict=True):
        x[b:e, width:] = float("nan")
    return x, draw.integers(segments.offsets), draw.integers(widths)


def _of_dense_add(heads: bool) -> "Callable[[Draw, Segments, int], tuple[Any, ...]]":
    def made(draw: "Draw", segments: Segments, size: int) -> tuple[Any, ...]:
        shape = (HEADS, 64) if heads else ()
        return draw.rows(*shape), draw.integers(segments.offsets), draw.items(size, *shape)

    return made


def _of_bmm(heads: bool = False, bias: bool = False) -> "Callable[[Draw, Segments, int], tuple[Any, ...]]":
    """The other extent of the matrices is as awkward as `size`."""

    def made(draw: "Draw", segments: Segments, size: int) -> tuple[Any, ...]:
        shape, n = (HEADS,) if heads else (), {13: 200, 64: 13, 100: 64, 128: 100}.get(size, 64)
        w = draw.items(*shape, size, n) / size**0.5
        args = draw.rows(*shape, size), draw.integers(segments.offsets), w.to(draw.case.dtype)
        return (*args, draw.items(n)) if bias else args

    return made


def _of_attention(
    heads: bool, *, alpha: bool = False, longest: bool = True
) -> "Callable[[Draw, Segments, int], tuple[Any, ...]]":
    def made(draw: "Draw", segments: Segments, size: int) -> tuple[Any, ...]:
        shape = (HEADS, size) if heads else (size,)
        args = *(draw.rows(*shape) for _ in range(3)), draw.integers(segments.offsets)
        most = max(1, *segments.lengths)
        return (*args, *[size**-0.5] * alpha, *[most] * longest)

    return made


def _of_gaps(draw: "Draw", segments: Segments, size: int) -> tuple[Any, ...]:
    return draw.rows(size), draw.integers(segments.begins), draw.integers(segments.ends)


def _of_scale(draw: "Draw", segments: Segments, size: int) -> tuple[Any, ...]:
    pairs = zip(segments.begins, segments.ends, strict=True)
    bounds = draw.integers(each for pair in pairs for each in pair)
    out = draw.floats(segments.rows, size).to(draw.case.dtype)
    return draw.rows(size), bounds, draw.items().float(), out


def _of_some(draw: "Draw", segments: Segments, size: int) -> tuple[Any, ...]:
    factors = draw.items().float()
    factors[draw.case.number % 3 :: 3] = 0
    out = draw.floats(segments.rows, size).to(draw.case.dtype)
    return draw.rows(size), draw.integers(segments.offsets), factors, out


def _scale_some(
    g: int, b: int, e: int, x: torch.Tensor, _: Any, factors: torch.Tensor, out: torch.Tensor
) -> torch.Tensor:
    return x[b:e] * factors[g] if factors[g] else out[b:e]


def _sum(g: int, b: int, e: int, x: torch.Tensor, *_: Any) -> torch.Tensor:
    return x[b:e].sum(dim=0)


def _softmax(g: int, b: int, e: int, x: torch.Tensor, *_: Any) -> torch.Tensor:
    return x[b:e].softmax(dim=0)


def _bmm(g: int, b: int, e: int, x: torch.Tensor, _: Any, w: torch.Tensor) -> torch.Tensor:
    return _product(x[b:e], w[g])


def _bmm_bias(
    g: int, b: int, e: int, x: torch.Tensor, _: Any, w: torch.Tensor, bias: torch.Tensor
) -> torch.Tensor:
    return _product(x[b:e], w[g]) + bias[g]


def _scale(g: int, b: int, e: int, x: torch.Tensor, _: Any, factors: torch.Tensor, *__: Any) -> torch.Tensor:
    return x[b:e] * factors[g]


REFERENCES: Mapping[str, Reference] = {
    "sum": Reference(_sum, _rows()),
    "sum_heads": Reference(_sum, _rows(heads=True)),
    "mean": Reference(_mean, _of_mean),
    "softmax": Reference(_softmax, _rows(scale=40), to_rows=True),
    "softmax_heads": Reference(_softmax, _rows(heads=True, scale=40), to_rows=True),
    "layer_norm": Reference(_layer_norm, _rows(), to_rows=True),
    "layer_norm_heads": Reference(_layer_norm, _rows(heads=True), to_rows=True),
    "dense_add": Reference(_dense_add, _of_dense_add(heads=False)),
    "dense_add_heads": Reference(_dense_add, _of_dense_add(heads=True)),
    "dense_bmm": Reference(_bmm, _of_bmm(), to_rows=True),
    "dense_bmm_bias": Reference(_bmm_bias, _of_bmm(bias=True), to_rows=True),
    "dense_bmm_heads": Reference(_bmm, _of_bmm(heads=True), to_rows=True),
    "hstu_rows": Reference(_hstu, _of_attention(heads=False, alpha=True), to_rows=True),
    "hstu_heads": Reference(_hstu, _of_attention(heads=True, alpha=True), to_rows=True),
    "flash_rows": Reference(_flash(causal=False), _of_attention(heads=False, longest=False), to_rows=True),
    "flash_heads": Reference(_flash(causal=True), _of_attention(heads=True), to_rows=True),
    "sum_gaps": Reference(_sum, _of_gaps),
    "scale_some": Reference(_scale_some, _of_some, to_rows=True, changed=3),
    "scale_gaps": Reference(_scale, _of_scale, to_rows=True, changed=3),
}
"""By name of a kernel, without the suffix of its style."""
