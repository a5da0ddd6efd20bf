"""Control flow in a kernel: conditions and loops, and the yield that ends their regions and index maps."""

from collections.abc import Sequence

from xdsl.dialects.builtin import DenseArrayBase, IndexType, IntegerAttr, i1, i64
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    region_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import IsTerminator, NoTerminator, Pure, RecursiveMemoryEffect
from xdsl.utils.exceptions import VerifyException

from tilec.dialects.tile.syntax import (
    parse_bounds,
    parse_carried,
    parse_known_operand,
    parse_optional_count,
    print_carried,
    print_operand_or_int,
)

from .syntax import pack_ints, parse_values, unpack_ints, verify_in_kernel, verify_index

ENDED_BY_YIELD = (
    "pallas.in",
    "pallas.out",
    "pallas.pipe_in",
    "pallas.pipe_out",
    "pallas.cond",
    "pallas.fori",
)


@irdl_op_definition
class YieldOp(IRDLOperation):
    """Ends an index map with an index for each dimension, and a region of `cond` or `fori` with its results.

    Example:
        pallas.yield %m, %k
    """

    name = "pallas.yield"
    values = var_operand_def()
    traits = traits_def(IsTerminator(), Pure())

    def __init__(self, values: Sequence[SSAValue] = ()):
        super().__init__(operands=[values])

    @classmethod
    def parse(cls, parser: Parser) -> "YieldOp":
        return cls(parse_values(parser))

    def print(self, printer: Printer) -> None:
        if self.values:
            printer.print_string(" ")
            printer.print_list(self.values, printer.print_ssa_value)

    def verify_(self) -> None:
        outer = self.parent_op()
        if outer is None or outer.name not in ENDED_BY_YIELD:
            place = "nothing" if outer is None else outer.name
            raise VerifyException(f"pallas.yield stands in {place}; it ends an index map, a cond or a fori")


def yielded(op: Operation, region: Region) -> Sequence[SSAValue]:
    """What the region's yield gives. Raises `VerifyException` where it ends otherwise."""
    last = region.block.last_op
    if not isinstance(last, YieldOp):
        raise VerifyException(f"{op.name} has a region that does not end with pallas.yield")
    return last.values


def _end_with_yield(body: Region) -> None:
    if not body.blocks:
        body.add_block(Block())
    if not isinstance(body.block.last_op, YieldOp):
        body.block.add_op(YieldOp())


def _types(values: Sequence[SSAValue]) -> str:
    return "(" + ", ".join(str(value.type) for value in values) + ")"


@irdl_op_definition
class WhenOp(IRDLOperation):
    """Runs its region where the condition holds.

    Example:
        pallas.when %first {
          pallas.store %zero, %acc
        }
    """

    name = "pallas.when"
    condition = operand_def(i1)
    body = region_def("single_block")
    traits = traits_def(NoTerminator(), RecursiveMemoryEffect())

    def __init__(self, condition: SSAValue, body: Region):
        super().__init__(operands=[condition], regions=[body])

    @classmethod
    def parse(cls, parser: Parser) -> "WhenOp":
        return cls(parse_known_operand(parser), parser.parse_region())

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.condition)
        printer.print_string(" ")
        printer.print_region(self.body)

    def verify_(self) -> None:
        verify_in_kernel(self)


@irdl_op_definition
class CondOp(IRDLOperation):
    """Results in what the first region yields where the condition holds, else in what the second yields.

    Example:
        %r = pallas.cond %p {
          pallas.yield %a
        } else {
          pallas.yield %b
        }
    """

    name = "pallas.cond"
    condition = operand_def(i1)
    results_ = var_result_def()
    then = region_def("single_block")
    otherwise = region_def("single_block")
    traits = traits_def(RecursiveMemoryEffect())

    def __init__(self, condition: SSAValue, then: Region, otherwise: Region):
        last = then.block.last_op
        kinds = [value.type for value in last.operands] if isinstance(last, YieldOp) else []
        super().__init__(operands=[condition], regions=[then, otherwise], result_types=[kinds])

    @classmethod
    def parse(cls, parser: Parser) -> "CondOp":
        condition = parse_known_operand(parser)
        then = parser.parse_region()
        parser.parse_keyword("else")
        otherwise = parser.parse_region()
        for region in (then, otherwise):
            _end_with_yield(region)
        return cls(condition, then, otherwise)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.condition)
        for word, region in ((" ", self.then), (" else ", self.otherwise)):
            printer.print_string(word)
            printer.print_region(region, print_block_terminators=bool(self.results_))

    def verify_(self) -> None:
        verify_in_kernel(self)
        kinds = [value.type for value in self.results_]
        for region in (self.then, self.otherwise):
            values = yielded(self, region)
            if [value.type for value in values] != kinds:
                raise VerifyException(
                    f"pallas.cond results in {_types(self.results_)} and a region yields {_types(values)}; "
                    "the types must agree"
                )


@irdl_op_definition
class ForiOp(IRDLOperation):
    """Runs its region for each index from `begin` up to, not including, `end`, in order, with carried values.

    `unroll N`, where the bounds are literals, writes out N iterations at a time.

    Example:
        %n = pallas.fori %t = %first to %stop iter_args(%count = %zero) {
          %next = arith.addi %count, %one : index
          pallas.yield %next
        }
    """

    name = "pallas.fori"
    bound_operands = var_operand_def(IndexType)
    inits = var_operand_def()
    static_bounds = prop_def(DenseArrayBase)
    unroll = opt_prop_def(IntegerAttr)
    results_ = var_result_def()
    body = region_def("single_block")

    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    traits = traits_def(RecursiveMemoryEffect())

    def __init__(
        self,
        begin: SSAValue | int,
        end: SSAValue | int,
        inits: Sequence[SSAValue],
        body: Region,
        unroll: int | None = None,
    ):
        operands, static = pack_ints([begin, end])
        super().__init__(
            operands=[operands, inits],
            properties={
                "static_bounds": static,
                "unroll": None if unroll is None else IntegerAttr(unroll, i64),
            },
            result_types=[[value.type for value in inits]],
            regions=[body],
        )

    @property
    def bounds(self) -> tuple[SSAValue | int, SSAValue | int]:
        """The first index and the one after the last."""
        bounds = unpack_ints(self, self.bound_operands, self.static_bounds)
        if len(bounds) != 2:
            raise VerifyException(f"pallas.fori has {len(bounds)} bounds; it takes a begin and an end")
        return bounds[0], bounds[1]

    @property
    def carried(self) -> Sequence[SSAValue]:
        """The body's arguments that hold the carried values."""
        return self.body.block.args[1:]

    @classmethod
    def parse(cls, parser: Parser) -> "ForiOp":
        argument = parser.parse_argument(expect_type=False)
        parser.parse_punctuation("=")
        begin, end = parse_bounds(parser)
        arguments = [argument.resolve(IndexType())]
        inits: list[SSAValue] = []
        if parser.parse_optional_keyword("iter_args"):
            pairs = parser.parse_comma_separated_list(parser.Delimiter.PAREN, lambda: parse_carried(parser))
            inits = [init for _, init in pairs]
            arguments += [name.resolve(init.type) for name, init in pairs]
        unroll = parse_optional_count(parser, "unroll")
        body = parser.parse_region(arguments)
        _end_with_yield(body)
        return cls(begin, end, inits, body, unroll)

    def print(self, printer: Printer) -> None:
        begin, end = self.bounds
        printer.print_string(" ")
        printer.print_ssa_value(self.body.block.args[0])
        printer.print_string(" = ")
        print_operand_or_int(printer, begin)
        printer.print_string(" to ")
        print_operand_or_int(printer, end)
        if self.inits:
            printer.print_string(" iter_args(")
            pairs = zip(self.carried, self.inits, strict=True)
            printer.print_list(pairs, lambda pair: print_carried(printer, *pair))
            printer.print_string(")")
        if self.unroll is not None:
            printer.print_string(f" unroll {self.unroll.value.data}")
        printer.print_string(" ")
        printer.print_region(
            self.body, print_entry_block_args=False, print_block_terminators=bool(self.inits)
        )

    def verify_(self) -> None:
        verify_in_kernel(self)
        verify_index(self, "an induction value", self.body.block.args[:1])
        if self.unroll is not None and (self.unroll.value.data < 1 or self.bound_operands):
            raise VerifyException(
                "pallas.fori with `unroll` has a bound that is no literal, or unrolls less than 1; from a "
                "literal to a literal, and 1 or more, are accepted"
            )
        _ = self.bounds
        kinds = [value.type for value in self.inits]
        for what, values in (("carries", self.carried), ("yields", yielded(self, self.body))):
            if [value.type for value in values] != kinds:
                raise VerifyException(
                    f"pallas.fori {what} {_types(values)} where its iter_args start as {_types(self.inits)}; "
                    "the types must agree"
                )
