"""One run of the user's function, and the program that comes of it.

Tensors in it are fake: they have a shape and no elements. `Trace` knows what each stands for, an array of the
program or a value of a tile, and appends operations where the user's code stands.
"""

import inspect
import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, NoReturn

import sympy
import torch
from xdsl.dialects import arith, func, memref
from xdsl.dialects.builtin import (
    FunctionType,
    IndexType,
    IntegerAttr,
    LocationAttr,
    MemRefType,
    ModuleOp,
    UnknownLoc,
)
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.utils.exceptions import VerifyException

from tilec.diagnostics import TileError, one_line, place_of
from tilec.dialects.tile import SplatOp
from tilec.dialects.tile.types import UNBOUND, span_of, value_type
from tilec.frontend.aliases import Aliases
from tilec.frontend.conditions import holds_for_any, of_several
from tilec.frontend.elements import ELEMENTS, IN_ARRAYS, name_of
from tilec.frontend.known import UNNAMED, Array, Value
from tilec.frontend.places import user_location
from tilec.frontend.torch_private import FakeTensorMode, expression, named_size, new_shapes, unlogged

Size = int | torch.SymInt

HINT = 8191
"""The size that torch sees a tile have where it must compare: a prime that no extent is likely to equal. Each
further tile has the one before less 12, so that no two are equal."""


SEVERAL = 4093
"""Rows of a tensor that stands for one that may have none: a prime too."""


class TraceError(TileError):
    """The function cannot be traced; at the place of the user's expression, in the user's words."""


class WrappedError(TraceError):
    """A 64-bit integer is needed whole that may have passed 32 bits, for what the arguments may hold."""


class NeedsStatic(Exception):
    """The leading extent of an array is needed as a number, since the program takes all of it at once."""

    def __init__(self, array: str):
        super().__init__(array)
        self.array = array


_CURRENT: ContextVar["Trace | None"] = ContextVar("tilec_trace", default=None)


def current() -> "Trace | None":
    """The trace that is running, if one is."""
    return _CURRENT.get()


@dataclass(eq=False)
class Axis:
    """A tile axis that is traced: its span, and the bounds of its loop."""

    name: str
    span: SSAValue
    symbol: sympy.Symbol
    size: torch.SymInt


@dataclass(eq=False)
class Trace:
    """The state of one run of a function called `name`.

    `most` is what elements of 64-bit integer arguments are taken to stay below, and above its negative: so
    that sums and products of them still fit 32 bits. Calls with others are refused. `static` are the arrays
    whose leading extent is a number, of those for which it could be any. These are 2 or more unless arrays
    `may_be_empty`.
    """

    name: str
    most: int = 2**29
    shapes: Any = field(default_factory=new_shapes)
    location: LocationAttr = field(default_factory=UnknownLoc)
    fixed_blocks: dict[str, int] = field(default_factory=dict[str, int])
    static: frozenset[str] = frozenset()
    may_be_empty: bool = False
    tunables: dict[str, Any] = field(default_factory=dict[str, Any])
    captured: list[torch.Tensor] = field(default_factory=list[torch.Tensor])

    def __post_init__(self) -> None:
        self.fake = FakeTensorMode(shape_env=self.shapes, allow_non_fake_inputs=True)
        self.entry = Block()
        self.blocks: list[Block] = [self.entry]
        self.paused = False
        self.decided: list[sympy.Basic] = []
        self.outermost = inspect.currentframe()
        self.markers: Any = None
        self.extents: dict[sympy.Symbol, SSAValue] = {}  # of arrays of any number of rows
        self.outside: dict[int, str] = {}  # names of tensors outside of functions, by id
        self.lost: dict[str, str] = {}  # what to say where a variable is used that did not leave its loop
        self.axes: dict[sympy.Symbol, Axis] = {}
        self.indices: dict[sympy.Symbol, SSAValue] = {}
        self.index_names: dict[sympy.Symbol, str] = {}
        self.sizes: dict[str, torch.SymInt] = {}
        self.size_bounds: dict[str, tuple[int, int]] = {}  # the least and the most of some of them
        self.dtypes: dict[SSAValue, torch.dtype] = {}
        self.shapes_of: dict[SSAValue, tuple[int | None, ...]] = {}
        self.aliases = Aliases()
        self._known: dict[int, tuple[torch.Tensor, Value | Array]] = {}
        self._fakes: dict[int, torch.Tensor] = {}

    # Where, and what goes wrong there.

    def here(self) -> None:
        """Take note of where the user's code is, for the operations that follow."""
        self.location = user_location(self.outermost)

    def fail(self, message: str, location: LocationAttr | None = None) -> NoReturn:
        """Raises TraceError at the user's expression, or at another place."""
        raise TraceError(message, self.place(location or self.location))

    def place(self, location: LocationAttr) -> str:
        """A location as errors write it."""
        return place_of(location) or f"kernel {self.name}"

    @property
    def in_tile(self) -> bool:
        """Whether the user's code stands in a loop over tiles."""
        return len(self.blocks) > 1

    # Operations.

    def emit(self, op: Operation) -> Operation:
        """Append an operation where the user's code stands."""
        op.location = self.location
        self.blocks[-1].add_op(op)
        return op

    def put(self, op: Operation) -> SSAValue:
        """Append an operation; its one result."""
        return self.emit(op).results[0]

    def name_variables(self, variables: Mapping[str, Any]) -> None:
        """Call values after the user's variables that hold them, where they have no name yet."""
        for name, held in variables.items():
            known = self.seen(held)
            if known is None:
                continue
            if known.ssa.name_hint is None and SSAValue.is_valid_name(name):
                known.ssa.name_hint = name
            if isinstance(known, Array) and known.name == UNNAMED:
                known.name = name

    @contextmanager
    def inside(self, block: Block) -> Generator[None]:
        """Operations go to `block` meanwhile."""
        self.blocks.append(block)
        try:
            yield
        finally:
            self.blocks.pop()

    # Tensors.

    @contextmanager
    def shapes_only(self) -> Generator[None]:
        """What torch does meanwhile has shapes and dtypes and makes no operations."""
        paused, self.paused = self.paused, True
        try:
            with self.fake, unlogged():
                yield
        finally:
            self.paused = paused

    def tensor(self, shape: Sequence[Size], dtype: torch.dtype, known: Value | Array) -> torch.Tensor:
        """A new fake tensor that stands for `known`."""
        with self.shapes_only():
            made = torch.empty(tuple(shape), dtype=dtype, device="cpu")
        return self.bind(made, known)

    def bind(self, tensor: torch.Tensor, known: Value | Array) -> torch.Tensor:
        """Say what a fake tensor stands for, from now on."""
        self._known[id(tensor)] = (tensor, known)
        return tensor

    def known(self, tensor: torch.Tensor) -> Value | Array:
        """What a tensor stands for. A real one was captured: it becomes an argument."""
        found = self._known.get(id(tensor))
        if found is None:
            found = self._known[id(tensor)] = (tensor, self._known[id(self.captured_as(tensor))][1])
        if self.aliases.is_behind(tensor):
            self.fail(
                f"{self.describe(tensor)} shares its elements with a value that was changed in place since; "
                "make a new value instead, as in v = v + …"
            )
        return found[1]

    def change(self, tensor: torch.Tensor, value: Value) -> None:
        """A value of a tile is changed in place."""
        self.aliases.changed(tensor)
        self.bind(tensor, value)

    def is_known(self, tensor: torch.Tensor) -> bool:
        return id(tensor) in self._known

    def seen(self, held: Any) -> Value | Array | None:
        """What an object stands for, if it is a tensor that was used."""
        return self._known[id(held)][1] if isinstance(held, torch.Tensor) and self.is_known(held) else None

    def parameter(self, name: str, tensor: torch.Tensor, *, dynamic: bool = False) -> torch.Tensor:
        """A fake tensor for an argument, which becomes one of the program; of any leading extent if it is
        `dynamic`, though not of 0 or 1, which torch broadcasts.
        """
        if 0 in tensor.shape:
            self.fail(f"{name} is {self.describe(tensor)}, which has no elements; one or more are needed")
        shape: list[Any] = list(tensor.shape)
        free = dynamic and bool(shape) and shape[0] > 1 and name not in self.static
        self.element(tensor.dtype, name)
        kind = MemRefType(IN_ARRAYS[tensor.dtype], [UNBOUND, *shape[1:]] if free else shape or [1])
        ssa = self.entry.insert_arg(kind, len(self.entry.args))
        ssa.name_hint = name
        self.dtypes[ssa], self.shapes_of[ssa] = tensor.dtype, tuple([None, *shape[1:]] if free else shape)
        if free:
            shape[0] = self._new_extent(ssa, name, shape[0])
        return self.tensor(shape, tensor.dtype, Array.whole(ssa, name, tensor.dim()))

    def _new_extent(self, array: SSAValue, name: str, now: int) -> torch.SymInt:
        """The leading extent of an array of any number of rows, of which there are `now`."""
        size = named_size(self.shapes, f"{name}_size_0", now, any_number=self.may_be_empty)
        zero = self.put(arith.ConstantOp(IntegerAttr(0, IndexType())))
        extent = self.put(memref.DimOp(array, zero))
        extent.name_hint = f"{name}_rows"
        symbol = expression(size)
        self.extents[symbol] = array
        self.indices[symbol], self.index_names[symbol] = extent, f"{name}.size(0)"
        return size

    def captured_as(self, tensor: torch.Tensor) -> torch.Tensor:
        """The fake tensor for a real one that the function found outside: it becomes an argument."""
        if id(tensor) not in self._fakes:
            name, taken = self.outside.get(id(tensor), ""), [arg.name_hint for arg in self.entry.args]
            fits = name and name not in taken
            made = self.parameter(name if fits else f"captured{len(self.captured)}", tensor)
            self.captured.append(tensor)
            self._fakes[id(tensor)] = made
        return self._fakes[id(tensor)]

    def element(self, dtype: torch.dtype, what: str = "a tensor") -> Attribute:
        """The element type of a dtype. Refuses those that a TPU does not have."""
        if dtype not in ELEMENTS:
            accepted = ", ".join(name_of(each) for each in ELEMENTS)
            self.fail(f"{what} is {name_of(dtype)}; {accepted} are accepted")
        return ELEMENTS[dtype]

    # Sizes and spans.

    def new_size(self, name: str) -> torch.SymInt:
        """A block size called `name`, or a name like it that is free."""
        free, number = name, 2
        while free in self.sizes:
            free, number = f"{name}_{number}", number + 1
        self.sizes[free] = named_size(self.shapes, free, HINT - 12 * len(self.sizes))
        return self.sizes[free]

    def name_of_size(self, size: torch.SymInt) -> str:
        """The name that a block size was given."""
        wanted = expression(size)
        return next(name for name, each in self.sizes.items() if expression(each) == wanted)

    def dimension(self, size: Size) -> tuple[int, str | None]:
        """The extent of a dimension in a type, and the span it came from."""
        if isinstance(size, int):
            return size, None
        expr = expression(size)
        if expr.is_Integer:
            return int(expr), None
        axis = self.axes.get(expr)
        if axis is None and expr in self.extents:
            raise NeedsStatic(self.extents[expr].name_hint or "")
        if axis is None:
            self.fail(
                f"a dimension of size {self.words(size)} is neither a number nor a tile; "
                "keep each tile a dimension of its own"
            )
        kind = span_of(axis.span)
        return (UNBOUND if kind is None else kind.size), axis.name

    def kind(self, shape: Sequence[Size], element: Attribute) -> Attribute:
        """The type of a value of this shape."""
        pairs = [self.dimension(size) for size in shape]
        return value_type(element, [size for size, _ in pairs], [name for _, name in pairs])

    def sizes_in(self, value: Any) -> list[str]:
        """The names of block sizes that a symbolic number or condition depends on."""
        if isinstance(value, torch.Tensor):
            return []
        free = expression(value).free_symbols
        return [name for name, size in self.sizes.items() if expression(size) in free]

    def assumptions(self) -> tuple[sympy.Basic, ...]:
        """What Python decided by extents that differ between calls: conditions on their symbols."""
        found = [guard.expr for guard in self.shapes.guards if guard.expr.free_symbols]
        if self.may_be_empty:  # torch itself asks whether there are several rows, which is of no consequence
            found = [*(each for each in found if not of_several(each)), *self.decided]
        return tuple(dict.fromkeys(each for each in found if each.free_symbols <= self.extents.keys()))

    def decide(self, condition: sympy.Basic) -> None:
        """Take note that the user's code asks whether a condition on sizes holds."""
        if not self.paused and current() is self and condition.free_symbols:
            self.decided.append(condition if self.holds(condition) else sympy.Not(condition))

    def holds(self, condition: sympy.Basic) -> bool:
        """Whether a condition holds for the arguments that are traced."""
        return condition.subs(dict.fromkeys(self.extents, SEVERAL)) == sympy.true

    def check_guards(self) -> None:
        """Refuse a trace in which Python decided something by the size of a block."""
        symbols = {expression(size): name for name, size in self.sizes.items()}
        for guard in self.shapes.guards:
            free = [symbol for symbol in guard.expr.free_symbols if symbol in symbols]
            if free and not holds_for_any(guard.expr, free):
                names = ", ".join(sorted(symbols[symbol] for symbol in free))
                self.fail(
                    f"the program depends on the block size of {names}: {self.words_of(guard.expr)}; "
                    "give the tile a block_size"
                )

    def words(self, size: Any) -> str:
        """A size in the user's words: names of block sizes in place of torch's symbols."""
        if not isinstance(size, torch.SymInt):
            return str(size)
        return self.words_of(expression(size))

    def words_of(self, expr: sympy.Expr) -> str:
        """An expression of sizes and indices in the user's words."""
        names = {expression(each): name for name, each in self.sizes.items()} | self.index_names
        return str(expr.subs({symbol: sympy.Symbol(name) for symbol, name in names.items()}))

    def describe(self, tensor: torch.Tensor) -> str:
        """A tensor as errors write it."""
        return f"{name_of(tensor.dtype)}[{', '.join(self.words(size) for size in tensor.shape)}]"

    # Values.

    def renamed(self, message: str) -> str:
        """A message of torch's with the names of block sizes in place of its symbols."""
        for name, size in self.sizes.items():
            message = re.sub(rf"\b{expression(size)}\b", name, message)
        return message

    def value(self, tensor: torch.Tensor) -> Value:
        """The value that a tensor stands for. A host tensor is none until tiles index it."""
        known = self.known(tensor)
        if isinstance(known, Array):
            self.fail(
                f"the host tensor {known.name} is used without indexing it; "
                f"write {known.name}[{', '.join(':' * tensor.dim()) or '()'}] or index it with tiles"
            )
        owner = known.ssa.owner
        if isinstance(owner, SplatOp) and self.in_tile and owner.parent is self.entry:
            return Value(self.put(owner.clone()), known.range)
        return known

    def finish(self, results: Sequence[SSAValue]) -> ModuleOp:
        """The module, with one function that returns `results`. Raises TraceError if it does not verify."""
        self.emit(func.ReturnOp(*results))
        kind = FunctionType.from_lists([arg.type for arg in self.entry.args], [each.type for each in results])
        made = func.FuncOp(self.name, kind, Region(self.entry))
        made.location = self.location
        module = ModuleOp([made])
        module.location = self.location
        return module


@contextmanager
def tracing(trace: Trace) -> Generator[Trace]:
    """`trace` is the current one meanwhile."""
    token = _CURRENT.set(trace)
    try:
        yield trace
    except VerifyException as error:
        trace.fail(one_line(error))
    finally:
        _CURRENT.reset(token)
