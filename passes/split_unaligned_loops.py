"""`--split-unaligned-loops="operands=auto"`: what is copied at once, so that a TPU can copy it.

A TPU copies whole tiles of memory. Where the tile that a step works on is no such block, as 32 of 512 lanes
or 4 rows are not, or begins between two of them, more is copied, and the steps find their tile in it. Each
access decides for itself: one operand of a loop may stream while another stays. In this order:

1. The tile itself is copied where that is legal.
2. A few tiles that make a legal block are copied together, and steps that share them follow each other. So it
   is with rows of a matrix that are indexed one by one.
3. Where tiles begin between those of the array and all of it is more than 8 MiB, or would be copied again
   for each step of an axis inside of others, a block follows them: it begins with the tile of memory in which
   a step's tile does, and has one more. Windows of one axis that are
   shifted by numbers share a block, where those are no more than a tile apart.
4. All of the dimension is copied: the operand is resident, and steps index it where it is.

An array that is written has one block for all its windows. It holds all that they want where they differ, and
all that steps come back to: at loaded positions, in segments that are not gone through in the order of their
numbers, or where an axis that a block does not depend on is outside of one that it does.

Before:
    %x_window = tile.window read %x[%m, %k]           // %k has tiles of 32, %x is 512 wide
    %y_window = tile.window read %y[%m + 1, :]        // %m has tiles of 8, %y has 64 rows
    %z_window = tile.window read %z[%m - 3, :]        // %z has 100,000
After:
    %x_window = tile.window read %x[%m, %k] fetch [8, 128]
    %y_window = tile.window read %y[%m + 1, :] fetch [72, 256]
    %z_window = tile.window read %z[%m - 3, :] fetch [16, 256]

`operands=resident` keeps what loops read or write on the chip wherever that is possible, `operands=stream`
wherever it is not needed does not. An access that says `resident` or `stream` itself is obeyed or refused.

Refused: a window of which no block is legal, with the compiler's rule; what an access asks for in vain.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import lcm, prod
from typing import NoReturn

from xdsl.context import Context
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, i64
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass

from tilec.analysis.affine import axis_bounds, linear
from tilec.analysis.blocks import (
    MOST_WINDOW,
    block_refusal,
    following_extent,
    is_exact,
    kind_of,
    loop_axes,
    memory_tile,
    view_order,
)
from tilec.analysis.lanes import moves_freely
from tilec.analysis.revisits import left_by, returns
from tilec.analysis.visits import axes_behind, covers, follows, same_tiles, shared_axes, shares_block
from tilec.analysis.vmem import LANES, SUBLANES, WORD
from tilec.analysis.within import is_cut
from tilec.diagnostics import explain, fail, where
from tilec.dialects.tile.access import Effect, Placement
from tilec.dialects.tile.locals import is_local
from tilec.dialects.tile.loops import Order, OrderAttr
from tilec.dialects.tile.schedule import Loop, PipelineOp, WindowOp
from tilec.dialects.tile.syntax import dense_i64
from tilec.dialects.tile.types import UNBOUND, byte_width, shape_of

UNITS = (8, 16, 32, 64, 128, 256, 512)
"""Extents that layouts in memory come in: 8 to 32 rows, 128 to 512 lanes."""

OPERANDS = ("auto", *Placement)


@dataclass(frozen=True)
class SplitUnalignedLoops(ModulePass):
    """Choose what is copied at once for each window: "operands=auto|resident|stream"."""

    name = "split-unaligned-loops"

    operands: str = "auto"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if self.operands not in OPERANDS:
            fail(
                op,
                f"split-unaligned-loops: operands={self.operands}; {', '.join(OPERANDS)} are accepted",
            )
        for pipeline in [inner for inner in op.walk() if isinstance(inner, PipelineOp)]:
            for windows in _groups(pipeline):
                if is_local(windows[0].array):
                    _hold(windows)
                else:
                    _Choice(pipeline, windows, self.operands).make()
            for place, shifts in list(_following(pipeline)):
                _share(pipeline, place, shifts)


def _hold(windows: list[WindowOp]) -> None:
    """Give the windows of on-chip memory one block, which holds all of it and the tiles of every step."""
    extents = list(shape_of(windows[0].array.type))
    for position, whole in enumerate(extents):
        whole_rows = position == len(extents) - 1 and all(each.window[position].full for each in windows)
        unit = 1 if whole_rows else memory_tile(windows[0], position)
        wanted = [extent for each in windows for extent in _wholes(each, position)[-1:]]
        extents[position] = -(-max([whole, *wanted]) // unit) * unit
    for each in windows:
        each.fetch = dense_i64(extents)


def _groups(pipeline: PipelineOp) -> list[list[WindowOp]]:
    """The windows that must share a block: all of an array that is written, any other alone."""
    groups: dict[SSAValue, list[WindowOp]] = {}
    for window in pipeline.windows:
        key = window.array if window.effect is Effect.WRITE else window.result
        groups.setdefault(key, []).append(window)
    return list(groups.values())


def _following(pipeline: PipelineOp) -> Iterator[tuple[int, dict[WindowOp, int]]]:
    """The windows of an array whose blocks follow tiles of one axis, shifted by numbers of which the least
    and the largest are no more than a tile apart: the dimension in which they do, and those numbers."""
    found: dict[tuple[int, tuple[object, ...]], dict[WindowOp, int]] = {}
    for window in pipeline.windows:
        for place, dim in enumerate(window.window):
            if window.effect is Effect.READ and follows(window, place) and isinstance(dim.shift, int):
                others = [(i, each) for i, each in enumerate(window.window) if i != place]
                found.setdefault((place, (window.array, dim.base, *others)), {})[window] = dim.shift
    for (place, _), shifts in found.items():
        rest: dict[WindowOp, int] = shifts
        while rest:
            most = min(rest.values()) + next(iter(rest)).tile_extents[place]
            yield place, {window: shift for window, shift in rest.items() if shift <= most}
            rest = {window: shift for window, shift in rest.items() if shift > most}


def _share(pipeline: PipelineOp, place: int, shifts: dict[WindowOp, int]) -> None:
    """Let windows have one block, which begins as that of the least shifted and holds the tiles of all, if a
    TPU can copy it."""
    first, least, most = next(iter(shifts)), min(shifts.values()), max(shifts.values())
    extent = following_extent(first, place, first.tile_extents[place] + most - least)
    if least == most or extent is None:
        return
    extents = tuple(extent if i == place else each for i, each in enumerate(first.extents))
    if block_refusal(first, kind_of(pipeline, first), extents) is not None:
        return
    for each in shifts:
        each.fetch, each.origin = dense_i64(extents), IntegerAttr(least, i64)
        explain(
            each,
            f"split-unaligned-loops: %{each.array.name_hint or 'array'} is copied in blocks of "
            f"{_text(extents)} for {len(shifts)} windows, shifted by {least} to {most}",
        )


@dataclass
class _Choice:
    """The choice of the block of a window, or of several that share one."""

    pipeline: PipelineOp
    windows: list[WindowOp]
    operands: str

    def make(self) -> None:
        window = self.window
        if any(each.fetch is not None for each in self.windows):
            return
        asked = next((each.placement.data for each in self.windows if each.placement is not None), None)
        wish = asked or self.operands
        found = next((extents for extents in self._candidates(wish) if self._is_legal(extents)), None)
        if found is None and asked is None and wish != "auto":
            explain(
                window,
                f"split-unaligned-loops: {self._name} cannot be {_PAST[wish]}: {self._obstacle(wish)}",
            )
            found = next((extents for extents in self._candidates("auto") if self._is_legal(extents)), None)
        if found is None:
            self._refuse(wish)
        self._fetch(found)
        tile = window.tile_extents
        if found != tile:
            explain(
                window,
                f"split-unaligned-loops: {self._name} is copied in blocks of {_text(found)} for tiles of "
                f"{_text(tile)}: {self._reason()}",
            )
        if window.effect is Effect.WRITE:
            self._keep_in_order()

    @property
    def window(self) -> WindowOp:
        return self.windows[0]

    def _candidates(self, wish: str) -> list[tuple[int, ...]]:
        """Blocks to try, those of fewer elements first."""
        choices: list[list[int]] = []
        for position, dim in enumerate(self.window.window):
            if all(same_tiles(each.window[position], dim) for each in self.windows):
                choices.append(list(self._extents(position, wish)))
                continue
            # Different tiles of one block: it holds all of them.
            every = [_wholes(each, position) for each in self.windows]
            least = max(min(each) for each in every) if all(every) else None
            found = {extent for each in every for extent in each if least is not None and extent >= least}
            choices.append(sorted(found))
        return sorted(product(*choices), key=self._cost)

    def _cost(self, extents: tuple[int, ...]) -> tuple[bool, int]:
        """Whether XLA has to lay the array out anew for such blocks, and the elements of one."""
        return self._is_row_of_array and extents[-2] == 1, prod(extents)

    @property
    def _is_row_of_array(self) -> bool:
        """Whether the window is in one row of a matrix, or of one of several.

        As a block of its own a row is viewed as an array, which is another layout but for one column of tiles
        of 32-bit elements. Other loops than a grid would want eight rows of an array that may have fewer.
        """
        window, shape = self.window.window, shape_of(self.window.array.type)
        if len(shape) < 2 or window[-2].kept or not window[-1].kept:
            return False
        if shape[-2] == UNBOUND and self.pipeline.loop.data is not Loop.GRID:
            return False
        if byte_width(self.window.array_type.element_type) != WORD or not 0 < shape[-1] <= LANES:
            return True
        return len(shape) > 2 and shape[-2] % SUBLANES != 0  # the rows of each matrix are padded

    def _extents(self, position: int, wish: str) -> Iterator[int]:
        """Extents of a block in one dimension: of the tile, of several tiles, of all there is."""
        window, dim = self.window, self.window.window[position]
        tile = window.tile_extents[position]
        if position == len(window.window) - 2 and self._is_row_of_array:
            yield memory_tile(window, position)
        if dim.base is None or dim.span is None or is_exact(window, position, self.pipeline.loop.data):
            yield tile
            if dim.span is None and window.effect is Effect.WRITE:
                yield from _wholes(window, position)  # steps may come back to any index
            return
        in_loop = not axes_behind([dim.base]).isdisjoint(loop_axes(self.pipeline))
        if not moves_freely(dim) and (wish != Placement.RESIDENT or not in_loop):
            yield tile
            if position >= len(window.window) - 2:
                least = memory_tile(window, position)
                multiples = dict.fromkeys(lcm(tile, unit) for unit in UNITS if unit % least == 0)
                yield from (extent for extent in multiples if extent != tile)
        if wish != Placement.STREAM or not in_loop:
            yield from _wholes(window, position)
        large = wish == "auto" and (self._is_large(position) or self._comes_anew(position))
        if moves_freely(dim) and (wish == Placement.STREAM or large):
            yield from self._following(position)

    def _is_large(self, position: int) -> bool:
        """Whether all of a dimension is more than may stay on the chip for tiles that begin anywhere."""
        window = self.window
        extents = list(window.tile_extents)
        extents[position] = shape_of(window.array.type)[position]
        return prod(extents) * max(WORD, byte_width(window.array_type.element_type)) > MOST_WINDOW

    def _comes_anew(self, position: int) -> bool:
        """Whether all of a dimension would be copied again and again, since the block moves along another one
        with an axis that is inside of one that does not move it."""
        window = self.window
        others = [value for i, dim in enumerate(window.window) if i != position for value in dim.values]
        several = shape_of(window.array.type)[position] > 2 * window.tile_extents[position]
        return several and left_by(self.pipeline.axes, axes_behind(others, ends=False)) is not None

    def _following(self, position: int) -> Iterator[int]:
        """The extent of a block that begins where the tile of a step does, at a tile of memory."""
        window = self.window
        extent = following_extent(window, position, window.tile_extents[position])
        if extent is not None and window.effect is Effect.READ:
            yield extent

    def _is_legal(self, extents: tuple[int, ...]) -> bool:
        before = [each.fetch for each in self.windows]
        self._fetch(extents)
        legal = all(self._suits(each, extents) for each in self.windows)
        for each, fetch in zip(self.windows, before, strict=True):
            each.fetch = fetch
        return legal

    def _suits(self, window: WindowOp, extents: tuple[int, ...]) -> bool:
        if view_order(window) != view_order(self.window) or not shares_block(self.window, window):
            return False
        if window.effect is Effect.WRITE and returns(self.pipeline.axes, window) is not None:
            return False
        return block_refusal(window, kind_of(self.pipeline, window), extents) is None

    def _fetch(self, extents: tuple[int, ...]) -> None:
        alone = len(self.windows) == 1
        for each in self.windows:
            each.fetch = None if alone and extents == each.tile_extents else dense_i64(extents)

    def _keep_in_order(self) -> None:
        """Let the steps that write to one block run one after the other, on one core."""
        for window in self.windows:
            covered = [
                value
                for position, dim in enumerate(window.window)
                if covers(window, position)
                for value in dim.values
            ]
            for axis in shared_axes(window) | axes_behind(covered):
                axis.order = OrderAttr(Order.ORDERED)

    @property
    def _name(self) -> str:
        return f"%{self.window.array.name_hint or 'array'}"

    def _reason(self) -> str:
        """Why the tile itself is not what is copied."""
        window, tile = self.window, self.window.tile_extents
        others = (each for each in self.windows if not all(map(same_tiles, each.window, window.window)))
        other = next(others, None)
        if other is not None:
            return (
                f"the window at {where(other)} is another one of the same array, which is written: "
                "one block must hold both"
            )
        free = [i for i, dim in enumerate(window.window) if moves_freely(dim)]
        if free:
            return f"its tiles begin between multiples of {tile[free[0]]} in dimension {free[0]}"
        refused = block_refusal(window, kind_of(self.pipeline, window), tile)
        if refused is not None:
            return str(refused)
        return self._returning(tile) or "all that the loop wants is wanted on the chip"

    def _returning(self, extents: tuple[int, ...]) -> str | None:
        """Which steps come back to a block of such extents that could be copied; `None` if there are none."""
        window, before = self.window, self.window.fetch
        if window.effect is Effect.READ or len(self.windows) > 1:
            return None
        self._fetch(extents)
        refused = block_refusal(window, kind_of(self.pipeline, window), extents)
        axis = returns(self.pipeline.axes, window)
        window.fetch = before
        if refused is not None or axis is None:
            return None
        return (
            f"steps of axis {axis.axis.name} ({where(axis)}) come back to blocks of {_text(extents)} "
            "that others have left"
        )

    def _refuse(self, wish: str) -> NoReturn:
        fail(
            self.window,
            f"split-unaligned-loops: {self._name} cannot be {_PAST[wish]}: {self._obstacle(wish)}",
        )

    def _obstacle(self, wish: str) -> str:
        """Why no block is what is asked for."""
        window = self.window
        unknown = [i for i, extent in enumerate(shape_of(window.array.type)) if extent == UNBOUND]
        limits = [f"dimension {i} has an extent known only at run time" for i in unknown]
        if wish == Placement.RESIDENT and limits:
            return limits[0]
        left = next((text for each in self._candidates(wish) if (text := self._returning(each))), None)
        return "; ".join([left or self._reason(), *limits])


def _wholes(window: WindowOp, position: int) -> list[int]:
    """Extents that hold a whole dimension and every tile in it, from the least on.

    Of rows they are multiples of a tile of memory, since what a step reads may be such a tile.
    """
    dim = window.window[position]
    tile, whole = window.tile_extents[position], shape_of(window.array.type)[position]
    if dim.full:
        return [whole]
    bounds = None if dim.base is None else axis_bounds(dim.base)
    if whole == UNBOUND:
        return []
    if dim.span is None:
        return [-(-whole // memory_tile(window, position)) * memory_tile(window, position)]
    if dim.base is None or bounds is None:
        return []
    begin, end, shift = (linear(part).literal for part in (bounds.begin, bounds.end, dim.shift))
    if not moves_freely(dim):  # tiles are those of the array
        last = -(-(whole if end is None else end) // tile) * tile + (shift or 0)
    elif begin is not None and end is not None and shift is not None:
        last = begin + shift + -(-(end - begin) // tile) * tile
    else:
        last = whole - 1 + tile  # one may begin at the last element
    if is_cut(window, position) and position >= len(window.window) - 2:
        last = min(last, max(whole, tile))
    if last <= tile:  # where tiles move freely, a block of that extent would be the tile, wherever it begins
        last = tile + moves_freely(dim)
    unit = memory_tile(window, position)
    exact = [whole] if last <= whole and (unit == LANES or whole % unit == 0) else []
    return [*exact, -(-max(last, whole) // unit) * unit]


_PAST = {"auto": "copied in any block", Placement.RESIDENT: "resident", Placement.STREAM: "streamed"}


def _text(extents: tuple[int, ...]) -> str:
    return " x ".join(map(str, extents))
