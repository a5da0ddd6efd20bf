"""What a step of a kernel holds in registers, and what of it must go to VMEM because there are too few.

The compiler unrolls an operation on a tile over the tile's registers and then schedules all instructions
together. Where each lane only goes from one operation to the next, registers are used again at once, however
large the tile. What has to wait is held as a whole: a value that a reduction goes over and that is used again
afterwards; a column of numbers, one for each row, that is computed with while such a value waits; masks, and
the rows of a sum that wait for theirs; rows that the matrix units want more than once.

The rules say what is held, and are fitted: within a tenth of all the memory that libtpu 0.0.51 takes for the
kernels of `benchmarks/memory.py` where that comes near what a chip has, and coarser for small tiles, where it
hardly counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from functools import cached_property
from math import prod

from xdsl.dialects import arith
from xdsl.ir import Attribute, Operation, SSAValue

from tilec.analysis.vmem import LANES, REGISTER, SUBLANES, WORD, registers
from tilec.chips import Chip
from tilec.dialects.tile.elementwise import CastOp, CompareOp, SelectOp
from tilec.dialects.tile.mixing import FillOp, ReduceOp, ScanOp, WholeOp
from tilec.dialects.tile.places import GetOp, ScratchOp, SetOp, held_type, scratch_of
from tilec.dialects.tile.products import DotOp, Precision
from tilec.dialects.tile.scans import AssociativeScanOp
from tilec.dialects.tile.schedule import Loop, PipelineOp, WindowOp
from tilec.dialects.tile.syntax import ints_of
from tilec.dialects.tile.types import byte_width, element_type, shape_of, span_names
from tilec.dialects.tile.values import BroadcastOp, IndicesOp, SplatOp

FILE = {"v4": 32}
"""Vector registers of a chip, where they are not 64."""
FREE = {"v4": 10}
"""Registers left for held values, where they are not 48: the others go to what is on its way. Fitted to
softmax, layer norm and matmul: 48 and 10 give the spills of tiles that just do not fit, within a tenth."""

_MIXING = ReduceOp | ScanOp | AssociativeScanOp | DotOp


class Kind(Enum):
    """What is held: a block of lanes, one that is as well made again, or a number for each row."""

    BLOCK = auto()
    REMADE = auto()
    COLUMN = auto()


@dataclass(frozen=True)
class Held:
    """A value that is held as a whole, in so many registers, from one operation to just before another.

    `first` and `last` count operations of the pipeline.
    """

    op: Operation
    kind: Kind
    registers: int
    first: int
    last: int


class Pressure:
    """What the steps of a pipeline hold, with `sizes` in place of the block sizes of some axes."""

    def __init__(self, pipeline: PipelineOp, chip: Chip, sizes: Mapping[str, int]):
        self.chip = chip
        self.loop = pipeline.loop.data
        self.sizes = sizes
        self.carries_columns = any(rank == 1 for rank in map(_rank, scratch_of(pipeline)))
        self.order = {op: number for number, op in enumerate(pipeline.body.walk())}
        self.mixing = [at for op, at in self.order.items() if isinstance(op, _MIXING)]
        self._cheap: dict[SSAValue, bool] = {}
        self._mixed: dict[SSAValue, bool] = {}

    @property
    def file(self) -> int:
        return FILE.get(self.chip.name, 64)

    def spilled(self) -> list[tuple[Operation, int]]:
        """What does not fit the registers where most is held: values and how many of their registers."""
        free, found = FREE.get(self.chip.name, 48), list[tuple[Operation, int]]()
        for held in sorted(self._peak(), key=lambda each: each.registers):
            kept = min(free, held.registers)
            free -= kept
            if held.registers > kept:
                found.append((held.op, held.registers - kept))
        return found

    def _peak(self) -> list[Held]:
        """Those held at once where that is most."""
        choices = [self._at(held.first) for held in self.held]
        return max(choices, key=lambda each: sum(held.registers for held in each)) if choices else []

    def _at(self, moment: int) -> list[Held]:
        """Those held after an operation.

        Beside blocks, columns are computed one after the other; alone, they wait where steps carry them.
        """
        live = [held for held in self.held if held.first == moment or held.first < moment < held.last]
        columns = [held for held in live if held.kind is Kind.COLUMN]
        rest = [held for held in live if held.kind is not Kind.COLUMN]
        if any(held.kind is Kind.BLOCK for held in rest):
            waiting = map(self._beside_blocks, columns)
            return [*rest, *sorted(waiting, key=lambda each: each.registers)[-1:]]
        return rest or (columns if self.carries_columns else [])

    def _beside_blocks(self, column: Held) -> Held:
        """A column that blocks wait for: one that is not used beyond the next reduction is used row by row.

        Then the first numbers are done with before the last are there. Measured: 16 registers less than all
        on v4, 32 on the others, for 64 to 1024 rows of layer norm; all where the mean is used again later.
        """
        if any(column.first < at < column.last for at in self.mixing):
            return column
        return replace(column, registers=max(0, column.registers - self.file // 2))

    @cached_property
    def held(self) -> list[Held]:
        """All that is held at some time."""
        found: list[Held] = []
        for op, now in self.order.items():
            match op:
                case DotOp():
                    found.append(Held(op, Kind.BLOCK, self._of_dot(op), now, now))
                case ReduceOp() if len(self.shape(op.value)) - 1 not in ints_of(op.dims):
                    found.append(Held(op, Kind.BLOCK, self._of_rows(op), now, now))
                case BroadcastOp() if _is_turned(op):
                    rows = self.shape(op.result)[ints_of(op.dims)[0]] // SUBLANES
                    found.append(Held(op, Kind.BLOCK, rows, now, max(now, self._last_use(op.result))))
                case BroadcastOp() if _has_lanes_as_rows(op):
                    first = not any(map(_has_lanes_as_rows, (held.op for held in found)))
                    rows = self.count(op.result) if first else 3 * self.count(op.result) // 8
                    found.append(Held(op, Kind.BLOCK, rows, now, max(now, self._last_use(op.result))))
                case _ if _is_lanewise(op):
                    found += [self._of_value(op, value, now) for value in op.results]
                case _:
                    pass
        return [held for held in found if held.registers]

    def shape(self, value: SSAValue) -> tuple[int, ...]:
        """The shape of a value, with `sizes`; lanes that are masked keep those of their axis."""
        if isinstance(value.owner, FillOp | WholeOp):
            return self.shape(value.owner.value)
        return sized(value.type, self.sizes)

    def count(self, value: SSAValue) -> int:
        """Registers of a value."""
        return registers(self.shape(value), byte_width(element_type(value.type)))

    def _of_value(self, op: Operation, value: SSAValue, now: int) -> Held:
        """A block that is used again after a reduction over it, or a column that is computed with."""
        rank, last = len(shape_of(value.type)), self._last_use(value)
        if rank == 1:
            return Held(op, Kind.COLUMN, self.shape(value)[0] // SUBLANES, now, last)
        users = {use.operation for use in value.uses if not isinstance(use.operation, SetOp)}
        if rank == 0 or len(users) < 2 or not self.is_mixed(value):
            return Held(op, Kind.BLOCK, 0, now, last)
        if not self.is_cheap(value):
            return Held(op, Kind.BLOCK, self.count(value), now, last)
        # A sum or a product of what is in memory is made again rather than kept; a few are on their way.
        most = 0 if isinstance(op, CastOp) else 2 * self.file
        return Held(op, Kind.REMADE, min(most, self.count(value)), now, last)

    def _last_use(self, value: SSAValue) -> int:
        """The last operation that wants a value. A store takes it as soon as it is there."""
        last = 0
        for use in value.uses:
            user = use.operation
            if isinstance(user, BroadcastOp):
                last = max(last, self._last_use(user.result))
            elif not isinstance(user, SetOp):
                last = max(last, self.order.get(user, 0))
        return last

    def is_cheap(self, value: SSAValue) -> bool:
        """Whether a value is made, lane by lane, of nothing but what is in memory."""
        if value not in self._cheap:
            op = value.owner
            if not isinstance(op, Operation) or isinstance(
                op, GetOp | SplatOp | IndicesOp | arith.ConstantOp
            ):
                cheap = True
            elif isinstance(op, BroadcastOp) or _is_lanewise(op):
                cheap = all(self.is_cheap(operand) for operand in op.operands)
            else:
                cheap = not shape_of(value.type)
            self._cheap[value] = cheap
        return self._cheap[value]

    def is_mixed(self, value: SSAValue) -> bool:
        """Whether a reduction, a scan or a product goes over a value, or over what is made of it by lanes."""
        if value not in self._mixed:
            self._mixed[value] = any(
                isinstance(user, _MIXING) or (_is_lanewise(user) and any(map(self.is_mixed, user.results)))
                for user in (use.operation for use in value.uses)
            )
        return self._mixed[value]

    def _of_rows(self, op: ReduceOp) -> int:
        """Registers held by a reduction over rows: masks of all rows, and values that wait for their mask.

        Masks are all computed first; without any, each row is added at once. Words in memory are loaded when
        their mask is there, but for a quarter on v4, where the copies are not the kernel's own. Packed rows
        are kept as they were loaded; a `fori_loop` unpacks them first. Of those and of computed rows, three
        files are held, and half of what is more. Half of a file is on its way; on v4 it stands also for the
        scratch in which the compiler lays sums of more than 128 lanes out anew.

        Measured: sums of 128 to 4096 rows of 100 to 400 f32 and bf16, and of their squares. From 200 lanes
        on, all the memory is mostly within a tenth on v4; on others within a quarter up to 2048 rows, and up
        to 1.4 times too much of more rows. Of narrow rows in small tiles it may be 1.7 times too much.
        """
        whole, passing = self.count(op.value), self.file // 2
        if not _is_filled(op):
            return min(whole, passing)
        masks = -(-prod(self.shape(op.value)[dim] for dim in ints_of(op.dims)) // SUBLANES)
        own, width = self.loop is Loop.FORI_LOOP, _width_loaded(op.value)
        if width == WORD:
            return masks + passing + (whole // 4 if self.file == 32 and not own else 0)
        if width is not None and not own:
            return masks + registers(self.shape(op.value), width)
        return masks + whole // 2 + min(whole // 2, 3 * passing)

    def _of_dot(self, op: DotOp) -> int:
        """Registers held by a matrix product: rows of the left operand, and sums that are not complete."""
        (left, _), (row, column) = op.contracted, op.kept
        lhs, rhs = self.shape(op.lhs), self.shape(op.rhs)
        depth, rows, columns = lhs[left], lhs[row], rhs[column]
        width, side = byte_width(element_type(op.lhs.type)), self.chip.mxu_side
        if left < row:
            return self._of_transposed(op, width)
        if len(lhs) > 2:
            exact = op.precision.data is Precision.HIGHEST
            return sum(self._of_batches(operand, exact) for operand in (op.lhs, op.rhs))
        if self.chip.name == "tpu7x":
            # Measured: all of the left operand, in 16 bits, or nothing.
            large = rows * depth >= 2**20 and rows >= 512 * width and columns > side
            return registers(lhs, 2) if large else 0
        deep, wide = -(-depth // side), -(-columns // side)
        many = deep > self.chip.mxus
        again = many and wide > 1 if side > LANES else deep * wide > self.chip.mxus
        # Packed rows are put together from two loads, so they are kept where they are wanted again.
        kept = registers(lhs, width) if again and width < WORD else 0
        sums = rows * side * WORD // REGISTER if many else 0
        masks = rows // SUBLANES if kept and _is_filled(op) else 0
        return kept + sums + masks

    def _of_batches(self, operand: SSAValue, exact: bool) -> int:
        """An operand of many products that is computed: all of it waits, in the parts that are multiplied.

        Measured: chains of two products of 4 to 128 rows and columns, on v5e: 4.6 to 4.7 times an operand of
        f32 that is multiplied exactly, 0.8 times one that is not, 1.5 times one of bf16.
        """
        if self.is_cheap(operand):
            return 0
        wide = byte_width(element_type(operand.type)) == WORD
        thirds = 5 if not wide else 14 if exact else 3
        return self.count(operand) * thirds // 3

    def _of_transposed(self, op: DotOp, width: int) -> int:
        """A left operand that is summed over its rows: v4 and v5 transpose it first, in 32 bits."""
        if self.chip.mxu_side > LANES:
            return 0
        packed = registers(self.shape(op.lhs), width) if width < WORD else 0
        return registers(self.shape(op.lhs), WORD) + packed


def sized(kind: Attribute, sizes: Mapping[str, int]) -> tuple[int, ...]:
    """The shape of a value's type, with `sizes` in place of the block sizes of some axes."""
    pairs = zip(span_names(kind), shape_of(kind), strict=True)
    return tuple(extent if name is None else sizes.get(name, extent) for name, extent in pairs)


def _is_turned(op: BroadcastOp) -> bool:
    """Whether the lanes of a row that is loaded become rows, all of which the compiler lays out at once.

    Measured: sums over 4096 to 65536 such rows take 512 bytes a row on v5e and v6e, but for a file or so.
    """
    value, last = op.value, len(shape_of(op.result.type)) - 1
    while isinstance(value.owner, CastOp | FillOp | WholeOp):
        value = value.owner.operands[0]
    loaded = isinstance(value.owner, GetOp) and isinstance(value.owner.ref.owner, WindowOp)
    return loaded and len(shape_of(value.type)) == 1 and ints_of(op.dims) != (last,)


def _has_lanes_as_rows(op: Operation) -> bool:
    """Whether the lanes of a tile become rows of one of rank 3 or more, which the compiler lays out anew.

    Measured: pairs of 20 to 128 columns in 64 to 512 rows take 0.9 to 1.2 times the pairs' registers on v5e,
    0.36 times where they are only multiplied and added up; each further such value as much.
    """
    if not isinstance(op, BroadcastOp):
        return False
    source, target = len(shape_of(op.value.type)), len(shape_of(op.result.type))
    return 1 < source < target and ints_of(op.dims)[-1] != target - 1


def _rank(scratch: ScratchOp) -> int:
    return len(shape_of(held_type(scratch.result)))


def _width_loaded(value: SSAValue) -> int | None:
    """Bytes of an element in memory of a value that is only masked and cast from there; else None."""
    op = value.owner
    if isinstance(op, CastOp | FillOp | WholeOp):
        return _width_loaded(op.operands[0])
    return byte_width(element_type(value.type)) if isinstance(op, GetOp) else None


def _is_filled(op: Operation) -> bool:
    """Whether lanes are masked in the same block, with one number for each row."""
    block = op.parent
    return block is not None and any(isinstance(each, FillOp) for each in block.ops)


def _is_lanewise(op: Operation) -> bool:
    """Whether a lane of the result depends on that lane of the operands alone."""
    if isinstance(op, CastOp | CompareOp | SelectOp | FillOp | WholeOp):
        return True
    return op.name.partition(".")[0] in ("arith", "math")
