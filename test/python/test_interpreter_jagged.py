"""The reference interpreter: jagged tiles, compared with numpy lane by lane of their parent."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import parse

from tilec.dialects.interpreter import InterpreterError, run
from tilec.passes.choose_blocks import ChooseBlocks
from tilec.proof import prove_passes

Data = npt.NDArray[Any]

WIDTH = 3

HEAD = f"""
func.func @f(%flat: memref<?x{WIDTH}xf32>, %starts: memref<?xi32>, %lens: memref<?xi32>)
    -> memref<?x{WIDTH}xf32> {{
  %out = tile.empty like(%starts) : memref<?x{WIDTH}xf32>
  %c0 = arith.constant 0 : index
  %n = memref.dim %starts, %c0 : memref<?xi32>
  tile.grid %p = 0 to %n by p {{
    %s = tile.load %starts[%p]
    %l = tile.load %lens[%p]
    %zero = tile.splat 0.0 : tensor<?x{WIDTH}xf32, #tile.spans<p, _>>
"""
TAIL = f"""
  }}
  return %out : memref<?x{WIDTH}xf32>
}}"""
ROWS = """
      %i{0} = tile.indices %{0}
      %sw{0} = tile.broadcast %s dims [0] : tensor<?x?xi32, #tile.spans<p, {0}>>
      %iw{0} = tile.broadcast %i{0} dims [1] : tensor<?x?xi32, #tile.spans<p, {0}>>
      %pos{0} = arith.addi %sw{0}, %iw{0} : tensor<?x?xi32, #tile.spans<p, {0}>>
      %rows{0} = tile.gather %flat[%pos{0}, :]
"""

SUM = (
    HEAD
    + f"""
    %sum = tile.for %k = 0 to %l by k of p iter_args(%a = %zero) {{
      {ROWS.format("k")}
      %part = tile.reduce add %rowsk dims [1]
      %next = arith.addf %a, %part : tensor<?x{WIDTH}xf32, #tile.spans<p, _>>
      tile.yield %next
    }}
"""
)
STORE_SUM = "tile.store %sum, %out[%p, :]"
MEAN = f"""
    %one = tile.splat 1 : tensor<?xi32, #tile.spans<p>>
    %some = arith.maxsi %l, %one : tensor<?xi32, #tile.spans<p>>
    %by = tile.cast %some to f32
    %wide = tile.broadcast %by dims [0] : tensor<?x{WIDTH}xf32, #tile.spans<p, _>>
    %mean = arith.divf %sum, %wide : tensor<?x{WIDTH}xf32, #tile.spans<p, _>>
    tile.store %mean, %out[%p, :]
"""

# The largest of each lane, then the sum of what is left of them: of rows that are no more, exp(-inf) is 0.
SOFTMAX = (
    HEAD.replace("%out = tile.empty like(%starts)", "%out = tile.empty like(%flat)")
    + f"""
    %low = tile.splat -inf : tensor<?x{WIDTH}xf32, #tile.spans<p, _>>
    %most = tile.for %k = 0 to %l by k of p iter_args(%a = %low) {{
      {ROWS.format("k")}
      %part = tile.reduce max %rowsk dims [1]
      %next = arith.maximumf %a, %part : tensor<?x{WIDTH}xf32, #tile.spans<p, _>>
      tile.yield %next
    }}
    %sum = tile.for %j = 0 to %l by j of p iter_args(%a = %zero) {{
      {ROWS.format("j")}
      %mw = tile.broadcast %most dims [0, 2] : tensor<?x?x{WIDTH}xf32, #tile.spans<p, j, _>>
      %d = arith.subf %rowsj, %mw : tensor<?x?x{WIDTH}xf32, #tile.spans<p, j, _>>
      %x = math.exp %d : tensor<?x?x{WIDTH}xf32, #tile.spans<p, j, _>>
      %part = tile.reduce add %x dims [1]
      %next = arith.addf %a, %part : tensor<?x{WIDTH}xf32, #tile.spans<p, _>>
      tile.yield %next
    }}
    tile.for %q = 0 to %l by q of p {{
      {ROWS.format("q")}
      %mw = tile.broadcast %most dims [0, 2] : tensor<?x?x{WIDTH}xf32, #tile.spans<p, q, _>>
      %sw = tile.broadcast %sum dims [0, 2] : tensor<?x?x{WIDTH}xf32, #tile.spans<p, q, _>>
      %d = arith.subf %rowsq, %mw : tensor<?x?x{WIDTH}xf32, #tile.spans<p, q, _>>
      %x = math.exp %d : tensor<?x?x{WIDTH}xf32, #tile.spans<p, q, _>>
      %y = arith.divf %x, %sw : tensor<?x?x{WIDTH}xf32, #tile.spans<p, q, _>>
      tile.scatter %y, %out[%posq, :]
    }}
"""
)

LENGTHS = st.lists(st.integers(-2, 9), min_size=1, max_size=12)
BLOCKS = {"p": st.integers(1, 5), "k": st.integers(1, 10), "j": st.integers(1, 4), "q": st.integers(1, 12)}


def arguments(lengths: list[int], seed: int) -> tuple[list[Data], list[Data]]:
    """Rows, where each lane's begin and how many there are; and the rows of each lane."""
    rng = np.random.default_rng(seed)
    counts = np.maximum(np.asarray(lengths), 0)
    starts = np.cumsum(counts) - counts
    flat = rng.standard_normal((max(int(counts.sum()), 1), WIDTH)).astype(np.float32)
    # Where nothing is to be read the position may be anything.
    begins = np.where(counts > 0, starts, 10**6)
    rows = [flat[start : start + count] for start, count in zip(starts, counts, strict=True)]
    return [flat, begins.astype(np.int32), np.asarray(lengths, np.int32)], rows


def check(text: str, args: list[Data], expected: Data, seed: int, blocks: dict[str, int]) -> None:
    (result,) = run(parse(text), "f", args, seed=seed, blocks=blocks)
    assert result.defined[: len(expected)].all()
    np.testing.assert_allclose(result.data[: len(expected)], expected, rtol=1e-5, atol=1e-5)


@settings(max_examples=60, deadline=None)
@given(lengths=LENGTHS, blocks=st.fixed_dictionaries(BLOCKS), seed=st.integers(0, 99))
def test_jagged_sums(lengths: list[int], blocks: dict[str, int], seed: int) -> None:
    args, rows = arguments(lengths, seed)
    check(SUM + STORE_SUM + TAIL, args, np.stack([each.sum(0) for each in rows]), seed, blocks)


@settings(max_examples=30, deadline=None)
@given(lengths=LENGTHS, blocks=st.fixed_dictionaries(BLOCKS), seed=st.integers(0, 99))
def test_jagged_means(lengths: list[int], blocks: dict[str, int], seed: int) -> None:
    args, rows = arguments(lengths, seed)
    check(SUM + MEAN + TAIL, args, np.stack([each.sum(0) / max(len(each), 1) for each in rows]), seed, blocks)


@settings(max_examples=30, deadline=None)
@given(lengths=LENGTHS, blocks=st.fixed_dictionaries(BLOCKS), seed=st.integers(0, 99))
def test_jagged_softmax(lengths: list[int], blocks: dict[str, int], seed: int) -> None:
    args, rows = arguments(lengths, seed)
    shifted = [np.exp(each - each.max(0)) for each in rows if len(each)]
    expected = np.concatenate([each / each.sum(0) for each in shifted] or [np.zeros((0, WIDTH), np.float32)])
    check(SOFTMAX + TAIL.replace("starts", "flat"), args, expected, seed, blocks)


def test_blocks_are_chosen_for_jagged_axes() -> None:
    args, _ = arguments([3, 0, 7, 20, -1, 1], 5)
    passes = [ChooseBlocks({"p": 4, "k": 8})]
    prove_passes(parse(SUM + STORE_SUM + TAIL), "f", args, passes, seeds=(1, 2, 3))


NESTED = """
func.func @f(%x: memref<?x16x16xf32>, %rows: memref<?xi32>, %columns: memref<?xi32>, %w: memref<16xf32>)
    -> memref<?xf32> {
  %out = tile.empty like(%rows) : memref<?xf32>
  %c0 = arith.constant 0 : index
  %n = memref.dim %rows, %c0 : memref<?xi32>
  tile.grid %p = 0 to %n by p {
    %r = tile.load %rows[%p]
    %c = tile.load %columns[%p]
    %zero = tile.splat 0.0 : tensor<?xf32, #tile.spans<p>>
    %sum = tile.for %k = 0 to %r by k of p max 16 iter_args(%a = %zero) {
      %inner = tile.for %f = 0 to %c by f of p max 16 iter_args(%b = %a) {
        %v = tile.load %x[%p, %k, %f]
        %u = tile.load %w[%f]
        %uw = tile.broadcast %u dims [2] : tensor<?x?x?xf32, #tile.spans<p, k, f>>
        %y = arith.mulf %v, %uw : tensor<?x?x?xf32, #tile.spans<p, k, f>>
        %part = tile.reduce add %y dims [1, 2]
        %next = arith.addf %b, %part : tensor<?xf32, #tile.spans<p>>
        tile.yield %next
      }
      tile.yield %inner
    }
    tile.store %sum, %out[%p]
  }
  return %out : memref<?xf32>
}"""


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.lists(st.tuples(st.integers(0, 16), st.integers(0, 16)), min_size=1, max_size=7),
    blocks=st.fixed_dictionaries({"p": st.integers(1, 4), "k": st.integers(1, 20), "f": st.integers(1, 20)}),
    seed=st.integers(0, 99),
)
def test_two_extents_of_one_parent(sizes: list[tuple[int, int]], blocks: dict[str, int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((len(sizes), 16, 16)).astype(np.float32)
    w = rng.standard_normal(16).astype(np.float32)
    rows, columns = (np.asarray(each, np.int32) for each in zip(*sizes, strict=True))
    expected = np.asarray([(x[i, :r, :c] * w[:c]).sum() for i, (r, c) in enumerate(sizes)])
    check(NESTED, [x, rows, columns, w], expected, seed, blocks)


PAIRS = """
func.func @f(%x: memref<8x9xf32>, %lens: memref<8xi32>) -> memref<8x8xf32> {
  %out = tile.empty : memref<8x8xf32>
  tile.grid %p = 0 to 8 by p {
    %l = tile.load %lens[%p]
    tile.for %q = 0 to 8 by q parallel {
      %r = tile.load %lens[%q]
      %zero = tile.splat 0.0 : tensor<?x?xf32, #tile.spans<p, q>>
      %sum = tile.for %k = 0 to %l by k of p iter_args(%a = %zero) {
        %v = tile.load %x[%p, %k]
        %inner = tile.for %j = 0 to %r by j of q iter_args(%b = %a) {
          %w = tile.load %x[%q, %j]
          %vw = tile.broadcast %v dims [0, 2] : tensor<?x?x?x?xf32, #tile.spans<p, q, k, j>>
          %ww = tile.broadcast %w dims [1, 3] : tensor<?x?x?x?xf32, #tile.spans<p, q, k, j>>
          %y = arith.mulf %vw, %ww : tensor<?x?x?x?xf32, #tile.spans<p, q, k, j>>
          %part = tile.reduce add %y dims [2, 3]
          %next = arith.addf %b, %part : tensor<?x?xf32, #tile.spans<p, q>>
          tile.yield %next
        }
        tile.yield %inner
      }
      tile.store %sum, %out[%p, %q]
    }
  }
  return %out : memref<8x8xf32>
}"""


@settings(max_examples=25, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 9), min_size=8, max_size=8),
    blocks=st.fixed_dictionaries({name: st.integers(1, 10) for name in "pqkj"}),
    seed=st.integers(0, 99),
)
def test_extents_of_two_parents(lengths: list[int], blocks: dict[str, int], seed: int) -> None:
    x = np.random.default_rng(seed).standard_normal((8, 9)).astype(np.float32)
    sums = np.where(np.arange(9) < np.asarray(lengths)[:, None], x, 0).sum(1)
    check(PAIRS, [x, np.asarray(lengths, np.int32)], np.outer(sums, sums), seed, blocks)


MIXING = """
func.func @f(%x: memref<6x16xf32>, %lens: memref<6xi32>, %w: memref<16x4xf32>, %u: memref<6x4xf32>)
    -> (memref<6x4xf32>, memref<16x4xf32>, memref<16xf32>,
        memref<6x16xf32>, memref<6x16xf32>, memref<16xi32>) {
  %products = tile.full 0.0 : memref<6x4xf32>
  %across = tile.full 0.0 : memref<16x4xf32>
  %totals = tile.full 0.0 : memref<16xf32>
  %running = tile.full -1.0 : memref<6x16xf32>
  %down = tile.full -1.0 : memref<6x16xf32>
  %counts = tile.full 0 : memref<16xi32>
  tile.grid %p = 0 to 6 by p:8 {
    %l = tile.load %lens[%p]
    %r = tile.load %u[%p, :]
    tile.for %k = 0 to %l by k:16 of p {
      %v = tile.load %x[%p, %k]
      %m = tile.load %w[%k, :]
      %a = tile.dot %v, %m
      tile.store %a, %products[%p, :]
      %b = tile.dot %v, %r contract [0] x [0]
      tile.store %b, %across[%k, :]
      %c = tile.reduce add %v dims [0]
      tile.store %c, %totals[%k]
      %d = tile.scan add %v dim 1
      tile.store %d, %running[%p, %k]
      %e = tile.scan add %v dim 0
      tile.store %e, %down[%p, %k]
      %i = tile.indices %k
      %ids = tile.broadcast %i dims [1] : tensor<8x16xi32, #tile.spans<p, k>>
      %one = tile.splat 1 : tensor<8x16xi32, #tile.spans<p, k>>
      tile.atomic_rmw add %one, %counts[%ids]
    }
  }
  return %products, %across, %totals, %running, %down, %counts
    : memref<6x4xf32>, memref<16x4xf32>, memref<16xf32>, memref<6x16xf32>, memref<6x16xf32>, memref<16xi32>
}"""


def test_dead_lanes_are_the_identity_wherever_lanes_mix() -> None:
    rng = np.random.default_rng(7)
    lens = np.asarray([3, 0, 11, 5, -4, 1], np.int32)
    live = np.arange(16) < lens[:, None]
    x = rng.standard_normal((6, 16)).astype(np.float32)
    w, u = (rng.standard_normal(shape).astype(np.float32) for shape in ((16, 4), (6, 4)))
    kept, longest = np.where(live, x, 0), int(lens.max())
    x[~live] = np.nan
    w[longest:] = np.nan
    results = [each.data for each in run(parse(MIXING), "f", [x, lens, w, u], seed=3)]
    expected = [
        kept[:, :longest] @ w[:longest],
        kept.T @ u,
        kept.sum(0),
        np.where(live, np.cumsum(kept, 1), -1),
        np.where(live, np.cumsum(kept, 0), -1),
        live.sum(0),
    ]
    for result, wanted in zip(results, expected, strict=True):
        np.testing.assert_allclose(result, wanted, rtol=1e-5, atol=1e-5)


LANES = """
func.func @f(%lens: memref<4xi32>, %x: memref<4x8xf32>) -> memref<4x8xf32> {{
  %out = tile.full 0.0 : memref<4x8xf32>
  tile.grid %p = 0 to 4 by p:4 {{
    %l = tile.load %lens[%p]
    {lens}
    tile.for %k = 0 to %l{end} by k:8 of p{most} {{
      %v = tile.load %x[%p, %k]
      {body}
    }}
  }}
  return %out : memref<4x8xf32>
}}"""


def refuse(lengths: list[int], *, lens: str = "", end: str = "", most: str = "") -> str:
    text = LANES.format(lens=lens, end=end, most=most, body="")
    with pytest.raises(InterpreterError) as caught:
        run(parse(text), "f", [np.asarray(lengths, np.int32), np.ones((4, 8), np.float32)])
    return caught.value.message


DIVIDED = """%z = tile.splat 0 : tensor<4xi32, #tile.spans<p>>
    %l2 = arith.divsi %l, %z : tensor<4xi32, #tile.spans<p>>"""


def test_what_a_jagged_tile_promises() -> None:
    over = refuse([1, 5, 9, 0], most=" max 8")
    assert over == "axis k has an extent of 9 in a lane of p; max 8 is promised"
    # The lane whose extent is too large, and not one whose is less.
    assert refuse([1, 5, 9, 0]).startswith("tile.load touches index 8 of dimension 1 of %x")
    undefined = refuse([1, 5, 2, 0], lens=DIVIDED, end="2")
    assert undefined == "axis k needs the extent of lane 0 of p, which is undefined"


def test_stores_write_live_lanes_only() -> None:
    body = """%r = tile.broadcast %l dims [0] : tensor<4x8xi32, #tile.spans<p, k>>
      %f = tile.cast %r to f32
      %s = arith.addf %v, %f : tensor<4x8xf32, #tile.spans<p, k>>
      tile.store %s, %out[%p, %k]"""
    text = LANES.format(lens="", end="", most="", body=body)
    lens = np.asarray([1, 5, 2, 0], np.int32)
    (result,) = run(parse(text), "f", [lens, np.ones((4, 8), np.float32)])
    live = np.arange(8) < lens[:, None]
    assert (result.data == np.where(live, 1 + lens[:, None], 0)).all()


STEPS = """
func.func @f(%x: memref<7x16xf32>, %lens: memref<7xi32>, %others: memref<7xi32>)
    -> (memref<7xf32>, memref<7xf32>, memref<7xf32>, memref<4xf32>, memref<1xf32>) {
  %out = tile.full 0.0 : memref<7xf32>
  %last = tile.full -1.0 : memref<7xf32>
  %counts = tile.full 0.0 : memref<7xf32>
  %classes = tile.full 0.0 : memref<4xf32>
  %total = tile.full 0.0 : memref<1xf32>
  %yes = arith.constant true
  tile.grid %p = 0 to 7 by p {
    %l = tile.load %lens[%p]
    %o = tile.load %others[%p]
    %i = tile.indices %p
    %four = tile.splat 4 : tensor<?xi32, #tile.spans<p>>
    %class = arith.remsi %i, %four : tensor<?xi32, #tile.spans<p>>
    %zero = tile.splat 0.0 : tensor<?xf32, #tile.spans<p>>
    %one = tile.splat 1.0 : tensor<?xf32, #tile.spans<p>>
    %half = tile.splat 0.5 : tensor<?xf32, #tile.spans<p>>
    %sum = tile.for %k = 0 to %l by k:4 of p iter_args(%a = %zero) {
      %v = tile.load %x[%p, %k]
      %s = tile.reduce add %v dims [1]
      tile.store %s, %last[%p]
      tile.atomic_rmw add %one, %counts[%p]
      tile.atomic_rmw add %one, %classes[%class]
      %lanes = tile.reduce add %one dims [0]
      tile.atomic_rmw add %lanes, %total[0]
      %b = tile.for %j = 0 to %o by j:4 of p iter_args(%c = %a) {
        %w = tile.load %x[%p, %j]
        %t = tile.reduce add %w dims [1]
        %d = scf.if %yes -> (tensor<?xf32, #tile.spans<p>>) {
          %e = arith.mulf %c, %half : tensor<?xf32, #tile.spans<p>>
          scf.yield %e : tensor<?xf32, #tile.spans<p>>
        } else {
          scf.yield %c : tensor<?xf32, #tile.spans<p>>
        }
        %g = arith.addf %d, %t : tensor<?xf32, #tile.spans<p>>
        tile.yield %g
      }
      %h = arith.mulf %b, %half : tensor<?xf32, #tile.spans<p>>
      %next = arith.addf %h, %s : tensor<?xf32, #tile.spans<p>>
      tile.yield %next
    }
    tile.store %sum, %out[%p]
  }
  return %out, %last, %counts, %classes, %total
    : memref<7xf32>, memref<7xf32>, memref<7xf32>, memref<4xf32>, memref<1xf32>
}"""


def lane_by_lane(x: Data, lens: Data, others: Data) -> list[Data]:
    """What STEPS computes, each lane alone."""
    out, last, counts = np.zeros(7), np.full(7, -1.0), np.zeros(7)
    for p in range(7):
        for k in range(0, int(lens[p]), 4):
            last[p] = x[p, k : min(k + 4, lens[p])].sum()
            counts[p] += 1
            carried = out[p]
            for j in range(0, int(others[p]), 4):
                carried = carried * 0.5 + x[p, j : min(j + 4, others[p])].sum()
            out[p] = carried * 0.5 + last[p]
    classes = np.asarray([counts[i::4].sum() for i in range(4)])
    return [out, last, counts, classes, np.asarray([counts.sum()])]


@settings(max_examples=40, deadline=None)
@given(
    lengths=st.lists(st.tuples(st.integers(-1, 16), st.integers(-1, 16)), min_size=7, max_size=7),
    lanes=st.integers(1, 8),
    seed=st.integers(0, 99),
)
def test_a_lane_that_has_ended_does_nothing(lengths: list[tuple[int, int]], lanes: int, seed: int) -> None:
    """It keeps what it carries, whatever a step would make of it, and writes nothing."""
    x = np.random.default_rng(seed).standard_normal((7, 16)).astype(np.float32)
    lens, others = (np.asarray(each, np.int32) for each in zip(*lengths, strict=True))
    results = run(parse(STEPS), "f", [x, lens, others], seed=seed, blocks={"p": lanes})
    for result, wanted in zip(results, lane_by_lane(x, lens, others), strict=True):
        np.testing.assert_allclose(result.data, wanted, rtol=1e-5, atol=1e-5)
