"""Updates of rows at computed positions, row by row within a step: all proofs, and when they are chosen."""

import numpy as np
import numpy.typing as npt
import pytest
from programs import every, parse

from corpus.corpus import DTYPES
from tilec.dialects.interpreter import run
from tilec.dialects.tile import AtomicRmwOp
from tilec.parsing import make_context
from tilec.passes.choose_blocks import ChooseBlocks
from tilec.passes.expand_gathers import ExpandGathers
from tilec.passes.tile_to_pallas import LOOPS, TileToPallas
from tilec.proof import CHIPS, emit, prove_compiles, prove_passes
from tilec.runtime.interpret import interpret
from tilec.runtime.load import load

UPDATED = """
func.func @updated(%x: memref<{m}x200x{element}>, %ids: memref<{m}xi32>, %out: memref<{rows}x200x{element}>)
    -> memref<{rows}x200x{element}> {{
  tile.grid %m = 0 to {m} by m {{
    %id = tile.load %ids[%m]
    %v = tile.load %x[%m, :]
    tile.atomic_rmw {kind} %v, %out[%id, :]
  }}
  return %out : memref<{rows}x200x{element}>
}}
"""
BY_SEGMENTS = """
func.func @updated(%x: memref<?x256xf32>, %ids: memref<?xi32>, %offsets: memref<5xi32>)
    -> memref<40x256xf32> {
  %out = tile.full 0.0 : memref<40x256xf32>
  tile.grid %g = 0 to 4 {
    %begin, %end = tile.segment %offsets[%g]
    tile.for %m = %begin to %end by m {
      %id = tile.load %ids[%m]
      %v = tile.load %x[%m, :]
      %twice = arith.addf %v, %v : tensor<?x256xf32, #tile.spans<m, _>>
      tile.atomic_rmw add %twice, %out[%id, :]
    }
  }
  return %out : memref<40x256xf32>
}
"""
KINDS = {"add": np.add, "max": np.maximum, "min": np.minimum, "and": np.bitwise_and, "xor": np.bitwise_xor}


def hostile(count: int, below: int) -> npt.NDArray[np.int32]:
    """Positions of which many follow each other once, twice, four times and alternately."""
    ids = np.random.default_rng(0).integers(0, below, count).astype(np.int32)
    ids[:16] = [0, 0, 1, 1, 2, 1, 2, 1, 3, 3, 3, 3, 0, 2, 2, 0]
    ids[-9:] = below - 1
    return ids


@pytest.mark.aot
@pytest.mark.parametrize(
    ("kind", "dtype", "m", "loop"),
    [
        ("add", "f32", 8, "grid"),
        ("add", "bf16", 32, "emit_pipeline"),
        ("max", "f32", 16, "fori_loop"),
        ("min", "bf16", 16, "grid"),
        ("add", "i32", 24, "grid"),
        ("xor", "i32", 16, "emit_pipeline"),
    ],
)
def test_updates(kind: str, dtype: str, m: int, loop: str) -> None:
    """Sums of many rows in one, exactly; a last tile that ends between groups; rows that none updates."""
    text = UPDATED.format(m=77, rows=40, kind=kind, element=dtype)
    draw = np.random.default_rng(1)
    x, out = (draw.integers(-8, 8, (rows, 200)).astype(DTYPES[dtype]) for rows in (77, 40))
    ids = hostile(77, 37)
    args, expected = [x, ids, out], out.astype(np.int64)
    KINDS[kind].at(expected, ids, x.astype(np.int64))
    module, way = parse(text), TileToPallas(loop=loop, blocks={"m": m}, gathers="rows")
    (result,) = run(module, "updated", args)
    np.testing.assert_array_equal(result.data.astype(np.int64), expected)
    prove_passes(module, "updated", args, way.passes(), seeds=(1,))
    code = emit(module, [way])
    (got,) = interpret(load(code, "updated").updated, args, seed=1)
    np.testing.assert_array_equal(np.asarray(got).astype(np.int64), expected)
    prove_compiles(code, "updated", args, (CHIPS[LOOPS.index(loop) % 3],))


@pytest.mark.parametrize("count", [77, 20])
def test_tiles_of_columns(count: int) -> None:
    """Where a tile has all columns, of rows that fill no tiles of memory; in several steps and in one."""
    text = UPDATED.format(m=count, rows=37, kind="add", element="f32")
    text = text.replace("by m {", "by m, %c = 0 to 200 by c {").replace(", :]", ", %c]")
    draw = np.random.default_rng(1)
    x, out = (draw.integers(-8, 8, (rows, 200)).astype(np.float32) for rows in (count, 37))
    ids, expected = hostile(count, 37), out.copy()
    np.add.at(expected, ids, x)
    way = TileToPallas(blocks={"m": 24, "c": 256}, gathers="rows")
    (got,) = interpret(load(emit(parse(text), [way]), "updated").updated, [x, ids, out], seed=1)
    np.testing.assert_array_equal(np.asarray(got), expected)


@pytest.mark.parametrize("grouping", ["worklist", "stream"])
def test_rows_of_segments(grouping: str) -> None:
    """Tiles that begin and end between groups, rows that are computed, an empty segment."""
    x = np.random.default_rng(1).integers(-8, 8, (70, 256)).astype(np.float32)
    ids, offsets = hostile(70, 40), np.array([0, 19, 19, 20, 70], np.int32)
    args, expected = [x, ids, offsets], np.zeros((40, 256), np.float32)
    np.add.at(expected, ids, 2 * x)
    loop = "fori_loop" if grouping == "stream" else "grid"
    module = parse(BY_SEGMENTS)
    way = TileToPallas(grouping=grouping, loop=loop, blocks={"m": 32}, gathers="rows")
    prove_passes(module, "updated", args, way.passes(), seeds=(1,))
    (got,) = interpret(load(emit(module, [way]), "updated").updated, args, seed=1)
    np.testing.assert_array_equal(np.asarray(got), expected)


@pytest.mark.parametrize(
    ("rows", "chip", "chosen"),
    [(100, "v5e", False), (6000, "v5e", True), (1500, "v5e", True), (1500, "v6e", False)],
)
def test_choice(rows: int, chip: str, chosen: bool) -> None:
    """Row by row where products with all rows of the array would take longer, as on small matrix units."""
    module = parse(UPDATED.format(m=128, rows=rows, kind="add", element="f32"))
    for each in (ChooseBlocks({"m": 32}), ExpandGathers(chip=chip)):
        each.apply(make_context(), module)
    assert [op.rows is not None for op in every(module, AtomicRmwOp)] == [chosen]
