"""Windows over positions in a segment, `%x[%m - begin]`: an aligned tile may begin before its segment, and so
before the array."""

from pathlib import Path

import numpy as np
import pytest
import torch
from programs import parse

import tilec
import tilec.language as hl
from tilec.diagnostics import TileError
from tilec.dialects.interpreter import functions, random_args, run
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.proof import Array, emit, prove_compiles, prove_kernel, prove_passes
from tilec.runtime.load import load

OFFSETS = np.array([0, 0, 13, 14, 14, 45], np.int32)
WAYS = [
    TileToPallas("worklist", "grid"),
    TileToPallas("worklist", "emit_pipeline"),
    TileToPallas("overlaunch", "grid"),
    TileToPallas("stream", "fori_loop"),
]
# Of each: x, y and out, and how they are indexed. The n of `m + n` is minus the begin of the segment.
PLACES = {
    "rows": ("45x256", "%m, :", "64x256", "%m + %n, :", "45x256", "%m, :"),
    "padded": ("45x256", "%m, :", "5x31x256", "%g, %m + %n, :", "45x256", "%m, :"),
    "lanes": ("8x45", ":, %m", "8x64", ":, %m + %n", "8x45", ":, %m"),
    "vector": ("45", "%m", "5x64", "%g, %m + %n", "45", "%m"),
    "leading": ("45x8x128", "%m, :, :", "64x8x128", "%m + %n, :, :", "45x8x128", "%m, :, :"),
    "to_padded": ("45x256", "%m, :", "45x256", "%m, :", "5x64x256", "%g, %m + %n, :"),
    "to_padded_vector": ("45", "%m", "45", "%m", "5x64", "%g, %m + %n"),
}


def program(name: str, dtype: str) -> str:
    """out[…] = x[…] + y[…], where one of y and out is indexed by positions in the segment."""
    x, x_at, y, y_at, out, out_at = PLACES[name]
    dims = [
        (extent, "m") if at == "%m" else (extent, "_") for extent, at in zip(x.split("x"), x_at.split(", "))
    ]
    tile = "x".join("?" if span == "m" else extent for extent, span in dims)
    spans = ", ".join(span for _, span in dims)
    return f"""
func.func @f(%x: memref<{x}x{dtype}>, %y: memref<{y}x{dtype}>, %o: memref<6xi32>, %out: memref<{out}x{dtype}>)
    -> memref<{out}x{dtype}> {{
  tile.grid %g = 0 to 5 {{
    %b, %e = tile.segment %o[%g]
    %zero = arith.constant 0 : index
    %n = arith.subi %zero, %b : index
    tile.for %m = %b to %e by m {{
      %v = tile.load %x[{x_at}]
      %w = tile.load %y[{y_at}]
      %sum = arith.addf %v, %w : tensor<{tile}x{dtype}, #tile.spans<{spans}>>
      tile.store %sum, %out[{out_at}]
    }}
  }}
  return %out : memref<{out}x{dtype}>
}}"""


def cases() -> list[tuple[str, str, TileToPallas]]:
    """Each program in two ways; an aligned tile has no place in a leading dimension."""
    made = [(name, dtype) for name in PLACES for dtype in ("f32", "bf16")]
    ways = [WAYS[number % len(WAYS)] for number in range(len(made))]
    return [(*case, WAYS[3] if case[0] == "leading" else way) for case, way in zip(made, ways, strict=True)]


@pytest.mark.parametrize(("name", "dtype", "way"), cases())
def test_positions(name: str, dtype: str, way: TileToPallas) -> None:
    module = parse(program(name, dtype))
    block = 128 if PLACES[name][1].endswith("%m") else 16
    args = [OFFSETS if each.shape == (6,) else each for each in random_args(functions(module)[0], 1)]
    choice = TileToPallas(way.grouping, way.loop, blocks={"m": block})
    prove_passes(module, "f", args, choice.passes(), seeds=(0,))
    prove_kernel(emit(module, [choice]), "f", args, run(module, "f", args), seeds=(0,))


@pytest.mark.aot
def test_positions_compile() -> None:
    module = parse(program("rows", "bf16"))
    text = emit(module, [TileToPallas(blocks={"m": 16})])
    prove_compiles(text, "f", random_args(functions(module)[0]), ("v5e", "v6e", "tpu7x"))


@pytest.mark.quick
def test_a_segment_longer_than_what_it_indexes_is_refused() -> None:
    kernel = load(emit(parse(program("padded", "f32")), [TileToPallas(blocks={"m": 16})]), "f")
    x, y = np.zeros((45, 256), np.float32), np.zeros((5, 31, 256), np.float32)
    with pytest.raises(ValueError, match="segment 4 has length 45; 31 is promised or has room"):
        kernel.f(x, y, np.array([0, 0, 0, 0, 0, 45], np.int32), x)


WINDOWS = Path(__file__).parent / "data" / "segment_windows"
BEYOND = np.array([0, 0, 13, 14, 14, 64], np.int32)
ONCE = np.array([1, 1, 1, 1, 0], np.int32)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{way.grouping}_{way.loop}")
@pytest.mark.parametrize(
    ("name", "integers"),
    [
        ("masked_beside", [BEYOND]),  # a mask keeps a segment inside an array that is shorter
        ("skipped_loop", [OFFSETS, ONCE]),  # of the long segment no positions are read
        ("skipped_inner_loop", [OFFSETS, ONCE]),
        ("shifted_store", [np.array([0, 5, 15], np.int32)]),  # of rows that are copied one by one
    ],
)
def test_windows_that_bound_no_segment(name: str, integers: list[Array], way: TileToPallas) -> None:
    module, left = parse((WINDOWS / f"{name}.mlir").read_text()), iter(integers)
    args = [next(left) if each.dtype == np.int32 else each for each in random_args(functions(module)[0])]
    choice = TileToPallas(way.grouping, way.loop, blocks={"m": 16})
    if name == "skipped_loop" and way.grouping != "stream":
        with pytest.raises(TileError, match="no bound on the steps"):
            emit(module, [choice])
        return
    prove_passes(module, "f", args, choice.passes(), seeds=(0,))
    prove_kernel(emit(module, [choice]), "f", args, run(module, "f", args), seeds=(0,))
    called = load(emit(module, [choice]), "f")
    with pytest.raises(ValueError, match="Only interpret mode is supported on CPU"):  # the checks let it pass
        called.f(*args)


@pytest.mark.quick
def test_a_mask_bounds_no_steps() -> None:
    """Of the segment that ends at 64 the mask keeps 20 rows, and the others count as ones."""
    module = parse((WINDOWS / "masked.mlir").read_text())
    with pytest.raises(TileError, match="no bound on the steps of axis m is known; give it `max N`"):
        emit(module, [TileToPallas("worklist", blocks={"m": 16})])
    args = [BEYOND if each.dtype == np.int32 else each for each in random_args(functions(module)[0])]
    stream = TileToPallas("stream", "fori_loop", blocks={"m": 16})
    prove_kernel(emit(module, [stream]), "f", args, run(module, "f", args), seeds=(0,))


@tilec.kernel
def changes(x: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    """From each row of a segment to the next."""
    out = torch.empty_like(x)
    for g in hl.grid(offsets.size(0) - 1):
        begin = offsets[g]
        for rows in hl.tile(begin, offsets[g + 1]):
            later = (rows.index > begin)[:, None]
            out[rows, :] = x[rows, :] - hl.load(x, [rows.index - 1, slice(None)], extra_mask=later)
    return out


@pytest.mark.aot
def test_a_default_leaves_the_compiler_room_on_the_chip() -> None:
    """Both arrays whole are 128 MiB by the ledger, all of v5e's, and the model holds that for best."""
    x = torch.empty(16384, 2048, dtype=torch.bfloat16, device="meta")
    offsets = torch.arange(0, 16385, 2048)
    changes.bind(x, offsets).aot("v5e")
