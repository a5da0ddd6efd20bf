"""Accesses to permuted views as accesses to the array that is viewed."""

from collections.abc import Sequence

from xdsl.dialects.builtin import TensorType
from xdsl.ir import Operation, SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from tilec.analysis.views import inverse
from tilec.dialects.tile.access import Dim
from tilec.dialects.tile.arrays import LoadOp, StoreOp
from tilec.dialects.tile.values import TransposeOp


def access_unpermuted(op: LoadOp | StoreOp, array: SSAValue, perm: Sequence[int]) -> None:
    """Let `op`, which accesses `array` with its dimensions permuted by `perm`, access `array` as it is.

    The window's dimensions go back in order, and what is loaded or stored is transposed.
    """
    window = [Dim()] * len(perm)
    for dim, place in zip(op.window, perm, strict=True):
        window[place] = dim
    kept = [place for dim, place in zip(op.window, perm, strict=True) if dim.kept]
    order = tuple(sorted(kept).index(place) for place in kept)
    mask = None if op.mask is None else _transposed(op.mask, inverse(order), op)
    if isinstance(op, StoreOp):
        store = StoreOp(_transposed(op.value, inverse(order), op), array, window, mask)
        store.placement, store.location = op.placement, op.location
        Rewriter.replace_op(op, store, [])
        return
    other = None if op.other is None else _transposed(op.other, inverse(order), op)
    load = LoadOp(array, window, mask, other)
    load.placement, load.location = op.placement, op.location
    load.result.name_hint = op.result.name_hint
    Rewriter.insert_op(load, InsertPoint.before(op))
    value = _transposed(load.result, order, op)
    value.name_hint = op.result.name_hint
    Rewriter.replace_op(op, [], [value])


def _transposed(value: SSAValue, order: Sequence[int], before: Operation) -> SSAValue:
    """A value with its dimensions in another order; one that has none, or has them so, as it is."""
    if not isinstance(value.type, TensorType) or list(order) == sorted(order):
        return value
    made = TransposeOp(value, order)
    made.location = before.location
    made.result.name_hint = value.name_hint
    Rewriter.insert_op(made, InsertPoint.before(before))
    return made.result
