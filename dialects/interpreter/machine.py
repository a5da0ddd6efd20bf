"""The state of a run, and how an operation becomes a step of it.

Each operation is prepared once, into a step that runs many times: what its attributes and types say is read
when it is prepared. A rule prepares one kind of operation.
"""

from collections import Counter
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeAlias, TypeVar

import numpy as np
from xdsl.ir import Attribute, Block, Operation, SSAValue

from tilec.dialects.tile.types import UNBOUND, AnySpan, shape_of, span_names

from .errors import fault
from .memory import Array, Scratch, Tracker
from .spans import Extents, Span, Turn
from .values import Bits, Value, either, hostile

Step: TypeAlias = Callable[["Machine"], None]
Rule: TypeAlias = Callable[[Any], Step]
AnyOp = TypeVar("AnyOp", bound=Operation)

BLOCKS = (4, 8, 12, 16, 32, 64, 128)
"""Block sizes to pick from for a tile axis that has none. No result may depend on the choice."""

RULES: dict[type[Operation], Rule] = {}


class Worklist(NamedTuple):
    """Entries that `tile.append` has added."""

    rows: list[list[int]]
    capacity: int


class Machine:
    """All that changes while a program runs."""

    def __init__(self, seed: int, blocks: Mapping[str, int], steps: Counter[Operation]) -> None:
        self.rng = np.random.default_rng(seed)
        self.blocks = dict(blocks)
        self.steps = steps
        self.values: dict[SSAValue, Any] = {}
        self.spans: dict[str, Span] = {}
        self.extents: dict[str, Extents] = {}
        self.ended: dict[str, Bits] = {}
        """Lanes of a span that make no step of a jagged loop around what runs, by the span's name."""
        self.turns: dict[SSAValue, Turn] = {}
        self.trackers: list[Tracker] = []
        self.scratch: dict[Operation, Scratch] = {}
        self.locals: dict[Operation, Array] = {}
        self.worklists: list[Worklist] = []

    def integer(self, op: Operation, value: SSAValue | int) -> int:
        """A bound or an index. Raises InterpreterError where it is undefined."""
        if isinstance(value, int):
            return value
        number: Value = self.values[value]
        if number.poison is not None and number.poison.any():
            fault(op, f"{op.name} needs the value of {name_of(value)}, which is undefined")
        return int(number.data)

    def block(self, span: AnySpan) -> int:
        """The lanes of a span: as many as its type says, else as were picked for its name in this run."""
        if span.size != UNBOUND:
            return span.size
        if span.axis not in self.blocks:
            self.blocks[span.axis] = int(self.rng.choice(BLOCKS))
        return self.blocks[span.axis]

    def shape(self, kind: Attribute) -> tuple[int, ...]:
        """The shape of a value of type `kind`; -1 where only the operand knows."""
        named = zip(shape_of(kind), span_names(kind), strict=True)
        return tuple(self.spans[name].size if size == UNBOUND and name else size for size, name in named)

    def dead(self, names: Sequence[str | None], along: Collection[int] | None = None) -> Bits | None:
        """The lanes that lie outside a span or have ended, of a value whose dimensions came from `names`.

        Only spans of the dimensions `along` count, if it is given, and jagged ones whose parents these are.
        """
        found: Bits | None = None
        for position, name in enumerate(names):
            if name is None:
                continue
            here = along is None or position in along
            marks = self._dead_of(name) if here else None
            if marks is not None:
                found = either(found, marks.reshape([-1] + [1] * (len(names) - position - 1)))
            parent = self.extents[name].parent if name in self.extents else None
            for other in [i for i, each in enumerate(names) if parent is not None and each == parent]:
                if along is None or here or other in along:
                    found = either(found, self._beyond(name, position, other, len(names)))
        return found

    def _dead_of(self, name: str) -> Bits | None:
        """The dead lanes of a span."""
        span = self.spans[name]
        return either(None if span.whole else span.dead, self.ended.get(name))

    def is_jagged(self, names: Sequence[str | None]) -> bool:
        """Whether lanes may be dead that lie inside the spans `names`."""
        return any(name in self.extents or name in self.ended for name in names)

    def _beyond(self, name: str, position: int, parent: int, rank: int) -> Bits:
        """Where the indices of a jagged span, at `position`, are beyond the extents of lanes at `parent`."""
        span, extents = self.spans[name], self.extents[name].lanes
        indices = np.arange(span.start, span.start + span.size)
        shapes = [[-1 if i == at else 1 for i in range(rank)] for at in (position, parent)]
        return indices.reshape(shapes[0]) >= extents.reshape(shapes[1])

    def define(self, result: SSAValue, value: Value) -> None:
        """Bind `result`, its dead lanes undefined."""
        names = span_names(result.type)
        dead = self.dead(names) if any(names) else None
        if dead is not None:
            dead = np.broadcast_to(dead, value.data.shape)
            value = Value(value.data, either(value.poison, dead))
        self.values[result] = value

    def forget_scratch(self) -> None:
        """Make all on-chip memory of the pipeline undefined."""
        self.locals.clear()
        for scratch in self.scratch.values():
            scratch.data[...] = hostile(self.rng, scratch.data.shape, scratch.data.dtype)
            scratch.poison[...] = True

    @contextmanager
    def without(self, name: str, ended: Bits) -> Generator[None]:
        """A step of a jagged loop, in which the lanes `ended` of the span `name` are dead."""
        before = self.ended.pop(name, None)
        if before is not None or ended.any():
            self.ended[name] = ended if before is None else before | ended
        yield
        self.ended.pop(name, None)
        if before is not None:
            self.ended[name] = before

    @contextmanager
    def independent(self) -> Generator[Tracker]:
        """A loop of which no two iterations may touch one element, one of them writing."""
        tracker = Tracker()
        self.trackers.append(tracker)
        yield tracker
        self.trackers.pop()


def rule(*kinds: type[AnyOp]) -> Callable[[Callable[[AnyOp], Step]], Callable[[AnyOp], Step]]:
    """Register how operations of `kinds` are prepared."""

    def register(function: Callable[[AnyOp], Step]) -> Callable[[AnyOp], Step]:
        RULES.update(dict.fromkeys(kinds, function))
        return function

    return register


def prepare(ops: Sequence[Operation]) -> Step:
    """Make one step of `ops`. Raises InterpreterError at an operation that no rule is for."""
    steps: list[Step] = []
    for op in ops:
        if type(op) not in RULES:
            fault(op, f"{op.name} cannot be interpreted; the tile level, arith, math, scf.if and scf.for can")
        steps.append(RULES[type(op)](op))

    def run(machine: Machine) -> None:
        for step in steps:
            step(machine)

    return run


def prepare_body(block: Block) -> tuple[Step, Sequence[SSAValue]]:
    """A step for a block without its terminator, and what the terminator passes on."""
    last = block.last_op
    if last is None:
        return prepare([]), ()
    return prepare([op for op in block.ops if op is not last]), last.operands


def name_of(value: SSAValue) -> str:
    """How messages call a value."""
    return f"%{value.name_hint}" if value.name_hint else f"an unnamed {value.type}"
