"""`--sink-scales`: constant factors of scores are multiplied in last, where the exponential multiplies too.

A TPU has no exponential but of base 2: `exp(d)` is `exp2(d * log2(e))`, which multiplies. Where `d` is a
difference of scores that were all scaled by one constant, that product can scale as well, and scores, their
maximum and what loops carry of it stay as they were before: one product less for each score.

Before:
    %s = arith.mulf %raw, %c : tensor<128x256xf32>             // %c = tile.splat 0.125
    %here = tile.reduce max %s dims [1]
    %top = arith.maximumf %before, %here : tensor<128xf32>      // carried; begins with -1.0e+30
    %topw = tile.broadcast %top dims [0] : tensor<128x256xf32>
    %d = arith.subf %s, %topw : tensor<128x256xf32>
    %p = math.exp %d : tensor<128x256xf32>
After:
    %here = tile.reduce max %raw dims [1]
    %top = arith.maximumf %before, %here : tensor<128xf32>      // begins with -8.0e+30
    %topw = tile.broadcast %top dims [0] : tensor<128x256xf32>
    %d = arith.subf %raw, %topw : tensor<128x256xf32>
    %e = arith.mulf %d, %f : tensor<128x256xf32>               // %f = tile.splat 0.125 * log2(e)
    %p = math.exp2 %e : tensor<128x256xf32>

Rounding changes: differences are taken before they are scaled, and are rounded once less, so that their
error is one of the difference and no longer one of the scores. Only f32 is changed. A maximum that is used
elsewhere, stored say, is multiplied there. The product stays where scores are used otherwise, or meet what
has no such factor, as a bias.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import e, isinf, log2
from typing import cast

from xdsl.context import Context
from xdsl.dialects import arith, math
from xdsl.dialects.builtin import ModuleOp, f32
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from tilec.diagnostics import explain
from tilec.dialects.tile.elementwise import SelectOp
from tilec.dialects.tile.loops import ForOp, YieldOp
from tilec.dialects.tile.mixing import Combine, ReduceOp
from tilec.dialects.tile.syntax import scalar_of
from tilec.dialects.tile.types import element_type, shape_of
from tilec.dialects.tile.values import BroadcastOp, ReshapeOp, SplatOp

_LARGEST = 2.0**126
"""Constants stay below this: a difference of two of them is finite."""

_EXTREME = 2.0**100
"""Factors lie between this and its inverse. A difference that overflows then leads to an infinity or a zero
after its scaling too, and one that is lost as too small to a power of 1."""


class SinkScales(ModulePass):
    """Multiply the constant factors of scores where the exponential does."""

    name = "sink-scales"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for product in [inner for inner in op.walk() if isinstance(inner, arith.MulfOp | arith.DivfOp)]:
            if product.parent is not None and (factor := _factor(product)) is not None:
                scaled = _Scaled(product, factor)
                if scaled.found():
                    scaled.sink()


def _factor(op: Operation) -> float | None:
    """The positive constant that an operation multiplies its first operand by, if it does that to a tile."""
    if not isinstance(op, arith.MulfOp | arith.DivfOp) or element_type(op.result.type) != f32:
        return None
    constant = _constant(op.rhs)
    if constant is None or not shape_of(op.result.type) or not 1 / _EXTREME < constant < _EXTREME:
        return None
    return constant if isinstance(op, arith.MulfOp) else 1 / constant


def _constant(value: SSAValue) -> float | None:
    made = value.owner
    return scalar_of(made.value) if isinstance(made, SplatOp) else None


@dataclass
class _Scaled:
    """What lies between products by a factor and exponentials.

    `values` are those that would be without the factor, were it not for the `products`; `constants` are the
    operands of constants that they meet, and `others` the uses that need them as they are.
    """

    first: Operation
    factor: float
    products: dict[Operation, None] = field(default_factory=dict[Operation, None])
    values: dict[SSAValue, None] = field(default_factory=dict[SSAValue, None])
    exponentials: dict[Operation, None] = field(default_factory=dict[Operation, None])
    constants: dict[tuple[Operation, int], None] = field(default_factory=dict[tuple[Operation, int], None])
    others: list[tuple[Operation, int]] = field(default_factory=list[tuple[Operation, int]])

    def found(self) -> bool:
        """Find all of them; whether the products can go. Says why not where exponentials are reached."""
        self._add(self.first)
        meets = all(self._is_scaled(op, index) for value in [*self.values] for op, index in _sources(value))
        if not self.exponentials:
            return False
        rank = len(shape_of(self.first.results[0].type))
        alone = all(len(shape_of(op.operands[index].type)) < rank for op, index in self.others)
        if not meets:
            explain(self.first, "sink-scales: the product stays, since it meets what has no such factor")
        elif not alone:
            explain(self.first, "sink-scales: the product stays, since more than exponentials use it")
        return meets and alone

    def _add(self, product: Operation) -> None:
        """Add a product, and what it makes a multiple of the factor."""
        self.products[product] = None
        waiting: list[SSAValue] = [product.results[0]]
        while waiting:
            value = waiting.pop()
            if value in self.values:
                continue
            self.values[value] = None
            for use in value.uses:
                if isinstance(use.operation, math.ExpOp | math.Exp2Op):
                    self.exponentials[use.operation] = None
                elif made := _made(use.operation, use.index):
                    waiting += made
                else:
                    self.others.append((use.operation, use.index))

    def _is_scaled(self, op: Operation, index: int) -> bool:
        """Whether an operand is one of the values, or can be: as a product by the same, or a constant."""
        value = op.operands[index]
        if value in self.values:
            return True
        constant, made = _constant(value), value.owner
        if constant is not None and (isinf(constant) or abs(constant / self.factor) < _LARGEST):
            self.constants[op, index] = None
            return True
        if isinstance(made, Operation) and _factor(made) == self.factor:
            before = [*self.values]
            self._add(made)
            fresh = [each for each in self.values if each not in before]
            return all(self._is_scaled(*source) for each in fresh for source in _sources(each))
        return False

    def sink(self) -> None:
        """Multiply at the exponentials, and where else a value is used as it was."""
        for op, index in self.others:
            op.operands[index] = _times(op.operands[index], self.factor, op)
        for op, index in self.constants:
            constant = scalar_of(cast("SplatOp", op.operands[index].owner).value)
            op.operands[index] = _inserted(SplatOp(constant / self.factor, op.operands[index].type), op)
        for op in self.exponentials:
            factor = self.factor * (log2(e) if isinstance(op, math.ExpOp) else 1)
            power = math.Exp2Op(_times(op.operands[0], factor, op))
            power.location = op.location
            Rewriter.replace_op(op, power)
        for product in self.products:
            Rewriter.replace_op(product, [], [product.operands[0]])  # the constant goes with what is dead


def _made(op: Operation, index: int) -> Sequence[SSAValue]:
    """What an operation makes a multiple of a factor, if all of its operands are that; nothing, if none."""
    match op:
        case ReduceOp() if op.kind.data in (Combine.MAX, Combine.MIN):
            return op.results
        case SelectOp() if index == 0:
            return ()
        case (
            arith.MaximumfOp()
            | arith.MinimumfOp()
            | arith.SubfOp()
            | arith.AddfOp()
            | SelectOp()
            | BroadcastOp()
            | ReshapeOp()
        ):
            return op.results
        case ForOp():
            return _carried(op, index)  # first states are its first operands, and the others integers
        case YieldOp() if isinstance(loop := op.parent_op(), ForOp):
            return _carried(loop, index)
        case _:
            return ()


def _carried(loop: ForOp, position: int) -> Sequence[SSAValue]:
    return loop.carried[position], loop.results_[position]


def _sources(value: SSAValue) -> Sequence[tuple[Operation, int]]:
    """The operands that make a value, and must have its factor."""
    made = value.owner
    loop = cast("Operation", made.parent_op() if isinstance(made, Block) else made)
    if isinstance(loop, ForOp):
        values = loop.carried if isinstance(made, Block) else loop.results_
        position = list(values).index(value)
        return (loop, position), (cast("YieldOp", loop.body.block.last_op), position)
    match made:
        case arith.MulfOp() | arith.DivfOp():
            return ()
        case SelectOp():
            return (made, 1), (made, 2)
        case _:
            return [
                (cast("Operation", made), index) for index in range(len(cast("Operation", made).operands))
            ]


def _times(value: SSAValue, factor: float, before: Operation) -> SSAValue:
    splat = _inserted(SplatOp(factor, value.type), before)
    return _inserted(arith.MulfOp(value, splat), before)


def _inserted(op: Operation, before: Operation) -> SSAValue:
    op.location = before.location
    Rewriter.insert_op(op, InsertPoint.before(before))
    return op.results[0]
