"""Running combinations: by an operation, or by a function, whose body is traced once, for single lanes."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import torch
from xdsl.dialects import arith
from xdsl.dialects.builtin import i1
from xdsl.ir import Block, Operation, Region, SSAValue

from tilec.dialects.tile import AssociativeScanOp, CastOp, CompareOp, ReduceOp, ScanOp, SelectOp, YieldOp
from tilec.dialects.tile.elementwise import Relation
from tilec.dialects.tile.mixing import Combine
from tilec.dialects.tile.types import element_type, with_element
from tilec.frontend.known import Range, Value
from tilec.frontend.lanes import as_byte, broadcast, cast, computed_in, splat
from tilec.frontend.positions import lane_numbers
from tilec.frontend.scalars import bound, i32_of
from tilec.frontend.torch_private import expression
from tilec.frontend.trace import Trace
from tilec.rewriting.combining import COMBINERS

Function = Callable[..., Any]


def along(trace: Trace, value: torch.Tensor, dim: int) -> int:
    """The dimension of a value that is meant, from the end where it is negative. Raises TraceError."""
    if not -value.dim() <= dim < value.dim():
        trace.fail(f"dimension {dim} of {trace.describe(value)}, which has {value.dim()}")
    return dim % value.dim()


def scanned(
    trace: Trace, value: torch.Tensor, kind: Combine, dim: int, reverse: bool = False
) -> torch.Tensor:
    """Running combinations, in the value's dtype; from the end with `reverse`."""
    wide = trace.value(value.to(computed_in(value.dtype))).ssa
    made = trace.put(ScanOp(kind, wide, along(trace, value, dim), reverse=reverse))
    extreme = kind in (Combine.MAX, Combine.MIN)
    known = trace.value(value).range if extreme and value.dtype is torch.int64 else None
    found = Value(cast(trace, made, trace.element(value.dtype)), known)
    if value.dtype is torch.uint8 and not extreme:
        found = as_byte(trace, found)
    return trace.tensor(value.shape, value.dtype, found)


def scanned_by(
    trace: Trace, function: Function, values: Sequence[torch.Tensor], dim: int, reverse: bool
) -> tuple[torch.Tensor, ...]:
    """Running combinations of values of one shape, by a function of two lanes of each."""
    lanes, scanned = _scan(trace, function, values, dim, reverse=reverse)
    return tuple(each.result(ssa) for each, ssa in zip(lanes, scanned, strict=True))


def _scan(
    trace: Trace, function: Function, values: Sequence[torch.Tensor], dim: int, *, reverse: bool
) -> "tuple[Sequence[_Lanes], Sequence[SSAValue]]":
    """What is scanned, and running combinations as words.

    The function takes two tuples of scalars, or the scalars of both one after the other. 16-bit floats are
    combined in f32, in which they are exact, and results are rounded.
    """
    first = values[0]
    for value in values:
        if [str(size) for size in value.shape] != [str(size) for size in first.shape]:
            trace.fail(
                f"associative_scan of {trace.describe(first)} and {trace.describe(value)}; "
                "give them one shape, as with expand_as"
            )
    lanes = [_Lanes(trace, value) for value in values]
    operands = [each.operand for each in lanes]
    body = _body(trace, function, lanes)
    made = trace.emit(AssociativeScanOp(operands, along(trace, first, dim), Region(body), reverse=reverse))
    return lanes, made.results


def reduced_by(
    trace: Trace, function: Function, values: Sequence[torch.Tensor], dim: int, *, keep: bool
) -> tuple[torch.Tensor, ...]:
    """All lanes of values along a dimension, combined in their order by a function of two lanes of each."""
    dim = along(trace, values[0], dim)
    lanes, scanned = _scan(trace, function, values, dim, reverse=False)
    size, found = values[0].shape[dim], list[torch.Tensor]()
    last = _is_last(trace, size)
    for each, ssa in zip(lanes, scanned, strict=True):
        mask = broadcast(trace, last, with_element(ssa.type, i1), [dim])
        alone = trace.put(SelectOp(mask, ssa, splat(trace, 0, ssa.type)))
        combined = each.result(trace.put(ReduceOp(Combine.ADD, alone, [dim])), without=dim)
        found.append(combined.unsqueeze(dim) if keep else combined)
    return tuple(found)


def _is_last(trace: Trace, size: int | torch.SymInt) -> SSAValue:
    """Which lane along a dimension is the last one, of a tile that of its range."""
    numbers = lane_numbers(trace, size)
    if isinstance(size, int) or expression(size).is_Integer:
        last = splat(trace, int(size) - 1, numbers.type)
    else:
        span = trace.axes[expression(size)].span
        begin, end = (i32_of(trace, bound(trace, side, span)) for side in ("begin", "end"))
        before = trace.put(arith.AddiOp(begin, trace.put(arith.ConstantOp.from_int_and_width(1, 32))))
        last = broadcast(trace, trace.put(arith.SubiOp(end, before)), numbers.type)
    return trace.put(CompareOp(Relation.EQ, numbers, last))


class _Lanes:
    """A value to be scanned: what its lanes are combined as. Truth values and narrow integers are words."""

    def __init__(self, trace: Trace, value: torch.Tensor):
        self.trace, self.value = trace, value
        self.dtype = computed_in(value.dtype)
        self.word = trace.element(torch.float32 if self.dtype is torch.float32 else torch.int32)
        self.range = trace.value(value).range if self.dtype is torch.int64 else None
        self.stays = True  # what is combined of integers in the range is in it again

    @property
    def operand(self) -> SSAValue:
        """The value as words."""
        return cast(self.trace, self.trace.value(self.value).ssa, self.word)

    def single(self, word: SSAValue) -> torch.Tensor:
        """A lane as the function sees it, of its own dtype."""
        ssa = cast(self.trace, word, self.trace.element(self.dtype))
        return self.trace.tensor((), self.dtype, Value(ssa, self.range))

    def combined(self, found: Any) -> SSAValue:
        """What the function made of two lanes, as a word. Raises TraceError unless it is a scalar."""
        trace = self.trace
        if not isinstance(found, torch.Tensor):
            kind = type(found).__name__
            trace.fail(f"the combining function returns {found} ({kind}); return tensors of a scalar each")
        if found.dim():
            trace.fail(f"the combining function returns {trace.describe(found)}, not a scalar")
        value = trace.value(found.to(self.dtype))
        self.stays = self.range is None or _is_within(value.range, self.range)
        return cast(trace, value.ssa, self.word)

    def result(self, ssa: SSAValue, without: int | None = None) -> torch.Tensor:
        """All lanes scanned, or those `without` a dimension, in the dtype of the value."""
        made = cast(self.trace, ssa, self.trace.element(self.value.dtype))
        shape = [size for i, size in enumerate(self.value.shape) if i != without]
        return self.trace.tensor(shape, self.value.dtype, Value(made, self.range))


def combination(trace: Trace, function: Function, value: torch.Tensor) -> Combine | None:
    """Which of the known combinations a function of two lanes of a value is; `None` of another one."""
    lanes = _Lanes(trace, value)
    body, element = _body(trace, function, [lanes]), trace.element(lanes.dtype)
    made = [op for op in body.ops if not isinstance(op, CastOp | YieldOp)]
    casts = [op for op in body.ops if isinstance(op, CastOp)]
    last = body.last_op
    if len(made) != 1 or last is None or _uncast(last.operands[0]).owner is not made[0]:
        return None
    # Other casts than those of lanes to words and back are the user's, and round.
    if element_type(made[0].results[0].type) != element or len(casts) != (0 if element == lanes.word else 3):
        return None
    taken = set(map(_uncast, made[0].operands))
    known = (kind for (kind, _), combiner in COMBINERS.items() if combiner is type(made[0]))
    return next(known, None) if taken == set(body.args) else None


def _uncast(value: SSAValue) -> SSAValue:
    """What a lane was before casts, from which and to which narrow integers and truth values are computed."""
    while isinstance(value.owner, CastOp):
        value = value.owner.value
    return value


def _is_within(inner: Range | None, outer: Range) -> bool:
    return inner is not None and outer.low <= inner.low and inner.high <= outer.high


def _body(trace: Trace, function: Function, lanes: Sequence[_Lanes]) -> Block:
    """The function, as it combines single lanes. Integers that it makes larger are of no known range."""
    words = [each.word for each in lanes]
    block = Block(arg_types=[*words, *words])
    with trace.inside(block):
        singles = [each.single(word) for each, word in zip([*lanes, *lanes], block.args, strict=True)]
        count = len(lanes)
        signature = _signature(function)
        if count > 1 and signature is not None and len(_required(signature)) == 2:
            found = function(tuple(singles[:count]), tuple(singles[count:]))
        elif signature is None or _takes(signature, singles):
            found = function(*singles)
        else:
            trace.fail(
                f"the combining function has the arguments {signature}; two tuples of {count}, or "
                f"{2 * count} scalars, are given to it"
            )
        parts = list(found) if isinstance(found, tuple | list) else [found]
        if len(parts) != count:
            trace.fail(f"the combining function returns {len(parts)} values where it takes {count}")
        trace.emit(YieldOp([each.combined(part) for each, part in zip(lanes, parts, strict=True)]))
    _check(trace, block)
    larger = [each for each in lanes if not each.stays]
    for each in larger:
        each.range, each.stays = None, True
    return _body(trace, function, lanes) if larger else block


def _check(trace: Trace, body: Block) -> None:
    """Raises TraceError for a body that does more than to compute of two lanes."""
    for op in body.ops:
        if op.regions:
            trace.fail("the combining function decides by what a lane holds; use torch.where")
        for value in op.operands:
            around = value.owner.parent if isinstance(value.owner, Operation) else value.owner
            if around is not body:
                name = value.name_hint or "a scalar"
                trace.fail(
                    f"the combining function uses {name} from outside; give it as one more value, "
                    "as with torch.full_like"
                )


def _signature(function: Function) -> inspect.Signature | None:
    """The parameters of a function; `None` of torch's own, which do not tell."""
    try:
        return inspect.signature(function)
    except ValueError:
        return None


def _required(signature: inspect.Signature) -> list[str]:
    several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    parameters = signature.parameters.items()
    return [name for name, each in parameters if each.default is each.empty and each.kind not in several]


def _takes(signature: inspect.Signature, arguments: Sequence[object]) -> bool:
    try:
        signature.bind(*arguments)
    except TypeError:
        return False
    return True
