"""Prints what the ways to go through segments cost: the sum of the rows of each, 256 columns of f32.

    python benchmarks/jagged.py
    python benchmarks/jagged.py tpu7x

Times are estimates of `tilec.analysis.cost`, in microseconds. A `?` says that control flow was guessed: of
products whether a tile has an infinity or a NaN, for which the estimate takes the longer way. Bytes that are
read from HBM are exact; their ratio is to those of the array. Tiles have 256 rows.
"""

import sys
from dataclasses import dataclass

import jax
import numpy as np
from rich.console import Console
from rich.table import Table
from steps import distributions

from tilec.emit.module import print_module
from tilec.parsing import LocatingParser, make_context
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.runtime.estimate import estimate

COLUMNS = 256
WAYS = {
    "list, grid": TileToPallas("worklist", blocks={"m": 256}),
    "list, fori_loop": TileToPallas("worklist", "fori_loop", blocks={"m": 256}),
    "list, clean tiles apart": TileToPallas("worklist", blocks={"m": 256}, clean="peel"),
    "stream": TileToPallas("stream", "fori_loop", blocks={"m": 256}),
    "products, 128 segments": TileToPallas("one_hot", blocks={"m": 256, "g": 128}),
}


@dataclass(frozen=True)
class Cost:
    """What one call takes: microseconds, and bytes read from HBM over those of the rows."""

    microseconds: float
    ratio: float
    trusted: bool

    def __str__(self) -> str:
        return f"{self.microseconds:.0f}{'' if self.trusted else '?'} ({self.ratio:.2f})"


def program(groups: int, rows: int) -> str:
    """The sum of the rows of each group."""
    return f"""
func.func @sums(%x: memref<{rows}x{COLUMNS}xf32>, %o: memref<{groups + 1}xi32>)
    -> memref<{groups}x{COLUMNS}xf32> {{
  %out = tile.empty : memref<{groups}x{COLUMNS}xf32>
  tile.grid %g = 0 to {groups} {{
    %b, %e = tile.segment %o[%g]
    %zero = tile.splat 0.0 : tensor<{COLUMNS}xf32>
    %sum = tile.for %m = %b to %e by m iter_args(%a = %zero) {{
      %v = tile.load %x[%m, :]
      %s = tile.reduce add %v dims [0]
      %next = arith.addf %a, %s : tensor<{COLUMNS}xf32>
      tile.yield %next
    }}
    tile.store %sum, %out[%g, :]
  }}
  return %out : memref<{groups}x{COLUMNS}xf32>
}}"""


def cost(way: TileToPallas, lengths: np.ndarray, chip: str) -> Cost:
    """What one way costs for segments of these lengths."""
    offsets = np.concatenate([[0], np.cumsum(lengths.astype(int))]).astype(np.int32)
    rows = int(offsets[-1])
    module = LocatingParser(make_context(), program(len(lengths), rows), "sums.mlir").parse_module()
    way.apply(make_context(), module)
    array = jax.ShapeDtypeStruct((rows, COLUMNS), np.float32)
    found = estimate(print_module(module), "sums", [array, offsets], chip)
    read = sum(each.bytes_read for each in found.operations)
    return Cost(found.seconds * 1e6, read / (rows * COLUMNS * 4), found.trusted)


def main() -> int:
    chip = sys.argv[1] if len(sys.argv) > 1 else "v5e"
    table = Table("lengths", *WAYS, title=f"{chip}: microseconds (bytes read, over the fewest)")
    for name, lengths in distributions().items():
        table.add_row(name, *(str(cost(way, lengths, chip)) for way in WAYS.values()))
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
