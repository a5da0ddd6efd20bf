"""Loops and conditions of the user's function as regions of the program.

The source of a traced function is rewritten so that it says where its loops and branches begin and end, and
which variables they may change (`tilec.frontend.rewrite`). What is said comes to `TracingMarkers`. A loop
over tiles runs once, with its variables standing for what they are in any iteration; other loops run as in
Python.
"""

import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from xdsl.dialects import scf
from xdsl.dialects.builtin import IndexType
from xdsl.ir import Block, Region, SSAValue

from tilec import language
from tilec.dialects.tile import ForOp, GridOp, SplatOp, YieldOp
from tilec.dialects.tile.syntax import Bounds, pack_bounds
from tilec.dialects.tile.types import UNBOUND, JaggedSpanType, SpanType, span_names
from tilec.frontend.builtin_calls import REPLACED
from tilec.frontend.places import moved_to, user_variables
from tilec.frontend.rewrite import Markers, rewritten
from tilec.frontend.scalars import is_symbolic, truth_of
from tilec.frontend.state import MISSING, Leaf, Snapshot, Variables, any_range, matched, tensor_like, value_of
from tilec.frontend.tiles import Extent, Loop, Tile, new_index
from tilec.frontend.torch_private import expression
from tilec.frontend.trace import Axis, Trace, Value

Held = tuple[tuple[str, Callable[[], object]], ...]
Exits = tuple[tuple[str, int, int], ...]


class Plain:
    """A loop or a branch that Python runs."""

    def __init__(self, items: Any):
        self.items = items

    def __iter__(self) -> Iterator[Any]:
        return iter(self.items)

    def begin(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        return values

    def end(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        return values

    def finish(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        return values


@dataclass(eq=False)
class Level:
    """One axis of a nest, and the block of its body."""

    extent: Extent
    block: Block
    axis: Axis | None


class LoopRegion:
    """A loop over tiles or indices, while its body is traced.

    Outside of any other it is a grid, whose iterations leave nothing to each other but in arrays; inside,
    each axis is a loop of its own, which carries what the body changes.
    """

    def __init__(self, trace: Trace, loop: Loop, names: Sequence[str], targets: Sequence[str], held: Held):
        trace.name_variables(user_variables(trace.outermost))
        self.trace = trace
        self.loop = loop
        self.names = names
        self.location = trace.location
        self.held = Snapshot(trace, held, names)
        self.is_grid = not trace.in_tile
        self.levels: list[Level] = []
        self.before = Variables((), (), ())
        self.results: tuple[Any, ...] = ()
        wanted = [name or "i" for name in targets] or ["i"]
        self.targets = wanted if len(wanted) == len(loop.extents) else wanted[:1] * len(loop.extents)

    def __iter__(self) -> Iterator[Any]:
        axes = zip(self.loop.extents, self.targets, strict=True)
        items = [self._open(extent, name) for extent, name in axes]
        yield items[0] if self.loop.single else tuple(items)

    def _open(self, extent: Extent, name: str) -> Any:
        """Begin an axis: a block of its own, but that the axes of a grid share one."""
        trace = self.trace
        fresh = not (self.is_grid and self.levels)
        block = Block() if fresh else self.levels[0].block
        if fresh:
            trace.blocks.append(block)
        if extent.tiled:
            axis = self._axis(extent, name, block)
            self.levels.append(Level(extent, block, axis))
            return Tile(trace, axis, extent, block)
        self.levels.append(Level(extent, block, None))
        index = block.insert_arg(IndexType(), len(block.args))
        index.name_hint = name
        return new_index(trace, name, lambda: index)

    def _axis(self, extent: Extent, name: str, block: Block) -> Axis:
        trace = self.trace
        size = trace.new_size(name) if extent.size is None else extent.size
        symbol = expression(size)
        if symbol not in {expression(each) for each in trace.sizes.values()}:
            trace.fail(
                f"the block size {trace.words(size)} is computed; a number, None or what "
                "register_block_size returns is accepted"
            )
        name = trace.name_of_size(size)
        if symbol in trace.axes:
            trace.fail(f"a tile of block size {name} is inside another one; give it a block size of its own")
        if extent.fixed is not None:
            trace.fixed_blocks[name] = extent.fixed
        lanes = trace.fixed_blocks.get(name, UNBOUND)
        kind = SpanType(name, lanes)
        if extent.jagged and isinstance(extent.end, SSAValue):
            kind = JaggedSpanType(name, lanes, self._parent(extent.end))
        span = block.insert_arg(kind, len(block.args))
        span.name_hint = name
        axis = trace.axes[symbol] = Axis(name, span, symbol, size)
        return axis

    def _parent(self, lengths: SSAValue) -> str:
        """The tile whose lanes have the lengths of a jagged axis."""
        (name,) = span_names(lengths.type)
        if name is None or self.is_grid:
            self.trace.fail("jagged_tile takes one length for each lane of a tile, in a loop over that tile")
        return name

    def begin(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        trace = self.trace
        trace.here()
        before = self.before = Variables.read(trace, self.names, values)
        if self.is_grid:
            return before.copies(trace)
        made: dict[Leaf, torch.Tensor] = {}
        for level in self.levels:
            for leaf, value in before.values():
                argument = level.block.insert_arg(value.ssa.type, len(level.block.args))
                argument.name_hint = leaf.name
                # What one iteration leaves to the next is any 64-bit integer that fits 32 bits.
                made[leaf] = tensor_like(trace, leaf, Value(argument, any_range(value)))
        return before.rebuilt(made)

    def end(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        trace = self.trace
        trace.here()
        trace.name_variables(user_variables(trace.outermost))
        self.held.check("loop over tiles")
        after = Variables.read(trace, self.names, values)
        pairs = matched(trace, self.before, after, self._words)
        lost = [new.name for old, new in pairs if old is None and not self._is_known_outside(new)]
        for name in lost:
            trace.lost[name] = self._words(name, "is assigned in it and used after it; store it in a tensor")
        pairs = [(old, new) for old, new in pairs if new.name not in lost]
        if not self.is_grid:
            self._close_loops(after.without(lost), pairs)
        else:
            for old, new in pairs:
                if old is not None and old.value is not new.value:
                    trace.fail(self._words(new.name, "is changed in it; store it in a tensor"))
            self.results = self.before.rebuilt({})
        for level in self.levels:
            if level.axis is not None:
                del trace.axes[level.axis.symbol]
        return values

    def _is_known_outside(self, leaf: Leaf) -> bool:
        """Whether a value can leave the loop: not the cells of a grid, and no tile of the loop's own."""
        own = {level.axis.name for level in self.levels if level.axis is not None}
        return not self.is_grid and not own.intersection(span_names(value_of(leaf).ssa.type))

    def _words(self, name: str, message: str) -> str:
        kind = "grid" if self.is_grid else "loop"
        return f"variable '{name}' of a {kind} over tiles {message}"

    def _close_loops(self, after: Variables, pairs: list[tuple[Leaf | None, Leaf]]) -> None:
        """Make the operations, innermost first, each the body of the one around it."""
        trace = self.trace
        late = [new for old, new in pairs if old is None]
        olds = [old for old, _ in pairs if old is not None]
        news = [new for old, new in pairs if old is not None]
        yielded = [value.ssa for value in map(value_of, news + late)]
        inits = [value.ssa for value in map(value_of, olds)]
        for depth in reversed(range(len(self.levels))):
            level = self.levels[depth]
            trace.emit(YieldOp(yielded))
            trace.blocks.pop()
            outer = list(self.levels[depth - 1].block.args[1:]) if depth else inits
            # Before a variable is assigned it is nothing; where the loop never runs it stays that.
            fills = [trace.put(SplatOp(0, value_of(leaf).ssa.type)) for leaf in late]
            for fill in fills:
                level.block.insert_arg(fill.type, len(level.block.args))
            operands, static, limits = pack_bounds([bounds_of(level.extent)])
            properties: dict[str, Any] = {"static_bounds": static, "limits": limits, "orders": None}
            here, trace.location = trace.location, self.location
            made = ForOp(operands, [*outer[: len(olds)], *fills], properties, Region(level.block))
            yielded = list(trace.emit(made).results)
            trace.location = here
        results = zip([*news, *late], yielded, strict=True)
        self.results = after.rebuilt(
            {leaf: tensor_like(trace, leaf, Value(ssa, any_range(value_of(leaf)))) for leaf, ssa in results}
        )

    def finish(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        trace = self.trace
        if not self.is_grid:
            return self.results
        trace.blocks.pop()
        trace.location = self.location
        block = self.levels[0].block
        block.add_op(YieldOp())
        operands, static, limits = pack_bounds([bounds_of(level.extent) for level in self.levels])
        properties: dict[str, Any] = {"static_bounds": static, "limits": limits, "orders": None}
        trace.emit(GridOp(operands, properties, Region(block)))
        return self.results


def bounds_of(extent: Extent) -> Bounds[SSAValue]:
    """The bounds of an axis as the dialect holds them."""
    return Bounds(extent.begin, extent.end, extent.limit)


class BranchRegion:
    """An `if` on a value of the device, while both arms are traced."""

    def __init__(self, trace: Trace, condition: SSAValue, names: Sequence[str], held: Held):
        self.trace = trace
        self.condition = condition
        self.names = names
        self.location = trace.location
        self.held = Snapshot(trace, held, names)
        self.before = Variables((), (), ())
        self.arms: list[tuple[Block, Variables]] = []

    def __iter__(self) -> Iterator[bool]:
        for arm in (True, False):
            self.trace.blocks.append(Block())
            yield arm

    def begin(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        if not self.arms:
            self.before = Variables.read(self.trace, self.names, values)
        return self.before.copies(self.trace)  # the second arm does not see what the first assigned

    def end(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        self.trace.here()
        self.trace.name_variables(user_variables(self.trace.outermost))
        self.held.check("branch on a device value")
        after = Variables.read(self.trace, self.names, values)
        self.arms.append((self.trace.blocks.pop(), after))
        return values

    def finish(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        trace, ((first, yes), (second, no)) = self.trace, self.arms
        trace.location = self.location
        for name, one, other in zip(yes.names, yes.specs, no.specs, strict=True):
            if (one is None) != (other is None):
                trace.fail(self._words(name, "is assigned in one arm only; assign it before the `if`"))
        pairs = [
            (old, new)
            for old, new in matched(trace, yes, no, self._words)
            if old is not None and value_of(old).ssa is not value_of(new).ssa
        ]
        for block, leaves in ((first, [old for old, _ in pairs]), (second, [new for _, new in pairs])):
            block.add_op(scf.YieldOp(*[value_of(leaf).ssa for leaf in leaves]))
        kinds = [value_of(new).ssa.type for _, new in pairs]
        otherwise = Region(second) if pairs or len(second.ops) > 1 else Region()
        op = trace.emit(scf.IfOp(self.condition, kinds, Region(first), otherwise))
        made: dict[Leaf, torch.Tensor] = {}
        for (_, leaf), result in zip(pairs, op.results, strict=True):
            made[leaf] = tensor_like(trace, leaf, Value(result, any_range(value_of(leaf))))
        return no.rebuilt(made)

    def _words(self, name: str, message: str) -> str:
        return f"variable '{name}' of an `if` on a device value {message}"


class TracingMarkers(Markers):
    """What rewritten functions call while they are traced."""

    MISSING = MISSING

    def __init__(self, trace: Trace):
        self.trace = trace

    def loop(
        self, iterable: Any, names: tuple[str, ...], targets: tuple[str, ...], held: Held, exits: Exits = ()
    ) -> Any:
        if not isinstance(iterable, Loop):
            return Plain(iterable)
        self.trace.here()
        if exits:
            word, *place = exits[0]
            self.trace.fail(
                f"`{word}` leaves a loop over tiles, whose body is traced once; "
                "mask what should not happen, or use an `if`",
                moved_to(self.trace.location, *place),
            )
        return LoopRegion(self.trace, iterable, names, targets, held)

    def branch(self, condition: Any, names: tuple[str, ...], held: Held) -> Any:
        truth = self._device(condition)
        if truth is None:
            return Plain([bool(condition)])
        return BranchRegion(self.trace, truth, names, held)

    def choose(self, condition: Any, if_true: Callable[[], Any], if_false: Callable[[], Any]) -> Any:
        truth = self._device(condition)
        if truth is None:
            return if_true() if condition else if_false()
        region = BranchRegion(self.trace, truth, ("the value",), ())
        value: tuple[Any, ...] = (None,)
        for arm in region:
            region.begin((None,))
            value = region.end((if_true() if arm else if_false(),))
        return region.finish(value)[0]

    def both(self, first: Any, second: Callable[[], Any]) -> Any:
        if self._is_device(first):
            return self._logical(torch.logical_and, first, second())
        return first and second()

    def either(self, first: Any, second: Callable[[], Any]) -> Any:
        if self._is_device(first):
            return self._logical(torch.logical_or, first, second())
        return first or second()

    def negate(self, value: Any) -> Any:
        if self._is_device(value):
            return torch.logical_not(self._as_tensor(value))
        return not value

    def decide(self, condition: Any, what: str) -> bool:
        if self._is_device(condition):
            self.trace.here()
            sizes = self.trace.sizes_in(condition)
            if sizes:
                self.trace.fail(
                    f"{what} depends on the block size of {', '.join(sizes)}; give the tile a block_size"
                )
            self.trace.fail(
                f"{what} depends on a value that is only known on the device; "
                "use torch.where, a mask, or an `if` without it"
            )
        return bool(condition)

    def call(self, function: Any) -> Any:
        """What runs in place of a function: traced forms of builtins, rewritten helpers."""
        if (getattr(function, "__module__", None) or "").partition(".")[0] == "helion":
            return self._helions(function)
        if isinstance(function, types.BuiltinFunctionType | type) and function in REPLACED:
            return REPLACED[function].__get__(self.trace)
        if isinstance(function, types.FunctionType) and _is_users(function):
            return rewritten(function, self)
        if isinstance(function, types.MethodType) and isinstance(function.__func__, types.FunctionType):
            if _is_users(function.__func__):
                return types.MethodType(rewritten(function.__func__, self), function.__self__)
        inner = getattr(function, "__tilec_traced__", None)  # a kernel called from another
        return self.call(inner) if inner is not None else function

    def _helions(self, function: Any) -> Any:
        """The language's function of the name of one of Helion's; of a kernel of Helion's its function."""
        name, inner = getattr(function, "__name__", ""), getattr(function, "fn", None)
        if isinstance(inner, types.FunctionType):
            return self.call(inner)
        found = getattr(language, name, None)
        if found is None:
            self.trace.here()
            self.trace.fail(
                f"helion's {name} is not in tilec.language; these are: {', '.join(language.__all__)}"
            )
        return found

    def _is_device(self, value: Any) -> bool:
        if isinstance(value, torch.Tensor):
            return True
        return is_symbolic(value) and not isinstance(value, torch.SymFloat) and _unknown(value)

    def _device(self, condition: Any) -> SSAValue | None:
        """The `i1` of a condition that only the device knows; `None` of any other."""
        if not self._is_device(condition):
            return None
        self.trace.here()
        if isinstance(condition, torch.Tensor):
            return self._truth(condition)
        if isinstance(condition, torch.SymInt):
            condition = condition != 0
        return truth_of(self.trace, condition)

    def _truth(self, tensor: torch.Tensor) -> SSAValue:
        if tensor.numel() != 1:
            self.trace.fail(
                f"a branch on {self.trace.describe(tensor)}: only a single element is true or false"
            )
        return self.trace.value(tensor.reshape(()).to(torch.bool)).ssa

    def _as_tensor(self, value: Any) -> torch.Tensor:
        if isinstance(value, torch.Tensor):
            return value
        return self.trace.tensor([], torch.bool, Value(truth_of(self.trace, value)))

    def _logical(self, function: Callable[..., torch.Tensor], first: Any, second: Any) -> torch.Tensor:
        self.trace.here()
        if isinstance(second, bool):
            second = torch.full((), second, dtype=torch.bool)
        return function(self._as_tensor(first), self._as_tensor(second))


def _unknown(value: Any) -> bool:
    """Whether a symbolic number or condition depends on what is only known on the device."""
    return bool(expression(value).free_symbols)


def _is_users(function: types.FunctionType) -> bool:
    """Whether a helper's loops and branches may be the user's: not of a library."""
    module = function.__module__ or ""
    return module.split(".")[0] not in _LIBRARIES


_LIBRARIES = {
    "torch",
    "tilec",
    "numpy",
    "math",
    "functools",
    "itertools",
    "builtins",
    "typing",
    "sympy",
    "jax",
}
