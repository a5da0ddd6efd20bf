"""Bytes of on-chip memory, with the padding of the tiled layout, and registers that a step needs."""

from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilec.analysis.registers import Pressure
from tilec.analysis.vmem import (
    Entry,
    Ledger,
    Space,
    amount,
    padded_bytes,
    registers,
    tile_rows,
)
from tilec.chips import CHIPS
from tilec.dialects.tile.schedule import PipelineOp
from tilec.parsing import LocatingParser, make_context


@pytest.mark.parametrize(
    ("shape", "width", "size"),
    [
        ((), 4, 512),
        ((8, 128), 4, 4096),
        ((1, 1), 4, 512),
        ((1, 200), 4, 1024),
        ((1, 200), 2, 1024),
        ((1, 200), 1, 1024),
        ((3, 128), 4, 2048),
        ((6, 128), 4, 4096),
        ((9, 129), 4, 4 * 4096),
        ((6, 72), 2, 2048),
        ((9, 128), 2, 4096),
        ((12, 128), 1, 2048),
        ((16, 128), 2, 4096),
        ((8, 128), 2, 2048),
        ((32, 128), 1, 4096),
        ((3, 8, 128), 4, 3 * 4096),
        ((128, 1), 4, 16 * 4096),
        ((128,), 4, 512),
        ((129,), 4, 1024),
        ((8, 128), 8, 8192),
    ],
)
def test_sizes(shape: tuple[int, ...], width: int, size: int) -> None:
    """Those of 1 to 4 bytes are what libtpu 0.0.51 allocates for windows of these shapes."""
    assert padded_bytes(shape, width) == size


@pytest.mark.parametrize(
    ("shape", "width", "size"),
    [
        ((6, 72), 4, 6 * 512),
        ((2, 9, 128), 4, 18 * 512),
        ((6, 200), 4, 16 * 512),
        ((6, 72), 2, 8 * 256),
    ],
)
def test_compact_sizes(shape: tuple[int, ...], width: int, size: int) -> None:
    """What libtpu 0.0.51 allocates for windows of an emit_pipeline."""
    assert padded_bytes(shape, width, compact=True) == size


SHAPES = st.lists(st.integers(1, 300), min_size=1, max_size=4)


@given(shape=SHAPES, width=st.sampled_from((1, 2, 4, 8)), compact=st.booleans())
def test_padding_only_adds(shape: list[int], width: int, compact: bool) -> None:
    size = padded_bytes(shape, width, compact=compact)
    assert size >= prod(shape) * width
    assert size % 512 == 0
    # It never takes more than a row of words for each element, and as much again for a tile.
    assert size < 2 * prod(shape) * 512 * max(1, width // 4)


@given(shape=SHAPES, width=st.sampled_from((1, 2, 4)), dim=st.integers(0, 3))
def test_a_larger_array_takes_no_less(shape: list[int], width: int, dim: int) -> None:
    larger = [extent + (i == dim % len(shape)) for i, extent in enumerate(shape)]
    assert padded_bytes(larger, width) >= padded_bytes(shape, width)
    assert registers(larger, width) >= registers(shape, width)


@given(rows=st.integers(1, 300), width=st.sampled_from((1, 2, 4)))
def test_tiles_of_rows(rows: int, width: int) -> None:
    tile = tile_rows(rows, width)
    assert tile in (1, 2, 4, 8)
    assert tile * width >= 4
    assert tile >= min(rows, 8)
    assert tile < 2 * max(rows, 4 // width)


def test_a_register_holds_packed_rows() -> None:
    assert registers((8, 128), 4) == registers((16, 128), 2) == registers((1, 1), 1) == 1
    assert registers((2, 17, 129), 2) == 2 * 2 * 2


def test_amounts() -> None:
    assert [amount(size) for size in (0, 1023, 1024, 2**20 - 1, 2**20)] == [
        "0 B",
        "1023 B",
        "1.0 KiB",
        "1024.0 KiB",
        "1.00 MiB",
    ]


def test_a_ledger_adds_by_memory_and_sorts() -> None:
    small = Entry("%s", "f:1:1", Space.VMEM, 1024)
    large = Entry("%l", "f:2:1", Space.VMEM, 2048, 1024)
    ledger = Ledger((small, large, Entry("%t", "f:3:1", Space.SMEM, 4), Entry("%n", "f:4:1", Space.VMEM, 0)))
    assert ledger.total(Space.VMEM) == 3072
    assert ledger.total(Space.SMEM) == 4
    assert ledger.total(Space.HBM) == 0
    assert ledger.largest(Space.VMEM) == [large, small]
    assert str(small) == "%s 1.0 KiB (f:1:1)"
    assert str(large) == "%l 2.0 KiB, 1.0 KiB of it padding (f:2:1)"


def spilled(body: str, chip: str, loop: str = "grid", **sizes: int) -> dict[str, int]:
    """Registers that do not fit, by value, of a step with `body` and windows %x, %h, %w, %v of 1024 rows."""
    text = f"""
    !tile = tensor<1024x256xf32, #tile.spans<m, _>>
    func.func @f(%xa: memref<4096x256xf32>, %ha: memref<4096x256xbf16>, %va: memref<4096x1024xbf16>,
                 %wa: memref<1024x512xbf16>) {{
      tile.pipeline {loop} {{
        %m = tile.axis 0 to 4096 by m:1024 parallel
        %x = tile.window read %xa[%m, :]
        %h = tile.window read %ha[%m, :]
        %v = tile.window read %va[%m, :]
        %w = tile.window read %wa[:, :]
        %a = tile.get %x
        {body}
      }}
      return
    }}"""
    module = LocatingParser(make_context(), text, "<test>").parse_module()
    (pipeline,) = (op for op in module.walk() if isinstance(op, PipelineOp))
    found = Pressure(pipeline, CHIPS[chip], sizes).spilled()
    return {op.results[0].name_hint or op.name: count for op, count in found}


SUM = "%s = tile.reduce add %e dims [1]\n %sw = tile.broadcast %s dims [0] : !tile"


def test_a_value_used_after_its_sum_is_held() -> None:
    assert spilled(f"%l = math.exp %a : !tile\n %e = math.exp %l : !tile\n {SUM}", "v5e") == {}
    held = f"""%t = tile.reduce max %a dims [1]
      %tw = tile.broadcast %t dims [0] : !tile
      %e = arith.subf %a, %tw : !tile
      {SUM}
      %p = arith.divf %e, %sw : !tile"""
    assert spilled(held, "v5e") == {"e": 256 - 48}
    assert spilled(held, "v4") == {"e": 256 - 10}
    assert spilled(held, "v5e", m=512) == {"e": 128 - 48}
    # Computed with, the sum is a column beside it: 128 registers of 8 rows each.
    column = held.replace(
        "%sw = tile.broadcast %s ",
        "%s2 = arith.addf %s, %s : tensor<1024xf32, #tile.spans<m>>\n %sw = tile.broadcast %s2 ",
    )
    # It goes to its block row by row, and half of the file is on its way.
    assert spilled(column, "v5e") == {"s2": 128 - 32 - 48, "e": 256}
    assert spilled(column, "v5e", m=256) == {"e": 64 - 48}
    assert spilled(column, "v4") == {"s2": 128 - 16 - 10, "e": 256}
    # It waits as a whole where a reduction comes before its last use.
    again = f"""{column}
      %q = tile.reduce add %p dims [1]
      %z = arith.addf %q, %s2 : tensor<1024xf32, #tile.spans<m>>"""
    assert spilled(again, "v5e") == {"s2": 128 - 48, "e": 256}


def test_what_is_in_memory_is_made_again() -> None:
    body = f"%e = arith.addf %a, %a : !tile\n {SUM}\n %p = arith.divf %e, %sw : !tile"
    assert spilled(body, "v5e") == {"e": 2 * 64 - 48}
    assert spilled(body, "v4") == {"e": 2 * 32 - 10}


def test_rows_of_a_product_are_held_where_they_are_wanted_again() -> None:
    body = "%l = tile.get %v\n %r = tile.get %w\n %d = tile.dot %l, %r"
    # 1024 x 1024 of 16 bits, and sums of 1024 rows as wide as a matrix unit.
    assert spilled(body, "v5e") == {"d": 512 + 128 - 48}
    assert spilled(body, "v6e") == {"d": 512 + 256 - 48}
    assert spilled(body, "tpu7x") == {"d": 512 - 48}
    assert spilled(body, "tpu7x", m=512) == {}


def test_a_sum_over_rows_adds_each_at_once() -> None:
    body = "%s = tile.reduce add %a dims [0]"
    assert spilled(body, "v4") == {"s": 16 - 10}
    assert spilled(body, "v5e") == {}
    # Less than half of the file.
    assert spilled(body, "v4", m=32) == {}


def masked_sum(rows: str) -> str:
    """A step that sums the live ones of `rows`, a value of `tensor<1024x256xf32>`."""
    return f"""%f = {rows}
      %zero = arith.constant 0.0 : f32
      %e = tile.fill %f outside %m with %zero
      %s = tile.reduce add %e dims [0]"""


@pytest.mark.parametrize(
    ("chip", "loop", "values"),
    [("v5e", "grid", 32), ("v5e", "fori_loop", 32), ("v4", "grid", 16 + 256 // 4), ("v4", "fori_loop", 16)],
)
def test_masked_words_are_loaded_when_their_mask_is_there(chip: str, loop: str, values: int) -> None:
    """128 registers of masks, and half of the file on its way to them."""
    free = 10 if chip == "v4" else 48
    assert spilled(masked_sum("tile.get %x"), chip, loop) == {"s": 128 + values - free}


@pytest.mark.parametrize(
    ("loop", "rows", "values", "quarter"),
    [
        ("grid", "tile.cast %b to f32", 128, 32),
        ("emit_pipeline", "tile.cast %b to f32", 128, 32),
        ("fori_loop", "tile.cast %b to f32", 128 + 96, 64),
        ("grid", "arith.mulf %a, %a : !tile", 128 + 96, 64),
    ],
)
def test_other_masked_rows_wait_for_their_masks(loop: str, rows: str, values: int, quarter: int) -> None:
    """Of 1024 rows in 128 registers of 16 bits and 256 of 32, or a quarter of them, and of their masks."""
    body = f"%b = tile.get %h\n {masked_sum(rows)}"
    assert spilled(body, "v5e", loop) == {"s": 128 + values - 48}
    assert spilled(body, "v5e", loop, m=256) == {"s": 32 + quarter - 48}


def test_what_is_summed_over_rows_is_transposed_first() -> None:
    body = "%l = tile.get %v\n %d = tile.dot %l, %l contract [0] x [0]"
    # 1024 x 1024 in 32 bits, and in 16.
    assert spilled(body, "v5e") == {"d": 1024 + 512 - 48}
    assert spilled(body, "v6e") == {}


def test_masks_of_rows_are_held_beside_a_product() -> None:
    body = """%l = tile.get %v
      %r = tile.get %w
      %d = tile.dot %l, %r
      %zero = arith.constant 0.0 : f32
      %f = tile.fill %d outside %m with %zero"""
    assert spilled(body, "v5e") == {"d": 512 + 128 + 128 - 48}


def test_columns_that_steps_carry_wait_for_each_other() -> None:
    row = "tensor<1024xf32, #tile.spans<m>>"
    body = f"""%n = arith.addf %t, %t : {row}
      %o = arith.mulf %n, %t : {row}
      %p = arith.addf %n, %o : {row}
      tile.set %p, %s"""
    assert spilled(f"%s = tile.scratch : {row}\n %t = tile.get %s\n {body}", "v5e") == {
        "n": 128 - 48,
        "o": 128,
    }
    lone = f"%s = tile.reduce add %a dims [1]\n {body.replace('%t', '%s').replace('tile.set %p, %s', '')}"
    assert spilled(lone, "v5e") == {}
