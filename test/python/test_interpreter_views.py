"""The reference interpreter: a view is its array, for values, for what is defined and for races."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from programs import parse

from tilec.dialects.interpreter import InterpreterError, Result, run

Data = npt.NDArray[Any]

X = np.arange(24, dtype=np.float32).reshape(2, 3, 4)


def interpret(text: str, *args: Data, seed: int = 0) -> list[Result]:
    return run(parse(text), "f", args, seed=seed)


def refuse(text: str, *args: Data, seed: int = 0) -> str:
    with pytest.raises(InterpreterError) as caught:
        interpret(text, *args, seed=seed)
    return str(caught.value)


def test_views_of_views() -> None:
    """Also where numpy could not share the memory."""
    text = """
func.func @f(%x: memref<2x3x4xf32>) -> (memref<6x4xf32>, memref<4x6xf32>, memref<24xf32>) {
  %rows = tile.view %x : memref<2x3x4xf32> to memref<6x4xf32>
  %t = tile.view %rows permute [1, 0] : memref<6x4xf32> to memref<4x6xf32>
  %flat = tile.view %t : memref<4x6xf32> to memref<24xf32>
  return %rows, %t, %flat : memref<6x4xf32>, memref<4x6xf32>, memref<24xf32>
}"""
    rows, t, flat = (each.data for each in interpret(text, X))
    assert np.array_equal(rows, X.reshape(6, 4))
    assert np.array_equal(t, X.reshape(6, 4).T)
    assert np.array_equal(flat, X.reshape(6, 4).T.reshape(-1))


def test_rows_of_unknown_number() -> None:
    text = """
func.func @f(%x: memref<?x3x4xf32>) -> (memref<?x12xf32>, memref<?x4x3xf32>) {
  %flat = tile.view %x : memref<?x3x4xf32> to memref<?x12xf32>
  %t = tile.view %x permute [0, 2, 1] : memref<?x3x4xf32> to memref<?x4x3xf32>
  return %flat, %t : memref<?x12xf32>, memref<?x4x3xf32>
}"""
    for x in (X, X[:0]):
        flat, t = (each.data for each in interpret(text, x))
        assert np.array_equal(flat, x.reshape(-1, 12))
        assert np.array_equal(t, x.transpose(0, 2, 1))


STORES = """
func.func @f(%x: memref<2x3x4xf32>) -> (memref<24xf32>, memref<2x3x4xf32>) {
  %out = tile.empty : memref<2x3x4xf32>
  %t = tile.view %out permute [2, 0, 1] : memref<2x3x4xf32> to memref<4x2x3xf32>
  %flat = tile.view %t : memref<4x2x3xf32> to memref<24xf32>
  tile.grid %i = 0 to 2, %j = 0 to 2 {
    %v = tile.load %x[%i, %j, 1]
    tile.store %v, %t[1, %i, %j]
  }
  return %flat, %out : memref<24xf32>, memref<2x3x4xf32>
}"""


def test_what_is_stored_to_a_view_is_in_the_array_and_its_views() -> None:
    flat, out = interpret(STORES, X)
    stored = np.zeros(X.shape, np.bool_)
    stored[:, :2, 1] = True
    assert np.array_equal(out.defined, stored)
    assert np.array_equal(flat.defined, stored.transpose(2, 0, 1).reshape(-1))
    assert np.array_equal(out.data[stored], X[stored])
    assert np.array_equal(flat.data[flat.defined], X.transpose(2, 0, 1)[:, :, :2][1].reshape(-1))


def test_an_argument_is_changed_through_its_view() -> None:
    text = """
func.func @f(%x: memref<2x3x4xf32>) -> memref<2x3x4xf32> {
  %flat = tile.view %x : memref<2x3x4xf32> to memref<24xf32>
  tile.grid %i = 0 to 24 {
    %v = tile.load %flat[%i]
    %w = arith.addf %v, %v : f32
    tile.store %w, %flat[%i]
  }
  return %x : memref<2x3x4xf32>
}"""
    (x,) = interpret(text, np.asfortranarray(X))
    assert np.array_equal(x.data, 2 * X)
    assert x.defined.all()


def test_an_element_that_is_read_before_it_is_stored() -> None:
    text = STORES.replace("[1, %i, %j]", "[%i, %i, %j]").replace(
        "  return", "  %w = tile.load %flat[7]\n  return"
    )
    assert "tile.load reads element [7] of %flat, which nothing has stored before" in refuse(text, X)


RACE = """
func.func @f(%x: memref<4x4xf32>) {
  %v = tile.view %x VIEW
  tile.grid %i = 0 to 4 {
    %a = tile.load %v[PLACE]
    tile.store %a, %x[%i, 0]
  }
  return
}"""


@pytest.mark.parametrize(
    ("view", "place", "meets"),
    [
        ("permute [1, 0] : memref<4x4xf32> to memref<4x4xf32>", "0, 1", True),
        ("permute [1, 0] : memref<4x4xf32> to memref<4x4xf32>", "0, %i", False),
        (": memref<4x4xf32> to memref<16xf32>", "4", True),
        (": memref<4x4xf32> to memref<2x8xf32>", "1, %i + 1", False),
    ],
)
def test_a_race_between_an_array_and_its_view(view: str, place: str, meets: bool) -> None:
    text = RACE.replace("VIEW", view).replace("PLACE", place)
    for seed in range(5):
        if not meets:
            interpret(text, np.zeros((4, 4), np.float32), seed=seed)
            continue
        message = refuse(text, np.zeros((4, 4), np.float32), seed=seed)
        assert "in different iterations of a parallel axis, and at least one writes it" in message
