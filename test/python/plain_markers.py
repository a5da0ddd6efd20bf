"""Markers that mean what Python means, and a record of what they were told."""

import linecache
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from tilec.frontend.regions import Exit
from tilec.frontend.rewrite import Held, Markers


class PlainRegion:
    """Runs the items of an iterable, and leaves the values as they are.

    Each run must end before the next begins.
    """

    def __init__(self, items: Iterable[Any], size: int) -> None:
        self._items = items
        self._size = size
        self._running = False

    def __iter__(self) -> Iterator[Any]:
        for item in self._items:
            assert not self._running
            yield item

    def begin(self, values: tuple[object, ...]) -> tuple[object, ...]:
        assert len(values) == self._size
        assert not self._running
        self._running = True
        return values

    def end(self, values: tuple[object, ...]) -> tuple[object, ...]:
        assert len(values) == self._size
        assert self._running
        self._running = False
        return values

    def finish(self, values: tuple[object, ...]) -> tuple[object, ...]:
        assert len(values) == self._size
        return values


@dataclass(frozen=True)
class Told:
    """What a loop or a branch was told."""

    names: tuple[str, ...]
    targets: tuple[str, ...]
    held: tuple[str, ...]
    exits: tuple[Exit, ...]


@dataclass
class PlainMarkers(Markers):
    """Python's own meaning. `loops` and `branches` are in the order in which they began."""

    MISSING: object = field(default_factory=object)
    loops: list[Told] = field(default_factory=list[Told])
    branches: list[Told] = field(default_factory=list[Told])
    decided: list[str] = field(default_factory=list[str])
    called: list[object] = field(default_factory=list[object])

    def loop(
        self,
        iterable: Any,
        names: tuple[str, ...],
        targets: tuple[str, ...],
        held: Held,
        exits: tuple[Exit, ...],
    ) -> PlainRegion:
        self.loops.append(Told(names, targets, self._readable(held), exits))
        return PlainRegion(iterable, len(names))

    def branch(self, condition: object, names: tuple[str, ...], held: Held) -> PlainRegion:
        self.branches.append(Told(names, (), self._readable(held), ()))
        return PlainRegion([bool(condition)], len(names))

    def _readable(self, held: Held) -> tuple[str, ...]:
        """Every held name can be read, or is not bound."""
        for _, read in held:
            self.bound(read)
        return tuple(name for name, _ in held)

    def choose(
        self, condition: object, if_true: Callable[[], object], if_false: Callable[[], object]
    ) -> object:
        return if_true() if condition else if_false()

    def both(self, first: object, second: Callable[[], object]) -> object:
        return first and second()

    def either(self, first: object, second: Callable[[], object]) -> object:
        return first or second()

    def negate(self, value: object) -> object:
        return not value

    def decide(self, condition: object, what: str) -> bool:
        self.decided.append(what)
        return bool(condition)

    def call(self, function: Any) -> Any:
        self.called.append(function)
        return function


class Speculating(PlainMarkers):
    """Runs both arms of every branch, and every loop once too often at its beginning and at its end.

    What a superfluous run leaves is thrown away, as far as the region was told of it. So a function does what
    it did only if the regions were told of all that matters, which is what tracing relies on.
    """

    def loop(
        self,
        iterable: Any,
        names: tuple[str, ...],
        targets: tuple[str, ...],
        held: Held,
        exits: tuple[Exit, ...],
    ) -> PlainRegion:
        items = list(iterable)
        kept = any(name in targets for name in names)
        if exits or (kept and not items):
            return super().loop(items, names, targets, held, exits)
        spare = items[-1:] or [7]
        runs = [*((item, False) for item in spare), *((item, True) for item in items), (spare[0], False)]
        return SpeculatingRegion(runs, tuple(name in targets for name in names))

    def branch(self, condition: object, names: tuple[str, ...], held: Held) -> PlainRegion:
        runs = [(arm, arm is bool(condition)) for arm in (True, False)]
        return SpeculatingRegion(runs, (False,) * len(names), restarts=True)


class SpeculatingRegion(PlainRegion):
    """Runs items, each with whether what it leaves counts. `fresh` values are new in each run.

    With `restarts` all runs start from the same values, else from what the last run that counts has left.
    """

    def __init__(self, runs: list[tuple[Any, bool]], fresh: tuple[bool, ...], restarts: bool = False) -> None:
        self._runs = runs
        self._fresh = fresh
        self._restarts = restarts
        self._start: tuple[object, ...] | None = None
        self._result: tuple[object, ...] = ()
        self._counts = False

    def __iter__(self) -> Iterator[Any]:
        for item, self._counts in self._runs:
            yield item

    def begin(self, values: tuple[object, ...]) -> tuple[object, ...]:
        if self._start is None:
            self._start = self._result = values
        pairs = zip(self._fresh, values, self._start, strict=True)
        return tuple(value if fresh else start for fresh, value, start in pairs)

    def end(self, values: tuple[object, ...]) -> tuple[object, ...]:
        if self._counts:
            self._result = values
            self._start = self._start if self._restarts else values
        return values

    def finish(self, values: tuple[object, ...]) -> tuple[object, ...]:
        return values if self._start is None else self._result


def function_of(text: str, file: str = "<text>") -> Callable[..., Any]:
    """The function `f` that `text` defines, with its source where Python looks for it."""
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    names: dict[str, Any] = {"suppress": suppress}
    exec(compile(text, file, "exec"), names)
    return names["f"]
