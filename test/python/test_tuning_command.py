"""`tile-opt --tune`: what it takes arguments to be, and a small search with the real compiler."""

import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilec.parsing import LocatingParser, make_context
from tilec.tuning.command import program_with_rows
from tilec.tuning.structures import space_of

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def jagged(groups: int, limit: str = "") -> str:
    return f"""
func.func @copy(%x: memref<?x128xf32>, %o: memref<{groups + 1}xi32>) -> memref<?x128xf32> {{
  %out = tile.empty like(%x) : memref<?x128xf32>
  tile.grid %g = 0 to {groups} {{
    %b, %e = tile.segment %o[%g]
    tile.for %m = %b to %e by m {limit} {{
      %v = tile.load %x[%m, :]
      tile.store %v, %out[%m, :]
    }}
  }}
  return %out : memref<?x128xf32>
}}"""


@given(st.integers(1, 70), st.integers(1, 100_000), st.integers(1, 1000))
def test_segments_are_valid_and_uneven(groups: int, rows: int, most: int) -> None:
    text = jagged(groups, f"max {most}")
    module = LocatingParser(make_context(), text, "copy.mlir").parse_module()
    program = program_with_rows(module, rows)
    assert program.operands[0].shape == (rows, 128)
    offsets = program.operands[1].values
    assert offsets is not None
    assert len(offsets) == groups + 1
    assert offsets[0] == 0
    assert offsets[-1] <= rows
    lengths = [end - begin for begin, end in pairwise(offsets)]
    assert all(0 <= length <= most for length in lengths)


def test_all_rows_are_in_segments_where_nothing_limits_them() -> None:
    module = LocatingParser(make_context(), jagged(16), "copy.mlir").parse_module()
    program = program_with_rows(module, 4096)
    offsets = program.operands[1].values
    assert offsets is not None
    assert offsets[-1] == 4096
    lengths = {end - begin for begin, end in pairwise(offsets)}
    assert min(lengths) < 200 < 300 < max(lengths)
    assert program.operands[0].values is None
    assert space_of(program).axes[0].sizes[-1] == 512


@pytest.mark.aot
def test_a_small_search_with_the_real_compiler(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tilec.tools.tile_opt", "--tune=rows=1024 compiles=4"]
    path = EXAMPLES / "jagged_row_sum.mlir"
    environment = {"XDG_CACHE_HOME": str(tmp_path)}
    runs = [
        subprocess.run(
            [*command, str(path)], capture_output=True, text=True, check=True, env=os.environ | environment
        )
        for _ in range(2)
    ]
    assert re.fullmatch(r"m=\d+( \w+=\w+)*\n", runs[0].stdout)
    assert runs[1].stdout == runs[0].stdout
    assert "4 compiles in" in runs[0].stderr
    assert "as was found before" in runs[1].stderr
    options = f"--tile-to-pallas={runs[0].stdout.strip()}"
    subprocess.run(
        [*command[:3], options, "-t", "pallas", str(path)], capture_output=True, text=True, check=True
    )
