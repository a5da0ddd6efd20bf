"""`--resolve-views`: kernels access no array through two of its views if they write it.

A view is the array, and later passes should not have to know: they take another value for another array. So
here every access moves to one value for each array. What is left of `tile.view` stands between arguments,
kernels and results, and is a reshape or a transposition of the whole array there.

An access to a permuted view becomes one to the array that is viewed, and its value is transposed; but a row
of a view stays one that is a column of an array of few: what is only read the host transposes. An array
that is made here gets the shape in which it is stored; if its dimensions are only permuted, their order is
that in which it is returned. An argument is reshaped before a kernel that accesses it in another shape, and
back where it is returned.

Before:
    %out = tile.empty : memref<8x128xf32>
    %flat = tile.view %out : memref<8x128xf32> to memref<1024xf32>
    %t = tile.view %x permute [1, 0] : memref<128x8xf32> to memref<8x128xf32>
    tile.grid %m = 0 to 8 by m:8 {
      %v = tile.load %t[%m, :]
      tile.store %v, %out[%m, :]
    }
    return %flat
After:
    %out = tile.empty : memref<8x128xf32>
    tile.grid %m = 0 to 8 by m:8 {
      %v = tile.load %x[:, %m]
      %v_1 = tile.transpose %v [1, 0]
      tile.store %v_1, %out[%m, :]
    }
    %flat = tile.view %out : memref<8x128xf32> to memref<1024xf32>
    return %flat

Refused: a kernel that writes an array and accesses it in two shapes; anything but loads, stores and atomics
of a view; the extent of a dimension of a view that is no literal. `--explain` names what is done to whole
arrays, which may copy them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith, func, memref
from xdsl.dialects.builtin import IndexType, IntegerAttr, ModuleOp
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from tilec.analysis.affine import linear
from tilec.analysis.views import Form, Whole, form_of, split_permutation, touches, way
from tilec.diagnostics import explain, fail, where
from tilec.dialects.tile.access import AccessOp
from tilec.dialects.tile.arrays import EmptyOp, FullOp, LoadOp, StoreOp
from tilec.dialects.tile.types import UNBOUND, shape_of
from tilec.dialects.tile.views import ViewOp, viewed_array
from tilec.rewriting.arrays import made_as
from tilec.rewriting.moved_dims import has_few_columns
from tilec.rewriting.permuted import Viewed, access_unpermuted


class ResolveViews(ModulePass):
    """Give the accesses of a kernel one value for each array that it writes."""

    name = "resolve-views"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in [inner for inner in op.walk() if isinstance(inner, func.FuncOp)]:
            views = [inner for inner in function.body.block.ops if isinstance(inner, ViewOp)]
            for base in dict.fromkeys(viewed_array(view.result) for view in views):
                _Array(base, [view.result for view in views], function).resolve()
            for view in reversed(views):
                Rewriter.erase_op(view)


@dataclass
class _Use:
    """An operation that may touch elements of an array, in which form, and which of its operands that is."""

    op: Operation
    operand: int
    form: Form


def _writes(op: Operation) -> bool:
    return isinstance(op, AccessOp) and op.writes


def _is_of_columns(op: Operation, form: Form) -> bool:
    """Whether what an operation takes of a view would be a column of few, of an array of known extents."""
    _, perm = split_permutation(form)
    if perm is None or not isinstance(op, LoadOp | StoreOp):
        return False
    few, last = has_few_columns(shape_of(form[-1].source)), perm.index(len(perm) - 1)
    return few and last != len(perm) - 1 and not op.window[last].kept and any(dim.kept for dim in op.window)


class _Array:
    """An array of a function, and what stands for it while its uses change, in order.

    `value` holds its elements now, in the form `form`; `made` are that and the views that were made of it.
    """

    def __init__(self, base: SSAValue, views: Sequence[SSAValue], function: func.FuncOp):
        self.base = base
        self.forms = {value: form_of(value) for value in (base, *views) if viewed_array(value) is base}
        self.source = [op for op in function.body.block.ops if not isinstance(op, ViewOp)]
        self._hold(base, ())

    def _hold(self, value: SSAValue, form: Form) -> None:
        self.value, self.form = value, form
        self.made: dict[Form, SSAValue] = {form: value}

    def resolve(self) -> None:
        if isinstance(self.base.owner, EmptyOp | FullOp):
            self._make_at_home(self.base.owner)
        self._take_extents()
        for op in self.source:
            self._move(list(self._uses([op])), op)

    def _uses(self, ops: Iterable[Operation]) -> Iterator[_Use]:
        for op in ops:
            for inner in op.walk():
                for position, value in enumerate(inner.operands):
                    if value in self.forms and touches(inner):
                        yield _Use(inner, position, self.forms[value])

    # Arrays that are made here

    def _make_at_home(self, made: EmptyOp | FullOp) -> None:
        """Make the array in the form that suits its uses; forms follow from that one then."""
        home = self._home()
        if not home:
            return
        new = made_as(made, home[-1].target)
        self.forms = {
            new.array if value is self.base else value: way(home, form) for value, form in self.forms.items()
        }
        self.base = new.array
        self._hold(new.array, ())
        Rewriter.replace_op(made, new)

    def _home(self) -> Form:
        """The form to make the array in: kernels can transpose what they access, and the host reshape."""
        uses = list(self._uses(self.source))
        returned = [use.form for use in uses if isinstance(use.op, Whole)]
        stored = [use.form for use in uses if _writes(use.op)]
        accessed = [use.form for use in uses if not isinstance(use.op, Whole)]
        for home in (*returned, *stored):
            if any(_is_of_columns(use.op, way(home, use.form)) for use in uses):
                continue
            reshaped = [split_permutation(way(home, form))[0] for form in accessed]
            permuted = [step for form in returned for step in way(home, form) if step.perm is not None]
            if not any(reshaped) and not permuted:
                return home
        return split_permutation(stored[0])[0] if stored else ()

    # Uses

    def _take_extents(self) -> None:
        """Let no extent depend on a view: those that are `?` are the array's."""
        for value in self.forms:
            for use in list(value.uses):
                if isinstance(use.operation, memref.DimOp):
                    self._take_extent(use.operation)
                elif not touches(use.operation):  # an array that is made like this one
                    use.operation.operands[use.index] = self.base

    def _take_extent(self, op: memref.DimOp) -> None:
        dim, shape = linear(op.index).literal, shape_of(op.source.type)
        if dim is None or not 0 <= dim < len(shape):
            fail(
                op,
                f"resolve-views: memref.dim of {op.source.type}, a view or an array that has views; "
                f"it takes a literal dimension, 0 to {len(shape) - 1}",
            )
        if shape[dim] == UNBOUND:
            op.operands[0] = self.base
            return
        known = arith.ConstantOp(IntegerAttr(shape[dim], IndexType()))
        known.location, known.result.name_hint = op.location, op.result.name_hint
        Rewriter.replace_op(op, known)

    def _move(self, uses: Sequence[_Use], before: Operation) -> None:
        """Change the uses in one operation of the function, a kernel or what returns."""
        if isinstance(before, Whole):
            for use in uses:
                before.operands[use.operand] = self._seen_as(use.form, before)
            return
        for use in uses:
            if use.form and not isinstance(use.op, Viewed):
                fail(
                    use.op,
                    f"resolve-views: {use.op.name} takes %{self.base.name_hint or 'array'} as a view; "
                    "views can be loaded, stored and updated, and this takes the array itself",
                )
        written = next((use for use in uses if _writes(use.op)), None)
        if written is not None:
            self._check_shapes(written, uses)
        for use in uses:
            shape, perm = split_permutation(use.form)
            if written is None and _is_of_columns(use.op, use.form):
                shape, perm = use.form, None
            value = self._seen_as(shape, before)
            if perm is not None and isinstance(use.op, Viewed):
                access_unpermuted(use.op, value, perm)
            else:
                use.op.operands[use.operand] = value
        if written is not None:
            shape, _ = split_permutation(written.form)
            self._hold(self.made[shape], shape)

    def _check_shapes(self, written: _Use, uses: Sequence[_Use]) -> None:
        shape, _ = split_permutation(written.form)
        for use in uses:
            other, _ = split_permutation(use.form)
            if other != shape:
                fail(
                    written.op,
                    f"resolve-views: the {written.op.name} here takes %{self.base.name_hint or 'array'} as "
                    f"{self._type(shape)} and the {use.op.name} at {where(use.op)} as {self._type(other)}; "
                    "what a kernel writes it can access in one shape only, its dimensions in any order",
                )

    def _type(self, form: Form) -> Attribute:
        return form[-1].target if form else self.base.type

    def _seen_as(self, form: Form, before: Operation) -> SSAValue:
        """The array in a form, made from what holds it now by views that stand before an operation."""
        if form not in self.made:
            named = next((value for value, known in self.forms.items() if known == form), self.base)
            value = self.value
            for step in way(self.form, form):
                what = "reshapes" if step.perm is None else "transposes"
                explain(before, f"resolve-views: the host {what} a {step.source} to {step.target} here")
                view = ViewOp(value, step.target, step.perm)
                view.location, view.result.name_hint = before.location, named.name_hint
                Rewriter.insert_op(view, InsertPoint.before(before))
                value = view.result
            self.made[form] = value
        return self.made[form]
