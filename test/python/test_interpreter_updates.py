"""The reference interpreter: atomics, gathers, scatters and arrays on the chip, and which updates race."""

from typing import Any

import ml_dtypes
import numpy as np
import numpy.typing as npt
import pytest
from programs import parse

from tilec.dialects.interpreter import InterpreterError, Result, run

Data = npt.NDArray[Any]

BF16 = np.dtype(ml_dtypes.bfloat16)
DTYPES = {"i32": np.dtype(np.int32), "i8": np.dtype(np.int8), "f32": np.dtype(np.float32), "bf16": BF16}


def interpret(text: str, *args: Data, **options: Any) -> list[Result]:
    """Run the function @f of a program; its first line is line 1."""
    return run(parse(text), "f", args, **options)


def refuse(text: str, *args: Data, **options: Any) -> str:
    with pytest.raises(InterpreterError) as caught:
        interpret(text, *args, **options)
    return str(caught.value)


def rolled(body: str, element: str = "i32", axis: str = "tile.grid") -> str:
    """Row r of 5, as %v, does something to the argument %out, which is returned."""
    return f"""
func.func @f(%x: memref<5x4x{element}>, %out: memref<4x{element}>) -> memref<4x{element}> {{
  {axis} %r = 0 to 5 {{
    %v = tile.load %x[%r, :]
    {body}
  }}
  return %out : memref<4x{element}>
}}"""


NUMBERS = np.random.default_rng(0).integers(-100, 100, (6, 4))

KINDS = {
    "add": np.add,
    "max": np.maximum,
    "min": np.minimum,
    "and": np.bitwise_and,
    "or": np.bitwise_or,
    "xor": np.bitwise_xor,
}


@pytest.mark.parametrize("element", ["i32", "i8", "f32", "bf16"])
@pytest.mark.parametrize("kind", KINDS)
def test_kinds(kind: str, element: str) -> None:
    """What commutes may be done by a grid, in any order."""
    if kind in ("and", "or", "xor") and element in ("f32", "bf16"):
        return
    numbers = NUMBERS.astype(DTYPES[element])
    text = rolled(f"tile.atomic_rmw {kind} %v, %out[:]", element)
    wide = numbers if numbers.dtype.kind == "i" else numbers.astype(np.float32)
    expected = KINDS[kind].reduce(wide[[5, 0, 1, 2, 3, 4]]).astype(numbers.dtype)
    for seed in range(3):
        (out,) = interpret(text, numbers[:5], numbers[5], seed=seed)
        np.testing.assert_array_equal(out.data, expected)


def test_i1() -> None:
    flags = np.random.default_rng(1).integers(0, 2, (6, 4)).astype(np.bool_)
    for kind in ("and", "or", "xor"):
        (out,) = interpret(rolled(f"tile.atomic_rmw {kind} %v, %out[:]", "i1"), flags[:5], flags[5])
        np.testing.assert_array_equal(out.data, KINDS[kind].reduce(flags))


def test_exchange_in_order() -> None:
    text = """
func.func @f(%x: memref<5x4xi32>, %out: memref<4xi32>) -> (memref<5x4xi32>, memref<4xi32>) {
  %olds = tile.empty : memref<5x4xi32>
  tile.for %r = 0 to 5 {
    %v = tile.load %x[%r, :]
    %o = tile.atomic_rmw exchange %v, %out[:] old
    tile.store %o, %olds[%r, :]
  }
  return %olds, %out : memref<5x4xi32>, memref<4xi32>
}"""
    numbers = NUMBERS.astype(np.int32)
    olds, out = interpret(text, numbers[1:], numbers[0])
    np.testing.assert_array_equal(olds.data, numbers[:5])
    np.testing.assert_array_equal(out.data, numbers[5])


def test_compare_exchange() -> None:
    """Where the element is what is expected it becomes the lane; `old` is what it was in any case."""
    text = """
func.func @f(%v: memref<4xi32>, %e: memref<4xi32>, %out: memref<4xi32>) -> (memref<4xi32>, memref<4xi32>) {
  %olds = tile.empty : memref<4xi32>
  %a = tile.load %v[:]
  %b = tile.load %e[:]
  %o = tile.atomic_rmw compare_exchange %a, %out[:] expected %b old
  tile.store %o, %olds[:]
  return %olds, %out : memref<4xi32>, memref<4xi32>
}"""
    value, expected, before = (np.array(row, np.int32) for row in ([5, 6, 7, 8], [0, 9, 2, 9], [0, 1, 2, 3]))
    olds, out = interpret(text, value, expected, before)
    assert (olds.data.tolist(), out.data.tolist()) == ([0, 1, 2, 3], [5, 1, 7, 3])


@pytest.mark.parametrize(("kind", "result"), [("add", [1, 3, 6]), ("max", [1, 2, 3]), ("xor", [1, 3, 0])])
def test_old_values(kind: str, result: list[int]) -> None:
    text = f"""
func.func @f(%out: memref<1xi32>) -> (memref<3xi32>, memref<1xi32>) {{
  %olds = tile.empty : memref<3xi32>
  tile.for %r = 0 to 3 {{
    %i = arith.index_cast %r : index to i32
    %one = arith.constant 1 : i32
    %v = arith.addi %i, %one : i32
    %o = tile.atomic_rmw {kind} %v, %out[0] old
    tile.store %o, %olds[%r]
  }}
  return %olds, %out : memref<3xi32>, memref<1xi32>
}}"""
    olds, out = interpret(text, np.zeros(1, np.int32))
    assert (olds.data.tolist(), out.data.tolist()) == ([0, *result[:2]], result[2:])


def test_sums_of_16_bits_are_rounded_once() -> None:
    """256 + 1 is 256 in bf16, but after four ones it is not."""
    text = rolled("tile.atomic_rmw add %v, %out[:]", "bf16")
    ones, start = np.ones((5, 4), BF16), np.full(4, 256, BF16)
    (out,) = interpret(text, ones, start)
    assert out.data.astype(np.float32).tolist() == [260.0] * 4  # 261, to even


def test_a_store_ends_a_sum() -> None:
    """What a store leaves is what the next atomic begins with."""
    text = """
func.func @f(%out: memref<2xbf16>) -> memref<2xbf16> {
  %one = tile.splat 1.0 : tensor<2xbf16>
  tile.atomic_rmw add %one, %out[:]
  %v = tile.load %out[0]
  tile.store %v, %out[0]
  tile.atomic_rmw add %one, %out[:]
  return %out : memref<2xbf16>
}"""
    (out,) = interpret(text, np.full(2, 256, BF16))
    assert out.data.astype(np.float32).tolist() == [256.0, 258.0]


def test_masks_and_dead_lanes() -> None:
    """Lanes behind the end of a span update nothing, nor do those where a mask is false."""
    text = """
func.func @f(%p: memref<6xi1>, %out: memref<6xi32>) -> (memref<6xi32>, memref<6xi32>) {
  %olds = tile.full 7 : memref<6xi32>
  tile.grid %m = 0 to 6 by m:4 {
    %q = tile.load %p[%m]
    %v = tile.splat 1 : tensor<4xi32, #tile.spans<m>>
    %o = tile.atomic_rmw add %v, %out[%m] mask %q old
    tile.store %o, %olds[%m] mask %q
  }
  return %olds, %out : memref<6xi32>, memref<6xi32>
}"""
    chosen = np.array([1, 0, 1, 1, 0, 1], np.bool_)
    start = np.arange(6, dtype=np.int32)
    olds, out = interpret(text, chosen, start)
    np.testing.assert_array_equal(out.data, start + chosen)
    np.testing.assert_array_equal(olds.data, np.where(chosen, start, 7))
    assert refuse(text.replace("%olds[%m] mask %q", "%olds[%m]"), chosen, start) == (
        "f.mlir:7:5: error: tile.store stores an undefined lane into element [1] of %olds"
    )


POSITIONS = """
func.func @f(%ids: memref<6xi32>, %x: memref<6x3xf32>, %out: memref<4x3xf32>) -> memref<4x3xf32> {
  tile.grid %m = 0 to 6 by m {
    %i = tile.load %ids[%m]
    %v = tile.load %x[%m, :]
    UPDATE
  }
  return %out : memref<4x3xf32>
}"""
ROWS = np.arange(18, dtype=np.float32).reshape(6, 3)


def test_positions_that_repeat_are_summed() -> None:
    """Within a tile and between tiles, each lane counts."""
    text = POSITIONS.replace("UPDATE", "tile.atomic_rmw add %v, %out[%i, :]")
    ids = np.array([2, 2, 0, 2, 0, 3], np.int32)
    expected = np.ones((4, 3), np.float32)
    np.add.at(expected, ids, ROWS)
    for seed in range(4):
        (out,) = interpret(text, ids, ROWS, np.ones((4, 3), np.float32), seed=seed)
        np.testing.assert_array_equal(out.data, expected)


@pytest.mark.parametrize("outside", [-1, 4])
@pytest.mark.parametrize("op", ["atomic_rmw add", "scatter"])
def test_positions_outside(op: str, outside: int) -> None:
    """An error, or left out where `drop` says so."""
    text = POSITIONS.replace("UPDATE", f"tile.{op} %v, %out[%i, :]")
    ids, start = np.array([2, outside, 0, outside, 1, 3], np.int32), np.zeros((4, 3), np.float32)
    name = op.split()[0]
    assert refuse(text, ids, ROWS, start) == (
        f"f.mlir:5:5: error: tile.{name} touches index {outside} of dimension 0 of %out, whose extent is 4"
    )
    (out,) = interpret(text.replace("[%i, :]", "[%i, :] drop"), ids, ROWS, start)
    np.testing.assert_array_equal(out.data, ROWS[[2, 4, 0, 5]])


def test_a_dimension_that_is_no_position_stays_checked() -> None:
    """`drop` is about positions: a shift out of the array is an error with it too."""
    text = POSITIONS.replace("UPDATE", "tile.atomic_rmw add %x2, %out[%i, %n + 1] drop")
    text = text.replace("by m {", "by m, %n = 0 to 3 by n {").replace(
        "%v = tile.load %x[%m, :]", "%x2 = tile.load %x[%m, %n]"
    )
    assert "touches index 3 of dimension 1 of %out" in refuse(text, np.zeros(6, np.int32), ROWS, ROWS[:4])


def test_a_scatter_names_a_position_once() -> None:
    text = POSITIONS.replace("UPDATE", "tile.scatter %v, %out[%i, :]")
    start = np.zeros((4, 3), np.float32)
    assert refuse(text, np.array([2, 1, 0, 2, 3, 3], np.int32), ROWS, start, blocks={"m": 8}) == (
        "f.mlir:5:5: error: tile.scatter writes two lanes to element [2, 0] of %out; use tile.atomic_rmw"
    )
    race = refuse(text, np.array([2, 1, 0, 3, 2, 1], np.int32), ROWS, start, blocks={"m": 4})
    assert race.startswith("f.mlir:5:5: error: race: tile.scatter here and tile.scatter at f.mlir:5:5 touch ")


def test_gather() -> None:
    text = """
func.func @f(%ids: memref<6xi32>, %p: memref<6xi1>, %x: memref<4x3xf32>) -> memref<6x3xf32> {
  %out = tile.empty : memref<6x3xf32>
  %z = arith.constant -1.0 : f32
  tile.grid %m = 0 to 6 by m, %n = 0 to 3 by n {
    %i = tile.load %ids[%m]
    %q = tile.load %p[%m]
    %qw = tile.broadcast %q dims [0] : tensor<?x?xi1, #tile.spans<m, n>>
    %v = tile.gather %x[%i, %n] mask %qw other %z
    tile.store %v, %out[%m, %n]
  }
  return %out : memref<6x3xf32>
}"""
    ids, chosen = np.array([2, 2, 0, 3, 9, 1], np.int32), np.array([1, 1, 0, 1, 0, 1], np.bool_)
    for seed in range(3):
        (out,) = interpret(text, ids, chosen, ROWS[:4], seed=seed)
        np.testing.assert_array_equal(out.data, np.where(chosen[:, None], ROWS[[2, 2, 0, 3, 0, 1]], -1))
    assert refuse(text, ids, ~chosen, ROWS[:4]) == (
        "f.mlir:8:5: error: tile.gather touches index 9 of dimension 0 of %x, whose extent is 4"
    )


UNDEFINED = """
func.func @f(%x: memref<2xi32>, %out: memref<4xi32>) -> memref<4xi32> {
  %v = tile.load %x[:]
  %zero = tile.splat 0 : tensor<2xi32>
  %u = arith.divsi %v, %zero : tensor<2xi32>
  %q = tile.compare eq %u, %zero
  tile.atomic_rmw UPDATE
  return %out : memref<4xi32>
}"""


@pytest.mark.parametrize(
    ("update", "message"),
    [
        ("add %v, %out[%u]", "tile.atomic_rmw needs lane [0] of %u, which is undefined"),
        ("add %u, %out[%v]", "tile.atomic_rmw combines an undefined lane with element [1] of %out"),
        ("add %v, %out[%v] mask %q", "tile.atomic_rmw has a mask that is undefined in the live lane [0]"),
        ("add %v, %z[%v]", "tile.atomic_rmw reads element [1] of %z, which nothing has stored before"),
        ("compare_exchange %v, %s[:] expected %u", "tile.atomic_rmw compares with an undefined lane"),
    ],
)
def test_undefined_lanes(update: str, message: str) -> None:
    arrays = "  %z = tile.empty : memref<4xi32>\n  %s = tile.full 0 : memref<2xi32>\n"
    text = UNDEFINED.replace("UPDATE", update).replace("  %v", f"{arrays}  %v", 1)
    assert refuse(text, np.array([1, 3], np.int32), np.zeros(4, np.int32)) == f"f.mlir:8:3: error: {message}"


# Which updates race


PAIRS = {
    "add, add": ("add %v, %out[:]", "add %v, %out[:]", False),
    "add, max": ("add %v, %out[:]", "max %v, %out[:]", True),
    "or, xor": ("or %v, %out[:]", "xor %v, %out[:]", True),
    "add, exchange": ("add %v, %out[:]", "exchange %v, %out[:]", True),
}


@pytest.mark.parametrize(("one", "two", "races"), PAIRS.values(), ids=PAIRS)
def test_kinds_that_meet(one: str, two: str, races: bool) -> None:
    """In one grid, atomics of one kind may meet, those of two kinds may not."""
    text = rolled(f"tile.atomic_rmw {one}\n    tile.atomic_rmw {two}")
    numbers = NUMBERS.astype(np.int32)
    if not races:
        interpret(text, numbers[:5], numbers[5])
        return
    for seed in range(3):
        message = refuse(text, numbers[:5], numbers[5], seed=seed)
        assert "touch element [0] of %out in different iterations of a parallel axis" in message
    ordered = text.replace("tile.grid", "tile.for")
    interpret(ordered, numbers[:5], numbers[5])


@pytest.mark.parametrize(
    "body",
    [
        "tile.atomic_rmw exchange %v, %out[:]",
        "tile.atomic_rmw compare_exchange %v, %out[:] expected %v",
        "%o = tile.atomic_rmw add %v, %out[:] old",
        "tile.atomic_rmw add %v, %out[:]\n    %w = tile.load %out[:]",
        "tile.atomic_rmw add %v, %out[:]\n    tile.store %v, %out[:]",
        "tile.store %v, %out[:]\n    tile.atomic_rmw add %v, %out[:]",
    ],
)
def test_what_needs_an_order(body: str) -> None:
    """Exchanges, old values, loads and stores of what other iterations update."""
    numbers = NUMBERS.astype(np.int32)
    for seed in range(3):
        message = refuse(rolled(body), numbers[:5], numbers[5], seed=seed)
        assert message.startswith(("f.mlir:4:5: error: race: ", "f.mlir:5:5: error: race: "))
    assert "race" in refuse(
        rolled(body, axis="tile.for").replace("to 5 {", "to 5 parallel {"), numbers[:5], numbers[5]
    )
    interpret(rolled(body, axis="tile.for"), numbers[:5], numbers[5])
    own = (
        rolled(body)
        .replace("%x[%r, :]", "%x[%r, %r]")
        .replace("%out[:]", "%out[%r]")
        .replace("to 5 {", "to 4 {")
    )
    interpret(own, numbers[:5], numbers[5])


def test_two_grids_do_not_race() -> None:
    text = rolled("tile.atomic_rmw add %v, %out[:]")
    text = text.replace(
        "  return",
        "  tile.grid %s = 0 to 1 {\n    %w = tile.load %out[:]\n    tile.store %w, %out[:]\n  }\n  return",
    )
    numbers = NUMBERS.astype(np.int32)
    np.testing.assert_array_equal(interpret(text, numbers[:5], numbers[5])[0].data, numbers.sum(0))


# Arrays on the chip


LOCAL = """
func.func @f(%x: memref<5x4xi32>, %n: index) -> memref<5x4xi32> {
  %out = tile.empty : memref<5x4xi32>
  tile.grid %r = 0 to 5 {
    %sums = tile.local : memref<4xi32>
    %v = tile.load %x[%r, :]
    %first = arith.cmpi slt, %r, %n : index
    scf.if %first {
      tile.store %v, %sums[:]
    }
    tile.atomic_rmw add %v, %sums[:]
    %w = tile.load %sums[:]
    tile.store %w, %out[%r, :]
  }
  return %out : memref<5x4xi32>
}"""


def test_locals_are_of_one_iteration() -> None:
    """Each has its own, so that its updates race with none, and finds nothing of another's in it."""
    numbers = NUMBERS[:5].astype(np.int32)
    for seed in range(3):
        (out,) = interpret(LOCAL, numbers, np.asarray(5), seed=seed)
        np.testing.assert_array_equal(out.data, 2 * numbers)
        assert refuse(LOCAL, numbers, np.asarray(4), seed=seed) == (
            "f.mlir:10:5: error: tile.atomic_rmw reads element [0] of %sums, which nothing has stored before"
        )


def test_a_local_around_a_loop_is_kept() -> None:
    text = """
func.func @f(%x: memref<5x4xi32>) -> memref<4xi32> {
  %out = tile.empty : memref<4xi32>
  tile.grid %all = 0 to 1 {
    %sums = tile.local : memref<4xi32>
    %zero = tile.splat 0 : tensor<4xi32>
    tile.store %zero, %sums[:]
    tile.for %r = 0 to 5 {
      %v = tile.load %x[%r, :]
      tile.atomic_rmw add %v, %sums[:]
    }
    %w = tile.load %sums[:]
    tile.store %w, %out[:]
  }
  return %out : memref<4xi32>
}"""
    numbers = NUMBERS[:5].astype(np.int32)
    np.testing.assert_array_equal(interpret(text, numbers)[0].data, numbers.sum(0))
