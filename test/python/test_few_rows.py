"""Arrays of so few rows that narrow elements lie in other tiles of memory, such as those of one token, and
choices that are made in another way on a TPU."""

from itertools import product

import pytest

from tilec.proof import CHIPS, prove

COPIED = """
func.func @f(%x: memref<{rows}x{columns}x{dtype}>) -> memref<{rows}x1024x{dtype}> {{
  %out = tile.full {one} : memref<{rows}x1024x{dtype}>
  tile.grid %m = 0 to {rows} by m, %n = 0 to {columns} by n {{
    %v = tile.load %x[%m, %n]
    tile.store %v, %out[%m, %n]
  }}
  return %out : memref<{rows}x1024x{dtype}>
}}"""
MULTIPLIED = """
func.func @f(%x: memref<2x{rows}x{columns}x{dtype}>, %w: memref<2x{columns}x70x{dtype}>)
    -> memref<2x{rows}x70xf32> {{
  %out = tile.empty : memref<2x{rows}x70xf32>
  tile.grid %b = 0 to 2, %m = 0 to {rows} by m {{
    %zero = tile.splat 0.0 : tensor<?x70xf32, #tile.spans<m, _>>
    %sum = tile.for %k = 0 to {columns} by k iter_args(%a = %zero) {{
      %l = tile.load %x[%b, %m, %k]
      %r = tile.load %w[%b, %k, :]
      %next = tile.dot %l, %r, %a
      tile.yield %next
    }}
    tile.store %sum, %out[%b, %m, :]
  }}
  return %out : memref<2x{rows}x70xf32>
}}"""
FRAME = """
func.func @f(%x: memref<{rows}x{columns}x{dtype}>) -> memref<{rows}x{columns}x{dtype}> {{
  %out = tile.empty : memref<{rows}x{columns}x{dtype}>
  tile.grid %m = 0 to {rows} by m, %n = 0 to {columns} by n {{
    %v = tile.load %x[%m, %n]
    %one = tile.splat {one} : tensor<?x?x{dtype}, #tile.spans<m, n>>
{body}
    tile.store %w, %out[%m, %n]
  }}
  return %out : memref<{rows}x{columns}x{dtype}>
}}"""
CHOSEN = FRAME.replace(
    "{body}",
    """\
    %i = tile.indices %n
    %third = tile.splat 3 : tensor<?xi32, #tile.spans<n>>
    %rest = arith.remsi %i, %third : tensor<?xi32, #tile.spans<n>>
    %none = tile.splat 0 : tensor<?xi32, #tile.spans<n>>
    %some = tile.compare gt %rest, %none
    %mask = tile.broadcast %some dims [1] : tensor<?x?xi1, #tile.spans<m, n>>
    %w = tile.select %mask, %v, %one""",
)
MASKS = FRAME.replace(
    "{body}",
    """\
    %square = arith.{multiplied} %v, %v : tensor<?x?x{dtype}, #tile.spans<m, n>>
    %more = tile.compare gt %v, %one
    %most = tile.compare gt %square, %one
    %less = tile.compare lt %square, %one
    %either = tile.select %more, %most, %less
    %w = tile.select %either, %one, %v""",
)
LEAST = FRAME.replace(
    "{body}",
    """\
    %less = tile.compare lt %v, %one
    %w = tile.select %less, %v, %one""",
)
WAYS = [
    *product([COPIED, CHOSEN], ["bf16", "i8", "i16"], [1, 2, 4], [1001]),
    *product([COPIED, CHOSEN, MULTIPLIED], ["bf16"], [1, 3, 5], [100]),
    *product([LEAST], ["i16"], [2, 16], [100]),
    *product([MASKS], ["f32", "bf16", "i32"], [2, 16], [100]),
]


@pytest.mark.aot
@pytest.mark.parametrize("turn", range(len(WAYS)))
def test_choices(turn: int) -> None:
    """All three proofs, each way for one chip."""
    program, dtype, rows, columns = WAYS[turn]
    one = "1" if dtype.startswith("i") else "1.0"
    multiplied = "muli" if one == "1" else "mulf"
    text = program.format(rows=rows, columns=columns, dtype=dtype, one=one, multiplied=multiplied)
    blocks = {"m": 32, "n": 1024 if columns > 1000 else 128, "k": 128}
    prove(
        text,
        blocks={name: size for name, size in blocks.items() if f"by {name}" in text},
        chips=[CHIPS[turn % 3]],
    )
