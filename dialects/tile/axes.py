"""The axes of loops and pipelines, as in `0 to %n by m:128 max 512 mean 12`, and the spans in scope."""

from dataclasses import dataclass
from itertools import chain

from xdsl.dialects.builtin import IndexType, i32
from xdsl.dialects.utils import EnumAttribute
from xdsl.ir import Attribute, Block, Operation, SpacedOpaqueSyntaxAttribute, SSAValue
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.str_enum import StrEnum

from .syntax import Bounds, parse_bounds, parse_optional_count, print_operand_or_int
from .types import (
    UNBOUND,
    AnySpan,
    JaggedSpanType,
    SpanType,
    shape_of,
    span_names,
    span_of,
    value_type,
)


class Order(StrEnum):
    """Whether the iterations of an axis may run in any order, on any core."""

    PARALLEL = "parallel"
    ORDERED = "ordered"


@irdl_attr_definition
class OrderAttr(EnumAttribute[Order], SpacedOpaqueSyntaxAttribute):
    """`parallel` or `ordered`, as `--classify-axes` found it."""

    name = "tile.order"


@dataclass(frozen=True)
class Axis:
    """One axis as the passes see it: its induction value, bounds and order (`None` until classified)."""

    value: SSAValue
    bounds: Bounds[SSAValue]
    order: Order | None

    @property
    def name(self) -> str:
        """The span's name, or the hint of an index axis."""
        span = span_of(self.value)
        return span.axis if span else self.value.name_hint or "index"


@dataclass(frozen=True)
class ParsedAxis:
    """The text of one axis: `%m = 0 to %n by m:128 max 512 mean 12 parallel`."""

    argument: Parser.UnresolvedArgument
    kind: Attribute
    bounds: Bounds[SSAValue]
    order: Order | None


def parse_axis(parser: Parser) -> ParsedAxis:
    argument = parser.parse_argument(expect_type=False)
    parser.parse_punctuation("=")
    bounds, kind, order = parse_axis_tail(parser)
    return ParsedAxis(argument, kind, bounds, order)


def parse_axis_tail(parser: Parser) -> tuple[Bounds[SSAValue], Attribute, Order | None]:
    """Parse `0 to %n by m:128 max 512 mean 12 parallel`."""
    begin, end = parse_bounds(parser)
    kind: Attribute = IndexType()
    exact = False
    if parser.parse_optional_keyword("by"):
        name = parser.parse_identifier("an axis name")
        bound = parser.parse_optional_punctuation(":") is not None
        size = parser.parse_integer(allow_negative=False) if bound else UNBOUND
        kind = SpanType(name, size)
        if parser.parse_optional_keyword("of"):
            kind = JaggedSpanType(name, size, parser.parse_identifier("the parent's name"))
        exact = parser.parse_optional_keyword("exact") is not None
    limit, mean = (parse_optional_count(parser, word) for word in ("max", "mean"))
    order = parser.parse_optional_keyword_in([str(order) for order in Order])
    return Bounds(begin, end, limit, mean, exact), kind, None if order is None else Order(order)


def print_axis_tail(printer: Printer, bounds: Bounds[SSAValue], kind: Attribute, order: Order | None) -> None:
    print_operand_or_int(printer, bounds.begin)
    printer.print_string(" to ")
    print_operand_or_int(printer, bounds.end)
    if isinstance(kind, AnySpan):
        printer.print_string(f" by {kind.axis}" + (f":{kind.size}" if kind.size != UNBOUND else ""))
    if isinstance(kind, JaggedSpanType):
        printer.print_string(f" of {kind.parent}")
    if bounds.exact:
        printer.print_string(" exact")
    if bounds.limit is not None:
        printer.print_string(f" max {bounds.limit}")
    if bounds.mean is not None:
        printer.print_string(f" mean {bounds.mean}")
    if order is not None:
        printer.print_string(f" {order}")


def verify_axis(op: Operation, axis: Axis) -> None:
    """Check one axis: types of bounds, static extent, mean, a size, no span of that name around it."""
    span = span_of(axis.value)
    _verify_mean(op, axis)
    if isinstance(span, JaggedSpanType):
        _verify_extents(op, axis, span)
    else:
        _verify_bounds(op, axis)
    if span is None:
        if not isinstance(axis.value.type, IndexType):
            raise VerifyException(
                f"{op.name} axis is of type {axis.value.type}; index or !tile.span is needed"
            )
        return
    if span.size != UNBOUND and span.size <= 0:
        raise VerifyException(f"{op.name} axis {span.axis} has a block of {span.size}; 1 or more is needed")
    jagged = isinstance(span, JaggedSpanType)
    if axis.bounds.exact and (span.size == UNBOUND or jagged):
        why = "it is jagged" if jagged else "its block has no size"
        raise VerifyException(
            f"{op.name} axis {span.axis} is exact, and {why}; a range in blocks of a number can be exact"
        )
    outer = span_in_scope(op.parent_op(), span.axis)
    if outer is not None and outer is not axis.value:
        raise VerifyException(
            f"{op.name} names an axis {span.axis} inside another axis {span.axis}; "
            "nested axes need distinct names"
        )


def _verify_mean(op: Operation, axis: Axis) -> None:
    bounds = axis.bounds
    if bounds.mean is None:
        return
    if isinstance(bounds.begin, int) and isinstance(bounds.end, int):
        raise VerifyException(
            f"{op.name} axis {axis.name} runs from {bounds.begin} to {bounds.end} and has a mean of "
            f"{bounds.mean}; only an extent known at run time takes one"
        )
    if bounds.limit is not None and bounds.mean > bounds.limit:
        raise VerifyException(
            f"{op.name} axis {axis.name} has a mean of {bounds.mean} and a max of {bounds.limit}; "
            "a mean up to the max is needed"
        )


def _verify_bounds(op: Operation, axis: Axis) -> None:
    begin, end = axis.bounds.begin, axis.bounds.end
    for side in (begin, end):
        if isinstance(side, SSAValue) and not isinstance(side.type, IndexType):
            accepted = "an index is needed"
            if shape_of(side.type):
                accepted += f", or `by {axis.name} of` the axis whose lanes have these extents"
            raise VerifyException(f"{op.name} axis {axis.name} has a bound of type {side.type}; {accepted}")
    if isinstance(begin, int) and isinstance(end, int) and begin > end:
        raise VerifyException(
            f"{op.name} axis {axis.name} runs from {begin} to {end}; begin must not exceed end"
        )


def _verify_extents(op: Operation, axis: Axis, span: JaggedSpanType) -> None:
    """Check the bounds of a jagged axis: 0, and an extent for each lane of its parent."""
    what = f"{op.name} axis {span.axis} of {span.parent}"
    if op.name != "tile.for":
        raise VerifyException(f"{what} is jagged; its extents are lanes, and tile.for takes such an axis")
    value = span_in_scope(op.parent_op(), span.parent)
    parent = None if value is None else span_of(value)
    if parent is None:
        raise VerifyException(f"{what} is jagged, and no axis {span.parent} is around it")
    if isinstance(parent, JaggedSpanType):
        raise VerifyException(
            f"{what} is jagged, and so is {span.parent} itself, of {parent.parent}; a jagged axis is of one "
            "whose lanes are live up to a common end"
        )
    if axis.bounds.begin != 0:
        raise VerifyException(f"{what} is jagged and does not begin at 0; write `0 to`, and add the begins")
    needed, end = value_type(i32, [parent.size], [parent.axis]), axis.bounds.end
    if isinstance(end, int) or end.type != needed:
        given = f"{end}" if isinstance(end, int) else f"a value of type {end.type}"
        raise VerifyException(f"{what} is jagged and ends at {given}; {needed} is needed")


def span_in_scope(op: Operation | None, name: str) -> SSAValue | None:
    """The span called `name` that `op` or an operation around it introduces for its regions."""
    around: list[Block] = []
    while op is not None:
        around += [block for region in op.regions for block in region.blocks]
        op = op.parent_op()
    arguments = (value for block in around for value in block.args)
    made = (inner.results[0] for block in around for inner in block.ops if inner.name in _MAKES_SPANS)
    for value in chain(arguments, made):
        span = span_of(value)
        if span is not None and span.axis == name:
            return value
    return None


_MAKES_SPANS = ("tile.axis", "tile.span")


def verify_names(op: Operation, kind: Attribute) -> None:
    """Check that the spans that `kind` names are in scope, with the same size. Raises `VerifyException`."""
    for name, size in zip(span_names(kind), shape_of(kind), strict=True):
        if name is None:
            continue
        value = span_in_scope(op.parent_op(), name)
        span = None if value is None else span_of(value)
        if span is None:
            raise VerifyException(f"{op.name} makes a {kind}, and no axis {name} is around it")
        if span.size != size:
            sizes = ["?" if n == UNBOUND else str(n) for n in (size, span.size)]
            raise VerifyException(
                f"{op.name} makes a {kind}: {sizes[0]} lanes of {name}, whose span has {sizes[1]}"
            )
