"""Bad input ends in one clear line and exit status 1, or in one exception of a known kind."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tilec.__main__ import show
from tilec.diagnostics import TileError
from tilec.dialects.interpreter import InterpreterError, run
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.proof import emit, read_program
from tilec.runtime.interpret import interpret
from tilec.runtime.load import load

ROWS = """
func.func @rows(%x: memref<?x128xf32>, %offsets: memref<3xKIND>) -> memref<?x128xf32> {
  %out = tile.empty like(%x) : memref<?x128xf32>
  tile.grid %g = 0 to 2 {
    %begin, %end = tile.segment %offsets[%g]
    tile.for %m = %begin to %end by m max 16 {
      %v = tile.load %x[%m, :]
      tile.store %v, %out[%m, :]
    }
  }
  return %out : memref<?x128xf32>
}
"""
FIXED = """
func.func @fixed(%x: memref<?x128xf32>) -> memref<?x128xf32> {
  %out = tile.empty like(%x) : memref<?x128xf32>
  tile.grid %m = 0 to 20 by m {
    %v = tile.load %x[%m, :]
    tile.store %v, %out[%m, :]
  }
  return %out : memref<?x128xf32>
}
"""
SEGMENTS = {
    "backwards": [0, 9, 5],
    "past_the_array": [0, 9, 25],
    "negative": [-1, 9, 20],
    "longer_than_promised": [0, 17, 20],
}


def rows_of(kind: str = "i32") -> str:
    return ROWS.replace("KIND", kind)


def kernel(text: str, name: str, grouping: str, loop: str) -> Callable[..., Any]:
    module, _ = read_program(text)
    return getattr(load(emit(module, [TileToPallas(grouping, loop, blocks={"m": 8})]), name), name)


def x_of(rows: int) -> np.ndarray[Any, np.dtype[Any]]:
    return np.ones((rows, 128), np.float32)


@pytest.mark.parametrize("offsets", SEGMENTS.values(), ids=SEGMENTS)
def test_bad_segments_in_the_interpreter(offsets: list[int]) -> None:
    module, _ = read_program(rows_of())
    with pytest.raises(InterpreterError, match=r"^<text>:\d+:\d+: error: ") as error:
        run(module, "rows", [x_of(20), np.array(offsets, np.int32)])
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("grouping", ["worklist", "overlaunch"])
@pytest.mark.parametrize("offsets", SEGMENTS.values(), ids=SEGMENTS)
def test_bad_segments_in_an_emitted_module(offsets: list[int], grouping: str) -> None:
    with pytest.raises(ValueError, match=r"segment \d") as error:
        kernel(rows_of(), "rows", grouping, "grid")(x_of(20), np.array(offsets, np.int32))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("offsets", SEGMENTS.values(), ids=SEGMENTS)
def test_bad_segments_in_tile_run(offsets: list[int], tmp_path: Path) -> None:
    program, x, numbers = (tmp_path / name for name in ("rows.mlir", "x.npy", "offsets.npy"))
    program.write_text(rows_of())
    np.save(x, x_of(20))
    np.save(numbers, np.array(offsets, np.int32))
    command = [str(program), "--arg", f"x={x}", "--arg", f"offsets={numbers}"]
    done = subprocess.run(
        [sys.executable, "-m", "tilec.tools.tile_run", *command], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"{program}:")


WRONG_ARGUMENTS: dict[str, tuple[list[Any], type[Exception]]] = {
    "rank": ([np.ones(20, np.float32), [0, 9, 20]], ValueError),
    "extent": ([np.ones((20, 127), np.float32), [0, 9, 20]], ValueError),
    "dtype": ([np.ones((20, 128), np.float16), [0, 9, 20]], TypeError),
    "double": ([np.ones((20, 128)), [0, 9, 20]], TypeError),
    "list": ([[1.0] * 128, [0, 9, 20]], TypeError),
    "none": ([None, [0, 9, 20]], TypeError),
    "number_of_offsets": ([np.ones((20, 128), np.float32), [0, 9, 20, 20]], ValueError),
    "too_wide": ([np.ones((20, 128), np.float32), [0, 9, 2**31]], ValueError),
    "far_too_low": ([np.ones((20, 128), np.float32), [-(2**40), 9, 20]], ValueError),
}


@pytest.mark.parametrize(("given", "kind"), WRONG_ARGUMENTS.values(), ids=WRONG_ARGUMENTS)
def test_wrong_arguments_of_an_emitted_module(given: list[Any], kind: type[Exception]) -> None:
    with pytest.raises(kind, match=r"^(x|offsets) ") as error:
        kernel(rows_of(), "rows", "worklist", "grid")(given[0], np.array(given[1], np.int64))
    assert "\n" not in str(error.value)


def test_a_double_of_the_wrong_rank_is_refused_by_interpret() -> None:
    with pytest.raises(TypeError, match="64-bit floats"):
        interpret(kernel(FIXED, "fixed", "worklist", "grid"), [np.ones(20)])


@pytest.mark.parametrize("rows", [0, 1, 19])
def test_array_shorter_than_its_axis(rows: int) -> None:
    module, _ = read_program(FIXED)
    with pytest.raises(InterpreterError, match=r"extent is \d+"):
        run(module, "fixed", [x_of(rows)])
    with pytest.raises(ValueError, match="is more than") as error:
        kernel(FIXED, "fixed", "worklist", "grid")(x_of(rows))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("loop", ["grid", "emit_pipeline"])
def test_no_rows_at_all(loop: str) -> None:
    """The program has a meaning for an array without rows; a kernel says that it needs one."""
    module, _ = read_program(rows_of())
    offsets = np.zeros(3, np.int32)
    assert run(module, "rows", [x_of(0), offsets])[0].data.shape == (0, 128)
    with pytest.raises(ValueError, match="the least number of rows of x: 1 is more than 0") as error:
        kernel(rows_of(), "rows", "worklist", loop)(x_of(0), offsets)
    assert "\n" not in str(error.value)


USER = """import torch
import tilec
import tilec.language as hl

@tilec.kernel
def k(x):
    out = torch.empty_like(x)
    for rows in hl.tile(x.size(0)):
        raise RuntimeError("first\\nsecond")
    return out
"""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("one = 1\none / 0\n", "k.py:2: error: ZeroDivisionError: division by zero"),
        ("import sys\nsys.exit(3)\n", "k.py:2: error: SystemExit: 3"),
        ("def f(:\n", "k.py:1: error: invalid syntax"),
        (USER, "k.py:9: error: RuntimeError: first second"),
    ],
)
def test_what_a_users_file_raises_is_an_error_of_its_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "k.py"
    path.write_text(text)
    with pytest.raises(TileError) as error:
        show(["show", f"{path}:k", "--args", "f32[8,128]"])
    assert str(error.value).endswith(message)
