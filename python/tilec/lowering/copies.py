"""One window of a `fori_loop`: where its data is, and the copies between HBM and its buffers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import gcd
from typing import NoReturn

from xdsl.ir import Operation, SSAValue

from tilec.analysis.affine import static_extent
from tilec.analysis.blocks import tile_rows_of
from tilec.analysis.visits import one_step
from tilec.analysis.vmem import LANES, SUBLANES
from tilec.diagnostics import fail
from tilec.dialects import pallas
from tilec.dialects.pallas.blocks import elements_of
from tilec.dialects.tile.access import Effect
from tilec.dialects.tile.schedule import AxisOp, WindowOp
from tilec.dialects.tile.types import UNBOUND
from tilec.lowering.scalars import Scalars
from tilec.lowering.windows import BlockPlan, block_position
from tilec.rewriting.index import Index

Dims = list["SSAValue | int | pallas.Ds | None"]


@dataclass(frozen=True)
class CopiedWindow:
    """A window whose blocks the kernel copies itself, through `depth` buffers from number `first` on.

    `array` refers to the array in HBM, `buffer` to the buffers and `semaphores` to one semaphore for each.
    `effect` says which way blocks go: what a written window begins as is read through one of its own. Copies
    begin `ahead` steps before the block is wanted.
    """

    plan: BlockPlan
    array: SSAValue
    buffer: SSAValue
    semaphores: SSAValue
    depth: int
    effect: Effect
    ahead: int
    first: int = 0

    def copy(
        self,
        make: type[pallas.CopyStartOp | pallas.CopyWaitOp],
        slot: Index,
        at: Scalars,
        position: Sequence[Index] | None = None,
    ) -> Operation:
        """Begin, or wait for, the copy of the block of the step that `at` knows, or of that at `position`."""
        array, buffer = self._sides(at, position or block_position(self.plan, at))
        place = at.build.add(slot, self.first)
        outside, inside = (self.array, array), (self.buffer, [place, *buffer])
        source, target = (outside, inside) if self.effect is Effect.READ else (inside, outside)
        return make(*source, *target, self.semaphores, [place])

    @property
    def has_tail(self) -> bool:
        """Whether some blocks have fewer elements than others."""
        extents = enumerate(self.plan.extents)
        return any(isinstance(extent, pallas.Bounded) or self._is_cut(i) for i, extent in extents)

    def _is_cut(self, i: int) -> bool:
        """Whether some block would reach past the end of the array, with its padding."""
        extent, whole = self.plan.extents[i], self.plan.view[i]
        if extent == whole or not isinstance(extent, int) or self.plan.multiples[i] is not None:
            return False
        if whole != UNBOUND and (whole < extent or whole % extent == 0):
            return whole < extent
        unit = self._unit(i)
        # Of any number of rows these may be in tiles of 8, and a block of one tile be more than there is.
        uncertain = whole == UNBOUND and len(self.plan.view) - i == 2 and unit > SUBLANES
        return extent > unit or uncertain

    def _unit(self, i: int) -> int:
        """The multiple of which an array in HBM has elements in a dimension, with its padding."""
        distance, rows = len(self.plan.view) - i, self.plan.view[i]
        if distance > 2:
            return 1
        unit = LANES if distance == 1 else tile_rows_of(self.plan.window, rows)
        extent = self.plan.extents[i]
        # In one column of tiles a block need not be whole tiles.
        return gcd(unit, extent) if isinstance(extent, int) else unit

    def _sides(self, at: Scalars, position: Sequence[Index]) -> tuple[Dims, Dims]:
        """How the array and the buffer are indexed."""
        array: Dims = []
        buffer: Dims = []
        positions = iter(position)
        for i, extent in enumerate(self.plan.extents):
            number = next(positions)
            if extent is None:
                array.append(number)
            elif isinstance(extent, pallas.Bounded):
                size = next(positions)
                array.append(pallas.Ds(number, size))
                buffer.append(pallas.Ds(0, size))
            elif (multiple := self.plan.multiples[i]) is not None:
                start, whole = at.build.mul(number, multiple), self.plan.view[i]
                past = isinstance(start, int) and start + extent > whole
                size = self._not_literal(extent, multiple, at) if past else extent
                array.append(pallas.Ds(start, size))
                buffer.append(pallas.Ds(0, size) if past else None)
            elif extent == self.plan.view[i]:
                array.append(None)
                buffer.append(None)
            else:
                start, whole = at.build.mul(number, extent), self.plan.view[i]
                cut = self._is_cut(i) or (isinstance(start, int) and 0 <= whole < start + extent)
                size = self._size(i, start, extent, at) if cut else extent
                array.append(pallas.Ds(start, size))
                buffer.append(pallas.Ds(0, size) if cut else None)
        return array, buffer

    def _size(self, i: int, start: Index, extent: int, at: Scalars) -> Index:
        """The elements of a block that the array has.

        In the last two dimensions rounded up to the tiles that memory consists of: what lies behind the array
        in its last tile may be copied.
        """
        build, unit = at.build, self._unit(i)
        if unit > SUBLANES and len(self.plan.view) - i == 2 and self.plan.view[i] == UNBOUND:
            self._refuse_rows(unit)
        rest = build.sub(at.extents.padded(self.plan.window.array, self.plan.dims[i] or 0, unit), start)
        if unit == 1:
            return build.minimum(rest, extent)
        # Blocks begin at multiples of the unit.
        return self._not_literal(build.minimum(rest, extent), unit, at)

    def _not_literal(self, size: Index, unit: int, at: Scalars) -> Index:
        """A size that is a multiple of `unit`: a literal one past the end of the array would be refused when
        the kernel is traced."""
        made = at.build.insert(pallas.MultipleOfOp(at.build.value(size), unit))
        made.name_hint = "size"
        return made

    def _refuse_rows(self, unit: int) -> NoReturn:
        window = self.plan.window
        name = f"%{window.array.name_hint or 'array'}"
        fail(
            window,
            f"convert-tile-to-pallas: the last rows of {name} cannot be copied: "
            f"with an extent known only at run time, {window.array_type.element_type} may lie in tiles of "
            f"{SUBLANES} rows or of {unit}; loop=grid and loop=emit_pipeline can",
        )


def coming_back(
    copied: Sequence[CopiedWindow], first: WindowOp, plan: BlockPlan, array: SSAValue, depth: int
) -> CopiedWindow:
    """A window that comes back to the tiles of `first`, with `depth` more buffers of its own behind those."""
    kept = next(each for each in copied if each.plan.window is first)
    taken = sum(each.depth for each in copied if each.buffer is kept.buffer)
    return replace(kept, plan=plan, array=array, depth=depth, ahead=depth - 1, first=taken)


def buffer_shape(plan: BlockPlan) -> list[int]:
    """The shape of one buffer."""
    return [elements_of(extent) for extent in plan.extents if extent is not None]


def always_moves(plan: BlockPlan, axes: Sequence[AxisOp]) -> bool:
    """Whether each step of a loop over `axes`, the last one fastest, has another block than the one before.

    So it is where the innermost axis that makes several steps indexes the window by itself.
    """
    moving = [axis for axis in axes if not one_step(axis)]
    if not moving:
        return True
    inner, window = moving[-1], plan.window
    if inner.aligned is not None or inner.keep is not None:
        return False
    # With a runtime extent it may make one step only, and the axes around it stay with the block.
    if len(moving) > 1 and static_extent(inner.axis.bounds) is None:
        return False
    return any(
        dim.base is inner.result and window.extents[position] == window.tile_extents[position]
        for position, dim in enumerate(window.window)
    )
