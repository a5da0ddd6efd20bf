"""One `func.func`: the wrapper that checks arguments and calls kernels, and its run on random arguments."""

from xdsl.dialects import arith, func, memref
from xdsl.dialects.builtin import IntegerAttr
from xdsl.ir import Attribute, Operation, SSAValue

from tilec.diagnostics import fail
from tilec.dialects.pallas import (
    CallOp,
    CheckElementsOp,
    CheckLengthsOp,
    CheckSegmentsOp,
    CheckSumOp,
    ConvertOp,
    EmitPipelineOp,
    FullOp,
    RequireOp,
    ReshapeOp,
    ScalarOp,
    TransposeOp,
)
from tilec.dialects.pallas.types import is_array
from tilec.dialects.tile.syntax import ints_of, scalar_of
from tilec.dialects.tile.types import UNBOUND, element_type, shape_of

from .bodies import note_value
from .calls import CallPrinter, verify_shape
from .lines import Lines
from .names import dtype_name, dtype_text, shape_text, string_text
from .scope import Scope, literal
from .values import value_expression

EXAMPLE_EXTENT = 200
"""What a module's own run takes for every `?`. No block size divides it, but rows of 8 do."""


class FunctionPrinter:
    """Prints a function into lines of its own: kernels, then the wrapper."""

    def __init__(self, op: func.FuncOp, module_scope: Scope) -> None:
        self.op = op
        self.kernels = Lines()
        self.wrapper = Lines()
        self.name = module_scope.names.fresh(op.sym_name.data)
        self.scope = Scope(module_scope.names.inner(), host=True)
        self.calls = CallPrinter(self.kernels, self.wrapper, module_scope)
        self.arguments = [self.scope.name(argument, "array") for argument in op.body.block.args]
        self._print()

    @property
    def signature(self) -> str:
        """How to call it: `matmul(x: float32[?, 128]) -> float32[?, 128]`."""
        given = ", ".join(
            f"{name}: {_array_text(self.op, kind)}"
            for name, kind in zip(self.arguments, self.op.function_type.inputs, strict=True)
        )
        made = ", ".join(_array_text(self.op, kind) for kind in self.op.function_type.outputs)
        return f"{self.name}({given}) -> {made}"

    def _print(self) -> None:
        comma = ", " if self.arguments else ""
        self.wrapper.add(
            f"\n\ndef {self.name}({', '.join(self.arguments)}{comma}*, interpret=None):", self.op
        )
        with self.wrapper.indented():
            self.wrapper.add(f'"""{self.signature}"""')
            for name, argument in zip(self.arguments, self.op.body.block.args, strict=True):
                kind = argument.type
                shape = shape_text(["None" if n == UNBOUND else str(n) for n in _extents(self.op, kind)])
                dtype = dtype_name(self.op, element_type(kind))
                self.wrapper.add(f'{name} = array_argument("{name}", {name}, {shape}, "{dtype}")', self.op)
            for op in self.op.body.block.ops:
                self._statement(op)

    def _statement(self, op: Operation) -> None:
        scope = self.scope
        match op:
            case CallOp():
                self.calls.call(op, scope)
            case CheckSegmentsOp() | CheckLengthsOp():
                arrays = ["None" if array is None else scope.text(array) for array in (op.begins, op.ends)]
                self._check(op, arrays, op.limit)
            case CheckElementsOp():
                self._check(op, [scope.text(op.array)], op.limit)
            case CheckSumOp():
                self._check_sum(op)
            case RequireOp():
                self._require(op)
            case func.ReturnOp():
                self.wrapper.add(f"return {', '.join(scope.text(value) for value in op.operands)}", op)
            case _ if note_value(op, scope):
                pass
            case _:
                text = self._expression(op)
                self.wrapper.add(f"{scope.name(op.results[0], _default_name(op))} = {text}", op)

    def _check(self, op: Operation, arrays: list[str], limit: SSAValue) -> None:
        if limit in self.scope.traced:
            fail(op, f"{op.name} has a limit that is known only when a kernel starts")
        helper = op.name.removeprefix("pallas.")
        self.wrapper.add(f"{helper}({', '.join([*arrays, self.scope.text(limit)])})", op)

    def _check_sum(self, op: CheckSumOp) -> None:
        texts: list[str] = []
        for elements, limit in op.sums:
            names = " and ".join(self.scope.text(array) for array, _ in elements)
            pairs = ", ".join(f"({self.scope.text(array)}, {place})" for array, place in elements)
            texts.append(f"({string_text(names)}, [{pairs}], {self.scope.text(limit)})")
        self.wrapper.add(f"check_sum({', '.join(texts)})", op)

    def _require(self, op: RequireOp) -> None:
        value, limit = self.scope.text(op.value), self.scope.text(op.limit)
        self.wrapper.add(f"if {value} > {limit}:", op)
        with self.wrapper.indented():
            text = op.text.data.replace("{", "{{").replace("}", "}}").replace('"', "'")
            self.wrapper.add(f'raise ValueError(f"{text}: {{{value}}} is more than {{{limit}}}")', op)

    def _expression(self, op: Operation) -> str:
        scope = self.scope
        match op:
            case FullOp():
                shape = self._shape(op, op.array.type)
                dtype = dtype_text(op, element_type(op.array.type))
                number = literal(op.value)
                if number in ("0", "0.0", "False"):
                    return f"jnp.zeros({shape}, {dtype})"
                return f"jnp.full({shape}, {number}, {dtype})"
            case ReshapeOp():
                return f"jnp.reshape({scope.text(op.array)}, {self._shape(op, op.result.type)})"
            case ConvertOp():
                return f"{scope.text(op.array)}.astype({dtype_text(op, element_type(op.result.type))})"
            case TransposeOp():
                return f"jnp.transpose({scope.text(op.array)}, {shape_text(ints_of(op.perm))})"
            case ScalarOp():
                scope.traced.add(op.result)
                index = ", ".join("0" for _ in shape_of(op.array.type))
                return (
                    f"{scope.text(op.array)}[{index}]"
                    if index
                    else f"jnp.reshape({scope.text(op.array)}, ())"
                )
            case memref.DimOp():
                return f"{scope.text(op.source)}.shape[{scope.text(op.index)}]"
            case _:
                if len(op.results) != 1 or op.regions:
                    fail(op, f"{op.name} cannot be printed for Pallas around kernels")
                if any(value in scope.traced for value in op.operands):
                    scope.traced.add(op.results[0])
                return value_expression(op, scope)

    def _shape(self, op: FullOp | ReshapeOp, kind: Attribute) -> str:
        extent = op.extent
        verify_shape(op, extent, self.scope)
        return shape_text(
            [
                self.scope.text(extent) if extent is not None and n == UNBOUND else str(n)
                for n in shape_of(kind)
            ]
        )

    def example(self, lines: Lines) -> None:
        """Print a run on random arguments into the module's main block."""
        segments = self._segments()
        names: list[str] = []
        for name, argument in zip(self.arguments, self.op.body.block.args, strict=True):
            names.append(name)
            lines.add(f"{name} = {_example_text(self.op, argument, segments)}")
        called = f"{self.name}({', '.join([*names, 'interpret=pltpu.InterpretParams()'])})"
        shown = f"print({string_text(self.name)}, jax.tree.map(jnp.shape, {called}))"
        if any(isinstance(op, EmitPipelineOp) for op in self.op.walk()):
            shown = f"with jax.sharding.use_abstract_mesh(mesh):\n    {shown}"
        lines.add(shown)

    def _segments(self) -> dict[SSAValue, tuple[int, slice]]:
        """The arguments that hold segments: their limit, and which of some ordered numbers they are."""
        found: dict[SSAValue, tuple[int, slice]] = {}
        for op in self.op.body.block.ops:
            if isinstance(op, CheckSegmentsOp):
                limit = _example_number(op.limit)
                found[op.begins] = limit, slice(None) if op.ends is None else slice(None, -1)
                if op.ends is not None:
                    found[op.ends] = limit, slice(1, None)
        return found


def _extents(op: func.FuncOp, kind: Attribute) -> tuple[int, ...]:
    if not is_array(kind):
        fail(
            op, f"{op.sym_name.data} takes or returns a {kind}; only arrays, memrefs without a space, can be"
        )
    return shape_of(kind)


def _array_text(op: func.FuncOp, kind: Attribute) -> str:
    extents = ", ".join("?" if n == UNBOUND else str(n) for n in _extents(op, kind))
    return f"{dtype_name(op, element_type(kind))}[{extents}]"


def _default_name(op: Operation) -> str:
    match op:
        case memref.DimOp():
            return "extent"
        case ScalarOp():
            return "count"
        case _:
            return op.name.partition(".")[2]


def _example_number(value: SSAValue) -> int:
    """What a host integer is in the module's own run."""
    owner = value.owner
    if isinstance(owner, arith.ConstantOp) and isinstance(owner.value, IntegerAttr):
        return int(scalar_of(owner.value))
    if isinstance(owner, memref.DimOp) and isinstance(owner.index.owner, arith.ConstantOp):
        dim = int(scalar_of(owner.index.owner.value))
        extent = shape_of(owner.source.type)[dim]
        return EXAMPLE_EXTENT if extent == UNBOUND else extent
    return EXAMPLE_EXTENT


def _example_text(op: func.FuncOp, argument: SSAValue, segments: dict[SSAValue, tuple[int, slice]]) -> str:
    shape = [EXAMPLE_EXTENT if n == UNBOUND else n for n in shape_of(argument.type)]
    dtype = dtype_name(op, element_type(argument.type))
    if argument in segments:
        limit, part = segments[argument]
        if part == slice(None):
            return f"np.linspace(0, {limit}, {shape[0]}).astype(np.int32)"
        ends = f"np.linspace(0, {limit}, {shape[0] + 1}).astype(np.int32)"
        return f"{ends}[:-1]" if part.start is None else f"{ends}[1:]"
    if "float" in dtype:
        return f"rng.standard_normal({shape_text(shape)}).astype(jnp.{dtype})"
    return f"np.zeros({shape_text(shape)}, np.{dtype})"
