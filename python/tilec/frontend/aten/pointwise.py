"""Operators that work lane by lane."""

import math
from collections.abc import Callable
from typing import Any

import torch
from xdsl.dialects import arith
from xdsl.dialects import math as mlir_math
from xdsl.ir import Operation, SSAValue

from tilec.dialects.tile import CompareOp, SelectOp
from tilec.dialects.tile.elementwise import Relation
from tilec.frontend.aten.table import Call, handles
from tilec.frontend.known import Range, Value
from tilec.frontend.lanes import computed_in, convert, inverted, operand, splat, truth
from tilec.frontend.tiles import refuse_wrapped

Unary = Callable[[SSAValue], Operation]
Binary = Callable[[SSAValue, SSAValue], Operation]

FLOAT_FUNCTIONS: dict[str, Unary] = {
    "exp": mlir_math.ExpOp,
    "exp2": mlir_math.Exp2Op,
    "log": mlir_math.LogOp,
    "log2": mlir_math.Log2Op,
    "log10": mlir_math.Log10Op,
    "log1p": mlir_math.Log1pOp,
    "sqrt": mlir_math.SqrtOp,
    "rsqrt": mlir_math.RsqrtOp,
    "sin": mlir_math.SinOp,
    "cos": mlir_math.CosOp,
    "tan": mlir_math.TanOp,
    "tanh": mlir_math.TanhOp,
    "erf": mlir_math.ErfOp,
}
"""Functions of a float; integers become floats first."""

ROUNDING: dict[str, Unary] = {
    "floor": mlir_math.FloorOp,
    "ceil": mlir_math.CeilOp,
    "trunc": mlir_math.TruncOp,
}
"""Functions that leave integers as they are."""


def _unary(make: Unary) -> Callable[[Call], torch.Tensor]:
    def handler(call: Call) -> torch.Tensor:
        return call.result(call.trace.put(make(call.lanes(call["self"], computed_in(call.out.dtype)))))

    return handler


for _name, _make in FLOAT_FUNCTIONS.items():
    handles(_name)(_unary(_make))


def _rounding(make: Unary) -> Callable[[Call], torch.Tensor]:
    def handler(call: Call) -> torch.Tensor:
        value = operand(call.trace, call["self"], call.out.shape, computed_in(call.out.dtype))
        if not call.out.is_floating_point():
            return call.result(value.ssa, value.range)
        return call.result(call.trace.put(make(value.ssa)))

    return handler


for _name, _make in ROUNDING.items():
    handles(_name)(_rounding(_make))


@handles("round")
def _round(call: Call) -> torch.Tensor:
    """To the nearest, of two the even one; to a number of decimals, as torch does, by a power of ten."""
    decimals = call.get("decimals") or 0
    if decimals == 0:
        return _rounding(mlir_math.RoundEvenOp)(call)
    value, power = call["self"].to(computed_in(call.out.dtype)), 10.0 ** abs(decimals)
    scaled = torch.round(value * power if decimals > 0 else value / power)
    return (scaled / power if decimals > 0 else scaled * power).to(call.out.dtype)


def _interval(call: Call, function: Callable[..., int], *parts: Value) -> Range | None:
    """The range of 64-bit integers that come of a function that is monotone in each of two arguments."""
    if call.out.dtype is not torch.int64:
        return None
    first, second = (part.range for part in parts)
    if first is None or second is None:
        return None
    corners = [function(x, y) for x in (first.low, first.high) for y in (second.low, second.high)]
    found = Range(min(corners), max(corners))
    return found if found.fits else None


def _arithmetic(
    float_op: Binary | None,
    int_op: Binary | None,
    bool_op: Binary | None,
    function: Callable[..., int],
    names: tuple[str, str] = ("self", "other"),
) -> Callable[[Call], torch.Tensor]:
    """A function of two arguments, which the operator calls `names`. Of integers that may pass 32 bits it is
    right modulo 2**32; `function` tells how far they go.
    """

    def handler(call: Call) -> torch.Tensor:
        trace, dtype = call.trace, computed_in(call.out.dtype)
        a, b = (operand(trace, call[name], call.out.shape, dtype) for name in names)
        alpha = call.get("alpha")
        if alpha is not None and alpha != 1:
            scale = operand(trace, alpha, call.out.shape, dtype)
            product = arith.MulfOp if dtype.is_floating_point else arith.MuliOp
            known = _interval(call, lambda x, y: x * y, b, scale)
            b = Value(trace.put(product(b.ssa, scale.ssa)), known)
        make = float_op if dtype.is_floating_point else bool_op if dtype is torch.bool else int_op
        if make is None:
            trace.fail(f"{call.name} of {dtype} is not supported")
        return call.result(trace.put(make(a.ssa, b.ssa)), _interval(call, function, a, b))

    return handler


handles("add")(_arithmetic(arith.AddfOp, arith.AddiOp, arith.OrIOp, lambda x, y: x + y))
handles("sub")(_arithmetic(arith.SubfOp, arith.SubiOp, None, lambda x, y: x - y))
handles("rsub")(_arithmetic(arith.SubfOp, arith.SubiOp, None, lambda x, y: x - y, ("other", "self")))
handles("mul")(_arithmetic(arith.MulfOp, arith.MuliOp, arith.AndIOp, lambda x, y: x * y))


def _joined(a: Range, b: Range) -> Range:
    """What is one of two integers."""
    return Range(min(a.low, b.low), max(a.high, b.high))


def _bits(a: Range, b: Range) -> Range:
    """What comes of the bits of two integers: no more bits than they have, and a sign where one has it."""
    joined = _joined(a, b)
    bits = max(joined.high, -joined.low - 1).bit_length()
    return Range(-(2**bits) if joined.low < 0 else 0, 2**bits - 1)


def _shifted_left(a: Range, b: Range) -> Range:
    """What integers are after a shift to the left."""
    most = 2 ** min(max(b.high, 0), 64)
    return _joined(a, Range(a.low * most, a.high * most))


def _shifted_right(a: Range, b: Range) -> Range:
    """What integers are after a shift to the right: nearer to zero, or -1."""
    return Range(min(a.low, 0), max(a.high, 0))


def _exact(
    name: str,
    reached: Callable[[Range, Range], Range],
    float_op: Binary | None,
    int_op: Binary,
    bool_op: Binary | None = None,
) -> None:
    """Enter a function of two arguments that needs its integers whole; `reached` is how far they go."""

    def handler(call: Call) -> torch.Tensor:
        trace, dtype = call.trace, computed_in(call.out.dtype)
        parts = [operand(trace, call[each], call.out.shape, dtype) for each in ("self", "other")]
        make = float_op if dtype.is_floating_point else bool_op if dtype is torch.bool else int_op
        if make is None:
            trace.fail(f"{name} of {dtype} is not supported")
        known = [each.range for each in parts if each.range is not None]
        if dtype is torch.int64 and len(known) < len(parts):
            refuse_wrapped(trace, f"an operand of {name}")
        found = reached(*known) if dtype is torch.int64 else None
        return call.result(
            trace.put(make(parts[0].ssa, parts[1].ssa)), found if found is not None and found.fits else None
        )

    handles(name)(handler)


_exact("maximum", _joined, arith.MaximumfOp, arith.MaxSIOp, arith.OrIOp)
_exact("minimum", _joined, arith.MinimumfOp, arith.MinSIOp, arith.AndIOp)
_exact("bitwise_and", _bits, None, arith.AndIOp, arith.AndIOp)
_exact("bitwise_or", _bits, None, arith.OrIOp, arith.OrIOp)
_exact("bitwise_xor", _bits, None, arith.XOrIOp, arith.XOrIOp)
_exact("bitwise_left_shift", _shifted_left, None, arith.ShLIOp)
_exact("bitwise_right_shift", _shifted_right, None, arith.ShRSIOp)

_OPERATORS = {
    "__and__": torch.bitwise_and,
    "__or__": torch.bitwise_or,
    "__xor__": torch.bitwise_xor,
    "__lshift__": torch.bitwise_left_shift,
    "__rshift__": torch.bitwise_right_shift,
}
"""What operators of Python are. Of the last two torch tells no shapes where an operand is repeated."""


def _operator(function: Callable[..., torch.Tensor]) -> Callable[[Call], torch.Tensor]:
    return lambda call: function(call["self"], call["other"])


for _name, _function in _OPERATORS.items():
    handles(_name, early=True)(_operator(_function))


@handles("neg")
def _neg(call: Call) -> torch.Tensor:
    trace, dtype = call.trace, computed_in(call.out.dtype)
    value = operand(trace, call["self"], call.out.shape, dtype)
    if dtype.is_floating_point:
        return call.result(trace.put(arith.NegfOp(value.ssa)))
    zero = Value(splat(trace, 0, value.ssa.type), Range(0, 0))
    known = _interval(call, lambda x, y: x - y, zero, value)
    return call.result(trace.put(arith.SubiOp(zero.ssa, value.ssa)), known)


@handles("abs")
def _abs(call: Call) -> torch.Tensor:
    value = call.lanes(call["self"], computed_in(call.out.dtype))
    if call.out.is_floating_point():
        return call.result(call.trace.put(mlir_math.AbsFOp(value)))
    return (
        call["self"].clone() if call.out.dtype is torch.uint8 else torch.maximum(call["self"], -call["self"])
    )


@handles("reciprocal")
def _reciprocal(call: Call) -> torch.Tensor:
    value = call.lanes(call["self"], computed_in(call.out.dtype))
    return call.result(call.trace.put(arith.DivfOp(splat(call.trace, 1.0, value.type), value)))


@handles("square")
def _square(call: Call) -> torch.Tensor:
    value = call["self"].to(call.out.dtype)
    return value * value


@handles("relu")
def _relu(call: Call) -> torch.Tensor:
    return torch.clamp_min(call["self"], 0)


@handles("clamp", "clamp_min", "clamp_max")
def _clamp(call: Call) -> torch.Tensor:
    """The lower bound first, as torch does where the bounds cross."""
    value, dtype = call["self"], call.out.dtype
    for name, function in (("min", torch.maximum), ("max", torch.minimum)):
        limit = call.get(name)
        if limit is not None:
            value = function(
                value, limit if isinstance(limit, torch.Tensor) else torch.full((), limit, dtype=dtype)
            )
    return value


def _compared(relation: Relation) -> Callable[[Call], torch.Tensor]:
    def handler(call: Call) -> torch.Tensor:
        a, b = call["self"], call["other"]
        dtype = computed_in(_common(a, b))
        parts = [operand(call.trace, each, call.out.shape, dtype) for each in (a, b)]
        if dtype is torch.int64 and any(part.range is None for part in parts):
            refuse_wrapped(call.trace, "what is compared")
        if dtype is torch.bool:  # as numbers, since i1 is signed
            parts = [convert(call.trace, part, torch.bool, torch.int32) for part in parts]
        return call.result(call.trace.put(CompareOp(relation, parts[0].ssa, parts[1].ssa)))

    return handler


def _common(a: Any, b: Any) -> torch.dtype:
    """The dtype in which torch compares two arguments."""
    if isinstance(b, torch.SymInt | torch.SymBool):
        b = 1
    return torch.result_type(a, b)


for _relation in Relation:
    handles(_relation)(_compared(_relation))


@handles("where")
def _where(call: Call) -> torch.Tensor:
    trace, dtype = call.trace, call.out.dtype
    condition = call.lanes(call["condition"], torch.bool)
    a, b = (operand(trace, call[name], call.out.shape, dtype) for name in ("self", "other"))
    known = None
    if a.range is not None and b.range is not None:
        known = _joined(a.range, b.range)
    return call.result(trace.put(SelectOp(condition, a.ssa, b.ssa)), known)


@handles("logical_not", "bitwise_not")
def _not(call: Call) -> torch.Tensor:
    trace, value = call.trace, call["self"]
    if call.name == "bitwise_not" and value.is_floating_point():
        trace.fail(f"bitwise_not of {value.dtype} is not supported")
    if call.name == "bitwise_not" and value.dtype is not torch.bool:
        lanes = call.lanes(value, value.dtype)
        return call.result(trace.put(arith.XOrIOp(lanes, splat(trace, -1, lanes.type))))
    return call.result(inverted(trace, truth(trace, call.lanes(value, value.dtype))))


def _logical(make: Binary) -> Callable[[Call], torch.Tensor]:
    def handler(call: Call) -> torch.Tensor:
        a, b = (call.lanes(call[name], torch.bool) for name in ("self", "other"))
        return call.result(call.trace.put(make(a, b)))

    return handler


handles("logical_and")(_logical(arith.AndIOp))
handles("logical_or")(_logical(arith.OrIOp))
handles("logical_xor")(_logical(arith.XOrIOp))


@handles("isnan")
def _isnan(call: Call) -> torch.Tensor:
    return torch.ne(call["self"], call["self"])


@handles("isinf")
def _isinf(call: Call) -> torch.Tensor:
    value = call["self"]
    return (
        torch.abs(value) == math.inf
        if value.is_floating_point()
        else torch.zeros_like(value, dtype=torch.bool)
    )


@handles("sign", "sgn")
def _sign(call: Call) -> torch.Tensor:
    value = call["self"]
    if value.dtype is torch.bool:
        return value.clone()
    one, zero = torch.ones((), dtype=value.dtype), torch.zeros((), dtype=value.dtype)
    return torch.where(value > 0, one, torch.where(value < 0, -one, zero))  # of NaN, zero


@handles("_to_copy", "to", "_to_dtype")
def _to(call: Call) -> torch.Tensor:
    value = call.trace.value(call["self"])
    made = convert(call.trace, value, call["self"].dtype, call.out.dtype)
    return call.trace.bind(call.out, made)


@handles("clone", "detach", "alias", "contiguous", "lift_fresh", "lift_fresh_copy")
def _same(call: Call) -> torch.Tensor:
    value = call.trace.value(call["self"])
    return call.trace.bind(call.out, Value(value.ssa, value.range))
