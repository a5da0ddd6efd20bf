"""The reference interpreter on whole kernels: program and schedule, and random arguments for them."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xdsl.dialects.builtin import ModuleOp

from tilec.diagnostics import verify
from tilec.dialects.interpreter import InterpreterError, functions, random_args, run
from tilec.parsing import LocatingParser, make_context, parse_file

Data = npt.NDArray[Any]

PROGRAM = Path(__file__).resolve().parents[2] / "examples" / "grouped_matmul.mlir"

SCHEDULE = """
func.func @grouped_matmul(%x: memref<?x512xbf16>, %w: memref<8x512x256xbf16>, %offsets: memref<9xi32>)
    -> memref<?x256xbf16> {
  %out = tile.empty like(%x) : memref<?x256xbf16>
  tile.pipeline grid vmem 123 on v5e {
    %g = tile.axis 0 to 8 ordered
    %begin, %end = tile.segment %offsets[%g]
    %m = tile.axis %begin to %end by m:128 max 1024 ordered aligned keep
    %k = tile.axis 0 to 512 by k:256 ordered
    %xw = tile.window read %x[%m, %k]
    %ww = tile.window read %w[%g, %k, :] buffers 2
    %ow = tile.window write %out[%m, :] preload
    %acc = tile.scratch : tensor<128x256xf32, #tile.spans<m, _>>
    %first = tile.first %k
    scf.if %first {
      %zero = tile.splat 0.0 : tensor<128x256xf32, #tile.spans<m, _>>
      tile.set %zero, %acc
    }
    %lhs = tile.get %xw
    %rhs = tile.get %ww
    %a = tile.get %acc
    %c0 = arith.constant 0.0 : bf16
    %l2 = tile.fill %lhs outside %k with %c0
    %r2 = tile.fill %rhs outside %k with %c0
    %sum = tile.dot %l2, %r2, %a
    tile.set %sum, %acc
    %last = tile.last %k
    scf.if %last {
      %v = tile.get %acc
      %vb = tile.cast %v to bf16
      %old = tile.get %ow raw
      %new = tile.fill %vb outside %m with %old
      tile.set %new, %ow
    }
  }
  return %out : memref<?x256xbf16>
}"""


def parse(text: str) -> ModuleOp:
    module = LocatingParser(make_context(), text, "f.mlir").parse_module()
    verify(module)
    return module


@pytest.fixture(scope="module")
def program() -> ModuleOp:
    module = parse_file(str(PROGRAM), make_context())
    verify(module)
    return module


@pytest.fixture(scope="module")
def schedule() -> ModuleOp:
    return parse(SCHEDULE)


def arguments(offsets: list[int], rows: int) -> list[Data]:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((rows, 512)).astype(ml_dtypes.bfloat16)
    w = rng.standard_normal((8, 512, 256)).astype(ml_dtypes.bfloat16)
    return [x, w, np.array(offsets, np.int32)]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("offsets", "rows"),
    [
        ([0, 3, 3, 130, 131, 131, 200, 290, 300], 300),
        ([0, 0, 0, 0, 0, 0, 0, 0, 0], 1),
        ([2, 2, 2, 128, 256, 256, 384, 384, 384], 400),
    ],
)
def test_grouped_matmul(
    program: ModuleOp, schedule: ModuleOp, offsets: list[int], rows: int, seed: int
) -> None:
    args = arguments(offsets, rows)
    x, w = (arg.astype(np.float64) for arg in args[:2])
    for module in (program, schedule):
        (out,) = run(module, "grouped_matmul", args, seed=seed, blocks={"m": 32 + seed, "k": 128})
        inside = (np.arange(rows) >= offsets[0]) & (np.arange(rows) < offsets[-1])
        np.testing.assert_array_equal(out.defined, np.broadcast_to(inside[:, None], out.defined.shape))
        for group, (begin, end) in enumerate(pairwise(offsets)):
            got = out.data[begin:end].astype(np.float64)
            np.testing.assert_allclose(got, x[begin:end] @ w[group], rtol=2**-8, atol=1e-4)


def test_a_schedule_without_its_mask_differs(schedule: ModuleOp) -> None:
    # Groups share tiles of rows: what a step puts into lanes that are not its own, another has written.
    args = arguments([0, 3, 3, 130, 131, 131, 200, 290, 300], 300)
    (right,) = run(schedule, "grouped_matmul", args)
    (wrong,) = run(parse(SCHEDULE.replace("with %old", "with %c0")), "grouped_matmul", args)
    assert (wrong.data[131:] == right.data[131:]).any()
    assert (wrong.data[:3] == 0).all()


def test_a_schedule_that_forgets_to_clear_its_scratch_is_refused() -> None:
    args = arguments([0, 3, 3, 130, 131, 131, 200, 290, 300], 300)
    text = SCHEDULE.replace("%first = tile.first %k", "%first = arith.constant false")
    module = parse(text.replace("tile.set %new, %ow", "tile.store %vb, %out[%m, :]"))
    with pytest.raises(
        InterpreterError, match=r"error: tile.store stores an undefined lane into element \[0, 0\] of %out"
    ):
        run(module, "grouped_matmul", args)


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_softmax_of_segments(data: st.DataObject) -> None:
    """Online softmax, the hard case of masks: a maximum, an exponential and a sum over jagged rows."""
    cuts = sorted(data.draw(st.lists(st.integers(0, 23), min_size=2, max_size=2)))
    offsets = np.array([0, *cuts, 23], np.int32)
    seed = data.draw(st.integers(0, 1000))
    x = np.random.default_rng(seed).standard_normal((23, 5)).astype(np.float32)
    (y,) = run(
        parse(SOFTMAX), "softmax", [x, offsets], seed=seed, blocks={"m": data.draw(st.integers(1, 30))}
    )
    assert y.defined.all()
    for begin, end in pairwise(offsets):
        scores = np.exp(x[begin:end] - x[begin:end].max(0, initial=-np.inf))
        np.testing.assert_allclose(y.data[begin:end], scores / scores.sum(0), rtol=1e-5)


SOFTMAX = """
func.func @softmax(%x: memref<?x5xf32>, %o: memref<4xi32>) -> memref<?x5xf32> {
  %y = tile.empty like(%x) : memref<?x5xf32>
  tile.grid %g = 0 to 3 {
    %b, %e = tile.segment %o[%g]
    %low = tile.splat -inf : tensor<5xf32>
    %zero = tile.splat 0.0 : tensor<5xf32>
    %top, %sum = tile.for %m = %b to %e by m iter_args(%t = %low, %s = %zero) {
      %v = tile.load %x[%m, :]
      %r = tile.reduce max %v dims [0]
      %u = arith.maximumf %t, %r : tensor<5xf32>
      %ub = tile.broadcast %u dims [1] : tensor<?x5xf32, #tile.spans<m, _>>
      %d = arith.subf %v, %ub : tensor<?x5xf32, #tile.spans<m, _>>
      %p = math.exp %d : tensor<?x5xf32, #tile.spans<m, _>>
      %q = tile.reduce add %p dims [0]
      %c = arith.subf %t, %u : tensor<5xf32>
      %f = math.exp %c : tensor<5xf32>
      %h = arith.mulf %s, %f : tensor<5xf32>
      %n = arith.addf %h, %q : tensor<5xf32>
      tile.yield %u, %n
    }
    tile.for %m = %b to %e by m {
      %v = tile.load %x[%m, :]
      %tb = tile.broadcast %top dims [1] : tensor<?x5xf32, #tile.spans<m, _>>
      %sb = tile.broadcast %sum dims [1] : tensor<?x5xf32, #tile.spans<m, _>>
      %d = arith.subf %v, %tb : tensor<?x5xf32, #tile.spans<m, _>>
      %p = math.exp %d : tensor<?x5xf32, #tile.spans<m, _>>
      %r = arith.divf %p, %sb : tensor<?x5xf32, #tile.spans<m, _>>
      tile.store %r, %y[%m, :]
    }
  }
  return %y : memref<?x5xf32>
}"""


def test_random_arguments_fit_and_repeat(program: ModuleOp) -> None:
    (function,) = functions(program)
    shares: set[bool] = set()
    for seed in range(20):
        args = random_args(function, seed)
        x, _, offsets = args
        assert (offsets[0], offsets[-1], offsets.dtype) == (0, len(x), np.int32)
        assert (np.diff(offsets) >= 0).all()
        shares.add(bool((np.diff(offsets) == 0).any()))
        for again, arg in zip(random_args(function, seed), args, strict=True):
            np.testing.assert_array_equal(again, arg)
    assert True in shares
    x, _, offsets = random_args(function, 0, extent=17)
    assert (len(x), offsets[-1]) == (17, 17)


GAPS = """
func.func @gaps(%x: memref<?x4xf32>, %z: memref<40xf32>, %b: memref<?xi64>, %e: memref<?xi64>,
                %p: memref<?xi1>, %n: index) -> memref<40xf32> {
  %zero = arith.constant 0 : index
  %count = memref.dim %b, %zero : memref<?xi64>
  tile.grid %g = 0 to %count {
    %begin, %end = tile.segment %b[%g] to %e[%g]
    tile.for %m = %begin to %end by m max 6 {
      %v = tile.load %x[%m, 0]
      tile.store %v, %z[%m]
    }
  }
  return %z : memref<40xf32>
}"""


def test_random_begins_and_ends() -> None:
    module = parse(GAPS)
    (function,) = functions(module)
    for seed in range(30):
        args = random_args(function, seed)
        x, _, begins, ends, mask, rows = args
        assert len(begins) == len(ends)
        assert int(rows) == len(x) == len(mask)
        assert mask.dtype == np.bool_
        assert (ends - begins <= 6).all()
        assert (ends[-1:] <= min(40, len(x))).all()
        run(module, "gaps", args, seed=seed)


def test_a_wrong_segment_list_is_named(program: ModuleOp) -> None:
    args = arguments([0, 3, 3, 130, 131, 131, 200, 290, 301], 300)
    message = r"grouped_matmul.mlir:10:9: error: tile.load touches index 300 of dimension 0 of %x"
    with pytest.raises(InterpreterError, match=message):
        run(program, "grouped_matmul", args)
