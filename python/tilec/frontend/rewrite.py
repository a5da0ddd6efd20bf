"""Marks the loops, branches and calls of a function, so that running it once can trace it.

    for t in ITER:            h = __tilec__.loop(ITER, ("acc",), ("t",), held, exits)
        BODY                  for t in h:
                                  (acc,) = h.begin((acc,))
                                  BODY
                                  (acc,) = h.end((acc,))
                              (acc,) = h.finish((acc,))

An `if` becomes a loop over its arms in the same way. Nothing else changes: all other code runs as plain
Python, with its globals, closure, line and column numbers. What the markers mean is up to `Markers`.
"""

from collections.abc import Callable, Iterator
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE
from types import CellType, CodeType, FunctionType, MethodType
from typing import Any, ParamSpec, Protocol, TypeVar, cast

from tilec.diagnostics import TileError
from tilec.frontend.insertion import marked
from tilec.frontend.regions import Exit
from tilec.frontend.source import MARKERS, recompiled, source_of

P = ParamSpec("P")
R = TypeVar("R")
Held = tuple[tuple[str, Callable[[], object]], ...]

# By identity, since equal code may come from two places. Holding the code keeps its identity taken.
_REWRITTEN: dict[int, tuple[CodeType, CodeType | None]] = {}


class Region(Protocol):
    """A loop, or the arms of a branch, while it runs. Values are those of the region's names, in order."""

    def __iter__(self) -> Iterator[Any]:
        """The items of the loop; for a branch True, False or both, each arm once."""
        ...

    def begin(self, values: tuple[object, ...]) -> tuple[object, ...]:
        """The values that one run of the body starts from, given those it found."""
        ...

    def end(self, values: tuple[object, ...]) -> tuple[object, ...]:
        """Takes the values that one run of the body leaves, and returns what to go on with."""
        ...

    def finish(self, values: tuple[object, ...]) -> tuple[object, ...]:
        """The values after the region, given those of the last run, or of none."""
        ...


class Markers(Protocol):
    """What a rewritten function calls. `MISSING` stands for a variable that is not bound."""

    MISSING: object

    def loop(
        self,
        iterable: object,
        names: tuple[str, ...],
        targets: tuple[str, ...],
        held: Held,
        exits: tuple[Exit, ...],
    ) -> Region:
        """Begin `for targets in iterable`.

        `names` are the variables that the body changes and that matter outside of one run of it; `targets`
        those that the loop binds, "" where it is no plain variable. `held` are the names through which the
        body reaches objects made before it; reading one raises NameError where it is not bound. `exits` are
        the statements that leave the body early, as (word, line, column), both counted from 1.
        """
        ...

    def branch(self, condition: object, names: tuple[str, ...], held: Held) -> Region:
        """Begin `if condition`. The region runs the arm or arms that it yields True or False for."""
        ...

    def choose(
        self, condition: object, if_true: Callable[[], object], if_false: Callable[[], object]
    ) -> object:
        """`if_true() if condition else if_false()`."""
        ...

    def both(self, first: object, second: Callable[[], object]) -> object:
        """`first and second()`."""
        ...

    def either(self, first: object, second: Callable[[], object]) -> object:
        """`first or second()`."""
        ...

    def negate(self, value: object) -> object:
        """`not value`."""
        ...

    def decide(self, condition: object, what: str) -> bool:
        """The truth of a condition that must be known while tracing, since it is that of `what`."""
        ...

    def call(self, function: Any) -> Any:
        """What to call in place of `function`."""
        ...

    def bound(self, read: Callable[[], object]) -> object:
        """What `read` returns, a variable, or MISSING if it is not bound."""
        try:
            return read()
        except NameError:
            return self.MISSING


def rewritten(fn: Callable[P, R], markers: Markers) -> Callable[P, R]:
    """`fn` with calls of `markers` where it loops, branches and calls.

    A method stays bound to its object. What has no Python source (built-ins, functions made by `exec` or
    typed at a prompt) comes back as it is, and so does a lambda that cannot be told from others on its line.
    Raises TileError for an `async` function.
    """
    if isinstance(fn, MethodType):
        return cast(Callable[P, R], MethodType(rewritten(fn.__func__, markers), fn.__self__))
    if not isinstance(fn, FunctionType) or MARKERS in fn.__code__.co_freevars:
        return fn
    if fn.__code__.co_flags & (CO_COROUTINE | CO_ASYNC_GENERATOR):
        place = f"{fn.__code__.co_filename}:{fn.__code__.co_firstlineno}:1"
        raise TileError(f"{fn.__qualname__} is an async function; only plain functions can be traced", place)
    code = _rewritten_code(fn)
    if code is None or MARKERS not in code.co_freevars:
        return fn
    cells = dict(zip(fn.__code__.co_freevars, fn.__closure__ or (), strict=True))
    cells[MARKERS] = CellType(markers)
    closure = tuple(cells[name] for name in code.co_freevars)
    made = FunctionType(code, fn.__globals__, fn.__name__, fn.__defaults__, closure)
    made.__kwdefaults__ = fn.__kwdefaults__
    made.__qualname__, made.__module__, made.__doc__ = fn.__qualname__, fn.__module__, fn.__doc__
    made.__annotations__ = fn.__annotations__
    made.__dict__.update(fn.__dict__)
    return cast(Callable[P, R], made)


def _rewritten_code(fn: FunctionType) -> CodeType | None:
    code = fn.__code__
    if id(code) not in _REWRITTEN:
        source = source_of(fn)
        made = None if source is None else recompiled(code, marked(source, frozenset(code.co_freevars)))
        _REWRITTEN[id(code)] = (code, made)
    return _REWRITTEN[id(code)][1]
