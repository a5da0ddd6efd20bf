"""`--raise-gathers`: accesses at computed positions that follow each other become windows.

A position is often an index plus something that all lanes share. The lanes then name one run of the array,
which is a window: it is copied as it is, where computed positions are compared with every row.

Before:
    %rows = tile.indices %m
    %by = tile.broadcast %b dims [] : tensor<128xi32, #tile.spans<m>>
    %places = arith.addi %rows, %by : tensor<128xi32, #tile.spans<m>>
    %v = tile.gather %x[%places, :]
After:
    %v = tile.load %x[%m + %b, :]

Sums, differences and products with literals are seen through in any order, and so are casts between integers
of 32 bits and more, broadcasts and transpositions. `tile.scatter` becomes `tile.store`, whose lanes cannot
name one element twice, and `tile.atomic_rmw` takes a window too. `mask` and `other` stay.

Left alone, and explained: positions of which an operation makes no linear form; indices of an axis times
more than 1; what all lanes share, where it is computed from tiles; a mask, a condition or `drop` that may
keep lanes inside the array, which a window does not; a scatter that as a store would be a race; a window that
could not be copied: one that begins between tiles of memory, in an array whose extent is not known, or that
is too large to stay on the chip.
"""

from collections.abc import Sequence
from math import prod
from typing import TypeAlias

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import BlockArgument, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter
from xdsl.transforms.dead_code_elimination import is_trivially_dead

from tilec.analysis.affine import Linear, is_inside, linear
from tilec.analysis.positions import Positions, positions
from tilec.analysis.races import conflicts
from tilec.analysis.vmem import MOST_RESIDENT, WORD
from tilec.analysis.within import is_conditional, is_within, may_leave
from tilec.diagnostics import explain, where
from tilec.dialects.tile.access import AccessOp, Dim
from tilec.dialects.tile.arrays import LoadOp, StoreOp
from tilec.dialects.tile.atomics import AtomicRmwOp
from tilec.dialects.tile.gathers import GatherOp, ScatterOp
from tilec.dialects.tile.locals import is_local
from tilec.dialects.tile.loops import GridOp, LoopOp
from tilec.dialects.tile.types import UNBOUND, byte_width, element_type, shape_of
from tilec.dialects.tile.views import viewed_array
from tilec.rewriting.index import IndexBuilder
from tilec.rewriting.linear import built
from tilec.rewriting.steps import is_scalar

_Indexed: TypeAlias = GatherOp | ScatterOp | AtomicRmwOp


class RaiseGathers(ModulePass):
    """Make windows of accesses at computed positions that follow each other."""

    name = "raise-gathers"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for access in [inner for inner in op.walk() if isinstance(inner, AccessOp)]:
            place = next((i for i, dim in enumerate(access.window) if dim.indexed), None)
            if place is not None and isinstance(access, GatherOp | ScatterOp | AtomicRmwOp):
                reason = _raise(access, place)
                if reason is not None:
                    explain(access, f"raise-gathers: {access.name} keeps its computed positions: {reason}")


def _raise(access: _Indexed, place: int) -> str | None:
    """Give an access a window in place of the positions of one dimension; returns why not."""
    dim = access.window[place]
    if dim.base is None or len(shape_of(dim.base.type)) != 1:
        return "they are a tile of rank 2 or more"
    form = positions(dim.base)
    if not isinstance(form, Positions):
        return "they are no linear form" + ("" if form is None else f": {form.name} at {where(form)}")
    form += Positions(linear(dim.shift))
    span = _only_span(form)
    if isinstance(span, str):
        return span
    early = next((text for leaf in form.scalar.factors if (text := _is_late(leaf, access))), None)
    if early is not None:
        return early
    return _replace(access, place, span, form.scalar)


def _only_span(form: Positions) -> SSAValue | str:
    """The span whose lanes are the positions, from somewhere on."""
    if not form.spans:
        return "they are all the same"
    ((span, factor),) = form.spans.values()
    return span if factor == 1 else f"they are {factor} apart"


def _is_late(leaf: SSAValue | tuple[SSAValue, int], access: AccessOp) -> str | None:
    """Why a kernel cannot know a scalar before it copies anything; `None` if it can."""
    if isinstance(leaf, tuple):
        return None
    op, grid = leaf.owner, _grid_around(access)
    if isinstance(leaf, BlockArgument):
        loop = leaf.owner.parent_op()
        known = not isinstance(loop, LoopOp) or any(axis.value is leaf for axis in loop.axes)
        return None if known else f"%{leaf.name_hint or 'value'}, which all share, is carried by a loop"
    if grid is None or not isinstance(op, Operation) or not is_inside(leaf, grid):
        return None
    if not is_scalar(op) or (isinstance(op, LoadOp) and _is_unsure(op, grid)):
        return f"{op.name} at {where(op)}, on which all depend, is no scalar that is known before"
    arrays = (op.array,) if isinstance(op, LoadOp) else ()
    operands = [value for value in op.operands if value not in arrays]
    return next((text for value in operands if (text := _is_late(value, access))), None)


def _is_unsure(load: LoadOp, grid: GridOp) -> bool:
    """Whether an element is only read under a condition, or one that the kernel writes."""
    writes = [op for op in grid.walk() if isinstance(op, AccessOp) and op.writes]
    return is_conditional(load, grid) or any(
        viewed_array(op.array) is viewed_array(load.array) for op in writes
    )


def _grid_around(op: Operation) -> GridOp | None:
    around = op.parent_op()
    while around is not None and not isinstance(around, GridOp):
        around = around.parent_op()
    return around


def _replace(access: _Indexed, place: int, span: SSAValue, shift: Linear) -> str | None:
    """Put an access of a window in the place of one at computed positions; returns why not."""
    before: list[Operation] = []
    build = IndexBuilder(before, access.location)
    window = list(access.window)
    window[place] = Dim(span, built(shift, build) if shift.literal is None else shift.literal)
    made = _windowed(access, window)
    made.location = access.location
    reason = _leaves(access, made) or _not_copied(made, place)
    if reason is not None:
        return reason
    Rewriter.insert_op([*before, made], InsertPoint.before(access))
    race = _race(access, made) if isinstance(made, StoreOp) else None
    if race is not None:
        for op in reversed([*before, made]):
            Rewriter.erase_op(op)
        return race
    ids = access.window[place].base
    for old, new in zip(access.results, made.results, strict=True):
        new.name_hint = old.name_hint
    Rewriter.replace_op(access, [], made.results)
    if ids is not None:
        _erase_unused(ids)
    return None


def _windowed(access: _Indexed, window: Sequence[Dim]) -> LoadOp | StoreOp | AtomicRmwOp:
    """The access with another window, none of whose dimensions is indexed by a tile."""
    match access:
        case GatherOp():
            return LoadOp(access.array, window, access.mask, access.other)
        case ScatterOp():
            return StoreOp(access.value, access.array, window, access.mask)
        case AtomicRmwOp():
            return AtomicRmwOp(
                access.kind.data,
                access.value,
                access.array,
                window,
                expected=access.expected,
                mask=access.mask,
                unique=access.unique is not None,
                old=access.old is not None,
            )


def _leaves(access: _Indexed, made: AccessOp) -> str | None:
    """What may keep lanes inside the array, where a window may be outside of it."""
    grid = _grid_around(access)
    for position in range(len(made.window)):
        name = f"dimension {position} of %{access.array.name_hint or 'array'}"
        if is_within(made, position):
            continue
        if access.mask is not None:
            return f"a mask may keep them inside {name}"
        if not isinstance(access, GatherOp) and access.drop is not None:
            return f"`drop` may leave some out, outside of {name}"
        if grid is not None and is_conditional(access, grid) and may_leave(made, position):
            return f"a condition may keep them inside {name}"
    return None


def _not_copied(made: AccessOp, place: int) -> str | None:
    """Why a window could not be copied though the array could be compared with positions."""
    dim, shape = made.window[place], shape_of(made.array.type)
    size = UNBOUND if dim.span is None else dim.span.size
    aligned = isinstance(dim.shift, int) and (dim.shift == 0 or (size != UNBOUND and dim.shift % size == 0))
    if aligned or is_local(made.array):
        return None
    name = f"%{made.array.name_hint or 'array'}"
    if shape[place] == UNBOUND:
        return f"a window of them begins between tiles of memory, and {name} has an extent known at run time"
    extents = [
        whole if i == place or each.full or whole == UNBOUND else 1 if each.span is None else each.span.size
        for i, (each, whole) in enumerate(zip(made.window, shape, strict=True))
    ]
    taken = abs(prod(extents)) * max(WORD, byte_width(element_type(made.array.type)))
    if taken > MOST_RESIDENT:
        return (
            f"a window of them begins between tiles of memory, and {taken} bytes of {name} would stay on "
            f"the chip; {MOST_RESIDENT} may"
        )
    return None


def _race(access: _Indexed, made: StoreOp) -> str | None:
    """Why a store might meet other accesses, which the scatter beside it promises not to."""
    grid = _grid_around(made)
    if grid is None:
        return None
    for axis in grid.axes:
        pairs = [{each.write, each.other} for each in conflicts(grid, axis.value)]
        if any(made in pair and access not in pair for pair in pairs):
            return f"as a store it might meet another access in two iterations of {axis.name}"
    return None


def _erase_unused(value: SSAValue) -> None:
    """Erase what made positions that nothing uses now."""
    op = value.owner
    if isinstance(op, Operation) and not isinstance(op, AccessOp) and is_trivially_dead(op):
        operands = list(op.operands)
        Rewriter.erase_op(op)
        for operand in operands:
            _erase_unused(operand)
