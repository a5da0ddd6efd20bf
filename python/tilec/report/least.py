"""The least that a program can do with given integers: operations of products, bytes of arrays, tiles.

The program is walked with the integers of its arguments and no other data. Loops on whose iterations nothing
hangs that is counted are counted at once; those of segments are gone through one by one.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from math import prod

import numpy as np
from xdsl.dialects import func, scf
from xdsl.dialects.builtin import IntegerType, i8
from xdsl.ir import Block, Operation, SSAValue

from tilec.analysis.vmem import WORD
from tilec.dialects.tile.access import AccessOp, Effect
from tilec.dialects.tile.arrays import FullOp, LoadOp, SegmentOp
from tilec.dialects.tile.axes import Axis
from tilec.dialects.tile.gathers import GatherOp
from tilec.dialects.tile.loops import ForOp, LoopOp
from tilec.dialects.tile.products import DotOp, Precision
from tilec.dialects.tile.types import JaggedSpanType, byte_width, element_type, shape_of, span_names, span_of
from tilec.dialects.tile.views import viewed_array
from tilec.report.scalars import Integers, NotKnown, Range, Scalars

_MOST = 200_000
"""Iterations that are gone through one by one, some seconds' worth."""
_WHOLE_PASSES = 6
"""Products of 16-bit floats that one of 32-bit floats kept whole takes on the matrix units."""

Box = tuple[Range, ...]


@dataclass(frozen=True)
class Least:
    """What a program needs: `flops` multiplications and additions of its matrix products, `passes` the same
    with each counted as many times as the time it takes on the matrix units is that of one of bf16; bytes of
    arguments read and of results written once each, of which only what accesses reach; `steps`, tiles that
    cover each range of a loop alone."""

    flops: int
    passes: int
    bytes_read: int
    bytes_written: int
    steps: int


def least(
    function: func.FuncOp,
    shapes: Mapping[SSAValue, tuple[int, ...]],
    contents: Mapping[SSAValue, Integers],
    int8_passes: float = 1.0,
) -> Least:
    """What a function of the `tile` dialect with sizes of tiles needs, for arguments of `shapes`.

    `contents` are integers of arguments; a product of int8 takes `int8_passes` of the time of one of bf16.
    Raises `NotKnown` where loops hang on more than those.
    """
    walk = _Walk(function, Scalars(shapes, contents), int8_passes)
    walk.block(function.body.block)
    return walk.total()


class _Walk:
    """Counts. `_around` has for each axis around what is visited its name, if it has tiles, and how many of
    them, or of its indices, are counted at once."""

    def __init__(self, function: func.FuncOp, scalars: Scalars, int8_passes: float) -> None:
        self.function = function
        self.scalars = scalars
        self.int8_passes = int8_passes
        self.flops = self.passes = self.steps = self.visits = 0
        self.read: dict[SSAValue, set[Box]] = {}
        self.written: dict[SSAValue, set[Box]] = {}
        self._gathered: dict[SSAValue, int] = {}
        self._rows: dict[SSAValue, dict[Box, set[int]] | None] = {}
        self._looked_in: dict[SSAValue, set[Box]] = {}
        self._around: list[tuple[str | None, int]] = []
        self._spans: dict[str, Range] = {}
        self._sizes: dict[str, int] = {}
        self._deciding = _deciding_axes(function)

    def block(self, block: Block) -> None:
        for op in block.ops:
            match op:
                case LoopOp():
                    self._loop(op, op.axes)
                case scf.IfOp():
                    for region in op.regions:
                        for inner in region.blocks:
                            self.block(inner)
                case scf.ForOp():
                    raise NotKnown("a loop over scalars is in it")
                case AccessOp():
                    self._access(op)
                case DotOp():
                    self._product(op)
                case _:
                    pass

    def _loop(self, loop: LoopOp, axes: Collection[Axis]) -> None:
        if not axes:
            self.visits += 1
            if self.visits > _MOST:
                raise NotKnown(f"there are more than {_MOST:,} ranges")
            self.block(loop.body.block)
            if not any(isinstance(op, ForOp) for op in loop.body.walk()):
                self.steps += self._times(())
            return
        axis, *rest = axes
        span = span_of(axis.value)
        if isinstance(span, JaggedSpanType):
            raise NotKnown(f"axis {span.axis} has a range for each lane")
        begin, end = self.scalars.one(axis.bounds.begin), self.scalars.one(axis.bounds.end)
        size, name = (1, None) if span is None else (span.size, span.axis)
        alone = axis.value in self._deciding
        for low in range(begin, end, size if alone else max(end - begin, 1)):
            place = (low, min(low + size, end)) if alone else (begin, end)
            self._around.append((name, 1 if alone else -(-(end - begin) // size)))
            self.scalars.places[axis.value] = place
            if name is not None:
                self._spans[name], self._sizes[name] = place, size
            self._loop(loop, rest)
            self._around.pop()

    def _times(self, names: Collection[str | None]) -> int:
        """How often something with dimensions of these names is done, counting once what covers them."""
        return prod(count for name, count in self._around if name is None or name not in names)

    def _extent(self, size: int, name: str | None) -> int:
        if name is None:
            return size
        low, stop = self._spans[name]
        return stop - low

    def _lanes_of_tiles(self, name: str, dims: int) -> int:
        """How many lanes tiles of an axis have together where so many dimensions are along it."""
        low, stop = self._spans[name]
        size = min(self._sizes[name], max(stop - low, 1))
        return (stop - low) // size * size**dims + ((stop - low) % size) ** dims

    def _product(self, op: DotOp) -> None:
        left, right = (
            list(zip(shape_of(side.type), span_names(side.type), strict=True)) for side in (op.lhs, op.rhs)
        )
        dims = [*left, right[op.kept[1]]]
        names = Counter(name for _, name in dims if name is not None)
        flops = 2 * prod(size for size, name in dims if name is None) * self._times(names)
        flops *= prod(self._lanes_of_tiles(name, along) for name, along in names.items())
        kinds = {element_type(side.type) for side in (op.lhs, op.rhs)}
        whole = op.precision.data is Precision.HIGHEST and byte_width(element_type(op.lhs.type)) == 4
        self.flops += flops
        self.passes += (
            flops * _WHOLE_PASSES if whole else int(flops * (self.int8_passes if kinds == {i8} else 1))
        )

    def _access(self, op: AccessOp) -> None:
        box = tuple(self.scalars.dim(op.array, place, dim) for place, dim in enumerate(op.window))
        if any(stop <= low for low, stop in box):
            return
        if isinstance(op, GatherOp):
            self._looked_in.setdefault(op.array, set()).add(box)
            dims = list(zip(shape_of(op.result.type), span_names(op.result.type), strict=True))
            lanes = prod(self._extent(*dim) for dim in dims) * self._times([name for _, name in dims])
            self._gathered[op.array] = self._gathered.get(op.array, 0) + lanes
            self._note_rows(op, box)
        elif op.effect is not Effect.WRITE:
            self.read.setdefault(op.array, set()).add(box)
        if op.effect is not Effect.READ:
            self.written.setdefault(op.array, set()).add(box)

    def _note_rows(self, op: GatherOp, box: Box) -> None:
        """Keep at which positions a gather reads, beside what it takes of the other dimensions: nothing for
        an array of which they are not known."""
        place, dim = next((place, dim) for place, dim in enumerate(op.window) if dim.indexed)
        others, loaded = (*box[:place], *box[place + 1 :]), dim.base and dim.base.owner
        rows = self._rows.setdefault(op.array, {})
        moved = isinstance(dim.shift, SSAValue)
        if moved or not isinstance(loaded, LoadOp) or loaded.array not in self.scalars.contents:
            self._rows[op.array] = None
        elif rows is not None:
            dims = (self.scalars.dim(loaded.array, *pair) for pair in enumerate(loaded.window))
            held = self.scalars.contents[loaded.array][tuple(slice(*each) for each in dims)]
            rows.setdefault(others, set()).update(np.unique(held).tolist())

    def total(self) -> Least:
        arguments, last = set(self.function.body.block.args), self.function.body.block.last_op
        results = {viewed_array(value) for value in last.operands} if last is not None else set[SSAValue]()
        return Least(
            self.flops,
            self.passes,
            sum(self._bytes(array, self.read) + self._found(array) for array in arguments) + self._segments(),
            sum(self._bytes(array, self.written) for array in results),
            self.steps,
        )

    def _bytes(self, array: SSAValue, reached: Mapping[SSAValue, set[Box]]) -> int:
        """Bytes of an array that accesses reach, through all of its views."""
        whole = prod(self.scalars.extent(array, place) for place in range(len(shape_of(array.type))))
        filled = isinstance(array.owner, FullOp) and reached is self.written
        count = sum(volume(boxes) for seen, boxes in reached.items() if viewed_array(seen) is array)
        return _width(array) * (whole if filled else min(count, whole))

    def _found(self, array: SSAValue) -> int:
        """Bytes of an array that only gathers reach: the rows that they name, where these are known, as many
        as they have lanes, or all where they look."""
        count = 0
        for seen, boxes in self._looked_in.items():
            if viewed_array(seen) is array:
                before, rows = self.read.get(seen, set()), self._rows[seen]
                named = [] if rows is None else [volume({box}) * len(ids) for box, ids in rows.items()]
                most = [self._gathered[seen]] if rows is None else [self._gathered[seen], sum(named)]
                count += min(volume(boxes | before) - volume(before), *most)
        return _width(array) * count

    def _segments(self) -> int:
        """Bytes of the arrays that only segments read: all of them."""
        arrays = {
            array
            for op in self.function.walk()
            if isinstance(op, SegmentOp)
            for array in (op.begins, op.ends)
            if array is not None and array not in self.read
        }
        return sum(_width(each) * prod(self.scalars.shapes.get(each, ())) for each in arrays)


def _width(array: SSAValue) -> int:
    """Bytes of an element; kernels have 32-bit integers for 64-bit ones."""
    width = byte_width(element_type(array.type))
    return min(width, WORD) if isinstance(element_type(array.type), IntegerType) else width


def _deciding_axes(function: func.FuncOp) -> set[SSAValue]:
    """What axes yield on which the ranges of other axes hang, or loaded places of accesses."""
    found: set[SSAValue] = set()
    for op in function.walk():
        if isinstance(op, LoopOp):
            bounds = [bound for axis in op.axes for bound in (axis.bounds.begin, axis.bounds.end)]
            found |= _behind(bound for bound in bounds if isinstance(bound, SSAValue))[0]
        elif isinstance(op, AccessOp):
            axes, loaded = _behind(value for dim in op.window if not dim.indexed for value in dim.values)
            found |= axes if loaded else set()
    return found


def _behind(values: Iterable[SSAValue]) -> tuple[set[SSAValue], bool]:
    """The block arguments that values depend on, and whether something is loaded on the way."""
    found: set[SSAValue] = set()
    seen: set[SSAValue] = set()
    pending, loaded = list(values), False
    while pending:
        value = pending.pop()
        if value in seen:
            continue
        seen.add(value)
        owner = value.owner
        if isinstance(owner, Operation):
            loaded |= isinstance(owner, SegmentOp | LoadOp)
            pending += owner.operands
        else:
            found.add(value)
    return found, loaded


def volume(boxes: Collection[Box]) -> int:
    """How many elements boxes hold together; of those that overlap at a corner more than that."""
    merged, before = set(boxes), 0
    while len(merged) != before:
        before = len(merged)
        for place in range(len(next(iter(merged), ()))):
            merged = _merged(merged, place)
    apart = sum(prod(stop - low for low, stop in box) for box in merged)
    along = [_merged({(box[place],) for box in merged}, 0) for place in range(len(next(iter(merged), ())))]
    return min(apart, prod(sum(stop - low for ((low, stop),) in ranges) for ranges in along))


def _merged(boxes: Collection[Box], place: int) -> set[Box]:
    """Boxes that differ in one dimension only, and meet there, made one."""
    rows: dict[Box, list[Range]] = {}
    for box in boxes:
        rows.setdefault((*box[:place], *box[place + 1 :]), []).append(box[place])
    found: set[Box] = set()
    for others, ranges in rows.items():
        joined: list[Range] = []
        for low, stop in sorted(ranges):
            if joined and low <= joined[-1][1]:
                joined[-1] = (joined[-1][0], max(stop, joined[-1][1]))
            else:
                joined.append((low, stop))
        found |= {(*others[:place], each, *others[place:]) for each in joined}
    return found
