"""What a block does to the rows of a tile, in stages that each go through the rows once.

A stage ends with what it does for others: it writes rows, or it combines them. What needs the combination of
all rows, as their mean, waits for the next stage, and so do the rows that need that. Rows of earlier stages
are made again from memory, so nothing of a tile has to be held from one stage to the next.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xdsl.dialects import scf
from xdsl.dialects.builtin import TensorType
from xdsl.ir import Block, Operation, SSAValue

from tilec.analysis.lanes import is_filled, moves_freely
from tilec.analysis.strips import name_of
from tilec.analysis.visits import covers, follows
from tilec.analysis.vmem import WORD
from tilec.dialects.tile.access import Effect
from tilec.dialects.tile.elementwise import is_lanewise
from tilec.dialects.tile.locals import is_local
from tilec.dialects.tile.mixing import Combine, FillOp, ReduceOp, WholeOp, identity
from tilec.dialects.tile.places import GetOp, SetOp
from tilec.dialects.tile.schedule import WindowOp
from tilec.dialects.tile.syntax import ints_of
from tilec.dialects.tile.types import RefType, byte_width, element_type, shape_of, span_names
from tilec.dialects.tile.values import BroadcastOp, IndicesOp, SplatOp

STRIP_REGISTERS = 64
"""What a strip of rows may have of its widest value: the registers of a core. Fewer are as many bundles a
register, and more loops around them."""
_KINDS = (Combine.ADD, Combine.MAX, Combine.MIN)


@dataclass(frozen=True)
class Stage:
    """`alone` are operations without rows, which come first; `rows` those that are done for all rows, of
    which `sums` combine them."""

    alone: Sequence[Operation]
    rows: Sequence[Operation]
    sums: Sequence[ReduceOp]


@dataclass(frozen=True)
class RowStages:
    """The stages of a block for the rows of one span; `dims` is the dimension of each value that they lie
    along."""

    stages: Sequence[Stage]
    dims: Mapping[SSAValue, int]


class Unsuited(Exception):
    """Why rows cannot be done one after the other."""


def stages_of(block: Block, span: SSAValue) -> RowStages | str:
    """The stages of a block, which ends with a terminator or with nothing, or why there are none."""
    reader = _Reader(span)
    try:
        for op in block.ops:
            if op is not block.last_op or not isinstance(op, scf.YieldOp):
                reader.read(op)
            elif any(value in reader.dims for value in op.operands):
                return "some rows are results of the condition"
        return reader.staged()
    except Unsuited as reason:
        return str(reason)


def takes_parts(window: WindowOp, span: SSAValue) -> bool:
    """Whether a window has the tiles of a span, which lie in its block where tiles of memory do, or from
    where they are turned as they are read."""
    places = [place for place, dim in enumerate(window.window) if dim.base is span]
    if len(places) != 1 or is_local(window.array):
        return False
    (place,), dim = places, window.window[places[0]]
    plain = dim.shift == 0 and not moves_freely(dim)
    turned = follows(window, place) or (covers(window, place) and place == len(window.window) - 2)
    return plain or (window.effect is Effect.READ and turned)


class _Reader:
    """Takes operations in order, and tells those of rows from others."""

    def __init__(self, span: SSAValue):
        self.span = span
        self.axis = name_of(span)
        self.dims: dict[SSAValue, int] = {}
        self.numbers: dict[Operation, int] = {}
        self.waits: dict[SSAValue, int] = {}
        self.rows: list[Operation] = []
        self.alone: list[Operation] = []
        self.effects = 0
        """The last stage so far that has an operation with an effect."""

    def read(self, op: Operation) -> None:
        number = max((self.waits.get(value, 0) for value in _used(op)), default=0)
        if self._has_rows(op):
            self.rows.append(op)
            self._read_rows(op)
        else:
            self.alone.append(op)
            if isinstance(op, GetOp | SetOp) or op.regions:
                number = self.effects = max(self.effects, number)
        self.numbers[op] = number
        over = isinstance(op, ReduceOp) and op in self.rows and op.result not in self.dims
        self.waits |= dict.fromkeys(op.results, number + over)

    def _has_rows(self, op: Operation) -> bool:
        """Whether an operation is about rows; raises if it is and may not be."""
        if isinstance(op, WindowOp):
            return False
        inside = [value for value in _used(op) if value in self.dims]
        window = op.ref.owner if isinstance(op, GetOp | SetOp) else None
        about = isinstance(window, WindowOp) and any(dim.base is self.span for dim in window.window)
        if isinstance(window, WindowOp) and about and not takes_parts(window, self.span):
            raise Unsuited(f"%{window.result.name_hint or 'a window'} has no whole tiles of rows")
        if op.regions and (inside or self._touches(op)):
            raise Unsuited("some rows are used under a condition, or in a loop")
        if any(isinstance(value.type, RefType) for value in op.operands) and not isinstance(
            op, GetOp | SetOp
        ):
            raise Unsuited(f"they have a {op.name}")
        made = any(self.axis in span_names(value.type) for value in op.results if _is_tile(value))
        return about or bool(inside) or made

    def _touches(self, op: Operation) -> bool:
        """Whether an operation in a region of `op` is about rows."""
        windows = [inner.ref.owner for inner in op.walk() if isinstance(inner, GetOp | SetOp)]
        bases = [dim.base for window in windows if isinstance(window, WindowOp) for dim in window.window]
        return any(base is self.span for base in bases)

    def _read_rows(self, op: Operation) -> None:
        """Where the rows of an operation's result lie."""
        dim = self._dim(op)
        if dim is None:
            return
        for value in op.results:
            if span_names(value.type).count(self.axis) > 1:
                raise Unsuited("a value has them along two dimensions")
            if dim == len(shape_of(value.type)) - 1 and dim > 0:
                raise Unsuited("rows lie along lanes")
            self.dims[value] = dim

    def _dim(self, op: Operation) -> int | None:
        """The dimension of rows in what `op` makes; none if it makes nothing with rows."""
        match op:
            case GetOp():
                return self._dim_of_window(op)
            case SetOp():
                if op.mask is not None or self._along(op.value, self._dim_of_window(op)) is None:
                    raise Unsuited("rows are stored by a mask, or all alike")
                return None
            case IndicesOp():
                return 0
            case SplatOp():
                return span_names(op.result.type).index(self.axis)
            case BroadcastOp():
                if op.value in self.dims or self.axis in span_names(op.value.type):
                    return ints_of(op.dims)[self._dim_inside(op.value)]
                return span_names(op.result.type).index(self.axis)
            case FillOp() | WholeOp():
                return self._common(op, [value for value in op.operands if _is_tile(value)])
            case ReduceOp():
                return self._dim_of_sum(op)
            case _ if is_lanewise(op):
                return self._common(op, list(op.operands))
            case _:
                raise Unsuited(f"they have a {op.name}")

    def _dim_inside(self, value: SSAValue) -> int:
        """The dimension of rows in a value, which the block must make itself."""
        if value not in self.dims:
            raise Unsuited("rows are used under a condition that were computed before it")
        return self.dims[value]

    def _dim_of_window(self, op: GetOp | SetOp) -> int:
        window = op.ref.owner
        if not isinstance(window, WindowOp) or op.at is not None:
            raise Unsuited("scratch keeps rows from step to step, or parts of a tile are taken already")
        dim = next((number for number, each in enumerate(window.window) if each.base is self.span), None)
        if dim is None:
            raise Unsuited("windows have tiles of the axis by another span, as they are joined")
        place = sum(each.kept for each in window.window[:dim])
        if place == sum(each.kept for each in window.window) - 1:
            raise Unsuited("rows lie along lanes")
        return place

    def _dim_of_sum(self, op: ReduceOp) -> int | None:
        dim, dims = self._dim_inside(op.value), ints_of(op.dims)
        if dim not in dims:
            return dim - sum(each < dim for each in dims)
        kind = element_type(op.value.type)
        if op.kind.data not in _KINDS or byte_width(kind) != WORD:
            raise Unsuited(f"they are combined by {op.kind.data} in {kind}")
        if not is_filled(op.value, self.span, identity(op.kind.data, kind)):
            raise Unsuited("rows that are not live are combined with others")
        if len(shape_of(op.value.type)) == 1:
            raise Unsuited("numbers of rows are combined")
        return None

    def _common(self, op: Operation, values: Sequence[SSAValue]) -> int:
        """The dimension of rows in values that meet lane by lane."""
        dims = {self.dims[value] for value in values if value in self.dims}
        if not dims:
            dims = {span_names(op.results[0].type).index(self.axis)}
        (dim, *others) = dims
        if others or any(self._along(value, dim) is None for value in values if shape_of(value.type)):
            raise Unsuited("rows meet what is no row")
        return dim

    def _along(self, value: SSAValue, dim: int) -> int | None:
        """`dim` if rows of a value lie along it, or if it is the same for all of them."""
        if value in self.dims:
            return dim if self.dims[value] == dim else None
        return dim if is_alike(value, dim) else None

    def staged(self) -> RowStages:
        """Give each stage what it needs."""
        ends = [op for op in self.rows if isinstance(op, SetOp) or op.results[0] not in self.dims]
        if not ends:
            raise Unsuited("nothing is done with rows")
        stages: list[Stage] = []
        order = {op: place for place, op in enumerate(self.rows)}
        for number in range(max(self.numbers.values()) + 1):
            here = [op for op in ends if self.numbers[op] == number]
            rows = sorted(self._needed(here), key=lambda op: order[op])
            alone = [op for op in self.alone if self.numbers[op] == number]
            stages.append(Stage(alone, rows, [op for op in here if isinstance(op, ReduceOp)]))
        self._check(stages)
        return RowStages(stages, self.dims)

    def _needed(self, ends: Sequence[Operation]) -> set[Operation]:
        found, pending = set[Operation](), list(ends)
        while pending:
            op = pending.pop()
            if op not in found:
                found.add(op)
                owners = [value.owner for value in op.operands if value in self.dims]
                pending += [owner for owner in owners if isinstance(owner, Operation)]
        return found

    def _check(self, stages: Sequence[Stage]) -> None:
        """That nothing dear is made twice, and that no row is read after it was written."""
        often = [op for op in self.rows if sum(op in stage.rows for stage in stages) > 1]
        dear = next((op for op in often if op.name.startswith("math.")), None)
        if dear is not None:
            raise Unsuited(f"{dear.name} of each row would be made in several stages")
        written: set[SSAValue] = set()
        for stage in stages:
            for op in stage.rows:
                window = op.ref.owner if isinstance(op, GetOp | SetOp) else None
                if isinstance(window, WindowOp) and isinstance(op, GetOp) and window.array in written:
                    raise Unsuited("rows are read after they were written")
                if isinstance(window, WindowOp) and isinstance(op, SetOp):
                    written.add(window.array)


def is_alike(value: SSAValue, dim: int) -> bool:
    """Whether a value is the same along a dimension, and so can be made for some of it."""
    match value.owner:
        case SplatOp():
            return True
        case BroadcastOp() as op:
            return dim not in ints_of(op.dims)
        case _:
            return False


def _used(op: Operation) -> list[SSAValue]:
    """What an operation, and those in its regions, use."""
    return [value for inner in op.walk() for value in inner.operands]


def _is_tile(value: SSAValue) -> bool:
    return isinstance(value.type, TensorType)
