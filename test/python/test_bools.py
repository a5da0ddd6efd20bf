"""Truth values in arrays: masks and flags that kernels take, and that they make."""

import pytest
import torch
from torch_cases import Case, verify

import tilec
import tilec.language as hl
from tilec.testing import check


def drawn(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(len(shape))) > 0.5


@tilec.kernel
def chosen(
    m: torch.Tensor, x: torch.Tensor, flags: torch.Tensor, offsets: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Rows of segments by a mask, where a flag says so; the mask's opposite, and whether any of it held."""
    out, no = torch.zeros_like(x), torch.zeros(x.size(), dtype=torch.bool)
    some = torch.empty(flags.size(), dtype=torch.bool)
    for g in hl.grid(offsets.size(0) - 1):
        met = hl.zeros([x.size(1)], dtype=torch.bool)
        for rows in hl.tile(offsets[g], offsets[g + 1]):
            met = met | m[rows, :].any(0)
        some[g] = met.any()
        if flags[g]:
            for rows in hl.tile(offsets[g], offsets[g + 1]):
                out[rows, :] = torch.where(m[rows, :], x[rows, :], 1.0)
                no[rows, :] = ~m[rows, :]
    return out, no, some


def choosing(
    m: torch.Tensor, x: torch.Tensor, flags: torch.Tensor, offsets: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    on = flags.repeat_interleave(offsets.diff())[:, None]
    some = torch.stack([part.any() for part in torch.tensor_split(m, offsets[1:-1])])
    return torch.where(m, x, 1.0) * on, ~m & on, some


@tilec.kernel
def updated(m: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """A part of a mask, in place."""
    for rows in hl.tile(x.size(0)):
        m[rows, :100] = m[rows, 100:] ^ (x[rows, :] > 0)
    return m


def updating(m: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return torch.cat([m[:, 100:] ^ (x > 0), m[:, 100:]], 1)


@tilec.kernel
def found(done: torch.Tensor, rows: torch.Tensor, ids: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Single ones, whole rows of them, and which were met."""
    one, all_of = torch.empty_like(ids, dtype=torch.bool), torch.empty([ids.size(0)], dtype=torch.bool)
    met = torch.zeros_like(done)
    for t in hl.tile(ids.size(0)):
        one[t] = done[ids[t]]
        all_of[t] = rows[ids[t], :].all(1)
        hl.atomic_or(met, [ids[t]], one[t])
    return one, all_of, met


def finding(done: torch.Tensor, rows: torch.Tensor, ids: torch.Tensor) -> tuple[torch.Tensor, ...]:
    met = torch.zeros_like(done)
    met[ids[done[ids]]] = True
    return done[ids], rows[ids].all(1), met


@tilec.kernel
def beside(m: torch.Tensor, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Whether all or any of a row hold, beside columns of others."""
    out, kept = torch.empty([x.size(0)]), torch.empty([x.size(0)], dtype=torch.bool)
    for rows in hl.tile(x.size(0)):
        kept[rows] = m[rows, :].any(1) & (x[rows, 3] > 0) | m[rows, 5]
        out[rows] = torch.where((x[rows, :] > 0).all(1), x[rows, 2], 1.0) + m[rows, :].all(1).float()
    return out, kept


def besides(m: torch.Tensor, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    out = torch.where((x > 0).all(1), x[:, 2], 1.0) + m.all(1)
    return out, m.any(1) & (x[:, 3] > 0) | m[:, 5]


@tilec.kernel
def flipped(m: torch.Tensor) -> torch.Tensor:
    """Through views of both."""
    out = torch.empty_like(m)
    given, made = m.view(-1), out.view(-1)
    for t in hl.tile(given.size(0)):
        made[t] = ~given[t]
    return out


@tilec.kernel
def moved(x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Masks repeated in new lanes, beside each other, and in another shape."""
    wide, twice = torch.empty_like(x), torch.empty([x.size(0), x.size(1), 2 * x.size(2)])
    flat = torch.empty([x.size(0), x.size(1) * x.size(2)])
    for b in hl.tile(x.size(0)):
        v = x[b, :, :]
        m = v > 0
        wide[b, :, :] = torch.where((y[b, :] > 0)[:, :, None], v, 0.0)
        twice[b, :, :] = torch.where(torch.cat([m, ~m], 2), torch.cat([v, v], 2), 1.0)
        flat[b, :] = torch.where(m.reshape(b.block_size, -1), v.reshape(b.block_size, -1), 2.0)
    return wide, twice, flat


def moving(x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, ...]:
    m, zero = x > 0, torch.zeros(())
    twice = torch.where(torch.cat([m, ~m], 2), torch.cat([x, x], 2), 1.0)
    return torch.where((y > 0)[:, :, None], x, zero), twice, torch.where(m, x, 2.0).flatten(1)


OFFSETS = torch.tensor([0, 3, 3, 20, 40])
X = torch.randn(40, 100, generator=torch.Generator().manual_seed(0))
IDS = torch.randint(0, 30, (50,), generator=torch.Generator().manual_seed(0))
KERNELS: dict[str, Case] = {
    "chosen": (chosen, choosing, (drawn(40, 100), X, torch.tensor([True, True, False, True]), OFFSETS)),
    "updated": (updated, updating, (drawn(40, 200), X)),
    "found": (found, finding, (drawn(30), drawn(30, 4) | drawn(1), IDS)),
    "beside": (beside, besides, (drawn(40, 100) & drawn(40, 1), X + 2)),
    "moved": (moved, moving, (torch.randn(9, 5, 72), torch.randn(9, 5))),
    "flipped": (flipped, torch.logical_not, (drawn(16, 128),)),
}


@pytest.mark.parametrize("name", KERNELS)
def test_agrees_with_torch_and_is_proven(name: str) -> None:
    verify(KERNELS[name], seeds=(0,))


@pytest.mark.parametrize("loop", ["grid", "emit_pipeline", "fori_loop"])
@pytest.mark.parametrize("name", ["chosen", "updated"])
def test_every_loop_copies_them(name: str, loop: str) -> None:
    kernel, reference, args = KERNELS[name]
    configured = tilec.kernel(config=tilec.Config(loop=loop))
    check(configured(kernel.fn), reference, lambda: args)


def test_a_byte_each_is_what_the_compiler_takes() -> None:
    """Of memory on the chip, too: masks were words there, which nothing counted."""

    @tilec.kernel
    def both(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        out = torch.empty_like(a)
        for rows, cols in hl.tile([a.size(0), a.size(1)]):
            out[rows, cols] = a[rows, cols] & b[rows, cols]
        return out

    found = both.bind(*[torch.zeros(8192, 4096, dtype=torch.bool)] * 2).aot("v5e").estimate()
    kernel = next(each for each in found.operations if each.opcode == "custom-call")
    assert (kernel.bytes_read, kernel.bytes_written) == (2 * 8192 * 4096, 8192 * 4096)
