"""Operations on values as Python expressions: arith and math, and those of tile that compute."""

from collections.abc import Callable, Sequence

from xdsl.dialects import arith, math
from xdsl.dialects.builtin import AnyFloat, FixedBitwidthType, IndexType, TensorType, i1
from xdsl.ir import Attribute, Operation, SSAValue

from tilec.diagnostics import fail
from tilec.dialects import tile
from tilec.dialects.pallas import IotaOp, MultipleOfOp, RollOp, TakeOp
from tilec.dialects.tile.elementwise import Relation
from tilec.dialects.tile.mixing import Combine
from tilec.dialects.tile.products import Precision
from tilec.dialects.tile.syntax import ints_of
from tilec.dialects.tile.types import element_type, shape_of

from .names import dtype_text, shape_text
from .scope import Scope

ELEMENTWISE: dict[type[Operation], str] = {
    arith.AddiOp: "{} + {}",
    arith.SubiOp: "{} - {}",
    arith.MuliOp: "{} * {}",
    arith.FloorDivSIOp: "{} // {}",
    arith.CeilDivSIOp: "-(-{} // {})",
    arith.DivSIOp: "lax.div({}, {})",
    arith.RemSIOp: "lax.rem({}, {})",
    arith.MaxSIOp: "jnp.maximum({}, {})",
    arith.MinSIOp: "jnp.minimum({}, {})",
    arith.AndIOp: "{} & {}",
    arith.OrIOp: "{} | {}",
    arith.XOrIOp: "{} ^ {}",
    arith.ShLIOp: "{} << {}",
    arith.ShRSIOp: "{} >> {}",
    arith.ShRUIOp: "lax.shift_right_logical({}, {})",
    arith.AddfOp: "{} + {}",
    arith.SubfOp: "{} - {}",
    arith.MulfOp: "{} * {}",
    arith.DivfOp: "{} / {}",
    arith.NegfOp: "-{}",
    arith.MaximumfOp: "jnp.maximum({}, {})",
    arith.MinimumfOp: "jnp.minimum({}, {})",
    arith.MaxnumfOp: "jnp.fmax({}, {})",
    arith.MinnumfOp: "jnp.fmin({}, {})",
    math.AbsFOp: "jnp.abs({})",
    math.AbsIOp: "jnp.abs({})",
    math.Atan2Op: "jnp.arctan2({}, {})",
    math.CeilOp: "jnp.ceil({})",
    math.CopySignOp: "jnp.copysign({}, {})",
    math.CosOp: "jnp.cos({})",
    math.CountLeadingZerosOp: "lax.clz({})",
    math.CtPopOp: "lax.population_count({})",
    math.ErfOp: "lax.erf({})",
    math.Exp2Op: "jnp.exp2({})",
    math.ExpOp: "jnp.exp({})",
    math.FloorOp: "jnp.floor({})",
    math.FmaOp: "{} * {} + {}",
    math.Log10Op: "jnp.log10({})",
    math.Log1pOp: "jnp.log1p({})",
    math.Log2Op: "jnp.log2({})",
    math.LogOp: "jnp.log({})",
    math.PowFOp: "jnp.power({}, {})",
    math.RoundEvenOp: "jnp.round({})",
    math.RoundOp: "lax.round({})",
    math.RsqrtOp: "lax.rsqrt({})",
    math.SinOp: "jnp.sin({})",
    math.SqrtOp: "jnp.sqrt({})",
    math.TanOp: "jnp.tan({})",
    math.TanhOp: "jnp.tanh({})",
    math.TruncOp: "jnp.trunc({})",
}
"""Expressions of operations that work lane by lane; none for what the TPU compiler refuses."""

HOST: dict[type[Operation], str] = {
    **{
        kind: ELEMENTWISE[kind]
        for kind in (arith.AddiOp, arith.SubiOp, arith.MuliOp, arith.FloorDivSIOp, arith.AndIOp, arith.OrIOp)
    },
    arith.CeilDivSIOp: "pl.cdiv({}, {})",
    arith.MaxSIOp: "max({}, {})",
    arith.MinSIOp: "min({}, {})",
}
"""Expressions on Python integers, which the shapes of arrays are computed with."""

CASTS = (
    tile.CastOp,
    arith.ExtFOp,
    arith.TruncFOp,
    arith.ExtSIOp,
    arith.ExtUIOp,
    arith.TruncIOp,
    arith.SIToFPOp,
    arith.UIToFPOp,
    arith.FPToSIOp,
)

_ORDERED = {1: "{} == {}", 2: "{} > {}", 3: "{} >= {}", 4: "{} < {}", 5: "{} <= {}", 13: "{} != {}"}
_FLOAT_COMPARISONS = {
    **_ORDERED,
    6: "({0} < {1}) | ({0} > {1})",
    7: "({0} == {0}) & ({1} == {1})",
    8: "~(({0} < {1}) | ({0} > {1}))",
    9: "~({} <= {})",
    10: "~({} < {})",
    11: "~({} >= {})",
    12: "~({} > {})",
    14: "({0} != {0}) | ({1} != {1})",
}
"""By the number of the predicate in `arith.cmpf`: oeq is 1, ogt 2, …, une 13, uno 14."""

_INTEGER_COMPARISONS = {
    0: "{} == {}",
    1: "{} != {}",
    2: "{} < {}",
    3: "{} <= {}",
    4: "{} > {}",
    5: "{} >= {}",
}
"""By the number of the predicate in `arith.cmpi`: the signed ones."""

_COMPARISONS = {
    Relation.EQ: "{} == {}",
    Relation.NE: "{} != {}",
    Relation.LT: "{} < {}",
    Relation.LE: "{} <= {}",
    Relation.GT: "{} > {}",
    Relation.GE: "{} >= {}",
}

_REDUCTIONS = {Combine.ADD: "jnp.sum", Combine.MAX: "jnp.max", Combine.MIN: "jnp.min"}
_BIT_REDUCTIONS = {Combine.AND: "jnp.all", Combine.OR: "jnp.any"}


def value_expression(op: Operation, scope: Scope) -> str:
    """The Python expression for the one result of `op`. Raises TileError for what has none."""
    if isinstance(op, CASTS):
        return _cast(op, scope)
    table = HOST if scope.host and not _is_traced(op, scope) else ELEMENTWISE
    if type(op) in table:
        text = table[type(op)]
        # A function of lax takes a Python number for an i32, and no i32 beside a narrower integer.
        typed = text.startswith("lax.") and not scope.host and _is_narrow(op.operands[0])
        return text.format(*(map(scope.typed, op.operands) if typed else _lanes(op.operands, scope)))
    match op:
        case arith.CmpiOp():
            return _compare(op, _INTEGER_COMPARISONS, op.predicate.value.data, scope)
        case arith.CmpfOp():
            return _compare(op, _FLOAT_COMPARISONS, op.predicate.value.data, scope)
        case tile.CompareOp():
            return _COMPARISONS[op.relation.data].format(*_lanes(op.operands, scope))
        case arith.SelectOp(cond=condition, lhs=true, rhs=false):
            return _select(condition, true, false, scope)
        case tile.SelectOp(condition=condition, true=true, false=false):
            return _select(condition, true, false, scope)
        case arith.BitcastOp():
            dtype = dtype_text(op, element_type(op.result.type))
            return f"lax.bitcast_convert_type({scope.typed(op.input)}, {dtype})"
        case _ if type(op) in _SHAPES and not scope.host:
            return _SHAPES[type(op)](op, scope)
        case _:
            place = "around kernels; there it can be arithmetic on index" if scope.host else "in a kernel"
            fail(op, f"{op.name} cannot be printed for Pallas {place}")


def _is_narrow(value: SSAValue) -> bool:
    element = element_type(value.type)
    return isinstance(element, FixedBitwidthType) and element.bitwidth < 32


def _is_traced(op: Operation, scope: Scope) -> bool:
    return any(value in scope.traced for value in op.operands)


def _lanes(values: Sequence[SSAValue], scope: Scope) -> list[str]:
    """Operands of an operation that works lane by lane: a constant as a number if another has the dtype."""
    if all(value in scope.constants for value in values):
        if scope.host:
            return [scope.constants[value].literal for value in values]
        return [scope.typed(values[0]), *(scope.atom(value) for value in values[1:])]
    return [scope.constants[v].literal if v in scope.constants else scope.atom(v) for v in values]


def _compare(op: Operation, table: dict[int, str], predicate: int, scope: Scope) -> str:
    if predicate not in table:
        fail(
            op, f"{op.name} compares as unsigned or not at all; a kernel compares signed integers and floats"
        )
    return table[predicate].format(*_lanes(op.operands, scope))


def _select(condition: SSAValue, true: SSAValue, false: SSAValue, scope: Scope) -> str:
    if scope.host and condition not in scope.traced:
        return f"{scope.atom(true)} if {scope.atom(condition)} else {scope.atom(false)}"
    return f"jnp.where({scope.text(condition)}, {', '.join(_lanes([true, false], scope))})"


def _cast(op: Operation, scope: Scope) -> str:
    (value,), (result,) = op.operands, op.results
    source, target = element_type(value.type), element_type(result.type)
    dtype = dtype_text(op, target)
    if isinstance(op, arith.ExtUIOp | arith.UIToFPOp) and source != i1:
        fail(op, f"{op.name} reads {source} as unsigned, which a kernel cannot; only an i1 can be")
    if target == i1:
        if not isinstance(op, tile.CastOp):
            fail(
                op,
                f"{op.name} to i1 takes the lowest bit, which a kernel cannot; `tile.cast` asks for not zero",
            )
        return f"{scope.atom(value)} != 0"
    # A scalar may be a Python number, which has no astype.
    is_array = isinstance(value.type, TensorType)
    text = f"{scope.atom(value)}.astype({dtype})" if is_array else f"{dtype}({scope.text(value)})"
    # The one bit of an i1 is its sign.
    negated = isinstance(op, arith.ExtSIOp | arith.SIToFPOp) and source == i1
    return f"-{text}" if negated else text


def is_renaming(op: Operation) -> bool:
    """Whether `op` changes the type of a value but not what Python holds: an index is a 32-bit integer."""
    if not isinstance(op, arith.IndexCastOp):
        return False
    return all(_is_int32(value.type) for value in (op.input, op.result))


def _is_int32(kind: Attribute) -> bool:
    element = element_type(kind)
    return isinstance(element, IndexType) or (
        isinstance(element, FixedBitwidthType) and element.bitwidth == 32
    )


def _dot(op: tile.DotOp, scope: Scope) -> str:
    left, right = op.contracted
    batch = "((0,), (0,))" if op.is_batch else "((), ())"
    dtype = dtype_text(op, element_type(op.result.type))
    precision = ", precision=lax.Precision.HIGHEST" if op.precision.data == Precision.HIGHEST else ""
    product = (
        f"lax.dot_general({scope.text(op.lhs)}, {scope.text(op.rhs)}, ((({left},), ({right},)), {batch}), "
        f"preferred_element_type={dtype}{precision})"
    )
    if op.acc is None or (op.acc in scope.constants and scope.constants[op.acc].literal in ("0", "0.0")):
        return product
    return f"{scope.atom(op.acc)} + {product}"


def _reduce(op: tile.ReduceOp, scope: Scope) -> str:
    kind, element = op.kind.data, element_type(op.value.type)
    table = _BIT_REDUCTIONS if element == i1 else _REDUCTIONS
    if kind not in table:
        fail(
            op,
            f"tile.reduce {kind} of {element} is nothing that the TPU compiler has; "
            "it has add, max and min of numbers, and `and` and `or` of i1",
        )
    # jnp widens the sum of a narrow integer.
    is_integer_sum = kind == Combine.ADD and not isinstance(element, AnyFloat)
    dtype = f", dtype={dtype_text(op, element)}" if is_integer_sum else ""
    return f"{table[kind]}({scope.text(op.value)}, axis={shape_text(ints_of(op.dims))}{dtype})"


def _broadcast(op: tile.BroadcastOp, scope: Scope) -> str:
    shape, dims = shape_of(op.result.type), ints_of(op.dims)
    if list(dims) == list(range(len(shape) - len(dims), len(shape))):
        return f"jnp.broadcast_to({scope.text(op.value)}, {shape_text(shape)})"
    return f"lax.broadcast_in_dim({scope.text(op.value)}, {shape_text(shape)}, {shape_text(dims)})"


def _transpose(op: tile.TransposeOp, scope: Scope) -> str:
    return f"jnp.transpose({scope.text(op.value)}, {shape_text(ints_of(op.perm))})"


def _reshape(op: tile.ReshapeOp, scope: Scope) -> str:
    return f"jnp.reshape({scope.text(op.value)}, {shape_text(shape_of(op.result.type))})"


def _concatenate(op: tile.ConcatenateOp, scope: Scope) -> str:
    values = ", ".join(scope.text(value) for value in op.values)
    return f"jnp.concatenate([{values}], axis={op.dim.value.data})"


def _slice(op: tile.SliceOp, scope: Scope) -> str:
    dim, begin, size = op.numbers
    return f"lax.slice_in_dim({scope.text(op.value)}, {begin}, {begin + size}, axis={dim})"


def _iota(op: IotaOp, scope: Scope) -> str:
    return f"lax.broadcasted_iota(jnp.int32, {shape_text(shape_of(op.result.type))}, {op.dim.value.data})"


def _roll(op: RollOp, scope: Scope) -> str:
    return f"pltpu.roll({scope.text(op.value)}, {scope.number(op.shift)}, {op.dim.value.data})"


def _take(op: TakeOp, scope: Scope) -> str:
    ids, dim = scope.text(op.ids), op.dim.value.data
    return f'jnp.take_along_axis({scope.text(op.value)}, {ids}, axis={dim}, mode="promise_in_bounds")'


def _multiple_of(op: MultipleOfOp, scope: Scope) -> str:
    return f"pl.multiple_of({scope.text(op.value)}, {op.divisor.value.data})"


_SHAPES: dict[type[Operation], Callable[..., str]] = {
    tile.DotOp: _dot,
    tile.ReduceOp: _reduce,
    tile.BroadcastOp: _broadcast,
    tile.TransposeOp: _transpose,
    tile.ReshapeOp: _reshape,
    tile.ConcatenateOp: _concatenate,
    tile.SliceOp: _slice,
    IotaOp: _iota,
    RollOp: _roll,
    TakeOp: _take,
    MultipleOfOp: _multiple_of,
}
