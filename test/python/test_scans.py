"""Running combinations by functions of several values: recurrences, sums that begin anew, extremes."""

import pytest
import torch
from test_examples_torch import EXAMPLES, examples_of
from torch_cases import Case, verify

import tilec
import tilec.language as hl
from tilec.frontend.trace import TraceError
from tilec.testing import check

(RECURRENCE,) = examples_of(EXAMPLES / "linear_recurrence.py")
DRAW = torch.Generator().manual_seed(0)
Pair = tuple[torch.Tensor, torch.Tensor]


def then(first: Pair, later: Pair) -> Pair:
    """One stretch of `h = decay * h + x` after another."""
    return first[0] * later[0], later[0] * first[1] + later[1]


@tilec.kernel
def to_go(decay: torch.Tensor, x: torch.Tensor, cu: torch.Tensor) -> torch.Tensor:
    """The recurrence from the last row of each sequence on, all of which one tile holds."""
    out = torch.empty_like(x)
    for s in hl.grid(cu.size(0) - 1):
        for t in hl.tile(cu[s], cu[s + 1], block_size=64):
            out[t, :] = hl.associative_scan(then, (decay[t, :], x[t, :]), dim=0, reverse=True)[1]
    return out


def stepped_back(decay: torch.Tensor, x: torch.Tensor, cu: torch.Tensor) -> torch.Tensor:
    return RECURRENCE.reference(decay.flip(0), x.flip(0), int(cu[-1]) - cu.flip(0)).flip(0)


def anew(a: torch.Tensor, p: torch.Tensor, b: torch.Tensor, q: torch.Tensor) -> Pair:
    return torch.where(q, b, a + b), p | q


@tilec.kernel
def summed_anew(x: torch.Tensor, begins: torch.Tensor) -> torch.Tensor:
    """Sums of each row that begin anew at some lanes; the function takes all scalars one after the other."""
    out = torch.empty_like(x)
    for rows in hl.tile(x.size(0)):
        out[rows, :] = hl.associative_scan(anew, (x[rows, :], begins[rows, :]), dim=1)[0]
    return out


def sums_anew(x: torch.Tensor, begins: torch.Tensor) -> torch.Tensor:
    out = x.float()
    for i in range(1, x.size(1)):
        out[:, i] += torch.where(begins[:, i], 0, out[:, i - 1])
    return out.to(x.dtype)


def of_one(a: torch.Tensor, i: torch.Tensor, b: torch.Tensor, j: torch.Tensor) -> Pair:
    return torch.where(i == j, a + b, b), j


@tilec.kernel
def reduced(ids: torch.Tensor, x: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
    """Sums of the rows of each id, of which only the last in a tile or of an id is added to memory."""
    count = x.size(0)
    for t, f in hl.tile([count, x.size(1)]):
        after = hl.load(ids, [t.index + 1], extra_mask=t.index < count - 1)
        wide = ids[t].unsqueeze(1).expand_as(x[t, f])
        sums, _ = hl.associative_scan(of_one, (x[t, f], wide), dim=0)
        last = (ids[t] != after) | (t.index % t.block_size == t.block_size - 1) | (t.index == count - 1)
        hl.atomic_add(out, [ids[t], f], torch.where(last[:, None], sums, 0.0))
    return out


def sums_of_ids(ids: torch.Tensor, x: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
    return out.index_add(0, ids, x)


@tilec.kernel
def extremes(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    most, where, logs = torch.empty_like(x), torch.empty(x.shape, dtype=torch.int64), torch.empty_like(x)
    for rows in hl.tile(x.size(0)):
        found = torch.cummax(x[rows, :], 1)
        most[rows, :], where[rows, :] = found.values, found.indices + 1 - 1
        logs[rows, :] = torch.logcumsumexp(x[rows, :], 1)
    return most, where, logs


def of_torch(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    most, where = torch.cummax(x, 1)
    return most, where, torch.logcumsumexp(x, 1)


@tilec.kernel
def least(x: torch.Tensor) -> Pair:
    """Of a vector, and along its columns where that is all there is."""
    found, where = torch.empty_like(x), torch.empty(x.shape, dtype=torch.int32)
    for t in hl.tile(x.size(0), block_size=512):
        found[t], where[t] = torch.cummin(x[t], 0)
    return found, where


def of_torch_least(x: torch.Tensor) -> Pair:
    values, where = torch.cummin(x, 0)
    return values, where.int()


def larger(a: Pair, b: Pair) -> Pair:
    is_later = b[0] > a[0]
    return torch.where(is_later, b[0], a[0]), torch.where(is_later, b[1], a[1])


def later(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return torch.where(b != 0, b, a)


@tilec.kernel
def lasts(x: torch.Tensor, cu: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Of each row the largest and where; of each column of a segment the last that is not 0."""
    most, where = torch.empty(x.size(0)), torch.empty([x.size(0)], dtype=torch.int64)
    for rows in hl.tile(x.size(0)):
        places = torch.arange(x.size(1))[None, :].expand_as(x[rows, :])
        most[rows], where[rows] = hl.reduce(larger, (x[rows, :], places), 1)
    last = torch.zeros(cu.size(0) - 1, x.size(1))
    for s in hl.grid(cu.size(0) - 1):
        for t in hl.tile(cu[s], cu[s + 1], block_size=64):
            last[s, :] = hl.reduce(later, x[t, :], 0, keep_dims=True)[0, :]
    return most, where, last


def of_lasts(x: torch.Tensor, cu: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    last = torch.zeros(cu.size(0) - 1, x.size(1))
    for s in range(cu.size(0) - 1):
        for t in range(int(cu[s]), int(cu[s + 1])):
            last[s] = torch.where(x[t] != 0, x[t], last[s])
    found = x.max(1)
    return found.values, found.indices, last


def up_to_20(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return torch.clamp(a + b, max=20)


def truncated(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return (a.to(torch.int32) + b.to(torch.int32)).to(torch.float32)


def added(a: torch.Tensor, p: torch.Tensor, b: torch.Tensor, q: torch.Tensor, more: int = 0) -> Pair:
    return a + b + more, p | q


@tilec.kernel
def saturated(x: torch.Tensor, bytes_: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Functions that are sums of some numbers, and not of others; and sums of bytes, which wrap around."""
    out, sums = torch.empty_like(x), torch.empty(bytes_.shape, dtype=torch.int32)
    for rows in hl.tile(x.size(0)):
        sums_of_whole = hl.associative_scan(truncated, x[rows, :] + 0.5, 1)
        out[rows, :] = hl.associative_scan(up_to_20, x[rows, :], 1) + sums_of_whole
        sums[rows, :] = hl.cumsum(bytes_[rows, :], 1).to(torch.int32)
    return out, sums


def saturating(x: torch.Tensor, bytes_: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    first = torch.arange(x.size(1)) == 0
    out = x.cumsum(1).clamp(max=20) + x.cumsum(1) + torch.where(first, 0.5, 0.0)
    return out, bytes_.int().cumsum(1).int() % 256


DECAY, STEPS, OFFSETS = RECURRENCE.arguments()
HOLES = torch.randn(37, 200, generator=DRAW)
HOLES[3, 50], HOLES[4, 0], HOLES[5, :3] = torch.nan, -torch.inf, -torch.inf
IDS = torch.randint(0, 20, (300,), generator=DRAW).sort()[0]
CASES: dict[str, Case] = {
    "to_go": (to_go, stepped_back, (DECAY, STEPS, torch.tensor([0, 5, 5, 37, 100]))),
    "summed_anew": (summed_anew, sums_anew, (HOLES.nan_to_num(neginf=0), HOLES > 1)),
    "summed_anew bf16": (summed_anew, sums_anew, (HOLES.nan_to_num(neginf=0).bfloat16(), HOLES > 0)),
    "reduced": (reduced, sums_of_ids, (IDS, torch.randn(300, 70, generator=DRAW), torch.zeros(20, 70))),
    "extremes": (extremes, of_torch, (HOLES,)),
    "lasts": (lasts, of_lasts, ((STEPS * 2).round(), torch.tensor([0, 5, 40, 41, 100]))),
    "saturated": (saturated, saturating, (torch.ones(9, 40), torch.full((9, 40), 50, dtype=torch.uint8))),
    "least": (least, of_torch_least, (torch.randint(-9, 9, (333,), generator=DRAW).to(torch.int8),)),
}


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_torch_and_is_proven(name: str) -> None:
    verify(CASES[name], seeds=(0,))


@pytest.mark.parametrize("grouping", ["overlaunch", "stream"])
def test_sequences_have_states_however_they_are_gone_through(grouping: str) -> None:
    loop = "fori_loop" if grouping == "stream" else "grid"
    config = tilec.Config(grouping=grouping, loop=loop)
    check(tilec.kernel(config=config)(RECURRENCE.kernel.fn), RECURRENCE.reference, RECURRENCE.arguments)


def test_any_number_of_rows_is_scanned() -> None:
    kernel = tilec.kernel(static_shapes=False)(RECURRENCE.kernel.fn)
    check(kernel, RECURRENCE.reference, RECURRENCE.arguments)


def test_the_range_of_what_is_combined_is_not_that_of_the_lanes() -> None:
    @tilec.kernel
    def counted(x: torch.Tensor) -> torch.Tensor:
        out = torch.empty(x.shape, dtype=torch.int64)
        for rows in hl.tile(x.size(0)):
            ones = (x[rows, :] > 0).to(torch.int32)
            sums, _ = hl.associative_scan(added, (ones, ones), 1)
            out[rows, :] = sums.to(torch.int64) * 1_000_000_000
        return out

    with pytest.raises(TraceError, match="an int64 that may not fit 32 bits here"):
        counted(torch.ones(3, 4))
