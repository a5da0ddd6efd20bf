"""How views of an array follow from each other, and whether a kernel still takes an array as two values."""

from dataclasses import dataclass
from typing import TypeAlias, cast

from xdsl.dialects import func, memref
from xdsl.dialects.builtin import MemRefType
from xdsl.ir import Operation, SSAValue

from tilec.diagnostics import fail
from tilec.dialects.tile.access import AccessOp
from tilec.dialects.tile.arrays import EmptyOp, FullOp
from tilec.dialects.tile.types import Array
from tilec.dialects.tile.views import ConvertOp, ViewOp, viewed_array


@dataclass(frozen=True)
class Step:
    """One view: of an array of type `source`, its elements as `target`, dimensions permuted by `perm`."""

    source: Array
    target: Array
    perm: tuple[int, ...] | None

    @property
    def changes(self) -> bool:
        """Whether the view is not the array just as it is."""
        if self.perm is None:
            return self.source != self.target
        return list(self.perm) != sorted(self.perm)

    def inverse(self) -> "Step":
        """The view of the view that is the array."""
        return Step(self.target, self.source, None if self.perm is None else inverse(self.perm))


Form: TypeAlias = tuple[Step, ...]
"""The views that lead from an array to what is seen of it, none that a shorter form does without."""


def inverse(perm: tuple[int, ...]) -> tuple[int, ...]:
    """The permutation that undoes `perm`."""
    return tuple(perm.index(dim) for dim in range(len(perm)))


def then(form: Form, step: Step) -> Form:
    """The form of a view of what has the form."""
    if form and (form[-1].perm is None) == (step.perm is None):
        last, form = form[-1], form[:-1]
        perm = None
        if last.perm is not None and step.perm is not None:
            perm = tuple(last.perm[dim] for dim in step.perm)
        return then(form, Step(last.source, step.target, perm))
    return (*form, step) if step.changes else form


def form_of(value: SSAValue) -> Form:
    """The form of an array, none of which is of one that is no view."""
    view = value.owner
    if not isinstance(view, ViewOp):
        return ()
    step = Step(cast(Array, view.array.type), cast(Array, value.type), view.permutation)
    return then(form_of(view.array), step)


def way(start: Form, end: Form) -> Form:
    """The views that lead from one form of an array to another."""
    form: Form = ()
    for step in (*(step.inverse() for step in reversed(start)), *end):
        form = then(form, step)
    return form


def split_permutation(form: Form) -> tuple[Form, tuple[int, ...] | None]:
    """A form without the permutation that it ends with, and that, if it does."""
    if form and form[-1].perm is not None:
        return form[:-1], form[-1].perm
    return form, None


Whole: TypeAlias = func.ReturnOp | ConvertOp
"""What takes all of an array, outside of kernels."""


def touches(op: Operation) -> bool:
    """Whether an operation that takes an array may depend on its elements, and not only on its extent."""
    return not isinstance(op, memref.DimOp | EmptyOp | FullOp)


def check_resolved(function: func.FuncOp, flag: str) -> None:
    """Refuse what takes an array under another name than the one that a kernel writes it under.

    That may be in the kernel itself, or after it under a name from before. Raises TileError, which names the
    pass `flag`.
    """
    if not any(isinstance(op, ViewOp) for op in function.body.block.ops):
        return
    arrays: list[SSAValue] = list(function.body.block.args)
    stale: dict[SSAValue, AccessOp] = {}
    for op in function.body.block.ops:
        for write in op.walk():
            if isinstance(write, AccessOp) and write.writes:
                base = viewed_array(write.array)
                others = (each for each in arrays if each is not write.array and viewed_array(each) is base)
                stale |= dict.fromkeys(others, write)
        for inner in op.walk():
            bad = next((value for value in inner.operands if value in stale), None)
            if bad is not None and touches(inner):
                fail(
                    inner,
                    f"{flag}: {inner.name} takes %{bad.name_hint or 'array'}, the array that is written as "
                    f"%{stale[bad].array.name_hint or 'array'}; run --resolve-views first",
                )
        arrays += [value for value in op.results if isinstance(value.type, MemRefType)]
