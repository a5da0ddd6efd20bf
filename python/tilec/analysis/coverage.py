"""Whether stores reach every element of an array, and the steps of a pipeline every block of one.

A store under a condition or a mask counts for nothing. Any other covers a box: in each dimension the places
from a first to a last one, if its axes leave no gap there, as `4 * %g + %j` does with four `%j` but not with
three. Boxes are joined where they meet.
"""

from collections.abc import Sequence
from typing import TypeAlias

from xdsl.dialects import arith, func, scf
from xdsl.ir import Operation, SSAValue

from tilec.analysis.affine import (
    IndexBounds,
    Linear,
    begins_on_a_tile,
    divided_span,
    extent,
    is_inside,
    linear,
    static_extent,
)
from tilec.analysis.distinct import told_apart
from tilec.analysis.lanes import spans_to_blend
from tilec.analysis.visits import axes_behind, one_step
from tilec.diagnostics import where
from tilec.dialects.tile.access import Dim
from tilec.dialects.tile.arrays import StoreOp
from tilec.dialects.tile.loops import Axis, LoopOp
from tilec.dialects.tile.places import SetOp
from tilec.dialects.tile.schedule import AxisOp, PipelineOp, WindowOp
from tilec.dialects.tile.steps import FirstOp, LastOp
from tilec.dialects.tile.types import shape_of, span_names, span_of

Range: TypeAlias = tuple[Linear, Linear]
"""The first place and the one after the last, in terms of what is known before the kernel."""


class _Uncovered(Exception):
    """Why a store is not known to cover a box, or boxes an array."""


def gap(array: SSAValue, stores: Sequence[StoreOp]) -> str | None:
    """Why no store of a program is known to reach some element of `array`; `None` if each is reached.

    The stores are those into the array, in loops of one function, in any order.
    """
    boxes: list[tuple[Range, ...]] = []
    reasons: list[str] = []
    for store in stores:
        try:
            boxes.append(_Nest(store).box())
        except _Uncovered as problem:
            reasons.append(f"the store at {where(store)} {problem}")
    try:
        _cover([extent(array, dim) for dim in range(len(shape_of(array.type)))], boxes, 0)
    except _Uncovered as problem:
        return (reasons or [str(problem)])[0]
    return None


def _cover(ends: Sequence[Linear], boxes: Sequence[tuple[Range, ...]], dim: int) -> None:
    """Raise _Uncovered unless `boxes` cover all of the dimensions from `dim` on, which end at `ends`."""
    if dim == len(ends):
        return
    reach = Linear()
    while reach != ends[dim]:
        here = [box for box in boxes if _at_most(box[dim][0], reach)]
        last = [box for box in here if box[dim][1] == ends[dim]]
        steps = [box[dim][1] for box in here if not _at_most(box[dim][1], reach)]
        known = [step for step in steps if (step - reach).literal is not None]
        if not here or not (last or known):
            raise _Uncovered(f"no store reaches {_text(reach)} of dimension {dim}")
        if not known:
            _cover(ends, last, dim + 1)
            return
        # As far as the nearest end all of these boxes go.
        nearest = min(known, key=lambda step: (step - reach).literal or 0)
        _cover(ends, [box for box in here if box in last or _at_most(nearest, box[dim][1])], dim + 1)
        reach = nearest


def _at_most(low: Linear, high: Linear) -> bool:
    difference = (high - low).literal
    return difference is not None and difference >= 0


def _text(place: Linear) -> str:
    return "what follows" if place.literal is None else f"index {place.literal}"


class _Nest:
    """A store and the axes of the loops around it."""

    def __init__(self, store: StoreOp):
        self.store = store
        self.axes: dict[SSAValue, Axis] = {}
        self.used: list[SSAValue] = []
        self.outermost: Operation = store
        around = store.parent_op()
        while around is not None and not isinstance(around, func.FuncOp):
            if not isinstance(around, LoopOp):
                raise _Uncovered("stands under a condition")
            self.axes |= {axis.value: axis for axis in around.axes}
            self.outermost = around
            around = around.parent_op()

    def box(self) -> tuple[Range, ...]:
        if self.store.mask is not None:
            raise _Uncovered("has a mask")
        box = tuple(self._range(position, dim) for position, dim in enumerate(self.store.window))
        for value, axis in self.axes.items():
            if self.used.count(value) > 1:
                raise _Uncovered(f"indexes two dimensions by axis {axis.name}")
            if value not in self.used and (static_extent(axis.bounds) or 0) <= 0:
                raise _Uncovered(f"is never made where axis {axis.name} is empty")
        return box

    def _range(self, position: int, dim: Dim) -> Range:
        if dim.full:
            return Linear(), extent(self.store.array, position)
        low, length = linear(dim.shift), Linear(1)
        if dim.base is not None and span_of(dim.base) is not None:
            if dim.base not in self.axes:
                raise _Uncovered(f"writes one tile of dimension {position}")
            bounds = self._bounds(dim.base)
            low += linear(bounds.begin)
            length = self._outer(linear(bounds.end) - linear(bounds.begin), position)
        elif dim.base is not None:
            low += linear(dim.base)
        low, terms = self._terms(low, position)
        for factor, count in sorted(terms, key=lambda term: term[0]):
            length = _repeated(length, factor, count, position)
        return low, low + length

    def _bounds(self, span: SSAValue) -> IndexBounds:
        """The bounds of an axis, or of the one whose every tile it goes through."""
        bounds = self.axes[span].bounds
        self.used.append(span)
        divided = divided_span(bounds)
        return bounds if divided is None or divided not in self.axes else self._bounds(divided)

    def _terms(self, low: Linear, position: int) -> tuple[Linear, list[tuple[int, Linear]]]:
        """`low` where every axis is at its first iteration, and of each its factor and how many it has."""
        terms: list[tuple[int, Linear]] = []
        while axes := [leaf for leaf in low.factors if leaf in self.axes and not isinstance(leaf, tuple)]:
            if span_of(axes[0]) is not None:
                raise _Uncovered(f"has places in dimension {position} that depend on where tiles begin")
            bounds, factor = self.axes[axes[0]].bounds, low.factors[axes[0]]
            count = self._outer(linear(bounds.end) - linear(bounds.begin), position)
            self.used.append(axes[0])
            terms.append((factor, count))
            low = low - Linear(0, {axes[0]: factor}) + linear(bounds.begin).times(factor)
        return self._outer(low, position), terms

    def _outer(self, form: Linear, position: int) -> Linear:
        """`form`, whose leaves must not depend on an iteration."""
        if any(not isinstance(leaf, tuple) and is_inside(leaf, self.outermost) for leaf in form.factors):
            raise _Uncovered(f"has a range in dimension {position} that differs between iterations")
        return form


def _repeated(length: Linear, factor: int, count: Linear, position: int) -> Linear:
    """The length of `count` runs of `length` places, each `factor` places after the one before."""
    known = length.literal
    exact = count.literal is None or count.literal < 1
    if known is None or not 0 < factor <= known or (exact and factor != known):
        raise _Uncovered(f"leaves out some of dimension {position}")
    return count.times(factor) + length - Linear(factor)


def touches_every_block(window: WindowOp) -> bool:
    """Whether the steps of a pipeline surely visit every block of the window's array."""
    pipeline, bases = _pipeline(window), [dim.base.owner for dim in window.window if dim.base is not None]
    return (
        len(set(bases)) == len(bases)
        and all(_all_blocks(window, position, dim) for position, dim in enumerate(window.window))
        and all(
            axis in bases or axis.keep is not None or (static_extent(axis.axis.bounds) or 0) > 0
            for axis in pipeline.axes
        )
    )


def _all_blocks(window: WindowOp, position: int, dim: Dim) -> bool:
    whole = extent(window.array, position)
    if dim.full or (dim.base is None and whole.literal == 1):
        return True
    if dim.base is None or dim.shift != 0 or not isinstance(dim.base.owner, AxisOp):
        return False
    bounds, span = dim.base.owner.axis.bounds, span_of(dim.base)
    size = 1 if span is None else span.size
    begin, end = linear(bounds.begin), linear(bounds.end)
    if begin.literal is None or not 0 <= begin.literal < size:
        return False
    if begin.literal and ((end - begin).literal or 0) <= 0:
        return False  # it may have no step, though the array has elements
    if dim.base.owner.aligned is None and not begins_on_a_tile(dim.base):
        return False
    if end.literal is None or whole.literal is None:
        return end == whole
    return end.literal > (-(-whole.literal // size) - 1) * size


def steps_of_one_block(window: WindowOp) -> list[AxisOp] | None:
    """The axes along which the window stays where it is, where every step of any other moves it.

    `None` where its position follows neither from axes alone nor from what a `tile.distinct` says of them.
    """
    axes = _pipeline(window).axes
    promised = list(told_apart(window.window, window.window))
    apart = {place for _, places in promised for place in places}
    others = [dim for place, dim in enumerate(window.window) if place not in apart]
    bases = [dim.base.owner for dim in others if dim.base is not None]
    bases += [axis for op, _ in promised for axis in axes_behind(op.positions)]
    shifts = [dim.shift for dim in others if isinstance(dim.shift, SSAValue)]
    last = max((i for i, axis in enumerate(axes) if axis in bases), default=-1)
    outside = [axis for axis in axes[: last + 1] if axis not in bases and not one_step(axis)]
    if shifts or outside or not all(isinstance(base, AxisOp) for base in bases):
        return None
    return [axis for axis in axes[last + 1 :] if not one_step(axis)]


def always_set(window: WindowOp) -> bool:
    """Whether every block that is visited surely has all its elements set, before it is written back."""
    return any(_sets_all(window, use.operation) for use in window.result.uses)


def _sets_all(window: WindowOp, op: Operation) -> bool:
    if not isinstance(op, SetOp) or op.mask is not None:
        return False
    names = span_names(op.value.type)
    if any((span := span_of(value)) and span.axis in names for value in spans_to_blend(window)):
        return False
    inner, asked = steps_of_one_block(window), _queries(op)
    if asked is None or len(set(asked)) != len(asked):
        return False
    # The first step of one axis and the last of another meet in each visit; those of one axis may not.
    return all(inner is not None and axis in inner for axis in asked)


def _queries(op: Operation) -> list[Operation] | None:
    """The axes at whose first or last step `op` runs; `None` where it depends on anything else."""
    axes: list[Operation] = []
    around = op.parent_op()
    while around is not None and not isinstance(around, PipelineOp):
        if not isinstance(around, scf.IfOp) or not around.true_region.is_ancestor(op):
            return None
        conditions = [around.cond.owner]
        while conditions:
            match conditions.pop():
                case arith.AndIOp() as both:
                    conditions += [both.lhs.owner, both.rhs.owner]
                case FirstOp() | LastOp() as query if isinstance(query.axis.owner, Operation):
                    axes.append(query.axis.owner)
                case _:
                    return None
        around = around.parent_op()
    return axes


def _pipeline(window: WindowOp) -> PipelineOp:
    pipeline = window.parent_op()
    if not isinstance(pipeline, PipelineOp):
        raise ValueError("a window belongs to a tile.pipeline")
    return pipeline
