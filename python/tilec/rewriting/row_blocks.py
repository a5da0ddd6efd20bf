"""Blocks of the rows of an array at computed positions, which a loop or an axis of the grid goes through."""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

from xdsl.dialects import memref
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import IndexType, IntegerAttr
from xdsl.ir import Block, Operation, SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from tilec.analysis.vmem import MOST_RESIDENT, WORD
from tilec.diagnostics import explain, fail
from tilec.dialects.tile.access import AccessOp
from tilec.dialects.tile.loops import ForOp, GridOp, YieldOp
from tilec.dialects.tile.syntax import Bounds
from tilec.dialects.tile.types import UNBOUND, SpanType, byte_width, element_type, shape_of
from tilec.rewriting.nests import add_axis, for_loop, free_name

ORDERS = ("auto", "inner", "outer", "rows")
"""How blocks and positions meet: by itself, each tile of positions meets all blocks, each block all tiles; or
there are no blocks, and positions are gone through one by one."""


def check_order(op: Operation, flag: str, order: str) -> None:
    """Refuse, for the pass `flag`, an order that is none of `ORDERS`."""
    if order not in ORDERS:
        fail(op, f"{flag}: order={order}; {', '.join(ORDERS)} are accepted")


@dataclass
class RowBlocks:
    """Blocks of at most `rows` rows, along dimension `position` of `array`, that an access names some of.

    `flag` is the pass that asks, for what is said."""

    flag: str
    access: AccessOp
    array: SSAValue
    position: int
    rows: int

    @property
    def name(self) -> str:
        """What the array is called in the program."""
        return self.access.array.name_hint or "array"

    @property
    def extent(self) -> int:
        """How many rows there are."""
        return shape_of(self.array.type)[self.position]

    def body(self, *more: SSAValue) -> Block:
        """An empty body for a loop through the blocks, which carries values like `more`."""
        block = Block(arg_types=[self._span(), *(value.type for value in more)])
        block.args[0].name_hint = f"{self.name}_rows"
        return block

    def loop(self, body: Block, *inits: SSAValue) -> ForOp:
        """The loop through the blocks of a body that has its terminator."""
        return for_loop(self._bounds(), body, self.access.location, inits)

    def update(self, order: str, updates: Callable[[SSAValue], list[Operation]]) -> None:
        """Replace the access by `updates` of each block: in the grid where `order` is, else in a loop."""
        if self._is_outer(order):
            span = add_axis(self._grid(), self._bounds(), self._span())
            span.name_hint = f"{self.name}_rows"
            Rewriter.replace_op(self.access, updates(span), [])
        else:
            body = self.body()
            body.add_ops([*updates(body.args[0]), YieldOp()])
            Rewriter.replace_op(self.access, self.loop(body), [])

    def _span(self) -> SpanType:
        """The type of the span of a block of rows, under a name of its own."""
        name, whole = free_name(self._grid(), f"{self.name}_rows"), self.extent
        return SpanType(name, self.rows if whole == UNBOUND else min(self.rows, whole))

    def _bounds(self) -> Bounds[SSAValue]:
        if self.extent != UNBOUND:
            return Bounds(0, self.extent)
        zero = ConstantOp(IntegerAttr(self.position, IndexType()))
        extent = memref.DimOp(self.array, zero)
        for op in (zero, extent):
            op.location = self.access.location
            Rewriter.insert_op(op, InsertPoint.before(self._grid()))
        return Bounds(0, extent.result)

    def _grid(self) -> GridOp:
        around = self.access.parent_op()
        while not isinstance(around, GridOp):
            if around is None:
                fail(self.access, f"{self.flag}: {self.access.name} outside of a tile.grid; put it into one")
            around = around.parent_op()
        return around

    def _is_outer(self, order: str) -> bool:
        """Whether the blocks of rows are an axis of the grid."""
        grid = self._grid()
        others = [op for op in grid.walk() if isinstance(op, AccessOp) and op.writes]
        alone = len(others) == 1 and self.access.parent is grid.body.block
        size = prod(abs(extent) for extent in shape_of(self.array.type))
        size *= max(WORD, byte_width(element_type(self.array.type)))
        one = self.extent != UNBOUND and self.extent <= self.rows
        wanted = order == "outer" or (
            order == "auto" and (one or self.extent == UNBOUND or size > MOST_RESIDENT)
        )
        if wanted and not alone:
            why = f"%{self.name} is whole for each tile of positions; the grid does more than this update"
        elif wanted:
            why = f"the grid goes through blocks of %{self.name}"
        else:
            why = f"%{self.name} is whole for each tile of positions"
        explain(self.access, f"{self.flag}: {why}")
        return wanted and alone
