"""Tiles and the loops over them, as the user's function sees them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import torch
from xdsl.dialects import arith
from xdsl.dialects.builtin import IndexType
from xdsl.ir import Block, SSAValue

from tilec.dialects.tile import IndicesOp
from tilec.frontend.known import Array, Range, Value
from tilec.frontend.scalars import Index, as_value, bound, index_of
from tilec.frontend.torch_private import expression
from tilec.frontend.trace import Axis, Trace, WrappedError, current


@dataclass(frozen=True)
class Extent:
    """One axis of a loop: from `begin` to `end`, at most `limit` of them, `mean` on average. `size` is a
    block size, `None` for an axis of indices; `fixed` is that size where the program says it. The `end` of
    a `jagged` axis is a tensor, with one for each lane of a tile around it.
    """

    begin: Index
    end: Index
    limit: int | None = None
    size: torch.SymInt | None = None
    fixed: int | None = None
    tiled: bool = True
    jagged: bool = False
    mean: int | None = None


class Loop:
    """What `tile`, `grid` and `jagged_tile` return: axes to iterate over, in a `for` of a traced function."""

    def __init__(self, trace: Trace, extents: Sequence[Extent], *, single: bool, word: str):
        self.trace = trace
        self.extents = tuple(extents)
        self.single = single
        self.word = word

    def __iter__(self) -> Iterator[Any]:
        self.trace.here()
        self.trace.fail(
            f"{self.word} is iterated where the source of the loop is not at hand; "
            "write `for … in` in a function whose file can be read"
        )


class Tile(torch.SymInt):
    """A tile of an axis. As a number it is its block size, so that it may stand in shapes."""

    def __init__(self, trace: Trace, axis: Axis, extent: Extent, block: Block):
        super().__init__(axis.size.node)
        self._trace = trace
        self._axis = axis
        self._extent = extent
        self._block = block
        self._numbers: dict[str, torch.SymInt] = {}

    @property
    def axis(self) -> Axis:
        """What is known of its axis."""
        return self._axis

    @property
    def span(self) -> SSAValue:
        """The span of the program."""
        return self._axis.span

    @property
    def index(self) -> torch.Tensor:
        """The indices of its lanes, int32."""
        trace = self._trace
        trace.here()
        # Indices are never negative, and arrays have fewer than 2**31 rows.
        made = Value(trace.put(IndicesOp(self.span)), Range(0, 2**31 - 1))
        return trace.tensor([self._axis.size], torch.int32, made)

    @property
    def begin(self) -> torch.SymInt:
        """The index of its first lane."""
        return self._number("begin", lambda: bound(self._trace, "begin", self.span))

    @property
    def end(self) -> torch.SymInt:
        """One past the index of its last lane."""
        return self._number("end", lambda: bound(self._trace, "end", self.span))

    @property
    def id(self) -> torch.SymInt:
        """Its number among the tiles of the loop, from 0."""
        return self._number("id", self._tile_number)

    @property
    def count(self) -> torch.SymInt:
        """How many tiles the loop has."""
        return self._number("count", self._tile_count)

    @property
    def block_size(self) -> Any:
        """How many lanes it has: a number where the program says it."""
        return self._axis.size if self._extent.fixed is None else self._extent.fixed

    def _number(self, which: str, make: Callable[[], SSAValue]) -> torch.SymInt:
        """A number of this tile, computed once where its body begins."""
        if which not in self._numbers:
            trace = self._trace
            trace.here()
            name = f"{self._axis.name}_{which}"
            self._numbers[which] = new_index(trace, name, lambda: at_front(trace, self._block, make))
        return self._numbers[which]

    def _tile_number(self) -> SSAValue:
        size = bound(self._trace, "size", self.span)
        return self._trace.put(
            arith.FloorDivSIOp(self._from_begin(bound(self._trace, "begin", self.span)), size)
        )

    def _tile_count(self) -> SSAValue:
        size = bound(self._trace, "size", self.span)
        return self._trace.put(
            arith.CeilDivSIOp(self._from_begin(as_value(self._trace, self._extent.end)), size)
        )

    def _from_begin(self, index: SSAValue) -> SSAValue:
        """How far an index is from where the axis begins."""
        if self._extent.begin == 0:
            return index
        return self._trace.put(arith.SubiOp(index, as_value(self._trace, self._extent.begin)))

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        return f"Tile({self._axis.name})"


def at_front(trace: Trace, block: Block, make: Callable[[], SSAValue]) -> SSAValue:
    """What `make` returns, its operations before all others of `block`."""
    front = Block()
    with trace.inside(front):
        value = make()
    ops = [op for op in front.ops]
    for op in ops:
        op.detach()
    if block.first_op is None:
        block.add_ops(ops)
    else:
        block.insert_ops_before(ops, block.first_op)
    return value


def new_index(trace: Trace, name: str, make: Callable[[], SSAValue]) -> torch.SymInt:
    """A symbolic integer for a value of type `index`, which no Python decision can depend on."""
    value = make()
    value.name_hint = value.name_hint or name
    made = trace.shapes.create_unbacked_symint()
    trace.indices[expression(made)] = value
    trace.index_names[expression(made)] = name
    return made


def extents_of(
    trace: Trace, word: str, begin: Any, end: Any, sizes: Any, limits: Any, means: Any = None
) -> tuple[tuple[Extent, ...], bool]:
    """The axes that arguments of `tile` or `grid` ask for, and whether they are one that is no list."""
    if end is None:
        begin, end = ([0] * len(begin) if isinstance(begin, list | tuple) else 0), begin
    single = not isinstance(end, list | tuple)
    count = 1 if single else len(end)
    columns = [_column(trace, word, each, count) for each in (begin, end, sizes, limits, means)]
    return tuple(_extent(trace, word, *row) for row in zip(*columns, strict=True)), single


def _column(trace: Trace, word: str, given: Any, count: int) -> list[Any]:
    if not isinstance(given, list | tuple):
        return [given] * count
    if len(given) != count:
        trace.fail(f"{word} has lists of {count} and of {len(given)} elements; give one for each axis")
    return list(given)


def _extent(trace: Trace, word: str, begin: Any, end: Any, size: Any, limit: Any, mean: Any) -> Extent:
    fixed, tiled = None, word != "grid"
    first, last = bound_of(trace, word, begin), bound_of(trace, word, end)
    if tiled and size is not None and not isinstance(size, torch.SymInt):
        fixed, size = int(size), None
        if fixed < 1:
            trace.fail(f"{word} has a block size of {fixed}; 1 or more is needed")
    limit, mean = count_of(trace, "max_extent", limit), count_of(trace, "mean_extent", mean)
    if isinstance(first, int) and isinstance(last, int) and last < first:
        last = first  # as `range` does
    if isinstance(first, int) and isinstance(last, int):
        mean = None  # of a number that is known
    return Extent(first, last, limit, size, fixed, tiled=tiled, mean=mean)


def count_of(trace: Trace, word: str, given: Any) -> int | None:
    """A `max_extent` or `mean_extent`: a number from 0 on, or `None`."""
    if isinstance(given, torch.SymInt) or (given is not None and int(given) < 0):
        trace.fail(
            f"{word}={trace.words(given)}; a number that is known when the kernel is compiled is needed"
        )
    return None if given is None else int(given)


def bound_of(trace: Trace, word: str, given: Any) -> Index:
    """A bound of an axis: a number, a symbolic integer, or a tensor of one integer."""
    if isinstance(given, Tile):
        trace.fail(f"{word} over a tile; write {word}(t.begin, t.end) for the indices inside t")
    if isinstance(given, int | torch.SymInt) and not isinstance(given, bool):
        return index_of(trace, given)
    if isinstance(given, torch.Tensor) and given.dim() == 0 and not given.dtype.is_floating_point:
        return scalar_index(trace, given)
    what = trace.describe(given) if isinstance(given, torch.Tensor) else f"{given!r}"
    trace.fail(f"{word} has a bound {what}; an integer or a tensor of one integer is needed")


def scalar_index(trace: Trace, tensor: torch.Tensor) -> SSAValue:
    """A tensor of one integer as an index."""
    known = trace.known(tensor)
    if isinstance(known, Array):
        from tilec.frontend.indexing import load

        known = trace.value(load(trace, tensor, ()))
    if known.range is None and tensor.dtype is torch.int64:
        refuse_wrapped(trace, "an index")
    return trace.put(arith.IndexCastOp(known.ssa, IndexType()))


def refuse_wrapped(trace: Trace, what: str) -> NoReturn:
    """Refuse to use the last 32 bits of an integer for the whole."""
    message = (
        f"{what} is an int64 that may not fit 32 bits here, and a TPU has no 64-bit integers; "
        "compute it in int32, or so that its range is known"
    )
    raise WrappedError(message, trace.place(trace.location))


def running(word: str) -> Trace:
    """The current trace. Raises RuntimeError outside of one."""
    trace = current()
    if trace is None:
        raise RuntimeError(f"tilec.language.{word} only works in a function that @tilec.kernel traces")
    trace.here()
    return trace
