"""uint8 in arrays and in what is computed: pixels, packed weights, codes of tables."""

import jax.numpy as jnp
import numpy as np
import pytest
import torch
from torch_cases import Case, verify

import tilec
import tilec.language as hl
from tilec.diagnostics import TileError
from tilec.testing import check


def drawn(*shape: int) -> torch.Tensor:
    return torch.randint(0, 256, shape, generator=torch.Generator().manual_seed(len(shape))).to(torch.uint8)


@tilec.kernel
def mixed(x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """What passes 255 or 0 goes on at the other end, as in torch."""
    sums, products, bits, chosen, parts, least = [torch.empty_like(x) for _ in range(6)]
    scaled = torch.empty(x.shape, dtype=torch.bfloat16)
    for rows, cols in hl.tile(list(x.shape)):
        a, b = x[rows, cols], y[rows, cols]
        sums[rows, cols] = a + b
        products[rows, cols] = -(a * b - 3)
        bits[rows, cols] = (a >> 2) | (b << 1)
        chosen[rows, cols] = torch.where(a > b, a, ~b)
        parts[rows, cols] = a // (b | 1) + a % (b | 1)
        least[rows, cols] = torch.minimum(a.clamp(3, 200), b.abs())
        scaled[rows, cols] = (a.float() / 255).to(torch.bfloat16)
    return sums, products, bits, chosen, parts, least, scaled


def mixing(x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, ...]:
    odd = y | 1
    return (
        x + y,
        -(x * y - 3),
        (x >> 2) | (y << 1),
        torch.where(x > y, x, ~y),
        x // odd + x % odd,
        torch.minimum(x.clamp(3, 200), y),
        (x.float() / 255).to(torch.bfloat16),
    )


@tilec.kernel
def unpacked(packed: torch.Tensor, scales: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    """Rows of weights of four bits, two in a byte, times a matrix."""
    out = torch.empty([packed.size(0), w.size(1)])
    for rows, cols in hl.tile([packed.size(0), w.size(1)]):
        codes = packed[rows, :]
        both = torch.stack([codes & 15, codes >> 4], -1).reshape(codes.size(0), w.size(0))
        out[rows, cols] = torch.matmul((both.float() - 8) * scales[rows][:, None], w[:, cols])
    return out


def unpacking(packed: torch.Tensor, scales: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    both = torch.stack([packed & 15, packed >> 4], -1).reshape(packed.size(0), w.size(0))
    return ((both.float() - 8) * scales[:, None]) @ w


@tilec.kernel
def segments(x: torch.Tensor, starts: torch.Tensor, least: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Of segments: the largest, how many pass a limit of the segment, and what is left of each element."""
    count, most = (
        torch.empty([least.size(0)], dtype=torch.int32),
        torch.zeros([least.size(0)], dtype=torch.uint8),
    )
    left = torch.full_like(x, 200)
    for g in hl.grid(least.size(0)):
        limit, passed = least[g], hl.zeros([x.size(1)], dtype=torch.int32)
        top = hl.zeros([x.size(1)], dtype=torch.uint8)
        for rows in hl.tile(starts[g], starts[g + 1]):
            values = x[rows, :]
            passed = passed + (values > limit).sum(0, dtype=torch.int32)
            top = torch.maximum(top, values.amax(0))
            left[rows, :] = values - limit
        count[g] = passed.sum(dtype=torch.int32)
        most[g] = top.amax()
    return count, most, left


def segmented(x: torch.Tensor, starts: torch.Tensor, least: torch.Tensor) -> tuple[torch.Tensor, ...]:
    parts = torch.tensor_split(x, starts[1:-1].long())
    count = torch.stack([(part > limit).sum() for part, limit in zip(parts, least, strict=True)])
    most = torch.stack([part.amax() if len(part) else part.new_zeros(()) for part in parts])
    return count.int(), most, x - least.repeat_interleave(starts.diff())[:, None]


@tilec.kernel
def looked_up(codes: torch.Tensor, table: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Rows of a table, how often each code is there, and codes with a bit more."""
    out = torch.empty([codes.size(0), table.size(1)])
    counts = torch.zeros([table.size(0)], dtype=torch.int32)
    for t in hl.tile(codes.size(0)):
        out[t, :] = table[codes[t], :]
        hl.atomic_add(counts, [codes[t].to(torch.int32)], 1)
        codes[t] = codes[t] | 128
    return out, counts, codes


def looking_up(codes: torch.Tensor, table: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    counts = torch.bincount(codes.long(), minlength=table.size(0)).int()
    return table[codes.long()], counts, codes | 128


@tilec.kernel
def rounded(x: torch.Tensor, n: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    near, last = torch.empty(x.shape, dtype=torch.uint8), torch.empty(n.shape, dtype=torch.uint8)
    for rows in hl.tile(x.size(0)):
        near[rows, :] = torch.round(x[rows, :] * 255).clamp(0, 255).to(torch.uint8)
        last[rows, :] = n[rows, :].to(torch.uint8)
    return near, last


def rounding(x: torch.Tensor, n: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.round(x * 255).clamp(0, 255).to(torch.uint8), n.to(torch.uint8)


@tilec.kernel
def shifted(words: torch.Tensor, by: torch.Tensor) -> torch.Tensor:
    """Numbers of four bits in words, of which operators repeat both operands."""
    out = torch.empty([words.size(0), 8, words.size(1)], dtype=torch.bfloat16)
    for rows, cols in hl.tile([words.size(0), words.size(1)]):
        parts = (words[rows, cols][:, None, :] >> by[:][None, :, None]) & 15
        out[rows, :, cols] = (parts ^ (parts.amax(1) << 1)[:, None, :]).to(torch.bfloat16)
    return out


def shifting(words: torch.Tensor, by: torch.Tensor) -> torch.Tensor:
    parts = (words[:, None, :] >> by[None, :, None]) & 15
    return (parts ^ (parts.amax(1) << 1)[:, None, :]).bfloat16()


@tilec.kernel
def one_each(codes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Narrow integers as scalars, and in place."""
    out, squares = torch.empty_like(codes), torch.zeros([codes.size(0)], dtype=torch.int32)
    for g in hl.grid(codes.size(0)):
        code, row = codes[g, 3], codes[g, :]
        row >>= 1
        row |= code - 100
        out[g, :] = row * code
        if code > 3:
            squares[g] = (code * code).to(torch.int32)
    return out, squares


def one_of_each(codes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    code = codes[:, 3:4]
    return ((codes >> 1) | (code - 100)) * code, torch.where(code > 3, (code * code).int(), 0)[:, 0].int()


STARTS = torch.tensor([0, 5, 5, 60, 61, 100], dtype=torch.int32)
CASES: dict[str, Case] = {
    "mixed": (mixed, mixing, (drawn(37, 200), drawn(37, 200).flip(0))),
    "unpacked": (unpacked, unpacking, (drawn(64, 70), torch.rand(64), torch.rand(140, 48))),
    "segments": (segments, segmented, (drawn(100, 140), STARTS, drawn(5))),
    "looked_up": (looked_up, looking_up, (drawn(1000), torch.rand(256, 64))),
    "shifted": (
        shifted,
        shifting,
        (torch.arange(-9000, 9000).view(20, 900).int() * 9001, 4 * torch.arange(8).int()),
    ),
    "one_each uint8": (one_each, one_of_each, (drawn(7, 5),)),
    "one_each int8": (one_each, one_of_each, (drawn(7, 5).to(torch.int8),)),
    "one_each int16": (one_each, one_of_each, (drawn(7, 5).to(torch.int16) - 99,)),
    "rounded": (rounded, rounding, (torch.rand(40, 130), torch.arange(-2600, 2600).view(40, 130).int())),
}


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_torch_and_is_proven(name: str) -> None:
    verify(CASES[name], seeds=(0,))


@pytest.mark.parametrize("loop", ["emit_pipeline", "fori_loop"])
@pytest.mark.parametrize("name", ["mixed", "segments"])
def test_every_loop_copies_them(name: str, loop: str) -> None:
    kernel, reference, args = CASES[name]
    check(tilec.kernel(config=tilec.Config(loop=loop))(kernel.fn), reference, lambda: args)


def test_an_array_that_is_changed_stays_the_callers() -> None:
    codes, table = drawn(1000), torch.rand(256, 64)
    wanted = codes | 128
    assert looked_up(codes, table)[2] is codes
    assert torch.equal(codes, wanted)


def test_arrays_of_jax_are_taken() -> None:
    _, _, args = CASES["mixed"]
    found = mixed.bind(*args).executable.jax_fn(*[each.numpy() for each in args])
    for made, wanted in zip(found, mixing(*args), strict=True):
        assert made.dtype.name == str(wanted.dtype).removeprefix("torch.")
        assert np.array_equal(np.asarray(made.astype(jnp.float32)), wanted.float().numpy())


def test_what_is_compared_in_memory_is_refused() -> None:
    @tilec.kernel
    def largest(x: torch.Tensor) -> torch.Tensor:
        out = torch.zeros([x.size(1)], dtype=torch.uint8)
        for rows in hl.tile(x.size(0)):
            hl.atomic_max(out, [slice(None)], x[rows, :].amax(0))
        return out

    with pytest.raises(
        TileError, match=r"atomic_max to uint8\[128\], in which memory has signed bytes; make it int32"
    ):
        largest(drawn(8, 128))
