"""Tiles of integers that go up by one in runs: rows of a page, of which a table says where it begins."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import gcd

from xdsl.dialects import arith
from xdsl.dialects.builtin import i1
from xdsl.ir import Attribute, Operation, SSAValue

from tilec.analysis.affine import begins_on_a_tile, operations_behind
from tilec.analysis.positions import is_wide, literal_of
from tilec.dialects.tile.elementwise import CastOp, is_lanewise
from tilec.dialects.tile.gathers import GatherOp
from tilec.dialects.tile.types import element_type, shape_of, span_of
from tilec.dialects.tile.values import BroadcastOp, IndicesOp


@dataclass(frozen=True)
class Rise:
    """How the lanes of a run follow each other: each is `step` more than the one before.

    `whole` says that the first lane of each run is a multiple of the run's length.
    """

    step: int
    whole: bool = False


def run_lengths(value: SSAValue, span: SSAValue) -> list[int]:
    """Lengths of runs that a tile of integers may have, longest first: what the indices of `span` are divided
    by, and its block, are multiples of them.
    """
    kind = span_of(span)
    if kind is None or not begins_on_a_tile(span):
        return []
    found = {gcd(divisor, kind.size) for op in operations_behind(value) for divisor in _divisors(op)}
    return sorted((length for length in found if length > 1), reverse=True)


def _divisors(op: Operation) -> Iterator[int]:
    match op:
        case arith.FloorDivSIOp() | arith.RemSIOp():
            divisor = literal_of(op.rhs)
        case arith.ShRSIOp():
            divisor = _power(literal_of(op.rhs))
        case arith.AndIOp():
            divisor = _above(literal_of(op.rhs))
        case _:
            return
    if divisor is not None and divisor > 1:
        yield divisor


def _power(shift: int | None) -> int | None:
    return None if shift is None or not 0 <= shift < 31 else 1 << shift


def _above(bits: int | None) -> int | None:
    """What is one more than the low bits that are kept, if those are all up to some."""
    return None if bits is None or bits < 0 or bits & (bits + 1) else bits + 1


def _is_counted(element: Attribute) -> bool:
    """Whether scalars compute elements of a type as lanes do: wide integers, and truths of them."""
    return is_wide(element) or element == i1


class Rises:
    """How tiles of integers along `span` go up in runs of `length`."""

    def __init__(self, span: SSAValue, length: int):
        self.span, self.length = span, length
        self._known: dict[SSAValue, Rise | None] = {}

    def of(self, value: SSAValue) -> Rise | None:
        """The rise of a tile, or of a scalar, which is one for all lanes; `None` where it is not known."""
        if value not in self._known:
            self._known[value] = self._found(value)
        return self._known[value]

    def _found(self, value: SSAValue) -> Rise | None:
        if not shape_of(value.type):
            return Rise(0)
        op, literal = value.owner, literal_of(value)
        if literal is not None:
            return Rise(0, literal % self.length == 0)
        match op:
            case IndicesOp():
                return Rise(1, True) if op.operands[0] is self.span else None
            case BroadcastOp():
                return Rise(0) if not shape_of(op.value.type) else None
            case GatherOp():
                return Rise(0) if self._is_element(op) else None
            case Operation() if is_lanewise(op) and _is_counted(element_type(value.type)):
                return self._computed(op)
            case _:
                return None

    def _is_element(self, op: GatherOp) -> bool:
        """Whether all lanes of a run read one element."""
        named = [dim for dim in op.window if dim.kept]
        found = [self.of(dim.base) for dim in named if dim.indexed and dim.base is not None]
        same = all(each is not None and each.step == 0 for each in found)
        return op.mask is None and len(found) == len(named) and same

    def _computed(self, op: Operation) -> Rise | None:
        """What an operation makes of lanes that rise."""
        given = [found for each in op.operands if (found := self.of(each)) is not None]
        if len(given) < len(op.operands):
            return None
        first, last = given[0], given[-1]
        match op:
            case arith.AddiOp():
                return Rise(first.step + last.step, first.whole and last.whole)
            case arith.SubiOp():
                return Rise(first.step - last.step, first.whole and last.whole)
            case arith.ExtSIOp() | arith.IndexCastOp() | CastOp():
                return first if is_wide(element_type(op.operands[0].type)) else None
            case arith.MuliOp() if first.step == last.step == 0:
                return Rise(0, first.whole or last.whole)
            case arith.FloorDivSIOp() | arith.ShRSIOp() if first == Rise(1, True) and self._holds_runs(op):
                return Rise(0)
            case arith.RemSIOp() | arith.AndIOp() if first == Rise(1, True) and self._holds_runs(op):
                return first
            case _:
                return Rise(0) if all(each.step == 0 for each in given) else None

    def _holds_runs(self, op: Operation) -> bool:
        """Whether what is divided by is a whole number of runs."""
        return any(divisor % self.length == 0 for divisor in _divisors(op))
