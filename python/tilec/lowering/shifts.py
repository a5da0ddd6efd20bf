"""Divisions by powers of two as shifts.

The TPU compiler shifts too, but takes the absolute value first and repairs the sign afterwards: about twelve
scalar instructions for one division (libtpu 0.0.51, v5e), and an index map is computed up to three times in a
step. An arithmetic shift rounds down for either sign, as the division does.
"""

from xdsl.dialects import arith
from xdsl.dialects.builtin import IndexType, TensorType, i32
from xdsl.ir import Operation, SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from tilec.analysis.positions import literal_of
from tilec.dialects import pallas
from tilec.dialects.tile.syntax import scalar_attr
from tilec.dialects.tile.types import element_type
from tilec.dialects.tile.values import SplatOp


def shift_divisions(kernel: pallas.CallOp) -> None:
    """Replace what divides an index or an i32, rounding down or up, by a literal power of two.

    `-2**31` has no ceiling so, which the division has not either: it negates the number.
    """
    for op in list(kernel.walk()):
        if not isinstance(op, arith.FloorDivSIOp | arith.CeilDivSIOp):
            continue
        divisor = literal_of(op.rhs)
        if divisor is None or divisor < 1 or divisor & (divisor - 1):
            continue
        if element_type(op.result.type) in (IndexType(), i32):
            _replace(op, divisor.bit_length() - 1)


def _replace(op: arith.FloorDivSIOp | arith.CeilDivSIOp, bits: int) -> None:
    kind = op.result.type
    made: list[Operation] = []

    def insert(new: Operation) -> SSAValue:
        new.location = op.location
        made.append(new)
        return new.results[0]

    def number(value: int) -> SSAValue:
        if isinstance(kind, TensorType):
            return insert(SplatOp(value, kind))
        scalar = insert(arith.ConstantOp(scalar_attr(value, kind)))
        scalar.name_hint = f"c{value}"
        return scalar

    if isinstance(op, arith.FloorDivSIOp):
        insert(arith.ShRSIOp(op.lhs, number(bits)))
    else:  # one more than the quotient of the number below
        before = insert(arith.SubiOp(op.lhs, number(1)))
        insert(arith.AddiOp(insert(arith.ShRSIOp(before, number(bits))), number(1)))
    made[-1].results[0].name_hint = op.result.name_hint
    Rewriter.insert_op(made, InsertPoint.before(op))
    Rewriter.replace_op(op, [], [made[-1].results[0]])
