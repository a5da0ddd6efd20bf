"""Rows of an array in HBM at positions that the kernel computes, copied one by one.

Scalar code begins copies, and positions are lanes of a vector: they go to scalar memory by a copy too. Rows
of 16 or 8 bits come in tiles of eight, whose wanted one is turned to the front.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import gcd

from xdsl.dialects import arith
from xdsl.dialects.builtin import IndexType, MemRefType, f32, i32
from xdsl.ir import Operation, SSAValue

from tilec.analysis.row_gathers import rows_at, rows_copied
from tilec.analysis.vmem import SUBLANES
from tilec.dialects import pallas
from tilec.dialects.tile.elementwise import CastOp
from tilec.dialects.tile.gathers import GatherOp
from tilec.dialects.tile.types import element_type, shape_of
from tilec.dialects.tile.values import SliceOp
from tilec.lowering.row_updates import for_rows
from tilec.lowering.scalars import Scalars
from tilec.rewriting.index import Index, IndexBuilder

AT_ONCE = 8
"""Iterations of a loop through rows that are written out. Estimated, of 8192 rows of 1024 f32 on v6e: with 1,
4, 8 and 16 it takes 85, 72, 66 and 63 us."""

Spec = Callable[[Operation, SSAValue], SSAValue]


@dataclass(frozen=True)
class RowGather:
    """What a gather has in a kernel: its array, `found` rows, and positions as lanes and as `numbers`.

    `tiles` are the copied rows where those are not the found ones, eight for each. One semaphore is for both
    kinds of copies, which follow each other.
    """

    array: SSAValue
    lanes: SSAValue
    numbers: SSAValue
    found: SSAValue
    tiles: SSAValue | None
    copied: SSAValue

    @classmethod
    def of(cls, op: GatherOp, array: SSAValue, spec: Spec) -> "RowGather":
        """The scratch of a gather, each added to the kernel's by `spec`."""

        def scratch(kind: MemRefType, space: pallas.Space, name: str) -> SSAValue:
            made = spec(pallas.ScratchOp(pallas.in_space(kind, space)), op.result)
            made.name_hint = f"{op.result.name_hint or 'rows'}_{name}"
            return made

        (count, width), element = shape_of(op.result.type), element_type(op.array.type)
        single = rows_copied(op) == 1
        ids, tiles = MemRefType(i32, [1, count]), MemRefType(element, [count, SUBLANES, width])
        return cls(
            array,
            scratch(ids, pallas.Space.VMEM, "lanes"),
            scratch(ids, pallas.Space.SMEM, "numbers"),
            scratch(MemRefType(element if single else f32, [count, width]), pallas.Space.VMEM, "found"),
            None if single else scratch(tiles, pallas.Space.VMEM, "tiles"),
            scratch(MemRefType(pallas.DmaSemaphoreType(), [1]), pallas.Space.SEMAPHORE, "copied"),
        )


def gather_rows(
    op: GatherOp, parts: RowGather, lanes: SSAValue, scalars: Scalars, ops: list[Operation]
) -> SSAValue:
    """Copy the rows at `lanes`, 1 x n positions, by operations that are added to `ops`; returns them."""
    build = IndexBuilder(ops, op.location)
    build.insert_all(pallas.StoreOp(lanes, parts.lanes, []), op.location)
    for half in (pallas.CopyStartOp, pallas.CopyWaitOp):
        build.insert_all(half(parts.lanes, [], parts.numbers, [], parts.copied, [0]), op.location)
    rows, count = _Rows(op, parts, scalars), shape_of(op.result.type)[0]
    unroll = gcd(count, AT_ONCE) if count % 2 == 0 else None
    for_rows(0, count, rows.begin, build, unroll)
    _wait(build, parts, count)
    if parts.tiles is not None:
        for_rows(0, count, rows.pick, build, unroll)
    found = build.insert(pallas.LoadOp(parts.found, []))
    return found if parts.tiles is None else build.insert(CastOp(found, element_type(op.result.type)))


def _wait(build: IndexBuilder, parts: RowGather, count: int) -> None:
    """Wait for the copies of all rows, whose bytes the semaphore counts.

    Those of an array are counted with what fills up its last eight rows, of which copies of rows have none:
    rows that are no eight are waited for one by one.
    """
    if parts.tiles is not None or count % SUBLANES == 0:
        copied = parts.found if parts.tiles is None else parts.tiles
        build.insert_all(pallas.CopyWaitOp(copied, [], copied, [], parts.copied, [0]), build.location)
        return
    whole = count // SUBLANES * SUBLANES
    for rows in [*([whole] if whole else []), *[1] * (count - whole)]:
        part = [pallas.Ds(0, rows), None]
        wait = pallas.CopyWaitOp(parts.found, part, parts.found, part, parts.copied, [0])
        build.insert_all(wait, build.location)


@dataclass
class _Rows:
    """The rows of a gather, by their number in the tile."""

    op: GatherOp
    parts: RowGather
    scalars: Scalars

    def begin(self, number: Index, build: IndexBuilder) -> None:
        """Begin to copy a row, or the tile of memory that it is in."""
        (row, lanes), parts = self._position(number, build), self.parts
        if parts.tiles is None:
            start, source, target = row, parts.found, [pallas.Ds(number, 1), None]
        else:
            start = build.insert(pallas.MultipleOfOp(build.value(self._aligned(row, build)), SUBLANES))
            source, target = parts.tiles, [number, None, None]
        rows = pallas.Ds(start, 1 if parts.tiles is None else SUBLANES)
        copy = pallas.CopyStartOp(parts.array, [rows, lanes], source, target, parts.copied, [0])
        build.insert_all(copy, self.op.location)

    def pick(self, number: Index, build: IndexBuilder) -> None:
        """Store the wanted row of a tile of memory among those found."""
        (row, _), parts = self._position(number, build), self.parts
        if parts.tiles is None:
            raise ValueError("rows that are copied one by one need no picking")
        tile = build.insert(CastOp(build.insert(pallas.LoadOp(parts.tiles, [number, None, None])), f32))
        place = build.sub(row, self._aligned(row, build))
        turned = build.insert(pallas.RollOp(tile, build.remainder(build.sub(SUBLANES, place), SUBLANES), 0))
        first = build.insert(SliceOp(turned, 0, 0, 1))
        store = pallas.StoreOp(first, parts.found, [pallas.Ds(number, 1), None])
        build.insert_all(store, self.op.location)

    def _aligned(self, row: Index, build: IndexBuilder) -> Index:
        return build.mul(build.floordiv(row, SUBLANES), SUBLANES)

    def _position(self, number: Index, build: IndexBuilder) -> "tuple[Index, pallas.Ds | None]":
        """The row that a lane names, and its part of the row, or some if the lane is dead."""
        rows, width = shape_of(self.op.array.type)
        array, count = rows_at(self.op)
        element = build.insert(pallas.LoadOp(self.parts.numbers, [0, number]))
        place = build.insert(arith.IndexCastOp(element, IndexType()))
        place = build.minimum(build.maximum(place, 0), rows - 1)
        row, begin = build.floordiv(place, count), build.mul(build.remainder(place, count), width)
        dim, size = self.op.window[1], shape_of(self.op.result.type)[1]
        if dim.base is not None and size != width:
            begin = build.add(begin, self.scalars.span(dim.base).start)
        if size == shape_of(array.type)[1]:
            return row, None
        return row, pallas.Ds(build.insert(pallas.MultipleOfOp(build.value(begin), size)), size)
