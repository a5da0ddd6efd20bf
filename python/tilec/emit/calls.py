"""One `pallas.call`: its kernel function, and the `pl.pallas_call` in the wrapper."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from textwrap import fill

from xdsl.ir import Operation, SSAValue

from tilec.diagnostics import fail
from tilec.dialects.pallas import (
    CallOp,
    InOp,
    InSpaceOp,
    OutOp,
    OutSpaceOp,
    PrefetchOp,
    ScratchOp,
    Space,
)
from tilec.dialects.pallas.kernels import SPECS
from tilec.dialects.pallas.types import space_of
from tilec.dialects.tile.types import UNBOUND, element_type, shape_of

from .bodies import BodyPrinter
from .lines import INDENT, LINE, Lines
from .names import dtype_text, shape_text, string_text
from .scope import Scope

MEMORY = {Space.SMEM: "pltpu.SMEM", Space.VMEM: "pltpu.VMEM", Space.ANY: "pl.ANY"}


@dataclass
class Operands:
    """The operations that describe a call's operands, in the order in which Pallas passes them."""

    op: CallOp
    prefetched: list[PrefetchOp] = field(init=False)
    inputs: list[InOp | InSpaceOp] = field(init=False)
    outputs: list[OutOp | OutSpaceOp] = field(init=False)
    scratch: list[ScratchOp] = field(init=False)

    def __post_init__(self) -> None:
        ops = list(self.op.body.block.ops)
        self.prefetched = [spec for spec in ops if isinstance(spec, PrefetchOp)]
        self.inputs = [spec for spec in ops if isinstance(spec, InOp | InSpaceOp)]
        self.outputs = self.op.outputs
        self.scratch = [spec for spec in ops if isinstance(spec, ScratchOp)]

    @property
    def aliased(self) -> list[OutOp | OutSpaceOp]:
        return [out for out in self.outputs if out.alias is not None]

    @property
    def aliases(self) -> dict[int, int]:
        """By the position of an operand, scalar prefetch included, the output that begins as it."""
        first = len(self.prefetched) + len(self.inputs)
        return {first + i: self.outputs.index(out) for i, out in enumerate(self.aliased)}


def captured(op: CallOp, scope: Scope) -> list[SSAValue]:
    """The host integers that the kernel's body uses. Raises TileError for what it cannot use."""
    found: dict[SSAValue, None] = {}
    body = [inner for inner in op.body.block.ops if not isinstance(inner, SPECS)]
    for inner in (nested for outer in body for nested in outer.walk()):
        for value in inner.operands:
            if not _is_inside(value, op) and value not in scope.constants:
                _verify_capture(inner, value, scope)
                found[value] = None
    return list(found)


def _is_inside(value: SSAValue, op: CallOp) -> bool:
    owner = value.owner
    outer = owner if isinstance(owner, Operation) else owner.parent_op()
    return outer is not None and op.is_ancestor(outer)


def _verify_capture(user: Operation, value: SSAValue, scope: Scope) -> None:
    if shape_of(value.type):
        fail(
            user,
            f"{user.name} uses a whole array in a kernel; pallas.in or pallas.prefetch refers to it",
        )
    if value in scope.traced:
        fail(user, f"{user.name} uses a scalar that is known only when the kernel starts; prefetch its array")


class CallPrinter:
    """Prints a call: the kernel into `kernels`, the rest into the wrapper's lines."""

    def __init__(self, kernels: Lines, wrapper: Lines, module_scope: Scope) -> None:
        self.kernels = kernels
        self.wrapper = wrapper
        self.module_scope = module_scope
        self.bodies = BodyPrinter(wrapper)

    def call(self, op: CallOp, scope: Scope) -> None:
        operands = Operands(op)
        kernel = self.module_scope.names.fresh(f"{op.kernel_name.data}_kernel")
        statics = captured(op, scope)
        keywords = self._kernel(kernel, operands, statics, scope)
        inits = self._inits(operands, scope)
        specs = self._specs(operands, scope)
        results = [scope.name(array, "out") for array in op.arrays]
        target = kernel
        if statics:
            given = ", ".join(f"{key}={scope.text(value)}" for key, value in keywords.items())
            target = f"functools.partial({kernel}, {given})"
        self.wrapper.add(f"{', '.join(results)} = pl.pallas_call(", op)
        with self.wrapper.indented():
            self.wrapper.add(f"{target},", op)
            self._grid(operands, specs, scope)
            self._results(operands, inits, scope)
            self._parameters(operands)
        arrays = [scope.text(spec.array) for spec in (*operands.prefetched, *operands.inputs)]
        self.wrapper.add(f")({', '.join([*arrays, *inits.values()])})", op)
        self._cut(operands, inits, results, scope)

    def _kernel(
        self, name: str, operands: Operands, statics: list[SSAValue], scope: Scope
    ) -> dict[str, SSAValue]:
        """Print the kernel function. Returns its keyword arguments, with the host integers for them."""
        inner = self.module_scope.inner()
        inner.constants.update(scope.constants)
        arguments = [inner.name(spec.ref, f"{_hint(spec.array)}_ref") for spec in operands.prefetched]
        arguments += [inner.name(spec.ref, f"{_hint(spec.array)}_ref") for spec in operands.inputs]
        arguments += [_init_name(out, inner) for out in operands.aliased]
        arguments += [inner.name(out.ref, "out_ref") for out in operands.outputs]
        arguments += [inner.name(spec.ref, "scratch_ref") for spec in operands.scratch]
        keywords = {inner.name(value, "extent"): value for value in statics}
        if keywords:
            arguments += ["*", *keywords]
        self.kernels.add(f"\n\n{_header(name, ', '.join(arguments))}", operands.op)
        body = BodyPrinter(self.kernels)
        with self.kernels.indented():
            before = len(self.kernels.lines)
            for inner_op in operands.op.body.block.ops:
                if not isinstance(inner_op, SPECS):
                    body.statement(inner_op, inner)
            if len(self.kernels.lines) == before:
                self.kernels.add("pass")
        self.kernels.close()
        return keywords

    def _inits(self, operands: Operands, scope: Scope) -> dict[int, str]:
        """Print the first contents of aliased outputs. Returns their variables by position of the output."""
        names: dict[int, str] = {}
        for position, out in enumerate(operands.outputs):
            if out.alias is None:
                continue
            names[position] = scope.text(out.alias)
            if isinstance(out, OutOp):
                block = shape_text([extent if isinstance(extent, int) else 1 for extent in out.extents])
                source, names[position] = names[position], scope.names.fresh(f"{_hint(out.alias)}_blocks")
                self.wrapper.add(f"{names[position]} = whole_blocks({source}, {block}, interpret)", out)
        return names

    def _specs(self, operands: Operands, scope: Scope) -> dict[str, list[tuple[str, Operation]]]:
        refs: list[SSAValue] = [spec.ref for spec in operands.prefetched]
        ins = [self._spec(spec, scope, refs, None) for spec in operands.inputs]
        ins += [self._init_spec(out, scope, refs) for out in operands.aliased]
        outs = [self._spec(out, scope, refs, None) for out in operands.outputs]
        return {
            "in_specs": list(zip(ins, [*operands.inputs, *operands.aliased], strict=True)),
            "out_specs": list(zip(outs, operands.outputs, strict=True)),
        }

    def _init_spec(self, out: OutOp | OutSpaceOp, scope: Scope, refs: Sequence[SSAValue]) -> str:
        if isinstance(out, OutOp) and (out.init is None or not out.init.uses):
            return f"pl.BlockSpec(memory_space={MEMORY[Space.ANY]})"  # a block would be copied for nothing
        # A block is only read when it is first visited, so a second buffer would be wasted.
        return self._spec(out, scope, refs, 1)

    def _spec(
        self,
        spec: InOp | InSpaceOp | OutOp | OutSpaceOp,
        scope: Scope,
        refs: Sequence[SSAValue],
        buffers: int | None,
    ) -> str:
        if isinstance(spec, InSpaceOp | OutSpaceOp):
            return f"pl.BlockSpec(memory_space={MEMORY[spec.space.data]})"
        return self.bodies.block_spec(spec, scope, refs, buffers)

    def _grid(self, operands: Operands, specs: dict[str, list[tuple[str, Operation]]], scope: Scope) -> None:
        op = operands.op
        if not operands.prefetched and not operands.scratch:
            self._grid_keys(operands, specs, scope)
            return
        self.wrapper.add("grid_spec=pltpu.PrefetchScalarGridSpec(", op)
        with self.wrapper.indented():
            self.wrapper.add(f"num_scalar_prefetch={len(operands.prefetched)},", op)
            self._grid_keys(operands, specs, scope)
            if operands.scratch:
                self.bodies.spec_list(
                    "scratch_shapes", [(_scratch_text(spec), spec) for spec in operands.scratch], op
                )
        self.wrapper.add("),", op)

    def _grid_keys(
        self, operands: Operands, specs: dict[str, list[tuple[str, Operation]]], scope: Scope
    ) -> None:
        op = operands.op
        self.wrapper.add(f"grid={shape_text([scope.number(size) for size in op.grid])},", op)
        self.bodies.spec_list("in_specs", specs["in_specs"], op)
        self._per_output("out_specs", specs["out_specs"], op)

    def _per_output(self, key: str, texts: Sequence[tuple[str, Operation]], op: CallOp) -> None:
        """Print a list with an entry for each output, or the entry itself for the only one."""
        if len(texts) > 1:
            self.bodies.spec_list(key, texts, op)
        else:
            text, output = texts[0]
            self.wrapper.add(f"{key}={text},", output)

    def _results(self, operands: Operands, inits: dict[int, str], scope: Scope) -> None:
        shapes = [
            (_struct_text(out, inits.get(position), scope), out)
            for position, out in enumerate(operands.outputs)
        ]
        self._per_output("out_shape", shapes, operands.op)
        if operands.aliases:
            self.wrapper.add(f"input_output_aliases={operands.aliases},", operands.op)

    def _parameters(self, operands: Operands) -> None:
        op = operands.op
        parameters: list[str] = []
        if op.semantics.data:
            orders = shape_text([f'"{order.data}"' for order in op.semantics])
            parameters.append(f"dimension_semantics={orders},")
        if op.vmem_limit is not None:
            parameters.append(f"vmem_limit_bytes={op.vmem_limit.value.data},")
        if op.unchecked is not None:
            parameters.append("disable_bounds_checks=True,")
        if parameters:
            self.wrapper.add("compiler_params=pltpu.CompilerParams(", op)
            with self.wrapper.indented():
                self.wrapper.add("\n".join(parameters), op)
            self.wrapper.add("),", op)
        self.wrapper.add("interpret=False if interpret is None else interpret,", op)
        self.wrapper.add(f"name={string_text(op.kernel_name.data)},", op)

    def _cut(self, operands: Operands, inits: dict[int, str], results: list[str], scope: Scope) -> None:
        """Print the removal of what `whole_blocks` added."""
        for position in inits:
            out = operands.outputs[position]
            if isinstance(out, OutOp):
                ends = ", ".join(f":{extent}" for extent in extents_text(out, scope))
                self.wrapper.add(f"{results[position]} = {results[position]}[{ends}]", out)


def _header(name: str, arguments: str) -> str:
    header = f"def {name}({arguments}):"
    if len(header) <= LINE:
        return header
    return f"def {name}(\n{fill(arguments, LINE, initial_indent=INDENT, subsequent_indent=INDENT)}\n):"


def _hint(array: SSAValue) -> str:
    return array.name_hint or "array"


def _init_name(out: OutOp | OutSpaceOp, scope: Scope) -> str:
    """The kernel's argument for the first contents of an output; a whole array holds its own already."""
    if isinstance(out, OutOp) and out.init is not None and out.init.uses:
        return scope.name(out.init, "init_ref")
    return scope.names.fresh("_init_ref")


def verify_shape(op: Operation, extent: SSAValue | None, scope: Scope) -> None:
    """Raise TileError where an array's extent is traced."""
    if extent in scope.traced:
        fail(
            op,
            f"{op.name} has an extent that is known only when a kernel starts; "
            "an array's shape must be known before",
        )


def extents_text(out: OutOp | OutSpaceOp, scope: Scope) -> list[str]:
    """The extents of an array as Python expressions; its own `extent` is the one that is `?`."""
    extent = out.extent
    verify_shape(out, extent, scope)
    return [
        scope.text(extent) if size == UNBOUND and extent is not None else str(size)
        for size in shape_of(out.kind)
    ]


def _struct_text(out: OutOp | OutSpaceOp, init: str | None, scope: Scope) -> str:
    if init is not None:
        return f"jax.ShapeDtypeStruct({init}.shape, {init}.dtype)"
    shape = shape_text(extents_text(out, scope))
    return f"jax.ShapeDtypeStruct({shape}, {dtype_text(out, element_type(out.kind))})"


def _scratch_text(spec: ScratchOp) -> str:
    kind = spec.ref.type
    if space_of(kind) == Space.SEMAPHORE:
        return f"pltpu.SemaphoreType.DMA({shape_text(shape_of(kind))})"
    dtype = dtype_text(spec, element_type(kind))
    space = space_of(kind) or Space.VMEM
    return f"{MEMORY[space]}({shape_text(shape_of(kind))}, {dtype})"
