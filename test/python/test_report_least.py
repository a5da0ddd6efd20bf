"""The least that programs need, against counts by hand and against all elements that accesses reach."""

from collections.abc import Sequence
from itertools import product
from math import prod
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from xdsl.ir import SSAValue

from tilec.chips import CHIPS
from tilec.parsing import make_context
from tilec.passes.choose_blocks import ChooseBlocks
from tilec.proof import read_program
from tilec.report.least import Least, least, volume
from tilec.report.scalars import Integers, NotKnown

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
OFFSETS = np.array([0, 100, 100, 164, 300, 300, 301, 400, 512], np.int32)
LENGTHS = np.diff(OFFSETS)


def needed(program: str | Path, arguments: Sequence[tuple[int, ...] | Integers], **blocks: int) -> Least:
    """What a program needs for arguments, shapes or arrays of integers."""
    module, function = read_program(program)
    ChooseBlocks(blocks).apply(make_context(), module)
    values = function.body.block.args
    shapes: dict[SSAValue, tuple[int, ...]] = {
        value: each.shape if isinstance(each, np.ndarray) else each
        for value, each in zip(values, arguments, strict=True)
    }
    contents: dict[SSAValue, Integers] = {
        value: each for value, each in zip(values, arguments, strict=True) if isinstance(each, np.ndarray)
    }
    return least(function, shapes, contents)


def test_of_a_product() -> None:
    found = needed(EXAMPLES / "matmul.mlir", [(300, 200), (200, 260)], m=128, n=128, k=64)
    flops = 2 * 300 * 200 * 260
    assert found == Least(flops, flops, 2 * (300 * 200 + 200 * 260), 2 * 300 * 260, 3 * 3 * 4)


def test_products_of_int8_are_as_fast_as_the_chip_makes_them() -> None:
    _, function = read_program(
        """
        func.func @f(%x: memref<64x128xi8>, %w: memref<128x256xi8>) -> memref<64x256xi32> {
          %out = tile.empty : memref<64x256xi32>
          tile.grid %m = 0 to 64 by m:32 {
            %v = tile.load %x[%m, :]
            %u = tile.load %w[:, :]
            %s = tile.dot %v, %u
            tile.store %s, %out[%m, :]
          }
          return %out : memref<64x256xi32>
        }"""
    )
    x, w = function.body.block.args
    ratios = {name: chip.bf16_tflop_per_s / chip.int8_top_per_s for name, chip in CHIPS.items()}
    assert ratios == {"v4": 1, "v5e": 0.5, "v5p": 0.5, "v6e": 0.5, "tpu7x": 1}
    flops = 2 * 64 * 128 * 256
    for ratio in (0.5, 1.0):
        found = least(function, {x: (64, 128), w: (128, 256)}, {}, ratio)
        assert (found.flops, found.passes) == (flops, flops * ratio)


@pytest.mark.parametrize(
    ("ids", "rows"), [(np.zeros(64, np.int32), 1), (np.arange(64, dtype=np.int32) // 4, 16)]
)
@pytest.mark.parametrize("shift", ["", " + 1"])
def test_rows_that_a_gather_names_often_are_needed_once(ids: Integers, rows: int, shift: str) -> None:
    found = needed(
        f"""
        func.func @f(%x: memref<40x128xf32>, %ids: memref<64xi32>) -> memref<64x128xf32> {{
          %out = tile.empty : memref<64x128xf32>
          tile.grid %r = 0 to 64 by r:32 {{
            tile.for %c = 0 to 128 by c:128 {{
              %at = tile.load %ids[%r]
              %v = tile.gather %x[%at{shift}, %c]
              tile.store %v, %out[%r, %c]
            }}
          }}
          return %out : memref<64x128xf32>
        }}""",
        [(40, 128), ids],
    )
    assert found.bytes_read == 4 * (rows * 128 + 64)


def test_of_products_of_groups() -> None:
    shapes = [(512, 512), (8, 512, 256), OFFSETS]
    found = needed(EXAMPLES / "grouped_matmul.mlir", shapes, m=64, k=256)
    flops = 2 * 512 * 512 * 256
    assert found.flops == flops
    assert found.steps == 2 * sum(-(-LENGTHS // 64))
    matrices = 512 * 256 * int(np.count_nonzero(LENGTHS))  # those of empty groups are not read
    assert found.bytes_read == 2 * (512 * 512 + matrices) + 4 * 9
    assert found.bytes_written == 2 * 512 * 256


def test_products_of_tiles_with_themselves_are_of_their_lanes() -> None:
    """Scores of the rows of a tile with each other are no scores of all rows."""
    _, function = read_program(
        """
        func.func @f(%x: memref<150x128xf32>) -> memref<150x128xf32> {
          %out = tile.empty : memref<150x128xf32>
          tile.grid %m = 0 to 150 by m:64 {
            %v = tile.load %x[%m, :]
            %turned = tile.transpose %v [1, 0]
            %scores = tile.dot %v, %turned
            %sum = tile.dot %scores, %v
            tile.store %sum, %out[%m, :]
          }
          return %out : memref<150x128xf32>
        }"""
    )
    (x,) = function.body.block.args
    assert least(function, {x: (150, 128)}, {}).flops == 2 * 2 * 128 * (2 * 64 * 64 + 22 * 22)


def test_an_index_from_literals_is_known() -> None:
    """The last row of each group is read, and no other."""
    _, function = read_program(
        """
        func.func @f(%x: memref<512x128xf32>, %ends: memref<4xi32>) -> memref<4x128xf32> {
          %out = tile.empty : memref<4x128xf32>
          tile.grid %g = 0 to 4 {
            %end = tile.load %ends[%g]
            %one = tile.splat 1 : i32
            %last = arith.subi %end, %one : i32
            %zero = tile.splat 0 : i32
            %row = arith.maxsi %last, %zero : i32
            %place = arith.index_cast %row : i32 to index
            %v = tile.load %x[%place, :]
            tile.store %v, %out[%g, :]
          }
          return %out : memref<4x128xf32>
        }"""
    )
    x, ends = function.body.block.args
    found = least(function, {x: (512, 128), ends: (4,)}, {ends: np.array([0, 7, 30, 500])})
    assert found.bytes_read == 4 * (4 * 128 + 4)


def test_rows_in_no_segment_are_not_counted() -> None:
    offsets = np.where(OFFSETS > 400, 400, OFFSETS)
    found = needed(EXAMPLES / "grouped_matmul.mlir", [(512, 512), (8, 512, 256), offsets], m=64, k=256)
    assert found.flops == 2 * 400 * 512 * 256
    assert found.bytes_written == 2 * 400 * 256


def test_of_attention_over_segments_of_queries_and_of_keys() -> None:
    keys = np.array([0, 0, 90, 154, 200, 300, 400, 500, 512], np.int32)
    rows = [(512, 128)] * 3
    found = needed(EXAMPLES / "jagged_flash_attention.mlir", [*rows, OFFSETS, keys], m=128, n=64)
    assert found.flops == 4 * 128 * int(LENGTHS @ np.diff(keys))
    assert found.steps == int(-(-LENGTHS // 128) @ -(-np.diff(keys) // 64))


def causal(size: int) -> str:
    return f"""
func.func @causal(%q: memref<{size}x64xf32>, %k: memref<{size}x64xf32>) -> memref<{size}xf32> {{
  %out = tile.empty : memref<{size}xf32>
  tile.grid %m = 0 to {size} by m {{
    %rows = tile.load %q[%m, :]
    %end = tile.bound end %m
    %zero = tile.splat 0.0 : tensor<?xf32, #tile.spans<m>>
    %sums = tile.for %n = 0 to %end by n iter_args(%a = %zero) {{
      %keys = tile.load %k[%n, :]
      %scores = tile.dot %rows, %keys contract [1] x [1] precision highest
      %sum = tile.reduce add %scores dims [1]
      %next = arith.addf %a, %sum : tensor<?xf32, #tile.spans<m>>
      tile.yield %next
    }}
    tile.store %sums, %out[%m]
  }}
  return %out : memref<{size}xf32>
}}"""


def test_ranges_that_end_with_a_tile_are_gone_through() -> None:
    found = needed(causal(100), [(100, 64)] * 2, m=32, n=16)
    rows, ends = [32, 32, 32, 4], [32, 64, 96, 100]
    assert found.flops == 2 * 64 * sum(a * b for a, b in zip(rows, ends, strict=True))
    assert found.passes == 6 * found.flops
    assert found.steps == 2 + 4 + 6 + 7
    assert found.bytes_read == 2 * 4 * 64 * 100


PAGES = """
func.func @pages(%table: memref<6xi32>, %x: memref<16x8x32xf32>) -> memref<6x8x32xf32> {
  %out = tile.full 0.0 : memref<6x8x32xf32>
  tile.grid %g = 0 to 4 {
    %page = tile.load %table[%g]
    %place = arith.index_cast %page : i32 to index
    %v = tile.load %x[%place, :, :]
    tile.store %v, %out[%g, :, :]
  }
  return %out : memref<6x8x32xf32>
}"""


def test_places_that_are_loaded_are_followed() -> None:
    table = np.array([3, 9, 3, 5, 11, 12], np.int32)
    found = needed(PAGES, [table, (16, 8, 32)])
    assert found.bytes_read == 4 * 4 + 3 * 8 * 32 * 4
    assert found.bytes_written == 6 * 8 * 32 * 4  # the zeros too
    assert found.steps == 4


def test_what_hangs_on_computed_values_is_not_known() -> None:
    with pytest.raises(NotKnown, match="the content of %offsets is"):
        needed(EXAMPLES / "grouped_matmul.mlir", [(512, 512), (8, 512, 256), (9,)])


boxes = st.lists(
    st.tuples(*[st.tuples(st.integers(0, 6), st.integers(1, 4))] * 2), min_size=1, max_size=6
).map(lambda found: {tuple((low, low + size) for low, size in box) for box in found})


@given(boxes)
def test_a_volume_is_that_of_the_union_or_more(found: set[tuple[tuple[int, int], ...]]) -> None:
    elements = [set(product(*(range(*side) for side in box))) for box in found]
    union, apart = len(set[tuple[int, ...]]().union(*elements)), sum(map(len, elements))
    assert union <= volume(found) <= apart
    if union == apart or len({box[0] for box in found}) == 1:
        assert volume(found) == union
    along = [len({place for box in found for place in range(*box[i])}) for i in (0, 1)]
    assert volume(found) <= prod(along)
