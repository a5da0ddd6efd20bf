"""Parts of a dimension, between numbers: read and stored, moved, filled up and picked from."""

import pytest
import torch
from torch.nn import functional
from torch_cases import Case, verify

import tilec
import tilec.language as hl
from tilec.diagnostics import TileError
from tilec.testing import check


def drawn(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(len(shape)))


@tilec.kernel
def rotated(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """In place, of several heads."""
    half = x.size(2) // 2
    for rows in hl.tile(x.size(0)):
        first, second = x[rows, :, :half], x[rows, :, half:]
        c, s = cos[rows, :][:, None, :], sin[rows, :][:, None, :]
        x[rows, :, :half] = first * c - second * s
        x[rows, :, half:] = second * c + first * s
    return x


def rotation(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    first, second = x.chunk(2, -1)
    c, s = cos[:, None], sin[:, None]
    return torch.cat([first * c - second * s, second * c + first * s], -1)


@tilec.kernel
def turned(x: torch.Tensor, offsets: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    """Three parts of rows of segments, in another order, stored as bf16."""
    out = torch.empty([x.size(0), x.size(1)], dtype=torch.bfloat16)
    third = x.size(1) // 3
    for g in hl.grid(offsets.size(0) - 1):
        factor = scale[g]
        for rows in hl.tile(offsets[g], offsets[g + 1]):
            out[rows, 2 * third :] = x[rows, :third] * factor
            out[rows, :third] = x[rows, third : 2 * third]
            out[rows, third : 2 * third] = x[rows, 2 * third :] + 1
    return out


def turning(x: torch.Tensor, offsets: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    factors = scale.repeat_interleave(offsets.diff())[:, None]
    a, b, c = x.chunk(3, 1)
    return torch.cat([b, c + 1, a * factors], 1).bfloat16()


@tilec.kernel
def doubled(x: torch.Tensor) -> torch.Tensor:
    """The first half keeps its fill."""
    out = torch.zeros_like(x)
    half = x.size(1) // 2
    for rows in hl.tile(x.size(0)):
        out[rows, half:] = x[rows, :half] * 2
    return out


def doubling(x: torch.Tensor) -> torch.Tensor:
    half = x[:, : x.size(1) // 2]
    return torch.cat([torch.zeros_like(half), half * 2], 1)


@tilec.kernel
def updated(x: torch.Tensor, offsets: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Parts that are read again, that overlap, and that leave others as they are, of segments in place."""
    for g in hl.grid(offsets.size(0) - 1):
        for rows in hl.tile(offsets[g], offsets[g + 1]):
            x[rows, :] = x[rows, :] + y[rows, :]
            x[rows, :16] *= 2
            x[rows, 12:30] = x[rows, 2:20] + x[rows, 12:30]
            x[rows, 33] = x[rows, 12] - x[rows, 39]
            x[rows, 34:35] *= 2
            x[rows, 34] -= y[rows, 7]
            x[rows, 35] = x[rows, :].sum(1)
    return x


def updating(x: torch.Tensor, offsets: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    x = x + y
    x[:, :16] *= 2
    x[:, 12:30] = x[:, 2:20] + x[:, 12:30]
    x[:, 33] = x[:, 12] - x[:, 39]
    x[:, 34] = x[:, 34] * 2 - y[:, 7]
    x[:, 35] = x.sum(1)
    return x


@tilec.kernel
def inside(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Heads in the middle of rank 3, of bf16, with f32 stored to them; and one row of each of the others."""
    for rows in hl.tile(x.size(0)):
        x[rows, 1:3, :] = y[rows, :, :] + x[rows, 0:2, :]
    for i in hl.grid(y.size(0)):
        for j in hl.grid(2):
            y[i, j, 5:7] = y[i, j, 20:22]
    return x


def insides(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return torch.cat([x[:, :1], (y + x[:, :2]).bfloat16(), x[:, 3:]], 1)


@tilec.kernel
def rolled(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty_like(x)
    for rows in hl.tile(x.size(0)):
        out[rows, :] = torch.roll(x[rows, :], 3, 1) - torch.roll(x[rows, :], (-1,), dims=(-1,))
    return out


def rolling(x: torch.Tensor) -> torch.Tensor:
    return torch.roll(x, 3, 1) - torch.roll(x, -1, 1)


@tilec.kernel
def padded(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty([x.size(0), x.size(1) + 3])
    for rows in hl.tile(x.size(0)):
        out[rows, :] = functional.pad(functional.pad(x[rows, :], (3, -1)), (0, 1), value=-1.5)
    return out


def padding(x: torch.Tensor) -> torch.Tensor:
    return functional.pad(functional.pad(x, (3, -1)), (0, 1), value=-1.5)


@tilec.kernel
def picked(x: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    """Logits of labels: what is not picked may be infinite or no number."""
    out = torch.empty([x.size(0), ids.size(1)])
    for rows in hl.tile(x.size(0)):
        out[rows, :] = torch.gather(x[rows, :], 1, ids[rows, :])
    return out


def picking(x: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    return torch.gather(x, 1, ids)


@tilec.kernel
def taken(x: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    """The largest of each row, and the same column of all."""
    out = torch.empty([x.size(0), 2])
    for rows in hl.tile(x.size(0)):
        values = x[rows, :]
        out[rows, 0] = torch.take_along_dim(values, values.argmax(1)[:, None], 1)[:, 0]
        out[rows, 1] = values.take_along_dim(ids[None, :], dim=1)[:, 0]
    return out


def taking(x: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    return torch.stack([x.amax(1), x[:, int(ids)]], 1)


@tilec.kernel
def looked_up(x: torch.Tensor, ids: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
    """One column of rows that are loaded, some of which a mask leaves out; and columns that are loaded."""
    out = torch.empty([columns.size(0) + 1, ids.size(0)])
    for rows in hl.tile(ids.size(0)):
        found = ids[rows]
        out[0, rows] = hl.load(x, [found, 9], extra_mask=found < 40)
        for j in hl.grid(columns.size(0)):
            out[j + 1, rows] = x[found % 40, columns[j]]
    return out


def looking_up(x: torch.Tensor, ids: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
    kept = torch.where(ids < 40, x[ids % 40, 9], 0.0)
    return torch.cat([kept[None], x[ids % 40][:, columns].T])


@tilec.kernel
def best(x: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    """The three largest of each row, the largest last, in four columns, of segments of bf16."""
    out = torch.full([x.size(0), 4], -1.0, dtype=torch.bfloat16)
    for g in hl.grid(offsets.size(0) - 1):
        for rows in hl.tile(offsets[g], offsets[g + 1]):
            rest = x[rows, :]
            for j in hl.static_range(3):
                top = rest.amax(1)
                out[rows, 3 - j] = top
                rest = torch.where(rest == top[:, None], float("-inf"), rest)
    return out


def bests(x: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    found = torch.topk(x, 3, 1)[0].flip(1)
    return torch.cat([torch.full([x.size(0), 1], -1.0), found], 1).bfloat16()


@tilec.kernel
def means(x: torch.Tensor) -> torch.Tensor:
    out = torch.empty([x.size(0), 2])
    for rows in hl.tile(x.size(0)):
        out[rows, 1] = x[rows, :].mean(1)
        out[rows, 0] = x[rows, :].amax(1)
    return out


def mean(x: torch.Tensor) -> torch.Tensor:
    return torch.stack([x.amax(1), x.mean(1)], 1)


@tilec.kernel
def counted(x: torch.Tensor, ids: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
    """Sums of rows by key, in columns that are loaded: a later round adds to what an earlier one did."""
    out = torch.zeros([4, 6])
    for rows in hl.tile(x.size(0)):
        for j in hl.grid(columns.size(0)):
            hl.atomic_add(out, [ids[rows], columns[j]], x[rows, :].sum(1))
    return out


def counting(x: torch.Tensor, ids: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
    out = torch.zeros([4, 6])
    for column in columns:
        out[:, int(column)] += torch.zeros(4).index_add(0, ids, x.sum(1))
    return out


LOGITS = drawn(40, 33)
LOGITS[3, 0], LOGITS[5, 9] = torch.inf, torch.nan
IDS = torch.randint(10, 33, (40, 2), generator=torch.Generator().manual_seed(0))
WHOLE = torch.randint(-3, 4, (31, 40), generator=torch.Generator().manual_seed(0)).float()
KEYS = torch.randint(0, 4, (31,), generator=torch.Generator().manual_seed(0))
KERNELS: dict[str, Case] = {
    "rotated": (rotated, rotation, (drawn(40, 3, 256), drawn(40, 128), drawn(40, 128))),
    "turned": (turned, turning, (drawn(31, 384), torch.tensor([0, 3, 3, 10, 31]), drawn(4))),
    "doubled": (doubled, doubling, (drawn(20, 128),)),
    "updated": (updated, updating, (WHOLE, torch.tensor([0, 3, 3, 10, 31]), WHOLE.flip(0))),
    "inside": (inside, insides, (drawn(20, 5, 40).bfloat16(), drawn(20, 2, 40))),
    "rolled": (rolled, rolling, (drawn(20, 40),)),
    "padded": (padded, padding, (drawn(20, 40),)),
    "picked": (picked, picking, (LOGITS, IDS)),
    "taken": (taken, taking, (drawn(31, 40), torch.tensor([17]))),
    "looked_up": (looked_up, looking_up, (LOGITS, torch.arange(45), torch.tensor([0, 32, 9]))),
    "best": (best, bests, (drawn(31, 40), torch.tensor([0, 3, 3, 10, 31]))),
    "means": (means, mean, (drawn(31, 40),)),
    "counted": (counted, counting, (WHOLE, KEYS, torch.tensor([4, 1, 4, 0]))),
}


@pytest.mark.parametrize("name", KERNELS)
def test_agrees_with_torch_and_is_proven(name: str) -> None:
    verify(KERNELS[name], seeds=(0,))


@pytest.mark.parametrize("name", ["rotated", "turned"])
def test_parts_are_stored_together(name: str) -> None:
    kernel, _, args = KERNELS[name]
    text = str(kernel.bind(*args).mlir(after="raise-parts"))
    assert "tile.scatter" not in text
    assert text.count("tile.store") == text.count("tile.concatenate") == 1


def test_parts_that_other_loops_read_are_left_where_they_are() -> None:
    @tilec.kernel
    def mixed(x: torch.Tensor) -> torch.Tensor:
        half = x.size(1) // 2
        for i in hl.grid(x.size(0)):
            x[i, :half] = x[i, half:] * 2
            for j in hl.grid(x.size(0)):
                x[i, half:] = x[i, :half] + x[j, 0]
        return x

    with pytest.raises(TileError, match=r"the store at .* and the load at .* may touch one element of %x"):
        mixed(drawn(20, 128))


def test_what_cannot_be_moved_is_refused() -> None:
    @tilec.kernel
    def moved(x: torch.Tensor) -> torch.Tensor:
        for rows in hl.tile(x.size(0)):
            x[rows, :] = torch.roll(x[rows, :], 1, 0)
        return x

    @tilec.kernel
    def longer(x: torch.Tensor) -> torch.Tensor:
        for rows in hl.tile(x.size(0)):
            x[rows, :] = functional.pad(x[rows, :], (0, 0, 1, -1))
        return x

    @tilec.kernel
    def found(x: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        for rows in hl.tile(x.size(0)):
            x[rows, :] = torch.gather(x[rows, :], 0, ids[rows, :])
        return x

    x, ids = drawn(20, 40), torch.zeros(20, 40, dtype=torch.int64)
    for kernel, args, message in (
        (moved, (x,), r"roll of float32\[rows, 40\] along dimension 0: only what is no tile can be moved"),
        (longer, (x,), r"pad of float32\[rows, 40\] along dimension 0: only what is no tile can be moved"),
        (
            found,
            (x, ids),
            "along dimension 0: the dimension must be no tile",
        ),
    ):
        with pytest.raises(tilec.TraceError, match=message):
            kernel.bind(*args)


@pytest.mark.parametrize("grouping", ["worklist", "overlaunch", "one_hot", "stream"])
def test_columns_of_segments(grouping: str) -> None:
    loop = "fori_loop" if grouping == "stream" else "grid"
    configured = tilec.kernel(config=tilec.Config(grouping=grouping, loop=loop))
    check(configured(best.fn), bests, lambda: KERNELS["best"][2])
