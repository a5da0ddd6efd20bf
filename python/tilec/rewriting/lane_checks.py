"""What a loop does once for a tile of an axis, so that its lanes one by one would do something else."""

from collections.abc import Iterator

from xdsl.dialects.builtin import f32
from xdsl.ir import Operation, SSAValue
from xdsl.traits import Pure

from tilec.analysis.races import both, conflicts, is_part
from tilec.diagnostics import where
from tilec.dialects.tile.access import AccessOp, Dim
from tilec.dialects.tile.atomics import AtomicRmwOp
from tilec.dialects.tile.axes import Order
from tilec.dialects.tile.loops import ForOp, LoopOp
from tilec.dialects.tile.mixing import ReduceOp
from tilec.dialects.tile.products import DotOp
from tilec.dialects.tile.syntax import ints_of
from tilec.dialects.tile.types import JaggedSpanType, element_type, span_names, span_of


def done_once(loop: LoopOp, span: SSAValue, name: str) -> str | None:
    """What `loop` does once for a tile of the axis `name`, which yields `span`; `None` if nothing."""
    loops = [op for op in loop.walk() if isinstance(op, ForOp)]
    kinds = [span_of(op.axis.value) for op in loops]
    children = {kind.axis for kind in kinds if isinstance(kind, JaggedSpanType) and kind.parent == name}
    for op in loop.walk():
        reason = None
        if isinstance(op, ForOp) and (op is loop or op.axis.name in children):
            reason = _carried(op, name)
        elif isinstance(op, AccessOp) and op.writes:
            along = any(_goes_along(dim, span, name) for dim in op.window)
            reason = None if along or sums_lanes(op, name) else "is done once for each of its tiles"
        elif isinstance(op, ReduceOp | DotOp) and children & set(_mixed(op)) and name not in _names(op):
            reason = "goes on to the longest of its lanes, where there is no dimension for them"
        if reason is not None:
            return f"{op.name} at {where(op)} {reason}"
    return None


def _carried(op: ForOp, name: str) -> str | None:
    for old, new, result in zip(op.carried, op.yielded, op.results_, strict=True):
        if name in span_names(old.type) or new is old or not (result.uses or _is_used(op, old)):
            continue
        hint = f" %{old.name_hint}" if old.name_hint else ""
        return f"carries{hint} from step to step for all of its lanes at once"
    return None


def _is_used(loop: ForOp, carried: SSAValue) -> bool:
    """Whether a carried value is for anything but its own next state."""
    pending, place = [carried], list(loop.carried).index(carried)
    while pending:
        for use in pending.pop().uses:
            if use.operation is loop.body.block.last_op:
                if use.index != place:
                    return True
            elif not use.operation.has_trait(Pure) or use.operation.regions:
                return True
            else:
                pending += use.operation.results
    return False


def _goes_along(dim: Dim, span: SSAValue, name: str) -> bool:
    """Whether each lane has positions of its own, or a value has a dimension for them."""
    return is_part(dim, span) or (dim.base is not None and dim.indexed and name in span_names(dim.base.type))


def sums_lanes(op: Operation, name: str) -> bool:
    """Whether an atomic combines an array with all lanes of an axis, which they may do one by one as well.

    What combines them must be of the kind of the atomic, for it alone and done as often, and not be rounded.
    """
    if not isinstance(op, AtomicRmwOp) or op.old is not None or op.unique is not None:
        return False
    reduced, element = op.value.owner, element_type(op.value.type)
    return (
        isinstance(reduced, ReduceOp)
        and reduced.parent is op.parent
        and name in _mixed(reduced)
        and reduced.kind.data.value == op.kind.data.value
        and len(list(reduced.result.uses)) == 1
        and element in (element_type(op.array.type), f32)
    )


def _mixed(op: ReduceOp | DotOp) -> Iterator[str | None]:
    """The axes along which lanes are combined."""
    if isinstance(op, ReduceOp):
        yield from (span_names(op.value.type)[dim] for dim in ints_of(op.dims))
        return
    for value, dim in zip((op.lhs, op.rhs), op.contracted, strict=True):
        yield span_names(value.type)[dim]


def _names(op: ReduceOp | DotOp) -> list[str | None]:
    """The axes of what is combined."""
    values = [op.value] if isinstance(op, ReduceOp) else [op.lhs, op.rhs]
    return [name for value in values for name in span_names(value.type)]


def keep_apart(made: LoopOp, index: SSAValue, name: str) -> str | None:
    """Why two lanes of `name` may meet in an array, now that they take turns in `made`; `None` if none do.

    Positions that are computed may become windows, so what is said of them is left to `--classify-axes`: a
    grid's iterations are independent, and a loop is told that its own are.
    """
    for conflict in conflicts(made, index):
        computed = any(dim.indexed for op in (conflict.write, conflict.other) for dim in op.window)
        if not computed or (isinstance(made, ForOp) and made.inits):
            return f"{both(conflict)} may touch one element in two lanes of {name}"
        if isinstance(made, ForOp):
            made.set_orders([Order.PARALLEL])
    return None
