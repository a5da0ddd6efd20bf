"""Jagged kernels beside those of `examples/`: with heads, without bias, of segments with gaps between them.

Those that end in `_parents` have tiles of items and flat positions, the others go through items one by one.
"""

import math

import torch
from torch.nn import functional

import tilec
import tilec.language as hl


@tilec.kernel
def dense_bmm(x: torch.Tensor, offsets: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    """x[rows, k] by w[items, k, n]."""
    items, depth, n = w.size()
    out = torch.empty([x.size(0), n], dtype=x.dtype)
    for g in hl.grid(items):
        for rows, cols in hl.tile([offsets[g], 0], [offsets[g + 1], n]):
            acc = hl.zeros([rows, cols], dtype=torch.float32)
            for k in hl.tile(depth):
                acc = hl.dot(x[rows, k], w[g, k, cols], acc=acc)
            out[rows, cols] = acc.to(x.dtype)
    return out


@tilec.kernel
def dense_bmm_parents(x: torch.Tensor, offsets: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    items, depth, n = w.size()
    out = torch.empty([x.size(0), n], dtype=x.dtype)
    flat, flat_out = x.view(-1), out.view(-1)
    for g in hl.tile(items):
        begins = offsets[g]
        for r in hl.jagged_tile(offsets[g.index + 1] - begins):
            rows = begins[:, None] + r.index[None, :]
            for cols in hl.tile(n):
                acc = hl.zeros([g, r, cols], dtype=torch.float32)
                for k in hl.tile(depth):
                    lhs = hl.load(flat, [rows[:, :, None] * depth + k.index[None, None, :]])
                    acc = torch.baddbmm(acc, lhs, w[g, k, cols])
                hl.store(flat_out, [rows[:, :, None] * n + cols.index[None, None, :]], acc.to(x.dtype))
    return out


@tilec.kernel
def sum_heads(x: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    """x[rows, heads, dim], all heads at once."""
    _, heads, dim = x.size()
    out = torch.empty([offsets.size(0) - 1, heads, dim], dtype=x.dtype)
    for g in hl.grid(out.size(0)):
        acc = hl.zeros([heads, dim], dtype=torch.float32)
        for rows in hl.tile(offsets[g], offsets[g + 1]):
            acc = acc + x[rows, :, :].to(torch.float32).sum(dim=0)
        out[g, :, :] = acc.to(x.dtype)
    return out


@tilec.kernel
def sum_heads_parents(x: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    """One head at a time."""
    _, heads, dim = x.size()
    flat = x.view(-1)
    out = torch.empty([offsets.size(0) - 1, heads, dim], dtype=x.dtype)
    for g, h, cols in hl.tile([out.size(0), heads, dim], block_size=[None, 1, None]):
        begins = offsets[g]
        acc = hl.zeros([g, cols], dtype=torch.float32)
        for k in hl.jagged_tile(offsets[g.index + 1] - begins):
            rows = (begins[:, None] + k.index[None, :]) * heads + h.begin
            values = hl.load(flat, [rows[:, :, None] * dim + cols.index[None, None, :]])
            acc = acc + values.to(torch.float32).sum(dim=1)
        out[g, h.begin, cols] = acc.to(x.dtype)
    return out


@tilec.kernel
def softmax_heads(x: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    """x[rows, heads, dim] along the rows of each item, one head at a time."""
    _, heads, dim = x.size()
    out = torch.empty_like(x)
    for g, h in hl.grid([offsets.size(0) - 1, heads]):
        begin, end = offsets[g], offsets[g + 1]
        top = hl.full([dim], float("-inf"), dtype=torch.float32)
        total = hl.zeros([dim], dtype=torch.float32)
        for rows in hl.tile(begin, end):
            values = x[rows, h, :].to(torch.float32)
            higher = torch.maximum(top, values.amax(dim=0))
            total = total * torch.exp(top - higher) + torch.exp(values - higher[None, :]).sum(dim=0)
            top = higher
        for rows in hl.tile(begin, end):
            values = x[rows, h, :].to(torch.float32)
            out[rows, h, :] = (torch.exp(values - top[None, :]) / total[None, :]).to(x.dtype)
    return out


@tilec.kernel
def softmax_heads_parents(x: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    """All heads at once, as columns of a matrix."""
    columns = x.size(1) * x.size(2)
    out = torch.empty_like(x)
    flat, flat_out = x.view(-1), out.view(-1)
    for g, cols in hl.tile([offsets.size(0) - 1, columns]):
        begins = offsets[g]
        lengths = offsets[g.index + 1] - begins
        top = hl.full([g, cols], -1e30, dtype=torch.float32)
        total = hl.zeros([g, cols], dtype=torch.float32)
        for k in hl.jagged_tile(lengths):
            rows = begins[:, None] + k.index[None, :]
            values = hl.load(flat, [rows[:, :, None] * columns + cols.index[None, None, :]]).to(torch.float32)
            higher = torch.maximum(top, values.amax(dim=1))
            total = total * torch.exp(top - higher) + torch.exp(values - higher[:, None, :]).sum(dim=1)
            top = higher
        for k in hl.jagged_tile(lengths):
            places = (begins[:, None] + k.index[None, :])[:, :, None] * columns + cols.index[None, None, :]
            values = hl.load(flat, [places]).to(torch.float32)
            share = torch.exp(values - top[:, None, :]) / total[:, None, :]
            hl.store(flat_out, [places], share.to(x.dtype))
    return out


@tilec.kernel
def layer_norm_heads(x: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    """x[rows, heads, dim]: all elements of an item less their mean, over their deviation."""
    _, heads, dim = x.size()
    out = torch.empty_like(x)
    for g in hl.grid(offsets.size(0) - 1):
        begin, end = offsets[g], offsets[g + 1]
        count = torch.clamp((end - begin) * (heads * dim), min=1).to(torch.float32)
        total = hl.zeros([heads, dim], dtype=torch.float32)
        squares = hl.zeros([heads, dim], dtype=torch.float32)
        for rows in hl.tile(begin, end):
            total = total + x[rows, :, :].to(torch.float32).sum(dim=0)
        mean = total.sum() / count
        for rows in hl.tile(begin, end):
            centred = x[rows, :, :].to(torch.float32) - mean
            squares = squares + (centred * centred).sum(dim=0)
        scale = torch.rsqrt(squares.sum() / count + 1e-6)
        for rows in hl.tile(begin, end):
            out[rows, :, :] = ((x[rows, :, :].to(torch.float32) - mean) * scale).to(x.dtype)
    return out


@tilec.kernel
def dense_add_heads(x: torch.Tensor, offsets: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """y[items, longest, heads, dim] plus the rows x[rows, heads, dim] of each item."""
    items, longest, heads, _ = y.size()
    out = torch.empty_like(y)
    for g, h in hl.grid([items, heads]):
        begin, end = offsets[g], offsets[g + 1]
        for rows in hl.tile(longest):
            here = (rows.index < end - begin)[:, None]
            values = hl.load(x, [begin + rows.index, h, slice(None)], extra_mask=here)
            out[g, rows, h, :] = y[g, rows, h, :] + values
    return out


@tilec.kernel
def dense_bmm_heads(x: torch.Tensor, offsets: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    """x[rows, heads, k] by w[items, heads, k, n]."""
    items, heads, _, n = w.size()
    out = torch.empty([x.size(0), heads, n], dtype=x.dtype)
    for g, h in hl.grid([items, heads]):
        for rows in hl.tile(offsets[g], offsets[g + 1]):
            out[rows, h, :] = hl.dot(x[rows, h, :], w[g, h, :, :]).to(x.dtype)
    return out


@tilec.kernel
def hstu_rows(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, offsets: torch.Tensor, alpha: float, longest: int
) -> torch.Tensor:
    """silu(q @ k^T * alpha) / longest @ v, causal, of one head: [rows, dim]."""
    out = torch.empty_like(v)
    for s in hl.grid(offsets.size(0) - 1):
        begin, end = offsets[s], offsets[s + 1]
        for rows in hl.tile(begin, end, max_extent=longest):
            acc = hl.zeros([rows, v.size(1)], dtype=torch.float32)
            for cols in hl.tile(begin, rows.end, max_extent=longest):
                scores = functional.silu(hl.dot(q[rows, :], k[cols, :].T) * alpha) / longest
                scores = torch.where(rows.index[:, None] >= cols.index[None, :], scores, 0.0)
                acc = hl.dot(scores.to(v.dtype), v[cols, :], acc=acc)
            out[rows, :] = acc.to(v.dtype)
    return out


@tilec.kernel
def flash_rows(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    """Softmax attention of one head, [rows, dim], not causal, of sequences of any length."""
    dim = q.size(1)
    out = torch.empty_like(q)
    for s in hl.grid(offsets.size(0) - 1):
        begin, end = offsets[s], offsets[s + 1]
        for rows in hl.tile(begin, end):
            top = hl.full([rows], -1e30, dtype=torch.float32)
            total = hl.zeros([rows], dtype=torch.float32)
            acc = hl.zeros([rows, dim], dtype=torch.float32)
            for cols in hl.tile(begin, end):
                scores = hl.dot(q[rows, :], k[cols, :].T) / math.sqrt(dim)
                higher = torch.maximum(top, scores.amax(dim=1))
                weights = torch.exp(scores - higher[:, None])
                kept = torch.exp(top - higher)
                total = total * kept + weights.sum(dim=1)
                acc = hl.dot(weights.to(v.dtype), v[cols, :], acc=acc * kept[:, None])
                top = higher
            out[rows, :] = (acc / total[:, None]).to(q.dtype)
    return out


@tilec.kernel
def sum_gaps(x: torch.Tensor, begins: torch.Tensor, ends: torch.Tensor) -> torch.Tensor:
    """Begins and ends in arrays of their own: rows between the segments count for none."""
    out = torch.empty([begins.size(0), x.size(1)], dtype=x.dtype)
    for g in hl.grid(begins.size(0)):
        acc = hl.zeros([x.size(1)], dtype=torch.float32)
        for rows in hl.tile(begins[g], ends[g], max_extent=x.size(0)):
            acc = acc + x[rows, :].to(torch.float32).sum(dim=0)
        out[g, :] = acc.to(x.dtype)
    return out


@tilec.kernel
def sum_gaps_parents(x: torch.Tensor, begins: torch.Tensor, ends: torch.Tensor) -> torch.Tensor:
    columns = x.size(1)
    flat = x.view(-1)
    out = torch.empty([begins.size(0), columns], dtype=x.dtype)
    for g, cols in hl.tile([begins.size(0), columns]):
        first = begins[g]
        acc = hl.zeros([g, cols], dtype=torch.float32)
        for k in hl.jagged_tile(ends[g] - first, max_extent=x.size(0)):
            rows = first[:, None] + k.index[None, :]
            values = hl.load(flat, [rows[:, :, None] * columns + cols.index[None, None, :]])
            acc = acc + values.to(torch.float32).sum(dim=1)
        out[g, cols] = acc.to(x.dtype)
    return out


@tilec.kernel
def scale_gaps(x: torch.Tensor, bounds: torch.Tensor, factors: torch.Tensor, out: torch.Tensor) -> None:
    """Writes to an array that exists. Even `bounds` begin a segment and odd ones end it; all are in order."""
    for g in hl.grid(factors.size(0)):
        for rows, cols in hl.tile([bounds[2 * g], 0], [bounds[2 * g + 1], x.size(1)]):
            out[rows, cols] = (x[rows, cols].to(torch.float32) * factors[g]).to(out.dtype)


@tilec.kernel
def scale_gaps_parents(
    x: torch.Tensor, bounds: torch.Tensor, factors: torch.Tensor, out: torch.Tensor
) -> None:
    columns = x.size(1)
    flat, flat_out = x.view(-1), out.view(-1)
    for g in hl.tile(factors.size(0)):
        begins = bounds[2 * g.index]
        for k in hl.jagged_tile(bounds[2 * g.index + 1] - begins):
            rows = begins[:, None] + k.index[None, :]
            for cols in hl.tile(columns):
                places = rows[:, :, None] * columns + cols.index[None, None, :]
                values = hl.load(flat, [places]).to(torch.float32) * factors[g][:, None, None]
                hl.store(flat_out, [places], values.to(out.dtype))


@tilec.kernel
def scale_some(x: torch.Tensor, offsets: torch.Tensor, factors: torch.Tensor, out: torch.Tensor) -> None:
    """Writes to an array that exists, and leaves the rows of items alone whose factor is 0."""
    for g in hl.grid(factors.size(0)):
        if factors[g] != 0:
            for rows, cols in hl.tile([offsets[g], 0], [offsets[g + 1], x.size(1)]):
                out[rows, cols] = (x[rows, cols].to(torch.float32) * factors[g]).to(out.dtype)


@tilec.kernel
def scale_some_parents(
    x: torch.Tensor, offsets: torch.Tensor, factors: torch.Tensor, out: torch.Tensor
) -> None:
    columns = x.size(1)
    flat, flat_out = x.view(-1), out.view(-1)
    for g in hl.tile(factors.size(0)):
        begins, factor = offsets[g], factors[g][:, None, None]
        for k in hl.jagged_tile(offsets[g.index + 1] - begins):
            rows = begins[:, None] + k.index[None, :]
            for cols in hl.tile(columns):
                places = rows[:, :, None] * columns + cols.index[None, None, :]
                values = hl.load(flat, [places]).to(torch.float32) * factor
                hl.store(flat_out, [places], values.to(out.dtype), extra_mask=factor != 0)
