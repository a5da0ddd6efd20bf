"""Loops over tiles and indices, and the sizes of tiles."""

from collections.abc import Sequence
from typing import Any, TypeVar

import torch

from tilec.frontend.tiles import Extent, Loop, Tile, count_of, extents_of, running

Bound = int | torch.SymInt | torch.Tensor
Bounds = Bound | Sequence[Bound]
T = TypeVar("T")


def tile(
    begin_or_end: Bounds,
    end: Bounds | None = None,
    block_size: Any = None,
    *,
    max_extent: int | Sequence[int | None] | None = None,
    mean_extent: int | Sequence[int | None] | None = None,
) -> Any:
    """Tiles of the indices from `begin` (0 if only one bound is given) to `end`, for a `for` loop.

    With lists, tiles of several axes at once. Outside of other loops, iterations are independent of each
    other; inside they run in order. `block_size` is a number of indices, `None` for one that the
    configuration chooses, or what `register_block_size` returned. Where the number is given, tiles begin
    exactly so many indices after each other. Where it is not and the first begins at a place that is only
    known when the kernel runs, they may be cut elsewhere, as the tiles of memory are: what is computed must
    not depend on that, and arrays need not fit the chip's memory. `max_extent` promises that `end - begin`
    is no more: it is needed where that is only known when the kernel runs and a choice of loop depends on it.
    `mean_extent` says what it is on average, as far as that is known: a hint for choices, not for results.

    Raises TraceError for bounds that are no integers and for lists of different lengths.
    """
    trace = running("tile")
    extents, single = extents_of(trace, "tile", begin_or_end, end, block_size, max_extent, mean_extent)
    return Loop(trace, extents, single=single, word="tile")


def grid(
    begin_or_end: Bounds,
    end: Bounds | None = None,
    step: Any = None,
    *,
    max_extent: int | Sequence[int | None] | None = None,
) -> Any:
    """The indices from `begin` to `end`, one by one. Otherwise as `tile`."""
    trace = running("grid")
    if step is not None and step != 1:
        trace.fail(f"grid with step {step}; only 1 is accepted, multiply the index")
    extents, single = extents_of(trace, "grid", begin_or_end, end, None, max_extent)
    return Loop(trace, extents, single=single, word="grid")


def jagged_tile(
    lengths: torch.Tensor,
    block_size: Any = None,
    *,
    max_extent: int | None = None,
    mean_extent: int | None = None,
) -> Any:
    """Tiles of the indices from 0 to the length that each lane of a tile around it has.

    `lengths` holds one integer for each lane of a tile, of shape [tile]. A value of shape [tile, jagged tile]
    has elements only where the index is below the lane's length; the others count nowhere. A lane that ends
    before a tile begins keeps its variables and stores nothing, where Helion's goes on, with zeros.
    `max_extent` and `mean_extent` are those of `tile`.

    Raises TraceError where `lengths` is no such tensor.
    """
    trace = running("jagged_tile")
    if not isinstance(lengths, torch.Tensor) or lengths.dim() != 1 or lengths.is_floating_point():
        what = trace.describe(lengths) if isinstance(lengths, torch.Tensor) else repr(lengths)
        trace.fail(f"jagged_tile({what}); a tensor of integers with one for each lane of a tile is needed")
    value = trace.value(lengths.to(torch.int32))
    fixed = block_size if isinstance(block_size, int) and not isinstance(block_size, torch.SymInt) else None
    size = block_size if isinstance(block_size, torch.SymInt) else None
    most, mean = count_of(trace, "max_extent", max_extent), count_of(trace, "mean_extent", mean_extent)
    extent = Extent(0, value.ssa, most, size, fixed, jagged=True, mean=mean)
    return Loop(trace, (extent,), single=True, word="jagged_tile")


def static_range(begin_or_end: int, end: int | None = None, step: int = 1) -> range:
    """`range`, whose body is traced once for each number."""
    trace = running("static_range")
    for each in (begin_or_end, end, step):
        if isinstance(each, torch.SymInt | torch.Tensor):
            trace.fail(f"static_range({trace.words(each)}): a number that is known while tracing is needed")
    return range(0, begin_or_end, step) if end is None else range(begin_or_end, end, step)


def register_block_size(least_or_most: int | None = None, most: int | None = None) -> torch.SymInt:
    """A block size that several loops share, which the configuration chooses.

    The bounds are those of Helion's function: the most, or the least and the most. Sizes are powers of two
    there, so a most that is none stands for the next one. Extents of arrays of any number of rows bound
    nothing. Raises TraceError for others than whole numbers from 1 up.
    """
    trace = running("register_block_size")
    size = trace.new_size("block")
    least, most = (1, least_or_most) if most is None else (least_or_most, most)
    for bound in (least, most):
        known = isinstance(bound, int | None) and not isinstance(bound, bool)
        if not (known or isinstance(bound, torch.SymInt)) or (isinstance(bound, int) and bound < 1):
            trace.fail(f"register_block_size({least}, {most}); whole numbers from 1 up are accepted")
    least = least if isinstance(least, int) else 1
    if isinstance(most, int):
        most = 1 << (most - 1).bit_length()
        if least > most:
            trace.fail(f"register_block_size({least}, {most}); the least is above the most")
        trace.size_bounds[trace.name_of_size(size)] = least, most
    return size


def register_tunable(name: str, fragment: Any) -> Any:
    """A number that the configuration chooses: `fragment`'s default, or the first of a list, without one."""
    trace = running("register_tunable")
    if name in trace.tunables:
        return trace.tunables[name]
    default = getattr(fragment, "default", None)
    if callable(default):
        return default()
    return fragment[0] if isinstance(fragment, list | tuple) else fragment


def tile_index(tile: Tile) -> torch.Tensor:
    """`tile.index`."""
    return tile.index


def tile_begin(tile: Tile) -> torch.SymInt:
    """`tile.begin`."""
    return tile.begin


def tile_end(tile: Tile) -> torch.SymInt:
    """`tile.end`."""
    return tile.end


def tile_id(tile: Tile) -> torch.SymInt:
    """`tile.id`."""
    return tile.id


def tile_block_size(tile: Tile) -> Any:
    """`tile.block_size`."""
    return tile.block_size


def specialize(value: T) -> T:
    """`value`, of which the kernel may depend on what it is: sizes and numbers always may."""
    return value


def barrier() -> None:
    """Between two grids: the second begins when the first has ended. It always does."""
    trace = running("barrier")
    if trace.in_tile:
        trace.fail("barrier inside a loop over tiles; write it between two outermost loops")
