"""Rows of an array in HBM at positions that the kernel computes, copied one by one.

Scalar code begins copies, and positions are lanes of a vector: they go to scalar memory by a copy too. Rows
of 16 or 8 bits come in tiles of eight, whose wanted one is turned to the front. What an array has behind its
last whole tile is copied besides, before, and takes the place of the tile of those that want it. Planes of
arrays of more dimensions are copied as rows of 32 bits are.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import gcd

from xdsl.dialects import arith
from xdsl.dialects.builtin import IndexType, MemRefType, f32, i32
from xdsl.ir import Operation, SSAValue

from tilec.analysis.row_gathers import rows_at, rows_behind, rows_copied
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

    `tiles` are the copied rows where those are not the found ones, eight for each. Rows that are in no eight
    are copied to `behind`, and have a tile after the others. One semaphore is for all kinds of copies, which
    follow each other.
    """

    array: SSAValue
    lanes: SSAValue
    numbers: SSAValue
    found: SSAValue
    tiles: SSAValue | None
    behind: SSAValue | None
    copied: SSAValue

    @classmethod
    def of(cls, op: GatherOp, array: SSAValue, spec: Spec) -> "RowGather":
        """The scratch of a gather, each added to the kernel's by `spec`."""

        def scratch(kind: MemRefType, space: pallas.Space, name: str) -> SSAValue:
            made = spec(pallas.ScratchOp(pallas.in_space(kind, space)), op.result)
            made.name_hint = f"{op.result.name_hint or 'rows'}_{name}"
            return made

        (count, *row), element = shape_of(op.result.type), element_type(op.array.type)
        many = rows_copied(op) or 1
        single, behind = many == 1, rows_behind(op, many)
        ids, tiles = MemRefType(i32, [1, count]), MemRefType(element, [count + (behind > 0), SUBLANES, *row])
        return cls(
            array,
            scratch(ids, pallas.Space.VMEM, "lanes"),
            scratch(ids, pallas.Space.SMEM, "numbers"),
            scratch(MemRefType(element if single else f32, [count, *row]), pallas.Space.VMEM, "found"),
            None if single else scratch(tiles, pallas.Space.VMEM, "tiles"),
            scratch(MemRefType(element, [behind, *row]), pallas.Space.VMEM, "behind") if behind else None,
            scratch(MemRefType(pallas.DmaSemaphoreType(), [1]), pallas.Space.SEMAPHORE, "copied"),
        )


def gather_rows(
    op: GatherOp, parts: RowGather, lanes: SSAValue, scalars: Scalars, ops: list[Operation]
) -> SSAValue:
    """Copy the rows at `lanes`, 1 x n positions, by operations that are added to `ops`; returns them."""
    build = IndexBuilder(ops, op.location)
    build.insert_all(pallas.StoreOp(lanes, parts.lanes, []), op.location)
    rows, count = _Rows(op, parts, scalars), shape_of(op.result.type)[0]
    for half in (pallas.CopyStartOp, pallas.CopyWaitOp):
        build.insert_all(half(parts.lanes, [], parts.numbers, [], parts.copied, [0]), op.location)
        rows.copy_behind(half, build)
    unroll = gcd(count, AT_ONCE) if count % 2 == 0 else None
    for_rows(0, count, rows.begin, build, unroll)
    rows.keep_behind(build)
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
    planes = len(shape_of(parts.found.type)) > 2
    if parts.tiles is not None or planes or count % SUBLANES == 0:
        copied = parts.found if parts.tiles is None else parts.tiles
        all_of = [] if parts.behind is None else [pallas.Ds(0, count), None, None]
        build.insert_all(pallas.CopyWaitOp(copied, all_of, copied, all_of, parts.copied, [0]), build.location)
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

    def copy_behind(
        self, half: type[pallas.CopyStartOp] | type[pallas.CopyWaitOp], build: IndexBuilder
    ) -> None:
        """Begin, or wait, to copy the rows behind the last whole tile, if there are some."""
        parts = self.parts
        if parts.behind is not None:
            count, _ = shape_of(parts.behind.type)
            place = [pallas.Ds(self._whole, count), *self._part(0, build)]
            build.insert_all(half(parts.array, place, parts.behind, [], parts.copied, [0]), self.op.location)

    def keep_behind(self, build: IndexBuilder) -> None:
        """Store the rows behind the last whole tile in a tile of their own."""
        parts = self.parts
        if parts.behind is not None and parts.tiles is not None:
            count, _ = shape_of(parts.behind.type)
            rows = build.insert(pallas.LoadOp(parts.behind, []))
            place = [self._last(parts.tiles), pallas.Ds(0, count), None]
            build.insert_all(pallas.StoreOp(rows, parts.tiles, place), self.op.location)

    def begin(self, number: Index, build: IndexBuilder) -> None:
        """Begin to copy a row, or the tile of memory that it is in."""
        (row, part), parts = self._position(number, build), self.parts
        if parts.tiles is None:
            start, source, target = row, parts.found, [pallas.Ds(number, 1), *[None] * len(part)]
        else:
            tile = self._aligned(row, build)
            if parts.behind is not None:  # what is copied for a row behind all tiles is not looked at
                tile = build.minimum(tile, self._whole - SUBLANES)
            start = build.insert(pallas.MultipleOfOp(build.value(tile), SUBLANES))
            source, target = parts.tiles, [number, None, None]
        rows = pallas.Ds(start, 1 if parts.tiles is None else SUBLANES)
        copy = pallas.CopyStartOp(parts.array, [rows, *part], source, target, parts.copied, [0])
        build.insert_all(copy, self.op.location)

    def pick(self, number: Index, build: IndexBuilder) -> None:
        """Store the wanted row of a tile of memory among those found."""
        (row, _), parts = self._position(number, build), self.parts
        if parts.tiles is None:
            raise ValueError("rows that are copied one by one need no picking")
        held = number
        if parts.behind is not None:
            held = build.select(build.compare("sge", row, self._whole), self._last(parts.tiles), number)
        tile = build.insert(CastOp(build.insert(pallas.LoadOp(parts.tiles, [held, None, None])), f32))
        place = build.sub(row, self._aligned(row, build))
        turned = build.insert(pallas.RollOp(tile, build.remainder(build.sub(SUBLANES, place), SUBLANES), 0))
        first = build.insert(SliceOp(turned, 0, 0, 1))
        store = pallas.StoreOp(first, parts.found, [pallas.Ds(number, 1), None])
        build.insert_all(store, self.op.location)

    @property
    def _whole(self) -> int:
        """How many rows whole tiles hold."""
        rows = shape_of(self.parts.array.type)[0]
        return rows // SUBLANES * SUBLANES

    def _last(self, tiles: SSAValue) -> int:
        return shape_of(tiles.type)[0] - 1

    def _aligned(self, row: Index, build: IndexBuilder) -> Index:
        return build.mul(build.floordiv(row, SUBLANES), SUBLANES)

    def _position(self, number: Index, build: IndexBuilder) -> "tuple[Index, list[pallas.Ds | None]]":
        """The row that a lane names, and its part of the row, or some if the lane is dead."""
        rows, *row = shape_of(self.op.array.type)
        _, count = rows_at(self.op)
        element = build.insert(pallas.LoadOp(self.parts.numbers, [0, number]))
        place = build.insert(arith.IndexCastOp(element, IndexType()))
        place = build.nearest(place, rows - 1)
        begin = build.mul(build.remainder(place, count), row[-1])
        return build.floordiv(place, count), self._part(begin, build)

    def _part(self, begin: Index, build: IndexBuilder) -> "list[pallas.Ds | None]":
        return part_of_rows(self.op, self.parts.array, begin, self.scalars, build)


def part_of_rows(
    op: GatherOp, array: SSAValue, begin: Index, scalars: Scalars, build: IndexBuilder
) -> "list[pallas.Ds | None]":
    """The part that a gather wants of rows that begin in those of `array` where `begin` says; or all."""
    (_, dim, *others), size = op.window, shape_of(op.result.type)[1]
    if others or size == shape_of(array.type)[1]:
        return [None] * len(op.window[1:])
    if dim.base is not None and size != shape_of(op.array.type)[1]:
        begin = build.add(begin, scalars.span(dim.base).start)
    return [pallas.Ds(build.insert(pallas.MultipleOfOp(build.value(begin), size)), size)]
