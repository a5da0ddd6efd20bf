"""`--unroll-loops`: inner loops of static extent are written out.

An operand whose whole inner extent fits on the chip need not stream: with the loop written out each of its
tiles gets a window of its own, which stays where it is while the grid's other axes move, and what the loop
carries stays in registers.

Before:
    %sum = tile.for %k = 0 to 256 by k:128 iter_args(%a = %zero) {
      %v = tile.load %x[%m, %k]
      …
    }
After:
    %k_0 = tile.span %c0 of 0 to 256 by k_0:128
    %v_0 = tile.load %x[%m, %k_0]
    …
    %k_1 = tile.span %c1 of 0 to 256 by k_1:128
    %v_1 = tile.load %x[%m, %k_1]
    …

Refused: a loop whose extent is known only at run time; more than 64 iterations.
"""

from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import IndexType, IntegerAttr, ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from tilec.analysis.affine import static_extent
from tilec.analysis.jagged_spans import refuse_jagged_spans
from tilec.diagnostics import fail
from tilec.dialects.tile.loops import ForOp
from tilec.dialects.tile.numbered import SpanOp
from tilec.dialects.tile.syntax import Bounds
from tilec.dialects.tile.types import AnySpan, SpanType, map_spans, span_of

MOST_ITERATIONS = 64
"""A loop written out further than this takes the TPU compiler minutes."""


class UnrollLoops(ModulePass):
    """Write out inner loops of static extent."""

    name = "unroll-loops"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        refuse_jagged_spans(op, self.name)
        # Inner loops come last in a walk: written out first, they are copied with the outer ones.
        for loop in reversed([inner for inner in op.walk() if isinstance(inner, ForOp)]):
            _unroll(loop)


def _unroll(loop: ForOp) -> None:
    bounds, span = loop.axis.bounds, span_of(loop.axis.value)
    extent = static_extent(bounds)
    if extent is None:
        fail(
            loop,
            f"unroll-loops: axis {loop.axis.name} has an extent that is known only at run time "
            "and cannot be written out; use another loop, as grid",
        )
    size = span.size if span else 1
    count = -(-extent // size)
    if count > MOST_ITERATIONS:
        fail(
            loop,
            f"unroll-loops: axis {loop.axis.name} has {count} iterations of {size}; "
            f"{MOST_ITERATIONS} are written out at most, choose larger blocks",
        )
    state: list[SSAValue] = list(loop.inits)
    for number in range(count):
        state = _iteration(loop, number, span, bounds, state)
    for result, value in zip(loop.results_, state, strict=True):
        result.replace_all_uses_with(value)
    Rewriter.erase_op(loop)


def _iteration(
    loop: ForOp, number: int, span: AnySpan | None, bounds: Bounds[SSAValue], state: list[SSAValue]
) -> list[SSAValue]:
    """Write out one iteration before the loop; returns what it yields."""
    point = InsertPoint.before(loop)

    def insert(op: Operation) -> SSAValue:
        op.location = loop.location
        Rewriter.insert_op(op, point)
        return op.results[0]

    begin = 0 if span else bounds.begin
    literal = number + (begin if isinstance(begin, int) else 0)
    value = insert(arith.ConstantOp(IntegerAttr(literal, IndexType())))
    if isinstance(begin, SSAValue):
        value = insert(arith.AddiOp(begin, value))
    suffix = f"_{number}"
    if span is not None:
        value = insert(SpanOp(value, bounds, SpanType(span.axis + suffix, span.size)))
        value.name_hint = f"{loop.axis.value.name_hint or span.axis}{suffix}"
    env: dict[SSAValue, SSAValue] = {loop.axis.value: value, **dict(zip(loop.carried, state, strict=True))}
    for op in loop.body.block.ops:
        if op is loop.body.block.last_op:
            break
        clone = op.clone(env)
        Rewriter.insert_op(clone, point)
        if span is not None:
            _rename(clone, span.axis, span.axis + suffix, env)
    return [env.get(yielded, yielded) for yielded in loop.yielded]


def _rename(op: Operation, old: str, new: str, env: dict[SSAValue, SSAValue]) -> None:
    """Let the values that a copied operation makes belong to this iteration's span."""
    copies = {copy: original for original, copy in env.items()}
    for inner in op.walk():
        blocks = [block for region in inner.regions for block in region.blocks]
        for value in [*inner.results, *(argument for block in blocks for argument in block.args)]:
            kind = map_spans(value.type, lambda name, size: (new if name == old else name, size))
            if kind != value.type:
                renamed = Rewriter.replace_value_with_new_type(value, kind)
                renamed.name_hint = value.name_hint
                if value in copies:
                    env[copies[value]] = renamed
