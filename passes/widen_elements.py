"""`--widen-elements`: what stands in memory for elements that a TPU cannot have there.

It has no single bits in memory. Pallas makes an array of them one of words, four bytes an element, and a
kernel of loops of its own can copy none. So they are kept as i8, or, where scalars are read, as i32, which is
what scalar memory holds. Narrow integers that are read as scalars are kept as i32 too.

Before:
    func.func @f(%m: memref<?x128xi1>) … {
      %p = tile.load %m[%t, :]
After:
    func.func @f(%m: memref<?x128xi1>) … {
      %m_1 = tile.convert %m : memref<?x128xi1> to memref<?x128xi8>
      %p_1 = tile.load %m_1[%t, :]
      %p = tile.cast %p_1 to i1

Arguments and results of the function stay as they are: the host converts them. Arrays on the chip do too.
"""

from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import MemRefType, ModuleOp, i1, i8, i16, i32
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from tilec.dialects.tile.access import AccessOp
from tilec.dialects.tile.arrays import EmptyOp, FullOp, LoadOp
from tilec.dialects.tile.elementwise import CastOp
from tilec.dialects.tile.locals import is_local
from tilec.dialects.tile.types import element_type, shape_of, with_element
from tilec.dialects.tile.views import ConvertOp, ViewOp, viewed_array
from tilec.rewriting.arrays import made_as


class WidenElements(ModulePass):
    """Keep truth values as bytes, and narrow integers that are read as scalars as words."""

    name = "widen-elements"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in [inner for inner in op.walk() if isinstance(inner, func.FuncOp)]:
            if function.body.blocks:
                _Function(function).run()


class _Function:
    def __init__(self, function: func.FuncOp):
        self.block, self.location = function.body.block, function.location
        accesses = [op for op in function.walk() if isinstance(op, AccessOp) and not is_local(op.array)]
        narrow = [op for op in accesses if element_type(op.array.type) in (i1, i8, i16)]
        alone = [op for op in narrow if not any(dim.kept for dim in op.window)]
        self.single = {viewed_array(op.array) for op in alone if _is_flag(op) or isinstance(op, LoadOp)}
        self.accesses = [op for op in narrow if _is_flag(op) or viewed_array(op.array) in self.single]
        self.arrays = {viewed_array(op.array) for op in self.accesses}
        self.written = {viewed_array(op.array) for op in self.accesses if op.writes}
        self.made: dict[SSAValue, SSAValue] = {}

    def run(self) -> None:
        first = InsertPoint.at_start(self.block)
        for argument in self.block.args:
            if argument in self.arrays:
                self._keep(argument, ConvertOp(argument, self._element(argument)), first)
        for op in list(self.block.ops):
            self._array(op)
        for access in self.accesses:
            _widen(access, self.made[access.array])
        for old in reversed(self.made):
            if not old.uses and isinstance(old.owner, Operation):
                Rewriter.erase_op(old.owner)

    def _element(self, array: SSAValue) -> Attribute:
        return i32 if viewed_array(array) in self.single else i8

    def _keep(self, old: SSAValue, made: Operation, where: InsertPoint) -> None:
        made.location = old.owner.location if isinstance(old.owner, Operation) else self.location
        Rewriter.insert_op(made, where)
        made.results[0].name_hint = old.name_hint
        self.made[old] = made.results[0]

    def _array(self, op: Operation) -> None:
        """Make an array of integers beside one that is made here, and what is returned of it."""
        match op:
            case EmptyOp() | FullOp() if op.array in self.arrays:
                kind = MemRefType(self._element(op.array), shape_of(op.array.type))
                self._keep(op.array, made_as(op, kind), InsertPoint.before(op))
            case ViewOp() if op.array in self.made:
                kind = MemRefType(self._element(op.array), shape_of(op.result.type))
                made = ViewOp(self.made[op.array], kind, op.permutation)
                self._keep(op.result, made, InsertPoint.before(op))
            case func.ReturnOp():
                for place, value in enumerate(op.operands):
                    if value in self.made and viewed_array(value) in self.written:
                        back = ConvertOp(self.made[value], element_type(value.type))
                        back.location, back.result.name_hint = op.location, value.name_hint
                        Rewriter.insert_op(back, InsertPoint.before(op))
                        op.operands[place] = back.result
            case _:
                pass


def _is_flag(op: AccessOp) -> bool:
    return element_type(op.array.type) == i1


def _widen(op: AccessOp, array: SSAValue) -> None:
    """Let an access read or write integers."""
    kind, had = element_type(array.type), element_type(op.array.type)
    for name in ("value", "other", "expected"):
        value: SSAValue | None = getattr(op, name, None)
        if value is None:
            continue
        cast = CastOp(value, kind)
        cast.location = op.location
        Rewriter.insert_op(cast, InsertPoint.before(op))
        place = 1 if name in ("other", "expected") else 0
        op.operands[place] = cast.result
    op.operands[op.operands.index(op.array)] = array
    for result in op.results:
        hint = result.name_hint
        result = Rewriter.replace_value_with_new_type(result, with_element(result.type, kind))
        back = CastOp(result, had)
        back.location, back.result.name_hint = op.location, hint
        Rewriter.insert_op(back, InsertPoint.after(op))
        result.replace_uses_with_if(back.result, lambda use: use.operation is not back)
