"""Accesses at computed positions as accesses of windows, of the array or of a view of it."""

from collections.abc import Sequence
from typing import TypeAlias

from xdsl.dialects.builtin import MemRefType
from xdsl.ir import Operation, SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from tilec.analysis.unflatten import Digit
from tilec.dialects.tile.access import Dim
from tilec.dialects.tile.arrays import LoadOp, StoreOp
from tilec.dialects.tile.atomics import AtomicRmwOp
from tilec.dialects.tile.gathers import GatherOp, ScatterOp
from tilec.dialects.tile.types import element_type, shape_of, span_names, value_type
from tilec.dialects.tile.values import BroadcastOp, ReshapeOp, TransposeOp
from tilec.dialects.tile.views import ViewOp
from tilec.rewriting.index import IndexBuilder
from tilec.rewriting.linear import built

Indexed: TypeAlias = GatherOp | ScatterOp | AtomicRmwOp
"""The accesses that a tile of integers may index."""
Windowed: TypeAlias = LoadOp | StoreOp | AtomicRmwOp
"""What they are with a window."""


class Unflattened:
    """One access with the digits of positions in place of the dimension `place`, in which they were.

    The operations wait in `ops`, so that a pass can ask about `made`, the access of the window, before it
    lets them take the access' place. Dimensions of the positions that are of no digit are repeated in what is
    read, and have to be of extent 1 in what is written and in masks.
    """

    def __init__(self, access: Indexed, place: int, digits: Sequence[Digit], views: "Views"):
        self.access, self.place, self.digits = access, place, digits
        self.ops: list[Operation] = []
        self.build = IndexBuilder(self.ops, access.location)
        shape = list(shape_of(access.array.type))
        shape[place : place + 1] = [digit.extent for digit in digits]
        self.array = views.seen_as(access.array, shape)
        self.order = self._order()
        self.made = self._windowed()
        self.build.insert_all(self.made, access.location)

    def _order(self) -> list[int]:
        """For each dimension of the window's value, which dimension of the access' value it is."""
        kept = [dim.kept for dim in self.access.window]
        before, ids = sum(kept[: self.place]), self.access.window[self.place].base
        rank = 0 if ids is None else len(shape_of(ids.type))
        middle = [before + digit.dim for digit in self.digits if digit.dim is not None]
        return [*range(before), *middle, *range(before + rank, sum(kept) - 1 + rank)]

    def _window(self) -> list[Dim]:
        window = list(self.access.window)
        window[self.place : self.place + 1] = [self._dim(digit) for digit in self.digits]
        return window

    def _dim(self, digit: Digit) -> Dim:
        if digit.scalar.literal is not None:
            return Dim(digit.span, digit.scalar.literal)
        value = built(digit.scalar, self.build)
        return Dim(value) if digit.span is None else Dim(digit.span, value)

    def _windowed(self) -> Windowed:
        op, window, array = self.access, self._window(), self.array
        mask = None if op.mask is None else self._narrowed(op.mask)
        match op:
            case GatherOp():
                return LoadOp(array, window, mask, None if op.other is None else self._narrowed(op.other))
            case ScatterOp():
                return StoreOp(self._narrowed(op.value), array, window, mask)
            case AtomicRmwOp():
                return AtomicRmwOp(
                    op.kind.data,
                    self._narrowed(op.value),
                    array,
                    window,
                    expected=None if op.expected is None else self._narrowed(op.expected),
                    mask=mask,
                    unique=op.unique is not None,
                    old=op.old is not None,
                )

    # Values, whose dimensions may be fewer in a window and in another order

    def _narrowed(self, value: SSAValue) -> SSAValue:
        """A value of the access with the dimensions of the window's value."""
        kind = value.type
        shape, names, kept = shape_of(kind), span_names(kind), sorted(self.order)
        if not shape:
            return value
        if len(kept) < len(shape):
            kind = value_type(element_type(kind), [shape[d] for d in kept], [names[d] for d in kept])
            value = self.build.insert(ReshapeOp(value, kind))
        if kept == self.order:
            return value
        return self.build.insert(TransposeOp(value, [kept.index(dim) for dim in self.order]))

    def _widened(self, value: SSAValue, like: SSAValue) -> SSAValue:
        """What the window results in with the dimensions of what the access results in."""
        kept = sorted(self.order)
        if kept != self.order:
            value = self.build.insert(TransposeOp(value, [self.order.index(dim) for dim in kept]))
        if value.type == like.type:
            return value
        return self.build.insert(BroadcastOp(value, kept, like.type))

    # Into the program

    def place_before(self) -> None:
        """Put the operations before the access."""
        Rewriter.insert_op(self.ops, InsertPoint.before(self.access))

    def take_over(self) -> None:
        """Let what the operations make stand for what the access results in."""
        count = len(self.ops)
        results = [
            self._widened(new, old) for old, new in zip(self.access.results, self.made.results, strict=True)
        ]
        for new in (*self.made.results, *results):
            new.name_hint = self.access.results[0].name_hint
        Rewriter.insert_op(self.ops[count:], InsertPoint.before(self.access))
        Rewriter.replace_op(self.access, [], results)

    def withdraw(self) -> None:
        """Erase the operations, wherever they are."""
        for op in reversed(self.ops):
            if op.parent is not None:
                op.detach()
            op.erase()


class Views:
    """The views that a pass makes, each where its array is made."""

    def __init__(self) -> None:
        self._made: dict[tuple[SSAValue, tuple[int, ...]], ViewOp] = {}

    def seen_as(self, array: SSAValue, shape: Sequence[int]) -> SSAValue:
        """The elements of an array as an array of `shape`: what it is a view of, or else a view of it."""
        source, key = array, (array, tuple(shape))
        while list(shape_of(source.type)) != list(shape):
            if not isinstance(source.owner, ViewOp) or source.owner.permutation is not None:
                break
            source = source.owner.array
        else:
            return source
        if key not in self._made:
            view = ViewOp(array, MemRefType(element_type(array.type), shape))
            view.result.name_hint = array.name_hint
            made = array.owner
            if isinstance(made, Operation):
                view.location = made.location
                Rewriter.insert_op(view, InsertPoint.after(made))
            else:
                Rewriter.insert_op(view, InsertPoint.at_start(made))
            self._made[key] = view
        return self._made[key].result

    def erase_unused(self) -> None:
        """Erase the views that nothing came to use."""
        for view in self._made.values():
            if not view.result.uses:
                Rewriter.erase_op(view)
