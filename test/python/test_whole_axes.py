"""Axes that dimensions have in common: views that join and split them, and what no axes explain."""

from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilec.frontend.whole.axes import Mismatch, Shape, extent, flat, fresh, leaves, reshaped, same


def dims(*sizes: int) -> Shape:
    return tuple(fresh(size) for size in sizes)


def test_views_join_and_split() -> None:
    x = dims(2, 3, 4)
    (rows, columns) = reshaped(x, (6, 4))
    assert rows == (*x[0], *x[1])
    assert columns == x[2]
    first, second, third = reshaped((rows, columns), (2, 1, 12))
    assert (first, second, third) == (x[0], (), (*x[1], *x[2]))
    halves = reshaped(x, (2, 3, 2, 2))
    assert leaves(x[2]) == (*halves[2], *halves[3])


def test_views_that_cut_across_axes() -> None:
    with pytest.raises(Mismatch, match="an extent of 3 cuts across one of 4"):
        reshaped(dims(4, 3), (3, 4))


def test_same_refines_both() -> None:
    left, right = (*fresh(2), *fresh(6)), (*fresh(4), *fresh(3))
    same(left, right)
    assert leaves(left) == leaves(right)
    assert [axis.size for axis in leaves(left)] == [2, 2, 3]


def test_extents_that_overlap() -> None:
    with pytest.raises(Mismatch, match="extents 2 and 3 overlap"):
        same((*fresh(2), *fresh(3)), (*fresh(3), *fresh(2)))
    with pytest.raises(Mismatch, match="extents 2 and 3"):
        same(fresh(2), fresh(3))


def test_what_was_joined_stays_joined() -> None:
    x, y = dims(4, 4), dims(2, 8)
    same(x[0], x[1])
    same((*x[0], *x[1]), (*y[0], *y[1]))
    assert leaves(x[0]) == leaves(x[1])
    assert extent(flat(y)) == 16


@given(st.lists(st.sampled_from([1, 2, 3, 4, 6]), max_size=3), st.data())
def test_views_keep_the_order_of_elements(sizes: list[int], data: st.DataObject) -> None:
    """A view of a view as the first shape has its axes again."""
    x = dims(*sizes)
    count, wanted = prod(sizes), list[int]()
    while count > 1:
        wanted.append(data.draw(st.sampled_from([d for d in range(2, count + 1) if count % d == 0])))
        count //= wanted[-1]
    try:
        y = reshaped(x, tuple(wanted))
    except Mismatch:
        return
    assert [extent(dim) for dim in y] == wanted
    back = reshaped(y, tuple(sizes))
    assert [leaves(dim) for dim in back] == [leaves(dim) for dim in x]
