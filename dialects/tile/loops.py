"""Loops of the `tile` dialect: independent grids, inner loops, and their terminator."""

from abc import ABC
from collections.abc import Sequence
from typing import cast

from xdsl.dialects.builtin import ArrayAttr, DenseArrayBase
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    irdl_op_definition,
    opt_prop_def,
    prop_def,
    region_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import IsTerminator, Pure, RecursiveMemoryEffect, SingleBlockImplicitTerminator
from xdsl.utils.exceptions import VerifyException

from .axes import Axis, Order, OrderAttr, ParsedAxis, parse_axis, print_axis_tail, verify_axis
from .syntax import Bounds, pack_bounds, parse_carried, print_carried, unpack_bounds
from .types import span_of


class LoopOp(IRDLOperation, ABC):
    """What `tile.grid` and `tile.for` share."""

    bound_operands = var_operand_def()  # `verify_axis` says more of a wrong type than a constraint would
    static_bounds = prop_def(DenseArrayBase)
    limits = prop_def(DenseArrayBase)
    means = opt_prop_def(DenseArrayBase)
    exact = opt_prop_def(DenseArrayBase)
    orders = opt_prop_def(ArrayAttr[OrderAttr])
    body = region_def("single_block")

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The axes, outermost first. Raises `VerifyException` where operands and arguments disagree."""
        bounds = unpack_bounds(
            self.name, self.bound_operands, self.static_bounds, self.limits, self.means, self.exact
        )
        values = self.body.block.args[: len(bounds)]
        orders = [None] * len(bounds) if self.orders is None else [order.data for order in self.orders]
        if not len(values) == len(bounds) == len(orders):
            raise VerifyException(
                f"{self.name} has bounds for {len(bounds)} axes and {len(values)} arguments"
            )
        return tuple(Axis(*axis) for axis in zip(values, bounds, orders, strict=True))

    def set_orders(self, orders: Sequence[Order]) -> None:
        self.orders = ArrayAttr([OrderAttr(order) for order in orders])

    def verify_axes(self) -> None:
        seen: set[str] = set()
        for axis in self.axes:
            verify_axis(self, axis)
            if span_of(axis.value) and axis.name in seen:
                raise VerifyException(f"{self.name} has two axes {axis.name}; give them distinct names")
            seen.add(axis.name)

    def print_axes(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_list(self.axes, lambda axis: _print_axis(printer, axis))


def tile_axes(module: Operation) -> set[str]:
    """The names of the tile axes of all loops in a program."""
    loops = [op for op in module.walk() if isinstance(op, LoopOp)]
    spans = [span_of(axis.value) for loop in loops for axis in loop.axes]
    return {span.axis for span in spans if span is not None}


def _print_axis(printer: Printer, axis: Axis) -> None:
    printer.print_ssa_value(axis.value)
    printer.print_string(" = ")
    print_axis_tail(printer, axis.bounds, axis.value.type, axis.order)


def _loop_properties(
    parser: Parser, axes: Sequence[ParsedAxis]
) -> tuple[list[SSAValue], dict[str, Attribute | None]]:
    operands, properties = pack_bounds([axis.bounds for axis in axes])
    orders = [OrderAttr(axis.order) for axis in axes if axis.order is not None]
    if len(orders) not in (0, len(axes)):
        parser.raise_error("mark every axis `parallel` or `ordered`, or none")
    return operands, properties | {"orders": ArrayAttr(orders) if orders else None}


@irdl_op_definition
class YieldOp(IRDLOperation):
    """Ends the body of a loop, with the next values of what it carries.

    Example:
        %sum = tile.for %k = 0 to 8 iter_args(%part = %b) {
          %next = arith.addi %part, %k : index
          tile.yield %next
        }
    """

    name = "tile.yield"
    values = var_operand_def()
    traits = traits_def(IsTerminator(), Pure())

    def __init__(self, values: Sequence[SSAValue] = ()):
        super().__init__(operands=[values])

    @classmethod
    def parse(cls, parser: Parser) -> "YieldOp":
        values: list[SSAValue] = []
        name = parser.parse_optional_unresolved_operand()
        while name is not None:
            known = parser.ssa_values.get(name.operand_name)
            if known is None:
                parser.raise_error(f"value %{name.operand_name} is used before its definition", name.span)
            values.append(known[name.index])
            more = parser.parse_optional_punctuation(",")
            name = parser.parse_unresolved_operand() if more else None
        return cls(values)

    def print(self, printer: Printer) -> None:
        if self.values:
            printer.print_string(" ")
            printer.print_list(self.values, printer.print_ssa_value)


@irdl_op_definition
class GridOp(LoopOp):
    """A nest of axes whose iterations are independent of each other.

    Bounds are literals or values of type `index`. An axis `by m` is a tile axis: it yields a `!tile.span<m>`
    of consecutive indices, live up to the axis' end. Any other axis yields an index. `max N` promises that
    the extent does not exceed N; `mean N` says what it is on average over the run of the program, for choices
    only: results never depend on it. Tiles that begin at no multiple of their block may be cut elsewhere, as
    the tiles of memory are, and a program must not depend on where, unless it says `by m:8 exact`. Later axes
    are inner; the bounds of all are known before the first. Two iterations that touch one element, one of
    them writing, are a race and are refused.

    Example:
        tile.grid %g = 0 to 8, %m = 0 to 512 by m {
          %v = tile.load %x[%g, %m]
          tile.store %v, %y[%g, %m]
        }
    """

    name = "tile.grid"
    traits = traits_def(SingleBlockImplicitTerminator(YieldOp), RecursiveMemoryEffect())

    def __init__(
        self,
        operands: Sequence[SSAValue],
        properties: dict[str, Attribute | None],
        body: Region,
    ):
        super().__init__(operands=[operands], properties=properties, regions=[body])

    @classmethod
    def parse(cls, parser: Parser) -> "GridOp":
        axes = [parse_axis(parser)]
        while parser.parse_optional_punctuation(","):
            axes.append(parse_axis(parser))
        operands, properties = _loop_properties(parser, axes)
        body = parser.parse_region([axis.argument.resolve(axis.kind) for axis in axes])
        _end_with_yield(body)
        return cls(operands, properties, body)

    def print(self, printer: Printer) -> None:
        self.print_axes(printer)
        printer.print_string(" ")
        printer.print_region(self.body, print_entry_block_args=False, print_block_terminators=False)

    def verify_(self) -> None:
        self.verify_axes()
        if _terminator(self).values:
            raise VerifyException("tile.grid yields nothing; store what its iterations compute")
        for axis in self.axes:
            if axis.order is Order.ORDERED:
                raise VerifyException(
                    f"tile.grid calls axis {axis.name} ordered; its iterations are independent, "
                    "use tile.for for an order"
                )


@irdl_op_definition
class ForOp(LoopOp):
    """An inner axis, whose iterations run in order and may carry values.

    The axis is written as in `tile.grid`. `iter_args` gives the carried values their first state;
    `tile.yield` gives the next; the results are the last. With no iteration the results are the first state.

    An axis `0 to %lens by k of p` is jagged and yields a `!tile.jagged_span<k of p>`. `p` is a tile axis
    around it, not jagged itself, and `%lens` a tile of i32 that gives each of its lanes an extent; a negative
    one counts as 0. For each lane of `p` it is a loop to the lane's own extent. Steps go through common
    indices of all lanes, as long as a live lane of `p` has one left; a lane whose extent is not beyond the
    first index of a step does not make it. In such a step the lane is dead, and keeps what is carried for it.
    A value with dimensions of both is live where the index along `k` is below the extent of the lane of `p`,
    one of `k` alone where it is below the longest, one of `p` alone where the lane makes the step. What is
    carried without a dimension of `p` is the tile's, and changes in all steps. Other lanes are dead as any
    are: nothing is read or written there, and where lanes mix they count as the identity. `max N` promises
    that no extent is more.

    Example:
        %sum = tile.for %k = 0 to 512 by k iter_args(%acc = %zero) {
          %v = tile.load %x[%m, %k]
          %s = tile.reduce add %v dims [1]
          %next = arith.addf %acc, %s : tensor<?xf32, #tile.spans<m>>
          tile.yield %next
        }
        tile.for %f = 0 to %lens by f of m {
          %w = tile.load %y[%m, %f]
        }
    """

    name = "tile.for"
    inits = var_operand_def()
    results_ = var_result_def()

    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    traits = traits_def(SingleBlockImplicitTerminator(YieldOp), RecursiveMemoryEffect())

    def __init__(
        self,
        operands: Sequence[SSAValue],
        inits: Sequence[SSAValue],
        properties: dict[str, Attribute | None],
        body: Region,
    ):
        super().__init__(
            operands=[inits, operands],
            properties=properties,
            regions=[body],
            result_types=[[value.type for value in inits]],
        )

    @property
    def axis(self) -> Axis:
        return self.axes[0]

    def rebuilt(self, bounds: Bounds[SSAValue], inits: Sequence[SSAValue]) -> "ForOp":
        """A loop with other bounds and first states that takes over this one's body, name and order."""
        operands, properties = pack_bounds([bounds])
        loop = ForOp(operands, inits, properties | {"orders": self.orders}, self.detach_region(self.body))
        loop.location = self.location
        return loop

    @property
    def carried(self) -> Sequence[SSAValue]:
        """The body's arguments that hold the carried values."""
        return self.body.block.args[1:]

    @property
    def yielded(self) -> Sequence[SSAValue]:
        return _terminator(self).values

    @classmethod
    def parse(cls, parser: Parser) -> "ForOp":
        axis = parse_axis(parser)
        arguments = [axis.argument.resolve(axis.kind)]
        inits: list[SSAValue] = []
        if parser.parse_optional_keyword("iter_args"):
            pairs = parser.parse_comma_separated_list(parser.Delimiter.PAREN, lambda: parse_carried(parser))
            inits = [init for _, init in pairs]
            arguments += [argument.resolve(init.type) for argument, init in pairs]
        operands, properties = _loop_properties(parser, [axis])
        body = parser.parse_region(arguments)
        _end_with_yield(body)
        return cls(operands, inits, properties, body)

    def print(self, printer: Printer) -> None:
        self.print_axes(printer)
        if self.inits:
            printer.print_string(" iter_args(")
            printer.print_list(
                zip(self.carried, self.inits, strict=True), lambda pair: print_carried(printer, *pair)
            )
            printer.print_string(")")
        printer.print_string(" ")
        printer.print_region(
            self.body, print_entry_block_args=False, print_block_terminators=bool(self.inits)
        )

    def verify_(self) -> None:
        if len(self.axes) != 1:
            raise VerifyException(f"tile.for has {len(self.axes)} axes; it takes one")
        self.verify_axes()
        kinds = [value.type for value in self.inits]
        for what, values in (
            ("carries", self.carried),
            ("yields", self.yielded),
            ("results in", self.results_),
        ):
            got = [value.type for value in values]
            if got != kinds:
                raise VerifyException(
                    f"tile.for {what} {_list(got)} where its iter_args start as {_list(kinds)}; "
                    "the types must agree"
                )


def _list(kinds: Sequence[Attribute]) -> str:
    return "(" + ", ".join(str(kind) for kind in kinds) + ")"


def _terminator(op: LoopOp) -> YieldOp:
    return cast(YieldOp, op.body.block.last_op)  # or its trait refuses the loop


def _end_with_yield(body: Region) -> None:
    block: Block = body.block
    if not isinstance(block.last_op, YieldOp):
        block.add_op(YieldOp())
