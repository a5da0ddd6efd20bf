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
name one element twice, and `tile.atomic_rmw` takes a window too. `mask` and `other` stay: what they, or a
condition, keep inside the array is read through a window that may reach beyond it.

Left alone, and explained: positions of which an operation makes no linear form; indices of an axis times
more than 1; what all lanes share, where it is computed from tiles; a mask, a condition or `drop` that may
keep lanes inside the array, where they are written, or read before the begin of a leading dimension; what may
be written before the array, which nothing checks; a scatter that as a store would be a race; a window that
could not be copied: one that begins between tiles of memory, in an array whose extent is not known, or that
is too large to stay on the chip.
"""

from collections.abc import Sequence
from math import prod

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import BlockArgument, Operation, SSAValue
from xdsl.passes import ModulePass

from tilec.analysis.affine import is_carried, is_inside, linear
from tilec.analysis.blocks import MOST_WINDOW, following_extent
from tilec.analysis.positions import Positions, positions
from tilec.analysis.races import conflicts, meet
from tilec.analysis.ranges import Ranges
from tilec.analysis.unflatten import Digit, digits, strides_of
from tilec.analysis.vmem import WORD
from tilec.analysis.within import (
    begins_inside,
    grid_around,
    is_conditional,
    is_within,
    may_begin_before,
    may_leave,
)
from tilec.diagnostics import explain, where
from tilec.dialects.tile.access import AccessOp
from tilec.dialects.tile.arrays import LoadOp, StoreOp
from tilec.dialects.tile.gathers import GatherOp, ScatterOp
from tilec.dialects.tile.locals import is_local
from tilec.dialects.tile.loops import GridOp
from tilec.dialects.tile.types import UNBOUND, JaggedSpanType, byte_width, element_type, shape_of, span_names
from tilec.dialects.tile.views import ViewOp, viewed_array
from tilec.rewriting.steps import is_scalar
from tilec.rewriting.unflattened import Indexed, Unflattened, Views
from tilec.rewriting.unused import erase_unused


class RaiseGathers(ModulePass):
    """Make windows of accesses at computed positions that follow each other."""

    name = "raise-gathers"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        views = Views()
        for access in [inner for inner in op.walk() if isinstance(inner, Indexed)]:
            reason = None if access.indexed is None else _raise(access, access.indexed, views)
            if reason is not None:
                explain(access, f"raise-gathers: {access.name} keeps its computed positions: {reason}")
        views.erase_unused()


def _raise(access: Indexed, place: int, views: Views) -> str | None:
    """Give an access a window in place of the positions of one dimension; returns why not."""
    form = _form(access, place)
    if isinstance(form, str):
        return form
    reasons: list[str] = []
    for strides in _strides(access, place, form):
        plan = _plan(access, place, form, strides, views)
        if isinstance(plan, str):
            reasons.append(plan)
            continue
        reason = _disagreement(plan, strides, views) or _insert(plan, views)
        if reason is None:
            return None
        plan.withdraw()
        reasons.append(reason)
    return reasons[0]


def _form(access: Indexed, place: int) -> Positions | str:
    """The linear form of positions, all of which a kernel knows before it copies anything; else why not."""
    dim = access.window[place]
    form = None if dim.base is None else positions(dim.base)
    if not isinstance(form, Positions):
        return "they are no linear form" + ("" if form is None else f": {form.name} at {where(form)}")
    form += Positions(linear(dim.shift))
    if form.lanes:
        return "lanes of no axis number them"
    if not form.spans:
        return "they are all the same"
    if any(isinstance(span.type, JaggedSpanType) for span, _ in form.spans.values()):
        return "they are of a jagged tile, whose lanes have extents of their own"
    late = next((text for leaf in form.scalar.factors if (text := _is_late(leaf, access))), None)
    return form if late is None else late


def _strides(access: Indexed, place: int, form: Positions) -> list[tuple[int, ...]]:
    """The strides to try, those of the array that was flattened first."""
    kind, made, shape = access.array.type, access.array.owner, tuple[int, ...]()
    if isinstance(made, ViewOp) and made.permutation is None and len(shape_of(kind)) == 1:
        shape = shape_of(made.array.type)
    return strides_of(form, shape_of(kind)[place], shape)


def _plan(
    access: Indexed, place: int, form: Positions, strides: Sequence[int], views: Views
) -> Unflattened | str:
    """The access with a window instead of positions, not yet in the program; else why there is none."""
    found = digits(form, shape_of(access.array.type)[place], strides, Ranges())
    if isinstance(found, str):
        return found
    reason = _misshapen(access, place, found)
    if reason is not None:
        return reason
    plan = Unflattened(access, place, found, views)
    reason = _leaves(access, plan.made) or _not_copied(plan.made, range(place, place + len(found)))
    if reason is not None:
        plan.withdraw()
        return reason
    return plan


def _misshapen(access: Indexed, place: int, found: Sequence[Digit]) -> str | None:
    """Why the value of an access has no form as the value of a window."""
    ids = access.window[place].base
    values = [value for value in access.operands if span_names(value.type) and value is not ids]
    rest = set(range(0 if ids is None else len(span_names(ids.type)))) - {digit.dim for digit in found}
    before = sum(dim.kept for dim in access.window[:place])
    for value in values if rest else ():
        names, shape = span_names(value.type), shape_of(value.type)
        if any((shape[before + dim], names[before + dim]) != (1, None) for dim in rest):
            return f"lanes of {value.type} share a position"
        if None in names and any(names[names.index(None) :]):
            return f"{value.type} has an extent of 1 before a span"
    return None


def _disagreement(plan: Unflattened, strides: Sequence[int], views: Views) -> str | None:
    """Another access of the kernel that takes the array in another shape, if the kernel writes it."""
    grid, base = grid_around(plan.access), viewed_array(plan.array)
    if grid is None or plan.array is plan.access.array:
        return None
    others = [op for op in grid.walk() if isinstance(op, AccessOp) and viewed_array(op.array) is base]
    if not any(op.writes for op in others):
        return None
    for other in others:
        if other in (plan.access, plan.made) or other.array is plan.array:
            continue
        if not isinstance(other, Indexed) or not _follows(other, strides, plan, views):
            name = f"%{plan.access.array.name_hint or 'array'}"
            return f"{name} is written, and {where(other)} accesses it in another shape"
    return None


def _follows(other: Indexed, strides: Sequence[int], plan: Unflattened, views: Views) -> bool:
    """Whether another access at computed positions can have a window of the same array as `plan`."""
    place = other.indexed
    form = "" if place is None or other.array is not plan.access.array else _form(other, place)
    if isinstance(form, str) or place is None:
        return False
    found = _plan(other, place, form, strides, views)
    if isinstance(found, str):
        return False
    found.withdraw()
    return found.array is plan.array


def _insert(plan: Unflattened, views: Views) -> str | None:
    """Put a window in the place of positions, unless a store would be a race; returns that."""
    ids = [dim.base for dim in plan.access.window if dim.base is not None and dim.indexed]
    plan.place_before()
    race = _race(plan.access, plan.made, views) if isinstance(plan.made, StoreOp) else None
    if race is None:
        plan.take_over()
        for value in ids:
            erase_unused(value)
    return race


def _is_late(leaf: SSAValue | tuple[SSAValue, int], access: AccessOp) -> str | None:
    """Why a kernel cannot know a scalar before it copies anything; `None` if it can."""
    if isinstance(leaf, tuple):
        return None
    op, grid = leaf.owner, grid_around(access)
    if isinstance(leaf, BlockArgument):
        carried = f"%{leaf.name_hint or 'value'}, which all share, is carried by a loop"
        return carried if is_carried(leaf) else None
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


def _leaves(access: Indexed, made: AccessOp) -> str | None:
    """What may keep lanes inside the array, where a window may be outside of it and cannot be cut."""
    grid = grid_around(access)
    for position in range(len(made.window)):
        name = f"dimension {position} of %{access.array.name_hint or 'array'}"
        if isinstance(made, StoreOp) and may_begin_before(made.window[position]):
            return f"some may be before {name}"
        if is_within(made, position) or (isinstance(made, LoadOp) and _is_cut(made, position)):
            continue
        if access.mask is not None:
            return f"a mask may keep them inside {name}"
        if not isinstance(access, GatherOp) and access.drop is not None:
            return f"`drop` may leave some out, outside of {name}"
        if grid is not None and is_conditional(access, grid) and may_leave(made, position):
            return f"a condition may keep them inside {name}"
    return None


def _is_cut(made: LoadOp, position: int) -> bool:
    """Whether a kernel can read a window that may reach beyond its array, without what is outside."""
    dim = made.window[position]
    if dim.span is None:
        return shape_of(made.array.type)[position] != UNBOUND
    return position >= len(made.window) - 2 or begins_inside(dim)


def _not_copied(made: AccessOp, places: range) -> str | None:
    """Why a window could not be copied though the array could be compared with positions."""
    return next((text for place in places if (text := _not_copied_along(made, place))), None)


def _not_copied_along(made: AccessOp, place: int) -> str | None:
    dim, shape = made.window[place], shape_of(made.array.type)
    if dim.span is None or is_local(made.array):
        return None
    size = dim.span.size
    if isinstance(dim.shift, int) and (dim.shift == 0 or (size != UNBOUND and dim.shift % size == 0)):
        return None
    name = f"%{made.array.name_hint or 'array'}"
    if shape[place] == UNBOUND:
        return f"a window of them begins between tiles of memory, and {name} has an extent known at run time"
    extents = [
        whole if i == place or each.full or whole == UNBOUND else 1 if each.span is None else each.span.size
        for i, (each, whole) in enumerate(zip(made.window, shape, strict=True))
    ]
    taken = abs(prod(extents)) * max(WORD, byte_width(element_type(made.array.type)))
    follows = isinstance(made, LoadOp) and following_extent(made, place, max(size, 1)) is not None
    if taken <= MOST_WINDOW or follows:
        return None
    return (
        f"a window of them begins between tiles of memory, and {taken} bytes of {name} would stay on the "
        f"chip; {MOST_WINDOW} may"
    )


def _race(access: Indexed, made: StoreOp, views: Views) -> str | None:
    """Why a store might meet other accesses, which the scatter beside it promises not to."""
    grid = grid_around(made)
    if grid is None:
        return None
    for axis in grid.axes:
        pairs = [{each.write, each.other} for each in conflicts(grid, axis.value)]
        found = [pair for pair in pairs if made in pair and access not in pair]
        others = {op for pair in found for op in pair if op is not made}
        if {made} in found or any(not _stays_apart(op, made, axis.value, views) for op in others):
            return f"as a store it might meet another access in two iterations of {axis.name}"
    return None


def _stays_apart(other: AccessOp, made: StoreOp, axis: SSAValue, views: Views) -> bool:
    """Whether another scatter, as the store that it can be, meets a store in no two iterations of an axis."""
    grid, place = grid_around(made), other.indexed
    if grid is None or place is None or not isinstance(other, ScatterOp) or other.array is not made.array:
        return False
    form = _form(other, place)
    if isinstance(form, str):
        return False
    found = _plan(other, place, form, (1,), views)
    if isinstance(found, str):
        return False
    apart = found.array is made.array and not meet(grid, axis, made, found.made)
    found.withdraw()
    return apart
