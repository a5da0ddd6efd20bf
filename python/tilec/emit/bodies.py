"""The statements of a kernel's body, and index maps."""

from collections.abc import Sequence

from xdsl.ir import Block, Operation, Region, SSAValue

from tilec.diagnostics import fail
from tilec.dialects.pallas import (
    Bounded,
    CondOp,
    CopyStartOp,
    CopyWaitOp,
    Ds,
    Element,
    EmitPipelineOp,
    ForiOp,
    LoadOp,
    NumProgramsOp,
    PipeInOp,
    PipeOutOp,
    ProgramIdOp,
    StoreOp,
    WhenOp,
    YieldOp,
)
from tilec.dialects.pallas.blocks import BlockOp, Extent
from tilec.dialects.pallas.windows import Dim

from .lines import Lines
from .names import shape_text
from .scope import Scope, constant_of
from .values import is_renaming, value_expression

DEFAULT_NAMES = {
    "arith.addf": "total",
    "arith.addi": "total",
    "arith.subf": "rest",
    "arith.subi": "rest",
    "arith.mulf": "product",
    "arith.muli": "product",
    "arith.divf": "quotient",
    "arith.divsi": "quotient",
    "arith.floordivsi": "quotient",
    "arith.ceildivsi": "quotient",
    "arith.remsi": "remainder",
    "arith.shrsi": "shifted",
    "arith.maximumf": "larger",
    "arith.maxsi": "larger",
    "arith.minimumf": "smaller",
    "arith.minsi": "smaller",
    "arith.cmpf": "holds",
    "arith.cmpi": "holds",
    "arith.andi": "both",
    "arith.ori": "either",
    "arith.select": "chosen",
    "tile.compare": "holds",
    "tile.select": "chosen",
    "tile.broadcast": "wide",
    "tile.reduce": "reduced",
}
"""What a value without a name is called; others are called after their operation."""


class BodyPrinter:
    """Prints operations as Python statements, one each, into `lines`."""

    def __init__(self, lines: Lines) -> None:
        self.lines = lines

    def statements(self, block: Block, scope: Scope) -> None:
        """Print all operations of a block but the one that ends it, `pass` if none leaves a line."""
        before = len(self.lines.lines)
        for op in block.ops:
            if not isinstance(op, YieldOp | PipeInOp | PipeOutOp):
                self.statement(op, scope)
        if len(self.lines.lines) == before and not isinstance(block.last_op, YieldOp):
            self.lines.add("pass")

    def statement(self, op: Operation, scope: Scope) -> None:
        match op:
            case StoreOp():
                self.lines.add(f"{_place(op, scope)} = {scope.text(op.value)}", op)
            case CopyStartOp() | CopyWaitOp():
                parts = ", ".join(_part(ref, dims, scope) for ref, dims in op.parts)
                half = "start" if isinstance(op, CopyStartOp) else "wait"
                self.lines.add(f"pltpu.make_async_copy({parts}).{half}()", op)
            case WhenOp():
                self.lines.gap()
                self.lines.add(f"@pl.when({scope.text(op.condition)})", op)
                self.lines.add("def _():", op)
                with self.lines.indented():
                    self.statements(op.body.block, scope.inner())
                self.lines.gap()
            case CondOp():
                self._cond(op, scope)
            case ForiOp():
                self._fori(op, scope)
            case EmitPipelineOp():
                self._pipeline(op, scope)
            case _:
                self._value(op, scope)

    def _value(self, op: Operation, scope: Scope) -> None:
        if note_value(op, scope):
            return
        text = expression(op, scope)
        self.lines.add(f"{scope.name(op.results[0], _default_name(op))} = {text}", op)

    def _cond(self, op: CondOp, scope: Scope) -> None:
        branches = [scope.names.fresh("then"), scope.names.fresh("otherwise")]
        for name, region in zip(branches, (op.then, op.otherwise), strict=True):
            inner = scope.inner()
            self.lines.gap()
            self.lines.add(f"def {name}():", op)
            with self.lines.indented():
                self.statements(region.block, inner)
                self._return(region, inner)
            self.lines.gap()
        names = [scope.name(result, "chosen") for result in op.results]
        target = f"{', '.join(names)} = " if names else ""
        self.lines.add(f"{target}lax.cond({scope.text(op.condition)}, {', '.join(branches)})", op)

    def _fori(self, op: ForiOp, scope: Scope) -> None:
        counter = op.body.block.args[0]
        step, inner = scope.names.fresh(f"for_{counter.name_hint or 'i'}"), scope.inner()
        index = inner.name(counter, "i")
        many = len(op.carried) > 1
        carried = [inner.name(value, "carried") for value in op.carried]
        argument = inner.names.fresh("carried") if many else carried[0] if carried else "_"
        self.lines.gap()
        self.lines.add(f"def {step}({index}, {argument}):", op)
        with self.lines.indented():
            if many:
                self.lines.add(f"{', '.join(carried)} = {argument}", op)
            self.statements(op.body.block, inner)
            self._return(op.body, inner)
        self.lines.gap()
        begin, end = (scope.number(bound) for bound in op.bounds)
        inits = [scope.typed(value) for value in op.inits]
        first = shape_text(inits) if many else inits[0] if inits else "None"
        results = [scope.name(value, "carried") for value in op.results]
        target = f"{', '.join(results)} = " if results else ""
        unroll = "" if op.unroll is None else f", unroll={op.unroll.value.data}"
        self.lines.add(f"{target}lax.fori_loop({begin}, {end}, {step}, {first}{unroll})", op)

    def _return(self, region: Region, scope: Scope) -> None:
        last = region.block.last_op
        values = [scope.typed(value) for value in last.operands] if last is not None else []
        self.lines.add(f"return {', '.join(values)}" if values else "return None", last)

    def _pipeline(self, op: EmitPipelineOp, scope: Scope) -> None:
        windows = [inner for inner in op.body.block.ops if isinstance(inner, PipeInOp | PipeOutOp)]
        inputs = [window for window in windows if isinstance(window, PipeInOp)]
        outputs = [window for window in windows if isinstance(window, PipeOutOp)]
        step, inner = scope.names.fresh("pipeline_step"), scope.inner()
        refs = [inner.name(window.ref, _ref_name(window.source)) for window in [*inputs, *outputs]]
        self.lines.gap()
        self.lines.add(f"def {step}({', '.join(refs)}):", op)
        with self.lines.indented():
            self.statements(op.body.block, inner)
        self.lines.gap()
        specs = {id(window): self.block_spec(window, scope, ()) for window in windows}
        self.lines.add("pltpu.emit_pipeline(", op)
        with self.lines.indented():
            self.lines.add(f"{step},", op)
            self.lines.add(f"grid={shape_text([scope.number(size) for size in op.grid])},", op)
            for key, group in (("in_specs", inputs), ("out_specs", outputs)):
                self.spec_list(key, [(specs[id(window)], window) for window in group], op)
        arrays = ", ".join(scope.text(window.source) for window in [*inputs, *outputs])
        self.lines.add(f")({arrays})", op)

    def spec_list(self, key: str, specs: Sequence[tuple[str, Operation]], op: Operation) -> None:
        """Print `key=[…],` with one specification a line."""
        if not specs:
            self.lines.add(f"{key}=[],", op)
            return
        self.lines.add(f"{key}=[", op)
        with self.lines.indented():
            for text, owner in specs:
                self.lines.add(f"{text},", owner)
        self.lines.add("],", op)

    def block_spec(
        self, op: BlockOp, scope: Scope, prefetched: Sequence[SSAValue], buffers: int | None = None
    ) -> str:
        """A `pl.BlockSpec`. An index map too long for a lambda becomes a function before it."""
        extents = ", ".join(_extent_text(extent) for extent in op.extents)
        extents = f"({extents},)" if len(op.extents) == 1 else f"({extents})"
        given = buffers or (None if op.buffers is None else op.buffers.value.data)
        mode = "" if given is None else f", pipeline_mode=pl.Buffered({given})"
        return f"pl.BlockSpec({extents}, {self._index_map(op, scope, prefetched)}{mode})"

    def _index_map(self, op: BlockOp, scope: Scope, prefetched: Sequence[SSAValue]) -> str:
        block, inner = op.index_map.block, scope.inner()
        inner.host = False  # a map's arguments are traced
        steps = [inner.name(argument, "i") for argument in block.args]
        used = [value for inner_op in block.ops for value in inner_op.operands]
        last = max((i for i, ref in enumerate(prefetched) if ref in used), default=-1)
        steps += [inner.name(ref, "ref") for ref in prefetched[: last + 1]]
        steps += ["*_"] if last + 1 < len(prefetched) else []
        arguments = ", ".join(steps)
        if _fits_lambda(block):
            for inner_op in block.ops:
                if not isinstance(inner_op, YieldOp) and not note_value(inner_op, inner):
                    inner.texts[inner_op.results[0]] = expression(inner_op, inner)
            return f"lambda{' ' if arguments else ''}{arguments}: {_position(op, inner)}"
        name = scope.names.fresh(f"{op.results[0].name_hint or 'block'}_map")
        self.lines.gap()
        self.lines.add(f"def {name}({arguments}):", op)
        with self.lines.indented():
            self.statements(block, inner)
            self.lines.add(f"return {_position(op, inner)}", block.last_op)
        self.lines.gap()
        return name


def note_value(op: Operation, scope: Scope) -> bool:
    """Record what `op` makes if that takes no statement: a constant, or another name for a value."""
    constant = constant_of(op, scope)
    if constant is not None:
        scope.constants[op.results[0]] = constant
    elif is_renaming(op):
        scope.alias(op.results[0], op.operands[0])
    return constant is not None or is_renaming(op)


def expression(op: Operation, scope: Scope) -> str:
    """The Python expression for the one result of an operation in a kernel."""
    match op:
        case LoadOp():
            return _place(op, scope)
        case ProgramIdOp():
            return f"pl.program_id({op.dim.value.data})"
        case NumProgramsOp():
            return f"pl.num_programs({op.dim.value.data})"
        case _:
            if len(op.results) != 1 or op.regions:
                fail(op, f"{op.name} cannot be printed for Pallas in a kernel")
            return value_expression(op, scope)


def _place(op: LoadOp | StoreOp, scope: Scope) -> str:
    return f"{scope.atom(op.ref)}[{_dims_text(op.dims, scope) or '...'}]"


def _part(ref: SSAValue, dims: Sequence[Dim], scope: Scope) -> str:
    """A part of a reference that is not read or written at once, but passed on."""
    return f"{scope.atom(ref)}.at[{_dims_text(dims, scope)}]" if dims else scope.text(ref)


def _dims_text(dims: Sequence[Dim], scope: Scope) -> str:
    return ", ".join(_dim_text(dim, scope) for dim in dims)


def _dim_text(dim: Dim, scope: Scope) -> str:
    if dim is None:
        return ":"
    if isinstance(dim, Ds):
        return f"pl.ds({scope.number(dim.start)}, {scope.number(dim.size)})"
    return scope.number(dim)


def _extent_text(extent: Extent) -> str:
    if isinstance(extent, Element):
        return f"pl.Element({extent.size})"
    return f"pl.BoundedSlice({extent.size})" if isinstance(extent, Bounded) else str(extent)


def _position(op: BlockOp, scope: Scope) -> str:
    """The tuple that an index map returns."""
    results = iter(op.map_results)
    parts: list[str] = []
    for extent in op.extents:
        if isinstance(extent, Bounded):
            # Pallas compares slices of two steps; the integer of a first step is not like a later array.
            start, size = (f"jnp.int32({scope.text(next(results))})" for _ in range(2))
            parts.append(f"pl.ds({start}, {size})")
        else:
            parts.append(scope.text(next(results)))
    return f"({parts[0]},)" if len(parts) == 1 else f"({', '.join(parts)})"


def _fits_lambda(block: Block) -> bool:
    """Whether each computed value of an index map is used once, so that nothing is computed twice."""
    free = ("arith.constant", "arith.index_cast")
    values = [op.results[0] for op in block.ops if op.results and op.name not in free]
    return len(values) <= 3 and all(value.has_one_use() for value in values)


def _ref_name(source: SSAValue) -> str:
    return f"{source.name_hint or 'window'}_ref"


def _default_name(op: Operation) -> str:
    if isinstance(op, LoadOp):
        return (op.ref.name_hint or "value").removesuffix("_ref")
    if isinstance(op, ProgramIdOp):
        return f"step_{op.dim.value.data}"
    return DEFAULT_NAMES.get(op.name, op.name.partition(".")[2])
