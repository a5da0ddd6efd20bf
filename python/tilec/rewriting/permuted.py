"""Accesses to permuted views as accesses to the array that is viewed."""

from collections.abc import Sequence
from typing import TypeAlias

from xdsl.dialects.builtin import TensorType
from xdsl.ir import Operation, SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from tilec.analysis.views import inverse
from tilec.diagnostics import fail
from tilec.dialects.tile.access import Dim
from tilec.dialects.tile.arrays import LoadOp, StoreOp
from tilec.dialects.tile.atomics import AtomicRmwOp
from tilec.dialects.tile.gathers import GatherOp, ScatterOp
from tilec.dialects.tile.types import shape_of
from tilec.dialects.tile.values import TransposeOp

Viewed: TypeAlias = LoadOp | StoreOp | GatherOp | ScatterOp | AtomicRmwOp
"""The accesses that a program makes."""


def access_unpermuted(op: Viewed, array: SSAValue, perm: Sequence[int]) -> None:
    """Let `op`, which accesses `array` with its dimensions permuted by `perm`, access `array` as it is.

    The window's dimensions go back in order, and what is loaded or stored is transposed. Raises TileError
    where positions come from a tile of rank 2 or more.
    """
    window = [Dim()] * len(perm)
    for dim, place in zip(op.window, perm, strict=True):
        window[place] = dim
        if dim.base is not None and dim.indexed and len(shape_of(dim.base.type)) != 1:
            fail(
                op,
                f"resolve-views: positions of type {dim.base.type} in a view; a tile of rank 1 is accepted",
            )
    kept = [place for dim, place in zip(op.window, perm, strict=True) if dim.kept]
    order = tuple(sorted(kept).index(place) for place in kept)
    made = _moved(op, array, window, inverse(order))
    made.location, made.placement = op.location, op.placement
    Rewriter.insert_op(made, InsertPoint.before(op))
    results: list[SSAValue] = []
    for old, new in zip(op.results, made.results, strict=True):
        new.name_hint = old.name_hint
        results.append(_transposed(new, order, op))
        results[-1].name_hint = old.name_hint
    Rewriter.replace_op(op, [], results)


def _moved(op: Viewed, array: SSAValue, window: Sequence[Dim], order: Sequence[int]) -> Viewed:
    """The access of another window, its values with their dimensions in that order."""

    def turned(value: SSAValue | None) -> SSAValue | None:
        return None if value is None else _transposed(value, order, op)

    mask = turned(op.mask)
    match op:
        case LoadOp() | GatherOp():
            return type(op)(array, window, mask, turned(op.other))
        case StoreOp():
            return StoreOp(_transposed(op.value, order, op), array, window, mask)
        case ScatterOp():
            value = _transposed(op.value, order, op)
            return ScatterOp(value, array, window, mask, drop=op.drop is not None)
        case AtomicRmwOp():
            return AtomicRmwOp(
                op.kind.data,
                _transposed(op.value, order, op),
                array,
                window,
                expected=turned(op.expected),
                mask=mask,
                drop=op.drop is not None,
                unique=op.unique is not None,
                old=op.old is not None,
            )


def _transposed(value: SSAValue, order: Sequence[int], before: Operation) -> SSAValue:
    """A value with its dimensions in another order; one that has none, or has them so, as it is."""
    if not isinstance(value.type, TensorType) or list(order) == sorted(order):
        return value
    made = TransposeOp(value, order)
    made.location = before.location
    made.result.name_hint = value.name_hint
    Rewriter.insert_op(made, InsertPoint.before(before))
    return made.result
