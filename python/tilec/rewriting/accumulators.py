"""Atomics as ordinary code: a value that is carried to them, or an on-chip array that they read and write."""

import math
from collections.abc import Callable, Collection

from xdsl.dialects import arith, scf
from xdsl.dialects.builtin import AnyFloat, f32, i1, i32
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.rewriter import Rewriter

from tilec.analysis.vmem import WORD
from tilec.diagnostics import fail
from tilec.dialects.tile.arrays import EmptyOp, FullOp
from tilec.dialects.tile.atomics import AtomicRmwOp, Rmw
from tilec.dialects.tile.elementwise import CastOp, CompareOp, Relation, SelectOp
from tilec.dialects.tile.loops import ForOp
from tilec.dialects.tile.syntax import scalar_attr
from tilec.dialects.tile.types import byte_width, element_type, shape_of, with_element
from tilec.dialects.tile.values import SplatOp
from tilec.rewriting.index import IndexBuilder

_FLOAT = {Rmw.ADD: arith.AddfOp, Rmw.MAX: arith.MaximumfOp, Rmw.MIN: arith.MinimumfOp}
_INTEGER = {
    Rmw.ADD: arith.AddiOp,
    Rmw.MAX: arith.MaxSIOp,
    Rmw.MIN: arith.MinSIOp,
    Rmw.AND: arith.AndIOp,
    Rmw.OR: arith.OrIOp,
    Rmw.XOR: arith.XOrIOp,
}


def combiner(kind: Rmw, element: Attribute) -> Callable[[SSAValue, SSAValue], Operation]:
    """What makes the operation that combines two values of an element type, for kinds that commute."""
    return (_FLOAT if isinstance(element, AnyFloat) else _INTEGER)[kind]


def kept_element(atomics: Collection[AtomicRmwOp], element: Attribute) -> Attribute:
    """The element type in which atomics keep what they combine, for an array of `element`.

    f32 for narrower floats and i32 for narrower integers, so that nothing is rounded on the way; what is
    only exchanged stays as it is.
    """
    combines = any(op.kind.data.commutes or op.unique is not None for op in atomics)
    return wide_element(element) if combines else element


def wide_element(element: Attribute) -> Attribute:
    """The 32-bit type that values of a narrower one are combined in; i1 is its own."""
    if byte_width(element) >= WORD or element == i1:
        return element
    return f32 if isinstance(element, AnyFloat) else i32


def as_element(build: IndexBuilder, value: SSAValue, element: Attribute) -> SSAValue:
    """`value` with another element type."""
    return value if element_type(value.type) == element else build.insert(CastOp(value, element))


_EXACT = (0, 1, -1, math.inf, -math.inf)
"""Numbers that every type holds as they are, where it holds them at all."""


def filled(build: IndexBuilder, number: float, element: Attribute, kind: Attribute) -> SSAValue:
    """A value of type `kind` with what an array of `element` holds that was filled with `number`."""
    if number in _EXACT:
        return build.insert(constant(number, kind))
    return as_element(build, build.insert(constant(number, with_element(kind, element))), element_type(kind))


def fill_with_zeros(array: SSAValue) -> None:
    """Let an array that is made here, and not filled, hold zeros, so that all of it can be read."""
    made = array.owner
    if not isinstance(made, EmptyOp):
        return
    full = FullOp(0, made.array_type, like=made.like, extent=made.extent)
    full.location, full.array.name_hint = made.location, made.array.name_hint
    Rewriter.replace_op(made, full)


def constant(number: float, kind: Attribute) -> Operation:
    """A value of type `kind` with one number in every lane."""
    if shape_of(kind):
        return SplatOp(number, kind)
    return arith.ConstantOp(scalar_attr(number, kind))


def added(build: IndexBuilder, one: SSAValue, two: SSAValue) -> SSAValue:
    """The sum of two values of one type."""
    floats = isinstance(element_type(one.type), AnyFloat)
    return build.insert((arith.AddfOp if floats else arith.AddiOp)(one, two))


def combined(op: AtomicRmwOp, before: SSAValue, build: IndexBuilder) -> SSAValue:
    """What an atomic makes of `before`, the elements of its window; its `old` becomes `before`.

    Elements that are kept in a wider type are as the array would hold them, but for sums of floats, which
    are not rounded.
    """
    kind, kept, element = op.kind.data, element_type(before.type), element_type(op.array.type)
    floats, lanes = isinstance(kept, AnyFloat), op.value
    if not floats or not kind.commutes:
        lanes = as_element(build, lanes, element)
    lanes = as_element(build, lanes, kept)
    chosen = op.mask
    after = lanes
    if kind.commutes:
        after = build.insert(combiner(kind, kept)(before, lanes))
    if kind is Rmw.ADD and not floats:
        after = as_element(build, as_element(build, after, element), kept)
    if op.expected is not None:
        wide = wide_element(kept)
        sides = [as_element(build, side, wide) for side in (before, op.expected)]
        equal = build.insert(CompareOp(Relation.EQ, *sides))
        chosen = equal if chosen is None else build.insert(arith.AndIOp(equal, chosen))
    if chosen is not None:
        after = build.insert(SelectOp(chosen, after, before))
    if op.old is not None:
        op.old.replace_all_uses_with(as_element(build, before, element_type(op.value.type)))
    return after


def thread(block: Block, state: SSAValue, atomics: Collection[AtomicRmwOp]) -> SSAValue:
    """Carry `state`, the elements of the one window of `atomics`, through all of them that are in `block`.

    Loops and conditions on the way carry it too. Returns it as it is at the end of the block.
    """
    for op in list(block.ops):
        if isinstance(op, AtomicRmwOp) and op in atomics:
            ops: list[Operation] = []
            state = combined(op, state, IndexBuilder(ops, op.location))
            Rewriter.replace_op(op, ops, [None] * len(op.results))
        elif any(inner in atomics for inner in op.walk()):
            state = _through(op, state, atomics)
    return state


def _append(block: Block, value: SSAValue) -> None:
    """Hand one value more to what is around the block."""
    if block.last_op is not None:
        block.last_op.operands = [*block.last_op.operands, value]


def _through(op: Operation, state: SSAValue, atomics: Collection[AtomicRmwOp]) -> SSAValue:
    match op:
        case ForOp():
            return _through_loop(op, state, atomics)
        case scf.IfOp():
            return _through_condition(op, state, atomics)
        case _:
            fail(op, f"insert-atomic-scratch: an atomic in {op.name}; tile.for and scf.if can hold one")


def _through_loop(loop: ForOp, state: SSAValue, atomics: Collection[AtomicRmwOp]) -> SSAValue:
    body = loop.body.block
    inner = body.insert_arg(state.type, len(body.args))
    inner.name_hint = state.name_hint
    _append(body, thread(body, inner, atomics))
    wider = loop.rebuilt(loop.axis.bounds, [*loop.inits, state])
    for old, new in zip([*loop.results_, state], wider.results_, strict=True):
        new.name_hint = old.name_hint
    Rewriter.replace_op(loop, wider, wider.results_[:-1])
    return wider.results_[-1]


def _through_condition(op: scf.IfOp, state: SSAValue, atomics: Collection[AtomicRmwOp]) -> SSAValue:
    regions: list[Region] = []
    for region in list(op.regions):
        taken = op.detach_region(region)
        if not taken.blocks:
            taken.add_block(Block([scf.YieldOp()]))
        _append(taken.block, thread(taken.block, state, atomics))
        regions.append(taken)
    made = scf.IfOp(op.cond, [*op.result_types, state.type], regions[0], regions[1])
    made.location = op.location
    for old, new in zip([*op.results, state], made.results, strict=True):
        new.name_hint = old.name_hint
    Rewriter.replace_op(op, made, made.results[:-1])
    return made.results[-1]
