"""Markers that mean what Python means, and a record of what they were told."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tilec.frontend.regions import Exit
from tilec.frontend.rewrite import Held, Markers


class PlainRegion:
    """Runs the items of an iterable, and leaves the values as they are."""

    def __init__(self, items: Iterable[Any], size: int) -> None:
        self._items = items
        self._size = size

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items)

    def begin(self, values: tuple[object, ...]) -> tuple[object, ...]:
        assert len(values) == self._size
        return values

    end = finish = begin


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
