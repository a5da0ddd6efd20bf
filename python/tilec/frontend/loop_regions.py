"""A loop over tiles or indices of the user's function as loops of the program."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from xdsl.dialects.builtin import IndexType
from xdsl.ir import Block, Region, SSAValue

from tilec.dialects.tile import ForOp, GridOp, SplatOp, YieldOp
from tilec.dialects.tile.bound import BoundOp
from tilec.dialects.tile.syntax import Bounds, pack_bounds
from tilec.dialects.tile.types import UNBOUND, JaggedSpanType, SpanType, span_names
from tilec.frontend.known import Value
from tilec.frontend.places import user_variables
from tilec.frontend.state import Held, Leaf, Snapshot, Variables, any_range, matched, tensor_like, value_of
from tilec.frontend.tiles import Extent, Loop, Tile, new_index
from tilec.frontend.torch_private import expression
from tilec.frontend.trace import Axis, Trace


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
            operands, properties = pack_bounds([bounds_of(level.extent)])
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
        operands, properties = pack_bounds([bounds_of(level.extent) for level in self.levels])
        trace.emit(GridOp(operands, properties, Region(block)))
        return self.results


def bounds_of(extent: Extent) -> Bounds[SSAValue]:
    """The bounds of an axis as the dialect holds them.

    Where the program says the size of tiles that begin anywhere, it may depend on where they are cut.
    """
    exact = extent.fixed is not None and not extent.jagged and not _is_cut_freely(extent.begin)
    return Bounds(extent.begin, extent.end, extent.limit, extent.mean, exact)


def _is_cut_freely(begin: SSAValue | int) -> bool:
    """Whether tiles that begin here need not be the same in each configuration, or are in any case."""
    if begin == 0:
        return True
    owner = None if isinstance(begin, int) else begin.owner
    return isinstance(owner, BoundOp) and owner.lanes == UNBOUND
