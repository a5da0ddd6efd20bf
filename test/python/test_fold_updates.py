"""Single elements that are updated, and gathered, in rows: proofs against NumPy, exactly."""

from collections.abc import Sequence
from math import inf
from pathlib import Path

import jax
import ml_dtypes
import numpy as np
import numpy.typing as npt
import pytest
from programs import parse
from xdsl.dialects.builtin import TensorType, bf16, f32, i1, i8, i32

from tilec.analysis.narrow import is_finite, is_in_bf16, known_largest
from tilec.diagnostics import TileError
from tilec.dialects.interpreter import run
from tilec.dialects.tile.elementwise import CastOp, SelectOp
from tilec.dialects.tile.values import BroadcastOp, SplatOp
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.proof import CHIPS, emit, prove_compiles, prove_passes
from tilec.rewriting.one_hot import most_lanes, products_of
from tilec.rewriting.single_elements import comparisons, padded_extent, places_of
from tilec.runtime.estimate import estimate
from tilec.runtime.interpret import interpret
from tilec.runtime.load import load

Array = npt.NDArray[np.generic]
DTYPES = {
    "f32": np.float32,
    "bf16": ml_dtypes.bfloat16,
    "i32": np.int32,
    "i16": np.int16,
    "i8": np.int8,
}
EXAMPLES = Path(__file__).parents[2] / "examples"
COUNT = 300
FRAME = """
func.func @f(%x: memref<300x{dtype}>, %ids: memref<300xi32>, %flags: memref<300xi8>,
    %out: memref<{shape}x{dtype}>, %offsets: memref<4xi32>) -> memref<{kind}x{dtype}> {{
  {body}
  return %{result} : memref<{kind}x{dtype}>
}}"""
ADDED = """
  tile.grid %m = 0 to 300 by m {
    %p = tile.load %ids[%m]
    %v = tile.load %x[%m]
    tile.atomic_rmw add %v, %out[%p + 3] drop
  }"""
COUNTED = """
  tile.grid %m = 0 to 300 by m {
    %p = tile.load %ids[%m]
    %f = tile.load %flags[%m]
    %k = tile.cast %f to i1
    %v = tile.splat {one} : tensor<?x{dtype}, #tile.spans<m>>
    tile.atomic_rmw add %v, %out[%p + 3] mask %k drop
  }"""
SCATTERED = """
  tile.grid %m = 0 to 300 by m {
    %p = tile.load %ids[%m]
    %v = tile.load %x[%m]
    tile.scatter %v, %out[%p + 3] drop
  }"""
MASKED = SCATTERED.replace(
    "%v =", "%f = tile.load %flags[%m]\n    %k = tile.cast %f to i1\n    %v ="
).replace(" drop", " mask %k drop")
IN_GROUPS = """
  tile.grid %g = 0 to 3 {
    %b, %e = tile.segment %offsets[%g]
    tile.for %m = %b to %e by m {
      %p = tile.load %ids[%m]
      %v = tile.load %x[%m]
      tile.atomic_rmw add %v, %out[%g, %p + 3] drop
    }
  }"""
GATHERED = """
  tile.grid %m = 0 to 300 by m {
    %p = tile.load %ids[%m]
    %f = tile.load %flags[%m]
    %k = tile.cast %f to i1
    %v = tile.load %x[%m]
    %w = tile.gather %out[%p + 3] mask %k other %v
    tile.store %w, %x[%m]
  }"""
GATHERED_IN_GROUPS = """
  tile.grid %g = 0 to 3 {
    %b, %e = tile.segment %offsets[%g]
    tile.for %m = %b to %e by m {
      %p = tile.load %ids[%m]
      %w = tile.gather %out[%g, %p + 3]
      tile.store %w, %x[%m]
    }
  }"""
WAYS = [
    (ADDED, "f32", (256,), "grid", "auto"),
    (ADDED, "i32", (1000,), "fori_loop", "auto"),
    (ADDED, "bf16", (2048,), "emit_pipeline", "auto"),
    (ADDED, "i8", (256,), "unroll", "auto"),
    (ADDED, "i16", (40_960,), "grid", "inner"),
    (ADDED, "f32", (40_000,), "grid", "outer"),
    (COUNTED, "f32", (520,), "fori_loop", "auto"),
    (COUNTED, "i32", (256,), "grid", "auto"),
    (SCATTERED, "f32", (1000,), "grid", "auto"),
    (SCATTERED, "i8", (40_960,), "fori_loop", "outer"),
    (MASKED, "bf16", (384,), "emit_pipeline", "auto"),
    (MASKED, "i32", (40_960,), "grid", "inner"),
    (IN_GROUPS, "f32", (3, 256), "grid", "auto"),
    (IN_GROUPS, "i32", (3, 384), "fori_loop", "auto"),
    (GATHERED, "f32", (256,), "grid", "auto"),
    (GATHERED, "i32", (1000,), "emit_pipeline", "auto"),
    (GATHERED, "bf16", (4096,), "fori_loop", "auto"),
    (GATHERED, "i8", (32_008,), "grid", "auto"),
    (GATHERED, "f32", (32_008,), "unroll", "auto"),
    (GATHERED_IN_GROUPS, "f32", (3, 256), "fori_loop", "auto"),
    (GATHERED_IN_GROUPS, "i16", (3, 2048), "grid", "auto"),
]
PADDED = [
    (ADDED, "f32", (50_001,), "grid", "auto"),
    (COUNTED, "i32", (40_001,), "fori_loop", "auto"),
    (SCATTERED, "bf16", (50_257,), "grid", "inner"),
    (MASKED, "i8", (50_257,), "emit_pipeline", "auto"),
    (IN_GROUPS, "f32", (3, 257), "grid", "auto"),
    (GATHERED, "i32", (50_257,), "grid", "auto"),
    (GATHERED_IN_GROUPS, "i16", (3, 1001), "fori_loop", "auto"),
]
"""Arrays that a longer copy takes the place of."""


def program(body: str, dtype: str, shape: Sequence[int]) -> str:
    one, result = "1" if dtype.startswith("i") else "1.0", "x" if "gather" in body else "out"
    body = body.replace("{dtype}", dtype).replace("{one}", one)
    kind = "300" if result == "x" else "x".join(map(str, shape))
    return FRAME.format(dtype=dtype, shape="x".join(map(str, shape)), body=body, result=result, kind=kind)


def arguments(body: str, dtype: str, shape: Sequence[int]) -> list[Array]:
    """Numbers of which all sums are exact, and positions of which some are outside of the array."""
    rng, extent = np.random.default_rng(0), shape[-1]
    x = rng.integers(-8, 9, COUNT).astype(DTYPES[dtype])
    ids = rng.integers(-3, extent - 3, COUNT).astype(np.int32)
    if "scatter" in body:
        ids = rng.choice(max(extent, COUNT), COUNT, replace=False).astype(np.int32) - 3
    flags, out = rng.integers(0, 2, COUNT).astype(np.int8), rng.integers(-8, 9, shape).astype(DTYPES[dtype])
    if "drop" in body or "mask" in body:
        ids[5:10] = -4, extent - 3, 2**31 - 9, -(2**31), extent + 200
        flags[5:10] *= "drop" in body
    return [x, ids, flags, out, np.array([0, 130, 137, 300], np.int32)]


def expected(body: str, args: Sequence[Array]) -> Array:
    x, ids, flags, out, offsets = args
    places = ids.astype(np.int64) + 3
    live = (places >= 0) & (places < out.shape[-1]) & ((flags != 0) if "mask" in body else True)
    groups = np.searchsorted(offsets, np.arange(COUNT), side="right") - 1
    index = (groups[live], places[live]) if out.ndim == 2 else places[live]
    if "gather" in body:
        found = x.copy()
        found[live] = out[index]
        return found
    out, value = out.copy(), np.ones_like(x) if "{one}" in body else x
    if "scatter" in body:
        out[index] = value[live]
    else:
        np.add.at(out, index, value[live])
    return out


def prove(text: str, args: Sequence[Array], choices: TileToPallas, wanted: Array) -> None:
    """Passes, the reference and the kernel, which has a product, give what is wanted."""
    module = parse(text)
    (reference,) = run(module, "f", args)
    np.testing.assert_array_equal(reference.data.astype(np.float64), wanted.astype(np.float64))
    prove_passes(module, "f", args, choices.schedule(), seeds=(1,))
    kernel = emit(module, choices.passes())
    assert "dot_general" in kernel
    (found,) = interpret(load(kernel, "f").f, list(args), seed=1)
    np.testing.assert_array_equal(np.asarray(found).astype(np.float64), wanted.astype(np.float64))


@pytest.mark.parametrize(("body", "dtype", "shape", "loop", "order"), WAYS)
def test_proofs(body: str, dtype: str, shape: tuple[int, ...], loop: str, order: str) -> None:
    args = arguments(body, dtype, shape)
    choices = TileToPallas(loop=loop, blocks={"m": 64}, gathers=order)
    prove(program(body, dtype, shape), args, choices, expected(body, args))


@pytest.mark.parametrize(("body", "dtype", "shape", "loop", "order"), PADDED)
def test_proofs_of_copies(body: str, dtype: str, shape: tuple[int, ...], loop: str, order: str) -> None:
    args = arguments(body, dtype, shape)
    choices = TileToPallas(loop=loop, blocks={"m": 64}, gathers=order)
    assert "_padded" in emit(parse(program(body, dtype, shape)), choices.passes())
    prove(program(body, dtype, shape), args, choices, expected(body, args))


PER_CALL = "tilec.passes.pad_elements._PER_CALL"
"""What copies cost however short they are."""


def test_dropped_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two lanes that a scatter drops may have one position, which the copy has."""
    monkeypatch.setattr(PER_CALL, 0)
    args = arguments(SCATTERED, "f32", (1001,))
    args[1][10:200] = 1001 - 3
    choices = TileToPallas(blocks={"m": 64})
    prove(program(SCATTERED, "f32", (1001,)), args, choices, expected(SCATTERED, args))


VIEWED = """
func.func @f(%x: memref<2x1001xf32>, %ids: memref<300xi32>) -> memref<300xf32> {
  %table-2 = tile.empty : memref<2x1001xf32>
  %flat = tile.view %table-2 : memref<2x1001xf32> to memref<2002xf32>
  %out = tile.empty : memref<300xf32>
  tile.grid %g = 0 to 2, %n = 0 to 1001 by n {
    %a = tile.load %x[%g, %n]
    tile.store %a, %table-2[%g, %n]
  }
  tile.grid %m = 0 to 300 by m {
    %p = tile.load %ids[%m]
    %a = tile.gather %flat[%p]
    %b = tile.gather %table-2[1, %p]
    %c = arith.subf %b, %a : tensor<?xf32, #tile.spans<m>>
    tile.store %c, %out[%m]
  }
  return %out : memref<300xf32>
}"""


def test_array_and_view(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are copied, of an array that was not filled, and whose name is none of an axis."""
    monkeypatch.setattr(PER_CALL, 0)
    rng = np.random.default_rng(4)
    x = rng.integers(-8, 9, (2, 1001)).astype(np.float32)
    ids = rng.integers(0, 1001, COUNT).astype(np.int32)
    choices = TileToPallas(loop="emit_pipeline", blocks={"m": 64, "n": 1024})
    assert emit(parse(VIEWED), choices.passes()).count("_padded = ") > 1
    prove(VIEWED, [x, ids], choices, x[1][ids] - x[0][ids])


@pytest.mark.aot
@pytest.mark.parametrize("turn", range(len(WAYS + PADDED)))
def test_compiles(turn: int) -> None:
    body, dtype, shape, loop, order = [*WAYS, *PADDED][turn]
    choices = TileToPallas(loop=loop, blocks={"m": 64}, gathers=order, chip=CHIPS[turn % 3])
    kernel = emit(parse(program(body, dtype, shape)), choices.passes())
    prove_compiles(kernel, "f", arguments(body, dtype, shape), CHIPS[turn % 3 :][:1])


@pytest.mark.parametrize("body", [ADDED, GATHERED])
def test_not_finite(body: str) -> None:
    """Infinities and NaN reach the elements that name them and no others; floats have all their 24 bits."""
    rng = np.random.default_rng(1)
    args = arguments(body, "f32", (512,))
    args[1][:] = rng.permutation(512)[:COUNT] - 3
    for each in (args[0], args[3]):
        each[...] = rng.standard_normal(each.shape) * 10.0 ** rng.integers(-20, 20, each.shape)
        each[[0, 7, 9, 20]] = np.inf, -np.inf, np.nan, 3.3895e38
    if body == ADDED:
        args[3][:] = 0
    prove(program(body, "f32", (512,)), args, TileToPallas(blocks={"m": 64}), expected(body, args))


KEPT_BY_MASK = """
func.func @f(%x: memref<4x512xf32>, %ids: memref<300xi32>, %row: memref<1xi32>,
    %flags: memref<300xi8>, %v: memref<300xf32>) -> memref<4x512xf32> {
  tile.grid %m = 0 to 300 by m {
    %r = tile.load %row[0]
    %p = tile.load %ids[%m]
    %f = tile.load %flags[%m]
    %k = tile.cast %f to i1
    %w = tile.load %v[%m]
    {access}
  }
  return %x : memref<4x512xf32>
}"""


@pytest.mark.parametrize(
    "access",
    [
        "tile.atomic_rmw add %w, %x[%r, %p] mask %k",
        "tile.scatter %w, %x[%r, %p] mask %k",
        "%g = tile.gather %x[%r, %p] mask %k other %w\n    tile.store %g, %v[%m]",
    ],
)
def test_row_that_only_a_mask_keeps_inside(access: str) -> None:
    """Rows are accessed without a mask: it may be all that keeps %r inside of the array."""
    with pytest.raises(TileError, match=r"only the mask of tile\..* may keep dimension 0 inside %x"):
        emit(parse(KEPT_BY_MASK.replace("{access}", access)), TileToPallas(blocks={"m": 64}).passes())


ROW_FROM_AN_ARRAY = """
func.func @f(%x: memref<4x512xf32>, %ids: memref<300xi32>, %row: memref<1xi32>) -> memref<300xf32> {
  %out = tile.empty : memref<300xf32>
  tile.grid %m = 0 to 300 by m {
    %r = tile.load %row[0]
    %p = tile.load %ids[%m]
    %v = tile.gather %x[%r, %p]
    tile.store %v, %out[%m]
  }
  return %out : memref<300xf32>
}"""


def test_row_from_an_array() -> None:
    """The rows stay in a kernel of one cell, where the index map of their block reads %row."""
    rng = np.random.default_rng(3)
    x, ids = rng.standard_normal((4, 512)).astype(np.float32), rng.integers(0, 512, COUNT).astype(np.int32)
    choices = TileToPallas(loop="fori_loop", blocks={"m": 64})
    prove(ROW_FROM_AN_ARRAY, [x, ids, np.array([2], np.int32)], choices, x[2][ids])


def test_integers_wrap() -> None:
    args = arguments(ADDED, "i32", (512,))
    args[0][:] = np.random.default_rng(2).integers(-(2**31), 2**31, COUNT)
    args[1][:] = np.arange(COUNT) % 3
    prove(program(ADDED, "i32", (512,)), args, TileToPallas(blocks={"m": 64}), expected(ADDED, args))


@pytest.mark.aot
def test_a_million_elements() -> None:
    """What the README says of a histogram."""
    text = (EXAMPLES / "histogram.mlir").read_text().replace("1000", str(2**20))
    kernel = emit(parse(text), TileToPallas(blocks={"m": 2**15}, chip="v6e").passes())
    found = estimate(kernel, "histogram", [jax.ShapeDtypeStruct((2**20,), np.float32)], "v6e")
    assert 14e-6 < found.seconds < 18e-6


def test_narrow() -> None:
    """What is known of numbers: the largest integer, whether floats are those of bf16."""
    one, many = (SplatOp(number, TensorType(i32, [8])).result for number in (1, 1000))
    flags = SplatOp(1, TensorType(i1, [8])).result
    assert [known_largest(each) for each in (one, many)] == [1, 1000]
    assert known_largest(SplatOp(-1, TensorType(i32, [8])).result) is None
    assert known_largest(SelectOp(flags, one, many).result) == 1000
    assert known_largest(CastOp(flags, i8).result) == 1
    assert known_largest(CastOp(many, i8).result) is None
    assert known_largest(BroadcastOp(many, [0], TensorType(i32, [8, 8])).result) == 1000
    third, half = (SplatOp(number, TensorType(f32, [8])).result for number in (1 / 3, 0.5))
    assert [is_in_bf16(each) for each in (third, half)] == [False, True]
    assert not is_in_bf16(SelectOp(flags, third, half).result)
    assert is_finite(SelectOp(flags, third, half).result)
    assert not is_finite(SelectOp(flags, third, SplatOp(inf, TensorType(f32, [8])).result).result)
    assert is_in_bf16(CastOp(SplatOp(1 / 3, TensorType(bf16, [8])).result, f32).result)
    assert (products_of(one), products_of(many), products_of(third), products_of(half)) == (1, 2, 3, 1)
    assert (most_lanes(one), most_lanes(many)) == (2**24, 65_793)


@pytest.mark.parametrize(
    ("extent", "places"),
    [(256, 16), (512, 16), (1024, 32), (1000, 8), (2**20, 128), (1001, None), (24, None)],
)
def test_places(extent: int, places: int | None) -> None:
    assert places_of(extent) == places


@pytest.mark.parametrize(
    ("extent", "padded"), [(129, 256), (257, 384), (1000, 1024), (1024, 1024), (50_257, 51_200)]
)
def test_padded_extent(extent: int, padded: int) -> None:
    assert padded_extent(extent) == padded
    assert comparisons(padded) < comparisons(extent) or padded == extent
