"""The extents that arrays of a program have, given those of its arguments, and programs for extents of 0."""

from collections.abc import Iterator, Sequence
from typing import cast

from xdsl.dialects import arith, func, memref
from xdsl.dialects.builtin import IndexType, IntegerAttr, IntegerType, MemRefType, ModuleOp
from xdsl.ir import Attribute, BlockArgument, Operation, SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from tilec.analysis.affine import INTEGERS, IndexBounds
from tilec.diagnostics import fail
from tilec.dialects.tile import ConvertOp, EmptyOp, FullOp, GridOp, ViewOp
from tilec.dialects.tile.access import AccessOp
from tilec.dialects.tile.types import UNBOUND, element_type, shape_of
from tilec.dialects.tile.views import viewed_array
from tilec.runtime.signature import only_function, returned

Shapes = Sequence[Sequence[int]]

ROWS = 8
"""The rows of an array that stands for one without any: as many as every kind of loop takes."""


class _UnknownIndex(Exception):
    """An index that extents do not give, with the operation that makes it."""


def result_shapes(module: ModuleOp, shapes: Shapes) -> list[tuple[int, ...]]:
    """The shapes of the results of a program whose arguments have `shapes`.

    Extents may be of any type with the arithmetic of `int`, such as symbols of a tracer. Raises TileError for
    a `?` that is computed by other operations than sums, products, quotients and extremes of extents.
    """
    try:
        return [_shape(value, shapes) for value in returned(only_function(module))]
    except _UnknownIndex as unknown:
        op: Operation = unknown.args[0]
        fail(
            op,
            f"{op.name} gives an extent of an array; sums, products, quotients and extremes of extents can",
        )


def _shape(array: SSAValue, shapes: Shapes) -> tuple[int, ...]:
    leading, *others = shape_of(array.type)
    return (_leading(array, shapes) if leading == UNBOUND else leading, *others)


def _leading(array: SSAValue, shapes: Shapes) -> int:
    match array.owner:
        case EmptyOp(like=SSAValue() as like) | FullOp(like=SSAValue() as like):
            return _shape(like, shapes)[0]
        case EmptyOp(extent=SSAValue() as extent) | FullOp(extent=SSAValue() as extent):
            return _index(extent, shapes)
        case ViewOp() | ConvertOp() as view:
            return _shape(view.array, shapes)[0]
        case _:
            return shapes[cast(BlockArgument, array).index][0]


def _index(value: SSAValue, shapes: Shapes) -> int:
    match value.owner:
        case arith.ConstantOp(value=IntegerAttr() as literal):
            return cast("IntegerAttr[IntegerType]", literal).value.data
        case memref.DimOp() as op:
            return _shape(op.source, shapes)[_index(op.index, shapes)]
        case arith.IndexCastOp() as op:
            return _index(op.input, shapes)
        case Operation() as op if type(op) in INTEGERS:
            return INTEGERS[type(op)](*(_index(operand, shapes) for operand in op.operands))
        case owner:
            raise _UnknownIndex(owner)


def without_rows(module: ModuleOp, shapes: Shapes) -> ModuleOp | None:
    """A copy of a program for arguments of `shapes`, where an extent of them or computed from them is 0.

    Kernels cannot have arrays without rows: the copy takes and returns them with `ROWS` that stand for none.
    What is computed as 0 is the literal 0 there, so no axis runs over such rows, and no valid segment holds
    any. Where rows are only found at computed positions, as there are none, the type says how many stand for
    them: passes ask for that, and segments are checked against other arrays. Grids without iterations are
    gone; of arrays that nothing writes, zeros are returned. None if nothing is 0.
    """
    changed = module.clone()
    function = only_function(changed)
    zeros = [op for op in function.walk() if _computes_index(op) and _known(op.results[0], shapes) == 0]
    if not zeros and all(0 not in shape for shape in shapes):
        return None
    found = [value for value in _found_by_position(function) if _known_rows(value, shapes) == 0]
    rows = _index_constant(ROWS)
    Rewriter.insert_op(rows, InsertPoint.at_start(function.body.block))
    for op in zeros:
        Rewriter.replace_op(op, _index_constant(0))
    for value in found:
        kind = MemRefType(element_type(value.type), (ROWS, *shape_of(value.type)[1:]))
        if isinstance(value.owner, EmptyOp | FullOp):
            _replace_made(value.owner, kind)
        else:
            Rewriter.replace_value_with_new_type(value, kind)
    function.update_function_type()
    for op in list(function.body.block.ops):
        if isinstance(op, EmptyOp | FullOp) and op.extent is not None and _known(op.extent, shapes) == 0:
            op.operands[list(op.operands).index(op.extent)] = rows.result
        if isinstance(op, EmptyOp | FullOp) and op.like and shape_of(op.like.type)[0] != UNBOUND:
            _replace_made(op, op.array_type, rows.result)
        if isinstance(op, GridOp) and any(_is_idle(axis.bounds, shapes) for axis in op.axes):
            Rewriter.erase_op(op)
    for made in {viewed_array(value).owner for value in returned(function)}:
        if isinstance(made, EmptyOp):
            fill = FullOp(0, made.array_type, like=made.like, extent=made.extent)
            Rewriter.replace_op(made, fill)
    return changed


def _found_by_position(function: func.FuncOp) -> Iterator[SSAValue]:
    """The arrays of any number of rows whose rows are found at computed positions only."""
    made = [op.array for op in function.walk() if isinstance(op, EmptyOp | FullOp)]
    for value in (*function.body.block.args, *made):
        users = [use.operation for use in value.uses]
        accesses = [op for op in users if isinstance(op, AccessOp) and op.array == value]
        others = [op for op in users if op not in accesses]
        if (
            shape_of(value.type)[:1] == (UNBOUND,)
            and accesses
            and all(op.window[0].indexed for op in accesses)
            and all(isinstance(op, memref.DimOp | EmptyOp | FullOp | func.ReturnOp) for op in others)
        ):
            yield value


def _known_rows(array: SSAValue, shapes: Shapes) -> int | None:
    """How many rows an array has for arguments of `shapes`, if extents give it."""
    try:
        return _leading(array, shapes)
    except (_UnknownIndex, ZeroDivisionError):
        return None


def _replace_made(op: EmptyOp | FullOp, kind: MemRefType[Attribute], extent: SSAValue | None = None) -> None:
    """Make an array of another type, of `extent` rows if that does not say it."""
    if isinstance(op, EmptyOp):
        made = EmptyOp(kind, extent=extent)
    else:
        made = FullOp(op.value.value.data, kind, extent=extent)
    made.location = op.location
    Rewriter.replace_op(op, made)


def _computes_index(op: Operation) -> bool:
    return type(op) in (memref.DimOp, *INTEGERS) and isinstance(op.results[0].type, IndexType)


def _is_idle(bounds: IndexBounds, shapes: Shapes) -> bool:
    begin, end = (_known(bound, shapes) for bound in (bounds.begin, bounds.end))
    return begin is not None and end is not None and end <= begin


def _known(value: SSAValue | int, shapes: Shapes) -> int | None:
    """An index for arguments of `shapes`, if extents give it."""
    try:
        return value if isinstance(value, int) else _index(value, shapes)
    except (_UnknownIndex, ZeroDivisionError):
        return None


def _index_constant(value: int) -> arith.ConstantOp:
    return arith.ConstantOp(IntegerAttr.from_index_int_value(value))
