"""Which accesses find single elements at computed positions, and of which of them products take the place."""

from typing import TypeAlias

from xdsl.dialects.builtin import AnyFloat, i1, i64
from xdsl.ir import SSAValue

from tilec.analysis.segments import writes_of
from tilec.analysis.vmem import LANES, SUBLANES
from tilec.analysis.within import dim_kept_by_mask
from tilec.dialects.tile.access import AccessOp
from tilec.dialects.tile.atomics import AtomicRmwOp, Rmw
from tilec.dialects.tile.gathers import GatherOp, ScatterOp
from tilec.dialects.tile.locals import is_local
from tilec.dialects.tile.loops import GridOp
from tilec.dialects.tile.types import UNBOUND, element_type, shape_of
from tilec.dialects.tile.views import viewed_array
from tilec.rewriting.one_hot import most_lanes, products_of

Update: TypeAlias = AtomicRmwOp | ScatterOp

_LEAST_GATHERED = 256
_LEAST, _LEAST_OF_SEVERAL = 128, 256
"""Elements from which on products take less time than comparisons with all of them, where tiles have some
thousand lanes: of gathers, of updates by one product, and of updates by several."""


def gathers_of(grid: GridOp) -> list[GatherOp]:
    """The gathers of a grid that find single elements of enough of them, in arrays that it does not write."""
    written = {viewed_array(each.array) for each in writes_of(grid)}
    return [
        op
        for op in grid.walk()
        if isinstance(op, GatherOp)
        and _finds_elements(op)
        and elements_of(op) >= _LEAST_GATHERED
        and viewed_array(op.array) not in written
    ]


def updates_of(grid: GridOp) -> list[Update]:
    """The updates of a grid that sums by products can make, of single elements of enough of them. All that
    the grid does with their arrays are such updates, in one shape."""
    arrays: dict[SSAValue, list[AccessOp]] = {}
    for access in [op for op in grid.walk() if isinstance(op, AccessOp)]:
        arrays.setdefault(viewed_array(access.array), []).append(access)
    found: list[Update] = []
    for accesses in arrays.values():
        made = [op for op in accesses if isinstance(op, AtomicRmwOp | ScatterOp) and _has_products(op)]
        if len(made) == len(accesses) and len({op.array for op in accesses}) == 1:
            found += made
    return found


def elements_of(op: AccessOp) -> int:
    """How many elements there are, along the last dimension, of which an access finds single ones."""
    return shape_of(op.array.type)[-1]


def places_of(extent: int) -> int | None:
    """How many elements a row of a matrix of `extent` elements has, so that rows and places in them are few
    numbers to compare with: a power of two, up to 128. `None` where they are more than a quarter of all.
    """
    sizes = [2**power for power in range(LANES.bit_length()) if extent % 2**power == 0]
    best = min(sizes, key=lambda size: size + extent // size)
    return best if 4 * (best + extent // best) <= extent else None


def comparisons(extent: int) -> int:
    """With how many numbers a lane is compared that finds one of `extent` elements."""
    places = places_of(extent)
    return extent if places is None else places + extent // places


def padded_extent(extent: int) -> int:
    """The least number of elements, not below `extent`, that are rows of a matrix of which a multiple of 8 is
    on the chip, and with whose rows and places a lane is compared most quickly."""

    def rows(places: int) -> int:
        return -(-extent // (places * SUBLANES)) * SUBLANES

    best = min((LANES // 2**power for power in range(4)), key=lambda places: places + rows(places))
    return best * rows(best)


def _finds_elements(op: AccessOp) -> bool:
    """Whether an access finds single elements, by a tile of rank 1 in its last dimension, while the others
    are indexed by numbers. Not those without products, nor where only a mask may keep the other dimensions
    inside the array: rows are accessed without it."""
    *before, last = op.window
    if last.base is None or not last.indexed or any(dim.kept for dim in before) or is_local(op.array):
        return False
    ids, element = last.base.type, element_type(op.array.type)
    if element in (i1, i64) or element_type(ids) == i64 or len(shape_of(ids)) != 1:
        return False
    return dim_kept_by_mask(op) is None


def _has_products(op: Update) -> bool:
    """Whether an update is made by products, and in less time."""
    if not _finds_elements(op):
        return False
    if isinstance(op, AtomicRmwOp) and (op.kind.data is not Rmw.ADD or not _is_exact(op)):
        return False
    return elements_of(op) >= (_LEAST if products_of(op.value) == 1 else _LEAST_OF_SEVERAL)


def _is_exact(op: AtomicRmwOp) -> bool:
    """Whether what a tile adds to an element is exact in a product; floats are added as everywhere."""
    (lanes,) = shape_of(op.value.type)
    if isinstance(element_type(op.array.type), AnyFloat):
        return True
    return lanes != UNBOUND and lanes <= most_lanes(op.value)
